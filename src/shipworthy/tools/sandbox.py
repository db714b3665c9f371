"""Run a program that is not trusted: without network, seeing only what it was handed, held to limits.

`Sandbox.open` takes the strongest protection that this machine offers, and believes none that it has not tried: before
it hands a sandbox out, a probe inside of it has tried to connect, to read and write outside, to see our environment.

    bubblewrap   private root file system, namespaces, no capabilities, seccomp
    jail         Landlock and seccomp, in namespaces of its own where the kernel allows them
    limits       only limits and a scrubbed environment; never chosen unless the policy is "none"
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.tools import _bubblewrap, _landlock, _launch, _seccomp
from shipworthy.tools._launch import Attempt
from shipworthy.tools._supervise import Ending, Limits, OnLine, Stopped, Supervisor
from shipworthy.tools.command import search_path
from shipworthy.tools.interpreter import Interpreter, visible

Level = Literal["bubblewrap", "jail", "limits"]
POLICIES = ("no-network", "strict", "none")
_TOOLS = Path(__file__).resolve().parent
_WITNESS = _TOOLS / "_witness"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_REMEDY = (
    'install bubblewrap (package "bubblewrap", program "bwrap"), or run on Linux 6.2 or later with Landlock enabled, '
    'or allow unprivileged user namespaces; sandbox = "none" runs the command unprotected'
)


@dataclass(frozen=True)
class Protection:
    """One way to build the sandbox: the level, and which kernel features a jail uses."""

    level: Level
    namespaces: bool = False
    landlock: bool = False
    seccomp: bool = False

    def __str__(self) -> str:
        parts = [name for name in ("namespaces", "landlock", "seccomp") if getattr(self, name)]
        return f"{self.level} ({', '.join(parts)})" if parts else self.level


_LADDER = (
    Protection("bubblewrap", namespaces=True, seccomp=True),
    Protection("bubblewrap", namespaces=True),
    Protection("jail", namespaces=True, landlock=True, seccomp=True),
    Protection("jail", landlock=True, seccomp=True),
    Protection("jail", namespaces=True, landlock=True),
    Protection("jail", namespaces=True, seccomp=True),
    Protection("jail", namespaces=True),
    Protection("jail", seccomp=True),
)


@dataclass(frozen=True)
class SandboxReport:
    """What protected the program, as far as it was tried out.

    `network` blocked: no address outside can be reached. `filesystem` isolated: only what was handed over can be read
    and written; read-only: nothing outside could be written, but read; open: neither holds. `processes` isolated: it
    can neither see nor signal others. `verified` maps each attempt of the probe to refused, allowed or not-tried.
    """

    policy: str
    level: Level
    network: Literal["blocked", "open"]
    filesystem: Literal["isolated", "read-only", "open"]
    processes: Literal["isolated", "shared"]
    features: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    verified: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class SandboxResult:
    """How the program ended. `returncode` is 128 + the number when a signal ended it; `stopped` says that we ended it,
    `detail` why; `refused` that it was never started, and why. Memory is in MiB, of the whole process tree."""

    returncode: int
    stopped: Stopped
    detail: str
    refused: str
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    peak_processes: int
    stdout_tail: tuple[str, ...]
    stderr_tail: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    report: SandboxReport

    @property
    def ok(self) -> bool:
        """It ran to its end by itself, with exit status 0."""
        return self.returncode == 0 and not self.stopped and not self.refused


@dataclass(frozen=True)
class Sandbox:
    """A protection that was tried out, ready to run programs. Make one with `Sandbox.open`."""

    protection: Protection
    report: SandboxReport
    interpreter: Interpreter
    bubblewrap: Path | None = None

    @classmethod
    def open(
        cls, policy: str = "no-network", *, python: str = "", bubblewrap: str | None = "", without: Sequence[str] = ()
    ) -> Sandbox:
        """The strongest sandbox that satisfies the policy: `no-network`, `strict` (the file system too), or `none`.

        `python` is the interpreter that `python` in a command stands for (default: ours). `bubblewrap` is the path of
        bwrap (default: from PATH; None: do not use it). `without` leaves out kernel features by name (namespaces,
        landlock, seccomp). Raises UsageError for an unknown policy, EnvironmentFailure when it cannot be satisfied.
        """
        from shipworthy.tools import _self_test

        if policy not in POLICIES:
            raise UsageError(f'"{policy}" is no sandbox policy', remedy=f"use one of: {', '.join(POLICIES)}")
        interpreter = Interpreter.find(python)
        found = None if bubblewrap is None else bubblewrap or shutil.which("bwrap", path=search_path())
        program = Path(found) if found else None
        if policy == "none":
            report = SandboxReport(
                policy, "limits", "open", "open", "shared", notes=("the settings ask for no sandbox",)
            )
            return cls(Protection("limits"), report, interpreter)
        failures: list[str] = []
        for protection in _LADDER:
            if any(getattr(protection, name, False) for name in without):
                continue
            if reason := _cannot(protection, program):
                failures.append(f"{protection}: {reason}")
                continue
            candidate = cls(protection, _expected(policy, protection), interpreter, program)
            report, reason = _self_test.verify(candidate)
            if not reason:
                return replace(candidate, report=replace(report, notes=(*report.notes, *failures)))
            failures.append(f"{protection}: {reason}")
        raise EnvironmentFailure(
            f'the sandbox policy "{policy}" cannot be satisfied here: {"; ".join(failures) or "nothing to try"}',
            remedy=_REMEDY,
        )

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        read_only: Sequence[Path] = (),
        writable: Sequence[Path] = (),
        scratch: Path | None = None,
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        on_line: OnLine | None = None,
        log: BinaryIO | None = None,
        watch: Callable[[], str] | None = None,
        inputs: Sequence[Path] = (),
        hidden: Sequence[Path] = (),
    ) -> SandboxResult:
        """Run `argv` (never a shell string) and wait for its end.

        `read_only` and `writable` are all that it gets besides the system's programs and the interpreter; paths are the
        same inside and outside. `scratch` (default: a new folder) holds its home and temporary files. `env` is added to
        a minimal environment; nothing of ours is inherited. `on_line(stream, text)` is called with each line of output;
        `log` gets them too; `watch()` may end the run by returning a reason. Opening one of `inputs` is noted. What
        lies below `hidden` is not shown although the system's or Python's folders hold it (unless it is read_only or
        writable, or Python itself). Raises EnvironmentFailure when the sandbox cannot be set up.
        """
        limits = limits or Limits()
        with _launch.scratch(scratch) as place:
            notes = place / "contract" / "witness.jsonl"
            environment = self._environment(place, notes, inputs) | dict(env or {})
            environment["PYTHONPATH"] = os.pathsep.join(
                filter(None, (str(_WITNESS), (env or {}).get("PYTHONPATH", "")))
            )
            secret = [path.resolve() for path in hidden]
            system = visible(_bubblewrap.system_paths(), secret)
            readable = [*self._python(secret), _TOOLS, cwd, *read_only]
            may_write = [place / "home", place / "tmp", place / "contract", *writable]
            orders = self._orders(
                self.interpreter.resolve(argv), cwd, environment, limits, [*system, *readable], may_write
            )
            launcher = self._launcher(place, cwd, system, readable, may_write, limits)
            with _launch.launched(launcher, orders) as (process, answers):
                supervisor = Supervisor(
                    process,
                    limits,
                    writable=tuple(may_write),
                    base={"bubblewrap": 2, "jail": 1 + self.protection.namespaces, "limits": 1}[self.protection.level],
                    on_line=on_line,
                    log=log,
                    watch=watch,
                    ready=lambda: '"ready"' in answers(),
                )
                ending = supervisor.run()
                refused = _launch.refusal(answers(), ending)
                sent = _launch.unroutable(answers())
            told = _launch.attempts(notes)
            if sent and not any(attempt.kind == "network" for attempt in told):
                told = (*told, Attempt("network", "no-route", "an address outside, which no Python code told of"))
            return self._result(ending, refused, limits, told)

    def _python(self, hidden: Sequence[Path]) -> list[Path]:
        """The folders of the command's interpreter, and of ours, which runs the launcher."""
        found: list[Path] = []
        for python in (self.interpreter, Interpreter.find("")):
            found += visible(python.prefixes, hidden, keep=python.prefixes)
        return found + visible(self.interpreter.paths, hidden)

    def _environment(self, place: Path, notes: Path, inputs: Sequence[Path]) -> dict[str, str]:
        temporary = str(place / "tmp")
        return {
            "PATH": os.pathsep.join((str(self.interpreter.executable.parent), "/usr/local/bin", "/usr/bin", "/bin")),
            "HOME": str(place / "home"),
            "TMPDIR": temporary,
            "USER": "sandbox",
            "LOGNAME": "sandbox",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "SHIPWORTHY_WITNESS": str(notes),
            "SHIPWORTHY_WITNESS_INPUTS": "\n".join(str(path) for path in inputs),
            **self.interpreter.env,
        }

    def _orders(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        limits: Limits,
        readable: Sequence[Path],
        writable: Sequence[Path],
    ) -> dict[str, Any]:
        way = self.protection
        resources = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": limits.file_mb << 20, "RLIMIT_DATA": limits.memory_mb << 20}
        if limits.cpu_seconds:
            resources["RLIMIT_CPU"] = limits.cpu_seconds
        if way.namespaces and _launch.counts_per_namespace():
            # threads count too; the number of processes is held by looking
            resources["RLIMIT_NPROC"] = limits.processes + 32 * (os.cpu_count() or 1)
        private = ("/dev/shm",) if way.namespaces else ()  # noqa: S108
        trees = {
            "read_only": [*map(str, readable), "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/proc"],
            "writable": [*private, *map(str, writable)],
            "devices": list(_DEVICES),
        }
        jail = way.level == "jail"
        return {
            "argv": list(argv),
            "cwd": str(cwd),
            "env": dict(env),
            "limits": resources,
            "supervise": way.level != "bubblewrap",
            "drop": way.level != "limits",
            "namespaces": {"shm": _launch.temporary_bytes(limits)} if jail and way.namespaces else None,
            "landlock": trees if way.landlock else None,
            # a socket file of a daemon would be a way out where the file system is not a private one
            "seccomp": {"own_network": way.namespaces, "unix_sockets": not jail, "keep_metadata": jail}
            if way.seccomp
            else None,
        }

    def _launcher(
        self,
        place: Path,
        cwd: Path,
        system: Sequence[Path],
        readable: Sequence[Path],
        writable: Sequence[Path],
        limits: Limits,
    ) -> Callable[[int], list[str]]:
        own = Interpreter.find("")

        def line(handle: int) -> list[str]:
            launcher = [str(own.executable), "-I", "-S", str(_TOOLS / "_jail.py"), str(handle)]
            if self.protection.level != "bubblewrap" or self.bubblewrap is None:
                return launcher
            return _bubblewrap.command(
                self.bubblewrap,
                system=system,
                read_only=readable,
                writable=writable,
                accounts=place / "accounts",
                cwd=cwd,
                temporary_bytes=_launch.temporary_bytes(limits),
                argv=launcher,
            )

        return line

    def _result(self, ending: Ending, refused: str, limits: Limits, attempts: tuple[Attempt, ...]) -> SandboxResult:
        code = ending.returncode
        return SandboxResult(
            returncode=code if code >= 0 else 128 - code,
            stopped=ending.stopped,
            detail=ending.detail,
            refused=refused,
            seconds=ending.seconds,
            cpu_seconds=ending.cpu_seconds,
            peak_memory_mb=ending.peak_memory / (1 << 20),
            peak_processes=ending.peak_processes,
            stdout_tail=tuple(ending.tails["stdout"]),
            stderr_tail=tuple(ending.tails["stderr"]),
            attempts=attempts,
            report=replace(self.report, limits=asdict(limits)),
        )


def _cannot(protection: Protection, bubblewrap: Path | None) -> str:
    """Why this protection need not even be tried; "" when it may work."""
    if protection.level == "bubblewrap" and bubblewrap is None:
        return "bubblewrap is not installed"
    if protection.landlock and _landlock.abi() < 1:
        return "the kernel offers no Landlock"
    if protection.seccomp and _seccomp.architecture() is None:
        return "no seccomp filter for this architecture"
    return ""


def _expected(policy: str, protection: Protection) -> SandboxReport:
    """What this protection is to give; the self-test confirms or lowers it."""
    features = [
        f"{name} namespace" for name in ("user", "network", "pid", "ipc", "uts", "mount") if protection.namespaces
    ]
    if protection.landlock:
        features.append(f"landlock abi {_landlock.abi()}")
    if protection.seccomp:
        features.append("seccomp")
    return SandboxReport(
        policy,
        protection.level,
        "open",
        "open",
        "isolated" if protection.namespaces else "shared",
        features=(*features, "no new privileges", "no capabilities"),
    )


__all__ = ["POLICIES", "Attempt", "Limits", "Protection", "Sandbox", "SandboxReport", "SandboxResult"]
