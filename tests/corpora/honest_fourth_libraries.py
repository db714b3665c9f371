# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fourth held-out objects of boosters, statistics, series, survival, graphs, text and tables; see honest_fourth.py."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_fourth import CLASSES, columns, pipe, table
from honest_held import REAL, RNG, STEPS, TEXTS, THREE, Makers, X, Y, at, frame, sk

WORDS = [text.split() for text in TEXTS]


def boosters() -> Makers:
    """As services keep them: within pipelines, with early stopping, categories, names of features, per fold."""
    import lightgbm as lgb
    import pandas as pd
    import xgboost as xgb

    few = {"n_estimators": 4, "max_depth": 2, "n_jobs": 1}
    small = {"n_estimators": 4, "min_child_samples": 2, "num_leaves": 4, "verbose": -1, "n_jobs": 1}
    named = pd.DataFrame(X, columns=["age", "income", "debt", "score"])
    kinds = named.assign(kind=pd.Categorical(CLASSES))
    codes = sk("preprocessing.LabelEncoder").fit_transform(CLASSES)
    matrix = lambda: xgb.DMatrix(named, label=REAL)
    makers: Makers = {
        "xgb-pipeline": lambda: pipe(columns(), xgb.XGBClassifier(**few)).fit(table(), Y),
        "xgb-search": lambda: sk("model_selection.GridSearchCV", xgb.XGBRegressor(**few), {"learning_rate": [0.1, 0.3]}, cv=2).fit(named, REAL),
        "xgb-bundle": lambda: {"booster": xgb.train({"max_depth": 2, "objective": "reg:squarederror"}, matrix(), 3), "features": list(named), "encoder": sk("preprocessing.OneHotEncoder").fit(CLASSES[:, None])},
        "xgb-classes": lambda: xgb.XGBClassifier(**few, objective="multi:softprob").fit(named, codes),
        "xgb-calibrated": lambda: sk("calibration.CalibratedClassifierCV", xgb.XGBClassifier(**few), cv=2).fit(X, Y),
        "xgb-folds": lambda: [xgb.XGBRegressor(**few, random_state=seed).fit(X[seed::2], REAL[seed::2]) for seed in (0, 1)],
        "xgb-monotone": lambda: xgb.XGBRegressor(**few, monotone_constraints=(1, 0, -1, 0), tree_method="hist").fit(X, REAL),
        "xgb-survival": lambda: xgb.train({"objective": "survival:aft", "aft_loss_distribution": "normal"}, _bounds(xgb), 3),
        "xgb-multi": lambda: sk("multioutput.MultiOutputRegressor", xgb.XGBRegressor(**few)).fit(X, np.c_[REAL, -REAL]),
        "xgb-params": lambda: xgb.XGBClassifier(**few).fit(X, Y).get_params(),
        "xgb-raw": lambda: bytes(xgb.XGBClassifier(**few).fit(X, Y).get_booster().save_raw("json")),
        "xgb-cv": lambda: xgb.cv({"max_depth": 2}, matrix(), 3, nfold=3),
        "lgb-pipeline": lambda: pipe(columns(), lgb.LGBMRegressor(**small)).fit(table(), REAL),
        "lgb-categories": lambda: lgb.LGBMClassifier(**small).fit(kinds, Y, categorical_feature=["kind"]),
        "lgb-quantiles": lambda: {q: lgb.LGBMRegressor(**small, objective="quantile", alpha=q).fit(X, REAL) for q in (0.1, 0.9)},
        "lgb-stopping": lambda: lgb.LGBMRegressor(**small).fit(X, REAL, eval_set=[(X, REAL)], eval_metric="mae", callbacks=[lgb.early_stopping(2, verbose=False), lgb.log_evaluation(0)]),
        "lgb-random": lambda: sk("model_selection.RandomizedSearchCV", lgb.LGBMClassifier(**small), {"num_leaves": at("scipy.stats", "randint")(2, 5)}, n_iter=2, cv=2, random_state=0).fit(X, Y),
        "lgb-weights": lambda: lgb.LGBMClassifier(**small, class_weight={0: 1, 1: 3}).fit(X, Y, sample_weight=X[:, 0]),
        "lgb-goss": lambda: lgb.LGBMClassifier(**{**small, "boosting_type": "goss"}).fit(named, CLASSES),
        "lgb-text": lambda: lgb.LGBMClassifier(**small).fit(X, Y).booster_.model_to_string(),
        "lgb-cv": lambda: lgb.cv({"objective": "regression", "verbose": -1}, lgb.Dataset(X, REAL), 3, nfold=2, stratified=False),
        "lgb-chain": lambda: sk("multioutput.RegressorChain", lgb.LGBMRegressor(**small)).fit(X, np.c_[REAL, -REAL]),
        "both": lambda: sk("ensemble.VotingClassifier", [("x", xgb.XGBClassifier(**few)), ("l", lgb.LGBMClassifier(**small))], voting="soft").fit(X, Y),
    }  # fmt: skip
    with contextlib.suppress(ImportError):
        import catboost as cb

        quiet = {"iterations": 4, "depth": 2, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
        makers |= {
            "cat-categories": lambda: cb.CatBoostClassifier(**quiet, cat_features=["kind"]).fit(kinds.astype({"kind": str}), Y),
            "cat-pipeline": lambda: pipe(sk("preprocessing.StandardScaler"), cb.CatBoostRegressor(**quiet, loss_function="Quantile:alpha=0.9")).fit(X, REAL),
            "cat-search": lambda: sk("model_selection.GridSearchCV", cb.CatBoostClassifier(**quiet), {"depth": [1, 2]}, cv=2).fit(X, Y),
            "cat-stopping": lambda: cb.CatBoostRegressor(**quiet, early_stopping_rounds=2, eval_metric="MAE").fit(X, REAL, eval_set=(X, REAL)),
            "cat-classes": lambda: cb.CatBoostClassifier(**quiet, loss_function="MultiClass").fit(named, CLASSES),
            "cat-importance": lambda: cb.CatBoostClassifier(**quiet).fit(named, Y).get_feature_importance(prettified=True),
        }  # fmt: skip
    return makers


def _bounds(xgb: Any) -> Any:
    made = xgb.DMatrix(X)
    made.set_float_info("label_lower_bound", np.arange(1.0, 61.0))
    made.set_float_info("label_upper_bound", np.arange(2.0, 62.0))
    return made


def statistics() -> Makers:
    """Results of statsmodels as reports keep them."""
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    data = frame().assign(hit=Y, group=THREE, visits=RNG.poisson(2, 60))
    monthly = pd.Series(STEPS, index=pd.date_range("2016-01-31", periods=80, freq="D"))
    api = "statsmodels.tsa."
    return {
        "formula": lambda: smf.ols("score ~ age + C(city) + np.log(debt)", data).fit(),
        "robust-errors": lambda: smf.ols("score ~ age", data).fit(cov_type="HC3"),
        "summary-tables": lambda: [item.data for item in smf.ols("score ~ age", data).fit().summary().tables],
        "logit": lambda: sm.Logit(Y, sm.add_constant(X[:, :2])).fit(disp=0),
        "probit": lambda: smf.probit("hit ~ age + debt", data).fit(disp=0),
        "poisson": lambda: smf.poisson("visits ~ age + C(city)", data).fit(disp=0),
        "binomial": lambda: smf.glm("hit ~ age", data, family=sm.families.Binomial()).fit(),
        "gamma": lambda: sm.GLM(np.abs(REAL) + 0.1, X, family=sm.families.Gamma(sm.families.links.Log() if hasattr(sm.families.links, "Log") else sm.families.links.log())).fit(),
        "robust": lambda: sm.RLM(REAL, sm.add_constant(X), M=sm.robust.norms.TukeyBiweight()).fit(),
        "quantile": lambda: smf.quantreg("score ~ age", data).fit(q=0.3),
        "mixed": lambda: smf.mixedlm("score ~ age", data, groups=data["group"]).fit(),
        "gee": lambda: smf.gee("hit ~ age", "group", data, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Exchangeable()).fit(),
        "ordinal": lambda: at("statsmodels.miscmodels.ordinal_model", "OrderedModel")(THREE, X[:, :2], distr="logit").fit(method="bfgs", disp=0, maxiter=5),
        "wls": lambda: sm.WLS(REAL, sm.add_constant(X), weights=X[:, 0]).fit(),
        "recursive": lambda: sm.RecursiveLS(REAL, sm.add_constant(X[:, :1])).fit(),
        "spline": lambda: sm.nonparametric.lowess(REAL, X[:, 0]),
        "kde": lambda: _fitted(sm.nonparametric.KDEUnivariate(X[:, 0])),
        "pca": lambda: at("statsmodels.multivariate.pca", "PCA")(X, ncomp=2),
        "arima": lambda: at(api + "arima.model", "ARIMA")(monthly, order=(1, 1, 1)).fit(),
        "seasonal": lambda: at(api + "statespace.sarimax", "SARIMAX")(monthly, order=(1, 0, 0), seasonal_order=(1, 0, 0, 7)).fit(disp=0, maxiter=3),
        "regression-arima": lambda: at(api + "statespace.sarimax", "SARIMAX")(STEPS[:60], exog=X[:, :1], order=(1, 0, 0)).fit(disp=0, maxiter=3),
        "components": lambda: at(api + "statespace.structural", "UnobservedComponents")(monthly, "local linear trend").fit(disp=0, maxiter=3),
        "smoothing": lambda: at(api + "holtwinters", "ExponentialSmoothing")(monthly, trend="add", seasonal="add", seasonal_periods=7).fit(),
        "ets": lambda: at(api + "exponential_smoothing.ets", "ETSModel")(monthly, error="add", trend="add").fit(disp=0),
        "vector": lambda: at(api + "api", "VAR")(np.c_[STEPS, STEPS[::-1]]).fit(2),
        "autoregression": lambda: at(api + "ar_model", "AutoReg")(monthly, lags=3).fit(),
        "decomposed": lambda: at(api + "seasonal", "seasonal_decompose")(monthly, period=7),
        "stl": lambda: at(api + "seasonal", "STL")(monthly, period=7).fit(),
        "forecast": lambda: at(api + "arima.model", "ARIMA")(monthly, order=(1, 0, 0)).fit().get_forecast(5).summary_frame(),
        "adf": lambda: at(api + "stattools", "adfuller")(STEPS),
        "tukey": lambda: at("statsmodels.stats.multicomp", "pairwise_tukeyhsd")(REAL, CLASSES),
        "anova": lambda: sm.stats.anova_lm(smf.ols("score ~ C(city)", data).fit()),
        "phreg": lambda: smf.phreg("age ~ debt", data, status=Y).fit(),
        "imputed": lambda: at("statsmodels.imputation.mice", "MICEData")(frame()[["age", "debt"]].assign(age=lambda t: t["age"].where(t["age"] > 0.3))).data,
    }  # fmt: skip


def _fitted(made: Any) -> Any:
    made.fit()
    return made


def survival_and_series() -> Makers:
    """lifelines, scikit-survival, sktime, pmdarima, tslearn, hmmlearn."""
    import pandas as pd

    lived = frame()[["age", "debt"]].assign(T=np.arange(1.0, 61.0), E=Y)
    series = pd.Series(STEPS, index=pd.period_range("2016-01", periods=80, freq="M"))
    target = np.array(list(zip(Y.astype(bool), np.arange(1.0, 61.0), strict=False)), dtype=[("e", "?"), ("t", "f8")])
    panel = RNG.normal(size=(12, 1, 20))
    makers: Makers = {
        f"lifelines.{name}": lambda name=name: at("lifelines", name)().fit(lived["T"], lived["E"], label="all")
        for name in ("KaplanMeierFitter", "NelsonAalenFitter", "WeibullFitter", "LogNormalFitter", "PiecewiseExponentialFitter")
    }  # fmt: skip
    f, t = "sktime.forecasting.", "sktime.transformations.series."
    naive = lambda **more: at(f + "naive", "NaiveForecaster")(**more)
    makers |= {
        "lifelines.cox": lambda: at("lifelines", "CoxPHFitter")(penalizer=0.1, l1_ratio=0.5).fit(lived, "T", "E"),
        "lifelines.cox-strata": lambda: at("lifelines", "CoxPHFitter")().fit(lived.assign(s=THREE), "T", "E", strata=["s"], formula="age + debt"),
        "lifelines.aft": lambda: at("lifelines", "WeibullAFTFitter")().fit(lived, "T", event_col="E"),
        "lifelines.test": lambda: at("lifelines.statistics", "logrank_test")(lived["T"][:30], lived["T"][30:]),
        "sksurv.cox": lambda: at("sksurv.linear_model", "CoxPHSurvivalAnalysis")(alpha=0.1).fit(X, target),
        "sksurv.forest": lambda: at("sksurv.ensemble", "RandomSurvivalForest")(3, random_state=0).fit(X, target),
        "sksurv.boosting": lambda: at("sksurv.ensemble", "GradientBoostingSurvivalAnalysis")(n_estimators=3).fit(X, target),
        "sksurv.pipeline": lambda: pipe(sk("preprocessing.StandardScaler"), at("sksurv.linear_model", "CoxnetSurvivalAnalysis")()).fit(X, target),
        "sktime.naive": lambda: naive(strategy="last", sp=12).fit(series, fh=[1, 2]),
        "sktime.pipeline": lambda: at(f + "compose", "TransformedTargetForecaster")([("s", at(t + "detrend", "Deseasonalizer")(sp=12)), ("t", at(t + "detrend", "Detrender")()), ("f", naive())]).fit(series),
        "sktime.reduce": lambda: at(f + "compose", "make_reduction")(sk("ensemble.RandomForestRegressor", 3), window_length=6, strategy="recursive").fit(series, fh=[1]),
        "sktime.theta": lambda: at(f + "theta", "ThetaForecaster")(sp=12).fit(series),
        "sktime.grid": lambda: at(f + "model_selection", "ForecastingGridSearchCV")(naive(), at("sktime.split" if importlib.util.find_spec("sktime.split") else f + "model_selection", "ExpandingWindowSplitter")(fh=[1], initial_window=60), {"strategy": ["last", "drift"]}).fit(series),
        "sktime.ensemble": lambda: at(f + "compose", "EnsembleForecaster")([("n", naive()), ("d", naive(strategy="drift"))]).fit(series, fh=[1]),
        "sktime.lag": lambda: at(t + "lag", "Lag")([1, 2]).fit(series),
        "sktime.horizon": lambda: at(f + "base", "ForecastingHorizon")([1, 2, 3], is_relative=True),
        "sktime.forest": lambda: at("sktime.classification.interval_based", "TimeSeriesForestClassifier")(n_estimators=3).fit(panel, np.arange(12) % 2),
        "pmdarima.auto": lambda: at("pmdarima", "auto_arima")(STEPS, max_p=1, max_q=1, d=1),
        "pmdarima.seasonal": lambda: at("pmdarima", "ARIMA")((1, 0, 0), seasonal_order=(1, 0, 0, 7), maxiter=3).fit(STEPS),
        "hmmlearn.gaussian": lambda: at("hmmlearn.hmm", "GaussianHMM")(2, covariance_type="full", n_iter=3).fit(X),
        "hmmlearn.mixture": lambda: at("hmmlearn.hmm", "GMMHMM")(2, n_mix=2, n_iter=2).fit(X),
    }  # fmt: skip
    return makers


def others() -> Makers:
    """Samplers, encoders, selectors, graphs, studies, explanations, vectors, tables of other makers."""
    city = table()[["city", "age", "debt"]].fillna(0.0)
    forest = lambda: sk("ensemble.RandomForestClassifier", 3)
    made = lambda name, **more: at(*name.rsplit(".", 1))(**more)
    over, under = "imblearn.over_sampling.", "imblearn.under_sampling."
    encoders, engine = "category_encoders.", "feature_engine."
    makers: Makers = {
        "imblearn.pipeline": lambda: at("imblearn.pipeline", "make_pipeline")(made(over + "SMOTE", k_neighbors=2), sk("preprocessing.StandardScaler"), forest()).fit(X, Y),
        "imblearn.search": lambda: sk("model_selection.GridSearchCV", at("imblearn.pipeline", "Pipeline")([("o", made(over + "RandomOverSampler")), ("m", forest())]), {"m__max_depth": [1, 2]}, cv=2).fit(X, Y),
        "imblearn.ensemble": lambda: made("imblearn.ensemble.EasyEnsembleClassifier", n_estimators=2).fit(X, Y),
        "imblearn.nominal": lambda: made(over + "SMOTENC", categorical_features=[3], k_neighbors=2).fit(np.c_[X[:, :3], THREE], Y),
        "imblearn.links": lambda: made(under + "TomekLinks").fit(X, Y),
        "encoders.target": lambda: pipe(made(encoders + "TargetEncoder", smoothing=1.0), forest()).fit(city, Y),
        "encoders.james": lambda: made(encoders + "JamesSteinEncoder").fit(city, Y),
        "encoders.woe": lambda: made(encoders + "WOEEncoder").fit(city, Y),
        "encoders.ordinal": lambda: made(encoders + "OrdinalEncoder", mapping=[{"col": "city", "mapping": {"Rome": 1, "Oslo": 2, "Lima": 3}}]).fit(city),
        "encoders.leave": lambda: made(encoders + "LeaveOneOutEncoder", sigma=0.05).fit(city, Y),
        "encoders.wrapped": lambda: at(encoders + "wrapper", "PolynomialWrapper")(made(encoders + "TargetEncoder")).fit(city, CLASSES),
        "engine.pipeline": lambda: pipe(made(engine + "imputation.MeanMedianImputer", variables=["age"]), made(engine + "encoding.OneHotEncoder", variables=["city"]), made(engine + "outliers.Winsorizer", variables=["debt"]), sk("linear_model.Ridge")).fit(city, REAL),
        "engine.bins": lambda: made(engine + "discretisation.EqualFrequencyDiscretiser", q=4, variables=["age", "debt"]).fit(city),
        "engine.mean": lambda: made(engine + "encoding.MeanEncoder", variables=["city"]).fit(city, Y),
        "engine.dates": lambda: made(engine + "datetime.DatetimeFeatures", features_to_extract=["month", "weekend"]).fit(frame()[["day"]]),
        "engine.lags": lambda: made(engine + "timeseries.forecasting.LagFeatures", periods=[1, 2]).fit(frame()[["age"]]),
        "engine.drop": lambda: made(engine + "selection.DropCorrelatedFeatures", threshold=0.8).fit(frame()[["age", "debt"]]),
        "mlxtend.stack": lambda: made("mlxtend.classifier.StackingClassifier", classifiers=[forest()], meta_classifier=sk("linear_model.LogisticRegression")).fit(X, Y),
        "mlxtend.rules": lambda: at("mlxtend.frequent_patterns", "apriori")(at("pandas", "DataFrame")(X > 0.8, columns=list("abcd")), min_support=0.2, use_colnames=True),
        "ngboost.regressor": lambda: made("ngboost.NGBRegressor", n_estimators=2, verbose=False).fit(X, REAL),
        "hdbscan.clusters": lambda: made("hdbscan.HDBSCAN", min_cluster_size=5, gen_min_span_tree=True).fit(X),
        "spacy.blank": lambda: at("spacy", "blank")("en"),
    }  # fmt: skip
    with contextlib.suppress(ImportError):
        optuna = importlib.import_module("optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        makers |= {
            "optuna.study": lambda: _study(optuna, optuna.samplers.TPESampler(seed=0)),
            "optuna.pruned": lambda: _study(optuna, optuna.samplers.RandomSampler(seed=0), optuna.pruners.MedianPruner(n_warmup_steps=1)),
            "optuna.best": lambda: {"params": _study(optuna, None).best_params, "trial": _study(optuna, None).best_trial, "frame": _study(optuna, None).trials_dataframe()},
            "optuna.sampler": lambda: optuna.samplers.TPESampler(seed=3, n_startup_trials=2, constant_liar=True),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        nx = importlib.import_module("networkx")
        makers |= {
            "networkx.weighted": lambda: nx.from_pandas_edgelist(at("pandas", "DataFrame")({"source": [1, 2], "target": [2, 3], "weight": [0.5, 1.5]}), edge_attr="weight"),
            "networkx.directed": lambda: nx.DiGraph([("a", "b", {"kind": "x"}), ("b", "c")], name="flow"),
            "networkx.measures": lambda: {"degree": dict(nx.degree(nx.path_graph(4))), "between": nx.betweenness_centrality(nx.star_graph(3)), "parts": list(nx.connected_components(nx.path_graph(3)))},
            "networkx.positions": lambda: nx.spring_layout(nx.cycle_graph(4), seed=1),
            "networkx.tree": lambda: nx.minimum_spanning_tree(nx.complete_graph(4)),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        shap = importlib.import_module("shap")
        makers |= {
            "shap.explanation": lambda: shap.TreeExplainer(sk("ensemble.RandomForestRegressor", 2).fit(X, REAL))(X[:4]),
            "shap.array": lambda: shap.TreeExplainer(
                sk("tree.DecisionTreeClassifier", max_depth=2).fit(X, Y)
            ).shap_values(X[:4]),
        }
    with contextlib.suppress(ImportError):
        models, corpora = importlib.import_module("gensim.models"), importlib.import_module("gensim.corpora")
        words = corpora.Dictionary(WORDS)
        bags = [words.doc2bow(text) for text in WORDS]
        makers |= {
            "gensim.dictionary": lambda: words,
            "gensim.word2vec": lambda: models.Word2Vec(WORDS, vector_size=4, window=2, min_count=1, sg=1, epochs=1),
            "gensim.keyed": lambda: models.Word2Vec(WORDS, vector_size=4, min_count=1, epochs=1).wv,
            "gensim.topics": lambda: {"lda": models.LdaModel(bags, id2word=words, num_topics=2, random_state=0), "corpus": bags},
            "gensim.tfidf": lambda: (models.TfidfModel(bags), words),
            "gensim.phrases": lambda: models.Phrases(WORDS, min_count=1, threshold=1),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        nltk = importlib.import_module("nltk")
        makers |= {
            "nltk.bayes": lambda: nltk.NaiveBayesClassifier.train([({"long": True}, "a"), ({"long": False}, "b")] * 2),
            "nltk.counts": lambda: {"words": nltk.FreqDist(WORDS[0]), "pairs": nltk.ConditionalFreqDist([("a", "x"), ("b", "y")])},
            "nltk.tagger": lambda: nltk.UnigramTagger([[("the", "DT"), ("fox", "NN")]], backoff=nltk.DefaultTagger("NN")),
            "nltk.stemmer": lambda: [nltk.PorterStemmer(), nltk.SnowballStemmer("english"), nltk.RegexpTokenizer(r"\w+|\S")],
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        linear = importlib.import_module("river.linear_model")
        scale = lambda: at("river.preprocessing", "StandardScaler")()
        makers |= {
            "river.pipeline": lambda: _learned(scale() | linear.LogisticRegression(), Y),
            "river.tree": lambda: _learned(at("river.tree", "HoeffdingTreeClassifier")(grace_period=10), Y),
            "river.boosting": lambda: _learned(scale() | at("river.ensemble", "ADWINBaggingClassifier")(linear.LogisticRegression(), n_models=2, seed=1), Y),
            "river.metrics": lambda: {"roc": at("river.metrics", "ROCAUC")(), "mae": at("river.metrics", "MAE")(), "drift": at("river.drift", "ADWIN")()},
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        pl = importlib.import_module("polars")
        makers |= {
            "polars.frame": lambda: pl.DataFrame({"n": [1, 2], "s": ["x", None], "f": [0.5, 1.5]}),
            "polars.series": lambda: pl.Series("n", [1, None, 3]),
            "polars.typed": lambda: pl.DataFrame({"d": ["2024-01-01"], "c": ["a"], "l": [[1, 2]]}).with_columns(pl.col("d").str.to_date(), pl.col("c").cast(pl.Categorical)),
            "polars.bundle": lambda: {"train": pl.DataFrame({"x": X[:, 0]}), "model": sk("linear_model.Ridge").fit(X, REAL)},
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        pa = importlib.import_module("pyarrow")
        makers |= {
            "pyarrow.table": lambda: pa.table({"a": [1, None], "s": ["x", "y"], "l": [[1], []]}),
            "pyarrow.schema": lambda: pa.schema([("a", pa.int32()), ("t", pa.timestamp("us", tz="UTC")), ("d", pa.dictionary(pa.int8(), pa.string()))]),
            "pyarrow.batch": lambda: pa.RecordBatch.from_pydict({"x": [0.5], "b": [b"raw"]}),
            "pyarrow.column": lambda: frame().convert_dtypes(dtype_backend="pyarrow"),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        xr = importlib.import_module("xarray")
        makers |= {
            "xarray.array": lambda: xr.DataArray(X[:4], dims=("day", "site"), coords={"day": np.arange(4), "site": list("abcd")}, name="rain"),
            "xarray.set": lambda: xr.Dataset({"rain": (("t", "x"), X[:4], {"unit": "mm"})}, attrs={"source": "model"}),
            "xarray.weighted": lambda: xr.DataArray(X, dims=("a", "b")).groupby_bins("a", 3).mean(),
        }  # fmt: skip
    return makers


def _study(optuna: Any, sampler: Any, pruner: Any = None) -> Any:
    made = optuna.create_study(direction="minimize", sampler=sampler, pruner=pruner)

    def value(trial: Any) -> float:
        x = trial.suggest_float("x", 1e-3, 1.0, log=True)
        kind = trial.suggest_categorical("kind", ["a", "b"])
        trial.report(x, 0)
        return float(x * (2 if kind == "a" else 1) + trial.suggest_int("depth", 1, 3))

    made.optimize(value, n_trials=4)
    return made


def _learned(model: Any, target: Any) -> Any:
    for row, label in zip(X[:30], target[:30], strict=False):
        model.learn_one(dict(zip("abcd", row, strict=False)), bool(label))
    return model


GROUPS = [("boosters", boosters), ("statsmodels", statistics), ("", survival_and_series), ("", others)]
