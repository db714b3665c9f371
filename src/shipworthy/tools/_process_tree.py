"""What a process and all its descendants use, from /proc; and how to end them. Source: proc(5)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process: `started` (in clock ticks after boot) tells it from a later one with the same number; memory is in
    bytes, `cpu` in seconds, its ended and waited-for children included."""

    pid: int
    parent: int
    started: int
    state: str
    resident: int
    cpu: float


def read(pid: int) -> Process | None:
    """One process; None when it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes().decode("utf-8", "replace")
        fields = text.rpartition(")")[2].split()
        ticks = sum(int(value) for value in fields[11:15])
        return Process(pid, int(fields[1]), int(fields[19]), fields[0], int(fields[21]) * _PAGE, ticks / _TICKS)
    except (OSError, ValueError, IndexError):
        return None


def tree(root: int) -> list[Process]:
    """The process and its descendants, parents before children; zombies included."""
    processes = [one for name in os.listdir(_PROC) if name.isdigit() and (one := read(int(name)))]
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found = [process for process in processes if process.pid == root]
    for process in found:  # grows while it is walked
        found.extend(children.get(process.pid, ()))
    return found


def proportional(processes: Iterable[Process]) -> int:
    """Memory in bytes with shared pages divided among those who share them (smaps_rollup); a process whose share
    cannot be read counts with all that is resident."""
    total = 0
    for process in processes:
        try:
            text = (_PROC / str(process.pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace")
            total += next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration, ValueError, IndexError):
            total += process.resident
    return total


def signal_all(processes: Iterable[Process], number: int) -> None:
    """Send a signal to each that is still the same process."""
    for process in processes:
        now = read(process.pid)
        if now is not None and now.started == process.started and now.state not in "ZX":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)


def kill(root: int, seen: Iterable[Process] = ()) -> None:
    """Kill a process and its descendants, and those `seen` before that have slipped out of the tree.

    The descendants are stopped first, so that a fork bomb cannot outrun the killing. The root is killed last: it may
    be the one that gathers orphans.
    """
    for _ in range(200):
        living = [process for process in tree(root) if process.pid != root and process.state not in "ZX"]
        if not living:
            break
        signal_all(living, signal.SIGSTOP)
        signal_all(living, signal.SIGKILL)
        time.sleep(0.005)
    signal_all(seen, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(root, signal.SIGKILL)
