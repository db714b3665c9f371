"""Runs inside the sandbox and tries what must not work; prints each attempt's outcome as JSON.

Standard library only. What it says is compared with what the other side saw; see `_self_test.py`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _try(action: Callable[[], Any]) -> str:
    try:
        action()
    except Exception as error:  # any refusal is an answer
        return f"refused: {type(error).__name__} {getattr(error, 'errno', '') or ''}".strip()
    return "allowed"


def _tcp(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), 2).close()


def _udp(port: int) -> None:
    # sending succeeds on a loopback of one's own; whether it arrives is seen outside
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"shipworthy", ("127.0.0.1", port))


def _abstract(name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect("\0" + name)


def _overwrite(path: str) -> None:
    with open(path, "r+b") as stream:
        stream.write(b"x")


def _create(path: str) -> None:
    Path(path).write_bytes(b"x")
    os.unlink(path)


def main() -> None:
    """Try everything that the orders (JSON, first argument) name."""
    orders = json.loads(sys.argv[1])
    canary = orders["canary"]
    print(
        json.dumps(
            {
                "tcp": _try(lambda: _tcp(orders["tcp"])),
                "udp": _try(lambda: _udp(orders["udp"])),
                "abstract-socket": _try(lambda: _abstract(orders["abstract"])),
                "read-canary": _try(lambda: Path(canary).read_bytes()),
                "read-shadow": _try(lambda: Path("/etc/shadow").read_bytes()),
                "write-canary": _try(lambda: _overwrite(canary)),
                "truncate-canary": _try(lambda: os.truncate(canary, 0)),
                "write-beside": _try(lambda: _create(canary + ".new")),
                "write-system": _try(lambda: _create(f"/usr/.shipworthy-{os.getpid()}")),
                "signal-parent": _try(lambda: os.kill(orders["pid"], 0)),
                "environment": "allowed" if orders["marker"] in os.environ else "refused",
                "scratch": _try(lambda: Path(os.environ["TMPDIR"], "own").write_bytes(b"x")),
            }
        )
    )


if __name__ == "__main__":
    main()
