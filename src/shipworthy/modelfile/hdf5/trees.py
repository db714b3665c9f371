"""B-trees of both versions (sections III.A), walked without recursion; every node at most once."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.hdf5.low import BrokenError, File

_NODES = 1_000_000


def leaves(file: File, root: int, kind: int, key_size: int) -> Iterator[tuple[int, int]]:
    """Version 1: the (address of the key, address of the child) of every entry of level 0.

    Raises BrokenError.
    """
    pending: list[tuple[int, int | None]] = [(root, None)]
    seen: set[int] = set()
    while pending:
        at, expected = pending.pop()
        if at in seen or len(seen) > _NODES:
            raise BrokenError("a B-tree leads back into itself", at)
        seen.add(at)
        head = file.need(at, 8)
        level, used = head[5], int.from_bytes(head[6:8], "little")
        if head[:4] != b"TREE" or head[4] != kind or (expected is not None and level != expected):
            raise BrokenError("no B-tree node of the right kind stands where one is referred to", at)
        first = at + 8 + 2 * file.offsets
        step = key_size + file.offsets
        file.claim(at, first + used * step + key_size)
        for number in range(used):
            key = first + number * step
            child = file.address(key + key_size)
            if child is None:
                raise BrokenError("a B-tree has an entry without a child", key)
            if level:
                pending.append((child, level - 1))
            else:
                yield key, child


def records(file: File, at: int) -> Iterator[tuple[int, int, int]]:
    """Version 2: (type of the tree, address of the record, its size) of every record. Raises BrokenError."""
    file.signature(at, b"BTHD", 0)
    kind, node, size, depth = (
        file.number(at + 5, 1), file.number(at + 6, 4), file.number(at + 10, 2), file.number(at + 12, 2),
    )  # fmt: skip
    root, count = file.address(at + 16), file.number(at + 16 + file.offsets, 2)
    end = at + 18 + file.offsets + file.lengths
    file.checksum(at, end - at)
    file.claim(at, end + 4)
    if root is None or not count:
        return
    if not size or node < 10 + size or depth > 32:
        raise BrokenError("a B-tree has impossible sizes", at)
    widths, count_size = _widths(file, node, size, depth)
    pending = [(root, count, depth)]
    seen: set[int] = set()
    while pending:
        here, used, level = pending.pop()
        if here in seen or len(seen) > _NODES:
            raise BrokenError("a B-tree leads back into itself", here)
        seen.add(here)
        file.signature(here, b"BTIN" if level else b"BTLF", 0)
        stop = here + 6 + used * size
        for record in range(here + 6, stop, size):
            yield kind, record, size
        if level:
            step = file.offsets + count_size + widths[level - 1]
            for child in range(stop, stop + (used + 1) * step, step):
                address = file.address(child)
                if address is None:
                    raise BrokenError("a B-tree has an entry without a child", child)
                pending.append((address, file.number(child + file.offsets, count_size), level - 1))
            stop += (used + 1) * step
        file.checksum(here, stop - here)
        file.claim(here, stop + 4)


def _widths(file: File, node: int, size: int, depth: int) -> tuple[list[int], int]:
    """The sizes of the fields "total number of records" for children at each level, and of "number of records"."""
    most = (node - 10) // size
    count_size = _encoded(most)
    widths, total = [0], most
    for level in range(1, depth + 1):
        pointer = file.offsets + count_size + widths[level - 1]
        here = max((node - 10 - pointer) // (size + pointer), 1)
        total = (here + 1) * total + here
        widths.append(_encoded(total))
    return widths, count_size


def _encoded(limit: int) -> int:
    return max(limit.bit_length() - 1, 0) // 8 + 1
