"""Loaded by every Python in the sandbox: notes what the program tries to reach. Evidence, not enforcement.

A program can avoid or falsify it; what it cannot do is reach anything. Notes are JSON lines {"event", "target"} in the
file that SHIPWORTHY_WITNESS names, each once per process, no arguments of programs (they can hold secrets).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_LIMIT = 200
_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_FIRST = ("os.exec", "os.posix_spawn", "subprocess.Popen", "socket.gethostbyname", "socket.gethostbyaddr")
_EVENTS = frozenset((*_ADDRESS, *_FIRST, "open", "os.system", "socket.getaddrinfo"))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _target(event: str, args: tuple[Any, ...], inputs: tuple[str, ...]) -> str:
    if event == "open":
        if not inputs or not isinstance(args[0], (str, bytes)):
            return ""
        path = os.path.realpath(_text(args[0]))
        return next((one for one in inputs if path == one or path.startswith(one + os.sep)), "")
    if event in _ADDRESS:
        address = args[1]
        return f"{_text(address[0])}:{address[1]}" if isinstance(address, tuple) else _text(address or "")
    if event == "socket.getaddrinfo":
        return "" if args[0] is None else f"{_text(args[0])}:{args[1]}"
    return " ".join(_text(args[0]).split()[:1]) if event == "os.system" else _text(args[0])


def _watch(path: str, inputs: tuple[str, ...]) -> None:
    network: set[tuple[str, str]] = set()
    others: set[tuple[str, str]] = set()  # with a limit of their own: many of them must not hide a call

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        seen = network if event.startswith("socket.") else others
        if len(seen) >= _LIMIT:
            return
        try:
            target = _target(event, args, inputs)[:300]
            if not target or (event, target) in seen:
                return
            seen.add((event, target))
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, (json.dumps({"event": event, "target": target}) + "\n").encode())
            finally:
                os.close(handle)
        except Exception:  # noqa: S110 - watching must never change what the program does
            pass

    sys.addaudithook(hook)


if os.environ.get("SHIPWORTHY_WITNESS"):
    _inputs = os.environ.get("SHIPWORTHY_WITNESS_INPUTS", "").split("\n")
    _watch(os.environ["SHIPWORTHY_WITNESS"], tuple(filter(None, _inputs)))
