"""Try a sandbox before it is trusted: what the probe inside reports, and what arrived outside, decide."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from shipworthy.tools import _probe
from shipworthy.tools._supervise import Limits
from shipworthy.tools.sandbox import Sandbox, SandboxReport

_NETWORK = ("tcp", "udp", "abstract-socket")
_READS = ("read-canary", "read-shadow")
_WRITES = ("write-canary", "truncate-canary", "write-beside", "write-system")
_LIMITS = Limits(wall_seconds=30, memory_mb=1024, file_mb=16, disk_mb=64, processes=16, output_mb=1, grace_seconds=1)


def verify(sandbox: Sandbox) -> tuple[SandboxReport, str]:
    """The report with what was tried, and "" or why this sandbox does not satisfy its policy. Each protection is tried
    once per process."""
    seen, problem = _tried(_Key(sandbox))
    report = sandbox.report
    if problem:
        return report, problem
    network = "open" if _allowed(seen, _NETWORK) else "blocked"
    writes, reads = _allowed(seen, _WRITES), _allowed(seen, _READS)
    filesystem = "open" if writes else "read-only" if reads else "isolated"
    processes = "shared" if _allowed(seen, ("signal-parent",)) else report.processes
    report = replace(report, network=network, filesystem=filesystem, processes=processes, verified=seen)  # type: ignore[arg-type]
    if network == "open":
        return report, f"the network can be reached ({', '.join(_allowed(seen, _NETWORK))})"
    if _allowed(seen, ("environment",)):
        return report, "our environment can be read"
    if report.policy == "strict" and filesystem != "isolated":
        return report, f"files outside can be reached ({', '.join(writes + reads)})"
    return report, ""


class _Key:
    """A sandbox that is equal to another when the same things would be tried in the same way."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._same = (sandbox.protection, sandbox.bubblewrap, str(sandbox.interpreter.executable), os.getuid())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._same == other._same

    def __hash__(self) -> int:
        return hash(self._same)


def _allowed(seen: dict[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if seen.get(name) == "allowed")


@lru_cache(maxsize=32)
def _tried(key: _Key) -> tuple[dict[str, str], str]:
    sandbox = key.sandbox
    with _bait() as (orders, arrived, damaged):
        result = sandbox.run(
            ["python", "-I", "-S", str(Path(_probe.__file__).resolve()), json.dumps(orders)],
            cwd=Path(_probe.__file__).resolve().parent,
            limits=_LIMITS,
        )
        if not result.ok:
            said = (
                result.refused
                or result.detail
                or " ".join(result.stderr_tail[-2:])
                or f"exit status {result.returncode}"
            )
            return {}, f"does not work here: {said[:300]}"
        try:
            told: dict[str, str] = json.loads(result.stdout_tail[-1])
        except (ValueError, IndexError):
            return {}, "the probe gave no answer"
        seen = {name: outcome.partition(":")[0] for name, outcome in told.items()}
        if seen.get("scratch") != "allowed":
            return {}, "its own scratch folder cannot be written"
        if not os.access("/etc/shadow", os.R_OK):
            seen["read-shadow"] = "not-tried"
        if not os.access("/usr", os.W_OK):
            seen["write-system"] = "not-tried"
        # what arrived here counts, whatever was said in there
        seen |= {name: "allowed" if name in arrived() else "refused" for name in ("udp",)}
        seen |= dict.fromkeys(arrived(), "allowed")
        if damaged():
            seen["write-canary"] = "allowed"
        return seen, ""


@contextlib.contextmanager
def _bait() -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Listeners and a file in the home that nothing in the sandbox may reach; and how to ask what happened to them."""
    marker, abstract = f"SHIPWORTHY_MARKER_{secrets.token_hex(4)}", f"shipworthy-{secrets.token_hex(8)}"
    with (
        contextlib.closing(socket.create_server(("127.0.0.1", 0))) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix,
        _canary() as canary,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind("\0" + abstract)
        unix.listen()
        content = canary.read_bytes()
        before = set(canary.parent.iterdir())
        for listener in (tcp, udp, unix):
            listener.setblocking(False)

        def arrived() -> set[str]:
            found = set()
            for name, listener in (("tcp", tcp), ("udp", udp), ("abstract-socket", unix)):
                with contextlib.suppress(BlockingIOError):
                    if name == "udp":
                        listener.recv(64)
                    else:
                        listener.accept()[0].close()
                    found.add(name)
            seen.update(found)
            return seen

        def damaged() -> bool:
            return canary.read_bytes() != content or set(canary.parent.iterdir()) != before

        seen: set[str] = set()
        os.environ[marker] = "1"
        try:
            yield (
                {
                    "tcp": tcp.getsockname()[1],
                    "udp": udp.getsockname()[1],
                    "abstract": abstract,
                    "canary": str(canary),
                    "marker": marker,
                    "pid": os.getpid(),
                },
                arrived,
                damaged,
            )
        finally:
            del os.environ[marker]


@contextlib.contextmanager
def _canary() -> Iterator[Path]:
    """A file in a folder of its own in the real home, or among the temporary files where the home is read-only."""
    homes = (str(Path.home()), tempfile.gettempdir())
    home = next((place for place in homes if os.access(place, os.W_OK)), None)
    with tempfile.TemporaryDirectory(prefix=".shipworthy-canary-", dir=home) as folder:
        path = Path(folder, "canary")
        path.write_text(secrets.token_hex(16), encoding="ascii")
        path.chmod(0o600)
        yield path


__all__ = ["verify"]
