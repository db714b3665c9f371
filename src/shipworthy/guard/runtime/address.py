"""Where to listen, as people write it."""

from __future__ import annotations

from shipworthy.errors import UsageError


def host_and_port(text: str, where: str) -> tuple[str, int]:
    """The two parts of `HOST:PORT`; no host is this machine. Raises UsageError, which names `where` it is written."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise UsageError(f"{text[:80]!r} is no HOST:PORT", where=where, remedy="such as 127.0.0.1:8443")
    return host.strip("[]") or "127.0.0.1", int(port)
