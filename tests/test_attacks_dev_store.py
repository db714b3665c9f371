"""Attacks on the DevSecOps pipeline by who can write to the store: every byte is signed, and it is the wrong one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from small_images import processes_with
from story_world import command, example_run, runs, shipworthy, tiny_project


def point(refs: Path, version: str) -> None:
    """Let `latest` mean this version."""
    digest = hashlib.sha256((refs / f"{version}.json").read_bytes()).hexdigest()
    latest = refs / "latest"
    latest.unlink(missing_ok=True)
    latest.write_text(json.dumps({"digest": f"sha256:{digest}", "version": version}, sort_keys=True) + "\n")


def test_an_old_model_is_not_shipped_as_the_newest(tmp_path: Path) -> None:
    project = tiny_project(tmp_path)
    for _ in range(2):
        assert shipworthy("run", "ml", cwd=project).returncode == 0
    refs = project / "store" / "refs" / "tiny"
    first, _ = sorted(path.stem for path in refs.glob("*.json"))
    point(refs, first)
    before = set(runs(project))
    done = shipworthy("run", "dev", "--format", "json", "--quiet", cwd=project)
    assert done.returncode == 4
    (run,) = set(runs(project)) - before
    load = json.loads((run / "run.json").read_text())["stages"][1]
    assert load["status"] == "failed"
    assert "leads back" in load["note"]
    done = shipworthy("run", "dev", "--model", f"tiny@{first}", "--quiet", cwd=project)
    assert "leads back" not in done.stdout + done.stderr  # who names it means it


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example_run(tmp_path_factory) / "demo" / "project"


def test_an_image_is_not_served_under_another_name(example: Path, tmp_path: Path) -> None:
    project = Path(
        shutil.copytree(example, tmp_path / "demo" / "project", ignore=shutil.ignore_patterns(".shipworthy"))
    )
    shutil.copytree(example.parent / "keys", tmp_path / "demo" / "keys")
    refs = project / "store" / "refs"
    shutil.copytree(refs / "prompt-injection-detector-service", refs / "victim-service")
    for arguments in (("up",), ("verify",)):
        done = shipworthy(*arguments, "victim-service", cwd=project, timeout=60)
        assert done.returncode == 4
        assert "released as prompt-injection-detector-service" in done.stdout + done.stderr


def test_nothing_of_a_served_image_is_left_when_it_is_killed(example: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="up", dir="/tmp") as place:
        env = {**os.environ, "TMPDIR": place}
        serving = subprocess.Popen(
            command("up", "--events", str(tmp_path / "events")),
            cwd=example, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert serving.stdout is not None
        try:
            assert any(line.startswith("listening on ") for line in serving.stdout)
            assert list(Path(place).rglob("rootfs-up"))
        finally:
            serving.kill()
            serving.wait()
            serving.stdout.close()
        deadline = time.monotonic() + 20
        while processes_with(place) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not processes_with(place)
        assert shipworthy("up", "nothing-of-this-name", cwd=example, env=env).returncode == 2
        assert list(Path(place).iterdir()) == []
