# ruff: noqa: E501, E731 - Python 3.9 runs it; makers are short functions
"""The third held-out objects: options, kinds of data and wrapped estimators that no other file of the corpus writes.

Chosen on 2026-11-23, before the environments `third*` of environments.toml existed, from libraries that are in the
table in other versions. Written only there, read once. See honest_third_torch.py for torch's families.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_held import REAL, TEXTS, THREE, Makers, X, Y, at, frame, sk

NAMES = ["north", "south", "east"] * 20


def kinds_of_data() -> dict[str, tuple[Any, Any]]:
    """The same rows as other types than the floats that the other files fit on."""
    import pandas as pd
    from scipy import sparse

    table = pd.DataFrame(X, columns=list("abcd"))
    return {
        "float32": (X.astype("float32"), Y),
        "fortran": (np.asfortranarray(X), Y.astype("int8")),
        "integers": ((X * 10).astype("int64"), Y.astype(bool)),
        "csr": (sparse.csr_matrix(X), Y),
        "csc": (sparse.csc_matrix(X.astype("float32")), THREE),
        "strings": (X, np.array(NAMES)),
        "objects": (X, np.array(NAMES, dtype=object)),
        "nullable": (table.convert_dtypes(), pd.Series(Y, dtype="Int64")),
        "category": (table, pd.Series(NAMES, dtype="category")),
        "indexed": (table.set_index(pd.date_range("2021-03-01", periods=60)), pd.Series(Y, name="hit")),
        "lists": (X.tolist(), Y.tolist()),
        "columns": (table.rename(columns=str.upper).astype("float32"), pd.DataFrame({"y": Y})),
    }


# Estimators with the options in question; `*` is taken from a list, so that each of its values makes a file.
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("svm.SVC", {"kernel": ["poly", "sigmoid"], "probability": True, "decision_function_shape": "ovo"}),
    ("svm.NuSVR", {"kernel": ["rbf", "linear"], "nu": 0.4}),
    ("svm.OneClassSVM", {"gamma": ["auto", 0.1]}),
    ("linear_model.LogisticRegression", {"solver": ["liblinear", "saga", "newton-cg"], "class_weight": "balanced"}),
    ("linear_model.LogisticRegressionCV", {"Cs": 2, "cv": 2, "scoring": ["roc_auc", "neg_log_loss"]}),
    ("linear_model.SGDClassifier", {"loss": ["hinge", "log_loss", "perceptron"], "average": True}),
    ("linear_model.SGDRegressor", {"loss": ["huber", "epsilon_insensitive"], "learning_rate": "adaptive"}),
    ("linear_model.Ridge", {"solver": ["svd", "sag", "lsqr"], "positive": False}),
    ("linear_model.ElasticNetCV", {"l1_ratio": [[0.1, 0.9]], "cv": 2}),
    ("linear_model.TweedieRegressor", {"power": [1.5, 2], "link": "log"}),
    ("linear_model.LassoLarsIC", {"criterion": ["aic", "bic"]}),
    ("tree.DecisionTreeClassifier", {"criterion": ["entropy", "log_loss"], "splitter": "random", "ccp_alpha": 0.01}),
    ("tree.ExtraTreeRegressor", {"criterion": ["friedman_mse", "absolute_error"]}),
    ("ensemble.RandomForestClassifier", {"n_estimators": 3, "oob_score": True, "max_features": [None, "log2", 0.5]}),
    ("ensemble.ExtraTreesRegressor", {"n_estimators": 3, "bootstrap": True, "max_samples": [0.5], "warm_start": True}),
    ("ensemble.GradientBoostingClassifier", {"n_estimators": 3, "loss": ["exponential", "log_loss"], "subsample": 0.5}),
    ("ensemble.GradientBoostingRegressor", {"n_estimators": 3, "loss": ["huber", "quantile"], "n_iter_no_change": 2}),
    ("ensemble.HistGradientBoostingClassifier", {"max_iter": 3, "early_stopping": [True], "l2_regularization": 0.1}),
    ("ensemble.HistGradientBoostingRegressor", {"max_iter": 3, "loss": ["absolute_error", "gamma"]}),
    ("ensemble.AdaBoostRegressor", {"n_estimators": 3, "loss": ["square", "exponential"]}),
    ("ensemble.RandomTreesEmbedding", {"n_estimators": 3, "sparse_output": [True, False]}),
    ("neighbors.KNeighborsClassifier", {"algorithm": ["kd_tree", "ball_tree", "brute"], "weights": "distance"}),
    ("neighbors.RadiusNeighborsRegressor", {"radius": [9.0], "metric": "chebyshev"}),
    ("neighbors.NeighborhoodComponentsAnalysis", {"init": ["pca", "random"], "max_iter": 2}),
    ("neighbors.NearestCentroid", {"metric": ["manhattan", "euclidean"]}),
    ("neural_network.MLPClassifier", {"solver": ["lbfgs", "sgd", "adam"], "max_iter": 3, "hidden_layer_sizes": (3, 2)}),
    ("naive_bayes.CategoricalNB", {"min_categories": [30]}),
    ("naive_bayes.GaussianNB", {"priors": [[0.4, 0.6], None]}),
    ("discriminant_analysis.LinearDiscriminantAnalysis", {"solver": ["lsqr", "eigen"], "shrinkage": "auto"}),
    ("discriminant_analysis.QuadraticDiscriminantAnalysis", {"store_covariance": [True]}),
    ("decomposition.PCA", {"n_components": [0.9, "mle"], "svd_solver": "full"}),
    ("decomposition.KernelPCA", {"kernel": ["rbf", "poly"], "fit_inverse_transform": True, "n_components": 2}),
    ("decomposition.SparsePCA", {"n_components": 2, "max_iter": 2, "method": ["cd", "lars"]}),
    ("decomposition.FactorAnalysis", {"rotation": ["varimax", None], "n_components": 2}),
    ("decomposition.NMF", {"solver": ["mu"], "beta_loss": "kullback-leibler", "n_components": 2, "max_iter": 3}),
    ("cluster.KMeans", {"init": ["random", "k-means++"], "algorithm": "elkan", "n_clusters": 2, "n_init": 1}),
    ("cluster.AgglomerativeClustering", {"linkage": ["average", "single"], "compute_distances": True}),
    ("cluster.SpectralClustering", {"affinity": ["nearest_neighbors", "rbf"], "n_clusters": 2}),
    ("cluster.HDBSCAN", {"store_centers": ["both"], "min_cluster_size": 5}),
    ("mixture.BayesianGaussianMixture", {"covariance_type": ["spherical", "diag"], "n_components": 2, "max_iter": 3}),
    ("preprocessing.PowerTransformer", {"method": ["box-cox", "yeo-johnson"]}),
    ("preprocessing.KBinsDiscretizer", {"encode": ["onehot", "ordinal"], "strategy": "kmeans", "n_bins": 3}),
    ("preprocessing.QuantileTransformer", {"output_distribution": ["uniform"], "n_quantiles": 5, "subsample": 50}),
    ("preprocessing.OneHotEncoder", {"drop": ["first", "if_binary"], "dtype": np.int8}),
    ("preprocessing.OrdinalEncoder", {"handle_unknown": ["use_encoded_value"], "unknown_value": np.nan}),
    ("preprocessing.Normalizer", {"norm": ["l1", "max"]}),
    ("impute.SimpleImputer", {"strategy": ["constant", "most_frequent"], "fill_value": 0}),
    ("feature_selection.GenericUnivariateSelect", {"mode": ["fdr", "k_best"], "param": 0.5}),
    ("feature_selection.VarianceThreshold", {"threshold": [0.01]}),
    ("manifold.TSNE", {"perplexity": [5], "n_iter_without_progress": 1}),
    ("manifold.LocallyLinearEmbedding", {"method": ["modified", "ltsa"], "n_neighbors": 8}),
    ("manifold.MDS", {"metric": [False], "max_iter": 2, "n_init": 1}),
    ("random_projection.SparseRandomProjection", {"n_components": [2], "random_state": 0}),
    ("kernel_approximation.PolynomialCountSketch", {"degree": [2, 3], "n_components": 4}),
    ("covariance.GraphicalLassoCV", {"cv": [2], "alphas": 2}),
    ("cross_decomposition.PLSRegression", {"n_components": [1], "scale": False}),
    ("gaussian_process.GaussianProcessRegressor", {"normalize_y": [True], "n_restarts_optimizer": 1}),
]  # fmt: skip


def options_third() -> Makers:
    """Each estimator of `OPTIONS`, with each of its values, on a kind of data that goes round."""
    data = kinds_of_data()
    labels = list(data)
    makers: Makers = {}
    for name, given in OPTIONS:
        key, several = next((key, value) for key, value in given.items() if isinstance(value, list))
        for value in several:
            kinds = [labels[(len(makers) + step) % len(labels)] for step in range(len(labels))]
            makers[f"{name.rpartition('.')[2]}-{value if isinstance(value, (str, bool)) else key}-{len(makers)}"] = (
                lambda name=name, more={**given, key: value}, kinds=kinds: fit_any(name, more, [data[k] for k in kinds])
            )
    return makers


def fit_any(name: str, more: dict[str, Any], sets: list[tuple[Any, Any]]) -> Any:
    """Fitted on the first data that it takes."""
    for rows, target in [*sets, (X, Y), (X, REAL)]:
        made = sk(name, **more)
        with contextlib.suppress(Exception):
            return made.fit(rows, target)
    raise ValueError(name)


def wrapped_third() -> Makers:
    """Ensembles of ensembles, pipelines in searches, transformers beside functions of numpy and scipy."""
    pipe, columns = at("sklearn.pipeline", "make_pipeline"), at("sklearn.compose", "make_column_transformer")
    selection = importlib.import_module("sklearn.model_selection")
    metrics = importlib.import_module("sklearn.metrics")
    special = importlib.import_module("scipy.special")
    table = frame().drop(columns="day")
    tree = lambda **more: sk("tree.DecisionTreeClassifier", max_depth=2, **more)
    scale = lambda: sk("preprocessing.StandardScaler")
    several = np.c_[Y, THREE > 0].astype(int)
    mixed = lambda: columns(
        (pipe(sk("impute.SimpleImputer", strategy="mean"), scale()), ["age", "debt"]),
        (sk("preprocessing.OneHotEncoder", min_frequency=2, handle_unknown="infrequent_if_exist"), ["city"]),
        ("drop", ["income"]),
        remainder=sk("preprocessing.MinMaxScaler"),
        verbose_feature_names_out=False,
    )
    function = lambda *functions, **more: sk("preprocessing.FunctionTransformer", *functions, **more)
    grid = selection.GridSearchCV
    return {
        "bag-of-pipelines": lambda: sk("ensemble.BaggingClassifier", pipe(scale(), tree()), n_estimators=2, oob_score=True).fit(X, Y),
        "vote-of-stacks": lambda: sk("ensemble.VotingClassifier", [
            ("s", sk("ensemble.StackingClassifier", [("t", tree()), ("n", sk("naive_bayes.GaussianNB"))], cv=2)),
            ("p", pipe(scale(), sk("neural_network.MLPClassifier", (2,), max_iter=2)))]).fit(X, Y),
        "calibrated-pipeline": lambda: sk("calibration.CalibratedClassifierCV", pipe(scale(), sk("svm.LinearSVC")), cv=3, ensemble=False).fit(X, Y),
        "search-over-mixed": lambda: grid(pipe(mixed(), tree()), {"decisiontreeclassifier__max_depth": [1, 2]}, cv=2,
            scoring=["accuracy", "f1"], refit="f1", return_train_score=True).fit(table, Y),
        "search-of-steps": lambda: grid(sk("pipeline.Pipeline", [("s", "passthrough"), ("m", tree())]),
            {"s": [scale(), sk("preprocessing.RobustScaler"), "passthrough"]}, cv=2).fit(X, Y),
        "refit-function": lambda: grid(tree(), {"max_depth": [1, 2]}, cv=2, refit=np.argmax, error_score="raise"),
        "search-in-bag": lambda: sk("ensemble.BaggingClassifier", grid(tree(), {"max_depth": [1]}, cv=2), n_estimators=2).fit(X, Y),
        "multi-pipeline": lambda: sk("multioutput.MultiOutputClassifier", pipe(scale(), tree())).fit(X, several),
        "chain-forest": lambda: sk("multioutput.ClassifierChain", sk("ensemble.RandomForestClassifier", 2), order="random", cv=2).fit(X, several),
        "rest-pipeline": lambda: sk("multiclass.OneVsRestClassifier", pipe(scale(), sk("svm.SVC", probability=True))).fit(X, NAMES),
        "boost-svc": lambda: sk("ensemble.AdaBoostClassifier", sk("naive_bayes.GaussianNB"), n_estimators=2).fit(X, Y),
        "logit-target": lambda: sk("compose.TransformedTargetRegressor", sk("svm.SVR"), func=special.logit, inverse_func=special.expit).fit(X, (REAL - REAL.min() + 1) / 99),
        "cube-root": lambda: pipe(function(np.cbrt, validate=True, feature_names_out="one-to-one"), scale()).fit(X),
        "boxcox-function": lambda: function(special.boxcox1p, kw_args={"lmbda": 0.25}, inverse_func=special.inv_boxcox1p),
        "reshape": lambda: pipe(function(np.reshape, kw_args={"newshape": (-1, 1)})),
        "astype": lambda: function(np.asarray, kw_args={"dtype": np.float32}),
        "clip": lambda: function(np.clip, kw_args={"a_min": 0, "a_max": 1}).fit(X),
        "gradient": lambda: function(np.gradient, kw_args={"axis": 1}),
        "text-columns": lambda: columns((sk("feature_extraction.text.TfidfVectorizer", max_features=5, norm="l1"), "text"),
            (scale(), at("sklearn.compose", "make_column_selector")(pattern="^n"))).fit(
            at("pandas", "DataFrame")({"text": TEXTS, "n": X[:, 0]})),
        "text-boost": lambda: pipe(sk("feature_extraction.text.CountVectorizer", binary=True, token_pattern=r"\b\w+\b", max_df=0.9),
            sk("decomposition.TruncatedSVD", 2), sk("ensemble.GradientBoostingClassifier", n_estimators=2)).fit(TEXTS, Y),
        "text-hash": lambda: pipe(sk("feature_extraction.text.HashingVectorizer", n_features=8, alternate_sign=False),
            sk("feature_extraction.text.TfidfTransformer"), sk("linear_model.PassiveAggressiveClassifier")).fit(TEXTS, NAMES),
        "stop-words": lambda: sk("feature_extraction.text.TfidfVectorizer", stop_words="english", vocabulary=["red", "fox"]).fit(TEXTS),
        "dict-pipeline": lambda: pipe(sk("feature_extraction.DictVectorizer", sparse=False), tree()).fit([{"a": i, "b": str(i % 2)} for i in range(60)], Y),
        "sequential": lambda: sk("feature_selection.SequentialFeatureSelector", tree(), n_features_to_select=2, cv=2).fit(X, Y),
        "rfe-steps": lambda: pipe(sk("feature_selection.RFE", tree(), step=2), sk("neighbors.KNeighborsClassifier")).fit(X, Y),
        "select-function": lambda: sk("feature_selection.SelectKBest", at("sklearn.feature_selection", "f_regression"), k=2).fit(X, REAL),
        "scorers": lambda: {name: metrics.get_scorer(name) for name in ("r2", "average_precision", "neg_brier_score", "top_k_accuracy")},
        "custom-scorer": lambda: metrics.make_scorer(metrics.mean_pinball_loss, alpha=0.9, greater_is_better=False),
        "displays": lambda: [metrics.ConfusionMatrixDisplay(np.eye(2), display_labels=["n", "y"]), metrics.DetCurveDisplay(fpr=X[:3, 0], fnr=X[:3, 1])],
        "folds": lambda: list(selection.StratifiedShuffleSplit(2, random_state=np.random.RandomState(4)).split(X, Y)),
        "results": lambda: selection.cross_validate(tree(), X, Y, cv=2, return_indices=True, return_estimator=True),
        "grid-values": lambda: grid(sk("svm.SVR"), [{"kernel": ["rbf"], "gamma": np.geomspace(0.1, 1, 2)}, {"kernel": ["linear"]}], cv=selection.KFold(2, shuffle=True, random_state=1)).fit(X, REAL),
        "output-frame": lambda: mixed().set_output(transform="pandas").fit(table),
        "metadata": lambda: sk("linear_model.Ridge").fit(X, REAL, sample_weight=X[:, 0]),
        "gp-product": lambda: sk("gaussian_process.GaussianProcessRegressor", sk("gaussian_process.kernels.ConstantKernel", 2.0, (0.1, 9))
            * sk("gaussian_process.kernels.ExpSineSquared", periodicity_bounds="fixed") + sk("gaussian_process.kernels.DotProduct"), optimizer=None).fit(X, REAL),
        "gp-many": lambda: sk("gaussian_process.GaussianProcessClassifier", sk("gaussian_process.kernels.RationalQuadratic"), multi_class="one_vs_one").fit(X, NAMES),
        "registry": lambda: {"v1": {"model": pipe(scale(), tree()).fit(X, Y), "metrics": {"auc": np.float32(0.9)}, "when": at("datetime", "datetime")(2024, 5, 1)},
                             "path": at("pathlib", "PurePosixPath")("models/v1"), "id": at("uuid", "UUID")(int=7)},
        "weights": lambda: (np.random.SeedSequence(5), sk("svm.SVC", class_weight={0: 1.0, 1: 2.5}).fit(X, Y), frozenset({"a", "b"})),
    }  # fmt: skip


def boosters_third() -> Makers:
    """scikit-learn's clothes of the boosters, with other objectives, data and neighbours."""
    import lightgbm as lgb
    import xgboost as xgb

    pipe = at("sklearn.pipeline", "make_pipeline")
    data = kinds_of_data()
    small = {"n_estimators": 3, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}
    few = {"n_estimators": 3, "n_jobs": 1}
    makers: Makers = {
        "xgb-ranker": lambda: xgb.XGBRanker(**few, objective="rank:ndcg").fit(X, THREE, group=[20, 20, 20]),
        "xgb-forest": lambda: xgb.XGBRFRegressor(n_estimators=3, subsample=0.7).fit(X, REAL),
        "xgb-dart": lambda: xgb.XGBClassifier(**few, booster="dart", rate_drop=0.1).fit(X, Y),
        "xgb-linear": lambda: xgb.XGBRegressor(**few, booster="gblinear").fit(X, REAL),
        "xgb-missing": lambda: xgb.XGBClassifier(**few, missing=-1.0, scale_pos_weight=2).fit(X, Y),
        "xgb-quantile": lambda: xgb.XGBRegressor(**few, objective="reg:quantileerror", quantile_alpha=np.array([0.1, 0.9])).fit(X, REAL),
        "xgb-early": lambda: xgb.XGBClassifier(**few, early_stopping_rounds=2, eval_metric=["logloss", "auc"]).fit(X, Y, eval_set=[(X, Y)], verbose=False),
        "xgb-metric-function": lambda: xgb.XGBRegressor(**few, eval_metric=at("sklearn.metrics", "mean_absolute_error")).fit(X, REAL),
        "xgb-gradient": lambda: xgb.XGBRegressor(**few, random_state=np.random.RandomState(2)).fit(X, REAL),
        "xgb-survival": lambda: xgb.train({"objective": "survival:cox"}, xgb.DMatrix(X, label=np.arange(1.0, 61.0)), 2),
        "xgb-vote": lambda: sk("ensemble.VotingRegressor", [("x", xgb.XGBRegressor(**few)), ("l", lgb.LGBMRegressor(**small))]).fit(X, REAL),
        "xgb-stack": lambda: sk("ensemble.StackingClassifier", [("x", xgb.XGBClassifier(**few)), ("l", lgb.LGBMClassifier(**small))], cv=2).fit(X, Y),
        "xgb-select": lambda: pipe(sk("feature_selection.SelectFromModel", xgb.XGBClassifier(**few)), sk("svm.SVC")).fit(X, Y),
        "xgb-random-search": lambda: sk("model_selection.RandomizedSearchCV", xgb.XGBRegressor(**few),
            {"learning_rate": at("scipy.stats", "loguniform")(0.01, 0.3), "max_depth": at("scipy.stats", "randint")(1, 3)}, n_iter=2, cv=2).fit(X, REAL),
        "lgb-ranker": lambda: lgb.LGBMRanker(**small).fit(X, THREE, group=[30, 30]),
        "lgb-dart": lambda: lgb.LGBMClassifier(**small, boosting_type="dart").fit(X, NAMES),
        "lgb-forest": lambda: lgb.LGBMRegressor(**small, boosting_type="rf", bagging_freq=1, bagging_fraction=0.5).fit(X, REAL),
        "lgb-early": lambda: lgb.LGBMClassifier(**small).fit(X, Y, eval_set=[(X, Y)], callbacks=[lgb.early_stopping(2, verbose=False)]),
        "lgb-booster": lambda: {"booster": lgb.train({"objective": "poisson", "verbose": -1}, lgb.Dataset(X, THREE), 2), "names": list("abcd")},
        "lgb-many": lambda: sk("multioutput.MultiOutputRegressor", lgb.LGBMRegressor(**small, importance_type="gain")).fit(X, np.c_[REAL, REAL]),
        "lgb-bag": lambda: sk("ensemble.BaggingClassifier", lgb.LGBMClassifier(**small), n_estimators=2).fit(X, Y),
    }  # fmt: skip
    for kind in ("csr", "nullable", "category", "float32", "indexed"):
        makers[f"lgb-on-{kind}"] = lambda kind=kind: lgb.LGBMClassifier(**small).fit(*data[kind])
        makers[f"xgb-on-{kind}"] = lambda kind=kind: xgb.XGBClassifier(**few).fit(data[kind][0], Y)
    with contextlib.suppress(ImportError):
        import catboost as cb

        quiet = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
        makers |= {
            "cat-ranker": lambda: cb.CatBoostRanker(**quiet).fit(X, THREE, group_id=np.repeat([0, 1], 30)),
            "cat-strings": lambda: cb.CatBoostClassifier(**quiet, auto_class_weights="Balanced").fit(X, NAMES),
            "cat-many": lambda: cb.CatBoostRegressor(**quiet, loss_function="MultiRMSE").fit(X, np.c_[REAL, REAL]),
            "cat-pipeline": lambda: pipe(sk("impute.SimpleImputer"), cb.CatBoostClassifier(**quiet, od_type="Iter", depth=2)).fit(X, Y),
            "cat-pool": lambda: cb.CatBoostRegressor(**quiet, grow_policy="Lossguide").fit(cb.Pool(X, REAL, feature_names=list("wxyz"))),
            "cat-calibrated": lambda: sk("calibration.CalibratedClassifierCV", cb.CatBoostClassifier(**quiet), cv=2, method="sigmoid").fit(X, Y),
        }  # fmt: skip
    return makers


def tables_third() -> Makers:
    """Values beside models: tables, arrays of rarer types, results of scipy."""
    import pandas as pd
    from scipy import integrate, interpolate, optimize, signal, sparse, spatial, stats

    table = frame()
    line = np.linspace(0, 3, 20)
    return {
        "pandas.multi-index": lambda: table.set_index(["city", "day"]).sort_index(),
        "pandas.interval-groups": lambda: table.groupby(pd.cut(table["age"], 3), observed=False)["debt"].median(),
        "pandas.quarters": lambda: table.set_index("day").resample("QE" if pd.__version__ >= "2.2" else "Q").sum(numeric_only=True),
        "pandas.zones": lambda: pd.Series(pd.date_range("2024-10-26", periods=3, tz="America/New_York")),
        "pandas.zoneinfo": lambda: pd.Timestamp("2024-10-26", tz=at("zoneinfo", "ZoneInfo")("Europe/Paris")),
        "pandas.units": lambda: pd.Series(np.array([1, 2], "M8[s]")),
        "pandas.string-index": lambda: pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], dtype="string")),
        "pandas.wide": lambda: pd.DataFrame(np.eye(30, dtype="float16")).astype({3: "int8", 4: "bool", 5: "complex128"}),
        "pandas.attrs": lambda: _with_attrs(table),
        "pandas.slices": lambda: table.loc[table["age"] > 1, ["city", "age"]].reset_index(),
        "pandas.ranks": lambda: table.rank(numeric_only=True).T,
        "pandas.holiday-offset": lambda: pd.offsets.CustomBusinessDay(calendar=at("pandas.tseries.holiday", "USFederalHolidayCalendar")()),
        "pandas.hours": lambda: [pd.offsets.BusinessHour(start="09:30"), pd.offsets.Week(weekday=4), pd.DateOffset(months=1, days=2)],
        "pandas.decimals": lambda: pd.Series([at("decimal", "Decimal")("1.50"), at("fractions", "Fraction")(1, 3), at("datetime", "date")(2024, 1, 1)]),
        "pandas.union-categories": lambda: at("pandas.api.types", "union_categoricals")([pd.Categorical(["a"]), pd.Categorical(["b"])]),
        "numpy.structured": lambda: np.array([(1, "a", (0.5, 2))], dtype=[("i", ">u2"), ("s", "U3"), ("n", [("x", "<f4"), ("y", "i1")])]),
        "numpy.aligned": lambda: np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 24})),
        "numpy.subarray": lambda: np.zeros(2, dtype=[("m", "f4", (2, 2)), ("o", "O")]),
        "numpy.void": lambda: [np.void(b"abcd"), np.longdouble(1.5), np.clongdouble(1j), np.timedelta64(3, "W")],
        "numpy.dates": lambda: np.array(["2024-01", "NaT"], dtype="M8[M]"),
        "numpy.views": lambda: {"t": X.T, "step": X[::3], "flip": X[::-1], "wide": np.broadcast_to(X[0], (3, 4)), "zero": np.empty((0, 4))},
        "numpy.masked-records": lambda: np.ma.array([(1, 2.0)], mask=[(0, 1)], dtype=[("a", int), ("b", float)]),
        "numpy.hard-mask": lambda: np.ma.array(X, mask=X > 1, hard_mask=True, fill_value=-9),
        "numpy.generators": lambda: [np.random.Generator(np.random.MT19937(1)), np.random.Generator(np.random.SFC64(2)), np.random.PCG64DXSM(3)],
        "numpy.polynomials": lambda: [np.polynomial.Legendre.fit(line, line**2, 2), np.polynomial.HermiteE([1, 2]), np.polynomial.Laguerre([0, 1])],
        "numpy.ufuncs": lambda: {"mean": np.mean, "add": np.add.reduce, "max": np.maximum, "err": np.linalg.norm},
        "scipy.sparse-arrays": lambda: [sparse.csr_array(np.eye(3)), sparse.dok_matrix((3, 3)), sparse.dia_matrix(np.eye(3)), sparse.coo_matrix(X > 1)],
        "scipy.splines": lambda: [interpolate.make_interp_spline(line, np.c_[line, line]), interpolate.Akima1DInterpolator(line, line), interpolate.BPoly([[1], [2]], [0, 1])],
        "scipy.grids": lambda: [interpolate.RegularGridInterpolator((line, line), np.outer(line, line)), interpolate.RectBivariateSpline(line, line, np.outer(line, line))],
        "scipy.scattered": lambda: [interpolate.LinearNDInterpolator(X[:, :2], REAL), interpolate.NearestNDInterpolator(X[:, :2], REAL)],
        "scipy.optimum": lambda: [optimize.minimize(optimize.rosen, [1.2, 0.8], method=way) for way in ("Nelder-Mead", "SLSQP", "trust-constr")],
        "scipy.roots": lambda: [optimize.root(np.cos, 1.0), optimize.least_squares(np.sin, 0.5), optimize.linprog([1, 1], bounds=[(0, 1)] * 2)],
        "scipy.bounds": lambda: [optimize.Bounds([0, 0], [1, 2]), optimize.LinearConstraint(np.eye(2), 0, 1)],
        "scipy.ode": lambda: integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0]).y,
        "scipy.dense-ode": lambda: integrate.solve_ivp(np.negative and (lambda t, y: -y), (0, 1), [1.0], dense_output=True).sol,
        "scipy.systems": lambda: [signal.ZerosPolesGain([1], [2], 3), signal.StateSpace(np.eye(2), np.ones((2, 1)), np.ones((1, 2)), 0), signal.dlti([1], [1, 0.5])],
        "scipy.frozen": lambda: [stats.beta(2, 3), stats.weibull_min(1.5), stats.truncnorm(-1, 1), stats.rv_discrete(values=([1, 2], [0.5, 0.5])), stats.rv_histogram(np.histogram(REAL))],
        "scipy.many": lambda: [stats.multivariate_normal([0, 0]), stats.wishart(3, np.eye(2)), stats.dirichlet([1, 2]), stats.invwishart(4, np.eye(2))],
        "scipy.tests": lambda: [stats.shapiro(REAL), stats.kruskal(X[:, 0], X[:, 1]), stats.anderson(REAL), stats.spearmanr(X[:, 0], X[:, 1]), stats.wilcoxon(X[:, 0], X[:, 1]), stats.ks_2samp(X[:, 0], X[:, 1])],
        "scipy.spatial": lambda: [spatial.KDTree(X, leafsize=4), spatial.transform.Rotation.random(3, random_state=1), spatial.transform.Slerp([0, 1], spatial.transform.Rotation.random(2, random_state=1))],
        "scipy.shapes": lambda: [spatial.ConvexHull(X[:, :2]).vertices, spatial.Delaunay(X[:, :2]).simplices],
        "python.values": lambda: [at("collections", "Counter")("aab"), at("collections", "deque")([1, 2], 5), at("collections", "OrderedDict")(a=1), at("types", "SimpleNamespace")(a=1), range(3), slice(1, 2), bytearray(b"x"), complex(1, 2)],
        "python.functions": lambda: at("functools", "partial")(np.quantile, q=0.9),
        "python.default": lambda: at("collections", "defaultdict")(list, {"a": [1]}),
        "python.random": lambda: at("random", "Random")(5),
    }  # fmt: skip


def _with_attrs(table: Any) -> Any:
    table = table.copy()
    table.attrs = {"source": "a", "units": {"age": "y"}}
    return table


GROUPS = [("sklearn-options", options_third), ("sklearn-wrapped", wrapped_third), ("boosters", boosters_third), ("", tables_third)]  # fmt: skip


def run(out: Any) -> None:
    """All of them, three files of each; what an environment does not have is counted as failed."""
    from honest_third_libraries import GROUPS as LIBRARIES
    from honest_third_torch import GROUPS as TORCH
    from honest_torch import torch_file

    for name in ("sympy", "torch._dynamo", "torchvision", "transformers"):  # not within the time of one object
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for label, group in [*GROUPS, *LIBRARIES, *TORCH]:
        makers: Makers = {}
        try:
            makers = group()
        except ImportError:
            continue
        for name, make in makers.items():
            family = f"{label}.{name}" if label else name
            if (label, group) in TORCH:
                out.attempt(family, lambda family=family, make=make: torch_file(out, family, "value", make()))
            else:
                out.attempt(family, lambda family=family, make=make: out.dump(family, "", make(), 3))
