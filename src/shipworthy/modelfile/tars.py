"""Tar archives: headers read one by one (POSIX.1-2001 pax, GNU long names), members scanned by content.

Readers differ in where the next header lies and in which of several names and sizes they take (Python's `tarfile`, GNU
tar, libarchive). What they could take differently is a finding; what is left is read as all of them do.
"""

from __future__ import annotations

import re

from shipworthy.modelfile import servings
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass, field

_BLOCK = 512
_FILE_TYPES = (b"0", b"\0", b"7")
_FOLDER = b"5"
_LINKS = {b"1": "a hard link", b"2": "a symbolic link"}
_DEVICES = (b"3", b"4", b"6")
_GNU = (b"L", b"K")
_PAX = (b"x", b"g")
_LONG = 1 << 16
_SOURCE = 2 << 20
_OCTAL = re.compile(rb" *([0-7]{1,12})[ \0]*")
_RECORD = re.compile(rb"([1-9]\d{0,7}) ([^=\n\0]{1,200})=")
_SIZE = re.compile(r"(?:0|[1-9]\d{0,17})")
_LAYOUT = ("path", "linkpath", "size")


@dataclass(frozen=True)
class _Header:
    name: str
    size: int
    kind: bytes
    link: str
    odd_prefix: bool


@dataclass
class _Before:
    """What the headers in front of a member say of it."""

    given: dict[str, str] = field(default_factory=dict)
    at: int = -1


def _number(raw: bytes) -> int | None:
    if raw[:1] == b"\x80":
        return int.from_bytes(raw[1:], "big")
    match = _OCTAL.fullmatch(raw)
    if match is None:
        return None if raw.strip(b" \0") else 0
    return int(match[1], 8)


def _header(block: bytes) -> _Header | None:
    size, checksum = _number(block[124:136]), _number(block[148:156])
    if size is None or checksum is None or size >> 62:
        return None
    plain = block[:148] + b" " * 8 + block[156:]
    if checksum not in (sum(plain), sum(byte - 256 if byte > 127 else byte for byte in plain)):
        return None
    kind = block[156:157]
    prefix = _text(block[345:500]) if kind not in _GNU else ""
    name = _text(block[:100])
    if kind == b"\0" and name.endswith("/"):  # as tar had it before it had types
        kind = _FOLDER
    odd = bool(prefix) and block[257:263] != b"ustar\0"
    return _Header(f"{prefix}/{name}" if prefix else name, size, kind, _text(block[157:257]), odd)


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _pax(raw: bytes) -> tuple[dict[str, str], bool]:
    """`length key=value` records, and whether they are all as the standard has them."""
    found: dict[str, str] = {}
    at = 0
    while at < len(raw):
        match = _RECORD.match(raw, at)
        stop = at + int(match[1]) if match else 0
        if match is None or not match.end() < stop <= len(raw) or raw[stop - 1] != 0x0A:
            return found, False
        key = match[2].decode("utf-8", "surrogateescape")
        if key in found:
            return found, False
        found[key] = raw[match.end() : stop - 1].decode("utf-8", "surrogateescape")
        at = stop
    return found, True


def read(scope: Scope) -> int:
    """Check the names and links, queue the members; returns how many bytes are explained."""
    view, at, count = scope.view, 0, 0
    before = _Before()
    while at + _BLOCK <= len(view):
        block = view.read(at, _BLOCK)
        if not block.strip(b"\0"):
            break
        header = _header(block)
        if header is None:
            _odd(scope, "a tar header is damaged: readers differ in where they go on", at)
            return len(view)
        count += 1
        if count > scope.limits.entries:
            scope.issue(Code.BOMB, "high", f"the archive lists more than {scope.limits.entries} members", at)
            return len(view)
        data, size = at + _BLOCK, header.size
        if header.kind in (*_GNU, *_PAX):
            _override(scope, before, header, view.read(data, min(size, _LONG)), at)
        else:
            size = _member(scope, header, before, data, at)
            before = _Before()
        padding = view.read(data + size, -size % _BLOCK)
        if padding.strip(b"\0"):
            text = "bytes behind a member fill its last block: they belong to none"
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", text, data + size)
            scope.child(f"bytes at {data + size}", view.sub(data + size, len(padding)), Role.TRAILER)
        at = data + size + len(padding)
    if before.given:
        _odd(scope, "a header that names a member is followed by none", before.at)
    return _after(scope, at)


def _odd(scope: Scope, text: str, at: int) -> None:
    scope.issue(Code.CONTAINER_TAMPERED, "high", text, at)


def _override(scope: Scope, before: _Before, header: _Header, raw: bytes, at: int) -> None:
    """Names and sizes too long for a header: GNU's and pax'."""
    fits = len(raw) == header.size
    if header.kind in _GNU:
        given = {"path" if header.kind == b"L" else "linkpath": _text(raw)}
    else:
        given, whole = _pax(raw)
        fits = fits and whole
    if not fits or not _SIZE.fullmatch(given.get("size", "0")):
        _odd(scope, "a header of names and sizes is damaged: readers differ in what they take from it", at)
    if any(key.startswith("GNU.sparse.") or key == "hdrcharset" for key in given):
        scope.unknown("it has sparse members or names in another encoding, which this version does not read")
    if header.kind == b"g" and any(key in _LAYOUT for key in given):
        _odd(scope, "a header gives all members one name or size: readers differ in whether they take it", at)
    elif header.kind != b"g":
        if any(key in before.given for key in given):
            _odd(scope, "two headers name one member: readers differ in which they take", at)
        before.given.update(given)
        before.at = at


def _member(scope: Scope, header: _Header, before: _Before, data: int, at: int) -> int:
    """Judge a member and queue it; returns how many bytes of content lie behind its header."""
    kind = header.kind
    name, link = before.given.get("path", header.name), before.given.get("linkpath", header.link)
    stated = before.given.get("size", "")
    size = int(stated) if _SIZE.fullmatch(stated) else header.size
    shown = ascii(name)[:120]
    if escapes(name) or escapes(header.name):
        scope.issue(Code.PATH_TRAVERSAL, "high", f"the member {shown} would be unpacked outside of its folder", at)
    if header.odd_prefix:
        _odd(scope, f"readers differ in whether the member is named {shown}", at)
    if kind in _FILE_TYPES:
        if data + size > len(scope.view):
            _odd(scope, f"the member {shown} reaches beyond the archive", at)
        if servings.is_code(name):
            servings.report_code(scope, name, at)
            if size <= _SOURCE and _replaces(scope, name, scope.view.sub(data, size)):
                text = f"unpacked where it lies, the archive replaces {shown}, which is code beside it"
                scope.issue(Code.PATH_TRAVERSAL, "high", text, at)
        if size:
            scope.child(name, scope.view.sub(data, size))
        return size
    if kind in _LINKS:
        severity = "high" if escapes(link) else "medium"
        scope.issue(Code.PATH_TRAVERSAL, severity, f"the member {shown} is {_LINKS[kind]} to {ascii(link)[:120]}", at)
    elif kind in _DEVICES:
        scope.issue(Code.PATH_TRAVERSAL, "high", f"the member {shown} is a device, not a file", at)
    elif kind != _FOLDER:
        scope.unknown(f"the member {shown} has the type {ascii(kind)[2:-1]}, which this version does not read")
        return size
    if size:
        what = f"the member {shown} is no file and has {size} bytes: some readers take them for the next members"
        _odd(scope, what, at)
        scope.child(name, scope.view.sub(data, size), Role.TRAILER)
        return 0
    return size


def _replaces(scope: Scope, name: str, content: View) -> bool:
    """Whether another file of a member's name lies beside the archive."""
    if scope.folder is None or escapes(name):
        return False
    try:
        raw = (scope.folder / name).read_bytes() if (scope.folder / name).stat().st_size <= _SOURCE else b""
    except (OSError, ValueError):  # there is none, or none that can be read: nothing is replaced
        return False
    return raw != content.all()


def _after(scope: Scope, at: int) -> int:
    """What follows the last member: two blocks of zeros at least, and nothing else."""
    view = scope.view
    low = at
    while chunk := view.read(low, 1 << 20):
        left = chunk.lstrip(b"\0")
        if left:
            low += len(chunk) - len(left)
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{len(view) - low} bytes follow the end of the archive", low)
            scope.child(f"bytes at {low}", view.sub(low, len(view) - low), Role.TRAILER)
            return len(view)
        low += len(chunk)
    if at + 2 * _BLOCK > len(view):
        scope.issue(Code.CONTAINER_TAMPERED, "medium", "the archive is cut short", min(at, len(view)))
    return len(view)
