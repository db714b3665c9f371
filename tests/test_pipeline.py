"""The whole pipeline on the example project: what each stage leaves, what is told, stored and verified."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from shipworthy.cli import main
from shipworthy.evidence.digest import digest_of
from shipworthy.keys import load_public
from shipworthy.pipelines import ML
from shipworthy.stores.serve import serve
from story_world import example_run, own_folders, record, runs, shipworthy, stages

DOCS = Path(__file__).parent.parent / "docs"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|gitCommit:[0-9a-f]{40}")


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example_run(tmp_path_factory)


@pytest.fixture(scope="session")
def project(example: Path) -> Path:
    return example / "demo" / "project"


@pytest.fixture(scope="session")
def folder(project: Path) -> Path:
    return runs(project)[0]


@pytest.fixture(scope="session")
def run(folder: Path) -> dict[str, Any]:
    return record(folder)


def test_the_demonstration_ends_with_the_verdict_and_the_place_of_the_report(example: Path, project: Path) -> None:
    printed = (example / "printed.txt").read_text()
    assert (example / "exit.txt").read_text() == "0", printed
    _, dev = runs(project)
    assert printed.splitlines()[-2:] == ["SHIPWORTHY", f"report: {dev.relative_to(example)}/report.html"]
    assert printed.count("VERIFIED") == 2
    for word in ("MLSecOps", "DevSecOps", "/predict answers behind the guard"):
        assert word in printed


def test_the_image_is_in_the_registry_that_it_was_deployed_from(example: Path, project: Path) -> None:
    by = stages(record(runs(project)[1]))
    first, second = by["store"]["details"]["stores"]
    assert first.startswith("oci://127.0.0.1:")
    assert second == "local:store"
    name, version = by["store"]["details"]["name"], by["store"]["details"]["version"]
    with serve(example / "demo" / "registry") as host:
        address = f"http://{host}/v2/demo/prompt-injection-detector/manifests/{name}-{version}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            raw = answer.read()
    assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == by["build"]["outputs"]["image"]


def test_all_ten_stages_passed_and_name_what_they_took_and_gave_by_digest(run: dict[str, Any]) -> None:
    assert [stage["stage"] for stage in run["stages"]] == [stage.name for stage in ML.stages]
    assert len(run["stages"]) == 10
    for stage in run["stages"]:
        assert stage["status"] == "passed", stage
        for side in ("inputs", "outputs"):
            assert stage[side], f"{stage['stage']} has no {side}"
            wrong = {name: digest for name, digest in stage[side].items() if not DIGEST.fullmatch(digest)}
            assert not wrong, f"{stage['stage']}: {wrong}"


def test_the_stages_hand_on_the_same_bytes(run: dict[str, Any], project: Path) -> None:
    """What one stage gave is what the next took, under one digest."""
    by = stages(run)
    assert by["scan"]["inputs"]["artifacts"] == by["load"]["outputs"]["artifacts"]
    assert by["before-train"]["inputs"]["scan"] == by["scan"]["outputs"]["results"]
    assert by["train"]["inputs"]["data/train.csv"] == by["load"]["outputs"]["data/train.csv"]
    assert by["evaluate"]["inputs"]["data/holdout.csv"] == by["load"]["outputs"]["data/holdout.csv"]
    model = by["train"]["outputs"]["model"]
    assert by["evaluate"]["inputs"]["model"] == by["model-scan"]["inputs"]["model"] == by["sign"]["inputs"]["model"]
    assert model == by["sign"]["inputs"]["model"] == by["store"]["inputs"]["model"] == digest_of(project / "model")
    assert set(by["store"]["outputs"].values()) == {model}


def test_the_record_follows_the_published_schema(run: dict[str, Any]) -> None:
    Draft202012Validator(json.loads((DOCS / "run.schema.json").read_text())).validate(run)


def test_what_the_datasets_hold_is_in_the_record_and_in_the_bill_of_materials(
    run: dict[str, Any], folder: Path
) -> None:
    facts = {fact["artifact"]: fact for check in stages(run)["scan"]["checks"] for fact in check.get("facts", ())}
    holdout = facts["data/holdout.csv"]
    assert holdout["rows"] == sum(count for _, count in holdout["label_counts"]) == 1000
    assert holdout["label_column"] in [column["name"] for column in holdout["columns"]]
    bom = json.loads((folder / "bom.cdx.json").read_text())
    data = next(part["data"][0] for part in bom["components"] if part["name"] == "data/holdout.csv")
    told = {one["name"]: one["value"] for one in data["contents"]["properties"]}
    assert told["shipworthy:rows"] == "1000"
    assert {f"shipworthy:label:{label}" for label, _ in holdout["label_counts"]} <= told.keys()


def test_what_was_signed_is_recorded_with_the_key_that_verified_it(run: dict[str, Any], project: Path) -> None:
    (signed,) = stages(run)["load"]["details"]["signed"]
    assert (signed["path"], signed["signature"], signed["key"]) == ("data", "data.sig", "keys/data.pub")
    assert signed["key-id"] == load_public(project / "keys" / "data.pub").keyid
    assert signed["signature-digest"] == digest_of(project / "data.sig")
    assert signed["files"] >= 2


def test_training_is_recorded_in_full(run: dict[str, Any]) -> None:
    details = stages(run)["train"]["details"]
    assert len(details["folds"]) == 3
    assert all(fold["metrics"] for fold in details["folds"])
    assert details["early-stopping"]["metric"] == "val_loss"
    assert details["early-stopping"]["best"] is not None
    assert details["sandbox"]["level"]
    assert details["sandbox"]["network"] != "open"
    assert "numpy" in details["packages"]
    assert details["progress"]
    assert details["parameters"]["seed"] == 7
    assert details["cpu-seconds"] > 0


def test_the_metrics_are_measured_on_rows_with_intervals(run: dict[str, Any]) -> None:
    metrics = {metric["name"]: metric for metric in stages(run)["evaluate"]["metrics"]}
    accuracy = metrics["accuracy"]
    assert 0.85 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1
    assert accuracy["n"] == 1000


def test_every_report_shows_the_same_findings(folder: Path, run: dict[str, Any]) -> None:
    wanted = {finding["fingerprint"] for finding in run["findings"]}
    assert wanted, "the example has findings that its policy lets pass"
    sarif = json.loads((folder / "report.sarif").read_text())
    results = [result for part in sarif["runs"] for result in part["results"]]
    told = {value.partition(":")[0] for result in results for value in result["partialFingerprints"].values()}
    assert told == wanted
    bom = json.loads((folder / "bom.cdx.json").read_text())
    assert bom["bomFormat"] == "CycloneDX"
    texts = {name: (folder / name).read_text() for name in ("report.html", "report.md", "junit.xml", "bom.cdx.json")}
    ElementTree.fromstring(texts["junit.xml"])
    for name, text in texts.items():
        missing = {fingerprint for fingerprint in wanted if fingerprint[:12] not in text}
        assert not missing, f"{name} lacks {missing}"


def test_the_stored_model_verifies_from_the_command_line(project: Path, example: Path) -> None:
    done = shipworthy("verify", "--format", "json", cwd=project, env=own_folders(example / "home"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert told["broken"] is None
    steps = {link["step"] for link in told["links"]}
    assert {"store", "sign", "gate", "train", "ingest", "evaluate", "scan"} <= steps


@pytest.mark.parametrize(
    "name",
    ["train.sigstore.json", "evaluate.sigstore.json", "gate.sigstore.json", "scan.sigstore.json", "model.sig",
     "scan-report.json", "predictions.csv", "ingest-1.sigstore.json", "release.sigstore.json"],
)  # fmt: skip
def test_evidence_of_which_a_byte_was_changed_does_not_verify(project: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "project"
    shutil.copytree(project, copy, symlinks=True)
    shutil.copytree(project.parent / "keys", tmp_path / "keys")
    evidence = runs(copy)[0] / "evidence"
    keys = [word for key in sorted((tmp_path / "keys").glob("*.pub")) for word in ("--key", str(key))]
    honest = ["verify", str(evidence), *keys, "--directory", str(copy)]
    assert main([*honest, "--quiet"]) == 0
    path = evidence / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    assert main([*honest, "--quiet"]) == 4


def test_the_report_is_shown_again_in_every_format(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    for name, file in (("json", "run.json"), ("sarif", "report.sarif"), ("markdown", "report.md")):
        assert main(["report", folder.name, "--format", name]) == 0
        assert capfd.readouterr().out.strip() == (folder / file).read_text().strip()
