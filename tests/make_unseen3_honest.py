"""Write the honest files of the third blind set, by the libraries that own their formats: `make_unseen3_honest.py FOLDER`."""

# ruff: noqa: E501  (a template stands on one line)

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import operator
import pickle
import shelve
import sys
import uuid
from pathlib import Path
from typing import Any


def _sklearn(folder: Path) -> None:
    import joblib
    import numpy as np
    from scipy import sparse
    from sklearn import (
        compose,
        ensemble,
        feature_extraction,
        gaussian_process,
        linear_model,
        model_selection,
        neighbors,
        pipeline,
        preprocessing,
    )

    x, y = np.random.default_rng(0).random((30, 3)), np.arange(30) % 2
    log = preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1)
    logistic = linear_model.LogisticRegression()
    made: dict[str, Any] = {
        "function-transformer": pipeline.make_pipeline(log, logistic).fit(x, y),
        "columns": compose.ColumnTransformer(
            [
                ("a", "passthrough", [0]),
                ("b", preprocessing.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), [1]),
            ]
        ).fit(x),
        "grid": model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [0.1, 1]}, scoring="r2", cv=2).fit(x, y),
        "search": model_selection.RandomizedSearchCV(
            linear_model.Lasso(), {"alpha": __import__("scipy.stats").stats.loguniform(1e-3, 1)}, n_iter=2, cv=2
        ).fit(x, y),
        "stacking": ensemble.StackingClassifier([("l", logistic)], cv=2).fit(x, y),
        "histogram": ensemble.HistGradientBoostingClassifier(max_iter=2).fit(x, y),
        "isolation": ensemble.IsolationForest(n_estimators=2).fit(x),
        "neighbours": neighbors.KNeighborsClassifier(algorithm="kd_tree", metric="minkowski").fit(x, y),
        "gaussian": gaussian_process.GaussianProcessRegressor(
            gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel()
        ).fit(x, y),
        "vectorizer": feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b").fit(
            ["import os", "os.system('rm')", "eval(x)"]
        ),
        "sparse": {"m": sparse.random(9, 9, 0.2, "csr", rng=0), "coo": sparse.eye(3, format="coo")},
    }
    for number, (name, value) in enumerate(made.items()):
        (folder / f"sk-{name}.pkl").write_bytes(pickle.dumps(value, (4, 5, 2, 3, 0)[number % 5]))
    for kind in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
        joblib.dump(
            {"x": x, "model": made["stacking"], "o": np.array(["a", None], dtype=object)},
            folder / f"compressed-{kind}.joblib",
            compress=(kind, 3),
        )


def _python(folder: Path) -> None:
    import numpy as np
    import pandas as pd
    import scipy.stats
    import sympy

    stamp = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    counts = collections.defaultdict(list, {"a": [1]})
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["a", "b"]),
            "t": pd.to_datetime(["2026", "2027"]).tz_localize("Europe/Berlin"),
            "i": pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
            "n": pd.array([1, None], dtype="Int64"),
        }
    )
    made: dict[str, Any] = {
        "containers": [
            counts,
            collections.Counter("abc"),
            collections.deque([1], 3),
            collections.OrderedDict(a=1),
            {1, 2},
            frozenset("x"),
        ],
        "values": [
            stamp,
            decimal.Decimal("1.5"),
            uuid.UUID(int=5),
            Path("a/b"),
            1 + 2j,
            slice(1, 2),
            range(5),
            b"\x80\x04.",
            bytearray(b"x"),
            Ellipsis,
        ],
        "getters": [operator.itemgetter(1), operator.attrgetter("coef_"), functools.partial(np.mean, axis=0)],
        "random": [np.random.RandomState(1), np.random.default_rng(2)],
        "frozen": scipy.stats.norm(0, 1),
        "frozen-discrete": scipy.stats.poisson(3),
        "expression": sympy.Abs(sympy.Symbol("x")) + sympy.sin(sympy.pi / 7),
        "frame": frame,
        "index": pd.MultiIndex.from_product([[1, 2], ["os.system", "posix"]]),
        "shared": (lambda a: [a, a, {"self": a}])([1.0] * 5),
        "words": {"os": "system", "cposix\nsystem\n": "R.", "__reduce__": "eval(input())"},
        "masked": np.ma.array([1, 2], mask=[0, 1]),
        "dates": np.array(["2026-01-01"], "M8[D]"),
    }
    for number, (name, value) in enumerate(made.items()):
        (folder / f"py-{name}.pkl").write_bytes(pickle.dumps(value, (5, 0, 4, 2, 3, 1)[number % 6]))
    (folder / "py-twice.pkl").write_bytes(pickle.dumps(1) + pickle.dumps({"b": 2}, 2))
    frame.to_pickle(folder / "frame.pkl.xz")
    frame.to_pickle(folder / "frame.pkl.zip")
    np.save(folder / "long-header.npy", np.zeros(2, dtype=[(f"column_{i:05}", "<f4") for i in range(900)]))
    np.save(folder / "scalar.npy", np.float64(3))
    np.savez(folder / "names.npz", **{"a/b": np.zeros(2), "é": np.ones((2, 0)), "arr_0": np.array("x")})
    with shelve.open(str(folder / "shelf")) as store:
        store["lr"] = 0.1


def _torch(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from torch import nn

    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    torch.save(torch.fx.symbolic_trace(net), folder / "graph-module.pt")
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    net(torch.ones(1, 1, 5, 5)).sum().backward()
    optimizer.step()
    torch.save(
        {
            "epoch": 1,
            "optimizer": optimizer.state_dict(),
            "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1).state_dict(),
            "model": net.state_dict(),
        },
        folder / "checkpoint.ckpt",
    )
    base = torch.arange(12.0)
    torch.save(
        [
            base[2:5],
            base.view(3, 4).t(),
            base.bfloat16(),
            base.to(torch.complex64),
            torch.empty(0),
            torch.tensor(1),
            torch.ones(2, dtype=torch.uint16),
        ],
        folder / "views.pt",
    )
    torch.save(nn.LSTM(2, 2), folder / "lstm.pth")
    torch.save(torch.quantize_per_tensor(base, 0.1, 0, torch.qint8), folder / "quantized.pt")
    torch.save(
        {
            "w": base.view(3, 4).to_sparse_csr(),
            "device": torch.device("cpu"),
            "dtype": torch.float16,
            "size": torch.Size([1]),
        },
        folder / "csr.bin",
    )
    traced = torch.jit.trace(net.eval(), torch.ones(1, 1, 5, 5))
    traced.save(str(folder / "traced.torchscript"))
    save_file(
        {"": torch.empty(0, 3), "a.b": base, "scalar": torch.tensor(1.5)},
        folder / "odd.safetensors",
        {"format": "pt", "note": "__import__('os')"},
    )


def _others(folder: Path) -> None:
    import flax.serialization
    import gguf
    import h5py
    import lightgbm
    import numpy as np
    import onnx
    import openvino
    import pyarrow as pa
    import pyarrow.parquet as parquet
    import skops.io
    import xgboost
    from catboost import CatBoostClassifier
    from onnx import TensorProto, helper, numpy_helper
    from sklearn.linear_model import Ridge

    x, y = np.random.default_rng(0).random((40, 3)), np.arange(40) % 2
    boosted = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(x, y)
    boosted.save_model(folder / "xgb.json")
    boosted.save_model(folder / "xgb.ubj")
    (folder / "xgb.pkl").write_bytes(pickle.dumps(boosted))
    light = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(x, y)
    light.booster_.save_model(folder / "lgb.txt")
    (folder / "lgb.pkl").write_bytes(pickle.dumps(light, 4))
    cat = CatBoostClassifier(iterations=2, depth=2, verbose=0, allow_writing_files=False).fit(x, y)
    cat.save_model(str(folder / "cat.cbm"))
    cat.save_model(str(folder / "cat.json"), format="json")
    skops.io.dump(Ridge().fit(x, y), folder / "ridge.skops")
    (folder / "flax_model.msgpack").write_bytes(
        flax.serialization.msgpack_serialize({"params": {"w": x, "n": 1, "c": 1j}})
    )
    table = pa.table(
        {
            "t": pa.ExtensionArray.from_storage(
                pa.fixed_shape_tensor(pa.int32(), [2]), pa.array([[1, 2]], pa.list_(pa.int32(), 2))
            ),
            "u": pa.array(["os.system"]).dictionary_encode(),
        }
    )
    parquet.write_table(table, folder / "tensor.parquet", compression="brotli")
    with pa.ipc.new_file(folder / "tensor.arrow", table.schema) as writer:
        writer.write_table(table)
    writer = gguf.GGUFWriter(folder / "chat.gguf", "llama")
    writer.add_chat_template(
        "{%- set ns = namespace(system='') %}{%- for m in messages %}{%- if m['role'] == 'system' %}{% set ns.system = m['content'] %}{%- else %}{{- '<|' + m['role'] + '|>' + m['content']|trim }}{%- endif %}{%- endfor %}{{ raise_exception('none') if not messages }}"
    )
    writer.add_token_list(["<s>", "__globals__", "os.popen"])
    writer.add_tensor("w", np.ones((2, 2), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with h5py.File(folder / "links.h5", "w", libver="latest") as file:
        file.create_dataset("w", data=x, chunks=(4, 3), compression="gzip", shuffle=True, fletcher32=True)
        file["soft"] = h5py.SoftLink("/w")
        file.attrs["ref"] = file["w"].ref
        file["text"] = np.array([b"__import__('os')"], dtype=object).astype(h5py.string_dtype())
    weight = numpy_helper.from_array(np.ones((2, 2), np.float32), "w")
    square = helper.make_function(
        "local", "Square", ["a"], ["b"], [helper.make_node("Mul", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Square", ["h"], ["y"], domain="local")]
    value = functools.partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT, shape=["n", 2])
    graph = helper.make_graph(nodes, "g", [value("x")], [value("y")], [weight])
    model = helper.make_model(
        graph,
        functions=[square],
        ir_version=8,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("local", 1)],
    )
    onnx.save(model, folder / "function.onnx")
    (folder / "external").mkdir(exist_ok=True)
    onnx.save(
        model, folder / "external" / "net.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    parameter = openvino.op.Parameter(openvino.Type.f32, openvino.Shape([1, 2]))
    result = openvino.opset13.relu(openvino.opset13.add(parameter, openvino.op.Constant(np.ones((1, 2), np.float32))))
    (folder / "ir").mkdir(exist_ok=True)
    openvino.save_model(openvino.Model([result], [parameter], "net"), folder / "ir" / "net.xml")


def _texts(folder: Path) -> None:
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    bert = transformers.BertConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        vocab_size=8,
        max_position_embeddings=8,
    )
    transformers.BertModel(bert).save_pretrained(folder / "bert")
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "eval(": 1, "{{": 2}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for part in (_sklearn, _python, _torch, _others, _texts):
        if len(sys.argv) < 3 or part.__name__ == sys.argv[2]:
            part(target)
