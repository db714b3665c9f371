"""Machine code among sources and models: by content, whatever the name."""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

import pytest

from shipworthy.artifacts import discover
from shipworthy.check import registry
from shipworthy.config import Gate
from shipworthy.gates import decide
from shipworthy.model import CheckResult, Finding, Outcome

CHECK = registry()["native-code"]
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
PE = b"MZ" + bytes(58) + struct.pack("<I", 20_000) + bytes(20_000 - 64) + b"PE\0\0" + bytes(60)
MACH_O = b"\xcf\xfa\xed\xfe" + bytes(60)


def look(root: Path, name: str, data: bytes) -> list[tuple[str, str]]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return [(f.rule.id, f.severity.value) for f in found(root)]


def found(root: Path) -> list[Finding]:
    looked = [a for a in discover(root).artifacts if CHECK.looks_at(a)]
    return [item for a in looked for item in CHECK.run(a) if isinstance(item, Finding)]


@pytest.mark.parametrize("data", [ELF, PE, MACH_O])
@pytest.mark.parametrize(
    "name", ["pkg/_fast.cpython-311-x86_64-linux-gnu.so", "lib/libz.so.1.2", "setup.exe", "a.dll", "tool"]
)
def test_machine_code_under_its_own_name_is_told_and_stops_no_gate(tmp_path: Path, name: str, data: bytes) -> None:
    assert look(tmp_path, name, data) == [("native-code", "medium")]
    result = CheckResult("native-code", "models", "1", Outcome.RAN, tuple(found(tmp_path)), frozenset({name}), 1)
    assert decide("scan", Gate(), [result]).passed


@pytest.mark.parametrize("data", [ELF, PE, MACH_O])
@pytest.mark.parametrize("name", ["vocab.json", "logo.png", "rows.csv", "a.ipynb", "requirements.txt", "run.py"])
def test_machine_code_under_a_name_of_data_is_severe(tmp_path: Path, name: str, data: bytes) -> None:
    assert look(tmp_path, name, data) == [("native-code-disguised", "high")]


def test_machine_code_beside_models_is_severe(tmp_path: Path) -> None:
    assert look(tmp_path, "assets/models/op.so", ELF) == [("native-code", "high")]


def test_a_program_of_this_machine_is_known(tmp_path: Path) -> None:
    shutil.copy(Path(sys.executable).resolve(), tmp_path / "python")
    assert [finding.rule.id for finding in found(tmp_path)] == ["native-code"]


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.png", b"\x89PNG\r\n\x1a\n" + bytes(60)), ("tool", b"#!/bin/sh\n"), ("a.so", b""), ("a.exe", b"MZ")],
)
def test_other_files_are_left_alone(tmp_path: Path, name: str, data: bytes) -> None:
    assert look(tmp_path, name, data) == []
