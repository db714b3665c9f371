# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fourth held-out objects: what people put into a file at the end of a notebook, a training script or a service.

Chosen on 2026-11-23, before any file of the environments `fourth*` of environments.toml was written, from libraries that
are in the table in other versions. Written only there, read once. See honest_fourth_libraries.py and
honest_fourth_torch.py for the other families.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_held import REAL, RNG, TEXTS, THREE, Makers, X, Y, at, frame, sk

CLASSES = np.array(["cat", "dog", "owl"])[THREE]


def pipe(*steps: Any, **more: Any) -> Any:
    """`make_pipeline`."""
    return at("sklearn.pipeline", "make_pipeline")(*steps, **more)


def table() -> Any:
    """Numbers and categories, with a gap or two."""
    made = frame().drop(columns="day")
    made.loc[3, "age"] = np.nan
    made["kind"] = made["city"].astype("category")
    return made


def columns() -> Any:
    """The usual preparation of numbers and categories."""
    return at("sklearn.compose", "ColumnTransformer")(
        [
            ("num", pipe(sk("impute.SimpleImputer", strategy="median"), sk("preprocessing.StandardScaler")), ["age", "income"]),
            ("cat", sk("preprocessing.OneHotEncoder", handle_unknown="ignore"), ["city", "kind"]),
        ],
        remainder="passthrough",
    )  # fmt: skip


def bundles() -> Makers:
    """A dictionary or tuple of all that a service needs."""
    import pandas as pd
    from sklearn import datasets, inspection, metrics, model_selection

    forest = lambda **more: sk("ensemble.RandomForestClassifier", 4, max_depth=3, random_state=0, **more)
    logit = lambda: sk("linear_model.LogisticRegression", max_iter=50)
    split = lambda: model_selection.train_test_split(X, CLASSES, stratify=CLASSES, random_state=1)
    grid = lambda model, values, **more: model_selection.GridSearchCV(model, values, cv=3, **more)
    return {
        "service": lambda: {"model": pipe(columns(), forest()).fit(table(), Y), "features": list(table().columns), "threshold": 0.42, "version": (1, 4, 0), "trained": at("datetime", "datetime")(2025, 6, 1, 12)},
        "tuple": lambda: (sk("preprocessing.LabelEncoder").fit(CLASSES), sk("preprocessing.StandardScaler").fit(X), forest().fit(X, CLASSES)),
        "models-by-name": lambda: {name: model.fit(X, Y) for name, model in {"lr": logit(), "rf": forest(), "svm": sk("svm.SVC", probability=True), "knn": sk("neighbors.KNeighborsClassifier"), "nb": sk("naive_bayes.GaussianNB")}.items()},
        "models-by-fold": lambda: [{"fold": i, "model": logit().fit(X[a], Y[a]), "valid": b, "auc": metrics.roc_auc_score(Y[b], X[b, 0])} for i, (a, b) in enumerate(model_selection.StratifiedKFold(3).split(X, Y))],
        "models-by-group": lambda: {key: sk("linear_model.Ridge").fit(part[["age", "debt"]], part["score"]) for key, part in frame().groupby("city")},
        "split": split,
        "split-frames": lambda: model_selection.train_test_split(table(), pd.Series(Y, name="y"), test_size=0.25),
        "evaluation": lambda: {"confusion": metrics.confusion_matrix(Y, 1 - Y), "report": metrics.classification_report(Y, Y, output_dict=True), "roc": metrics.roc_curve(Y, X[:, 0]), "f1": metrics.f1_score(Y, Y)},
        "metric-functions": lambda: {"accuracy": metrics.accuracy_score, "auc": metrics.roc_auc_score, "rmse": metrics.mean_squared_error},
        "importances": lambda: pd.Series(forest().fit(X, Y).feature_importances_, index=list("abcd")).sort_values(),
        "permutation": lambda: inspection.permutation_importance(logit().fit(X, Y), X, Y, n_repeats=2, random_state=0),
        "partial-dependence": lambda: inspection.partial_dependence(sk("ensemble.GradientBoostingRegressor", n_estimators=3).fit(X, REAL), X, [0], kind="average"),
        "learning-curve": lambda: model_selection.learning_curve(logit(), X, Y, cv=3, train_sizes=[0.5, 1.0]),
        "cv-frame": lambda: pd.DataFrame(grid(forest(), {"max_depth": [1, 2]}).fit(X, Y).cv_results_),
        "grid-best": lambda: grid(pipe(columns(), logit()), {"logisticregression__C": [0.1, 1.0], "columntransformer__num__simpleimputer__strategy": ["mean", "median"]}).fit(table(), Y).best_estimator_,
        "grid-parameters": lambda: {"best": grid(sk("svm.SVC"), {"C": np.logspace(-1, 1, 3), "gamma": ["scale", "auto"]}).fit(X, Y).best_params_, "space": {"C": at("scipy.stats", "loguniform")(1e-2, 1e2)}},
        "halving": lambda: _halving(forest()),
        "random-many": lambda: model_selection.RandomizedSearchCV(forest(), {"n_estimators": at("scipy.stats", "randint")(2, 6), "max_features": at("scipy.stats", "uniform")(0.2, 0.8)}, n_iter=3, cv=2, random_state=0).fit(X, Y),
        "group-folds": lambda: grid(logit(), {"C": [1.0]}).set_params(cv=model_selection.GroupKFold(3)).fit(X, Y, groups=THREE),
        "time-folds": lambda: grid(sk("linear_model.Lasso"), {"alpha": [0.1]}).set_params(cv=model_selection.TimeSeriesSplit(3)).fit(X, REAL),
        "bunch-digits": lambda: datasets.load_digits(n_class=2),
        "bunch-cancer": lambda: datasets.load_breast_cancer(as_frame=True).frame.head(20),
        "made-blobs": lambda: datasets.make_blobs(30, centers=3, random_state=0),
        "own-bunch": lambda: at("sklearn.utils", "Bunch")(data=X, target=Y, feature_names=list("abcd"), filename=None),
        "scaler-pair": lambda: {"x": sk("preprocessing.MinMaxScaler", feature_range=(-1, 1)).fit(X), "y": sk("preprocessing.RobustScaler").fit(REAL[:, None])},
        "encoders": lambda: {name: sk("preprocessing.LabelEncoder").fit(table()[name].astype(str)) for name in ("city", "kind")},
        "vocabulary": lambda: sk("feature_extraction.text.CountVectorizer", min_df=2).fit(TEXTS).vocabulary_,
        "matrix": lambda: {"tfidf": sk("feature_extraction.text.TfidfVectorizer").fit_transform(TEXTS), "names": np.array(TEXTS)},
        "history": lambda: {"loss": [0.9, np.float32(0.5)], "val": np.array([0.8, 0.6]), "best": {"epoch": np.int64(1), "when": pd.Timestamp("2025-01-01")}},
        "configured": lambda: at("argparse", "Namespace")(seed=1, layers=[4, 2], data=at("pathlib", "PurePosixPath")("data/x.csv"), model=logit()),
    }  # fmt: skip


def _halving(model: Any) -> Any:
    importlib.import_module("sklearn.experimental.enable_halving_search_cv")
    made = at("sklearn.model_selection", "HalvingGridSearchCV")(model, {"max_depth": [1, 2]}, min_resources=20, cv=2)
    return made.fit(X, Y)


def estimators() -> Makers:
    """Tasks, each as one pipeline: text, images, recommendations, geography, anomalies, many outputs."""
    images = RNG.uniform(size=(60, 64)).astype("float32")
    places = np.radians(np.c_[RNG.uniform(-60, 60, 60), RNG.uniform(-170, 170, 60)])
    several = np.c_[Y, THREE == 1, THREE == 2].astype(int)
    function = lambda *functions, **more: sk("preprocessing.FunctionTransformer", *functions, **more)
    word = lambda **more: sk("feature_extraction.text.TfidfVectorizer", **more)
    ensemble, linear, neighbors = "ensemble.", "linear_model.", "neighbors."
    return {
        "spam": lambda: pipe(word(sublinear_tf=True, ngram_range=(1, 2)), sk("naive_bayes.ComplementNB")).fit(TEXTS, Y),
        "topics": lambda: pipe(sk("feature_extraction.text.CountVectorizer"), sk("decomposition.LatentDirichletAllocation", 2, max_iter=2)).fit(TEXTS),
        "language": lambda: pipe(word(analyzer="char_wb", ngram_range=(2, 3), lowercase=False), sk("svm.LinearSVC")).fit(TEXTS, CLASSES),
        "tags": lambda: pipe(word(strip_accents="unicode", stop_words=["the", "a"]), sk("multiclass.OneVsRestClassifier", sk(linear + "SGDClassifier", loss="modified_huber"))).fit(TEXTS, several),
        "split-words": lambda: word(tokenizer=str.split, token_pattern=None, preprocessor=str.lower).fit(TEXTS),
        "similar-texts": lambda: (word().fit(TEXTS), sk(neighbors + "NearestNeighbors", metric="cosine").fit(word().fit_transform(TEXTS))),
        "digits": lambda: pipe(sk("decomposition.PCA", 5, whiten=True), sk("svm.SVC", kernel="rbf", class_weight="balanced")).fit(images, CLASSES),
        "patches": lambda: sk("cluster.MiniBatchKMeans", 3, n_init=1, batch_size=32).fit(images),
        "dictionary": lambda: sk("decomposition.MiniBatchDictionaryLearning", 3, batch_size=20).fit(images[:, :8]),
        "faces": lambda: sk("neural_network.BernoulliRBM", 3, n_iter=2).fit(images),
        "recommend": lambda: sk("decomposition.TruncatedSVD", 3, algorithm="arpack").fit(at("scipy.sparse", "random")(30, 20, 0.2, format="csr", random_state=0)),
        "factors": lambda: sk("decomposition.NMF", 2, init="nndsvda", max_iter=5).fit(X),
        "nearest-place": lambda: sk(neighbors + "BallTree", places, metric="haversine"),
        "cluster-places": lambda: sk("cluster.DBSCAN", eps=0.3, metric="haversine", algorithm="ball_tree").fit(places),
        "density": lambda: sk(neighbors + "KernelDensity", kernel="epanechnikov", bandwidth=0.4).fit(X),
        "own-distance": lambda: sk(neighbors + "KNeighborsRegressor", metric=at("scipy.spatial.distance", "canberra"), algorithm="brute").fit(X, REAL),
        "minkowski": lambda: sk(neighbors + "KNeighborsClassifier", metric="minkowski", p=3, metric_params=None).fit(X, Y),
        "anomalies": lambda: pipe(sk("preprocessing.RobustScaler"), sk(ensemble + "IsolationForest", 4, contamination=0.1)).fit(X),
        "outliers": lambda: sk(neighbors + "LocalOutlierFactor", novelty=True, n_neighbors=5).fit(X),
        "envelope": lambda: sk("covariance.EllipticEnvelope", random_state=0).fit(X),
        "monotone": lambda: sk(ensemble + "HistGradientBoostingRegressor", max_iter=3, monotonic_cst=[1, 0, -1, 0]).fit(X, REAL),
        "categories": lambda: sk(ensemble + "HistGradientBoostingClassifier", max_iter=3, categorical_features=[3]).fit(np.c_[X[:, :3], THREE], Y),
        "quantiles": lambda: {q: sk(ensemble + "GradientBoostingRegressor", loss="quantile", alpha=q, n_estimators=3).fit(X, REAL) for q in (0.1, 0.5, 0.9)},
        "robust": lambda: sk(linear + "RANSACRegressor", random_state=0).fit(X, REAL),
        "huber": lambda: pipe(sk("preprocessing.SplineTransformer", n_knots=3), sk(linear + "HuberRegressor", max_iter=20)).fit(X, REAL),
        "bayes": lambda: sk(linear + "BayesianRidge", compute_score=True).fit(X, REAL),
        "poisson": lambda: sk(linear + "PoissonRegressor").fit(X, THREE),
        "quantile-linear": lambda: sk(linear + "QuantileRegressor", quantile=0.5, solver="highs").fit(X, REAL),
        "isotonic": lambda: sk("isotonic.IsotonicRegression", out_of_bounds="clip").fit(X[:, 0], REAL),
        "calibrated": lambda: sk("calibration.CalibratedClassifierCV", sk("svm.LinearSVC"), method="isotonic", cv=3).fit(X, Y),
        "kernel-ridge": lambda: sk("kernel_ridge.KernelRidge", kernel="rbf", gamma=0.2).fit(X, REAL),
        "nystroem": lambda: pipe(sk("kernel_approximation.Nystroem", n_components=5), sk(linear + "SGDRegressor")).fit(X, REAL),
        "rff": lambda: pipe(sk("kernel_approximation.RBFSampler", n_components=4), sk(linear + "Perceptron")).fit(X, Y),
        "chain": lambda: sk("multioutput.RegressorChain", sk(linear + "Ridge"), order=[1, 0]).fit(X, np.c_[REAL, REAL**2]),
        "multi-forest": lambda: sk(ensemble + "RandomForestRegressor", 3, max_samples=0.8).fit(X, np.c_[REAL, REAL**2]),
        "labels": lambda: sk("semi_supervised.SelfTrainingClassifier", sk("svm.SVC", probability=True)).fit(X, np.where(THREE, Y, -1)),
        "spread": lambda: sk("semi_supervised.LabelSpreading", kernel="knn", n_neighbors=5).fit(X, np.where(THREE, Y, -1)),
        "selected": lambda: pipe(sk("feature_selection.SelectKBest", at("sklearn.feature_selection", "mutual_info_classif"), k=2), sk("tree.DecisionTreeClassifier")).fit(X, Y),
        "lasso-selected": lambda: pipe(sk("feature_selection.SelectFromModel", sk(linear + "LassoCV", cv=3)), sk(ensemble + "ExtraTreesRegressor", 3)).fit(X, REAL),
        "rfe": lambda: sk("feature_selection.RFECV", sk(linear + "LogisticRegression"), cv=3, scoring="f1_macro").fit(X, CLASSES),
        "stack": lambda: sk(ensemble + "StackingRegressor", [("r", sk(linear + "RidgeCV")), ("k", pipe(sk("preprocessing.StandardScaler"), sk("svm.SVR")))], final_estimator=sk(ensemble + "RandomForestRegressor", 3), passthrough=True).fit(X, REAL),
        "soft-vote": lambda: sk(ensemble + "VotingClassifier", [("a", sk(linear + "LogisticRegression")), ("b", sk("tree.DecisionTreeClassifier"))], voting="soft", weights=[2, 1]).fit(X, CLASSES),
        "boosted-trees": lambda: sk(ensemble + "AdaBoostClassifier", sk("tree.DecisionTreeClassifier", max_depth=2), n_estimators=3).fit(X, CLASSES),
        "bag-knn": lambda: sk(ensemble + "BaggingRegressor", sk(neighbors + "KNeighborsRegressor"), n_estimators=3, max_features=0.5).fit(X, REAL),
        "features-union": lambda: at("sklearn.pipeline", "FeatureUnion")([("p", sk("decomposition.PCA", 2)), ("s", sk("feature_selection.SelectKBest", k=1))]).fit(X, Y),
        "polynomial": lambda: pipe(sk("preprocessing.PolynomialFeatures", 2, interaction_only=True), sk(linear + "ElasticNet")).fit(X, REAL),
        "log-features": lambda: pipe(function(np.log1p, inverse_func=np.expm1, check_inverse=False), sk(linear + "LinearRegression")).fit(X, REAL),
        "square-root": lambda: pipe(function(np.sqrt), function(np.nan_to_num, kw_args={"nan": 0.0}), sk(linear + "Lars")).fit(X, REAL),
        "log-target": lambda: sk("compose.TransformedTargetRegressor", sk(linear + "Ridge"), transformer=sk("preprocessing.QuantileTransformer", n_quantiles=10, output_distribution="normal")).fit(X, REAL),
        "to-dense": lambda: pipe(word(max_features=4), function(at("operator", "methodcaller")("toarray"), accept_sparse=True), sk("naive_bayes.GaussianNB")).fit(TEXTS, Y),
        "target-encoded": lambda: pipe(sk("preprocessing.TargetEncoder", cv=3), sk(linear + "Ridge")).fit(table()[["city"]], REAL),
        "cached": lambda: pipe(sk("preprocessing.StandardScaler"), sk(linear + "Ridge"), memory=None, verbose=True).fit(X, REAL),
        "gp-periodic": lambda: sk("gaussian_process.GaussianProcessRegressor", sk("gaussian_process.kernels.ExpSineSquared") * sk("gaussian_process.kernels.RBF") + sk("gaussian_process.kernels.WhiteKernel"), n_restarts_optimizer=1).fit(X[:20], REAL[:20]),
        "mixture": lambda: sk("mixture.GaussianMixture", 2, covariance_type="tied", max_iter=5).fit(X),
        "spectral": lambda: sk("cluster.SpectralBiclustering", n_clusters=2, random_state=0).fit(X),
        "hierarchy": lambda: sk("cluster.FeatureAgglomeration", n_clusters=2).fit(X),
        "birch": lambda: sk("cluster.Birch", n_clusters=2, threshold=0.3).fit(X),
        "optics": lambda: sk("cluster.OPTICS", min_samples=4, xi=0.1).fit(X),
        "affinity": lambda: sk("cluster.AffinityPropagation", random_state=0, max_iter=50).fit(X[:20]),
        "mlp": lambda: pipe(sk("preprocessing.MinMaxScaler"), sk("neural_network.MLPRegressor", (4, 2), early_stopping=True, max_iter=15, learning_rate="adaptive", solver="sgd")).fit(X, REAL),
        "ica": lambda: sk("decomposition.FastICA", 2, whiten="unit-variance", max_iter=50).fit(X),
        "isomap": lambda: sk("manifold.Isomap", n_neighbors=6).fit(X),
        "iterative": lambda: _imputed(),
    }  # fmt: skip


def _imputed() -> Any:
    importlib.import_module("sklearn.experimental.enable_iterative_imputer")
    return sk("impute.IterativeImputer", sk("tree.DecisionTreeRegressor", max_depth=2), max_iter=2).fit(X)


def tables() -> Makers:
    """Frames, arrays and results that stand beside models or for themselves."""
    import pandas as pd
    from scipy import cluster, interpolate, ndimage, optimize, signal, sparse, stats

    days = pd.date_range("2023-01-01", periods=40, freq="D", tz="UTC")
    series = pd.Series(np.sin(np.arange(40)), index=days, name="load")
    prices = lambda: pd.DataFrame({"open": series, "close": series + 1}).rolling(3).mean().dropna()
    line = np.linspace(0, 2, 15)
    return {
        "pandas.prices": prices,
        "pandas.pivot": lambda: frame().pivot_table(index="city", columns=frame()["age"] > 0.7, values="debt", aggfunc=["mean", "size"]),
        "pandas.grouped": lambda: frame().groupby(["city", pd.Grouper(key="day", freq="W")])["age"].sum().unstack(fill_value=0),
        "pandas.melted": lambda: frame().melt(id_vars="city", value_vars=["age", "debt"]),
        "pandas.dummies": lambda: pd.get_dummies(table(), columns=["city", "kind"]),
        "pandas.ordered": lambda: pd.Series(pd.Categorical(["low", "high", None], ["low", "high"], ordered=True)),
        "pandas.nullable": lambda: pd.DataFrame({"i": pd.array([1, None], dtype="Int32"), "b": pd.array([True, None], dtype="boolean"), "f": pd.array([1.5, None], dtype="Float64"), "s": pd.array(["x", None], dtype="string")}),
        "pandas.lists": lambda: pd.DataFrame({"tokens": [text.split() for text in TEXTS[:4]], "meta": [{"n": 1}] * 4, "vector": list(X)[:4]}),
        "pandas.sparse": lambda: pd.DataFrame.sparse.from_spmatrix(sparse.eye(3, format="csr")),
        "pandas.periods": lambda: series.tz_localize(None).to_period("M").groupby(level=0).mean(),
        "pandas.durations": lambda: pd.DataFrame({"wait": pd.to_timedelta([1, 2], unit="h"), "at": [pd.Timestamp("2020"), pd.NaT]}),
        "pandas.cut": lambda: pd.qcut(frame()["age"], 4, labels=list("abcd")).value_counts(),
        "pandas.columns": lambda: frame().agg({"age": ["min", "max"], "debt": ["mean"]}),
        "pandas.corr": lambda: {"pearson": frame().corr(numeric_only=True), "describe": frame().describe()},
        "pandas.dict": lambda: {str(key): part.reset_index(drop=True) for key, part in frame().groupby("city")},
        "pandas.index": lambda: [pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", "n"]), days, pd.RangeIndex(3), pd.Index([1.5, 2.5]), pd.IntervalIndex.from_breaks([0, 1, 2])],
        "pandas.objects": lambda: frame().convert_dtypes().set_index("city"),
        "numpy.features": lambda: {"x": X.astype("f4"), "y": Y.astype("u1"), "ids": np.array([f"id{i:03d}" for i in range(60)]), "mask": X > 1},
        "numpy.list": lambda: [X[i : i + 7] for i in range(0, 60, 7)],
        "numpy.ragged": lambda: np.array([np.ones(2), np.ones(3)], dtype=object),
        "numpy.records": lambda: np.rec.array([("a", 1, 2.5)], dtype=[("name", "U8"), ("n", "i4"), ("v", "f8")]),
        "numpy.scalars": lambda: {"mean": X.mean(), "n": np.int32(3), "ok": np.bool_(True), "day": np.datetime64("2024-02-29"), "text": np.str_("x"), "c": np.complex64(1j)},
        "numpy.embedding": lambda: dict(zip(["the", "fox", "dog"], RNG.normal(size=(3, 8)).astype(np.float16), strict=False)),
        "numpy.rng": lambda: {"generator": np.random.default_rng(3), "old": np.random.RandomState(3), "state": np.random.default_rng(3).bit_generator.state},
        "scipy.sparse": lambda: {"csr": sparse.random(9, 9, 0.3, "csr", random_state=1), "coo": sparse.coo_matrix(np.eye(3)), "lil": sparse.lil_matrix((3, 3)), "bsr": sparse.bsr_matrix(np.eye(4)), "block": sparse.hstack([sparse.eye(2)] * 2)},
        "scipy.fit": lambda: dict(zip(("params", "cov"), optimize.curve_fit(np.polyval and (lambda t, a, b: a * t + b), line, 2 * line + 1), strict=False)),
        "scipy.minimum": lambda: optimize.minimize(optimize.rosen, [1.3, 0.7], method="L-BFGS-B", bounds=[(0, 2)] * 2),
        "scipy.evolution": lambda: optimize.differential_evolution(optimize.rosen, [(0, 2), (0, 2)], maxiter=3, seed=0),
        "scipy.assignment": lambda: optimize.linear_sum_assignment(X[:4]),
        "scipy.spline": lambda: {"cubic": interpolate.CubicSpline(line, np.sin(line)), "linear": interpolate.interp1d(line, np.sin(line), fill_value="extrapolate"), "pchip": interpolate.PchipInterpolator(line, line**2), "tck": interpolate.splrep(line, line)},
        "scipy.rbf": lambda: interpolate.RBFInterpolator(X[:, :2], REAL, kernel="linear"),
        "scipy.univariate": lambda: interpolate.UnivariateSpline(line, np.sin(line), s=0.1),
        "scipy.frozen": lambda: {"norm": stats.norm(0, 1), "gamma": stats.gamma(2.0, scale=3), "t": stats.t(5), "binom": stats.binom(5, 0.3)},
        "scipy.kde": lambda: stats.gaussian_kde(X[:, :2].T, bw_method=0.4),
        "scipy.tests": lambda: [stats.ttest_ind(X[:, 0], X[:, 1]), stats.chi2_contingency(np.array([[5, 6], [7, 8]])), stats.mannwhitneyu(X[:, 0], X[:, 1]), stats.linregress(X[:, 0], REAL), stats.pearsonr(X[:, 0], REAL), stats.f_oneway(*X.T)],
        "scipy.filter": lambda: {"sos": signal.butter(3, 0.2, output="sos"), "tf": signal.TransferFunction([1.0], [1.0, 2.0]), "peaks": signal.find_peaks(np.sin(np.arange(30)), height=0.5)},
        "scipy.linkage": lambda: cluster.hierarchy.linkage(X[:10], "ward"),
        "scipy.tree": lambda: at("scipy.spatial", "cKDTree")(X),
        "scipy.delaunay": lambda: at("scipy.spatial", "Delaunay")(X[:10, :2]),
        "scipy.rotation": lambda: at("scipy.spatial.transform", "Rotation").from_euler("xyz", [10, 20, 30], degrees=True),
        "scipy.image": lambda: ndimage.label(X > 1),
        "python.sets": lambda: {"stop": {"a", "the"}, "frozen": frozenset("ab"), "counts": at("collections", "Counter")("aab"), "default": at("collections", "defaultdict")(int, {"a": 1}), "of-lists": at("collections", "defaultdict")(list), "queue": at("collections", "deque")([1], maxlen=3)},
        "python.nested": lambda: at("collections", "defaultdict")(at("functools", "partial")(at("collections", "defaultdict"), float)),
        "python.times": lambda: [at("datetime", "date")(2024, 2, 29), at("datetime", "timedelta")(hours=3), at("datetime", "timezone").utc, at("decimal", "Decimal")("1.10"), at("fractions", "Fraction")(1, 3), at("uuid", "UUID")(int=9)],
        "python.patterns": lambda: {"clean": at("re", "compile")(r"[^a-z]+", 2), "map": str.maketrans("ab", "cd"), "order": at("operator", "itemgetter")("score"), "field": at("operator", "attrgetter")("name")},
        "python.cycle": lambda: [3.5, None, True, 1 << 80, b"raw", "snow ☃", ("t", [1, {2: 3}]), ...],
    }  # fmt: skip


GROUPS = [("bundle", bundles), ("sklearn", estimators), ("", tables)]


def run(out: Any) -> None:
    """All of them, three files of each; what an environment does not have is counted as failed."""
    from honest_fourth_libraries import GROUPS as LIBRARIES
    from honest_fourth_torch import GROUPS as TORCH
    from honest_torch import torch_file

    for name in ("sympy", "torch._dynamo", "torchvision", "transformers"):  # not within the time of one object
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for label, group in [*GROUPS, *LIBRARIES, *TORCH]:
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
