"""The launcher of a container: makes namespaces, puts a command into them, and stays outside of them beside it.

Standard library only, and run as a file (`python -I -S _container.py FD`). FD holds the orders as JSON (made in
`containers.py`). Two processes: this one lives in the new network namespace but outside of the process namespace and of
the image; it ends the container when shipworthy is gone, and carries bytes between sockets that were made outside and
the service's port inside. Its child becomes the command, as process 1. A protection that was ordered and cannot be had
is a refusal: the command is not run at all. Sources: namespaces(7), user_namespaces(7), prctl(2), pidfd_open(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

NOT_RUN = 125
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_PDEATHSIG, _NO_NEW_PRIVS, _CAPBSET_DROP, _DUMPABLE = 1, 38, 24, 4
_CHUNK = 65_536


class Refused(Exception):
    """A protection that was ordered cannot be had here."""


def main() -> NoReturn:
    """Carry out the orders; never returns."""
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as stream:
        orders: dict[str, Any] = json.load(stream)
    for handle in (orders["report"], orders["lifeline"], *orders["listeners"]):
        os.set_inheritable(handle, False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.path.append(str(Path(__file__).parent))
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        mapped = _enter_namespaces(libc, orders)
        waiting, go = os.pipe()
        child = os.fork()
        if not child:
            os.close(go)
            _become(libc, orders, waiting, mapped)
        os.close(waiting)
        groups = importlib.import_module("_container_groups")
        group = groups.enter(child, orders["memory"], orders["processes"], orders["cpus"])
        _tell(orders, {"pid": child, "user_namespace": mapped, "control_groups": group.held})
        os.write(go, b"1")
    except Refused as refused:
        _give_up(orders, str(refused))
    except Exception as error:  # nothing may run half confined, whatever went wrong
        _give_up(orders, f"{type(error).__name__}: {error}")
    try:
        status = _attend(child, orders)
    finally:
        exceeded = group.leave()
    for path in orders["remove"]:
        with contextlib.suppress(OSError):
            os.unlink(path)
            os.rmdir(os.path.dirname(path))
    _tell(orders, {"ended": status, "exceeded": exceeded})
    os._exit(0)


def _tell(orders: dict[str, Any], what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(orders["report"], json.dumps(what).encode() + b"\n")


def _give_up(orders: dict[str, Any], reason: str) -> NoReturn:
    _tell(orders, {"refused": reason[:2000]})
    os._exit(NOT_RUN)


def _enter_namespaces(libc: ctypes.CDLL, orders: dict[str, Any]) -> bool:
    """Make them. Returns whether a user namespace was needed, in which only the command's user exists."""
    wanted = _NEWUTS | _NEWIPC | _NEWPID | (0 if orders["network"] else _NEWNET)
    uid, gid = os.getuid(), os.getgid()
    mapped = uid != 0 or libc.unshare(wanted) != 0
    if mapped:
        if libc.unshare(wanted | _NEWUSER) != 0:
            raise Refused(f"namespaces: {os.strerror(ctypes.get_errno())}")
        own = (
            ("setgroups", "deny"),
            ("uid_map", f"{orders['uid']} {uid} 1"),
            ("gid_map", f"{orders['gid']} {gid} 1"),
        )
        for name, text in own:
            try:
                Path("/proc/self", name).write_text(text, encoding="ascii")
            except OSError as error:
                raise Refused(f"user namespace: {name}: {error.strerror}") from None
    if not orders["network"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            up = struct.pack("16sh22x", b"lo", 1)  # struct ifreq with IFF_UP
            fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
    return mapped


def _become(libc: ctypes.CDLL, orders: dict[str, Any], waiting: int, mapped: bool) -> NoReturn:
    """Process 1 of the container: take its root, its user and its limits, then be the command."""
    try:
        _stay_with_parent(libc, waiting)
        if os.read(waiting, 1) != b"1":
            os._exit(NOT_RUN)
        seccomp = importlib.import_module("_seccomp")  # now: afterwards the files of Python cannot be named
        root = importlib.import_module("_container_root")
        if libc.unshare(_NEWNS) != 0:  # here: the launcher must keep the host's files
            raise Refused(f"mount namespace: {os.strerror(ctypes.get_errno())}")
        root.enter(libc, orders)
        _set_limits(orders["limits"])
        _set_user(libc, orders, mapped)
        _stay_with_parent(libc, waiting)  # a change of user takes it away
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise Refused("no_new_privs is refused")
        if orders["seccomp"] and (problem := seccomp.install(own_network=True, unix_sockets=True)):
            raise Refused(f"seccomp: {problem}")
        try:
            os.chdir(orders["cwd"])
        except OSError as error:
            raise Refused(f"the working folder {orders['cwd']}: {error.strerror}") from None
        os.umask(0o022)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        _tell(orders, {"ready": True})
        try:
            os.execvpe(orders["argv"][0], orders["argv"], orders["env"])  # noqa: S606
        except OSError as error:
            raise Refused(f"cannot start {orders['argv'][0]}: {error.strerror}") from None
    except Exception as error:
        _give_up(orders, str(error) if str(error) else type(error).__name__)
    finally:
        os._exit(NOT_RUN)


def _stay_with_parent(libc: ctypes.CDLL, waiting: int) -> None:
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    poll = select.poll()
    poll.register(waiting, select.POLLHUP)
    if any(event & select.POLLHUP for _, event in poll.poll(0)):
        os._exit(NOT_RUN)  # it was gone before we could ask


def _set_limits(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        top = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (top, top))


def _set_user(libc: ctypes.CDLL, orders: dict[str, Any], mapped: bool) -> None:
    """Become the user, with the ordered capabilities and no way to others."""
    kept = sum(1 << number for number in orders["capabilities"])
    for number in range(64):
        if not kept >> number & 1:
            libc.prctl(_CAPBSET_DROP, number, 0, 0, 0)
    uid, gid = orders["uid"], orders["gid"]
    if not mapped:
        os.setgroups(orders["groups"])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if uid != 0:
        kept = 0  # as every container engine does: capabilities are the superuser's
    words = []
    for word in (kept & 0xFFFFFFFF, kept >> 32):
        words += [word, word, 0]  # effective, permitted, inheritable
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)(*words)) != 0:
        raise Refused(f"capabilities: {os.strerror(ctypes.get_errno())}")


def _attend(child: int, orders: dict[str, Any]) -> int:
    """Until the command ends: kill it when shipworthy is gone or its time is over, carry bytes to its port."""
    forward = importlib.import_module("_container_forward")
    libc = ctypes.CDLL(None)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    try:
        forward.attend(child, orders["lifeline"], orders["listeners"], orders["port"], orders["seconds"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    main()
