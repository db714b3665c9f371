"""What a killed process leaves among the temporary files is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CHILD = """
import sys, tempfile
from shipworthy.cli.leftovers import use_own_temporary_folder
use_own_temporary_folder()
print(tempfile.mkdtemp(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary folder with a short path."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def start(place: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(place)},
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip()).parent


def test_only_what_the_dead_have_left_is_removed(place: Path) -> None:
    precious = place / "precious"
    precious.mkdir()
    (precious / "lock").touch()
    (place / "shipworthy-link").symlink_to(precious)
    (place / "shipworthy-unlocked").mkdir()
    killed, left = start(place)
    living, kept = start(place)
    killed.kill()
    killed.communicate()
    assert left.is_dir()
    (left / "away").symlink_to(precious)
    ended, own = start(place)
    assert not left.exists()
    assert kept.is_dir()
    assert own.parent == place
    ended.communicate("")
    living.communicate("")
    assert sorted(path.name for path in place.iterdir()) == ["precious", "shipworthy-link", "shipworthy-unlocked"]
    assert (precious / "lock").exists()


def test_a_scan_leaves_nothing_behind(place: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    command = [sys.executable, "-m", "shipworthy", "scan", ".", "--format", "json"]
    env = {**os.environ, "TMPDIR": str(place)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=200)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    assert list(place.iterdir()) == []
