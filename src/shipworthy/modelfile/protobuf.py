"""The protobuf wire format, walked without a schema (https://protobuf.dev/programming-guides/encoding)."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.view import View

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT = 10  # bytes

Field = tuple[int, int, int, int, int]


def fields(view: View, low: int, high: int) -> Iterator[Field | None]:
    """Each field of the message in [low, high): number, wire type, start and end of its content, its value if it is a
    varint (else 0). Yields None once, and ends, where the bytes are no valid message.
    """
    at = low
    while at < high:
        tag, at = varint(view, at, high)
        number, wire = tag >> 3, tag & 7
        if at < 0 or number < 1 or number >= 1 << 29:
            yield None
            return
        start, value = at, 0
        if wire == VARINT:
            value, at = varint(view, at, high)
        elif wire == FIXED64:
            at += 8
        elif wire == FIXED32:
            at += 4
        elif wire == BYTES:
            size, start = varint(view, at, high)
            at = start + size if start >= 0 else -1
        else:
            at = -1
        if at < 0 or at > high:
            yield None
            return
        yield number, wire, start, at, value


def varint(view: View, at: int, high: int) -> tuple[int, int]:
    """The value at `at` and the offset behind it, which is -1 when there is none."""
    raw = view.read(at, min(MAX_VARINT, high - at))
    value = shift = 0
    for index, byte in enumerate(raw):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + index + 1
        shift += 7
    return 0, -1


def signed(value: int) -> int:
    """A varint as int64."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
