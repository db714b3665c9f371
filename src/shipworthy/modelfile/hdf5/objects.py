"""What lies in an object header: links, attributes, layouts, filters (section IV.A.2)."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.hdf5 import headers
from shipworthy.modelfile.hdf5.headers import Message, Space, Type
from shipworthy.modelfile.hdf5.heaps import FractalHeap, GlobalHeaps, LocalHeap, fractal_heap, local_heap
from shipworthy.modelfile.hdf5.low import BrokenError, File, NotReadError
from shipworthy.modelfile.hdf5.trees import leaves, records
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

_VALUES = 100_000
_COMMITTED = 1_000


@dataclass(frozen=True)
class Link:
    """`kind`: 0 hard (`target` is an address), 1 soft, 64 external, others user-defined (`value` is what they hold)."""

    name: bytes
    kind: int
    target: int
    value: bytes = b""


@dataclass(frozen=True)
class Attribute:
    """`values` are the views of its strings or of its raw bytes."""

    name: bytes
    type: Type
    space: Space
    values: tuple[View, ...]


def shared(file: File, message: Message, kind: int) -> tuple[int, int]:
    """Where a message's body begins and ends, looking up one that is kept in another object. Raises NotReadError."""
    return _shared(file, message.at, kind) if message.shared else (message.at, message.at + message.size)


def _shared(file: File, at: int, kind: int) -> tuple[int, int]:
    version = file.number(at, 1)
    if version not in (1, 2, 3) or (version == 3 and file.number(at + 1, 1) == 1):
        raise NotReadError("it keeps header messages in a table of shared ones")
    target = file.address(at + (8 if version == 1 else 2))
    if target is None:
        raise BrokenError("a shared message is missing", at)
    if target in file.committed:
        return file.committed[target]
    if len(file.committed) >= _COMMITTED:
        raise NotReadError(f"it has more than {_COMMITTED} committed types")
    probe = File(file.view, file.offsets, file.lengths)  # the header itself is claimed when it is walked to
    for message in headers.messages(probe, target):
        if message.kind == kind and not message.shared:
            file.committed[target] = (message.at, message.at + message.size)
            return file.committed[target]
    raise BrokenError("a shared message is missing", target)


def links(file: File, at: int, found: list[Message]) -> Iterator[Link]:
    """Every link of the group at an address. Raises BrokenError, NotReadError."""
    for message in found:
        if message.kind == headers.LINK:
            yield link(file, message.at)
        elif message.kind == headers.TABLE:
            tree, heap = file.address(message.at), file.address(message.at + file.offsets)
            if tree is None or heap is None:
                raise BrokenError("a group has no symbol table", message.at)
            if file.tables.setdefault(at, (tree, heap)) != (tree, heap):
                raise BrokenError("a link names other tables for a group than the group itself", at)
            names = local_heap(file, heap)
            for _, node in leaves(file, tree, 0, file.lengths):
                yield from symbols(file, node, names)
        elif message.kind == headers.LINKS:
            flags = file.number(message.at + 1, 1)
            here = message.at + 2 + (8 if flags & 1 else 0)
            for start, _ in dense(file, here, 5, 4):
                yield link(file, start)


def dense(file: File, at: int, wanted: int, skipped: int) -> Iterator[tuple[int, int]]:
    """The objects of a heap that a B-tree indexes by name, by records of the type `wanted`."""
    heap_at, names_at = file.address(at), file.address(at + file.offsets)
    if heap_at is None:
        return
    if names_at is None:
        raise BrokenError("a heap has no index", at)
    heap: FractalHeap = fractal_heap(file, heap_at)
    for kind, record, size in records(file, names_at):
        if kind != wanted:
            raise BrokenError("a B-tree has records of another kind", record)
        yield heap.span(record + skipped, size - skipped)


def order_index(file: File, at: int) -> None:
    """The second index of dense storage, by creation order: walked for its bytes."""
    for _ in records(file, at):
        pass


def symbols(file: File, at: int, names: LocalHeap) -> Iterator[Link]:
    """The entries of a symbol table node (section III.C)."""
    file.signature(at, b"SNOD", 1)
    count = file.number(at + 6, 2)
    step = 2 * file.offsets + 24
    file.claim(at, at + 8 + count * step)
    for entry in range(at + 8, at + 8 + count * step, step):
        name = names.text(file, file.number(entry, file.offsets))
        cache = file.number(entry + 2 * file.offsets, 4)
        if cache == 2:
            yield Link(name, 1, 0, names.text(file, file.number(entry + 2 * file.offsets + 8, 4)))
            continue
        target = file.address(entry + file.offsets)
        if target is None or cache > 1:
            raise BrokenError("an entry of a symbol table leads nowhere", entry)
        scratch = entry + 2 * file.offsets + 8
        if cache == 1:  # a copy of the group's addresses, which some versions of the library take instead
            copy = (file.number(scratch, file.offsets), file.number(scratch + file.offsets, file.offsets))
            if file.tables.setdefault(target, copy) != copy:
                raise BrokenError("a link names other tables for a group than the group itself", entry)
        yield Link(name, 0, target)


def link(file: File, at: int) -> Link:
    """A link message."""
    if file.number(at, 1) != 1:
        raise BrokenError("a link has a version that the format does not know", at)
    flags = file.number(at + 1, 1)
    here = at + 2
    kind = 0
    if flags & 8:
        kind, here = file.number(here, 1), here + 1
    here += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = file.number(here, width)
    name = file.need(here + width, size)
    here += width + size
    if kind == 0:
        target = file.address(here)
        if target is None:
            raise BrokenError("a link leads nowhere", at)
        return Link(name, 0, target)
    return Link(name, kind, 0, file.need(here + 2, file.number(here, 2)))


def attributes(file: File, found: list[Message], heaps: GlobalHeaps) -> Iterator[Attribute]:
    """Every attribute of an object. Raises BrokenError, NotReadError."""
    for message in found:
        if message.kind == headers.ATTRIBUTE:
            if message.shared:
                raise NotReadError("it keeps attributes in a table of shared ones")
            yield attribute(file, message.at, message.at + message.size, heaps)
        elif message.kind == headers.ATTRIBUTES:
            flags = file.number(message.at + 1, 1)
            here = message.at + 2 + (2 if flags & 1 else 0)
            if flags & 2:
                _order(file, here)
            for start, size in dense(file, here, 8, 0):
                yield attribute(file, start, start + size, heaps)


def _order(file: File, at: int) -> None:
    index = file.address(at + 2 * file.offsets)
    if index is not None and file.address(at) is not None:
        order_index(file, index)


def link_order(file: File, found: list[Message]) -> None:
    """Walk the index of a group's links by creation order, for its bytes."""
    for message in found:
        if message.kind == headers.LINKS:
            flags = file.number(message.at + 1, 1)
            if flags & 2:
                _order(file, message.at + 2 + (8 if flags & 1 else 0))


def attribute(file: File, at: int, stop: int, heaps: GlobalHeaps) -> Attribute:
    """An attribute message."""
    version, flags = file.number(at, 1), file.number(at + 1, 1)
    if version not in (1, 2, 3):
        raise BrokenError("an attribute has a version that the format does not know", at)
    sizes = [file.number(at + 2 + 2 * n, 2) for n in range(3)]
    here = at + (9 if version == 3 else 8)
    places = []
    for size in sizes:
        places.append(here)
        here += (size + 7) // 8 * 8 if version == 1 else size
    flags = 0 if version == 1 else flags
    name = file.need(places[0], sizes[0]).rstrip(b"\0")
    inside = (places[1], places[1] + sizes[1])
    kind = typed(file, *(_shared(file, places[1], headers.TYPE) if flags & 1 else inside))
    space = headers.space(file, _shared(file, places[2], headers.SPACE)[0] if flags & 2 else places[2])
    size = space.count * kind.size
    if here + size > stop:
        raise BrokenError(f"the attribute {ascii(name)[2:-1][:58]} is longer than its message", at)
    return Attribute(name, kind, space, tuple(values(file, kind, here, size, heaps)))


def typed(file: File, at: int, stop: int) -> Type:
    """The datatype between two addresses, parsed once however often it is referred to. Raises BrokenError."""
    if at not in file.types:
        file.types[at] = headers.datatype(file, at, stop)
    found: Type = file.types[at]
    return found


def values(file: File, kind: Type, at: int, size: int, heaps: GlobalHeaps) -> Iterator[View]:
    """The raw bytes, and what lies in the global heap."""
    if kind.kind != 9:
        yield file.view.sub(at, size)
    if not kind.varying or not kind.size:
        return
    if size // kind.size * len(kind.varying) > _VALUES:
        raise NotReadError(f"an attribute has more than {_VALUES} values")
    for element in range(at, at + size, kind.size):
        for place in kind.varying:
            heap, index = file.address(element + place + 4), file.number(element + place + 4 + file.offsets, 4)
            if heap and index:
                start, length = heaps.span(heap, index)
                yield file.view.sub(start, length)
