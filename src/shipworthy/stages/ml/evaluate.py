"""Stage 6: predictions on rows whose labels the evaluated code never sees; the metrics are computed here."""

from __future__ import annotations

from shipworthy.config import Evaluate
from shipworthy.engine.events import Line
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError, ExitCode, UsageError
from shipworthy.evaluation import EvaluateResult, EvaluateSpec, evaluate
from shipworthy.evidence.digest import digest_of, sha256_file
from shipworthy.model import Artifact, CheckResult, Kind, Outcome, StageResult
from shipworthy.rules import CLAIM, NETWORK
from shipworthy.stages.ml.train import limits, model_path, unchanged

PREDICTIONS = "predictions.csv"


def run(job: Job) -> StageResult:
    """Run the user's evaluation, then measure."""
    settings = job.settings.evaluate
    if settings is None:
        raise UsageError(
            "there is no [evaluate] in the settings",
            where="shipworthy.toml",
            remedy="a model is not signed without an evaluation: docs/training.md has an example",
        )
    keep, log = job.folder / "evidence" / PREDICTIONS, job.folder / "evaluate.log"
    spec = EvaluateSpec(
        command=settings.command,
        root=job.root,
        holdout=settings.holdout,
        model=model_path(job),
        code=settings.code,
        id=settings.id,
        label=settings.label,
        positive=settings.positive,
        sandbox=settings.sandbox,
        limits=limits(settings.limits),
        seed=job.settings.train.seed if job.settings.train else 0,
    )
    result = evaluate(spec, on_line=lambda s, t: job.events(Line(s, t)), log=log, keep=keep)
    check = _judge(job, settings, result)
    inputs = {settings.holdout: result.holdout, model_path(job): _model_digest(job), **result.code}
    details = _details(result)
    if not result.ok:
        remedy = result.remedy or f"its output is in {log.name}"
        return job.failed(result.reason, remedy, int(ExitCode.GATE), checks=(check,), inputs=inputs, details=details)
    return job.passed(
        _note(result),
        checks=(check,),
        inputs=inputs,
        outputs={PREDICTIONS: result.predictions},
        metrics=result.metrics,
        details=details,
    )


def _model_digest(job: Job) -> str:
    """The model's digest as training recorded it. Raises EvidenceError when the bytes are others now."""
    digest, trained = digest_of(job.root / model_path(job)), job.done["train"].outputs["model"]
    if digest != trained:
        raise EvidenceError(
            f"the model was changed after it was trained: {digest}, trained was {trained}",
            where=model_path(job),
            remedy="run it again",
        )
    return digest


def _judge(job: Job, settings: Evaluate, result: EvaluateResult) -> CheckResult:
    """Claims that the measurement does not bear out, and calls to the network, as findings on the script."""
    code = next((a for a in job.inventory.of(Kind.CODE) if a.uri in settings.command), None)
    artifact = code or Artifact(" ".join(settings.command), Kind.CODE, "", 0)
    findings = [
        CLAIM.at(
            artifact,
            f"it claims {claim.name} = {claim.claimed:.4g}; measured is {claim.measured:.4g} "
            f"[{claim.low:.4g}, {claim.high:.4g}]",
            key=claim.name,
        )
        for claim in result.claims
        if not claim.agrees
    ]
    targets = dict.fromkeys(attempt.target for attempt in result.attempts if attempt.kind == "network")
    findings += [NETWORK.at(artifact, f"it tried to reach {target or 'the network'}", key=target) for target in targets]
    found = tuple(finding.with_(check="evaluation", category="evaluation") for finding in findings)
    return CheckResult(
        "evaluation", "evaluation", "1", Outcome.RAN if result.ok else Outcome.FAILED, found, note=result.reason
    )


def _note(result: EvaluateResult) -> str:
    shown = [m for m in result.metrics if m.name in ("accuracy", "f1", "rmse")]
    told = ", ".join(f"{m.name} {m.value:.3f} [{m.low:.3f}, {m.high:.3f}]" for m in shown)
    return f"{told} on {result.rows} rows" if told else f"{len(result.metrics)} metrics on {result.rows} rows"


def _details(result: EvaluateResult) -> dict[str, object]:
    record = result.as_dict()
    kept = (
        "command",
        "task",
        "rows",
        "claims",
        "unmeasured_claims",
        "sandbox",
        "attempts",
        "code",
        "exit_status",
        "seed",
    )
    return {name.replace("_", "-"): record[name] for name in kept}


def _holds(job: Job, result: StageResult) -> bool:
    """On resume: are the predictions still there, and what they were made from still the same?"""
    place, model = job.folder / "evidence" / PREDICTIONS, model_path(job)
    given = {name: digest for name, digest in result.inputs.items() if name != model}
    return (
        place.is_file()
        and sha256_file(place) == result.outputs.get(PREDICTIONS)
        and digest_of(job.root / model) == result.inputs.get(model)
        and unchanged(job, given)
    )


STAGE = Stage(
    "evaluate",
    "Evaluate",
    "Measures the model on held-out rows; the script's own metrics are a claim that is compared.",
    run,
    holds=_holds,
)
