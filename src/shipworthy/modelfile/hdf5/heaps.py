"""Where HDF5 keeps names and values of varying size: local, global and fractal heaps (sections III.D, III.E, III.G)."""

from __future__ import annotations

from shipworthy.modelfile.hdf5.low import BrokenError, File, NotReadError
from shipworthy.modelfile.hdf5.trees import records
from shipworthy.records import dataclass, field

_BLOCKS = 100_000
_LEVELS = 16
_NO_MORE = 1


@dataclass(frozen=True)
class LocalHeap:
    """`data` is the address of `size` bytes that hold NUL-ended names."""

    data: int
    size: int

    def text(self, file: File, offset: int) -> bytes:
        """The name at an offset. Raises BrokenError."""
        if offset >= self.size:
            raise BrokenError("a name lies outside of its heap", self.data)
        found = file.text(self.data + offset, self.data + self.size)
        start = self.data + offset
        file.claim(start, start + len(found) + 1)
        return found


def local_heap(file: File, at: int) -> LocalHeap:
    """Read a local heap's header. Raises BrokenError."""
    file.signature(at, b"HEAP", 0)
    size, data = file.length(at + 8), file.address(at + 8 + 2 * file.lengths)
    file.claim(at, at + 8 + 2 * file.lengths + file.offsets)
    if data is None:
        raise BrokenError("a local heap has no data", at)
    if data + size > len(file.view):
        raise BrokenError("a local heap reaches beyond the end of the file", at)
    free, before = file.length(at + 8 + file.lengths), -1
    while free not in (_NO_MORE, (1 << 8 * file.lengths) - 1):  # free blocks: offset of the next, size
        if free <= before or free + 2 * file.lengths > size:
            raise BrokenError("the free blocks of a local heap are out of order", at)
        file.claim(data + free, data + free + 2 * file.lengths)
        before, free = free, file.length(data + free)
    return LocalHeap(data, size)


@dataclass
class GlobalHeaps:
    """All global heap collections met so far: address -> index -> (address, size)."""

    file: File
    known: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def span(self, at: int, index: int) -> tuple[int, int]:
        """Where an object lies: its address and its size in bytes. Raises BrokenError."""
        if at not in self.known:
            self.known[at] = self.collection(at)
        if index not in self.known[at]:
            raise BrokenError(f"the global heap has no object {index}", at)
        return self.known[at][index]

    def collection(self, at: int) -> dict[int, tuple[int, int]]:
        """Read a collection. Raises BrokenError."""
        file = self.file
        file.signature(at, b"GCOL", 1)
        head = 8 + file.lengths
        stop = at + file.length(at + 8)
        if stop > len(file.view) or stop < at + head:
            raise BrokenError("a global heap reaches beyond the end of the file", at)
        file.claim(at, at + head)
        found: dict[int, tuple[int, int]] = {}
        here = at + head
        while here + head <= stop:
            index, size = file.number(here, 2), file.length(here + 8)
            if index == 0:  # what is left
                file.claim(here, here + head)
                break
            following = here + head + (size + 7) // 8 * 8
            if following > stop or index in found:
                raise BrokenError("an object of a global heap reaches beyond it or is there twice", here)
            found[index] = (here + head, size)
            file.claim(here, here + head + size)
            here = following
        return found


@dataclass
class FractalHeap:
    """A fractal heap: `blocks` are its direct blocks, (offset in the heap, size, address), in order."""

    file: File
    offset_size: int
    length_size: int
    blocks: list[tuple[int, int, int]]
    huge: int | None
    huge_direct: bool
    found: dict[int, tuple[int, int]] | None = None

    def span(self, at: int, size: int) -> tuple[int, int]:
        """Where the object of the heap ID at an address lies: its address and its size. Raises BrokenError."""
        file = self.file
        kind = file.number(at, 1)
        if kind >> 6:
            raise BrokenError("a heap ID has an unknown version", at)
        if kind & 0x30 == 0x20:
            if size > 17:
                raise NotReadError("it has tiny objects of the extended kind")
            return at + 1, (kind & 0xF) + 1
        if kind & 0x30 == 0x10:
            return self.huge_span(at)
        offset = file.number(at + 1, self.offset_size)
        length = file.number(at + 1 + self.offset_size, self.length_size)
        start = self.locate(offset, length, at)
        file.claim(start, start + length)
        return start, length

    def locate(self, offset: int, length: int, at: int) -> int:
        """The address of a managed object."""
        low, high = 0, len(self.blocks)
        while low < high:
            middle = (low + high) // 2
            begin, size, address = self.blocks[middle]
            if offset < begin:
                high = middle
            elif offset >= begin + size:
                low = middle + 1
            elif offset + length > begin + size:
                break
            else:
                return address + offset - begin
        raise BrokenError("a heap ID leads outside of its heap", at)

    def huge_span(self, at: int) -> tuple[int, int]:
        """A huge object: by its address in the ID, or by a B-tree."""
        file = self.file
        if self.huge_direct:
            start, length = file.address(at + 1), file.length(at + 1 + file.offsets)
        else:
            if self.huge is None:
                raise BrokenError("a huge object has no index", at)
            if self.found is None:
                self.found = {}
                for kind, record, _ in records(file, self.huge):
                    if kind != 1:
                        raise NotReadError("it has filtered huge objects")
                    key = file.length(record + file.offsets + file.lengths)
                    self.found[key] = (file.number(record, file.offsets), file.length(record + file.offsets))
            start, length = self.found.get(file.number(at + 1, min(file.lengths, 8)), (None, 0))
        if start is None:
            raise BrokenError("a huge object is missing", at)
        file.claim(start, start + length)
        return start, length


def fractal_heap(file: File, at: int) -> FractalHeap:
    """Read a fractal heap's header and find its direct blocks. Raises BrokenError, NotReadError."""
    file.signature(at, b"FRHP", 0)
    offsets, lengths = file.offsets, file.lengths
    id_size, filtered, flags, most = (
        file.number(at + 5, 2), file.number(at + 7, 2), file.number(at + 9, 1), file.number(at + 10, 4),
    )  # fmt: skip
    if filtered:
        raise NotReadError("it has a filtered heap")
    here = at + 14 + lengths
    huge = file.address(here)
    manager = file.address(here + offsets + lengths)
    here += 2 * offsets + lengths + 8 * lengths
    width, start, largest = file.number(here, 2), file.length(here + 2), file.length(here + 2 + lengths)
    bits = file.number(here + 2 + 2 * lengths, 2)
    root = file.address(here + 6 + 2 * lengths)
    rows = file.number(here + 6 + 2 * lengths + offsets, 2)
    end = here + 8 + 2 * lengths + offsets
    file.checksum(at, end - at)
    file.claim(at, end + 4)
    if manager is not None:
        _free_space(file, manager)
    if not width or start < 1 or start & (start - 1) or largest < start or bits > 64 or not bits:
        raise BrokenError("a fractal heap has impossible sizes", at)
    offset_size = (bits + 7) // 8
    length_size = min((largest.bit_length() - 1) // 8 + 1, (max(most.bit_length() - 1, 0) + 7) // 8)
    table = _Table(file, at, width, start, largest, offset_size, 4 if flags & 2 else 0)
    blocks = table.blocks(root, rows) if root is not None else []
    return FractalHeap(file, offset_size, max(length_size, 1), blocks, huge, id_size - 1 >= offsets + lengths)


def _free_space(file: File, at: int) -> None:
    file.signature(at, b"FSHD", 0)
    here = at + 6 + 4 * file.lengths + 8
    sections, used = file.address(here + file.lengths), file.length(here + file.lengths + file.offsets)
    end = here + 3 * file.lengths + file.offsets
    file.checksum(at, end - at)
    file.claim(at, end + 4)
    if sections is not None and used:
        file.signature(sections, b"FSSE", 0)
        file.claim(sections, sections + used)


@dataclass(frozen=True)
class _Table:
    """The doubling table of a fractal heap."""

    file: File
    heap: int
    width: int
    start: int
    largest: int
    offset_size: int
    check_size: int

    def row_size(self, row: int) -> int:
        return self.start << max(row - 1, 0)

    def blocks(self, root: int, rows: int) -> list[tuple[int, int, int]]:
        """All direct blocks in the order of the heap's address space."""
        if not rows:
            self.direct(root)
            return [(0, self.start, root)]
        found: list[tuple[int, int, int]] = []
        pending = [(root, rows, 0, 0)]
        seen: set[int] = set()
        while pending:
            at, count, base, level = pending.pop()
            if at in seen or level > _LEVELS or len(found) > _BLOCKS or count > 64:
                raise BrokenError("a fractal heap's blocks are nested or shared", at)
            seen.add(at)
            self.indirect(at, count, base, level, found, pending)
        return sorted(found)

    def indirect(
        self, at: int, rows: int, base: int, level: int, found: list[tuple[int, int, int]],
        pending: list[tuple[int, int, int, int]],
    ) -> None:  # fmt: skip
        file = self.file
        file.signature(at, b"FHIB", 0)
        here = at + 5 + file.offsets + self.offset_size
        offset = base
        for row in range(rows):
            size = self.row_size(row)
            for _ in range(self.width):
                child = file.address(here)
                here += file.offsets
                if child is not None and size <= self.largest:
                    self.direct(child)
                    found.append((offset, size, child))
                elif child is not None:
                    inner = size.bit_length() - (self.start * self.width).bit_length() + 1
                    pending.append((child, inner, offset, level + 1))
                offset += size
        file.checksum(at, here - at)
        file.claim(at, here + 4)

    def direct(self, at: int) -> None:
        file = self.file
        file.signature(at, b"FHDB", 0)
        file.claim(at, at + 5 + file.offsets + self.offset_size + self.check_size)
