"""Zip archives, read twice: by the central directory and by the local headers.

What the two say differently, two loaders read differently (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5).
"""

from __future__ import annotations

import zlib
from functools import partial

from shipworthy.modelfile import shards, torchzip
from shipworthy.modelfile.far import FarView
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.pickles import reader as pickles
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import LimitReachedError, Role, Scope
from shipworthy.modelfile.sniff import HEAD, HIDDEN, sniff
from shipworthy.modelfile.view import View
from shipworthy.modelfile.zipdirectory import (
    CENTRAL_SIZE,
    DESCRIPTOR,
    END,
    END_SIZE,
    LOCAL,
    LOCAL_SIZE,
    METHODS,
    End,
    Entry,
    central_entry,
    end_of_archive,
    local_header,
    sizes_again,
    zip64_sizes,
)

_UNLISTED = 100
_KERAS_WEIGHTS = (".weights.h5", ".weights.npz", ".weights.json")
_SMALLEST = 10  # bytes in which a file can be hidden
_FLAGS_COMPARED = 0x0001 | 0x0020 | 0x0040 | 0x2000


def read(scope: Scope, *, front: int = 0) -> int:
    """Compare both directories, then queue every member; returns how many bytes are explained. The first `front` bytes
    were read by the caller: the archive is appended to them.
    """
    view = scope.view
    if archives := shards.parts(scope):
        for low, high in archives:
            scope.child(f"archive at {low}", view.sub(low, high - low), format_="zip")
        return len(view)
    end = end_of_archive(view)
    if end is None:
        if scope.role is Role.FILE:
            text = "it starts like a zip archive but has no directory that fits: it was cut or forged"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text, 0)
            _unlisted(scope, 0, len(view))
        return len(view)
    entries = _directory(scope, end)
    _around(scope, end, front)
    for entry in entries:
        _local(scope, entry, end)
    members = _layout(scope, entries, end, front)
    _members(scope, members)
    return len(view)


def front(view: View) -> int:
    """Where the first member of the archive begins; what stands before it is something else."""
    end = end_of_archive(view)
    at, first = (end.offset, end.offset) if end else (0, 0)
    while end and at < end.offset + end.size and (found := central_entry(view, at, end.shift)):
        entry, at = found
        first = min(first, entry.offset)
    return max(first, 0)


def _members(scope: Scope, members: list[Entry]) -> None:
    """Hand the members to the reader of this kind of archive."""
    if program := next((entry for entry in members if entry.name in ("__main__.py", "__main__.pyc")), None):
        text = f"the archive is a program as well: Python runs its {program.name} when it is given the archive"
        scope.issue(Code.FOREIGN_CONTENT, "high", text, program.offset)
    if torchzip.is_torch(members):
        torchzip.read(scope, members, open_entry)
        return
    if _is_keras(members):
        from shipworthy.modelfile.keras import archive

        archive.read(scope, members)
        return
    from shipworthy.modelfile import exported, servings, skops, sparsezip

    if exported.is_export(members):
        exported.read(scope, members, open_entry)
    elif skops.is_skops(members):
        skops.read(scope, members, open_entry)
    elif sparsezip.is_matrix(members):
        sparsezip.read(scope, members, open_entry)
    elif servings.is_archive(members):
        servings.read(scope, members, open_entry)
    else:
        severity = "high" if servings.is_package(members) else "medium"
        for entry in reversed(members):
            if servings.is_code(entry.name):
                servings.report_code(scope, entry.name, entry.offset, severity)
            queue(scope, entry)


def _is_keras(members: list[Entry]) -> bool:
    """It has Keras' configuration and weights; without weights, its JSON is judged as any other."""
    names = {entry.name for entry in members}
    return "config.json" in names and any(name.endswith(_KERAS_WEIGHTS) for name in names)


def _around(scope: Scope, end: End, front: int) -> None:
    view = scope.view
    if end.torn:
        text = "its 64-bit end record is not where Python looks for it: another reader sees another archive"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, end.at)
    if end.shift and end.shift != front:
        scope.issue(Code.CONTAINER_TAMPERED, "medium", f"{abs(end.shift)} bytes stand in front of the archive", 0)
        if end.shift > 0 and not _unlisted(scope, 0, end.shift):
            scope.child("bytes in front", view.sub(0, end.shift), Role.TRAILER)
    if end.stop < len(view):
        rest = len(view) - end.stop
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{rest} bytes follow the end of the archive", end.stop)
        scope.child(f"bytes at {end.stop}", view.sub(end.stop, rest), Role.TRAILER)
    elif end.stop > len(view):
        scope.issue(Code.CONTAINER_TAMPERED, "medium", "the archive's comment is cut short", end.at)
    beside(scope, "the archive's comment", end.at + END_SIZE, end.stop)
    after = view.read(end.at + 4, len(view))
    if END in after:
        where = end.at + 4 + after.find(END)
        text = "there is a second end record: another reader sees another archive"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, where)


def _directory(scope: Scope, end: End) -> list[Entry]:
    view, at, stop = scope.view, end.offset, end.offset + end.size
    entries: list[Entry] = []
    names: set[bytes] = set()
    while at + CENTRAL_SIZE <= stop and (found := central_entry(view, at, end.shift)):
        if len(entries) >= scope.limits.entries:
            scope.issue(Code.BOMB, "high", f"the archive lists more than {scope.limits.entries} members", at)
            return entries
        before = at
        entry, at = found
        if entry.folder and entry.size:  # torch's reader leaves its bytes unwritten
            text = f"the member {entry.shown} is marked as a folder and has content: readers differ in it"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text, at)
        if entry.raw_name in names:
            text = f"two members are named {entry.shown}: readers differ in which one they take"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text, at)
        names.add(entry.raw_name)
        _check_name(scope, entry, at)
        _beside_entry(scope, entry, before + CENTRAL_SIZE + len(entry.raw_name), at, entry.extra)
        entries.append(entry)
    if len(entries) != end.entries or at != stop:
        text = f"the directory lists {len(entries)} members, its end record says {end.entries}"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, end.at)
    return entries


def beside(scope: Scope, what: str, low: int, high: int) -> None:
    """Look into bytes that no reader of models looks at: a file in them is there to be found by something else."""
    if high - low < _SMALLEST:
        return
    view = scope.view.sub(low, high - low)
    head = view.head(HEAD)
    if not head.strip(head[:1]):  # padding
        return
    found = sniff(head, len(view)) or ""
    near = view.near() if isinstance(view, FarView) and found == "pickle" else view
    if found in HIDDEN and (found != "pickle" or pickles.weak_trial(near)):
        scope.issue(Code.HIDDEN_PAYLOAD, "high", f"{what} holds a file of the format {found}", low)
        scope.child(what, view, Role.TRAILER)


def _padding(extra: bytes) -> bool:
    """One field of a single byte again and again: so torch aligns what is behind it."""
    return int.from_bytes(extra[2:4], "little") == len(extra) - 4 and not extra[4:].strip(extra[4:5])


def _beside_entry(scope: Scope, entry: Entry, low: int, high: int, extra: int) -> None:
    """The extra fields of a member, and its comment behind them."""
    if high - low < _SMALLEST:
        return
    at, stop = low, low + extra
    while at + 4 <= stop:
        size = scope.view.u16(at + 2)
        if not sizes_again(scope.view.read(at, min(4 + size, stop - at)), entry):
            beside(scope, f"an extra field of the member {ascii(entry.name)[:80]}", at + 4, min(at + 4 + size, stop))
        at += 4 + size
    beside(scope, f"the comment of the member {ascii(entry.name)[:80]}", stop, high)


def _check_name(scope: Scope, entry: Entry, at: int) -> None:
    if escapes(entry.name):
        text = f"the member {entry.shown} would be unpacked outside of its folder"
        scope.issue(Code.PATH_TRAVERSAL, "high", text, at)
    if entry.mode >> 12 == 0o12:
        scope.issue(Code.PATH_TRAVERSAL, "high", f"the member {entry.shown} is a symbolic link", at)


def _local(scope: Scope, entry: Entry, end: End) -> None:
    """Find the entry's data, after comparing its local header with the directory."""
    view, at = scope.view, entry.offset
    header = local_header(view, at) if at >= 0 and at + LOCAL_SIZE <= end.offset else None
    if header is None:
        text = f"the member {entry.shown} has no local header where the directory says"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, at)
        return
    name, extra, flags, method, crc, packed, size = header
    data = at + LOCAL_SIZE + len(name) + len(extra)
    if len(extra) >= _SMALLEST and not _padding(extra):
        _beside_entry(scope, entry, data - len(extra), data, len(extra))
    if 0xFFFFFFFF in (size, packed):
        wide = zip64_sizes(extra)
        size = wide.pop(0) if size == 0xFFFFFFFF and wide else size
        packed = wide.pop(0) if packed == 0xFFFFFFFF and wide else packed
    differs = []
    if name != entry.raw_name:
        differs.append("name")
    if (flags ^ entry.flags) & _FLAGS_COMPARED:
        differs.append("flags")
    if method != entry.method:
        differs.append("method")
    streamed = flags & 8 and (crc, packed, size) in ((0, 0, 0), (0, 0xFFFFFFFF, 0xFFFFFFFF))
    if not streamed:
        differs += [what for what, a, b in _pairs(entry, crc, packed, size) if a != b]
    if differs:
        text = f"the two headers of the member {entry.shown} differ in {', '.join(differs)}: readers differ in what"
        scope.issue(Code.CONTAINER_TAMPERED, "high", f"{text} they take", at)
    if data + entry.packed > end.offset:
        text = f"the member {entry.shown} reaches beyond the archive's data"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, at)
        return
    entry.data = data


def _pairs(entry: Entry, crc: int, packed: int, size: int) -> list[tuple[str, int, int]]:
    return [("CRC", crc, entry.crc), ("packed size", packed, entry.packed), ("size", size, entry.size)]


def _layout(scope: Scope, entries: list[Entry], end: End, front: int) -> list[Entry]:
    """Members must not overlap, and nothing may lie between them.

    Returns those to read, in the order of the directory: of overlapping ones only the first few, or the same bytes
    would be read as often as the directory names them.
    """
    left_out: set[int] = set()
    overlapping = 0
    at = max(end.shift, front)
    view = scope.view
    for entry in sorted((e for e in entries if e.data >= 0), key=lambda e: e.offset):
        if entry.offset < at:
            text = f"the member {entry.shown} overlaps another: the same bytes are unpacked twice"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text, entry.offset)
            overlapping += 1
            if overlapping > _UNLISTED:
                left_out.add(id(entry))
        elif entry.offset > at:
            _hole(scope, at, entry.offset)
        at = max(at, entry.data + entry.packed)
        if entry.flags & 8:
            at += _descriptor(view, at, entry)
    directory = end.offset
    if at < directory:
        _hole(scope, at, directory)
    return [entry for entry in entries if entry.data >= 0 and id(entry) not in left_out]


def _descriptor(view: View, at: int, entry: Entry) -> int:
    """The size of the data descriptor behind a streamed member: with or without signature, 32 or 64 bit sizes."""
    raw = view.read(at, 24)
    head = 4 if raw[:4] == DESCRIPTOR else 0
    if int.from_bytes(raw[head : head + 4], "little") != entry.crc:
        return 0
    for width in (4, 8):
        low = head + 4
        packed = int.from_bytes(raw[low : low + width], "little")
        size = int.from_bytes(raw[low + width : low + 2 * width], "little")
        if (packed, size) == (entry.packed, entry.size):
            return low + 2 * width
    return 0


def _hole(scope: Scope, low: int, high: int) -> None:
    if not _unlisted(scope, low, high):
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{high - low} bytes between the members belong to none", low)
        scope.child(f"bytes at {low}", scope.view.sub(low, high - low), Role.TRAILER)


def _unlisted(scope: Scope, low: int, high: int) -> bool:
    """Members in [low, high) that no directory lists are reported and read as far as their own headers say."""
    view = scope.view
    at = view.find(LOCAL, low, high)
    if at < 0:
        return False
    text = f"{high - low} bytes hold a member that the directory does not list: another reader may take it"
    scope.issue(Code.HIDDEN_PAYLOAD, "high", text, low)
    for _ in range(_UNLISTED):
        name_size = view.u16(at + 26)
        data = at + LOCAL_SIZE + name_size + view.u16(at + 28)
        packed = view.u32(at + 18)
        following = view.find(LOCAL, max(data, at + 4), high)
        stop = data + packed if packed and data + packed <= high else following if following >= 0 else high
        raw = view.read(at + LOCAL_SIZE, name_size)
        method = view.u16(at + 8)
        entry = Entry(
            raw.decode("utf-8", "replace"),
            raw,
            0,
            method,
            view.u32(at + 14),
            stop - data,
            view.u32(at + 22),
            at,
            0,
            data=data,
        )
        if data < stop:
            scope.later(f"unlisted {entry.name}", partial(_open_unlisted, scope, entry), Role.TRAILER)
        if following < 0:
            break
        at = following
    return True


def _open_unlisted(scope: Scope, entry: Entry) -> View | None:
    """The content of an unlisted member; already reported, so its own faults are not."""
    packed = scope.view.sub(entry.data, entry.packed)
    if entry.method == 0:
        return packed
    if entry.method not in METHODS:
        return None
    try:
        return _unpacked(scope, entry, packed)[0]
    except LimitReachedError:
        return None


def queue(scope: Scope, entry: Entry, role: Role = Role.FILE, format_: str = "") -> None:
    """Scan a member when its turn comes; folders have nothing to scan."""
    if entry.name.endswith("/") and entry.size == 0:
        return
    scope.later(entry.name, lambda: open_entry(scope, entry), role, format_)


def open_entry(scope: Scope, entry: Entry) -> View | None:
    """A member's content, its CRC and size checked; None (and reported) when it can't be had."""
    shown = entry.shown
    if entry.encrypted:
        scope.issue(
            Code.CONTAINER_TAMPERED,
            "high",
            f"the member {shown} is encrypted: no model loader can read it",
            entry.offset,
        )
        return None
    if entry.method not in METHODS:
        scope.unknown(f"the member {shown} is compressed by method {entry.method}, which this version does not read")
        return None
    packed = scope.view.sub(entry.data, entry.packed)
    packed = packed.near() if isinstance(packed, FarView) else packed
    try:
        content, wrong = _unpacked(scope, entry, packed)
    except LimitReachedError:
        return None
    if content is None:
        scope.issue(Code.CONTAINER_TAMPERED, "high", f"the member {shown} can't be unpacked: {wrong}", entry.offset)
        return None
    if len(content) != entry.size:
        text = f"the member {shown} has {len(content)} bytes, the directory says {entry.size}"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, entry.offset)
    if entry.crc >= 0 and _crc(content) != entry.crc:
        text = f"the CRC of the member {shown} is wrong: Python refuses it, other loaders read it"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text, entry.offset)
    return content


def _unpacked(scope: Scope, entry: Entry, packed: View) -> tuple[View | None, str]:
    if entry.method == 0:  # as in all archives of torch: they need no decoder to be imported
        return packed, ""
    from shipworthy.modelfile import zipcontents

    return zipcontents.unpack(scope, entry, packed)


def _crc(content: View) -> int:
    crc, at = 0, 0
    while data := content.read(at, 1 << 20):
        crc = zlib.crc32(data, crc)
        at += len(data)
    return crc
