"""The held-out part of the honest corpus: objects that honest.py and honest_families.py do not write.

Chosen on 2026-11-23 from the libraries' own documentation, before any of these files existed; only the environments
that are held out write them, and they are scanned once, after the table is frozen. See `honest.py`.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

Makers = dict[str, Callable[[], Any]]
RNG = np.random.RandomState(7)
X = np.abs(RNG.normal(size=(60, 4))) + 0.1
Y = (X[:, 0] + X[:, 1] > X[:, 2] + X[:, 3]).astype(int)
REAL = X @ np.array([1.0, -2.0, 0.5, 3.0]) + RNG.normal(size=60)
THREE = np.arange(60) % 3
STEPS = np.cumsum(RNG.normal(size=80)) + 50
TEXTS = ["the red fox", "a lazy dog", "quick brown fox", "red red dog", "the quick dog", "brown tea"] * 10


def at(module: str, name: str) -> Any:
    """`module.name`, imported when it is needed."""
    return getattr(importlib.import_module(module), name)


def sk(name: str, *args: Any, **more: Any) -> Any:
    """An object of `sklearn.<module>.<Class>`."""
    module, _, label = name.rpartition(".")
    return at("sklearn." + module, label)(*args, **more)


def frame() -> Any:
    """A table with numbers, labels and dates."""
    import pandas as pd

    table = pd.DataFrame(X, columns=["age", "income", "debt", "score"])
    table["city"] = ["Rome", "Oslo", "Lima"] * 20
    table["day"] = pd.date_range("2024-02-27", periods=60)
    return table


def sklearn_held() -> Makers:
    """Nested compositions, semi-supervised and multi-output models, what evaluations return."""
    logit: Callable[[], Any] = lambda: sk("linear_model.LogisticRegression", C=0.5)  # noqa: E731
    pipe = at("sklearn.pipeline", "Pipeline")
    columns = at("sklearn.compose", "ColumnTransformer")
    union = at("sklearn.pipeline", "FeatureUnion")
    selection, metrics = importlib.import_module("sklearn.model_selection"), importlib.import_module("sklearn.metrics")
    importlib.import_module("sklearn.experimental.enable_iterative_imputer")
    importlib.import_module("sklearn.experimental.enable_halving_search_cv")
    numbers = [
        ("impute", sk("impute.KNNImputer", n_neighbors=2)),
        ("bins", sk("preprocessing.KBinsDiscretizer", 3, encode="onehot-dense")),
    ]
    table: Callable[[], Any] = lambda: columns(  # noqa: E731
        [("n", pipe(numbers), ["age", "debt"]), ("c", sk("preprocessing.OrdinalEncoder"), ["city"])], remainder="drop"
    )
    missing = X.copy()
    missing[::7, 1] = np.nan
    values: Makers = {
        "nested": lambda: pipe([("t", table()), ("m", sk("ensemble.HistGradientBoostingClassifier", max_iter=5))]).fit(
            frame(), Y
        ),
        "union": lambda: pipe(
            [
                ("u", union([("p", sk("decomposition.PCA", 2)), ("k", sk("feature_selection.SelectKBest", k=2))])),
                ("m", sk("svm.LinearSVC")),
            ]
        ).fit(X, Y),
        "select-from": lambda: sk("feature_selection.SelectFromModel", sk("ensemble.ExtraTreesClassifier", 5)).fit(
            X, Y
        ),
        "rfe": lambda: sk("feature_selection.RFECV", logit(), cv=2).fit(X, Y),
        "mutual": lambda: sk(
            "feature_selection.SelectPercentile",
            importlib.import_module("sklearn.feature_selection").mutual_info_classif,
        ).fit(X, Y),
        "chi2": lambda: sk(
            "feature_selection.SelectKBest", importlib.import_module("sklearn.feature_selection").chi2, k=2
        ).fit(X, Y),
        "halving": lambda: selection.HalvingGridSearchCV(logit(), {"C": [0.1, 1]}, cv=2).fit(X, Y),
        "nested-search": lambda: selection.GridSearchCV(
            pipe([("s", sk("preprocessing.RobustScaler")), ("m", sk("neighbors.KNeighborsClassifier"))]),
            {"m__weights": ["uniform", "distance"], "s": [None, sk("preprocessing.MaxAbsScaler")]},
            cv=selection.RepeatedStratifiedKFold(n_splits=2, n_repeats=1),
        ).fit(X, Y),
        "cross-validate": lambda: selection.cross_validate(logit(), X, Y, cv=2, return_estimator=True),
        "learning-curve": lambda: selection.learning_curve(logit(), X, Y, cv=2, train_sizes=[0.5, 1.0]),
        "permutation": lambda: at("sklearn.inspection", "permutation_importance")(logit().fit(X, Y), X, Y),
        "partial-dependence": lambda: at("sklearn.inspection", "partial_dependence")(logit().fit(X, Y), X, [0]),
        "roc": lambda: {"roc": metrics.roc_curve(Y, X[:, 0]), "matrix": metrics.confusion_matrix(Y, 1 - Y)},
        "report": lambda: metrics.classification_report(Y, Y, output_dict=True),
        "calibrated": lambda: sk("calibration.CalibratedClassifierCV", logit(), cv=2, method="isotonic").fit(X, Y),
        "chain": lambda: sk("multioutput.ClassifierChain", logit()).fit(X, np.c_[Y, X[:, 1] > 1].astype(int)),
        "multi-output": lambda: sk(
            "multioutput.MultiOutputRegressor", sk("ensemble.GradientBoostingRegressor", n_estimators=4)
        ).fit(X, np.c_[REAL, REAL]),
        "one-vs-one": lambda: sk("multiclass.OneVsOneClassifier", logit()).fit(X, THREE),
        "output-code": lambda: sk("multiclass.OutputCodeClassifier", logit()).fit(X, THREE),
        "self-training": lambda: sk("semi_supervised.SelfTrainingClassifier", logit()).fit(
            X, np.where(np.arange(60) % 4, Y, -1)
        ),
        "spreading": lambda: sk("semi_supervised.LabelSpreading").fit(X, np.where(np.arange(60) % 4, Y, -1)),
        "iterative": lambda: sk("impute.IterativeImputer", sk("linear_model.BayesianRidge"), max_iter=2).fit(missing),
        "indicator": lambda: sk("impute.SimpleImputer", add_indicator=True, strategy="median").fit(missing),
        "stack": lambda: sk(
            "ensemble.StackingRegressor",
            [("r", sk("linear_model.RidgeCV")), ("h", sk("linear_model.HuberRegressor"))],
            final_estimator=sk("ensemble.RandomForestRegressor", 4),
        ).fit(X, REAL),
        "vote": lambda: sk(
            "ensemble.VotingClassifier", [("a", logit()), ("b", sk("naive_bayes.GaussianNB"))], voting="soft"
        ).fit(X, Y),
        "bag": lambda: sk("ensemble.BaggingRegressor", sk("svm.SVR"), n_estimators=2).fit(X, REAL),
        "boost": lambda: sk("ensemble.AdaBoostRegressor", sk("tree.DecisionTreeRegressor"), n_estimators=3).fit(
            X, REAL
        ),
        "gp-classifier": lambda: sk(
            "gaussian_process.GaussianProcessClassifier", 1.0 * sk("gaussian_process.kernels.RBF", [1.0, 1, 1, 1])
        ).fit(X, THREE),
        "gp-compound": lambda: sk("gaussian_process.kernels.CompoundKernel", [sk("gaussian_process.kernels.RBF")]),
        "gp-pairwise": lambda: sk("gaussian_process.kernels.PairwiseKernel", metric="laplacian"),
        "quantile-target": lambda: sk(
            "compose.TransformedTargetRegressor",
            sk("linear_model.ElasticNet"),
            transformer=sk("preprocessing.QuantileTransformer", n_quantiles=10, output_distribution="normal"),
        ).fit(X, REAL),
        "two-functions": lambda: sk("preprocessing.FunctionTransformer", np.log1p, np.expm1, check_inverse=False).fit(
            X
        ),
        "splines": lambda: sk("preprocessing.SplineTransformer", n_knots=3).fit(X),
        "nystroem": lambda: pipe([("n", sk("kernel_approximation.Nystroem", n_components=5)), ("m", logit())]).fit(
            X, Y
        ),
        "kernel-ridge": lambda: sk("kernel_ridge.KernelRidge", kernel="laplacian").fit(X, REAL),
        "callable-kernel": lambda: sk("kernel_ridge.KernelRidge", kernel=np.vdot),
        "hashing": lambda: pipe(
            [
                ("h", sk("feature_extraction.text.HashingVectorizer", n_features=16)),
                ("m", sk("linear_model.SGDClassifier")),
            ]
        ).fit(TEXTS, Y),
        "topics": lambda: pipe(
            [
                ("c", sk("feature_extraction.text.CountVectorizer", min_df=2, stop_words=["the", "a"])),
                ("l", sk("decomposition.LatentDirichletAllocation", 2, max_iter=2)),
            ]
        ).fit(TEXTS),
        "tfidf-words": lambda: sk(
            "feature_extraction.text.TfidfVectorizer", analyzer="char_wb", ngram_range=(2, 3), sublinear_tf=True
        ).fit(TEXTS),
        "hashed-features": lambda: sk("feature_extraction.FeatureHasher", n_features=8),
        "partial-sgd": lambda: sk("linear_model.SGDClassifier", loss="modified_huber").partial_fit(X, Y, [0, 1]),
        "partial-mlp": lambda: sk("neural_network.MLPClassifier", (4, 3), solver="sgd").partial_fit(X, Y, [0, 1]),
        "gmm": lambda: sk("mixture.GaussianMixture", 2, covariance_type="tied", warm_start=True).fit(X),
        "kde": lambda: sk("neighbors.KernelDensity", kernel="epanechnikov").fit(X),
        "neighbors-graph": lambda: sk("neighbors.NearestNeighbors", metric="minkowski", p=3).fit(X),
        "lof": lambda: sk("neighbors.LocalOutlierFactor", novelty=True).fit(X),
        "agglomerate": lambda: sk("cluster.FeatureAgglomeration", 2).fit(X),
        "bisect": lambda: sk("cluster.MiniBatchKMeans", 3, n_init=1, random_state=np.random.RandomState(3)).fit(X),
        "biclusters": lambda: sk("cluster.SpectralCoclustering", 2).fit(X),
        "dummies": lambda: [sk("dummy.DummyClassifier").fit(X, Y), sk("dummy.DummyRegressor", strategy="median")],
        "isotonic": lambda: sk("isotonic.IsotonicRegression", out_of_bounds="clip").fit(X[:, 0], REAL),
        "scoring": lambda: [metrics.make_scorer(metrics.fbeta_score, beta=2), metrics.get_scorer("neg_log_loss")],
        "parameters": lambda: [
            selection.ParameterGrid({"a": [1, 2]}),
            selection.ParameterSampler({"a": at("scipy.stats", "expon")(scale=3)}, 2),
        ],
        "split-test": lambda: selection.train_test_split(frame(), Y, test_size=0.2),
        "predefined": lambda: selection.PredefinedSplit(THREE - 1),
        "polars-output": lambda: (
            pipe([("s", sk("preprocessing.StandardScaler"))])
            .set_output(transform="pandas")
            .fit(frame()[["age", "debt"]])
        ),
        "target-encoder": lambda: sk("preprocessing.TargetEncoder").fit(frame()[["city"]], Y),
        "thresholded": lambda: selection.TunedThresholdClassifierCV(logit(), cv=2).fit(X, Y),
        "frozen": lambda: sk("frozen.FrozenEstimator", logit().fit(X, Y)),
        "sample-weight": lambda: sk("linear_model.PoissonRegressor").fit(X, np.abs(REAL), sample_weight=np.ones(60)),
        "monotone": lambda: sk("ensemble.HistGradientBoostingRegressor", max_iter=3, monotonic_cst=[1, 0, 0, -1]).fit(
            X, REAL
        ),
        "categories": lambda: sk(
            "ensemble.HistGradientBoostingRegressor",
            max_iter=3,
            categorical_features=[0],
            loss="quantile",
            quantile=0.3,
        ).fit(np.c_[THREE, X], REAL),
        "absolute-forest": lambda: sk("ensemble.RandomForestRegressor", 3, criterion="absolute_error").fit(X, REAL),
        "isolation": lambda: pipe([("i", sk("ensemble.IsolationForest", n_estimators=3))]).fit(X),
    }
    if importlib.util.find_spec("imblearn"):
        imbalanced = at("imblearn.pipeline", "Pipeline")
        values["imblearn"] = lambda: imbalanced(
            [("s", at("imblearn.over_sampling", "SMOTENC")([0])), ("m", logit())]
        ).fit(np.c_[THREE, X], Y)
        values["imblearn-boost"] = lambda: at("imblearn.ensemble", "RUSBoostClassifier")(n_estimators=3).fit(X, Y)
    if importlib.util.find_spec("category_encoders"):
        values["encoders"] = lambda: pipe(
            [("e", at("category_encoders", "LeaveOneOutEncoder")(cols=["city"])), ("m", logit())]
        ).fit(frame().drop(columns="day"), Y)
        values["wrapped"] = lambda: at("category_encoders.wrapper", "NestedCVWrapper")(
            at("category_encoders", "CatBoostEncoder")(cols=["city"]), cv=2
        ).fit(frame().drop(columns="day"), Y)
    return values


def tables_held() -> Makers:
    """Frames as analyses leave them, and xarray's, polars' and pyarrow's."""
    import pandas as pd

    table = frame()
    groups = table.groupby("city")
    values: Makers = {
        "crosstab": lambda: pd.crosstab(table["city"], table["age"] > 1, normalize="index"),
        "dummies": lambda: pd.get_dummies(table, columns=["city"]),
        "aggregated": lambda: groups.agg({"age": ["mean", "std"], "debt": "max"}),
        "groupby": lambda: groups,
        "rolling": lambda: table["age"].rolling(3),
        "ewm": lambda: table[["age"]].ewm(span=3).mean(),
        "melted": lambda: table.melt("city", ["age", "debt"]),
        "stacked": lambda: table.set_index(["city", "day"])[["age", "debt"]].stack(),
        "cut": lambda: pd.cut(table["age"], [0, 1, 2, 9], labels=["low", "mid", "high"]),
        "quantiles": lambda: pd.qcut(table["age"], 4),
        "corr": lambda: table[["age", "debt", "score"]].corr(),
        "shifted": lambda: table.set_index("day").shift(freq="D"),
        "tz": lambda: table.set_index("day").tz_localize("Asia/Tokyo"),
        "fixed-offset": lambda: pd.Timestamp("2024-05-05T10:00:00+05:30"),
        "dateutil": lambda: pd.Timestamp("2024-05-05", tz="dateutil/Europe/Rome"),
        "anchored": lambda: pd.period_range("2024Q1", periods=3, freq="Q-NOV"),
        "weeks": lambda: pd.date_range("2024-01-01", periods=4, freq="W-WED"),
        "business": lambda: pd.bdate_range("2024-01-01", periods=4, freq="C", holidays=["2024-01-02"]),
        "month-offsets": lambda: [
            pd.offsets.BMonthEnd(),
            pd.offsets.SemiMonthBegin(),
            pd.offsets.FY5253(),
            pd.offsets.Easter(),
        ],
        "micro": lambda: [pd.offsets.Micro(5), pd.offsets.LastWeekOfMonth(weekday=2), pd.offsets.BYearEnd()],
        "calendar": lambda: at("pandas.tseries.holiday", "USFederalHolidayCalendar")(),
        "to-offset": lambda: pd.tseries.frequencies.to_offset("90min"),
        "ordered": lambda: table["city"].astype(pd.CategoricalDtype(["Lima", "Oslo", "Rome"], ordered=True)),
        "masked": lambda: table["age"].where(table["age"] > 1).astype("Float32"),
        "small": lambda: pd.array([1, 2, None], dtype="UInt8"),
        "sparse": lambda: pd.Series(pd.arrays.SparseArray([1, 1, 0], fill_value=1)),
        "intervals": lambda: pd.IntervalIndex.from_tuples([(0, 1), (2, 3)], closed="left"),
        "time-index": lambda: pd.Index([pd.Timedelta(3, "s"), pd.NaT]),
        "object-columns": lambda: pd.DataFrame({("a", 1): [1], ("a", 2): ["x"]}),
        "duplicate-columns": lambda: pd.DataFrame([[1, 2.0]], columns=["x", "x"]),
        "complex": lambda: pd.Series([1 + 2j]),
        "bytes": lambda: pd.Series([b"a", b"b"]),
        "big-int": lambda: pd.Series([10**30, 1]),
        "described": lambda: table.describe(include="all"),
        "normal": lambda: pd.json_normalize([{"a": {"b": 1}}, {"a": {"b": 2, "c": [1]}}]),
        "records": lambda: table.head().to_dict("records"),
        "rec-array": lambda: table[["age", "debt"]].to_records(),
        "flags": lambda: table.flags,
        "options": lambda: pd.options.display.max_rows,
    }
    if importlib.util.find_spec("pyarrow"):
        import pyarrow as pa

        values["arrow.table"] = lambda: pa.table({"a": [1, None], "s": ["x", "y"]})
        values["arrow.list"] = lambda: pd.Series([[1], [2, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
        values["arrow.decimal"] = lambda: pd.Series([1, 2], dtype=pd.ArrowDtype(pa.decimal128(5, 2)))
        values["arrow.schema"] = lambda: pa.schema([("a", pa.int8()), ("d", pa.date32())])
    if importlib.util.find_spec("xarray"):
        import xarray as xr

        values["xarray.array"] = lambda: xr.DataArray(X, dims=("i", "j"), coords={"j": list("abcd")}, name="m")
        values["xarray.dataset"] = lambda: xr.Dataset({"m": (("i",), X[:, 0])}, {"i": np.arange(60)}, {"unit": "K"})
        values["xarray.dates"] = lambda: frame().set_index("day")[["age"]].to_xarray()
    if importlib.util.find_spec("polars"):
        import polars as pl

        values["polars.frame"] = lambda: pl.DataFrame({"a": [1, 2], "s": ["x", None]})
        values["polars.series"] = lambda: pl.Series("a", [1.5, None])
        values["polars.lazy"] = lambda: pl.DataFrame({"a": [1, 2]}).lazy().filter(pl.col("a") > 1)
    return values


def scipy_held() -> Makers:
    """Designs, transforms, constraints, geometry, frozen multivariate distributions."""
    from scipy import interpolate, ndimage, optimize, signal, sparse, spatial, stats

    line = np.linspace(0, 3, 20)
    return {
        "sobol": lambda: stats.qmc.Sobol(2, seed=1),
        "latin": lambda: stats.qmc.LatinHypercube(2, seed=1),
        "halton": lambda: stats.qmc.Halton(3, scramble=False),
        "multinormal-frozen": lambda: stats.multivariate_t([0, 0], np.eye(2), 3),
        "matrix-normal": lambda: stats.matrix_normal(np.zeros((2, 2))),
        "random-correlation": lambda: stats.random_correlation,
        "multinomial": lambda: stats.multinomial(5, [0.2, 0.8]),
        "frozen-mixture": lambda: {
            "lr": stats.reciprocal(1e-4, 1),
            "depth": stats.randint(2, 9),
            "p": stats.bernoulli(0.3),
        },
        "frozen-shapes": lambda: [
            stats.skewnorm(4),
            stats.genextreme(0.1, loc=2),
            stats.nbinom(5, 0.5),
            stats.vonmises(1),
        ],
        "contingency": lambda: stats.chi2_contingency([[10, 20], [30, 40]]),
        "mannwhitney": lambda: stats.mannwhitneyu(X[:, 0], X[:, 1]),
        "bootstrap": lambda: stats.bootstrap((X[:, 0],), np.mean, n_resamples=50, method="basic"),
        "tukey": lambda: stats.tukey_hsd(X[:, 0], X[:, 1]),
        "fit": lambda: stats.fit(stats.norm, X[:, 0], [(-5, 5), (0.1, 5)]),
        "pearson": lambda: stats.pearsonr(X[:, 0], X[:, 1]),
        "binned": lambda: stats.binned_statistic(X[:, 0], REAL, bins=4),
        "siegel": lambda: [stats.siegelslopes(REAL, X[:, 0]), stats.theilslopes(REAL, X[:, 0])],
        "smoothing": lambda: interpolate.make_smoothing_spline(line, np.sin(line)),
        "lsq": lambda: interpolate.LSQUnivariateSpline(line, np.sin(line), [1, 2]),
        "smooth-rect": lambda: interpolate.SmoothBivariateSpline(X[:, 0], X[:, 1], REAL, kx=1, ky=1),
        "nd-ppoly": lambda: interpolate.NdPPoly(np.ones((2, 2, 3, 3)), (np.arange(4.0), np.arange(4.0))),
        "hermite": lambda: interpolate.CubicHermiteSpline(line, np.sin(line), np.cos(line)),
        "bfgs": lambda: optimize.minimize(optimize.rosen, [1.2, 0.8], method="BFGS"),
        "lbfgs": lambda: optimize.minimize(optimize.rosen, [1.2, 0.8], method="L-BFGS-B"),
        "curve": lambda: optimize.curve_fit(np.multiply, line, 2 * line),
        "evolution": lambda: optimize.differential_evolution(optimize.rosen, [(0, 2)] * 2, maxiter=3, seed=1),
        "brent": lambda: optimize.minimize_scalar(np.cos),
        "constraint": lambda: optimize.NonlinearConstraint(np.sum, 0, 1),
        "filters": lambda: {"ba": signal.butter(3, 0.1), "fir": signal.firwin(9, 0.2), "fn": signal.savgol_filter},
        "transfer": lambda: signal.TransferFunction([1], [1, 2, 3], dt=0.1),
        "hulls": lambda: spatial.SphericalVoronoi(np.eye(3).repeat(2, 0) * np.tile([1, -1], 3)[:, None]),
        "rotations": lambda: [spatial.transform.Rotation.from_quat([[0, 0, 0, 1], [0, 1, 0, 0]])],
        "rigid": lambda: spatial.transform.RigidTransform.identity(),
        "distances": lambda: sparse.csr_matrix(spatial.distance.squareform(spatial.distance.pdist(X[:4]))),
        "block": lambda: sparse.block_diag([sparse.eye(2), sparse.random(3, 3, 0.5, random_state=1)]),
        "nd-sparse": lambda: sparse.coo_array(np.array([0, 1, 2])),
        "label": lambda: ndimage.label(np.eye(3)),
        "linkage": lambda: at("scipy.cluster.hierarchy", "linkage")(X[:6], "ward"),
    }


def boosters_held() -> Makers:
    """Boosters with the options of daily use."""
    table = frame().drop(columns="day")
    table["city"] = table["city"].astype("category")
    values: Makers = {}
    if importlib.util.find_spec("xgboost"):
        import xgboost as xgb

        values["xgboost.categories"] = lambda: xgb.XGBClassifier(
            n_estimators=3, tree_method="hist", enable_categorical=True
        ).fit(table, Y)
        values["xgboost.multi"] = lambda: xgb.XGBClassifier(n_estimators=3, objective="multi:softprob").fit(X, THREE)
        values["xgboost.callback"] = lambda: xgb.XGBRegressor(
            n_estimators=3, callbacks=[xgb.callback.EarlyStopping(2)]
        ).fit(X, REAL, eval_set=[(X, REAL)], verbose=False)
        values["xgboost.cv"] = lambda: xgb.cv({"max_depth": 2}, xgb.DMatrix(X, label=Y), 3)
        values["xgboost.pipeline"] = lambda: at("sklearn.pipeline", "make_pipeline")(
            sk("preprocessing.StandardScaler"), xgb.XGBRegressor(n_estimators=3, objective="count:poisson")
        ).fit(X, np.abs(REAL))
        values["xgboost.search"] = lambda: sk(
            "model_selection.GridSearchCV", xgb.XGBClassifier(n_estimators=2), {"max_depth": [1, 2]}, cv=2
        ).fit(X, Y)
        values["xgboost.dict"] = lambda: {"model": xgb.train({}, xgb.DMatrix(X, label=Y), 2), "columns": list("abcd")}
    if importlib.util.find_spec("lightgbm"):
        import lightgbm as lgb

        small = {"n_estimators": 3, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}
        values["lightgbm.categories"] = lambda: lgb.LGBMRegressor(**small).fit(table, REAL)
        values["lightgbm.multi"] = lambda: lgb.LGBMClassifier(**small, class_weight="balanced").fit(X, THREE)
        values["lightgbm.quantile"] = lambda: lgb.LGBMRegressor(**small, objective="quantile", alpha=0.9).fit(X, REAL)
        values["lightgbm.cv"] = lambda: lgb.cv({"verbose": -1}, lgb.Dataset(X, Y), 2, nfold=2, stratified=False)
        values["lightgbm.calibrated"] = lambda: sk(
            "calibration.CalibratedClassifierCV", lgb.LGBMClassifier(**small), cv=2
        ).fit(X, Y)
    if importlib.util.find_spec("catboost"):
        import catboost as cb

        quiet = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
        values["catboost.texts"] = lambda: cb.CatBoostClassifier(**quiet, text_features=[0]).fit(
            [[text] for text in TEXTS], Y
        )
        values["catboost.stack"] = lambda: sk(
            "ensemble.VotingRegressor", [("c", cb.CatBoostRegressor(**quiet)), ("l", sk("linear_model.Ridge"))]
        ).fit(X, REAL)
        values["catboost.quantile"] = lambda: cb.CatBoostRegressor(
            **quiet, loss_function="MultiQuantile:alpha=0.1,0.9"
        ).fit(X, REAL)
        values["catboost.pool-free"] = lambda: [cb.CatBoostClassifier(**quiet), {"names": ["a"]}]
    return values


def run(out: Any) -> None:
    """All of them; what a version does not have yet is counted as failed."""
    from honest_held_models import GROUPS

    groups: list[tuple[str, str, Callable[[], Makers]]] = [
        ("sklearn", "sklearn-held", sklearn_held),
        ("pandas", "pandas-held", tables_held),
        ("scipy", "scipy-held", scipy_held),
        ("sklearn", "boosters-held", boosters_held),
        *GROUPS,
    ]
    for library, label, group in groups:
        if not importlib.util.find_spec(library):
            continue
        makers: Makers = {}
        with contextlib.suppress(ImportError):
            makers = group()
        for name, make in makers.items():
            family = f"{label}.{name}"
            out.attempt(family, lambda family=family, make=make: _write(out, family, make()))


def _write(out: Any, family: str, value: Any) -> None:
    from honest_torch import torch_file

    if family.startswith("torch"):
        torch_file(out, family, "value", value)
    else:
        out.dump(family, "", value, 2)
