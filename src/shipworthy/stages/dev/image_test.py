"""Stage 6: look into the image, layer by layer, then run it in isolation and attack the service."""

from __future__ import annotations

import json
import shutil
import time

from shipworthy.artifacts import Inventory
from shipworthy.check import Check
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError
from shipworthy.evidence.digest import sha256_bytes, sha256_file
from shipworthy.files import write_atomically
from shipworthy.images import Image, open_image
from shipworthy.images.packages import read
from shipworthy.images.sbom import to_dict
from shipworthy.model import Artifact, CheckResult, Kind, Outcome, StageResult
from shipworthy.stages.dev.build import image_name, layout_of
from shipworthy.stages.dev.foreign import changed, settle
from shipworthy.stages.dev.image_files import Laid, lay_out, origins_of
from shipworthy.stages.dev.image_model import look
from shipworthy.stages.dev.model import model_folder, same_model
from shipworthy.stages.dev.origins import Origins
from shipworthy.stages.dev.service import described, running
from shipworthy.stages.dev.sign import BOM_NAME
from shipworthy.stages.results import counted, filter_results, with_reports

FROM_OUTSIDE = frozenset({"open-ports", "tls", "container-hardening", "openscap"})
"""The checks of a service that look at how it is deployed, which the deploy check runs."""
INSIDE = ("secrets", "models")
"""The categories of checks that look at the files in the image."""


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
    bom = _write_bom(job, image, name)
    size = sum(layer.size for layer in image.layers)
    subject = Artifact(name, Kind.IMAGE, digest, size, "application/vnd.oci.image.manifest.v1+json", layout_of(job))
    signed = _model_check(job, subject, laid, origins)
    checks = [check for check in select(job.settings) if STAGE.checks(check)]
    whole = [c for c in checks if c.kinds == {Kind.IMAGE}]
    inside = {name: [c for c in checks if c.category == name] for name in INSIDE}
    models = Inventory(tuple(file for file in files if file.kind is Kind.MODEL))
    attack = [c for c in checks if c.kinds == {Kind.SERVICE}]
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
        outputs={"results": checked.digest, BOM_NAME: bom},
        details={"waiver-notes": checked.notes, "files": len(files), "isolation": isolation},
    )


def _write_bom(job: Job, image: Image, name: str) -> str:
    """Write the bill of materials; its digest."""
    _, packages = read(image)
    bom = json.dumps(to_dict(image, packages, name), sort_keys=True, indent=1).encode()
    write_atomically(job.folder / BOM_NAME, bom)
    return sha256_bytes(bom)


def _holds(job: Job, result: StageResult) -> bool:
    """Whether the bill of materials is still there, byte for byte."""
    place = job.folder / BOM_NAME
    return place.is_file() and sha256_file(place) == result.outputs.get(BOM_NAME)


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


def _model_check(job: Job, subject: Artifact, laid: Laid, origins: Origins) -> CheckResult:
    """The image has the signed model, whole, and no other."""
    started = time.monotonic()
    model = model_folder(job)
    if not model.exists():
        return CheckResult("image-model", "models", "1", Outcome.NOT_APPLICABLE, note="this project ships no model")
    same_model(job, model)
    return CheckResult(
        check="image-model",
        category="models",
        version="1",
        outcome=Outcome.RAN,
        findings=tuple(look(subject, model, laid.files, laid.links, origins)),
        examined=frozenset({subject.uri}),
        seconds=time.monotonic() - started,
    )


def runs(check: Check) -> bool:
    """Is it a check of images, of what is inside of them, or of the service as its clients see it?"""
    if check.kinds == {Kind.SERVICE}:
        return check.name not in FROM_OUTSIDE
    return check.kinds == {Kind.IMAGE} or (check.category in INSIDE and check.scope != "tree")


STAGE = Stage(
    "test",
    "Image scan and DAST",
    "Looks into every layer, writes the bill of materials, and attacks the service where it can reach nothing.",
    run,
    checks=runs,
    holds=_holds,
)
