"""GGUF: metadata, tensor directory and layout, read to the last byte; chat templates inside are judged.

Format: docs/gguf.md of the ggml project, versions 1 to 3, of either byte order. Sizes of the tensor types: ggml.h, as
in `GGML_QUANT_SIZES` of gguf 0.19.0; types that ggml has removed since keep the sizes that they had.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from shipworthy.modelfile import keptvalues, templates, zips
from shipworthy.modelfile.far import FarView
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.zipdirectory import end_of_archive
from shipworthy.records import dataclass, field

# type -> elements in a block, bytes of a block
TENSOR_TYPES: dict[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 31: (32, 18), 32: (32, 18), 33: (32, 18),
    34: (256, 54), 35: (256, 66), 36: (32, 18), 37: (32, 18), 38: (32, 18), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip
_STRING, _ARRAY, _BOOL, _U32 = 8, 9, 7, 4
_VERSIONS = 9  # above these, a number is no version that is still to come
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_ALIGNMENT = 32
_MAX_DIMS = 4
_MAX_NAME = 1 << 16
_TENSORS = 1_000_000
_PAIRS = 100_000
_BLOB, _TEXT = 64, 16
_WORD = 8
_SHOWN = 20


class _BrokenError(ValueError):
    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


@dataclass
class _Header:
    alignment: int = _ALIGNMENT
    templates: list[tuple[str, str, int]] = field(default_factory=list)
    architecture: bool = False
    part: bool = False  # the second or a later one of a model in parts: only the first has the metadata


@dataclass
class _Cursor:
    """Reads numbers of one byte order. Raises _BrokenError beyond the end."""

    scope: Scope
    order: str
    wide: bool
    at: int = 4

    def number(self, width: int) -> int:
        raw = self.scope.view.read(self.at, width)
        if len(raw) < width:
            raise _BrokenError("it is cut short", self.at)
        self.at += width
        return int.from_bytes(raw, "little" if self.order == "<" else "big")

    def count(self) -> int:
        return self.number(8 if self.wide else 4)

    def skip(self, size: int) -> int:
        begin = self.at
        if size > len(self.scope.view) - begin:
            raise _BrokenError(f"a value of {size} bytes reaches beyond the file", begin)
        self.at += size
        return begin

    def text(self, limit: int) -> str:
        size = self.count()
        if size > limit:
            raise _BrokenError(f"a name of {size} bytes", self.at)
        begin = self.skip(size)
        try:
            return self.scope.view.read(begin, size).decode("utf-8")
        except UnicodeDecodeError:
            raise _BrokenError("a name that is not UTF-8", begin) from None


def read(scope: Scope, _: str = "") -> int:
    """Check the metadata and the layout; returns how many bytes are explained."""
    view = scope.view
    order, version = "<", view.u32(4)
    if version & 0xFFFF == 0 and version:
        order, version = ">", int.from_bytes(view.read(4, 4), "big")
    if not 1 <= version <= 3:
        scope.unknown(f"this version does not read GGUF of version {version}")
        if not 1 <= version <= _VERSIONS:
            scope.issue(Code.BROKEN_STREAM, "medium", f"there is no version {version} of GGUF: no loader reads it", 4)
        return len(view)
    cursor = _Cursor(scope, order, version > 1, 8)
    try:
        tensors, pairs = cursor.count(), cursor.count()
        if tensors > min(_TENSORS, len(view) // 24) or pairs > min(_PAIRS, len(view) // 13):
            text = f"it declares {tensors} tensors and {pairs} metadata values in {len(view)} bytes"
            raise _BrokenError(text, 8)
        header = _metadata(cursor, pairs)
        spans = _tensors(cursor, tensors, header.alignment)
    except _BrokenError as error:
        text = f"{error}: loaders have crashed on such files; get the file again from its publisher"
        scope.issue(Code.BROKEN_STREAM, "high", text, error.at)
        return len(view)
    if spans is not None:
        _layout(scope, spans, cursor.at, header.alignment)
    if not header.architecture and not header.part:
        scope.unknown("its metadata does not name an architecture: it may be cut or not a model")
    for name, text, at in header.templates:
        templates.judge(scope, text, f"the template {ascii(name)[1:-1][:80]}", at)
    return len(view)


def _metadata(cursor: _Cursor, pairs: int) -> _Header:
    header, seen = _Header(), set[str]()
    scope = cursor.scope
    for _ in range(pairs):
        begin = cursor.at
        key = cursor.text(_MAX_NAME)
        if key in seen:
            text = f"the metadata has the key {ascii(key)[:80]} twice: readers differ in which one they take"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text, begin)
        seen.add(key)
        kind = cursor.number(4)
        if key == "general.alignment":
            if kind != _U32:
                raise _BrokenError("its alignment is not a 32-bit number", begin)
            header.alignment = cursor.number(4)
            if header.alignment & (header.alignment - 1) or not 1 <= header.alignment <= 1 << 20:
                raise _BrokenError(f"its alignment is {header.alignment}", begin)
        elif kind == _ARRAY:
            _array(cursor, key, header)
        elif kind == _STRING:
            header.architecture |= key == "general.architecture"
            _string(cursor, key, header)
        elif kind in _WIDTHS:
            at = cursor.skip(_WIDTHS[kind])
            header.part |= key == "split.no" and any(scope.view.read(at, _WIDTHS[kind]))
            if kind == _BOOL and scope.view.read(at, 1)[0] > 1:
                scope.issue(Code.BROKEN_STREAM, "medium", "a truth value is neither 0 nor 1", at)
        else:
            raise _BrokenError(f"a metadata value of the unknown type {kind}", begin)
    return header


def _string(cursor: _Cursor, key: str, header: _Header) -> None:
    size = cursor.count()
    at = cursor.skip(size)
    scope = cursor.scope
    if "template" in key:
        if size > scope.limits.header:
            scope.unknown(f"the template {ascii(key)[:80]} is longer than this version reads")
            return
        raw = scope.view.read(at, size)
        try:
            header.templates.append((key, raw.decode("utf-8"), at))
        except UnicodeDecodeError:
            scope.issue(Code.BROKEN_STREAM, "medium", f"the template {ascii(key)[:80]} is not UTF-8", at)
    elif size >= _TEXT:
        keptvalues.look(scope, f"metadata {key[:60]}", scope.view.read(at, size))


def _array(cursor: _Cursor, key: str, header: _Header) -> None:
    begin = cursor.at
    kind, count = cursor.number(4), cursor.count()
    scope = cursor.scope
    if kind == _ARRAY:
        raise _BrokenError("an array of arrays, which no loader reads without recursion", begin)
    if kind == _STRING:
        if "template" in key:
            for _ in range(min(count, len(scope.view) // 4)):
                _string(cursor, key, header)
        else:
            cursor.at += _strings(cursor, count)
    elif kind in _WIDTHS:
        size = count * _WIDTHS[kind]
        at = cursor.skip(size)
        if size > (_BLOB if _WIDTHS[kind] > 1 else _WORD):
            scope.child(f"metadata {key}", scope.view.sub(at, size), Role.BLOB)
    else:
        raise _BrokenError(f"an array of the unknown type {kind}", begin)


def _strings(cursor: _Cursor, count: int) -> int:
    """The bytes of `count` strings in a row: the vocabulary, which can have a million."""
    view = cursor.scope.view
    width = 8 if cursor.wide else 4
    if isinstance(view, FarView):
        return _far_strings(cursor, count)
    low, stop = view.start + cursor.at, view.end
    if count > (stop - low) // width:
        raise _BrokenError(f"an array of {count} texts, more than there are bytes", cursor.at)
    size = struct.Struct(cursor.order + ("Q" if cursor.wide else "I"))
    unpack, buffer, at = size.unpack_from, view.buffer, low
    last = stop - width
    for _ in range(count):
        if at > last:
            raise _BrokenError("an array of texts is cut short", cursor.at)
        at += width + unpack(buffer, at)[0]
    if at > stop:
        raise _BrokenError("an array of texts reaches beyond the file", cursor.at)
    return at - low


def _far_strings(cursor: _Cursor, count: int) -> int:
    """As `_strings`, of a file elsewhere."""
    begin = cursor.at
    for _ in range(count):
        cursor.skip(cursor.count())
    size, cursor.at = cursor.at - begin, begin
    return size


def _tensors(cursor: _Cursor, count: int, alignment: int) -> list[tuple[int, int, str]] | None:
    """Offset, size and name of each tensor; None when one of them is wrong, which is reported."""
    spans: list[tuple[int, int, str]] = []
    seen: set[str] = set()
    wrong = 0
    for _ in range(count):
        begin = cursor.at
        name = cursor.text(_MAX_NAME)
        shown = ascii(name)[:100]
        if name in seen:
            text = f"two tensors are named {shown}: readers differ in which one they take"
            cursor.scope.issue(Code.CONTAINER_TAMPERED, "high", text, begin)
        seen.add(name)
        dims = cursor.number(4)
        if dims > _MAX_DIMS:
            raise _BrokenError(f"the tensor {shown} has {dims} dimensions, loaders hold {_MAX_DIMS}", begin)
        shape = [cursor.count() for _ in range(dims)]
        kind = cursor.number(4)
        offset = cursor.number(8)
        size = _size(shape, kind)
        if isinstance(size, str) or offset % alignment:
            wrong += 1
            if wrong <= _SHOWN:
                text = size if isinstance(size, str) else f"has the offset {offset}, which is not aligned"
                cursor.scope.issue(Code.BROKEN_STREAM, "high", f"the tensor {shown} {text}", begin)
        else:
            spans.append((offset, size, name))
    return None if wrong else spans


def _size(shape: list[int], kind: int) -> int | str:
    if kind not in TENSOR_TYPES:
        return f"has the unknown type {kind}"
    block, width = TENSOR_TYPES[kind]
    total = 1
    for size in shape:
        total *= size
        if total >> 62:
            return "has dimensions whose product overflows"
    row = shape[0] if shape else 1
    if row % block:
        return f"has rows of {row} elements, its type needs a multiple of {block}"
    return total // block * width


def _layout(scope: Scope, spans: list[tuple[int, int, str]], end: int, alignment: int) -> None:
    """Tensors follow each other, each padded with zeros to the alignment, up to the end."""
    view = scope.view
    base = -(-end // alignment) * alignment
    if not spans:
        if not _zeros(scope, end, min(base, len(view))) or base < len(view):
            low = min(end, len(view))
            _left(scope, low, len(view), "follow the metadata; no tensor is there")
        return
    at = end  # absolute; a gap shorter than the alignment is padding
    for offset, size, name in sorted(spans):
        begin = base + offset
        shown = ascii(name)[:100]
        if begin + size > len(view):
            text = f"the tensor {shown} reaches to byte {begin + size}, the file has {len(view)}: it is cut or forged"
            scope.issue(Code.BROKEN_STREAM, "high", text, min(begin, len(view)))
            return
        if begin < at:
            text = f"the tensor {shown} overlaps the one before it"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text, begin)
        elif begin - at >= alignment or not _zeros(scope, at, begin):
            _left(scope, at, begin, f"before the tensor {shown} belong to none")
        at = max(at, begin + size)
    if len(view) - at >= alignment or not _zeros(scope, at, len(view)):
        _left(scope, at, len(view), "follow the last tensor")


def _zeros(scope: Scope, low: int, high: int) -> bool:
    return not any(part.strip(b"\0") for part in _parts(scope, low, high))


def _parts(scope: Scope, low: int, high: int) -> Iterator[bytes]:
    for at in range(low, high, 1 << 20):
        yield scope.view.read(at, min(1 << 20, high - at))


def _left(scope: Scope, low: int, high: int, text: str) -> None:
    scope.issue(Code.HIDDEN_PAYLOAD, "high", f"{high - low} bytes {text}", low)
    scope.child(f"bytes at {low}", scope.view.sub(low, high - low), Role.TRAILER)
    if scope.role is Role.FILE and end_of_archive(scope.view) is not None:
        zips.read(
            scope.nested("appended archive", scope.view), front=low
        )  # zip loaders go by the end: to them, this file is that archive
