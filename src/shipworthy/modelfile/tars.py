"""Tar archives: headers read one by one (POSIX.1-2001 pax, GNU long names), members scanned by content."""

from __future__ import annotations

from shipworthy.modelfile import servings
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.records import dataclass

_BLOCK = 512
_FILE_TYPES = (b"0", b"\0", b"7")
_LINKS = {b"1": "a hard link", b"2": "a symbolic link"}
_DEVICES = (b"3", b"4", b"6")
_LONG = 1 << 16


@dataclass(frozen=True)
class _Header:
    name: str
    size: int
    kind: bytes
    link: str


def _number(raw: bytes) -> int | None:
    if raw[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(raw[1:], "big") if raw[:1] == b"\x80" else None
    try:
        return int(raw.strip(b" \0") or b"0", 8)
    except ValueError:
        return None


def _header(block: bytes) -> _Header | None:
    size, checksum = _number(block[124:136]), _number(block[148:156])
    if size is None or checksum is None:
        return None
    plain = block[:148] + b" " * 8 + block[156:]
    if checksum not in (sum(plain), sum(byte - 256 if byte > 127 else byte for byte in plain)):
        return None
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = _text(block[:100])
    return _Header(f"{prefix}/{name}" if prefix else name, size, block[156:157], _text(block[157:257]))


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _pax(raw: bytes) -> dict[str, str]:
    """`length key=value` records; what does not parse is left out."""
    found: dict[str, str] = {}
    at = 0
    while at < len(raw):
        space = raw.find(b" ", at, at + 20)
        if space < 0 or not raw[at:space].isdigit():
            break
        length = int(raw[at:space])
        if length <= 0:
            break
        key, equals, value = raw[space + 1 : at + length - 1].partition(b"=")
        if equals:
            found[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        at += length
    return found


def read(scope: Scope) -> int:
    """Check the names and links, queue the members; returns how many bytes are explained."""
    view, at, count = scope.view, 0, 0
    long: dict[str, str] = {}
    while at + _BLOCK <= len(view):
        block = view.read(at, _BLOCK)
        if not block.strip(b"\0"):
            return _after(scope, at)
        header = _header(block)
        if header is None:
            scope.issue(
                Code.CONTAINER_TAMPERED, "high", "a tar header is damaged: readers differ in where they go on", at
            )
            return len(view)
        count += 1
        if count > scope.limits.entries:
            scope.issue(Code.BOMB, "high", f"the archive lists more than {scope.limits.entries} members", at)
            return len(view)
        data = at + _BLOCK
        if header.kind in (b"L", b"K", b"x", b"g"):
            long.update(_override(view.read(data, min(header.size, _LONG)), header.kind))
            size = header.size
        else:
            size = int(long["size"]) if long.get("size", "").isdigit() and len(long["size"]) < 19 else header.size
            _member(
                scope, long.get("path", header.name), long.get("linkpath", header.link), header.kind, data, size, at
            )
            long = {}
        at = data + (size + _BLOCK - 1) // _BLOCK * _BLOCK
    if at != len(view):
        scope.issue(Code.CONTAINER_TAMPERED, "medium", "the archive is cut short", min(at, len(view)))
    return len(view)


def _override(raw: bytes, kind: bytes) -> dict[str, str]:
    if kind == b"L":
        return {"path": _text(raw)}
    return {"linkpath": _text(raw)} if kind == b"K" else _pax(raw)


def _member(scope: Scope, name: str, link: str, kind: bytes, data: int, size: int, at: int) -> None:
    shown = ascii(name)[:120]
    if escapes(name):
        scope.issue(Code.PATH_TRAVERSAL, "high", f"the member {shown} would be unpacked outside of its folder", at)
    if kind in _LINKS:
        severity = "high" if escapes(link) else "medium"
        scope.issue(Code.PATH_TRAVERSAL, severity, f"the member {shown} is {_LINKS[kind]} to {ascii(link)[:120]}", at)
    elif kind in _DEVICES:
        scope.issue(Code.PATH_TRAVERSAL, "high", f"the member {shown} is a device, not a file", at)
    elif kind in _FILE_TYPES:
        if data + size > len(scope.view):
            scope.issue(Code.CONTAINER_TAMPERED, "high", f"the member {shown} reaches beyond the archive", at)
        if servings.is_code(name):
            servings.report_code(scope, name, at)
        if size and not name.endswith("/"):
            scope.child(name, scope.view.sub(data, size))
    elif kind != b"5":
        scope.unknown(f"the member {shown} has the type {ascii(kind)[2:-1]}, which this version does not read")


def _after(scope: Scope, at: int) -> int:
    view = scope.view
    low = at
    while chunk := view.read(low, 1 << 20):
        left = chunk.lstrip(b"\0")
        if left:
            low += len(chunk) - len(left)
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{len(view) - low} bytes follow the end of the archive", low)
            scope.child(f"bytes at {low}", view.sub(low, len(view)), Role.TRAILER)
            break
        low += len(chunk)
    return len(view)
