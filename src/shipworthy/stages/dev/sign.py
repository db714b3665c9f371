"""Stage 8: sign the image, and say under signature what it was built from, what is in it, and how it was tested."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from shipworthy import __version__
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.image_release import ImageFacts, write_image_evidence
from shipworthy.evidence.statement import Resource
from shipworthy.model import StageResult
from shipworthy.stages.attested import evidence_holds, scan_of
from shipworthy.stages.dev.build import image_name
from shipworthy.stages.dev.model import model_evidence
from shipworthy.stages.secrets import names_of, open_signing_keys

BOM_NAME = "image.cdx.json"


def run(job: Job) -> StageResult:
    """Write the evidence of this run, signed."""
    signers = open_signing_keys(job)
    written = write_image_evidence(_facts(job), signers, job.folder / "evidence")
    key = signers["sign"][0].public_key()
    return job.passed(
        f"{len(written.files)} files of evidence, signed by {names_of(signers)}",
        inputs={"image": written.image.digest},
        outputs=dict(written.files),
        details={
            "key-id": key.keyid,
            "algorithm": key.algorithm,
            "signer": names_of(signers),
            "subject": {"name": written.image.name, "digest": written.image.digest},
        },
    )


def _facts(job: Job) -> ImageFacts:
    build, decision = job.done["build"], job.done["before-release"].decision
    if decision is None:
        raise UsageError("there is nothing to sign: no gate has decided on a tested image")
    bases: dict[str, str] = dict(job.detail("build", "bases") or {})
    made_from = [Resource("build context", build.outputs["context"], "context")]
    made_from += [Resource(name, digest, "base") for name, digest in bases.items() if digest]
    model = job.detail("load", "model")
    if isinstance(model, dict):
        made_from.append(Resource(model["path"], model["digest"], "model"))
    return ImageFacts(
        image=Resource(image_name(job), build.outputs["image"], "image"),
        made_from=tuple(made_from),
        build={
            **{name: build.details[name] for name in ("engine", "version", "arguments", "network", "epoch")},
            "bases": bases,
            "dockerfile": job.settings.image.dockerfile,
            "commit": job.trigger.commit,
        },
        bom=_bom(job),
        scan=scan_of(job, "scan", "test"),
        decision=decision,
        settings_digest=job.settings.digest,
        started=build.started,
        finished=datetime.now(UTC),
        byproducts=(Resource("build.log", build.outputs["log"], "log"),),
        parts={"model": model_evidence(job)} if isinstance(model, dict) else {},
        versions={"shipworthy": __version__},
        run_id=job.run_id,
    )


def _bom(job: Job) -> dict[str, Any]:
    """The bill of materials that the test wrote. Raises EvidenceError for another one: it would be signed."""
    raw = (job.folder / BOM_NAME).read_bytes()
    if sha256_bytes(raw) != job.done["test"].outputs[BOM_NAME]:
        raise EvidenceError(
            "the bill of materials was changed after the test", where=BOM_NAME, remedy="`shipworthy run dev` once more"
        )
    bom: dict[str, Any] = json.loads(raw)
    return bom


STAGE = Stage(
    "sign",
    "Sign",
    "Signs the image, its bill of materials, the results of its tests and how it was built.",
    run,
    holds=evidence_holds,
)
