"""Write honest files that look odd, with the real libraries, for the second held-out set; see unseen2_write.py."""

# ruff: noqa: E501 (one model a line)
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
    from unseen2_write_models import arrays, folders, graphs, others, torch_files

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
