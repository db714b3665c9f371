"""The honest files of the third blind set, by the libraries that own their formats; see make_unseen3_honest.py."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen3_base import Sample
from corpora.unseen3_data import data, names

LOADERS = {
    "pkl": "import pickle; pickle.load(open(f, 'rb'))",
    "joblib": "import joblib; joblib.load(f)",
    "npy": "import numpy; numpy.load(f, max_header_size=10**6)",
    "npz": "import numpy; dict(numpy.load(f))",
    "xz": "import pandas; pandas.read_pickle(f)",
    "zip": "import pandas; pandas.read_pickle(f)",
    "pt": "import torch; torch.load(f, weights_only=False)",
    "pth": "import torch; torch.load(f, weights_only=False)",
    "bin": "import torch; torch.load(f)",
    "ckpt": "import torch; torch.load(f)",
    "torchscript": "import torch; torch.jit.load(f)",
    "safetensors": "from safetensors.numpy import load_file; load_file(f)",
    "ubj": "import xgboost; xgboost.Booster(model_file=f)",
    "txt": "import lightgbm; lightgbm.Booster(model_file=f)",
    "cbm": "import catboost; catboost.CatBoostClassifier().load_model(f)",
    "skops": "import skops.io as s; s.load(f)",
    "msgpack": "import flax.serialization as s; s.msgpack_restore(open(f, 'rb').read())",
    "parquet": "import pyarrow.parquet as p; p.read_table(f)",
    "arrow": "import pyarrow as pa; pa.ipc.open_file(f).read_all()",
    "gguf": "import gguf; gguf.GGUFReader(f)",
    "h5": "import h5py; h5py.File(f)['w'][...]",
    "onnx": "import onnx; onnx.load(f)",
    "pt2": "import torch; torch.export.load(f)",
    "xgb.json": "import xgboost; xgboost.Booster(model_file=f)",
    "cat.json": "import catboost; catboost.CatBoostClassifier().load_model(f, format='json')",
    "tokenizer.json": "import tokenizers; tokenizers.Tokenizer.from_file(f)",
    "script.pt": "import torch; torch.jit.load(f)",
}
FOLDERS = {
    "bert": "from transformers import AutoModel; AutoModel.from_pretrained('/tmp/s/bert')",
    "external": "import onnx; onnx.load('/tmp/s/external/net.onnx')",
    "ir": "import openvino; openvino.Core().read_model('/tmp/s/ir/net.xml')",
    "shelf": "import shelve; dict(shelve.open('/tmp/s/shelf'))",
}


def samples() -> Iterator[Sample]:
    folders: dict[str, dict[str, bytes]] = {}
    for member in names("honest/"):
        name = member.removeprefix("honest/")
        folder = name.partition("/")[0].partition(".")[0]
        if folder in FOLDERS:
            folders.setdefault(folder, {})[name] = data(member)
        else:
            loader = LOADERS.get(name) or LOADERS[name.rpartition(".")[2]]
            yield Sample(f"honest/{name}", {name: data(member)}, loader)
    for folder, files in folders.items():
        yield Sample(f"honest/{folder}", files, FOLDERS[folder], entry="")
    exported = data("torch/exported.pt2")
    yield Sample("honest/exported.pt2", {"exported.pt2": exported}, LOADERS["pt2"])
