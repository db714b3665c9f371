"""Containers and data formats: read to the last byte, by content, and never trusted where two readers could differ."""

from __future__ import annotations

import gzip
import json
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

import modelfile_samples as make
from shipworthy.modelfile import FORMATS, Code, Limits, Report, Verdict, scan, scan_bytes, sniff
from shipworthy.modelfile.support import table

FLOATS = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


@pytest.mark.parametrize("name", ["m.bin", "m.safetensors", "m.onnx", "m.png", "m.txt", "m.npy", "m"])
def test_names_decide_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(make.EVIL)
    assert scan(tmp_path / name).worst == "critical"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (make.EVIL, "pickle"),
        (b"cos\nsystem\n(S'x'\ntR.", "pickle"),
        (b"(lp0\nI1\naI2\na.", "pickle"),
        (make.torch_zip(make.PLAIN), "zip"),
        (make.npy({"descr": "<f8", "fortran_order": False, "shape": (1,)}, bytes(8)), "npy"),
        (make.safetensors({"a": FLOATS}, bytes(16)), "safetensors"),
        (make.onnx((make.node("Relu"),)), "onnx"),
        (make.tarred(("a", b"x")), "tar"),
        (b"GGUF\x03\0\0\0" + bytes(16), "gguf"),
        (b"\x89HDF\r\n\x1a\n" + bytes(16), "hdf5"),
        (b"\x1c\0\0\0TFL3" + bytes(16), "tflite"),
        (b"\x7fELF" + bytes(60), "elf"),
        (b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0", "pe"),
        (b"#!/bin/sh\n", "script"),
        (b'{"a": 1}', "json"),
        (b"a,b\n1,2\n", "text"),
        (b"import os\nprint(1)\n", "text"),
        (b"class_name: Model\n", "text"),
        (b"Version 1\nof a text\n", "text"),
        (b"", None),
    ],
)
def test_sniffing_is_by_content(data: bytes, expected: str | None) -> None:
    assert sniff(data[:4096], len(data)) == expected
    assert expected is None or expected in FORMATS


def test_torch_archives_are_clean_when_pickle_and_storages_agree() -> None:
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQ"
    pickle = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0K\x10\x85K\x01\x85\x89}tR."
    assert scan_bytes(make.torch_zip(pickle)).verdict is Verdict.CLEAN
    report = scan_bytes(make.torch_zip(pickle.replace(b"K\x10tQ", b"K\x09tQ")))
    assert codes(report) == {Code.CONTAINER_TAMPERED, Code.UNKNOWN_CALLABLE}  # of the archive, and of the call
    missing = scan_bytes(make.zipped(("m/data.pkl", pickle), ("m/version", b"3\n")))
    assert "missing" in missing.issues[0].message


@pytest.mark.parametrize("where", ["m/data/1", "m/constants.pkl", "m/extra/x", "m/anything"])
def test_a_payload_anywhere_in_a_torch_archive_is_found(where: str) -> None:
    assert scan_bytes(make.torch_zip(make.PLAIN, (where, make.EVIL))).worst == "critical"


def test_torchscript_code_is_read() -> None:
    code = b"def forward(self: __torch__.M, x: Tensor) -> Tensor:\n  return torch.relu(x)\n"
    assert scan_bytes(make.torch_zip(make.PLAIN, ("m/code/__torch__.py", code))).verdict is Verdict.CLEAN
    code = code.replace(b"torch.relu(x)", b'torch.from_file("/etc/passwd", False, 9)')
    assert codes(scan_bytes(make.torch_zip(make.PLAIN, ("m/code/__torch__.py", code)))) == {Code.DANGEROUS_OPERATOR}


def _patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    at = data.find(signature) + offset
    return data[:at] + value + data[at + len(value) :]


ARCHIVE = make.torch_zip(make.PLAIN)
TAMPERED = {
    "flag bits differ": _patched(ARCHIVE, b"PK\x01\x02", 8, b"\x20"),
    "encrypted": _patched(_patched(ARCHIVE, b"PK\x01\x02", 8, b"\x01"), b"PK\x03\x04", 6, b"\x01"),
    "CRC differs between headers": _patched(ARCHIVE, b"PK\x01\x02", 16, b"\xde\xad\xbe\xef"),
    "CRC wrong in both": _patched(
        _patched(ARCHIVE, b"PK\x01\x02", 16, b"\xde\xad\xbe\xef"), b"PK\x03\x04", 14, b"\xde\xad\xbe\xef"
    ),
    "names differ": _patched(ARCHIVE, b"PK\x03\x04", 30, b"x"),
    "sizes differ": _patched(ARCHIVE, b"PK\x03\x04", 22, b"\x01"),
    "bytes in front": bytes(100) + ARCHIVE,
    "second end record": ARCHIVE + b"PK\x05\x06" + bytes(18),
    "bytes behind": ARCHIVE + b"tail",
    "no directory": ARCHIVE[: ARCHIVE.find(b"PK\x01\x02")],
    "entry count": _patched(ARCHIVE, b"PK\x05\x06", 10, b"\x09"),
    "unlisted member": make.zipped(("m/x", make.EVIL)).split(b"PK\x01\x02")[0] + ARCHIVE,
}


@pytest.mark.parametrize("case", TAMPERED)
def test_archives_that_readers_could_read_differently_are_findings(case: str) -> None:
    report = scan_bytes(TAMPERED[case])
    assert report.verdict is Verdict.FINDING
    assert codes(report) & {Code.CONTAINER_TAMPERED, Code.UNEXPLAINED_BYTES, Code.HIDDEN_PAYLOAD}


def _checksum(archive: bytes, member: str, value: int) -> bytes:
    """The archive with another CRC for this member, in both directories."""
    raw, new, at = member.encode(), value.to_bytes(4, "little"), 0
    for signature, name, crc in ((b"PK\x03\x04", 30, 14), (b"PK\x01\x02", 46, 16)):
        at = archive.find(signature, at)
        while archive[at + name : at + name + len(raw)] != raw:
            at = archive.find(signature, at + 1)
            assert at >= 0
        archive = archive[: at + crc] + new + archive[at + crc + 4 :]
    return archive


def test_checksums_of_storages_are_not_compared_as_torch_does_not_and_what_lies_in_them_is_read() -> None:
    assert scan_bytes(_checksum(ARCHIVE, "m/data/0", 7)).verdict is Verdict.CLEAN
    for name in ("m/data.pkl", "m/byteorder"):
        assert codes(scan_bytes(_checksum(ARCHIVE, name, 7))) == {Code.CONTAINER_TAMPERED}
    hidden = make.torch_zip(make.PLAIN, ("m/data/1", make.EVIL))
    assert Code.CODE_EXECUTION in codes(scan_bytes(_checksum(hidden, "m/data/1", 7)))


def test_a_torch_archive_without_any_checksum_is_judged_by_its_content() -> None:
    for pickle, verdict in ((make.PLAIN, Verdict.CLEAN), (make.EVIL, Verdict.FINDING)):
        archive = make.torch_zip(pickle)
        for name in ("m/data.pkl", "m/byteorder", "m/data/0", "m/version"):
            archive = _checksum(archive, name, 0)
        report = scan_bytes(archive)
        assert report.verdict is verdict
        assert Code.CONTAINER_TAMPERED not in codes(report)


def test_two_members_of_one_name_and_hidden_members_are_read() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = make.zipped(("m/data.pkl", make.EVIL), ("m/data.pkl", make.PLAIN))
    report = scan_bytes(twice)
    assert {Code.CONTAINER_TAMPERED, Code.CODE_EXECUTION} <= codes(report)
    assert scan_bytes(TAMPERED["unlisted member"]).worst == "critical"


def test_one_member_listed_under_many_names_is_not_read_as_often() -> None:
    whole = make.zipped(("m00000", make.EVIL))
    local, _, rest = whole.partition(b"PK\x01\x02")
    entry, _, end = rest.partition(b"PK\x05\x06")
    count = 3000
    entries = b"".join(b"PK\x01\x02" + entry.replace(b"m00000", b"m%05d" % n) for n in range(count))
    end = end[:4] + struct.pack("<HHII", count, count, len(entries), len(local)) + end[16:]
    report = scan_bytes(local + entries + b"PK\x05\x06" + end)
    assert {Code.CONTAINER_TAMPERED, Code.CODE_EXECUTION} <= codes(report)
    assert len(report.members) < 200


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_members_are_unpacked_and_read(method: int) -> None:
    assert scan_bytes(make.zipped(("m/data.pkl", make.EVIL), method=method)).worst == "critical"
    assert scan_bytes(make.zipped(("m/data.pkl", make.PLAIN), method=method)).verdict is Verdict.CLEAN


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:\\x", "..\\x"])
def test_members_that_leave_their_folder_are_findings(name: str) -> None:
    assert Code.PATH_TRAVERSAL in codes(scan_bytes(make.zipped((name, make.PLAIN))))
    assert Code.PATH_TRAVERSAL in codes(scan_bytes(make.tarred((name, make.PLAIN))))


def test_tar_members_links_and_long_names() -> None:
    assert scan_bytes(make.tarred(("a" * 150 + "/m.pkl", make.PLAIN))).verdict is Verdict.CLEAN
    assert scan_bytes(make.tarred(("a" * 150 + "/m.pkl", make.EVIL))).worst == "critical"
    assert Code.PATH_TRAVERSAL in codes(scan_bytes(make.tarred(("d", b"", "/etc"))))
    whole = make.tarred(("m.pkl", make.PLAIN * 100))
    assert Code.CONTAINER_TAMPERED in codes(scan_bytes(whole[:700]))
    assert scan_bytes(whole + b"x" * 512).verdict is Verdict.FINDING


def test_bombs_and_nesting_stop_at_the_limits() -> None:
    limits = Limits(output=8 << 20, ratio_from=1 << 20, ratio=50)
    bomb = make.zipped(("m/data.pkl", bytes(4 << 20)), method=zipfile.ZIP_DEFLATED)
    assert Code.BOMB in codes(scan_bytes(bomb, limits=limits))
    nested = make.EVIL
    for _ in range(4):
        nested = make.zipped(("inner", nested))
    assert scan_bytes(nested).worst == "critical"
    for _ in range(8):
        nested = make.zipped(("inner", nested))
    assert Code.BOMB in codes(scan_bytes(nested))


@pytest.mark.parametrize(
    "program", [b"\x7fELF" + bytes(100), b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0", b"#!/bin/sh\n"]
)
def test_programs_are_findings_alone_and_inside(program: bytes) -> None:
    assert codes(scan_bytes(program)) == {Code.FOREIGN_CONTENT}
    assert Code.FOREIGN_CONTENT in codes(scan_bytes(make.torch_zip(make.PLAIN, ("m/extra/run", program))))


def test_numpy_arrays_are_checked_against_their_size(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(10.0).reshape(2, 5))
    np.save(tmp_path / "s.npy", np.zeros(3, dtype=[("a", "<i4", (2,)), ("b", "U3")]))
    np.savez_compressed(tmp_path / "x.npz", a=np.ones(100), b=np.array(["x", None], dtype=object))
    for name in ("x.npy", "s.npy", "x.npz"):
        assert scan(tmp_path / name).verdict is Verdict.CLEAN, name
    raw = (tmp_path / "x.npy").read_bytes()
    assert scan_bytes(raw[:-1]).verdict is Verdict.FINDING
    assert scan_bytes(raw + make.EVIL).worst == "critical"
    header = {"descr": "|O", "fortran_order": False, "shape": (1,)}
    assert scan_bytes(make.npy(header, make.EVIL)).worst == "critical"
    assert Code.BOMB in codes(
        scan_bytes(make.npy({"descr": "<f8", "fortran_order": False, "shape": (1 << 60,)}, bytes(8)))
    )
    assert scan_bytes(make.npy({"descr": "<f8", "fortran_order": False, "shape": ("x",)}, bytes(8))).worst == "high"
    assert scan_bytes(b"\x93NUMPY\x01\x00\x40\x00__import__('os')").verdict is Verdict.FINDING


SAFETENSORS = {
    "overlap": make.safetensors({"a": FLOATS, "b": {**FLOATS, "data_offsets": [8, 24]}}, bytes(24)),
    "beyond the file": make.safetensors({"a": {**FLOATS, "shape": [4, 4], "data_offsets": [0, 64]}}, bytes(16)),
    "end before begin": make.safetensors({"a": {**FLOATS, "data_offsets": [16, 0]}}, bytes(16)),
    "huge header": make.safetensors({"a": FLOATS}, bytes(16), length=1 << 63),
    "header beyond the file": make.safetensors({"a": FLOATS}, bytes(16), length=10_000),
    "a second file behind": make.safetensors({"a": FLOATS}, bytes(16)) + make.torch_zip(make.EVIL),
    "deep JSON": make.safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "unknown type": make.safetensors({"a": {**FLOATS, "dtype": "PYOBJ"}}, bytes(16)),
    "a key twice": make.safetensors(
        b'{"a":' + json.dumps(FLOATS).encode() + b',"a":' + json.dumps(FLOATS).encode() + b"}", bytes(16)
    ),
    "a hole": make.safetensors(
        {"a": {**FLOATS, "data_offsets": [len(make.EVIL), len(make.EVIL) + 16]}}, make.EVIL + bytes(16)
    ),
    "a shape that overflows": make.safetensors({"a": {**FLOATS, "shape": [1 << 60, 1 << 60]}}, bytes(16)),
    "metadata that is no text": make.safetensors({"__metadata__": {"a": [1]}, "a": FLOATS}, bytes(16)),
}


@pytest.mark.parametrize("case", SAFETENSORS)
def test_safetensors_are_read_strictly(case: str) -> None:
    report = scan_bytes(SAFETENSORS[case])
    assert (report.format, report.verdict) == ("safetensors", Verdict.FINDING)


def test_what_hides_in_or_behind_safetensors_is_named() -> None:
    for case in ("a hole", "a second file behind"):
        assert "posix:system" in {issue.callable for issue in scan_bytes(SAFETENSORS[case]).issues}


@pytest.mark.parametrize("keep", [0, 1, 15, 16, 33])
def test_a_pickle_in_a_tensor_is_found_and_one_that_was_cut_is_broken(keep: int) -> None:
    header = {"state": {"dtype": "U8", "shape": [len(make.EVIL)], "data_offsets": [0, len(make.EVIL)]}}
    data = make.safetensors(header, make.EVIL)
    assert scan_bytes(data).worst == "critical"
    assert Code.BROKEN_STREAM in codes(scan_bytes(data[: len(data) - len(make.EVIL) + keep]))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(["f4", "f8", "i2", "u1", "?"]), st.lists(st.integers(0, 4), max_size=3)),
        max_size=5,
    ),
    st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1),
)
@settings(max_examples=80, deadline=None)
def test_what_the_safetensors_library_writes_is_clean(
    tensors: dict[str, tuple[str, list[int]]], metadata: dict[str, str] | None
) -> None:
    raw = save({name: np.zeros(shape, dtype) for name, (dtype, shape) in tensors.items()}, metadata)
    report = scan_bytes(raw)
    assert (report.format, report.verdict) == ("safetensors", Verdict.CLEAN), report.issues


def test_a_safetensors_index_stays_in_its_folder() -> None:
    def index(target: str) -> bytes:
        return json.dumps({"metadata": {"total_size": 16}, "weight_map": {"w": target}}).encode()

    assert scan_bytes(index("model-00001-of-00002.safetensors")).verdict is Verdict.CLEAN
    assert codes(scan_bytes(index("../../secret.bin"))) == {Code.PATH_TRAVERSAL}


def test_onnx_of_standard_operators_is_clean() -> None:
    model = make.onnx((make.node("Relu"), make.node("TreeEnsembleClassifier", "ai.onnx.ml")), (make.tensor("w"),))
    assert (scan_bytes(model).format, scan_bytes(model).verdict) == ("onnx", Verdict.CLEAN)


SUBGRAPH = make.field(1, make.node("Relu")) + make.field(5, make.tensor("w", location="../../x"))
ONNX = {
    "traversal": (
        make.onnx((make.node("Relu"),), (make.tensor("w", location="../../etc/passwd"),)),
        Code.PATH_TRAVERSAL,
    ),
    "absolute": (make.onnx((make.node("Relu"),), (make.tensor("w", location="/etc/shadow"),)), Code.PATH_TRAVERSAL),
    "share": (make.onnx((make.node("Relu"),), (make.tensor("w", location="\\\\host\\x"),)), Code.PATH_TRAVERSAL),
    "in a constant": (
        make.onnx((make.node("Constant", attribute=make.field(5, make.tensor("c", location="/x"))),)),
        Code.PATH_TRAVERSAL,
    ),
    "in a branch": (make.onnx((make.node("If", attribute=make.field(6, SUBGRAPH)),)), Code.PATH_TRAVERSAL),
    "custom domain": (make.onnx((make.node("Run", "com.example"),)), Code.CUSTOM_OPERATOR),
    "python operator": (make.onnx((make.node("PyOp", "ai.onnx.contrib"),)), Code.CUSTOM_OPERATOR),
    "native context": (make.onnx((make.node("EPContext", "com.microsoft"),)), Code.CUSTOM_OPERATOR),
    "overflow": (make.onnx((make.node("Relu"),), (make.tensor("w", (1 << 40, 1 << 40)),)), Code.BROKEN_STREAM),
    "wrong size": (make.onnx((make.node("Relu"),), (make.tensor("w", (5,)),)), Code.BROKEN_STREAM),
    "behind many numbers": (
        make.onnx((make.node("X", attribute=b"\x3d\1\2\3\4" * 50 + b"\x40\x96\x01" * 50 + make.field(6, SUBGRAPH)),)),
        Code.PATH_TRAVERSAL,
    ),
}


@pytest.mark.parametrize("case", ONNX)
def test_onnx_that_reaches_out_is_a_finding(case: str) -> None:
    data, code = ONNX[case]
    assert code in codes(scan_bytes(data))


def test_onnx_external_data_is_looked_up_beside_the_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(make.onnx((make.node("Relu"),), (make.tensor("w", location="weights.bin"),)))
    assert codes(scan(path)) == {Code.EXTERNAL_DATA}
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    assert scan(path).verdict is Verdict.CLEAN
    assert scan_bytes(path.read_bytes()).verdict is Verdict.UNKNOWN


@given(st.integers(1, 400))
def test_onnx_that_is_cut_is_never_clean(cut: int) -> None:
    whole = make.onnx((make.node("Relu"),), (make.tensor("w", (100,), raw=bytes(400)),))
    whole = whole[: whole.rindex(make.field(1, "ai.onnx.ml")) - 2]  # without the sets that it does not use
    assert scan_bytes(whole[: -min(cut, len(whole) - 1)]).verdict is not Verdict.CLEAN


DENSE: dict[str, object] = {
    "module": "keras.layers",
    "class_name": "Dense",
    "registered_name": None,
    "config": {"units": 1},
}
KERAS: dict[str, tuple[dict[str, object], Code]] = {
    "lambda": (
        {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}},
        },
        Code.KERAS_LAMBDA,
    ),
    "lambda in a wrapper": (
        {
            "module": "keras.layers",
            "class_name": "TimeDistributed",
            "config": {"layer": {"class_name": "Lambda", "config": {}}},
        },
        Code.KERAS_LAMBDA,
    ),
    "a module that is not Keras": (
        {"module": "os", "class_name": "system", "config": {"command": "x"}},
        Code.CODE_EXECUTION,
    ),
    "an unknown package": ({"module": "evil.layers", "class_name": "Layer", "config": {}}, Code.KERAS_FOREIGN_CLASS),
    "a tool of Keras": ({"module": "keras.utils", "class_name": "get_file", "config": {}}, Code.CODE_EXECUTION),
    "a pickled torch module": (
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}},
        Code.CODE_EXECUTION,
    ),
    "a function": (
        {**DENSE, "config": {"activation": {"module": "builtins", "class_name": "function", "config": "exec"}}},
        Code.CODE_EXECUTION,
    ),
    "a vocabulary in a file": (
        {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        Code.EXTERNAL_DATA,
    ),
}


@pytest.mark.parametrize("case", KERAS)
def test_keras_configurations_that_run_code_are_findings(case: str) -> None:
    layer, code = KERAS[case]
    assert code in codes(scan_bytes(make.keras(DENSE, layer)))


def test_a_keras_file_whose_weights_are_broken_is_a_finding() -> None:
    assert codes(scan_bytes(make.keras(DENSE))) == {Code.BROKEN_STREAM}


@pytest.mark.parametrize("name", [name for name, item in FORMATS.items() if item.clean])
def test_formats_that_can_be_clean_have_a_reader_and_others_have_none(name: str) -> None:
    from shipworthy.modelfile.readers import _READERS

    assert {key for key, item in FORMATS.items() if item.clean} == set(_READERS)
    assert name in _READERS


@pytest.mark.parametrize(
    "data",
    [b"FEA1" + bytes(60), b"\xd3\x91\x00\x01" * 30],
)
def test_what_is_not_read_is_unknown(data: bytes) -> None:
    report = scan_bytes(data)
    assert report.verdict is Verdict.UNKNOWN
    assert report.unknowns


def test_the_documentation_shows_the_same_formats() -> None:
    page = (Path(__file__).parent.parent / "docs" / "model-formats.md").read_text("utf-8")
    assert table() in page
    assert re.search(r"trust = \[\"mypackage\.models:\*\"\]", page)


def test_a_model_that_breaks_is_not_read_to_its_end() -> None:
    whole = make.onnx((make.node("Relu"),))
    assert scan_bytes(whole[:-3]).unknowns


def test_a_broken_file_is_unread_in_every_format() -> None:
    """A medium finding alone would let the default gate pass."""
    cut = gzip.compress(make.stream(b"N") * 50)[:-6]
    report = scan_bytes(cut)
    assert report.worst == "medium"
    assert report.unknowns
