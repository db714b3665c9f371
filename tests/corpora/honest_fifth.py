# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fifth held-out objects: estimators with the options of guides and user questions, and what stands beside them.

Chosen on 2026-11-23, before any file of the environments `fifth*` of environments.toml was written, from libraries that
are in the table in other versions. Written only there, read once. See honest_fifth_data.py, honest_fifth_libraries.py, honest_fifth_others.py and
honest_fifth_torch.py for the other families. Left out, because they are refused on purpose: spaCy, skorch's nets, pygam,
functions that numba compiled, whole objects of libraries that are in no table (peft).
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_held import REAL, RNG, TEXTS, THREE, Makers, X, Y, at, frame, sk

NAMES = np.array(["low", "mid", "high"])[THREE]
COUNTS = RNG.poisson(3, 60)
WIDE = RNG.normal(size=(60, 12)).astype("float32")
PLACES = ["Rome", "Oslo", "Lima"]


def pipeline(*steps: tuple[str, Any], **more: Any) -> Any:
    """`Pipeline` with named steps."""
    return at("sklearn.pipeline", "Pipeline")(list(steps), **more)


def people() -> Any:
    """A table as a customer base has it: numbers, categories, gaps, flags."""
    made = frame().drop(columns="day")
    made["vip"] = Y.astype(bool)
    made["plan"] = [None if i % 9 == 0 else "abc"[i % 3] for i in range(60)]
    made.loc[::8, "income"] = np.nan
    return made


# Class, options, what it is fitted on: labels, names, real numbers, counts, nothing, two columns, several labels.
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("linear_model.LogisticRegression", {"penalty": "l1", "solver": "liblinear", "C": 0.3}, "labels"),
    ("linear_model.LogisticRegression", {"penalty": "elasticnet", "solver": "saga", "l1_ratio": 0.4, "max_iter": 30}, "names"),
    ("linear_model.LogisticRegressionCV", {"Cs": 3, "cv": 2, "scoring": "neg_log_loss"}, "names"),
    ("linear_model.RidgeClassifierCV", {"alphas": [0.1, 1.0]}, "names"),
    ("linear_model.ElasticNetCV", {"l1_ratio": [0.3, 0.9], "cv": 3}, "real"),
    ("linear_model.MultiTaskLassoCV", {"cv": 2}, "two"),
    ("linear_model.OrthogonalMatchingPursuitCV", {"cv": 3}, "real"),
    ("linear_model.LassoLarsIC", {"criterion": "bic"}, "real"),
    ("linear_model.ARDRegression", {"threshold_lambda": 1e3}, "real"),
    ("linear_model.TweedieRegressor", {"power": 1.5, "alpha": 0.1, "link": "log"}, "counts"),
    ("linear_model.GammaRegressor", {"alpha": 0.2}, "positive"),
    ("linear_model.TheilSenRegressor", {"random_state": 0, "max_subpopulation": 50}, "real"),
    ("linear_model.PassiveAggressiveClassifier", {"average": True}, "names"),
    ("linear_model.SGDOneClassSVM", {"nu": 0.2}, "none"),
    ("linear_model.SGDClassifier", {"loss": "log_loss", "early_stopping": True, "learning_rate": "adaptive", "eta0": 0.1}, "names"),
    ("linear_model.SGDRegressor", {"loss": "epsilon_insensitive", "average": 5}, "real"),
    ("svm.SVC", {"kernel": "poly", "degree": 2, "coef0": 1.0, "decision_function_shape": "ovo"}, "names"),
    ("svm.SVC", {"kernel": "sigmoid", "probability": True, "break_ties": False}, "labels"),
    ("svm.NuSVC", {"nu": 0.3, "gamma": 0.1}, "labels"),
    ("svm.NuSVR", {"kernel": "linear", "C": 2}, "real"),
    ("svm.LinearSVR", {"loss": "squared_epsilon_insensitive", "dual": False}, "real"),
    ("svm.OneClassSVM", {"nu": 0.1, "kernel": "rbf"}, "none"),
    ("tree.DecisionTreeClassifier", {"criterion": "entropy", "ccp_alpha": 0.01, "class_weight": "balanced"}, "names"),
    ("tree.DecisionTreeRegressor", {"criterion": "friedman_mse", "max_leaf_nodes": 5}, "two"),
    ("tree.DecisionTreeRegressor", {"criterion": "poisson", "max_depth": 2}, "counts"),
    ("tree.ExtraTreeClassifier", {"max_features": "sqrt", "splitter": "random"}, "several"),
    ("ensemble.RandomForestClassifier", {"n_estimators": 3, "oob_score": True, "class_weight": "balanced_subsample"}, "names"),
    ("ensemble.RandomForestClassifier", {"n_estimators": 3, "warm_start": True, "criterion": "entropy"}, "several"),
    ("ensemble.RandomForestRegressor", {"n_estimators": 3, "criterion": "poisson", "bootstrap": False}, "counts"),
    ("ensemble.ExtraTreesClassifier", {"n_estimators": 3, "bootstrap": True, "max_samples": 0.5}, "labels"),
    ("ensemble.GradientBoostingClassifier", {"n_estimators": 3, "subsample": 0.5, "max_features": 2, "loss": "exponential"}, "labels"),
    ("ensemble.GradientBoostingClassifier", {"n_estimators": 3, "n_iter_no_change": 2, "validation_fraction": 0.2}, "names"),
    ("ensemble.GradientBoostingRegressor", {"n_estimators": 3, "loss": "huber", "alpha": 0.8}, "real"),
    ("ensemble.HistGradientBoostingClassifier", {"max_iter": 3, "early_stopping": True, "l2_regularization": 0.1}, "names"),
    ("ensemble.HistGradientBoostingRegressor", {"max_iter": 3, "loss": "poisson", "max_leaf_nodes": 4}, "counts"),
    ("ensemble.HistGradientBoostingRegressor", {"max_iter": 3, "loss": "quantile", "quantile": 0.9, "interaction_cst": [{0, 1}, {2, 3}]}, "real"),
    ("ensemble.AdaBoostRegressor", {"n_estimators": 3, "loss": "exponential"}, "real"),
    ("ensemble.BaggingClassifier", {"n_estimators": 3, "oob_score": True, "bootstrap_features": True, "max_features": 3}, "names"),
    ("ensemble.IsolationForest", {"n_estimators": 3, "max_samples": 20, "contamination": 0.05, "bootstrap": True}, "none"),
    ("ensemble.RandomTreesEmbedding", {"n_estimators": 2, "max_depth": 2, "sparse_output": False}, "none"),
    ("neighbors.KNeighborsClassifier", {"weights": "distance", "algorithm": "kd_tree", "leaf_size": 8}, "names"),
    ("neighbors.KNeighborsClassifier", {"metric": "hamming", "algorithm": "ball_tree"}, "several"),
    ("neighbors.KNeighborsRegressor", {"metric": "mahalanobis", "metric_params": {"VI": np.eye(4)}, "algorithm": "brute"}, "real"),
    ("neighbors.KNeighborsRegressor", {"metric": "seuclidean", "metric_params": {"V": np.ones(4)}, "algorithm": "ball_tree"}, "real"),
    ("neighbors.RadiusNeighborsClassifier", {"radius": 3.0, "outlier_label": "most_frequent"}, "names"),
    ("neighbors.RadiusNeighborsRegressor", {"radius": 4.0, "weights": "distance"}, "real"),
    ("neighbors.NearestCentroid", {"shrink_threshold": 0.1}, "names"),
    ("neighbors.NeighborhoodComponentsAnalysis", {"n_components": 2, "max_iter": 3}, "names"),
    ("neighbors.KernelDensity", {"metric": "chebyshev", "algorithm": "ball_tree", "bandwidth": 0.7, "kernel": "tophat"}, "none"),
    ("naive_bayes.MultinomialNB", {"alpha": 0.5, "fit_prior": False}, "names"),
    ("naive_bayes.BernoulliNB", {"binarize": 1.0, "class_prior": [0.2, 0.8]}, "labels"),
    ("naive_bayes.CategoricalNB", {"min_categories": 9}, "counted"),
    ("discriminant_analysis.LinearDiscriminantAnalysis", {"solver": "lsqr", "shrinkage": "auto"}, "names"),
    ("discriminant_analysis.LinearDiscriminantAnalysis", {"solver": "eigen", "n_components": 1, "store_covariance": True}, "names"),
    ("discriminant_analysis.QuadraticDiscriminantAnalysis", {"reg_param": 0.1, "store_covariance": True}, "names"),
    ("neural_network.MLPClassifier", {"hidden_layer_sizes": (4,), "max_iter": 5, "activation": "logistic", "solver": "lbfgs"}, "names"),
    ("neural_network.MLPClassifier", {"hidden_layer_sizes": (3, 3), "max_iter": 5, "warm_start": True, "solver": "adam", "batch_size": 16}, "several"),
    ("gaussian_process.GaussianProcessClassifier", {"multi_class": "one_vs_one", "max_iter_predict": 5}, "names"),
    ("cluster.KMeans", {"n_clusters": 3, "init": "random", "n_init": 2, "algorithm": "elkan"}, "none"),
    ("cluster.KMeans", {"n_clusters": 2, "init": np.array([[0.1] * 4, [2.0] * 4]), "n_init": 1}, "none"),
    ("cluster.MeanShift", {"bandwidth": 1.0, "bin_seeding": True}, "none"),
    ("cluster.AgglomerativeClustering", {"n_clusters": None, "distance_threshold": 1.5, "linkage": "average", "compute_distances": True}, "none"),
    ("cluster.SpectralClustering", {"n_clusters": 2, "affinity": "nearest_neighbors", "n_neighbors": 8, "random_state": 0}, "none"),
    ("cluster.SpectralCoclustering", {"n_clusters": 2, "random_state": 0}, "none"),
    ("cluster.BisectingKMeans", {"n_clusters": 3, "bisecting_strategy": "largest_cluster"}, "none"),
    ("cluster.HDBSCAN", {"min_cluster_size": 4, "store_centers": "both"}, "none"),
    ("cluster.DBSCAN", {"eps": 0.5, "metric": "manhattan"}, "none"),
    ("mixture.GaussianMixture", {"n_components": 3, "covariance_type": "diag", "init_params": "random", "max_iter": 4}, "none"),
    ("mixture.BayesianGaussianMixture", {"n_components": 2, "weight_concentration_prior_type": "dirichlet_distribution", "max_iter": 4}, "none"),
    ("decomposition.PCA", {"n_components": 0.9, "svd_solver": "full"}, "none"),
    ("decomposition.PCA", {"n_components": "mle"}, "none"),
    ("decomposition.IncrementalPCA", {"n_components": 2, "batch_size": 20}, "none"),
    ("decomposition.KernelPCA", {"n_components": 2, "kernel": "rbf", "fit_inverse_transform": True}, "none"),
    ("decomposition.SparsePCA", {"n_components": 2, "max_iter": 5}, "none"),
    ("decomposition.FactorAnalysis", {"n_components": 2, "rotation": "varimax"}, "none"),
    ("decomposition.MiniBatchNMF", {"n_components": 2, "max_iter": 5}, "none"),
    ("decomposition.LatentDirichletAllocation", {"n_components": 2, "learning_method": "online", "max_iter": 2}, "none"),
    ("cross_decomposition.PLSRegression", {"n_components": 2, "scale": False}, "two"),
    ("cross_decomposition.CCA", {"n_components": 1}, "two"),
    ("cross_decomposition.PLSSVD", {"n_components": 1}, "two"),
    ("manifold.TSNE", {"perplexity": 5, "init": "pca", "learning_rate": "auto"}, "none"),
    ("manifold.LocallyLinearEmbedding", {"n_neighbors": 6, "method": "modified", "n_components": 2}, "none"),
    ("manifold.SpectralEmbedding", {"affinity": "rbf", "random_state": 1}, "none"),
    ("manifold.MDS", {"metric": False, "n_init": 1, "max_iter": 5}, "none"),
    ("covariance.GraphicalLassoCV", {"alphas": 2, "cv": 2}, "none"),
    ("covariance.LedoitWolf", {"store_precision": False}, "none"),
    ("covariance.MinCovDet", {"random_state": 0}, "none"),
    ("preprocessing.PowerTransformer", {"method": "box-cox", "standardize": False}, "none"),
    ("preprocessing.QuantileTransformer", {"n_quantiles": 7, "subsample": 50, "random_state": 0}, "none"),
    ("preprocessing.KBinsDiscretizer", {"n_bins": 4, "encode": "ordinal", "strategy": "kmeans"}, "none"),
    ("preprocessing.SplineTransformer", {"degree": 2, "n_knots": 4, "extrapolation": "periodic"}, "none"),
    ("preprocessing.PolynomialFeatures", {"degree": (2, 3), "include_bias": False}, "none"),
    ("preprocessing.Normalizer", {"norm": "l1"}, "none"),
    ("preprocessing.Binarizer", {"threshold": 0.7}, "none"),
    ("preprocessing.KernelCenterer", {}, "none"),
    ("feature_selection.SequentialFeatureSelector", {"estimator": "tree", "n_features_to_select": 2, "cv": 2, "direction": "backward"}, "names"),
    ("feature_selection.VarianceThreshold", {"threshold": 0.01}, "none"),
    ("feature_selection.RFE", {"estimator": "tree", "n_features_to_select": 2, "importance_getter": "feature_importances_"}, "names"),
    ("feature_selection.SelectFromModel", {"estimator": "tree", "threshold": "1.1*mean", "max_features": 2}, "names"),
    ("feature_selection.GenericUnivariateSelect", {"score_func": "f_classif", "mode": "k_best", "param": 2}, "names"),
    ("feature_selection.SelectFdr", {"score_func": "f_regression", "alpha": 0.1}, "real"),
    ("feature_selection.SelectFwe", {"score_func": "chi2", "alpha": 0.2}, "names"),
    ("impute.SimpleImputer", {"strategy": "constant", "fill_value": -1.0}, "none"),
    ("impute.KNNImputer", {"weights": "distance", "add_indicator": True}, "gaps"),
    ("impute.MissingIndicator", {"features": "all", "sparse": False}, "gaps"),
    ("kernel_approximation.AdditiveChi2Sampler", {"sample_steps": 1}, "none"),
    ("kernel_approximation.PolynomialCountSketch", {"degree": 2, "n_components": 8}, "none"),
    ("kernel_approximation.SkewedChi2Sampler", {"n_components": 4}, "none"),
    ("random_projection.GaussianRandomProjection", {"n_components": 3, "compute_inverse_components": True}, "none"),
    ("random_projection.SparseRandomProjection", {"n_components": 3, "density": 0.5}, "none"),
    ("multiclass.OneVsRestClassifier", {"estimator": "tree", "n_jobs": 1}, "names"),
    ("multioutput.MultiOutputClassifier", {"estimator": "tree"}, "several"),
    ("multioutput.ClassifierChain", {"base_estimator": "tree", "order": "random", "cv": 2, "random_state": 1}, "several"),
    ("calibration.CalibratedClassifierCV", {"estimator": "tree", "method": "sigmoid", "ensemble": False, "cv": 2}, "names"),
    ("dummy.DummyClassifier", {"strategy": "constant", "constant": "mid"}, "names"),
    ("dummy.DummyRegressor", {"strategy": "quantile", "quantile": 0.2}, "real"),
]  # fmt: skip


def estimators() -> Makers:
    """One family for each row."""
    missing = X.copy()
    missing[::5, 0] = np.nan
    sets: dict[str, tuple[Any, ...]] = {
        "labels": (X, Y), "names": (X, NAMES), "real": (X, REAL), "positive": (X, np.abs(REAL) + 0.1), "counts": (X, COUNTS), "none": (X,),
        "two": (X, np.c_[REAL, REAL**2]), "several": (X, np.c_[Y, THREE == 1].astype(int)), "counted": (RNG.poisson(2, (60, 3)).clip(0, 8), Y), "gaps": (missing,),
    }  # fmt: skip

    def make(name: str, options: dict[str, Any], data: str) -> Any:
        given = dict(options)
        for key, value in given.items():
            if value == "tree" if isinstance(value, str) else False:
                given[key] = sk("tree.DecisionTreeClassifier", max_depth=2, random_state=0)
            elif key == "score_func":
                given[key] = at("sklearn.feature_selection", value)
        try:
            made = sk(name, **given)
        except TypeError:  # the inner model's older or newer name
            made = sk(name, **{{"estimator": "base_estimator", "base_estimator": "estimator"}.get(key, key): value for key, value in given.items()})  # fmt: skip
        return made.fit(*sets[data])

    return {
        f"{name.split('.')[-1]}-{number}": lambda row=(name, options, data): make(*row)
        for number, (name, options, data) in enumerate(ROWS)
    }


def services() -> Makers:
    """Pipelines over tables and texts, searches, evaluations, and the dictionaries that services load."""
    import pandas as pd
    from sklearn import compose, metrics, model_selection, preprocessing

    scale, hot = lambda: sk("preprocessing.StandardScaler"), lambda **m: sk("preprocessing.OneHotEncoder", **m)
    forest = lambda **more: sk("ensemble.RandomForestClassifier", n_estimators=3, random_state=0, **more)
    logit = lambda **more: sk("linear_model.LogisticRegression", max_iter=40, **more)
    text = "feature_extraction.text."
    numbers, kinds = ["age", "income", "debt", "score"], ["city", "plan"]
    fill = lambda: pipeline(("fill", sk("impute.SimpleImputer", strategy="most_frequent")), ("hot", hot(handle_unknown="ignore", min_frequency=2)))  # fmt: skip
    prepare = lambda: compose.ColumnTransformer(
        [("numbers", pipeline(("fill", sk("impute.KNNImputer")), ("power", sk("preprocessing.PowerTransformer"))), numbers), ("kinds", fill(), kinds), ("flag", "passthrough", ["vip"])],
        verbose_feature_names_out=False, n_jobs=1,
    )  # fmt: skip
    full = lambda model, **more: pipeline(("prepare", prepare()), ("model", model), **more)
    scorer = lambda: metrics.make_scorer(metrics.fbeta_score, beta=2, average="macro")
    grid = lambda model, values, **more: model_selection.GridSearchCV(model, values, **{"cv": 2, **more})
    words = lambda **more: sk(text + "TfidfVectorizer", **more)
    pick = lambda *names: compose.ColumnTransformer([("only", "passthrough", list(names))])
    rows = lambda: [{"city": PLACES[i % 3], "n": i, "tags": "x" if i % 2 else "y"} for i in range(60)]
    importlib.import_module("sklearn.experimental.enable_halving_search_cv")
    return {
        "churn": lambda: full(logit(class_weight="balanced")).fit(people(), Y),
        "churn-search": lambda: grid(full(forest()), {"model__max_depth": [2, None], "prepare__numbers__fill__n_neighbors": [2, 3]}, scoring=scorer(), return_train_score=True).fit(people(), Y),
        "churn-models": lambda: grid(full(logit()), [{"model": [logit()], "model__C": [0.1]}, {"model": [forest()], "model__max_depth": [2]}]).fit(people(), Y),
        "churn-kept": lambda: {"pipeline": full(forest()).fit(people(), Y), "threshold": np.float64(0.37), "columns": people().columns, "dtypes": people().dtypes, "classes": {0: "stays", 1: "goes"}, "scores": {"auc": np.float64(0.9), "ks": 0.4}},
        "by-dtype": lambda: compose.make_column_transformer((scale(), compose.make_column_selector(dtype_include="number")), (hot(handle_unknown="ignore"), compose.make_column_selector(pattern="^city$"))).fit(people()),
        "ordinal-unknown": lambda: sk("preprocessing.OrdinalEncoder", handle_unknown="use_encoded_value", unknown_value=-1).fit(people()[["city"]]),
        "ordinal-given": lambda: sk("preprocessing.OrdinalEncoder", categories=[["Lima", "Oslo", "Rome"]], dtype=np.int16).fit(people()[["city"]]),
        "hot-drop": lambda: hot(drop="if_binary", dtype=np.uint8).fit(people()[["city", "vip"]]),
        "labels-many": lambda: sk("preprocessing.MultiLabelBinarizer").fit([("a", "b"), ("c",), ()]),
        "labels-sparse": lambda: sk("preprocessing.LabelBinarizer", sparse_output=True, neg_label=0).fit(NAMES),
        "dict-vectors": lambda: pipeline(("v", sk("feature_extraction.DictVectorizer", sort=False)), ("m", logit())).fit(rows(), Y),
        "hashed-pairs": lambda: pipeline(("h", sk("feature_extraction.FeatureHasher", 16, input_type="pair")), ("m", sk("linear_model.SGDClassifier"))).fit([[("a", i), ("b", 1)] for i in range(60)], Y),
        "pixels": lambda: sk("feature_extraction.image.PatchExtractor", patch_size=(2, 2), max_patches=3, random_state=0).fit(WIDE.reshape(60, 4, 3)),
        "sentiment": lambda: pipeline(("tfidf", words(max_df=0.9, min_df=1, use_idf=True, norm="l1")), ("svd", sk("decomposition.TruncatedSVD", 2, algorithm="randomized")), ("knn", sk("neighbors.KNeighborsClassifier", 3))).fit(TEXTS, Y),
        "intents": lambda: grid(pipeline(("vect", sk(text + "CountVectorizer")), ("tfidf", sk(text + "TfidfTransformer")), ("clf", sk("naive_bayes.MultinomialNB"))), {"vect__ngram_range": [(1, 1), (1, 2)], "clf__alpha": [0.1]}).fit(TEXTS, NAMES),
        "char-voting": lambda: sk("ensemble.VotingClassifier", [("w", pipeline(("v", words(analyzer="word")), ("m", logit()))), ("c", pipeline(("v", words(analyzer="char", ngram_range=(1, 3))), ("m", logit())))], voting="soft").fit(TEXTS, NAMES),
        "fixed-words": lambda: sk(text + "CountVectorizer", vocabulary={"fox": 0, "dog": 1}, binary=True, dtype=np.uint8).fit(TEXTS),
        "english": lambda: words(stop_words="english", token_pattern=r"(?u)\b[a-z]+\b").fit(TEXTS),
        "hashed-text": lambda: pipeline(("h", sk(text + "HashingVectorizer", n_features=64, alternate_sign=False)), ("i", sk(text + "TfidfTransformer")), ("m", sk("linear_model.PassiveAggressiveClassifier"))).fit(TEXTS, Y),
        "text-and-numbers": lambda: pipeline(("c", compose.ColumnTransformer([("t", words(), "text"), ("n", sk("preprocessing.MinMaxScaler"), ["n"])])), ("m", logit())).fit(pd.DataFrame({"text": TEXTS, "n": COUNTS}), Y),
        "stack-mixed": lambda: sk("ensemble.StackingClassifier", [("f", pipeline(("p", pick("age", "score")), ("m", forest()))), ("l", full(logit()))], stack_method="predict_proba", cv=2).fit(people(), Y),
        "stack-prefit": lambda: sk("ensemble.StackingClassifier", [("a", logit().fit(X, Y)), ("b", forest().fit(X, Y))], final_estimator=logit(), cv="prefit").fit(X, Y),
        "vote-regression": lambda: sk("ensemble.VotingRegressor", [("r", sk("linear_model.Ridge")), ("t", sk("tree.DecisionTreeRegressor", max_depth=2))], weights=[0.3, 0.7]).fit(X, REAL),
        "target-both": lambda: compose.TransformedTargetRegressor(full(sk("linear_model.Ridge")), transformer=sk("preprocessing.PowerTransformer")).fit(people(), REAL),
        "target-sqrt": lambda: compose.TransformedTargetRegressor(sk("ensemble.RandomForestRegressor", 2), func=np.sqrt, inverse_func=np.square, check_inverse=False).fit(X, COUNTS),
        "function-names": lambda: preprocessing.FunctionTransformer(np.log10, inverse_func=np.exp2, feature_names_out="one-to-one").fit(X),
        "function-sparse": lambda: preprocessing.FunctionTransformer(at("scipy.sparse", "csr_matrix"), accept_sparse=True).fit(X),
        "function-scipy": lambda: pipeline(("f", preprocessing.FunctionTransformer(at("scipy.special", "expit"))), ("m", logit())).fit(X, Y),
        "function-hypot": lambda: preprocessing.FunctionTransformer(at("scipy.special", "boxcox1p"), kw_args={"lmbda": 0.2}),
        "function-frame": lambda: preprocessing.FunctionTransformer(pd.get_dummies),
        "function-scale": lambda: preprocessing.FunctionTransformer(preprocessing.minmax_scale, kw_args={"feature_range": (0, 2)}),
        "randomized": lambda: model_selection.RandomizedSearchCV(full(forest()), {"model__min_samples_leaf": at("scipy.stats", "randint")(1, 5), "model__max_features": at("scipy.stats", "beta")(2, 3)}, n_iter=2, cv=2, random_state=np.random.RandomState(3), n_jobs=1).fit(people(), Y),
        "halving-random": lambda: model_selection.HalvingRandomSearchCV(forest(), {"max_depth": [1, 2, 3], "min_samples_split": at("scipy.stats", "randint")(2, 6)}, factor=2, resource="n_estimators", max_resources=6, min_resources=2, cv=2, random_state=0).fit(X, Y),
        "grid-many-scores": lambda: grid(logit(), {"C": [0.5, 1]}, scoring=["roc_auc", "f1"], refit="roc_auc").fit(X, Y),
        "grid-folds": lambda: grid(logit(), {"C": [0.5]}, cv=model_selection.StratifiedGroupKFold(2)).fit(X, Y, groups=THREE),
        "grid-shuffle": lambda: grid(sk("svm.SVR"), {"epsilon": [0.1]}, cv=model_selection.ShuffleSplit(2, test_size=0.3, random_state=4), scoring="neg_median_absolute_error").fit(X, REAL),
        "grid-repeat": lambda: grid(forest(), {"max_depth": [2]}, cv=model_selection.RepeatedKFold(n_splits=2, n_repeats=2, random_state=1)).fit(X, Y),
        "grid-outer": lambda: model_selection.cross_validate(grid(logit(), {"C": [1.0]}), X, Y, cv=2, return_estimator=True, scoring=("accuracy", "f1"), return_train_score=True),
        "grid-plain": lambda: grid(forest(), model_selection.ParameterGrid({"max_depth": [1]}).param_grid).fit(X, NAMES),
        "sampler": lambda: [model_selection.ParameterSampler({"C": at("scipy.stats", "expon")(scale=2)}, 3, random_state=0), model_selection.ParameterGrid([{"a": [1]}, {"b": ["x"]}])],
        "folds-kept": lambda: list(model_selection.StratifiedShuffleSplit(2, random_state=0).split(X, Y)),
        "cross-predicted": lambda: model_selection.cross_val_predict(logit(), X, NAMES, cv=3, method="predict_proba"),
        "validation-curve": lambda: dict(zip(("train", "test"), model_selection.validation_curve(logit(), X, Y, param_name="C", param_range=[0.1, 1], cv=2), strict=True)),
        "gp-white": lambda: sk("gaussian_process.GaussianProcessRegressor", at("sklearn.gaussian_process.kernels", "ConstantKernel")(1.0, "fixed") * at("sklearn.gaussian_process.kernels", "Matern")([1.0] * 4, nu=2.5) + at("sklearn.gaussian_process.kernels", "WhiteKernel")(0.1), normalize_y=True, random_state=2).fit(X[:15], REAL[:15]),
        "gp-exponent": lambda: sk("gaussian_process.GaussianProcessRegressor", at("sklearn.gaussian_process.kernels", "Exponentiation")(at("sklearn.gaussian_process.kernels", "RationalQuadratic")(), 2), optimizer=None).fit(X[:9], REAL[:9]),
        "kernel-precomputed": lambda: (sk("svm.SVC", kernel="precomputed").fit(X @ X.T, Y), X),
        "kernel-partial": lambda: sk("kernel_ridge.KernelRidge", kernel="laplacian", alpha=0.1).fit(X, REAL),
        "label-propagation": lambda: sk("semi_supervised.LabelPropagation", gamma=5, max_iter=50).fit(X, np.where(np.arange(60) % 5, Y, -1)),
        "self-training": lambda: sk("semi_supervised.SelfTrainingClassifier", forest(), criterion="k_best", k_best=5).fit(X, np.where(THREE, Y, -1)),
        "ovo-pipeline": lambda: sk("multiclass.OneVsOneClassifier", pipeline(("s", scale()), ("m", sk("svm.LinearSVC")))).fit(X, NAMES),
        "clusters-named": lambda: {"model": pipeline(("s", scale()), ("k", sk("cluster.KMeans", 3, n_init=1, random_state=0))).fit(X), "names": {0: "bargain", 1: "loyal", 2: "new"}, "silhouette": metrics.silhouette_score(X, THREE)},
        "elbow": lambda: {k: sk("cluster.KMeans", k, n_init=1).fit(X).inertia_ for k in (2, 3)},
        "per-country": lambda: {place: {"model": full(forest()).fit(people()[people()["city"] == place], Y[np.arange(60) % 3 == i]), "rows": 20} for i, place in enumerate(PLACES)},
        "per-horizon": lambda: [pipeline(("s", scale()), ("m", sk("ensemble.HistGradientBoostingRegressor", max_iter=2))).fit(X, np.roll(REAL, h)) for h in (1, 2)],
        "blend": lambda: (np.array([0.2, 0.8]), [sk("linear_model.Lasso", alpha=0.1).fit(X, REAL), sk("svm.SVR").fit(X, REAL)]),
        "leaderboard": lambda: pd.DataFrame({"model": [logit(), forest()], "auc": [0.8, 0.9], "params": [{"C": 1}, {"n": 3}]}),
        "card": lambda: {"name": "churn", "created": pd.Timestamp("2025-03-01", tz="Europe/Rome"), "metrics": {"f1": np.float32(0.8)}, "versions": {"sklearn": at("sklearn", "__version__")}, "model": logit().fit(X, Y), "sample": people().head(2)},
        "estimator-classes": lambda: {"lr": type(logit()), "rf": type(forest()), "params": {"lr": {"C": 1}, "rf": {}}},
        "trees-of-forest": lambda: [(tree.tree_, tree.get_params()) for tree in forest().fit(X, Y).estimators_],
        "curves": lambda: [metrics.RocCurveDisplay(fpr=np.array([0, 1.0]), tpr=np.array([0, 1.0]), roc_auc=0.5, estimator_name="m"), metrics.ConfusionMatrixDisplay(np.eye(2), display_labels=["a", "b"])],
        "isotonic-many": lambda: {name: sk("isotonic.IsotonicRegression", y_min=0, y_max=1, increasing="auto").fit(X[:, i], Y) for i, name in enumerate("ab")},
        "tuned": lambda: sk("model_selection.TunedThresholdClassifierCV", logit(), scoring="balanced_accuracy", cv=2).fit(X, Y),
        "fixed-threshold": lambda: sk("model_selection.FixedThresholdClassifier", logit(), threshold=0.3).fit(X, Y),
        "frozen": lambda: sk("calibration.CalibratedClassifierCV", sk("frozen.FrozenEstimator", forest().fit(X, Y))).fit(X, Y),
        "as-pandas": lambda: pipeline(("s", scale()), ("p", sk("decomposition.PCA", 2))).set_output(transform="pandas").fit(people()[["age", "debt"]]),
        "dates-cyclic": lambda: compose.ColumnTransformer([("month", sk("preprocessing.SplineTransformer", degree=3, n_knots=5, extrapolation="periodic"), ["month"])]).fit(pd.DataFrame({"month": np.arange(60) % 12 + 1.0})),
    }  # fmt: skip


GROUPS = [("sklearn", estimators), ("service", services)]


def run(out: Any) -> None:
    """All of them, three files of each; what an environment does not have is counted as failed."""
    from honest_fifth_data import GROUPS as DATA
    from honest_fifth_libraries import GROUPS as LIBRARIES
    from honest_fifth_others import GROUPS as OTHERS
    from honest_fifth_torch import GROUPS as TORCH
    from honest_torch import torch_file

    for name in ("sympy", "torch._dynamo", "torchvision", "transformers", "sktime", "umap", "shap"):
        with contextlib.suppress(Exception):  # not within the time of one object
            importlib.import_module(name)
    for label, group in [*GROUPS, *DATA, *LIBRARIES, *OTHERS, *TORCH]:
        try:
            makers = group()
        except ImportError:
            continue
        for name, make in makers.items():
            family = f"{label}.{name}" if label else name
            if label == "array":
                out.attempt(family, lambda family=family, make=make: out.add(family, "saved", *make()))
            elif (label, group) in TORCH:
                out.attempt(family, lambda family=family, make=make: torch_file(out, family, "value", make()))
            else:
                out.attempt(family, lambda family=family, make=make: out.dump(family, "", make(), 3))
