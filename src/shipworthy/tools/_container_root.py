"""The root file system of a container: what is mounted into it, and the way in. Standard library only: the launcher
runs this file. Sources: mount_namespaces(7), pivot_root(2), mount(2)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import stat
from collections.abc import Sequence
from typing import Any

_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
# What of /proc tells of the host or leads to it: not to be written, not to be seen.
_READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
_MASKED = ("acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi")
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


class Mounting(Exception):
    """The file system of the container cannot be made as ordered."""


def enter(libc: ctypes.CDLL, orders: dict[str, Any]) -> None:
    """Mount and pivot: afterwards nothing of the host's files can be named. Raises Mounting.

    `orders`: `rootfs` a folder; `writable` whether it can be written; `tmpfs` a list of {path, size, mode, uid, gid};
    `binds` a list of {source, path, writable}; `hostname`. Places to mount on must be real folders or files of the
    root: a symbolic link among them is refused, as it could lead out.
    """
    root: str = orders["rootfs"]
    _mount(libc, "none", "/", "", _REC | _PRIVATE)
    _mount(libc, root, root, "", _BIND)
    _mount(libc, "proc", place(root, "/proc"), "proc", _NOSUID | _NODEV | _NOEXEC)
    _narrow_proc(libc, f"{root}/proc")
    _devices(libc, place(root, "/dev"), orders["shared_memory"])
    for one in orders["tmpfs"]:
        options = f"size={int(one['size'])},mode={one['mode']:o},uid={one['uid']},gid={one['gid']}"
        _mount(libc, "tmpfs", place(root, one["path"]), "tmpfs", _NOSUID | _NODEV, options)
    for one in orders["binds"]:
        target = place(root, one["path"], folder=os.path.isdir(one["source"]))
        _mount(libc, one["source"], target, "", _BIND)
        _again(libc, target, _NOSUID | _NODEV | (0 if one["writable"] else _RDONLY))
    _again(libc, root, _NOSUID | _NODEV | (0 if orders["writable"] else _RDONLY))
    _pivot(libc, root)
    with contextlib.suppress(OSError):
        name = orders["hostname"].encode()
        libc.sethostname(name, len(name))


def place(root: str, path: str, *, folder: bool = True) -> str:
    """Where to mount: made if it is not there. Raises Mounting for what is no folder (or file)."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise Mounting(f"cannot mount on {path}")
    here = root
    for number, part in enumerate(parts):
        here = f"{here}/{part}"
        last_is_file = number == len(parts) - 1 and not folder
        try:
            mode = os.lstat(here).st_mode
        except FileNotFoundError:
            if last_is_file:
                os.close(os.open(here, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644))
            else:
                os.mkdir(here, 0o755)
            continue
        if not (stat.S_ISREG(mode) if last_is_file else stat.S_ISDIR(mode)):
            raise Mounting(f"cannot mount on {path}: /{'/'.join(parts[: number + 1])} is no plain folder of the image")
    return here


def _mount(libc: ctypes.CDLL, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    if libc.mount(source.encode(), os.fsencode(target), kind.encode() or None, flags, options.encode() or None) != 0:
        raise Mounting(f"mount {kind or source} on {target}: {os.strerror(ctypes.get_errno())}")


def _again(libc: ctypes.CDLL, target: str, flags: int) -> None:
    """Set the flags of a bind mount; those that it has already must stay (in a user namespace they are locked)."""
    has = os.statvfs(target).f_flag
    for bit, flag in ((os.ST_NOSUID, _NOSUID), (os.ST_NODEV, _NODEV), (os.ST_NOEXEC, _NOEXEC), (os.ST_RDONLY, _RDONLY)):
        flags |= flag if has & bit else 0
    for bit in (os.ST_NOATIME, os.ST_NODIRATIME, os.ST_RELATIME):
        flags |= {os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, os.ST_RELATIME: 1 << 21}[bit] if has & bit else 0
    _mount(libc, "none", target, "", _REMOUNT | _BIND | flags)


def _narrow_proc(libc: ctypes.CDLL, proc: str) -> None:
    for name in _READ_ONLY:
        if os.path.lexists(path := f"{proc}/{name}"):
            _mount(libc, path, path, "", _BIND | _REC)
            _again(libc, path, _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    for name in _MASKED:
        path = f"{proc}/{name}"
        if os.path.isdir(path):
            _mount(libc, "tmpfs", path, "tmpfs", _RDONLY | _NOSUID | _NODEV | _NOEXEC, "size=0")
        elif os.path.lexists(path):
            _mount(libc, "/dev/null", path, "", _BIND)


def _devices(libc: ctypes.CDLL, folder: str, shared_memory: int) -> None:
    sources: Sequence[tuple[str, int]] = [(f"/dev/{name}", os.O_PATH) for name in _DEVICES]
    _mount(libc, "tmpfs", folder, "tmpfs", _NOSUID | _NOEXEC, "size=65536,mode=755")
    for source, _ in sources:
        target = f"{folder}/{os.path.basename(source)}"
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o644))
        _mount(libc, source, target, "", _BIND)
    for name, target in _LINKS.items():
        os.symlink(target, f"{folder}/{name}")
    os.mkdir(f"{folder}/shm")
    _mount(libc, "tmpfs", f"{folder}/shm", "tmpfs", _NOSUID | _NODEV | _NOEXEC, f"size={shared_memory},mode=1777")
    _mount(libc, "none", folder, "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NOEXEC)


def _pivot(libc: ctypes.CDLL, root: str) -> None:
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise Mounting(f"no system call number of pivot_root for {platform.machine()}")
    os.chdir(root)
    # the old root comes to lie over the new one, at the same place, and is then taken away
    if libc.syscall(number, b".", b".") != 0:
        raise Mounting(f"pivot_root: {os.strerror(ctypes.get_errno())}")
    if libc.umount2(b".", _DETACH) != 0:
        raise Mounting(f"the host's files cannot be left: {os.strerror(ctypes.get_errno())}")
    os.chdir("/")
