"""Write honest files that look odd, with the real libraries; see unseen_write.py."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import collections
import datetime
import decimal
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path


def write(out: Path) -> None:
    def at(what: str, file: str) -> str:
        path = out / "harmless" / what / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def raw(what: str, file: str, data: bytes | str) -> None:
        Path(at(what, file)).write_bytes(data.encode() if isinstance(data, str) else data)

    shared = ["exec", "os.system", "__globals__", "eval"]
    values: dict[str, object] = {
        "names-that-sound": {"exec": 1, "os.system": [2], "__reduce__": 3, "cos\nsystem\n": 4},
        "unicode": {"größe": 1.0, "重み": [1], "🤗": "ok", "\u202e": "x"},
        "memo": [shared] * 5000,
        "dates": [datetime.datetime(2024, 1, 1), datetime.timedelta(3), decimal.Decimal("1.5"), 1 + 2j, frozenset([1]), range(3), slice(1, 2)],
        "containers": [collections.OrderedDict(a=1), collections.Counter("aab"), collections.deque([1], 3), collections.defaultdict(list, a=[1])],
        "empty": {},
        "none": None,
        "long": 1 << 5000,
        "deep-list": None,
        "bytes": [bytes(range(256)), bytearray(b"cos\nsystem\n(S'x'\ntR.")],
    }  # fmt: skip
    nested: list = []
    for _ in range(200):
        nested = [nested]
    values["deep-list"] = nested
    for what, value in values.items():
        for protocol in (0, 5):
            raw(f"pickle-{what}-{protocol}", "m.pkl", pickle.dumps(value, protocol))
    chat = "{%- for message in messages %}{%- if loop.first and message.role == 'system' %}{%- set ns = namespace(found=false) %}{%- endif %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']|trim + '<|im_end|>' }}{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}{% if tools is defined %}{{ tools | tojson(indent=4) }}{% endif %}{# do not exec or import os here #}"
    raw(
        "safetensors-index",
        "model.safetensors.index.json",
        json.dumps({"metadata": {"total_size": 8}, "weight_map": {"a..b": "model-00001-of-00001.safetensors"}}),
    )
    raw("template-honest", "chat_template.jinja", chat)
    raw(
        "tokenizer-config",
        "tokenizer_config.json",
        json.dumps({"chat_template": chat, "bos_token": "<s>", "tokenizer_class": "LlamaTokenizer"}),
    )
    raw(
        "config-odd",
        "config.json",
        json.dumps(
            {
                "model_type": "bert",
                "architectures": ["BertModel"],
                "id2label": {"0": "exec", "1": "../up"},
                "_name_or_path": "/srv/someone/model",
            }
        ),
    )
    raw("yaml-honest", "config.yaml", "# exec: no\noptimizer: {name: adam, lr: 1.0e-3}\npath: ../data\n")

    import gguf
    import h5py
    import joblib
    import numpy as np
    import onnx
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import safetensors.numpy
    import torch
    from onnx import helper
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    x, y = np.arange(20.0).reshape(10, 2), np.array([0, 1] * 5)
    scalars = [
        np.float32(1),
        np.int64(2),
        np.bool_(True),
        np.datetime64("2024-01-01"),
        np.array(["a", "bc"]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    ]
    raw("pickle-numpy-scalars", "m.pkl", pickle.dumps(scalars, 5))
    model = LogisticRegression().fit(x, y)
    forest = RandomForestClassifier(3).fit(x, y)
    joblib.dump(model, at("joblib-plain", "m.joblib"))
    joblib.dump(forest, at("joblib-lz4", "m.joblib"), compress=("lz4", 3))
    joblib.dump(forest, at("joblib-xz-9", "m.joblib"), compress=("xz", 9))
    joblib.dump(
        make_pipeline(ColumnTransformer([("exec", OneHotEncoder(), [0]), ("os", StandardScaler(), [1])]), model).fit(
            x, y
        ),
        at("joblib-pipeline", "no_extension"),
    )
    joblib.dump(
        {"m": model, "names": np.array(["ä", "b"], dtype=object)}, at("joblib-object-array", "m.pkl"), compress=0
    )
    frame = pd.DataFrame(
        {"a b": [1.0, None], "exec": pd.Categorical(["x", "y"]), "t": pd.date_range("2024", periods=2)}
    )
    frame.to_pickle(at("pandas-frame", "f.pkl"))
    frame.to_pickle(at("pandas-frame-zst", "f.pkl.zst"))
    pq.write_table(
        pa.Table.from_pandas(frame).replace_schema_metadata({"note": "exec(open('x').read())", "pandas": "{}"}),
        at("parquet-metadata", "f.parquet"),
    )
    pq.write_table(pa.table({}), at("parquet-empty", "f.parquet"))
    np.save(at("npy-empty", "a.npy"), np.zeros((0, 3)))
    np.save(at("npy-zero-dimensions", "a.npy"), np.array(3.0))
    np.save(at("npy-fortran", "a.npy"), np.asfortranarray(x))
    np.save(at("npy-unicode-fields", "a.npy"), np.zeros(2, dtype=[("größe", "f4"), ("名", "U3")]))
    np.savez_compressed(at("npz-odd-names", "a.npz"), **{"layer/0:kernel": x, "os.system": y, "..dots..": x, "ü": y})
    np.savez(at("npz-empty", "a.npz"))
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    tied = torch.ones(4)
    torch.save(
        {
            "a": tied,
            "b": tied[1:],
            "c": tied.view(2, 2).t(),
            "empty": torch.zeros(0, 3),
            "half": tied.half(),
            "bf": tied.bfloat16(),
        },
        at("torch-views", "weights with space.pt"),
    )
    torch.save(
        {
            "epoch": 1,
            "optimizer": torch.optim.Adam(net.parameters()).state_dict(),
            "rng": torch.get_rng_state(),
            "note": "os.system('x')",
        },
        at("torch-checkpoint", "m.ckpt"),
    )
    torch.save(net.state_dict(), at("torch-legacy", "m.bin"), _use_new_zipfile_serialization=False)
    torch.save({}, at("torch-empty", "m.pt"))
    torch.jit.script(net).save(at("torchscript", "m.pt"))
    torch.jit.save(
        torch.jit.trace(net, torch.ones(1, 2)),
        at("torchscript-extra", "m.pt"),
        _extra_files={"labels.txt": "eval\nexec\n"},
    )
    st = safetensors.numpy.save_file
    st(
        {"w": x},
        at("safetensors-metadata", "m.safetensors"),
        {"format": "pt", "note": "exec(__import__('os'))", "ünïcode": "✓"},
    )
    st({"empty": np.zeros((0,)), "scalar": np.array(1.0), "": x}, at("safetensors-odd-shapes", "m.safetensors"))
    st({}, at("safetensors-empty", "m.safetensors"))
    for what, extra in {"gguf-template": {}, "gguf-alignment": {"align": 64}}.items():
        w = gguf.GGUFWriter(at(what, "m.gguf"), "llama")
        w.add_chat_template(chat)
        w.add_array("tokenizer.ggml.tokens", ["__class__", "__globals__", "os.system", "é"])
        if extra:
            w.add_custom_alignment(64)
        w.add_tensor("t", np.ones((3,), "f4"))
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
    value = [helper.make_tensor_value_info(n, 1, [1]) for n in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"], name="exec/os.system", doc_string="eval()")],
        "größe",
        value[:1],
        value[1:],
    )
    onnx.save(
        helper.make_model(graph, producer_name="exec", doc_string="uses ../nothing"), at("onnx-odd-names", "m.onnx")
    )
    loop = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        value[:1],
        value[1:],
        [helper.make_tensor("unused", 1, [0], [])],
    )
    onnx.save(helper.make_model(loop), at("onnx-empty-initializer", "m.onnx"))
    with h5py.File(at("hdf5-attributes", "m.h5"), "w") as h:
        h.attrs["note"] = "exec"
        h.attrs["names"] = [b"a", b"os.system"]
        h.create_dataset("größe/kernel:0", data=x, chunks=(5, 1), compression="gzip", shuffle=True)
        h["soft"] = h5py.SoftLink("/größe")
    h5py.File(at("hdf5-empty", "m.h5"), "w").close()
    with zipfile.ZipFile(at("zip-nested", "m.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        z.write(at("npy-fortran", "a.npy"), "inner/a.npy")
        z.write(at("npz-odd-names", "a.npz"), "inner/a.npz")
        z.comment = b"exec"
    with tarfile.open(at("tar-names", "m.tar"), "w") as t:
        info = tarfile.TarInfo("./model..v1/" + "long" * 60 + ".npy")
        data = Path(at("npy-fortran", "a.npy")).read_bytes()
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
