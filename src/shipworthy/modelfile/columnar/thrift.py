"""Thrift's compact protocol, decoded without a schema and with bounds
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.view import View

_DEPTH = 32
_BINARY, _LIST, _SET, _MAP, _STRUCT = 8, 9, 10, 11, 12


class ThriftError(ValueError):
    """What is wrong, and where."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class _Decoder:
    def __init__(self, view: View, most: int) -> None:
        self.view = view
        self.at = 0
        self.left = most

    def byte(self) -> int:
        raw = self.view.read(self.at, 1)
        if not raw:
            raise ThriftError("it is cut short", self.at)
        self.at += 1
        return raw[0]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ThriftError("a number is too long", self.at)

    def signed(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def value(self, kind: int, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > _DEPTH:
            raise ThriftError("it holds more than any footer", self.at)
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.signed()
        if kind == 7:
            self.at += 8
            return 0.0
        if kind == _BINARY:
            size = self.varint()
            if size > len(self.view) - self.at:
                raise ThriftError("a text reaches beyond the footer", self.at)
            self.at += size
            return self.view.sub(self.at - size, size)
        if kind in (_LIST, _SET):
            return self.list(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ThriftError(f"a value is of the kind {kind}, which Parquet does not use", self.at)

    def list(self, depth: int) -> list[Any]:
        head = self.byte()
        size, kind = head >> 4, head & 15
        size = self.varint() if size == 15 else size
        if size > len(self.view) - self.at:
            raise ThriftError("a list is longer than the footer", self.at)
        if kind in (1, 2):
            return [self.byte() == 1 for _ in range(size)]
        return [self.value(kind, depth + 1) for _ in range(size)]

    def struct(self, depth: int) -> dict[int, Any]:
        found: dict[int, Any] = {}
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.signed()
            if number in found:
                raise ThriftError("a field is there twice", self.at)
            found[number] = self.value(head & 15, depth)
        return found


def decode(view: View, most: int) -> tuple[dict[int, Any], int]:
    """A struct as field number -> value (texts as views), and where it ends. Raises ThriftError."""
    decoder = _Decoder(view, most)
    found = decoder.struct(0)
    return found, decoder.at
