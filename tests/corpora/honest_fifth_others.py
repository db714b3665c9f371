# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fifth held-out objects of samplers, encoders, texts, graphs, studies, explanations and streams; see honest_fifth.py."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
from honest_fifth import COUNTS, NAMES, people, pipeline
from honest_fifth_libraries import WORDS, new
from honest_held import REAL, STEPS, TEXTS, THREE, Makers, X, Y, at, frame, sk


def preparation() -> Makers:
    """imbalanced-learn, category_encoders, feature-engine, mlxtend, scikit-lego, mapie, ngboost, kmodes."""
    import pandas as pd

    city = people()[["city", "plan", "age", "debt"]].fillna({"plan": "none"})
    forest, logit = (
        lambda: sk("ensemble.RandomForestClassifier", 2, random_state=0),
        lambda: sk("linear_model.LogisticRegression"),
    )
    few = np.where(np.arange(60) % 4, 0, 1)
    rare = np.r_[np.zeros(30, int), np.ones(18, int), np.full(12, 2)]
    dated = frame().assign(hour=pd.date_range("2024-01-01", periods=60, freq="60min"))
    engine = lambda name, *given, data=city, target=None, **more: new("feature_engine." + name, *given, **more).fit(
        data, target
    )
    made: Makers = {}
    for name, more in {"over_sampling.BorderlineSMOTE": {"kind": "borderline-2"}, "over_sampling.ADASYN": {"n_neighbors": 3}, "over_sampling.SVMSMOTE": {}, "over_sampling.KMeansSMOTE": {"cluster_balance_threshold": 0.01}, "under_sampling.NearMiss": {"version": 3}, "under_sampling.ClusterCentroids": {}, "under_sampling.EditedNearestNeighbours": {"kind_sel": "mode"}, "under_sampling.CondensedNearestNeighbour": {}, "under_sampling.InstanceHardnessThreshold": {"cv": 2}, "under_sampling.NeighbourhoodCleaningRule": {}, "combine.SMOTETomek": {}, "combine.SMOTEENN": {"sampling_strategy": "auto"}}.items():  # fmt: skip
        made["imblearn." + name.split(".")[1]] = lambda name=name, more=more: _resampled(
            new("imblearn." + name, **more), X, few
        )
    for name, more in {"BalancedRandomForestClassifier": {"n_estimators": 2}, "BalancedBaggingClassifier": {"n_estimators": 2}, "RUSBoostClassifier": {"n_estimators": 2}}.items():  # fmt: skip
        made["imblearn." + name] = lambda name=name, more=more: new("imblearn.ensemble." + name, **more).fit(X, rare)
    for name, more in {"CatBoostEncoder": {"sigma": 0.1}, "HelmertEncoder": {}, "BackwardDifferenceEncoder": {}, "SumEncoder": {}, "BinaryEncoder": {"return_df": False}, "BaseNEncoder": {"base": 3}, "HashingEncoder": {"n_components": 4, "max_process": 1}, "MEstimateEncoder": {"m": 2.0}, "GLMMEncoder": {"binomial_target": True}, "CountEncoder": {"normalize": True, "min_group_size": 2}, "QuantileEncoder": {}, "OneHotEncoder": {"use_cat_names": True}, "PolynomialEncoder": {}, "RankHotEncoder": {}, "GrayEncoder": {}, "TargetEncoder": {"hierarchy": None, "min_samples_leaf": 5}}.items():  # fmt: skip
        made["encoders." + name] = lambda name=name, more=more: new("category_encoders." + name, **more).fit(
            city, pd.Series(Y)
        )
    return made | {
        "imblearn.columns": lambda: new("imblearn.pipeline.Pipeline", [("scale", sk("preprocessing.StandardScaler")), ("under", new("imblearn.under_sampling.RandomUnderSampler", sampling_strategy={0: 12, 1: 12, 2: 12})), ("model", logit())]).fit(X, rare),
        "imblearn.function": lambda: new("imblearn.FunctionSampler", validate=False),
        "imblearn.ratio": lambda: [new("imblearn.over_sampling.SMOTEN"), new("imblearn.over_sampling.RandomOverSampler", shrinkage=0.1), new("imblearn.metrics.make_index_balanced_accuracy", alpha=0.1)],
        "encoders.in-pipeline": lambda: pipeline(("e", new("category_encoders.WOEEncoder", cols=["city"])), ("s", sk("compose.ColumnTransformer", [("n", "passthrough", ["city", "age"])])), ("m", logit())).fit(city, pd.Series(Y)),
        "encoders.nested": lambda: new("category_encoders.wrapper.NestedCVWrapper", new("category_encoders.TargetEncoder"), cv=2).fit(city, pd.Series(Y)),
        "engine.rare": lambda: engine("encoding.RareLabelEncoder", tol=0.1, n_categories=2, variables=["city"]),
        "engine.counts": lambda: engine("encoding.CountFrequencyEncoder", encoding_method="frequency", variables=["city"]),
        "engine.ordinal": lambda: engine("encoding.OrdinalEncoder", encoding_method="ordered", variables=["city"], target=pd.Series(Y)),
        "engine.tree": lambda: engine("discretisation.DecisionTreeDiscretiser", cv=2, scoring="roc_auc", regression=False, variables=["age"], target=pd.Series(Y)),
        "engine.equal": lambda: engine("discretisation.EqualWidthDiscretiser", bins=3, return_boundaries=True, variables=["age"]),
        "engine.fill": lambda: engine("imputation.ArbitraryNumberImputer", arbitrary_number=-9, variables=["age", "debt"]),
        "engine.fill-category": lambda: engine("imputation.CategoricalImputer", imputation_method="frequent", variables=["city"]),
        "engine.fill-sample": lambda: engine("imputation.RandomSampleImputer", random_state=3, variables=["age"]),
        "engine.trim": lambda: engine("outliers.OutlierTrimmer", capping_method="iqr", fold=1.5, variables=["debt"]),
        "engine.log": lambda: engine("transformation.LogTransformer", variables=["age"]),
        "engine.yeo": lambda: engine("transformation.YeoJohnsonTransformer", variables=["age", "debt"]),
        "engine.reciprocal": lambda: engine("transformation.ReciprocalTransformer", variables=["age"]),
        "engine.math": lambda: engine("creation.MathFeatures", variables=["age", "debt"], func=["sum", "mean"]),
        "engine.relative": lambda: engine("creation.RelativeFeatures", variables=["age"], reference=["debt"], func=["div"]),
        "engine.cyclic": lambda: engine("creation.CyclicalFeatures", variables=["age"], drop_original=True),
        "engine.constant": lambda: engine("selection.DropConstantFeatures", tol=0.9),
        "engine.psi": lambda: engine("selection.DropHighPSIFeatures", split_frac=0.5, variables=["age", "debt"], bins=3),
        "engine.shuffle": lambda: engine("selection.SelectByShuffling", estimator=logit(), cv=2, data=frame()[["age", "debt"]], target=pd.Series(Y)),
        "engine.recursive": lambda: engine("selection.RecursiveFeatureElimination", estimator=forest(), cv=2, data=frame()[["age", "debt"]], target=pd.Series(Y)),
        "engine.windows": lambda: engine("timeseries.forecasting.WindowFeatures", window=3, functions=["mean", "max"], data=dated[["age"]]),
        "engine.wrapped": lambda: engine("wrappers.SklearnTransformerWrapper", transformer=sk("preprocessing.StandardScaler"), variables=["age"]),
        "engine.time-between": lambda: engine("datetime.DatetimeSubtraction", variables=["hour"], reference=["day"], data=dated),
        "engine.match": lambda: engine("preprocessing.MatchVariables", missing_values="ignore"),
        "mlxtend.vote": lambda: new("mlxtend.classifier.EnsembleVoteClassifier", clfs=[logit(), forest()], voting="soft").fit(X, Y),
        "mlxtend.stack-folds": lambda: new("mlxtend.regressor.StackingCVRegressor", regressors=(sk("linear_model.Ridge"), sk("svm.SVR")), meta_regressor=sk("linear_model.Lasso"), cv=2).fit(X, REAL),
        "mlxtend.selection": lambda: new("mlxtend.feature_selection.SequentialFeatureSelector", logit(), k_features=2, floating=True, cv=2).fit(X, Y),
        "mlxtend.columns": lambda: pipeline(("c", new("mlxtend.feature_selection.ColumnSelector", cols=(0, 2))), ("m", logit())).fit(X, Y),
        "mlxtend.transactions": lambda: new("mlxtend.preprocessing.TransactionEncoder").fit([["milk", "bread"], ["milk"]]),
        "mlxtend.softmax": lambda: new("mlxtend.classifier.SoftmaxRegression", epochs=2, random_seed=0).fit(X, THREE),
        "mlxtend.perceptron": lambda: new("mlxtend.classifier.MultiLayerPerceptron", hidden_layers=[3], epochs=2, random_seed=0).fit(X, THREE),
        "mlxtend.dense": lambda: pipeline(("t", sk("feature_extraction.text.TfidfVectorizer")), ("d", new("mlxtend.preprocessing.DenseTransformer")), ("n", sk("naive_bayes.GaussianNB"))).fit(TEXTS, Y),
        "sklego.grouped": lambda: new("sklego.meta.GroupedPredictor", sk("linear_model.LinearRegression"), groups=["city"]).fit(frame()[["city", "age"]], REAL),
        "sklego.zero": lambda: new("sklego.meta.ZeroInflatedRegressor", classifier=forest(), regressor=sk("linear_model.Ridge")).fit(X, np.maximum(COUNTS - 2, 0)),
        "sklego.threshold": lambda: new("sklego.meta.Thresholder", logit(), threshold=0.4).fit(X, Y),
        "sklego.estimator": lambda: pipeline(("e", new("sklego.meta.EstimatorTransformer", sk("linear_model.Ridge"))), ("m", logit())).fit(X, Y),
        "sklego.decay": lambda: new("sklego.meta.DecayEstimator", sk("linear_model.Ridge"), decay_func="exponential").fit(X, REAL),
        "sklego.lowess": lambda: [new("sklego.linear_model.LowessRegression", sigma=0.5).fit(X, REAL), new("sklego.linear_model.LADRegression").fit(X, REAL), new("sklego.naive_bayes.GaussianMixtureNB").fit(X, Y), new("sklego.preprocessing.RepeatingBasisFunction", n_periods=4).fit(X[:, :1])],
        "mapie.regression": lambda: new("mapie.regression.MapieRegressor", sk("linear_model.Ridge"), method="plus", cv=2).fit(X, REAL),
        "mapie.quantiles": lambda: new("mapie.regression.MapieQuantileRegressor", sk("ensemble.GradientBoostingRegressor", loss="quantile", n_estimators=2), alpha=0.2).fit(X, REAL, random_state=1),
        "mapie.classes": lambda: new("mapie.classification.MapieClassifier", forest().fit(X, NAMES), cv="prefit", conformity_score=new("mapie.conformity_scores.LACConformityScore")).fit(X, NAMES),
        "ngboost.log-normal": lambda: new("ngboost.NGBRegressor", Dist=at("ngboost.distns", "LogNormal"), n_estimators=2, verbose=False).fit(X, np.abs(REAL) + 1),
        "ngboost.poisson": lambda: new("ngboost.NGBRegressor", Dist=at("ngboost.distns", "Poisson"), Base=sk("tree.DecisionTreeRegressor", max_depth=2), n_estimators=2, verbose=False).fit(X, COUNTS),
        "ngboost.survival": lambda: new("ngboost.NGBSurvival", Dist=at("ngboost.distns", "Exponential"), n_estimators=2, verbose=False).fit(X, np.abs(REAL) + 1, Y),
        "kmodes.modes": lambda: new("kmodes.kmodes.KModes", n_clusters=2, init="Huang", n_init=1).fit(np.c_[NAMES, NAMES[::-1]]),
        "kmodes.prototypes": lambda: new("kmodes.kprototypes.KPrototypes", n_clusters=2, n_init=1, gamma=0.5).fit(np.c_[X.astype(object), NAMES], categorical=[4]),
    }  # fmt: skip


def _resampled(made: Any, x: Any, y: Any) -> Any:
    made.fit_resample(x, y)
    return made


def learning() -> Makers:
    """Explanations, reductions, clusters, recommendations, studies, streams."""
    made: Makers = {}
    with contextlib.suppress(ImportError):
        shap = importlib.import_module("shap")
        forest = lambda: sk("ensemble.RandomForestClassifier", 2, max_depth=2).fit(X, Y)
        ridge = lambda: sk("linear_model.Ridge").fit(X, REAL)
        made |= {
            "shap.tree-explainer": lambda: shap.TreeExplainer(forest(), feature_perturbation="tree_path_dependent"),
            "shap.interactions": lambda: shap.TreeExplainer(forest()).shap_interaction_values(X[:3]),
            "shap.linear-explainer": lambda: shap.LinearExplainer(ridge(), X),
            "shap.independent": lambda: shap.maskers.Independent(X[:10]),
            "shap.explained": lambda: {"values": shap.LinearExplainer(ridge(), X)(X[:5]), "names": list("abcd")},
            "shap.sampled": lambda: shap.sample(X, 5),
            "shap.summary": lambda: shap.kmeans(X, 2),
            "shap.boosted": lambda: shap.TreeExplainer(new("lightgbm.LGBMRegressor", n_estimators=2, verbose=-1, n_jobs=1).fit(X, REAL))(X[:3]),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        umap = importlib.import_module("umap")
        made |= {
            "umap.fitted": lambda: umap.UMAP(n_neighbors=5, n_components=2, n_epochs=5, random_state=0).fit(X),
            "umap.supervised": lambda: umap.UMAP(n_neighbors=5, n_epochs=5, metric="cosine", target_metric="categorical").fit(X, Y),
            "umap.unfitted": lambda: umap.UMAP(metric="manhattan", min_dist=0.0),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        hdbscan = importlib.import_module("hdbscan")
        made |= {
            "hdbscan.soft": lambda: hdbscan.HDBSCAN(min_cluster_size=5, prediction_data=True).fit(X),
            "hdbscan.robust": lambda: hdbscan.RobustSingleLinkage(cut=0.5, k=3).fit(X),
            "hdbscan.leaf": lambda: hdbscan.HDBSCAN(min_cluster_size=4, cluster_selection_method="leaf", metric="manhattan").fit(X).condensed_tree_,
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        importlib.import_module("implicit")
        bought = lambda: at("scipy.sparse", "random")(12, 9, 0.4, "csr", random_state=0)
        fit = lambda name, **more: _recommend(new("implicit." + name, **more), bought())
        made |= {
            "implicit.least-squares": lambda: fit("cpu.als.AlternatingLeastSquares", factors=4, iterations=1, num_threads=1),
            "implicit.bayes": lambda: fit("cpu.bpr.BayesianPersonalizedRanking", factors=4, iterations=1, num_threads=1),
            "implicit.logistic": lambda: fit("cpu.lmf.LogisticMatrixFactorization", factors=4, iterations=1, num_threads=1),
            "implicit.cosine": lambda: fit("nearest_neighbours.CosineRecommender", K=3),
            "implicit.bm25": lambda: {"model": fit("nearest_neighbours.BM25Recommender", K=3), "users": {"u1": 0}, "matrix": bought()},
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        optuna = importlib.import_module("optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = lambda sampler=None, **more: _study(optuna, sampler, **more)
        made |= {
            "optuna.two-goals": lambda: study(optuna.samplers.NSGAIISampler(population_size=2, seed=1), directions=["minimize", "maximize"]),
            "optuna.quasi": lambda: study(optuna.samplers.QMCSampler(seed=2, qmc_type="halton")),
            "optuna.grid": lambda: study(optuna.samplers.GridSampler({"x": [0.1, 0.2], "kind": ["a", "b"], "n": [1]}, seed=1)),
            "optuna.groups": lambda: study(optuna.samplers.TPESampler(multivariate=True, group=True, seed=1)),
            "optuna.partial": lambda: optuna.samplers.PartialFixedSampler({"x": 0.5}, optuna.samplers.RandomSampler(seed=1)),
            "optuna.space": lambda: {"x": optuna.distributions.FloatDistribution(1e-3, 1, log=True), "n": optuna.distributions.IntDistribution(1, 9, step=2), "k": optuna.distributions.CategoricalDistribution(["a", None, 3])},
            "optuna.trials": lambda: [trial for trial in study().trials if trial.values],
            "optuna.pruners": lambda: [optuna.pruners.HyperbandPruner(1, 9), optuna.pruners.PercentilePruner(25.0), optuna.pruners.PatientPruner(optuna.pruners.NopPruner(), 2), optuna.pruners.ThresholdPruner(upper=1.0), optuna.pruners.WilcoxonPruner() if hasattr(optuna.pruners, "WilcoxonPruner") else None],
            "optuna.storage": lambda: optuna.storages.InMemoryStorage(),
            "optuna.best-model": lambda: {"params": study().best_params, "model": sk("ensemble.RandomForestClassifier", 2).fit(X, Y), "value": study().best_value},
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        importlib.import_module("river")
        learned = lambda name, target=Y, **more: _learned(new("river." + name, **more), target)
        scale = lambda: new("river.preprocessing.MinMaxScaler")
        made |= {
            "river.ridge": lambda: _learned(scale() | new("river.linear_model.LinearRegression", l2=0.1, optimizer=new("river.optim.AdaGrad", 0.05)), REAL),
            "river.factor": lambda: learned("facto.FMRegressor", REAL, n_factors=2, seed=1),
            "river.extremely-fast": lambda: learned("tree.ExtremelyFastDecisionTreeClassifier", grace_period=10),
            "river.tree-regressor": lambda: learned("tree.HoeffdingAdaptiveTreeRegressor", REAL, grace_period=10, seed=1),
            "river.naive": lambda: learned("naive_bayes.GaussianNB"),
            "river.clusters": lambda: _learned(new("river.cluster.DBSTREAM"), None),
            "river.anomaly": lambda: _learned(new("river.anomaly.HalfSpaceTrees", n_trees=2, height=2, seed=1), None),
            "river.select": lambda: _learned(new("river.feature_selection.VarianceThreshold", 0.1) | new("river.linear_model.Perceptron"), Y),
            "river.series": lambda: _stream(new("river.time_series.SNARIMAX", p=2, d=1, q=1)),
            "river.holt": lambda: _stream(new("river.time_series.HoltWinters", alpha=0.3, beta=0.1, gamma=0.1, seasonality=7)),
            "river.stats": lambda: [new("river.stats.EWMean", 0.3), new("river.stats.Quantile", 0.5), new("river.stats.RollingQuantile", 0.5, 5), new("river.utils.Rolling", new("river.stats.Mean"), 4), new("river.stats.AutoCorr", 2)],
            "river.scores": lambda: [new("river.metrics.F1"), new("river.metrics.MacroF1"), new("river.metrics.ConfusionMatrix"), new("river.metrics.RMSE") + new("river.metrics.R2"), new("river.metrics.ClassificationReport")],
            "river.drift": lambda: [new("river.drift.PageHinkley"), new("river.drift.KSWIN", seed=1), new("river.drift.binary.DDM")],
            "river.words": lambda: _texts(new("river.feature_extraction.BagOfWords", lowercase=True) | new("river.naive_bayes.MultinomialNB")),
        }  # fmt: skip
    return made


def _recommend(model: Any, matrix: Any) -> Any:
    model.fit(matrix, show_progress=False)
    return model


def _study(optuna: Any, sampler: Any, **more: Any) -> Any:
    made = optuna.create_study(sampler=sampler, study_name="forest", **more)

    def value(trial: Any) -> Any:
        x = trial.suggest_float("x", 1e-3, 1.0)
        trial.suggest_categorical("kind", ["a", "b"])
        trial.suggest_int("n", 1, 3)
        trial.set_user_attr("seconds", 0.5)
        return (x, -x) if "directions" in more else x

    made.optimize(value, n_trials=3)
    return made


def _learned(model: Any, target: Any) -> Any:
    for number, row in enumerate(X[:30]):
        features = dict(zip("abcd", map(float, row), strict=True))
        if target is None:
            model.learn_one(features)
        else:
            model.learn_one(features, target[number].item())
    return model


def _stream(model: Any) -> Any:
    for value in STEPS[:40]:
        model.learn_one(float(value))
    return model


def _texts(model: Any) -> Any:
    for text, label in zip(TEXTS[:12], NAMES[:12], strict=True):
        model.learn_one(text, str(label))
    return model


def language() -> Makers:
    """gensim, NLTK, TextBlob, networkx, xarray, polars, pyarrow, dask, patsy."""
    made: Makers = {}
    with contextlib.suppress(ImportError):
        models, corpora = importlib.import_module("gensim.models"), importlib.import_module("gensim.corpora")
        words = corpora.Dictionary(WORDS, prune_at=100)
        bags = [words.doc2bow(text) for text in WORDS]
        small = {"vector_size": 4, "min_count": 1, "epochs": 1, "workers": 1}
        made |= {
            "gensim.bags": lambda: models.Word2Vec(WORDS, cbow_mean=1, hs=1, negative=0, **small),
            "gensim.documents": lambda: models.Doc2Vec([models.doc2vec.TaggedDocument(text, [f"d{i}"]) for i, text in enumerate(WORDS[:9])], dm=0, dbow_words=1, **small),
            "gensim.subwords": lambda: models.FastText(WORDS, min_n=2, max_n=3, bucket=50, **small).wv,
            "gensim.online-topics": lambda: models.LdaModel(bags, id2word=words, num_topics=2, alpha="auto", eta="auto", passes=2, random_state=1),
            "gensim.process": lambda: models.HdpModel(bags, words, T=5, K=2, random_state=1),
            "gensim.indexed": lambda: {"lsi": models.LsiModel(bags, id2word=words, num_topics=2), "index": at("gensim.similarities", "MatrixSimilarity")(bags, num_features=len(words)), "dictionary": words},
            "gensim.sparse-index": lambda: at("gensim.similarities", "SparseMatrixSimilarity")(bags, num_features=len(words)),
            "gensim.weights": lambda: models.TfidfModel(bags, smartirs="ltc", dictionary=words),
            "gensim.phraser": lambda: models.phrases.Phraser(models.Phrases(WORDS, min_count=1, threshold=0.1)),
            "gensim.projection": lambda: [models.RpModel(bags, num_topics=2), models.LogEntropyModel(bags), models.OkapiBM25Model(dictionary=words) if hasattr(models, "OkapiBM25Model") else None],
            "gensim.coherence": lambda: models.CoherenceModel(topics=[["red", "fox"]], texts=WORDS, dictionary=words, coherence="u_mass", corpus=bags),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        nltk = importlib.import_module("nltk")
        tagged = [[("the", "DT"), ("red", "JJ"), ("fox", "NN"), ("runs", "VB")]] * 3
        features = [({"last": text[-1], "long": len(text) > 2}, name) for text, name in zip(WORDS, NAMES, strict=True)]
        made |= {
            "nltk.tree-classifier": lambda: nltk.DecisionTreeClassifier.train(features[:12], entropy_cutoff=0.1, depth_cutoff=2),
            "nltk.maxent": lambda: nltk.MaxentClassifier.train(features[:9], trace=0, max_iter=2),
            "nltk.wrapped": lambda: at("nltk.classify.scikitlearn", "SklearnClassifier")(sk("naive_bayes.BernoulliNB")).train(features),
            "nltk.backoff": lambda: nltk.TrigramTagger(tagged, backoff=nltk.BigramTagger(tagged, backoff=nltk.RegexpTagger([(r".*ing$", "VBG"), (r".*", "NN")]))),
            "nltk.affix": lambda: nltk.AffixTagger(tagged, affix_length=-2, min_stem_length=1),
            "nltk.perceptron": lambda: _tagger(nltk, tagged),
            "nltk.hidden": lambda: at("nltk.tag.hmm", "HiddenMarkovModelTagger").train(tagged),
            "nltk.tnt": lambda: _trained(at("nltk.tag.tnt", "TnT")(), tagged),
            "nltk.laplace": lambda: _language(at("nltk.lm", "Laplace")(2)),
            "nltk.backoff-model": lambda: _language(at("nltk.lm", "StupidBackoff")(0.4, 2)),
            "nltk.chunker": lambda: nltk.RegexpParser(r"NP: {<DT>?<JJ>*<NN>}"),
            "nltk.collocations": lambda: nltk.BigramCollocationFinder.from_words(WORDS[0] * 2),
            "nltk.probabilities": lambda: [nltk.LaplaceProbDist(nltk.FreqDist("abca")), nltk.ConditionalFreqDist(zip("ab", "xy", strict=True)), nltk.MLEProbDist(nltk.FreqDist("ab")), nltk.WittenBellProbDist(nltk.FreqDist("aab"), 3)],
            "nltk.stemmers": lambda: [nltk.LancasterStemmer(), nltk.RegexpStemmer("ing$|s$", min=4), at("nltk.stem", "ISRIStemmer")(), nltk.SnowballStemmer("italian"), nltk.PorterStemmer("ORIGINAL_ALGORITHM")],
            "nltk.tokenizers": lambda: [at("nltk.tokenize", "TweetTokenizer")(strip_handles=True), at("nltk.tokenize", "MWETokenizer")([("new", "york")]), at("nltk.tokenize", "TreebankWordTokenizer")(), at("nltk.tokenize", "TabTokenizer")(), at("nltk.tokenize", "ToktokTokenizer")()],
            "nltk.punkt": lambda: at("nltk.tokenize.punkt", "PunktSentenceTokenizer")("A dog ran. Dr. Fox sat. It slept."),
            "nltk.sentences": lambda: [nltk.Tree.fromstring("(S (NP a) (VP b))"), nltk.Text(WORDS[0]), nltk.CFG.fromstring("S -> 'a' S | 'b'")],
            "nltk.metrics": lambda: nltk.ConfusionMatrix(list(NAMES), list(NAMES[::-1])),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        nx = importlib.import_module("networkx")
        made |= {
            "networkx.kinds": lambda: [nx.MultiGraph([(1, 2), (1, 2)]), nx.MultiDiGraph([(1, 2, "k", {"w": 1})]), nx.DiGraph(), nx.empty_graph(3)],
            "networkx.attributes": lambda: _graph(nx),
            "networkx.random": lambda: nx.barabasi_albert_graph(12, 2, seed=1),
            "networkx.bipartite": lambda: nx.bipartite.random_graph(3, 4, 0.5, seed=2),
            "networkx.ranked": lambda: {"rank": nx.pagerank(nx.karate_club_graph()), "core": nx.core_number(nx.cycle_graph(4)), "louvain": nx.community.greedy_modularity_communities(nx.karate_club_graph())},
            "networkx.paths": lambda: dict(nx.all_pairs_dijkstra_path_length(nx.path_graph(3))),
            "networkx.relabelled": lambda: nx.relabel_nodes(nx.path_graph(3), {0: "a", 1: ("b", 1)}),
            "networkx.views": lambda: [nx.path_graph(4).nodes(data=True), nx.path_graph(3).degree, nx.path_graph(3).edges],
            "networkx.matrix": lambda: [nx.to_scipy_sparse_array(nx.path_graph(3)), nx.to_pandas_adjacency(nx.path_graph(3))],
            "networkx.reversed": lambda: nx.DiGraph([(1, 2)]).reverse(copy=True),
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        xr = importlib.import_module("xarray")
        days = at("pandas", "date_range")("2020", periods=6)
        grid = lambda: xr.Dataset(
            {"t": (("time", "lat"), X[:6], {"units": "K"}), "p": ("time", REAL[:6])},
            coords={"time": days, "lat": [0.5, 1.5, 2.5, 3.5], "station": ("lat", list("wxyz"))},
        )
        made |= {
            "xarray.climate": grid,
            "xarray.anomaly": lambda: grid().groupby("time.month") - grid().groupby("time.month").mean(),
            "xarray.stacked": lambda: grid()["t"].stack(cell=("time", "lat")),
            "xarray.variable": lambda: xr.Variable(("a",), np.arange(3), {"k": 1}),
            "xarray.resampled": lambda: grid().resample(time="2D").mean(),
            "xarray.merged": lambda: {"sets": [grid().isel(time=0), grid().sel(lat=0.5)], "index": grid().indexes["time"]},
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        pl = importlib.import_module("polars")
        made |= {
            "polars.all": lambda: pl.DataFrame({"i": [1, None], "s": ["a", "b"], "f": [0.5, None], "b": [True, False], "d": [at("datetime", "date")(2024, 1, 1)] * 2, "l": [[1], []], "st": [{"x": 1}, {"x": None}]}),
            "polars.grouped": lambda: pl.from_pandas(frame()).group_by("city").agg(pl.col("age").mean()),
            "polars.list": lambda: [pl.Series("t", [1.0, 2.0], dtype=pl.Float32), pl.Series("e", ["a"], dtype=pl.Enum(["a", "b"])), pl.Series("z", [at("datetime", "datetime")(2024, 1, 1)]).dt.replace_time_zone("UTC")],
            "polars.types": lambda: {"a": pl.Int64, "b": pl.List(pl.Utf8), "c": pl.Datetime("us", "UTC")},
            "polars.model": lambda: {"model": sk("ensemble.RandomForestRegressor", 2).fit(X, REAL), "data": pl.DataFrame(X), "schema": ["a", "b"]},
        }  # fmt: skip
    with contextlib.suppress(ImportError):
        pa = importlib.import_module("pyarrow")
        made |= {
            "pyarrow.arrays": lambda: [pa.array([1, None]), pa.chunked_array([["a"], ["b"]]), pa.array([{"x": 1}]), pa.array([[1.5], None]), pa.scalar(3), pa.array(["a", "a"]).dictionary_encode()],
            "pyarrow.types": lambda: [pa.decimal128(9, 2), pa.struct([("a", pa.int8())]), pa.map_(pa.string(), pa.int32()), pa.field("t", pa.date32(), metadata={"k": "v"})],
            "pyarrow.joined": lambda: pa.table({"k": [1, 2]}).join(pa.table({"k": [1], "v": ["x"]}), "k"),
        }  # fmt: skip
    return made | {
        "textblob.bayes": lambda: new("textblob.classifiers.NaiveBayesClassifier", [("red fox", "a"), ("lazy dog", "b")], feature_extractor=at("textblob.classifiers", "basic_extractor")),
        "dask.frame": lambda: at("dask.dataframe", "from_pandas")(frame(), npartitions=2),
        "dask.array": lambda: at("dask.array", "ones")((4, 4), chunks=2),
        "patsy.design": lambda: at("patsy", "dmatrices")("score ~ C(city) + bs(age, df=4)", frame()),
    }  # fmt: skip


def _tagger(nltk: Any, tagged: Any) -> Any:
    made = at("nltk.tag.perceptron", "PerceptronTagger")(load=False)
    made.train(tagged, nr_iter=2)
    return made


def _trained(made: Any, data: Any) -> Any:
    made.train(data)
    return made


def _language(made: Any) -> Any:
    grams, vocabulary = at("nltk.lm.preprocessing", "padded_everygram_pipeline")(2, WORDS[:6])
    made.fit(grams, vocabulary)
    return made


def _graph(nx: Any) -> Any:
    made = nx.Graph(name="people", created=at("datetime", "date")(2024, 1, 1))
    made.add_node("ann", age=np.int64(3), tags={"x"})
    made.add_edge("ann", "bob", weight=np.float32(0.5), since=at("pandas", "Timestamp")("2020"))
    return made


GROUPS = [("", preparation), ("", learning), ("", language)]
