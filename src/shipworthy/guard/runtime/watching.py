"""An answer is looked at as it comes, in windows: what is large or compressed with gzip, too."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipworthy.guard.runtime import answers
from shipworthy.guard.runtime.policy import PASSED, Decision, Request

if TYPE_CHECKING:
    from shipworthy.guard.runtime.core import Guard

_OVERLAP = 4 << 10  # bytes that are looked at again: what is found is shorter
_INFLATED = 64 << 20  # bytes of a compressed answer
_GZIP = ("gzip", "x-gzip")


class Watch:
    """Looks at one answer. Each kind of thing is told of once; what can't be looked at is, as `answer-unread`."""

    def __init__(self, guard: Guard, request: Request, status: int, coding: str) -> None:
        self._guard, self._request, self._status = guard, request, status
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding in _GZIP else None
        self._tail, self._size, self._lost = b"", 0, False
        self._told: set[str] = set()

    def add(self, piece: bytes, *, last: bool = False) -> Decision:
        """Look at what comes next (before it is sent: the decision may be to withhold it)."""
        if self._lost or not (piece or last):
            return PASSED
        hits = []
        try:
            for part in self._parts(piece, last=last):
                text = self._tail + part
                for hit in answers.examine(text):
                    if hit.detail not in self._told:
                        self._told.add(hit.detail)
                        hits.append(hit)
                self._tail = text[-_OVERLAP:]
        except _UnreadError as error:
            self._lost = True
            self._guard.unread_answer(self._request, str(error))
        return self._guard.found_in_answer(self._request, self._status, tuple(hits)) if hits else PASSED

    def _parts(self, piece: bytes, *, last: bool) -> Iterator[bytes]:
        """Windows of what was sent, inflated."""
        if self._gzip is None:
            for start in range(0, len(piece), answers.LIMIT):
                yield piece[start : start + answers.LIMIT]
            return
        left = piece
        while left:
            try:
                part = self._gzip.decompress(left, answers.LIMIT)
            except zlib.error:
                raise _UnreadError("encoded") from None
            self._size += len(part)
            if self._size > _INFLATED:
                raise _UnreadError("large")
            if part:
                yield part
            left = self._gzip.unconsumed_tail
            if self._gzip.eof:
                left = self._gzip.unused_data
                if left:
                    self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        if last and not self._gzip.eof:
            raise _UnreadError("encoded")


class _UnreadError(Exception):
    """It can't be looked at; why, as a code."""


def readable_coding(coding: str) -> bool:
    """Whether answers of this Content-Encoding can be looked at."""
    return coding in ("", "identity", *_GZIP)
