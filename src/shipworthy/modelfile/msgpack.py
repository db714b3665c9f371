"""MessagePack as Flax stores it: walked to the last byte, arrays checked against their shape, foreign types reported.

Format: https://github.com/msgpack/msgpack/blob/master/spec.md; extension types: flax/serialization.py.
"""

from __future__ import annotations

import math
from typing import Any

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4,
          0xD3: 8}  # fmt: skip
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_DEPTH = 200
_ARRAY, _COMPLEX, _SCALAR = 1, 2, 3
_SIZES = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
          "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
          "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3b11fnuz": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
          "int4": 1, "uint4": 1}  # fmt: skip
_SMALL = 256
_CHUNKED, _PARTS, _INNER = b"__msgpack_chunked_array__", (b"shape", b"chunks"), 1


class _BrokenError(Exception):
    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


@dataclass(frozen=True)
class _Item:
    """`kind`: "map", "list", "text", "bytes", "extension", "number"; `size`: entries, or bytes from `low` on."""

    kind: str
    low: int
    size: int
    value: int = 0


class _Walk:
    def __init__(self, scope: Scope, view: View, base: int = 0) -> None:
        self.scope = scope
        self.view = view
        self.base = base
        self.at = 0

    def number(self, size: int) -> int:
        raw = self.view.read(self.at, size)
        if len(raw) < size:
            raise _BrokenError("it is cut short", self.base + self.at)
        self.at += size
        return int.from_bytes(raw, "big")

    def item(self) -> _Item:
        """The head of one value, and its bytes when it has any. Raises _BrokenError."""
        at = self.at
        head = self.number(1)
        if head < 0x80 or head >= 0xE0:
            return _Item("number", at, 0, head)
        if head < 0xA0:
            return _Item("list" if head & 0x10 else "map", at, head & 15)
        if head < 0xC0:
            return self.span("text", head & 31)
        if head in _FIXED:
            return _Item("number", at, 0, self.number(_FIXED[head]) if _FIXED[head] else 0)
        if head in _BYTES:
            return self.span("bytes" if head < 0xD0 else "text", self.number(_BYTES[head]))
        if head in _EXTENSIONS or 0xD4 <= head <= 0xD8:
            size = self.number(_EXTENSIONS[head]) if head in _EXTENSIONS else 1 << (head - 0xD4)
            return self.span("extension", size, self.number(1))
        if head in (0xDC, 0xDD, 0xDE, 0xDF):
            size = self.number(2 if head in (0xDC, 0xDE) else 4)
            return _Item("list" if head < 0xDE else "map", at, size)
        raise _BrokenError("a value is of no kind that the format has", self.base + at)

    def span(self, kind: str, size: int, value: int = 0) -> _Item:
        low = self.at
        if size > len(self.view) - low:
            raise _BrokenError(f"a length of {size} reaches beyond the end of the file", self.base + low)
        self.at += size
        return _Item(kind, low, size, value)

    def run(self) -> None:
        """One value and all inside. Raises _BrokenError."""
        levels: list[int] = [1]
        maps: list[tuple[int, int]] = [(0, 0)]  # where their keys begin, and how many
        while levels:
            if not levels[-1]:
                levels.pop()
                maps.pop()
                continue
            levels[-1] -= 1
            item = self.item()
            if item.kind in ("map", "list"):
                count = item.size * (2 if item.kind == "map" else 1)
                if count > len(self.view) - self.at:
                    raise _BrokenError(f"it declares {item.size} entries", self.base + item.low)
                levels.append(count)
                maps.append((self.at, item.size if item.kind == "map" else 0))
                if len(levels) > _DEPTH:
                    raise _BrokenError("it is nested deeper than any model", self.base + item.low)
            elif item.kind == "extension":
                self.extension(item)
            elif item.kind == "text" and self.view.read(item.low, min(item.size, _SMALL)) == _CHUNKED:
                self.chunked(*maps[-1])
                maps[-1] = (0, 0)
            elif item.size >= 10:
                place = self.base + item.low
                self.scope.child(f"{item.kind} at {place}", self.view.sub(item.low, item.size), Role.BLOB)

    def chunked(self, low: int, count: int) -> None:
        """Flax writes an array of more than a gigabyte as a map of its shape and its parts, which it puts together."""
        inner = _Walk(self.scope, self.view, self.base)
        inner.at = low
        found = inner.entries(count) if count else {}
        if _CHUNKED not in found:
            return
        shape, chunks = (list(part.values()) if isinstance(part, dict) else [] for part in map(found.get, _PARTS))
        numbers = all(isinstance(size, int) for size in shape) and all(isinstance(part, int) for part in chunks)
        needed, there = (math.prod(shape), sum(chunks)) if numbers else (-1, 0)
        if needed != there:
            message = f"an array in parts has {there} numbers, its shape needs {needed}"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, self.base + low)

    def entries(self, count: int, depth: int = 0) -> dict[bytes, Any]:
        """A map of such an array: numbers, how many each part holds, and one map in it. Raises _BrokenError."""
        found: dict[bytes, Any] = {}
        for _ in range(count):
            key, value = self.item(), self.item()
            name = self.view.read(key.low, min(key.size, _SMALL))
            if value.kind == "map" and depth < _INNER:
                found[name] = self.entries(value.size, depth + 1)
            elif value.kind == "extension":
                inner = _Walk(self.scope, self.view.sub(value.low, value.size), self.base + value.low)
                inner.item()
                found[name] = math.prod(inner.item().value for _ in range(inner.item().size))
            elif value.kind in ("map", "list"):
                raise _BrokenError("an array in parts holds more than its shape and its parts", self.base + value.low)
            else:
                found[name] = value.value if value.kind == "number" else None
        return found

    def extension(self, item: _Item) -> None:
        at = self.base + item.low
        inner = _Walk(self.scope, self.view.sub(item.low, item.size), at)
        if item.value in (_ARRAY, _SCALAR):
            inner.array()
        elif item.value == _COMPLEX:
            parts = [inner.item() for _ in range(3)]
            if parts[0].kind != "list" or parts[0].size != 2 or {p.kind for p in parts[1:]} != {"number"}:
                raise _BrokenError("a complex number is not two numbers", at)
        else:
            code = item.value - 256 if item.value > 127 else item.value
            message = f"the extension type {code} is none of Flax: the program that reads it must bring its own code"
            self.scope.issue(Code.UNKNOWN_NAME, "medium", message, at, f"msgpack:{code}")
            self.scope.child(f"extension at {at}", self.view.sub(item.low, item.size), Role.BLOB)
            return
        if inner.at != item.size:
            raise _BrokenError("an array's description is longer than it should be", at + inner.at)

    def array(self) -> None:
        """Shape, name of the type, bytes."""
        head, dims = self.item(), self.item()
        if head.kind != "list" or head.size != 3 or dims.kind != "list" or dims.size > _SMALL:
            raise _BrokenError("an array is not shape, type and bytes", self.base)
        total = 1
        for _ in range(dims.size):
            size = self.item()
            if size.kind != "number":
                raise _BrokenError("an array's shape is no list of numbers", self.base)
            total *= size.value
            if total >> 62:
                raise _BrokenError("an array's shape overflows", self.base)
        kind, data = self.item(), self.item()
        name = self.view.read(kind.low, min(kind.size, _SMALL)).decode("utf-8", "replace")
        if kind.kind not in ("text", "bytes") or data.kind != "bytes":
            raise _BrokenError("an array is not shape, type and bytes", self.base)
        if name not in _SIZES:
            severity = "high" if name.startswith("O") or name == "object" else "medium"
            message = f"an array is of the type {shown(name)}, which holds no plain numbers"
            self.scope.issue(Code.BROKEN_STREAM, severity, message, self.base)
        elif total * _SIZES[name] != data.size:
            message = f"an array has {data.size} bytes, its shape and type need {total * _SIZES[name]}"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, self.base)
        if data.size >= 10:
            place = self.base + data.low
            self.scope.child(f"array at {place}", self.view.sub(data.low, data.size), Role.BLOB)


def read(scope: Scope, _: str) -> int:
    """Walk the values; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    walk = _Walk(scope, view)
    try:
        walk.run()
    except _BrokenError as error:
        code = Code.BOMB if "deeper" in str(error) else Code.BROKEN_STREAM
        scope.issue(code, "high", f"the MessagePack data is damaged: {error}", error.at)
        return size
    if walk.at < size:
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{size - walk.at} bytes follow the data", walk.at)
        scope.child(f"bytes at {walk.at}", view.sub(walk.at, size), Role.TRAILER)
    return size
