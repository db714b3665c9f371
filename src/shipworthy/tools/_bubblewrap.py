"""The command line of bubblewrap for a sandbox that sees only what was handed over. Source: bwrap(1)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from shipworthy.tools._jail import NOBODY

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_SETTINGS = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
)
_HARDWARE = ("/sys/devices/system/cpu", "/sys/devices/system/node")


def system_paths() -> tuple[str, ...]:
    """What every program needs to read: the system's programs and libraries, the linker's cache, the CPU's layout."""
    return tuple(path for path in (*_SYSTEM, *_SETTINGS, *_HARDWARE) if os.path.lexists(path))


def command(
    program: Path,
    *,
    read_only: Iterable[Path],
    writable: Iterable[Path],
    accounts: Path,
    cwd: Path,
    temporary_bytes: int,
    argv: Sequence[str],
) -> list[str]:
    """`argv` inside bubblewrap. `accounts` is a folder with a `passwd` and a `group` for the one user in there;
    `temporary_bytes` bounds each of the two file systems in memory, /tmp and /dev/shm."""
    size = ("--size", str(temporary_bytes))
    line = [
        str(program),
        "--unshare-all",
        "--die-with-parent",
        "--as-pid-1",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
    ]
    line += ["--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"]
    line += [*size, "--tmpfs", "/dev/shm", *size, "--tmpfs", "/tmp"]  # noqa: S108
    for path in system_paths():
        merged = os.readlink(path) if os.path.islink(path) else ""  # /bin -> usr/bin
        line += ["--symlink", merged, path] if merged.lstrip("/").startswith("usr/") else ["--ro-bind", path, path]
    line += ["--ro-bind", str(accounts / "passwd"), "/etc/passwd", "--ro-bind", str(accounts / "group"), "/etc/group"]
    binds = [(path, "--ro-bind") for path in read_only] + [(path, "--bind") for path in writable]
    for place, how in sorted(set(binds), key=lambda bind: (bind[0].parts, bind[1] == "--bind")):  # parents first
        line += [how, str(place), str(place)]
    return [*line, "--chdir", str(cwd), "--", *argv]
