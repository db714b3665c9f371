"""Bytes to look at without copying them: a window over a memory map, or over bytes."""

from __future__ import annotations

import mmap
from typing import BinaryIO

Buffer = bytes | mmap.mmap
_MAPPED = 1 << 16  # smaller files are read: a map costs more than their bytes


class View:
    """`buffer[start:end]`. Offsets of the methods count from `start`; reads beyond the end are cut, never an error.
    Nothing changes one; it is no frozen dataclass, since those take three times as long to make.
    """

    __slots__ = ("buffer", "end", "start")

    def __init__(self, buffer: Buffer, start: int, end: int) -> None:
        self.buffer = buffer
        self.start = start
        self.end = end

    @classmethod
    def of(cls, data: bytes) -> View:
        """A view of bytes."""
        return cls(data, 0, len(data))

    @classmethod
    def of_file(cls, stream: BinaryIO) -> View:
        """A view of an open file: of a small one's bytes, or by memory map, which keeps the file open."""
        size = stream.seek(0, 2)
        if size < _MAPPED:
            stream.seek(0)
            return cls.of(stream.read(size))
        return cls(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), 0, size)

    def __len__(self) -> int:
        return self.end - self.start

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`."""
        if offset < 0 or size <= 0:
            return b""
        low, end = self.start + offset, self.end
        high = low + size
        return self.buffer[low : high if high < end else end] if low < end else b""

    def head(self, size: int = 4096) -> bytes:
        """The first bytes."""
        return self.read(0, size)

    def tail(self, size: int) -> bytes:
        """The last bytes."""
        return self.read(max(0, len(self) - size), size)

    def all(self) -> bytes:
        """Every byte; only for what is known to be small."""
        return self.read(0, len(self))

    def find(self, needle: bytes, low: int = 0, high: int | None = None) -> int:
        """The first offset of `needle` in [low, high), or -1."""
        stop = self.end if high is None else min(self.end, self.start + high)
        at = self.buffer.find(needle, self.start + max(low, 0), stop)
        return at - self.start if at >= 0 else -1

    def sub(self, offset: int, size: int) -> View:
        """A part as a view of its own, cut to this one."""
        low = min(self.start + max(offset, 0), self.end)
        return View(self.buffer, low, min(low + max(size, 0), self.end))

    def u16(self, offset: int) -> int:
        """Little-endian unsigned integers; missing bytes count as zero."""
        return int.from_bytes(self.read(offset, 2), "little")

    def u32(self, offset: int) -> int:
        """See u16."""
        return int.from_bytes(self.read(offset, 4), "little")

    def u64(self, offset: int) -> int:
        """See u16."""
        return int.from_bytes(self.read(offset, 8), "little")


class Spool:
    """Where decompressed bytes go: memory up to `limit` bytes, then an unnamed temporary file that is mapped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._file: BinaryIO | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self.size += len(data)
        if self._file is None and self.size > self._limit:
            import tempfile

            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - view() closes it once it is mapped
            self._file.write(b"".join(self._parts))
            self._parts.clear()
        if self._file is None:
            self._parts.append(data)
        else:
            self._file.write(data)

    def view(self) -> View:
        """What was written."""
        if self._file is None:
            return View.of(b"".join(self._parts))
        self._file.flush()
        view = View.of_file(self._file)
        self._file.close()
        return view

    def close(self) -> None:
        """Let go of what was written."""
        self._parts.clear()
        if self._file is not None:
            self._file.close()
