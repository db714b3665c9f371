"""The build context: the files that were scanned, as they were, and the model that was verified. Nothing else."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from shipworthy.building import ignore
from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.digest import Manifest
from shipworthy.model import Artifact, Kind
from shipworthy.paths import inside
from shipworthy.records import dataclass
from shipworthy.stages.dev.model import model_folder, same_model


@dataclass(frozen=True)
class Assembled:
    """A context: its folder, its manifest, where in it the model is ("" for none), and how many files of the workspace
    were taken and left out."""

    folder: Path
    manifest: Manifest
    model: str
    files: int
    left_out: int


def assemble(job: Job) -> Assembled:
    """Copy into the run's folder what the image may be built from.

    A file is taken when the load stage listed it, so that it was scanned, and `.dockerignore` does not leave it out.
    Raises EvidenceError when one is not what was scanned any more, or the model not what was verified; UsageError
    without a Dockerfile.
    """
    settings = job.settings.image
    inside(job.root, settings.context, what="image.context")
    prefix = "" if settings.context.strip("/") in ("", ".") else settings.context.strip("/") + "/"
    folder = job.folder / "context"
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    ignored = ignore.read(job.root / prefix, job.root / prefix / settings.dockerfile)
    model = _model_place(job, prefix)
    taken = left_out = 0
    for artifact in job.inventory.artifacts:
        if not artifact.uri.startswith(prefix) or artifact.path is None:
            continue
        name = artifact.path.relative_to(job.root / prefix).as_posix()
        if model and (name == model or name.startswith(f"{model}/")):
            continue  # the verified one takes its place
        if name != settings.dockerfile and ignored(name):
            left_out += 1
            continue
        _copy(artifact, folder / name)
        taken += 1
    if not (folder / settings.dockerfile).is_file():
        raise UsageError(
            f"there is no `{settings.dockerfile}` to build from",
            where=settings.context,
            remedy='add a Dockerfile, or name it: dockerfile = "..." in [image]',
        )
    named = next((a for a in job.inventory.artifacts if a.uri == prefix + settings.dockerfile), None)
    if named is None or named.kind is not Kind.DOCKERFILE:  # what is built by must have been looked at as such
        raise UsageError(
            f"`{settings.dockerfile}` is not scanned as a Dockerfile, because of its name",
            where="[image] dockerfile",
            remedy="call it Dockerfile, Containerfile, or Dockerfile.NAME",
        )
    if model:
        _put_model(model_folder(job), folder / model)
        same_model(job, folder / model)
    return Assembled(folder, Manifest.of(folder), model, taken, left_out)


def _model_place(job: Job, prefix: str) -> str:
    known = job.detail("load", "model")
    if not isinstance(known, dict):
        return ""
    place = str(job.settings.image.model or known.get("path") or "model").strip("/")
    if place.startswith(prefix):
        place = place[len(prefix) :]
    inside(job.root, place, what="image.model")
    if os.path.normpath(place) == ".":
        raise UsageError("the model cannot be the whole context", where="[image] model", remedy="name a folder in it")
    return place


def _put_model(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _copy(artifact: Artifact, target: Path) -> None:
    """Copy the file, and see while copying that it is what was scanned."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with artifact.open() as source, target.open("xb") as copy:
        executable = os.fstat(source.fileno()).st_mode & 0o100
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            copy.write(chunk)
    if f"sha256:{digest.hexdigest()}" != artifact.digest:
        raise EvidenceError(
            "the file was changed after it was scanned", where=artifact.uri, remedy="run the pipeline again"
        )
    target.chmod(0o755 if executable else 0o644)
