# ruff: noqa: E501, E731, SIM115 - makers are short functions
"""The ninth set's scikit-learn, boosters, statistics, ONNX of them, MLflow, arrays and tables, on data that come along."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from honest_ninth import Kinds, at


def sk(name: str, *args: Any, **more: Any) -> Any:
    """An object of scikit-learn."""
    return at("sklearn." + name)(*args, **more)


def data(name: str, frame: bool = False) -> Any:
    """One of scikit-learn's own data sets, and its target."""
    x, y = at(f"sklearn.datasets.load_{name}")(return_X_y=True, as_frame=frame)
    return (x[::3], y[::3]) if name != "linnerud" else (x, y)


def customers() -> Any:
    """A table as it comes out of a database."""
    import pandas as pd

    draw = np.random.default_rng(2611)
    return pd.DataFrame({
        "age": draw.integers(18, 90, 120), "income": np.where(draw.random(120) < 0.1, np.nan, draw.lognormal(10, 1, 120)),
        "country": draw.choice(["DE", "FR", "PL"], 120), "plan": pd.Categorical(draw.choice(["basic", "plus"], 120)),
        "signup": pd.date_range("2023-06-01", periods=120, freq="12h"), "churned": draw.integers(0, 2, 120),
    })  # fmt: skip


def pipe(*steps: Any) -> Any:
    """A pipeline."""
    return at("sklearn.pipeline.make_pipeline")(*steps)


# file name: estimator, its options, data set
ESTIMATORS: dict[str, tuple[str, dict[str, Any], str]] = {
    "wine_logreg": ("linear_model.LogisticRegression", {"max_iter": 300, "C": 0.5}, "wine"), "linear_regression": ("linear_model.LinearRegression", {}, "diabetes"),
    "ridge_cv": ("linear_model.RidgeCV", {"alphas": (0.01, 0.1, 1)}, "diabetes"), "lasso": ("linear_model.LassoCV", {"cv": 4}, "diabetes"), "elastic_net": ("linear_model.ElasticNet", {"alpha": 0.02}, "diabetes"),
    "bayes_ridge": ("linear_model.BayesianRidge", {}, "diabetes"), "huber": ("linear_model.HuberRegressor", {}, "diabetes"), "sgd_clf": ("linear_model.SGDClassifier", {"loss": "modified_huber"}, "breast_cancer"),
    "perceptron": ("linear_model.Perceptron", {"penalty": "l2"}, "digits"), "poisson": ("linear_model.PoissonRegressor", {}, "diabetes"), "rf_model": ("ensemble.RandomForestClassifier", {"n_estimators": 12, "random_state": 42}, "wine"),
    "random_forest_regressor": ("ensemble.RandomForestRegressor", {"n_estimators": 8, "oob_score": True, "random_state": 7}, "diabetes"), "extra_trees": ("ensemble.ExtraTreesClassifier", {"n_estimators": 9}, "digits"),
    "gbc": ("ensemble.GradientBoostingClassifier", {"n_estimators": 8, "subsample": 0.7}, "breast_cancer"), "gbr_huber": ("ensemble.GradientBoostingRegressor", {"n_estimators": 9, "loss": "huber"}, "diabetes"),
    "hist_gb": ("ensemble.HistGradientBoostingClassifier", {"max_iter": 6, "early_stopping": True}, "wine"), "hist_gb_reg": ("ensemble.HistGradientBoostingRegressor", {"max_iter": 7, "loss": "poisson"}, "diabetes"),
    "ada": ("ensemble.AdaBoostRegressor", {"n_estimators": 6}, "diabetes"), "bagging": ("ensemble.BaggingClassifier", {"n_estimators": 4}, "wine"), "iso_forest": ("ensemble.IsolationForest", {"n_estimators": 10, "contamination": 0.05}, "breast_cancer"),
    "decision_tree": ("tree.DecisionTreeClassifier", {"max_depth": 5, "class_weight": "balanced", "ccp_alpha": 0.01}, "breast_cancer"), "tree_reg": ("tree.DecisionTreeRegressor", {"min_samples_leaf": 4}, "linnerud"),
    "svm_model": ("svm.SVC", {"probability": True, "kernel": "poly", "degree": 2}, "wine"), "svr": ("svm.SVR", {"C": 10.0}, "diabetes"), "linear_svc": ("svm.LinearSVC", {"dual": False}, "digits"), "one_class": ("svm.OneClassSVM", {"nu": 0.1}, "wine"),
    "knn": ("neighbors.KNeighborsClassifier", {"n_neighbors": 3, "weights": "distance", "algorithm": "ball_tree"}, "digits"), "knn_reg": ("neighbors.KNeighborsRegressor", {"p": 1}, "linnerud"), "lof": ("neighbors.LocalOutlierFactor", {"novelty": True}, "wine"),
    "nearest_centroid": ("neighbors.NearestCentroid", {}, "wine"), "gaussian_nb": ("naive_bayes.GaussianNB", {"var_smoothing": 1e-8}, "breast_cancer"), "bernoulli_nb": ("naive_bayes.BernoulliNB", {"binarize": 8.0}, "digits"),
    "lda": ("discriminant_analysis.LinearDiscriminantAnalysis", {"solver": "eigen", "shrinkage": "auto"}, "wine"), "qda": ("discriminant_analysis.QuadraticDiscriminantAnalysis", {"reg_param": 0.1}, "breast_cancer"),
    "mlp": ("neural_network.MLPClassifier", {"hidden_layer_sizes": (12, 6), "max_iter": 15, "early_stopping": True}, "digits"), "mlp_reg": ("neural_network.MLPRegressor", {"max_iter": 12, "solver": "sgd"}, "linnerud"),
    "gp": ("gaussian_process.GaussianProcessClassifier", {}, "wine"), "kernel_ridge": ("kernel_ridge.KernelRidge", {"kernel": "rbf"}, "diabetes"), "pls": ("cross_decomposition.PLSRegression", {}, "linnerud"), "isotonic": ("isotonic.IsotonicRegression", {}, ""),
    "kmeans": ("cluster.KMeans", {"n_clusters": 5, "n_init": 2}, "digits"), "minibatch_kmeans": ("cluster.MiniBatchKMeans", {"n_clusters": 4, "n_init": 1}, "digits"), "dbscan": ("cluster.DBSCAN", {"eps": 30}, "wine"), "birch": ("cluster.Birch", {"threshold": 20}, "wine"),
    "gmm": ("mixture.GaussianMixture", {"n_components": 3, "covariance_type": "diag"}, "wine"), "pca": ("decomposition.PCA", {"n_components": 0.9, "whiten": True}, "digits"), "nmf": ("decomposition.NMF", {"n_components": 4, "max_iter": 40}, "digits"), "ica": ("decomposition.FastICA", {"n_components": 3}, "wine"),
    "scaler": ("preprocessing.StandardScaler", {}, "breast_cancer"), "minmax_scaler": ("preprocessing.MinMaxScaler", {"clip": True}, "wine"), "poly": ("preprocessing.PolynomialFeatures", {"degree": 3}, "linnerud"), "quantile_transformer": ("preprocessing.QuantileTransformer", {"n_quantiles": 20}, "wine"),
    "knn_imputer": ("impute.KNNImputer", {}, "diabetes"), "kbins": ("preprocessing.KBinsDiscretizer", {"encode": "onehot-dense", "n_bins": 3}, "linnerud"), "select_k_best": ("feature_selection.SelectKBest", {"k": 4}, "wine"), "variance": ("feature_selection.VarianceThreshold", {}, "digits"),
    "nystroem": ("kernel_approximation.Nystroem", {"n_components": 9}, "wine"), "random_projection": ("random_projection.GaussianRandomProjection", {"n_components": 5}, "digits"),
}  # fmt: skip


def estimator(name: str) -> Any:
    """One of them, fitted; every other one on a table with names of columns."""
    kind, options, source = ESTIMATORS[name]
    if not source:
        return sk(kind, **options).fit(np.arange(40.0), np.arange(40.0) ** 1.5)
    frame = len(name) % 2 == 0 and name not in ("nmf", "pls")
    x, y = data(source, frame)
    if name == "tree_reg" or source != "linnerud":
        return sk(kind, **options).fit(x, y)
    return sk(kind, **options).fit(
        x, y if name in ("pls", "knn_reg", "mlp_reg") else y[y.columns[0]] if frame else y[:, 0]
    )


def columns() -> Any:
    """The usual preparation of a table."""
    return sk("compose.ColumnTransformer", [
        ("num", pipe(sk("impute.SimpleImputer", strategy="median"), sk("preprocessing.StandardScaler")), ["age", "income"]),
        ("cat", sk("preprocessing.OneHotEncoder", handle_unknown="ignore", min_frequency=3), ["country", "plan"]),
    ])  # fmt: skip


REVIEWS = [
    "works as expected",
    "broke after a week",
    "great value",
    "would not buy again",
    "five stars",
    "arrived late",
] * 9


def composed() -> dict[str, Callable[[], Any]]:
    """Pipelines, searches, and dictionaries with what belongs together."""
    table = customers()
    mood = np.arange(len(REVIEWS)) % 2
    fit = lambda model: model.fit(table, table.churned)
    return {
        "churn_pipeline": lambda: fit(pipe(columns(), sk("linear_model.LogisticRegression"))), "churn_rf": lambda: fit(pipe(columns(), sk("ensemble.RandomForestClassifier", 7))),
        "grid_search": lambda: fit(sk("model_selection.GridSearchCV", pipe(columns(), sk("svm.SVC")), {"svc__C": [0.1, 1], "svc__kernel": ["rbf", "linear"]}, cv=2)),
        "random_search": lambda: sk("model_selection.RandomizedSearchCV", sk("tree.DecisionTreeClassifier"), {"max_depth": [2, 3, None], "min_samples_split": [2, 5]}, n_iter=3, cv=3, random_state=3).fit(*data("wine")),
        "best_estimator": lambda: sk("model_selection.GridSearchCV", sk("neighbors.KNeighborsClassifier"), {"n_neighbors": [1, 5]}, cv=3).fit(*data("digits")).best_estimator_,
        "sentiment": lambda: pipe(sk("feature_extraction.text.TfidfVectorizer", ngram_range=(1, 2), min_df=2, stop_words="english"), sk("linear_model.LogisticRegression")).fit(REVIEWS, mood),
        "vectorizer": lambda: sk("feature_extraction.text.CountVectorizer", max_features=30, binary=True).fit(REVIEWS), "spam": lambda: pipe(sk("feature_extraction.text.CountVectorizer"), sk("naive_bayes.MultinomialNB", alpha=0.3)).fit(REVIEWS, mood),
        "topics": lambda: sk("decomposition.LatentDirichletAllocation", 3, max_iter=3).fit(sk("feature_extraction.text.CountVectorizer").fit_transform(REVIEWS)),
        "label_encoder": lambda: sk("preprocessing.LabelEncoder").fit(table.country), "ordinal": lambda: sk("preprocessing.OrdinalEncoder", handle_unknown="use_encoded_value", unknown_value=-1).fit(table[["country", "plan"]]), "target_encoder": lambda: sk("preprocessing.TargetEncoder", cv=3).fit(table[["country"]], table.churned),
        "stacking": lambda: sk("ensemble.StackingClassifier", [("rf", sk("ensemble.RandomForestClassifier", 5)), ("svc", pipe(sk("preprocessing.StandardScaler"), sk("svm.LinearSVC", dual=True)))], sk("linear_model.LogisticRegression"), cv=3).fit(*data("wine")),
        "voting": lambda: sk("ensemble.VotingRegressor", [("lr", sk("linear_model.LinearRegression")), ("rf", sk("ensemble.RandomForestRegressor", 4))]).fit(*data("diabetes")),
        "calibrated": lambda: sk("calibration.CalibratedClassifierCV", sk("naive_bayes.GaussianNB"), method="isotonic", cv=3).fit(*data("breast_cancer")),
        "multioutput": lambda: sk("multioutput.MultiOutputRegressor", sk("linear_model.Ridge")).fit(*data("linnerud")), "one_vs_rest": lambda: sk("multiclass.OneVsRestClassifier", sk("linear_model.LogisticRegression")).fit(*data("wine")), "rfe": lambda: sk("feature_selection.RFE", sk("linear_model.LinearRegression"), n_features_to_select=3).fit(*data("diabetes")),
        "artifacts": lambda: {"model": estimator("rf_model"), "scaler": estimator("scaler"), "features": list(table.columns), "version": "1.2.0", "metrics": {"auc": 0.91, "f1": np.float64(0.8)}, "threshold": 0.35},
        "model_tuple": lambda: (sk("preprocessing.StandardScaler").fit(data("wine")[0]), estimator("knn"), ["class_0", "class_1"]), "models_list": lambda: [estimator("tree_reg"), estimator("lasso")],
        "dataframe": lambda: table, "history": lambda: {"loss": [0.9, 0.5], "val": np.linspace(0, 1, 9)}, "columns": lambda: table.columns.tolist(), "encodings": lambda: {c: dict(enumerate(sorted(set(table[c].astype(str))))) for c in ("country", "plan")},
        "xgb_pipeline": lambda: fit(pipe(columns(), at("xgboost.XGBClassifier")(n_estimators=4))), "lgbm_pipeline": lambda: fit(pipe(columns(), at("lightgbm.LGBMClassifier")(n_estimators=4, verbose=-1))), "cat_grid": lambda: sk("model_selection.GridSearchCV", at("catboost.CatBoostClassifier")(iterations=3, verbose=0, allow_writing_files=False), {"depth": [2, 3]}, cv=2).fit(*data("wine")),
    }  # fmt: skip


def booster(name: str) -> Any:
    """A model of a library of boosted trees."""
    quiet = {"verbose": 0, "allow_writing_files": False, "iterations": 6}
    x, y = data("wine") if "multi" in name else data("diabetes", True) if "reg" in name else data("breast_cancer", True)
    return {
        "xgb_clf": lambda: at("xgboost.XGBClassifier")(n_estimators=7, max_depth=3, learning_rate=0.3).fit(x, y), "xgb_reg": lambda: at("xgboost.XGBRegressor")(n_estimators=6, subsample=0.8).fit(x, y), "xgb_multi": lambda: at("xgboost.XGBClassifier")(n_estimators=5, tree_method="hist").fit(x, y),
        "xgb_dart_reg": lambda: at("xgboost.XGBRegressor")(n_estimators=5, booster="dart", rate_drop=0.1).fit(x, y), "xgb_rank": lambda: at("xgboost.XGBRanker")(n_estimators=4, objective="rank:ndcg").fit(x, y, group=[90, len(y) - 90]), "xgb_weighted": lambda: at("xgboost.XGBClassifier")(n_estimators=5, scale_pos_weight=2, eval_metric="aucpr").fit(x, y),
        "lgb_clf": lambda: at("lightgbm.LGBMClassifier")(n_estimators=7, num_leaves=9, verbose=-1).fit(x, y), "lgb_reg": lambda: at("lightgbm.LGBMRegressor")(n_estimators=6, objective="mae", verbose=-1).fit(x, y), "lgb_multi": lambda: at("lightgbm.LGBMClassifier")(n_estimators=4, verbose=-1).fit(x, y), "lgb_dart": lambda: at("lightgbm.LGBMClassifier")(n_estimators=5, boosting_type="dart", verbose=-1).fit(x, y),
        "cat_clf": lambda: at("catboost.CatBoostClassifier")(depth=3, **quiet).fit(x, y), "cat_reg": lambda: at("catboost.CatBoostRegressor")(loss_function="MAE", **quiet).fit(x, y), "cat_multi": lambda: at("catboost.CatBoostClassifier")(**quiet).fit(x, y),
        "cat_features": lambda: at("catboost.CatBoostClassifier")(cat_features=["country", "plan"], **quiet).fit(customers().drop(columns=["signup", "churned"]).astype({"plan": str}), customers().churned),
    }[name]()  # fmt: skip


def native(name: str) -> dict[str, Callable[[Path], Any]]:
    """The ways of the library itself, by the file's name."""
    if name.startswith("xgb"):
        ways = ["model.json", f"{name}.ubj"] + (["xgb.model"] if at("xgboost.__version__") < "3" else [])
        made: dict[str, Callable[[Path], Any]] = {w: lambda f, w=w: booster(name).save_model(str(f / w)) for w in ways}
        return {
            **made,
            "booster.pkl": lambda f: pickle.dump(booster(name).get_booster(), (f / "booster.pkl").open("wb")),
        }
    if name.startswith("lgb"):
        return {
            "model.txt": lambda f: booster(name).booster_.save_model(str(f / "model.txt")),
            "lgb.pkl": lambda f: pickle.dump(booster(name).booster_, (f / "lgb.pkl").open("wb")),
        }
    return {
        w: lambda f, w=w: booster(name).save_model(str(f / w), format=w.split(".")[1])
        for w in ("model.cbm", "model.json")
    }


def statistics() -> dict[str, Callable[[], Any]]:
    """Results of statsmodels."""
    table = customers().dropna()
    api = lambda name: at(f"statsmodels.formula.api.{name}")
    series = at("pandas.Series")(
        np.sin(np.arange(60) / 4) + np.arange(60) / 20,
        index=at("pandas.date_range")("2019-01-31", periods=60, freq="MS"),
    )
    return {
        "ols": lambda: api("ols")("income ~ age + C(country)", table).fit(), "logit": lambda: api("logit")("churned ~ age + C(country)", table).fit(disp=0), "glm_gamma": lambda: api("glm")("income ~ age", table, family=at("statsmodels.api.families.Gamma")(at("statsmodels.api.families.links.Log")())).fit(), "probit": lambda: api("probit")("churned ~ age", table).fit(disp=0),
        "arima": lambda: at("statsmodels.tsa.arima.model.ARIMA")(series, order=(2, 1, 1)).fit(), "sarimax": lambda: at("statsmodels.tsa.statespace.sarimax.SARIMAX")(series, order=(1, 0, 0), seasonal_order=(1, 0, 0, 4)).fit(disp=0), "holt_winters": lambda: at("statsmodels.tsa.api.ExponentialSmoothing")(series, trend="add", seasonal="mul", seasonal_periods=12).fit() if series.min() > 0 else at("statsmodels.tsa.api.ExponentialSmoothing")(series, trend="add", seasonal="add", seasonal_periods=12).fit(), "ols_arrays": lambda: at("statsmodels.api.OLS")(*reversed([at("statsmodels.api.add_constant")(data("diabetes")[0]), data("diabetes")[1]])).fit(),
    }  # fmt: skip


def onnx(folder: Path, name: str) -> None:
    """By skl2onnx's quick start."""
    x = data(ESTIMATORS[name][2])[0].astype(np.float32)
    kind, options, source = ESTIMATORS[name]
    model = sk(kind, **options).fit(x, data(source)[1])
    (folder / f"{name}.onnx").write_bytes(at("skl2onnx.to_onnx")(model, x[:1]).SerializeToString())


def mlflow(folder: Path, name: str) -> None:
    """By MLflow's flavours, with a signature."""
    flavour = {"x": "xgboost", "l": "lightgbm", "c": "catboost"}[name[0]] if name in BOOSTERS else "sklearn"
    x = data("wine")[0] if flavour == "sklearn" else None
    model = booster(name) if flavour != "sklearn" else estimator(name)
    more = {"signature": at("mlflow.models.infer_signature")(x, np.arange(len(x)))} if x is not None else {}
    at(f"mlflow.{flavour}.save_model")(model, str(folder / "model"), pip_requirements=[f"{flavour}"], **more)


def arrays() -> dict[str, Callable[[Path], Any]]:
    """Arrays and tables that lie beside models."""
    t = customers
    return {
        "embeddings.npy": lambda p: np.save(p, np.random.default_rng(5).random((30, 8), np.float32)), "weights.npz": lambda p: np.savez(p, w1=np.ones((3, 4)), b1=np.zeros(4)), "train.npz": lambda p: np.savez_compressed(p, X=data("digits")[0], y=data("digits")[1]), "features.npz": lambda p: at("scipy.sparse.save_npz")(p, at("scipy.sparse.eye")(9, format="csr")), "labels.npy": lambda p: np.save(p, np.array(["cat", "dog"])),
        "customers.parquet": lambda p: t().to_parquet(p), "data.gzip.parquet": lambda p: t().to_parquet(p, compression="gzip"), "zstd.parquet": lambda p: t().to_parquet(p, compression="zstd", index=False), "table.feather": lambda p: t().to_feather(p), "df.pkl": lambda p: t().to_pickle(p), "df.pkl.gz": lambda p: t().to_pickle(p), "df.pkl.zip": lambda p: t().to_pickle(p),
    }  # fmt: skip


BOOSTERS = "xgb_clf xgb_reg xgb_multi xgb_dart_reg xgb_rank xgb_weighted lgb_clf lgb_reg lgb_multi lgb_dart cat_clf cat_reg cat_multi cat_features".split()
ONNX = "wine_logreg linear_regression rf_model random_forest_regressor gbc hist_gb decision_tree svm_model knn gaussian_nb mlp kmeans pca scaler lda".split()


def _skops(path: Path, value: Any) -> None:
    at("skops.io.dump")(value, path)


WAYS: dict[str, tuple[str, Callable[[Path, Any], Any]]] = {
    "pickle": (".pkl", lambda p, v: pickle.dump(v, p.open("wb"))),
    "joblib": (".joblib", lambda p, v: at("joblib.dump")(v, p)),
    "skops": (".skops", _skops),
    "sav": (".sav", lambda p, v: pickle.dump(v, p.open("wb"), protocol=pickle.HIGHEST_PROTOCOL)),
    "compressed": (".joblib", lambda p, v: at("joblib.dump")(v, p, compress=3)),
    "gz": (".pkl.gz", lambda p, v: pickle.dump(v, gzip.open(p, "wb"))),
    "joblib-pkl": ("_final.pkl", lambda p, v: at("joblib.dump")(v, p, compress=("gzip", 3))),
}


def kinds() -> Kinds:
    """Each estimator in two ways, which differ between the environments; the rest in its own."""
    made: Kinds = {}
    start = 3 * (__import__("sys").version_info[1] % 2)

    def add(name: str, way: str, make: Callable[[], Any]) -> None:
        end, write = WAYS[way]
        made[f"{name}.{way}"] = lambda folder: write(folder / f"{name}{end}", make())

    makers = {name: lambda name=name: estimator(name) for name in ESTIMATORS}
    fitted = {**makers, **composed(), **{name: lambda name=name: booster(name) for name in BOOSTERS}, **statistics()}
    for index, (name, make) in enumerate(fitted.items()):
        for step in (0, 3):
            way = list(WAYS)[(index + start + step) % len(WAYS)]
            if way != "skops" or name in ESTIMATORS or name in list(composed())[:18]:
                add(name, way, make)
    for name in BOOSTERS:
        made.update({f"{name}.{way}": write for way, write in native(name).items()})
    made.update({f"onnx.{name}": lambda folder, name=name: onnx(folder, name) for name in ONNX})
    for name in ("rf_model", "wine_logreg", "knn", "scaler", "gmm", "xgb_clf", "lgb_reg", "cat_multi"):
        made[f"mlflow.{name}"] = lambda folder, name=name: mlflow(folder, name)
    made.update({f"arrays.{name}": lambda folder, n=name, w=write: w(folder / n) for name, write in arrays().items()})
    return made
