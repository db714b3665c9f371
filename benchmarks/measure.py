"""Measure a command: CPU of its whole process tree, wall time, and memory of the main process and of the tree.

Linux only. This process becomes a subreaper, so that processes that outlive their parents (a fork server, a worker that
was killed) are handed to it and their CPU time is counted as well.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.02


@dataclass(frozen=True)
class Measured:
    """CPU and wall in seconds; `main_mb` is the peak of the main process (VmHWM), `tree_mb` the largest sum of the
    proportional set sizes of the tree seen in samples; `private_mb` is the largest sampled anonymous memory of the main
    process (RssAnon), without the pages of files that it has mapped."""

    cpu: float
    wall: float
    main_mb: float
    tree_mb: float
    code: int
    private_mb: float = 0.0


def measure(
    command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, log: Path
) -> Measured:
    """Run the command with its output in `log`; its own descendants are waited for as well."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})}, stdout=stream, stderr=stream
        )
        main, tree, next_tree, private = 0.0, 0.0, 0.0, 0.0
        try:
            while process.poll() is None:
                main = max(main, _field(process.pid, "status", "VmHWM:"))
                private = max(private, _field(process.pid, "status", "RssAnon:"))
                if time.monotonic() > next_tree:
                    tree = max(tree, sum(_field(pid, "smaps_rollup", "Pss:") for pid in _tree(process.pid)))
                    next_tree = time.monotonic() + 25 * _PAUSE
                time.sleep(_PAUSE)
        except BaseException:
            process.terminate()  # `timeout` has a process group of its own, which an interrupt does not reach
            raise
    wall = time.monotonic() - started
    _reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(cpu, wall, main, max(main, tree), process.returncode, private)


def _reap() -> None:
    """Wait for what outlived the main process."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _field(pid: int, file: str, name: str) -> float:
    """A field of /proc in MB; 0 when the process has gone."""
    try:
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    except (OSError, ValueError):
        pass
    return 0.0


def _tree(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    own, found = os.getpid(), [root]
    for pid in parents:
        above = pid
        while above in parents and above not in (root, own):
            above = parents[above]
        if pid != root and (above == root or (above == own and pid != own)):
            found.append(pid)
    return found
