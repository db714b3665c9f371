"""Holds a build engine, or only the temporary files of a build: ends and removes what is left when shipworthy is gone.

Standard library only, and run as a file (`python -I -S _keeper.py FD`). As root the engine gets its own processes,
mounts and (unless it may use the network) network: what it mounts or starts cannot outlive it. Sources: namespaces(7),
prctl(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

_NEWNS, _NEWPID, _NEWNET = 0x20000, 0x20000000, 0x40000000
_PDEATHSIG, _SUBREAPER = 1, 36
_PRIVATE, _REC = 1 << 18, 16384
NOT_RUN = 125


def main() -> NoReturn:
    """Carry out the orders; never returns. The engine starts in the first folder of those to be removed."""
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as stream:
        orders: dict[str, Any] = json.load(stream)
    lifeline: int = orders["lifeline"]
    os.set_inheritable(lifeline, False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not orders["argv"]:
        select.select([lifeline], [], [])
        _remove(orders["remove"])
        os._exit(0)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    own = os.getuid() == 0
    if own:
        wanted = _NEWPID | _NEWNS | (0 if orders["network"] else _NEWNET)
        if libc.unshare(wanted) != 0:
            _give_up(f"namespaces: {os.strerror(ctypes.get_errno())}")
    child = os.fork()
    if not child:
        _become(libc, orders, own)
    handle = os.pidfd_open(child)
    ready, _, _ = select.select([handle, lifeline], [], [])
    gone = lifeline in ready and handle not in ready
    if gone:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if gone:
        _remove(orders["remove"])
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _give_up(reason: str) -> NoReturn:
    os.write(2, f"shipworthy: {reason}\n".encode())
    os._exit(NOT_RUN)


def _become(libc: ctypes.CDLL, orders: dict[str, Any], own: bool) -> NoReturn:
    try:
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setpgid(0, 0)
        if own:
            if libc.mount(b"none", b"/", None, _REC | _PRIVATE, None) != 0:
                _give_up("the mounts cannot be made private")
            if libc.mount(b"proc", b"/proc", b"proc", 14, None) != 0:
                _give_up("a /proc of its own cannot be mounted")
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(orders["remove"][0])
        os.execve(orders["argv"][0], orders["argv"], orders["env"])  # noqa: S606
    except OSError as error:
        _give_up(f"cannot start {orders['argv'][0]}: {error.strerror}")
    finally:
        os._exit(NOT_RUN)


def _remove(folders: list[str]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
