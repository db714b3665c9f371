"""The file underneath: numbers, addresses, the superblock, which bytes belong to what.

HDF5 File Format Specification version 3.0, sections II (superblock) and "Disk Format: Level 0".
"""

from __future__ import annotations

from array import array
from typing import Any

from shipworthy.modelfile.view import View
from shipworthy.records import dataclass, field

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_CLAIMS = 1_000_000
_CHECKED = 8 << 20
_MASK = 0xFFFFFFFF


class BrokenError(ValueError):
    """The structure at `at` is not what the format says; the library would refuse it, or read something else."""

    def __init__(self, text: str, at: int | None = None) -> None:
        super().__init__(text)
        self.at = at


class NotReadError(ValueError):
    """A legal part of the format that this version does not read."""


@dataclass
class File:
    """`view` starts at the superblock's base address: every address counts from there. `offsets` and `lengths` are the
    sizes in bytes of addresses and lengths. `starts` and `ends` are the claimed regions. `committed` are the types kept
    in objects of their own: the object's address -> the type's address and size. `tables` are the groups' B-trees and
    heaps as the links to them say: the group's address -> theirs.
    """

    view: View
    offsets: int = 8
    lengths: int = 8
    base: int = 0
    checked: int = 0
    total: int = 0
    committed: dict[int, tuple[int, int]] = field(default_factory=dict)
    tables: dict[int, tuple[int, int]] = field(default_factory=dict)
    types: dict[int, Any] = field(default_factory=dict)
    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))

    def need(self, at: int, size: int) -> bytes:
        """Exactly `size` bytes. Raises BrokenError beyond the end."""
        data = self.view.read(at, size)
        if len(data) != size or size < 0:
            raise BrokenError(f"{size} bytes are needed at {at}, beyond the end of the file", at)
        return data

    def number(self, at: int, size: int) -> int:
        """A little-endian unsigned integer. Raises BrokenError beyond the end."""
        return int.from_bytes(self.need(at, size), "little")

    def address(self, at: int) -> int | None:
        """An address, None for the undefined one (all bits set)."""
        value = self.number(at, self.offsets)
        return None if value == (1 << 8 * self.offsets) - 1 else value

    def length(self, at: int) -> int:
        """A length."""
        return self.number(at, self.lengths)

    def signature(self, at: int, expected: bytes, version: int) -> None:
        """Four letters and a version. Raises BrokenError."""
        found = self.need(at, 5)
        if found[:4] != expected:
            raise BrokenError(f"no {expected.decode()} structure stands where one is referred to", at)
        if found[4] != version:
            raise BrokenError(f"the {expected.decode()} structure has the version {found[4]}", at)

    def checksum(self, at: int, size: int) -> None:
        """`size` bytes and their checksum behind. Raises BrokenError; bounded in all, then left out."""
        stored = self.number(at + size, 4)
        self.checked += size
        if self.checked <= _CHECKED and lookup3(self.need(at, size)) != stored:
            raise BrokenError("a checksum is wrong", at)

    def claim(self, start: int, end: int) -> None:
        """These bytes are explained. Raises BrokenError beyond the end and, since honest structures never share bytes,
        when more was claimed than there is (this bounds all work); NotReadError when there are too many pieces.
        """
        if start < 0 or end > len(self.view):
            raise BrokenError(f"bytes {start} to {end} are referred to; the file has {len(self.view)}", start)
        if start >= end:
            return
        self.total += end - start
        if self.total > len(self.view):
            raise BrokenError("several structures use the same bytes", start)
        if self.ends and self.ends[-1] == start:
            self.ends[-1] = end
        elif len(self.starts) >= _CLAIMS:
            raise NotReadError(f"it has more than {_CLAIMS} separate pieces")
        else:
            self.starts.append(start)
            self.ends.append(end)

    def text(self, at: int, high: int) -> bytes:
        """Bytes up to a NUL, which must stand before `high`. Raises BrokenError."""
        stop = self.view.find(b"\0", at, min(high, len(self.view)))
        if stop < 0:
            raise BrokenError("a name has no end", at)
        return self.view.read(at, stop - at)


@dataclass(frozen=True)
class Super:
    """What the superblock says."""

    file: File
    root: int
    extension: int | None
    driver: int | None
    end: int


def superblock(view: View, base: int) -> Super:
    """Read the superblock at the start of the view, `base` bytes into the file. Raises BrokenError, NotReadError."""
    file = File(view, base=base)
    version = file.number(8, 1)
    if version > 3:
        raise NotReadError(f"its superblock has the version {version}")
    at = 9 if version >= 2 else 13
    file.offsets, file.lengths = file.number(at, 1), file.number(at + 1, 1)
    if file.offsets not in (2, 4, 8) or file.lengths not in (2, 4, 8):
        raise BrokenError("addresses have a size that the format does not allow", at)
    return _new(file) if version >= 2 else _old(file, version)


def _new(file: File) -> Super:
    size = 12 + 4 * file.offsets
    file.checksum(0, size)
    file.claim(0, size + 4)
    base, extension, end, root = (file.address(12 + n * file.offsets) for n in range(4))
    return _super(file, base, end, root, extension, None)


def _old(file: File, version: int) -> Super:
    at = 24 + 4 * version
    base, _, end, driver = (file.address(at + n * file.offsets) for n in range(4))
    entry = at + 4 * file.offsets
    root = file.address(entry + file.offsets)
    if root is not None and file.number(entry + 2 * file.offsets, 4) == 1:
        scratch = entry + 2 * file.offsets + 8
        file.tables[root] = (file.number(scratch, file.offsets), file.number(scratch + file.offsets, file.offsets))
    file.claim(0, entry + 2 * file.offsets + 24)
    return _super(file, base, end, root, None, driver)


def _super(
    file: File, base: int | None, end: int | None, root: int | None, extension: int | None, driver: int | None
) -> Super:
    if root is None or end is None or base is None:
        raise BrokenError("the superblock has no root group, base or end", 0)
    if base != file.base:
        raise NotReadError(f"its addresses count from {base}, its superblock stands at {file.base}")
    return Super(file, root, extension, driver, end - base)


def lookup3(data: bytes) -> int:
    """Bob Jenkins' lookup3 hash (public domain, burtleburtle.net/bob/c/lookup3.c), as HDF5 uses it for metadata."""
    size = len(data)
    a = b = c = (0xDEADBEEF + size) & _MASK
    at = 0
    while size - at > 12:
        a = (a + int.from_bytes(data[at : at + 4], "little")) & _MASK
        b = (b + int.from_bytes(data[at + 4 : at + 8], "little")) & _MASK
        c = (c + int.from_bytes(data[at + 8 : at + 12], "little")) & _MASK
        a = (a - c & _MASK) ^ _turn(c, 4)
        c = c + b & _MASK
        b = (b - a & _MASK) ^ _turn(a, 6)
        a = a + c & _MASK
        c = (c - b & _MASK) ^ _turn(b, 8)
        b = b + a & _MASK
        a = (a - c & _MASK) ^ _turn(c, 16)
        c = c + b & _MASK
        b = (b - a & _MASK) ^ _turn(a, 19)
        a = a + c & _MASK
        c = (c - b & _MASK) ^ _turn(b, 4)
        b = b + a & _MASK
        at += 12
    if at == size:
        return c
    a = (a + int.from_bytes(data[at : at + 4], "little")) & _MASK
    b = (b + int.from_bytes(data[at + 4 : at + 8], "little")) & _MASK
    c = (c + int.from_bytes(data[at + 8 : at + 12], "little")) & _MASK
    for first, turn in (("c", 14), ("a", 11), ("b", 25), ("c", 16), ("a", 4), ("b", 14), ("c", 24)):
        if first == "c":
            c = (c ^ b) - _turn(b, turn) & _MASK
        elif first == "a":
            a = (a ^ c) - _turn(c, turn) & _MASK
        else:
            b = (b ^ a) - _turn(a, turn) & _MASK
    return c


def _turn(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK
