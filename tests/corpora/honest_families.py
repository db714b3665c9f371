# ruff: noqa: N803, N806 - the data matrix is called X as in the libraries; Python 3.8 runs it
"""The part of the honest corpus that is not scikit-learn, numpy, pandas and scipy: see honest.py."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = [["red", "green", "blue"], ["green", "tea"], ["blue", "sky", "red"], ["tea", "tree", "sky"]] * 6


def _all(out: Any, prefix: str, values: dict[str, Callable[[], Any]], ways: int = 2) -> None:
    for name, make in values.items():
        out.attempt(prefix + name, lambda name=name, make=make: out.dump(prefix + name, "", make(), ways))


def _library(package: str) -> Callable[[Any], None]:
    def run(out: Any) -> None:
        from honest import generic

        generic(out, package)

    return run


def statsmodels_values(out: Any) -> None:
    """Results of the usual models."""
    import numpy as np
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    from honest import tables

    X, real = tables()["real"]
    y = tables()["labels"][1]
    frame = tables()["frame"][0].assign(y=real)
    series = np.cumsum(np.random.RandomState(0).normal(size=60))
    V: dict[str, Callable[[], Any]] = {
        "OLS": lambda: sm.OLS(real, X).fit(),
        "OLS.formula": lambda: smf.ols("y ~ a + C(kind)", frame).fit(),
        "OLS.frame": lambda: sm.OLS(frame["y"], sm.add_constant(frame[["a", "b"]])).fit(),
        "WLS": lambda: sm.WLS(real, X).fit(),
        "GLS": lambda: sm.GLS(real, X).fit(),
        "RLM": lambda: sm.RLM(real, X).fit(),
        "QuantReg": lambda: sm.QuantReg(real, X).fit(),
        "Logit": lambda: sm.Logit(y, X[:, :2]).fit(disp=0),
        "Probit": lambda: sm.Probit(y, X[:, :2]).fit(disp=0),
        "Poisson": lambda: sm.Poisson(y, X).fit(disp=0),
        "GEE": lambda: sm.GEE(y, X, groups=np.arange(40) // 4).fit(),
        "MixedLM": lambda: sm.MixedLM(real, X[:, :2], groups=np.arange(40) // 8).fit(),
        "ARIMA": lambda: sm.tsa.ARIMA(series, order=(1, 0, 0)).fit(),
        "SARIMAX": lambda: sm.tsa.SARIMAX(series, order=(1, 0, 0)).fit(disp=0),
        "AutoReg": lambda: sm.tsa.AutoReg(series, 2).fit(),
        "ExponentialSmoothing": lambda: sm.tsa.ExponentialSmoothing(series + 30, trend="add").fit(),
        "SimpleExpSmoothing": lambda: sm.tsa.SimpleExpSmoothing(series + 30).fit(),
        "Holt": lambda: sm.tsa.Holt(series + 30).fit(),
        "UnobservedComponents": lambda: sm.tsa.UnobservedComponents(series, "local level").fit(disp=0),
        "VAR": lambda: sm.tsa.VAR(np.column_stack([series, series[::-1]])).fit(1),
        "KDE": lambda: _fit(sm.nonparametric.KDEUnivariate(series)),
        "PCA": lambda: sm.multivariate.PCA(X),
        "seasonal": lambda: sm.tsa.seasonal_decompose(series, period=6),
    }
    for family in ("Binomial", "Gamma", "Gaussian", "InverseGaussian", "NegativeBinomial", "Poisson", "Tweedie"):
        V["GLM." + family] = lambda family=family: sm.GLM(
            np.abs(real) if family != "Binomial" else y, X, family=getattr(sm.families, family)()
        ).fit()
    _all(out, "statsmodels.", V, 1)


def _fit(item: Any) -> Any:
    item.fit()
    return item


def networkx_values(out: Any) -> None:
    """Graphs."""
    import networkx as nx

    _all(
        out,
        "networkx.",
        {
            "Graph": lambda: nx.path_graph(5),
            "DiGraph": lambda: nx.DiGraph([(1, 2), (2, 3)]),
            "MultiGraph": lambda: nx.MultiGraph([(1, 2), (1, 2)]),
            "MultiDiGraph": lambda: nx.MultiDiGraph([(1, 2), (1, 2)]),
            "attributes": lambda: nx.karate_club_graph(),
            "view": lambda: nx.path_graph(5).subgraph([1, 2]),
            "degree": lambda: nx.path_graph(4).degree,
            "edges": lambda: nx.path_graph(4).edges,
        },
    )


def nltk_values(out: Any) -> None:
    """Classifiers, language models, tokenizers, stemmers and trees that need no download."""
    import nltk
    from nltk.classify import MaxentClassifier, NaiveBayesClassifier
    from nltk.lm import MLE, Laplace
    from nltk.lm.preprocessing import padded_everygram_pipeline

    train = [({"a": 1, "b": x % 2}, "yes" if x % 2 else "no") for x in range(20)]
    tagged = [[("a", "DT"), ("dog", "NN")], [("the", "DT"), ("cat", "NN")]]

    def model(kind: Any) -> Any:
        grams, vocabulary = padded_everygram_pipeline(2, WORDS)
        item = kind(2)
        item.fit(grams, vocabulary)
        return item

    _all(
        out,
        "nltk.",
        {
            "NaiveBayes": lambda: NaiveBayesClassifier.train(train),
            "Maxent": lambda: MaxentClassifier.train(train, trace=0, max_iter=2),
            "DecisionTree": lambda: nltk.DecisionTreeClassifier.train(train),
            "Laplace": lambda: model(Laplace),
            "MLE": lambda: model(MLE),
            "UnigramTagger": lambda: nltk.UnigramTagger(tagged),
            "BigramTagger": lambda: nltk.BigramTagger(tagged, backoff=nltk.DefaultTagger("NN")),
            "RegexpTagger": lambda: nltk.RegexpTagger([(r".*ing$", "VBG")]),
            "Perceptron": lambda: nltk.tag.PerceptronTagger(load=False),
            "FreqDist": lambda: nltk.FreqDist("abcab"),
            "ConditionalFreqDist": lambda: nltk.ConditionalFreqDist([("a", 1), ("b", 2)]),
            "Porter": lambda: nltk.PorterStemmer(),
            "Snowball": lambda: nltk.SnowballStemmer("english"),
            "Lancaster": lambda: nltk.LancasterStemmer(),
            "Treebank": lambda: nltk.TreebankWordTokenizer(),
            "Regexp": lambda: nltk.RegexpTokenizer(r"\w+"),
            "Tweet": lambda: nltk.TweetTokenizer(),
            "Punkt": lambda: nltk.tokenize.PunktSentenceTokenizer("A dog. A cat."),
            "Tree": lambda: nltk.Tree.fromstring("(S (NP a) (VP b))"),
            "CFG": lambda: nltk.CFG.fromstring("S -> 'a'"),
            "HMM": lambda: nltk.HiddenMarkovModelTagger.train(tagged),
        },
    )


def gensim_values(out: Any) -> None:
    """Word vectors, topic models, dictionaries."""
    from gensim import corpora, models

    dictionary = corpora.Dictionary(WORDS)
    bags = [dictionary.doc2bow(words) for words in WORDS]
    documents = [models.doc2vec.TaggedDocument(words, [i]) for i, words in enumerate(WORDS)]
    V: dict[str, Callable[[], Any]] = {
        "Dictionary": lambda: dictionary,
        "Word2Vec": lambda: models.Word2Vec(WORDS, vector_size=4, min_count=1, epochs=1),
        "KeyedVectors": lambda: models.Word2Vec(WORDS, vector_size=4, min_count=1, epochs=1).wv,
        "FastText": lambda: models.FastText(WORDS, vector_size=4, min_count=1, epochs=1, bucket=50),
        "Doc2Vec": lambda: models.Doc2Vec(documents, vector_size=4, min_count=1, epochs=1),
        "LdaModel": lambda: models.LdaModel(bags, id2word=dictionary, num_topics=2),
        "LsiModel": lambda: models.LsiModel(bags, id2word=dictionary, num_topics=2),
        "HdpModel": lambda: models.HdpModel(bags, id2word=dictionary),
        "TfidfModel": lambda: models.TfidfModel(bags),
        "Phrases": lambda: models.Phrases(WORDS),
        "Nmf": lambda: models.Nmf(bags, id2word=dictionary, num_topics=2),
        "RpModel": lambda: models.RpModel(bags, num_topics=2),
        "similarity": lambda: importlib.import_module("gensim.similarities").MatrixSimilarity(bags),
    }
    _all(out, "gensim.", V, 1)
    for name, make in V.items():  # their own `save` is a pickle as well
        out.attempt("gensim.save." + name, lambda name=name, make=make: _saved(out, "gensim." + name, make()))


def _saved(out: Any, family: str, item: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        item.save(str(path))
        out.add(family, "save", ".model", path.read_bytes())


def lifelines_values(out: Any) -> None:
    """Survival models."""
    import lifelines
    import numpy as np
    from honest import tables

    frame = tables()["numbers"][0].assign(T=np.arange(1.0, 41.0), E=[1, 0] * 20)
    V: dict[str, Callable[[], Any]] = {}
    for name in (
        "KaplanMeierFitter",
        "NelsonAalenFitter",
        "WeibullFitter",
        "ExponentialFitter",
        "LogNormalFitter",
        "LogLogisticFitter",
        "BreslowFlemingHarringtonFitter",
        "GeneralizedGammaFitter",
    ):
        V[name] = lambda name=name: getattr(lifelines, name)().fit(frame["T"], frame["E"])
    for name in (
        "CoxPHFitter",
        "AalenAdditiveFitter",
        "WeibullAFTFitter",
        "LogNormalAFTFitter",
        "LogLogisticAFTFitter",
    ):
        V[name] = lambda name=name: (
            getattr(lifelines, name)(penalizer=0.1).fit(frame, "T", "E")
            if name != "AalenAdditiveFitter"
            else getattr(lifelines, name)(coef_penalizer=1.0).fit(frame, "T", "E")
        )
    _all(out, "lifelines.", V)


def shapely_values(out: Any) -> None:
    """Geometries."""
    import shapely.geometry as g

    _all(
        out,
        "shapely.",
        {
            "Point": lambda: g.Point(1, 2),
            "LineString": lambda: g.LineString([(0, 0), (1, 1)]),
            "Polygon": lambda: g.Polygon([(0, 0), (1, 1), (1, 0)]),
            "MultiPoint": lambda: g.MultiPoint([(0, 0), (1, 1)]),
            "box": lambda: [g.box(0, 0, 1, 1), g.LinearRing([(0, 0), (1, 1), (1, 0)])],
            "collection": lambda: g.GeometryCollection([g.Point(1, 2)]),
        },
        3,
    )


def spacy_values(out: Any) -> None:
    """Blank pipelines, vocabularies, documents."""
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("en")

    def trained() -> Any:
        item = spacy.blank("en")
        cats = item.add_pipe("textcat")
        cats.add_label("a")
        cats.add_label("b")
        item.initialize()
        return item

    _all(
        out,
        "spacy.",
        {
            "blank": lambda: nlp,
            "german": lambda: spacy.blank("de"),
            "doc": lambda: nlp("A dog runs."),
            "docbin": lambda: DocBin(docs=[nlp("A dog")]).to_bytes(),
            "vocab": lambda: nlp.vocab,
            "textcat": trained,
            "sentencizer": lambda: _piped(spacy.blank("en"), "sentencizer"),
            "ruler": lambda: _piped(spacy.blank("en"), "entity_ruler"),
            "tokenizer": lambda: nlp.tokenizer,
        },
    )


def _piped(nlp: Any, name: str) -> Any:
    nlp.add_pipe(name)
    return nlp


def prophet_values(out: Any) -> None:
    """A forecaster, before its fit (which needs a compiler's run time) and after."""
    import numpy as np
    import pandas as pd
    from prophet import Prophet

    frame = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=60), "y": np.arange(60.0)})
    _all(
        out,
        "prophet.",
        {
            "unfitted": lambda: Prophet(seasonality_mode="multiplicative").add_seasonality("m", 30.5, 3),
            "fitted": lambda: Prophet().fit(frame),
            "holidays": lambda: Prophet(
                holidays=pd.DataFrame({"holiday": ["x"], "ds": pd.to_datetime(["2020-01-05"])})
            ),
        },
    )


def other_values(out: Any) -> None:
    """Single objects of several libraries."""
    from honest import tables

    X, y = tables()["labels"]
    V: dict[str, Callable[[], Any]] = {
        "optuna.study": lambda: _study(),
        "shap.tree": lambda: _shap("TreeExplainer", _forest(X, y)),
        "shap.linear": lambda: _shap("LinearExplainer", _linear(X, y), X),
        "shap.kernel": lambda: _shap("KernelExplainer", _linear(X, y).predict, X[:5]),
        "shap.values": lambda: _shap("TreeExplainer", _forest(X, y))(X),
        "pmdarima.ARIMA": lambda: importlib.import_module("pmdarima").ARIMA((1, 0, 0)).fit(X[:, 0]),
        "pmdarima.pipeline": lambda: (
            importlib.import_module("pmdarima")
            .pipeline.Pipeline(
                [
                    ("a", importlib.import_module("pmdarima").preprocessing.BoxCoxEndogTransformer()),
                    ("b", importlib.import_module("pmdarima").ARIMA((1, 0, 0))),
                ]
            )
            .fit(X[:, 0])
        ),
        "ngboost.normal": lambda: (
            importlib.import_module("ngboost").NGBRegressor(n_estimators=2, verbose=False).fit(X, X[:, 0])
        ),
        "ngboost.classifier": lambda: (
            importlib.import_module("ngboost").NGBClassifier(n_estimators=2, verbose=False).fit(X, y)
        ),
        "umap.UMAP": lambda: importlib.import_module("umap").UMAP(n_neighbors=3, n_epochs=2).fit(X),
        "pynndescent.index": lambda: importlib.import_module("pynndescent").NNDescent(X, n_neighbors=4),
        "hdbscan.prediction": lambda: (
            importlib.import_module("hdbscan").HDBSCAN(min_cluster_size=4, prediction_data=True).fit(X)
        ),
        "sktime.naive": lambda: importlib.import_module("sktime.forecasting.naive").NaiveForecaster().fit(_series()),
        "sktime.trend": lambda: (
            importlib.import_module("sktime.forecasting.trend").PolynomialTrendForecaster(degree=2).fit(_series())
        ),
        "sktime.pipeline": lambda: (
            importlib.import_module("sktime.forecasting.compose")
            .TransformedTargetForecaster(
                [
                    ("d", importlib.import_module("sktime.transformations.series.detrend").Detrender()),
                    ("f", importlib.import_module("sktime.forecasting.naive").NaiveForecaster()),
                ]
            )
            .fit(_series())
        ),
    }
    for name in list(V):
        with contextlib.suppress(ImportError):
            importlib.import_module(name.split(".")[0])
            continue
        del V[name]
    _all(out, "", V)


def _series() -> Any:
    import numpy as np
    import pandas as pd

    return pd.Series(np.arange(36.0), index=pd.period_range("2020-01", periods=36, freq="M"))


def _forest(X: Any, y: Any) -> Any:
    return importlib.import_module("sklearn.ensemble").RandomForestClassifier(5).fit(X, y)


def _linear(X: Any, y: Any) -> Any:
    return importlib.import_module("sklearn.linear_model").LogisticRegression().fit(X, y)


def _shap(name: str, *values: Any) -> Any:
    return getattr(importlib.import_module("shap"), name)(*values)


def _study() -> Any:
    optuna = importlib.import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1) ** 2, n_trials=3)
    return study


# torch --------------------------------------------------------------------------------------------------


def torch_values(out: Any) -> None:
    """State dictionaries, modules, optimizers, schedulers and checkpoints, in torch's own files and as pickles."""
    import torch
    from torch import nn

    made: dict[str, Any] = {}
    for name in sorted(dir(nn)):
        cls = getattr(nn, name)
        if not inspect.isclass(cls) or not issubclass(cls, nn.Module) or cls is nn.Module:
            continue
        count = sum(p.default is p.empty and p.kind in (0, 1) for p in inspect.signature(cls).parameters.values())
        for given in (
            [4] * count,
            [2] * count,
            [4, 4, 1][:count],
            [[4]] * count,
            [nn.Linear(2, 2)] * count,
            [nn.TransformerEncoderLayer(4, 2), 1][:count],
            [nn.TransformerDecoderLayer(4, 2), 1][:count],
        ):
            with contextlib.suppress(Exception):
                made["nn." + name] = cls(*given)
                break
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    made["net"] = net
    made["half"] = nn.Linear(2, 2).half()
    made["bfloat"] = nn.Linear(2, 2).bfloat16()
    made["list"] = nn.ModuleList([nn.Linear(1, 1), nn.Conv2d(1, 1, 1)])
    made["dict"] = nn.ModuleDict({"a": nn.Linear(1, 1)})
    made["spectral"] = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
    made["weightnorm"] = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    made["pruned"] = importlib.import_module("torch.nn.utils.prune").l1_unstructured(nn.Linear(3, 3), "weight", 1)
    for name, module in made.items():
        out.attempt(name, lambda name=name, module=module: torch_file(out, "torch." + name, "module", module))
        out.attempt(
            name, lambda name=name, module=module: torch_file(out, "torch." + name, "state", module.state_dict())
        )
    from torch import optim

    for name in sorted(dir(optim)):
        cls = getattr(optim, name)
        if inspect.isclass(cls) and issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer:
            out.attempt(name, lambda name=name, cls=cls: _optimizer(out, name, cls))
    schedulers: dict[str, Callable[[Any], Any]] = {
        "StepLR": lambda o: optim.lr_scheduler.StepLR(o, 2),
        "Cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 5),
        "Plateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o),
        "OneCycle": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=5),
        "Sequential": lambda o: optim.lr_scheduler.SequentialLR(
            o, [optim.lr_scheduler.ConstantLR(o), optim.lr_scheduler.ExponentialLR(o, 0.9)], [2]
        ),
    }
    for name, make in schedulers.items():
        out.attempt(
            name,
            lambda name=name, make=make: torch_file(
                out, "torch.scheduler." + name, "object", make(optim.SGD(net.parameters(), lr=0.1))
            ),
        )
        out.attempt(
            name,
            lambda name=name, make=make: torch_file(
                out, "torch.scheduler." + name, "state", make(optim.SGD(net.parameters(), lr=0.1)).state_dict()
            ),
        )
    quantized: dict[str, Callable[[], Any]] = {
        "checkpoint": lambda: {
            "epoch": 3,
            "model": net.state_dict(),
            "optimizer": optim.Adam(net.parameters()).state_dict(),
            "rng": torch.get_rng_state(),
            "args": __import__("argparse").Namespace(lr=0.1, name="x"),
        },
        "quantized": lambda: torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2)), {nn.Linear}),
        "qtensor": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "qchannel": lambda: torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8),
        "sparse": lambda: torch.eye(3).to_sparse(),
        "csr": lambda: torch.eye(3).to_sparse_csr(),
        "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        "meta": lambda: torch.ones(2, device="meta"),
        "complex": lambda: torch.ones(2, dtype=torch.complex64),
        "float8": lambda: torch.ones(2).to(torch.float8_e4m3fn),
        "shared": lambda: [net[0].weight, net[0].weight.data[:2], net[0].weight.T],
        "grad": lambda: torch.ones(2, requires_grad=True),
        "scalars": lambda: [
            torch.float32,
            torch.device("cpu"),
            torch.Size([1, 2]),
            torch.strided,
            torch.contiguous_format,
            torch.per_tensor_affine,
        ],
        "storage": lambda: torch.ones(3).untyped_storage(),
        "generator": lambda: torch.Generator().get_state(),
        "parameters": lambda: nn.ParameterList([nn.Parameter(torch.ones(2))]),
        "dataset": lambda: torch.utils.data.TensorDataset(torch.ones(3, 2), torch.zeros(3)),
        "swa": lambda: optim.swa_utils.AveragedModel(net),
        "numpy": lambda: {"a": __import__("numpy").ones(2), "b": torch.ones(2)},
        "hooked": lambda: {"loss": [0.1, 0.2], "metrics": __import__("collections").defaultdict(list, a=[1])},
    }
    for name, make in quantized.items():
        out.attempt(name, lambda name=name, make=make: torch_file(out, "torch." + name, "value", make()))
    for name in sorted(dir(torch.distributions)):
        cls = getattr(torch.distributions, name)
        if inspect.isclass(cls) and issubclass(cls, torch.distributions.Distribution):
            count = sum(p.default is p.empty and p.kind in (0, 1) for p in inspect.signature(cls).parameters.values())
            out.attempt(
                name,
                lambda name=name, cls=cls, count=count: torch_file(
                    out, "torch.distributions." + name, "object", cls(*[torch.tensor([0.5, 0.5])] * count)
                ),
            )
    out.attempt("script", lambda: _script(out, net))


def torch_file(out: Any, family: str, variant: str, value: Any) -> None:
    import torch

    ways = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}
    for way, more in ways.items():
        if way == "legacy" and sum(map(ord, family + variant)) % 3:
            continue
        stream = io.BytesIO()
        torch.save(value, stream, **more)
        out.add(family, variant + "-" + way, ".pt", stream.getvalue())
    if sum(map(ord, family)) % 4 == 0:
        out.dump(family, variant, value)


def _optimizer(out: Any, name: str, cls: Any) -> None:
    import torch

    weights = [torch.nn.Parameter(torch.ones(2, 2))]
    optimizer = cls(weights)
    for closure in (None, lambda: (weights[0] ** 2).sum()):
        with contextlib.suppress(Exception):
            (weights[0] ** 2).sum().backward()
            optimizer.step() if closure is None else optimizer.step(closure)
            break
    torch_file(out, "torch.optim." + name, "object", optimizer)
    torch_file(out, "torch.optim." + name, "state", optimizer.state_dict())


def _script(out: Any, net: Any) -> None:
    import torch

    for name, item in (("script", torch.jit.script(net)), ("trace", torch.jit.trace(net.eval(), torch.ones(2, 3)))):
        stream = io.BytesIO()
        torch.jit.save(item, stream)
        out.add("torch.jit." + name, "", ".pt", stream.getvalue())


def transformers_values(out: Any) -> None:
    """Tiny models with random weights: state, whole objects, configurations, training arguments, tokenizers."""
    import tokenizers
    import transformers

    small = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "vocab_size": 20,
        "max_position_embeddings": 16,
    }
    for name in (
        "Bert",
        "Roberta",
        "DistilBert",
        "GPT2",
        "T5",
        "Llama",
        "Mistral",
        "Qwen2",
        "Gemma",
        "ViT",
        "Electra",
        "Albert",
        "XLMRoberta",
        "Deberta",
        "OPT",
        "Bart",
        "Mamba",
        "GPTNeoX",
        "Phi",
        "CLIPText",
    ):
        out.attempt(name, lambda name=name: _transformer(out, transformers, name, small))

    def trained() -> Any:
        item = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
        item.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        item.train_from_iterator(
            [" ".join(words) for words in WORDS], tokenizers.trainers.BpeTrainer(special_tokens=["[UNK]"])
        )
        return item

    _all(
        out,
        "tokenizers.",
        {
            "Tokenizer": trained,
            "fast": lambda: transformers.PreTrainedTokenizerFast(tokenizer_object=trained(), unk_token="[UNK]"),
            "batch": lambda: dict(
                transformers.PreTrainedTokenizerFast(tokenizer_object=trained(), unk_token="[UNK]")(["red tea"])
            ),
            "encoding": lambda: transformers.PreTrainedTokenizerFast(tokenizer_object=trained(), unk_token="[UNK]")(
                ["red tea"]
            ),
            "AddedToken": lambda: tokenizers.AddedToken("x"),
            "models": lambda: [
                tokenizers.models.WordLevel({"a": 0}, unk_token="a"),
                tokenizers.normalizers.Lowercase(),
                tokenizers.decoders.WordPiece(),
            ],
        },
    )
    out.attempt(
        "arguments",
        lambda: torch_file(
            out,
            "transformers.TrainingArguments",
            "object",
            transformers.TrainingArguments("out", report_to=[], use_cpu=True),
        ),
    )
    out.attempt(
        "arguments",
        lambda: torch_file(
            out,
            "transformers.Seq2SeqTrainingArguments",
            "object",
            transformers.Seq2SeqTrainingArguments("out", report_to=[], use_cpu=True),
        ),
    )


def _transformer(out: Any, transformers: Any, name: str, small: dict[str, int]) -> None:
    config_class = getattr(transformers, name + "Config")
    known = inspect.signature(config_class).parameters
    config = config_class(
        **{k: v for k, v in small.items() if k in known},
        **({"n_embd": 8, "n_layer": 1, "n_head": 2} if name == "GPT2" else {}),
    )
    model = getattr(transformers, name + "Model")(config)
    torch_file(
        out,
        "transformers." + name,
        "state",
        {k: v[:2] if v.ndim else v for k, v in list(model.state_dict().items())[:6]},
    )
    if sum(p.numel() for p in model.parameters()) < 300_000:
        torch_file(out, "transformers." + name, "model", model)
    out.dump("transformers." + name, "config", config)


def skorch_values(out: Any) -> None:
    """Nets in sklearn's clothes."""
    import skorch
    from honest import tables
    from torch import nn

    X, y = tables()["labels"]
    X, real = X.astype("float32"), tables()["real"][1].astype("float32").reshape(-1, 1)

    _all(
        out,
        "skorch.",
        {
            "classifier": lambda: skorch.NeuralNetClassifier(
                nn.Sequential(nn.Linear(5, 2), nn.Softmax(-1)), max_epochs=1, verbose=0
            ).fit(X, y),
            "regressor": lambda: skorch.NeuralNetRegressor(nn.Linear(5, 1), max_epochs=1, verbose=0).fit(X, real),
            "binary": lambda: skorch.NeuralNetBinaryClassifier(nn.Linear(5, 1), max_epochs=1, verbose=0).fit(X, y),
        },
        3,
    )


def metrics_values(out: Any) -> None:
    """torchmetrics."""
    import torchmetrics

    for name in sorted(dir(torchmetrics)):
        cls = getattr(torchmetrics, name)
        if inspect.isclass(cls) and issubclass(cls, torchmetrics.Metric):

            def make(cls: Any = cls) -> Any:
                for given in ({}, {"task": "binary"}, {"task": "multiclass", "num_classes": 3}, {"num_outputs": 1}):
                    with contextlib.suppress(Exception):
                        return cls(**given)
                raise ValueError

            out.attempt(name, lambda name=name, make=make: torch_file(out, "torchmetrics." + name, "object", make()))


def timm_values(out: Any) -> None:
    """Small vision models, as whole objects."""
    import timm

    for name in ("resnet10t", "mobilenetv3_small_050", "vit_tiny_patch16_224", "efficientnet_b0", "convnext_atto"):
        out.attempt(name, lambda name=name: _timm(out, timm, name))


def _timm(out: Any, timm: Any, name: str) -> None:
    model = timm.create_model(name, pretrained=False)
    for parameter in model.parameters():
        parameter.data = parameter.data.flatten()[:1].clone()
    for buffer in model.buffers():
        buffer.data = buffer.data.flatten()[:1].clone()
    torch_file(out, "timm." + name, "model", model)


def lightning_values(out: Any) -> None:
    """A trainer's checkpoint."""
    import pytorch_lightning as pl
    import torch

    class Net(pl.LightningModule):
        def __init__(self, width: int = 2) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch: Any, _index: int) -> Any:
            return self.layer(batch[0]).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters())

    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            max_epochs=1, logger=False, default_root_dir=folder, enable_progress_bar=False, accelerator="cpu"
        )
        trainer.fit(Net(), torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 2))))
        for path in Path(folder).rglob("*.ckpt"):
            out.add("lightning.checkpoint", "", ".ckpt", path.read_bytes())


FAMILIES: list[tuple[str, str, Callable[[Any], None]]] = [
    ("statsmodels", "statsmodels", statsmodels_values),
    ("networkx", "networkx", networkx_values),
    ("nltk", "nltk", nltk_values),
    ("gensim", "gensim", gensim_values),
    ("lifelines", "lifelines", lifelines_values),
    ("shapely", "shapely", shapely_values),
    ("spacy", "spacy", spacy_values),
    ("prophet", "prophet", prophet_values),
    ("sklearn", "others", other_values),
    *(
        (package, package, _library(package))
        for package in (
            "imblearn",
            "category_encoders",
            "feature_engine",
            "pyod.models",
            "mlxtend",
            "tslearn",
            "hdbscan",
            "ngboost",
            "sktime.transformations",
        )
    ),
    ("torch", "torch", torch_values),
    ("transformers", "transformers", transformers_values),
    ("skorch", "skorch", skorch_values),
    ("torchmetrics", "torchmetrics", metrics_values),
    ("timm", "timm", timm_values),
    ("pytorch_lightning", "lightning", lightning_values),
]
random.seed(0)
