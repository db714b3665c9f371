"""What stages call for an image: write the evidence of how it was built and tested, and keep it with its context.

The evidence folder holds `build`, `bom`, `scan`, `gate` and `sign.sigstore.json`, the scan report, and in a folder for
each part that was built in (`model/`) the evidence of that part; after storing `release.sigstore.json`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence import statement as statements
from shipworthy.evidence.digest import Manifest, sha256_bytes, sha256_file
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.files import MANIFEST_SUFFIX, is_bundle, read_bounded
from shipworthy.evidence.inner import IMAGE_MANIFEST_LIMIT, blobs_of
from shipworthy.evidence.release import ReleaseStore, Scan
from shipworthy.evidence.statement import Resource
from shipworthy.evidence.writer import Signers, Writer, kind_of
from shipworthy.model import GateDecision

SIGNATURE_NAME = "sign"


@dataclass(frozen=True)
class ImageFacts:
    """What a run knows of an image. `image` is its name with its manifest's digest; `made_from` the build context
    (kind `context`), the base images (`base`) and the models (`model`) in it; `build` every parameter from outside
    (engine, arguments, network, ...); `bom` a CycloneDX document; `parts` the evidence folder of each part by a name.
    Times have a zone.
    """

    image: Resource
    made_from: tuple[Resource, ...]
    build: Mapping[str, Any]
    bom: Mapping[str, Any]
    scan: Scan
    decision: GateDecision
    settings_digest: str
    started: datetime
    finished: datetime
    byproducts: tuple[Resource, ...] = ()
    parts: Mapping[str, Path] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""


@dataclass(frozen=True)
class WrittenImage:
    """The evidence of one image: its name and digest, and the digest of each file in `folder` by its path there."""

    image: Resource
    folder: Path
    files: Mapping[str, str]

    def resources(self) -> tuple[Resource, ...]:
        """The files as a release lists them."""
        return tuple(Resource(name, digest, kind_of(name)) for name, digest in sorted(self.files.items()))


def write_image_evidence(facts: ImageFacts, signers: Signers, folder: Path) -> WrittenImage:
    """Sign what the run knows, and write it to the folder. Raises UsageError when the gate said no or a signer is
    lacking, EnvironmentFailure when a file cannot be written.
    """
    if not facts.decision.passed:
        raise UsageError(
            f"the gate {facts.decision.gate} said no, so the image is not signed",
            where=facts.image.name,
            remedy="correct what the gate names, and run it again",
        )
    writer, image = Writer(folder, signers), facts.image
    built = statements.provenance(
        "build",
        [image],
        dependencies=(*facts.made_from, Resource("settings", facts.settings_digest, "settings")),
        parameters=facts.build,
        versions=facts.versions,
        invocation=facts.run_id,
        started=facts.started,
        finished=facts.finished,
        byproducts=facts.byproducts,
    )
    writer.sign("build", "build", built)
    writer.sign("bom", "bom", statements.bill(image, facts.bom))
    writer.put(facts.scan.report_name, facts.scan.report)
    report = Resource(facts.scan.report_name, sha256_bytes(facts.scan.report), "report")
    scanned = statements.scan(
        [image, *facts.scan.others],
        report=report,
        checks=facts.scan.checks,
        counts=facts.scan.counts,
        finished=facts.finished,
    )
    writer.sign("scan", "scan", scanned)
    seen = [Resource(name, digest) for name, digest in writer.files.items() if is_bundle(name)]
    decided = statements.gate(
        image,
        facts.decision,
        evidence=seen,
        policy_digest=facts.settings_digest,
        version=facts.versions.get("shipworthy", ""),
        decided=facts.finished,
    )
    writer.sign("gate", "gate", decided)
    writer.sign(SIGNATURE_NAME, "sign", statements.image_signature(image))
    files = {**writer.files, **_copy_parts(facts.parts, folder)}
    return WrittenImage(image, folder, files)


def _copy_parts(parts: Mapping[str, Path], folder: Path) -> dict[str, str]:
    files = {}
    for part, source in parts.items():
        (folder / part).mkdir(exist_ok=True)
        for path in sorted(source.iterdir()):
            if path.is_file() and not path.is_symlink() and (is_bundle(path.name) or _is_manifest(path.name)):
                shutil.copyfile(path, folder / part / path.name)
                files[f"{part}/{path.name}"] = sha256_file(folder / part / path.name)
    return files


def _is_manifest(name: str) -> bool:
    return name.endswith(MANIFEST_SUFFIX)


def store_image(
    store: ReleaseStore,
    written: WrittenImage,
    layout: Path,
    signers: Signers,
    *,
    version: str,
    stored: datetime,
    context: tuple[Path, Manifest] | None = None,
) -> bytes:
    """Keep the image of an OCI layout (OCI image specification 1.1), what it was built from and its evidence, and sign
    the release: the bytes of its reference, for the store's `put_ref`.

    Raises EvidenceError when a blob or file is not what was signed any more, and EnvironmentFailure.
    """
    manifest = blob(layout, written.image.digest)
    raw = read_bounded(manifest, IMAGE_MANIFEST_LIMIT)
    if sha256_bytes(raw) != written.image.digest:
        raise RefusedError("the image's manifest was changed after it was signed", where=written.image.name)
    store.put_file(manifest, written.image.digest)
    for digest, _ in blobs_of(raw, written.image.name):
        store.put_file(blob(layout, digest), digest)
    if context:
        store.put_tree(*context)
    for name, digest in written.files.items():
        store.put_file(written.folder / name, digest)
    released = statements.release(written.image, version=version, evidence=written.resources(), stored=stored)
    return Writer(written.folder, signers).sign("release", "store", released)


def blob(layout: Path, digest: str) -> Path:
    """Where an OCI layout has a blob. Raises EnvironmentFailure when it is not there."""
    path = layout / "blobs" / "sha256" / digest.removeprefix("sha256:")
    if not path.is_file() or path.is_symlink():
        raise EnvironmentFailure(f"the image has no blob {digest[:19]}", where=str(layout), remedy="build it again")
    return path
