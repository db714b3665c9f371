"""buildah and podman, which take the same options: storage of their own, no network in RUN, one time for all files."""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipworthy.building import _health, dockerfile
from shipworthy.building._engine import Engine, hand_over, program, work_folder
from shipworthy.building._errors import Unsupported
from shipworthy.building._hints import hint, missing
from shipworthy.building._log import Log
from shipworthy.building.layout import add_to_config, manifest_digest, name_image, read_base
from shipworthy.building.recipe import BuildFailed, Built, Recipe
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.tools.command import Tool, Toolbox, ToolMissing

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_BUILT = "localhost/shipworthy-built:latest"
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_AUTHENTICATION = ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy")


def unavailable(name: str) -> str:
    """Why the program cannot be used here; "" when it can."""
    if not program(name):
        return "it is not installed"
    if os.geteuid() != 0 and not (shutil.which("newuidmap") and _has_sub_ids()):
        return "without root it needs newuidmap and a range in /etc/subuid"
    try:
        version(name)
    except ToolMissing as missing:
        return missing.reason
    return ""


def version(name: str) -> str:
    """Its version. Raises ToolMissing when it is older than what is known to work."""
    return Toolbox().version(Tool(name, ">=1.28" if name == "buildah" else ">=4.3", install=f"apt install {name}"))


def build(name: str, recipe: Recipe) -> Built:
    """Build with the program `name`. Raises UsageError, BuildFailed, EnvironmentFailure."""
    started = time.monotonic()
    file = dockerfile.read(recipe.file, recipe.arguments)
    if recipe.output.exists() and any(recipe.output.iterdir()):
        raise UsageError("the folder is not empty", where=str(recipe.output), remedy="name a new one")
    log_path = recipe.log or recipe.output.parent / f"{recipe.output.name}.log"
    with work_folder(recipe.work) as work, Log(log_path) as log:
        env = {key: os.environ[key] for key in _AUTHENTICATION if recipe.pull and key in os.environ}
        engine = Engine(program(name), work, log, started + recipe.seconds, env)
        job = _Job(name, recipe, file, engine)
        digests = job.bases()
        job.build()
        digest = job.export()
    seconds = time.monotonic() - started
    return Built(recipe.output, digest, digests, name, version(name), log_path, seconds, job.layers)


class _Job:
    def __init__(self, name: str, recipe: Recipe, file: dockerfile.Dockerfile, engine: Engine) -> None:
        self.recipe, self.file, self.engine, self.work = recipe, file, engine, engine.work
        self.names: dict[str, str] = {}
        self.configs: dict[str, Mapping[str, Any]] = {}
        self.layers: dict[str, tuple[str, ...]] = {}
        self.common = ["--storage-driver", "vfs"]
        if name == "buildah":
            self.common += ["--root", str(self.work / "storage"), "--runroot", str(self.work / "run")]
        else:
            # podman takes no run root that is longer than 50 characters: from the folder that it runs in, it is short
            self.common += ["--root", "storage", "--runroot", "run"]
            self.common += ["--events-backend", "none", "--cgroup-manager", "cgroupfs"]

    def bases(self) -> dict[str, str]:
        """Bring the bases into the storage; returns their manifests' digests."""
        digests: dict[str, str] = {}
        for number, reference in enumerate(self.file.bases()):
            folder = self.recipe.bases.get(reference)
            if folder is None:
                digests[reference] = self._pull(reference)
                continue
            base = read_base(folder, _ARCHITECTURES.get(platform.machine(), platform.machine()))
            pinned = reference.partition("@")[2]
            if pinned and pinned != base.digest:
                raise UsageError(f'the layout at hand is {base.digest}, "{reference}" is wanted', where=str(folder))
            self.configs[reference] = base.config
            self.names[reference] = f"localhost/shipworthy-base-{number}:latest"
            named = self.work / f"base-{number}"
            name_image(base, named, self.names[reference])
            # relative to the folder that engines run in: they make a name of the path, which not every path is good for
            status, said = self._run("pull", "--quiet", f"oci:{named.name}:{self.names[reference]}")
            identity = (said.decode("ascii", "replace").split() or [""])[-1]
            if status or not identity or self._run("tag", identity, self.names[reference])[0]:
                raise self._failure(f'the base image "{reference}" cannot be read')
            digests[reference] = base.digest
            self.layers[reference] = base.diff_ids
        return digests

    def build(self) -> None:
        """Run the Dockerfile."""
        recipe = self.recipe
        line = ["build" if self.engine.program.endswith("podman") else "bud", "--format", "oci", "--layers=false"]
        line += ["--no-cache", "--timestamp", str(recipe.epoch), "--identity-label=false", "--tag", _BUILT]
        # in an empty network namespace of the engine's own, made by the keeper, when it runs as root
        line += ["--isolation", "chroot"] if os.geteuid() == 0 else ["--isolation", "rootless"]
        line += ["--network", "none"] if os.geteuid() != 0 and not recipe.network else []
        line += ["--pull-never"] if self.engine.program.endswith("buildah") else ["--pull=never"]
        for key, value in sorted(recipe.arguments.items()):
            line += ["--build-arg", f"{key}={value}"]
        for key, path in sorted(recipe.secrets.items()):
            line += ["--secret", f"id={key},src={path.resolve()}"]
        line += ["--target", recipe.target] if recipe.target else []
        own = recipe.file.with_name(f"{recipe.file.name}.dockerignore")
        line += ["--ignorefile", str(own.resolve())] if own.is_file() else []
        line += ["--file", str(self._dockerfile()), str(recipe.context.resolve())]
        status, _ = self._run(*line, network=recipe.network)
        if status:
            raise self._failure(f"the build failed with exit status {status}")

    def export(self) -> str:
        """Write the image as an OCI layout; returns its manifest's digest."""
        place = self.work / "image"
        if self._run("push", "--quiet", _BUILT, f"oci:{place.name}:{self.recipe.name}")[0]:
            raise self._failure("the image cannot be written")
        # these programs leave HEALTHCHECK out of what they write as OCI; Docker's own builder does not
        try:
            health = _health.of(self.file, self.recipe.target, self.configs)
        except Unsupported as error:
            raise UsageError(f"HEALTHCHECK: {error}", where=str(self.recipe.file)) from None
        if health is not None:
            add_to_config(place, "Healthcheck", health, self.recipe.name)
        hand_over(place, self.recipe.output)
        return manifest_digest(self.recipe.output)

    def _run(self, *args: str, network: bool = False) -> tuple[int, bytes]:
        return self.engine.run(*self.common, *args, network=network)

    def _pull(self, reference: str) -> str:
        if not self.recipe.pull:
            raise UsageError(
                f'the base image "{reference}" is not at hand, and nothing is to be pulled',
                where=str(self.recipe.file),
                remedy="give its OCI layout as a base, or allow pulling",
            )
        if self._run("pull", "--quiet", reference, network=True)[0]:
            raise EnvironmentFailure(
                f'the base image "{reference}" cannot be pulled: {self._last()}',
                where=str(self.recipe.file),
                remedy="check the registry, or give the OCI layout of a base that is at hand",
            )
        wanted = "{{.OCIv1.RootFS.DiffIDs}}" if self.engine.program.endswith("buildah") else "{{.RootFS.Layers}}"
        status, said = self._run("inspect", "--type", "image", "--format", wanted, reference)
        if not status and (found := _DIGEST.findall(said)):
            self.layers[reference] = tuple(one.decode() for one in found)
        _, said = self._run("images", "--digests", "--format", "{{.Digest}}", reference.partition("@")[0])
        digest = _DIGEST.search(said)
        return digest[0].decode() if digest else ""

    def _dockerfile(self) -> Path:
        """The Dockerfile, with the names under which its bases are in the storage."""
        lines = self.recipe.file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        for stage in self.file.stages:
            if (name := self.names.get(stage.base)) is None:
                continue
            if lines[stage.line - 1].rstrip().endswith(("\\", "`")):
                raise UsageError("FROM goes over more than one line", where=f"{self.recipe.file}:{stage.line}")
            platform_flag = f"--platform={stage.platform} " if stage.platform else ""
            lines[stage.line - 1] = f"FROM {platform_flag}{name}{f' AS {stage.name}' if stage.name else ''}"
        target = self.work / "Dockerfile"
        target.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
        return target

    def _last(self) -> str:
        return " ".join(self.engine.log.last()[-2:])[-300:]

    def _failure(self, message: str) -> BuildFailed:
        last = self.engine.log.last()
        step = next((line for line in reversed(last) if line.startswith("STEP")), "")
        words = " ".join(last).lower()
        named, told = missing(last), self._last()
        if "status 127" in words and named and named not in told:
            told = f"{named[:200]}: {told}"
        return BuildFailed(
            f"{message}{f' at {step[:200]}' if step else ''}: {told}",
            where=str(self.recipe.file),
            remedy=f"see {self.engine.log.path}{hint(last, network=self.recipe.network)}",
            last=last,
            log=self.engine.log.path,
        )


def _has_sub_ids() -> bool:
    try:
        return bool(Path("/etc/subuid").read_text().strip())
    except OSError:
        return False
