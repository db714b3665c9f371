# ruff: noqa: UP006, UP035 - makers are short functions; Python 3.8 runs it
"""The sixth set's models of tables, texts and series, on the data that scikit-learn brings."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np

Kinds = Dict[str, Callable[[Path], None]]
REVIEWS = [
    "great film, loved it",
    "terrible plot and bad acting",
    "wonderful cast",
    "boring and far too long",
    "a masterpiece",
    "waste of time",
] * 10
MOODS = np.array([1, 0, 1, 0, 1, 0] * 10)


def at(place: str) -> Any:
    """`module.name`, imported when it is needed."""
    module, _, name = place.rpartition(".")
    return getattr(importlib.import_module(module), name)


def sk(name: str, *args: Any, **more: Any) -> Any:
    """An object of scikit-learn."""
    return at("sklearn." + name)(*args, **more)


def data(name: str) -> Any:
    """One of the data sets that scikit-learn brings."""
    return at("sklearn.datasets.load_" + name)(return_X_y=True)


def fit(model: Any, name: str = "iris") -> Any:
    """Fitted on one of these."""
    return model.fit(*data(name))


def passengers() -> Any:
    """A table like that of every first lesson."""
    import pandas as pd

    draw = np.random.RandomState(1)
    return pd.DataFrame(
        {
            "age": np.where(draw.rand(80) < 0.2, np.nan, draw.randint(1, 80, 80)),
            "fare": draw.rand(80) * 90,
            "sex": draw.choice(["male", "female"], 80),
            "embarked": draw.choice(["S", "C", "Q"], 80),
            "survived": draw.randint(0, 2, 80),
        }
    )


def survival(model: Any) -> Any:
    """The pipeline of columns that guides build on that table."""
    pipe = at("sklearn.pipeline.make_pipeline")
    numbers = pipe(sk("impute.SimpleImputer", strategy="median"), sk("preprocessing.StandardScaler"))
    words = pipe(
        sk("impute.SimpleImputer", strategy="most_frequent"), sk("preprocessing.OneHotEncoder", handle_unknown="ignore")
    )
    columns = sk("compose.ColumnTransformer", [("num", numbers, ["age", "fare"]), ("cat", words, ["sex", "embarked"])])
    table = passengers()
    return sk("pipeline.Pipeline", [("prep", columns), ("model", model)]).fit(
        table.drop(columns="survived"), table.survived
    )


def scaled(model: Any, name: str = "iris") -> Any:
    """Scaler and model."""
    return fit(at("sklearn.pipeline.make_pipeline")(sk("preprocessing.StandardScaler"), model), name)


def reviews(vectorizer: Any, model: Any) -> Any:
    """A classifier of texts."""
    return sk("pipeline.Pipeline", [("tfidf", vectorizer), ("clf", model)]).fit(REVIEWS, MOODS)


def plain() -> Dict[str, Callable[[], Any]]:
    """Models that every format may take: numbers in, numbers out."""
    small = {"n_estimators": 8, "random_state": 42}
    return {
        "iris-logistic": lambda: scaled(sk("linear_model.LogisticRegression", max_iter=200)),
        "iris-forest": lambda: fit(sk("ensemble.RandomForestClassifier", **small)),
        "iris-tree": lambda: fit(sk("tree.DecisionTreeClassifier", max_depth=3)),
        "iris-knn": lambda: fit(sk("neighbors.KNeighborsClassifier", 5)),
        "iris-svc": lambda: scaled(sk("svm.SVC", probability=True, gamma="auto")),
        "iris-bayes": lambda: fit(sk("naive_bayes.GaussianNB")),
        "wine-mlp": lambda: scaled(sk("neural_network.MLPClassifier", (16, 8), max_iter=40), "wine"),
        "wine-extra": lambda: fit(sk("ensemble.ExtraTreesClassifier", **small), "wine"),
        "wine-lda": lambda: fit(sk("discriminant_analysis.LinearDiscriminantAnalysis"), "wine"),
        "wine-boost": lambda: fit(sk("ensemble.AdaBoostClassifier", **small), "wine"),
        "cancer-linear": lambda: scaled(sk("svm.LinearSVC", dual=False), "breast_cancer"),
        "cancer-gradient": lambda: fit(sk("ensemble.GradientBoostingClassifier", **small), "breast_cancer"),
        "cancer-calibrated": lambda: fit(
            sk("calibration.CalibratedClassifierCV", sk("naive_bayes.GaussianNB"), cv=3), "breast_cancer"
        ),
        "cancer-vote": lambda: fit(
            sk(
                "ensemble.VotingClassifier",
                [("a", sk("naive_bayes.GaussianNB")), ("b", sk("tree.DecisionTreeClassifier"))],
                voting="soft",
            ),
            "breast_cancer",
        ),
        "cancer-anomaly": lambda: fit(sk("ensemble.IsolationForest", **small), "breast_cancer"),
        "diabetes-linear": lambda: fit(sk("linear_model.LinearRegression"), "diabetes"),
        "diabetes-ridge": lambda: scaled(sk("linear_model.RidgeCV", alphas=(0.1, 1.0, 10.0)), "diabetes"),
        "diabetes-lasso": lambda: scaled(sk("linear_model.LassoCV", cv=3), "diabetes"),
        "diabetes-forest": lambda: fit(sk("ensemble.RandomForestRegressor", **small), "diabetes"),
        "diabetes-gradient": lambda: fit(sk("ensemble.GradientBoostingRegressor", **small), "diabetes"),
        "diabetes-svr": lambda: scaled(sk("svm.SVR", C=10.0), "diabetes"),
        "diabetes-process": lambda: fit(
            sk(
                "gaussian_process.GaussianProcessRegressor",
                at("sklearn.gaussian_process.kernels.RBF")() + at("sklearn.gaussian_process.kernels.WhiteKernel")(),
                alpha=0.1,
            ),
            "diabetes",
        ),
        "diabetes-sgd": lambda: scaled(sk("linear_model.SGDRegressor"), "diabetes"),
        "digits-kmeans": lambda: fit(sk("cluster.KMeans", 10, n_init=1, max_iter=10), "digits"),
        "digits-pca": lambda: fit(sk("decomposition.PCA", 8), "digits"),
        "digits-pca-logistic": lambda: fit(
            at("sklearn.pipeline.make_pipeline")(
                sk("decomposition.PCA", 8), sk("linear_model.LogisticRegression", max_iter=50)
            ),
            "digits",
        ),
    }


def others() -> Dict[str, Callable[[], Any]]:
    """Models for pickles only: searches, texts, tables with names, boosters in scikit-learn's clothes, series."""
    search, steps = "model_selection.GridSearchCV", {"n_estimators": 5, "max_depth": 3}
    quiet = {"iterations": 5, "verbose": 0, "allow_writing_files": False}
    return {
        "titanic-logistic": lambda: survival(sk("linear_model.LogisticRegression", max_iter=300)),
        "titanic-forest": lambda: survival(
            sk("ensemble.RandomForestClassifier", n_estimators=8, class_weight="balanced")
        ),
        "titanic-xgboost": lambda: survival(at("xgboost.XGBClassifier")(**steps)),
        "titanic-lightgbm": lambda: survival(at("lightgbm.LGBMClassifier")(verbose=-1, **steps)),
        "titanic-catboost": lambda: survival(at("catboost.CatBoostClassifier")(**quiet)),
        "iris-grid": lambda: fit(
            sk(search, sk("svm.SVC"), {"C": [0.1, 1, 10], "kernel": ["linear", "rbf"]}, cv=3, n_jobs=1)
        ),
        "digits-random-search": lambda: fit(
            sk(
                "model_selection.RandomizedSearchCV",
                sk("tree.DecisionTreeClassifier"),
                {"max_depth": at("scipy.stats.randint")(2, 6), "min_samples_leaf": at("scipy.stats.randint")(1, 5)},
                n_iter=3,
                cv=3,
                random_state=0,
            ),
            "digits",
        ),
        "wine-stack": lambda: fit(
            sk(
                "ensemble.StackingClassifier",
                [("rf", sk("ensemble.RandomForestClassifier", 5)), ("svc", scaled(sk("svm.LinearSVC"), "wine"))],
                final_estimator=sk("linear_model.LogisticRegression"),
                cv=3,
            ),
            "wine",
        ),
        "diabetes-histogram": lambda: fit(
            at("sklearn.ensemble.HistGradientBoostingRegressor")(max_iter=10), "diabetes"
        ),
        "diabetes-target": lambda: fit(
            sk("compose.TransformedTargetRegressor", sk("linear_model.Ridge"), func=np.log1p, inverse_func=np.expm1),
            "diabetes",
        ),
        "spam-bayes": lambda: reviews(
            sk("feature_extraction.text.CountVectorizer", stop_words="english"), sk("naive_bayes.MultinomialNB")
        ),
        "spam-svc": lambda: reviews(
            sk("feature_extraction.text.TfidfVectorizer", ngram_range=(1, 2), sublinear_tf=True), sk("svm.LinearSVC")
        ),
        "spam-hash": lambda: reviews(
            sk("feature_extraction.text.HashingVectorizer", n_features=256),
            sk("linear_model.SGDClassifier", loss="hinge"),
        ),
        "topics": lambda: at("sklearn.pipeline.make_pipeline")(
            sk("feature_extraction.text.CountVectorizer"), sk("decomposition.LatentDirichletAllocation", 2, max_iter=3)
        ).fit(REVIEWS),
        "topics-svd": lambda: at("sklearn.pipeline.make_pipeline")(
            sk("feature_extraction.text.TfidfVectorizer"), sk("decomposition.TruncatedSVD", 2)
        ).fit(REVIEWS),
        "labels": lambda: sk("preprocessing.LabelEncoder").fit(["setosa", "versicolor", "virginica"]),
        "scaler": lambda: sk("preprocessing.MinMaxScaler").fit(data("wine")[0]),
        "artifact": lambda: {
            "model": fit(sk("ensemble.RandomForestClassifier", 5)),
            "features": ["sepal length", "sepal width"],
            "classes": ["a", "b"],
            "metrics": {"accuracy": 0.96},
            "version": "1.0.0",
        },
        "xgb-classifier": lambda: fit(at("xgboost.XGBClassifier")(**steps), "breast_cancer"),
        "xgb-regressor": lambda: fit(at("xgboost.XGBRegressor")(objective="reg:squarederror", **steps), "diabetes"),
        "xgb-ranker": lambda: at("xgboost.XGBRanker")(objective="rank:pairwise", **steps).fit(
            data("iris")[0], data("iris")[1], group=[50, 50, 50]
        ),
        "xgb-booster": lambda: at("xgboost.train")(
            {"max_depth": 2, "objective": "multi:softprob", "num_class": 3},
            at("xgboost.DMatrix")(data("iris")[0], data("iris")[1]),
            4,
        ),
        "lgb-classifier": lambda: fit(at("lightgbm.LGBMClassifier")(verbose=-1, **steps), "wine"),
        "lgb-regressor": lambda: fit(at("lightgbm.LGBMRegressor")(verbose=-1, objective="mae", **steps), "diabetes"),
        "lgb-booster": lambda: at("lightgbm.train")(
            {"objective": "binary", "verbose": -1}, at("lightgbm.Dataset")(*data("breast_cancer")), 4
        ),
        "cat-classifier": lambda: fit(at("catboost.CatBoostClassifier")(**quiet), "wine"),
        "cat-regressor": lambda: fit(at("catboost.CatBoostRegressor")(loss_function="MAE", **quiet), "diabetes"),
        "ols": lambda: at("statsmodels.api.OLS")(
            data("diabetes")[1], at("statsmodels.api.add_constant")(data("diabetes")[0])
        ).fit(),
        "logit": lambda: at("statsmodels.formula.api.logit")("survived ~ fare + C(sex)", passengers()).fit(disp=0),
        "glm": lambda: at("statsmodels.formula.api.glm")(
            "survived ~ fare", passengers(), family=at("statsmodels.genmod.families.Binomial")()
        ).fit(),
        "arima": lambda: at("statsmodels.tsa.arima.model.ARIMA")(
            np.cumsum(np.ones(60)) + np.sin(np.arange(60)), order=(1, 1, 1)
        ).fit(),
        "holt-winters": lambda: at("statsmodels.tsa.holtwinters.ExponentialSmoothing")(
            10 + np.sin(np.arange(48) / 2), trend="add", seasonal="add", seasonal_periods=12
        ).fit(),
        "sarimax": lambda: at("statsmodels.tsa.statespace.sarimax.SARIMAX")(
            10 + np.sin(np.arange(48) / 2), order=(1, 0, 0), seasonal_order=(1, 0, 0, 4)
        ).fit(disp=0),
        "cox": lambda: at("lifelines.CoxPHFitter")().fit(
            passengers().assign(time=np.arange(80) + 1.0)[["time", "survived", "fare"]], "time", "survived"
        ),
        "kaplan-meier": lambda: at("lifelines.KaplanMeierFitter")().fit(np.arange(1, 41)),
        "word2vec": lambda: at("gensim.models.Word2Vec")([text.split() for text in REVIEWS], min_count=1),
        "smote": lambda: fit(
            at("imblearn.pipeline.make_pipeline")(
                at("imblearn.over_sampling.SMOTE")(k_neighbors=3), sk("linear_model.LogisticRegression", max_iter=200)
            ),
            "wine",
        ),
        "encoder": lambda: at("category_encoders.TargetEncoder")(cols=["sex"]).fit(
            passengers()[["sex"]], passengers().survived
        ),
        "prophet": lambda: at("prophet.Prophet")(uncertainty_samples=0).fit(
            at("pandas.DataFrame")({"ds": at("pandas.date_range")("2022-01-01", periods=60), "y": np.arange(60.0)})
        ),
        "umap": lambda: at("umap.UMAP")(n_neighbors=5, n_epochs=5).fit(data("iris")[0]),
        "kmeans-hdbscan": lambda: at("hdbscan.HDBSCAN")(min_cluster_size=5).fit(data("iris")[0]),
    }
