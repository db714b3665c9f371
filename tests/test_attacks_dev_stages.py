"""Attacks between the stages of a run: what one stage left is exchanged before the next one takes it, or before the run
is gone on with. Whatever is signed, built in or called stored is compared with what was seen."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from evidence_world import flip
from shipworthy.artifacts import Inventory, identify
from shipworthy.config import Load, Settings
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError
from shipworthy.evidence.digest import digest_of, sha256_file
from shipworthy.model import Artifact, GateDecision, Kind, StageResult, Status, Trigger
from shipworthy.stages.dev import image_test, sign
from shipworthy.stages.dev.context import assemble
from shipworthy.stages.dev.image_files import Laid
from shipworthy.stages.dev.origins import Origins
from test_engine_run import finished, project, resumed, run_here, runs  # noqa: F401 - two are fixtures

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SEEN = "sha256:" + "1" * 64


def passed(name: str, **kept: Any) -> StageResult:
    return StageResult(name, Status.PASSED, NOW, **kept)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A run that has loaded a model, built an image and tested it."""
    root, folder = tmp_path / "project", tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    root.mkdir()
    (folder / "model" / "config.json").write_text('{"threshold": 0.5}')
    (folder / "model" / "weights.bin").write_bytes(b"\1\2\3" * 50)
    (folder / sign.BOM_NAME).write_text('{"bomFormat": "CycloneDX", "components": [{"name": "vulnerable"}]}')
    (root / "Dockerfile").write_text("FROM scratch\nCOPY model /model\n")
    model = {"name": "m", "version": "1", "store": "s", "path": "model", "digest": digest_of(folder / "model")}
    bom = {sign.BOM_NAME: sha256_file(folder / sign.BOM_NAME)}
    details = {"engine": "builtin", "version": "1", "arguments": {}, "network": False, "epoch": 0, "bases": {}}
    done = {
        "load": passed("load", details={"model": model}),
        "scan": passed("scan"),
        "build": passed("build", outputs={"image": SEEN, "context": SEEN, "log": SEEN}, details=details),
        "test": passed("test", outputs={"results": SEEN, **bom}),
        "before-release": passed("before-release", decision=GateDecision("before-release", True)),
    }
    return Job(
        root=root,
        folder=folder,
        run_id="run-1",
        settings=replace(Settings(), project="tiny"),
        checks=cast(CheckRunner, None),
        events=Events(),
        trigger=Trigger(),
        today=date(2026, 11, 22),
        done=done,
        inventory=Inventory((identify(root / "Dockerfile", "Dockerfile", Load()),)),
    )


def test_a_bill_of_materials_that_was_exchanged_after_the_test_is_not_signed(job: Job) -> None:
    assert sign._facts(job).bom["components"] == [{"name": "vulnerable"}]
    assert image_test._holds(job, job.done["test"])
    (job.folder / sign.BOM_NAME).write_text('{"bomFormat": "CycloneDX", "components": []}')
    with pytest.raises(EvidenceError, match="changed after the test"):
        sign._facts(job)
    assert not image_test._holds(job, job.done["test"]), "a run that is gone on with tests again"
    (job.folder / sign.BOM_NAME).unlink()
    assert not image_test._holds(job, job.done["test"])


@pytest.mark.parametrize("how", ["bytes", "more", "less"])
def test_a_model_that_was_exchanged_after_it_was_verified_is_not_built_in(job: Job, how: str) -> None:
    context = assemble(job)
    assert (context.folder / "model" / "weights.bin").is_file()
    place = job.folder / "model"
    if how == "bytes":
        flip(place / "weights.bin")
    elif how == "more":
        (place / "adapter.bin").write_bytes(b"x")
    else:
        (place / "config.json").unlink()
    with pytest.raises(EvidenceError, match="changed after it was verified"):
        assemble(job)


def test_nor_is_an_image_compared_with_it(job: Job) -> None:
    """Whoever exchanged it for the build and for the test had the other model pass as the signed one."""
    subject = Artifact("svc", Kind.IMAGE, SEEN, 0)
    names = ("config.json", "weights.bin")
    files = tuple(identify(job.folder / "model" / name, f"svc: /model/{name}", Load()) for name in names)
    laid = Laid(files, (0, 0), {})
    whose = Origins("svc", files)
    assert image_test._model_check(job, subject, laid, whose).findings == ()
    flip(job.folder / "model" / "weights.bin")
    with pytest.raises(EvidenceError, match="changed after it was verified"):
        image_test._model_check(job, subject, laid, whose)


# ------------------------------------------------------- a run that is gone on with


def test_a_store_that_was_changed_since_is_noticed_when_the_run_is_gone_on_with(project: Path) -> None:  # noqa: F811
    blob = max((project / "store" / "blobs").rglob("*"), key=lambda path: path.is_file() and path.stat().st_size)
    flip(blob)
    run = run_here(project, resume="")
    assert not run.shipworthy
    assert "store" not in resumed(run)
    assert run.stages[-1].stage == "store"
    assert "does not verify" in run.stages[-1].note


def test_a_run_that_ended_between_storing_and_its_journal_is_gone_on_with(project: Path) -> None:  # noqa: F811
    """The release is there, and the journal does not know: it is kept, as its version can never be written again."""
    journal = runs(project)[0] / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    before = sorted((project / "store" / "refs").rglob("*.json"))
    raw = [path.read_bytes() for path in before]
    run = run_here(project, resume="")
    assert run.shipworthy, run.verdict
    assert "store" not in resumed(run)
    assert [path.read_bytes() for path in before] == raw


def test_another_model_under_the_runs_name_is_no_release_of_it(project: Path) -> None:  # noqa: F811
    refs = project / "store" / "refs"
    (own,) = refs.rglob("*.json")
    own.chmod(0o644)
    value = json.loads(own.read_bytes())
    value["dsseEnvelope"]["payload"] = value["dsseEnvelope"]["payload"][::-1]
    own.write_text(json.dumps(value))
    run = run_here(project, resume="")
    assert (run.shipworthy, run.exit_code) == (False, 4)
    shutil.rmtree(refs)
    assert run_here(project, resume="").shipworthy, "stored again"
