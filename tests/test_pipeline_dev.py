"""The DevSecOps pipeline: what is built and served is the model that was signed, or nothing is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from evidence_world import flip
from shipworthy.evidence.digest import digest_of
from story_world import made_once, record, runs, shipworthy, stages, tiny_project


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with made_once(tmp_path_factory, "trained") as (folder, mine):
        if mine:
            project = tiny_project(folder)
            done = shipworthy("run", "ml", cwd=project)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def project(trained_once: Path, tmp_path: Path) -> Path:
    """A project whose model was trained and stored, and whose keys lie beside it."""
    shutil.copytree(trained_once / "project", tmp_path / "project")
    shutil.copytree(trained_once / "keys", tmp_path / "keys")
    return tmp_path / "project"


def dev(project: Path, *options: str) -> dict[str, Any]:
    """The record of a run of the pipeline."""
    before = set(runs(project))
    shipworthy("run", "dev", "--format", "json", "--quiet", *options, cwd=project)
    (folder,) = set(runs(project)) - before
    return record(folder) | {"folder": str(folder)}


def test_the_model_is_verified_and_copied_from_the_store_before_anything_else(project: Path) -> None:
    run = dev(project)
    load = stages(run)["load"]
    assert load["status"] == "passed", load
    assert load["outputs"]["model"] == digest_of(project / "model")
    assert digest_of(Path(run["folder"]) / "model") == digest_of(project / "model")
    assert load["details"]["model"]["version"] == runs(project)[0].name
    assert "links" in load["note"]


def test_a_finished_run_is_named_by_its_id_its_digest_or_its_stored_name(project: Path) -> None:
    first = runs(project)[0].name
    for wanted in (first, digest_of(project / "model"), "tiny", f"tiny@{first}"):
        run = dev(project, "--model", wanted)
        assert stages(run)["load"]["details"]["model"]["version"] == first
        assert run["trigger"]["model"] == wanted
    for wanted in ("nobody", "tiny@20200101T000000Z-000000", "sha256:" + "0" * 64):
        done = shipworthy("run", "dev", "--model", wanted, cwd=project)
        assert done.returncode == 2
        assert f"no stored model is `{wanted}`" in done.stderr


def test_a_model_that_was_changed_in_the_store_stops_the_run_before_anything_is_scanned(project: Path) -> None:
    manifest = json.loads(json.dumps(stages(record(runs(project)[0]))["store"]["details"]))
    assert manifest["version"]
    for path in (project / "store").rglob("*"):
        if path.is_file() and path.read_bytes().startswith(b"\x93NUMPY"):
            flip(path)
    run = dev(project)
    load = stages(run)["load"]
    assert (load["status"], run["exit_code"]) == ("failed", 4)
    assert "model" in load["note"]
    assert stages(run)["scan"]["status"] == "skipped"


def test_without_a_stored_model_there_is_nothing_to_ship(tmp_path: Path) -> None:
    project = tiny_project(tmp_path)
    done = shipworthy("run", "dev", cwd=project)
    assert done.returncode == 2
    assert "no model is stored as `tiny` yet" in done.stderr
    assert "shipworthy run ml" in done.stderr


def test_only_the_dev_pipeline_takes_a_model(tmp_path: Path) -> None:
    done = shipworthy("run", "ml", "--model", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "run dev --model" in done.stderr
