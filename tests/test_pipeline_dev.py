"""The DevSecOps pipeline: what is built and served is the model that was signed, or nothing is."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from evidence_world import flip
from shipworthy.evidence.digest import digest_of
from shipworthy.images import merged, open_image
from shipworthy.pipelines import DEV
from story_world import command, example_run, made_once, record, runs, shipworthy, stages, tiny_project


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example_run(tmp_path_factory) / "demo" / "project"


@pytest.fixture(scope="session")
def shipped(example: Path) -> dict[str, Any]:
    """The record of the example's run of this pipeline."""
    return record(runs(example)[1])


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


def test_all_twelve_stages_passed_and_name_what_they_took_and_gave_by_digest(shipped: dict[str, Any]) -> None:
    assert [stage["stage"] for stage in shipped["stages"]] == [stage.name for stage in DEV.stages]
    assert len(shipped["stages"]) == 12
    for stage in shipped["stages"]:
        assert stage["status"] == "passed", stage
        assert stage["inputs"] or stage["stage"] == "trigger"
        assert stage["outputs"]
    assert shipped["verdict"] == "SHIPWORTHY"


def test_the_stages_hand_on_the_same_image_and_the_model_of_the_other_pipeline(
    shipped: dict[str, Any], example: Path
) -> None:
    by, ml = stages(shipped), stages(record(runs(example)[0]))
    assert by["load"]["outputs"]["model"] == ml["store"]["inputs"]["model"] == by["build"]["inputs"]["model"]
    image = by["build"]["outputs"]["image"]
    for stage in ("test", "sign", "store", "deploy-check", "protect"):
        assert by[stage]["inputs"]["image"] == image, stage
    assert set(by["store"]["outputs"].values()) == {image}


def test_the_image_is_the_one_of_its_layout_and_holds_the_signed_model(shipped: dict[str, Any], example: Path) -> None:
    image = open_image(runs(example)[1] / "image")
    assert image.digest == stages(shipped)["build"]["outputs"]["image"]
    tree = merged(image)
    model = {path.removeprefix("srv/app/model/") for path, _ in tree.walk() if path.startswith("srv/app/model/")}
    assert model == {path.name for path in (example / "model").iterdir()}
    assert image.settings["User"] == "10001:10001"


def test_the_image_is_verified_back_to_the_datasets_of_its_model(example: Path) -> None:
    done = shipworthy("verify", "prompt-injection-detector-service", "--format", "json", cwd=example)
    assert done.returncode == 0, done.stdout + done.stderr
    links = json.loads(done.stdout)["links"]
    dataset = next(link for link in links if link["name"] == "data/train.csv")
    way = [dataset]
    while way[-1]["parent"] is not None:
        way.append(links[way[-1]["parent"]])
    assert [link["step"] for link in way] == ["ingest", "train", "model", "build", "image"]
    after = {link["step"]: link for link in links if links[link["parent"] or 0]["step"] != "model"}
    assert {"protect", "gate", "deploy", "guard", "events"} <= set(after), "stages 10 to 12, beside the release"


def test_the_evidence_of_the_deployment_is_verified_where_it_lies(example: Path) -> None:
    evidence = runs(example)[1] / "evidence"
    done = shipworthy("verify", str(evidence), "--format", "json", cwd=example)
    links = json.loads(done.stdout)["links"]
    by = {link["step"]: link["status"] for link in links}
    assert {by[step] for step in ("model", "protect", "gate", "deploy", "guard", "events")} == {"ok"}


def test_a_record_of_the_deployment_that_was_changed_is_named_and_one_that_is_gone_is_told(
    example: Path, tmp_path: Path
) -> None:
    project = Path(
        shutil.copytree(example, tmp_path / "demo" / "project", ignore=shutil.ignore_patterns(".shipworthy"))
    )
    shutil.copytree(example.parent / "keys", tmp_path / "demo" / "keys")
    deployed = project / "store" / "refs" / "prompt-injection-detector-service.deployed"
    (reference,) = deployed.glob("*.json")
    flip(reference, 200)
    done = shipworthy("verify", "prompt-injection-detector-service", cwd=project)
    assert done.returncode == 4
    assert "protect" in done.stdout
    shutil.rmtree(deployed)
    done = shipworthy("verify", "prompt-injection-detector-service", cwd=project)
    assert done.returncode == 0, done.stdout
    assert "no deployment of this image is recorded" in done.stdout


def test_what_was_built_looked_at_and_refused_is_in_the_record(shipped: dict[str, Any]) -> None:
    by = stages(shipped)
    ran = {check["check"]: check for check in by["test"]["checks"]}
    assert {"image-configuration", "image-vulnerabilities", "image-model", "secrets-files", "model-file"} <= set(ran)
    assert ran["image-model"]["outcome"] == "ran"
    assert by["test"]["details"]["isolation"]["network"] == "loopback only"
    assert by["build"]["details"]["network"] is False
    assert "this-python (in place of python:3.13-slim)" in by["build"]["details"]["bases"]
    answers = by["protect"]["details"]["answers"]
    assert (answers["health"]["status"], answers["probe"]["status"]) == (200, 200)
    assert {answers[name]["status"] for name in ("sql", "shell", "markup", "traversal")} == {403}
    assert by["protect"]["details"]["events"]["blocked"] == 4


def test_nothing_of_the_service_is_left(example: Path) -> None:
    left = [path for path in runs(example)[1].iterdir() if path.name.startswith(("rootfs", "shipworthy-build"))]
    assert left == []
    assert str(example) not in Path("/proc/mounts").read_text()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert f"{example}/.shipworthy" not in process.read_bytes().decode("utf-8", "replace")


def test_a_stored_image_is_served_behind_the_guard_until_it_is_told_to_end(example: Path, tmp_path: Path) -> None:
    serving = subprocess.Popen(
        command("up", "--events", str(tmp_path / "events")), cwd=example, stdout=subprocess.PIPE, text=True
    )
    assert serving.stdout is not None
    try:
        url = next(line.split()[2].rstrip(",") for line in serving.stdout if line.startswith("listening on "))
        for text, status in (("What is the capital of France?", 200), ("1' OR '1'='1' UNION SELECT 1 --", 403)):
            body = json.dumps({"text": text}).encode()
            request = Request(f"{url}/predict", data=body, headers={"Content-Type": "application/json"})
            try:
                with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
                    assert answer.status == status
            except HTTPError as error:
                assert error.code == status
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) == 0
    finally:
        serving.kill()
        serving.stdout.close()
    kinds = [
        json.loads(line)["event"] for line in (tmp_path / "events" / "guard-events.jsonl").read_text().splitlines()
    ]
    assert kinds == ["started", "blocked", "stopped"]


def test_an_image_that_was_changed_in_the_store_is_not_served(example: Path, tmp_path: Path) -> None:
    project = Path(
        shutil.copytree(example, tmp_path / "demo" / "project", ignore=shutil.ignore_patterns(".shipworthy"))
    )
    shutil.copytree(example.parent / "keys", tmp_path / "demo" / "keys")
    layer = max((path for path in (project / "store" / "blobs").rglob("*") if path.is_file()), key=os.path.getsize)
    flip(layer, 1000)
    for arguments in (("up",), ("verify", "prompt-injection-detector-service")):
        done = shipworthy(*arguments, cwd=project)
        assert done.returncode == 4, arguments
        assert "layer" in done.stdout + done.stderr


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


def test_the_deployment_is_held_against_the_chosen_control_lists(shipped: dict[str, Any]) -> None:
    told = stages(shipped)["deploy-check"]["details"]["controls"]
    assert [text.partition(" (")[0] for text in told] == ["PCI DSS", "ISO/IEC 27001, Annex A", "NIST SP 800-53"]
    for text in told:
        shown, total = (int(word) for word in re.findall(r"\((\d+) of (\d+)\)", text)[0])
        assert 0 < shown <= total
