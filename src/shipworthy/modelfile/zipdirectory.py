"""The records of a zip archive's directory (PKWARE APPNOTE 6.3.10, section 4.3)."""

from __future__ import annotations

import struct

from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
DESCRIPTOR = b"PK\x07\x08"
LOCAL_SIZE, CENTRAL_SIZE = 30, 46
METHODS = {0: "", 8: "deflate", 12: "bz2", 14: "lzma"}  # those that are read
END64, LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
END_SIZE = 22
# signature, made by, needs, flags, method, time, CRC, packed, size, sizes of name, extra and comment, disk, attributes
_CENTRAL = struct.Struct("<4xH2xHH4xIIIHHH4xII")
_LOCAL = struct.Struct("<6xHH4xIIIHH")
_AT_ONCE = 256  # a record is read with so much behind it: its name, and mostly its extra fields


@dataclass
class Entry:
    """A member as the central directory has it; `data` is the offset of its bytes, found through its local header, and
    set then. A `crc` of -1 is not compared. `extra`: the size of its extra fields there; `folder`: it is marked as one.
    """

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    extra: int = 0
    folder: bool = False
    data: int = -1

    @property
    def encrypted(self) -> bool:
        """Its bytes can't be read without a key."""
        return bool(self.flags & 0x41)

    @property
    def shown(self) -> str:
        """Its name in messages."""
        return ascii(self.name)[:120]


@dataclass(frozen=True)
class End:
    """The end of central directory record: where it is, how many entries, where the directory is and its size; `shift`
    is how many bytes stand in front of the archive. `torn`: readers look for its 64-bit record in two places.
    """

    at: int
    entries: int
    size: int
    offset: int
    shift: int
    stop: int
    torn: bool = False


def end_of_archive(view: View) -> End | None:
    """The end record that Python's zipfile takes: the last one whose directory is where it says. None without one."""
    tail = view.tail(END_SIZE + 0xFFFF)
    base = len(view) - len(tail)
    found = tail.rfind(END)
    while found >= 0:
        end = _end_at(view, base + found)
        if end is not None:
            return end
        found = tail.rfind(END, 0, found)
    return None


def _end_at(view: View, at: int) -> End | None:
    if at + END_SIZE > len(view):
        return None
    entries, size, offset = view.u16(at + 10), view.u32(at + 12), view.u32(at + 16)
    stop = at + END_SIZE + view.u16(at + 20)
    directory_end, torn = at, False
    if view.read(at - 20, 4) == LOCATOR64 and at >= 20:
        at64, before = view.u64(at - 12), at - 20 - 56
        torn = at64 != before  # Python takes the one right before the locator, others the one that it names
        if view.read(at64, 4) != END64:
            at64 = before
        if view.read(at64, 4) == END64:
            entries, size, offset = view.u64(at64 + 32), view.u64(at64 + 40), view.u64(at64 + 48)
            directory_end = at64
    start = directory_end - size
    if start < 0 or (entries and view.read(start, 4) != CENTRAL):
        return None
    return End(at, entries, size, start, start - offset, stop, torn)


def central_entry(view: View, at: int, shift: int = 0) -> tuple[Entry, int] | None:
    """The entry at an offset of the directory, and the offset behind it; None where there is none. `shift` is added to
    the place that it names.
    """
    # in one piece: an archive of a model lists hundreds of members
    head = view.read(at, CENTRAL_SIZE + _AT_ONCE)
    if not head.startswith(CENTRAL):
        return None
    maker, flags, method, crc, packed, size, name_size, extra_size, comment_size, attributes, offset = (
        _CENTRAL.unpack_from(head.ljust(CENTRAL_SIZE, b"\0"))
    )
    start = CENTRAL_SIZE + name_size
    if name_size + extra_size > _AT_ONCE:
        head = view.read(at, start + extra_size)
    raw = head[CENTRAL_SIZE:start]
    if 0xFFFFFFFF in (size, packed, offset):
        wide = zip64_sizes(head[start : start + extra_size])
        size = wide.pop(0) if size == 0xFFFFFFFF and wide else size
        packed = wide.pop(0) if packed == 0xFFFFFFFF and wide else packed
        offset = wide.pop(0) if offset == 0xFFFFFFFF and wide else offset
    name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    mode = attributes >> 16 if maker >> 8 == 3 else 0
    folder = bool(attributes & 0x10)  # the attribute of DOS
    entry = Entry(name, raw, flags, method, crc, packed, size, offset + shift, mode, extra_size, folder)
    return entry, at + start + extra_size + comment_size


def local_header(view: View, at: int) -> tuple[bytes, bytes, int, int, int, int, int] | None:
    """Name, extra fields, flags, method, CRC, packed size and size of a local header; None where there is none."""
    head = view.read(at, LOCAL_SIZE)
    if not head.startswith(LOCAL):
        return None
    flags, method, crc, packed, size, name_size, extra_size = _LOCAL.unpack(head.ljust(LOCAL_SIZE, b"\0"))
    rest = view.read(at + LOCAL_SIZE, name_size + extra_size)
    return rest[:name_size], rest[name_size:], flags, method, crc, packed, size


def zip64_sizes(extra: bytes) -> list[int]:
    """The 64-bit values of an extra field, in the order of APPNOTE 4.5.3; empty without them."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = int.from_bytes(extra[at : at + 2], "little"), int.from_bytes(extra[at + 2 : at + 4], "little")
        if kind == 1:
            body = extra[at + 4 : at + 4 + size]
            return [int.from_bytes(body[i : i + 8], "little") for i in range(0, len(body) - 7, 8)]
        at += 4 + size
    return []


def sizes_again(field: bytes, entry: Entry) -> bool:
    """The member's sizes and place in 64 bits, which numpy writes for each array; 1,408 begins as a pickle does."""
    known = [value.to_bytes(8, "little") for value in (entry.size, entry.packed, entry.offset) if 0 <= value < 1 << 40]
    words = [field[at : at + 8] for at in range(4, len(field), 8)]
    return field[:2] == b"\1\0" and len(words) <= len(known) and all(word in known for word in words)
