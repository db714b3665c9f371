"""Models that are written as text are read wherever they lie; other texts are nobody's business."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpora import hostile
from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Kind, Severity, Skipped
from shipworthy.modelfile import scan_bytes

DATA = Path(__file__).parent / "data" / "models"
CHECKS = [
    load_check(f"shipworthy.checks.models.{module}", name)
    for module, name in (
        ("model_file", "model-file"),
        ("model_text", "model-text"),
        ("model_config", "model-config"),
        ("archive", "model-archive"),
    )
]
FAMILIES = (
    "Keras JSON",
    "Keras YAML",
    "XGBoost",
    "LightGBM, CatBoost",
    "OpenVINO",
    "PMML",
    "MLflow",
    "Jinja",
    "Paddle",
)


def said(folder: Path, name: str) -> Iterator[Finding | Skipped]:
    """What the checks of models say of one file of a folder."""
    for artifact in discover(folder).artifacts:
        for check in CHECKS:
            if artifact.uri == name and check.looks_at(artifact):
                yield from check.call(artifact, Context(folder))


def put(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_reader_finds_in_a_text_the_command_reports(family: str, tmp_path: Path) -> None:
    units = [unit for unit in hostile.units() if unit.family == family]
    assert units
    for number, unit in enumerate(units):
        report = scan_bytes(unit.data)
        if not any(issue.severity in ("high", "critical") for issue in report.issues):
            continue
        folder = tmp_path / str(number)
        for name, data in unit.files.items():
            put(folder, name, data)
        heard = list(said(folder, next(iter(unit.files))))
        loud = [item for item in heard if isinstance(item, Finding) and item.severity >= Severity.HIGH]
        assert loud or any(isinstance(item, Skipped) for item in heard), unit.id


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", json.dumps({"name": "app", "scripts": {"test": "node t.js"}})),
        ("course.json", json.dumps({"class_name": "English 101", "pupils": ["Ann", "Bo"]})),
        ("openapi.json", json.dumps({"openapi": "3.1.0", "paths": {}})),
        ("broken.json", '{"a": 1,'),
        ("page.html", '<!DOCTYPE html><html><head><script>eval("1")</script></head></html>'),
        ("Info.plist", '<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "x"><plist/>'),
        ("pom.xml", '<?xml version="1.0"?><project xmlns="http://maven.apache.org/POM/4.0.0"><a/></project>'),
        ("logo.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("notes.txt", "tree\nof life\n"),
        ("settings.yaml", "class_name: Spam\nconfig: {a: 1}\n"),
    ],
)
def test_other_texts_are_left_alone(name: str, text: str, tmp_path: Path) -> None:
    put(tmp_path, name, text.encode())
    assert not list(said(tmp_path, name))


@pytest.mark.parametrize(
    "path",
    sorted(path for path in DATA.rglob("*") if path.suffix in (".json", ".txt", ".xml", ".pmml")),
    ids=str,
)
def test_honest_models_in_text_are_clean(path: Path) -> None:
    heard = [item for item in said(path.parent, path.name) if isinstance(item, Finding)]
    assert not [item for item in heard if item.severity >= Severity.MEDIUM], path


@pytest.mark.parametrize(("name", "start"), [("a.7z", b"7z\xbc\xaf\x27\x1c\0\4"), ("a.rar", b"Rar!\x1a\7\1\0")])
def test_an_archive_that_nobody_reads_is_a_gap(name: str, start: bytes, tmp_path: Path) -> None:
    put(tmp_path, name, start + bytes(100))
    (artifact,) = discover(tmp_path).artifacts
    assert artifact.kind is Kind.OTHER
    assert [type(item) for item in said(tmp_path, name)] == [Skipped]


def test_a_pickle_in_a_broken_text_is_found_though_the_text_is_no_model(tmp_path: Path) -> None:
    put(tmp_path, "a.json", b"{\"a\": 1,\ncos\nsystem\n(S'id'\ntR.")
    assert "model-code-execution" in [item.rule.id for item in said(tmp_path, "a.json") if isinstance(item, Finding)]


TENSORFLOW = "saved_model_schema_version: 1 meta_graphs { graph_def { node { %s } } }"
EXTERNAL = 'ir_version: 8 graph { initializer { name: "w" external_data < %s > } node { op_type: "Relu" } }'
CAFFE = 'name: "n" layer { type: "Python" python_param { module: "%s" layer: "%s" } }'
MIL = "program(1.0)\n{ func main<ios15>() { w = const()[val = tensor<fp16, [4]>(BLOBFILE(path = %s, offset = 64))]; } }"
ONNX = {"irVersion": "8", "graph": {"initializer": [{"name": "w", "externalData": []}]}}


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("saved_model.pbtxt", TENSORFLOW % r'op: "Read\x46ile" name: "a"', "model-dangerous-operator"),
        ("saved_model.pbtxt", TENSORFLOW % "op : 'Write' # x\n \"File\"", "model-dangerous-operator"),
        (
            "saved_model.pbtxt",
            TENSORFLOW % 'attr { key: "a" } [x.y/z] { a: [1, 2] } op: "PyFunc"',
            "model-dangerous-operator",
        ),
        ("saved_model.pbtxt", TENSORFLOW % 'op: "Add" name: "a"', ""),
        ("model.textproto", EXTERNAL % 'value: "/etc/passwd" key: "location"', "model-path-traversal"),
        ("model.textproto", EXTERNAL % 'key: "location" value: "w.bin"', ""),
        ("deploy.prototxt", CAFFE % ("os", "system"), "model-unknown-callable"),
        ("model.mil", MIL % 'tensor<string, []>("/etc/passwd")', "model-path-traversal"),
        ("model.mil", MIL % 'string("../x")', "model-path-traversal"),
        ("model.mil", MIL % 'tensor<string, []>("@model_path/weights/weight.bin")', ""),
        ("model.json", json.dumps(ONNX), ""),
        ("model.json", json.dumps(ONNX).replace("[]", '[{"key": "location", "value": "/x"}]'), "model-path-traversal"),
    ],
)
def test_graphs_as_text_are_judged_and_are_gaps(name: str, text: str, rule: str, tmp_path: Path) -> None:
    put(tmp_path, name, text.encode())
    heard = list(said(tmp_path, name))
    assert [item.rule.id for item in heard if isinstance(item, Finding)] == [rule] * bool(rule)
    assert [type(item) for item in heard if not isinstance(item, Finding)] == [Skipped]


def test_texts_that_only_show_a_graph_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt", b'A node looks so:\n\nnode { op: "ReadFile" }\n')
    assert not list(said(tmp_path, "notes.txt"))


def test_an_exported_function_of_jax_is_a_gap_whatever_its_name(tmp_path: Path) -> None:
    for name in ("f.bin", "f.jaxexport"):
        put(tmp_path, name, (DATA / "rows" / "sine.jaxexport").read_bytes())
        assert [type(item) for item in said(tmp_path, name)] == [Skipped]


def test_a_list_of_openvinos_plugins_is_a_gap(tmp_path: Path) -> None:
    put(tmp_path, "plugins.xml", b'<ie><plugins><plugin name="CPU" location="/tmp/x.so"/></plugins></ie>')
    assert [type(item) for item in said(tmp_path, "plugins.xml")] == [Skipped]
