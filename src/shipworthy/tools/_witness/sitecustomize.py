"""Loaded by every Python in the sandbox: notes what the program tries to reach. Evidence, not enforcement.

A program can avoid or falsify it; what it cannot do is reach anything. Notes are JSON lines {"event", "target"} in the
file that SHIPWORTHY_WITNESS names, each once per process, no arguments of programs (they can hold secrets).
"""

import json
import os
import sys

_LIMIT = 200


def _watch(path, inputs):  # type: ignore[no-untyped-def]
    seen = set()

    def target(event, args):  # type: ignore[no-untyped-def]
        if event == "open":
            name = args[0]
            if isinstance(name, bytes):
                name = os.fsdecode(name)
            if not isinstance(name, str):
                return None
            name = os.path.realpath(name) if os.path.islink(name) else os.path.abspath(name)
            return name if name.startswith(inputs) else None
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1]
            if isinstance(address, tuple) and len(address) >= 2:
                return f"{address[0]}:{address[1]}"
            return None if address is None else str(address)
        if event == "socket.getaddrinfo":
            host = args[0].decode("utf-8", "replace") if isinstance(args[0], bytes) else args[0]
            return None if host is None else f"{host}:{args[1]}"
        if event in ("socket.gethostbyname", "socket.gethostbyaddr", "os.system", "os.exec", "os.posix_spawn"):
            first = str(args[0])
            return first.split()[0] if event == "os.system" and first.split() else first
        if event == "subprocess.Popen":
            return str(args[0])
        return None

    def hook(event, args):  # type: ignore[no-untyped-def]
        if event not in _EVENTS or len(seen) >= _LIMIT:
            return
        try:
            name = target(event, args)
            if name is None or (event, name) in seen:
                return
            seen.add((event, name))
            line = json.dumps({"event": event, "target": name[:300]}) + "\n"
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)
        except Exception:  # noqa: S110 - watching must never change what the program does
            pass

    sys.addaudithook(hook)


_EVENTS = {
    "open",
    "os.exec",
    "os.posix_spawn",
    "os.system",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.sendmsg",
    "socket.sendto",
    "subprocess.Popen",
}

if os.environ.get("SHIPWORTHY_WITNESS"):
    _watch(
        os.environ["SHIPWORTHY_WITNESS"],
        tuple(filter(None, os.environ.get("SHIPWORTHY_WITNESS_INPUTS", "").split("\n"))),
    )
