# ruff: noqa: N806, UP031 - the data matrix is called X as in the libraries; Python 3.8 runs it
"""Honest values of Python, numpy, pandas, scipy and joblib, as honest.py writes them."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
from collections.abc import Callable
from typing import Any

COMPRESSIONS = [0, 3, ("zlib", 6), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)]


def numpy_values(out: Any) -> None:
    """Scalars, arrays of all kinds, generators, polynomials."""
    import numpy as np

    for code in "?bhilqBHILQefdgFDGSUVMm":
        out.attempt("numpy " + code, lambda code=code: out.dump("numpy.scalar", code, np.zeros(1, code)[0]))
        out.attempt("numpy " + code, lambda code=code: out.dump("numpy.array", code, np.zeros((3, 2), code)))
    values: dict[str, Any] = {
        "object": np.array([1, "a", None, {"k": [1.5]}], dtype=object),
        "structured": np.array([(1, 2.0, "x")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")]),
        "aligned": np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"]}, align=True)),
        "titled": np.zeros(2, np.dtype([(("title", "a"), "i4")])),
        "subarray": np.zeros(2, np.dtype(("f4", (2, 2)))) if hasattr(np, "dtype") else None,
        "nested": np.zeros(2, np.dtype([("p", [("x", "f4"), ("y", "f4")])])),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(5, dtype=">f8"),
        "masked": np.ma.masked_array([1, 2, 3], [0, 1, 0]),
        "mvoid": np.ma.masked_array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "maskedconstant": np.ma.masked,
        "record": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "chararray": np.char.array(["a", "b"]),
        "matrix": np.matrix([[1, 2], [3, 4]]),
        "datetimes": np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
        "zero-d": np.array(5),
        "empty": np.zeros((0, 3)),
        "dtype": [np.dtype(kind) for kind in ("f4", "i8", "U5", "O", "M8[s]", "b1")],
        "types": [np.float32, np.int64, np.bool_, np.str_, np.datetime64, np.ndarray],
        "functions": [np.mean, np.linalg.norm, np.fft.fft, np.add, np.maximum, np.log],
        "more-functions": [
            np.median,
            np.var,
            np.percentile,
            np.argmax,
            np.concatenate,
            np.dot,
            np.multiply,
            np.linalg.inv,
        ],
        "poly1d": np.poly1d([1, 2]),
        "polynomial": np.polynomial.Polynomial([1, 2]),
        "chebyshev": np.polynomial.Chebyshev([1, 2]),
        "hermite": np.polynomial.Hermite([1, 2]),
        "finfo": np.finfo(np.float32),
        "slice": np.s_[1:3, ...],
        "constants": {"pi": np.pi, "nan": np.nan, "inf": np.inf, "newaxis": np.newaxis},
        "randomstate": np.random.RandomState(1),
        "generator": np.random.default_rng(1),
        "seedsequence": np.random.SeedSequence(1),
        "ndindex": np.arange(3).flat.base,
        "errstate": np.errstate(all="ignore"),
    }
    for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        if hasattr(np.random, name):
            values["bits." + name] = getattr(np.random, name)(3)
            values["generator." + name] = np.random.Generator(getattr(np.random, name)(3))
    if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):
        values["stringdtype"] = np.array(["a", "long text " * 5], dtype=np.dtypes.StringDType())
        values["stringdtype-na"] = np.array(["a", None], dtype=np.dtypes.StringDType(na_object=None))
    for name, value in values.items():
        out.attempt(name, lambda name=name, value=value: out.dump("numpy." + name, "", value, 2))
    for name in ("object", "structured", "masked"):
        stream = io.BytesIO()
        np.save(stream, np.asarray(values[name]), allow_pickle=True)
        out.add("numpy.npy", name, ".npy", stream.getvalue())
    for name, save in (("npz", np.savez), ("npzc", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, a=values["fortran"], b=values["big"], c=values["object"])
        out.add("numpy.npz", name, ".npz", stream.getvalue())


def standard_values(out: Any) -> None:
    """What people put beside a model: plain Python values."""
    import array
    import collections
    import datetime
    import decimal
    import fractions
    import functools
    import operator
    import pathlib
    import re
    import types
    import uuid

    values: dict[str, Any] = {
        "plain": {"a": [1, 2.5, None, True, "x", b"y", (1, 2)], "n": 10**40, "c": 1 + 2j},
        "sets": [{1, 2}, frozenset("ab"), set()],
        "ordered": collections.OrderedDict(a=1, b=collections.OrderedDict(c=2)),
        "defaultdict": [
            collections.defaultdict(int, a=1),
            collections.defaultdict(list),
            collections.defaultdict(dict),
        ],
        "counter": collections.Counter("hello"),
        "deque": [collections.deque([1, 2], 5), collections.deque()],
        "chainmap": collections.ChainMap({"a": 1}, {"b": 2}),
        "dates": [
            datetime.datetime(2020, 1, 1),
            datetime.date(2020, 1, 1),
            datetime.timedelta(1),
            datetime.time(1),
            datetime.timezone.utc,  # noqa: UP017 - Python 3.11 has another name for it
            datetime.timezone(datetime.timedelta(hours=2)),
        ],
        "decimals": [decimal.Decimal("1.5"), fractions.Fraction(1, 3)],
        "uuid": uuid.UUID(int=5),
        "path": [pathlib.PurePosixPath("/data/x"), pathlib.PosixPath("model.bin")],
        "regex": re.compile("a+b", re.I),
        "array": [array.array("d", [1.0]), array.array("i", range(5))],
        "ranges": [range(5), slice(1, 2, 3), Ellipsis, NotImplemented],
        "bytearray": bytearray(b"abc"),
        "namespace": types.SimpleNamespace(a=1, b=[2]),
        "partial": [functools.partial(int, base=2), functools.partial(max, 3)],
        "types": [int, str, dict, list, float, type(None), object, bytes, tuple, set, complex, bool],
        "builtins": [len, sum, max, min, abs, sorted, round, zip, any, all],
        "operators": [
            operator.add,
            operator.mul,
            operator.itemgetter(1),
            operator.itemgetter("a", 2),
            operator.attrgetter("x"),
            operator.methodcaller("lower"),
        ],
        "methods": [str.lower, str.strip, str.split],
        "errors": [ValueError("x"), KeyError("k"), RuntimeError("r", 5)],
        "memoryless": [[[[[]]]], {}, (), ""],
        "long": list(range(70000)),
        "strings": ["ünï", "\ud800" if False else "x", "a\nb", "\u2028"],
        "logger": __import__("logging").getLogger("model"),
        "mixed": [{"feature_%d" % i: random.Random(i).random() for i in range(200)}],
    }
    with contextlib.suppress(ImportError):
        import zoneinfo

        values["zone"] = zoneinfo.ZoneInfo("UTC")
    for name, value in values.items():
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with contextlib.suppress(TypeError, pickle.PicklingError):
                out.add("python." + name, "p%d" % protocol, ".pkl", pickle.dumps(value, protocol))


def pandas_values(out: Any) -> None:
    """Frames, series, every kind of index and of extension array."""
    import numpy as np
    import pandas as pd

    dates = pd.date_range("2020-01-01", periods=4)
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"i": range(4), "f": rng.normal(size=4), "s": list("abcd"), "b": [True, False] * 2})
    V: dict[str, Callable[[], Any]] = {
        "frame": lambda: frame,
        "frame.empty": lambda: pd.DataFrame(),
        "frame.mixed": lambda: frame.assign(
            d=dates, t=pd.to_timedelta(range(4), "h"), c=pd.Categorical(list("xyxy")), o=[{}, [], None, 1]
        ),
        "frame.multi": lambda: frame.set_index(["i", "s"]),
        "frame.columns": lambda: pd.DataFrame(
            rng.normal(size=(3, 4)), columns=pd.MultiIndex.from_product([["a", "b"], [1, 2]])
        ),
        "frame.nullable": lambda: frame.convert_dtypes(),
        "frame.sparse": lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
        "frame.attrs": lambda: _attrs(frame.copy()),
        "frame.blocks": lambda: _blocks(frame.copy()),
        "series": lambda: frame["f"],
        "series.string": lambda: pd.Series(["a", None], dtype="string"),
        "series.int": lambda: pd.Series([1, None], dtype="Int64"),
        "series.bool": lambda: pd.Series([True, None], dtype="boolean"),
        "series.float": lambda: pd.Series([1.5, None], dtype="Float64"),
        "series.category": lambda: pd.Series(pd.Categorical(["a", "b"], ordered=True)),
        "series.interval": lambda: pd.cut(pd.Series(range(5)), 2),
        "series.period": lambda: pd.Series(pd.period_range("2020", periods=3, freq="M")),
        "series.tz": lambda: pd.Series(dates.tz_localize("Europe/Berlin")),
        "series.utc": lambda: pd.Series(dates.tz_localize("UTC")),
        "index.range": lambda: pd.RangeIndex(5, name="r"),
        "index.int": lambda: pd.Index([1, 2, 3]),
        "index.float": lambda: pd.Index([1.5, 2]),
        "index.object": lambda: pd.Index(["a", 1, None]),
        "index.dates": lambda: dates,
        "index.tz": lambda: dates.tz_localize("US/Eastern"),
        "index.timedelta": lambda: pd.timedelta_range("1h", periods=3),
        "index.period": lambda: pd.period_range("2020", periods=3, freq="Q"),
        "index.category": lambda: pd.CategoricalIndex(["a", "b"]),
        "index.interval": lambda: pd.interval_range(0, 5),
        "index.multi": lambda: pd.MultiIndex.from_product([["a"], [1, 2]], names=["x", None]),
        "scalar.timestamp": lambda: [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01", tz="UTC"), pd.NaT],
        "scalar.timedelta": lambda: pd.Timedelta("1h"),
        "scalar.period": lambda: pd.Period("2020-01", freq="M"),
        "scalar.interval": lambda: pd.Interval(0, 1),
        "scalar.na": lambda: [pd.NA, {"x": pd.NA}],
        "dtypes": lambda: [
            pd.CategoricalDtype(["a"]),
            pd.Int64Dtype(),
            pd.StringDtype(),
            pd.BooleanDtype(),
            pd.DatetimeTZDtype(tz="UTC"),
            pd.PeriodDtype("M"),
            pd.IntervalDtype("int64"),
            pd.SparseDtype(float),
        ],
        "offsets": lambda: [
            pd.offsets.MonthEnd(),
            pd.offsets.BDay(2),
            pd.offsets.Hour(),
            pd.offsets.Week(weekday=1),
            pd.offsets.DateOffset(months=1),
            pd.offsets.QuarterEnd(),
            pd.offsets.YearBegin(),
        ],
        "offset.holidays": lambda: [pd.offsets.CustomBusinessDay(holidays=["2020-01-01"]), pd.offsets.BusinessHour()],
        "arrays": lambda: [
            pd.array([1, None]),
            pd.array(["a"]),
            pd.arrays.IntervalArray.from_breaks([0, 1]),
            pd.arrays.DatetimeArray._from_sequence(dates)
            if hasattr(pd.arrays.DatetimeArray, "_from_sequence")
            else None,
        ],
        "categorical": lambda: pd.Categorical(["a", "b", None]),
        "arrow.string": lambda: pd.Series(["a", None], dtype="string[pyarrow]"),
        "arrow.int": lambda: pd.Series([1, 2], dtype="int64[pyarrow]"),
        "arrow.frame": lambda: frame.convert_dtypes(dtype_backend="pyarrow"),
        "groups": lambda: frame.groupby("b").sum(),
        "described": lambda: frame.describe(),
        "pivot": lambda: frame.pivot_table(index="b", values="f"),
        "dict": lambda: {"train": frame, "columns": frame.columns, "dtypes": frame.dtypes},
        "flags": lambda: frame.set_flags(allows_duplicate_labels=False),
        "grouper": lambda: pd.Grouper(key="a", freq="D"),
        "slices": lambda: frame.iloc[1:3, :2],
        "transposed": lambda: frame[["i", "f"]].T,
        "resampled": lambda: pd.Series(range(4), index=dates).resample("2D").mean(),
    }
    for name, make in V.items():
        out.attempt(name, lambda name=name, make=make: out.dump("pandas." + name, "", make(), 3))
        out.attempt(name, lambda name=name, make=make: _to_pickle(out, name, make()))


def _to_pickle(out: Any, name: str, value: Any) -> None:
    import tempfile

    if hasattr(value, "to_pickle"):
        for suffix in ("", ".gz", ".xz") if name == "frame" else ("",):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "x.pkl" + suffix)
                value.to_pickle(path)
                with open(path, "rb") as stream:
                    out.add("pandas." + name, "to_pickle", ".pkl" + suffix, stream.read())


def _attrs(frame: Any) -> Any:
    frame.attrs["note"] = "x"
    return frame


def _blocks(frame: Any) -> Any:
    for number in range(6):
        frame["n%d" % number] = float(number)
    return frame


def scipy_values(out: Any) -> None:
    """Sparse matrices, distributions, splines, trees, results."""
    import numpy as np
    from scipy import fft, interpolate, ndimage, optimize, signal, sparse, spatial, stats

    rng = np.random.RandomState(0)
    x = np.linspace(0, 1, 12)
    y = np.sin(x)
    points = rng.normal(size=(20, 2))
    V: dict[str, Callable[[], Any]] = {}
    for kind in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok"):
        V["sparse." + kind] = lambda kind=kind: getattr(sparse, kind + "_matrix")(np.eye(4))
        V["sparse.array." + kind] = lambda kind=kind: getattr(sparse, kind + "_array")(np.eye(4))
    V["sparse.operator"] = lambda: sparse.linalg.aslinearoperator(np.eye(3))
    for name in sorted(dir(stats)):
        item = getattr(stats, name)
        if isinstance(item, (stats.rv_continuous, stats.rv_discrete)):
            V["stats." + name] = lambda item=item: item
    for name, arguments in (
        ("norm", (0, 1)),
        ("gamma", (2,)),
        ("beta", (1, 2)),
        ("t", (5,)),
        ("lognorm", (1,)),
        ("expon", ()),
        ("uniform", (0, 2)),
        ("weibull_min", (1.5,)),
        ("poisson", (3,)),
        ("binom", (5, 0.5)),
        ("randint", (1, 5)),
        ("geom", (0.3,)),
        ("loguniform", (1, 10)),
        ("truncnorm", (-1, 1)),
    ):
        V["stats.frozen." + name] = lambda name=name, arguments=arguments: getattr(stats, name)(*arguments)
    V.update(
        {
            "stats.kde": lambda: stats.gaussian_kde(rng.normal(size=30)),
            "stats.histogram": lambda: stats.rv_histogram(np.histogram(rng.normal(size=30), bins=5)),
            "stats.multivariate": lambda: stats.multivariate_normal([0, 0], np.eye(2)),
            "stats.dirichlet": lambda: stats.dirichlet([1.0, 2.0]),
            "stats.wishart": lambda: stats.wishart(3, np.eye(2)),
            "stats.custom": lambda: stats.rv_discrete(values=([1, 2], [0.5, 0.5])),
            "stats.ttest": lambda: stats.ttest_ind(x, y),
            "stats.linregress": lambda: stats.linregress(x, y),
            "stats.spearman": lambda: stats.spearmanr(x, y),
            "stats.shapiro": lambda: stats.shapiro(y),
            "stats.anova": lambda: stats.f_oneway(x, y),
            "stats.describe": lambda: stats.describe(y),
            "stats.ks": lambda: stats.kstest(y, "norm"),
            "stats.ecdf": lambda: stats.ecdf(y),
            "interpolate.interp1d": lambda: interpolate.interp1d(x, y),
            "interpolate.cubic": lambda: interpolate.interp1d(x, y, kind="cubic"),
            "interpolate.univariate": lambda: interpolate.UnivariateSpline(x, y),
            "interpolate.exact": lambda: interpolate.InterpolatedUnivariateSpline(x, y),
            "interpolate.spline": lambda: interpolate.CubicSpline(x, y),
            "interpolate.akima": lambda: interpolate.Akima1DInterpolator(x, y),
            "interpolate.pchip": lambda: interpolate.PchipInterpolator(x, y),
            "interpolate.bspline": lambda: interpolate.make_interp_spline(x, y),
            "interpolate.ppoly": lambda: interpolate.PPoly(np.ones((2, 3)), np.arange(4.0)),
            "interpolate.bpoly": lambda: interpolate.BPoly(np.ones((2, 3)), np.arange(4.0)),
            "interpolate.rbf": lambda: interpolate.RBFInterpolator(points, points[:, 0]),
            "interpolate.oldrbf": lambda: interpolate.Rbf(points[:, 0], points[:, 1], points[:, 0]),
            "interpolate.grid": lambda: interpolate.RegularGridInterpolator((x, x), np.outer(y, y)),
            "interpolate.rect": lambda: interpolate.RectBivariateSpline(x, x, np.outer(y, y)),
            "interpolate.linear": lambda: interpolate.LinearNDInterpolator(points, points[:, 0]),
            "interpolate.nearest": lambda: interpolate.NearestNDInterpolator(points, points[:, 0]),
            "interpolate.clough": lambda: interpolate.CloughTocher2DInterpolator(points, points[:, 0]),
            "interpolate.krogh": lambda: interpolate.KroghInterpolator(x, y),
            "interpolate.bary": lambda: interpolate.BarycentricInterpolator(x, y),
            "spatial.kdtree": lambda: spatial.KDTree(points),
            "spatial.ckdtree": lambda: spatial.cKDTree(points),
            "spatial.delaunay": lambda: spatial.Delaunay(points),
            "spatial.hull": lambda: spatial.ConvexHull(points),
            "spatial.voronoi": lambda: spatial.Voronoi(points),
            "spatial.rotation": lambda: spatial.transform.Rotation.from_euler("z", 30, degrees=True),
            "spatial.slerp": lambda: spatial.transform.Slerp(
                [0, 1], spatial.transform.Rotation.random(2, random_state=0)
            ),
            "spatial.distance": lambda: [spatial.distance.euclidean, spatial.distance.cosine],
            "optimize.minimize": lambda: optimize.minimize(_square, [1.0]),
            "optimize.root": lambda: optimize.root(_square, [1.0]),
            "optimize.least": lambda: optimize.least_squares(_square, [1.0]),
            "optimize.linprog": lambda: optimize.linprog([1, 1], A_ub=[[-1, -1]], b_ub=[-1]),
            "optimize.bounds": lambda: [optimize.Bounds([0], [1]), optimize.LinearConstraint(np.eye(1), 0, 1)],
            "signal.lti": lambda: signal.lti([1.0], [1.0, 2.0]),
            "signal.dlti": lambda: signal.dlti([1.0], [1.0, 2.0], dt=0.1),
            "signal.states": lambda: signal.StateSpace(np.eye(2), np.ones((2, 1)), np.ones((1, 2)), np.zeros((1, 1))),
            "signal.zpk": lambda: signal.ZerosPolesGain([1.0], [2.0], 3.0),
            "signal.sos": lambda: signal.butter(4, 0.2, output="sos"),
            "integrate.ode": lambda: __import__("scipy.integrate", fromlist=["x"]).solve_ivp(_slope, (0, 1), [1.0]),
            "integrate.dense": lambda: __import__("scipy.integrate", fromlist=["x"]).solve_ivp(
                _slope, (0, 1), [1.0], dense_output=True
            ),
            "functions": lambda: [
                stats.norm.pdf if False else stats.zscore,
                ndimage.gaussian_filter,
                fft.fft,
                signal.medfilt,
            ],
            "special": lambda: [
                __import__("scipy.special", fromlist=["x"]).expit,
                __import__("scipy.special", fromlist=["x"]).logit,
            ],
            "cluster": lambda: __import__("scipy.cluster.hierarchy", fromlist=["x"]).to_tree(
                __import__("scipy.cluster.hierarchy", fromlist=["x"]).linkage(points)
            ),
            "odr": lambda: __import__("scipy.odr", fromlist=["x"]).Data(x, y),
        }
    )
    for name, make in V.items():
        out.attempt(name, lambda name=name, make=make: out.dump("scipy." + name, "", make()))


def _square(x: Any) -> Any:
    return (x[0] - 1) ** 2


def _slope(_t: float, y: Any) -> Any:
    return -y


def joblib_values(out: Any) -> None:
    """All of joblib's compressions and protocols."""
    import joblib
    import numpy as np

    value = {
        "a": np.arange(300.0),
        "b": np.arange(6, dtype=">i2").reshape(2, 3),
        "o": np.array(["x", None], dtype=object),
        "f": np.asfortranarray(np.eye(3)),
        "e": np.zeros((0, 2)),
        "m": np.ma.masked_array([1, 2], [0, 1]),
    }
    for compress in [*COMPRESSIONS, 1, 9, ("lz4", 3)]:
        for protocol in (2, 3, 4, 5, None):
            stream = io.BytesIO()
            try:
                joblib.dump(value, stream, compress=compress, protocol=protocol)
            except Exception as error:
                out.failed.append(f"joblib {compress} {protocol}: {error!r}"[:160])
                continue
            out.add(
                "joblib.%s" % (compress if isinstance(compress, int) else compress[0]),
                "p%s" % protocol,
                ".joblib",
                stream.getvalue(),
            )
