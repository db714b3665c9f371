# ruff: noqa: B905 - Python 3.9 runs it
"""The second half of the held-out objects: statistics, survival, series, text, torch's families; see honest_held.py."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from honest_held import REAL, RNG, STEPS, TEXTS, THREE, Makers, X, Y, at, frame, sk

WORDS = [text.split() for text in TEXTS]


def statsmodels_held() -> Makers:
    """Results of models that analysts of panels, counts, durations and series use."""
    import statsmodels.api as sm

    data = sm.add_constant(X[:, :2])
    tsa = "statsmodels.tsa."
    count = np.maximum(RNG.poisson(2, 60) - 1, 0)
    discrete = "statsmodels.discrete."
    return {
        "MNLogit": lambda: sm.MNLogit(THREE, data).fit(disp=0),
        "NegativeBinomial": lambda: sm.NegativeBinomial(count, data).fit(disp=0),
        "ZeroInflated": lambda: at(discrete + "count_model", "ZeroInflatedPoisson")(count, data).fit(disp=0),
        "Conditional": lambda: at(discrete + "conditional_models", "ConditionalLogit")(Y, X[:, :2], groups=THREE).fit(
            disp=0
        ),
        "Ordered": lambda: at("statsmodels.miscmodels.ordinal_model", "OrderedModel")(THREE, X[:, :2]).fit(disp=0),
        "PHReg": lambda: sm.PHReg(np.abs(REAL), X[:, :2], status=Y).fit(),
        "RollingOLS": lambda: at("statsmodels.regression.rolling", "RollingOLS")(REAL, data, 20).fit(),
        "RecursiveLS": lambda: sm.RecursiveLS(REAL, data).fit(),
        "GLSAR": lambda: sm.GLSAR(REAL, data).iterative_fit(2),
        "Robust": lambda: sm.RLM(REAL, data, M=sm.robust.norms.TukeyBiweight()).fit(),
        "OLS-HC3": lambda: sm.OLS(REAL, data).fit(cov_type="HC3"),
        "regularized": lambda: sm.OLS(REAL, data).fit_regularized(alpha=0.1),
        "GLM-link": lambda: sm.GLM(np.abs(REAL), data, sm.families.Gamma(sm.families.links.Log())).fit(),
        "GAM": lambda: sm.GLMGam(
            REAL, smoother=at("statsmodels.gam.api", "BSplines")(X[:, :1], df=[5], degree=[3])
        ).fit(),
        "Markov": lambda: sm.tsa.MarkovRegression(STEPS, k_regimes=2).fit(maxiter=3),
        "ETS": lambda: at(tsa + "exponential_smoothing.ets", "ETSModel")(STEPS, error="add").fit(disp=0),
        "STL": lambda: at(tsa + "seasonal", "STL")(STEPS, period=7).fit(),
        "VARMAX": lambda: sm.tsa.VARMAX(np.c_[STEPS, STEPS[::-1]], order=(1, 0)).fit(maxiter=2, disp=0),
        "VECM": lambda: at(tsa + "vector_ar.vecm", "VECM")(np.c_[STEPS, STEPS * 2 + RNG.normal(size=80)]).fit(),
        "DynamicFactor": lambda: sm.tsa.DynamicFactor(RNG.normal(size=(40, 3)), 1, 1).fit(maxiter=2, disp=0),
        "Theta": lambda: at(tsa + "forecasting.theta", "ThetaModel")(STEPS, period=4).fit(),
        "SARIMAX-seasonal": lambda: sm.tsa.SARIMAX(STEPS, order=(1, 1, 0), seasonal_order=(1, 0, 0, 4)).fit(
            maxiter=2, disp=0
        ),
        "ARDL": lambda: at(tsa + "ardl", "ARDL")(STEPS, 1, X[:1].repeat(80, 0) + RNG.normal(size=(80, 4)), 1).fit(),
        "deterministic": lambda: at(tsa + "deterministic", "DeterministicProcess")(frame().index, order=1),
        "tests": lambda: {
            "adf": sm.tsa.stattools.adfuller(STEPS),
            "lb": at("statsmodels.stats.diagnostic", "acorr_ljungbox")(STEPS),
        },
        "tukey": lambda: at("statsmodels.stats.multicomp", "pairwise_tukeyhsd")(REAL, THREE),
        "anova": lambda: sm.stats.anova_lm(sm.OLS.from_formula("score ~ age", frame()).fit()),
        "power": lambda: at("statsmodels.stats.power", "TTestIndPower")(),
        "Factor": lambda: sm.Factor(X, n_factor=1).fit(),
        "MANOVA": lambda: sm.MANOVA(X[:, :2], X[:, 2:]),
        "kernel": lambda: sm.nonparametric.KernelReg(REAL, X[:, :1], "c"),
        "ecdf": lambda: at("statsmodels.distributions.empirical_distribution", "ECDF")(REAL),
        "formula": lambda: sm.Logit.from_formula("hit ~ np.log(age) + bs(debt, df=4)", frame().assign(hit=Y)).fit(
            disp=0
        ),
    }


def survival_held() -> Makers:
    """Durations."""
    table = frame()[["age", "debt"]].assign(T=np.arange(1.0, 61.0), E=Y)
    import lifelines

    spans = table.assign(id=np.arange(60), start=0.0)
    return {
        "PiecewiseExponential": lambda: lifelines.PiecewiseExponentialFitter([20, 40]).fit(table["T"], table["E"]),
        "Spline": lambda: lifelines.SplineFitter([10.0, 30.0, 50.0]).fit(table["T"], table["E"]),
        "AalenJohansen": lambda: lifelines.AalenJohansenFitter(seed=1).fit(table["T"], THREE, 1),
        "LeftCensored": lambda: lifelines.KaplanMeierFitter().fit_left_censoring(table["T"], table["E"]),
        "Intervals": lambda: lifelines.WeibullFitter().fit_interval_censoring(table["T"], table["T"] + 2),
        "TimeVarying": lambda: lifelines.CoxTimeVaryingFitter(penalizer=0.1).fit(
            spans, id_col="id", event_col="E", start_col="start", stop_col="T"
        ),
        "PiecewiseRegression": lambda: lifelines.PiecewiseExponentialRegressionFitter([20], penalizer=0.1).fit(
            table, "T", "E"
        ),
        "Gamma": lambda: lifelines.GeneralizedGammaRegressionFitter(penalizer=1.0).fit(table, "T", "E"),
        "CoxSpline": lambda: lifelines.CoxPHFitter(baseline_estimation_method="spline", n_baseline_knots=2).fit(
            table, "T", "E"
        ),
        "CoxFormula": lambda: lifelines.CoxPHFitter(penalizer=0.1).fit(table, "T", "E", formula="age + debt"),
        "CoxStrata": lambda: lifelines.CoxPHFitter(penalizer=0.1).fit(
            table.assign(s=THREE), "T", "E", strata=["s"], robust=True
        ),
        "test": lambda: at("lifelines.statistics", "logrank_test")(table["T"], table["T"] * 2, Y, Y),
        "dataset": lambda: at("lifelines.datasets", "load_rossi")(),
    }


def sksurv_held() -> Makers:
    """scikit-survival."""
    target = np.array(list(zip(Y.astype(bool), np.arange(1.0, 61.0))), dtype=[("e", "?"), ("t", "f8")])
    names = {
        "linear_model": "CoxPHSurvivalAnalysis CoxnetSurvivalAnalysis IPCRidge",
        "ensemble": "RandomSurvivalForest GradientBoostingSurvivalAnalysis "
        "ComponentwiseGradientBoostingSurvivalAnalysis",
        "svm": "FastSurvivalSVM FastKernelSurvivalSVM",
        "tree": "SurvivalTree",
    }
    return {
        name: lambda module=module, name=name: at("sksurv." + module, name)().fit(X, target)
        for module, listed in names.items()
        for name in listed.split()
    }


def sktime_held() -> Makers:
    """Forecasters, tuning, splitters, classifiers of series."""
    import pandas as pd

    series = pd.Series(STEPS, index=pd.period_range("2015-01", periods=80, freq="M"))
    panel = RNG.normal(size=(12, 1, 20))
    labels = np.arange(12) % 2
    f = "sktime.forecasting."
    naive = lambda: at(f + "naive", "NaiveForecaster")(strategy="drift")  # noqa: E731
    folds = lambda: at(f + "model_selection", "ExpandingWindowSplitter")(fh=[1], initial_window=60, step_length=10)  # noqa: E731
    return {
        "smoothing": lambda: at(f + "exp_smoothing", "ExponentialSmoothing")(trend="add").fit(series),
        "theta": lambda: at(f + "theta", "ThetaForecaster")(sp=4).fit(series),
        "ets": lambda: at(f + "ets", "AutoETS")().fit(series),
        "croston": lambda: at(f + "croston", "Croston")().fit(series),
        "reduction": lambda: at(f + "compose", "make_reduction")(
            sk("linear_model.LinearRegression"), window_length=4
        ).fit(series, fh=[1, 2]),
        "grid": lambda: at(f + "model_selection", "ForecastingGridSearchCV")(
            naive(), folds(), {"strategy": ["last", "drift"]}
        ).fit(series, fh=[1]),
        "multiplex": lambda: at(f + "compose", "MultiplexForecaster")([("n", naive())]).fit(series, fh=[1]),
        "ensemble": lambda: at(f + "compose", "EnsembleForecaster")([("a", naive()), ("b", naive())]).fit(
            series, fh=[1]
        ),
        "horizon": lambda: at(f + "base", "ForecastingHorizon")([1, 2, 3], is_relative=True),
        "splitter": folds,
        "deseason": lambda: at("sktime.transformations.series.detrend", "Deseasonalizer")(sp=4).fit(series),
        "lag": lambda: at("sktime.transformations.series.lag", "Lag")([1, 2]).fit(series),
        "pipeline": lambda: (
            at("sktime.transformations.series.boxcox", "LogTransformer")()
            * at("sktime.transformations.series.difference", "Differencer")()
            * naive()
        ).fit(series),
        "forest": lambda: at("sktime.classification.interval_based", "TimeSeriesForestClassifier")(n_estimators=3).fit(
            panel, labels
        ),
        "summary": lambda: at("sktime.classification.feature_based", "SummaryClassifier")(
            estimator=sk("ensemble.RandomForestClassifier", 3)
        ).fit(panel, labels),
        "dictionary": lambda: at("sktime.classification.dictionary_based", "IndividualBOSS")().fit(panel, labels),
        "dummy": lambda: at("sktime.classification.dummy", "DummyClassifier")().fit(panel, labels),
        "metric": lambda: at("sktime.performance_metrics.forecasting", "MeanAbsoluteScaledError")(sp=4),
        "airline": lambda: at("sktime.datasets", "load_airline")(),
    }


def others_held() -> Makers:
    """Studies, explanations, neighbours, outliers, vectors, graphs, text."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def study(sampler: Any) -> Any:
        made = optuna.create_study(sampler=sampler, pruner=optuna.pruners.MedianPruner(), directions=None)
        made.optimize(
            lambda trial: trial.suggest_int("n", 1, 9) * trial.suggest_float("x", 1e-3, 1, log=True), n_trials=4
        )
        return made

    return {
        "study-tpe": lambda: study(optuna.samplers.TPESampler(seed=1)),
        "study-random": lambda: study(optuna.samplers.RandomSampler(seed=1)),
        "trials": lambda: study(None).trials,
        "best": lambda: study(None).best_trial,
        "sampler-grid": lambda: optuna.samplers.GridSampler({"a": [1, 2]}),
        "sampler-nsga": lambda: optuna.samplers.NSGAIISampler(seed=1),
        "pruner": lambda: optuna.pruners.HyperbandPruner(),
        "distributions": lambda: {
            "a": optuna.distributions.IntDistribution(1, 5),
            "b": optuna.distributions.CategoricalDistribution(["x", None]),
        },
    }


def shap_held() -> Makers:
    """Explainers with maskers and links."""
    forest = sk("ensemble.GradientBoostingClassifier", n_estimators=3).fit(X, Y)
    return {
        "explanation": lambda: at("shap", "TreeExplainer")(forest)(X[:4]),
        "interventional": lambda: at("shap", "TreeExplainer")(forest, X[:10], feature_perturbation="interventional"),
        "masker": lambda: at("shap.maskers", "Independent")(X[:10]),
        "sampling": lambda: at("shap", "SamplingExplainer")(forest.predict, X[:5]),
    }


def neighbours_held() -> Makers:
    """Clusterings and embeddings."""
    return {
        "soft": lambda: at("hdbscan", "HDBSCAN")(min_cluster_size=5, gen_min_span_tree=True).fit(X),
        "robust": lambda: at("hdbscan", "RobustSingleLinkage")().fit(X),
        "condensed": lambda: at("hdbscan", "HDBSCAN")(min_cluster_size=5).fit(X).condensed_tree_,
        "umap-supervised": lambda: at("umap", "UMAP")(n_neighbors=4, n_epochs=2, metric="cosine").fit(X, Y),
    }


def words_held() -> Makers:
    """gensim."""
    corpora, models = importlib.import_module("gensim.corpora"), importlib.import_module("gensim.models")
    dictionary = corpora.Dictionary(WORDS)
    bags = [dictionary.doc2bow(words) for words in WORDS]
    return {
        "skip-gram": lambda: models.Word2Vec(WORDS, sg=1, hs=1, vector_size=4, min_count=1, epochs=1),
        "multicore": lambda: models.LdaMulticore(bags, id2word=dictionary, num_topics=2, workers=1),
        "sequence": lambda: models.AuthorTopicModel(bags, {"x": [0, 1]}, id2word=dictionary, num_topics=2),
        "coherence": lambda: models.CoherenceModel(topics=[["red", "fox"]], texts=WORDS, dictionary=dictionary),
        "phraser": lambda: at("gensim.models.phrases", "Phraser")(models.Phrases(WORDS, min_count=1)),
        "sparse": lambda: at("gensim.similarities", "SparseMatrixSimilarity")(bags, num_features=len(dictionary)),
        "entropy": lambda: models.LogEntropyModel(bags),
        "hashed": lambda: corpora.HashDictionary(WORDS),
    }


def text_held() -> Makers:
    """NLTK and networkx."""
    import nltk

    return {
        "trigrams": lambda: nltk.TrigramTagger([[("a", "X"), ("b", "Y")]], backoff=nltk.UnigramTagger([[("a", "X")]])),
        "affix": lambda: nltk.AffixTagger([[("walking", "V"), ("dogs", "N")]]),
        "toktok": lambda: nltk.tokenize.ToktokTokenizer(),
        "multiword": lambda: nltk.tokenize.MWETokenizer([("new", "york")]),
        "collocations": lambda: nltk.BigramCollocationFinder.from_words([word for words in WORDS for word in words]),
        "chunks": lambda: nltk.RegexpParser("NP: {<DT>?<NN>}"),
        "lidstone": lambda: nltk.LidstoneProbDist(nltk.FreqDist("abcab"), 0.1),
        "vader": lambda: at("nltk.sentiment.util", "mark_negation")(["not", "good"]),
        "isri": lambda: at("nltk.stem.isri", "ISRIStemmer")(),
    }


def graphs_held() -> Makers:
    """networkx."""
    import networkx as nx

    tree: Any = nx.balanced_tree(2, 3)
    return {
        "weighted": lambda: nx.Graph([(1, 2, {"weight": np.float64(0.5)}), (2, 3, {"t": ("x",)})]),
        "ordered": lambda: nx.DiGraph(nx.gn_graph(8, seed=1)),
        "reversed": lambda: nx.DiGraph(nx.gn_graph(8, seed=1)).reverse(copy=False),
        "frozen": lambda: nx.freeze(nx.path_graph(3)),
        "nodes": lambda: [tree.nodes, tree.adj],
        "edge-subgraph": lambda: tree.edge_subgraph([(0, 1)]),
        "planar": lambda: nx.check_planarity(tree)[1],
    }


def spacy_held() -> Makers:
    """Pipelines that need no download."""
    import spacy

    def entities() -> Any:
        nlp = spacy.blank("fr")
        nlp.add_pipe("ner").add_label("CITY")
        nlp.initialize()
        return nlp

    return {
        "ner": entities,
        "italian": lambda: spacy.blank("it"),
        "multi": lambda: spacy.blank("xx"),
        "strings": lambda: spacy.blank("en").vocab.strings,
        "doc-entities": lambda: spacy.blank("en")("Rome is big"),
        "example": lambda: at("spacy.training", "Example").from_dict(spacy.blank("en")("a b"), {"cats": {"x": 1.0}}),
    }


def torch_held() -> Makers:
    """Checkpoints as training loops leave them."""
    import torch
    from torch import distributions as d
    from torch import nn, optim

    torch.manual_seed(0)

    def trained(kind: Any, **more: Any) -> Any:
        net = nn.Sequential(nn.Embedding(5, 4), nn.LSTM(4, 4, batch_first=True))
        optimizer = kind(net.parameters(), **more)
        for _ in range(2):
            optimizer.zero_grad()
            net(torch.tensor([[1, 2]]))[0].sum().backward()
            optimizer.step()
        return {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 2, "best": float("inf")}

    class_ = nn.Sequential(nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2), nn.GELU(), nn.Flatten(), nn.LazyLinear(3))
    tied = nn.Linear(4, 4, bias=False)
    sets = torch.utils.data
    data = sets.TensorDataset(torch.ones(6, 2), torch.zeros(6))
    values: Makers = {
        "adamw": lambda: trained(optim.AdamW, lr=1e-3, amsgrad=True),
        "momentum": lambda: trained(optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
        "rprop": lambda: trained(optim.Rprop),
        "scaler": lambda: torch.amp.GradScaler("cpu").state_dict(),
        "lazy": lambda: class_,
        "tied": lambda: nn.ModuleDict({"a": tied, "b": tied}),
        "orthogonal": lambda: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)),
        "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2),
        "gru": lambda: nn.GRU(2, 3, num_layers=2, bidirectional=True),
        "packed": lambda: nn.utils.rnn.pack_sequence([torch.ones(3), torch.ones(2)]),
        "subset": lambda: sets.random_split(data, [4, 2]),
        "concat": lambda: sets.ConcatDataset([data, data]),
        "sampler": lambda: sets.WeightedRandomSampler([0.1, 0.9], 4),
        "loader": lambda: sets.DataLoader(data, batch_size=2, shuffle=True),
        "transformed": lambda: d.TransformedDistribution(
            d.Normal(0.0, 1.0), [d.ExpTransform(), d.AffineTransform(0.0, 2.0)]
        ),
        "mixture": lambda: d.MixtureSameFamily(d.Categorical(torch.ones(2)), d.Normal(torch.zeros(2), torch.ones(2))),
        "independent": lambda: d.Independent(d.Bernoulli(torch.ones(3) / 2), 1),
        "named": lambda: torch.ones(2, 3, names=("n", "c")),
        "ints": lambda: {k: torch.ones(2).to(k) for k in (torch.int8, torch.uint8, torch.bool, torch.float64)},
        "views": lambda: [torch.arange(6.0).reshape(2, 3).t(), torch.ones(1).expand(4), torch.ones(5)[::2]],
        "conjugate": lambda: torch.ones(2, dtype=torch.complex64).conj(),
        "coalesced": lambda: torch.eye(3).to_sparse().coalesce(),
        "bsr": lambda: torch.eye(4).to_sparse_bsr((2, 2)),
        "bits": lambda: {"rng": torch.get_rng_state(), "numpy": np.random.get_state(), "seed": 3},
        "plateau": lambda: optim.lr_scheduler.ReduceLROnPlateau(optim.SGD(tied.parameters(), 0.1)).state_dict(),
        "chained": lambda: optim.lr_scheduler.ChainedScheduler(
            [optim.lr_scheduler.LinearLR(optim.SGD(tied.parameters(), 0.1))]
        ).state_dict(),
        "warm": lambda: optim.lr_scheduler.CosineAnnealingWarmRestarts(optim.SGD(tied.parameters(), 0.1), 3),
        "lambda": lambda: optim.lr_scheduler.PolynomialLR(optim.SGD(tied.parameters(), 0.1)),
        "ema": lambda: optim.swa_utils.AveragedModel(tied, avg_fn=optim.swa_utils.get_ema_avg_fn(0.9)),
        "buffers": lambda: nn.BatchNorm2d(3, track_running_stats=True).double(),
        "loss": lambda: [nn.CrossEntropyLoss(weight=torch.ones(3), label_smoothing=0.1), nn.HuberLoss(delta=2.0)],
        "bag": lambda: nn.EmbeddingBag(4, 2, mode="sum", sparse=True),
        "attention": lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=3),
    }
    return values


def transformers_held() -> Makers:
    """Other architectures, generation, collators, trainer states, tokenizers."""
    import transformers as t

    def tiny(name: str, head: str, **more: Any) -> Any:
        given = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
                 "intermediate_size": 8, "max_position_embeddings": 16, **more}  # fmt: skip
        config = getattr(t, name + "Config")(**given)
        return getattr(t, name + head)(config)

    heads = [
        ("Bert", "ForSequenceClassification"), ("Roberta", "ForTokenClassification"), ("Llama", "ForCausalLM"),
        ("Falcon", "ForCausalLM"), ("Starcoder2", "ForCausalLM"), ("MPNet", "Model"), ("BertGeneration", "Decoder"),
        ("Camembert", "Model"), ("Ernie", "Model"), ("Nystromformer", "Model"), ("Olmo", "ForCausalLM"),
        ("Phi3", "Model"), ("Cohere", "Model"), ("StableLm", "Model"), ("Persimmon", "Model"), ("DeiT", "Model"),
    ]  # fmt: skip
    values: Makers = {name + head: lambda name=name, head=head: tiny(name, head) for name, head in heads}
    values.update(
        {
            "generation": lambda: t.GenerationConfig(max_new_tokens=5, do_sample=True),
            "state": lambda: t.TrainerState(epoch=1.0, log_history=[{"loss": 0.5}]),
            "control": lambda: t.TrainerControl(),
            "arguments": lambda: t.TrainingArguments("o", report_to=[], use_cpu=True, lr_scheduler_type="cosine"),
            "collator": lambda: t.DefaultDataCollator(),
            "early": lambda: t.EarlyStoppingCallback(2),
            "outputs": lambda: dict(tiny("Bert", "Model")(at("torch", "tensor")([[1, 2]]))),
            "model-output": lambda: tiny("Bert", "Model")(at("torch", "tensor")([[1, 2]])),
            "adafactor": lambda: t.Adafactor(tiny("Bert", "Model").parameters()).state_dict(),
            "schedule": lambda: t.get_linear_schedule_with_warmup(
                at("torch.optim", "SGD")(tiny("Bert", "Model").parameters(), 0.1), 1, 5
            ).state_dict(),
        }
    )
    return values


def gpytorch_held() -> Makers:
    """Kernels and likelihoods."""
    kernels, likelihoods = importlib.import_module("gpytorch.kernels"), importlib.import_module("gpytorch.likelihoods")
    return {
        "scaled": lambda: kernels.ScaleKernel(kernels.MaternKernel(nu=1.5, ard_num_dims=2)),
        "sum": lambda: kernels.RBFKernel() + kernels.PeriodicKernel(),
        "likelihood": lambda: likelihoods.GaussianLikelihood(
            noise_constraint=at("gpytorch.constraints", "GreaterThan")(1e-4)
        ),
        "state": lambda: kernels.ScaleKernel(kernels.RBFKernel()).state_dict(),
    }


def spaces_held() -> Makers:
    """Gymnasium's spaces."""
    spaces = importlib.import_module("gymnasium.spaces")
    return {
        "box": lambda: spaces.Box(-1, 1, (2,), np.float32, seed=1),
        "dict": lambda: spaces.Dict({"a": spaces.Discrete(3), "b": spaces.MultiBinary(2)}),
        "tuple": lambda: spaces.Tuple((spaces.MultiDiscrete([2, 3]), spaces.Text(4))),
    }


def skorch_held() -> Makers:
    """Nets with callbacks, and inside of scikit-learn's pipelines."""
    import skorch
    from torch import nn

    net = lambda **more: skorch.NeuralNetClassifier(  # noqa: E731
        nn.Sequential(nn.Linear(4, 2), nn.Softmax(-1)), max_epochs=1, verbose=0, **more
    )
    small = X.astype("float32")
    return {
        "pipeline": lambda: at("sklearn.pipeline", "make_pipeline")(sk("preprocessing.StandardScaler"), net()).fit(
            small, Y
        ),
        "early": lambda: net(callbacks=[at("skorch.callbacks", "EarlyStopping")(patience=2)]).fit(small, Y),
        "schedule": lambda: net(callbacks=[at("skorch.callbacks", "LRScheduler")(policy="StepLR", step_size=1)]).fit(
            small, Y
        ),
    }


GROUPS = [
    ("statsmodels", "statsmodels-held", statsmodels_held),
    ("lifelines", "lifelines-held", survival_held),
    ("sksurv", "sksurv-held", sksurv_held),
    ("sktime", "sktime-held", sktime_held),
    ("optuna", "optuna-held", others_held),
    ("shap", "shap-held", shap_held),
    ("hdbscan", "neighbours-held", neighbours_held),
    ("gensim", "gensim-held", words_held),
    ("nltk", "nltk-held", text_held),
    ("networkx", "networkx-held", graphs_held),
    ("spacy", "spacy-held", spacy_held),
    ("torch", "torch-held", torch_held),
    ("transformers", "torch-transformers-held", transformers_held),
    ("gpytorch", "torch-gpytorch-held", gpytorch_held),
    ("gymnasium", "gymnasium-held", spaces_held),
    ("skorch", "skorch-held", skorch_held),
]
