"""The three spellings of R's serialization: XDR (`X`), the bytes of a little-endian machine (`B`), text (`A`).

Layout: "R Internals", section 1.8 (Serialization Formats), and R's src/main/serialize.c.
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

from shipworthy.modelfile.view import View

_TOKEN = re.compile(rb"[ \t\r\n]*([^ \t\r\n]{1,64})(?=[ \t\r\n])")  # what ends it must be there: a number may be cut
_ESCAPE = re.compile(rb"\\(?:[0-7]{1,3}|.)|[^\\]", re.DOTALL)
_SHOWN = 4096


class CutShortError(Exception):
    """The stream ends early or is no serialization; the argument is the offset."""


class Stream(Protocol):
    """What the walk reads from; `at` counts bytes of the view. All methods raise CutShortError."""

    at: int

    def integer(self) -> int:
        """A 32-bit integer."""

    def first_number(self) -> int:
        """The first number of the vector of doubles that is next; 0 where it is none that can be counted to."""

    def skip(self, count: int, width: int) -> None:
        """Pass over `count` numbers of `width` bytes."""

    def text(self, size: int) -> bytes:
        """A string of `size` bytes, of which at most the first few thousand are returned."""

    def raw(self, size: int) -> tuple[int, int]:
        """Pass over `size` raw bytes; where they lie, or (0, 0) when they are spelled as text."""


class _Binary:
    """XDR, or little-endian."""

    def __init__(self, view: View, at: int, order: str) -> None:
        self.view = view
        self.at = at
        self.order: str = order
        self.size = len(view)

    def first_number(self) -> int:
        raw = self.view.read(self.at + 8, 8)
        number = struct.unpack(">d" if self.order == "big" else "<d", raw)[0] if len(raw) == 8 else 0.0
        return int(number) if 0 < number < 1e18 else 0

    def integer(self) -> int:
        raw = self.view.read(self.at, 4)
        if len(raw) < 4:
            raise CutShortError(self.at)
        self.at += 4
        return int.from_bytes(raw, "big" if self.order == "big" else "little", signed=True)

    def skip(self, count: int, width: int) -> None:
        self.raw(count * width)

    def text(self, size: int) -> bytes:
        low, _ = self.raw(size)
        return self.view.read(low, min(size, _SHOWN))

    def raw(self, size: int) -> tuple[int, int]:
        low = self.at
        if size < 0 or low + size > self.size:
            raise CutShortError(low)
        self.at += size
        return low, size


class _Text:
    """One number or escaped string per line."""

    def __init__(self, view: View, at: int) -> None:
        self.view = view
        self.at = at

    def integer(self) -> int:
        match = _TOKEN.match(self.view.buffer, self.view.start + self.at, self.view.end)
        if match is None:
            raise CutShortError(self.at)
        token = match[1]
        if token != b"NA" and not re.fullmatch(rb"-?\d{1,10}", token):
            raise CutShortError(self.at)
        self.at = match.end() - self.view.start
        return -(1 << 31) if token == b"NA" else int(token)

    def first_number(self) -> int:
        return 0  # R spells such a sequence out in text

    def skip(self, count: int, width: int) -> None:
        count *= 2 if width == 16 else 1
        if count < 0 or 2 * count > len(self.view) - self.at + 2:
            raise CutShortError(self.at)
        for _ in range(count):
            match = _TOKEN.match(self.view.buffer, self.view.start + self.at, self.view.end)
            if match is None:
                raise CutShortError(self.at)
            self.at = match.end() - self.view.start

    def text(self, size: int) -> bytes:
        if size < 0 or size > len(self.view) - self.at:
            raise CutShortError(self.at)
        view = self.view
        match = re.compile(rb"[ \t\r]*\n?").match(view.buffer, view.start + self.at, view.end)
        at = match.end() if match else view.start + self.at
        shown = bytearray()
        for _ in range(size):
            piece = _ESCAPE.match(view.buffer, at, view.end)
            if piece is None:
                raise CutShortError(at - view.start)
            at = piece.end()
            if len(shown) < _SHOWN:
                shown += _unescape(piece[0])
        self.at = at - view.start
        return bytes(shown)

    def raw(self, size: int) -> tuple[int, int]:
        self.skip(size, 1)
        return 0, 0


def _unescape(piece: bytes) -> bytes:
    if piece[:1] != b"\\":
        return piece
    if piece[1:2].isdigit():
        return bytes([int(piece[1:], 8) & 0xFF])
    plain = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"b": b"\b", b"r": b"\r", b"f": b"\f", b"a": b"\a"}
    return plain.get(piece[1:], piece[1:])


def opened(view: View) -> tuple[Stream, bool] | None:
    """The stream behind the magic, and whether it is an .RData; None when it is neither."""
    head = view.head(8)
    whole = re.match(rb"RD([XAB])([23])\n", head)
    at = 5 if whole else 0
    kind = head[at : at + 2]
    if whole and whole[1] != kind[:1]:
        return None
    if kind == b"X\n":
        return _Binary(view, at + 2, "big"), whole is not None
    if kind == b"B\n":
        return _Binary(view, at + 2, "little"), whole is not None
    if kind == b"A\n":
        return _Text(view, at + 2), whole is not None
    return None
