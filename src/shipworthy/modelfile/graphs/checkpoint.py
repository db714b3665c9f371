"""TensorFlow's checkpoint index: a sorted table (LevelDB's format) of tensors and where they lie in the data files.

Sources: tensorflow/core/lib/io/{format.cc,block.cc}, tensorflow/core/protobuf/tensor_bundle.proto. The table must be
explained to the last byte; the data files beside it must be as long as it says.
"""

from __future__ import annotations

from functools import cache

from shipworthy.modelfile.graphs.walk import TruncatedError, parts
from shipworthy.modelfile.protobuf import BYTES, VARINT, signed, varint
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass, field

_FOOTER = 48
_TRAILER = 5
_CHECKED = 1 << 20
_ENTRIES = 2_000_000
_SHARDS = 100_000
# bytes of an element by DataType
_SIZES = {1: 4, 2: 8, 3: 4, 4: 1, 5: 2, 6: 1, 8: 8, 9: 8, 10: 1, 11: 1, 12: 1, 13: 4, 14: 2, 15: 2, 16: 2, 17: 2,
          18: 16, 19: 2, 22: 4, 23: 8, 24: 1, 25: 1}  # fmt: skip


class _BadTableError(Exception):
    pass


@dataclass
class _Index:
    shards: int = 0
    header: bool = False
    ends: dict[int, int] = field(default_factory=dict)
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


def read(scope: Scope, format_: str) -> int:  # noqa: ARG001 - every reader of a table has the same parameters
    """Read every block; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    index = _Index()
    try:
        _table(scope, index)
    except (_BadTableError, TruncatedError) as error:
        scope.issue(Code.BROKEN_STREAM, "high", f"the checkpoint index is broken: {ascii(str(error))[1:-1]}")
        return size
    if not index.header:
        scope.unknown("the table has no header of a checkpoint: it may be another kind of table")
    else:
        _shards(scope, index)
    return size


def _table(scope: Scope, index: _Index) -> None:
    view = scope.view
    footer = len(view) - _FOOTER
    if footer < 0:
        raise _BadTableError("it is too short")
    handles, at = [], footer
    for _ in range(4):
        value, at = varint(view, at, footer + 40)
        if at < 0:
            raise _BadTableError("its end does not lead to its blocks")
        handles.append(value)
    if any(view.read(at, footer + 40 - at)):
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", "the padding of the table's end holds data", at)
    blocks = [(handles[0], handles[1]), (handles[2], handles[3])]
    for meta, _ in _block(scope, *blocks[0]):
        scope.unknown(f"the table has a meta block {ascii(meta)[:60]}, which was not read")
    last = b""
    for _, place in _block(scope, *blocks[1]):
        handle = View.of(place)
        start, at = varint(handle, 0, len(handle))
        size, at = varint(handle, at, len(handle)) if at > 0 else (0, -1)
        if at < 0:
            raise _BadTableError("a block is not where its index says")
        if start < sum(blocks[-1]) and len(blocks) > 2:
            raise _BadTableError("its blocks overlap")
        blocks.append((start, size))
        for key, entry in _block(scope, start, size):
            if key <= last and last:
                raise _BadTableError("its names are not in order: readers find different tensors")
            last = key or b"\0"
            _entry(scope, index, key, entry)
    at = 0
    for start, size in sorted(blocks):
        if start < at:
            raise _BadTableError("its blocks overlap")
        if start > at:
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{start - at} bytes lie between the blocks", at)
        at = start + size + _TRAILER
    if at != footer:
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{footer - at} bytes lie before the table's end", at)


def _block(scope: Scope, start: int, size: int) -> list[tuple[bytes, bytes]]:
    """The entries of a block: each key shares its beginning with the one before."""
    view = scope.view
    if start + size + _TRAILER > len(view) - _FOOTER or size < 4:
        raise _BadTableError("a block reaches beyond the table")
    kind = view.read(start + size, 1)[0]
    if kind:
        scope.unknown(f"a block is compressed (kind {kind}), which this version does not read")
        return []
    if size <= _CHECKED:
        crc = _crc(view.read(start, size + 1))
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        if masked != view.u32(start + size + 1):
            scope.issue(Code.BROKEN_STREAM, "high", "the checksum of a block is wrong: it was changed", start)
    restarts = view.u32(start + size - 4)
    stop = start + size - 4 - 4 * restarts
    if stop < start or restarts < 1:
        raise _BadTableError("a block's end is not valid")
    found: list[tuple[bytes, bytes]] = []
    at, key = start, b""
    while at < stop:
        shared, at = varint(view, at, stop)
        more, at = varint(view, at, stop) if at > 0 else (0, -1)
        length, at = varint(view, at, stop) if at > 0 else (0, -1)
        if at < 0 or shared > len(key) or at + more + length > stop or shared + more > 1 << 16:
            raise _BadTableError("an entry of a block is not valid")
        key = key[:shared] + view.read(at, more)
        found.append((key, view.read(at + more, length)))
        at += more + length
        if len(found) > _ENTRIES:
            raise _BadTableError("a block has more entries than any model")
    return found


def _entry(scope: Scope, index: _Index, key: bytes, raw: bytes) -> None:
    view = View.of(raw)
    if not key:
        index.header = True
        numbers = {number: value for number, wire, _, _, value in parts(view, 0, len(raw)) if wire == VARINT}
        index.shards = numbers.get(1, 0)
        if index.shards > _SHARDS:
            raise _BadTableError("it has more data files than any model")
        return
    numbers = {}
    dims: list[int] = []
    sliced = False
    for number, wire, begin, end, value in parts(view, 0, len(raw)):
        if wire == VARINT:
            numbers[number] = signed(value)
        elif number == 2 and wire == BYTES:
            dims = _dims(view, begin, end)
        elif number == 7:
            sliced = True
    shard, offset, size = numbers.get(3, 0), numbers.get(4, 0), numbers.get(5, 0)
    shown = ascii(key.decode("utf-8", "replace"))[:100]
    if sliced and not size:
        return
    if not 0 <= shard < max(index.shards, 1) or offset < 0 or size < 0:
        message = f"the tensor {shown} lies outside of the data files"
        scope.issue(Code.BROKEN_STREAM, "high", message)
        return
    index.ends[shard] = max(index.ends.get(shard, 0), offset + size)
    index.spans.setdefault(shard, []).append((offset, offset + size))
    width, total = _SIZES.get(numbers.get(1, 0)), 1
    for number in dims:
        total *= number
    if any(number < 0 for number in dims) or total >> 62:
        scope.issue(Code.BROKEN_STREAM, "high", f"the sizes of the tensor {shown} are negative or overflow")
    elif width and total * width != size:
        message = f"the tensor {shown} has {size} bytes; its sizes and type need {total * width}"
        scope.issue(Code.BROKEN_STREAM, "medium", message)


def _dims(view: View, low: int, high: int) -> list[int]:
    found: list[int] = []
    for number, wire, begin, end, _ in parts(view, low, high):
        if number == 2 and wire == BYTES:
            sizes = [signed(item[4]) for item in parts(view, begin, end) if item[0] == 1]
            found.append(sizes[-1] if sizes else 0)
    return found


def _shards(scope: Scope, index: _Index) -> None:
    """Data files must be as long as their tensors, without overlaps or holes."""
    for shard, spans in index.spans.items():
        at = 0
        for low, high in sorted(spans):
            if low < at:
                message = f"tensors of data file {shard} overlap"
                scope.issue(Code.CONTAINER_TAMPERED, "medium", message)
                break
            at = high
    if scope.folder is None:
        scope.unknown("the data files were not at hand")
        return
    for shard in range(max(index.shards, 1)):
        name = f".data-{shard:05d}-of-{index.shards:05d}"
        own = scope.neighbour(name)
        found = [own] if own is not None else [item for item in scope.folder.glob(f"*{name}") if item.is_file()]
        sizes = [item.stat().st_size for item in found]
        if not sizes:
            scope.missing(f"the data file *{name} is not beside the index")
            return
        end = index.ends.get(shard, 0)
        if max(sizes) < end:
            scope.missing(f"the data file *{name} is shorter than its tensors need ({end})")
        elif len(sizes) == 1 and sizes[0] > end:
            message = f"the data file *{name} has {sizes[0] - end} bytes behind its last tensor"
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", message)
            with found[0].open("rb", buffering=0) as stream:
                view = View.of_file(stream)  # a map keeps the file
            inner = scope.nested(found[0].name, view)
            inner.child(f"bytes at {end}", view.sub(end, len(view)), Role.TRAILER)


@cache
def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def _crc(data: bytes) -> int:
    """CRC-32C (RFC 3720, appendix B.4)."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF
