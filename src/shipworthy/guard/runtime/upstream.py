"""The service behind the proxy: connections to it that are kept."""

from __future__ import annotations

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections import deque

_IDLE = 32  # connections
_IDLE_SECONDS = 4.0


class Upstream:
    """Connections to the service at `host` and `port`, kept open between requests."""

    def __init__(self, host: str, port: int, *, tls: bool = False) -> None:
        self.host, self.port, self.tls = host, port, tls
        self._idle: deque[tuple[StreamReader, StreamWriter, float]] = deque()

    async def take(self, *, fresh: bool = False) -> tuple[StreamReader, StreamWriter, bool]:
        """A connection, and whether it was used before. Raises OSError."""
        while self._idle and not fresh:
            reader, writer, since = self._idle.pop()
            if _quiet(reader, writer) and time.monotonic() - since < _IDLE_SECONDS:
                return reader, writer, True
            writer.close()
        reader, writer = await asyncio.open_connection(
            self.host, self.port, limit=256 << 10, ssl=self.tls or None, server_hostname=self.host if self.tls else None
        )
        return reader, writer, False

    def give_back(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Keep the connection for another request, unless the service says more than was asked for."""
        if len(self._idle) < _IDLE and _quiet(reader, writer):
            self._idle.append((reader, writer, time.monotonic()))
        else:
            writer.close()

    def close(self) -> None:
        """Close those that are kept."""
        while self._idle:
            self._idle.pop()[1].close()


def _quiet(reader: StreamReader, writer: StreamWriter) -> bool:
    """Whether the connection is open, and nothing waits on it: that would be read as the answer to the next request,
    which is somebody else's (RFC 9112, 6.3)."""
    return not reader.at_eof() and not writer.is_closing() and not getattr(reader, "_buffer", b"")
