# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fifth held-out objects of boosters, statistics, series, survival, texts, graphs; see honest_fifth.py."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from honest_fifth import COUNTS, NAMES, people, pipeline
from honest_held import REAL, RNG, STEPS, TEXTS, THREE, Makers, X, Y, at, frame, sk

WORDS = [text.split() for text in TEXTS]


def new(name: str, *args: Any, **more: Any) -> Any:
    """An object by the full name of its class."""
    return at(*name.rsplit(".", 1))(*args, **more)


def boosters() -> Makers:
    """Objectives, metrics and ways of training that earlier sets do not have."""
    import lightgbm as lgb
    import pandas as pd
    import xgboost as xgb

    few = {"n_estimators": 3, "max_depth": 2, "n_jobs": 1}
    small = {"n_estimators": 3, "min_child_samples": 2, "num_leaves": 4, "verbose": -1, "n_jobs": 1}
    named = pd.DataFrame(X, columns=["age", "income", "debt", "score"])
    plans = named.assign(plan=pd.Categorical(NAMES))
    groups = [20, 20, 20]
    gain = lambda: xgb.train(
        {"max_depth": 2, "seed": 1},
        xgb.DMatrix(named, REAL),
        3,
        evals=[(xgb.DMatrix(named, REAL), "t")],
        verbose_eval=False,
    )
    made: Makers = {
        f"xgb-{goal.replace(':', '-')}": lambda goal=goal: xgb.XGBRegressor(**few, objective=goal).fit(X, COUNTS + 1)
        for goal in (
            "count:poisson",
            "reg:gamma",
            "reg:tweedie",
            "reg:squaredlogerror",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "survival:cox",
        )
    }
    made |= {
        f"lgb-{goal}": lambda goal=goal: lgb.LGBMRegressor(**small, objective=goal).fit(X, COUNTS + 1)
        for goal in ("poisson", "gamma", "tweedie", "huber", "fair", "mape", "regression_l1", "cross_entropy_lambda")
    }
    made |= {
        "xgb-imbalance": lambda: xgb.XGBClassifier(**few, scale_pos_weight=3, eval_metric=["auc", "aucpr"]).fit(X, Y, eval_set=[(X, Y)], verbose=False),
        "xgb-sampled": lambda: xgb.XGBClassifier(**few, subsample=0.7, colsample_bytree=0.5, grow_policy="lossguide", tree_method="hist").fit(X, Y),
        "xgb-categories": lambda: xgb.XGBClassifier(**few, enable_categorical=True, tree_method="hist").fit(plans, Y),
        "xgb-interaction": lambda: xgb.XGBRegressor(**few, interaction_constraints=[[0, 1], [2, 3]]).fit(X, REAL),
        "xgb-callbacks": lambda: xgb.XGBRegressor(**few, callbacks=[xgb.callback.EarlyStopping(2, save_best=True), xgb.callback.LearningRateScheduler([0.3, 0.2, 0.1])]).fit(X, REAL, eval_set=[(X, REAL)], verbose=False),
        "xgb-booster-frame": lambda: {"booster": gain(), "trees": gain().trees_to_dataframe(), "gain": gain().get_score(importance_type="gain"), "config": gain().save_config()},
        "xgb-booster-raw": lambda: {"model": gain().save_raw(), "columns": list(named)},
        "xgb-rank": lambda: xgb.XGBRanker(**few, objective="rank:pairwise").fit(X, Y, group=groups),
        "xgb-bag": lambda: sk("ensemble.BaggingClassifier", xgb.XGBClassifier(**few), n_estimators=2).fit(X, Y),
        "xgb-target": lambda: sk("compose.TransformedTargetRegressor", xgb.XGBRegressor(**few), func=np.log1p, inverse_func=np.expm1).fit(X, COUNTS),
        "xgb-table": lambda: pipeline(("c", sk("preprocessing.OrdinalEncoder", handle_unknown="use_encoded_value", unknown_value=-1)), ("x", xgb.XGBClassifier(**few))).fit(people()[["city"]], Y),
        "xgb-halving": lambda: sk("model_selection.RandomizedSearchCV", xgb.XGBClassifier(**few), {"gamma": new("scipy.stats.uniform", 0, 1), "max_depth": [1, 2]}, n_iter=2, cv=2, refit=False).fit(X, Y),
        "xgb-unfitted": lambda: [xgb.XGBClassifier(), xgb.XGBRFRegressor(n_estimators=3), xgb.XGBRegressor(booster="gblinear")],
        "xgb-stopped": lambda: (lambda result: {"booster": xgb.train({"eta": 0.3}, xgb.DMatrix(X, REAL), 4, evals=[(xgb.DMatrix(X, REAL), "v")], early_stopping_rounds=2, evals_result=result, verbose_eval=False), "history": result})({}),
        "lgb-imbalance": lambda: lgb.LGBMClassifier(**small, is_unbalance=True, objective="binary", metric=["auc", "binary_logloss"]).fit(X, Y),
        "lgb-ova": lambda: lgb.LGBMClassifier(**small, objective="multiclassova").fit(named, NAMES),
        "lgb-xendcg": lambda: lgb.LGBMRanker(**small, objective="rank_xendcg").fit(X, Y, group=groups),
        "lgb-train": lambda: (lambda kept: {"booster": lgb.train({"verbose": -1, "objective": "binary", "metric": "auc", "min_data_in_leaf": 2}, lgb.Dataset(named, Y), 3, valid_sets=[lgb.Dataset(named, Y)], callbacks=[lgb.record_evaluation(kept)]), "kept": kept})({}),
        "lgb-linear": lambda: lgb.train({"verbose": -1, "linear_tree": True, "min_data_in_leaf": 5}, lgb.Dataset(X, REAL), 2),
        "lgb-search": lambda: sk("model_selection.GridSearchCV", lgb.LGBMRegressor(**small), {"num_leaves": [3, 4]}, cv=new("sklearn.model_selection.TimeSeriesSplit", 2)).fit(named, REAL),
        "lgb-stack": lambda: sk("ensemble.StackingRegressor", [("l", lgb.LGBMRegressor(**small)), ("x", xgb.XGBRegressor(**few))], cv=2).fit(X, REAL),
        "lgb-metric-function": lambda: lgb.LGBMRegressor(**small).set_params(extra=1, seed=np.int64(3)).fit(X, REAL, sample_weight=np.ones(60)),
        "lgb-fold": lambda: {"models": [lgb.LGBMClassifier(**small, random_state=i).fit(plans, Y).booster_ for i in (1, 2)], "oof": np.zeros(60), "importance": pd.DataFrame({"feature": list(plans), "gain": 0.0})},
        "lgb-select": lambda: sk("feature_selection.SelectFromModel", lgb.LGBMClassifier(**small), prefit=False).fit(X, Y),
        "lgb-output": lambda: sk("multioutput.MultiOutputClassifier", lgb.LGBMClassifier(**small)).fit(X, np.c_[Y, 1 - Y]),
        "lgb-unfitted": lambda: [lgb.LGBMClassifier(class_weight="balanced"), lgb.LGBMRegressor(boosting_type="dart")],
    }  # fmt: skip
    with contextlib.suppress(ImportError):
        import catboost as cb

        quiet = {"iterations": 3, "depth": 2, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
        made |= {
            f"cat-{goal}": lambda goal=goal: cb.CatBoostRegressor(**quiet, loss_function=goal).fit(X, COUNTS + 1)
            for goal in ("Poisson", "MAE", "Tweedie:variance_power=1.5", "Huber:delta=1", "LogCosh")
        }
        made |= {
            "cat-imbalance": lambda: cb.CatBoostClassifier(**quiet, auto_class_weights="Balanced", eval_metric="AUC").fit(X, Y, eval_set=(X, Y), use_best_model=True),
            "cat-labels": lambda: cb.CatBoostClassifier(**quiet, loss_function="MultiLogloss").fit(X, np.c_[Y, 1 - Y]),
            "cat-two": lambda: cb.CatBoostRegressor(**quiet, loss_function="MultiRMSE").fit(X, np.c_[REAL, -REAL]),
            "cat-text": lambda: cb.CatBoostClassifier(**quiet, monotone_constraints=[1, 0, 0, 0]).fit(X, Y),
            "cat-stack": lambda: sk("ensemble.VotingClassifier", [("c", cb.CatBoostClassifier(**quiet)), ("l", sk("linear_model.LogisticRegression"))], voting="soft").fit(X, Y),
            "cat-kept": lambda: {"model": cb.CatBoostClassifier(**quiet, cat_features=[4]).fit(plans.astype({"plan": str}), Y), "cat": ["plan"], "params": cb.CatBoostClassifier(**quiet).get_params()},
            "cat-unfitted": lambda: [cb.CatBoostClassifier(**quiet), cb.CatBoostRanker(iterations=2)],
        }  # fmt: skip
    return made


def statistics() -> Makers:
    """Models of statsmodels with the options of its guides, results and parts of them."""
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    data = frame().assign(hit=Y, group=THREE, visits=COUNTS, weight=X[:, 3])
    daily = pd.Series(STEPS, index=pd.date_range("2020-01-01", periods=80, freq="D"), name="load")
    t, both = "statsmodels.tsa.", sm.add_constant(X[:, :2])
    families, links = sm.families, sm.families.links
    glm = lambda family, target=None: sm.GLM(COUNTS + 1 if target is None else target, both, family=family).fit()
    sarimax = lambda **more: new(t + "statespace.sarimax.SARIMAX", daily, **more).fit(disp=0, maxiter=2)
    return {
        "splines": lambda: smf.ols("score ~ bs(age, df=4) + cr(debt, df=3) + city:debt + I(age ** 2)", data).fit(),
        "coded": lambda: smf.ols("score ~ C(city, Treatment('Oslo')) + C(group, Sum) + standardize(debt) + center(age)", data).fit(),
        "polynomial": lambda: smf.ols("np.log1p(score) ~ np.power(age, 2) + Q('debt') - 1", data).fit(),
        "regularized": lambda: smf.ols("score ~ age + debt", data).fit_regularized(alpha=0.1, L1_wt=0.5),
        "least-weights": lambda: smf.wls("score ~ age", data, weights=data["weight"]).fit(cov_type="HC1"),
        "clustered": lambda: smf.ols("score ~ age", data).fit(cov_type="cluster", cov_kwds={"groups": data["group"]}),
        "autocorrelated": lambda: sm.GLSAR(REAL, both, rho=1).iterative_fit(2),
        "rolling": lambda: new("statsmodels.regression.rolling.RollingOLS", REAL, both, window=20).fit(),
        "instrument": lambda: new("statsmodels.sandbox.regression.gmm.IV2SLS", REAL, both, both).fit(),
        "gaussian": lambda: glm(families.Gaussian(), REAL),
        "negative-binomial": lambda: glm(families.NegativeBinomial(alpha=0.5)),
        "inverse-gaussian": lambda: glm(families.InverseGaussian()),
        "tweedie": lambda: glm(families.Tweedie(var_power=1.4)),
        "cauchy-link": lambda: glm(families.Binomial(links.Cauchy() if hasattr(links, "Cauchy") else links.cauchy()), Y),
        "log-log-link": lambda: glm(families.Binomial(links.CLogLog() if hasattr(links, "CLogLog") else links.cloglog()), Y),
        "additive": lambda: sm.GLMGam(COUNTS, both, smoother=sm.gam.BSplines(X[:, 3:], df=[5], degree=[3]), family=families.Poisson()).fit(),
        "conditional": lambda: new("statsmodels.discrete.conditional_models.ConditionalLogit", Y, X[:, :1], groups=THREE).fit(disp=0),
        "multinomial": lambda: sm.MNLogit(THREE, both).fit(disp=0, maxiter=5),
        "negative-counts": lambda: sm.NegativeBinomial(COUNTS, both).fit(disp=0, maxiter=5),
        "zero-inflated": lambda: sm.ZeroInflatedPoisson(COUNTS, both).fit(disp=0, maxiter=3),
        "logit-formula": lambda: smf.logit("hit ~ age * C(city)", data).fit(disp=0, maxiter=5),
        "logit-margins": lambda: sm.Logit(Y, both).fit(disp=0).get_margeff().summary_frame(),
        "robust-hampel": lambda: sm.RLM(REAL, both, M=sm.robust.norms.Hampel()).fit(),
        "robust-andrew": lambda: sm.RLM(REAL, both, M=sm.robust.norms.AndrewWave()).fit(),
        "mixed-nested": lambda: sm.MixedLM(REAL, both, THREE, exog_re=both[:, :2]).fit(maxiter=3),
        "gee-autoregressive": lambda: sm.GEE(COUNTS, both, THREE, family=families.Poisson(), cov_struct=sm.cov_struct.Independence()).fit(),
        "bayes-mixed": lambda: new("statsmodels.genmod.bayes_mixed_glm.BinomialBayesMixedGLM", Y, both, np.eye(3)[THREE], np.zeros(3, int)).fit_vb(),
        "arima-exog": lambda: new(t + "arima.model.ARIMA", daily[:60], exog=X[:, :2], order=(2, 0, 1), trend="c").fit(),
        "arima-grown": lambda: new(t + "arima.model.ARIMA", daily[:60], order=(1, 0, 0)).fit().append(daily[60:]),
        "sarimax-regression": lambda: sarimax(order=(1, 1, 1), trend="t", enforce_stationarity=False),
        "sarimax-simple": lambda: sarimax(order=(0, 1, 1), simple_differencing=True, concentrate_scale=True),
        "components-level": lambda: new(t + "statespace.structural.UnobservedComponents", daily, level="rwdrift", freq_seasonal=[{"period": 7, "harmonics": 2}], autoregressive=1).fit(disp=0, maxiter=2),
        "dynamic-factor": lambda: new(t + "statespace.dynamic_factor.DynamicFactor", np.c_[STEPS, STEPS[::-1]], k_factors=1, factor_order=1).fit(disp=0, maxiter=2),
        "varmax": lambda: new(t + "statespace.varmax.VARMAX", np.c_[STEPS, STEPS[::-1]], order=(1, 0)).fit(disp=0, maxiter=2),
        "vecm": lambda: new(t + "vector_ar.vecm.VECM", np.c_[STEPS, STEPS[::-1]], k_ar_diff=1).fit(),
        "var-analysis": lambda: new(t + "api.VAR", pd.DataFrame({"a": STEPS, "b": STEPS[::-1]})).fit(1).irf(3),
        "markov-regression": lambda: new(t + "regime_switching.markov_regression.MarkovRegression", STEPS, k_regimes=2).fit(maxiter=3),
        "autoreg-seasonal": lambda: new(t + "ar_model.AutoReg", daily, lags=[1, 7], seasonal=True, period=7, trend="ct").fit(),
        "autoreg-selected": lambda: new(t + "ar_model.ar_select_order", daily, maxlag=3),
        "ardl": lambda: new(t + "ardl.ARDL", STEPS[:60], 2, X[:, :1], 1).fit(),
        "winters-damped": lambda: new(t + "holtwinters.ExponentialSmoothing", daily, trend="add", damped_trend=True, initialization_method="estimated").fit(),
        "winters-boxcox": lambda: new(t + "holtwinters.ExponentialSmoothing", daily, seasonal="mul", seasonal_periods=7, use_boxcox=True).fit(),
        "simple": lambda: new(t + "holtwinters.SimpleExpSmoothing", daily, initialization_method="heuristic").fit(smoothing_level=0.4),
        "ets-damped": lambda: new(t + "exponential_smoothing.ets.ETSModel", daily, error="mul", trend="add", damped_trend=True).fit(disp=0, maxiter=3),
        "theta": lambda: new(t + "forecasting.theta.ThetaModel", daily, period=7).fit(),
        "stl-forecast": lambda: new(t + "forecasting.stl.STLForecast", daily, new(t + "arima.model.ARIMA", STEPS).__class__, model_kwargs={"order": (1, 0, 0)}, period=7).fit(),
        "mstl": lambda: new(t + "seasonal.MSTL", daily, periods=(7, 14)).fit(),
        "deterministic": lambda: new(t + "deterministic.DeterministicProcess", daily.index, order=1, seasonal=True, fourier=1, period=7),
        "filtered": lambda: {"hp": new(t + "filters.hp_filter.hpfilter", daily), "bk": new(t + "filters.bk_filter.bkfilter", daily, K=3)},
        "tested": lambda: [new("statsmodels.stats.diagnostic.het_breuschpagan", REAL, both), new("statsmodels.stats.weightstats.ttest_ind", X[:, 0], X[:, 1]), new("statsmodels.stats.proportion.proportions_ztest", [5, 6], [20, 20]), new("statsmodels.stats.multitest.multipletests", [0.01, 0.2])],
        "power": lambda: [new("statsmodels.stats.power.TTestIndPower"), new("statsmodels.stats.contingency_tables.Table2x2", np.array([[5, 6], [7, 8]]))],
        "factor": lambda: new("statsmodels.multivariate.factor.Factor", X, n_factor=1).fit(),
        "manova": lambda: new("statsmodels.multivariate.manova.MANOVA", X[:, :2], both),
        "kernel": lambda: new("statsmodels.nonparametric.kernel_regression.KernelReg", REAL, X[:, :1], "c", bw=[0.5]),
        "copula": lambda: new("statsmodels.distributions.copula.api.GaussianCopula", corr=0.3),
        "survival": lambda: sm.SurvfuncRight(X[:, 0], Y),
        "hazards": lambda: sm.PHReg(X[:, 0], X[:, 1:], status=Y, ties="efron").fit(),
        "imputed": lambda: new("statsmodels.imputation.mice.MICE", "age ~ debt", sm.OLS, new("statsmodels.imputation.mice.MICEData", frame()[["age", "debt"]])).fit(1, 2),
        "compared": lambda: sm.stats.anova_lm(smf.ols("score ~ age", data).fit(), smf.ols("score ~ age + debt", data).fit()),
        "outliers": lambda: smf.ols("score ~ age", data).fit().get_influence().summary_frame(),
        "several-models": lambda: {city: smf.ols("score ~ age", part).fit().params for city, part in data.groupby("city")},
        "small-file": lambda: _without(smf.glm("hit ~ debt", data, family=families.Binomial()).fit()),
    }  # fmt: skip


def _without(result: Any) -> Any:
    result.remove_data()
    return result


def series() -> Makers:
    """lifelines, scikit-survival, sktime, pmdarima, tslearn, hmmlearn, prophet."""
    import pandas as pd

    lived = frame()[["age", "debt"]].assign(T=np.arange(1.0, 61.0), E=Y, start=0.5, w=1.0 + THREE)
    monthly = pd.Series(STEPS, index=pd.period_range("2016-01", periods=80, freq="M"), name="sales")
    dated = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=80), "y": STEPS, "extra": np.arange(80.0)})
    target = np.array(list(zip(Y.astype(bool), np.arange(1.0, 61.0), strict=False)), dtype=[("e", "?"), ("t", "f8")])
    panel = RNG.normal(size=(12, 1, 24))
    labels = np.array(["up", "down"])[np.arange(12) % 2]
    f, t, c = "sktime.forecasting.", "sktime.transformations.series.", "sktime.classification."
    lifelines = lambda name, *args, **more: new("lifelines." + name, *args, **more)
    fit = lambda name, *given, **more: new("sksurv." + name, *given, **more).fit(X, target)
    trend = lambda: new(f + "trend.PolynomialTrendForecaster", degree=2)
    return {
        **{f"lifelines.{name}": lambda name=name: lifelines(name).fit(lived["T"], lived["E"], weights=lived["w"]) for name in ("ExponentialFitter", "LogLogisticFitter", "GeneralizedGammaFitter", "BreslowFlemingHarringtonFitter")},
        "lifelines.splines": lambda: lifelines("SplineFitter", np.array([5.0, 20.0, 50.0])).fit(lived["T"], lived["E"]),
        "lifelines.left": lambda: lifelines("WeibullFitter").fit_left_censoring(lived["T"], lived["E"]),
        "lifelines.entry": lambda: lifelines("KaplanMeierFitter", alpha=0.1).fit(lived["T"], lived["E"], entry=lived["start"], timeline=np.arange(0, 60, 5)),
        "lifelines.aalen-johansen": lambda: lifelines("AalenJohansenFitter", calculate_variance=False).fit(lived["T"], THREE, event_of_interest=1),
        "lifelines.additive": lambda: lifelines("AalenAdditiveFitter", coef_penalizer=1.0).fit(lived.drop(columns=["w", "start"]), "T", "E"),
        "lifelines.varying": lambda: lifelines("CoxTimeVaryingFitter", penalizer=0.1).fit(lived.assign(id=range(60)).drop(columns="w"), "id", "E", start_col="start", stop_col="T"),
        "lifelines.cox-spline": lambda: lifelines("CoxPHFitter", baseline_estimation_method="spline", n_baseline_knots=2).fit(lived[["age", "T", "E"]], "T", "E"),
        "lifelines.cox-cluster": lambda: lifelines("CoxPHFitter").fit(lived.assign(c=THREE)[["age", "T", "E", "c"]], "T", "E", cluster_col="c", robust=True),
        "lifelines.log-logistic": lambda: lifelines("LogLogisticAFTFitter").fit(lived[["age", "T", "E"]], "T", "E", ancillary=True),
        "lifelines.log-normal": lambda: lifelines("LogNormalAFTFitter", penalizer=0.01).fit(lived[["age", "T", "E"]], "T", "E"),
        "lifelines.many-tested": lambda: new("lifelines.statistics.multivariate_logrank_test", lived["T"], THREE, lived["E"]),
        "lifelines.per-group": lambda: {g: lifelines("KaplanMeierFitter").fit(lived["T"][g == THREE], lived["E"][g == THREE], label=str(g)) for g in (0, 1)},
        "sksurv.cox-net": lambda: fit("linear_model.CoxnetSurvivalAnalysis", l1_ratio=0.5, fit_baseline_model=True),
        "sksurv.aft": lambda: fit("linear_model.IPCRidge", alpha=0.5),
        "sksurv.svm": lambda: fit("svm.FastSurvivalSVM", max_iter=5),
        "sksurv.kernel-svm": lambda: fit("svm.FastKernelSurvivalSVM", kernel="rbf", max_iter=5),
        "sksurv.tree": lambda: fit("tree.SurvivalTree", max_depth=2),
        "sksurv.extra": lambda: fit("ensemble.ExtraSurvivalTrees", 3),
        "sksurv.component": lambda: fit("ensemble.ComponentwiseGradientBoostingSurvivalAnalysis", n_estimators=3),
        "sksurv.curve": lambda: fit("linear_model.CoxPHSurvivalAnalysis").predict_survival_function(X[:2]),
        "sksurv.censoring": lambda: new("sksurv.nonparametric.CensoringDistributionEstimator").fit(target),
        "sktime.polynomial": lambda: trend().fit(monthly, fh=[1, 2, 3]),
        "sktime.stl": lambda: new(f + "trend.STLForecaster", sp=12).fit(monthly),
        "sktime.croston": lambda: new(f + "croston.Croston", smoothing=0.2).fit(monthly),
        "sktime.sarimax": lambda: new(f + "sarimax.SARIMAX", order=(1, 0, 0), maxiter=2).fit(monthly),
        "sktime.var": lambda: new(f + "var.VAR").fit(pd.DataFrame({"a": monthly, "b": monthly[::-1].to_numpy()})),
        "sktime.ets": lambda: new(f + "ets.AutoETS", trend="add", maxiter=3).fit(monthly),
        "sktime.many-pipes": lambda: new(f + "compose.TransformedTargetForecaster", [("l", new(t + "boxcox.LogTransformer")), ("d", new(t + "difference.Differencer", lags=[1])), ("f", trend())]).fit(monthly),
        "sktime.multiplex": lambda: new(f + "compose.MultiplexForecaster", [("n", new(f + "naive.NaiveForecaster")), ("p", trend())], selected_forecaster="p").fit(monthly),
        "sktime.conformal": lambda: new(f + "conformal.ConformalIntervals", new(f + "naive.NaiveForecaster"), initial_window=70).fit(monthly, fh=[1]),
        "sktime.columns": lambda: new(f + "compose.ColumnEnsembleForecaster", new(f + "naive.NaiveForecaster")).fit(pd.DataFrame({"a": monthly, "b": monthly})),
        "sktime.random-search": lambda: new(f + "model_selection.ForecastingRandomizedSearchCV", new(f + "naive.NaiveForecaster"), cv=new("sktime.split.SlidingWindowSplitter", fh=[1], window_length=60, step_length=10), param_distributions={"sp": [1, 12]}, n_iter=1).fit(monthly),
        "sktime.reduced": lambda: new(f + "compose.make_reduction", new("lightgbm.LGBMRegressor", n_estimators=2, verbose=-1, n_jobs=1), window_length=5, strategy="direct").fit(monthly, fh=[1, 2]),
        "sktime.window-summary": lambda: new(t + "summarize.WindowSummarizer", lag_feature={"lag": [1], "mean": [[1, 3]]}).fit(monthly),
        "sktime.date-features": lambda: new(t + "date.DateTimeFeatures", ts_freq="M").fit(monthly),
        "sktime.adapted": lambda: new(t + "adapt.TabularToSeriesAdaptor", sk("preprocessing.MinMaxScaler")).fit(monthly),
        "sktime.hampel": lambda: new(t + "outlier_detection.HampelFilter", window_length=5).fit(monthly),
        "sktime.kalman": lambda: new(t + "exponent.ExponentTransformer", power=0.5).fit(monthly),
        "sktime.summary-classifier": lambda: new(c + "feature_based.SummaryClassifier", estimator=sk("ensemble.RandomForestClassifier", 2)).fit(panel, labels),
        "sktime.dummy": lambda: new(c + "dummy.DummyClassifier").fit(panel, labels),
        "sktime.regress": lambda: new("sktime.regression.interval_based.TimeSeriesForestRegressor", n_estimators=2).fit(panel, np.arange(12.0)),
        "sktime.minirocket": lambda: new("sktime.transformations.panel.rocket.MiniRocket", num_kernels=84).fit(panel),
        "sktime.padding": lambda: new("sktime.transformations.panel.padder.PaddingTransformer", pad_length=30).fit(panel),
        "sktime.metric": lambda: [new("sktime.performance_metrics.forecasting.MeanAbsolutePercentageError", symmetric=True), new("sktime.performance_metrics.forecasting.MeanAbsoluteScaledError", sp=12)],
        "tslearn.kmeans": lambda: new("tslearn.clustering.TimeSeriesKMeans", 2, metric="euclidean", max_iter=2, random_state=0).fit(panel.transpose(0, 2, 1)),
        "tslearn.dba": lambda: new("tslearn.clustering.TimeSeriesKMeans", 2, metric="dtw", max_iter=1, random_state=0).fit(panel[:6].transpose(0, 2, 1)),
        "tslearn.knn": lambda: new("tslearn.neighbors.KNeighborsTimeSeriesClassifier", 2, metric="sax").fit(panel.transpose(0, 2, 1), labels),
        "tslearn.sax": lambda: new("tslearn.piecewise.SymbolicAggregateApproximation", n_segments=4, alphabet_size_avg=3).fit(panel.transpose(0, 2, 1)),
        "tslearn.resample": lambda: new("tslearn.preprocessing.TimeSeriesResampler", sz=10).fit(panel.transpose(0, 2, 1)),
        "tslearn.kernel": lambda: new("tslearn.clustering.KernelKMeans", 2, kernel="gak", max_iter=2, random_state=0).fit(panel[:6].transpose(0, 2, 1)),
        "pmdarima.exogenous": lambda: new("pmdarima.ARIMA", (1, 0, 1), maxiter=3, with_intercept=True).fit(STEPS[:60], X=X[:, :2]),
        "pmdarima.features": lambda: new("pmdarima.pipeline.Pipeline", [("f", new("pmdarima.preprocessing.FourierFeaturizer", m=7, k=2)), ("a", new("pmdarima.ARIMA", (1, 0, 0), maxiter=3))]).fit(STEPS),
        "pmdarima.parts": lambda: [new("pmdarima.preprocessing.BoxCoxEndogTransformer").fit(STEPS), new("pmdarima.preprocessing.LogEndogTransformer").fit(STEPS), new("pmdarima.model_selection.RollingForecastCV", h=2)],
        "hmmlearn.discrete": lambda: new("hmmlearn.hmm.MultinomialHMM", 2, n_iter=2, random_state=0).fit(RNG.randint(0, 3, (30, 1))),
        "hmmlearn.categorical": lambda: new("hmmlearn.hmm.CategoricalHMM", 2, n_iter=2, random_state=0).fit(RNG.randint(0, 3, (30, 1))),
        "hmmlearn.tied": lambda: new("hmmlearn.hmm.GaussianHMM", 2, covariance_type="tied", init_params="mc", n_iter=2).fit(X, lengths=[30, 30]),
        "prophet.extra": lambda: _prophet(dated, ["extra"], changepoint_prior_scale=0.2, yearly_seasonality=False),
        "prophet.unfitted": lambda: new("prophet.Prophet", growth="linear", seasonality_mode="multiplicative", holidays=pd.DataFrame({"holiday": "x", "ds": pd.to_datetime(["2020-01-06"]), "lower_window": 0, "upper_window": 1})),
        "prophet.flat": lambda: _prophet(dated, [], growth="flat", n_changepoints=3, interval_width=0.9),
    }  # fmt: skip


def _prophet(data: Any, extras: list[str], **more: Any) -> Any:
    made = new("prophet.Prophet", **more)
    for name in extras:
        made.add_regressor(name, mode="additive")
    made.add_seasonality("monthly", 30.5, 2)
    return made.fit(data)


GROUPS = [("booster", boosters), ("statsmodels", statistics), ("", series)]
