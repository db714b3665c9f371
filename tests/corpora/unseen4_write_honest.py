"""Write the odd honest files of the fourth blind set: `PYTHONPATH=tests python unseen4_write_honest.py OUT`."""
# mypy: ignore-errors

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import gzip
import json
import lzma
import pathlib
import pickle
import sys
import uuid
import zipfile

import joblib
import lightgbm
import numpy as np
import pandas as pd
import scipy.sparse
import torch
import xgboost
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import GradientBoostingClassifier, IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

OUT = pathlib.Path(sys.argv[1]) / "honest"
X, Y = np.arange(40.0).reshape(20, 2) % 7, np.arange(20) % 2


def to(name, data=None):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is not None:
        path.write_bytes(data)
    return path


def values():
    to("empty-list/a.pkl", pickle.dumps([]))
    to("none-protocol-0/a.pkl", pickle.dumps(None, 0))
    to(
        "commands-as-text/rows.pkl",
        pickle.dumps(["os.system('rm -rf /')", "cos\nsystem\n(S'id'\ntR.", "eval(exec)", "curl x | sh"], 0),
    )
    to(
        "names-as-keys/vocab.pkl",
        pickle.dumps({"eval": 1, "exec": 2, "__import__": 3, "subprocess": 4, "os.system": 5}, 2),
    )
    odd = [
        decimal.Decimal("1.5"),
        fractions.Fraction(1, 3),
        uuid.UUID(int=7),
        datetime.timedelta(1),
        2**3000,
        float("nan"),
    ]
    to("odd-scalars/a.pkl", pickle.dumps(odd, 4))
    to("zones/dates.pkl", pickle.dumps([datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.time(1, 2)]))
    deep = []
    for _ in range(80):
        deep = [deep, {"a": (deep,)}]
        deep = [deep[0]]
    to("deep/a.pkl", pickle.dumps(deep))
    loop = {"a": 1}
    loop["self"] = loop
    to("holds-itself/a.pkl", pickle.dumps(loop, 1))
    to(
        "collections/a.pkl",
        pickle.dumps(
            [
                collections.OrderedDict(a=1),
                collections.Counter("abca"),
                collections.deque([1], 3),
                collections.defaultdict(list, {1: [2]}),
                {1, 2},
                frozenset([3]),
            ]
        ),
    )
    to("many-streams/log.pkl", b"".join(pickle.dumps({"epoch": i, "loss": 1 / (i + 1)}, i % 6) for i in range(12)))
    to("bytes-like-a-zip/a.pkl", pickle.dumps({"blob": b"PK\x03\x04 not a zip", "png": b"\x89PNG\r\n"}))
    to(
        "slices/a.pkl",
        pickle.dumps([slice(1, 2), range(5), complex(1, 2), bytearray(b"abc"), Ellipsis, int, dict, np.float32]),
    )


def learners():
    models = {
        "kernel": GaussianProcessRegressor(RBF() + WhiteKernel()), "boosting": GradientBoostingClassifier(n_estimators=3),
        "isolation": IsolationForest(n_estimators=3), "neighbours": KNeighborsClassifier(algorithm="ball_tree"),
        "svm": SVC(probability=False), "means": KMeans(2, n_init=1), "svd": TruncatedSVD(1),
    }  # fmt: skip
    for number, (name, model) in enumerate(models.items()):
        to(f"sk-{name}/model.pkl", pickle.dumps(model.fit(X, Y), 2 + number % 4))
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(X[:, 0], Y)
    joblib.dump(isotonic, to("sk-isotonic/model.joblib.xz"), compress=("xz", 3))
    text = TfidfVectorizer(ngram_range=(1, 2), stop_words="english").fit(
        ["os system rm", "eval exec curl", "import touch"]
    )
    joblib.dump(text, to("sk-text/vectorizer.pkl.gz"), compress=("gzip", 9))
    union = FeatureUnion([("a", FunctionTransformer(np.log1p, inverse_func=np.expm1)), ("b", StandardScaler())])
    pipe = make_pipeline(union, LogisticRegression()).fit(X, Y)
    joblib.dump({"model": pipe, "f1": 0.5, "date": datetime.date(2026, 1, 1)}, to("sk-union/bundle.joblib"), compress=3)
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 10), "b": np.arange(20.0)})
    columns = ColumnTransformer(
        [("c", OneHotEncoder(), make_column_selector(dtype_include="category")), ("n", "passthrough", ["b"])]
    )
    to("sk-columns/prep.pickle", pickle.dumps(columns.fit(frame), 5))
    booster = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(X, Y)
    for kind in ("json", "ubj"):
        booster.save_model(to(f"xgboost-{kind}/model.{kind}"))
    to("xgboost-pickle/model.pkl", pickle.dumps(booster))
    light = lightgbm.train({"verbose": -1, "objective": "binary", "min_data_in_leaf": 1}, lightgbm.Dataset(X, Y), 2)
    light.save_model(to("lightgbm/model.txt"))
    to("lightgbm-pickle/model.pkl", pickle.dumps(light))


def tables():
    frame = pd.DataFrame({
        "a": [1, 2, None], "t": pd.to_datetime(["2026-01-01", None, "2026-03-01"], utc=True), "s": pd.array(["x", None, "eval"], dtype="string"),
        "i": pd.array([1, None, 3], dtype="Int64"), "c": pd.Categorical(["lo", "hi", "lo"], ordered=True), "p": pd.period_range("2026", periods=3, freq="M"),
    })  # fmt: skip
    to("frame-types/frame.pkl", pickle.dumps(frame.set_index(["a", "c"])))
    frame.to_pickle(to("frame-zst/frame.pkl.zst"))
    frame[["a", "s", "i", "c"]].to_parquet(to("parquet-zstd/f.parquet"), compression="zstd")
    frame[["a", "s"]].to_feather(to("feather/f.feather"))
    to("sparse/x.pkl", pickle.dumps(scipy.sparse.random(20, 30, 0.1, "csr", random_state=1)))
    scipy.sparse.save_npz(to("sparse-npz/x.npz"), scipy.sparse.eye(4, format="coo"))


def arrays():
    np.save(to("npy-fortran/a.npy"), np.asfortranarray(X))
    np.save(to("npy-zero/a.npy"), np.float16(3))
    np.save(
        to("npy-structured/a.npy"),
        np.zeros(3, [("a", "<i4"), ("b", "S5"), ("t", "<M8[ns]"), ("n", [("x", "f4", (2, 3))])]),
    )
    np.save(to("npy-empty/a.npy"), np.empty((0, 5), ">c16"))
    np.savez_compressed(to("npz-unicode/a.npz"), größe=X, 字=np.array(["os.system", "é"]))
    to("masked/a.pkl", pickle.dumps(np.ma.masked_greater(X, 3), 3))
    rng = np.random.default_rng(1)
    to("generator/rng.pkl", pickle.dumps({"rng": rng, "old": np.random.RandomState(2), "dtype": np.dtype("M8[D]")}))
    with gzip.open(to("npy-gzip/a.npy.gz"), "wb") as file:
        np.save(file, X)
    to("xz-pickle/a.pkl.xz", lzma.compress(pickle.dumps({"w": X})))


def torches():
    net = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.BatchNorm1d(2), torch.nn.LSTM(2, 2))
    half = {k: v.to(torch.bfloat16) if v.is_floating_point() else v for k, v in net.state_dict().items()}
    torch.save(half, to("torch-half/model.bin"))
    torch.save(net, to("torch-whole/net.pt"))
    torch.save(net.state_dict(), to("torch-legacy/net.pth"), _use_new_zipfile_serialization=False)
    view = torch.arange(12.0)
    torch.save(
        {"all": view, "part": view[2:5], "t": view.view(3, 4).t(), "c": torch.complex(view, view), "e": torch.empty(0)},
        to("torch-views/t.pt"),
    )
    torch.save(torch.sparse_csr_tensor([0, 1, 2], [0, 1], [1.0, 2.0], check_invariants=True), to("torch-sparse/s.pt"))
    optimizer = torch.optim.AdamW(net.parameters())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    torch.save(
        {
            "epoch": 2,
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "args": {"cmd": "python train.py | tee log"},
        },
        to("torch-checkpoint/last.ckpt"),
    )
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), to("torch-script/net.pt"))
    torch.save(torch.nn.utils.rnn.pack_sequence([torch.ones(2), torch.ones(1)]), to("torch-packed/p.pt"))
    with zipfile.ZipFile(to("release-zip/release.zip"), "w", zipfile.ZIP_DEFLATED) as file:
        file.write(OUT / "torch-half/model.bin", "release/model.bin")
        file.writestr("release/vocab.txt", "[PAD]\nimport\nos\nsystem\neval\n")


def folders():
    from safetensors.torch import save_file

    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": 4,
        "note": "do not run os.system here",
    }
    to("hf-folder/config.json", json.dumps(config).encode())
    save_file(
        {"w": torch.ones(2, 2), "scalar": torch.tensor(1.0), "empty": torch.empty(0, 3)},
        to("hf-folder/model.safetensors"),
        {"format": "pt", "author": "eval <e@example.org>"},
    )
    to("hf-folder/README.md", b"# Model\n\n```python\nimport os\nos.system('pip install transformers')\n```\n")
    to("hf-folder/vocab.txt", b"[PAD]\n[UNK]\n__import__\nos\n")
    template = "{% set ns = namespace(found=false) %}{%- for m in messages if m.role != 'system' -%}{{ '<|' ~ m['role'] ~ '|>' + m['content'] | trim }}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}{%- endfor -%}{{ raise_exception('no') if ns.found else '' }}"
    to("template-file/chat_template.jinja", template.encode())
    macro = "{%- macro json_to_python(t) %}{%- set m = {'string': 'str'} %}{{ m[t] if t in m else 'Any' }}{% endmacro %}{{ json_to_python('string') }}{{ messages[0].get('content', '')[:3] | tojson }}"
    to(
        "template-tools/tokenizer_config.json",
        json.dumps(
            {"chat_template": [{"name": "default", "template": template}, {"name": "tool_use", "template": macro}]}
        ).encode(),
    )


if __name__ == "__main__":
    for part in (values, learners, tables, arrays, torches, folders):
        part()
