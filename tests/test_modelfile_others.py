"""Boosters, R, XML, columns, Flax, Paddle, ExecuTorch: honest files are clean, hostile ones are not."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import booster_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes

MODELS = Path(__file__).parent / "data" / "models"
KINDS = ("r", "pmml", "openvino", "boosters", "columnar", "flax", "paddle", "executorch")
FILES = sorted(path for kind in KINDS for path in (MODELS / kind).iterdir() if path.name != "versions.txt")
HONEST = [path for path in FILES if path.name != "glm.rds"]
EVIL = b"cposix\nsystem\n(S'true'\ntR."
# Without a count of tensors at its beginning, a file that ends between two of them looks whole.
NO_END = {"dense.pdiparams"}


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def worst(data: bytes) -> str:
    return scan_bytes(data).worst


def pick(name: str) -> bytes:
    return next(path for path in FILES if path.name == name).read_bytes()


def test_there_are_honest_files_of_every_format() -> None:
    assert {scan(path).format for path in HONEST} >= {
        "arrow",
        "catboost",
        "executorch",
        "gzip",
        "json",
        "lightgbm",
        "msgpack",
        "openvino-weights",
        "paddle",
        "paddle-weights",
        "parquet",
        "r",
        "ubjson",
        "xgboost",
        "xml",
    }


@pytest.mark.parametrize("path", HONEST, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_honest_files_of_the_real_libraries_are_clean(path: Path) -> None:
    report = scan(path)
    assert report.verdict is Verdict.CLEAN, (report.issues, report.unknowns)


def test_compiled_functions_in_an_honest_model_are_unknown_and_no_finding() -> None:
    report = scan(MODELS / "r" / "glm.rds")
    assert report.verdict is Verdict.UNKNOWN
    assert any("byte code" in reason for reason in report.unknowns)


@pytest.mark.parametrize("path", HONEST, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_beginning_of_a_file_is_clean(path: Path) -> None:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for size in range(1, len(data), max(1, len(data) // 60)):
        if data[:size] == b"\x80":
            continue  # an empty map of MessagePack
        if path.name not in NO_END and not (path.suffix in (".json", ".pmml", ".xml") and not data[size:].strip()):
            assert scan_bytes(data[:size]).verdict is not Verdict.CLEAN, size


SYSTEM = make.r_call("system", make.r_text("id"))
MAPPED = make.r_int(238) + make.r_list(
    make.r_symbol("mmap_integer"), make.r_symbol("simplemmap"), make.r_int(13) + make.r_int(1) + make.r_int(13)
) + make.r_list(make.r_text("/etc/passwd")) + make.NIL  # fmt: skip
R_ATTACKS = {
    "promise at the top": (make.rds(make.r_promise(SYSTEM)), "critical"),
    "promise in a list": (make.rds(make.r_vector(make.r_text("x"), make.r_promise(SYSTEM))), "critical"),
    "promise with harmless names": (make.rds(make.r_promise(make.r_call("f"))), "critical"),
    "promise in .RData": (make.rds(make.r_list(make.r_promise(SYSTEM)), b"RDX3\n"), "critical"),
    "call": (make.rds(SYSTEM), "high"),
    "formula": (make.rds(make.r_call("~", make.r_symbol("y"), SYSTEM)), "high"),
    "call by its package": (make.rds(make.r_call("::", make.r_symbol("base"), make.r_symbol("system"))), "high"),
    "name as text": (make.rds(make.r_call("sapply", make.r_text("id"), make.r_text("system"))), "high"),
    "function": (make.rds(make.r_closure(SYSTEM)), "high"),
    "persistent object": (make.rds(make.r_int(247) + make.r_int(0) + make.r_int(1) + make.r_chars("x")), "medium"),
    "mapped file": (make.rds(MAPPED), "high"),
    "huge vector": (make.rds(make.r_int(14) + make.r_int(0x7FFFFFFF)), "high"),
    "huge list": (make.rds(make.r_int(19) + make.r_int(0x7FFFFFFF)), "high"),
    "unknown reference": (make.rds(make.r_int(255) + make.r_int(7)), "high"),
    "promise with a value": (make.rds(make.r_int(5) + make.NIL + SYSTEM), "critical"),
}  # fmt: skip


@pytest.mark.parametrize("name", R_ATTACKS)
def test_code_in_r_data_is_found(name: str) -> None:
    data, severity = R_ATTACKS[name]
    assert worst(data) == severity
    assert worst(gzip.compress(data)) == severity


def test_an_active_binding_is_found() -> None:
    frame = make.r_int(2 | 0x400 | 1 << 15 + 12) + make.r_symbol("x") + make.r_closure(make.r_call("f")) + make.NIL
    found = scan_bytes(make.rds(make.r_int(4) + make.r_int(0) + make.r_int(242) + frame + make.NIL + make.NIL))
    assert found.worst == "critical"
    assert "active binding" in found.issues[0].message


def test_deep_r_data_needs_no_stack() -> None:
    deep = make.rds((make.r_int(19) + make.r_int(1)) * 200_000 + make.NIL)
    assert scan_bytes(deep).verdict is Verdict.CLEAN


def test_a_file_that_is_r_data_and_a_pickle_is_found() -> None:
    # To a pickle loader `X` begins a text of 10 bytes; what follows it is up to the attacker.
    data = b"X\n\0\0\0" + b"\2" + b"\0" * 9 + EVIL
    assert Code.CONTAINER_TAMPERED in codes(scan_bytes(data)) | codes(scan_bytes(b"CBM1" + b"\1" * 64 + EVIL))
    assert any(issue.callable == "posix:system" for issue in scan_bytes(b"CBM1" + b"\1" * 64 + EVIL).issues)


APPLY = '<TransformationDictionary><DerivedField dataType="string" optype="categorical"><Apply function="{}"/>' \
        "</DerivedField></TransformationDictionary>"  # fmt: skip
ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
LAYER = '<layer id="0" name="a" type="{}" version="{}"{}/>'
INCLUDE = "http://www.w3.org/2001/XInclude"
XML_ATTACKS = {
    "entity": (make.pmml("", ENTITY), Code.EXTERNAL_DATA),
    "laughs": (make.pmml("", '<!DOCTYPE x [<!ENTITY a "a"><!ENTITY b "&a;&a;">]>'), Code.BOMB),
    "outside document type": (make.pmml("", '<!DOCTYPE PMML SYSTEM "http://example.com/x.dtd">'), Code.EXTERNAL_DATA),
    "plain document type": (make.pmml("", "<!DOCTYPE PMML>"), Code.CONTAINER_TAMPERED),
    "entity in UTF-16": (make.pmml("", ENTITY).decode().encode("utf-16"), Code.EXTERNAL_DATA),
    "included": (make.pmml(f'<i:include xmlns:i="{INCLUDE}" href="/etc/passwd"/>'), Code.EXTERNAL_DATA),
    "style sheet": (make.pmml("", '<?xml-stylesheet href="http://example.com/x.xsl"?>'), Code.EXTERNAL_DATA),
    "foreign function": (make.pmml(APPLY.format("com.example.Evil")), Code.CUSTOM_OPERATOR),
    "script": (make.pmml("<script>import os</script>"), Code.CODE_EXECUTION),
    "deep": (b"<PMML>" + b"<a>" * 5000, Code.BOMB),
    "cut": (make.pmml("")[:-3], Code.BROKEN_STREAM),
    "more behind": (make.pmml("") + EVIL, Code.UNEXPLAINED_BYTES),
    "own layer": (make.openvino(LAYER.format("Evil", "extension", "")), Code.CUSTOM_OPERATOR),
    "own layer in a set": (make.openvino(LAYER.format("Evil", "opset1", "")), Code.CUSTOM_OPERATOR),
    "library": (make.openvino(LAYER.format("Result", "opset1", ' library="/tmp/evil.so"')), Code.CUSTOM_OPERATOR),
    "entity in a network": (make.openvino("", ENTITY), Code.EXTERNAL_DATA),
}  # fmt: skip


@pytest.mark.parametrize("name", XML_ATTACKS)
def test_hostile_xml_is_found(name: str) -> None:
    data, code = XML_ATTACKS[name]
    assert code in codes(scan_bytes(data))


def test_functions_that_pmml_or_the_file_defines_are_fine() -> None:
    own = '<TransformationDictionary><DefineFunction name="f" optype="continuous"><ParameterField name="x"/>' \
          '<FieldRef field="x"/></DefineFunction></TransformationDictionary>'  # fmt: skip
    for body in (APPLY.format("uppercase"), own + APPLY.format("f")):
        assert not scan_bytes(make.pmml(body)).issues


def test_weights_of_openvino_belong_to_the_model_beside_them(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_bytes(pick("dense.xml"))
    assert Code.EXTERNAL_DATA in codes(scan(tmp_path / "m.xml"))
    (tmp_path / "m.bin").write_bytes(pick("dense.bin")[:-1])
    assert Code.BROKEN_STREAM in codes(scan(tmp_path / "m.xml"))
    (tmp_path / "m.bin").write_bytes(pick("dense.bin") + b"\0" * 10 + EVIL)
    assert Code.HIDDEN_PAYLOAD in codes(scan(tmp_path / "m.bin"))
    (tmp_path / "m.bin").write_bytes(pickle.dumps([1]) + b"\0" * 128)
    assert scan(tmp_path / "m.bin").verdict is not Verdict.CLEAN


TREES = {
    "child beyond": {"left_children": [7, -1, -1]},
    "negative child": {"left_children": [-5, -1, -1]},
    "circle": {"left_children": [1, 2, -1], "right_children": [2, 1, -1]},
    "to the root": {"right_children": [0, -1, -1]},
    "feature": {"split_indices": [1_000_000, 0, 0]},
    "negative feature": {"split_indices": [-1, 0, 0]},
    "short list": {"split_conditions": [0.5]},
    "nodes": {"tree_param": {"num_nodes": "1000000", "num_feature": "2"}},
    "categories": {"categories": [1], "categories_nodes": [0], "categories_segments": [5], "categories_sizes": [9]},
}


@pytest.mark.parametrize("name", TREES)
def test_trees_of_xgboost_that_lead_astray_are_found(name: str) -> None:
    model = make.xgboost_model(**TREES[name])
    for data in (json.dumps(model).encode(), make.ubjson(model)):
        assert Code.BROKEN_STREAM in codes(scan_bytes(data))
        assert scan_bytes(data).worst == "high"


def test_a_plain_tree_is_clean() -> None:
    model = make.xgboost_model()
    assert scan_bytes(json.dumps(model).encode()).verdict is Verdict.CLEAN
    assert scan_bytes(make.ubjson(model)).verdict is Verdict.CLEAN


def test_pickles_in_attributes_and_foreign_objectives_are_found() -> None:
    model = make.xgboost_model()
    learner = model["learner"]
    assert isinstance(learner, dict)
    for text in (EVIL.decode(), base64.b64encode(EVIL).decode()):
        learner["attributes"] = {"scikit_learn": text}
        assert worst(json.dumps(model).encode()) == "critical"
        assert worst(make.ubjson(model)) == "critical"
    learner["attributes"] = {}
    learner["objective"] = {"name": "evil:plugin"}
    assert codes(scan_bytes(make.ubjson(model))) == {Code.CUSTOM_OPERATOR}


@pytest.mark.parametrize(
    "body",
    [
        b"L" + struct.pack(">q", 1 << 60),
        b"L" + struct.pack(">q", -1),
        make.ub_text("a") + b"[$d#L" + struct.pack(">q", 1 << 60),
        make.ub_text("a") + b"[$Z#L" + struct.pack(">q", 1 << 30),
        make.ub_text("a") + b"[" * 5000,
        make.ub_text("a") + b"SL" + struct.pack(">q", -5),
    ],
)
def test_lengths_of_ubjson_are_not_believed(body: bytes) -> None:
    found = scan_bytes(b"{" + make.ub_text("learner") + b"{" + body + b"\0" * 20)
    assert found.worst == "high"


def changed(name: str, old: bytes, new: bytes) -> bytes:
    data = pick(name)
    assert old in data
    return data.replace(old, new, 1)


CHANGED = {
    "lightgbm sizes": changed("lightgbm-plain.txt", b"tree_sizes=", b"tree_sizes=9"),
    "lightgbm leaves": changed("lightgbm-plain.txt", b"num_leaves=", b"num_leaves=99999999"),
    "lightgbm child": changed("lightgbm-plain.txt", b"left_child=", b"left_child=9"),
    "lightgbm feature": changed("lightgbm-plain.txt", b"split_feature=", b"split_feature=77"),
    "lightgbm file": changed("lightgbm-plain.txt", b"[forcedbins_filename: ]", b"[forcedbins_filename: /etc/passwd]"),
    "lightgbm line": changed("lightgbm-plain.txt", b"\nversion=", b"\nevil=1\nversion="),
    "lightgbm behind": pick("lightgbm-plain.txt") + EVIL,
    "catboost size": changed("catboost-plain.cbm", pick("catboost-plain.cbm")[4:8], b"\xf0\xff\xff\xff"),
    "catboost behind": pick("catboost-plain.cbm") + EVIL,
    "binary xgboost": changed("xgboost-old.deprecated", b"gbtree\3\0\0\0", b"gbtree\xff\xff\xff\x7f"),
    "binary xgboost behind": pick("xgboost-old.deprecated") + EVIL,
    "binary xgboost text": changed("xgboost-old.deprecated", b"\x0f\0\0\0\0\0\0\0bin", b"\xff" * 8 + b"bin"),
    "binary xgboost target": changed(
        "xgboost-2.1-labels.deprecated", b"\2\0\0\0\1\0\0\0\4\0\0\0", b"\2\0\0\0\1\0\0\0\3\0\0\0"
    ),
    "parquet length": pick("frame.parquet")[:-8] + b"\xff\xff\xff\x7fPAR1",
    "parquet hole": pick("frame.parquet").replace(b"PAR1", b"PAR1" + EVIL * 4, 1),
    "arrow end": pick("frame.arrows") + EVIL,
    "arrow footer": pick("frame.arrow")[:-10] + b"\xff\xff\xff\x7fARROW1",
    "feather": pick("lz4.feather")[:-6] + b"ARROWX",
    "flax behind": pick("params.msgpack") + EVIL,
    "flax type": changed("params.msgpack", b"\xa7float32", b"\xa7object_"),
    "flax shape": changed("params.msgpack", b"\x92\x03\x04", b"\x92\x03\x7f"),
    "executorch behind": pick("dense.pte") + EVIL,
    "executorch kernel": changed("dense.pte", b"aten::relu", b"evil::relu"),
    "paddle weights": pick("dense.pdiparams") + b"\0" * 11,
    "paddle behind": pick("dense.pdmodel") + EVIL,
}


@pytest.mark.parametrize("name", CHANGED)
def test_changed_models_are_not_clean(name: str) -> None:
    assert scan_bytes(CHANGED[name]).verdict is not Verdict.CLEAN


def extension(name: bytes, data: bytes) -> bytes:
    """frame.arrows with the metadata of a field exchanged: same lengths, so that the flatbuffer stays as it is."""
    return changed("nested.arrows", b"arrow.uuid", name).replace(b"ARROW:extension:metadata", data, 1)


def test_extension_types_that_unpickle_are_found() -> None:
    """The writer's own flatbuffers, whose texts were exchanged."""
    from shipworthy.modelfile.columnar.metadata import judge
    from shipworthy.modelfile.report import Limits, Tally
    from shipworthy.modelfile.scope import Role, Scope, State
    from shipworthy.modelfile.view import View

    assert scan_bytes(extension(b"evil.types", b"ARROW:extension:metadata")).verdict is Verdict.UNKNOWN
    state = State(Limits(), (), Tally(Limits()), 100)
    pairs = [
        ("ARROW:extension:name", View.of(b"arrow.py_extension_type")),
        ("ARROW:extension:metadata", View.of(EVIL)),
    ]
    judge(Scope(state, View.of(b"")), pairs, 0)
    assert {issue.code for issue in state.tally.found.values()} == {Code.CODE_EXECUTION}
    assert [job.name for job in state.jobs if job.role is Role.FILE] == ["metadata ARROW:extension:metadata"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (make.paddle_program("py_func"), Code.DANGEROUS_OPERATOR),
        (make.paddle_program("load_combine", file_path="/etc/passwd"), Code.DANGEROUS_OPERATOR),
        (make.paddle_program("save", file_path="/tmp/x"), Code.DANGEROUS_OPERATOR),
        (make.paddle_program("evil_op"), Code.CUSTOM_OPERATOR),
        (b"ptrt" + b"\0" * 100, Code.FOREIGN_CONTENT),
        (b"\x81\xa1a\xc7\x05\x63hello", Code.UNKNOWN_NAME),
        (b"\x81\xa1a\xdd\xff\xff\xff\xff", Code.BROKEN_STREAM),
        (b"\x81\xa1a" + b"\x91" * 5000 + b"\xc0", Code.BOMB),
    ],
)
def test_hostile_programs_and_messages_are_found(data: bytes, code: Code) -> None:
    assert code in codes(scan_bytes(data))


def test_a_pickle_in_a_message_of_flax_is_found() -> None:
    assert worst(b"\x81\xa1a\xc4" + bytes([len(EVIL)]) + EVIL) == "critical"
    assert worst(EVIL) == "critical"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_flipped_bytes_never_break_a_reader(path: Path, data: st.DataObject) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    scan_bytes(bytes(raw))


HEADS = [b"X\n\0\0\0\3", b"A\n3\n", b"B\n\3\0\0\0", b"RDX3\nX\n", b"{L\0\0\0\0\0\0\0\7learner", b"binf",
         b"tree\nversion=v4\n", b"CBM1", b"ARROW1\0\0", b"PAR1", b"\xff\xff\xff\xff\x10\0\0\0", b"\x81\xa1a",
         b"\0\0\0\0ET12", b"<PMML>", b"<net>", b"\x0a\x10\x08\0\x10" + b"\xff" * 9 + b"\1", b"ptrt",
         b'<?xml version="1.0"?>']  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=200))
def test_random_bytes_behind_a_magic_never_break_a_reader(head: bytes, tail: bytes) -> None:
    scan_bytes(head + tail)
