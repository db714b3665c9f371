"""Build an image without a container engine: the common instructions, RUN in a container of our own.

The same context and bases give the same image, byte for byte: files get one time, layers are sorted. Instructions that
are not known here are an error that names them, never left out. RUN works as root, or with unprivileged user
namespaces, where the only user is the one who runs it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

from shipworthy.building import dockerfile, ignore
from shipworthy.building._engine import hand_over, work_folder
from shipworthy.building._log import Log
from shipworthy.building._stage import Stage, Unsupported
from shipworthy.building.layout import Base, blob, read_base, write_image
from shipworthy.building.recipe import BuildFailed, Built, Recipe
from shipworthy.errors import ShipworthyError, UsageError

NAME, VERSION = "builtin", "1"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}


def unavailable() -> str:
    """Why this engine cannot be used here; "" when it can."""
    return "" if os.uname().sysname == "Linux" else "it needs Linux"


def version() -> str:
    """The version of the engine: a number that rises when the same input gives another image."""
    return VERSION


def build(recipe: Recipe) -> Built:
    """Build the recipe into `recipe.output`, which must be new or empty. Raises UsageError for a Dockerfile that cannot
    be understood or needs what is not there, BuildFailed when an instruction fails."""
    started = time.monotonic()
    file = dockerfile.read(recipe.file, recipe.arguments)
    if recipe.output.exists() and any(recipe.output.iterdir()):
        raise UsageError("the folder is not empty", where=str(recipe.output), remedy="name a new one")
    log_path = recipe.log or recipe.output.parent / f"{recipe.output.name}.log"
    with work_folder(recipe.work) as work, Log(log_path) as log:
        builder = _Builder(recipe, file, work, log, started + recipe.seconds)
        stage = builder.build()
        digest = write_image(builder.layout, stage.image(), stage.layers, recipe.name)
        _keep_only(builder.layout, digest, stage)
        hand_over(builder.layout, recipe.output)
    seconds = time.monotonic() - started
    return Built(recipe.output, digest, dict(builder.digests), NAME, VERSION, log_path, seconds, builder.layers)


class _Builder:
    def __init__(self, recipe: Recipe, file: dockerfile.Dockerfile, work: Path, log: Log, deadline: float) -> None:
        self.recipe, self.file, self.work, self.log, self.deadline = recipe, file, work, log, deadline
        self.layout = work / "layout"
        self.digests: dict[str, str] = {}
        self.layers: dict[str, tuple[str, ...]] = {}
        self.ignored = ignore.read(recipe.context, recipe.file)
        self.stages: dict[str, Stage] = {}

    def build(self) -> Stage:
        wanted = self._wanted()
        total = sum(1 + len(self.file.stages[number].instructions) for number in wanted)
        step, stage = 0, None
        for number in wanted:
            one = self.file.stages[number]
            step += 1
            self.log.step(step, total, f"FROM {one.base}{f' AS {one.name}' if one.name else ''}")
            stage = Stage(self.recipe, self._base(one), self.work / f"stage-{number}", self.log, self)
            stage.outside = self.file.arguments
            for instruction in one.instructions:
                step += 1
                self.log.step(step, total, f"{instruction.name} {instruction.text}")
                self._execute(stage, instruction)
            self.stages[str(number)] = stage
            if one.name:
                self.stages[one.name.lower()] = stage
        if stage is None:
            raise UsageError("there is nothing to build", where=str(self.recipe.file))
        return stage

    def _wanted(self) -> list[int]:
        """The stages up to the target that it needs, in order."""
        stages = self.file.stages
        last = len(stages) - 1
        if self.recipe.target:
            named = [number for number, one in enumerate(stages) if one.name.lower() == self.recipe.target.lower()]
            if not named:
                raise UsageError(f'there is no stage "{self.recipe.target}"', where=str(self.recipe.file))
            last = named[-1]
        numbers = {one.name.lower(): number for number, one in enumerate(stages) if one.name}
        needed, waiting = {last}, [last]
        while waiting:
            one = stages[number := waiting.pop()]
            uses = [one.base.lower()]
            for instruction in one.instructions:
                flags = dict(instruction.flags)
                uses.append(flags.get("from", "").lower())
                mounts = [value for name, value in instruction.flags if name == "mount"]
                uses += [part[5:].lower() for value in mounts for part in value.split(",") if part.startswith("from=")]
            for use in uses:
                other = int(use) if use.isdecimal() and int(use) < number else numbers.get(use, number)
                if other < number and other not in needed:
                    needed.add(other)
                    waiting.append(other)
        return sorted(needed)

    def _base(self, one: dockerfile.Stage) -> Base:
        architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
        if one.platform and one.platform.split("/")[:2] != ["linux", architecture]:
            raise UsageError(
                f"the platform {one.platform} cannot be built here", where=f"{self.recipe.file}:{one.line}"
            )
        if one.base == "scratch":
            return Base(self.layout, "", {"architecture": architecture, "os": "linux"})
        if (earlier := self.stages.get(one.base.lower())) is not None:
            return Base(self.layout, "", earlier.image(), tuple(earlier.layers))
        return self.image(one.base)

    def image(self, reference: str) -> Base:
        """An image that is at hand. Raises UsageError when it is not, EvidenceError when it is another one."""
        folder = self.recipe.bases.get(reference)
        if folder is None:
            raise UsageError(
                f'the base image "{reference}" is not at hand, and this engine does not pull',
                where=str(self.recipe.file),
                remedy="give its OCI layout as a base, or build with buildah, podman or docker",
            )
        base = read_base(folder, ARCHITECTURES.get(platform.machine(), platform.machine()))
        _, _, pinned = reference.partition("@")
        if pinned and pinned != base.digest:
            raise UsageError(
                f'the layout at hand is {base.digest}, "{reference}" is wanted',
                where=str(folder),
                remedy="copy it anew",
            )
        self.digests[reference] = base.digest
        self.layers[reference] = base.diff_ids
        return base

    def _execute(self, stage: Stage, instruction: dockerfile.Instruction) -> None:
        where = f"{self.recipe.file}:{instruction.line}"
        try:
            stage.execute(instruction, self.deadline)
        except Unsupported as error:
            raise UsageError(
                f"{instruction.name}: {error}", where=where, remedy="write it otherwise, or build with buildah"
            ) from None
        except BuildFailed:
            raise
        except ShipworthyError as error:
            if not error.where or error.where.startswith("Dockerfile"):
                error.where = where
            raise
        except OSError as error:
            raise BuildFailed(
                f"{instruction.name} failed: {error.strerror or error}",
                where=where,
                remedy=f"see {self.log.path}",
                last=self.log.last(),
                log=self.log.path,
            ) from None


def _keep_only(folder: Path, digest: str, stage: Stage) -> None:
    """Remove what other stages left among the blobs."""
    kept = {digest, *(str(layer.descriptor["digest"]) for layer in stage.layers)}
    manifest: dict[str, Any] = json.loads(blob(folder, digest).read_bytes())
    kept.add(manifest["config"]["digest"])
    for one in (folder / "blobs" / "sha256").iterdir():
        if f"sha256:{one.name}" not in kept:
            one.unlink()
