"""Datasets: where their bytes lie, in which filters, and how many they are (section IV.A.2)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from shipworthy.modelfile.hdf5 import headers
from shipworthy.modelfile.hdf5.headers import Message, Space, Type
from shipworthy.modelfile.hdf5.low import BrokenError, File, NotReadError
from shipworthy.modelfile.hdf5.objects import shared, typed
from shipworthy.modelfile.hdf5.trees import leaves, records
from shipworthy.records import dataclass, field

DEFLATE, SHUFFLE, FLETCHER = 1, 2, 3
# Filters of the library itself, and those that h5py and PyTables bring along; all others are plugins.
BUILT_IN = frozenset((1, 2, 3, 4, 5, 6, 305, 307, 32000, 32001, 32026))
_CHUNKS = 1_000_000


@dataclass
class Dataset:
    """`spans` are the stored pieces, (address, bytes, filters left out); `wanted` the bytes of one piece once unpacked.

    `virtual` is the global heap's object with the mapping to other files.
    """

    type: Type
    space: Space
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    filters: tuple[int, ...] = ()
    wanted: int = 0
    external: tuple[bytes, ...] = ()
    virtual: tuple[int, int] | None = None
    chunked: bool = False

    @property
    def bytes(self) -> int:
        """What reading all of it takes in memory."""
        return self.space.count * self.type.size


def dataset(file: File, found: list[Message]) -> Dataset:
    """Read a dataset's messages and its index of chunks. Raises BrokenError, NotReadError."""
    by_kind = {message.kind: message for message in found}
    for kind in (headers.TYPE, headers.SPACE, headers.LAYOUT):
        if kind not in by_kind:
            raise BrokenError("a dataset lacks its type, its space or its layout", found[0].at if found else None)
    kind_ = typed(file, *shared(file, by_kind[headers.TYPE], headers.TYPE))
    space = headers.space(file, shared(file, by_kind[headers.SPACE], headers.SPACE)[0])
    result = Dataset(kind_, space)
    if headers.FILTERS in by_kind:
        result.filters = tuple(filters(file, shared(file, by_kind[headers.FILTERS], headers.FILTERS)[0]))
    if headers.EXTERNAL in by_kind:
        result.external = tuple(external(file, by_kind[headers.EXTERNAL].at))
    _layout(file, by_kind[headers.LAYOUT].at, result)
    for start, size, _ in result.spans:
        file.claim(start, start + size)
    return result


def filters(file: File, at: int) -> Iterator[int]:
    """The numbers of a pipeline's filters."""
    version, count = file.number(at, 1), file.number(at + 1, 1)
    if version not in (1, 2) or count > 32:
        raise BrokenError("a filter pipeline is not one of the format", at)
    here = at + (8 if version == 1 else 2)
    for _ in range(count):
        number = file.number(here, 2)
        named = version == 1 or number >= 256
        size = file.number(here + 2, 2) if named else 0
        here += 4 if named else 2
        values = file.number(here + 2, 2)
        here += 4 + ((size + 7) // 8 * 8 if version == 1 else size) + 4 * values
        here += 4 if version == 1 and values % 2 else 0
        yield number


def external(file: File, at: int) -> Iterator[bytes]:
    """The names of the files where the raw bytes lie."""
    from shipworthy.modelfile.hdf5.heaps import local_heap

    used, heap = file.number(at + 6, 2), file.address(at + 8)
    if heap is None:
        raise BrokenError("a list of external files has no names", at)
    names = local_heap(file, heap)
    for slot in range(used):
        yield names.text(file, file.length(at + 8 + file.offsets + slot * 3 * file.lengths))


def _layout(file: File, at: int, result: Dataset) -> None:
    version = file.number(at, 1)
    if version in (1, 2):
        _layout_old(file, at, result)
    elif version in (3, 4, 5):
        _layout_new(file, at, result, version)
    else:
        raise NotReadError(f"a dataset's layout has the version {version}")


def _layout_old(file: File, at: int, result: Dataset) -> None:
    rank, kind = file.number(at + 1, 1), file.number(at + 2, 1)
    here = at + 8
    address = file.address(here) if kind else None
    here += file.offsets if kind else 0
    dims = [file.number(here + 4 * n, 4) for n in range(rank)]
    here += 4 * rank
    if kind == 0:
        _compact(file, here + 4, file.number(here, 4), result)
    elif kind == 1:
        _contiguous(address, result.bytes, result)
    elif kind == 2:
        _chunks_old(file, address, dims, result)  # the last is the size of an element
    else:
        raise BrokenError("a dataset has an unknown layout", at)


def _layout_new(file: File, at: int, result: Dataset, version: int) -> None:
    kind = file.number(at + 1, 1)
    if kind == 0:
        _compact(file, at + 4, file.number(at + 2, 2), result)
    elif kind == 1:
        size = file.length(at + 2 + file.offsets)
        if size != result.bytes and not result.external:
            text = f"a dataset's layout has {size} bytes, its shape and type ask for {result.bytes}"
            raise BrokenError(text, at)
        _contiguous(file.address(at + 2), size, result)
    elif kind == 2 and version == 3:
        rank = file.number(at + 2, 1)
        here = at + 3 + file.offsets
        _chunks_old(file, file.address(at + 3), [file.number(here + 4 * n, 4) for n in range(rank)], result)
    elif kind == 2:
        _chunks_new(file, at, result)
    elif kind == 3:
        heap = file.address(at + 2)
        result.virtual = (heap or 0, file.number(at + 2 + file.offsets, 4))
    else:
        raise BrokenError("a dataset has an unknown layout", at)


def _compact(file: File, at: int, size: int, result: Dataset) -> None:
    if size != result.bytes:
        raise BrokenError("a compact dataset's size does not fit its shape", at)
    result.spans.append((at, 0, 0))  # inside of the message, which is claimed
    file.need(at, size)


def _contiguous(address: int | None, size: int, result: Dataset) -> None:
    result.wanted = size
    if address is not None and not result.external:
        result.spans.append((address, size, 0))


def _piece(dims: list[int], result: Dataset) -> None:
    result.chunked = True
    result.wanted = 1
    for size in dims:
        result.wanted *= size


def _chunks_old(file: File, address: int | None, dims: list[int], result: Dataset) -> None:
    _piece(dims, result)
    if address is None:
        return
    for key, child in leaves(file, address, 1, 8 + 8 * len(dims)):
        _add(result, child, file.number(key, 4), file.number(key + 4, 4))


def _add(result: Dataset, address: int, size: int, mask: int) -> None:
    if len(result.spans) >= _CHUNKS:
        raise NotReadError(f"a dataset has more than {_CHUNKS} chunks")
    result.spans.append((address, size, mask))


def _chunks_new(file: File, at: int, result: Dataset) -> None:
    flags, rank, width = (file.number(at + n, 1) for n in (2, 3, 4))
    here = at + 5
    dims = [file.number(here + width * n, width) for n in range(rank)]
    here += width * rank
    kind = file.number(here, 1)
    here += 1
    _piece(dims, result)
    if kind == 1:
        size, mask = result.wanted, 0
        if flags & 2:
            size, mask = file.length(here), file.number(here + file.lengths, 4)
            here += file.lengths + 4
        address = file.address(here)
        if address is not None:
            _add(result, address, size, mask)
    elif kind == 2:
        address, count = file.address(here), 1
        for size, part in zip(result.space.dims, dims, strict=False):
            count *= -(-size // max(part, 1))
        if address is not None:
            result.spans.append((address, count * result.wanted, 0))
    elif kind == 3:
        _fixed_array(file, file.address(here + 1), result)
    elif kind == 5:
        _chunk_tree(file, file.address(here + 6), rank, result)
    else:
        raise NotReadError("a dataset's chunks are in an extensible array")


def _chunk_tree(file: File, at: int | None, rank: int, result: Dataset) -> None:
    if at is None:
        return
    for kind, record, size in records(file, at):
        address = file.number(record, file.offsets)
        if kind == 10:
            _add(result, address, result.wanted, 0)
        elif kind == 11:
            width = size - file.offsets - 4 - 8 * (rank - 1)
            stored = file.number(record + file.offsets, max(width, 0))
            _add(result, address, stored, file.number(record + file.offsets + width, 4))
        else:
            raise BrokenError("a B-tree has records of another kind", record)


def _fixed_array(file: File, at: int | None, result: Dataset) -> None:
    if at is None:
        return
    file.signature(at, b"FAHD", 0)
    client, entry, bits, count = (
        file.number(at + 5, 1), file.number(at + 6, 1), file.number(at + 7, 1), file.length(at + 8),
    )  # fmt: skip
    block = file.address(at + 8 + file.lengths)
    end = at + 8 + file.lengths + file.offsets
    file.checksum(at, end - at)
    file.claim(at, end + 4)
    if block is None:
        return
    if client > 1 or entry < file.offsets or count > _CHUNKS or bits > 32:
        raise BrokenError("an array of chunks has impossible sizes", at)
    file.signature(block, b"FADB", 0)
    here = block + 6 + file.offsets
    page = 1 << bits
    pages = -(-count // page) if count > page else 0
    here += (pages + 7) // 8
    if pages:
        file.checksum(block, here - block)
        here += 4
    file.claim(block, here)
    for first in range(0, count, page):
        used = min(page, count - first)
        for element in range(here, here + used * entry, entry):
            address = file.address(element)
            if address is None or (pages and not address):
                continue
            size = file.number(element + file.offsets, entry - file.offsets - 4) if client else result.wanted
            _add(result, address, size, file.number(element + entry - 4, 4) if client else 0)
        file.claim(here, here + used * entry + 4)
        here += used * entry + 4


def unpacked(
    file: File, span: tuple[int, int, int], result: Dataset, budget: int, spend: Callable[[int], None]
) -> int | None:
    """How many bytes a chunk unpacks to (None: by other filters than deflate), counting to `budget`; `spend` is told
    of every piece.

    Raises BrokenError when it is not a whole deflate stream.
    """
    start, size, mask = span
    active = [number for place, number in enumerate(result.filters) if not mask >> place & 1]
    if DEFLATE not in active or set(active) - {DEFLATE, SHUFFLE, FLETCHER}:
        return None
    if active[-1] == FLETCHER:
        size -= 4
    decoder, count, at = zlib.decompressobj(), 0, start
    pending = b""
    try:
        while not decoder.eof and count <= budget:
            if not pending:
                pending = file.view.read(at, min(1 << 16, start + size - at))
                at += len(pending)
                if not pending:
                    raise BrokenError("a chunk's compressed bytes are cut", start)
            piece = len(decoder.decompress(pending, 1 << 20))
            spend(piece)
            count += piece
            pending = decoder.unconsumed_tail
    except zlib.error as error:
        raise BrokenError("a chunk can't be unpacked", start) from error
    if decoder.eof and (decoder.unused_data or at < start + size):
        raise BrokenError("bytes follow a chunk's compressed data", start)
    return count
