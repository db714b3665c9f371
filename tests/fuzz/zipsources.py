"""Random zip archives: mostly well formed, with one or two things that readers may take differently.

Written from APPNOTE 6.3.10; everything comes from one `random.Random`.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fuzz.mutations import bytewise
from modelfile_samples import EVIL, PLAIN, atom, npy, stream

Source = random.Random
ARRAY = npy({"descr": "<f8", "fortran_order": False, "shape": (1,)}, b"")
NAMES = (
    b"m/data.pkl", b"m/version", b"m/byteorder", b"m/data/0", b"m/constants.pkl", b"m/DATA.PKL", b"m/.data/version",
    b"a.pkl", b"a.npy", b"b.npy", b"d/", b"d/x.pkl", b"./a.pkl", b"a.pkl\0.txt", b"d\\x.pkl", "\u00e9.pkl".encode(),
    b"\x82.pkl", b"a" * 120 + b".pkl", b"/abs.pkl", b"../up.pkl", b"a.pkl/", b" a.pkl", b"x.py",
)  # fmt: skip


@dataclass
class Headers:
    """One header's fields."""

    name: bytes
    flags: int = 0
    method: int = 0
    crc: int = 0
    packed: int = 0
    size: int = 0
    extra: bytes = b""


@dataclass
class ZipMember:
    """A member as the local header and as the directory have it."""

    local: Headers
    central: Headers
    body: bytes
    descriptor: bytes = b""
    version: int = 20
    external: int = 0o100644 << 16
    shift: int = 0
    comment: bytes = b""
    listed: bool = True


@dataclass
class Zip:
    """An archive, and what is odd about its end."""

    members: list[ZipMember] = field(default_factory=list)
    front: bytes = b""
    gap: bytes = b""
    behind: bytes = b""
    comment: bytes = b""
    shift: int = 0
    count: int = 0
    size: int = 0
    wide: bool = False
    decoy: list[ZipMember] = field(default_factory=list)


def content(source: Source) -> bytes:
    """What is clean for itself, different nearly every time; now and then what is not."""
    if source.random() < 0.1:
        return EVIL
    return source.choice((stream(b"]", atom(source.randrange(1000)), b"a"), ARRAY + source.randbytes(8), b""))


def zip_member(source: Source, name: bytes | None = None, data: bytes | None = None, method: int = -1) -> ZipMember:
    """One that is as it should be."""
    raw = content(source) if data is None else data
    method = source.choice((0, 0, 8)) if method < 0 else method
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = packer.compress(raw) + packer.flush() if method else raw
    name = source.choice(NAMES[:10] if source.random() < 0.8 else NAMES) if name is None else name
    head = Headers(name, 0, method, zlib.crc32(raw), len(body), len(raw))
    return ZipMember(head, replace(head), body)


def torch_members(source: Source, data: bytes) -> list[ZipMember]:
    """The least that torch's reader takes for an archive of its own."""
    return [zip_member(source, b"m/data.pkl", data, 0), zip_member(source, b"m/version", b"3\n", 0)]


def zip_bytes(archive: Zip) -> bytes:
    """The archive as a file. With `decoy`, there is a whole directory of these members in front, and the 64-bit
    locator names either.
    """
    out, locates = bytearray(archive.front), None
    if archive.decoy:
        places = _locals(out, archive.decoy)
        directory = _directory(archive.decoy, places)
        locates = len(out) + len(directory)
        out += directory + _record64(archive.decoy, len(directory), len(out))
    places = _locals(out, archive.members)
    out += archive.gap
    return bytes(out) + _end(archive, bytes(out), places, archive.members, locates) + archive.behind


def _sizes(head: Headers) -> tuple[int, int]:
    return head.packed & 0xFFFFFFFF, head.size & 0xFFFFFFFF


def _locals(out: bytearray, members: list[ZipMember]) -> list[int]:
    places = []
    for member in members:
        places.append(len(out) + member.shift)
        head = member.local
        numbers = (
            20,
            head.flags,
            head.method,
            0,
            33,
            head.crc,
            head.packed,
            head.size,
            len(head.name),
            len(head.extra),
        )
        out += b"PK\3\4" + struct.pack("<HHHHHIIIHH", *numbers)
        out += head.name + head.extra + member.body + member.descriptor
    return places


def _directory(members: list[ZipMember], places: list[int]) -> bytes:
    out = bytearray()
    for member, at in zip(members, places, strict=False):
        if not member.listed:
            continue
        head, comment = member.central, member.comment
        numbers = (3 << 8 | 20, member.version, head.flags, head.method, 0, 33, head.crc, *_sizes(head))
        rest = (len(head.name), len(head.extra), len(comment), 0, 0, member.external, at & 0xFFFFFFFF)
        out += b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", *numbers, *rest) + head.name + head.extra + comment
    return bytes(out)


def _record64(members: list[ZipMember], size: int, at: int) -> bytes:
    listed = sum(member.listed for member in members)
    return b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, listed, listed, size, at)


def _end(archive: Zip, before: bytes, places: list[int], members: list[ZipMember], locates: int | None = None) -> bytes:
    directory = _directory(members, places)
    at, size = len(before) + archive.shift, len(directory) + archive.size
    listed = sum(member.listed for member in members) + archive.count
    out = directory
    if archive.wide or locates is not None:
        where = len(before) + len(directory) if locates is None else locates
        out += _record64(members, size, at) + b"PK\6\7" + struct.pack("<IQI", 0, where, 1)
        if archive.wide:
            listed, size, at = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    numbers = (0, 0, listed & 0xFFFF, listed & 0xFFFF, size & 0xFFFFFFFF, at & 0xFFFFFFFF, len(archive.comment))
    return out + b"PK\5\6" + struct.pack("<HHHHIIH", *numbers) + archive.comment


def random_zip(source: Source) -> bytes:
    """Like torch's or any archive, with up to two oddities."""
    if source.random() < 0.6:
        members = torch_members(source, stream(b"]", atom(source.randrange(1000)), b"a"))
        members += [zip_member(source) for _ in range(source.randrange(3))]
    else:
        members = [zip_member(source) for _ in range(source.randrange(1, 5))]
    archive = Zip(members)
    for _ in range(source.choice((0, 1, 1, 1, 2, 2))):
        source.choice(ZIP_ODDITIES)(source, archive)
    data = zip_bytes(archive)
    return bytewise(source, data, EVIL) if source.random() < 0.15 else data


def _one(source: Source, archive: Zip) -> ZipMember:
    return source.choice(archive.members)


def _duplicate(source: Source, archive: Zip) -> None:
    name = _one(source, archive).central.name
    twin = zip_member(source, source.choice((name, name.upper(), name + b"\0", name + b"/", name)), EVIL)
    archive.members.insert(source.randrange(len(archive.members) + 1), twin)


def _header(source: Source, archive: Zip) -> None:
    """A field of one header, or of both."""
    member = _one(source, archive)
    sides = source.choice(([member.local], [member.central], [member.local, member.central]))
    what = source.randrange(7)
    value = source.choice((0, 1, member.local.size + 1, max(0, member.local.size - 1), 0xFFFFFFFF))
    for side in sides:
        if what == 0:
            side.flags ^= source.choice((1, 2, 8, 0x20, 0x40, 0x800, 0x2000))
        elif what == 1:
            side.method = source.choice((0, 8, 9, 12, 14, 93, 97, 99))
        elif what == 2:
            side.crc ^= source.choice((0, 1))
        elif what == 3:
            side.size = value
        elif what == 4:
            side.packed = value
        elif what == 5:
            side.name = source.choice(NAMES)
        else:
            side.size = side.packed = value


def _extra(source: Source, archive: Zip) -> None:
    """Extra fields: zip64, Unicode path, padding, broken ones; sizes moved to zip64."""
    member = _one(source, archive)
    head = source.choice((member.local, member.central))
    wide = struct.pack("<QQ", head.size, head.packed)
    path = b"\1" + struct.pack("<I", zlib.crc32(head.name)) + source.choice(NAMES)
    extras = (
        b"\1\0" + struct.pack("<H", len(wide)) + wide,
        b"\1\0\x08\0" + wide[:8],
        b"\1\0\0\0",
        b"up" + struct.pack("<H", len(path)) + path,
        b"FB\x06\0ZZZZZZ",
        b"\xff\xff\xff\xff",
        b"\1\0" + struct.pack("<H", 16) + struct.pack("<QQ", len(EVIL), len(EVIL)) + b"\1\0\x10\0" + wide,
    )
    head.extra = source.choice(extras)
    if source.random() < 0.6:
        head.size = head.packed = 0xFFFFFFFF


def _streamed(source: Source, archive: Zip) -> None:
    """A data descriptor, right or wrong."""
    member = _one(source, archive)
    head = member.central
    member.local = replace(member.local, flags=8, crc=0, packed=0, size=0)
    head.flags = 8 if source.random() < 0.8 else 0
    sizes = struct.pack("<III", head.crc, head.packed, head.size)
    wide = struct.pack("<IQQ", head.crc, head.packed, head.size)
    member.descriptor = source.choice(
        (b"PK\7\x08" + sizes, sizes, b"PK\7\x08" + wide, b"", bytes(12), b"PK\7\x08" + bytes(12))
    )


def _overlap(source: Source, archive: Zip) -> None:
    """A member inside another one's bytes, or an offset that is somewhere else."""
    member = _one(source, archive)
    if source.random() < 0.5:
        member.shift = source.choice((-60, -1, 1, 30, 60, 1 << 31))
        return
    inner = zip_bytes(Zip([zip_member(source, source.choice(NAMES), EVIL)]))
    place = archive.members.index(member)
    outer = zip_member(source, b"m/data/9", inner)
    archive.members[place] = outer


def _around(source: Source, archive: Zip) -> None:
    inner = zip_bytes(Zip(torch_members(source, EVIL)))
    junk = source.choice((b"x", bytes(8), EVIL, inner, b"PK\5\6" + bytes(18), inner[:-22]))
    what = source.randrange(4)
    if what == 0:
        archive.front = junk
        archive.shift = source.choice((0, -len(junk)))
    elif what == 1:
        archive.gap = junk
    elif what == 2:
        archive.behind = junk
    else:
        archive.comment = junk


def _end_fields(source: Source, archive: Zip) -> None:
    archive.count += source.choice((-1, 0, 1, 65535))
    archive.size += source.choice((0, 0, -1, 1, 46, -46))
    archive.shift += source.choice((0, 0, -1, 1, 46))


def _listing(source: Source, archive: Zip) -> None:
    member = _one(source, archive)
    what = source.randrange(4)
    if what == 0:
        member.listed = False
    elif what == 1:
        member.external = source.choice((0o120777 << 16, 0o40755 << 16, 0x10, 0))
    elif what == 2:
        member.comment = source.choice((b"PK\5\6" + bytes(18), b"PK\1\2", b"x" * 100))
    else:
        member.version = source.choice((10, 45, 63, 99))


def _wide_end(source: Source, archive: Zip) -> None:
    archive.wide = source.random() < 0.8
    if source.random() < 0.5:
        archive.decoy = torch_members(source, source.choice((EVIL, PLAIN)))


ZIP_ODDITIES: tuple[Callable[[Source, Zip], None], ...] = (
    _duplicate, _header, _header, _extra, _streamed, _overlap, _around, _end_fields, _listing, _wide_end,
)  # fmt: skip
