# ruff: noqa: B905, E501, E731 - Python 3.9 runs it; makers are short functions
"""The second held-out objects: neither honest.py, honest_families.py nor honest_held.py writes them.

Chosen on 2026-11-23, after the first held-out files were read, and before their causes were mended or these existed.
Two groups: objects of libraries whose other versions are in the table, and of libraries that were in no table (`NEW`).
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_held import REAL, RNG, STEPS, TEXTS, THREE, Makers, X, Y, at, frame, sk

NEW = "river tsfresh pygam hmmlearn sklego mapie kmodes interpret econml minisom statsforecast".split()


def sklearn_second() -> Makers:
    """What notebooks of tabular work keep together."""
    pipe = at("sklearn.pipeline", "make_pipeline")
    columns = at("sklearn.compose", "make_column_transformer")
    selector = at("sklearn.compose", "make_column_selector")
    selection = importlib.import_module("sklearn.model_selection")
    forest = lambda: sk("ensemble.RandomForestClassifier", 4, random_state=1)
    table = frame().drop(columns="day")
    encoded = lambda: columns(
        (sk("preprocessing.OneHotEncoder", handle_unknown="ignore"), selector(dtype_include=object)),
        (sk("preprocessing.PowerTransformer"), selector(dtype_include="number")),
    )
    union = at("sklearn.pipeline", "make_union")
    return {
        "selector-pipeline": lambda: pipe(encoded(), forest()).fit(table, Y),
        "random-search": lambda: selection.RandomizedSearchCV(
            forest(), {"max_depth": [2, 3], "min_samples_leaf": at("scipy.stats", "randint")(1, 4)}, n_iter=2, cv=2
        ).fit(X, Y),
        "log-search": lambda: selection.RandomizedSearchCV(
            sk("svm.SVC"), {"C": at("scipy.stats", "loguniform")(0.1, 10)}, n_iter=2, cv=2, random_state=3
        ).fit(X, Y),
        "bundle": lambda: {
            "model": forest().fit(X, Y), "features": list("abcd"), "threshold": np.float64(0.31),
            "scaler": sk("preprocessing.MinMaxScaler").fit(X), "classes": np.unique(Y), "version": "1.4",
        },
        "tuple": lambda: (sk("preprocessing.LabelEncoder").fit(["a", "b"]), sk("linear_model.Lasso").fit(X, REAL)),
        "text-grid": lambda: selection.GridSearchCV(
            pipe(sk("feature_extraction.text.CountVectorizer", ngram_range=(1, 2)), sk("naive_bayes.ComplementNB")),
            {"complementnb__alpha": np.logspace(-1, 0, 2)}, cv=2, scoring="f1",
        ).fit(TEXTS, Y),
        "text-union": lambda: union(
            sk("feature_extraction.text.TfidfVectorizer", analyzer="char_wb", ngram_range=(2, 3)),
            sk("feature_extraction.text.HashingVectorizer", n_features=32),
        ).fit(TEXTS),
        "log1p": lambda: pipe(sk("preprocessing.FunctionTransformer", np.log1p, inverse_func=np.expm1), forest()).fit(
            X, Y
        ),
        "log-target": lambda: sk(
            "compose.TransformedTargetRegressor", sk("linear_model.Ridge"), func=np.arcsinh, inverse_func=np.sinh
        ).fit(X, REAL),
        "scorer-search": lambda: selection.GridSearchCV(
            sk("linear_model.Ridge"), {"alpha": [1, 2]}, cv=2,
            scoring=at("sklearn.metrics", "make_scorer")(at("sklearn.metrics", "mean_absolute_error")),
        ).fit(X, REAL),
        "time-split": lambda: selection.GridSearchCV(
            sk("tree.DecisionTreeRegressor"), {"max_depth": [1]}, cv=selection.TimeSeriesSplit(3)
        ).fit(X, REAL),
        "group-split": lambda: [selection.StratifiedGroupKFold(3), selection.GroupShuffleSplit(2, random_state=0)],
        "stack-deep": lambda: sk(
            "ensemble.StackingClassifier", [("f", forest()), ("k", pipe(sk("preprocessing.StandardScaler"), sk("svm.SVC")))]
        ).fit(X, Y),
        "boost-deep": lambda: sk("ensemble.AdaBoostClassifier", n_estimators=3).fit(X, THREE),
        "gradient-init": lambda: sk(
            "ensemble.GradientBoostingClassifier", n_estimators=3, init=sk("dummy.DummyClassifier", strategy="prior")
        ).fit(X, Y),
        "hist-categories": lambda: sk(
            "ensemble.HistGradientBoostingRegressor", max_iter=3, categorical_features=[0], loss="poisson"
        ).fit(np.c_[THREE, X], np.abs(REAL)),
        "gp": lambda: sk(
            "gaussian_process.GaussianProcessRegressor",
            sk("gaussian_process.kernels.Matern", nu=1.5) + sk("gaussian_process.kernels.WhiteKernel"),
        ).fit(X, REAL),
        "neighbors-metric": lambda: sk("neighbors.KNeighborsRegressor", metric="minkowski", p=3).fit(X, REAL),
        "ball-tree": lambda: sk("neighbors.BallTree", X, metric="manhattan"),
        "kd-tree": lambda: sk("neighbors.KDTree", X),
        "neighbors-callable": lambda: sk(
            "neighbors.KNeighborsClassifier", metric=at("scipy.spatial.distance", "braycurtis")
        ).fit(X, Y),
        "elliptic": lambda: sk("covariance.EllipticEnvelope").fit(X),
        "nmf": lambda: sk("decomposition.NMF", 2, max_iter=20).fit(X),
        "ica": lambda: sk("decomposition.FastICA", 2, fun="exp").fit(X),
        "dictionary": lambda: sk("decomposition.MiniBatchDictionaryLearning", 2, max_iter=2).fit(X),
        "manifold": lambda: sk("manifold.Isomap", n_components=2).fit(X),
        "optics": lambda: sk("cluster.OPTICS").fit(X),
        "birch": lambda: sk("cluster.Birch", n_clusters=2).fit(X),
        "ransac": lambda: sk("linear_model.RANSACRegressor", random_state=0).fit(X, REAL),
        "quantile": lambda: sk("linear_model.QuantileRegressor", alpha=0.1, solver="highs").fit(X, REAL),
        "mlp-adam": lambda: sk("neural_network.MLPRegressor", (4, 3), max_iter=3, early_stopping=True).fit(X, REAL),
        "rbm": lambda: sk("neural_network.BernoulliRBM", 2, n_iter=2).fit(X > 1),
        "display": lambda: at("sklearn.metrics", "RocCurveDisplay")(fpr=np.arange(3), tpr=np.arange(3)),
        "bunch": lambda: at("sklearn.datasets", "load_wine")(),
        "bunch-frame": lambda: at("sklearn.datasets", "load_iris")(as_frame=True),
        "exported-tree": lambda: at("sklearn.tree", "export_text")(sk("tree.DecisionTreeClassifier").fit(X, Y)),
        "cv-results": lambda: selection.cross_val_predict(forest(), X, Y, cv=2, method="predict_proba"),
        "mixed-list": lambda: [(name, sk(name).fit(X, Y)) for name in ("svm.NuSVC", "naive_bayes.BernoulliNB")],
    }  # fmt: skip


def tables_second() -> Makers:
    """Tables and arrays as they lie beside models."""
    import pandas as pd
    from scipy import sparse

    table = frame()
    return {
        "feature-store": lambda: {"train": table.iloc[:40], "valid": table.iloc[40:], "y": pd.Series(Y, name="hit")},
        "string-dtype": lambda: table["city"].astype("string"),
        "category": lambda: table.astype({"city": "category"}),
        "nullable": lambda: pd.DataFrame({"a": pd.array([1, None], "Int32"), "b": pd.array([True, None], "boolean")}),
        "float-nullable": lambda: pd.Series([1.5, None], dtype="Float32"),
        "resampled": lambda: table.set_index("day")[["age"]].resample("W").mean(),
        "periods": lambda: table.set_index(table["day"].dt.to_period("M")),
        "deltas": lambda: table["day"].diff(),
        "multi-columns": lambda: table.pivot_table("age", "city", "day", aggfunc=["mean", "max"]),
        "value-counts": lambda: table["city"].value_counts(normalize=True),
        "range-index": lambda: table.iloc[::7],
        "zone": lambda: table.set_index(pd.to_datetime(table["day"], utc=True)),
        "offsets": lambda: [pd.offsets.MonthEnd(2), pd.offsets.CustomBusinessDay(holidays=["2024-12-25"])],
        "nat": lambda: [pd.NaT, pd.NA, pd.Timestamp("2024-01-01"), pd.Timedelta("3h")],
        "sparse-frame": lambda: pd.DataFrame.sparse.from_spmatrix(sparse.eye(4)),
        "expanding": lambda: table[["age"]].expanding(2).sum(),
        "numpy-mix": lambda: {"f2": np.float16([1]), "c": np.complex64([1j]), "s": np.array(["ab", "c"]),
                              "d": np.array(["2024-01-01"], "M8[D]"), "r": np.rec.array([(1, 2.0)], dtype="i4,f8")},
        "structured": lambda: np.zeros(3, dtype=[("a", "i4"), ("b", [("c", "f8", (2,))])]),
        "generator": lambda: [np.random.default_rng(3), np.random.RandomState(4), np.random.Philox(2)],
        "polynomials": lambda: [np.polynomial.Chebyshev([1, 2, 3]), np.poly1d([1, 2])],
        "masked": lambda: np.ma.masked_less(X, 1),
        "sparse": lambda: [sparse.random(9, 9, 0.2, fmt, random_state=1) for fmt in ("csr", "csc", "coo", "lil", "bsr")],
        "frozen": lambda: {name: getattr(at("scipy", "stats"), name)(2.0) for name in ("gamma", "lognorm", "t", "chi2")},
        "kde": lambda: at("scipy.stats", "gaussian_kde")(REAL),
        "interpolators": lambda: [
            at("scipy.interpolate", "interp1d")(STEPS.cumsum(), STEPS),
            at("scipy.interpolate", "PchipInterpolator")(np.arange(80), STEPS),
            at("scipy.interpolate", "UnivariateSpline")(np.arange(80), STEPS, s=1),
            at("scipy.interpolate", "RBFInterpolator")(X, REAL),
        ],
        "tree": lambda: at("scipy.spatial", "cKDTree")(X),
        "tests": lambda: [at("scipy.stats", "ttest_ind")(X[:, 0], X[:, 1]), at("scipy.stats", "linregress")(X[:, 0], REAL)],
    }  # fmt: skip


def boosters_second() -> Makers:
    """Boosters as services keep them."""
    import lightgbm as lgb
    import xgboost as xgb

    small = {"n_estimators": 3, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}
    pipe = at("sklearn.pipeline", "make_pipeline")
    table = frame()[["age", "debt"]].assign(city=frame()["city"].astype("category"))
    makers: Makers = {
        "xgb-hist": lambda: xgb.XGBClassifier(n_estimators=3, tree_method="hist", enable_categorical=True).fit(table, Y),
        "xgb-monotone": lambda: xgb.XGBRegressor(
            n_estimators=3, monotone_constraints=(1, 0, 0, 0), interaction_constraints=[[0, 1], [2, 3]]
        ).fit(X, REAL),
        "xgb-calibrated": lambda: sk(
            "calibration.CalibratedClassifierCV", xgb.XGBClassifier(n_estimators=2), cv=2
        ).fit(X, Y),
        "xgb-frame": lambda: xgb.train({"objective": "reg:tweedie"}, xgb.DMatrix(table[["age", "debt"]], label=np.abs(REAL)), 3),
        "xgb-ovr": lambda: sk("multiclass.OneVsRestClassifier", xgb.XGBClassifier(n_estimators=2)).fit(X, THREE),
        "xgb-scheduler": lambda: xgb.XGBRegressor(
            n_estimators=2, callbacks=[xgb.callback.LearningRateScheduler([0.1, 0.2])]
        ).fit(X, REAL),
        "lgb-pipeline": lambda: pipe(sk("impute.SimpleImputer"), lgb.LGBMClassifier(**small)).fit(X, Y),
        "lgb-monotone": lambda: lgb.LGBMRegressor(**small, monotone_constraints=[1, 0, 0, 0], objective="tweedie").fit(X, np.abs(REAL)),
        "lgb-frame": lambda: lgb.LGBMClassifier(**small).fit(table, Y, categorical_feature=["city"]),
        "lgb-goss": lambda: lgb.train({"boosting": "goss", "verbose": -1, "min_data_in_leaf": 2}, lgb.Dataset(X, REAL), 2),
        "lgb-chain": lambda: sk("multioutput.RegressorChain", lgb.LGBMRegressor(**small)).fit(X, np.c_[REAL, REAL]),
        "lgb-metric": lambda: lgb.LGBMRegressor(**small).fit(X, REAL, eval_set=[(X, REAL)], eval_metric=["l1", "l2"]),
    }  # fmt: skip
    with contextlib.suppress(ImportError):
        import catboost as cb

        quiet = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
        makers |= {
            "cat-categories": lambda: cb.CatBoostRegressor(**quiet, cat_features=["city"]).fit(table, REAL),
            "cat-search": lambda: sk("model_selection.GridSearchCV", cb.CatBoostClassifier(**quiet), {"depth": [2]}, cv=2).fit(X, Y),
            "cat-survival": lambda: cb.CatBoostRegressor(**quiet, loss_function="Tweedie:variance_power=1.5").fit(X, np.abs(REAL)),
        }  # fmt: skip
    return makers


def statistics_second() -> Makers:
    """Models of statsmodels that the other files do not write."""
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    data = sm.add_constant(X[:, :2])
    table = frame().assign(hit=Y, who=THREE)
    dated = pd.Series(STEPS, index=pd.date_range("2020-01-31", periods=80, freq="D"))
    return {
        "WLS": lambda: sm.WLS(REAL, data, weights=X[:, 0]).fit(),
        "quantile": lambda: smf.quantreg("score ~ age", table).fit(q=0.3),
        "poisson": lambda: smf.poisson("who ~ age + C(city)", table).fit(disp=0),
        "glm-binomial": lambda: smf.glm("hit ~ age", table, family=sm.families.Binomial()).fit(),
        "mixed": lambda: smf.mixedlm("score ~ age", table, groups=table["who"]).fit(),
        "gee": lambda: sm.GEE(Y, data, groups=THREE, family=sm.families.Binomial()).fit(),
        "arima": lambda: sm.tsa.ARIMA(dated, order=(1, 0, 1)).fit(),
        "autoreg": lambda: at("statsmodels.tsa.ar_model", "AutoReg")(dated, 2, seasonal=True, period=7).fit(),
        "holt": lambda: sm.tsa.Holt(dated, damped_trend=True).fit(),
        "winters": lambda: sm.tsa.ExponentialSmoothing(dated, trend="add", seasonal="add", seasonal_periods=7).fit(),
        "simple": lambda: sm.tsa.SimpleExpSmoothing(STEPS).fit(),
        "components": lambda: sm.tsa.UnobservedComponents(dated, "local level").fit(disp=0),
        "var": lambda: sm.tsa.VAR(np.c_[np.diff(STEPS), RNG.normal(size=79)]).fit(2),
        "decompose": lambda: sm.tsa.seasonal_decompose(dated, period=7),
        "probit": lambda: sm.Probit(Y, data).fit(disp=0),
        "iv": lambda: at("statsmodels.sandbox.regression.gmm", "IV2SLS")(REAL, data, data).fit(),
        "kde": lambda: sm.nonparametric.KDEUnivariate(REAL),
        "pca": lambda: sm.multivariate.PCA(X, 2),
    }


def survival_second() -> Makers:
    """lifelines and scikit-survival."""
    makers: Makers = {}
    with contextlib.suppress(ImportError):
        import lifelines

        table = frame()[["age", "debt"]].assign(T=np.arange(1.0, 61.0), E=Y)
        for name in "KaplanMeierFitter NelsonAalenFitter WeibullFitter ExponentialFitter LogNormalFitter".split():
            makers["lifelines." + name] = lambda name=name: getattr(lifelines, name)().fit(table["T"], table["E"])
        for name in "CoxPHFitter WeibullAFTFitter LogNormalAFTFitter LogLogisticAFTFitter AalenAdditiveFitter".split():
            makers["lifelines." + name] = lambda name=name: getattr(lifelines, name)(penalizer=0.5).fit(table, "T", "E") if name != "AalenAdditiveFitter" else getattr(lifelines, name)(coef_penalizer=1.0).fit(table, "T", "E")  # fmt: skip
    with contextlib.suppress(ImportError):
        target = at("sksurv.util", "Surv").from_arrays(Y.astype(bool), np.arange(1.0, 61.0))
        for name in ("ensemble.ExtraSurvivalTrees", "svm.MinlipSurvivalAnalysis", "svm.NaiveSurvivalSVM"):
            module, _, label = name.rpartition(".")
            makers["sksurv." + label] = lambda module=module, label=label: at("sksurv." + module, label)().fit(
                X, target
            )
        makers["sksurv.pipeline"] = lambda: at("sklearn.pipeline", "make_pipeline")(
            sk("preprocessing.StandardScaler"), at("sksurv.linear_model", "CoxPHSurvivalAnalysis")(alpha=1.0)
        ).fit(X, target)
        makers["sksurv.curves"] = lambda: (
            at("sksurv.linear_model", "CoxPHSurvivalAnalysis")(alpha=1.0)
            .fit(X, target)
            .predict_survival_function(X[:3])
        )
        makers["sksurv.forest"] = lambda: at("sksurv.ensemble", "RandomSurvivalForest")(5).fit(X, target)
    return makers


def river_second() -> Makers:
    """Online learning."""
    from river import (
        anomaly,
        cluster,
        compose,
        drift,
        ensemble,
        linear_model,
        metrics,
        naive_bayes,
        neighbors,
        optim,
        preprocessing,
        stats,
        tree,
    )

    def learn(model: Any, target: Any = Y) -> Any:
        for row, value in zip(X[:30], target):
            model.learn_one(dict(zip("abcd", map(float, row))), value.item())
        return model

    return {
        "logistic": lambda: learn(preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.1))),
        "linear": lambda: learn(linear_model.LinearRegression(), REAL),
        "passive": lambda: learn(linear_model.PAClassifier()),
        "hoeffding": lambda: learn(tree.HoeffdingTreeClassifier(grace_period=5)),
        "adaptive-tree": lambda: learn(tree.HoeffdingAdaptiveTreeClassifier(grace_period=5, seed=1)),
        "regressor": lambda: learn(tree.HoeffdingTreeRegressor(grace_period=5), REAL),
        "bagging": lambda: learn(ensemble.ADWINBaggingClassifier(linear_model.LogisticRegression(), n_models=2, seed=1)),
        "bayes": lambda: learn(naive_bayes.GaussianNB()),
        "neighbors": lambda: learn(neighbors.KNNClassifier()),
        "half-space": lambda: anomaly.HalfSpaceTrees(seed=1),
        "kmeans": lambda: cluster.KMeans(n_clusters=2, seed=1),
        "metrics": lambda: [metrics.Accuracy(), metrics.ROCAUC(), metrics.MAE() + metrics.RMSE()],
        "statistics": lambda: [stats.Mean(), stats.Var(), stats.Quantile(0.3), stats.EWMean()],
        "drift": lambda: [drift.ADWIN(), drift.PageHinkley()],
        "compose": lambda: compose.TransformerUnion(compose.Select("a"), preprocessing.MinMaxScaler()),
        "one-hot": lambda: compose.Pipeline(preprocessing.OneHotEncoder(), linear_model.Perceptron()),
    }  # fmt: skip


def others_second() -> Makers:
    """Smaller libraries, each with the objects of its own first example."""
    makers: Makers = {}
    plain = {
        "hmmlearn.hmm": ["GaussianHMM", "GMMHMM", "PoissonHMM"],
        "sklego.meta": ["Thresholder:c", "ZeroInflatedRegressor:cr", "GroupedPredictor:r0"],
        "sklego.linear_model": ["LowessRegression", "DemographicParityClassifier", "LADRegression"],
        "sklego.mixture": ["GMMClassifier", "GMMOutlierDetector", "BayesianGMMDetector"],
        "sklego.preprocessing": ["RandomAdder", "InformationFilter", "ColumnCapper", "IdentityTransformer"],
        "mapie.regression": ["MapieRegressor", "SplitConformalRegressor"],
        "mapie.classification": ["MapieClassifier", "SplitConformalClassifier"],
        "kmodes.kmodes": ["KModes"],
        "kmodes.kprototypes": ["KPrototypes"],
        "pygam": ["LinearGAM", "LogisticGAM", "PoissonGAM", "GammaGAM"],
        "interpret.glassbox": ["ExplainableBoostingClassifier", "ExplainableBoostingRegressor"],
        "econml.dml": ["LinearDML", "CausalForestDML", "NonParamDML"],
        "econml.metalearners": ["SLearner", "TLearner", "XLearner"],
        "tsfresh.transformers": ["FeatureSelector", "RelevantFeatureAugmenter", "PerColumnImputer", "FeatureAugmenter"],
        "statsforecast.models": ["AutoARIMA", "AutoETS", "Naive", "SeasonalNaive", "Theta", "CrostonClassic"],
        "imblearn.combine": ["SMOTEENN", "SMOTETomek"],
        "imblearn.ensemble": ["EasyEnsembleClassifier", "RUSBoostClassifier", "BalancedBaggingClassifier"],
        "category_encoders": ["CatBoostEncoder", "LeaveOneOutEncoder", "WOEEncoder", "GLMMEncoder", "JamesSteinEncoder"],
        "feature_engine.selection": ["DropCorrelatedFeatures", "SmartCorrelatedSelection", "DropConstantFeatures"],
        "pyod.models.ecod": ["ECOD"], "pyod.models.iforest": ["IForest"], "pyod.models.hbos": ["HBOS"],
        "pyod.models.copod": ["COPOD"], "pyod.models.knn": ["KNN"], "pyod.models.pca": ["PCA"],
        "sktime.transformations.series.difference": ["Differencer"],
        "sktime.forecasting.trend": ["PolynomialTrendForecaster", "STLForecaster"],
        "sktime.classification.interval_based": ["TimeSeriesForestClassifier"],
    }  # fmt: skip
    needs = {"Thresholder": "linear_model.LogisticRegression", "SLearner": "linear_model.Ridge"}
    needs |= {"TLearner": "linear_model.Ridge", "XLearner": "linear_model.Ridge", "KModes": "", "KPrototypes": ""}
    for module, labels in plain.items():
        for text in labels:
            label = text.partition(":")[0]
            makers[f"{module.partition('.')[0]}.{label}"] = lambda module=module, label=label: _fitted(
                module, label, needs.get(label, "")
            )
    makers["hmmlearn.Categorical"] = lambda: at("hmmlearn.hmm", "CategoricalHMM")(2).fit(THREE[:, None])
    makers["minisom.MiniSom"] = lambda: at("minisom", "MiniSom")(3, 3, 4)
    makers["pygam.terms"] = lambda: at("pygam", "s")(0) + at("pygam", "te")(1, 2)
    makers["tsfresh.settings"] = lambda: at("tsfresh.feature_extraction", "EfficientFCParameters")()
    makers["optuna.study"] = lambda: _study()
    makers["networkx.weighted"] = lambda: at("networkx", "connected_watts_strogatz_graph")(12, 4, 0.3, seed=1)
    return makers


def _study() -> Any:
    optuna = importlib.import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(1), pruner=optuna.pruners.MedianPruner())
    study.enqueue_trial({"x": 0.5})
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1) ** 2, n_trials=3)
    return study


def _fitted(module: str, label: str, needs: str) -> Any:
    """An estimator with its defaults, fitted if it takes one of the usual shapes."""
    made = at(module, label)(*([sk(needs)] if needs else []))
    for data in ((X, Y), (X, REAL), (frame()[["age", "debt"]], Y), (X,), (STEPS[:, None],)):
        with contextlib.suppress(Exception):
            made.fit(*data)
            break
    return made


GROUPS = [
    ("sklearn", sklearn_second),
    ("pandas", tables_second),
    ("lightgbm", boosters_second),
    ("statsmodels", statistics_second),
    ("survival", survival_second),
    ("river", river_second),
    ("", others_second),
]


def run(out: Any) -> None:
    """All of them; what an environment does not have is counted as failed. Families of `NEW` begin with `new-`."""
    for label, group in GROUPS:
        makers: Makers = {}
        with contextlib.suppress(ImportError):
            makers = group()
        for name, make in makers.items():
            family = f"{label}.{name}" if label else name
            library = family.replace("survival.", "").partition(".")[0]
            if library in NEW:
                family = "new-" + family
            out.attempt(family, lambda family=family, make=make: out.dump(family, "", make(), 2))
