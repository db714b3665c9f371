"""A model elsewhere, parsed in a worker process: the worker asks for ranges, this process fetches them.

So hostile bytes are parsed under the same limits as those of a local file, in a process that has no connection to
where they come from.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

from shipworthy.engine.isolate import begin, die_with_parent, end, forget_environment, last_words, limit_memory
from shipworthy.modelfile import Report, scan_view
from shipworthy.modelfile.far import Blocks, FarView
from shipworthy.modelfile.view import Spool, View

_ASK = struct.Struct("<QQ")
_SPOOL = 64 << 20


class StoppedError(Exception):
    """The worker took too long, needed too much memory or died; the text says which."""


class Source(Protocol):
    """What fetches: `artifacts.remote.RemoteFile`."""

    size: int

    @property
    def head(self) -> bytes:
        """The first bytes, as far as they are at hand."""
        ...

    @property
    def lazy(self) -> bool:
        """Whether ranges can be had one by one; if not, the whole is at hand."""
        ...

    def stream(self, low: int, high: int) -> Iterator[bytes]:
        """The bytes [low, high), in pieces."""
        ...


def scan_apart(source: Source, trust: Sequence[str], memory_mb: int, seconds: float) -> Report:
    """The scan of a source in a worker with `memory_mb` MiB that may compute for `seconds`; the time that fetching
    takes is the source's to bound. Raises StoppedError, and what the source raises.
    """
    process, connection = begin(_serve, (memory_mb, source.size, source.head, source.lazy, tuple(trust)))
    try:
        _bound_sending(connection, seconds)
        return _answer(source, process, connection, seconds)
    finally:
        end(process, connection)


def _bound_sending(connection: Connection, seconds: float) -> None:
    """A worker that asks and does not read must not hold this process: a write that waits longer fails."""
    whole = max(int(seconds), 1)
    with socket.socket(fileno=os.dup(connection.fileno())) as end_here:
        end_here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", whole, 0))


def _answer(source: Source, process: BaseProcess, connection: Connection, seconds: float) -> Report:
    left = seconds
    try:
        while True:
            began = time.monotonic()
            if not connection.poll(max(left, 0.0)):
                raise StoppedError(f"took longer than {seconds:.0f} s")
            said = connection.recv()
            left -= time.monotonic() - began
            if isinstance(said, Report):
                return said
            if not isinstance(said, bytes):
                raise StoppedError(str(said))
            low, high = _ASK.unpack(said)
            for piece in source.stream(low, min(high, source.size)):
                connection.send_bytes(piece)
            connection.send_bytes(b"")
    except BlockingIOError:
        raise StoppedError(f"did not take what it had asked for within {seconds:.0f} s") from None
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise StoppedError(last_words(process)) from None


def _serve(connection: Connection, memory_mb: int, size: int, head: bytes, lazy: bool, trust: tuple[str, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    forget_environment()
    limit_memory(memory_mb)
    asked = _Asked(connection, size)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            view = FarView(Blocks(asked, head)) if lazy else asked.near(0, size)
            connection.send(scan_view(view, trust=trust))
        except MemoryError:
            connection.send("needs more memory than [scan] memory-mb allows")
        except (EOFError, OSError):
            raise  # there is nobody to tell
        except Exception as error:
            connection.send(f"its reader broke with {type(error).__name__}; please report it")


class _Asked:
    """Ranges that the parent fetches."""

    def __init__(self, connection: Connection, size: int) -> None:
        self.connection, self.size = connection, size

    def get(self, low: int, high: int) -> bytes:
        """The bytes [low, high)."""
        return b"".join(self._pieces(low, high))

    def near(self, low: int, high: int) -> View:
        """As `get`, for many bytes: in memory or a temporary file."""
        spool = Spool(_SPOOL)
        for piece in self._pieces(low, high):
            spool.write(piece)
        return spool.view()

    def _pieces(self, low: int, high: int) -> Iterator[bytes]:
        self.connection.send(_ASK.pack(low, high))
        while piece := self.connection.recv_bytes():
            yield piece
