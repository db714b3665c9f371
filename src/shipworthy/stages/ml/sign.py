"""Stage 9: sign the model, and say under signature what it was made from, how it was scanned, and who decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from shipworthy import __version__
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import UsageError
from shipworthy.evidence.digest import sha256_file
from shipworthy.evidence.release import Facts, Scan, write_evidence
from shipworthy.evidence.statement import Resource
from shipworthy.model import Artifact, CheckResult, Kind, StageResult
from shipworthy.model.serial import stage_to_dict
from shipworthy.stages.ml.evaluate import PREDICTIONS
from shipworthy.stages.ml.train import model_path
from shipworthy.stages.secrets import open_signing_key


def run(job: Job) -> StageResult:
    """Write the evidence of this run, signed."""
    signer = open_signing_key(job)
    folder = job.folder / "evidence"
    written = write_evidence(_facts(job), signer, folder)
    key = signer.public_key()
    return job.passed(
        f"{len(written.files)} files of evidence, signed by {signer.identity}",
        inputs={"model": written.model.digest},
        outputs=dict(written.files),
        details={
            "key-id": key.keyid,
            "algorithm": key.algorithm,
            "signer": signer.identity,
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
    used = [Resource(uri, digest, _kind(by_uri, uri, given)) for uri, digest in train.inputs.items() if digest]
    scanned = [Resource(a.uri, a.digest, "artifact") for a in job.inventory.artifacts if a.uri in _examined(results)]
    return Facts(
        model=job.root / name,
        model_name=name,
        settings_digest=job.settings.digest,
        decision=decision,
        scan=Scan(_report(job), _checks(results), _counts(results), tuple(scanned)),
        finished=datetime.now(UTC),
        model_digest=train.outputs["model"],
        datasets=tuple(item for item in used if item.kind == "dataset"),
        inputs=tuple(item for item in used if item.kind != "dataset"),
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
            Resource(held, sha256_file(job.root / held), "labels"),
        ),
        versions={"shipworthy": __version__},
        run_id=job.run_id,
    )


def _kind(by_uri: Mapping[str, Artifact], uri: str, given: frozenset[str]) -> str:
    """A dataset by its content; what the inventory does not hold (the settings leave it out of the scan, or it is a
    folder) is one when it is a declared input."""
    artifact = by_uri.get(uri)
    dataset = artifact.kind is Kind.DATASET if artifact is not None else uri in given
    return "dataset" if dataset else "code"


def _sandbox(train: StageResult) -> str:
    report = train.details.get("sandbox")
    return str(report.get("level", "none")) if isinstance(report, dict) else "none"


def _examined(results: tuple[CheckResult, ...]) -> frozenset[str]:
    return frozenset().union(*(result.examined for result in results))


def _report(job: Job) -> bytes:
    """Both scans, whole, as they were judged."""
    stages = {name: stage_to_dict(job.done[name]) for name in ("scan", "model-scan")}
    return json.dumps(stages, sort_keys=True, indent=1).encode()


def _checks(results: tuple[CheckResult, ...]) -> list[dict[str, object]]:
    return [
        {"name": r.check, "version": r.version, "outcome": r.outcome.value, "examined": len(r.examined)}
        for r in results
    ]


def _counts(results: tuple[CheckResult, ...]) -> dict[str, int]:
    return dict(Counter(finding.severity.value for result in results for finding in result.findings))


def _holds(job: Job, result: StageResult) -> bool:
    folder = job.folder / "evidence"
    return all((folder / n).is_file() and sha256_file(folder / n) == digest for n, digest in result.outputs.items())


STAGE = Stage(
    "sign",
    "Sign",
    "Signs the model (OpenSSF Model Signing) and statements about its training, evaluation, scans and gate.",
    run,
    holds=_holds,
)
