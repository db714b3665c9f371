# ruff: noqa: E501, E731, UP006, UP035 - makers are short functions; Python 3.8 runs it
"""What is made of the sixth set's models of tables: pickles, joblib, skops, ONNX, PMML, MLflow, boosters' own formats."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
from honest_sixth_models import REVIEWS, Kinds, at, data, others, passengers, plain, sk


def _opened(opener: Any, path: Path, value: Any, **more: Any) -> None:
    with opener(str(path), "wb") as stream:
        pickle.dump(value, stream, **more)


def _joblib(path: Path, value: Any, **more: Any) -> None:
    at("joblib.dump")(value, str(path), **more)


WAYS: Dict[str, Callable[[Path, Any], None]] = {
    "pkl": lambda f, v: _opened(open, f / "model.pkl", v),
    "joblib": lambda f, v: _joblib(f / "model.joblib", v),
    "p2": lambda f, v: _opened(open, f / "model.sav", v, protocol=2),
    "gz": lambda f, v: _joblib(f / "model.joblib.gz", v),
    "highest": lambda f, v: _opened(open, f / "finalized_model.pickle", v, protocol=pickle.HIGHEST_PROTOCOL),
    "c3": lambda f, v: _joblib(f / "model.joblib", v, compress=3),
    "bz2": lambda f, v: _joblib(f / "model.pkl.bz2", v, compress=("bz2", 3)),
    "xz": lambda f, v: _joblib(f / "model.pkl.xz", v, compress=("xz", 3)),
    "lzma": lambda f, v: _joblib(f / "model.pkl.lzma", v, compress=("lzma", 3)),
    "gzip-pickle": lambda f, v: _opened(gzip.open, f / "model.pkl.gz", v),
    "bz2-pickle": lambda f, v: _opened(bz2.open, f / "model.pbz2", v),
    "xz-pickle": lambda f, v: _opened(lzma.open, f / "model.pkl.xz", v),
    "lz4": lambda f, v: _joblib(f / "model.joblib.lz4", v, compress=("lz4", 1) if at("lz4.frame") else 0),
    "dill": lambda f, v: _dill(f / "model.dill", v),
    "sagemaker": lambda f, v: _sagemaker(f, v, ""),
    "sagemaker-code": lambda f, v: _sagemaker(
        f,
        v,
        "import os\n\nimport joblib\n\n\ndef model_fn(model_dir):\n    return joblib.load(os.path.join(model_dir, 'model.joblib'))\n",
    ),
    "zip": lambda f, v: _zip(f, v),
}


def _dill(path: Path, value: Any) -> None:
    with path.open("wb") as stream:
        at("dill.dump")(value, stream)


def _sagemaker(folder: Path, value: Any, code: str) -> None:
    stream = io.BytesIO()
    at("joblib.dump")(value, stream)
    files = {"model.joblib": stream.getvalue()}
    if code:
        files.update({"code/inference.py": code.encode(), "code/requirements.txt": b"scikit-learn\n"})
    with tarfile.open(str(folder / "model.tar.gz"), "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _zip(folder: Path, value: Any) -> None:
    with zipfile.ZipFile(str(folder / "model.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/model.pkl", pickle.dumps(value))
        archive.writestr("model/columns.json", json.dumps({"columns": ["age", "fare"]}))


def pickled() -> Kinds:
    """Each model by pickle, by joblib, and in one more way, which goes round."""
    made: Kinds = {}
    rest = [way for way in WAYS if way not in ("pkl", "joblib")]
    for at_, (name, make) in enumerate({**plain(), **others()}.items()):
        for way in ("pkl" if at_ % 2 else "joblib", rest[at_ % len(rest)]):
            made[f"{name}.{way}"] = lambda folder, make=make, way=way: WAYS[way](folder, make())
    return made


def _onnx(folder: Path, model: Any, width: int) -> None:
    from skl2onnx import to_onnx

    (folder / "model.onnx").write_bytes(
        to_onnx(model, np.zeros((1, width), np.float32), target_opset={"": 15, "ai.onnx.ml": 3}).SerializeToString()
    )


def converted() -> Kinds:
    """The same models as skops, ONNX, PMML and Core ML."""
    made: Kinds = {}
    for name, make in plain().items():
        width = {"iris": 4, "wine": 13, "cancer": 30, "diabetes": 10, "digits": 64}[name.split("-")[0]]
        made[f"{name}.skops"] = lambda folder, make=make: at("skops.io.dump")(make(), str(folder / "model.skops"))
        made[f"{name}.onnx"] = lambda folder, make=make, width=width: (
            importlib.import_module("skl2onnx"),
            _onnx(folder, make(), width),
        )
        made[f"{name}.pmml"] = lambda folder, make=make, width=width: _pmml(folder, make(), width)
        made[f"{name}.coreml"] = lambda folder, make=make: (
            importlib.import_module("coremltools")
            .converters.sklearn.convert(make())
            .save(str(folder / "model.mlmodel"))
        )
    for name in (
        "titanic-logistic",
        "titanic-forest",
        "iris-grid",
        "wine-stack",
        "xgb-classifier",
        "lgb-classifier",
        "artifact",
        "spam-svc",
    ):
        made[f"{name}.skops"] = lambda folder, name=name: at("skops.io.dump")(
            others()[name](), str(folder / "model.skops")
        )
    kind = "onnxmltools.convert.common.data_types.FloatTensorType"
    for name, call, width in (
        ("xgb-classifier", "xgboost", 30),
        ("xgb-regressor", "xgboost", 10),
        ("lgb-classifier", "lightgbm", 13),
        ("lgb-regressor", "lightgbm", 10),
    ):
        made[f"{name}.onnx"] = lambda folder, name=name, call=call, width=width: at("onnxmltools.utils.save_model")(
            at(f"onnxmltools.convert_{call}")(others()[name](), initial_types=[("input", at(kind)([None, width]))]),
            str(folder / "model.onnx"),
        )
        made[f"{name}.pmml"] = lambda folder, name=name, call=call, width=width: _pmml(
            folder, others()[name](), width, {"xgboost": "xgboost_to_pmml", "lightgbm": "lgb_to_pmml"}[call]
        )
    return made


def _pmml(folder: Path, model: Any, width: int, call: str = "skl_to_pmml") -> None:
    nyoka = importlib.import_module("nyoka")
    if not hasattr(model, "steps"):
        model = sk("pipeline.Pipeline", [("model", model)])
    getattr(nyoka, call)(model, [f"x{i}" for i in range(width)], "y", str(folder / "model.pmml"))


def native() -> Kinds:
    """Boosters, gensim, Prophet, statsmodels and spaCy in their own formats; features of a store."""
    made: Kinds = {}
    for name in ("xgb-classifier", "xgb-regressor", "xgb-ranker", "xgb-booster", "titanic-xgboost"):
        inner: Callable[[str], Any] = lambda name: (
            others()[name]()["model"] if name.startswith("titanic") else others()[name]()
        )
        for end in ("json", "ubj", "model", "deprecated"):
            made[f"{name}.{end}"] = lambda folder, name=name, end=end, inner=inner: inner(name).save_model(
                str(folder / f"xgb.{end}")
            )
        made[f"{name}.raw"] = lambda folder, name=name, inner=inner: (folder / "xgb.bin").write_bytes(
            bytes(getattr(inner(name), "get_booster", lambda: inner(name))().save_raw())
        )
    for name in ("lgb-classifier", "lgb-regressor", "lgb-booster", "titanic-lightgbm"):
        made[f"{name}.txt"] = lambda folder, name=name, inner=inner: getattr(
            (found := inner(name)), "booster_", found
        ).save_model(str(folder / "lgb.txt"))
    for name in ("cat-classifier", "cat-regressor", "titanic-catboost"):
        for end, form in (("cbm", "cbm"), ("json", "json"), ("onnx", "onnx"), ("pmml", "pmml"), ("mlmodel", "coreml")):
            made[f"{name}.{end}"] = lambda folder, name=name, end=end, form=form, inner=inner: inner(name).save_model(
                str(folder / f"cat.{end}"), format=form
            )
    made["cat-categories.cbm"] = lambda folder: (
        at("catboost.CatBoostClassifier")(
            iterations=5, verbose=0, allow_writing_files=False, cat_features=["sex", "embarked"]
        )
        .fit(passengers().drop(columns="survived"), passengers().survived)
        .save_model(str(folder / "model.cbm"))
    )
    made["cat-snapshot"] = lambda folder: (
        at("catboost.CatBoostClassifier")(iterations=5, verbose=0, train_dir=str(folder / "catboost_info"))
        .fit(*data("iris"))
        .save_model(str(folder / "model"))
    )
    for name in ("ols", "logit", "glm", "arima", "holt-winters", "sarimax"):
        made[f"{name}.save"] = lambda folder, name=name: others()[name]().save(
            str(folder / "results.pickle"), remove_data=name in ("ols", "logit")
        )
    words = [text.replace(",", "").split() for text in REVIEWS]
    made["gensim.word2vec"] = lambda folder: at("gensim.models.Word2Vec")(words, vector_size=20, min_count=1).save(
        str(folder / "word2vec.model")
    )
    made["gensim.vectors"] = lambda folder: at("gensim.models.Word2Vec")(words, vector_size=20, min_count=1).wv.save(
        str(folder / "vectors.kv")
    )
    made["gensim.fasttext"] = lambda folder: at("gensim.models.FastText")(
        words, vector_size=10, min_count=1, bucket=200
    ).save(str(folder / "fasttext.model"))
    made["gensim.doc2vec"] = lambda folder: at("gensim.models.Doc2Vec")(
        [at("gensim.models.doc2vec.TaggedDocument")(text, [i]) for i, text in enumerate(words)],
        vector_size=10,
        min_count=1,
    ).save(str(folder / "doc2vec.model"))
    made["gensim.lda"] = lambda folder: _lda(folder, words)
    made["prophet.json"] = lambda folder: (folder / "prophet.json").write_text(
        at("prophet.serialize.model_to_json")(others()["prophet"]())
    )
    made["features.parquet"] = lambda folder: passengers().to_parquet(str(folder / "features.parquet"))
    made["features.feather"] = lambda folder: passengers().to_feather(str(folder / "features.feather"))
    made["features.npz"] = lambda folder: np.savez_compressed(
        str(folder / "features.npz"), X=data("digits")[0], y=data("digits")[1]
    )
    made["embeddings.npy"] = lambda folder: np.save(
        str(folder / "embeddings.npy"), np.random.RandomState(0).rand(50, 384).astype("float32")
    )
    made["weights.npz"] = lambda folder: np.savez(
        str(folder / "weights.npz"), **{f"layer{i}/kernel": np.ones((i + 2, 3), "float32") for i in range(4)}
    )
    made["spacy.folder"] = lambda folder: _spacy(folder)
    made["nltk.tagger"] = lambda folder: _opened(
        open,
        folder / "tagger.pickle",
        at("nltk.UnigramTagger")([[("the", "DT"), ("dog", "NN")]] * 4, backoff=at("nltk.DefaultTagger")("NN")),
    )
    return made


def _lda(folder: Path, words: Any) -> None:
    names = at("gensim.corpora.Dictionary")(words)
    at("gensim.models.LdaModel")([names.doc2bow(text) for text in words], 2, id2word=names).save(
        str(folder / "lda.model")
    )
    names.save(str(folder / "dictionary.dict"))


def _spacy(folder: Path) -> None:
    spacy = importlib.import_module("spacy")
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "ORG", "pattern": "Acme"}])
    kind = nlp.add_pipe("textcat")
    kind.add_label("POS")
    kind.add_label("NEG")
    example = at("spacy.training.Example").from_dict(nlp.make_doc("great film"), {"cats": {"POS": 1.0, "NEG": 0.0}})
    nlp.initialize(lambda: [example])
    nlp.to_disk(str(folder / "model"))


def mlflow() -> Kinds:
    """Model folders of MLflow's flavours, with signature and example."""
    flavours = {
        "sklearn": ("titanic-logistic", "iris-grid", "spam-svc", "iris-forest"),
        "xgboost": ("xgb-classifier", "xgb-booster"),
        "lightgbm": ("lgb-classifier", "lgb-booster"),
        "catboost": ("cat-classifier",),
        "statsmodels": ("ols", "arima"),
        "prophet": ("prophet",),
    }
    made: Kinds = {}
    for flavour, names in flavours.items():
        for name in names:
            made[f"{name}.mlflow"] = lambda folder, flavour=flavour, name=name: _mlflow(
                folder, flavour, {**plain(), **others()}[name](), {}
            )
    made["iris-forest.mlflow-pickle"] = lambda folder: _mlflow(
        folder, "sklearn", plain()["iris-forest"](), {"serialization_format": "pickle"}
    )
    made["xgb-classifier.mlflow-json"] = lambda folder: _mlflow(
        folder, "xgboost", others()["xgb-classifier"](), {"model_format": "json"}
    )
    made["titanic-logistic.mlflow-signed"] = lambda folder: _mlflow(
        folder,
        "sklearn",
        others()["titanic-logistic"](),
        {
            "signature": at("mlflow.models.infer_signature")(
                passengers().drop(columns="survived"), passengers()[["survived"]]
            ),
            "input_example": passengers().drop(columns="survived").head(2),
            "metadata": {"owner": "ml-team"},
        },
    )
    return made


def _mlflow(folder: Path, flavour: str, model: Any, more: Dict[str, Any]) -> None:
    importlib.import_module(f"mlflow.{flavour}").save_model(
        model, str(folder / "model"), pip_requirements=["mlflow", flavour.replace("sklearn", "scikit-learn")], **more
    )


def kinds() -> Kinds:
    """All of this module."""
    return {**pickled(), **converted(), **native(), **mlflow()}
