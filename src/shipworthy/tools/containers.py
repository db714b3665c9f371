"""Run a command in a root file system of its own: its own processes, network, mounts; limits; no way to the host.

What a container engine does for one command, without one: `start` needs Linux with namespaces, as root or with
unprivileged user namespaces. As root the command gets the image's real user; without, the only user that exists inside
is that one. System calls are filtered as in `sandbox.py`. The launcher ends the container when this process ends,
however that happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipworthy.errors import EnvironmentFailure
from shipworthy.tools import _seccomp

_LAUNCHER = Path(__file__).resolve().parent / "_container.py"
_REMEDY = (
    "run on Linux as root, or allow unprivileged user namespaces (kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0); inside of another container: --security-opt seccomp=unconfined"
)
# What building needs as the superuser of the image: its own files, and to become the image's other users.
BUILD_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 10)  # CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID NET_BIND_SERVICE


@dataclass(frozen=True)
class Use:
    """What a container may use: MiB of memory, processes and threads, CPUs, MiB for one file and for each file system
    in memory, descriptors; 0 is no limit."""

    memory_mb: int = 1024
    processes: int = 256
    cpus: float = 0.0
    file_mb: int = 1024
    temporary_mb: int = 64
    open_files: int = 4096


@dataclass(frozen=True)
class Bind:
    """A file or folder of the host, seen at `path` in the container."""

    source: Path
    path: str
    writable: bool = False


@dataclass(frozen=True)
class Container:
    """A command and where it runs. `rootfs` is a folder; `volumes` are empty file systems in memory (/tmp is always
    one unless the root is writable); `capabilities` are numbers (capabilities(7)) that the superuser keeps;
    `network` gives it the host's network. Missing places to mount on are made in `rootfs`."""

    rootfs: Path
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    uid: int = 0
    gid: int = 0
    groups: Sequence[int] = ()
    writable: bool = False
    network: bool = False
    capabilities: Sequence[int] = ()
    binds: Sequence[Bind] = ()
    volumes: Sequence[str] = ()
    use: Use = field(default_factory=Use)
    seconds: float = 0.0
    hostname: str = "container"


@dataclass(frozen=True)
class Ended:
    """How the command ended: `status` is 128 + the number when a signal ended it; `exceeded` names limits of control
    groups that it ran into; `refused` says why it was never started."""

    status: int
    exceeded: tuple[str, ...] = ()
    refused: str = ""


class Started:
    """A container that runs. `output` is the descriptor of its stdout and stderr; `pid` its first process as the host
    numbers it; `control_groups` the limits that are held by control groups, the others being held by rlimits only."""

    def __init__(self, process: subprocess.Popen[bytes], report: int, lifeline: int) -> None:
        self._process, self._report, self._lifeline = process, report, lifeline
        self._told: dict[str, Any] = {}
        self._rest = b""
        self._handle = -1
        assert process.stdout is not None  # noqa: S101
        self.output = process.stdout.fileno()

    @property
    def launcher(self) -> int:
        """The process that holds the container and lives in its network namespace."""
        return self._process.pid

    @property
    def pid(self) -> int:
        """The command, as the host numbers it; 0 when it was never made."""
        return int(self._told.get("pid", 0))

    @property
    def control_groups(self) -> tuple[str, ...]:
        """Limits that are held by control groups: memory, processes, cpus."""
        return tuple(self._told.get("control_groups", ()))

    @property
    def user_namespace(self) -> bool:
        """Whether it runs in a user namespace, in which only its own user exists."""
        return bool(self._told.get("user_namespace"))

    def started(self, seconds: float = 30.0) -> None:
        """Wait until the command was started. Raises EnvironmentFailure when it cannot be."""
        deadline = time.monotonic() + seconds
        while not ({"ready", "refused"} & self._told.keys()):
            if not self._hear(deadline - time.monotonic()):
                break
        if "ready" not in self._told:
            reason = self._told.get("refused") or "the launcher does not answer"
            self.close()
            self.release()
            raise EnvironmentFailure(f"the container cannot be started: {reason}", remedy=_REMEDY)
        with contextlib.suppress(ProcessLookupError):
            self._handle = os.pidfd_open(self.pid)

    def ended(self, seconds: float = 0.0) -> Ended | None:
        """How it ended, waiting up to `seconds` for it; None while it runs."""
        deadline = time.monotonic() + seconds
        while "ended" not in self._told:
            if self._hear(max(0.0, deadline - time.monotonic())):
                continue
            if self._process.poll() is not None and not self._hear(0.0):
                self._told.setdefault("ended", 128 + signal.SIGKILL)  # the launcher itself was killed
            elif time.monotonic() >= deadline:
                return None
        return Ended(int(self._told["ended"]), tuple(self._told.get("exceeded", ())), self._told.get("refused", ""))

    def send(self, number: int) -> None:
        """Send a signal to the command. One without a handler for it does not notice: it is process 1."""
        if self._handle >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    @property
    def filtered(self) -> bool:
        """Whether its system calls are filtered."""
        return _seccomp.architecture() is not None

    def close(self) -> None:
        """End everything that is left, and wait for that. `output` stays open until `release`."""
        if self._lifeline >= 0:
            os.close(self._lifeline)  # the launcher kills the command, the kernel all the others
            self._lifeline = -1
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()  # PDEATHSIG ends the command
            self._process.wait()
        self.ended(0.1)
        for handle in (self._report, self._handle):
            if handle >= 0:
                os.close(handle)
        self._report = self._handle = -1

    def release(self) -> None:
        """Close `output`."""
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _hear(self, seconds: float) -> bool:
        """Read what the launcher tells. False when there is nothing more within that time."""
        if self._report < 0 or not select.select([self._report], [], [], max(0.0, seconds))[0]:
            return False
        data = os.read(self._report, 65_536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self._told |= json.loads(line)
        if not data:  # the launcher is gone
            os.close(self._report)
            self._report = -1
        return bool(data)


def start(
    container: Container, *, listeners: Sequence[socket.socket] = (), port: int = 0, remove: Sequence[Path] = ()
) -> Started:
    """Start the container. What connects to `listeners` (listening sockets of the host; they stay the caller's) is
    connected to `port` inside. The files `remove`, with their folders, are removed at its end, also if we are killed.
    Raises EnvironmentFailure when a protection cannot be had here."""
    if sys.platform != "linux":
        raise EnvironmentFailure("containers need Linux", remedy="run this on a Linux machine")
    report, reporter = os.pipe()
    held, lifeline = os.pipe()  # when we die, the kernel closes `lifeline`, and the launcher ends everything
    handle = os.memfd_create("shipworthy-orders")
    passed = (handle, reporter, held, *(one.fileno() for one in listeners))
    orders = _orders(container) | {"report": reporter, "lifeline": held, "port": port}
    orders |= {"listeners": list(passed[3:]), "remove": [str(one) for one in remove]}
    try:
        os.write(handle, json.dumps(orders).encode())
        os.lseek(handle, 0, os.SEEK_SET)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(handle)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            pass_fds=passed,
            start_new_session=True,
        )
    except OSError as error:
        for one in (report, lifeline):
            os.close(one)
        raise EnvironmentFailure(f"the container cannot be started: {error.strerror or error}") from None
    finally:
        for one in (handle, reporter, held):
            os.close(one)
    running = Started(process, report, lifeline)
    running.started()
    return running


def _orders(container: Container) -> dict[str, Any]:
    use = container.use
    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": use.file_mb << 20,
        "RLIMIT_DATA": use.memory_mb << 20,
        "RLIMIT_NPROC": use.processes,
        "RLIMIT_NOFILE": use.open_files,
    }
    volumes = [*container.volumes] if container.writable else ["/tmp", *container.volumes]  # noqa: S108
    mounts = [
        {
            "path": path,
            "size": use.temporary_mb << 20,
            "mode": 0o1777 if path.rstrip("/") in ("/tmp", "/var/tmp", "/run") else 0o755,  # noqa: S108
            "uid": container.uid,
            "gid": container.gid,
        }
        for path in dict.fromkeys(volumes)
    ]
    return {
        "rootfs": str(container.rootfs.resolve()),
        "argv": list(container.argv),
        "env": dict(container.env),
        "cwd": container.cwd,
        "uid": container.uid,
        "gid": container.gid,
        "groups": list(container.groups),
        "writable": container.writable,
        "network": container.network,
        "capabilities": list(container.capabilities),
        "binds": [{"source": str(one.source), "path": one.path, "writable": one.writable} for one in container.binds],
        "tmpfs": mounts,
        "limits": {name: value for name, value in limits.items() if value or name == "RLIMIT_CORE"},
        "memory": use.memory_mb << 20,
        "processes": use.processes,
        "cpus": use.cpus,
        "shared_memory": max(1, use.temporary_mb) << 20,
        "seccomp": _seccomp.architecture() is not None,
        "seconds": container.seconds,
        "hostname": container.hostname,
    }
