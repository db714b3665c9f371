# ruff: noqa: E501, E731, UP006, UP035 - makers are short functions; Python 3.8 runs it
"""The seventh held-out set: what the sixth declared and did not write, and the guides' models with other data and options.

    PYTHON tests/corpora/honest_seventh.py FOLDER ENVIRONMENT SECONDS rest|other SIXTH GROUP...

Chosen on 2026-11-23, before any of the files was scanned. `rest`: the kinds of honest_sixth.py of which SIXTH, the
sixth set's folder, holds no file for this environment. `other`: the makers of the sixth set, with data, sizes, dtypes,
classes, texts, nets, hyperparameters, protocols and compressions of this module in place of theirs. Kinds are written in
an order that is drawn (the same for all), until SECONDS have passed in each group; so a limit cuts off no library as a whole.

Left out, as in the sixth set, because the documentation refuses it on purpose: functions by value, numba, pickles of
spaCy, skorch and pygam, R functions. In it, although they are refused on purpose: archives with code (SageMaker's,
TorchServe's with a handler of its own), which are medium or worse by design, and counted apart.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import importlib
import json
import lzma
import os
import pickle
import random
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any, Callable, Dict

import honest_sixth_models as models
import numpy as np

# `other` runs where the sixth set's groups did, in what is at hand; the names are of the sixth set's environments.
OTHER = {
    "tables": ["sixth2", "sixth3", "exports", "fifth1", "fifth3", "pandas3"],
    "nets": ["sixthhub", "torchnew", "fifthtorch2", "exports"],
    "hub": ["sixthhub", "torchnew", "exports"],
    "graphs": ["keras2", "keras30", "keras3"],
}
REST = {
    "graphs": ["keras2", "keras30", "keras3", "exports"],
    "nets": ["exports"],
    "hub": ["torchnew", "exports"],
    "tables": ["exports"],
}
OPTIONS: Dict[str, Dict[str, Any]] = {
    "LogisticRegression": {"C": 0.3, "solver": "newton-cg", "class_weight": "balanced"},
    "RandomForestClassifier": {"criterion": "entropy", "max_features": 0.8, "min_samples_leaf": 2, "oob_score": True},
    "ExtraTreesClassifier": {"max_depth": 4, "class_weight": "balanced", "min_impurity_decrease": 0.001},
    "DecisionTreeClassifier": {"criterion": "entropy", "ccp_alpha": 0.01, "splitter": "random"},
    "KNeighborsClassifier": {"weights": "distance", "algorithm": "ball_tree", "metric": "manhattan"},
    "SVC": {"kernel": "poly", "degree": 2, "class_weight": "balanced"},
    "MLPClassifier": {"activation": "tanh", "solver": "sgd", "learning_rate": "adaptive", "momentum": 0.8},
    "LinearDiscriminantAnalysis": {"solver": "lsqr", "shrinkage": "auto"},
    "GradientBoostingClassifier": {"subsample": 0.7, "n_iter_no_change": 3, "validation_fraction": 0.2},
    "CalibratedClassifierCV": {"method": "isotonic"},
    "IsolationForest": {"contamination": 0.05, "max_samples": 64},
    "RandomForestRegressor": {"max_depth": 5, "bootstrap": True, "max_samples": 0.6},
    "GradientBoostingRegressor": {"loss": "huber", "alpha": 0.8},
    "SGDRegressor": {"loss": "epsilon_insensitive", "penalty": "elasticnet", "average": True},
    "SVR": {"kernel": "sigmoid", "epsilon": 0.2},
    "KMeans": {"algorithm": "elkan", "init": "random", "random_state": 3},
    "PCA": {"svd_solver": "full", "whiten": True},
    "HistGradientBoostingRegressor": {"loss": "absolute_error", "max_leaf_nodes": 7, "monotonic_cst": [1] + [0] * 9},
    "TfidfVectorizer": {"analyzer": "char_wb", "max_features": 200, "dtype": np.float32},
    "CountVectorizer": {"min_df": 2, "binary": True, "token_pattern": r"(?u)\b\w+\b"},
    "SimpleImputer": {"add_indicator": True},
    "OneHotEncoder": {"dtype": np.float32},
    "XGBClassifier": {"booster": "dart", "subsample": 0.8, "eval_metric": "logloss"},
    "XGBRegressor": {"tree_method": "hist", "colsample_bytree": 0.7, "base_score": 100.0},
    "LGBMClassifier": {"boosting_type": "dart", "num_leaves": 5, "min_child_samples": 3},
    "LGBMRegressor": {"subsample": 0.5, "subsample_freq": 1, "reg_alpha": 0.1},
    "CatBoostClassifier": {"depth": 3, "l2_leaf_reg": 5.0, "auto_class_weights": "Balanced"},
    "CatBoostRegressor": {"depth": 4, "bootstrap_type": "Bernoulli", "subsample": 0.8},
    "Word2Vec": {"sg": 1, "negative": 3, "window": 3},
    "Prophet": {"growth": "linear", "yearly_seasonality": False, "changepoint_prior_scale": 0.1},
}
REVIEWS = [
    "Lieferung kam zu spät, Gerät defekt",
    "très bon produit, livraison rapide",
    "再次購買 非常 好",
    "nunca más, pésima calidad",
    "it's OK for $9.99 :-)",
    "Не работает после обновления",
    "10/10 would buy again",
] * 9


def at(place: str) -> Any:
    """As the sixth set's, with other options for the classes of OPTIONS."""
    found = at_first(place)
    more = OPTIONS.get(place.rpartition(".")[2])
    return functools.wraps(found, updated=())(lambda *a, **k: found(*a, **{**more, **k})) if more else found


at_first = models.at


def data(name: str) -> Any:
    """Data of the widths of scikit-learn's, of other types, sizes and classes."""
    draw = np.random.RandomState(len(name) * 7)
    if name == "iris":
        return draw.gamma(2.0, 1.5, (150, 4)).astype("float32"), np.arange(150) % 3
    if name == "wine":
        return draw.randn(210, 13), draw.choice(["rot", "weiß", "rosé", "Sekt"], 210)
    if name == "breast_cancer":
        import pandas as pd

        table = pd.DataFrame(draw.rand(160, 30) * 40, columns=[f"sensor {i} (°C)" for i in range(30)])
        return table, (table.iloc[:, 0] > 20).astype("int64")
    if name == "diabetes":
        rows = draw.randn(130, 10)
        return rows.astype("float32"), 50 + np.abs(rows @ np.arange(10.0) * 9)
    return draw.randint(0, 17, (220, 64)).astype("uint8"), np.arange(220) % 10


def passengers() -> Any:
    """The first lesson's table with other values, types, rows and columns."""
    import pandas as pd

    draw = np.random.RandomState(23)
    return pd.DataFrame(
        {
            "age": np.where(draw.rand(240) < 0.1, np.nan, draw.rand(240) * 99).astype("float32"),
            "fare": draw.gamma(2, 30, 240),
            "sex": draw.choice(["f", "m", "divers"], 240),
            "embarked": draw.choice(["Åbo", "København", "Göteborg", "unknown"], 240),
            "ticket": draw.randint(1, 10**6, 240).astype("int32"),
            "alone": draw.rand(240) < 0.5,
            "survived": draw.randint(0, 2, 240),
        },
        index=[f"P{i:04}" for i in range(240)],
    )


def more_models() -> Dict[str, Callable[[], Any]]:
    """Estimators of guides that the sixth set had not."""
    sk, fit, scaled = models.sk, models.fit, models.scaled
    pipe = lambda *steps: at_first("sklearn.pipeline.make_pipeline")(*steps)
    rows = {
        "iris-bagging": ("ensemble.BaggingClassifier", {"n_estimators": 4, "max_samples": 0.5}),
        "iris-quadratic": ("discriminant_analysis.QuadraticDiscriminantAnalysis", {"reg_param": 0.1}),
        "iris-centroid": ("neighbors.NearestCentroid", {}),
        "iris-mixture": ("mixture.GaussianMixture", {"n_components": 3, "covariance_type": "tied"}),
        "wine-ridge": ("linear_model.RidgeClassifier", {"alpha": 0.5}),
        "wine-perceptron": ("linear_model.Perceptron", {"penalty": "l1"}),
        "wine-nu": ("svm.NuSVC", {"nu": 0.2}),
        "cancer-bernoulli": ("naive_bayes.BernoulliNB", {"binarize": 10.0}),
        "cancer-histogram": ("ensemble.HistGradientBoostingClassifier", {"max_iter": 6}),
        "cancer-sgd": ("linear_model.SGDClassifier", {"loss": "modified_huber"}),
        "cancer-one-class": ("svm.OneClassSVM", {"nu": 0.1}),
        "cancer-outliers": ("neighbors.LocalOutlierFactor", {"novelty": True}),
        "diabetes-elastic": ("linear_model.ElasticNetCV", {"l1_ratio": [0.2, 0.8], "cv": 3}),
        "diabetes-bayes": ("linear_model.BayesianRidge", {}),
        "diabetes-huber": ("linear_model.HuberRegressor", {"max_iter": 300}),
        "diabetes-poisson": ("linear_model.PoissonRegressor", {"max_iter": 300}),
        "diabetes-ransac": ("linear_model.RANSACRegressor", {"random_state": 0}),
        "diabetes-knn": ("neighbors.KNeighborsRegressor", {"weights": "distance"}),
        "diabetes-mlp": ("neural_network.MLPRegressor", {"hidden_layer_sizes": (6,), "max_iter": 30}),
        "diabetes-extra": ("ensemble.ExtraTreesRegressor", {"n_estimators": 5, "max_depth": 4}),
        "diabetes-ada": ("ensemble.AdaBoostRegressor", {"n_estimators": 4, "loss": "square"}),
        "diabetes-kernel": ("kernel_ridge.KernelRidge", {"kernel": "rbf"}),
        "diabetes-pls": ("cross_decomposition.PLSRegression", {"n_components": 3}),
        "digits-nmf": ("decomposition.NMF", {"n_components": 4, "max_iter": 20}),
        "digits-batches": ("cluster.MiniBatchKMeans", {"n_clusters": 5, "n_init": 1}),
        "digits-neighbours": ("neighbors.KNeighborsClassifier", {"n_neighbors": 3, "algorithm": "kd_tree"}),
    }
    sets = {"cancer": "breast_cancer"}
    made: Dict[str, Callable[[], Any]] = {}
    for name, (place, options) in rows.items():
        made[name] = lambda name=name, place=place, options=options: fit(
            at_first("sklearn." + place)(**options), sets.get(name.split("-")[0], name.split("-")[0])
        )
    tree = lambda: sk("tree.DecisionTreeClassifier", max_depth=3)
    made["wine-selected"] = lambda: fit(
        pipe(sk("feature_selection.SelectKBest", k=5), sk("preprocessing.RobustScaler"), sk("naive_bayes.GaussianNB")),
        "wine",
    )
    made["cancer-rfe"] = lambda: fit(
        pipe(sk("feature_selection.RFE", tree(), n_features_to_select=6), tree()), "breast_cancer"
    )
    made["iris-union"] = lambda: fit(
        pipe(
            at_first("sklearn.pipeline.make_union")(sk("decomposition.PCA", 2), sk("preprocessing.QuantileTransformer", n_quantiles=20)),
            tree(),
        )
    )  # fmt: skip
    made["diabetes-polynomial"] = lambda: fit(
        pipe(sk("preprocessing.PolynomialFeatures", 2, include_bias=False), sk("linear_model.Ridge")), "diabetes"
    )
    made["diabetes-vote"] = lambda: fit(
        sk("ensemble.VotingRegressor", [("a", sk("linear_model.Lasso")), ("b", sk("svm.LinearSVR", max_iter=3000))]),
        "diabetes",
    )
    made["wine-rest"] = lambda: scaled(sk("multiclass.OneVsRestClassifier", sk("svm.LinearSVC")), "wine")
    made["digits-power"] = lambda: fit(
        pipe(sk("feature_selection.VarianceThreshold", 0.1), sk("preprocessing.PowerTransformer"), tree()), "digits"
    )
    return made


def _write(opener: Any, name: str, protocol: int) -> Callable[[Path, Any], None]:
    def way(folder: Path, value: Any) -> None:
        with opener(str(folder / name), "wb") as stream:
            pickle.dump(value, stream, protocol=protocol)

    return way


def _joblib(name: str, **more: Any) -> Callable[[Path, Any], None]:
    return lambda folder, value: at_first("joblib.dump")(value, str(folder / name), **more)


WAYS: Dict[str, Callable[[Path, Any], None]] = {
    "p0": _write(open, "model.pickle", 0),
    "p1": _write(open, "clf.pkl", 1),
    "p3": _write(open, "model.pkl", 3),
    "p4": _write(open, "model.p", 4),
    "p5": _write(open, "best_model.pkl", pickle.HIGHEST_PROTOCOL),
    "plain": _joblib("pipeline.joblib"),
    "c9": _joblib("model.jbl", compress=9),
    "zlib": _joblib("model.z", compress=("zlib", 6)),
    "gzip": _joblib("model.pkl.gz", compress=("gzip", 1)),
    "old": _joblib("model.joblib", protocol=2, compress=True),
    "xz": _joblib("model.joblib.xz", compress=("xz", 1)),
    "gz-pickle": _write(gzip.open, "model.pickle.gz", 4),
    "bz2-pickle": _write(bz2.open, "model.bz2", 2),
    "lzma-pickle": _write(lzma.open, "model.xz", 4),
    "cloud": lambda f, v: (f / "model.pkl").write_bytes(at_first("cloudpickle.dumps")(v)),
    "frame-zip": lambda f, v: at_first("pandas.to_pickle")(v, str(f / "model.pkl.zip"), compression="zip"),
    "list": lambda f, v: (f / "models.pkl").write_bytes(pickle.dumps([("v1", v, {"auc": np.float64(0.9)})])),
}


def other_tables() -> models.Kinds:
    """The sixth set's tables, on other data; each model in three of the ways above."""
    tables = importlib.import_module("honest_sixth_tables")
    models.data = tables.data = data
    models.passengers = tables.passengers = passengers
    models.REVIEWS = tables.REVIEWS = REVIEWS
    models.MOODS = np.array(["neg", "pos", "pos", "neg", "neutral", "neg", "pos"] * 9)
    models.at = tables.at = at
    models.sk = tables.sk = lambda name, *args, **more: at("sklearn." + name)(*args, **more)
    first = models.plain
    models.plain = tables.plain = lambda: {**first(), **more_models()}  # type: ignore[assignment]
    made: models.Kinds = {**tables.converted(), **tables.native(), **tables.mlflow()}
    ways = list(WAYS)
    for index, (name, make) in enumerate({**tables.plain(), **tables.others()}.items()):
        for step in (0, 5, 11):
            way = ways[(index + step) % len(ways)]
            made[f"{name}.{way}"] = lambda folder, make=make, way=way: WAYS[way](folder, make())
    for name in ("iris-union", "titanic-forest", "spam-svc"):
        made[f"{name}.sagemaker"] = lambda folder, name=name: tables.WAYS["sagemaker"](
            folder, {**tables.plain(), **tables.others()}[name]()
        )
    made["iris-forest.sagemaker-code"] = lambda folder: tables.WAYS["sagemaker-code"](
        folder, tables.plain()["iris-forest"]()
    )
    return made  # fmt: skip


def other(group: str) -> models.Kinds:
    """The kinds of a group, with what is of this set."""
    found: models.Kinds = other_tables() if group == "tables" else at_first(f"honest_seventh_nets.other_{group}")()
    return found


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    environment, seconds, what, sixth, groups = sys.argv[2], float(sys.argv[3]), sys.argv[4], sys.argv[5], sys.argv[6:]
    root = Path(sys.argv[1]).absolute() / environment
    root.mkdir(parents=True, exist_ok=True)
    counts, failed = {"kinds": 0, "written": 0, "failed": 0, "not begun": 0}, []
    for group in groups:
        kinds = other(group) if what == "other" else importlib.import_module(f"honest_sixth_{group}").kinds()
        if what == "rest":
            done = Path(sixth, environment)
            kinds = {k: v for k, v in kinds.items() if not any(p.is_file() for p in (done / k).rglob("*"))}
        names = sorted(kinds)
        random.Random(7).shuffle(names)
        start = time.monotonic()
        for name in names:
            counts["kinds"] += 1
            if time.monotonic() - start > seconds:
                counts["not begun"] += 1
                continue
            folder = root / (name if what == "rest" else f"{name}.other")
            folder.mkdir()
            try:
                kinds[name](folder)
                counts["written"] += 1
            except BaseException as error:
                counts["failed"] += 1
                place = traceback.extract_tb(error.__traceback__)[-1]
                failed.append(f"{folder.name}: {error!r} {place.filename}:{place.lineno}"[:500])
                for path in [path for path in folder.rglob("*") if path.is_file()]:
                    path.unlink()  # what a writer left that failed is no model
    with (root.parent / f"{environment}.failed.txt").open("a", encoding="utf-8") as log:
        log.write("\n".join(failed) + "\n")
    print(json.dumps({environment: counts, "groups": groups, "what": what}))  # fmt: skip


if __name__ == "__main__":
    main()
