# ruff: noqa: N803, N806 - the data matrix is called X as in the libraries; Python 3.8 runs it
"""The part of the honest corpus that is not scikit-learn, numpy, pandas and scipy: see honest.py."""

from __future__ import annotations

import contextlib
import importlib
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
]
random.seed(0)
