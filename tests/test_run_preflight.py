"""What would keep a run from being signed and stored is told before the training, not after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipworthy.keys import new_key

SETTINGS = """
pipeline = "ml"
project = "small"
[train]
command = ["python", "train.py"]
code = ["train.py"]
outputs = { model = "model/" }
[evaluate]
command = ["python", "train.py"]
holdout = "holdout.csv"
[gates.before-train]
require = []
fail-on = "never"
[sign]
key = "file:../keys/release.key"
passphrase = "env:RELEASE_PASSPHRASE"
[store]
to = ["local:../store"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shipworthy.toml").write_text(SETTINGS)
    (folder / "train.py").write_text("raise SystemExit('training was started')\n")
    (folder / "holdout.csv").write_text("id,text,label\n1,a,0\n2,b,1\n")
    (tmp_path / "keys").mkdir()
    new_key(tmp_path / "keys" / "release.key", passphrase="correct")
    return folder


def run(project: Path, passphrase: str = "correct") -> tuple[int, str, str]:
    """Exit code, the stage that it ended in, and all that was said."""
    done = subprocess.run(
        [sys.executable, "-m", "shipworthy", "run", "ml", "--quiet"],
        cwd=project,
        env={**os.environ, "RELEASE_PASSPHRASE": passphrase},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    (record,) = (project / ".shipworthy" / "runs").glob("*/run.json")
    stages = json.loads(record.read_bytes())["stages"]
    last = next(stage for stage in stages if stage["status"] != "passed")
    return done.returncode, last["stage"], said


def test_a_key_that_opens_and_a_store_that_can_be_written_let_the_training_start(project: Path) -> None:
    code, stage, said = run(project)
    assert (code, stage) == (1, "train"), said


@pytest.mark.parametrize(
    ("passphrase", "says"), [("wrong", "passphrase is wrong"), ("", "has a passphrase")], ids=["wrong", "none"]
)
def test_a_passphrase(project: Path, passphrase: str, says: str) -> None:
    code, stage, said = run(project, passphrase)
    assert (code, stage) == (2, "load"), said
    assert says in said


def test_a_key_that_is_not_there(project: Path) -> None:
    (project.parent / "keys" / "release.key").unlink()
    code, stage, said = run(project)
    assert (code, stage) == (2, "load"), said
    assert "no such key" in said


def test_a_key_that_others_can_read(project: Path) -> None:
    (project.parent / "keys" / "release.key").chmod(0o644)
    code, stage, said = run(project)
    assert (code, stage) == (2, "load"), said
    assert "0644" in said


def test_a_store_where_no_folder_can_be(project: Path) -> None:
    (project.parent / "store").write_text("a file")
    code, stage, said = run(project)
    assert (code, stage) == (5, "load"), said
    assert "store" in said


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system without room."""
    place = tmp_path / "store"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting needs root")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "none", str(place)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with (place / "filler").open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                pass
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("full_disk")
def test_a_store_on_a_full_disk(project: Path) -> None:
    code, stage, said = run(project)
    assert (code, stage) == (5, "load"), said
    assert "full" in said
