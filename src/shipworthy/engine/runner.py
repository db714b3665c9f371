"""Run a pipeline: a loop over its stages, with a journal. What is parallel is inside a stage."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy import __version__
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events, RunFinished, RunStarted, StageFinished, StageStarted, Step
from shipworthy.engine.journal import Journal, pipeline_of, workspace_lock
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.errors import EvidenceError, ExitCode, ShipworthyError, UsageError
from shipworthy.files import new_folder, remove_folder, write_atomically
from shipworthy.model import Run, StageResult, Status, Trigger
from shipworthy.paths import inside
from shipworthy.records import dataclass, field, replace
from shipworthy.user_folders import cache_folder

if TYPE_CHECKING:
    from shipworthy.engine.remote import Remote

INTERRUPTED = 130


@dataclass
class Order:
    """What is to be run, where, and how. `resume` names a run to go on with (empty: the newest); without `keep` nothing
    is written to the workspace."""

    root: Path
    settings: Settings
    pipeline: Pipeline
    trigger: Trigger = field(default_factory=Trigger)
    events: Events = field(default_factory=Events)
    resume: str | None = None
    keep: bool = True
    remote: Remote | None = None


def runs_folder(root: Path) -> Path:
    """Where the runs of a workspace are kept."""
    return root / ".shipworthy" / "runs"


def run_pipeline(order: Order) -> Run:
    """Run the stages in order until one does not pass.

    Errors of a stage end the run and are part of its record; Ctrl-C leaves a run that `resume` continues. Raises
    UsageError and EnvironmentFailure only for what keeps a run from starting.
    """
    if order.keep:
        inside(order.root, ".shipworthy/runs", what="folder of the runs")  # a repository can bring a link
    run_id = _find(order) if order.resume is not None else _new_id()
    if order.keep:
        inside(order.root, f".shipworthy/runs/{run_id}/journal.jsonl", what="folder of the run")
    folder = runs_folder(order.root) / run_id if order.keep else new_folder()
    journal = Journal(folder) if order.keep else None  # of what is not kept, nothing can be resumed
    cache = Cache(cache_folder() if order.settings.scan.cache else None)
    try:
        if order.keep:
            _keep_out_of_git(order.root)
        with (
            CheckRunner(order.settings, order.root, cache, order.events, order.remote, fork=not order.keep) as checks,
            contextlib.ExitStack() as held,
        ):
            job = Job(
                root=order.root,
                folder=folder,
                run_id=run_id,
                settings=order.settings,
                checks=checks,
                events=order.events,
                trigger=order.trigger,
                today=datetime.now(UTC).date(),
            )
            run = _run(order, job, journal, held)
    finally:
        cache.close()
        if journal:
            journal.close()
        if not order.keep:
            remove_folder(folder)
    return run


def _keep_out_of_git(root: Path) -> None:
    """Runs are not source: without this each run would make the next one's commit look changed."""
    place = runs_folder(root).parent / ".gitignore"
    if not os.path.lexists(place):
        write_atomically(place, b"*\n")


def _run(order: Order, job: Job, journal: Journal | None, held: contextlib.ExitStack) -> Run:
    started, clock = datetime.now(UTC), time.monotonic()
    stages = order.pipeline.stages
    order.events(RunStarted(job.run_id, order.pipeline.name, tuple(stage.name for stage in stages)))
    before = journal.read() if journal and order.resume is not None else {}
    if journal:
        journal.begin(order.pipeline.name)
    results: list[StageResult] = []
    key, stopped = order.settings.digest, False
    for number, stage in enumerate(stages, 1):
        if stopped:
            results.append(StageResult(stage.name, Status.SKIPPED, datetime.now(UTC), note="not reached"))
            continue
        order.events(StageStarted(stage.name, stage.title, number, len(stages)))
        if stage.exclusive:
            held.enter_context(workspace_lock(order.root, lambda: order.events(Step("waiting for another run", 0, 0))))
        key = _next_key(key, stage, job) if journal else ""
        result = _earlier(stage, job, before.get(key)) or _run_stage(stage, job, order.keep)
        results.append(result)
        job.done[stage.name] = result
        if journal and not result.resumed:
            journal.append(key, result)
        order.events(StageFinished(result, number, len(stages)))
        stopped = result.status is not Status.PASSED
    run = Run(
        id=job.run_id,
        pipeline=order.pipeline.name,
        project=job.project,
        trigger=job.trigger,
        settings_digest=order.settings.digest,
        started=started,
        seconds=round(time.monotonic() - clock, 3),
        stages=tuple(results),
        versions={"shipworthy": __version__, "python": sys.version.split()[0], "platform": sys.platform},
        exit_code=next((r.exit_code for r in results if r.exit_code), 0),
    )
    order.events(RunFinished(run))
    return run


def _run_stage(stage: Stage, job: Job, kept: bool) -> StageResult:
    """Run one stage; whatever goes wrong becomes its result."""
    job.stage, job.started = stage.name, datetime.now(UTC)
    clock = time.monotonic()
    try:
        result = stage.run(job)
    except KeyboardInterrupt:
        remedy = "go on with `shipworthy run --resume`" if kept else "start it again: of a scan nothing is kept"
        result = _stopped(job, Status.INTERRUPTED, "", remedy, INTERRUPTED)
    except ShipworthyError as error:
        status = Status.FAILED if isinstance(error, EvidenceError) else Status.ERROR
        result = _stopped(job, status, str(error), error.remedy, error.exit_code)
    except OSError as error:
        note = f"{error.strerror or error}: {error.filename}" if error.filename else str(error.strerror or error)
        remedy = "free space, or make the folder writable"
        result = _stopped(job, Status.ERROR, note, remedy, ExitCode.ENVIRONMENT)
    return replace(result, seconds=round(time.monotonic() - clock, 3))


def _stopped(job: Job, status: Status, note: str, remedy: str, exit_code: int) -> StageResult:
    return StageResult(job.stage, status, job.started, note=note, remedy=remedy, exit_code=int(exit_code))


def _earlier(stage: Stage, job: Job, result: StageResult | None) -> StageResult | None:
    """The result of the run that is being resumed, if its inputs were the same and its outputs are still there."""
    if result is None or stage.always or result.status is not Status.PASSED or not stage.holds(job, result):
        return None
    return replace(result, resumed=True)


def _next_key(key: str, stage: Stage, job: Job) -> str:
    """What this stage depends on: everything before it, and every artifact that was loaded."""
    artifacts = sorted((artifact.uri, artifact.digest) for artifact in job.inventory.artifacts)
    text = json.dumps([__version__, key, stage.name, artifacts, _outputs(job.done)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _outputs(done: Mapping[str, StageResult]) -> list[list[str]]:
    return [[name, *sorted(result.outputs.values())] for name, result in done.items() if name != "trigger"]


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"


def _find(order: Order) -> str:
    names = resumable(order.root, order.pipeline.name)
    if order.resume:
        if order.resume not in names:
            raise UsageError(
                f"there is no run `{order.resume}` of the pipeline {order.pipeline.name} here",
                remedy=f"runs: {', '.join(names[-5:]) or 'none'}",
            )
        return order.resume
    if not names:
        raise UsageError("there is no run to resume here", remedy="start one: `shipworthy run`")
    return names[-1]


def resumable(root: Path, pipeline: str) -> list[str]:
    """The runs of this pipeline that the workspace has, and those that do not say which they are of; oldest first."""
    folder = runs_folder(root)
    journals = sorted(folder.glob("*/journal.jsonl"), key=_age) if folder.is_dir() else []
    return [path.parent.name for path in journals if pipeline_of(path.parent) in (pipeline, None)]


def _age(journal: Path) -> tuple[str, int]:
    """Names tell the second in which runs began; of those of one second, the one that was written to last is newest."""
    return journal.parent.name.partition("-")[0], journal.stat().st_mtime_ns
