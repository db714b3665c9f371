"""Stage 6: look into the image, layer by layer, then run it in isolation and attack the service."""

from __future__ import annotations

import json
import shutil
import time

from shipworthy.artifacts import Inventory
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError
from shipworthy.files import write_atomically
from shipworthy.images import Image, open_image
from shipworthy.images.packages import read
from shipworthy.images.sbom import to_dict
from shipworthy.model import Artifact, CheckResult, Kind, Outcome, StageResult
from shipworthy.stages.dev.build import image_name, layout_of
from shipworthy.stages.dev.foreign import changed, settle
from shipworthy.stages.dev.image_files import lay_out, origins_of
from shipworthy.stages.dev.image_model import look
from shipworthy.stages.dev.model import model_folder
from shipworthy.stages.dev.origins import Origins
from shipworthy.stages.dev.service import described, running
from shipworthy.stages.dev.sign import BOM_NAME
from shipworthy.stages.results import counted, filter_results, with_reports

FROM_OUTSIDE = frozenset({"open-ports", "tls", "container-hardening", "openscap"})
"""The checks of a service that look at how it is deployed, which the deploy check runs."""


def run(job: Job) -> StageResult:
    """Check the image, then its service; what was found is for the gate to judge."""
    digest = job.done["build"].outputs["image"]
    image = open_image(layout_of(job), digest)
    if image.digest != digest:
        raise EvidenceError("the image is not the one that was built", where="image", remedy="run the build again")
    name = image_name(job)
    laid = lay_out(image, name, job.folder / "image-files", job.settings.load)
    files, built = laid.files, job.done["build"].details
    origins = origins_of(laid, image, name, built, job.folder / "context")
    _write_bom(job, image, name)
    size = sum(layer.size for layer in image.layers)
    subject = Artifact(name, Kind.IMAGE, digest, size, "application/vnd.oci.image.manifest.v1+json", layout_of(job))
    signed = _model_check(job, subject, files, origins)
    checks = select(job.settings)
    whole = [c for c in checks if c.kinds == {Kind.IMAGE}]
    inside = {name: [c for c in checks if c.category == name and c.scope != "tree"] for name in ("secrets", "models")}
    models = Inventory(tuple(file for file in files if file.kind is Kind.MODEL))
    attack = [c for c in checks if c.kinds == {Kind.SERVICE} and c.name not in FROM_OUTSIDE]
    looked = [*job.checks.run(inside["secrets"], Inventory(files)), *job.checks.run(inside["models"], models)]
    whose = _packages_check(subject, origins, str(built.get("wheels-not-of-index") or ""))
    results = [signed, whose, *job.checks.run(whole, Inventory((subject,)))]
    results += settle(looked, origins)
    with running(job.settings, job.folder, layout_of(job), digest, "test") as service:
        attacked = described(job, service, "test")
        results += job.checks.run(attack, Inventory((attacked,)))
        isolation = service.isolation
    said, reports = with_reports(job, "test", results)
    checked = filter_results(job, (*whole, *inside["secrets"], *inside["models"], *attack), said)
    shutil.rmtree(job.folder / "image-files", ignore_errors=True)
    found = sum(len(result.findings) for result in checked.results)
    return job.passed(
        f"{counted(len(files), 'file')} in {counted(len(image.layers), 'layer')}, "
        f"{counted(len(attack), 'check')} of the service, {counted(found, 'finding')}",
        artifacts=(subject, attacked),
        checks=checked.results,
        inputs={"image": digest, **reports},
        outputs={"results": checked.digest},
        details={"waiver-notes": checked.notes, "files": len(files), "isolation": isolation},
    )


def _write_bom(job: Job, image: Image, name: str) -> None:
    _, packages = read(image)
    bom = json.dumps(to_dict(image, packages, name), sort_keys=True, indent=1)
    write_atomically(job.folder / BOM_NAME, bom.encode())


def _packages_check(subject: Artifact, origins: Origins, why_not: str) -> CheckResult:
    """The packages that the build fetched by digest are in the image as they were published."""
    started = time.monotonic()
    if not origins.packages:
        return CheckResult("image-wheels", "images", "1", Outcome.NOT_APPLICABLE, note=why_not or "no `[image] wheels`")
    return CheckResult(
        check="image-wheels",
        category="images",
        version="1",
        outcome=Outcome.RAN,
        findings=tuple(changed(origins)),
        examined=frozenset({subject.uri}),
        note=f"{origins.proved:,} files are those of {counted(len(origins.packages), 'wheel')}, as published"
        + (f"; others prove nothing: {why_not}" if why_not else ""),
        seconds=time.monotonic() - started,
    )


def _model_check(job: Job, subject: Artifact, files: tuple[Artifact, ...], origins: Origins) -> CheckResult:
    """The image has the signed model, whole, and no other."""
    started = time.monotonic()
    model = model_folder(job)
    if not model.exists():
        return CheckResult("image-model", "models", "1", Outcome.NOT_APPLICABLE, note="this project ships no model")
    return CheckResult(
        check="image-model",
        category="models",
        version="1",
        outcome=Outcome.RAN,
        findings=tuple(look(subject, model, files, origins)),
        examined=frozenset({subject.uri}),
        seconds=time.monotonic() - started,
    )


STAGE = Stage(
    "test",
    "Image scan and DAST",
    "Looks into every layer, writes the bill of materials, and attacks the service where it can reach nothing.",
    run,
)
