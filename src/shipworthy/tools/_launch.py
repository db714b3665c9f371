"""Start the launcher with its orders, and read what it and the witness left."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shipworthy.errors import EnvironmentFailure
from shipworthy.tools._jail import NOBODY, NOT_RUN
from shipworthy.tools._supervise import Ending, Limits

_ATTEMPTS, _NOTES_BYTES = 500, 1 << 20
_READS = ("open",)
_PROCESSES = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")


@dataclass(frozen=True)
class Attempt:
    """Something that code in the sandbox tried: `kind` is network, process or read. What Python code tells of itself
    names its target, and hostile code can remove that or tell lies; the event `no-route` is the kernel's count, which
    stands for any program and names no target."""

    kind: Literal["network", "process", "read"]
    event: str
    target: str


@contextlib.contextmanager
def scratch(given: Path | None) -> Iterator[Path]:
    """A folder with `home`, `tmp` and `contract` for the program to write in, and `accounts` for its user."""
    with contextlib.ExitStack() as stack:
        if given is None:
            given = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="shipworthy-", ignore_cleanup_errors=True))
            )
        place = given.resolve()
        for name in ("home", "tmp", "contract", "accounts"):
            (place / name).mkdir(exist_ok=True)
        (place / "accounts" / "passwd").write_text(
            f"sandbox:x:{NOBODY}:{NOBODY}::{place / 'home'}:/bin/false\n", "ascii"
        )
        (place / "accounts" / "group").write_text(f"sandbox:x:{NOBODY}:\n", "ascii")
        yield place


@contextlib.contextmanager
def launched(
    line: Callable[[int], list[str]], orders: dict[str, Any]
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """The started launcher, and a function that reads what it reported. `line` makes the command for a descriptor that
    holds the orders."""
    report, reporter = os.pipe()
    lifeline, held = os.pipe()  # when we die, the kernel closes `held`, and the launcher ends everything
    handle = os.memfd_create("shipworthy-orders")
    try:
        os.write(handle, json.dumps({**orders, "report": reporter, "lifeline": lifeline}).encode())
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            process = subprocess.Popen(
                line(handle),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                cwd="/",
                pass_fds=(handle, reporter, lifeline),
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFailure(f"the sandbox cannot be started: {error.strerror or error}") from None
        os.close(reporter)
        reporter = -1
        os.set_blocking(report, False)

        told: list[str] = []

        def answers() -> str:
            with contextlib.suppress(BlockingIOError):
                told.append(os.read(report, 65_536).decode("utf-8", "replace"))
            return "".join(told)

        yield process, answers
    finally:
        for one in (report, reporter, lifeline, held, handle):
            if one >= 0:
                os.close(one)


def refusal(answers: str, ending: Ending) -> str:
    """Why the command was never started; "" when it was."""
    ready = False
    for line in answers.splitlines():
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if told.get("refused"):
                return str(told["refused"])
            ready = ready or bool(told.get("ready"))
    if ready or ending.stopped:
        return ""
    said = " ".join(list(ending.tails["stderr"])[-2:])
    return (
        said
        or f"the launcher ended with status {ending.returncode}{' (not run)' if ending.returncode == NOT_RUN else ''}"
    )


def unroutable(answers: str) -> bool:
    """Whether the kernel counted something that was to be sent out of the sandbox."""
    for line in answers.splitlines():
        with contextlib.suppress(ValueError):
            if json.loads(line).get("unroutable", 0) > 0:
                return True
    return False


def attempts(notes: Path) -> tuple[Attempt, ...]:
    """What the witness noted, each once. The file was in hostile hands: what is no note of ours is passed over."""
    try:
        handle = os.open(notes, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ()
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return ()
    with os.fdopen(handle, "rb") as stream:
        lines = stream.read(_NOTES_BYTES).decode("utf-8", "replace").splitlines()
    found: dict[Attempt, None] = {}
    for line in lines:
        try:
            note = json.loads(line)
            event, target = str(note["event"])[:40], str(note["target"])[:300]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        kind: Literal["network", "process", "read"] = (
            "read" if event in _READS else "process" if event in _PROCESSES else "network"
        )
        if sum(one.kind == kind for one in found) < _ATTEMPTS:  # of each kind: many of one must not hide another
            found[Attempt(kind, event, "".join(c if c.isprintable() else "?" for c in target))] = None
    return tuple(found)


def counts_per_namespace() -> bool:
    """RLIMIT_NPROC counts the processes of a user namespace since Linux 5.14; before, all those of the user."""
    try:
        major, minor = (int(part) for part in platform.release().split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= (5, 14)


def temporary_bytes(limits: Limits) -> int:
    """How large a file system in memory may grow: a quarter of the memory limit, at least 64 MiB."""
    return max(64, limits.memory_mb // 4) << 20
