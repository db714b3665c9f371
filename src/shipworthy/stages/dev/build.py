"""Stage 5: build the image from what was scanned and verified, without network, into an OCI layout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.building import Recipe, build, builtin, choose, dockerfile
from shipworthy.building.wheel_files import published
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import ShipworthyError, UsageError
from shipworthy.evidence.digest import Manifest, sha256_file
from shipworthy.evidence.files import read_bounded
from shipworthy.evidence.image_release import blob
from shipworthy.evidence.inner import IMAGE_MANIFEST_LIMIT, blobs_of
from shipworthy.model import StageResult
from shipworthy.paths import inside
from shipworthy.stages.dev.context import assemble
from shipworthy.stages.dev.kept import fetched_wheels, shelf, this_python
from shipworthy.stages.verification import image_of

THIS_PYTHON = "this-python"


def image_name(job: Job) -> str:
    """The name that the image is stored under."""
    return image_of(job.settings, job.root)


def layout_of(job: Job) -> Path:
    """The image of this run: an OCI layout."""
    return job.folder / "image"


def run(job: Job) -> StageResult:
    """Assemble the context, and have the engine build from it."""
    settings = job.settings.image
    context = assemble(job)
    wheels: Mapping[str, str] = {}
    of_index: Collection[str] = ()
    why_not = ""
    if settings.wheels:
        place = inside(context.folder, settings.wheels, what="image.wheels")
        wheels = fetched_wheels(place, context.folder / "wheels", shelf(job))
        of_index, why_not = published(place.read_bytes())
    manifest = Manifest.of(context.folder) if settings.wheels else context.manifest
    if layout_of(job).exists():
        shutil.rmtree(layout_of(job))
    engine = choose(settings.engine)
    recipe = Recipe(
        context=context.folder.resolve(),  # engines are programs: they must not read a path as a reference
        output=layout_of(job).resolve(),
        dockerfile=Path(settings.dockerfile),
        arguments=settings.args,
        network=settings.network,
        pull=settings.pull and not job.settings.scan.offline,
        bases=_bases(job),
        epoch=_epoch(job),
        name=f"{image_name(job)}:{job.run_id}",
        work=job.folder.resolve(),
        log=job.folder.resolve() / "build.log",
        seconds=float(settings.seconds),
    )
    _all_at_hand(job, recipe, engine)
    built = build(recipe, engine)
    size = sum(size for _, size in blobs_of(read_bounded(blob(built.layout, built.digest), IMAGE_MANIFEST_LIMIT)))
    return job.passed(
        f"{image_name(job)} by {built.engine} {built.version}: {size / 1e6:,.0f} MB, "
        f"{'with' if settings.network else 'without'} network",
        inputs={"context": context.manifest.digest, "model": job.detail("load", "model")["digest"]}
        if context.model
        else {"context": context.manifest.digest},
        outputs={"image": built.digest, "context": manifest.digest, "log": sha256_file(built.log)},
        details={
            "engine": built.engine,
            "version": built.version,
            "bases": {_base_name(job, name): digest for name, digest in built.bases.items()},
            "arguments": dict(settings.args),
            "network": settings.network,
            "epoch": recipe.epoch,
            "files": context.files,
            "left-out": context.left_out,
            "model-place": context.model,
            "base-layers": {reference: list(layers) for reference, layers in built.layers.items()},
            "wheels": dict(wheels),
            "wheels-of-index": sorted(set(wheels.values()) & {f"sha256:{digest}" for digest in of_index}),
            "wheels-not-of-index": why_not,
            "size": size,
        },
    )


def _bases(job: Job) -> dict[str, Path]:
    """Where the bases are that the settings say are at hand."""
    places = {}
    for reference, given in job.settings.image.bases.items():
        if given == THIS_PYTHON:
            places[reference] = this_python(shelf(job))
            continue
        place = job.root / given
        if not (place / "oci-layout").is_file():
            raise UsageError(f"`{given}` is no OCI layout", where="[image] bases", remedy="`skopeo copy` makes one")
        places[reference] = place
    return places


def _all_at_hand(job: Job, recipe: Recipe, engine: str) -> None:
    """Raises UsageError for a base that is neither at hand nor to be pulled, with the settings that bring it."""
    if recipe.pull and engine != builtin.NAME:
        return
    for reference in dockerfile.read(recipe.file, recipe.arguments).bases():
        if reference not in recipe.bases:
            why = "pulling is off" if engine != builtin.NAME else "the builtin engine pulls nothing"
            switch = "[scan] offline = false" if job.settings.scan.offline else "[image] pull = true"
            how = f"{switch} has it pulled" if engine != builtin.NAME else "buildah, podman or docker pulls it"
            trial = f', or "{THIS_PYTHON}" to try it with this machine\'s Python' if "python" in reference else ""
            raise UsageError(
                f'the base image "{reference}" is not at hand, and {why}',
                where=job.settings.image.dockerfile,
                remedy=f'{how}; or name what stands in for it under [image.bases]: "{reference}" = the folder of an '
                f"OCI layout (`skopeo copy` makes one){trial}",
            )


def _base_name(job: Job, reference: str) -> str:
    """What the base is called in evidence: what stands in for a published image must not pass for it."""
    given = job.settings.image.bases.get(reference)
    return f"{given} (in place of {reference})" if given else reference


def _epoch(job: Job) -> int:
    """The time that the image's files get: SOURCE_DATE_EPOCH, else the commit's, else the start of 1980 (which zip
    files can hold)."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given.isascii() and given.isdigit():
        return int(given)
    if isinstance(told := job.detail("trigger", "time"), int):
        return told
    return int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())


def _holds(job: Job, result: StageResult) -> bool:
    """Whether every blob of the image is still there, byte for byte."""
    try:
        manifest = blob(layout_of(job), result.outputs["image"])
        listed = [result.outputs["image"], *(d for d, _ in blobs_of(read_bounded(manifest, IMAGE_MANIFEST_LIMIT)))]
        return all(sha256_file(blob(layout_of(job), digest)) == digest for digest in listed)
    except (ShipworthyError, OSError):  # whatever is wrong with it, it is built again
        return False


STAGE = Stage(
    "build",
    "Build image",
    "Builds from the scanned files and the verified model: no network, a reproducible OCI layout, bases by digest.",
    run,
    holds=_holds,
)
