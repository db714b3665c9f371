# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fifth held-out objects that are data: frames, arrays, results of scipy, plain values; see honest_fifth.py."""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np
from honest_held import REAL, RNG, STEPS, THREE, Makers, X, Y, at, frame

LINE = np.linspace(0.1, 3, 20)


def frames() -> Makers:
    """Data frames of all kinds of columns and indexes, and what reports keep of them."""
    import pandas as pd
    from pandas import api

    hours = pd.date_range("2024-03-30", periods=60, freq="60min", tz="Europe/Berlin")
    data = lambda: frame().assign(hour=hours, hit=Y, group=pd.Categorical(THREE))
    array = lambda values, dtype: pd.array(values, dtype=dtype)
    widths = ("Int8", "Int16", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32")
    made: Makers = {
        "nullable-widths": lambda: pd.DataFrame({name: array([1, None, 3], name) for name in widths}),
        "numpy-widths": lambda: pd.DataFrame({name: np.arange(3).astype(name) for name in ("i1", "u2", "i4", "u8", "f2", "f4", "c8", "?", "S2", "M8[ns]", "m8[ns]")}),
        "string-python": lambda: pd.DataFrame({"s": pd.array(["a", None, "b"], dtype="string")}, index=pd.Index(["x", "y", "z"], name="key")),
        "category-ordered": lambda: pd.DataFrame({"size": pd.Categorical(["S", "L", "M"], ["S", "M", "L"], ordered=True), "when": pd.Categorical(pd.to_datetime(["2020-01-01"] * 3))}),
        "category-index": lambda: pd.Series([1.0, 2.0], index=pd.CategoricalIndex(["a", "b"])),
        "category-intervals": lambda: pd.cut(frame()["age"], [0, 0.5, 1, 9], right=False),
        "zones": lambda: data().set_index("hour"),
        "zone-utc": lambda: pd.DataFrame({"t": hours.tz_convert("UTC"), "n": hours.tz_localize(None)}),
        "zone-fixed": lambda: pd.Series(pd.to_datetime(["2024-01-01T10:00:00+05:30"] * 2)),
        "zone-dateutil": lambda: pd.Series(pd.date_range("2024", periods=2, tz="dateutil/America/Lima")),
        "business": lambda: pd.Series(np.arange(5.0), pd.bdate_range("2024-05-01", periods=5)),
        "custom-business": lambda: pd.date_range("2024-05-01", periods=3, freq=pd.offsets.CustomBusinessDay(holidays=["2024-05-02"])),
        "offsets-list": lambda: [pd.offsets.MonthEnd(2), pd.offsets.QuarterBegin(startingMonth=3), pd.offsets.YearEnd(month=6), pd.offsets.Week(weekday=2), pd.offsets.BusinessHour(), pd.offsets.SemiMonthEnd(), pd.offsets.FY5253(weekday=4)],
        "date-offset": lambda: {"step": pd.DateOffset(months=1, days=2), "lag": pd.Timedelta("3h")},
        "periods-table": lambda: pd.DataFrame({"q": pd.period_range("2020Q1", periods=4, freq="Q-NOV"), "v": range(4)}).set_index("q"),
        "intervals-table": lambda: pd.DataFrame({"v": [1, 2]}, index=pd.interval_range(pd.Timestamp("2024"), periods=2)),
        "time-deltas": lambda: pd.Series(pd.timedelta_range("1h", periods=3, freq="90s"), name="wait"),
        "seconds": lambda: pd.Series(np.array(["2024-01-01", "NaT"], "M8[s]")),
        "many-levels": lambda: data().groupby(["city", "group"], observed=True)[["age", "debt"]].agg(["mean", "std"]),
        "cross": lambda: pd.crosstab(data()["city"], [data()["hit"], data()["group"]], normalize="index", margins=True),
        "long-to-wide": lambda: data().pivot(index="hour", columns="city", values="age"),
        "described": lambda: {"all": data().describe(include="all"), "null": data().isna().mean(), "unique": data().nunique()},
        "binned": lambda: pd.qcut(frame()["age"], 5, retbins=True),
        "resampled": lambda: data().set_index("hour")["age"].resample("6h").agg(["first", "max"]),
        "rolled": lambda: data().set_index("hour")["age"].rolling("5h", min_periods=1).quantile(0.5),
        "weighted": lambda: frame()["age"].ewm(span=4).mean().diff().shift(2),
        "sparse-columns": lambda: pd.get_dummies(data()["city"], sparse=True),
        "sparse-series": lambda: pd.Series(pd.arrays.SparseArray([0, 0, 1.5], fill_value=0)),
        "bytes-and-none": lambda: pd.DataFrame({"raw": [b"\x00\x01", None], "o": [{"k": [1]}, ("t",)], "set": [{1}, frozenset({2})]}),
        "images": lambda: pd.DataFrame({"image": [np.zeros((2, 2, 3), "u1")] * 2, "box": [(0, 0, 1, 1)] * 2, "label": ["cat", "dog"]}),
        "dates-as-objects": lambda: pd.DataFrame({"d": [at("datetime", "date")(2024, 1, 1)], "t": [at("datetime", "time")(1, 2)], "m": [at("decimal", "Decimal")("1.5")], "u": [at("uuid", "UUID")(int=5)]}),
        "empty": lambda: [pd.DataFrame(), pd.Series(dtype="float64"), frame().iloc[:0], pd.DataFrame(columns=["a", "b"])],
        "flags": lambda: frame().set_flags(allows_duplicate_labels=False) if frame().columns.is_unique else None,
        "attributes": lambda: _with(frame(), {"source": "warehouse", "rows": 60}),
        "types-only": lambda: dict(data().dtypes.items()),
        "type-checks": lambda: {"cat": pd.CategoricalDtype(["a"], True), "zone": pd.DatetimeTZDtype("ns", "UTC"), "per": pd.PeriodDtype("D"), "int": pd.IntervalDtype("float64"), "str": pd.StringDtype("python")},
        "scalars": lambda: [pd.Timestamp("2024-02-29 10:00", tz="UTC"), pd.Timedelta(days=1), pd.Period("2024-05", "M"), pd.Interval(0, 1, "both"), pd.NA, pd.NaT],
        "split-frames": lambda: {"train": data().sample(frac=0.5, random_state=1), "test": data().iloc[::3]},
        "by-day": lambda: dict(iter(data().groupby(data()["hour"].dt.date)["age"])),
        "series-list": lambda: [row for _, row in data().head(3).iterrows()],
        "named-rows": lambda: list(data().head(2).itertuples(name=None)),
        "merged": lambda: data().merge(pd.DataFrame({"city": ["Rome", "Oslo"], "zip": [1, 2]}), how="left", indicator=True),
        "ranked": lambda: data().groupby("city")["age"].rank(pct=True).to_frame("rank"),
        "exploded": lambda: pd.DataFrame({"k": ["a"], "v": [[1, 2]]}).explode("v"),
        "correlations": lambda: data().select_dtypes("number").corr(method="spearman").stack(),
        "factorized": lambda: pd.factorize(data()["city"], sort=True),
        "hashes": lambda: pd.util.hash_pandas_object(frame()[["age"]]),
        "checks": lambda: {"number": api.types.is_numeric_dtype, "text": api.types.is_string_dtype},
        "readers": lambda: {"csv": {"sep": ";", "dtype": {"a": np.float32, "b": "category"}, "parse_dates": ["d"]}, "parse": pd.to_datetime, "num": pd.to_numeric},
        "index-kinds": lambda: [pd.RangeIndex(1, 9, 2, name="r"), pd.Index([True, False]), pd.Index(["a", None]), pd.TimedeltaIndex(["1D"]), pd.PeriodIndex(["2020"], freq="Y" if pd.__version__ > "2.2" else "A"), pd.MultiIndex.from_frame(data()[["city", "hit"]].head(2))],
    }  # fmt: skip
    if importlib.util.find_spec("pyarrow"):
        made |= {
            "arrow-types": lambda: pd.DataFrame({"i": array([1, None], "int64[pyarrow]"), "s": array(["a", None], "string[pyarrow]"), "b": array([True, None], "bool[pyarrow]"), "t": array([pd.Timestamp("2024"), None], "timestamp[us][pyarrow]")}),
            "arrow-nested": lambda: pd.Series([[1], [2, 3]], dtype=pd.ArrowDtype(at("pyarrow", "list_")(at("pyarrow", "int64")()))),
            "arrow-table": lambda: at("pyarrow", "Table").from_pandas(frame()),
        }  # fmt: skip
    return made


def _with(table: Any, attributes: dict[str, Any]) -> Any:
    table.attrs.update(attributes)
    return table


def numbers() -> Makers:
    """Arrays, scipy's results, plain Python values."""
    from scipy import cluster, integrate, interpolate, linalg, optimize, signal, sparse, spatial, stats

    points = RNG.normal(size=(12, 2))
    bounds = [(-2.0, 2.0)] * 2
    frozen = lambda *names: {name: getattr(stats, name)(*shapes) for name, shapes in names}
    return {
        "numpy.typed": lambda: {code: np.ones(2, code) for code in ("b", "B", "h", "H", "i", "I", "l", "q", "e", "f", "d", "g", "F", "D", "?", "S3", "U3", "O", "M8[h]", "m8[us]", ">f4", "<i8")},
        "numpy.shapes": lambda: [np.float64(1).reshape(()), np.empty((0, 3)), np.asfortranarray(X), X[::-2, 1:], np.broadcast_to(1.0, (3, 2)), X.T],
        "numpy.chosen": lambda: {"best": np.argmax(X), "order": np.argsort(REAL), "where": np.where(X > 1), "unique": np.unique(THREE, return_counts=True)},
        "numpy.masked": lambda: np.ma.masked_invalid(np.where(X > 2, np.nan, X)),
        "numpy.fitted": lambda: {"old": np.poly1d([1, 2]), "fit": np.polyfit(LINE, LINE**2, 2), "new": np.polynomial.Chebyshev.fit(LINE, LINE, 2), "roots": np.roots([1, -3, 2])},
        "numpy.random": lambda: [np.random.Generator(np.random.PCG64(1)), np.random.Generator(np.random.MT19937(2)), np.random.Philox(3), np.random.SFC64(4), np.random.SeedSequence(5)],
        "numpy.random-state": lambda: {"np": np.random.RandomState(1).get_state(legacy=False), "py": at("random", "Random")(3)},
        "numpy.types": lambda: {"in": np.dtype([("x", "f4", (2,)), ("n", "u1")]), "out": np.float16, "any": np.dtype(object), "kind": np.int64},
        "numpy.functions": lambda: {"exp": np.exp, "where": np.where, "clip": np.clip, "mod": np.mod, "log": np.log},
        "numpy.linear": lambda: {"svd": np.linalg.svd(X[:4]), "eig": np.linalg.eigh(np.eye(2)), "qr": np.linalg.qr(X[:3])},
        "numpy.grid": lambda: np.meshgrid(LINE, LINE[:3]),
        "numpy.histogram": lambda: np.histogram(REAL, bins=5),
        "numpy.chars": lambda: np.char.array(["a", "bc"]),
        "numpy.info": lambda: {"eps": np.finfo("f4").eps, "big": np.iinfo("i8").max, "nan": np.nan, "slice": np.s_[1:, ::2]},
        "scipy.minima": lambda: {way: optimize.minimize(optimize.rosen, [0.5, 0.5], method=way, options={"maxiter": 5}) for way in ("Nelder-Mead", "Powell", "CG", "BFGS", "TNC", "COBYLA", "SLSQP", "trust-constr")},
        "scipy.global": lambda: [optimize.dual_annealing(optimize.rosen, bounds, maxiter=3), optimize.shgo(optimize.rosen, bounds, iters=1), optimize.basinhopping(optimize.rosen, [0.0, 0.0], niter=2), optimize.brute(optimize.rosen, tuple(bounds), Ns=3)],
        "scipy.roots": lambda: [optimize.root_scalar(np.cos, bracket=[0, 3]), optimize.root(np.cos, [1.0]), optimize.least_squares(np.cos, [1.0]), optimize.linprog([1, 1], bounds=[(0, 1)] * 2), optimize.nnls(X, REAL)],
        "scipy.limits": lambda: {"box": optimize.Bounds([0, 0], [1, 1]), "lin": optimize.LinearConstraint(np.eye(2), 0, 1), "non": optimize.NonlinearConstraint(optimize.rosen, 0, 1), "hess": optimize.SR1()},
        "scipy.splines": lambda: [interpolate.make_interp_spline(LINE, np.sin(LINE)), interpolate.BSpline(*interpolate.splrep(LINE, LINE)), interpolate.Akima1DInterpolator(LINE, LINE), interpolate.BarycentricInterpolator(LINE[:4], LINE[:4]), interpolate.KroghInterpolator(LINE[:3], LINE[:3]), interpolate.PPoly(np.ones((2, 1)), [0, 1])],
        "scipy.grids": lambda: {"grid": interpolate.RegularGridInterpolator((LINE, LINE), np.outer(LINE, LINE)), "rect": interpolate.RectBivariateSpline(LINE, LINE, np.outer(LINE, LINE)), "near": interpolate.NearestNDInterpolator(points, points[:, 0]), "lin": interpolate.LinearNDInterpolator(points, points[:, 0])},
        "scipy.interp-kinds": lambda: {kind: interpolate.interp1d(LINE, np.cos(LINE), kind=kind, bounds_error=False, fill_value=(0, 1)) for kind in ("nearest", "previous", "cubic", "quadratic", 3)},
        "scipy.continuous": lambda: frozen(("beta", (2, 3)), ("lognorm", (0.5,)), ("weibull_min", (1.5,)), ("expon", ()), ("cauchy", ()), ("f", (2, 5)), ("chi2", (3,)), ("pareto", (2,)), ("skewnorm", (1,)), ("genextreme", (0.1,)), ("truncnorm", (-1, 1)), ("vonmises", (1,)), ("levy_stable", (1.5, 0)), ("uniform", (0, 2))),
        "scipy.discrete": lambda: frozen(("poisson", (2,)), ("nbinom", (3, 0.4)), ("geom", (0.3,)), ("hypergeom", (20, 7, 12)), ("randint", (1, 5)), ("zipf", (2,)), ("bernoulli", (0.2,)), ("betabinom", (5, 1, 2))),
        "scipy.several": lambda: [stats.multivariate_normal([0, 0], np.eye(2)), stats.dirichlet([1, 2]), stats.wishart(3, np.eye(2)), stats.multivariate_t([0, 0]), stats.special_ortho_group(2), stats.multinomial(3, [0.2, 0.8])],
        "scipy.distributions": lambda: {"norm": stats.norm, "binom": stats.binom, "params": stats.gamma.fit(np.abs(REAL) + 1)},
        "scipy.histogram": lambda: stats.rv_histogram(np.histogram(REAL, 5)),
        "scipy.table": lambda: stats.rv_discrete(values=([1, 2, 3], [0.2, 0.3, 0.5]), name="die"),
        "scipy.tested": lambda: [stats.ks_2samp(X[:, 0], X[:, 1]), stats.kruskal(*X.T), stats.wilcoxon(X[:, 0], X[:, 1]), stats.shapiro(REAL), stats.anderson(REAL), stats.levene(*X.T), stats.fisher_exact([[1, 2], [3, 4]]), stats.spearmanr(X[:, 0], REAL), stats.kendalltau(X[:, 0], REAL), stats.normaltest(REAL), stats.friedmanchisquare(*X.T)],
        "scipy.summary": lambda: [stats.describe(X), stats.mode(THREE), stats.zscore(REAL), stats.theilslopes(REAL), stats.boxcox(np.abs(REAL) + 1), stats.ecdf(REAL) if hasattr(stats, "ecdf") else None],
        "scipy.density": lambda: {"scott": stats.gaussian_kde(REAL), "weights": stats.gaussian_kde(X.T[:2], weights=np.ones(60))},
        "scipy.sequences": lambda: [stats.qmc.Sobol(2, seed=1), stats.qmc.Halton(2, scramble=False), stats.qmc.LatinHypercube(3, seed=2)],
        "scipy.filters": lambda: {"fir": signal.firwin(9, 0.3), "zpk": signal.ZerosPolesGain([], [-1], 1), "ss": signal.StateSpace([[0]], [[1]], [[1]], [[0]]), "dlti": signal.dlti([1], [1, 0.5], dt=0.1), "psd": signal.welch(STEPS), "win": signal.get_window("hann", 8)},
        "scipy.integrals": lambda: [integrate.quad(np.cos, 0, 1), integrate.solve_ivp(_decay, (0, 1), [1.0]), integrate.cumulative_trapezoid(LINE)],
        "scipy.linear": lambda: {"lu": linalg.lu_factor(np.eye(3)), "chol": linalg.cho_factor(np.eye(3)), "toe": linalg.toeplitz([1, 2])},
        "scipy.sparse-kinds": lambda: [sparse.random(5, 5, 0.4, kind, random_state=0) for kind in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")] + [sparse.csr_matrix((2, 2), dtype="i1"), sparse.diags([1, 2])],
        "scipy.sparse-arrays": lambda: [sparse.csr_array(np.eye(3)), sparse.csc_array(np.eye(2)), sparse.coo_array(np.eye(2))],
        "scipy.trees": lambda: {"kd": spatial.KDTree(points, leafsize=3), "hull": spatial.ConvexHull(points), "vor": spatial.Voronoi(points), "sphere": spatial.SphericalVoronoi(np.eye(3)), "rot": spatial.transform.Rotation.random(2, random_state=1)},
        "scipy.distances": lambda: {"square": spatial.distance.cdist(points, points, "cosine"), "pairs": spatial.distance.pdist(points), "how": spatial.distance.cosine, "slerp": spatial.transform.Slerp([0, 1], spatial.transform.Rotation.identity(2))},
        "scipy.clusters": lambda: {"tree": cluster.hierarchy.to_tree(cluster.hierarchy.linkage(points)), "flat": cluster.hierarchy.fcluster(cluster.hierarchy.linkage(points, "average"), 2, "maxclust"), "vq": cluster.vq.kmeans2(points, 2, seed=1)},
        "python.rows": lambda: [{"id": i, "text": "é☃", "tags": ("a", None), "score": i / 3} for i in range(5)],
        "python.settings": lambda: at("types", "SimpleNamespace")(rate=0.1, layers=[4, 2], name="run"),
        "python.config": lambda: {"deep": {"er": {"list": [1, [2, [3]]], "set": {1, 2}}}, "slice": slice(1, None, 2), "range": range(3), "bytes": bytearray(b"ab"), "complex": 1j, "big": -(1 << 200), "inf": float("inf")},
        "python.containers": lambda: [at("collections", "OrderedDict")(b=1, a=2), at("collections", "Counter")("hello"), at("collections", "defaultdict")(set, {"a": {1}}), at("collections", "deque")(range(3)), at("collections", "ChainMap")({"a": 1}, {"b": 2}), at("collections", "UserDict")(a=1)],
        "python.arrays": lambda: [at("array", "array")("d", [1.0, 2.0]), at("array", "array")("H", [1, 2])],
        "python.times": lambda: [at("datetime", "datetime")(2024, 3, 31, 2, tzinfo=at("zoneinfo", "ZoneInfo")("Europe/Rome")), at("datetime", "timezone")(at("datetime", "timedelta")(hours=2)), at("time", "struct_time")(tuple(range(9)))],
        "python.paths": lambda: {"data": at("pathlib", "PurePosixPath")("a/b"), "net": at("ipaddress", "ip_network")("10.0.0.0/8"), "ip": at("ipaddress", "ip_address")("::1"), "url": "https://example.org/x?y=1"},
        "python.patterns": lambda: {"mail": at("re", "compile")(r"[\w.]+@[\w.]+", 2), "clean": [(at("re", "compile")("<[^>]+>"), ""), (at("re", "compile")(r"\s+"), " ")]},
        "python.functions": lambda: {"len": len, "sum": sum, "max": max, "str": str, "lower": str.lower, "first": at("operator", "itemgetter")(0), "round": at("functools", "partial")(round, ndigits=2), "sqrt": at("math", "sqrt"), "mean": at("statistics", "mean")},
        "python.numbers": lambda: [at("decimal", "Decimal")("NaN"), at("fractions", "Fraction")(-2, 7), at("statistics", "NormalDist")(1, 2), True, 0.1],
        "python.shared": lambda: (lambda part: {"one": part, "two": part, "self": [part]})([1, {"k": "v"}]),
    }  # fmt: skip


def _decay(_: float, y: Any) -> Any:
    return -y


def saved() -> Makers:
    """Files of numpy.save and numpy.savez, some of them with objects."""
    plain: Makers = {
        "float": lambda: X, "labels": lambda: np.array(["cat", "dog"]), "images": lambda: np.zeros((3, 4, 4, 3), "u1"), "half": lambda: X.astype("f2"), "fortran": lambda: np.asfortranarray(X), "times": lambda: np.arange("2024-01", "2024-03", dtype="M8[D]"),
        "records": lambda: np.array([(1, 2.5, "a")], dtype=[("i", "i4"), ("f", "f8"), ("s", "U4")]), "objects": lambda: np.array([{"a": 1}, [1, 2], None, "x"], dtype=object), "ragged": lambda: np.array([X[:2, 0], X[:3, 0]], dtype=object),
        "dictionary": lambda: np.array({"weights": [X, REAL], "epoch": 3}, dtype=object), "results": lambda: np.array({"acc": np.float32(0.9), "matrix": np.eye(2), "names": ["a"]}, dtype=object), "texts": lambda: np.array(["red fox", "dog"], dtype=object),
        "frame": lambda: np.array([frame().head(2)], dtype=object), "dates": lambda: np.array([at("datetime", "date")(2024, 1, 2)], dtype=object), "scalar": lambda: np.float64(3.0), "empty": lambda: np.empty((0, 7)), "flags": lambda: X > 1, "complex": lambda: np.fft.fft(STEPS),
    }  # fmt: skip
    many: Makers = {
        "split": lambda: {"x_train": X[:40], "x_test": X[40:], "y_train": Y[:40]},
        "weights": lambda: {f"layer{i}/kernel": RNG.normal(size=(4, 4)) for i in range(3)},
        "mixed": lambda: {"x": X, "meta": np.array({"unit": "mm"}, dtype=object), "names": np.array(list("abcd"))},
        "sparse": lambda: {"data": X[0], "indices": np.arange(4), "indptr": np.array([0, 4]), "shape": np.array([1, 4]), "format": np.array(b"csr")},
    }  # fmt: skip

    def one(make: Any) -> tuple[str, bytes]:
        stream = io.BytesIO()
        np.save(stream, make(), allow_pickle=True)
        return ".npy", stream.getvalue()

    def several(make: Any, save: Any) -> tuple[str, bytes]:
        stream = io.BytesIO()
        save(stream, **make())
        return ".npz", stream.getvalue()

    out: Makers = {name: lambda make=make: one(make) for name, make in plain.items()}
    for name, make in many.items():
        out[name + "-npz"] = lambda make=make: several(make, np.savez)
        out[name + "-compressed"] = lambda make=make: several(make, np.savez_compressed)
    return out


GROUPS = [("pandas", frames), ("", numbers), ("array", saved)]
