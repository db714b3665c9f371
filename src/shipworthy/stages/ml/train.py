"""Stage 5: train in a sandbox, from declared inputs to declared outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipworthy.artifacts import Inventory, discover
from shipworthy.config import Train
from shipworthy.engine.events import Line
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import ExitCode, UsageError
from shipworthy.evaluation import FoldJudge
from shipworthy.evidence.digest import digest_of
from shipworthy.model import Artifact, CheckResult, Kind, Outcome, Skipped, StageResult
from shipworthy.paths import inside
from shipworthy.rules import NETWORK
from shipworthy.tools.sandbox import Limits
from shipworthy.tools.trees import Rejected, combined, digest_files
from shipworthy.training import EarlyStopping, KFold, TrainResult, TrainSpec, train


def run(job: Job) -> StageResult:
    """Run the user's command under the training contract."""
    settings = job.settings.train
    if settings is None:
        raise UsageError(
            "there is no [train] in the settings",
            where="shipworthy.toml",
            remedy="say what to run: docs/training.md has an example; `shipworthy init --print` shows where it goes",
        )
    log = job.folder / "train.log"
    result = train(_spec(job, settings), judge=FoldJudge(), on_line=lambda s, t: job.events(Line(s, t)), log=log)
    check = _watch(job, settings, result)
    inputs = {**{settings.inputs[name]: digest for name, digest in result.inputs.items()}, **result.code}
    kept = {"checks": (check,), "inputs": inputs, "metrics": result.metrics, "details": _details(settings, result)}
    if check.findings:
        first = check.findings[0]
        return job.failed(
            f"{NETWORK.id}: {first.artifact.uri}: {first.message}", NETWORK.remedy, int(ExitCode.GATE), **kept
        )
    if not result.ok:
        return job.failed(result.reason, result.remedy or f"its output is in {log.name}", int(ExitCode.GATE), **kept)
    made = output_inventory(job)
    return job.passed(_note(result), artifacts=made.artifacts, outputs=_outputs(job, settings, result), **kept)


def model_path(job: Job) -> str:
    """The output that is the model: the one named `model`, or the only one. Raises UsageError."""
    outputs = job.settings.train.outputs if job.settings.train else {}
    name = "model" if "model" in outputs else next(iter(outputs), "")
    if not name or (name != "model" and len(outputs) > 1):
        raise UsageError(
            "no output is named `model`", where="train.outputs", remedy='such as outputs = { model = "model/" }'
        )
    return outputs[name].rstrip("/")


def output_inventory(job: Job) -> Inventory:
    """Every file that training wrote, under its place in the workspace."""
    found: list[Artifact] = []
    unreadable: list[Skipped] = []
    for path in job.settings.train.outputs.values() if job.settings.train else ():
        place = inside(job.root, path.rstrip("/"), what="train.outputs")
        inventory = discover(place, load=job.settings.load)
        prefix = path.rstrip("/") + "/" if place.is_dir() else path.rpartition("/")[0] + "/" * ("/" in path)
        found += [replace(artifact, uri=prefix + artifact.uri) for artifact in inventory.artifacts]
        unreadable += inventory.unreadable
    return Inventory(tuple(found), tuple(unreadable))


def _spec(job: Job, settings: Train) -> TrainSpec:
    held = job.settings.evaluate.holdout if job.settings.evaluate else ""
    fold, stop = settings.kfold, settings.early_stopping
    return TrainSpec(
        command=settings.command,
        root=job.root,
        code=settings.code,
        inputs=settings.inputs,
        outputs=settings.outputs,
        sandbox=settings.sandbox,
        seed=settings.seed,
        limits=limits(settings.limits),
        kfold=KFold(fold.folds, fold.dataset, fold.label, fold.group) if fold else None,
        early_stopping=EarlyStopping(stop.metric, stop.mode, stop.patience, stop.min_delta) if stop else None,  # type: ignore[arg-type]
        env=settings.env,
        exclude=(held,) if held else (),
    )


def limits(given: object) -> Limits:
    """The sandbox's limits from those of the settings."""
    from shipworthy.config import Limits as Settings

    assert isinstance(given, Settings)  # noqa: S101  for the type checker
    return Limits(
        wall_seconds=given.wall_seconds,
        cpu_seconds=given.cpu_seconds,
        memory_mb=given.memory_mb,
        file_mb=given.file_mb,
        processes=given.processes,
    )


def _watch(job: Job, settings: Train, result: TrainResult) -> CheckResult:
    """What the training tried to reach, as findings on its code."""
    code = next((a for a in job.inventory.of(Kind.CODE) if a.uri in settings.command), None)
    artifact = code or Artifact(" ".join(settings.command), Kind.CODE, "", 0)
    targets = dict.fromkeys(attempt.target for attempt in result.network_attempts)
    findings = tuple(
        NETWORK.at(artifact, f"it tried to reach {target or 'the network'}", key=target).with_(
            check="training", category="training"
        )
        for target in targets
    )
    return CheckResult("training", "training", "1", Outcome.RAN, findings)


def _outputs(job: Job, settings: Train, result: TrainResult) -> dict[str, str]:
    files = {
        f"{settings.outputs[name].rstrip('/')}/{path}" if path else settings.outputs[name]: digest
        for name, paths in result.outputs.items()
        for path, digest in paths.items()
    }
    return {"model": digest_of(job.root / model_path(job)), **files}


def _note(result: TrainResult) -> str:
    level = result.sandbox.level if result.sandbox else "none"
    folds = f"{len(result.folds)} folds, " if result.folds else ""
    return f"{folds}{result.seconds:.1f} s, sandbox: {level}"


def _details(settings: Train, result: TrainResult) -> Mapping[str, object]:
    record = result.as_dict()
    return {
        "command": list(settings.command),
        "parameters": {"seed": settings.seed, **settings.env},
        "packages": record["packages"],
        "environment": record["environment"],
        "folds": record["folds"],
        "early-stopping": record["early_stopping"],
        "progress": record["progress"][-500:],
        "sandbox": record["sandbox"],
        "attempts": record["attempts"],
        "code": record["code"],
        "inputs": record["inputs"],
        "cpu-seconds": record["cpu_seconds"],
        "peak-memory-mb": record["peak_rss_mb"],
        "log": Path(result.log).name if result.log else "",
    }


def _holds(job: Job, result: StageResult) -> bool:
    """On resume: is the model still the one that was trained, and what it was trained on still the same?"""
    place = job.root / model_path(job)
    return place.exists() and digest_of(place) == result.outputs.get("model") and unchanged(job, result.inputs)


def unchanged(job: Job, inputs: Mapping[str, str]) -> bool:
    """Do these files and folders of the workspace still have their digests? They need not be in the inventory: the
    settings can leave them out of the scan."""
    try:
        return all(
            combined(digest_files(job.root / uri, follow_within=True)) == digest for uri, digest in inputs.items()
        )
    except (OSError, Rejected):
        return False


STAGE = Stage(
    "train",
    "Train",
    "Runs the training command without network, with read-only inputs and limits; records folds and early stopping.",
    run,
    exclusive=True,
    holds=_holds,
)
