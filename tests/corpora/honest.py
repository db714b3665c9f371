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
        from honest_values import COMPRESSIONS

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
    from honest_torch import FAMILIES as TORCH
    from honest_values import joblib_values, numpy_values, pandas_values, scipy_values, standard_values

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
        *TORCH,
    ]
    if "--fifth" in sys.argv:
        from honest_fifth import run as run_fifth

        jobs = [("pickle", "fifth", run_fifth)]
    elif "--fourth" in sys.argv:
        from honest_fourth import run as run_fourth

        jobs = [("pickle", "fourth", run_fourth)]
    elif "--third" in sys.argv:
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
