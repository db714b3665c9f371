"""Arrow IPC, as a file and as a stream: every message's header, extents of buffers, metadata of fields.

Format: https://arrow.apache.org/docs/format/Columnar.html (Serialization and Interprocess Communication).
"""

from __future__ import annotations

import struct

from shipworthy.modelfile.columnar.metadata import judge
from shipworthy.modelfile.graphs.flatbuffer import BadFlatbufferError, Table
from shipworthy.modelfile.graphs.schemas import Walked
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

_MAGIC = b"ARROW1"
_PADDING = 64
_MESSAGES = 1_000_000


class _BrokenError(Exception):
    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.schemas = 0
        self.batches: list[int] = []

    def walk(self, view: View, root: str, at: int) -> list[Table]:
        """The tables of one flatbuffer, its metadata judged. Raises _BrokenError."""
        flat = Walked(view, "arrow")
        flat.first, flat.used = 4, {0: 4}  # polars writes the first table there
        try:
            tables = list(flat.run(root))
        except BadFlatbufferError as error:
            raise _BrokenError(str(error), at + error.at) from None
        for thing in sorted(flat.unknown)[:8]:
            self.scope.unknown(f"{shown(thing)} is not known to this version")
        for low, high in flat.gaps(len(view)):
            if high - low > _PADDING or view.read(low, high - low).strip(b"\0"):
                self.scope.child(f"bytes at {at + low}", view.sub(low, high - low), Role.TRAILER)
                message = f"{high - low} bytes of a header belong to nothing"
                self.scope.issue(Code.HIDDEN_PAYLOAD, "medium", message, at + low)
        pairs = {table.at: table for table in tables if table.kind == "KeyValue"}
        for table in tables:
            links = [pairs[place] for place in table.links.get("custom_metadata", []) if place in pairs]
            if links:
                values = [(flat.text(pair, "key", 200), view.sub(*pair.spans.get("value", (0, 0)))) for pair in links]
                judge(self.scope, values, at + table.at)
        return tables

    def message(self, at: int) -> int:
        """One message of a stream; the offset behind it, or -1 at the stream's end. Raises _BrokenError."""
        view = self.view
        long = view.read(at, 4) == b"\xff\xff\xff\xff"
        start = at + 8 if long else at + 4
        size = view.u32(start - 4)
        if not size:
            return -1
        if start + size > len(view):
            raise _BrokenError("a message reaches beyond the end of the file", at)
        tables = self.walk(view.sub(start, size), "Message", start)
        body = tables[0].numbers.get("bodyLength", 0) if tables else 0
        end = start + size + body
        if body >> 62 or end > len(view):
            raise _BrokenError("a message's body reaches beyond the end of the file", start)
        for table in tables:
            self.schemas += table.kind == "Schema"
            if table.kind == "RecordBatch":
                self.buffers(view.sub(start, size), table, body, start)
        self.batches.append(at)
        if len(self.batches) > _MESSAGES:
            raise _BrokenError("it has more messages than are looked at", at)
        return end

    def buffers(self, view: View, table: Table, body: int, at: int) -> None:
        low, count = table.spans.get("buffers", (0, 0))
        raw = view.read(low, 16 * count)
        if any(o < 0 or n < 0 or o + n > body for o, n in struct.iter_unpack("<qq", raw[: len(raw) // 16 * 16])):
            message = "a buffer lies outside of its message: a reader that trusts it leaves its memory"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, at + table.at)
        low, count = table.spans.get("nodes", (0, 0))
        raw = view.read(low, 16 * count)
        if any(n < 0 or nulls < -1 or nulls > n for n, nulls in struct.iter_unpack("<qq", raw[: len(raw) // 16 * 16])):
            self.scope.issue(Code.BROKEN_STREAM, "high", "a column has a negative length", at + table.at)

    def stream(self, at: int) -> int:
        """Messages up to the end mark, or the end of the file; where they end. Raises _BrokenError."""
        while at < len(self.view):
            after = self.message(at)
            if after < 0:
                return at + (8 if self.view.read(at, 4) == b"\xff\xff\xff\xff" else 4)
            at = after
        return at

    def file(self) -> None:
        """Magic, messages, footer, its length, magic. Raises _BrokenError."""
        view, size = self.view, len(self.view)
        if view.tail(6) != _MAGIC or size < 24:
            raise _BrokenError("the file has no footer: it may be cut short", max(size - 6, 0))
        length = view.u32(size - 10)
        start = size - 10 - length
        if start < 8:
            raise _BrokenError("the footer is longer than the file", size - 10)
        if view.read(6, 2) != b"\0\0":
            raise _BrokenError("the bytes behind the magic are not zero", 6)
        end = self.stream(8)
        if end != start:
            raise _BrokenError("the messages do not end where the footer begins", end)
        footer = view.sub(start, length)
        for table in self.walk(footer, "Footer", start):
            for name in ("dictionaries", "recordBatches"):
                low, count = table.spans.get(name, (0, 0))
                raw = footer.read(low, 24 * count)
                for offset, _, _ in struct.iter_unpack("<qqq", raw[: len(raw) // 24 * 24]):
                    if offset not in self.batches:
                        raise _BrokenError("the footer leads to what is no message", start + low)


def read(scope: Scope, _: str) -> int:
    """Walk the messages; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    reader = _Reader(scope)
    try:
        if view.head(6) == _MAGIC:
            reader.file()
        else:
            end = reader.stream(0)
            if end < size:
                scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{size - end} bytes follow the stream", end)
                scope.child(f"bytes at {end}", view.sub(end, size), Role.TRAILER)
            elif view.read(size - 8, 8) != b"\xff\xff\xff\xff\0\0\0\0" and not scope.name.endswith("ARROW:schema"):
                scope.unknown("the stream has no end mark: it may be cut short")
    except _BrokenError as error:
        message = f"the Arrow data is damaged: {error}; a reader that trusts it leaves its memory"
        scope.issue(Code.BROKEN_STREAM, "high", message, error.at)
    else:
        if not reader.schemas:
            scope.unknown("it holds no schema")
    return size
