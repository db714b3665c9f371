"""RUN: a command in the image's own file system, without network unless that is allowed."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.building import _copy
from shipworthy.building._errors import Unsupported
from shipworthy.building._hints import hint, missing
from shipworthy.building.dockerfile import Instruction
from shipworthy.building.layout import Entry
from shipworthy.building.recipe import BuildFailed
from shipworthy.errors import UsageError
from shipworthy.tools.containers import BUILD_CAPABILITIES, Bind, Container, Started, Use, start
from shipworthy.tools.rootfs import account, inside

if TYPE_CHECKING:
    from shipworthy.building._stage import Stage

_USE = Use(memory_mb=8192, processes=1024, file_mb=8192, temporary_mb=1024)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(stage: Stage, one: Instruction, deadline: float) -> list[Entry]:
    """Run the instruction; returns what it changed. Raises BuildFailed when it fails or the time is over."""
    binds, volumes, network = _flags(stage, one)
    user = account(stage.tree.root, str(stage.config.get("User") or ""))
    if network:
        binds += [Bind(Path(path), path) for path in ("/etc/resolv.conf", "/etc/hosts") if os.path.isfile(path)]
    container = Container(
        stage.tree.root,
        _argv(stage, one),
        env={"PATH": _PATH, "HOME": user.home, "SOURCE_DATE_EPOCH": str(stage.recipe.epoch), **stage.variables},
        cwd=stage.config.get("WorkingDir") or "/",
        uid=user.uid,
        gid=user.gid,
        groups=user.groups,
        writable=True,
        network=network,
        capabilities=BUILD_CAPABILITIES,
        binds=binds,
        volumes=volumes,
        use=_USE,
        seconds=max(1.0, deadline - time.monotonic()),
        hostname="build",
    )
    made = _missing(stage.tree.root, ["/proc", "/dev", *volumes, *(bind.path for bind in binds)])
    before = stage.tree.look()
    started = start(container)
    try:
        status = _follow(started, stage)
    finally:
        started.close()
        started.release()
    for place in reversed(made):
        with contextlib.suppress(OSError):
            place.unlink() if place.is_file() and not place.stat().st_size else place.rmdir()
    if status != 0:
        over = time.monotonic() >= deadline
        last = stage.log.last()
        raise BuildFailed(
            "RUN is stopped: the time for the build is over" if over else _failed(status, last),
            where=f"{stage.recipe.file}:{one.line}",
            remedy=f"see {stage.log.path}{hint(last, network=network, status=status)}",
            last=last,
            log=stage.log.path,
        )
    return stage.tree.changes(before)


def _failed(status: int, last: Iterable[str]) -> str:
    named = missing(last) if status == 127 else ""
    return f"RUN failed with exit status {status}{f': {named[:200]}' if named else ''}"


def _argv(stage: Stage, one: Instruction) -> list[str]:
    given = one.json()
    if given is not None:
        return list(given)
    if not one.text:
        raise UsageError("RUN needs a command")
    if len(one.heredocs) == 1 and one.text.replace('"', "").replace("'", "") in (
        f"<<{one.heredocs[0].name}",
        f"<<-{one.heredocs[0].name}",
    ):
        text = one.heredocs[0].text
        if text.startswith("#!"):
            raise Unsupported("a document with an interpreter of its own: write it as a file, COPY and run it")
        return [*stage.shell, text]
    documents = "".join(f"{each.text}{each.name}\n" for each in one.heredocs)
    return [*stage.shell, f"{one.text}\n{documents}" if documents else one.text]


def _flags(stage: Stage, one: Instruction) -> tuple[list[Bind], list[str], bool]:
    binds: list[Bind] = []
    volumes: list[str] = []
    network = stage.recipe.network
    for name, value in one.flags:
        if name == "network" and value in ("none", "default"):
            network = network and value == "default"
        elif name == "mount":
            options = dict(part.partition("=")[::2] for part in value.split(","))
            target = options.get("target") or options.get("dst") or options.get("destination") or ""
            kind = options.get("type", "bind")
            if kind in ("cache", "tmpfs"):
                volumes.append(stage.absolute(target))
            elif kind == "secret":
                binds += _secret(stage, options, target)
            elif kind == "bind":
                binds.append(_bind(stage, options, target))
            else:
                raise Unsupported(f"--mount=type={kind}")
        else:
            raise Unsupported(f"--{name}={value}")
    return binds, volumes, network


def _bind(stage: Stage, options: dict[str, str], target: str) -> Bind:
    if "rw" in options or "readwrite" in options:
        raise Unsupported("--mount=type=bind,rw")
    root = stage.recipe.context.resolve()
    given = options.get("from", "")
    if given:
        other = stage.builder.stages.get(given.lower())
        if other is None:
            raise Unsupported(f"--mount=from={given}: only stages of this file")
        root = other.tree.root
    source = inside(root, options.get("source") or options.get("src") or "/")
    if not source.exists() or not target:
        raise UsageError(f'--mount: "{options.get("source", "")}" is not there, or has no target')
    if not given:
        source = _copy.visible(stage, source, source.relative_to(root).as_posix())
    return Bind(source, stage.absolute(target))


def _secret(stage: Stage, options: dict[str, str], target: str) -> list[Bind]:
    name = options.get("id", "")
    if "env" in options:
        raise Unsupported("--mount=type=secret,env=…")
    if name not in stage.recipe.secrets:
        if options.get("required", "false") in ("true", ""):
            raise UsageError(f'the secret "{name}" is not given', remedy="give a file for it")
        return []
    return [Bind(stage.recipe.secrets[name].resolve(), target or f"/run/secrets/{name}")]


def _missing(root: Path, paths: list[str]) -> list[Path]:
    """What the container will make to mount on: to be taken away again, as it is no part of the image."""
    found: dict[Path, None] = {}
    for path in paths:
        parts = [part for part in path.split("/") if part]
        for number in range(len(parts)):
            place = root.joinpath(*parts[: number + 1])
            if not os.path.lexists(place):
                found[place] = None
    return list(found)


def _follow(started: Started, stage: Stage) -> int:
    """Write the output to the log until the command has ended; returns its status."""
    silent = False
    while True:
        if not silent and select.select([started.output], [], [], 0.2)[0]:
            data = os.read(started.output, 65_536)
            silent = not data
            stage.log.write(data)
            if data:
                continue
        if (ended := started.ended(0.2 if silent else 0.0)) is not None:
            if ended.refused:
                stage.log.write(f"{ended.refused}\n".encode())
            return ended.status
