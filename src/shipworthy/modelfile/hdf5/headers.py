"""Object headers of both versions: the messages that describe a group, a dataset or a committed type (section IV.A)."""

from __future__ import annotations

from shipworthy.modelfile.hdf5.low import BrokenError, File, NotReadError
from shipworthy.records import dataclass

NIL, SPACE, LINKS, TYPE, FILL_OLD, FILL, LINK, EXTERNAL, LAYOUT, GROUP, FILTERS, ATTRIBUTE = (
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0A, 0x0B, 0x0C,
)  # fmt: skip
SHARED_TABLE, CONTINUATION, TABLE, DRIVER, ATTRIBUTES = 0x0F, 0x10, 0x11, 0x14, 0x15
_KNOWN = frozenset([*range(0x19)]) - {0x18}
_MESSAGES = 200_000
_DEPTH = 16
_PARTS = 10_000


@dataclass(frozen=True)
class Message:
    """`at` is the address of the body, `size` its length in bytes."""

    kind: int
    at: int
    size: int
    shared: bool


def messages(file: File, at: int) -> list[Message]:
    """All messages of the header at an address. Raises BrokenError, NotReadError."""
    return _Header(file, at).read()


class _Header:
    def __init__(self, file: File, at: int) -> None:
        self.file, self.at = file, at
        self.found: list[Message] = []
        self.pending: list[tuple[int, int]] = []
        self.seen: set[int] = set()
        self.ordered = False

    def read(self) -> list[Message]:
        if self.file.need(self.at, 4) == b"OHDR":
            self.new()
        else:
            self.old()
        return self.found

    def old(self) -> None:
        file, at = self.file, self.at
        if file.number(at, 1) != 1:
            raise BrokenError("no object header stands where one is referred to", at)
        size = file.number(at + 8, 4)
        file.claim(at, at + 16)
        self.pending.append((at + 16, size))
        while self.pending:
            low, size = self.pending.pop(0)
            self.once(low)
            self.chunk_old(low, low + size)

    def once(self, low: int) -> None:
        if low in self.seen or len(self.found) > _MESSAGES:
            raise BrokenError("an object header leads back into itself", low)
        self.seen.add(low)

    def chunk_old(self, low: int, high: int) -> None:
        while low + 8 <= high:
            head = self.file.need(low, 8)
            kind, size = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
            self.file.claim(low, low + 8)
            self.add(kind, low + 8, size, head[4], high)
            low += 8 + size
        self.file.claim(low, high)

    def new(self) -> None:
        file, at = self.file, self.at
        file.signature(at, b"OHDR", 2)
        flags = file.number(at + 5, 1)
        self.ordered = bool(flags & 4)
        here = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = file.number(here, width)
        here += width
        file.checksum(at, here + size - at)
        file.claim(at, here)
        self.chunk_new(here, here + size)
        while self.pending:
            low, size = self.pending.pop(0)
            self.once(low)
            if size < 8 or file.need(low, 4) != b"OCHK":
                raise BrokenError("no continuation stands where one is referred to", low)
            file.checksum(low, size - 4)
            file.claim(low, low + 4)
            self.chunk_new(low + 4, low + size - 4)

    def chunk_new(self, low: int, high: int) -> None:
        head_size = 6 if self.ordered else 4
        while low + head_size <= high:
            head = self.file.need(low, 4)
            size = int.from_bytes(head[1:3], "little")
            self.file.claim(low, low + head_size)
            self.add(head[0], low + head_size, size, head[3], high)
            low += head_size + size
        self.file.claim(high, high + 4)

    def add(self, kind: int, at: int, size: int, flags: int, high: int) -> None:
        if at + size > high:
            raise BrokenError("a message reaches beyond its object header", at)
        if kind == NIL:  # free space: what it holds must be nothing
            return
        if kind not in _KNOWN:
            raise NotReadError(f"it has header messages of the type {kind:#x}")
        self.file.claim(at, at + size)
        if kind == CONTINUATION:
            start = self.file.address(at)
            if start is None:
                raise BrokenError("an object header continues nowhere", at)
            self.pending.append((start, self.file.length(at + self.file.offsets)))
            return
        self.found.append(Message(kind, at, size, bool(flags & 2)))
        if len(self.found) > _MESSAGES:
            raise BrokenError("an object header has too many messages", at)


@dataclass(frozen=True)
class Type:
    """A datatype: class and size of an element in bytes, `inner` of a variable-length or array type, and where in an
    element the variable-length parts lie.
    """

    kind: int
    size: int
    end: int
    varying: tuple[int, ...] = ()


@dataclass(frozen=True)
class Space:
    """A dataspace: the number of elements, None for the null space."""

    dims: tuple[int, ...]
    null: bool = False

    @property
    def count(self) -> int:
        """Elements."""
        found = 0 if self.null else 1
        for size in self.dims:
            found *= size
        return found


def space(file: File, at: int) -> Space:
    """Read a dataspace message. Raises BrokenError."""
    version, rank = file.number(at, 1), file.number(at + 1, 1)
    if version not in (1, 2) or rank > 32:
        raise BrokenError("a dataspace has a version or rank that the format does not allow", at)
    first = at + (8 if version == 1 else 4)
    dims = tuple(file.length(first + n * file.lengths) for n in range(rank))
    return Space(dims, version == 2 and file.number(at + 3, 1) == 2)


def datatype(file: File, at: int, stop: int, depth: int = 0) -> Type:
    """Read a datatype, which must end before `stop`. Raises BrokenError, NotReadError."""
    if at + 8 > stop:
        raise BrokenError("a datatype is longer than its message", at)
    if depth > _DEPTH:
        raise BrokenError("datatypes are nested deeper than any real one", at)
    head = file.need(at, 8)
    kind, version, size = head[0] & 0xF, head[0] >> 4, int.from_bytes(head[4:8], "little")
    body = at + 8
    if kind in (0, 4):
        return Type(kind, size, body + 4)
    if kind == 1:
        return Type(kind, size, body + 12)
    if kind == 2:
        return Type(kind, size, body + 2)
    if kind in (3, 7):
        return Type(kind, size, body)
    if kind == 5:
        return Type(kind, size, body + (head[1] + 7) // 8 * 8)
    if kind == 6:
        return _compound(file, body, stop, size, version, int.from_bytes(head[1:3], "little"), depth)
    if kind == 8:
        return _enum(file, body, stop, size, version, int.from_bytes(head[1:3], "little"), depth)
    if kind == 9:
        inner = datatype(file, body, stop, depth + 1)
        if size != 8 + file.offsets:
            raise BrokenError("a variable-length type has a size that the format does not allow", at)
        return Type(kind, size, inner.end, (0,))
    if kind == 10:
        return _array(file, body, stop, size, version, depth)
    raise NotReadError(f"it has a datatype of the class {kind}")


def _name(file: File, at: int, padded: bool) -> int:
    """The address behind a NUL-ended name."""
    size = len(file.text(at, at + 4096)) + 1
    return at + ((size + 7) // 8 * 8 if padded else size)


def _compound(file: File, at: int, stop: int, size: int, version: int, members: int, depth: int) -> Type:
    varying: list[int] = []
    for _ in range(members):
        at = _name(file, at, version < 3)
        width = 4 if version < 3 else max(1, (size.bit_length() + 7) // 8)
        offset = file.number(at, width)
        at += width + (28 if version == 1 else 0)
        inner = datatype(file, at, stop, depth + 1)
        if offset + inner.size > size:
            raise BrokenError("a member of a compound type lies outside of it", at)
        varying += [offset + place for place in inner.varying]
        at = inner.end
        if len(varying) * 16 > max(size, 16):
            raise BrokenError("parts of a compound type overlap", at)
    return Type(6, size, at, tuple(varying))


def _enum(file: File, at: int, stop: int, size: int, version: int, members: int, depth: int) -> Type:
    inner = datatype(file, at, stop, depth + 1)
    at = inner.end
    for _ in range(members):
        at = _name(file, at, version < 3)
        if at > stop:
            raise BrokenError("a datatype is longer than its message", at)
    return Type(8, size, at + members * inner.size)


def _array(file: File, at: int, stop: int, size: int, version: int, depth: int) -> Type:
    rank = file.number(at, 1)
    at += (1 if version >= 3 else 4) + rank * (4 if version >= 3 else 8)
    inner = datatype(file, at, stop, depth + 1)
    if inner.varying:
        if size // max(inner.size, 1) * len(inner.varying) > _PARTS:
            raise NotReadError(f"it has elements of more than {_PARTS} parts")
        places = [n + p for n in range(0, size, max(inner.size, 1)) for p in inner.varying]
        return Type(10, size, inner.end, tuple(places))
    return Type(10, size, inner.end)
