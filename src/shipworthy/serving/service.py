"""What is to be run, as an image's configuration says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipworthy.errors import UsageError
from shipworthy.tools.containers import Use

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Service:
    """An unpacked image and how to run it.

    `rootfs` is the folder it was unpacked to; missing mount points (/proc, /dev, /tmp) are made in it. `config` is the
    image's configuration, whole or its `config` part. `port` is what it listens on (0: the one TCP port that it
    exposes). `env` is added to the image's; `command` replaces Cmd. `writable` lets it write its root, which is what
    `docker run` does without `--read-only`. `volumes` are further empty folders it may write. It is ready when `ready`
    (a path such as "/healthz") is answered with a status below 500, or when the port listens if `ready` is "".
    `ready_seconds` is how long that may take, `seconds` how long it may live (0: until it is stopped). What it prints
    of `secrets` (values, by the names that stand for them) is kept nowhere.
    """

    rootfs: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    port: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    writable: bool = False
    volumes: Sequence[str] = ()
    use: Use = field(default_factory=Use)
    ready: str = ""
    ready_seconds: float = 30.0
    seconds: float = 0.0
    log: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The part of the configuration that says how to run it."""
        inner = self.config.get("config")
        return inner if isinstance(inner, Mapping) else self.config

    def argv(self) -> list[str]:
        """Entrypoint and Cmd. Raises UsageError when the image has neither."""
        start = _strings(self.settings.get("Entrypoint"), "Entrypoint")
        command = list(self.command) or _strings(self.settings.get("Cmd"), "Cmd")
        if not [*start, *command]:
            raise UsageError("the image has no command", remedy="add CMD to its Dockerfile")
        return [*start, *command]

    def environment(self, home: str) -> dict[str, str]:
        """The environment: the image's, and what was added."""
        given = _strings(self.settings.get("Env"), "Env")
        return {
            "PATH": DEFAULT_PATH,
            "HOME": home,
            "HOSTNAME": "container",
            **dict(one.partition("=")[::2] for one in given if "=" in one),
            **self.env,
        }

    def listens_on(self) -> int:
        """The port. Raises UsageError when none is given and the image does not expose exactly one."""
        if self.port:
            return self.port
        exposed = self.settings.get("ExposedPorts") or {}
        ports = [one.partition("/") for one in exposed if isinstance(one, str)] if isinstance(exposed, Mapping) else []
        numbers = {int(port) for port, _, kind in ports if port.isdecimal() and len(port) < 6 and kind in ("", "tcp")}
        if len(numbers) != 1 or not 0 < (number := numbers.pop()) < 65_536:
            raise UsageError(
                f"the image exposes {len(numbers) or 'no'} TCP ports: which one is the service's?",
                remedy="EXPOSE one port in the Dockerfile, or name it",
            )
        return number

    def empty_folders(self) -> list[str]:
        """Volumes of the image and of the caller."""
        declared = self.settings.get("Volumes") or {}
        return [*(one for one in declared if isinstance(one, str) and one.startswith("/")), *self.volumes]

    def stop_signal(self) -> int:
        """STOPSIGNAL as a number; SIGTERM by default."""
        import signal

        text = str(self.settings.get("StopSignal") or "SIGTERM").upper().removeprefix("SIG")
        if text.isdecimal() and 0 < int(text[:4]) < 65:
            return int(text)
        number = getattr(signal, f"SIG{text}", None)
        return int(number) if isinstance(number, signal.Signals) else int(signal.SIGTERM)


def _strings(value: object, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
        raise UsageError(f"{name} of the image's configuration is no list of strings")
    return list(value)
