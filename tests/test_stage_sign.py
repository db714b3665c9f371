"""What is signed is what the stages before have seen, not what lies in the workspace by the time of signing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from shipworthy.artifacts import Inventory
from shipworthy.config import Evaluate, Settings, Train
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.engine.stage import Job
from shipworthy.model import GateDecision, StageResult, Status, Trigger
from shipworthy.stages.ml.sign import _facts

SEEN = "sha256:" + "1" * 64


def test_labels_that_changed_since_the_evaluation_are_not_signed_as_those_it_used(tmp_path: Path) -> None:
    (tmp_path / "holdout.csv").write_text("id,label\n1,changed\n")
    settings = replace(
        Settings(),
        train=Train(command=("python", "train.py"), outputs={"model": "model/"}),
        evaluate=Evaluate(command=("python", "evaluate.py"), holdout="holdout.csv"),
    )
    now = datetime(2026, 11, 22, tzinfo=UTC)
    done = {name: StageResult(name, Status.PASSED, now) for name in ("scan", "model-scan")}
    done["train"] = StageResult("train", Status.PASSED, now, outputs={"model": SEEN})
    done["evaluate"] = StageResult(
        "evaluate", Status.PASSED, now, inputs={"holdout.csv": SEEN}, outputs={"predictions.csv": SEEN}
    )
    done["before-sign"] = StageResult("before-sign", Status.PASSED, now, decision=GateDecision("before-sign", True))
    job = Job(
        root=tmp_path,
        folder=tmp_path,
        run_id="run-1",
        settings=settings,
        checks=cast(CheckRunner, None),
        events=Events(),
        trigger=Trigger(),
        today=date(2026, 11, 22),
        done=done,
        inventory=Inventory(()),
    )
    labels = next(item for item in _facts(job).evaluated_on if item.kind == "labels")
    assert labels.digest == SEEN
