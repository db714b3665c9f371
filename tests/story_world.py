"""What the stories of use share: the command as a person runs it, the example project that was run once, and a project
small enough to be trained in a second."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """\
project = "tiny"

[load]
datasets = ["data/*.csv"]

[scan]
checks = ["repository-hygiene", "model-file"]

[train]
command = ["python", "train.py"]
code = ["train.py"]
inputs = { train = "data/train.csv" }
outputs = { model = "model/" }
env = { STORY_MARK = "@@MARK@@" }

[evaluate]
command = ["python", "evaluate.py"]
code = ["evaluate.py"]
holdout = "data/holdout.csv"
id = "id"
label = "label"
positive = "1"

[gates.before-train]
require = ["inventory"]

[gates.before-sign]
require = ["models"]
rules = ["metric('accuracy').value >= 0.9"]

[sign]
key = "file:../keys/release.key"

[store]
to = ["local:store"]
"""
# The threshold between two heaps of numbers, as a matrix of NumPy: a format that the model readers know.
TRAIN = """\
import csv, os, struct, subprocess, sys, time
from pathlib import Path

rows = list(csv.DictReader(open(os.environ["SHIPWORTHY_INPUT_TRAIN"])))
middle = sum(float(row["x"]) for row in rows) / len(rows)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(@@SECONDS@@)"])
for step in range(@@SECONDS@@ * 10):
    print("step", step, flush=True)
    time.sleep(0.1)
folder = Path(os.environ["SHIPWORTHY_OUTPUT_MODEL"])
folder.mkdir(parents=True, exist_ok=True)
header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
header += b" " * (-(len(header) + 11) % 64) + b"\\n"
(folder / "middle.npy").write_bytes(
    b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", len(header)) + header + struct.pack("<d", middle)
)
"""
EVALUATE = """\
import csv, os, struct
from pathlib import Path

middle = struct.unpack("<d", (Path(os.environ["SHIPWORTHY_INPUT_MODEL"]) / "middle.npy").read_bytes()[-8:])[0]
rows = csv.DictReader(open(os.environ["SHIPWORTHY_INPUT_HOLDOUT"]))
with open(os.environ["SHIPWORTHY_OUTPUT_PREDICTIONS"], "w", newline="") as stream:
    writer = csv.writer(stream)
    writer.writerow(["id", "prediction"])
    writer.writerows([row["id"], int(float(row["x"]) > middle)] for row in rows)
"""


def shipworthy(
    *args: str, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would; it never ends in a traceback."""
    done = subprocess.run(
        command(*args),
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "shipworthy", *args]


def own_folders(home: Path) -> dict[str, str]:
    """Caches and state in a folder of their own."""
    return {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "STATE", "DATA")}


def tiny_project(place: Path, *, mark: str = "none", seconds: int = 0) -> Path:
    """A project whose training takes this many seconds; `mark` is in the environment of what it starts."""
    folder = place / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "shipworthy.toml").write_text(SETTINGS.replace("@@MARK@@", mark))
    (folder / "train.py").write_text(TRAIN.replace("@@SECONDS@@", str(seconds)))
    (folder / "evaluate.py").write_text(EVALUATE)
    for name, count in (("train", 40), ("holdout", 60)):
        rows = [f"{name}{n},{n + 1000 * (n % 2)},{n % 2}" for n in range(count)]
        (folder / "data" / f"{name}.csv").write_text("\n".join(["id,x,label", *rows]) + "\n")
    made = shipworthy("keys", "new", str(place / "keys" / "release.key"), cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def runs(project: Path) -> list[Path]:
    """The folders of the project's runs, the oldest first."""
    return sorted((project / ".shipworthy" / "runs").iterdir())


def record(folder: Path) -> dict[str, Any]:
    """The run.json of a run's folder."""
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def stages(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {stage["stage"]: stage for stage in run["stages"]}


@contextlib.contextmanager
def made_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all test processes of this session share, and whether it is yours to fill; others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = folder / "ready"
        yield folder, not ready.exists()
        ready.touch()


def example_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `shipworthy demo` on generated data, run once for all; with `home` and `printed.txt` beside it."""
    with made_once(tmp_path_factory, "example") as (folder, mine):
        if mine:
            for part in ("demo", "ready"):
                shutil.rmtree(folder / part, ignore_errors=True)
            done = shipworthy(
                "demo", "--folder", "demo", "--data", "generated", cwd=folder, env=own_folders(folder / "home")
            )
            (folder / "printed.txt").write_text(done.stdout + done.stderr)
            (folder / "exit.txt").write_text(str(done.returncode))
    return folder
