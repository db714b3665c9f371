# ruff: noqa: E501, E731, SIM115 - makers are short functions
"""Estimators, boosters and statistics of the eighth set, on data of its own, in ways that the sets before did not use."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from honest_eighth import at

Kinds = dict[str, Callable[[Path], Any]]
SEED = 880
TITLES = ["Großes Kino", "schlecht gespielt", "何度も見たい", "sehr öde, leider", "¡bravo!", "muito chato", "ok"] * 6


def sk(name: str, *args: Any, **more: Any) -> Any:
    """An object of scikit-learn."""
    return at("sklearn." + name)(*args, **more)


def rows(width: int = 6, count: int = 90, kind: str = "float64") -> Any:
    """Numbers."""
    return np.random.default_rng(SEED + width).normal(1.0, 2.0, (count, width)).astype(kind)


def classes(kind: str, count: int = 90) -> Any:
    """A target: of text, whole numbers with gaps, truth values, or real numbers, one or several."""
    draw = np.random.default_rng(SEED)
    made = {
        "text": lambda: np.array(["müde", "wach", "ヒント"], dtype=object)[np.arange(count) % 3],
        "fixed": lambda: np.array(["a", "b"])[np.arange(count) % 2],
        "int": lambda: np.array([-1, 4, 17])[np.arange(count) % 3],
        "bool": lambda: np.arange(count) % 2 == 0,
        "real": lambda: draw.gamma(2.0, 3.0, count),
        "several": lambda: draw.normal(size=(count, 3)),
        "labels": lambda: (draw.random((count, 4)) < 0.4).astype(int),
        "columns": lambda: np.stack([np.arange(count) % 2, np.arange(count) % 3], axis=1),
    }
    return made[kind]()


def sparse() -> Any:
    """Mostly zeros."""
    return at("scipy.sparse.random")(90, 30, density=0.1, format="csr", random_state=SEED)


def people() -> Any:
    """A table: categories, missing values, dates, truth values, names beyond ASCII."""
    import pandas as pd

    draw = np.random.default_rng(SEED + 1)
    return pd.DataFrame({
        "größe": np.where(draw.random(90) < 0.2, np.nan, draw.normal(170, 9, 90)),
        "年齢": draw.integers(1, 99, 90).astype("int16"),
        "city": pd.Categorical(draw.choice(["Łódź", "Malmö", "Nice"], 90), ordered=True),
        "plan": draw.choice(["free", "pro", None], 90),
        "active": draw.random(90) < 0.5,
        "since": pd.date_range("2021-03-01", periods=90, freq="D"),
        "churn": draw.integers(0, 2, 90),
    })  # fmt: skip


def pipe(*steps: Any) -> Any:
    """A pipeline."""
    return at("sklearn.pipeline.make_pipeline")(*steps)


# name: estimator, its options, width of the data, target
ESTIMATORS: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "logistic-l1": ("linear_model.LogisticRegression", {"penalty": "l1", "solver": "saga", "max_iter": 80}, 6, "text"),
    "logistic-cv": ("linear_model.LogisticRegressionCV", {"Cs": 3, "cv": 3, "max_iter": 80}, 5, "bool"),
    "ridge-classes": ("linear_model.RidgeClassifierCV", {"alphas": (0.1, 1.0)}, 6, "int"),
    "passive": ("linear_model.PassiveAggressiveClassifier", {"average": True}, 6, "fixed"),
    "sgd-log": ("linear_model.SGDClassifier", {"loss": "log_loss", "early_stopping": True}, 7, "int"),
    "lars": ("linear_model.LassoLarsIC", {"criterion": "aic"}, 6, "real"),
    "omp": ("linear_model.OrthogonalMatchingPursuitCV", {"cv": 3}, 6, "real"),
    "theil": ("linear_model.TheilSenRegressor", {"max_subpopulation": 60}, 3, "real"),
    "ard": ("linear_model.ARDRegression", {"max_iter": 20}, 6, "real"),
    "gamma": ("linear_model.GammaRegressor", {"alpha": 0.1}, 4, "real"),
    "tweedie": ("linear_model.TweedieRegressor", {"power": 1.5, "max_iter": 300}, 4, "real"),
    "quantile": ("linear_model.QuantileRegressor", {"quantile": 0.8, "solver": "highs"}, 4, "real"),
    "tasks": ("linear_model.MultiTaskElasticNetCV", {"cv": 3}, 5, "several"),
    "lasso-tasks": ("linear_model.MultiTaskLasso", {"alpha": 0.1}, 5, "several"),
    "lars-cv": ("linear_model.LarsCV", {"cv": 3}, 5, "real"),
    "forest-entropy": ("ensemble.RandomForestClassifier", {"n_estimators": 6, "criterion": "log_loss"}, 6, "bool"),
    "forest-columns": ("ensemble.RandomForestClassifier", {"n_estimators": 5, "max_depth": 4}, 6, "columns"),
    "forest-labels": ("ensemble.ExtraTreesClassifier", {"n_estimators": 4, "bootstrap": True}, 6, "labels"),
    "forest-real": ("ensemble.RandomForestRegressor", {"n_estimators": 6, "criterion": "absolute_error"}, 5, "real"),
    "extra-several": ("ensemble.ExtraTreesRegressor", {"n_estimators": 5, "max_leaf_nodes": 9}, 5, "several"),
    "embedding": ("ensemble.RandomTreesEmbedding", {"n_estimators": 4, "max_depth": 3}, 5, "int"),
    "histogram": ("ensemble.HistGradientBoostingClassifier", {"max_iter": 5, "l2_regularization": 0.3}, 6, "text"),
    "histogram-quantile": ("ensemble.HistGradientBoostingRegressor", {"max_iter": 5, "loss": "quantile", "quantile": 0.7}, 6, "real"),
    "gradient-many": ("ensemble.GradientBoostingClassifier", {"n_estimators": 4, "max_features": "sqrt"}, 6, "int"),
    "gradient-quantile": ("ensemble.GradientBoostingRegressor", {"n_estimators": 5, "loss": "quantile", "init": "zero"}, 6, "real"),
    "bagging-features": ("ensemble.BaggingRegressor", {"n_estimators": 3, "max_features": 0.6}, 6, "real"),
    "tree-several": ("tree.DecisionTreeRegressor", {"max_depth": 4, "criterion": "friedman_mse"}, 6, "real"),
    "tree-columns": ("tree.DecisionTreeClassifier", {"max_leaf_nodes": 8}, 6, "columns"),
    "extra-tree": ("tree.ExtraTreeRegressor", {"max_depth": 4}, 6, "several"),
    "svc-linear": ("svm.LinearSVC", {"loss": "hinge", "max_iter": 500}, 6, "text"),
    "svc-rbf": ("svm.SVC", {"decision_function_shape": "ovo", "C": 3.0}, 6, "int"),
    "svr-linear": ("svm.LinearSVR", {"max_iter": 500}, 6, "real"),
    "nu-svr": ("svm.NuSVR", {"nu": 0.3, "kernel": "poly"}, 6, "real"),
    "knn-kd": ("neighbors.KNeighborsClassifier", {"algorithm": "kd_tree", "p": 3}, 4, "bool"),
    "knn-brute": ("neighbors.KNeighborsRegressor", {"algorithm": "brute", "metric": "cosine"}, 4, "several"),
    "radius": ("neighbors.RadiusNeighborsClassifier", {"radius": 9.0, "outlier_label": "most_frequent"}, 4, "int"),
    "nearest": ("neighbors.NearestNeighbors", {"algorithm": "ball_tree", "leaf_size": 10}, 4, "int"),
    "density": ("neighbors.KernelDensity", {"bandwidth": 0.4, "kernel": "tophat"}, 3, "int"),
    "components": ("neighbors.NeighborhoodComponentsAnalysis", {"n_components": 2, "max_iter": 10}, 4, "int"),
    "bayes-complement": ("naive_bayes.ComplementNB", {}, 0, "text"),
    "bayes-categories": ("naive_bayes.CategoricalNB", {"min_categories": 40}, 0, "int"),
    "mixture-bayes": ("mixture.BayesianGaussianMixture", {"n_components": 3, "covariance_type": "diag"}, 4, "int"),
    "mixture-full": ("mixture.GaussianMixture", {"n_components": 2, "init_params": "k-means++"}, 4, "int"),
    "process-classes": ("gaussian_process.GaussianProcessClassifier", {"max_iter_predict": 5}, 3, "text"),
    "mlp-layers": ("neural_network.MLPClassifier", {"hidden_layer_sizes": (5, 4, 3), "max_iter": 15, "solver": "adam"}, 6, "labels"),
    "mlp-lbfgs": ("neural_network.MLPRegressor", {"hidden_layer_sizes": (7,), "solver": "lbfgs", "max_iter": 15}, 6, "several"),
    "rbm": ("neural_network.BernoulliRBM", {"n_components": 3, "n_iter": 2}, 5, "int"),
    "kmeans-elkan": ("cluster.KMeans", {"n_clusters": 4, "algorithm": "elkan", "n_init": 1}, 4, "int"),
    "bisecting": ("cluster.BisectingKMeans", {"n_clusters": 4}, 4, "int"),
    "dbscan": ("cluster.DBSCAN", {"eps": 1.5}, 3, "int"),
    "hdbscan": ("cluster.HDBSCAN", {"min_cluster_size": 4}, 3, "int"),
    "optics": ("cluster.OPTICS", {"min_samples": 4}, 3, "int"),
    "birch": ("cluster.Birch", {"n_clusters": 3, "threshold": 0.8}, 3, "int"),
    "mean-shift": ("cluster.MeanShift", {"bandwidth": 3.0}, 3, "int"),
    "affinity": ("cluster.AffinityPropagation", {"damping": 0.8}, 3, "int"),
    "spectral": ("cluster.SpectralClustering", {"n_clusters": 3}, 3, "int"),
    "agglomerate": ("cluster.FeatureAgglomeration", {"n_clusters": 3}, 6, "int"),
    "ica": ("decomposition.FastICA", {"n_components": 3, "max_iter": 100}, 6, "int"),
    "factors": ("decomposition.FactorAnalysis", {"n_components": 2}, 6, "int"),
    "kernel-pca": ("decomposition.KernelPCA", {"n_components": 3, "kernel": "rbf", "fit_inverse_transform": True}, 5, "int"),
    "incremental-pca": ("decomposition.IncrementalPCA", {"n_components": 2, "batch_size": 30}, 6, "int"),
    "sparse-pca": ("decomposition.MiniBatchSparsePCA", {"n_components": 2, "max_iter": 5}, 6, "int"),
    "dictionary": ("decomposition.MiniBatchDictionaryLearning", {"n_components": 4, "max_iter": 5}, 6, "int"),
    "isomap": ("manifold.Isomap", {"n_components": 2, "n_neighbors": 6}, 4, "int"),
    "lle": ("manifold.LocallyLinearEmbedding", {"n_neighbors": 6}, 4, "int"),
    "tsne": ("manifold.TSNE", {"perplexity": 5.0, "init": "random"}, 4, "int"),
    "mds": ("manifold.MDS", {"n_init": 1, "max_iter": 20}, 4, "int"),
    "cca": ("cross_decomposition.CCA", {"n_components": 2}, 5, "several"),
    "pls-canonical": ("cross_decomposition.PLSCanonical", {"n_components": 2}, 5, "several"),
    "covariance": ("covariance.LedoitWolf", {}, 4, "int"),
    "lasso-covariance": ("covariance.GraphicalLassoCV", {"cv": 3}, 4, "int"),
    "envelope": ("covariance.EllipticEnvelope", {"contamination": 0.1}, 4, "int"),
    "isolation": ("ensemble.IsolationForest", {"n_estimators": 7, "max_features": 0.7}, 5, "int"),
    "outlier-sgd": ("linear_model.SGDOneClassSVM", {"nu": 0.2}, 5, "int"),
    "isotonic": ("isotonic.IsotonicRegression", {"out_of_bounds": "clip"}, 1, "real"),
    "propagation": ("semi_supervised.LabelSpreading", {"kernel": "knn", "n_neighbors": 5}, 4, "int"),
    "qda": ("discriminant_analysis.QuadraticDiscriminantAnalysis", {"store_covariance": True}, 4, "text"),
    "lda-eigen": ("discriminant_analysis.LinearDiscriminantAnalysis", {"solver": "eigen", "shrinkage": 0.2}, 4, "int"),
    "dummy": ("dummy.DummyClassifier", {"strategy": "stratified"}, 4, "text"),
    "random-projection": ("random_projection.SparseRandomProjection", {"n_components": 3}, 6, "int"),
    "nystroem": ("kernel_approximation.Nystroem", {"n_components": 5}, 6, "int"),
    "sampler": ("kernel_approximation.RBFSampler", {"n_components": 5}, 6, "int"),
    "splines": ("preprocessing.SplineTransformer", {"n_knots": 4, "degree": 2}, 3, "int"),
    "bins": ("preprocessing.KBinsDiscretizer", {"n_bins": 3, "encode": "ordinal", "subsample": None}, 3, "int"),
    "target-encoder": ("preprocessing.TargetEncoder", {"target_type": "continuous"}, 0, "real"),
    "ordinal": ("preprocessing.OrdinalEncoder", {"handle_unknown": "use_encoded_value", "unknown_value": -1}, 0, "int"),
    "quantiles": ("preprocessing.QuantileTransformer", {"n_quantiles": 20, "output_distribution": "normal"}, 4, "int"),
}  # fmt: skip


def estimator(name: str) -> Any:
    """One of them, fitted."""
    place, options, width, target = ESTIMATORS[name]
    inputs = rows(width) if width else np.random.default_rng(SEED).integers(0, 30, (90, 5))
    made = sk(place, **options)
    y = classes(target)
    return made.fit(inputs[:, 0], y) if name == "isotonic" else made.fit(inputs, y)


def columns(model: Any) -> Any:
    """A pipeline over the table's columns."""
    table, select = people(), sk("compose.make_column_selector", dtype_include=["number"])
    numbers = pipe(sk("impute.KNNImputer", n_neighbors=3), sk("preprocessing.MaxAbsScaler"))
    words = pipe(
        sk("impute.SimpleImputer", strategy="constant", fill_value="?", missing_values=None),
        sk("preprocessing.OneHotEncoder", handle_unknown="infrequent_if_exist", min_frequency=2),
    )
    made = sk(
        "compose.ColumnTransformer",
        [("zahlen", numbers, select), ("wörter", words, ["plan"]), ("bool", "passthrough", ["active"])],
        remainder="drop",
        verbose_feature_names_out=False,
    )
    return pipe(made, model).fit(table.drop(columns=["churn", "since"]), table.churn)  # fmt: skip


def others() -> dict[str, Callable[[], Any]]:
    """Searches, pipelines, boosters, statistics."""
    quiet = {"iterations": 4, "verbose": 0, "allow_writing_files": False, "random_seed": 5}
    tree = lambda **more: sk("tree.DecisionTreeClassifier", max_depth=3, **more)
    frame = lambda: at("pandas.DataFrame")(rows(4), columns=["α", "β", "γ", "δ"])
    months = lambda: at("pandas.Series")(
        20 + np.sin(np.arange(60) / 3) + rows(1, 60)[:, 0] / 9,
        index=at("pandas.date_range")("2020-01-01", periods=60, freq="MS"),
    )
    formula = lambda name, text, **more: at(f"statsmodels.formula.api.{name}")(
        text, people().assign(size=people()["größe"].fillna(170.0), age=people()["年齢"].astype(float)), **more
    )
    xgb = lambda name, y="int", x=None, **more: at(f"xgboost.{name}")(n_estimators=4, max_depth=3, **more).fit(
        rows(6) if x is None else x, y if not isinstance(y, str) else classes(y)
    )
    lgb = lambda name, y="int", x=None, **more: at(f"lightgbm.{name}")(n_estimators=4, verbose=-1, **more).fit(
        rows(6) if x is None else x, y if not isinstance(y, str) else classes(y)
    )
    cat = lambda name, y="int", **more: at(f"catboost.{name}")(**quiet, **more).fit(rows(6), classes(y))
    imb = lambda place, **more: at("imblearn.pipeline.Pipeline")(
        [("s", at(f"imblearn.{place}")(**more)), ("m", tree())]
    ).fit(rows(5), np.arange(90) % 5 == 0)
    encoder = lambda name, **more: at(f"category_encoders.{name}")(cols=["city", "plan"], **more).fit(
        people()[["city", "plan"]], people().churn
    )
    feature = lambda place, **more: at(f"feature_engine.{place}")(**more).fit(people().drop(columns="since"))
    lines = lambda name, **more: at(f"lifelines.{name}")(**more)
    halving = lambda: (
        __import__("importlib").import_module("sklearn.experimental.enable_halving_search_cv"),
        sk("model_selection.HalvingGridSearchCV", tree(), {"min_samples_leaf": [1, 2, 4]}, cv=3, min_resources=20).fit(
            rows(5), classes("bool")
        ),
    )[1]
    iterative = lambda: (
        __import__("importlib").import_module("sklearn.experimental.enable_iterative_imputer"),
        sk("impute.IterativeImputer", max_iter=2).fit(rows(4)),
    )[1]
    return {
        "columns-logistic": lambda: columns(sk("linear_model.LogisticRegression", max_iter=200, class_weight={0: 1.0, 1: 2.5})),
        "columns-forest": lambda: columns(sk("ensemble.RandomForestClassifier", 5, max_samples=0.7)),
        "columns-xgb": lambda: columns(at("xgboost.XGBClassifier")(n_estimators=3)),
        "columns-lgb": lambda: columns(at("lightgbm.LGBMClassifier")(n_estimators=3, verbose=-1)),
        "columns-cat": lambda: columns(at("catboost.CatBoostClassifier")(**quiet)),
        "halving": halving, "iterative": iterative,
        "grid-pipe": lambda: sk("model_selection.GridSearchCV", pipe(sk("preprocessing.StandardScaler"), sk("svm.SVC")), {"svc__C": [0.5, 2.0], "svc__gamma": ["scale", 0.1]}, cv=sk("model_selection.StratifiedKFold", 3, shuffle=True, random_state=1), scoring="balanced_accuracy").fit(rows(5), classes("text")),
        "grid-scores": lambda: sk("model_selection.GridSearchCV", tree(), {"max_depth": [2, 3]}, cv=sk("model_selection.RepeatedKFold", n_splits=2, n_repeats=2), scoring={"f1": "f1_macro", "acc": "accuracy"}, refit="f1", return_train_score=True).fit(rows(5), classes("int")),
        "random-uniform": lambda: sk("model_selection.RandomizedSearchCV", sk("linear_model.Ridge"), {"alpha": at("scipy.stats.loguniform")(1e-3, 10)}, n_iter=3, cv=sk("model_selection.TimeSeriesSplit", 3), random_state=2).fit(rows(5), classes("real")),
        "threshold": lambda: sk("model_selection.TunedThresholdClassifierCV", sk("linear_model.LogisticRegression"), cv=3).fit(rows(5), classes("bool")),
        "fixed-threshold": lambda: sk("model_selection.FixedThresholdClassifier", sk("linear_model.LogisticRegression"), threshold=0.3).fit(rows(5), classes("bool")),
        "frozen": lambda: sk("frozen.FrozenEstimator", sk("linear_model.LogisticRegression").fit(rows(5), classes("bool"))),
        "chain": lambda: sk("multioutput.ClassifierChain", sk("linear_model.LogisticRegression"), order="random", random_state=0).fit(rows(6), classes("labels")),
        "chain-real": lambda: sk("multioutput.RegressorChain", sk("linear_model.Ridge")).fit(rows(6), classes("several")),
        "multi": lambda: sk("multioutput.MultiOutputClassifier", sk("naive_bayes.GaussianNB")).fit(rows(6), classes("columns")),
        "one-one": lambda: sk("multiclass.OneVsOneClassifier", sk("linear_model.Perceptron")).fit(rows(6), classes("text")),
        "output-code": lambda: sk("multiclass.OutputCodeClassifier", tree(), code_size=2.0).fit(rows(6), classes("text")),
        "self-training": lambda: sk("semi_supervised.SelfTrainingClassifier", sk("naive_bayes.GaussianNB")).fit(rows(6), np.where(np.arange(90) % 4 == 0, -1, np.arange(90) % 2)),
        "calibrated-sigmoid": lambda: sk("calibration.CalibratedClassifierCV", sk("svm.LinearSVC"), method="sigmoid", cv=3, ensemble=False).fit(rows(6), classes("text")),
        "stack-real": lambda: sk("ensemble.StackingRegressor", [("a", sk("linear_model.Ridge")), ("b", tree_real())], passthrough=True, cv=3).fit(rows(6), classes("real")),
        "vote-soft": lambda: sk("ensemble.VotingClassifier", [("a", sk("naive_bayes.GaussianNB")), ("b", tree())], voting="soft", weights=[1, 2]).fit(rows(6), classes("text")),
        "bagged-knn": lambda: sk("ensemble.BaggingClassifier", sk("neighbors.KNeighborsClassifier"), n_estimators=3, bootstrap_features=True, oob_score=True).fit(rows(6), classes("text")),
        "ada-tree": lambda: sk("ensemble.AdaBoostClassifier", tree(), n_estimators=3).fit(rows(6), classes("bool")),
        "rfecv": lambda: sk("feature_selection.RFECV", tree(), cv=3, min_features_to_select=2).fit(rows(6), classes("int")),
        "sequential": lambda: sk("feature_selection.SequentialFeatureSelector", tree(), n_features_to_select=2, cv=3).fit(rows(5), classes("int")),
        "from-model": lambda: pipe(sk("feature_selection.SelectFromModel", sk("linear_model.Lasso", alpha=0.05), threshold="median"), sk("linear_model.Ridge")).fit(rows(6), classes("real")),
        "percentile": lambda: pipe(sk("feature_selection.SelectPercentile", at("sklearn.feature_selection.mutual_info_classif"), percentile=50), tree()).fit(rows(6), classes("int")),
        "function": lambda: pipe(sk("preprocessing.FunctionTransformer", np.log1p, inverse_func=np.expm1, check_inverse=False), sk("linear_model.Ridge")).fit(np.abs(rows(4)), classes("real")),
        "target-quantile": lambda: sk("compose.TransformedTargetRegressor", sk("linear_model.Ridge"), transformer=sk("preprocessing.PowerTransformer")).fit(rows(4), classes("real")),
        "memory-none": lambda: sk("pipeline.Pipeline", [("s", "passthrough"), ("m", tree())], verbose=True).fit(rows(4), classes("text")),
        "pandas-out": lambda: pipe(sk("preprocessing.StandardScaler"), sk("decomposition.PCA", 2)).set_output(transform="pandas").fit(frame()),
        "sparse-logistic": lambda: sk("linear_model.LogisticRegression", solver="liblinear").fit(sparse(), classes("bool")),
        "sparse-forest": lambda: sk("ensemble.RandomForestRegressor", 4).fit(sparse(), classes("real")),
        "sparse-knn": lambda: sk("neighbors.KNeighborsClassifier").fit(sparse(), classes("text")),
        "sparse-svd": lambda: pipe(sk("decomposition.TruncatedSVD", 3), sk("preprocessing.Normalizer"), sk("cluster.KMeans", 3, n_init=1)).fit(sparse()),
        "labels-binarizer": lambda: sk("preprocessing.MultiLabelBinarizer").fit([["rot", "grün"], ["blau"], []]),
        "label-binarizer": lambda: sk("preprocessing.LabelBinarizer", sparse_output=True).fit(classes("text")),
        "kernels": lambda: sk("gaussian_process.GaussianProcessRegressor", at("sklearn.gaussian_process.kernels.ConstantKernel")(2.0) * at("sklearn.gaussian_process.kernels.Matern")(nu=1.5) + at("sklearn.gaussian_process.kernels.DotProduct")() ** 2, normalize_y=True).fit(rows(3, 30), classes("real", 30)),
        "text-union": lambda: pipe(at("sklearn.pipeline.make_union")(sk("feature_extraction.text.TfidfVectorizer", analyzer="char", ngram_range=(2, 3)), sk("feature_extraction.text.CountVectorizer", vocabulary=["öde", "ok", "kino"], lowercase=True)), sk("naive_bayes.ComplementNB")).fit(TITLES, np.arange(len(TITLES)) % 3),
        "text-hash": lambda: pipe(sk("feature_extraction.text.HashingVectorizer", n_features=64, norm="l1", alternate_sign=False), sk("feature_extraction.text.TfidfTransformer", sublinear_tf=True), sk("linear_model.RidgeClassifier")).fit(TITLES, np.arange(len(TITLES)) % 2 == 0),
        "text-topics": lambda: pipe(sk("feature_extraction.text.TfidfVectorizer", stop_words=["ok", "muito"], dtype=np.float32), sk("decomposition.NMF", 2, max_iter=30)).fit(TITLES),
        "dict-vectors": lambda: pipe(sk("feature_extraction.DictVectorizer", sparse=False), tree()).fit([{"stadt": "Ulm", "x": 1.5}, {"stadt": "Bonn", "x": 2}] * 20, [0, 1] * 20),
        "feature-hasher": lambda: sk("feature_extraction.FeatureHasher", 16, input_type="string"),
        "xgb-text": lambda: xgb("XGBClassifier", classes("int") // 9 + 1, objective="multi:softmax"),
        "xgb-missing": lambda: xgb("XGBRegressor", "real", np.where(rows(6) > 3, np.nan, rows(6)), missing=np.nan, objective="reg:pseudohubererror"),
        "xgb-several": lambda: xgb("XGBRegressor", "several", multi_strategy="multi_output_tree", tree_method="hist"),
        "xgb-labels": lambda: xgb("XGBClassifier", "labels"),
        "xgb-linear": lambda: xgb("XGBRegressor", "real", booster="gblinear"),
        "xgb-forest": lambda: at("xgboost.XGBRFClassifier")(n_estimators=4, max_depth=3).fit(rows(6), classes("bool")),
        "xgb-categories": lambda: at("xgboost.XGBClassifier")(n_estimators=3, enable_categorical=True, tree_method="hist").fit(people()[["größe", "city"]], people().churn),
        "xgb-callbacks": lambda: at("xgboost.XGBClassifier")(n_estimators=5, early_stopping_rounds=2, eval_metric=["logloss", "auc"]).fit(rows(6), classes("bool"), eval_set=[(rows(6), classes("bool"))], verbose=False),
        "xgb-constraints": lambda: xgb("XGBRegressor", "real", monotone_constraints=(1, 0, -1, 0, 0, 0)),
        "xgb-poisson": lambda: at("xgboost.train")({"objective": "count:poisson", "max_depth": 2, "eval_metric": "poisson-nloglik"}, at("xgboost.DMatrix")(rows(4), np.arange(90) % 6, feature_names=["ä", "b c", "ç", "d"]), 3),
        "lgb-text": lambda: lgb("LGBMClassifier", "text", class_weight="balanced"),
        "lgb-quantile": lambda: lgb("LGBMRegressor", "real", objective="quantile", alpha=0.8),
        "lgb-sparse": lambda: lgb("LGBMClassifier", "bool", sparse()),
        "lgb-rank": lambda: at("lightgbm.LGBMRanker")(n_estimators=3, verbose=-1).fit(rows(6), np.arange(90) % 3, group=[30, 60]),
        "lgb-categories": lambda: at("lightgbm.LGBMClassifier")(n_estimators=3, verbose=-1, min_child_samples=3).fit(people()[["größe", "city"]], people().churn),
        "lgb-linear": lambda: lgb("LGBMRegressor", "real", linear_tree=True),
        "lgb-extra": lambda: lgb("LGBMClassifier", "int", extra_trees=True, boosting_type="rf", subsample=0.6, subsample_freq=1),
        "cat-text": lambda: cat("CatBoostClassifier", "text", loss_function="MultiClassOneVsAll"),
        "cat-quantile": lambda: cat("CatBoostRegressor", "real", loss_function="Quantile:alpha=0.9"),
        "cat-several": lambda: cat("CatBoostRegressor", "several", loss_function="MultiRMSE"),
        "cat-lossguide": lambda: cat("CatBoostClassifier", "bool", grow_policy="Lossguide", max_leaves=6),
        "cat-rank": lambda: at("catboost.CatBoostRanker")(**quiet).fit(rows(6), np.arange(90) % 3, group_id=np.repeat([1, 2, 3], 30)),
        "wls": lambda: at("statsmodels.api.WLS")(classes("real"), rows(4), weights=np.linspace(0.5, 1, 90)).fit(cov_type="HC3"),
        "rlm": lambda: at("statsmodels.api.RLM")(classes("real"), rows(4), M=at("statsmodels.robust.norms.TukeyBiweight")()).fit(),
        "mnlogit": lambda: at("statsmodels.api.MNLogit")(np.arange(90) % 3, rows(2)).fit(disp=0),
        "negative": lambda: at("statsmodels.api.NegativeBinomial")(np.arange(90) % 5, np.ones((90, 1))).fit(disp=0),
        "quantreg": lambda: formula("quantreg", "size ~ age + C(plan, Treatment('pro'))").fit(q=0.4),
        "mixed": lambda: formula("mixedlm", "size ~ age", groups=people()["city"].astype(str)).fit(),
        "gee": lambda: formula("gee", "churn ~ age", groups=np.repeat(np.arange(18), 5), family=at("statsmodels.genmod.families.Poisson")()).fit(),
        "poisson": lambda: formula("poisson", "churn ~ np.log(age + 1)").fit(disp=0),
        "ets": lambda: at("statsmodels.tsa.exponential_smoothing.ets.ETSModel")(months(), error="add", trend="add", damped_trend=True).fit(disp=0),
        "arima-dates": lambda: at("statsmodels.tsa.arima.model.ARIMA")(months(), order=(1, 0, 1), seasonal_order=(0, 1, 0, 12)).fit(),
        "var": lambda: at("statsmodels.tsa.api.VAR")(rows(3)).fit(2),
        "auto-regression": lambda: at("statsmodels.tsa.ar_model.AutoReg")(months(), 2, seasonal=True).fit(),
        "unobserved": lambda: at("statsmodels.tsa.statespace.structural.UnobservedComponents")(months(), "local linear trend").fit(disp=0),
        "holt-damped": lambda: at("statsmodels.tsa.api.Holt")(months(), damped_trend=True).fit(),
        "theta": lambda: at("statsmodels.tsa.forecasting.theta.ThetaModel")(months(), period=12).fit(),
        "decompose": lambda: at("statsmodels.tsa.seasonal.seasonal_decompose")(months(), period=12),
        "kde": lambda: at("scipy.stats.gaussian_kde")(rows(2).T),
        "spline": lambda: at("scipy.interpolate.CubicSpline")(np.arange(9.0), rows(2, 9)),
        "kd-tree": lambda: at("scipy.spatial.KDTree")(rows(3)),
        "grid-interpolator": lambda: at("scipy.interpolate.RegularGridInterpolator")((np.arange(4.0), np.arange(3.0)), rows(3, 4)),
        "tomek": lambda: imb("combine.SMOTETomek", random_state=1), "near-miss": lambda: imb("under_sampling.NearMiss", version=2), "adasyn": lambda: imb("over_sampling.ADASYN", n_neighbors=3),
        "balanced-forest": lambda: at("imblearn.ensemble.BalancedRandomForestClassifier")(n_estimators=3, sampling_strategy="all", replacement=True, bootstrap=False).fit(rows(5), classes("bool")),
        "rus-boost": lambda: at("imblearn.ensemble.RUSBoostClassifier")(n_estimators=3).fit(rows(5), classes("bool")),
        "woe": lambda: encoder("WOEEncoder", randomized=True), "catboost-encoder": lambda: encoder("CatBoostEncoder"), "base-n": lambda: encoder("BaseNEncoder", base=3), "james": lambda: encoder("JamesSteinEncoder"), "helmert": lambda: encoder("HelmertEncoder"),
        "winsorizer": lambda: feature("outliers.Winsorizer", capping_method="iqr", missing_values="ignore"), "rare": lambda: feature("encoding.RareLabelEncoder", tol=0.1, n_categories=2, missing_values="ignore"), "median": lambda: feature("imputation.MeanMedianImputer"),
        "weibull": lambda: lines("WeibullFitter").fit(np.arange(1, 61), np.arange(60) % 3 > 0), "aft": lambda: lines("LogNormalAFTFitter").fit(at("pandas.DataFrame")({"t": np.arange(1.0, 61), "e": np.arange(60) % 2, "x": rows(1, 60)[:, 0]}), "t", "e"), "nelson": lambda: lines("NelsonAalenFitter").fit(np.arange(1, 61)),
        "frame": people, "series": months, "sparse-matrix": sparse, "groups": lambda: {key: part.reset_index(drop=True) for key, part in people().groupby("city", observed=True)},
        "interval": lambda: at("pandas.cut")(people()["年齢"], 4), "multi-index": lambda: people().set_index(["city", "年齢"])[["größe"]], "timezone": lambda: people().assign(at=people().since.dt.tz_localize("Europe/Berlin")), "periods": lambda: people().assign(month=people().since.dt.to_period("M"), wait=people().since.diff()), "nullable": lambda: people().drop(columns=["city", "since"]).convert_dtypes(),
        "dataset": lambda: at("xarray.Dataset")({"t": (("x", "y"), rows(3, 4))}, coords={"x": list("abcd")}),
        "bundle": lambda: {"model": estimator("forest-real"), "scaler": sk("preprocessing.RobustScaler").fit(rows(5)), "features": people().dtypes.astype(str).to_dict(), "trained": at("datetime.datetime")(2025, 3, 1), "path": at("pathlib.PurePosixPath")("models/v3"), "metrics": {"rmse": np.float32(3.5)}, "hash": bytes(range(20))},
    }  # fmt: skip


def tree_real() -> Any:
    """A small tree for numbers."""
    return sk("tree.DecisionTreeRegressor", max_depth=2)


def _pickle(opener: Any, name: str, **more: Any) -> Callable[[Path, Any], None]:
    def way(folder: Path, value: Any) -> None:
        with opener(str(folder / name), "wb") as stream:
            pickle.dump(value, stream, **more)

    return way


def _joblib(name: str, **more: Any) -> Callable[[Path, Any], None]:
    return lambda folder, value: at("joblib.dump")(value, str(folder / name), **more)


def _slow(folder: Path, value: Any) -> None:
    """By the pickler that is written in Python; it makes other memo entries."""
    stream = io.BytesIO()
    pickle._Pickler(stream, 4).dump(value)  # type: ignore[attr-defined]
    (folder / "model.pkl").write_bytes(stream.getvalue())


def _zipped(folder: Path, value: Any) -> None:
    stream = io.BytesIO()
    at("joblib.dump")(value, stream, compress=("zlib", 1))
    with zipfile.ZipFile(folder / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("modèle/model.joblib", stream.getvalue())


WAYS: dict[str, Callable[[Path, Any], None]] = {
    "p2": _pickle(open, "clf_v2.pkl", protocol=2),
    "p3": _pickle(open, "modèle.pickle", protocol=3),
    "p5": _pickle(open, "model.sav", protocol=5),
    "joblib": _joblib("model.joblib"),
    "lzma": _joblib("model.lzma", compress=("lzma", 6)),
    "optimized": lambda f, v: (f / "model.pkl").write_bytes(pickletools.optimize(pickle.dumps(v, 4))) and None,
    "bz2": _joblib("model.joblib.bz2", compress=("bz2", 9)),
    "slow": _slow,
    "gz9": _pickle(lambda p, m: gzip.open(p, m, 9), "model.pickle.gz", protocol=5),
    "lz4": _joblib("model.joblib.lz4", compress=("lz4", 3)),
    "zipped": _zipped,
    "p0": _pickle(open, "legacy.pickle", protocol=0),
    "xz": _pickle(lambda p, m: lzma.open(p, m, preset=0), "model.pkl.xz", protocol=4),
    "p1-bz2": _pickle(bz2.open, "model.pkl.bz2", protocol=1),
    "pandas-xz": lambda f, v: at("pandas.to_pickle")(v, str(f / "model.pkl.xz"), protocol=4),
    "z0": _joblib("model.z", compress=1, protocol=5),
    "object-array": lambda f, v: np.save(str(f / "model.npy"), np.array({"m": v}, dtype=object), allow_pickle=True),
}


def kinds() -> Kinds:
    """Each estimator in one way, each other object in two; the ways go round, from another start in each Python."""
    made: Kinds = {}
    ways, start = list(WAYS), __import__("sys").version_info[1] * 5
    for index, name in enumerate(ESTIMATORS):
        way = ways[(index + start) % len(ways)]
        made[f"{name}.{way}"] = lambda folder, name=name, way=way: WAYS[way](folder, estimator(name))
    for index, (name, make) in enumerate(others().items()):
        for step in (3, 10):
            way = ways[(index + start + step) % len(ways)]
            made[f"{name}.{way}"] = lambda folder, make=make, way=way: WAYS[way](folder, make())
    return made
