# ruff: noqa: N806, UP031 - the data matrix is called X as in the libraries; Python 3.8 runs it
"""Writes honest model files: what the real libraries of this environment write when people save their models.

    python tests/corpora/honest.py FOLDER NAME [--held]       # NAME: the environment's name in environments.toml

Every file belongs to a family, such as `sklearn.RandomForestClassifier` or `scipy.sparse`. With `--held` the objects of
honest_held.py are written as well, and all files are marked as held out (see environments.toml). Runs in Python 3.8 and
later, with whatever of the libraries is installed; what can't be made is counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import io
import json
import os
import pickle
import pkgutil
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 20
COMPRESSIONS = [0, 3, ("zlib", 6), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)]


class Writer:
    """Writes the files and the manifest."""

    def __init__(self, folder: Path, environment: str, held: bool) -> None:
        self.folder = folder
        self.held = held
        self.environment = environment
        self.manifest = (folder / "manifest.jsonl").open("w", encoding="utf-8")
        self.failed: list[str] = []
        self.count = 0

    def add(self, family: str, variant: str, suffix: str, raw: bytes) -> None:
        """One file."""
        name = f"{self.count:05d}-{family}-{variant}{suffix}".replace("/", "_").replace("<", "")
        (self.folder / name).write_bytes(raw)
        row = {"file": name, "family": family, "environment": self.environment, "held": self.held}
        self.manifest.write(json.dumps(row) + "\n")
        self.manifest.flush()
        self.count += 1

    def dump(self, family: str, variant: str, value: Any, ways: int = 1) -> None:
        """A value by pickle or joblib: protocol and compression follow from the names, so that all of them occur."""
        pick = int.from_bytes(hashlib.sha256((self.environment + family + variant).encode()).digest()[:4], "big")
        for way in range(ways):
            number = pick + way * 5
            try:
                if number % 3 == 0:
                    self.joblib(family, variant, value, number)
                else:
                    protocol = (0, 1, 2, 3, 4, 5, 4, 4)[number // 3 % 8]
                    self.add(family, f"{variant}-p{protocol}", ".pkl", pickle.dumps(value, protocol))
            except Exception as error:  # not everything can be pickled; then there is no file
                self.failed.append("{} {}: {!r}"[:200].format(family, variant, error)[:200])

    def joblib(self, family: str, variant: str, value: Any, number: int) -> None:
        """With one of joblib's compressions."""
        import joblib

        compress = COMPRESSIONS[number // 3 % len(COMPRESSIONS)]
        stream = io.BytesIO()
        joblib.dump(value, stream, compress=compress, protocol=(2, 3, 4, None)[number // 21 % 4])
        label = f"joblib-{compress if isinstance(compress, int) else compress[0]}"
        self.add(family, variant + "-" + label, ".joblib", stream.getvalue())

    def attempt(self, label: str, make: Callable[[], None]) -> None:
        """Run one maker within its time; a failure is noted."""

        def late(*_: Any) -> None:
            raise TimeoutError

        signal.signal(signal.SIGALRM, late)
        signal.alarm(SECONDS)
        try:
            make()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.failed.append(f"{label}: {traceback.format_exception_only(type(error), error)[-1].strip()[:160]}")
        finally:
            signal.alarm(0)


def present(name: str) -> bool:
    """Whether the library can be imported here."""
    try:
        importlib.import_module(name)
    except BaseException:
        return False
    return True


# data ---------------------------------------------------------------------------------------------------


def tables() -> dict[str, tuple[Any, Any]]:
    """Small data sets of the shapes that estimators ask for."""
    import numpy as np

    rng = np.random.RandomState(0)
    X = np.abs(rng.normal(size=(40, 5))) + 0.1
    labels = (X[:, 0] > X[:, 1]).astype(int)
    real = X @ np.arange(5.0) + rng.normal(size=40)
    words = ["red green blue", "green tea", "blue sky", "red car", "sky car", "tea tree", "red red", "tree"] * 5
    out = {
        "labels": (X, labels),
        "real": (X, np.abs(real) + 0.1),
        "multi": (X, np.column_stack([real, real * 2])),
        "multilabel": (X, np.column_stack([labels, 1 - labels])),
        "words": (words, labels),
        "dicts": ([{"a": float(i), "b": str(i % 3)} for i in range(40)], labels),
        "strings": (np.array([["a", "x"], ["b", "y"]] * 20, dtype=object), labels),
        "one": (X[:, 0], real),
        "target": (labels, None),
        "square": (X[:5] @ X[:5].T, labels[:5]),
    }
    if present("pandas"):
        import pandas as pd

        frame = pd.DataFrame(X, columns=list("abcde"))
        frame["kind"] = ["u", "v", "w", "u"] * 10
        out["frame"] = (frame, pd.Series(labels))
        out["numbers"] = (frame.drop(columns="kind"), pd.Series(labels))
        out["texts"] = (frame[["kind"]], pd.Series(labels))
    return out


def fitted(make: Callable[[], Any], data: dict[str, tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """The estimator fitted on the first data sets that it takes; unfitted when it takes none."""
    done = 0
    for name, (X, y) in data.items():
        item = make()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                item.fit(X, y) if y is not None else item.fit(X)
        except TimeoutError:
            raise
        except Exception:
            continue
        yield name, item
        done += 1
        if done == 2:
            return
    if not done:
        yield "unfitted", make()


# the libraries ------------------------------------------------------------------------------------------


def sklearn_estimators(out: Writer) -> None:
    """Every estimator of scikit-learn."""
    from sklearn.utils import all_estimators

    data = tables()
    for name, cls in all_estimators():
        out.attempt(name, lambda name=name, cls=cls: _estimator(out, "sklearn." + name, cls, data))


def _estimator(out: Writer, family: str, cls: type, data: dict[str, tuple[Any, Any]]) -> None:
    for variant, item in fitted(lambda: _construct(cls), data):
        out.dump(family, variant, item)


def _construct(cls: type) -> Any:
    """An instance, with inner estimators where the constructor asks for them."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    classify = "egress" not in cls.__name__ and "Chain" not in cls.__name__
    inner = LogisticRegression() if classify else LinearRegression()
    values: dict[str, Any] = {
        "estimator": inner,
        "base_estimator": inner,
        "estimators": [("a", inner), ("b", type(inner)())],
        "transformers": [("s", "passthrough", [0, 1])],
        "transformer_list": [("s", __import__("sklearn.preprocessing", fromlist=["x"]).StandardScaler())],
        "steps": [("s", __import__("sklearn.preprocessing", fromlist=["x"]).StandardScaler()), ("m", inner)],
        "param_grid": {},
        "param_distributions": {},
        "dictionary": __import__("numpy").eye(5),
        "n_components": 2,
        "n_iter": 1,
    }
    given = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.default is inspect.Parameter.empty and name in values:
            given[name] = values[name]
        elif name in ("n_estimators", "max_iter") and isinstance(parameter.default, int):
            given[name] = min(parameter.default, 10)
    return cls(**given)


def sklearn_compositions(out: Writer) -> None:
    """Pipelines, searches, transformers with functions, kernels, splitters, scorers."""
    import numpy as np
    from sklearn import (
        compose,
        ensemble,
        gaussian_process,
        linear_model,
        metrics,
        model_selection,
        pipeline,
        preprocessing,
        svm,
        tree,
    )
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    X, y = tables()["labels"]
    kernels = gaussian_process.kernels
    scipy_stats = importlib.import_module("scipy.stats")
    values: dict[str, Callable[[], Any]] = {
        "pipeline.scaled": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC()).fit(X, y),
        "pipeline.text": lambda: pipeline.make_pipeline(TfidfVectorizer(), linear_model.LogisticRegression()).fit(
            *tables()["words"]
        ),
        "pipeline.union": lambda: pipeline.make_union(
            preprocessing.MinMaxScaler(), preprocessing.PolynomialFeatures()
        ).fit(X),
        "pipeline.columns": lambda: compose.make_column_transformer(
            (preprocessing.OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough"
        ).fit(tables()["frame"][0]),
        "pipeline.selector": lambda: compose.make_column_transformer(
            (preprocessing.StandardScaler(), compose.make_column_selector(dtype_include=np.number))
        ).fit(tables()["frame"][0]),
        "pipeline.stack": lambda: ensemble.StackingClassifier(
            [("t", tree.DecisionTreeClassifier()), ("l", linear_model.LogisticRegression())]
        ).fit(X, y),
        "search.grid": lambda: model_selection.GridSearchCV(
            svm.SVC(), {"C": [1, 10], "kernel": ["rbf", "linear"]}, cv=2
        ).fit(X, y),
        "search.random": lambda: model_selection.RandomizedSearchCV(
            linear_model.Ridge(), {"alpha": scipy_stats.uniform(0.1, 2)}, n_iter=2, cv=2
        ).fit(X, y),
        "search.loguniform": lambda: model_selection.RandomizedSearchCV(
            linear_model.Ridge(), {"alpha": scipy_stats.loguniform(0.1, 2)}, n_iter=2, cv=2
        ),
        "search.randint": lambda: model_selection.RandomizedSearchCV(
            tree.DecisionTreeClassifier(), {"max_depth": scipy_stats.randint(1, 4)}, n_iter=2, cv=2
        ),
        "search.scorers": lambda: model_selection.GridSearchCV(
            svm.SVC(),
            {"C": [1]},
            cv=2,
            scoring={"a": "accuracy", "f": metrics.make_scorer(metrics.f1_score, average="macro")},
            refit="a",
        ).fit(X, y),
        "search.splitter": lambda: model_selection.GridSearchCV(
            svm.SVC(), {"C": [1]}, cv=model_selection.StratifiedKFold(2, shuffle=True, random_state=0)
        ).fit(X, y),
        "gp.regressor": lambda: gaussian_process.GaussianProcessRegressor(
            kernels.RBF() + kernels.WhiteKernel() * kernels.ConstantKernel(2.0)
        ).fit(X, y),
        "gp.matern": lambda: gaussian_process.GaussianProcessRegressor(
            kernels.Matern() ** 2 + kernels.DotProduct() + kernels.RationalQuadratic() + kernels.ExpSineSquared()
        ).fit(X, y),
        "transform.target": lambda: compose.TransformedTargetRegressor(
            linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1
        ).fit(X, np.abs(X[:, 0])),
        "transform.binarizer": lambda: preprocessing.LabelBinarizer().fit(y),
        "vectorizer.count": lambda: CountVectorizer(ngram_range=(1, 2), stop_words="english").fit(tables()["words"][0]),
        "vectorizer.lower": lambda: CountVectorizer(preprocessor=str.lower, analyzer="char", dtype=np.float32).fit(
            tables()["words"][0]
        ),
        "vectorizer.split": lambda: TfidfVectorizer(tokenizer=str.split, dtype=np.float64).fit(tables()["words"][0]),
        "svm.kernel": lambda: svm.SVC(kernel=metrics.pairwise.laplacian_kernel).fit(X, y),
        "bunch.wine": lambda: importlib.import_module("sklearn.datasets").load_wine(),
        "bunch.iris": lambda: importlib.import_module("sklearn.datasets").load_iris(as_frame=True),
        "neighbors.tree": lambda: importlib.import_module("sklearn.neighbors").KDTree(X),
        "neighbors.ball": lambda: importlib.import_module("sklearn.neighbors").BallTree(
            X, metric="haversine" if X.shape[1] == 2 else "manhattan"
        ),
        "neighbors.metric": lambda: (
            importlib.import_module("sklearn.neighbors")
            .KNeighborsClassifier(metric=metrics.pairwise.cosine_distances)
            .fit(X, y)
        ),
    }
    for function in (
        "log1p",
        "sqrt",
        "abs",
        "exp",
        "cbrt",
        "square",
        "sin",
        "nan_to_num",
        "mean",
        "diff",
        "cumsum",
        "round",
        "tanh",
        "log",
        "clip",
        "transpose",
    ):
        values["function." + function] = lambda function=function: preprocessing.FunctionTransformer(
            getattr(np, function), validate=True
        )
    for scorer in dir(metrics):
        if scorer.endswith(("_score", "_error", "_loss")) and inspect.isfunction(getattr(metrics, scorer)):
            values["scorer." + scorer] = lambda scorer=scorer: metrics.make_scorer(getattr(metrics, scorer))
    for name in dir(model_selection):
        if name.endswith(("Fold", "Split", "Out")) and inspect.isclass(getattr(model_selection, name)):
            values["splitter." + name] = lambda name=name: getattr(model_selection, name)(
                **({"p": 2} if "LeaveP" in name and "Group" not in name else {})
            )
    for kernel in ("additive_chi2", "chi2", "cosine", "linear", "polynomial", "rbf", "sigmoid"):
        values["kernel." + kernel] = lambda kernel=kernel: svm.SVC(
            kernel=getattr(metrics.pairwise, kernel + "_kernel")
        ).fit(X, y)
    for family, make in values.items():
        out.attempt(family, lambda family=family, make=make: out.dump("sklearn-" + family, "", make()))


def generic(out: Writer, package: str) -> None:
    """Every class of a library with a `fit` method that can be constructed without arguments."""
    root = importlib.import_module(package)
    data = tables()
    seen: set[type] = set()
    names = [package]
    for item in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda _: None):
        if (
            ".tests" not in item.name
            and "._" not in item.name
            and "benchmark" not in item.name
            and "testing" not in item.name
        ):
            names.append(item.name)
    for name in names:
        try:
            module = importlib.import_module(name)
        except BaseException:
            continue
        for label, cls in list(vars(module).items()):
            if (
                not inspect.isclass(cls)
                or cls in seen
                or label.startswith("_")
                or not callable(getattr(cls, "fit", None))
            ):
                continue
            if not cls.__module__.startswith(package + "."):
                continue
            seen.add(cls)
            if len(seen) > 260 or inspect.isabstract(cls):
                continue
            family = f"{package}.{cls.__name__}"
            out.attempt(family, lambda family=family, cls=cls: _estimator(out, family, cls, data))


def numpy_values(out: Writer) -> None:
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


def standard_values(out: Writer) -> None:
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


def pandas_values(out: Writer) -> None:
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


def _to_pickle(out: Writer, name: str, value: Any) -> None:
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


def scipy_values(out: Writer) -> None:
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


def boosters(out: Writer) -> None:
    """The gradient boosters, their sklearn wrappers, as people pickle them and in their own formats."""
    X, y = tables()["labels"]
    _, real = tables()["real"]
    V: dict[str, Callable[[], Any]] = {}
    if present("xgboost"):
        import xgboost

        for name, target in (
            ("XGBClassifier", y),
            ("XGBRegressor", real),
            ("XGBRFClassifier", y),
            ("XGBRFRegressor", real),
        ):
            for booster in ("gbtree", "gblinear", "dart") if "RF" not in name else ("gbtree",):
                V["xgboost.%s.%s" % (name, booster)] = lambda name=name, target=target, booster=booster: getattr(
                    xgboost, name
                )(n_estimators=4, booster=booster).fit(X, target)
        V["xgboost.XGBRanker"] = lambda: xgboost.XGBRanker(n_estimators=3).fit(X, y, group=[20, 20])
        V["xgboost.Booster"] = lambda: xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, label=y), 3)
        V["xgboost.stopping"] = lambda: xgboost.XGBClassifier(
            n_estimators=4, early_stopping_rounds=2, eval_metric="logloss"
        ).fit(X, y, eval_set=[(X, y)], verbose=False)
        V["xgboost.metric"] = lambda: xgboost.XGBRegressor(
            n_estimators=4, eval_metric=__import__("sklearn.metrics", fromlist=["x"]).mean_absolute_error
        ).fit(X, real)
    if present("lightgbm"):
        import lightgbm

        small = {"n_estimators": 4, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}
        for name, target in (("LGBMClassifier", y), ("LGBMRegressor", real)):
            for kind in ("gbdt", "dart", "rf"):
                more = {"subsample": 0.5, "subsample_freq": 1} if kind == "rf" else {}
                V["lightgbm.%s.%s" % (name, kind)] = lambda name=name, target=target, kind=kind, more=more: getattr(
                    lightgbm, name
                )(boosting_type=kind, **small, **more).fit(X, target)
        V["lightgbm.LGBMRanker"] = lambda: lightgbm.LGBMRanker(**small).fit(X, y, group=[20, 20])
        V["lightgbm.Booster"] = lambda: lightgbm.train(
            {"verbose": -1, "min_data_in_leaf": 2}, lightgbm.Dataset(X, y), 3
        )
        V["lightgbm.callbacks"] = lambda: lightgbm.LGBMClassifier(**small).fit(
            X, y, eval_set=[(X, y)], callbacks=[lightgbm.early_stopping(2, verbose=False)]
        )
    if present("catboost"):
        import catboost

        small = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
        V["catboost.CatBoostClassifier"] = lambda: catboost.CatBoostClassifier(**small).fit(X, y)
        V["catboost.CatBoostRegressor"] = lambda: catboost.CatBoostRegressor(**small).fit(X, real)
        V["catboost.CatBoost"] = lambda: catboost.CatBoost({**small, "loss_function": "RMSE"}).fit(X, real)
        V["catboost.CatBoostRanker"] = lambda: catboost.CatBoostRanker(**small).fit(X, y, group_id=[0] * 20 + [1] * 20)
        V["catboost.multi"] = lambda: catboost.CatBoostClassifier(loss_function="MultiClass", **small).fit(
            X, [0, 1, 2, 1] * 10
        )
        V["catboost.names"] = lambda: catboost.CatBoostClassifier(cat_features=[5], **small).fit(
            tables()["frame"][0], y
        )
    for name, make in V.items():
        out.attempt(name, lambda name=name, make=make: out.dump(name, "", make(), 3))


def joblib_values(out: Writer) -> None:
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


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10_000)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    random.seed(0)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    out = Writer(folder, sys.argv[2], "--held" in sys.argv)
    sys.path.insert(0, str(Path(__file__).parent))
    from honest_families import FAMILIES

    jobs: list[tuple[str, str, Callable[[Writer], None]]] = [
        ("pickle", "python", standard_values),
        ("numpy", "numpy", numpy_values),
        ("pandas", "pandas", pandas_values),
        ("scipy", "scipy", scipy_values),
        ("joblib", "joblib", joblib_values),
        ("sklearn", "compositions", sklearn_compositions),
        ("sklearn", "estimators", sklearn_estimators),
        ("sklearn", "boosters", boosters),
        *FAMILIES,
    ]
    if "--third" in sys.argv:
        from honest_third import run as run_third

        jobs = [("pickle", "third", run_third)]
    elif "--second" in sys.argv:
        from honest_second import run as run_second

        jobs = [("pickle", "second", run_second)]
    elif out.held:
        from honest_held import run

        jobs.insert(0, ("pickle", "held", run))
    for library, label, job in jobs:
        if not present(library):
            continue
        before = out.count
        try:
            job(out)
        except Exception as error:
            out.failed.append(f"{label}: {error!r}"[:300])
        print(label, out.count - before, file=sys.stderr, flush=True)
    (folder / "failed.txt").write_text("\n".join(out.failed), encoding="utf-8")


if __name__ == "__main__":
    main()
