"""Stage 9: sign the model, and say under signature what it was made from, how it was scanned, and who decided."""

from __future__ import annotations

from datetime import UTC, datetime

from shipworthy import __version__
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import UsageError
from shipworthy.evidence.release import Facts, write_evidence
from shipworthy.evidence.statement import Resource
from shipworthy.model import Artifact, CheckResult, Kind, StageResult
from shipworthy.stages.attested import evidence_holds, scan_of
from shipworthy.stages.ml.evaluate import PREDICTIONS
from shipworthy.stages.ml.train import model_path
from shipworthy.stages.secrets import names_of, open_signing_keys


def run(job: Job) -> StageResult:
    """Write the evidence of this run, signed."""
    signers = open_signing_keys(job)
    folder = job.folder / "evidence"
    written = write_evidence(_facts(job), signers, folder)
    key = signers["sign"][0].public_key()
    return job.passed(
        f"{len(written.files)} files of evidence, signed by {names_of(signers)}",
        inputs={"model": written.model.digest},
        outputs=dict(written.files),
        details={
            "key-id": key.keyid,
            "algorithm": key.algorithm,
            "signer": names_of(signers),
            "subject": {"name": written.model.name, "digest": written.model.digest},
        },
    )


def _facts(job: Job) -> Facts:
    train, evaluate, decision = job.done["train"], job.done["evaluate"], job.done["before-sign"].decision
    if decision is None or job.settings.train is None or job.settings.evaluate is None:
        raise UsageError("there is nothing to sign: no gate has decided on a trained and evaluated model")
    name, held = model_path(job), job.settings.evaluate.holdout
    results = (*job.results("scan"), *job.results("model-scan"))
    by_uri = {artifact.uri: artifact for artifact in job.inventory.artifacts}
    given = frozenset(job.settings.train.inputs.values())
    used = [
        Resource(uri, digest, _kind(by_uri.get(uri), uri in given)) for uri, digest in train.inputs.items() if digest
    ]
    scanned = [Resource(a.uri, a.digest, "artifact") for a in job.inventory.artifacts if a.uri in _examined(results)]
    return Facts(
        model=job.root / name,
        model_name=name,
        settings_digest=job.settings.digest,
        decision=decision,
        scan=scan_of(job, "scan", "model-scan", others=scanned),
        finished=datetime.now(UTC),
        model_digest=train.outputs["model"],
        datasets=tuple(item for item in used if item.kind != "code"),
        inputs=tuple(item for item in used if item.kind == "code"),
        training={
            "command": list(job.settings.train.command),
            "seed": job.settings.train.seed,
            "sandbox": _sandbox(train),
            "packages": train.details.get("packages", {}),
            "commit": job.trigger.commit,
        },
        started=train.started,
        metrics=(*evaluate.metrics, *train.metrics),
        evaluated_on=(
            Resource(PREDICTIONS, evaluate.outputs[PREDICTIONS], "predictions"),
            Resource(held, evaluate.inputs[held], "labels"),  # what was measured with, not what lies there by now
        ),
        versions={"shipworthy": __version__},
        run_id=job.run_id,
    )


def _kind(artifact: Artifact | None, declared: bool) -> str:
    """What training read: a declared input is data, unless it is a model to start from; the rest is code."""
    if artifact is not None and artifact.kind is Kind.MODEL:
        return "model"
    return "dataset" if declared else "code"


def _sandbox(train: StageResult) -> str:
    report = train.details.get("sandbox")
    return str(report.get("level", "none")) if isinstance(report, dict) else "none"


def _examined(results: tuple[CheckResult, ...]) -> frozenset[str]:
    return frozenset().union(*(result.examined for result in results))


STAGE = Stage(
    "sign",
    "Sign",
    "Signs the model (OpenSSF Model Signing) and statements about its training, evaluation, scans and gate.",
    run,
    holds=evidence_holds,
)
