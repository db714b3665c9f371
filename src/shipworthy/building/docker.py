"""Build with Docker's BuildKit, if there is a daemon. Source: `docker buildx build`, its OCI exporter."""

from __future__ import annotations

import os
import tarfile
import time
from pathlib import Path, PurePosixPath

from shipworthy.building import dockerfile
from shipworthy.building._engine import Engine, hand_over, program, work_folder
from shipworthy.building._hints import hint
from shipworthy.building._log import Log
from shipworthy.building.layout import manifest_digest, read_base
from shipworthy.building.recipe import BuildFailed, Built, Recipe
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.tools.command import Tool, Toolbox, ToolFailed
from shipworthy.tools.command import run as run_tool

NAME = "docker"
_DAEMON = ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "BUILDX_BUILDER")
_ENTRIES, _BYTES = 100_000, 64 << 30


def unavailable() -> str:
    """Why this engine cannot be used here; "" when it can: the program, its buildx, a daemon that answers."""
    found = program(NAME)
    if not found:
        return "it is not installed"
    for line, reason in ((("buildx", "version"), "buildx is not installed"), (("info",), "the daemon does not answer")):
        try:
            if run_tool([found, *line], timeout=20.0, env=_environment()).returncode:
                return reason
        except ToolFailed as failure:
            return f"{reason}: {failure.reason}"
    return ""


def version() -> str:
    """Its version. Raises ToolMissing."""
    return Toolbox().version(Tool(NAME, ">=23", install="install Docker"))


def build(recipe: Recipe) -> Built:
    """Build the recipe into `recipe.output`, which must be new or empty. Raises UsageError for a Dockerfile that cannot
    be understood or a base that is not there, BuildFailed when an instruction fails, EnvironmentFailure."""
    started = time.monotonic()
    file = dockerfile.read(recipe.file, recipe.arguments)
    if recipe.output.exists() and any(recipe.output.iterdir()):
        raise UsageError("the folder is not empty", where=str(recipe.output), remedy="name a new one")
    digests: dict[str, str] = {}
    layers: dict[str, tuple[str, ...]] = {}
    for reference in file.bases():
        if (folder := recipe.bases.get(reference)) is not None:
            base = read_base(folder, "")
            digests[reference], layers[reference] = base.digest, base.diff_ids
        elif recipe.pull:
            digests[reference] = reference.partition("@")[2]
        else:
            raise UsageError(
                f'the base image "{reference}" is not at hand, and nothing is to be pulled',
                where=str(recipe.file),
                remedy="give its OCI layout as a base, or allow pulling",
            )
    log_path = recipe.log or recipe.output.parent / f"{recipe.output.name}.log"
    with work_folder(recipe.work) as work, Log(log_path) as log:
        engine = Engine(program(NAME), work, log, started + recipe.seconds, _environment())
        archive = work / "image.tar"
        # the daemon builds, with a network of its own: the program itself must reach it
        status, _ = engine.run(*command(recipe, archive), network=True)
        if status:
            last = log.last()
            raise BuildFailed(
                f"the build failed with exit status {status}: {' '.join(last[-2:])[-300:]}",
                where=str(recipe.file),
                remedy=f"see {log_path}{hint(last, network=recipe.network)}",
                last=last,
                log=log_path,
            )
        _unpack(archive, work / "layout")
        hand_over(work / "layout", recipe.output)
    digest = manifest_digest(recipe.output)
    return Built(recipe.output, digest, digests, NAME, version(), log_path, time.monotonic() - started, layers)


def command(recipe: Recipe, archive: Path) -> list[str]:
    """The arguments of `docker` that build the recipe into an OCI archive."""
    line = ["buildx", "build", "--progress", "plain", "--no-cache", "--provenance=false", "--sbom=false"]
    line += ["--output", f"type=oci,dest={archive},rewrite-timestamp=true,name={recipe.name}"]
    line += ["--network", "default" if recipe.network else "none"]
    line += ["--build-arg", f"SOURCE_DATE_EPOCH={recipe.epoch}"]
    for key, value in sorted(recipe.arguments.items()):
        line += ["--build-arg", f"{key}={value}"]
    for key, path in sorted(recipe.secrets.items()):
        line += ["--secret", f"id={key},src={path.resolve()}"]
    for reference, folder in sorted(recipe.bases.items()):
        line += ["--build-context", f"{reference}=oci-layout://{folder.resolve()}@{manifest_digest(folder)}"]
    line += ["--target", recipe.target] if recipe.target else []
    return [*line, "--file", str(recipe.file.resolve()), str(recipe.context.resolve())]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _DAEMON if name in os.environ}
    home = os.environ.get("HOME", "")
    if home and "DOCKER_CONFIG" not in kept:  # contexts and builders are kept there
        kept["DOCKER_CONFIG"] = f"{home}/.docker"
    return kept


def _unpack(archive: Path, folder: Path) -> None:
    """The plain files of an OCI archive. Raises EnvironmentFailure when it is none."""
    folder.mkdir()
    left = _BYTES
    try:
        with tarfile.open(archive, "r|") as stream:
            for number, member in enumerate(stream):
                path = PurePosixPath(member.name)
                left -= member.size
                if number > _ENTRIES or left < 0:
                    raise EnvironmentFailure("docker wrote too large an archive")
                if not member.isreg() or path.is_absolute() or ".." in path.parts:
                    continue
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                source = stream.extractfile(member)
                with open(target, "wb") as out:
                    while source is not None and (data := source.read(1 << 20)):
                        out.write(data)
    except (tarfile.TarError, OSError) as error:
        raise EnvironmentFailure(f"docker wrote no OCI archive: {error}", remedy="update docker and buildx") from None
