"""HDF5: files of the real libraries are clean to the last byte; what reaches out, hides or lies is a finding."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hdf5_samples as make
import modelfile_samples
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes
from shipworthy.modelfile.hdf5.low import lookup3

DATA = Path(__file__).parent / "data" / "models"
HONEST = sorted(path.name for path in (DATA / "hdf5").iterdir())


@cache
def honest(name: str) -> bytes:
    return next(DATA.glob(f"*/{name}")).read_bytes()


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


@pytest.mark.parametrize("name", HONEST)
def test_files_of_h5py_and_pytables_are_clean(name: str) -> None:
    report = scan(DATA / "hdf5" / name)
    assert (report.format, report.verdict, report.issues, report.unknowns) == ("hdf5", Verdict.CLEAN, (), ())


def test_the_checksum_is_that_of_the_library() -> None:
    assert lookup3(b"") == 0xDEADBEEF
    assert lookup3(b"Four score and seven years ago") == 0x17770551


def test_our_own_writer_writes_what_the_reader_calls_clean() -> None:
    for data in (make.group(make.attribute("keras_version", b"3.9.0")), make.weights()):
        assert scan_bytes(data).verdict is Verdict.CLEAN, scan_bytes(data)


FLOATS = (make.message(3, make.FLOAT),)
OUTSIDE = {
    "an external link": (make.group(make.link("w", 64, b"\0/etc/passwd\0/x\0")), Code.EXTERNAL_DATA),
    "an external link to a neighbour": (make.group(make.link("w", 64, b"\0other.h5\0/x\0")), Code.EXTERNAL_DATA),
    "a user-defined link": (make.group(make.link("w", 200, b"x")), Code.EXTERNAL_DATA),
    "external storage": (make.external("/etc/passwd"), Code.EXTERNAL_DATA),
    "a plugin's filter": (
        make.dataset(make.space(4), *FLOATS, make.filtered(32023), make.chunked(4, 4)),
        Code.CUSTOM_OPERATOR,
    ),
    "a shape that takes all memory": (make.dataset(make.space(1 << 40), *FLOATS, make.chunked(64, 4)), Code.BOMB),
    "the same without chunks": (
        make.dataset(make.space(1 << 40), *FLOATS, make.contiguous(None, 4 << 40)),
        Code.BOMB,
    ),
    "data beyond the end": (make.dataset(make.space(4), *FLOATS, make.contiguous(1 << 40, 16)), Code.BROKEN_STREAM),
    "data over the superblock": (make.dataset(make.space(4), *FLOATS, make.contiguous(8, 16)), Code.BROKEN_STREAM),
    "a size that lies": (make.dataset(make.space(4), *FLOATS, make.contiguous(None, 8)), Code.BROKEN_STREAM),
    "a link that leads nowhere": (make.group(make.link("w", 0, 5)), Code.BROKEN_STREAM),
    "bytes in front": (bytes(512) + make.weights(), Code.CONTAINER_TAMPERED),
    "bytes behind": (make.weights() + b"tail", Code.UNEXPLAINED_BYTES),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_files_that_reach_out_or_lie_are_findings(case: str) -> None:
    data, code = OUTSIDE[case]
    report = scan_bytes(data)
    assert (report.format, report.verdict) == ("hdf5", Verdict.FINDING)
    assert code in codes(report)


def test_virtual_datasets_show_the_file_they_read() -> None:
    file = make.Writer()
    mapping = b"\0" + struct.pack("<Q", 1) + b"/data/other.h5\0/x\0" + bytes(30)
    padded = mapping + b"\0" * (-len(mapping) % 8)
    size = 32 + len(padded)
    heap = file.put(b"GCOL\x01\0\0\0" + struct.pack("<QHHIQ", size, 1, 1, 0, len(mapping)) + padded)
    layout = make.message(8, b"\x04\x03" + struct.pack("<QI", heap, 1))
    target = file.put(make.header(make.space(4), *FLOATS, layout))
    report = scan_bytes(file.finish(make.link("w", 0, target)))
    assert any("/data/other.h5" in issue.message for issue in report.issues if issue.code is Code.EXTERNAL_DATA)


def aligned(command: str) -> bytes:
    """A pickle that fills an array of floats to the last byte."""
    sizes = (modelfile_samples.call("posix", "system", command + "x" * more) for more in range(4))
    return next(raw for raw in sizes if len(raw) % 4 == 0)


HIDING = {
    "in an attribute": make.group(make.attribute("settings", modelfile_samples.EVIL)),
    "in an attribute, protocol 0": make.group(make.attribute("settings", b"cos\nsystem\n(S'echo x'\ntR.")),
    "as weights": make.weights(aligned("echo shipworthy-test")),
    "behind the end": make.weights() + modelfile_samples.EVIL,
    "in a hole": (lambda file: (file.put(modelfile_samples.EVIL), file.finish(make.attribute("a", b"x")))[1])(
        make.Writer()
    ),
}


@pytest.mark.parametrize("case", HIDING)
def test_pickles_are_found_wherever_they_hide(case: str) -> None:
    report = scan_bytes(HIDING[case])
    assert {"posix:system", "os:system"} & {issue.callable for issue in report.issues}


def test_pickled_rows_of_pytables_are_read() -> None:
    whole = honest("pytables.h5")
    at = whole.index(b"\x80", whole.index(b"GCOL"))
    length = struct.unpack("<Q", whole[at - 8 : at])[0]
    filler = length - len(modelfile_samples.EVIL) - 4
    evil = modelfile_samples.EVIL[:-1] + b"0" + b"N0" * (filler // 2) + b"(" * (filler % 2) + b"N" + b"."
    evil = evil.ljust(length, b".")[: length - 1] + b"."
    report = scan_bytes(whole[:at] + evil + whole[at + length :])
    assert "posix:system" in {issue.callable for issue in report.issues}


def test_groups_that_lead_back_to_themselves_end_and_are_found() -> None:
    """Who walks through the groups by their names never ends; two names of one group are no trouble."""
    file = make.Writer()
    root = 48 + len(make.header(make.link("x", 0, 0)))
    inner = file.put(make.header(make.link("x", 0, root)))
    report = scan_bytes(file.finish(make.link("y", 0, inner)))
    assert [(issue.code, issue.severity) for issue in report.issues] == [(Code.BOMB, "high")]
    twice = make.Writer()
    inner = twice.put(make.header())
    assert scan_bytes(twice.finish(make.link("x", 0, inner), make.link("y", 0, inner))).verdict is Verdict.CLEAN


def test_soft_links_stay_in_the_file() -> None:
    assert scan_bytes(make.group(make.link("w", 1, b"/elsewhere"))).verdict is Verdict.CLEAN


SAMPLES = [*HONEST, "keras-2.15-trained.h5", "keras-3.15.1-trained.weights.h5"]


@given(st.sampled_from(SAMPLES), st.floats(0, 1, exclude_max=True))
@settings(max_examples=150, deadline=None)
def test_a_file_that_is_cut_is_never_clean(name: str, part: float) -> None:
    whole = honest(name)
    assert scan_bytes(whole[: int(len(whole) * part)]).verdict is not Verdict.CLEAN


def test_a_small_file_cut_anywhere_is_never_clean() -> None:
    whole = make.weights()
    assert all(scan_bytes(whole[:size]).verdict is not Verdict.CLEAN for size in range(len(whole)))


@given(
    st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)
)
@settings(max_examples=200, deadline=None)
def test_changed_bytes_never_raise(name: str, changes: list[tuple[float, int]]) -> None:
    whole = bytearray(honest(name))
    for place, value in changes:
        whole[int(len(whole) * place)] = value
    assert scan_bytes(bytes(whole)).format in ("hdf5", "", "zip", "tar", "pickle", "text")


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_noise_behind_the_signature_never_raises(noise: bytes) -> None:
    assert scan_bytes(b"\x89HDF\r\n\x1a\n" + noise).verdict is not Verdict.CLEAN
    assert scan_bytes(make.weights()[:48] + noise).verdict is not Verdict.CLEAN


@pytest.mark.parametrize("version", [1, 2])
def test_chunks_of_old_layouts_are_found_where_they_lie(version: int) -> None:
    """Until HDF5 1.6: the count of sizes includes that of an element. PyTables' own test files are such."""
    file = make.Writer()
    data = file.put(bytes(16))
    key = struct.pack("<II", 16, 0)
    tree = b"TREE\x01\x00" + struct.pack("<H", 1) + make.NOWHERE * 2
    tree += key + struct.pack("<QQ", 0, 0) + struct.pack("<Q", data) + key + struct.pack("<QQ", 4, 0)
    at = file.put(tree)
    layout = bytes([version, 2, 2]) + bytes(5) + struct.pack("<QII", at, 4, 4)
    target = file.put(make.header(make.space(4), *FLOATS, make.message(8, layout)))
    report = scan_bytes(file.finish(make.link("w", 0, target)))
    assert (report.verdict, report.issues) == (Verdict.CLEAN, ())


def test_line_ends_behind_a_file_are_told_and_no_more() -> None:
    assert scan_bytes(make.weights() + b"\n" * 6).worst == "low"
    assert scan_bytes(make.weights() + b"\n" * 60).worst == "medium"
