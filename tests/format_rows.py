"""For each row of the table of formats: an honest file by the real writer, and a hostile one.

`honest` are paths below tests/data/models, `hostile` are ids of the corpus (`corpora.hostile`) or of `HOSTILE` below.
`without` says why no real writer made the honest file: then there is none, or the one here is generated.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from booster_samples import r_call, r_promise, r_text, rds
from corpora.hostile import families
from graph_samples import graph_def, tf_node, tf_text
from modelfile_samples import EVIL, field, zipped

MODELS = Path(__file__).resolve().parent / "data" / "models"


@dataclass(frozen=True)
class Row:
    """The files of a row and who wrote the honest ones. `ends`: how honest ones end, where that is not as clean."""

    writer: str
    honest: tuple[str, ...]
    hostile: tuple[str, ...]
    ends: str = "clean"
    without: str = ""


@cache
def _units() -> dict[str, bytes]:
    return {item.id: item.data for items in families().values() for item in items}


def honest(name: str) -> Path:
    """Where an honest file lies."""
    return MODELS / name


def hostile(name: str) -> tuple[bytes, Path | None]:
    """A hostile file, and where it would lie, for those that are judged by their neighbours."""
    if name in HOSTILE:
        return HOSTILE[name]
    return _units()[name], None


def _behind(name: str, what: bytes = EVIL) -> tuple[bytes, Path]:
    return (MODELS / name).read_bytes() + what, MODELS / name


def _old_llama() -> bytes:
    """A file from before GGUF whose tensors are fewer than its numbers ask for."""
    numbers = b"".join(number.to_bytes(4, "little") for number in (0, 8, 8, 1, 1, 2, 0))
    return b"lmgg" + numbers


def _database() -> bytes:
    """R's lazy-load database of one value, which is a promise."""
    value = rds(r_promise(r_call("system", r_text("id"))))
    return len(value).to_bytes(4, "big") + zlib.compress(value)


def _meta_graph() -> bytes:
    graph = graph_def((tf_text("name", "/etc/passwd"), tf_node("read", "ReadFile", ("name",))))
    info = field(4, "serve") + field(5, "2.21.0")
    return field(1, info) + field(2, graph)


def _ranks() -> bytes:
    """So many that what is behind them does not show at the beginning of the file."""
    return b"".join(b"QUJD %d\n" % rank for rank in range(300, 1000))


# Heads of such streams, each with what gives an attack away
JAVA = b"\xac\xed\0\5sr\0\x18java.lang.ProcessBuilder" + bytes(20)
TORCH7 = b"\4\0\0\0\1\0\0\0\3\0\0\0V 1\r\0\0\0nn.Sequential\x06\0\0\0\x1bLJ\1" + bytes(20)
BSON = b"\x38\0\0\0\3model\0\x20\0\0\0\2tag\0\x0d\0\0\0jl_anonymous\0\0" + bytes(20)
HOSTILE: dict[str, tuple[bytes, Path | None]] = {
    "a promise in R's database": (_database(), None),
    "a pickle behind R's database": _behind("r/cache.rdb"),
    "old llama without its tensors": (_old_llama(), None),
    "ReadFile in a MetaGraphDef": (_meta_graph(), None),
    "an archive in a fingerprint": _behind("tensorflow/keras3/fingerprint.pb", field(7, zipped(("a.pkl", EVIL)))),
    "a pickle behind Core ML's weights": _behind(
        "coreml/program.mlpackage/Data/com.apple.CoreML/weights/weight.bin",
    ),
    "a pickle behind XGBoost's trees": _behind("boosters/xgboost-old.deprecated"),
    "a pickle behind OpenVINO's weights": _behind("openvino/dense.bin"),
    "a pickle behind the tensors of ONNX": _behind("onnx/external.bin"),
    "a pickle behind Paddle's parameters": _behind("paddle/dense.pdiparams"),
    "an archive behind a manifest of Orbax": _behind("rows/manifest.ocdbt", zipped(("a.pkl", EVIL))),
    "a pickle behind a vocabulary": _behind("llm/bpe.spm"),
    "an archive behind a vocabulary": _behind("llm/bpe.spm", zipped(("a.pkl", EVIL))),
    "a pickle in the rules of a vocabulary": _behind("llm/bpe.spm", field(5, field(2, bytes(4) + EVIL))),
    "an archive behind a list of pieces": _behind("llm/pieces.vocab", b"a\t-1.5\n" * 700 + zipped(("a.pkl", EVIL))),
    "a pickle behind a list of pieces": _behind("llm/pieces.vocab", b"a\t-1.5\n" * 700 + EVIL),
    "an archive behind ranks": _behind("llm/ranks.tiktoken", _ranks() + zipped(("a.pkl", EVIL))),
    "a pickle behind ranks": _behind("llm/ranks.tiktoken", _ranks() + EVIL),
    "an archive behind version 1 of Feather": _behind("rows/table.feather", zipped(("a.pkl", EVIL))),
    "an archive behind an exported function": _behind("rows/sine.jaxexport", zipped(("a.pkl", EVIL))),
    "a tag that runs": (b"optimizer: !!python/object/apply:os.system ['echo shipworthy-test']\n", None),
    "a command in Java's objects": (JAVA, None),
    "code in a file of Torch7": (TORCH7, None),
    "a function in a BSON": (BSON, None),
    "an archive in a tensor's last field": _behind("rows/input_0.pb", field(15, zipped(("a.pkl", EVIL)))),
}

ROWS: dict[str, Row] = {
    "pickle": Row(
        "scikit-learn 1.1.3, torch 2.13.0 and 24 more",
        (
            "pickles/sk11-sklearn.Ridge-labels-p4.pkl",
            "pickles/torch213-torch.nn.LinearCrossEntropyLoss-state-legacy.pt",
        ),
        ("gadgets of the standard library/posix:system", "polyglots/pickle and zip"),
    ),
    "zip": Row(
        "torch 2.13.0, Keras 3.15.1, skops 0.16.0, NumPy 2.4.6, torch-model-archiver 0.12.0",
        (
            "pickles/torch213-torch.optim.Adagrad-object-zip.pt",
            "llm/traced.pt",
            "llm/linear.pt2",
            "llm/builtin.mar",
            "llm/tree.skops",
            "keras/keras-3.15.1-normalized.keras",
            "rows/arrays.npz",
        ),
        ("numpy/pickle in an npz", "polyglots/YAML and zip"),
    ),
    "tar": Row(
        "Python 3.11 tarfile in its three formats, GNU tar 1.34",
        ("rows/pax.tar", "rows/gnu.tar", "rows/ustar.tar", "rows/gnutar.tar"),
        ("torch archives/legacy tar", "archives/tar member ../../x"),
    ),
    "gzip": Row("R 4.2.2", ("r/date.rds",), ("compressed/gzip", "R/dyn.load, gzip")),
    "bz2": Row("R 4.2.2", ("r/lm-v2-bzip2.rds",), ("compressed/bz2", "compressed/bz2, second member")),
    "xz": Row(
        "joblib 1.5.3 with Python 3.13, R 4.2.2",
        ("pickles/sk17-joblib.xz-p2.joblib", "r/frame-xz.rds"),
        ("compressed/xz", "compressed/xz, second member"),
    ),
    "lzma": Row(
        "joblib 1.4.2",
        ("pickles/sk15-scipy.stats.frozen.gamma--joblib-lzma.joblib",),
        ("compressed/lzma", "compressed/lzma, payload behind the end"),
    ),
    "zlib": Row(
        "joblib 1.5.3",
        ("pickles/sk18-joblib.zlib-p5.joblib",),
        ("compressed/zlib", "compressed/zlib, payload behind the end"),
    ),
    "lz4": Row(
        "joblib 1.6.0 with lz4 4.4.5", ("rows/state.joblib.lz4",), ("compressed/lz4", "compressed/lz4, second member")
    ),
    "zstd": Row("zstandard 0.25.0", ("rows/array.npy.zst", "rows/state.pkl.zst"), ("compressed/zstd", "bombs/zstd")),
    "joblib-zfile": Row("joblib 0.9.4", ("rows/old.joblib",), ("compressed/ZF", "compressed/ZF with a wrong length")),
    "npy": Row("NumPy 2.4.6", ("rows/array.npy", "rows/records.npy"), ("numpy/objects", "polyglots/npy and zip")),
    "safetensors": Row(
        "safetensors 0.8.0", ("rows/model.safetensors",), ("safetensors/overlap", "polyglots/safetensors and pickle")
    ),
    "onnx": Row(
        "onnx 1.23.2, skl2onnx 1.20.0, ONNX Runtime 1.32.0",
        ("onnx/plain.onnx", "onnx/forest.onnx", "onnx/optimized.onnx", "onnx/external.onnx"),
        ("ONNX/data in '../../etc/passwd'", "ONNX/function that calls itself"),
    ),
    "onnx-data": Row("onnx 1.23.2", ("onnx/external.bin",), ("a pickle behind the tensors of ONNX",)),
    "json": Row(
        "Keras 2.15.0 and 3.15.1, XGBoost 3.2.0, CatBoost 1.2.10, tokenizers 0.23.3, PaddlePaddle 3.3.1",
        (
            "keras/keras-2.15-functional.json",
            "keras/keras-3.15.1-recurrent.json",
            "boosters/xgboost-new.json",
            "boosters/catboost-plain.json",
            "llm/tokenizer.json",
            "paddle/pir.json",
        ),
        ("Keras JSON/Lambda", "XGBoost/foreign objective, JSON"),
    ),
    "keras-yaml": Row(
        "Keras 2.15.0", ("keras/keras-2.15-recurrent.yaml",), ("Keras YAML/slicing operator of another name",)
    ),
    "hdf5": Row(
        "Keras 2.15.0, 3.5.0 and 3.15.1, h5py 3.14.0, PyTables",
        (
            "keras/keras-2.15-trained.h5",
            "keras/keras-3.5.0-functional.h5",
            "keras/keras-3.15.1-trained.weights.h5",
            "hdf5/h5py-latest.h5",
            "hdf5/pytables.h5",
        ),
        ("Keras HDF5/Lambda", "HDF5/wrong checksum"),
    ),
    "gguf": Row("gguf 0.19.0", ("llm/little.gguf", "llm/big.gguf"), ("GGUF templates/mro", "polyglots/GGUF and zip")),
    "ggml": Row(
        "",
        (),
        ("old llama without its tensors",),
        without="its writers were scripts in the repositories of llama.cpp and whisper.cpp, never packages",
    ),
    "jinja": Row("transformers 5.23.0", ("rows/chat_template.jinja",), ("Jinja/subclasses", "Jinja/not closed")),
    "mlflow": Row("MLflow 3.17.2", ("llm/MLmodel",), ("MLflow/own loader", "MLflow/shell as a loader")),
    "hydra": Row("OmegaConf 2.4.0, as NeMo uses it", ("rows/model_config.yaml",), ("Hydra/target, no archive",)),
    "yaml": Row("PyYAML 6.0.3", ("rows/settings.yaml",), ("a tag that runs",)),
    "tflite": Row(
        "TensorFlow 2.21.0",
        ("tensorflow/dense.tflite", "tensorflow/flex.tflite", "tensorflow/loop.tflite"),
        ("TensorFlow Lite/FlexReadFile", "TensorFlow Lite/offset beyond"),
    ),
    "savedmodel": Row(
        "TensorFlow 2.21.0 and 2.13.1",
        ("tensorflow/simple/saved_model.pb", "tensorflow/keras2/saved_model.pb", "tensorflow/words/saved_model.pb"),
        ("SavedModel/ReadFile", "SavedModel/asset /etc/passwd"),
    ),
    "graphdef": Row("TensorFlow 2.21.0", ("tensorflow/frozen.pb",), ("GraphDef/ReadFile", "GraphDef/path joined")),
    "metagraph": Row("TensorFlow 2.21.0", ("tensorflow/v1/model.meta",), ("ReadFile in a MetaGraphDef",)),
    "tf-fingerprint": Row("TensorFlow 2.21.0", ("tensorflow/keras3/fingerprint.pb",), ("an archive in a fingerprint",)),
    "keras-metadata": Row(
        "TensorFlow 2.13.1", ("tensorflow/keras2/keras_metadata.pb",), ("SavedModel/Lambda in keras_metadata",)
    ),
    "tf-checkpoint": Row(
        "TensorFlow 2.21.0",
        ("tensorflow/v1/model.index", "tensorflow/words/variables/variables.index"),
        ("checkpoint table/changed middle",),
    ),
    "coreml": Row(
        "coremltools 9.0",
        ("coreml/layers.mlmodel", "coreml/program.mlpackage/Data/com.apple.CoreML/model.mlmodel"),
        ("Core ML/custom layer", "Core ML/payload behind"),
    ),
    "mil-weights": Row(
        "coremltools 9.0",
        ("coreml/program.mlpackage/Data/com.apple.CoreML/weights/weight.bin",),
        ("a pickle behind Core ML's weights",),
    ),
    "sentencepiece": Row(
        "sentencepiece 0.2.3",
        ("llm/unigram.spm", "llm/bpe.spm"),
        ("a pickle behind a vocabulary", "an archive behind a vocabulary", "a pickle in the rules of a vocabulary"),
    ),
    "sentencepiece-list": Row(
        "sentencepiece 0.2.3",
        ("llm/pieces.vocab",),
        ("an archive behind a list of pieces", "a pickle behind a list of pieces"),
    ),
    "tiktoken": Row("tiktoken 0.12.0", ("llm/ranks.tiktoken",), ("an archive behind ranks", "a pickle behind ranks")),
    "protobuf": Row("onnx 1.23.2", ("rows/input_0.pb",), ("an archive in a tensor's last field",), ends="unknown"),
    "parquet": Row(
        "pyarrow 26.0.1",
        ("columnar/frame.parquet", "columnar/nested.parquet"),
        ("Arrow, Parquet, Flax/hole in Parquet",),
    ),
    "arrow": Row(
        "pyarrow 26.0.1",
        ("columnar/frame.arrow", "columnar/frame.arrows", "columnar/polars.arrow", "columnar/lz4.feather"),
        ("Arrow, Parquet, Flax/payload behind Arrow",),
    ),
    "feather": Row(
        "pyarrow 26.0.1", ("rows/table.feather",), ("an archive behind version 1 of Feather",), ends="unknown"
    ),
    "xgboost": Row(
        "XGBoost 1.7.6",
        ("boosters/xgboost-old.deprecated", "boosters/xgboost-old-dart.deprecated"),
        ("a pickle behind XGBoost's trees",),
    ),
    "ubjson": Row(
        "XGBoost 3.2.0 and 1.7.6",
        ("boosters/xgboost-new.ubj", "boosters/xgboost-old-dart.ubj"),
        ("XGBoost/loop, UBJSON", "XGBoost/payload behind"),
    ),
    "lightgbm": Row(
        "LightGBM 4.7.0",
        ("boosters/lightgbm-plain.txt", "boosters/lightgbm-linear.txt"),
        ("LightGBM, CatBoost/lightgbm-plain.txt 0",),
    ),
    "catboost": Row(
        "CatBoost 1.2.10",
        ("boosters/catboost-plain.cbm", "boosters/catboost-words.cbm"),
        ("LightGBM, CatBoost/payload behind the core",),
    ),
    "r": Row("R 4.2.2", ("r/ascii.RData", "r/factor-plain.rds"), ("R/promise", "R/pickle behind")),
    "r-database": Row(
        "R 4.2.2",
        ("r/cache.rdb", "r/cache-bzip2.rdb", "r/cache-lzma.rdb"),
        ("a promise in R's database", "a pickle behind R's database"),
    ),
    "xml": Row(
        "nyoka 5.5.0, OpenVINO 2026.4.1",
        ("pmml/forest.pmml", "openvino/dense.xml", "openvino/loop.xml"),
        ("OpenVINO/extension", "PMML/cut"),
    ),
    "openvino-weights": Row(
        "OpenVINO 2026.4.1", ("openvino/dense.bin", "openvino/loop.bin"), ("a pickle behind OpenVINO's weights",)
    ),
    "msgpack": Row("Flax 0.12.8", ("flax/params.msgpack",), ("Arrow, Parquet, Flax/objects in Flax",)),
    "ocdbt": Row("TensorStore 0.1.86", ("rows/manifest.ocdbt",), ("an archive behind a manifest of Orbax",)),
    "paddle": Row("PaddlePaddle 3.3.1", ("paddle/dense.pdmodel",), ("Paddle/py_func", "Paddle/load")),
    "paddle-weights": Row("PaddlePaddle 3.3.1", ("paddle/dense.pdiparams",), ("a pickle behind Paddle's parameters",)),
    "executorch": Row("ExecuTorch 1.5.1", ("executorch/dense.pte",), ("ExecuTorch/operator of another library",)),
    "tensorrt": Row(
        "", (), ("programs/TensorRT",), without="the builder needs a graphics card of NVIDIA, also to write an engine"
    ),
    "stablehlo": Row(
        "JAX 0.10.2", ("rows/sine.jaxexport",), ("an archive behind an exported function",), ends="unknown"
    ),
    "java": Row("", (), ("a command in Java's objects",), without="generated: no Java runs where the samples are made"),
    "torch7": Row("", (), ("code in a file of Torch7",), without="its one writer, Torch7, is in no registry any more"),
    "bson": Row("", (), ("a function in a BSON",), without="generated: no Julia runs where the samples are made"),
    "text": Row("PaddlePaddle 3.3.1's versions, by hand", ("paddle/versions.txt",), (), ends="unknown"),
    "png": Row("Pillow 13.0.0", ("rows/picture.png",), ("polyglots/PNG and zip",), ends="unknown"),
    "jpeg": Row("Pillow 13.0.0", ("rows/picture.jpg",), ("polyglots/JPEG and zip",), ends="unknown"),
    "7z": Row("py7zr 1.1.4", ("rows/archive.7z",), ("archives/7z",), ends="finding"),
    "rar": Row("", (), ("archives/rar",), without="its one writer is not free software and in no registry"),
    "elf": Row("Zig 0.17.1", ("rows/add.elf",), ("programs/ELF",), ends="finding"),
    "pe": Row("Zig 0.17.1", ("rows/add.pe",), ("programs/PE",), ends="finding"),
    "mach-o": Row("Zig 0.17.1", ("rows/add.mach-o",), ("programs/fat Mach-O",), ends="finding"),
    "ape": Row("", (), ("programs/APE",), without="its compiler, cosmocc, is in no registry of packages"),
    "wasm": Row("Zig 0.17.1", ("rows/add.wasm",), ("programs/WebAssembly",), ends="finding"),
    "script": Row("", (), ("programs/script",), without="scripts are written by hand"),
}
