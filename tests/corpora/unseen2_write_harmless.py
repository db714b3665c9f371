"""Write honest files that look odd, with the real libraries, for the second held-out set; see unseen2_write.py."""

# ruff: noqa: E501, E731 (one model a line)
from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

CHAT = "{%- set ns = namespace(system='', first=true) -%}{%- macro say(m, last=false) -%}{{- '<|' ~ m.role ~ '|>\\n' ~ (m.content if m.content is string else m.content|map(attribute='text')|join('\\n')) ~ ('' if last else '\\n') -}}{%- endmacro -%}"
CHATS = {
    "macro": CHAT
    + "{%- for m in messages -%}{{ say(m, loop.last) }}{%- endfor -%}{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}",
    "namespace": CHAT
    + "{%- for m in messages if m.role != 'system' -%}{%- set ns.first = loop.index0 == 0 -%}{{ m.content|trim|replace('</think>', '')|default('') }}{%- else -%}none{%- endfor -%}",
    "slices": "{%- set rest = messages[1:] if messages[0]['role'] == 'system' else messages -%}{%- for m in rest -%}{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('roles must alternate') }}{%- endif -%}{{ bos_token + m['content'].split('</think>')[-1].lstrip('\\n').strip() + eos_token }}{%- endfor -%}",
    "tools": "{%- if tools -%}{%- for tool in tools -%}{%- set f = tool.function if tool.function is defined else tool -%}{{ f.name }}({%- for k, v in f.parameters.properties.items()|sort -%}{{ k }}: {{ v.type|upper }}{{ ', ' if not loop.last }}{%- endfor -%}){{ f|tojson(indent=2)|safe }}{%- endfor -%}{%- endif -%}{%- for m in messages -%}{{ m.content }}{%- endfor -%}",
    "dates": "{%- if not date_string is defined -%}{%- if strftime_now is defined -%}{%- set date_string = strftime_now('%d %b %Y') -%}{%- else -%}{%- set date_string = '26 Jul 2024' -%}{%- endif -%}{%- endif -%}{{ 'Today: ' + date_string }}{%- for m in messages|rejectattr('role', 'equalto', 'system')|list -%}{{ m.content }}{%- endfor -%}",
    "words": "{#- import os; eval(); __class__ -#}{%- for m in messages -%}{{ 'Do not run os.system(), exec() or __import__: ' ~ m.content }}{%- if not loop.last -%}{% continue %}{%- endif -%}{%- endfor -%}",
    "filters": "{%- for m in messages|selectattr('content')|batch(2) -%}{%- for x in m -%}{{ x.content|string|wordwrap(80)|indent(2)|truncate(400) }}{{ '%s:%d'|format(x.role, loop.index) }}{%- endfor -%}{%- endfor -%}{{ messages|length }}{{ [1, 2]|sum }}{{ (messages|first).role|capitalize }}",
    "filter-block": "{%- filter trim -%}{%- call(m) each(messages) -%}{{ m.content }}{%- endcall -%}{%- endfilter -%}{%- macro each(all) -%}{%- for m in all -%}{{ caller(m) }}{%- endfor -%}{%- endmacro -%}",
}


def write(out: Path) -> None:
    for part in (texts, archives, sklearn, tables, torch_files, arrays, graphs, folders, others):
        try:
            part(lambda what, file: _at(out, what, file))
        except Exception:
            print("FAILED", part.__name__)
            traceback.print_exc()


def _at(out: Path, what: str, file: str) -> str:
    path = out / "harmless2" / what / file
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


At = Callable[[str, str], str]


def raw(at: At, what: str, file: str, data: bytes | str) -> None:
    Path(at(what, file)).write_bytes(data.encode() if isinstance(data, str) else data)


def texts(at: At) -> None:
    for what, text in CHATS.items():
        raw(
            at,
            f"template-{what}",
            "tokenizer_config.json",
            json.dumps({"tokenizer_class": "LlamaTokenizer", "chat_template": text}),
        )
    raw(at, "template-file", "chat_template.jinja", CHATS["tools"])
    raw(
        at,
        "template-list",
        "tokenizer_config.json",
        json.dumps({"chat_template": [{"name": n, "template": t} for n, t in CHATS.items()]}),
    )
    raw(
        at,
        "hydra-nemo",
        "model_config.yaml",
        "target: nemo.collections.asr.models.ctc_models.EncDecCTCModel\noptim:\n  name: novograd\n  lr: 0.01\nencoder:\n  _target_: nemo.collections.asr.modules.ConvASREncoder\n  feat_in: 64\n  jasper:\n  - {filters: 128, kernel: [11], dilation: [1]}\nlabels: &l [a, b, 'exec']\ncopy: *l\n",
    )
    raw(
        at,
        "yaml-anchors",
        "params.yaml",
        "# see ../other.yaml\nbase: &b {lr: 1e-3, betas: [0.9, 0.999]}\nsmall:\n  <<: *b\n  note: |\n    eval() of the model: os.system is a word\n  text: >-\n    folded\n    lines\n",
    )
    raw(
        at,
        "json-mlflow-input",
        "input_example.json",
        json.dumps({"columns": ["a", "exec"], "data": [[1.0, "os.system('x')"]]}),
    )


def archives(at: At) -> None:
    import numpy as np

    body = pickle.dumps({"weights": [1.0] * 1000}, 4)
    for method, name in ((zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        with zipfile.ZipFile(at(f"zip-{name}", "m.zip"), "w", method) as z:
            z.writestr("model.pkl", body)
    with zipfile.ZipFile(at("zip-forced64", "m.zip"), "w") as z, z.open("model.pkl", "w", force_zip64=True) as f:
        f.write(body)

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, b: bytes) -> int:
            self.data += bytes(b)
            return len(b)

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("model.pkl", body)
        z.writestr("größe/重み.npy", _npy(np.ones(3)))
    raw(at, "zip-streamed", "m.zip", stream.data)
    with zipfile.ZipFile(at("zip-comment", "m.zip"), "w") as z:
        z.comment = ("model of 2024; os.system is only a word here. " * 500).encode()
        z.writestr("model.pkl", body)
        info = zipfile.ZipInfo("notes.txt", (2024, 1, 1, 0, 0, 0))
        info.comment = b"a note"
        z.writestr(info, "hello")
    with zipfile.ZipFile(at("zip-folders", "m.zip"), "w") as z:
        z.mkdir("model") if hasattr(z, "mkdir") else z.writestr("model/", b"")
        z.writestr("model/weights.npy", _npy(np.arange(4)))
        z.writestr("model/empty", b"")
    zipfile.ZipFile(at("zip-empty", "m.zip"), "w").close()
    for form, name in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        with tarfile.open(at(f"tar-{name}", "m.tar"), "w", format=form) as t:
            info = tarfile.TarInfo("model/" + "deep/" * 18 + "weights.npy")
            data = _npy(np.ones((2, 2)))
            info.size, info.mtime, info.uname = len(data), 1700000000, "somebody"
            t.addfile(info, io.BytesIO(data))
    with tarfile.open(at("tar-unicode", "m.tar.xz"), "w:xz", format=tarfile.PAX_FORMAT) as t:
        info = tarfile.TarInfo("modèle/重み" + "x" * 120 + ".npy")
        data = _npy(np.ones((2, 2)))
        info.size, info.mtime = len(data), 1700000000.5
        t.addfile(info, io.BytesIO(data))
    with tarfile.open(at("tar-link-inside", "m.tar"), "w") as t:
        data = _npy(np.ones((2, 2)))
        info = tarfile.TarInfo("a.npy")
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("latest.npy")
        link.type, link.linkname = tarfile.SYMTYPE, "a.npy"
        t.addfile(link)
    tarfile.open(at("tar-empty", "m.tar"), "w").close()
    raw(at, "layers-gzip-twice", "m.pkl.gz.gz", gzip.compress(gzip.compress(body)))
    raw(at, "layers-xz-members", "m.pkl.xz", lzma.compress(body[:500]) + lzma.compress(body[500:]))
    raw(at, "layers-bz2-members", "m.pkl.bz2", bz2.compress(body[:500]) + bz2.compress(body[500:]))
    import zstandard

    raw(
        at,
        "layers-zstd-checksum",
        "m.pkl.zst",
        zstandard.ZstdCompressor(level=19, write_checksum=True, write_content_size=True).compress(body),
    )
    raw(at, "layers-zstd-stream", "m.pkl.zst", _zstd_stream(zstandard, body))
    import lz4.frame

    raw(
        at,
        "layers-lz4-linked",
        "m.pkl.lz4",
        lz4.frame.compress(body, block_linked=True, content_checksum=True, block_checksum=True),
    )


def _zstd_stream(zstandard: object, body: bytes) -> bytes:
    out = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(out, closefd=False) as w:
        for start in range(0, len(body), 100):
            w.write(body[start : start + 100])
            w.flush()
    return out.getvalue()


def _npy(array: object) -> bytes:
    import numpy as np

    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def sklearn(at: At) -> None:
    import joblib
    import numpy as np
    import skops.io
    from sklearn import (
        calibration,
        cluster,
        decomposition,
        ensemble,
        gaussian_process,
        isotonic,
        kernel_approximation,
        linear_model,
        manifold,
        mixture,
        model_selection,
        multiclass,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
        tree,
    )
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel

    rng = np.random.RandomState(0)
    x, y = rng.rand(60, 3), np.array([0, 1, 2] * 20)
    models = {
        "search": model_selection.GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2).fit(x, y),
        "gp": gaussian_process.GaussianProcessRegressor(RBF() + WhiteKernel()).fit(x, y),
        "hist": ensemble.HistGradientBoostingClassifier(max_iter=3).fit(x, y),
        "gb": ensemble.GradientBoostingClassifier(n_estimators=3).fit(x, y),
        "isolation": ensemble.IsolationForest(n_estimators=3).fit(x),
        "stack": ensemble.StackingClassifier([("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier())], cv=2).fit(x, y),
        "calibrated": calibration.CalibratedClassifierCV(linear_model.SGDClassifier(), cv=2).fit(x, y),
        "mlp": neural_network.MLPClassifier((4,), max_iter=5).fit(x, y),
        "balltree": neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="haversine").fit(x[:, :2], y),
        "kde": neighbors.KernelDensity().fit(x),
        "isotonic": isotonic.IsotonicRegression().fit(x[:, 0], y),
        "birch": cluster.Birch(n_clusters=2).fit(x),
        "mixture": mixture.BayesianGaussianMixture(n_components=2).fit(x),
        "tsne": manifold.Isomap(n_neighbors=5).fit(x),
        "onevsrest": multiclass.OneVsRestClassifier(linear_model.LogisticRegression()).fit(x, y),
        "target": TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1).fit(x, y),
        "text": pipeline.make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), decomposition.TruncatedSVD(2), linear_model.LogisticRegression()).fit(["os system exec", "eval import", "a b c"], [0, 1, 0]),
        "columns": ColumnTransformer([("s", preprocessing.SplineTransformer(), [0]), ("q", preprocessing.QuantileTransformer(n_quantiles=5), [1]), ("k", preprocessing.KBinsDiscretizer(3), [2])]).fit(x),
        "union": pipeline.make_union(kernel_approximation.Nystroem(n_components=3), preprocessing.PolynomialFeatures()).fit(x),
    }  # fmt: skip
    for number, (what, model) in enumerate(models.items()):
        compress = [0, ("zlib", 1), ("gzip", 9), ("bz2", 3), ("lzma", 1), ("xz", 3), ("lz4", 1)][number % 7]
        joblib.dump(model, at(f"sklearn-{what}", "model.joblib"), compress=compress, protocol=2 + number % 4)
        if what in {"search", "hist", "stack", "text", "union"}:
            skops.io.dump(model, at(f"skops-{what}", "m.skops"), compression=zipfile.ZIP_DEFLATED)
    with open(at("sklearn-several", "models.pkl"), "wb") as f:
        pickle.dump(models["mlp"], f, 4)
        pickle.dump(models["gb"], f, 5)


def tables(at: At) -> None:
    import networkx as nx
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq
    import scipy.sparse as sp

    index = pd.MultiIndex.from_product([["a", "b"], pd.period_range("2024", periods=2, freq="M")])
    frame = pd.DataFrame(
        {
            "i": pd.interval_range(0, 4),
            "s": pd.array(["x", None, "y", "z"], dtype="string"),
            "n": pd.array([1, None, 3, 4], dtype="Int64"),
            "c": pd.Categorical(["u", "v", "u", None], ordered=True),
            "t": pd.date_range("2024", periods=4, tz="Europe/Paris"),
            "d": pd.to_timedelta([1, 2, 3, 4], "D"),
            "sp": pd.arrays.SparseArray([0, 0, 1, 0]),
        },
        index=index,
    )
    frame.attrs["note"] = "exec(open('x').read())"
    for suffix in ("", ".gz", ".bz2", ".xz", ".zip", ".tar"):
        frame.to_pickle(at(f"pandas-frame{suffix.replace('.', '-')}", f"f.pkl{suffix}"))
    pd.DataFrame({"a b": [1.0, 2.0], "exec": [1, 2]}).to_hdf(at("pandas-hdf", "f.h5"), key="table", format="table")
    small = frame.reset_index(drop=True)[["s", "n", "c", "t", "d"]]
    pq.write_table(
        pa.Table.from_pandas(small),
        at("parquet-options", "f.parquet"),
        compression="brotli",
        use_dictionary=False,
        write_page_index=True,
        write_page_checksum=True,
        data_page_version="2.0",
    )
    pq.write_table(
        pa.table(
            {
                "l": [[1, [2][0]], None],
                "m": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int8())),
                "e": pa.array([{"x": {"y": 1}}, None]),
            }
        ),
        at("parquet-nested", "f.parquet"),
        compression="lz4",
    )
    feather.write_feather(small, at("feather-zstd", "f.feather"), compression="zstd")
    tensor = pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.int32(), [2, 2]), pa.array([[1, 2, 3, 4]], pa.list_(pa.int32(), 4))
    )
    with (
        pa.OSFile(at("arrow-tensor", "f.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, pa.schema([("t", tensor.type)])) as w,
    ):
        w.write_table(pa.table({"t": tensor}))
    raw(at, "networkx", "graph.pkl", pickle.dumps(nx.les_miserables_graph(), 4))
    sp.save_npz(at("scipy-npz", "m.npz"), sp.random(10, 10, 0.2, format="csr"))
    raw(
        at,
        "scipy-pickles",
        "m.pkl",
        pickle.dumps(
            [
                sp.coo_array(np.eye(3)),
                sp.dok_matrix((2, 2)),
                __import__("scipy.stats").stats.norm(1, 2),
                __import__("scipy.spatial").spatial.cKDTree(np.eye(3)),
                __import__("scipy.interpolate").interpolate.interp1d([0, 1], [2, 3]),
            ]
        ),
    )
    raw(
        at,
        "pickle-hash-order",
        "m.pkl",
        pickle.dumps({frozenset([i, str(i)]): {(i, None): {i}} for i in range(300)}, 5),
    )


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
