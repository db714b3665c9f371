"""R's lazy-load databases (.rdb, with their index .rdx), as packages and caches keep objects: one behind the other.

Each is a serialization, packed: four bytes of its size, then zlib, or a letter and bzip2, LZMA2 or nothing. The index,
an .rds, names the objects; here every byte of the .rdb is read in its own order. Layout: R's src/main/serialize.c
(`lazyLoadDBfetch`).
"""

from __future__ import annotations

import re
import zlib

from shipworthy.modelfile import compressed
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import LimitReachedError, Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

_PACKED = {b"x": ("zlib", 0), b"2": ("bz2", 1), b"Z": ("lzma2", 1)}
OBJECT = "r-object"  # the format of what is inside
_PLACE = regex(rb"\0\0\0\x0d\0\0\0\x02(.{4})(.{4})", re.DOTALL)  # an integer vector of an offset and a length
_HEADS = (b"X\n", b"A\n", b"B\n")


def is_database(head: bytes) -> bool:
    """Whether the first object unpacks to a serialization."""
    if len(head) < 12 or head[4:5] not in b"x2Z0" or head[0] > 0x7F:
        return False
    if head[4:5] == b"0":
        return head[5:7] in _HEADS
    format_, skipped = _PACKED[head[4:5]]
    return compressed.begins(head[4 + skipped :], format_, 2) in _HEADS


def read(scope: Scope, _: str) -> int:
    """Unpack all objects; returns how many bytes are explained."""
    view, size, at = scope.view, len(scope.view), 0
    if scope.role is not Role.FILE:
        return size
    while at < size:
        length = int.from_bytes(view.read(at, 4), "big")
        format_, skipped = _PACKED.get(view.read(at + 4, 1), ("", 1))
        low = at + 4 + skipped
        content: View | None
        if format_:
            try:
                content, used, _ = compressed.unpack(scope, view.sub(low, size - low), format_, many=False)
            except LimitReachedError:
                return size
        else:
            plain = view.read(at + 4, 1) == b"0" and low + length <= size
            content, used = (view.sub(low, length), length) if plain else (None, 0)
        if content is None or len(content) != length:
            message = f"the object at {at} of R's database is cut short or damaged"
            scope.issue(Code.BROKEN_STREAM, "high", message, at)
            scope.child(f"bytes at {at}", view.sub(at, size - at), Role.TRAILER)
            return size
        scope.child(f"object at {at}", content, Role.FILE, OBJECT)
        at = low + used
    _indexed(scope, size)
    return size


def _indexed(scope: Scope, size: int) -> None:
    """Whether the index beside it says that the database ends here: it would end after any object otherwise."""
    index = scope.neighbour(".rdx") if not scope.name else None
    if index is None or index.stat().st_size > scope.limits.header:
        scope.unknown("its index (.rdx), which tells where it ends, is not at hand")
        return
    try:
        raw = zlib.decompressobj(47).decompress(index.read_bytes(), scope.limits.header)
    except zlib.error:
        scope.unknown("its index (.rdx) can't be unpacked")
        return
    ends = [int.from_bytes(pair[1], "big") + int.from_bytes(pair[2], "big") for pair in _PLACE.finditer(raw)]
    if max(ends, default=0) != size:
        message = f"the index beside it tells of {max(ends, default=0)} bytes, it has {size}: it was cut, or added to"
        scope.issue(Code.BROKEN_STREAM, "high", message, size)
