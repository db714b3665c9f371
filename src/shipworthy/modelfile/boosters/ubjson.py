"""UBJSON (https://ubjson.org, draft 12, as XGBoost writes it): decoded with a bound on values, numbers kept packed."""

from __future__ import annotations

import sys
from array import array
from typing import Any

from shipworthy.modelfile.view import View

_INTEGERS = {0x69: (1, True), 0x55: (1, False), 0x49: (2, True), 0x6C: (4, True), 0x4C: (8, True)}
_ARRAYS = {0x69: "b", 0x55: "B", 0x49: "h", 0x6C: "i", 0x4C: "q", 0x64: "f", 0x44: "d"}
_FLOATS = {0x64: 4, 0x44: 8}
_DEPTH = 64
_PLAIN = {0x5A: None, 0x54: True, 0x46: False}
_TEXT = 16 << 20


class UbjsonError(ValueError):
    """What is wrong, and where."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class _Decoder:
    def __init__(self, view: View, most: int) -> None:
        self.view = view
        self.at = 0
        self.most = most
        self.values = 0

    def byte(self) -> int:
        raw = self.view.read(self.at, 1)
        if not raw:
            raise UbjsonError("it is cut short", self.at)
        self.at += 1
        return raw[0]

    def take(self, size: int) -> bytes:
        if size > len(self.view) - self.at:
            raise UbjsonError("a length reaches beyond the end of the file", self.at)
        raw = self.view.read(self.at, size)
        self.at += size
        return raw

    def integer(self, marker: int) -> int:
        width, signed = _INTEGERS.get(marker, (0, False))
        if not width:
            raise UbjsonError("a length is no integer", self.at - 1)
        return int.from_bytes(self.take(width), "big", signed=signed)

    def length(self) -> int:
        at = self.at
        size = self.integer(self.byte())
        if size < 0:
            raise UbjsonError("a length is negative", at)
        if size > len(self.view) - self.at:
            raise UbjsonError(f"a length of {size} reaches beyond the end of the file", at)
        return size

    def text(self) -> str:
        size = self.length()
        if size > _TEXT:
            raise UbjsonError("a text is longer than any model's", self.at)
        at = self.at
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            raise UbjsonError("a text is not UTF-8", at) from None

    def scalar(self, marker: int) -> Any:
        if marker in _PLAIN:
            return _PLAIN[marker]
        if marker in _INTEGERS:
            return self.integer(marker)
        if marker in _FLOATS:
            return self.packed(marker, 1)[0]
        if marker == 0x53:
            return self.text()
        if marker == 0x43:
            return chr(self.byte())
        raise UbjsonError("a value is of no known kind", self.at - 1)

    def packed(self, marker: int, count: int) -> array[Any]:
        numbers: array[Any] = array(_ARRAYS[marker])
        numbers.frombytes(self.take(count * numbers.itemsize))
        if sys.byteorder == "little":
            numbers.byteswap()
        return numbers

    def open(self, marker: int) -> tuple[Any, int | None, bool]:
        """A container's beginning: itself, how many values follow (None: until it is closed), whether it is done."""
        kind = count = None
        if self.view.read(self.at, 1) == b"$":
            self.at += 1
            kind = self.byte()
        if self.view.read(self.at, 1) == b"#":
            self.at += 1
            count = self.length()
        if kind is None:
            return ([] if marker == 0x5B else {}), count, False
        if count is None or marker != 0x5B or kind not in _ARRAYS:
            raise UbjsonError("a typed container is not an array of numbers of a known length", self.at)
        return self.packed(kind, count), 0, True

    def run(self) -> Any:
        levels: list[list[Any]] = []  # container, values left (None: until closed)
        while True:
            value, opened = self.next(levels)
            if opened is not None:
                levels.append([value, opened[0]])
                if len(levels) > _DEPTH:
                    raise UbjsonError("it is nested deeper than any model", self.at)
            done = self.close(levels)
            if not levels:
                return value if done is None else done

    def next(self, levels: list[list[Any]]) -> tuple[Any, tuple[int | None] | None]:
        """One value, put into the innermost container; with its count when it is a container still to be filled."""
        self.values += 1
        if self.values > self.most:
            raise UbjsonError("it holds more values than are read", self.at)
        holder = levels[-1][0] if levels else None
        at = self.at
        key = self.text() if isinstance(holder, dict) else ""
        if isinstance(holder, dict) and key in holder:
            raise UbjsonError("two equal keys in one object", at)
        marker = self.byte()
        while marker == 0x4E:
            marker = self.byte()
        opened = None
        if marker in (0x5B, 0x7B):
            value, count, done = self.open(marker)
            opened = None if done else (count,)
        else:
            value = self.scalar(marker)
        if isinstance(holder, dict):
            holder[key] = value
        elif isinstance(holder, list):
            holder.append(value)
        if levels and levels[-1][1] is not None:
            levels[-1][1] -= 1
        return value, opened

    def close(self, levels: list[list[Any]]) -> Any:
        """Leave every container that ends here; the outermost one when it does."""
        while levels:
            holder, left = levels[-1]
            if left is None:
                if self.view.read(self.at, 1) != (b"]" if isinstance(holder, list) else b"}"):
                    return None
                self.at += 1
            elif left:
                return None
            levels.pop()
            if not levels:
                return holder
        return None


def decode(view: View, most: int) -> tuple[Any, int]:
    """The value, and where it ends; at most `most` values. Raises UbjsonError."""
    decoder = _Decoder(view, most)
    value = decoder.run()
    return value, decoder.at
