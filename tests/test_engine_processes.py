"""Several processes at once, and callers that are scripts."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

FIRST_RUN = """
import pathlib, sys
from shipworthy.engine import journal
pathlib.Path(sys.argv[2]).touch()
while not pathlib.Path(sys.argv[1]).exists():
    pass
print(journal._key().hex())
"""
SCRIPT = """
from pathlib import Path
from shipworthy.config import load_settings
from shipworthy.engine.runner import Order, run_pipeline
from shipworthy.stages.target import scan_pipeline

print("the script began")
pipeline = scan_pipeline(Path("model.pkl"), ("model-file",))
run = run_pipeline(Order(root=Path("."), settings=load_settings(None), pipeline=pipeline, keep=False))
print([f"{check.check} {check.outcome.value}" for check in run.checks])
"""


def test_first_runs_at_once_make_one_key(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    ready = [tmp_path / f"ready-{n}" for n in range(4)]
    started = [
        subprocess.Popen([sys.executable, "-c", FIRST_RUN, tmp_path / "go", flag], stdout=subprocess.PIPE, env=env)
        for flag in ready
    ]
    while not all(flag.exists() for flag in ready):
        assert all(process.poll() is None for process in started)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    keys = {process.communicate(timeout=60)[0].strip().decode() for process in started}
    path = tmp_path / "state" / "shipworthy" / "journal.key"
    assert keys == {path.read_bytes().hex()}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["journal.key"]


def test_a_script_without_a_guard_is_not_run_again_by_the_workers(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"weights": [1.0]}))
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == ["the script began", "['inventory ran', 'model-file ran']"], done.stderr
    assert "Traceback" not in done.stderr
