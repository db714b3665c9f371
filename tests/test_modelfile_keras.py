"""Keras: what the real library wrote is clean; what would run, read or fetch while it is loaded is a finding."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import hdf5_samples
import modelfile_samples
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes
from shipworthy.modelfile.keras.names import _table, known_class, known_function

DATA = Path(__file__).parent / "data" / "models" / "keras"
HONEST = sorted(path.name for path in DATA.iterdir())


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def layer(name: str, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "registered_name": None, "config": config}


def model(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**layer("Sequential", "keras", layers=list(layers)), **more}


def archive(config: Any, *more: tuple[str, bytes]) -> bytes:
    raw = config if isinstance(config, bytes) else json.dumps(config).encode()
    metadata = b'{"keras_version": "3.9.0", "date_saved": "2025-01-01@00:00:00"}'
    weights = hdf5_samples.group()
    return modelfile_samples.zipped(
        ("metadata.json", metadata), ("config.json", raw), ("model.weights.h5", weights), *more
    )


def h5(config: Any, name: str = "model_config") -> bytes:
    return hdf5_samples.group(hdf5_samples.attribute(name, json.dumps(config).encode()))


@pytest.mark.parametrize("name", HONEST)
def test_files_of_the_real_library_are_clean(name: str) -> None:
    report = scan(DATA / name)
    assert (report.verdict, report.issues, report.unknowns) == (Verdict.CLEAN, (), ())


CODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
ADD = {"module": "keras.src.ops.numpy", "class_name": "function", "config": "add", "registered_name": "add"}
TORCH = base64.b64encode(modelfile_samples.torch_zip(modelfile_samples.EVIL)).decode()
HOSTILE: dict[str, tuple[dict[str, Any], Code, str]] = {
    "a lambda": (layer("Lambda", function=CODE), Code.KERAS_LAMBDA, "critical"),
    "a lambda of Keras 2": (layer("Lambda", None, function=["4wEAAAA=", None, None]), Code.KERAS_LAMBDA, "critical"),
    "a lambda from elsewhere": (
        layer("Lambda", "keras.src.layers.core.x", function=CODE),
        Code.KERAS_LAMBDA,
        "critical",
    ),
    "a lambda that calls Keras": (layer("Lambda", function=ADD), Code.KERAS_LAMBDA, "high"),
    "code as an activation": (layer("Dense", activation=CODE), Code.KERAS_LAMBDA, "critical"),
    "in a wrapper": (layer("Bidirectional", layer=layer("Lambda", function=CODE)), Code.KERAS_LAMBDA, "critical"),
    "os.system": (layer("system", "os", command="x"), Code.CODE_EXECUTION, "critical"),
    "a foreign package": (layer("Layer", "evil.layers"), Code.KERAS_FOREIGN_CLASS, "high"),
    "a look-alike": (layer("Dense", "keras_layers"), Code.KERAS_FOREIGN_CLASS, "high"),
    "a custom class": (layer("Mine", None), Code.KERAS_FOREIGN_CLASS, "medium"),
    "a registered name in its place": (
        {**layer("Dense", units=1), "registered_name": "evil>Dense"},
        Code.KERAS_FOREIGN_CLASS,
        "medium",
    ),
    "get_file": (layer("get_file", "keras.utils", origin="https://x"), Code.CODE_EXECUTION, "critical"),
    "get_file by a dotted name": (layer("utils.get_file", "keras"), Code.CODE_EXECUTION, "critical"),
    "a protection switched off": (
        layer("enable_unsafe_deserialization", "keras.config"),
        Code.CODE_EXECUTION,
        "critical",
    ),
    "load_model": (layer("load_model", "tf_keras.models"), Code.CODE_EXECUTION, "critical"),
    "a module imported by a layer's module": (layer("os", "keras.src.layers.layer"), Code.CODE_EXECUTION, "critical"),
    "a function object": (
        layer("Dense", activation={"module": "builtins", "class_name": "function", "config": "eval"}),
        Code.CODE_EXECUTION,
        "critical",
    ),
    "an unknown function": (
        layer("Dense", activation={"module": "mine", "class_name": "function", "config": "act"}),
        Code.KERAS_FOREIGN_CLASS,
        "high",
    ),
    "an activation by name": (layer("Dense", activation="mine"), Code.KERAS_FOREIGN_CLASS, "medium"),
    "an initializer by name": (layer("Dense", kernel_initializer="os"), Code.KERAS_FOREIGN_CLASS, "medium"),
    "a regularizer by name": (layer("Dense", bias_regularizer="evil"), Code.KERAS_FOREIGN_CLASS, "medium"),
    "a saved model": (layer("TFSMLayer", filepath="/tmp/x"), Code.CODE_EXECUTION, "critical"),
    "a function of JAX": (layer("JaxLayer"), Code.CODE_EXECUTION, "critical"),
    "a vocabulary file": (layer("StringLookup", vocabulary="/etc/passwd"), Code.EXTERNAL_DATA, "high"),
    "a vocabulary beside it": (layer("IntegerLookup", vocabulary="ids.txt"), Code.EXTERNAL_DATA, "medium"),
    "a vocabulary from the network": (
        layer("TextVectorization", vocabulary="http://169.254.169.254/"),
        Code.EXTERNAL_DATA,
        "high",
    ),
    "weights of a vocabulary": (layer("TextVectorization", idf_weights="/x"), Code.EXTERNAL_DATA, "high"),
    "an operator that writes": (layer("TFOpLambda", function="io.write_file"), Code.CUSTOM_OPERATOR, "high"),
    "an operator that calls Python": (layer("TFOpLambda", function="py_function"), Code.CUSTOM_OPERATOR, "high"),
    "a raw operator": (
        layer("TensorFlowOpLayer", node_def=json.dumps({"name": "x", "op": "ReadFile"})),
        Code.CUSTOM_OPERATOR,
        "high",
    ),
    "a type specification": (
        {**layer("__typespec__", "subprocess"), "spec_name": "Popen"},
        Code.CODE_EXECUTION,
        "critical",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_runs_or_reaches_out_is_found_in_every_format(case: str) -> None:
    hostile, code, severity = HOSTILE[case]
    config = model(layer("Dense", units=1), hostile)
    written = {
        "json": json.dumps(config).encode(),
        "yaml": yaml.safe_dump(config).encode(),
        "h5": h5(config),
        "keras": archive(config),
        "nested": archive(model(model(hostile))),
        "compiled": archive(model(compile_config={"loss": hostile})),
    }
    for name, data in written.items():
        report = scan_bytes(data)
        assert (code, severity) in {(i.code, i.severity) for i in report.issues}, (name, report)


def test_a_pickled_torch_module_is_read() -> None:
    wrapper = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": TORCH}}
    report = scan_bytes(archive(model(wrapper)))
    assert "posix:system" in {issue.callable for issue in report.issues}


@pytest.mark.parametrize(
    "training",
    [
        {"loss": CODE},
        {"loss": {"out": "mine"}},
        {"metrics": [["accuracy", "mine"]]},
        {"optimizer_config": {"class_name": "Popen", "config": {}}},
    ],
)
def test_training_configurations_are_judged(training: dict[str, Any]) -> None:
    assert scan_bytes(h5(training, "training_config")).verdict is Verdict.FINDING


def test_honest_training_configurations_are_clean() -> None:
    honest = {
        "loss": {"a": "mse", "b": "sparse_categorical_crossentropy"},
        "metrics": [["accuracy"], ["mae", "AUC"]],
        "optimizer_config": {"class_name": "Custom>Adam", "config": {"learning_rate": 0.1}},
    }
    assert scan_bytes(h5(honest, "training_config")).verdict is Verdict.CLEAN


def test_a_key_twice_is_judged_both_times() -> None:
    first, second = json.dumps(model(HOSTILE["a lambda"][0])), json.dumps(model())
    raw = first[:-1] + "," + second[1:]
    assert {Code.CONTAINER_TAMPERED, Code.KERAS_LAMBDA} <= codes(scan_bytes(archive(raw.encode())))


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"{}", b"null", b"\xff", b'{"class_name": "Sequential"'])
def test_configurations_that_keras_refuses_are_findings(raw: bytes) -> None:
    assert scan_bytes(archive(raw)).verdict is Verdict.FINDING


def test_trusted_classes_and_functions_pass_but_dangerous_ones_do_not() -> None:
    own = archive(model(layer("Mine", "my.layers"), layer("Other", None), layer("Dense", activation="mine")))
    assert scan_bytes(own, trust=["my.layers:*", "Custom:Other", "Custom:mine"]).verdict is Verdict.CLEAN
    evil = archive(model(HOSTILE["os.system"][0], HOSTILE["get_file"][0]))
    assert scan_bytes(evil, trust=["*:*"]).worst == "critical"


def test_assets_are_text_or_read_as_what_they_are() -> None:
    words = archive(model(), ("assets/layers/lookup/vocabulary.txt", b"[UNK]\nthe\ncat\n"))
    assert scan_bytes(words).verdict is Verdict.CLEAN
    evil = archive(model(), ("assets/layers/lookup/vocabulary.txt", modelfile_samples.EVIL))
    assert scan_bytes(evil).worst == "critical"
    assert scan_bytes(archive(model(), ("assets/run.py", b"#!/bin/sh\nid\n"))).verdict is Verdict.FINDING
    assert scan_bytes(archive(model(), ("custom.py", b"import os\n"))).verdict is Verdict.UNKNOWN


def test_the_configuration_is_judged_without_weights_beside_it() -> None:
    raw = json.dumps(model(HOSTILE["a lambda"][0])).encode()
    data = modelfile_samples.zipped(("metadata.json", b'{"keras_version": "3"}'), ("config.json", raw))
    assert Code.KERAS_LAMBDA in codes(scan_bytes(data))
    moved = json.dumps({"other": 1, "weight_map": {}, **json.loads(raw)}).encode()
    assert Code.KERAS_LAMBDA in codes(scan_bytes(moved))


def test_sharded_weights_stay_in_their_folder() -> None:
    def index(target: str) -> bytes:
        return json.dumps({"metadata": {}, "weight_map": {"/layers/dense/vars": [target]}}).encode()

    assert scan_bytes(index("model_00000.weights.h5")).verdict is Verdict.CLEAN
    assert codes(scan_bytes(index("../other.weights.h5"))) == {Code.PATH_TRAVERSAL}


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['id']", "!!python/name:os.system", "!custom x"])
def test_tags_in_yaml_are_findings(tag: str) -> None:
    data = f"class_name: Sequential\nconfig: {tag}\n".encode()
    assert (scan_bytes(data).format, codes(scan_bytes(data))) == ("keras-yaml", {Code.CODE_EXECUTION})


@pytest.mark.parametrize("text", ["config: |\n  a\n", 'config: "\\x41"\n', "config:\n\ta: 1\n", "config: *unknown\n"])
def test_yaml_that_is_no_architecture_is_unknown(text: str) -> None:
    assert scan_bytes(b"class_name: Sequential\n" + text.encode()).verdict is Verdict.UNKNOWN


def test_every_dangerous_name_is_outside_of_the_table() -> None:
    names = {(kind, where, name) for kind, places in _table().items() for where, ns in places.items() for name in ns}
    bad = re.compile(
        r"lambda$|torchmodule|tfsm|jaxlayer|flaxlayer|get_file|load_|save_|_file$|py_func|deserialize", re.I
    )
    assert {name for kind, _, name in names if kind != "tf" and bad.search(name)} <= {"TFOpLambda", "SlicingOpLambda"}
    assert not {name for kind, _, name in names if kind == "tf" and bad.search(name)}


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_names_outside_of_the_table_are_findings(module: str, name: str) -> None:
    if known_class(module, name) or name.startswith("__"):
        return
    assert not known_function(module, name) or module.startswith("keras") or module == "builtins"
    assert scan_bytes(h5(model(layer(name, module)))).verdict is not Verdict.CLEAN


@given(st.sampled_from(HONEST), st.floats(0, 1, exclude_max=True))
@settings(max_examples=100, deadline=None)
def test_a_file_that_is_cut_is_never_clean(name: str, part: float) -> None:
    whole = (DATA / name).read_bytes()
    if not name.endswith(".yaml"):  # YAML has no end: a part of it is a whole
        assert scan_bytes(whole[: int(len(whole) * part)]).verdict is not Verdict.CLEAN


@given(st.sampled_from(HONEST), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=5))
@settings(max_examples=150, deadline=None)
def test_changed_bytes_never_raise(name: str, changes: list[tuple[float, int]]) -> None:
    whole = bytearray((DATA / name).read_bytes())
    for place, value in changes:
        whole[int(len(whole) * place)] = value
    scan_bytes(bytes(whole))
