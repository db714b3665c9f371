"""Write honest models that look odd: torch, arrays, graphs, folders, boosters; see unseen2_write_harmless.py."""

# ruff: noqa: E501, E731 (one model a line)
from __future__ import annotations

import json
import pickle
from pathlib import Path

from unseen2_write_harmless import CHATS, At, raw


def torch_files(at: At) -> None:
    import numpy as np
    import safetensors.torch
    import torch

    net = torch.nn.Sequential(torch.nn.Embedding(10, 4), torch.nn.LSTM(4, 4, 2, batch_first=True, bidirectional=True))
    torch.save(net, at("torch-whole-module", "model.pt"))
    torch.save({"sparse": torch.eye(3).to_sparse(), "csr": torch.eye(3).to_sparse_csr(), "q": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "meta": torch.empty(3, device="meta"), "c": torch.ones(2, dtype=torch.complex64), "p": torch.nn.Parameter(torch.ones(2)), "b": torch.tensor([True]), "f8": torch.ones(2).to(torch.float8_e4m3fn), "dtype": torch.float16, "device": torch.device("cpu"), "size": torch.Size([1, 2]), "np": np.float64(1)}, at("torch-kinds", "kinds.pth"))  # fmt: skip
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    torch.save(
        {
            "state_dict": model.state_dict(),
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [scheduler.state_dict()],
            "epoch": 3,
            "pytorch-lightning_version": "2.1.0",
            "hyper_parameters": {"lr": 1e-3},
            "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_path": "/srv/runs/../x.ckpt"}},
        },
        at("torch-lightning", "last.ckpt"),
    )
    torch.save(model.state_dict(), at("torch-protocol-4", "m.bin"), pickle_protocol=4)
    torch.save(
        torch.nn.TransformerEncoderLayer(4, 2, 8),
        at("torch-legacy-module", "m.pt"),
        _use_new_zipfile_serialization=False,
    )
    torch.save(torch.utils.data.TensorDataset(torch.ones(3)), at("torch-dataset", "d.pt"))
    torch.jit.script(torch.nn.GRU(2, 2)).save(at("torchscript-gru", "m.pt"))

    class Loops(torch.nn.Module):
        def forward(self, x: torch.Tensor, n: int = 3) -> torch.Tensor:
            i = 0
            while i < n:
                x = torch.where(x > 0, x, -x)
                i += 1
            assert x.dim() > 0, "os.system"
            return x

    torch.jit.script(Loops()).save(at("torchscript-loop", "m.pt"))
    torch.jit.freeze(
        torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), torch.nn.BatchNorm2d(1))).eval()
    ).save(at("torchscript-frozen", "m.pt"))
    program = torch.export.export(
        model, (torch.ones(4, 2),), dynamic_shapes={"input": {0: torch.export.Dim("batch", min=2, max=8)}}
    )
    torch.export.save(program, at("pt2-dynamic", "m.pt2"))
    safetensors.torch.save_file(
        {"a/b c": torch.ones(2), "__proto__": torch.zeros(0), "é": torch.ones(1, dtype=torch.bfloat16)},
        at("safetensors-names", "m.safetensors"),
        {"format": "pt", "json": json.dumps({"exec": "eval('1')"} | {str(i): i for i in range(500)})},
    )


def arrays(at: At) -> None:
    import flax.serialization as fs
    import h5py
    import jax.numpy as jnp
    import numpy as np
    import tables

    np.save(at("npy-records", "a.npy"), np.zeros(3, dtype=[("p", "<f4", (2, 3)), ("q", [("r", ">i2"), ("s", "S5")])]))
    np.save(at("npy-objects", "a.npy"), np.array([{"a": 1}, None, [1, 2]], dtype=object))
    np.save(at("npy-datetime", "a.npy"), np.array(["2024-01-01"], "M8[ns]"))
    np.savez_compressed(at("npz-objects", "a.npz"), labels=np.array(["a", None], dtype=object), x=np.ones(3))
    raw(
        at,
        "flax-state",
        "flax_model.msgpack",
        fs.msgpack_serialize(
            {
                "params": {"k": np.ones((2, 2), np.float32), "b": jnp.ones(2, jnp.bfloat16), "s": np.float32(1)},
                "step": 3,
                "z": 1 + 2j,
            }
        ),
    )
    with h5py.File(at("hdf5-filters", "m.h5"), "w", libver="latest", userblock_size=0) as h:
        h.create_dataset(
            "a",
            data=np.arange(100.0).reshape(10, 10),
            chunks=(5, 5),
            compression="lzf",
            fletcher32=True,
            maxshape=(None, 10),
        )
        h.create_dataset("b", data=np.arange(10), scaleoffset=2)
        h["names"] = np.array(["os.system", "größe"], dtype=h5py.string_dtype())
        h.attrs["enum"] = np.array([1], dtype=h5py.enum_dtype({"exec": 1}))
        h["ref"] = h["a"].ref
        h["alias"] = h5py.SoftLink("/a")
        h["hard"] = h["a"]
    with h5py.File(at("hdf5-empty-shapes", "m.h5"), "w", track_order=True) as h:
        h["null"] = h5py.Empty("f4")
        h.create_dataset("zero", (0, 3), maxshape=(None, 3))
        h["scalar"] = 3.0
        h.create_group("größe/exec/..dots")
    with tables.open_file(at("hdf5-pytables", "m.h5"), "w", title="eval()") as t:
        t.create_earray(t.root, "e", tables.Float32Atom(), (0, 3), filters=tables.Filters(5, "zlib"))
        t.create_vlarray(t.root, "v", tables.Int32Atom()).append([1, 2])
        t.create_table("/", "t", {"a": tables.StringCol(8), "b": tables.Float64Col()})
    import gguf

    for what, endian in {"little": gguf.GGUFEndian.LITTLE, "big": gguf.GGUFEndian.BIG}.items():
        w = gguf.GGUFWriter(at(f"gguf-{what}", "m.gguf"), "llama", endianess=endian)
        w.add_chat_template(
            [{"name": "default", "template": CHATS["macro"]}, {"name": "tool_use", "template": CHATS["tools"]}]
        )
        w.add_array("tokenizer.ggml.tokens", ["<s>", "os.system", "{{ x }}", "é"])
        w.add_array("general.tags", ["exec", "text-generation"])
        w.add_uint64("x.y", 2**63)
        w.add_tensor("a", np.ones((4, 32), "f4"))
        w.add_tensor("b", np.zeros((0,), "f4")) if False else w.add_tensor("b", np.ones((3,), "f2"))
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()


def graphs(at: At) -> None:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    value = lambda n, shape=(None,): helper.make_tensor_value_info(n, TensorProto.FLOAT, shape)
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["v", "v"], ["v2"])],
        "body",
        [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("c", 9, []), value("v")],
        [helper.make_tensor_value_info("c2", 9, []), value("v2")],
    )
    loop = helper.make_graph(
        [helper.make_node("Loop", ["n", "t", "x"], ["y"], body=body)],
        "g",
        [value("x")],
        [value("y")],
        [helper.make_tensor("n", 7, [], [3]), helper.make_tensor("t", 9, [], [True])],
    )
    onnx.save(helper.make_model(loop, opset_imports=[helper.make_opsetid("", 17)]), at("onnx-loop", "m.onnx"))
    gelu = helper.make_function(
        "own.ops", "Gelu2", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    graph = helper.make_graph(
        [helper.make_node("Gelu2", ["x"], ["y"], domain="own.ops")], "g", [value("x")], [value("y")]
    )
    onnx.save(
        helper.make_model(
            graph, functions=[gelu], opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own.ops", 1)]
        ),
        at("onnx-function", "m.onnx"),
    )
    weights = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [value("x", (1, 64))],
        [value("y", (1, 64))],
        [numpy_helper.from_array(np.ones((64, 64), np.float32), "w")],
    )
    model = helper.make_model(weights, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"author": "os.system('x')", "note": "<script>eval()</script>"})
    onnx.save(
        model, at("onnx-external", "m.onnx"), save_as_external_data=True, location="m.onnx_data", size_threshold=0
    )
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("v", 1, [1], [1.0]), helper.make_tensor("i", 7, [1], [2]), [4]
    )
    graph = helper.make_graph([helper.make_node("Constant", [], ["y"], sparse_value=sparse)], "g", [], [value("y")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), at("onnx-sparse", "m.onnx"))
    import openvino as ov
    from openvino import opset13 as op

    p = op.parameter([1, 4], np.float32, name="os.system")
    ov.save_model(
        ov.Model([op.softmax(op.matmul(p, op.constant(np.ones((4, 4), np.float32)), False, False), 1)], [p], "exec"),
        at("openvino-compressed", "model.xml"),
        compress_to_fp16=True,
    )


def folders(at: At) -> None:
    import mlflow.pyfunc
    import mlflow.sklearn
    import sklearn.linear_model
    import torch
    import transformers as t
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    config = t.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    model = t.BertForSequenceClassification(config)
    folder = Path(at("folder-bert", "config.json")).parent
    model.save_pretrained(folder, max_shard_size="2KB")
    token = Tokenizer(
        models.WordPiece(
            {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "exec", "##os", "."])}, unk_token="[UNK]"
        )
    )
    token.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace("``", '"'), normalizers.Lowercase()]
    )
    token.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(
                __import__("tokenizers").Regex(
                    r"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
                ),
                "isolated",
            ),
            pre_tokenizers.Punctuation(),
        ]
    )
    token.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", [("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = t.PreTrainedTokenizerFast(tokenizer_object=token, unk_token="[UNK]", chat_template=CHATS["slices"])
    fast.save_pretrained(folder)
    (folder / "README.md").write_text(
        "---\nlicense: mit\n---\n# Model\n```python\nimport os\nos.system('pip install x')\nmodel = torch.load('x.pt')  # eval(), exec\n```\n"
    )
    (folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    t.GenerationConfig(max_new_tokens=5, bad_words_ids=[[1]]).save_pretrained(folder)
    half = Path(at("folder-bin", "config.json")).parent
    config.save_pretrained(half)
    torch.save(model.state_dict(), half / "pytorch_model.bin")
    torch.save(t.TrainingArguments(output_dir="/srv/x", report_to=[]) if False else {"lr": 1.0}, half / "scheduler.pt")
    flow = Path(at("mlflow-sklearn", "MLmodel")).parent
    import shutil

    shutil.rmtree(flow)
    mlflow.sklearn.save_model(
        sklearn.linear_model.Ridge().fit([[1.0], [2.0]], [1.0, 2.0]),
        str(flow),
        pip_requirements=["scikit-learn==1.5.0"],
        serialization_format="pickle",
    ) if False else mlflow.sklearn.save_model(
        sklearn.linear_model.Ridge().fit([[1.0], [2.0]], [1.0, 2.0]),
        str(flow),
        pip_requirements=["scikit-learn==1.5.0"],
    )
    sentence = Path(at("folder-sentence", "modules.json")).parent
    (sentence / "modules.json").write_text(
        json.dumps(
            [
                {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
            ]
        )
    )
    for name, value in {
        "1_Pooling": {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True},
        "2_Dense": {
            "in_features": 8,
            "out_features": 4,
            "bias": True,
            "activation_function": "torch.nn.modules.activation.Tanh",
        },
    }.items():
        (sentence / name).mkdir(exist_ok=True)
        (sentence / name / "config.json").write_text(json.dumps(value))
    (sentence / "sentence_bert_config.json").write_text('{"max_seq_length": 256, "do_lower_case": false}')
    config.save_pretrained(sentence)
    model.base_model.save_pretrained(sentence)
    raw(
        at,
        "folder-adapter",
        "adapter_config.json",
        json.dumps(
            {
                "peft_type": "LORA",
                "base_model_name_or_path": "meta-llama/Llama-3-8B",
                "auto_mapping": None,
                "r": 8,
                "target_modules": "all-linear",
                "revision": None,
            }
        ),
    )


def others(at: At) -> None:
    import catboost
    import lightgbm
    import numpy as np
    import xgboost

    x, y = np.random.default_rng(0).random((60, 4)), np.array([0, 1, 2] * 20)
    x[:, 3] = np.arange(60) % 5
    light = lightgbm.LGBMClassifier(n_estimators=2, num_leaves=4, verbose=-1, linear_tree=False).fit(
        x, y, categorical_feature=[3]
    )
    light.booster_.save_model(at("lightgbm-categories", "model.txt"))
    lightgbm.train(
        {"objective": "regression", "linear_tree": True, "verbose": -1, "num_leaves": 4}, lightgbm.Dataset(x, y), 2
    ).save_model(at("lightgbm-linear", "m"))
    raw(at, "lightgbm-pickle", "m.pkl", pickle.dumps(light))
    dart = xgboost.train(
        {"booster": "dart", "objective": "multi:softprob", "num_class": 3, "max_depth": 2},
        xgboost.DMatrix(x, y, feature_names=["os.system", "b c", "é", "d"]),
        2,
    )
    dart.set_attr(note="exec(1)", best="{}")
    dart.save_model(at("xgboost-dart", "m.json"))
    dart.save_model(at("xgboost-ubj", "m.ubj"))
    linear = xgboost.train({"booster": "gblinear"}, xgboost.DMatrix(x, y), 2)
    linear.save_model(at("xgboost-linear", "m.json"))
    raw(at, "xgboost-pickle", "m.pkl", pickle.dumps(xgboost.XGBClassifier(n_estimators=2).fit(x, y)))
    cat = catboost.CatBoostClassifier(
        iterations=2, depth=2, verbose=False, allow_writing_files=False, cat_features=[3]
    ).fit(np.c_[x[:, :3].astype(object), x[:, 3].astype(int).astype(str)], y)
    cat.save_model(at("catboost-categories", "m.cbm"))
    plain = catboost.CatBoostRegressor(
        iterations=2, depth=3, verbose=False, allow_writing_files=False, grow_policy="Lossguide"
    ).fit(x, y)
    plain.save_model(at("catboost-lossguide", "m.cbm"))
    plain.save_model(at("catboost-json", "m.json"), format="json")
    raw(at, "catboost-pickle", "m.pkl", pickle.dumps(plain))
