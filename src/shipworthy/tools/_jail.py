"""The launcher: runs in the child, takes rights away from itself, then becomes the command.

Standard library only, and run as a file (`python -I -S _jail.py FD`): it must start fast and see nothing of the
caller's environment. FD holds the orders as JSON (made in `sandbox.py`). Every protection that is ordered is put in
place, or the command is not run at all: exit status 125, with the reason on the report descriptor.
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
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

NOT_RUN = 125
NOBODY = 65534
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _REC, _PRIVATE = 2, 4, 8, 16384, 1 << 18
_PDEATHSIG, _DUMPABLE, _SUBREAPER, _CAPBSET_DROP = 1, 4, 36, 24


class Refused(Exception):
    """A protection that was ordered cannot be had here."""


def main() -> NoReturn:
    """Carry out the orders; never returns."""
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as stream:
        orders: dict[str, Any] = json.load(stream)
    for handle in (orders["report"], orders["lifeline"]):
        if handle >= 0:
            os.set_inheritable(handle, False)
    try:
        if orders["supervise"]:
            _supervise(orders)
        else:  # bubblewrap has made the namespaces, with us as their first process
            _reap(orders)
        _become(orders)
    except Refused as refused:
        _give_up(orders, str(refused))
    except Exception as error:  # the command must not run half confined, whatever went wrong
        _give_up(orders, f"{type(error).__name__}: {error}")


def _give_up(orders: dict[str, Any], reason: str) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(orders["report"], json.dumps({"refused": reason[:2000]}).encode() + b"\n")
    os._exit(NOT_RUN)


def _supervise(orders: dict[str, Any]) -> None:
    """Fork. The parent stays outside of the confinement, ends everything when the command ends or shipworthy is gone,
    and exits as the command did; only the child returns."""
    spaces: dict[str, Any] | None = orders["namespaces"]
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if spaces is None:
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    else:
        _enter_namespaces(libc, spaces)
    child = os.fork()
    if child:
        os.close(orders["report"])
        _outlive(child, orders["lifeline"], sweep=spaces is None)
    os.close(orders["lifeline"])
    if spaces is None:
        return
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # a fresh /proc shows only our own processes; where the host's is masked (containers), the host's one stays
    libc.mount(b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None)
    _reap(orders)


def _reap(orders: dict[str, Any]) -> None:
    """Process 1 of the namespace stays here: it reaps, and when it exits, the kernel ends all others before anybody
    hears of it. Only its child returns."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # we are outside of the filter: the command must not write our memory through /proc (its exec undoes this for it)
    ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)
    before = _unroutable()
    command = os.fork()
    if command:
        while True:
            pid, status = os.wait()
            if pid == command:
                with contextlib.suppress(OSError):
                    told = {"unroutable": _unroutable() - before}
                    os.write(orders["report"], json.dumps(told).encode() + b"\n")
                os._exit(_as_exit(status))


def _unroutable() -> int:
    """How often something in this network namespace was to be sent where no route leads: counted by the kernel, for
    every program, and out of the programs' reach (Ip OutNoRoutes and Ip6OutNoRoutes, RFC 4293)."""
    count = 0
    with contextlib.suppress(OSError, ValueError):
        names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2])
        count += int(values[names.index("OutNoRoutes")])
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/net/snmp6").read_text().splitlines()
        count += sum(int(line.split()[1]) for line in lines if line.startswith("Ip6OutNoRoutes"))
    return count


def _outlive(child: int, lifeline: int, *, sweep: bool) -> NoReturn:
    try:
        handles = [os.pidfd_open(child)]
        wait: float | None = None
    except OSError:  # before Linux 5.3, or forbidden
        handles, wait = [], 0.05
    ended, status = 0, 0
    while not ended:
        ready, _, _ = select.select([*handles, lifeline], [], [], wait)
        if lifeline in ready:  # shipworthy is gone
            os.kill(child, signal.SIGKILL)
        ended, status = os.waitpid(child, 0 if ready else os.WNOHANG)
    for _ in range(500) if sweep else ():
        left = list(_children(os.getpid()))
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
    os._exit(_as_exit(status))


def _as_exit(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _children(root: int) -> Iterator[int]:
    """All descendants of a process, from /proc."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path("/proc", name, "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(name)] = int(fields[1])
    for pid in parents:
        ancestor, steps = parents.get(pid, 0), 0
        while ancestor and ancestor != root and steps < 1000:
            ancestor, steps = parents.get(ancestor, 0), steps + 1
        if ancestor == root:
            yield pid


def _enter_namespaces(libc: ctypes.CDLL, spaces: dict[str, Any]) -> None:
    uid, gid = os.getuid(), os.getgid()
    wanted = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET
    if libc.unshare(wanted | _NEWUSER) == 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {uid} 1"), ("gid_map", f"{NOBODY} {gid} 1")):
            try:
                Path("/proc/self", name).write_text(text, encoding="ascii")
            except OSError as error:
                raise Refused(f"user namespace: {name}: {error.strerror}") from None
    elif libc.unshare(wanted) != 0:
        raise Refused(f"namespaces: {os.strerror(ctypes.get_errno())}")
    if libc.mount(b"none", b"/", None, _REC | _PRIVATE, None) != 0:
        raise Refused(f"mount namespace: {os.strerror(ctypes.get_errno())}")
    options = f"size={int(spaces['shm'])},mode=1777".encode()
    if libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", _NOSUID | _NODEV, options) != 0:
        raise Refused(f"private /dev/shm: {os.strerror(ctypes.get_errno())}")
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh22x", b"lo", 1)  # struct ifreq with IFF_UP: a loopback of its own, as bubblewrap gives
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS


def _become(orders: dict[str, Any]) -> NoReturn:
    sys.path.append(str(Path(__file__).parent))
    landlock, seccomp = importlib.import_module("_landlock"), importlib.import_module("_seccomp")
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.umask(0o022)
    os.chdir(orders["cwd"])
    _limit(orders["limits"])
    if orders["drop"]:
        _drop_capabilities(libc)
    if libc.prctl(38, 1, 0, 0, 0) != 0 and orders["drop"]:  # PR_SET_NO_NEW_PRIVS
        raise Refused("no_new_privs is refused")
    if (trees := orders["landlock"]) is not None and (problem := landlock.install(**trees)):
        raise Refused(f"landlock: {problem}")
    if (filters := orders["seccomp"]) is not None and (problem := seccomp.install(**filters)):
        raise Refused(f"seccomp: {problem}")
    os.write(orders["report"], b'{"ready": true}\n')
    argv, environment = orders["argv"], orders["env"]
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606
    except OSError as error:
        raise Refused(f"cannot start {argv[0]}: {error.strerror}") from None


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # the second signal of RLIMIT_CPU is a kill: leave some seconds between the two
        top = soft + 5 if name == "RLIMIT_CPU" and hard == resource.RLIM_INFINITY else soft
        resource.setrlimit(kind, (soft, top))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    for number in range(64):
        libc.prctl(_CAPBSET_DROP, number, 0, 0, 0)  # fails without CAP_SETPCAP: then there is nothing to lose
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise Refused(f"capabilities: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
