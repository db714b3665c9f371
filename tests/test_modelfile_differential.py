"""What CPython's own unpicklers import, the scan has seen; and where the two unpicklers differ, it says so."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.differential import LOADERS, compare, imported
from shipworthy.modelfile import Code, Verdict, scan_bytes

HARNESS = Path(__file__).parent / "fuzz" / "differential.py"


def frame(size: int) -> bytes:
    return b"\x95" + size.to_bytes(8, "little")


def test_a_short_run_finds_no_difference() -> None:
    run = subprocess.run(
        [sys.executable, HARNESS, "--count", "6000", "--jobs", "2", "--first", "5000000"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "pickles, 0 differences" in run.stdout


def test_the_harness_notices_a_name_that_the_scan_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a scan that sees nothing."""
    empty = scan_bytes(pickle.dumps([]))
    monkeypatch.setattr("fuzz.differential.scan_bytes", lambda *_, **__: empty)
    assert compare(0, b"cos\nsystem\n.") is not None


# Each found by the harness. The second element is what a loader imports.
DIFFERENT = {
    "a name that a frame cuts in two": (b"\x80\x04" + frame(4) + b"cxxxos\nsystem\n.", ("os", "system")),
    "a frame that goes on behind STOP": (b"\x80\x04" + frame(8) + b"N.xxxxxxcos\nsystem\n.", ("os", "system")),
    "a frame within a frame": (b"\x80\x04" + frame(30) + frame(2) + b"N0cos\nsystem\n." + b"N" * 40, None),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_frames_about_which_loaders_differ_are_findings(case: str) -> None:
    data, name = DIFFERENT[case]
    report = scan_bytes(data)
    assert any(issue.code is Code.BROKEN_STREAM and issue.severity == "high" for issue in report.issues)
    seen = [{pair for names in imported(data, loader) for pair in names} for loader in LOADERS]
    assert name is None or name in set.union(*seen)


def test_a_name_without_an_end_is_imported_by_pythons_unpickler() -> None:
    data = b"\x80\x02cos\nsystemX"
    assert imported(data, LOADERS[0]) == [{("os", "system")}]
    report = scan_bytes(data)
    assert "os:system" in report.names
    assert report.worst == "high"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("size", [10, 70_000, 300_000])
def test_frames_of_real_picklers_are_fine(protocol: int, size: int) -> None:
    """Frames of 64 KiB, objects outside of frames, both picklers, streams one behind the other."""
    value = {
        "numbers": list(range(size)),
        "text": "x" * size,
        "raw": bytes(size),
        "texts": [str(n) for n in range(size // 10)],
    }
    for pickler in (pickle.Pickler, pickle._Pickler):  # type: ignore[attr-defined]
        if pickler is pickle._Pickler and size > 100_000:  # type: ignore[attr-defined]
            continue
        out = io.BytesIO()
        pickler(out, protocol).dump(value)
        pickler(out, protocol).dump([value["text"]])
        report = scan_bytes(out.getvalue())
        assert report.verdict is Verdict.CLEAN, report.issues
