"""Services on loopback for the tests of the checks that talk to one."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shipworthy.check import Context, registry
from shipworthy.checks.services._service import Probe, ServiceInfo
from shipworthy.checks.services._standing import Answerer, Reply, serving
from shipworthy.model import Artifact, Finding, Kind, Skipped

GOOD = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
PREDICT = Probe("/predict", "POST", '{"text": "hello"}')


def look(
    folder: Path, name: str, port: int, options: Mapping[str, Any] | None = None, **info: Any
) -> tuple[list[Finding], list[Skipped]]:
    """What the check finds, and what it skips."""
    folder.mkdir(exist_ok=True)
    ServiceInfo(f"http://127.0.0.1:{port}", **{"probe": PREDICT, "health": "/healthz", **info}).write(folder)
    check = registry()[name]
    artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0, path=folder)
    items = list(check.call(artifact, Context(folder, {**check.options, **(options or {})})))
    found = [item for item in items if isinstance(item, Finding)]
    assert {f.rule for f in found} <= set(check.rules)
    told = [f for f in found if port > 1000 and str(port) in f"{f.location} {f.message} {f.key} {f.evidence}"]
    assert not told, "places are stable"
    return found, [item for item in items if isinstance(item, Skipped)]


def asked(folder: Path, name: str, answer: Answerer, **given: Any) -> tuple[set[str], list[str]]:
    """The rules that fire on a service, and the reasons for what was skipped."""
    with serving(answer) as port:
        found, skipped = look(folder, name, port, **given)
    return {f.rule.id for f in found}, [s.reason for s in skipped]


def honest(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """A service that does all as it should."""
    import json

    path = target.partition("?")[0]
    if path == "/healthz":
        return (200, GOOD, b'{"status": "ok"}') if method in ("GET", "HEAD") else (405, GOOD, b'{"error": "method"}')
    if path != "/predict":
        return 404, GOOD, b'{"error": "not found"}'
    if method != "POST":
        return 405, GOOD, b'{"error": "method"}'
    if headers.get("Content-Type", "").partition(";")[0] != "application/json" or "Content-Encoding" in headers:
        return 415, GOOD, b'{"error": "send application/json"}'
    if len(body) > 60_000:
        return 413, GOOD, b'{"error": "too large"}'
    try:
        value = json.loads(body, parse_constant=lambda _: 1 / 0)
        text = value["text"]
    except (ValueError, KeyError, TypeError, RecursionError, ZeroDivisionError):
        return 400, GOOD, b'{"error": "not understood"}'
    if not isinstance(text, str) or not text:
        return 400, GOOD, b'{"error": "send a text"}'
    return 200, GOOD, b'{"label": "benign", "score": 0.25}'


@contextlib.contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with each connection what `talk` does; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def one(wire: socket.socket) -> None:
        with wire, contextlib.suppress(OSError):
            talk(wire)

    def accept() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                wire, _ = listener.accept()
                wire.settimeout(20)
                threading.Thread(target=one, args=(wire,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
