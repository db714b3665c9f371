"""Models that take all time or memory, and what leads beyond their own arrays, in the formats of graphs and trees."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import pytest

from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes

BOOSTERS = Path(__file__).parent / "data" / "models" / "boosters"


def loud(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues if issue.severity in ("high", "critical")}


def lightgbm(old: bytes, new: bytes) -> Report:
    raw = (BOOSTERS / "lightgbm-plain.txt").read_bytes()
    assert old in raw
    return scan_bytes(raw.replace(old, new, 1))


def test_lightgbm_is_known_also_behind_lines_that_its_reader_passes_over() -> None:
    assert lightgbm(b"\nversion=", b"\nevil=1\nversion=").format == "lightgbm"
    assert lightgbm(b"\nversion=", b"\n" + b"x" * 9000 + b"\nversion=").format == "lightgbm"
    assert scan_bytes(b"tree\n====\n\nA text about trees.\n").format == "text"


def test_files_that_lightgbm_opens_when_it_refits_stay_beside_the_model() -> None:
    old = b"[forcedsplits_filename: ]"
    assert loud(lightgbm(old, b"[forcedsplits_filename: /etc/passwd]")) == {Code.PATH_TRAVERSAL}
    beside = lightgbm(old, b"[forcedsplits_filename: splits.json]")
    assert [(issue.code, issue.severity) for issue in beside.issues] == [(Code.EXTERNAL_DATA, "medium")]


def test_hydras_helpers_are_judged_by_the_path_that_they_import() -> None:
    text = "a:\n  _target_: hydra.utils.get_%s\n  path: %s\n"
    assert loud(scan_bytes((text % ("method", "os.system")).encode())) == {Code.CODE_EXECUTION}
    assert scan_bytes((text % ("class", "torch.nn.ReLU")).encode()).verdict is Verdict.CLEAN


def pickled() -> bytes:
    return base64.b64encode(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.")


def test_pickles_in_base64_among_the_texts_that_a_model_keeps_are_found() -> None:
    header = json.dumps({"__metadata__": {"format": "pt", "extra": pickled().decode()}}).encode()
    assert loud(scan_bytes(struct.pack("<Q", len(header)) + header)) == {Code.CODE_EXECUTION}
    header = json.dumps(
        {"__metadata__": {"format": "pt", "extra": "bm8gcGlja2xlIGF0IGFsbCwganVzdCBhIHRleHQ="}}
    ).encode()
    assert scan_bytes(struct.pack("<Q", len(header)) + header).verdict is Verdict.CLEAN

    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    values = {b"general.architecture": b"llama", b"general.extra": pickled()}
    pairs = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in values.items())
    raw = b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + pairs
    assert loud(scan_bytes(raw + bytes(-len(raw) % 32))) == {Code.CODE_EXECUTION}


PADDLE = Path(__file__).parent / "data" / "models" / "paddle"


@pytest.mark.parametrize(
    ("old", "new", "bomb"),
    [
        ("10.0", "10.0", False),
        ("10.0", "1e12", True),
        ('"bias"', '"none"', True),  # the counter stays as it is
        ('[1],"NCHW"', '[1099511627776],"NCHW"', True),
    ],
)
def test_loops_of_paddle_end(old: str, new: str, bomb: bool) -> None:
    text = (PADDLE / "loop.json").read_text()
    assert old in text
    assert loud(scan_bytes(text.replace(old, new).encode())) == ({Code.BOMB} if bomb else set())


def test_loops_of_core_ml_end() -> None:
    raw = (Path(__file__).parent / "data" / "models" / "coreml" / "loop.mlmodel").read_bytes()
    assert scan_bytes(raw).verdict is Verdict.CLEAN
    assert loud(scan_bytes(raw.replace(b"\x12\x03\n\x01\x0a", b"\x12\x03\n\x01\x7f"))) == set()  # more turns
    assert loud(scan_bytes(raw.replace(b"\x12\x03\n\x01\x01", b"\x12\x03\n\x01\x00"))) == {Code.BOMB}  # no step


@pytest.mark.parametrize(
    ("turns", "goes_on", "bomb"), [(10, 1, False), (1 << 40, 1, True), (-1, 1, True), (-1, 0, False)]
)
def test_loops_of_openvino_end(tmp_path: Path, turns: int, goes_on: int, bomb: bool) -> None:
    folder = Path(__file__).parent / "data" / "models" / "openvino"
    raw = (folder / "loop.bin").read_bytes()
    (tmp_path / "loop.bin").write_bytes(struct.pack("<qB", turns, goes_on) + raw[9:])
    (tmp_path / "loop.xml").write_bytes((folder / "loop.xml").read_bytes())
    assert loud(scan(tmp_path / "loop.xml")) == ({Code.BOMB} if bomb else set())


def test_loops_of_executorch_end() -> None:
    raw = (Path(__file__).parent / "data" / "models" / "executorch" / "loop.pte").read_bytes()
    assert scan_bytes(raw).verdict is Verdict.CLEAN
    counted = struct.pack("<4I", 3, 3, 10, 3)  # the counter becomes itself and one
    assert raw.count(counted) == 1
    assert loud(scan_bytes(raw.replace(counted, struct.pack("<4I", 3, 3, 6, 3)))) == {Code.BOMB}  # itself and nought
    tested = struct.pack("<4I", 3, 3, 4, 11)  # the counter is the size
    assert loud(scan_bytes(raw.replace(tested, struct.pack("<4I", 3, 9, 5, 11)))) == {Code.BOMB}  # one is nought
