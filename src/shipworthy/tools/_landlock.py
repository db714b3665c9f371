"""Landlock: file system and TCP rules that a process puts on itself, without privileges.

Standard library only: the launcher runs this file inside the sandbox. Source: the kernel's
`Documentation/userspace-api/landlock.rst` and `include/uapi/linux/landlock.h`; the syscall numbers are the same on all
architectures.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}  # 5 and later: 16 bits
# a program that may write must not make device nodes there: bits 6 (char) and 11 (block)
_WRITE = ~((1 << 6) | (1 << 11) | _IOCTL_DEV)
TRUNCATE_SINCE, NETWORK_SINCE, SCOPES_SINCE = 3, 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi() -> int:
    """The kernel's Landlock version; 0 when it has none or forbids it."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def install(read_only: Iterable[str], writable: Iterable[str], devices: Iterable[str]) -> str:
    """Leave this process, and all that it will start, only these trees. Returns "" or why it could not be done.

    `read_only` may be read and executed; `writable` read and written (files, folders, links, no device nodes);
    `devices` are files that may be read and written. TCP is refused altogether from ABI 4, signals to processes outside
    and abstract sockets from ABI 6.
    """
    version = abi()
    if version < 1:
        return "the kernel offers no Landlock"
    handled = _ALL_BY_ABI.get(version, (1 << 16) - 1)
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = _Ruleset(handled, 3 if version >= NETWORK_SINCE else 0, 3 if version >= SCOPES_SINCE else 0)
    size = 24 if version >= SCOPES_SINCE else 16 if version >= NETWORK_SINCE else 8
    ruleset = libc.syscall(_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return f"no ruleset: {os.strerror(ctypes.get_errno())}"
    try:
        for paths, rights in ((read_only, _READ), (writable, _READ | _WRITE), (devices, _READ_FILE | _WRITE_FILE)):
            for path in paths:
                if problem := _allow(libc, ruleset, path, rights & handled):
                    return problem
        if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
            return f"no_new_privs refused: {os.strerror(ctypes.get_errno())}"
        if libc.syscall(_RESTRICT, ruleset, ctypes.c_uint32(0)) != 0:
            return f"not applied: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(ruleset)
    return ""


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> str:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""  # nothing there that could be allowed
    except OSError as error:
        return f"{path}: {error.strerror}"
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _FOR_FILES
        rule = _Beneath(rights, handle)
        if libc.syscall(_ADD, ruleset, ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0)) != 0:
            return f"{path}: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(handle)
    return ""
