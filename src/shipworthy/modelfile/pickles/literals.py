"""Decoding literals, and showing values within bounds."""

from __future__ import annotations

import re
from typing import Any

from shipworthy.modelfile.pickles.values import (
    BYTES_COUNTED,
    COUNTED,
    DEEP,
    DICT,
    EMPTY_DICT,
    KEPT,
    LIST,
    SET,
    TEXT_COUNTED,
    TUPLE,
    Chunk,
    Global,
    Made,
)
from shipworthy.modelfile.view import Buffer
from shipworthy.patterns import regex

_CONTAINERS = {
    LIST: "[...]",
    DICT: "{...}",
    EMPTY_DICT: "{}",
    KEPT: "{...}",
    SET: "{...}",
    TUPLE: "(...)",
    DEEP: "(...)",
}


# What may be a credential is shown by its first characters and its length only.
_SECRET = regex(
    r"(?i)((?:password|passwd|secret|token|api[_-]?key|authorization|bearer|credential)['\"\s:=]{1,6})([^\s'\"]{4,})"
    r"|([A-Za-z0-9+/_=\-]{24,})"
)


def redact(text: str) -> str:
    """The text without what looks like a credential."""
    return _SECRET.sub(_redacted, text)


def _redacted(match: re.Match[str]) -> str:
    label, named, long = match.groups()
    hidden = named or long
    return f"{label or ''}{hidden[:4]}...[{len(hidden)} characters]"


_OCTAL = regex(rb"[ \t\r\v\f]{0,64}[-+]?0[0-7]{1,64}")


class NotALiteralError(ValueError):
    """The loader would refuse these bytes, or they are longer than asked for."""


def decode(buffer: Buffer, slot: int, limit: int) -> Any:
    """The value of a literal slot, texts and bytes up to `limit` bytes. Raises NotALiteralError."""
    at = slot - 1
    op = buffer[at]
    if op == 0x4B:
        return buffer[at + 1]
    if op == 0x8C:
        size = buffer[slot]
        if size > limit:
            raise NotALiteralError("too long")
        return _text(buffer[slot + 1 : slot + 1 + size], "utf-8", "surrogatepass")
    if op in COUNTED:
        width = COUNTED[op]
        size = int.from_bytes(buffer[at + 1 : at + 1 + width], "little")
        if size > limit:
            raise NotALiteralError("too long")
        raw = buffer[at + 1 + width : at + 1 + width + size]
        if op in TEXT_COUNTED:
            return _text(raw, "utf-8", "surrogatepass")
        if op in (0x8A, 0x8B):
            return int.from_bytes(raw, "little", signed=True)
        return raw if op in (0x43, 0x42, 0x8E, 0x96) else _text(raw, "latin-1", "strict")
    if op == 0x4D:
        return int.from_bytes(buffer[at + 1 : at + 3], "little")
    if op == 0x4A:
        return int.from_bytes(buffer[at + 1 : at + 5], "little", signed=True)
    if op in (0x88, 0x89):
        return op == 0x88
    if op == 0x4E:
        return None
    if op == 0x47:
        import struct

        return struct.unpack(">d", buffer[at + 1 : at + 9])[0]
    newline = buffer.find(b"\n", at, at + limit + 4)
    if newline < 0:
        raise NotALiteralError("too long")
    return line_value(op, buffer[at + 1 : newline])


def line_value(op: int, line: bytes) -> Any:
    """The value of a protocol 0 literal's line, as the loader reads it. Raises NotALiteralError."""
    try:
        if op == 0x49:  # INT
            return {b"00": False, b"01": True}.get(line) if line in (b"00", b"01") else int(line, 0)
        if op == 0x4C:  # LONG
            return int(line[:-1] if line.endswith(b"L") else line, 0)
        if op == 0x46:
            return float(line)
        if op == 0x56:
            return _text(line, "raw-unicode-escape", "strict")
        if op == 0x53:
            if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
                raise NotALiteralError("a quoted text without its quotes")
            return _unescape(line[1:-1])
    except (ValueError, OverflowError) as error:
        raise NotALiteralError(str(error)) from None
    raise NotALiteralError("not a literal")


def only_in_c(op: int, line: bytes) -> bool:
    """A number's line that Python's unpickler refuses and C's takes: C's functions stop at a zero byte, and for INT
    `strtol` takes a leading zero for octal (CPython, Modules/_pickle.c: load_int, load_long, load_float).
    """
    if op not in (0x46, 0x49, 0x4C):
        return False
    head, ended, _ = line.partition(b"\0")
    if op == 0x49 and (_OCTAL.fullmatch(head) or (ended and not head)):
        return True
    if not ended:
        return False
    try:
        line_value(op, head[:-1] if op == 0x4C and head.endswith(b"L") else head)
    except NotALiteralError:
        return False
    return True


def _unescape(raw: bytes) -> str:
    if b"\\" not in raw:
        return raw.decode("latin-1")
    import codecs

    # escape_decode is what the loader itself calls; it only undoes backslashes
    return codecs.escape_decode(raw)[0].decode("latin-1")


def _text(raw: bytes, encoding: str, errors: str) -> str:
    try:
        return raw.decode(encoding, errors)
    except ValueError as error:
        raise NotALiteralError(str(error)) from None


def show(buffer: Buffer, slot: Any, room: int = 160, depth: int = 3) -> str:
    """A slot for people, escaped to printable ASCII and at most about `room` characters."""
    text = redact(_show(buffer, slot, room, depth))
    return text if len(text) <= room else text[: room - 3] + "..."


def _show(buffer: Buffer, slot: Any, room: int, depth: int) -> str:
    if isinstance(slot, tuple):
        if depth <= 0:
            return "(...)"
        parts: list[str] = []
        for item in slot:
            parts.append(_show(buffer, item, room, depth - 1))
            room -= len(parts[-1]) + 2
            if room <= 0:
                parts.append("...")
                break
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if isinstance(slot, Global):
        return ascii(slot.key)[1:-1]
    if isinstance(slot, Made):
        return f"<{ascii(slot.maker.key)[1:-1]}(...)>" if slot.maker else "<persistent>"
    if isinstance(slot, Chunk) or slot == 0:
        return "..."
    if isinstance(slot, int) and slot < 0:
        return _CONTAINERS.get(slot, "...")
    if not isinstance(slot, int):
        return "{...}"
    return _show_literal(buffer, slot, room)


def _show_literal(buffer: Buffer, slot: int, room: int) -> str:
    op = buffer[slot - 1]
    if op in TEXT_COUNTED or op in BYTES_COUNTED:
        width = COUNTED[op]
        at = slot + width
        size = int.from_bytes(buffer[slot:at], "little")
        if size > room:
            raw = buffer[at : at + max(room - 30, 8)]
            shown = ascii(raw.decode("utf-8", "replace")) if op in TEXT_COUNTED else ascii(raw)
            return f"{shown}... ({size} bytes)"
    try:
        value = decode(buffer, slot, 4096)
        return ascii(value) if not isinstance(value, int) or value.bit_length() < 256 else "<large integer>"
    except (NotALiteralError, IndexError):
        return "..."
