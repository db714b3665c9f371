"""Paths that nobody meant: closed to us, empty, a folder for a file, or without end."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# root reads everything, unless it gives that up
AS_A_USER = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    if os.geteuid() == 0
    else []
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be read, beside one that may not."""
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ok.pkl").write_bytes(pickle.dumps({"weights": [1.0]}))
    (tmp_path / "closed").chmod(0)
    yield tmp_path
    (tmp_path / "closed").chmod(0o755)


def told(words: list[str], folder: Path, start: list[str] | None = None) -> tuple[int, str]:
    """The exit code, and the errors without the name of a path that is too long."""
    argv = [*(start or []), sys.executable, "-P", "-m", "shipworthy", *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.skipif(bool(AS_A_USER) and not shutil.which("setpriv"), reason="root reads everything")
@pytest.mark.parametrize(
    "words",
    [
        "scan closed",
        "scan closed/ok.pkl",
        "scan open closed/ok.pkl",
        "scan open --settings closed/shipworthy.toml",
        "scan open --output closed/report.json",
        "explain closed/ok.pkl",
        "merge closed/shard.json",
        "sign closed/ok.pkl --key k --output s",
        "run dev -C closed",
        "import picklescan open/ok.pkl closed",
    ],
)
def test_what_is_closed_to_us_is_called_so(words: str, folder: Path) -> None:
    code, error = told(words.split(), folder, AS_A_USER)
    assert code == 5
    assert "closed" in error
    assert "ermission denied" in error
    assert "free space" not in error
    assert "no such" not in error


@pytest.mark.parametrize(
    "words",
    [
        ["scan", ""],
        ["scan", "open", ""],
        ["scan", "  "],
        ["sign", "", "--key", "k", "--output", "s"],
        ["verify", ""],
        ["run", "dev", "-C", ""],
        ["merge", ""],
        ["import", "picklescan", "open/ok.pkl", ""],
    ],
)
def test_an_empty_path_is_a_slip_and_not_this_folder(words: list[str], folder: Path) -> None:
    code, error = told(words, folder)
    assert code == 2
    assert "is empty" in error


@pytest.mark.parametrize("words", ["scan open/ok.pkl", "doctor", "verify", "sign open/ok.pkl --key k", "db status"])
def test_a_report_is_not_written_over_a_folder(words: str, folder: Path) -> None:
    code, error = told([*words.split(), "--output", "open"], folder)
    assert code == 2
    assert "open is a folder; name a file" in error


@pytest.mark.parametrize("words", [["scan"], ["explain"], ["scan", "open", "--settings"], ["scan", "open", "--output"]])
def test_a_path_without_end_is_not_repeated(words: list[str], folder: Path) -> None:
    code, error = told([*words, "a" * 5000 + "/b"], folder)
    assert code == 2
    assert len(error) < 600


def test_a_pipe_is_called_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    code, error = told(["scan", "pipe"], folder)
    assert code == 2
    assert "pipe: neither a file nor a folder (a pipe, socket or device)" in error
    assert "[scan] checks" not in error


def test_trust_in_a_name_that_pickles_do_not_use_is_told(folder: Path) -> None:
    (folder / "open" / "shipworthy.toml").write_text('[scan]\ntrust = ["os:system", "os:fspath", "own.models:*"]\n')
    argv = [sys.executable, "-P", "-m", "shipworthy", "scan", ".", "--check", "model-file"]
    done = subprocess.run(argv, cwd=folder / "open", capture_output=True, text=True, timeout=120)
    assert "`os:system` is `posix:system` in pickles that Python writes" in " ".join(done.stdout.split())
    assert done.stdout.count("[scan] trust:") == 2
