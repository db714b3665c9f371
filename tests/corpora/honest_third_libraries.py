# ruff: noqa: E501, E731 - Python 3.9 runs it; makers are short functions
"""The third held-out objects of statistics, series, survival, text and graphs; see honest_third.py."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_held import REAL, RNG, STEPS, TEXTS, THREE, Makers, X, Y, at, frame, sk

WORDS = [text.split() for text in TEXTS]


def statistics_third() -> Makers:
    """Results of statsmodels, with other families, covariances and data."""
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    table = frame().assign(hit=Y, who=THREE, count=RNG.poisson(2, 60))
    data = sm.add_constant(table[["age", "debt"]])
    monthly = pd.Series(STEPS, index=pd.period_range("2015-01", periods=80, freq="M"))
    families = sm.families
    return {
        "ols-frame": lambda: sm.OLS(table["score"], data).fit(),
        "ols-cluster": lambda: smf.ols("score ~ age * C(city)", table).fit(cov_type="cluster", cov_kwds={"groups": THREE}),
        "ols-hac": lambda: sm.OLS(REAL, data).fit(cov_type="HAC", cov_kwds={"maxlags": 2}),
        "ols-scaled": lambda: smf.ols("np.log(age) ~ standardize(debt) + center(income)", table).fit(),
        "ols-powers": lambda: smf.ols("score ~ I(age ** 2) + Q('debt') - 1", table).fit(),
        "gls": lambda: sm.GLS(REAL, data, sigma=np.ones(60)).fit(),
        "glm-tweedie": lambda: sm.GLM(np.abs(REAL), data, families.Tweedie(var_power=1.5)).fit(),
        "glm-inverse": lambda: sm.GLM(np.abs(REAL) + 1, data, families.InverseGaussian(families.links.Log() if hasattr(families.links, "Log") else families.links.log())).fit(),
        "glm-negative": lambda: smf.glm("count ~ age", table, family=families.NegativeBinomial(alpha=0.5)).fit(),
        "glm-offset": lambda: sm.GLM(table["count"], data, families.Poisson(), exposure=np.ones(60)).fit(cov_type="HC1"),
        "logit-newton": lambda: smf.logit("hit ~ age + debt", table).fit(disp=0, method="bfgs"),
        "logit-penalty": lambda: sm.Logit(Y, data).fit_regularized(disp=0, alpha=0.1),
        "generalized-poisson": lambda: sm.GeneralizedPoisson(table["count"], data).fit(disp=0, maxiter=5),
        "zero-negative": lambda: sm.ZeroInflatedNegativeBinomialP(table["count"], data).fit(disp=0, maxiter=3),
        "multinomial": lambda: smf.mnlogit("who ~ age", table).fit(disp=0),
        "mixed-slopes": lambda: smf.mixedlm("score ~ age", table, groups="who", re_formula="~debt").fit(),
        "gee-exchange": lambda: smf.gee("hit ~ age", "who", table, cov_struct=sm.cov_struct.Exchangeable(), family=families.Binomial()).fit(),
        "sarimax": lambda: sm.tsa.SARIMAX(monthly, order=(1, 0, 1), trend="c").fit(maxiter=2, disp=0),
        "sarimax-extra": lambda: sm.tsa.SARIMAX(STEPS, exog=np.arange(80.0), order=(0, 1, 1)).fit(maxiter=2, disp=0),
        "arima-seasonal": lambda: sm.tsa.ARIMA(monthly, order=(1, 1, 0), seasonal_order=(0, 1, 0, 12)).fit(),
        "autoreg-lags": lambda: at("statsmodels.tsa.ar_model", "AutoReg")(STEPS, [1, 3], trend="ct").fit(),
        "winters-multiply": lambda: sm.tsa.ExponentialSmoothing(monthly, trend="mul", seasonal="mul", seasonal_periods=12, damped_trend=True).fit(),
        "holt-exponential": lambda: sm.tsa.Holt(STEPS, exponential=True).fit(),
        "simple-heuristic": lambda: sm.tsa.SimpleExpSmoothing(monthly, initialization_method="heuristic").fit(smoothing_level=0.3),
        "ets-seasonal": lambda: at("statsmodels.tsa.exponential_smoothing.ets", "ETSModel")(monthly, error="mul", trend="add", seasonal="add", seasonal_periods=12).fit(disp=0),
        "components-cycle": lambda: sm.tsa.UnobservedComponents(STEPS, "llevel", cycle=True, seasonal=4).fit(disp=0, maxiter=2),
        "var-frame": lambda: sm.tsa.VAR(pd.DataFrame(RNG.normal(size=(60, 2)), columns=list("ab"))).fit(maxlags=2, ic="aic"),
        "markov-auto": lambda: sm.tsa.MarkovAutoregression(STEPS, k_regimes=2, order=1).fit(maxiter=2),
        "stl-robust": lambda: sm.tsa.STL(monthly, robust=True).fit(),
        "robust-huber": lambda: sm.RLM(REAL, data, M=sm.robust.norms.HuberT(1.2)).fit(),
        "quantiles": lambda: [smf.quantreg("score ~ age", table).fit(q=q) for q in (0.1, 0.9)],
        "prediction": lambda: sm.OLS(REAL, data).fit().get_prediction(data.iloc[:3]).summary_frame(),
        "influence": lambda: sm.OLS(REAL, data).fit().get_influence().summary_frame(),
        "kde-fitted": lambda: _fitted(sm.nonparametric.KDEUnivariate(REAL)),
        "kde-many": lambda: sm.nonparametric.KDEMultivariate(X[:, :2], "cc"),
        "imputed": lambda: at("statsmodels.imputation.mice", "MICEData")(table[["age", "debt"]]),
        "removed-data": lambda: _without_data(sm.OLS(REAL, data).fit()),
        "contrast": lambda: smf.ols("score ~ C(city, Treatment('Rome')) + C(who, Sum)", table).fit(),
        "patsy": lambda: at("patsy", "dmatrix")("cr(age, df=3) + te(bs(debt, df=4))", table).design_info.column_names,
    }  # fmt: skip


def _fitted(item: Any) -> Any:
    item.fit()
    return item


def _without_data(item: Any) -> Any:
    item.remove_data()
    return item


def survival_third() -> Makers:
    """lifelines and scikit-survival with other baselines, penalties and weights."""
    makers: Makers = {}
    table = frame()[["age", "debt"]].assign(T=np.arange(1.0, 61.0), E=Y, w=X[:, 0])
    with contextlib.suppress(ImportError):
        import lifelines as ll

        makers |= {
            "lifelines.cox-weights": lambda: ll.CoxPHFitter(penalizer=0.2, l1_ratio=0.5).fit(table, "T", "E", weights_col="w", robust=True),
            "lifelines.cox-pieces": lambda: ll.CoxPHFitter(baseline_estimation_method="piecewise", breakpoints=[20, 40], penalizer=0.1).fit(table, "T", "E"),
            "lifelines.weibull-formula": lambda: ll.WeibullAFTFitter(penalizer=0.3).fit(table, "T", "E", formula="age + debt + age:debt", ancillary=True),
            "lifelines.aft-interval": lambda: ll.LogNormalAFTFitter(penalizer=0.3).fit_interval_censoring(table.assign(U=table["T"] + 1)[["age", "T", "U"]], "T", "U"),
            "lifelines.kaplan-labels": lambda: ll.KaplanMeierFitter(alpha=0.1, label="arm").fit(table["T"], table["E"], timeline=range(60), entry=np.zeros(60)),
            "lifelines.gamma": lambda: ll.GeneralizedGammaFitter().fit(table["T"], table["E"]),
            "lifelines.breslow": lambda: ll.BreslowFlemingHarringtonFitter().fit(table["T"], table["E"]),
            "lifelines.mixture": lambda: ll.MixtureCureFitter(base_fitter=ll.ExponentialFitter()).fit(table["T"], table["E"]),
            "lifelines.survival-frame": lambda: ll.CoxPHFitter(penalizer=0.2).fit(table, "T", "E").predict_survival_function(table.head(3)),
            "lifelines.tests": lambda: at("lifelines.statistics", "multivariate_logrank_test")(table["T"], THREE, table["E"]),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        target = at("sksurv.util", "Surv").from_arrays(Y.astype(bool), np.arange(1.0, 61.0))
        rows = (
            ("ensemble.RandomSurvivalForest", {"n_estimators": 3, "max_features": "sqrt", "low_memory": True}),
            ("ensemble.GradientBoostingSurvivalAnalysis", {"n_estimators": 3, "loss": "squared", "dropout_rate": 0.1}),
            ("ensemble.ComponentwiseGradientBoostingSurvivalAnalysis", {"n_estimators": 3, "loss": "ipcwls"}),
            ("linear_model.CoxnetSurvivalAnalysis", {"fit_baseline_model": True, "l1_ratio": 0.5}),
            ("svm.FastSurvivalSVM", {"rank_ratio": 0.5, "max_iter": 3}),
            ("svm.FastKernelSurvivalSVM", {"kernel": "rbf", "max_iter": 3}),
            ("tree.SurvivalTree", {"max_depth": 2, "splitter": "random"}),
            ("nonparametric.SurvivalFunctionEstimator", {}),
        )
        for name, more in rows:
            module, _, label = name.rpartition(".")
            makers["sksurv." + label] = lambda module=module, label=label, more=more: _survival(
                module, label, more, target
            )
        makers["sksurv.search"] = lambda: sk(
            "model_selection.GridSearchCV",
            at("sksurv.linear_model", "CoxPHSurvivalAnalysis")(),
            {"alpha": [0.5, 1.0]},
            cv=2,
        ).fit(X, target)
    return makers


def _survival(module: str, label: str, more: dict[str, Any], target: Any) -> Any:
    made = at("sksurv." + module, label)(**more)
    return made.fit(target) if module == "nonparametric" else made.fit(X, target)


def series_third() -> Makers:
    """sktime, tslearn, pmdarima, prophet."""
    import pandas as pd

    series = pd.Series(STEPS, index=pd.period_range("2015-01", periods=80, freq="M"))
    panel, labels = RNG.normal(size=(12, 1, 20)), np.arange(12) % 2
    f, t = "sktime.forecasting.", "sktime.transformations.series."
    naive = lambda **more: at(f + "naive", "NaiveForecaster")(**more)
    return {
        "sktime.seasonal": lambda: naive(strategy="mean", sp=12, window_length=24).fit(series, fh=[1, 2, 3]),
        "sktime.bagged": lambda: at(f + "compose", "TransformedTargetForecaster")([("d", at(t + "detrend", "Detrender")()), ("f", naive())]).fit(series),
        "sktime.direct": lambda: at(f + "compose", "make_reduction")(sk("ensemble.GradientBoostingRegressor", n_estimators=2), strategy="direct", window_length=3).fit(series, fh=[1, 2]),
        "sktime.stack": lambda: at(f + "compose", "StackingForecaster")([("a", naive()), ("b", naive(strategy="drift"))]).fit(series, fh=[1]),
        "sktime.arima": lambda: at(f + "arima", "ARIMA")(order=(1, 0, 0)).fit(series),
        "sktime.auto-arima": lambda: at(f + "arima", "AutoARIMA")(max_p=1, max_q=1).fit(series),
        "sktime.trend": lambda: at(f + "trend", "PolynomialTrendForecaster")(degree=2).fit(series),
        "sktime.smoothing": lambda: at(f + "exp_smoothing", "ExponentialSmoothing")(trend="add", seasonal="additive", sp=12).fit(series),
        "sktime.search": lambda: at(f + "model_selection", "ForecastingRandomizedSearchCV")(naive(), at(f + "model_selection", "SlidingWindowSplitter")(fh=[1], window_length=40), {"strategy": ["last", "mean"]}, n_iter=2).fit(series),
        "sktime.impute": lambda: at(t + "impute", "Imputer")(method="mean").fit(series),
        "sktime.boxcox": lambda: at(t + "boxcox", "BoxCoxTransformer")().fit(series),
        "sktime.summary": lambda: at(t + "summarize", "WindowSummarizer")(lag_feature={"lag": [1], "mean": [[1, 3]]}).fit(series),
        "sktime.fourier": lambda: at(t + "fourier", "FourierFeatures")(sp_list=[12], fourier_terms_list=[2]).fit(series),
        "sktime.rocket": lambda: at("sktime.classification.kernel_based", "RocketClassifier")(num_kernels=20).fit(panel, labels),
        "sktime.knn": lambda: at("sktime.classification.distance_based", "KNeighborsTimeSeriesClassifier")(n_neighbors=1, distance="euclidean").fit(panel, labels),
        "sktime.catch": lambda: at("sktime.transformations.panel.summarize", "RandomIntervalFeatureExtractor")(n_intervals=2).fit(panel),
        "tslearn.softdtw": lambda: at("tslearn.clustering", "TimeSeriesKMeans")(2, metric="dtw", max_iter=2).fit(panel[:, 0]),
        "tslearn.shape": lambda: at("tslearn.clustering", "KShape")(2, max_iter=2).fit(panel[:, 0, :, None]),
        "tslearn.svc": lambda: at("tslearn.svm", "TimeSeriesSVC")(kernel="gak").fit(panel[:, 0, :, None], labels),
        "tslearn.scaler": lambda: at("tslearn.preprocessing", "TimeSeriesScalerMeanVariance")().fit(panel[:, 0]),
        "pmdarima.auto": lambda: at("pmdarima", "auto_arima")(STEPS, max_p=1, max_q=1, seasonal=False),
        "pmdarima.pipeline": lambda: at("pmdarima.pipeline", "Pipeline")([("b", at("pmdarima.preprocessing", "BoxCoxEndogTransformer")(lmbda2=1e-6)), ("m", at("pmdarima", "ARIMA")((1, 0, 0)))]).fit(STEPS),
        "prophet.growth": lambda: at("prophet", "Prophet")(growth="flat", yearly_seasonality=False, changepoint_prior_scale=0.1),
        "prophet.holidays": lambda: at("prophet", "Prophet")(holidays=pd.DataFrame({"holiday": ["x"], "ds": pd.to_datetime(["2024-01-01"])})),
    }  # fmt: skip


def others_third() -> Makers:
    """Samplers, encoders, selectors, detectors, neighbours, studies, with other options; vectors, graphs, text."""
    makers: Makers = {}
    table = frame().drop(columns="day")
    forest = lambda: sk("ensemble.RandomForestClassifier", 3)
    ridge = lambda: sk("linear_model.Ridge")
    rows: list[tuple[str, dict[str, Any], Any]] = [
        ("imblearn.over_sampling.BorderlineSMOTE", {"kind": "borderline-2"}, 0),
        ("imblearn.over_sampling.SVMSMOTE", {"k_neighbors": 3}, 0),
        ("imblearn.under_sampling.InstanceHardnessThreshold", {"cv": 2}, 0),
        ("imblearn.under_sampling.NeighbourhoodCleaningRule", {}, 0),
        ("imblearn.ensemble.BalancedRandomForestClassifier", {"n_estimators": 3, "replacement": True}, 0),
        ("imblearn.FunctionSampler", {"func": None}, 0),
        ("category_encoders.TargetEncoder", {"cols": ["city"], "smoothing": 2.0}, 1),
        ("category_encoders.BinaryEncoder", {"cols": ["city"], "return_df": False}, 1),
        ("category_encoders.HashingEncoder", {"cols": ["city"], "n_components": 3, "max_process": 1}, 1),
        ("category_encoders.HelmertEncoder", {"cols": ["city"]}, 1),
        ("category_encoders.CountEncoder", {"normalize": True}, 1),
        ("category_encoders.QuantileEncoder", {"quantile": 0.3}, 1),
        ("feature_engine.encoding.RareLabelEncoder", {"tol": 0.1, "n_categories": 2}, 1),
        ("feature_engine.encoding.WoEEncoder", {}, 1),
        ("feature_engine.discretisation.DecisionTreeDiscretiser", {"cv": 2, "regression": False}, 1),
        ("feature_engine.outliers.Winsorizer", {"capping_method": "iqr", "tail": "both"}, 1),
        ("feature_engine.creation.CyclicalFeatures", {"variables": ["age"]}, 1),
        ("feature_engine.transformation.YeoJohnsonTransformer", {}, 1),
        ("feature_engine.imputation.RandomSampleImputer", {"random_state": 1}, 1),
        (
            "feature_engine.wrappers.SklearnTransformerWrapper",
            {"transformer": sk("preprocessing.StandardScaler"), "variables": ["age"]},
            1,
        ),
        ("feature_engine.selection.RecursiveFeatureElimination", {"estimator": forest(), "cv": 2}, 2),
        ("pyod.models.lof.LOF", {"n_neighbors": 4}, 0),
        ("pyod.models.ocsvm.OCSVM", {"kernel": "linear"}, 0),
        ("pyod.models.cblof.CBLOF", {"n_clusters": 3}, 0),
        ("pyod.models.loda.LODA", {"n_random_cuts": 5}, 0),
        ("pyod.models.feature_bagging.FeatureBagging", {"n_estimators": 2}, 0),
        ("pyod.models.kde.KDE", {}, 0),
        ("pyod.models.gmm.GMM", {"n_components": 2}, 0),
        ("pyod.models.mcd.MCD", {}, 0),
        ("hdbscan.HDBSCAN", {"min_cluster_size": 4, "prediction_data": True, "metric": "manhattan"}, 0),
        ("umap.UMAP", {"n_neighbors": 5, "n_epochs": 3, "init": "random", "transform_mode": "graph"}, 0),
        ("pynndescent.NNDescent", {}, 3),
        (
            "mlxtend.classifier.StackingCVClassifier",
            {"classifiers": [forest()], "meta_classifier": sk("naive_bayes.GaussianNB"), "cv": 2},
            0,
        ),
        ("mlxtend.classifier.EnsembleVoteClassifier", {"clfs": [forest()]}, 0),
        ("mlxtend.regressor.StackingRegressor", {"regressors": [ridge()], "meta_regressor": ridge()}, 4),
        ("mlxtend.feature_selection.SequentialFeatureSelector", {"estimator": forest(), "k_features": 2, "cv": 2}, 0),
        ("mlxtend.preprocessing.TransactionEncoder", {}, 5),
        ("ngboost.NGBRegressor", {"n_estimators": 2, "verbose": False}, 4),
        ("hmmlearn.hmm.GaussianHMM", {"n_components": 2, "covariance_type": "tied", "n_iter": 2}, 0),
        ("hmmlearn.vhmm.VariationalGaussianHMM", {"n_components": 2, "n_iter": 2}, 0),
        ("sklego.meta.EstimatorTransformer", {"estimator": ridge()}, 4),
        ("sklego.meta.GroupedTransformer", {"transformer": sk("preprocessing.StandardScaler"), "groups": 0}, 6),
        ("sklego.preprocessing.ColumnSelector", {"columns": ["age"]}, 1),
        ("kmodes.kprototypes.KPrototypes", {"n_clusters": 2, "max_iter": 2}, 7),
        ("skopt.learning.GaussianProcessRegressor", {}, 4),
        ("skopt.learning.RandomForestRegressor", {"n_estimators": 2}, 4),
        ("implicit.als.AlternatingLeastSquares", {"factors": 2, "iterations": 1, "num_threads": 1}, 8),
    ]
    sparse = importlib.import_module("scipy.sparse")
    for name, more, kind in rows:
        module, _, label = name.rpartition(".")
        makers[name.replace(module, module.partition(".")[0])] = (
            lambda module=module, label=label, more=more, kind=kind: _made(module, label, more, kind, table, sparse)
        )
    makers["mapie.plus"] = lambda: at("mapie.regression", "MapieRegressor")(ridge(), method="plus", cv=3).fit(X, REAL)
    with contextlib.suppress(ImportError):
        optuna = importlib.import_module("optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        makers |= {
            "optuna.multi": lambda: _study(optuna, ["minimize", "maximize"], optuna.samplers.TPESampler(seed=2, multivariate=True)),
            "optuna.grid": lambda: _study(optuna, ["minimize"], optuna.samplers.GridSampler({"x": [0.1, 0.5], "n": [1, 2]})),
            "optuna.frozen": lambda: _study(optuna, ["maximize"], optuna.samplers.QMCSampler(seed=1)).trials,
            "optuna.pruners": lambda: [optuna.pruners.PercentilePruner(25.0), optuna.pruners.PatientPruner(None, patience=2), optuna.samplers.CmaEsSampler(seed=1)],
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        nx = importlib.import_module("networkx")
        makers |= {
            "networkx.multi": lambda: nx.MultiDiGraph([(1, 2, "k", {"w": 1}), (1, 2, "j", {"w": 2.5})]),
            "networkx.grid": lambda: nx.grid_2d_graph(3, 3),
            "networkx.results": lambda: {"rank": nx.pagerank(nx.karate_club_graph()), "paths": dict(nx.all_pairs_shortest_path(nx.cycle_graph(4)))},
            "networkx.arrays": lambda: nx.from_numpy_array(np.array([[0, 2.0], [1.0, 0]]), create_using=nx.DiGraph),
            "networkx.subgraph": lambda: nx.karate_club_graph().subgraph([0, 1, 2]).copy(),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        models, corpora = importlib.import_module("gensim.models"), importlib.import_module("gensim.corpora")
        words = corpora.Dictionary(WORDS)
        bags = [words.doc2bow(text) for text in WORDS]
        makers |= {
            "gensim.fasttext": lambda: models.FastText(WORDS, vector_size=4, min_count=1, epochs=1, bucket=20),
            "gensim.doc2vec": lambda: models.Doc2Vec([models.doc2vec.TaggedDocument(text, [str(i)]) for i, text in enumerate(WORDS)], vector_size=4, dm=0, epochs=1, min_count=1),
            "gensim.vectors": lambda: models.Word2Vec(WORDS, vector_size=4, min_count=1, negative=3, epochs=1).wv,
            "gensim.lsi": lambda: models.LsiModel(bags, id2word=words, num_topics=2),
            "gensim.hdp": lambda: models.HdpModel(bags, words, T=5),
            "gensim.lda": lambda: models.LdaModel(bags, id2word=words, num_topics=2, alpha="auto", eta="auto"),
            "gensim.ensemble": lambda: models.TfidfModel(bags, smartirs="ntc", pivot=2.0, slope=0.2),
            "gensim.similar": lambda: at("gensim.similarities", "MatrixSimilarity")(bags, num_features=len(words)),
            "gensim.nmf": lambda: at("gensim.models.nmf", "Nmf")(bags, id2word=words, num_topics=2),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        nltk = importlib.import_module("nltk")
        makers |= {
            "nltk.bayes": lambda: nltk.NaiveBayesClassifier.train([({"a": 1, "b": True}, "x"), ({"a": 2}, "y")]),
            "nltk.tree": lambda: nltk.DecisionTreeClassifier.train([({"a": 1}, "x"), ({"a": 2}, "y")] * 3),
            "nltk.ngrams": lambda: at("nltk.lm", "MLE")(2),
            "nltk.kneser": lambda: at("nltk.lm", "KneserNeyInterpolated")(2),
            "nltk.brill": lambda: nltk.TnT(),
            "nltk.tokenizers": lambda: [nltk.TweetTokenizer(preserve_case=False), nltk.SnowballStemmer("german"), nltk.RegexpTokenizer(r"\w+")],
            "nltk.grammar": lambda: nltk.CFG.fromstring("S -> 'a' S | 'b'"),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        shap = importlib.import_module("shap")
        makers |= {
            "shap.linear": lambda: shap.LinearExplainer(ridge().fit(X, REAL), X),
            "shap.tree": lambda: shap.TreeExplainer(sk("tree.DecisionTreeRegressor", max_depth=2).fit(X, REAL)),
            "shap.values": lambda: shap.Explanation(X[:3], base_values=0.5, data=X[:3], feature_names=list("abcd")),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        xr = importlib.import_module("xarray")
        makers |= {
            "xarray.multi": lambda: xr.Dataset({"t": (("x", "time"), X[:3])}, {"time": np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], "M8[ns]")}),
            "xarray.grouped": lambda: xr.DataArray(X, dims=("r", "c"), attrs={"unit": "m"}).mean("r"),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        river = importlib.import_module("river.linear_model")
        makers |= {
            "river.softmax": lambda: at("river.preprocessing", "MinMaxScaler")() | river.SoftmaxRegression(),
            "river.forest": lambda: at("river.forest", "ARFClassifier")(n_models=2, seed=3),
            "river.bandit": lambda: at("river.metrics", "ClassificationReport")(),
            "river.rolling": lambda: at("river.utils", "Rolling")(at("river.stats", "Mean")(), window_size=3),
        }  # fmt: skip
    return makers


def _study(optuna: Any, directions: list[str], sampler: Any) -> Any:
    made = optuna.create_study(directions=directions, sampler=sampler, study_name="third")

    def value(trial: Any) -> Any:
        found = trial.suggest_float("x", 0, 1) * trial.suggest_int("n", 1, 2)
        trial.set_user_attr("fold", [1, 2])
        return found if len(directions) == 1 else (found, 1 - found)

    made.optimize(value, n_trials=4)
    return made


def _made(module: str, label: str, more: dict[str, Any], kind: int, table: Any, sparse: Any) -> Any:
    """Constructed, and fitted where the library takes the data of this kind."""
    if kind == 3:
        return at(module, label)(X, n_neighbors=4, random_state=1)
    made = at(module, label)(**more)
    data: tuple[Any, ...] = {
        0: (X, Y), 1: (table, Y), 2: (table.drop(columns="city"), Y), 4: (X, REAL), 5: (WORDS,),
        6: (np.c_[THREE, X], REAL), 7: (np.c_[THREE, X],), 8: (sparse.csr_matrix(X > 1).astype("float32"),),
    }[kind]  # fmt: skip
    with contextlib.suppress(Exception):
        made.fit(*data, **({"categorical": [0]} if kind == 7 else {}))
    return made


GROUPS = [("statsmodels", statistics_third), ("", survival_third), ("", series_third), ("", others_third)]
