"""One stage of a build: what each instruction does to the files and the configuration."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from shipworthy.building import _copy, _run
from shipworthy.building._errors import Unsupported
from shipworthy.building._health import healthcheck
from shipworthy.building._log import Log
from shipworthy.building.dockerfile import Instruction, assignments, expand, words
from shipworthy.building.ignore import Ignored
from shipworthy.building.layout import Base, Entry, Layer, bring, write_layer
from shipworthy.building.recipe import Recipe
from shipworthy.building.tree import Tree
from shipworthy.errors import UsageError

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Builder(Protocol):
    """What a stage needs to know of the others."""

    stages: dict[str, Stage]
    ignored: Ignored
    layout: Path

    def image(self, reference: str) -> Base:
        """An image that is at hand."""


class Stage:
    """The state of one stage: files, layers, configuration."""

    def __init__(self, recipe: Recipe, base: Base, folder: Path, log: Log, builder: Builder) -> None:
        self.recipe, self.base, self.log, self.builder = recipe, base, log, builder
        self.layers: list[Layer] = list(base.layers)
        self.config: dict[str, Any] = json.loads(json.dumps(base.config.get("config") or {}))
        self.history: list[dict[str, Any]] = [dict(one) for one in base.config.get("history") or ()]
        self.tree = Tree(folder)
        self.tree.unpack(base)
        for layer in base.layers:
            bring(base.folder, builder.layout, layer)
        self.arguments: dict[str, str] = {}
        self.outside: Mapping[str, str] = {}
        self.own_command = False
        self.config.pop("OnBuild", None)

    @property
    def env(self) -> dict[str, str]:
        """What ENV says so far."""
        return dict(one.partition("=")[::2] for one in self.config.get("Env") or ())

    @property
    def variables(self) -> dict[str, str]:
        """What $NAME means in an instruction: ARG, overruled by ENV."""
        return {**self.arguments, **self.env}

    @property
    def shell(self) -> list[str]:
        """What runs the shell form of instructions."""
        return list(self.config.get("Shell") or ("/bin/sh", "-c"))

    def image(self) -> dict[str, Any]:
        """The image's configuration (OCI image specification, config)."""
        created = datetime.fromtimestamp(self.recipe.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "created": created,
            "architecture": self.base.config.get("architecture") or platform.machine(),
            "os": self.base.config.get("os") or "linux",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
            "history": self.history,
        }

    def execute(self, one: Instruction, deadline: float) -> None:
        """Carry out an instruction; RUN must end before `deadline` (as `time.monotonic` counts)."""
        entries: list[Entry] = []
        if one.name == "RUN":
            entries = _run.run(self, one, deadline)
        elif one.name in ("COPY", "ADD"):
            entries = _copy.copy(self, one)
        elif one.name == "WORKDIR":
            entries = self._workdir(one)
        else:
            handlers: dict[str, Callable[[Instruction], None]] = {
                "ARG": self._arg,
                "ENV": self._env,
                "LABEL": self._label,
                "MAINTAINER": self._label,
                "USER": self._user,
                "EXPOSE": self._expose,
                "VOLUME": self._volume,
                "CMD": self._command,
                "ENTRYPOINT": self._command,
                "HEALTHCHECK": self._health,
                "STOPSIGNAL": self._stop_signal,
                "SHELL": self._shell,
            }
            if one.name not in handlers:
                raise Unsupported("this engine does not know it")
            handlers[one.name](one)
        if one.name == "ARG":
            return
        created = datetime.fromtimestamp(self.recipe.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said: dict[str, Any] = {"created": created, "created_by": f"{one.name} {one.text}"[:4_000]}
        if entries:
            self.layers.append(write_layer(self.builder.layout, entries, self.recipe.epoch))
        else:
            said["empty_layer"] = True
        self.history.append(said)

    def fill(self, text: str) -> str:
        """The text with variables replaced and quotes taken away."""
        return expand(text, self.variables)

    def argument_list(self, one: Instruction) -> list[str]:
        """Arguments as a JSON array or as words, variables replaced."""
        given = one.json()
        return (
            [expand(part, self.variables, unquote=False) for part in given]
            if given is not None
            else [self.fill(part) for part in words(one.text)]
        )

    def _arg(self, one: Instruction) -> None:
        machine = platform.machine()
        known = {"TARGETOS": "linux", "TARGETARCH": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)}
        known["TARGETPLATFORM"] = known["BUILDPLATFORM"] = f"linux/{known['TARGETARCH']}"
        for name, value in assignments(one, self.fill):
            if name in self.recipe.arguments:
                self.arguments[name] = self.recipe.arguments[name]
            elif value is not None:
                self.arguments[name] = value
            elif name in self.outside:
                self.arguments[name] = self.outside[name]
            elif name in known:
                self.arguments[name] = known[name]
            elif name == "SOURCE_DATE_EPOCH":
                self.arguments[name] = str(self.recipe.epoch)

    def _env(self, one: Instruction) -> None:
        env, before = self.env, self.variables
        for name, value in assignments(one, lambda word: expand(word, before)):
            env[name] = value or ""
        self.config["Env"] = [f"{name}={value}" for name, value in env.items()]

    def _label(self, one: Instruction) -> None:
        pairs = [("maintainer", self.fill(one.text))] if one.name == "MAINTAINER" else assignments(one, self.fill)
        self.config["Labels"] = {**(self.config.get("Labels") or {}), **{name: value or "" for name, value in pairs}}

    def _user(self, one: Instruction) -> None:
        user = self.fill(one.text)
        if not user or any(char.isspace() for char in user):
            raise UsageError("USER needs one user", remedy="USER 10001:10001")
        self.config["User"] = user

    def _expose(self, one: Instruction) -> None:
        ports = dict(self.config.get("ExposedPorts") or {})
        for word in words(one.text):
            port, _, protocol = self.fill(word).partition("/")
            if not port.replace("-", "", 1).isdecimal() or protocol not in ("", "tcp", "udp", "sctp"):
                raise UsageError(f'"{word[:40]}" is no port', remedy="EXPOSE 8080")
            first, _, last = port.partition("-")
            if not 0 < int(first) <= int(last or first) < 65_536:
                raise UsageError(f'"{word[:40]}" is no port', remedy="EXPOSE 8080")
            ports |= {f"{number}/{protocol or 'tcp'}": {} for number in range(int(first), int(last or first) + 1)}
        self.config["ExposedPorts"] = dict(sorted(ports.items()))

    def _volume(self, one: Instruction) -> None:
        volumes: dict[str, dict[str, str]] = {path: {} for path in self.argument_list(one)}
        self.config["Volumes"] = dict(sorted({**(self.config.get("Volumes") or {}), **volumes}.items()))

    def _command(self, one: Instruction) -> None:
        given = one.json()
        value = list(given) if given is not None else [*self.shell, one.text]
        if one.name == "CMD":
            self.config["Cmd"], self.own_command = value, True
            return
        self.config["Entrypoint"] = value
        if not self.own_command:
            self.config.pop("Cmd", None)  # that of the base was for its own entry point

    def _health(self, one: Instruction) -> None:
        self.config["Healthcheck"] = healthcheck(one)

    def _stop_signal(self, one: Instruction) -> None:
        self.config["StopSignal"] = self.fill(one.text)

    def _shell(self, one: Instruction) -> None:
        given = one.json()
        if not given:
            raise UsageError("SHELL needs a JSON array", remedy='SHELL ["/bin/bash", "-c"]')
        self.config["Shell"] = list(given)

    def _workdir(self, one: Instruction) -> list[Entry]:
        path = self.fill(one.text)
        self.config["WorkingDir"] = self.absolute(path)
        return [self.tree.entry(place) for place in self.tree.make_folders(self.config["WorkingDir"])]

    def absolute(self, path: str) -> str:
        """A path of the image, from the working folder if it is relative, without `.` and `..`."""
        start = "" if path.startswith("/") else self.config.get("WorkingDir") or "/"
        parts: list[str] = []
        for part in f"{start}/{path}".split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)


__all__ = ["Stage", "Unsupported"]
