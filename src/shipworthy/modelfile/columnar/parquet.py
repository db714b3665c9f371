"""Parquet: the footer, what its metadata asks for, and whether column chunks and indexes cover the file.

Format: https://github.com/apache/parquet-format (parquet.thrift). The numbers are its field ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile.columnar.metadata import judge
from shipworthy.modelfile.columnar.thrift import ThriftError, decode
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

_MAGIC = b"PAR1"
_ALIGNMENT = 64
_SIGNATURE = 28  # of a plain footer in a file whose columns are encrypted: a nonce and a tag


def read(scope: Scope, _: str) -> int:
    """Read the footer; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    if view.tail(4) == b"PARE":
        scope.unknown("the footer is encrypted")
        return size
    length = view.u32(size - 8)
    start = size - 8 - length
    if size < 12 or view.tail(4) != _MAGIC or start < 4:
        scope.issue(Code.BROKEN_STREAM, "high", "the file has no footer that fits: it is cut short", max(size - 8, 0))
        return size
    footer = view.sub(start, length)
    try:
        data, end = decode(footer, scope.limits.objects)
        _footer(scope, footer, data, start)
        spans = sorted(_spans(scope, data))
    except (ThriftError, TypeError, AttributeError, ValueError, KeyError) as error:
        at = error.at if isinstance(error, ThriftError) else 0
        message = f"the footer is damaged ({shown(str(error), 80)})"
        scope.issue(Code.BROKEN_STREAM, "high", message, start + at)
        return size
    if end < length and not (8 in data and length - end == _SIGNATURE):
        scope.issue(
            Code.HIDDEN_PAYLOAD, "medium", f"{length - end} bytes follow the metadata in the footer", start + end
        )
        scope.child(f"bytes at {start + end}", footer.sub(end, length), Role.TRAILER)
    _cover(scope, spans, start, data)
    return size


def _footer(scope: Scope, footer: View, data: dict[int, Any], start: int) -> None:
    if not {1, 2, 3, 4} <= data.keys():
        scope.issue(Code.BROKEN_STREAM, "high", "the footer lacks the schema or the row groups", start)
    strange = sorted(data.keys() - set(range(1, 10)))
    if strange:
        scope.unknown(f"the footer has the unknown fields {strange[:8]}")
    pairs = []
    for pair in data.get(5, []):
        value = pair.get(2)
        pairs.append((_text(pair.get(1)), value if isinstance(value, View) else footer.sub(0, 0)))
    judge(scope, pairs, start)
    if 8 in data or 9 in data:
        scope.unknown("columns are encrypted, or the footer is signed")


def _text(value: Any) -> str:
    return value.head(1000).decode("utf-8", "replace") if isinstance(value, View) else ""


def _spans(scope: Scope, data: dict[int, Any]) -> Iterator[tuple[int, int]]:
    """Where column chunks, their indexes and Bloom filters lie."""
    for group in data.get(4, []):
        for chunk in group.get(1, []):
            if 1 in chunk:
                _elsewhere(scope, _text(chunk[1]))
                continue
            meta = chunk.get(3)
            if not isinstance(meta, dict):
                scope.unknown("a column chunk has no metadata in the footer")
                continue
            places = [meta[number] for number in (9, 10, 11) if meta.get(number)]
            low, size = min(places), meta[7]
            yield low, low + size
            for offset, length in ((4, 5), (6, 7)):
                if offset in chunk and length in chunk:
                    yield chunk[offset], chunk[offset] + chunk[length]
            if 14 in meta and 15 in meta:
                yield meta[14], meta[14] + meta[15]
            elif 14 in meta:
                scope.unknown("a Bloom filter is of an unknown length")


def _elsewhere(scope: Scope, path: str) -> None:
    label = shown(path)
    if escapes(path):
        scope.issue(Code.PATH_TRAVERSAL, "high", f"a column is read from {label}, outside of the file's folder")
    else:
        scope.issue(Code.EXTERNAL_DATA, "medium", f"a column is read from another file, {label}")


def _cover(scope: Scope, spans: list[tuple[int, int]], start: int, data: dict[int, Any]) -> None:
    every = (chunk for group in data.get(4, []) for chunk in group.get(1, []))
    chunks = {chunk[2]: chunk for chunk in every if isinstance(chunk.get(2), int)}
    at = 4
    for low, high in spans:
        if low < 4 or high < low or high > start:
            message = "a column lies outside of the file: a reader that trusts it leaves its memory"
            scope.issue(Code.BROKEN_STREAM, "high", message, max(low, 0))
            return
        _gap(scope, at, low, chunks)
        at = max(at, high)
    _gap(scope, at, start, chunks)


def _gap(scope: Scope, low: int, high: int, chunks: dict[Any, dict[int, Any]]) -> None:
    if low >= high or (high - low <= _ALIGNMENT and not scope.view.read(low, high - low).strip(b"\0")):
        return
    if low in chunks and _repeats(scope.view.sub(low, high - low), chunks[low], scope.limits.objects):
        return
    scope.issue(Code.HIDDEN_PAYLOAD, "medium", f"{high - low} bytes belong to no column", low)
    scope.child(f"bytes at {low}", scope.view.sub(low, high - low), Role.TRAILER)


def _repeats(view: View, chunk: dict[int, Any], most: int) -> bool:
    """Releases of Arrow before 17 wrote each chunk's metadata behind the chunk as well, where the footer says."""
    try:
        found, end = decode(view, most)
    except ThriftError:
        return False
    return end == len(view) and _plain(found) == _plain(chunk)


def _plain(value: Any) -> Any:
    """A struct whose texts are bytes, to be compared."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.read(0, len(value)) if isinstance(value, View) else value
