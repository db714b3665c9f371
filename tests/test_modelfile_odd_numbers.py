"""Numbers that only C's unpickler reads: what it imports behind them, the scan has seen."""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz.differential import compare
from shipworthy.modelfile import Verdict, scan_bytes

BEHIND = b"0cshutil\nrmtree\n."


@pytest.mark.parametrize(
    "line",
    [b"I255\0junk", b"I\0", b"I0777", b"I -017", b"L12\0x", b"L12L\0", b"F1.5\0x", b"I5\0\0\0"],
    ids=repr,
)
def test_a_number_with_a_tail_is_read_as_c_reads_it(line: bytes) -> None:
    data = line + b"\n" + BEHIND
    report = scan_bytes(data)
    assert report.verdict is Verdict.FINDING
    assert compare(0, data) is None
    if loads_in_c(data):
        assert "shutil:rmtree" in report.names


@pytest.mark.parametrize("index", [b"0\0x", b"0" * 60, b" 0"], ids=repr)
def test_a_memo_index_with_a_tail_is_read_as_c_reads_it(index: bytes) -> None:
    data = b"cshutil\nrmtree\np" + index + b"\n0g0\n."
    assert "shutil:rmtree" in scan_bytes(data).names
    assert compare(0, data) is None


def test_a_long_memo_index_is_not_cut() -> None:
    """Only its first characters were read, so that it named another value."""
    data = b"cos\nsystem\np" + b"0" * 40 + b"7\n0](g7\n(S'id'\ntRe."
    assert any(issue.code == "code-execution" for issue in scan_bytes(data).issues)


def loads_in_c(data: bytes) -> bool:
    class Inert(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            return (module, name)

    try:
        Inert(io.BytesIO(data)).load()
    except Exception:
        return False
    return True
