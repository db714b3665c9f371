"""Values that take forever to look at: numbers and tuples of one hash, containers in each other."""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.collisions import MANY, Hashes
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.runs import Runs
from shipworthy.modelfile.report import Code

_NESTED = 100_000
_ENOUGH = 16  # two such numbers for each place in a tuple make as many tuples of one hash as one likes


class Numbers(Runs):
    """Integers of eight bytes and more wherever they are, tuples of them that are keys, and how deep containers lie."""

    widths = 0
    nested = 0
    deep = False
    hashes: Hashes | None = None

    def wide(self, value: int) -> None:
        """An integer of eight bytes or more. From the second such on, keys are looked at."""
        self.widths += 1
        if self.widths == _ENOUGH:
            self.deep = True
            self.wrapping += 1
        self.hashes = self.hashes or Hashes()
        if value.bit_length() > 63 and self.hashes.number(value):
            self._collision("integers")

    def collide(self, keys: list[Any]) -> None:
        """Keys of a dictionary, or items of a set, when there are such integers."""
        if self.widths < _ENOUGH or self.hashes is None:
            return
        for key in keys:
            if key.__class__ is tuple:
                value = self._value(key)
                if value is not None and self.hashes.items(value):
                    self._collision("tuples")

    def nest(self, value: Any) -> None:
        """One item is put into a container: one that waited for it, if the last instruction did the same."""
        if value.__class__ is int and value <= 0 and self.buffer[self.position - 1] in b"as":
            self.nested += 1
            if self.nested == _NESTED:
                text = f"more than {_NESTED} containers lie in each other: who walks through them runs out of the stack"
                self.issue(Code.BOMB, "high", text)
        else:
            self.nested = 0

    def _value(self, items: tuple[Any, ...]) -> tuple[object, ...] | None:
        """A tuple of numbers, and of tuples of such: what else is in one has a hash that nobody can choose."""
        found: list[object] = []
        for slot in items:
            value: object = None
            if slot.__class__ is tuple:
                value = self._value(slot)  # no deeper than TUPLE_DEPTH
            elif slot.__class__ is int and slot > 0:
                try:
                    value = decode(self.buffer, slot, 64)
                except NotALiteralError:
                    return None
            if not isinstance(value, (int, float, tuple)):
                return None
            found.append(value)
        return tuple(found)

    def _collision(self, what: str) -> None:
        text = f"it holds {MANY} different {what} of one hash or more: a dictionary or a set of them takes forever"
        self.issue(Code.BOMB, "high", text)
