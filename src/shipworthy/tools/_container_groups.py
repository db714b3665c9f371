"""Hold a container to its memory, processes and CPU by control groups, where they can be written. Standard library
only: the launcher runs this file. Sources: cgroups(7), the kernel's admin-guide for cgroup v1 and v2."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 100_000  # microseconds


class Group:
    """The control groups of one container. `held` names the limits that they hold: memory, processes, cpus."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.held: list[str] = []

    def leave(self) -> list[str]:
        """Remove the groups, which are empty now. Returns the limits that were reached."""
        reached = []
        for folder in self.folders:
            with contextlib.suppress(OSError, ValueError, IndexError):
                events = dict(line.split() for line in (folder / "memory.events").read_text().splitlines())
                reached += ["memory"] if int(events.get("oom_kill", 0)) else []
            with contextlib.suppress(OSError, ValueError, IndexError):
                told = dict(line.split()[:2] for line in (folder / "memory.oom_control").read_text().splitlines())
                reached += ["memory"] if int(told.get("oom_kill", 0)) else []
            with contextlib.suppress(OSError, ValueError, IndexError):
                reached += ["processes"] if int((folder / "pids.events").read_text().split()[1]) else []
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except OSError:  # its last process is still leaving
                    time.sleep(0.01)
        return sorted(set(reached))


def enter(pid: int, memory: int, processes: int, cpus: float) -> Group:
    """Put a process into groups of its own: bytes of memory, a count of processes and threads, CPUs; 0 is no limit.
    Where a group cannot be written, its limit is not in `held`."""
    group = Group()
    try:
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return group
    name = f"shipworthy-{os.getpid()}-{pid}"
    settings = {
        "memory": ({"memory.max": str(memory), "memory.swap.max": "0"}, {"memory.limit_in_bytes": str(memory)}, memory),
        "pids": ({"pids.max": str(processes)}, {"pids.max": str(processes)}, processes),
        "cpu": (
            {"cpu.max": f"{int(cpus * _PERIOD)} {_PERIOD}"},
            {"cpu.cfs_period_us": str(_PERIOD), "cpu.cfs_quota_us": str(int(cpus * _PERIOD))},
            cpus,
        ),
    }
    said = {"memory": "memory", "pids": "processes", "cpu": "cpus"}
    for _, controllers, path in lines:
        for controller in ("memory", "pids", "cpu") if not controllers else controllers.split(","):
            if controller not in settings or said[controller] in group.held:
                continue
            second, first, wanted = settings[controller]
            parent = (_ROOT if not controllers else _ROOT / controllers) / path.lstrip("/")
            if wanted and _write(group, parent / name, second if not controllers else first, pid):
                group.held.append(said[controller])
    return group


def _write(group: Group, folder: Path, settings: dict[str, str], pid: int) -> bool:
    made = False
    try:
        if folder not in group.folders:
            folder.mkdir()
            made = True
        for number, (key, value) in enumerate(settings.items()):
            if number and not (folder / key).exists():
                continue  # a kernel without swap accounting
            (folder / key).write_text(value)
        (folder / "cgroup.procs").write_text(str(pid))
    except OSError:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return False
    if folder not in group.folders:
        group.folders.append(folder)
    return True
