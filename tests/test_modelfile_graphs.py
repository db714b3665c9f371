"""TensorFlow, TensorFlow Lite, Core ML, ONNX: honest files of the real libraries are clean, graphs that act are not."""

from __future__ import annotations

import os
import struct
from collections import deque
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graph_samples as graph
import modelfile_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes
from shipworthy.modelfile.graphs.dangers import ATTRIBUTES, DANGERS, PASSING, SINKS
from shipworthy.modelfile.graphs.flatbuffer import BadFlatbufferError, Flat
from shipworthy.modelfile.graphs.tables import flat, operators
from shipworthy.modelfile.view import View

MODELS = Path(__file__).parent / "data" / "models"
# Not models themselves: data files of checkpoints, vocabularies, what TensorFlow 1 wrote beside a checkpoint.
BESIDE = {"checkpoint", "words.txt", "external.bin"}
HONEST = sorted(
    path
    for path in MODELS.rglob("*")
    if {"tensorflow", "coreml", "onnx"} & set(path.parts)
    and path.is_file()
    and path.name not in BESIDE
    and ".data-" not in path.name
)


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def test_there_are_honest_files_of_every_format() -> None:
    assert {scan(path).format for path in HONEST} >= {
        "savedmodel",
        "graphdef",
        "metagraph",
        "tf-fingerprint",
        "keras-metadata",
        "tf-checkpoint",
        "tflite",
        "coreml",
        "mil-weights",
        "onnx",
        "json",
    }


@pytest.mark.parametrize("path", HONEST, ids=lambda path: str(path.relative_to(MODELS)))
def test_honest_files_of_the_real_libraries_are_clean(path: Path) -> None:
    report = scan(path)
    assert report.verdict is Verdict.CLEAN, (report.issues, report.unknowns)


PATH = graph.tf_text("p", "/tmp/x")
SAVE = graph.tf_node("s", "SaveV2", ("p",))
IN_FUNCTION = graph.tf_function("f", ("prefix",), graph.tf_node("s", "SaveV2", ("prefix",)))
URL = graph.field(1, graph.field(2, "file:///tmp/x"))
ACTING = {
    "a file is read": (graph.tf_text("p", "/etc/passwd"), graph.tf_node("r", "ReadFile", ("p",))),
    "a file is written": (PATH, graph.tf_node("w", "WriteFile", ("p", "p"))),
    "Python is called": (graph.tf_node("p", "PyFunc", token=graph.field(2, "pyfunc_0")),),
    "eager Python is called": (graph.tf_node("p", "EagerPyFunc", token=graph.field(2, "pyfunc_0")),),
    "a print goes to a file": (graph.tf_node("p", "PrintV2", output_stream=graph.field(2, "file:///tmp/x")),),
    "a debugger's address": (graph.tf_node("d", "DebugIdentityV2", debug_urls=URL),),
    "a descriptor file": (graph.tf_node("d", "DecodeProtoV2", descriptor_source=graph.field(2, "/tmp/x.pb")),),
    "a memory region": (graph.tf_node("i", "ImmutableConst", memory_region_name=graph.field(2, "/tmp/x")),),
    "a stored graph": (graph.tf_node("g", "DatasetFromGraph", ("p",)), PATH),
    "a native call": (graph.tf_node("x", "XlaCustomCallV2", call_target_name=graph.field(2, "system")),),
    "another machine": (graph.tf_node("r", "RpcClient", ("p",)), PATH),
    "a checkpoint elsewhere": (PATH, SAVE),
    "a checkpoint at a fixed place": (graph.tf_text("p", "here"), SAVE),
    "a checkpoint behind a join": (
        PATH,
        graph.tf_node("j", "StringJoin", ("p", "p")),
        graph.tf_node("s", "SaveV2", ("j",)),
    ),
    "a computed path": (PATH, graph.tf_node("p2", "DecodeBase64", ("p",)), graph.tf_node("s", "SaveV2", ("p2",))),
    "a checkpoint is read": (PATH, graph.tf_node("r", "RestoreV2", ("p",))),
    "a cache on disk": (PATH, graph.tf_node("c", "CacheDataset", ("d", "p"))),
    "a vocabulary elsewhere": (PATH, graph.tf_node("t", "InitializeTableFromTextFileV2", ("h", "p"))),
}


@pytest.mark.parametrize("case", ACTING)
def test_graphs_that_act_are_findings_wherever_they_stand(case: str) -> None:
    nodes = ACTING[case]
    shapes = [
        graph.saved_model(*nodes),
        graph.saved_model(graph.tf_node("n", "NoOp"), functions=(graph.tf_function("f", (), *nodes),)),
        graph.graph_def(nodes),
    ]
    for data in shapes:
        report = scan_bytes(data)
        assert codes(report) == {Code.DANGEROUS_OPERATOR}, report
        assert report.issues[0].callable.startswith("tensorflow:")


def test_paths_are_followed_through_calls() -> None:
    free = graph.tf_node("p", "Placeholder")
    honest = graph.saved_model(free, graph.tf_call("c", "f", "p"), functions=(IN_FUNCTION,))
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    fixed = graph.saved_model(PATH, graph.tf_call("c", "f", "p"), functions=(IN_FUNCTION,))
    assert scan_bytes(fixed).worst == "critical"
    outer = graph.tf_function("g", ("a",), graph.tf_call("c", "f", "a"))
    nested = graph.saved_model(PATH, graph.tf_call("d", "g", "p"), functions=(IN_FUNCTION, outer))
    assert scan_bytes(nested).worst == "critical"
    mapped = graph.saved_model(PATH, graph.tf_call("m", "f", "p", operator="MapDataset"), functions=(IN_FUNCTION,))
    assert codes(scan_bytes(mapped)) == {Code.DANGEROUS_OPERATOR}
    served = graph.saved_model(free, graph.tf_call("c", "f", "p"), functions=(IN_FUNCTION,), more=graph.signature("p"))
    assert codes(scan_bytes(served)) == {Code.DANGEROUS_OPERATOR}


def test_names_of_one_graph_do_not_answer_for_another() -> None:
    honest = graph.saved_model(graph.tf_node("p", "Placeholder"), graph.tf_node("n", "NoOp"))
    evil = graph.saved_model(PATH, SAVE)
    report = scan_bytes(honest + evil[2:])
    assert (codes(report), report.worst) == ({Code.DANGEROUS_OPERATOR}, "critical")
    twice = graph.saved_model(graph.tf_node("p", "Placeholder"), PATH, SAVE)
    assert Code.CONTAINER_TAMPERED in codes(scan_bytes(twice))


def test_a_name_that_no_file_system_takes_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "saved_model.pb"
    path.write_bytes(graph.saved_model(more=graph.asset("p:0", "\x12E" * 400)))
    assert [issue.code for issue in scan(path).issues] == [Code.EXTERNAL_DATA]


def test_assets_stay_in_their_folder() -> None:
    table = graph.tf_node("t", "InitializeTableFromTextFileV2", ("h", "p"))
    words = graph.tf_text("p", "/tmp/a/words.txt")
    honest = graph.saved_model(words, table, more=graph.asset("p:0", "words.txt"))
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    outside = graph.saved_model(PATH, table, more=graph.asset("p:0", "../../etc/passwd"))
    assert Code.PATH_TRAVERSAL in codes(scan_bytes(outside))
    for path, file in (("/tmp/a/other.txt", "words.txt"), ("/etc/passwd", "passwd")):
        named = graph.saved_model(graph.tf_text("p", path), table, more=graph.asset("p:0", file))
        assert codes(scan_bytes(named)) == {Code.DANGEROUS_OPERATOR}
    inside = graph.tf_function("f", ("x",), words, table)  # a loader puts nothing there
    hidden = graph.saved_model(
        words, graph.tf_call("c", "f", "p"), functions=(inside,), more=graph.asset("p:0", "words.txt")
    )
    assert codes(scan_bytes(hidden)) == {Code.DANGEROUS_OPERATOR}
    sum_of = graph.tf_node("s", "AddV2", ("x", "x", "^t"))
    answer = graph.tf_node("y", "Identity", ("s",))
    for key, verdict in (("serving_default", {Code.DANGEROUS_OPERATOR}), ("__saved_model_init_op", set())):
        more = graph.asset("p:0", "words.txt") + graph.gives(key, "y")
        assert codes(scan_bytes(graph.saved_model(words, table, sum_of, answer, more=more))) == verdict
    more = graph.asset("p:0", "words.txt") + graph.gives("serving_default", "z")
    looked_up = graph.tf_node("z", "LookupTableFindV2", ("h", "x"))
    assert not codes(scan_bytes(graph.saved_model(words, table, looked_up, more=more)))
    numbered = graph.saved_model(words, table, more=graph.asset("p:0", "words.txt_1"))
    assert scan_bytes(numbered).verdict is Verdict.CLEAN


def test_operators_that_tensorflow_does_not_have_are_custom() -> None:
    model = graph.saved_model(graph.tf_node("x", "Evil>RunShell"))
    assert codes(scan_bytes(model)) == {Code.CUSTOM_OPERATOR}
    assert scan_bytes(model, trust=["tensorflow:Evil>*"]).verdict is Verdict.CLEAN
    hidden = graph.saved_model(functions=(graph.tf_function("Relu", (), graph.tf_node("n", "NoOp")),))
    assert codes(scan_bytes(hidden)) == {Code.CONTAINER_TAMPERED}


def test_every_rule_is_about_an_operator_that_exists() -> None:
    from_elsewhere = {"TRTEngineOp", "CreateTRTResourceHandle"}
    assert {*DANGERS, *ATTRIBUTES, *SINKS, *PASSING} - from_elsewhere <= operators("tensorflow").keys()


def test_keras_metadata_is_read() -> None:
    layer = '{"class_name": "Lambda", "config": {"function": ["4wEA", null, null]}}'
    entry = make.field(2, 1) + make.field(3, "root.layer") + make.field(4, "_tf_keras_layer") + make.field(5, layer)
    assert codes(scan_bytes(make.field(1, entry))) == {Code.KERAS_LAMBDA}
    inside = make.field(4, make.field(1, "_tf_keras_layer") + make.field(3, layer))
    old = graph.saved_model(graph.tf_node("n", "NoOp"), more=make.field(7, make.field(1, inside)))
    assert Code.KERAS_LAMBDA in codes(scan_bytes(old))


def test_a_changed_checkpoint_index_is_found(tmp_path: Path) -> None:
    source = MODELS / "tensorflow" / "v1"
    raw = (source / "model.index").read_bytes()
    (tmp_path / "model.data-00000-of-00001").write_bytes((source / "model.data-00000-of-00001").read_bytes())
    index = tmp_path / "model.index"
    for at in range(0, len(raw) - 8, 3):
        index.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert scan(index).verdict is not Verdict.CLEAN, at
    index.write_bytes(raw)
    assert scan(index).verdict is Verdict.CLEAN
    (tmp_path / "model.data-00000-of-00001").write_bytes(b"short")
    assert codes(scan(index)) == {Code.EXTERNAL_DATA}
    (tmp_path / "model.data-00000-of-00001").unlink()
    assert codes(scan(index)) == {Code.EXTERNAL_DATA}


FLEX = graph.flex_options("Relu", graph.tf_node("w", "WriteFile", ("p", "p")))
PRINT = graph.tf_node("p", "PrintV2", ("x",), output_stream=make.field(2, "file:///tmp/x"))
LITE = {
    "Flex that is told of a file": (
        graph.tflite("FlexPrintV2", options=graph.flex_options("PrintV2", PRINT)),
        Code.DANGEROUS_OPERATOR,
    ),
    "Flex table": (graph.tflite("FlexInitializeTableFromTextFileV2"), Code.DANGEROUS_OPERATOR),
    "custom": (graph.tflite("EvilOp"), Code.CUSTOM_OPERATOR),
    "Flex file": (graph.tflite("FlexWriteFile"), Code.DANGEROUS_OPERATOR),
    "Flex custom": (graph.tflite("FlexEvil"), Code.CUSTOM_OPERATOR),
    "Flex under another name": (graph.tflite("FlexRelu", options=FLEX), Code.DANGEROUS_OPERATOR),
    "delegate": (graph.tflite(builtin=51), Code.CUSTOM_OPERATOR),
    "operator of no version": (graph.tflite(builtin=30000), Code.CUSTOM_OPERATOR),
    "operator index": (graph.tflite(builtin=0, index=7), Code.BROKEN_STREAM),
    "tensor index": (graph.tflite(builtin=0, inputs=(9,)), Code.BROKEN_STREAM),
    "negative index": (graph.tflite(builtin=0, inputs=(-5,)), Code.BROKEN_STREAM),
    "overflow": (graph.tflite(builtin=0, shape=(1 << 30, 1 << 30, 1 << 30)), Code.BROKEN_STREAM),
    "size": (graph.tflite(builtin=0, shape=(5,)), Code.BROKEN_STREAM),
    "payload in a buffer": (graph.tflite(builtin=0, shape=(len(make.EVIL),), data=make.EVIL), Code.CODE_EXECUTION),
    "trailer": (graph.tflite(builtin=0) + make.EVIL, Code.UNEXPLAINED_BYTES),
    "appended payload": (graph.tflite(builtin=0) + make.zipped(("m.pkl", make.EVIL)), Code.CODE_EXECUTION),
}


@pytest.mark.parametrize("case", LITE)
def test_tflite_that_does_more_than_compute_is_a_finding(case: str) -> None:
    data, code = LITE[case]
    assert code in codes(scan_bytes(data))


def test_tflite_of_builtin_operators_is_clean_also_with_labels_appended() -> None:
    model = graph.tflite(builtin=0)
    assert scan_bytes(model).verdict is Verdict.CLEAN, scan_bytes(model)
    assert scan_bytes(graph.tflite("TFLite_Detection_PostProcess")).verdict is Verdict.CLEAN
    assert scan_bytes(graph.tflite("EvilOp"), trust=["tflite:EvilOp"]).verdict is Verdict.CLEAN
    relu = graph.flex_options("Relu", graph.tf_node("r", "Relu", ("x",)))
    assert scan_bytes(graph.tflite("FlexRelu", options=relu)).verdict is Verdict.CLEAN
    print_ = graph.tf_node("p", "PrintV2", ("x",), output_stream=make.field(2, "stderr"))
    printing = graph.tflite("FlexPrintV2", options=graph.flex_options("PrintV2", print_))
    assert scan_bytes(printing).verdict is Verdict.CLEAN
    labelled = scan_bytes(model + make.zipped(("m.pkl", make.PLAIN)))
    assert not labelled.issues, labelled


def test_shared_parts_do_not_make_a_small_file_expensive() -> None:
    """Twenty thousand tensors of one shape with 100,000 dimensions: 2 billion numbers in half a megabyte."""
    tensors, sizes = 20_000, 100_000
    layout = 8
    shape = layout + 8 + 8 * tensors
    body = bytes(8) + struct.pack("<HHHH", 6, 8, 4, 0)
    for n in range(tensors):
        at = layout + 8 + 8 * n
        body += struct.pack("<iI", at - layout, shape - at - 4)
    body += struct.pack("<I", sizes) + struct.pack("<i", 1) * sizes
    reader = Flat(View.of(body), flat())
    with pytest.raises(BadFlatbufferError):
        deque((reader.table("Tensor", layout + 8 + 8 * n) for n in range(tensors)), maxlen=0)


LINK = make.field(1, make.field(1, make.field(1, "../other.mlmodelc")) + make.field(2, make.field(1, "/tmp")))
LAYER = make.field(1, "l") + make.field(500, make.field(10, "EvilLayer"))
CORE = {
    "custom model": (graph.mlmodel(make.field(10, "EvilModel"), 555), Code.CUSTOM_OPERATOR),
    "custom layer": (graph.mlmodel(make.field(1, LAYER), 500), Code.CUSTOM_OPERATOR),
    "linked model": (graph.mlmodel(LINK, 556), Code.PATH_TRAVERSAL),
    "custom in a pipeline": (
        graph.mlmodel(make.field(1, graph.mlmodel(make.field(10, "EvilModel"), 555)), 202),
        Code.CUSTOM_OPERATOR,
    ),
    "two contents": (graph.mlmodel(make.field(10, "A"), 555) + make.field(500, b""), Code.CONTAINER_TAMPERED),
}


@pytest.mark.parametrize("case", CORE)
def test_core_ml_that_needs_other_code_or_files_is_a_finding(case: str) -> None:
    data, code = CORE[case]
    report = scan_bytes(data)
    assert code in codes(report), report


def test_core_ml_weights_and_manifests_stay_in_the_package(tmp_path: Path) -> None:
    package = MODELS / "coreml" / "program.mlpackage" / "Data" / "com.apple.CoreML"
    model = (package / "model.mlmodel").read_bytes()
    assert b"@model_path/weights/weight.bin" in model
    (tmp_path / "m").write_bytes(model.replace(b"@model_path/weights/weight.bin", b"@model_path/../../../../secret"))
    assert codes(scan(tmp_path / "m")) == {Code.PATH_TRAVERSAL}
    (tmp_path / "m").write_bytes(model)
    assert codes(scan(tmp_path / "m")) == {Code.EXTERNAL_DATA}
    manifest = b'{"itemInfoEntries": {"a": {"path": "../../x"}}, "rootModelIdentifier": "a"}'
    assert codes(scan_bytes(manifest)) == {Code.PATH_TRAVERSAL}
    weights = (package / "weights" / "weight.bin").read_bytes()
    assert codes(scan_bytes(weights + make.EVIL)) >= {Code.UNEXPLAINED_BYTES}


def _function(domain: str, name: str, *nodes: bytes) -> bytes:
    return make.field(
        25, make.field(1, name) + b"".join(make.field(7, node) for node in nodes) + make.field(10, domain)
    )


TWICE = b"".join(_function("f", f"f{n}", *[make.node(f"f{n + 1}", "f")] * 10) for n in range(12)) + _function(
    "f", "f12", make.node("Relu")
)
ONNX = {
    "no such standard operator": (make.onnx((make.node("RunShell"),)), Code.CUSTOM_OPERATOR),
    "not in this version": (make.onnx((make.node("Attention"),)), Code.CUSTOM_OPERATOR),
    "unknown in the runtime's domain": (make.onnx((make.node("Evil", "com.microsoft"),)), Code.CUSTOM_OPERATOR),
    "in a function": (
        make.onnx((make.node("f", "d"),)) + _function("d", "f", make.node("Run", "evil")),
        Code.CUSTOM_OPERATOR,
    ),
    "another name in a function's domain": (
        make.onnx((make.node("g", "d"),)) + _function("d", "f", make.node("Relu")),
        Code.CUSTOM_OPERATOR,
    ),
    "a function named Relu": (make.onnx() + _function("", "Relu", make.node("Neg")), Code.CONTAINER_TAMPERED),
    "a loop": (make.onnx() + _function("d", "f", make.node("f", "d")), Code.BOMB),
    "an explosion": (make.onnx((make.node("f0", "f"),)) + TWICE, Code.BOMB),
    "in training": (
        make.onnx() + make.field(20, make.field(2, make.field(1, make.node("Run", "evil")))),
        Code.CUSTOM_OPERATOR,
    ),
    "a sparse overflow": (
        make.onnx((make.node("Constant", attribute=make.field(22, make.field(3, 1 << 40) + make.field(3, 1 << 40))),)),
        Code.BROKEN_STREAM,
    ),
    "no data": (
        make.onnx((), (make.field(1, 1 << 30) + make.field(2, 1) + make.field(8, "w"),)),
        Code.BROKEN_STREAM,
    ),
}


@pytest.mark.parametrize("case", ONNX)
def test_onnx_operators_are_judged_by_the_standards_own_sets(case: str) -> None:
    data, code = ONNX[case]
    assert code in codes(scan_bytes(data)), scan_bytes(data)


@pytest.mark.parametrize(
    ("offset", "length", "code"),
    [
        ("-1", "16", Code.BROKEN_STREAM),
        ("1e3", "16", Code.BROKEN_STREAM),
        ("8", "16", Code.EXTERNAL_DATA),
        ("0", "4", Code.BROKEN_STREAM),
        ("99999999999999999", "16", Code.EXTERNAL_DATA),
        ("0", "16", None),
    ],
)
def test_onnx_external_data_lies_where_it_says(tmp_path: Path, offset: str, length: str, code: Code | None) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    entries = {"location": "w.bin", "offset": offset, "length": length}
    pairs = b"".join(make.field(13, make.field(1, key) + make.field(2, value)) for key, value in entries.items())
    tensor = make.field(1, 4) + make.field(2, 1) + make.field(8, "w") + pairs + make.field(14, 1)
    (tmp_path / "m.onnx").write_bytes(make.onnx((make.node("Relu"),), (tensor,)))
    assert codes(scan(tmp_path / "m.onnx")) == ({code} if code else set())


def test_a_file_of_tensors_is_told_by_the_model_beside_it(tmp_path: Path) -> None:
    def written(data: bytes) -> Report:
        (tmp_path / "w.bin").write_bytes(data)
        return scan(tmp_path / "w.bin")

    assert written(bytes(16)).verdict is Verdict.UNKNOWN
    places = [(0, 16), (4096, 16)]
    entries = [{"location": "./w.bin", "offset": str(low), "length": str(size)} for low, size in places]
    pairs = [b"".join(make.field(13, make.field(1, key) + make.field(2, e[key])) for key in e) for e in entries]
    tensors = [make.field(1, 4) + make.field(2, 1) + make.field(8, "w") + pair + make.field(14, 1) for pair in pairs]
    (tmp_path / "m.onnx").write_bytes(make.onnx((make.node("Relu"),), tuple(tensors)))
    (tmp_path / "broken.onnx").write_bytes(b"\x3a\xff")
    padded = b"\x7f" * 16 + bytes(4080) + b"\x7f" * 16
    report = written(padded)
    assert (report.format, report.verdict, report.explained) == ("onnx-data", Verdict.CLEAN, len(padded))
    assert codes(written(padded[:40] + b"hidden" + padded[46:])) == {Code.HIDDEN_PAYLOAD}
    assert codes(written(padded + make.PLAIN)) == {Code.HIDDEN_PAYLOAD}
    assert codes(written(padded[:-1])) == {Code.BROKEN_STREAM}
    assert written(padded + make.EVIL).worst == "critical"
    assert written(make.EVIL).format == "pickle"
    numbers = bytes.fromhex("406a3a3e0043043e7e7f613e4b436abd")  # weights of a net, which begin as ONNX does
    assert (written(numbers + padded[16:]).format, written(numbers + padded[16:]).verdict) == (
        "onnx-data",
        Verdict.CLEAN,
    )
    assert codes(written(numbers + padded[16:40] + b"hidden" + padded[46:])) == {Code.HIDDEN_PAYLOAD}
    model = make.onnx((make.node("Evil"),))
    assert written(model).format == written(model + b"\xa3\6\xa4\6" + bytes(4112)).format == "onnx"  # and a group
    (tmp_path / "m.onnx").unlink()
    assert (written(numbers + padded[16:]).format, written(numbers + padded[16:]).worst) == ("onnx", "medium")


def test_onnx_external_data_is_no_link_out_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(16))
    (tmp_path / "model").mkdir()
    os.symlink(secret, tmp_path / "model" / "w.bin")
    path = tmp_path / "model" / "m.onnx"
    path.write_bytes(make.onnx((make.node("Relu"),), (make.tensor("w", location="w.bin"),)))
    assert codes(scan(path)) == {Code.PATH_TRAVERSAL}
    hub = tmp_path / "hub" / "snapshots" / "abc"
    hub.mkdir(parents=True)
    (tmp_path / "hub" / "blobs").mkdir()
    (tmp_path / "hub" / "blobs" / "1").write_bytes(bytes(16))
    os.symlink(tmp_path / "hub" / "blobs" / "1", hub / "w.bin")
    (hub / "m.onnx").write_bytes(path.read_bytes())
    assert scan(hub / "m.onnx").verdict is Verdict.CLEAN


@cache
def whole(path: Path) -> bytes:
    return path.read_bytes()


# A list of layers, or of operator sets that the model does not use, that is cut between two entries is a shorter list,
# which nothing can tell.
CUT = [path for path in HONEST if path.name not in ("keras_metadata.pb", "quantized.onnx", "optimized.onnx")]


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(CUT), st.integers(1, 1 << 20))
def test_a_file_that_is_cut_is_never_clean(path: Path, cut: int) -> None:
    data = whole(path)
    assert scan_bytes(data[: cut % len(data)]).verdict is not Verdict.CLEAN


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(HONEST), st.integers(0, 1 << 20), st.binary(min_size=1, max_size=4))
def test_changed_bytes_never_break_the_readers(path: Path, at: int, change: bytes) -> None:
    data = whole(path)
    at %= len(data)
    scan_bytes(data[:at] + change + data[at + len(change) :])


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([b"\x08\x01\x12", b"\x08\x08\x3a", b"\x0a\x20\x0a\x01a\x12", b"\x1c\0\0\0TFL3", b""]), st.binary()
)
def test_random_bytes_never_break_the_readers(head: bytes, rest: bytes) -> None:
    scan_bytes(head + rest)
    scan_bytes(head + rest + struct.pack("<QQ", 0, 0xDB4775248B80FB57))


TWICE_ONE = {
    "an ONNX graph": make.onnx() + make.field(7, make.field(1, make.node("Relu"))),
    "an ONNX node's operator": make.onnx((make.node("Relu") + make.field(4, "Neg"),)),
    "a TensorFlow operator": graph.saved_model(graph.tf_node("a", "NoOp") + graph.field(2, "Identity")),
    "a TensorFlow graph": graph.saved_model(more=graph.field(2, graph.graph_def((graph.tf_node("a", "NoOp"),)))),
    "a Core ML description": graph.mlmodel(b"", 900) + graph.field(2, b""),
    "a Core ML version": graph.mlmodel(b"", 900) + graph.field(1, 5),
}


@pytest.mark.parametrize("case", TWICE_ONE)
def test_a_single_field_that_occurs_twice_is_a_finding(case: str) -> None:
    report = scan_bytes(TWICE_ONE[case])
    assert [issue.severity for issue in report.issues if issue.code is Code.CONTAINER_TAMPERED] == ["high"]


@pytest.mark.parametrize("name", ["onnx/plain.onnx", "tensorflow/frozen.pb", "paddle/dense.pdmodel"])
def test_a_message_behind_the_message_is_a_finding(name: str) -> None:
    whole_twice = (MODELS / name).read_bytes() * 2
    assert Code.CONTAINER_TAMPERED in codes(scan_bytes(whole_twice))


def test_the_padding_behind_the_last_text_may_be_missing() -> None:
    """TensorFlow's own interpreter loads such a file: its verifier asks for the text's end, not for its padding."""
    whole = (Path(__file__).parent / "data" / "models" / "tensorflow" / "flex.tflite").read_bytes()
    assert whole[-2:] == b"\0\0"
    assert scan_bytes(whole[:-1]).verdict is Verdict.CLEAN
    assert scan_bytes(whole[:-2]).worst == "high"
