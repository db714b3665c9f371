"""A view of bytes that lie elsewhere: only the ranges that a reader asks for are fetched.

Formats whose layout is told by a header or directory are read in place (`LAZY`); of all others the whole is fetched
first. What is raw data by the layout (tensors) is left where it is and counted.
"""

from __future__ import annotations

from typing import Protocol

from shipworthy.modelfile.view import View

LAZY = frozenset(("safetensors", "zip", "gguf"))
TRAILER_LIMIT = 16 << 20  # bytes where none should be are a finding in any case; so many are looked into
_BLOCK = 16 << 10
_AHEAD = 64
_KEPT = 4096  # blocks: 64 MiB
_FIND = 4 << 20
_FIND_LIMIT = 64 << 20


class Ranges(Protocol):
    """What fetches. Both raise what the source raises (EnvironmentFailure); never fewer bytes than asked for."""

    @property
    def size(self) -> int:
        """The size of the whole in bytes."""
        ...

    def get(self, low: int, high: int) -> bytes:
        """The bytes [low, high)."""
        ...

    def near(self, low: int, high: int) -> View:
        """As `get`, for many bytes: in memory or a temporary file."""
        ...


class Blocks:
    """Keeps what was fetched, in blocks; neighbours that are missing are fetched together."""

    def __init__(self, source: Ranges, first: bytes = b"") -> None:
        """`first` is the beginning, where it is at hand already."""
        self.source, self.size = source, source.size
        whole = len(first) if len(first) == source.size else len(first) // _BLOCK * _BLOCK
        self._next, self._ahead = -1, 1
        self._kept = {at // _BLOCK: first[at : at + _BLOCK] for at in range(0, whole, _BLOCK)}

    def read(self, low: int, high: int) -> bytes:
        """The bytes [low, high), cut to the size."""
        high = min(high, self.size)
        if low >= high:
            return b""
        first, last = low // _BLOCK, (high - 1) // _BLOCK
        missing = [number for number in range(first, last + 1) if number not in self._kept]
        if missing:
            behind = self._further(missing)
            begin, end = missing[0] * _BLOCK, min(behind * _BLOCK, self.size)
            data = self.source.get(begin, end)
            for number in range(missing[0], behind):
                at = number * _BLOCK - begin
                self._kept[number] = data[at : at + _BLOCK]
        joined = b"".join(self._kept[number] for number in range(first, last + 1))
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]  # the oldest; asked for again, it is fetched again
        return joined[low - first * _BLOCK : high - first * _BLOCK]

    def _further(self, missing: list[int]) -> int:
        """The block behind those to fetch: who reads on where the last fetch ended is given more each time."""
        self._ahead = min(self._ahead * 2, _AHEAD) if missing[0] == self._next else 1
        blocks = -(-self.size // _BLOCK)
        self._next = min(missing[-1] + self._ahead, blocks)
        return max(self._next, missing[-1] + 1)


class FarView(View):
    """A window over `Blocks`. Its `buffer` is never there, so that to read it is an error: a reader that needs one is
    given `near()` instead.
    """

    def __init__(self, blocks: Blocks, start: int = 0, end: int = -1) -> None:
        self.blocks = blocks
        self.start = start
        self.end = blocks.size if end < 0 else end

    def near(self) -> View:
        """All of it, fetched."""
        return self.blocks.source.near(self.start, self.end)

    def read(self, offset: int, size: int) -> bytes:
        """See View."""
        if offset < 0 or size <= 0:
            return b""
        low = self.start + offset
        return self.blocks.read(low, min(low + size, self.end))

    def find(self, needle: bytes, low: int = 0, high: int | None = None) -> int:
        """See View; only the first 64 MiB are searched (readers ask where a finding is certain already)."""
        at = max(low, 0)
        stop = min(len(self) if high is None else min(len(self), high), at + _FIND_LIMIT)
        while at < stop:
            found = self.read(at, min(_FIND, stop - at)).find(needle)
            if found >= 0:
                return at + found
            if stop - at <= _FIND:
                break
            at += _FIND - len(needle) + 1
        return -1

    def sub(self, offset: int, size: int) -> View:
        """See View."""
        low = min(self.start + max(offset, 0), self.end)
        return FarView(self.blocks, low, min(low + max(size, 0), self.end))
