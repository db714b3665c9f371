"""LZ4 frames, decoded in bounded steps (LZ4 Frame Format 1.6.4, LZ4 Block Format).

Checksums of blocks and content are stepped over, not compared: a loader that compares them loads less than what is
scanned here, never more.
"""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.modelfile.view import View

MAGIC = b"\x04\x22\x4d\x18"
LEGACY_MAGIC = b"\x02\x21\x4c\x18"
_HISTORY = 1 << 16
_LEGACY_BLOCK = 8 << 20
_BLOCKS = {4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 4 << 20}
_VERSION, _INDEPENDENT, _BLOCK_SUM, _SIZE, _SUM, _RESERVED, _DICTIONARY = 0xC0, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01


class DamagedError(ValueError):
    """A decoder stops here; the message says why."""


def frame(view: View, at: int, write: Callable[[bytes], None]) -> int:
    """Decode the frame at `at`, a block at a time; returns the offset behind it. Raises DamagedError."""
    flags, description = view.read(at + 4, 2).ljust(2, b"\0")
    if flags & _VERSION != 0x40 or flags & _RESERVED or description & 0x8F:
        raise DamagedError("the LZ4 frame is of a version that is not defined")
    if flags & _DICTIONARY:
        raise DamagedError("the LZ4 frame needs a dictionary that is not in the file")
    most = _BLOCKS.get(description >> 4)
    if most is None:
        raise DamagedError("the LZ4 frame names no block size")
    at += 7 + (8 if flags & _SIZE else 0)
    history = b""
    while True:
        head = view.read(at, 4)
        if len(head) < 4:
            raise DamagedError("the compressed data is cut short")
        size = int.from_bytes(head, "little")
        at += 4
        if not size:
            return _behind(view, at + (4 if flags & _SUM else 0))
        plain, size = size >> 31, size & 0x7FFFFFFF
        data = view.read(at, size)
        if size > most or len(data) < size:
            raise DamagedError("a block of the LZ4 frame is longer than allowed or than the data")
        at += size + (4 if flags & _BLOCK_SUM else 0)
        out = data if plain else block(data, history, most)
        if not flags & _INDEPENDENT:
            history = (history + out)[-_HISTORY:]
        write(out)


def legacy(view: View, at: int, write: Callable[[bytes], None]) -> int:
    """Decode a frame of the legacy format, which ends with the data or where another frame begins."""
    at += 4
    while at < len(view):
        head = view.read(at, 4)
        size = int.from_bytes(head, "little")
        if head in (MAGIC, LEGACY_MAGIC) or len(head) < 4:
            return at
        data = view.read(at + 4, size)
        if size > 2 * _LEGACY_BLOCK or len(data) < size:
            raise DamagedError("a block of the LZ4 frame is longer than allowed or than the data")
        write(block(data, b"", _LEGACY_BLOCK))
        at += 4 + size
    return at


def block(data: bytes, history: bytes, most: int) -> bytes:
    """Decode one block; `history` is what was decoded before it. Raises DamagedError, also beyond `most` bytes."""
    out = bytearray(history)
    limit, end, at = len(history) + most, len(data), 0
    try:
        while True:
            token = data[at]
            at += 1
            count = token >> 4
            if count == 15:
                count, at = _long(data, at, count)
            if count:
                if at + count > end:
                    raise DamagedError("literals reach beyond the block")
                out += data[at : at + count]
                at += count
            if at == end and not len(out) > limit:
                return bytes(out[len(history) :])
            back = data[at] | data[at + 1] << 8
            at += 2
            count = token & 15
            if count == 15:
                count, at = _long(data, at, count)
            count += 4
            start = len(out) - back
            if not back or start < 0 or len(out) + count > limit:
                raise DamagedError("a match reaches outside of the block")
            repeat(out, start, back, count)
    except IndexError:
        raise DamagedError("a block ends within a sequence") from None


def repeat(out: bytearray, start: int, back: int, count: int) -> None:
    """Append `count` bytes from `start`, which lies `back` before the end: the copy may reach into itself."""
    if back >= count:
        out += out[start : start + count]
    else:
        part = bytes(out[start:])
        out += (part * (count // back + 1))[:count]


def _long(data: bytes, at: int, count: int) -> tuple[int, int]:
    while True:
        byte = data[at]
        at += 1
        count += byte
        if byte != 255:
            return count, at


def _behind(view: View, at: int) -> int:
    if at > len(view):
        raise DamagedError("the compressed data is cut short")
    return at
