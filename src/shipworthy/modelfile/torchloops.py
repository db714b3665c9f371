"""Loops of TorchScript whose condition, once true, stays true: what it compares only moves away from the end.

Where a value moves is followed through the names of one turn, and through copies from one turn to the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

Span = tuple[int, int]
_MORE, _LESS = frozenset(("torch.gt", "torch.ge")), frozenset(("torch.lt", "torch.le"))
_SAME = frozenset(("torch.eq", "torch.ne"))
_JOINED = frozenset(("torch.__and__", "torch.__or__", "torch.logical_and", "torch.logical_or"))
_WRAPPED = frozenset(("bool", "int", "float", "torch.Bool", "torch.Int", "torch.Float", "torch.item", "annotate"))
_LENGTH = frozenset(("torch.len", "len"))
_LONGER = frozenset(("torch.append", "torch.extend", "torch.insert"))
_INFIX = {"and": "torch.__and__", "or": "torch.__or__", ">": "torch.gt", ">=": "torch.ge", "<": "torch.lt",
          "<=": "torch.le", "==": "torch.eq", "!=": "torch.ne", "+": "torch.add", "-": "torch.sub"}  # fmt: skip
_STEPS = 150  # also how deep expressions and names may follow from one another
_WORDS = 20_000


class Program(Protocol):
    """What is needed of the tokens of a file."""

    given: dict[str, list[Span | None]]

    def word(self, index: int) -> str: ...  # noqa: D102
    def parts(self, low: int, high: int, mark: str = ",") -> list[Span]: ...  # noqa: D102
    def number(self, low: int, high: int) -> int | float | None: ...  # noqa: D102
    def closes(self, index: int) -> int: ...  # noqa: D102


class Turn:
    """One turn of a loop: `program.given` holds what its body assigns."""

    def __init__(self, program: Program, body: Iterable[Span]) -> None:
        self.program = program
        self.left, self.words = _STEPS, _WORDS
        self.changed: dict[str, set[str]] = {}  # names that a call is given first
        self.opaque = False  # it does what can't be followed: changes tensors in place, or calls functions of the model
        for low, high in body:
            for index in range(low, high):
                word = program.word(index)
                if program.word(index + 1) == "(" and (word.isidentifier() or "." in word):
                    own = word.startswith(("__torch__.", "self.")) or program.word(index - 1) == "."
                    self.opaque |= own or (word.endswith("_") and not word.endswith("__"))
                    self.changed.setdefault(program.word(index + 2), set()).add(word)

    def endless(self, low: int, high: int) -> bool:
        """Whether a condition that was true in two turns is true for ever."""
        return not self.opaque and self._true(low, high, "", self.program.word(low) if high == low + 1 else "")

    def split(self, low: int, high: int) -> tuple[str, list[Span]]:
        """What an expression calls or computes, with which arguments."""
        while self.program.word(low) == "(" and self.program.closes(low) == high - 1:
            low, high = low + 1, high - 1
        if self.program.word(low + 1) == "(" and self.program.closes(low + 1) == high - 1:
            return self.program.word(low), self.program.parts(low + 2, high - 1)
        for mark, name in _INFIX.items():
            sides = self.program.parts(low, high, mark)
            if len(sides) == 2 and sides[0][0] < sides[0][1]:
                return name, sides
        return "", []

    def _true(self, low: int, high: int, name: str, tested: str) -> bool:
        """Of what the name that is tested becomes, or of the test itself."""
        self.left -= 1
        word = self.program.word(low)
        if self.left < 0 or high <= low:
            return False
        if high == low + 1:
            if word == "True" or (word == tested and name):
                return True
            spans = self.program.given.get(word, [])
            if not spans:  # it was true when the loop began
                return word == tested and word.isidentifier() and word != "False"
            return word != name and all(span and self._true(*span, word, tested) for span in spans)
        called, inside = self.split(low, high)
        if called in _WRAPPED and inside:
            return self._true(*inside[-1], name, tested)
        if len(inside) != 2 or called not in _JOINED | _MORE | _LESS | _SAME:
            return False
        if called in _JOINED:
            return all(self._true(*part, name, tested) for part in inside)
        one, other = (self.direction(*part) for part in inside)
        away = 1 if called in _MORE else -1
        ways = (0,) if called in _SAME else (0, away)
        return one in ways and other in tuple(-way for way in ways)

    def direction(self, low: int, high: int, within: frozenset[str] = frozenset()) -> int | None:
        """1: it never falls from turn to turn; -1: it never rises; 0: it stays; None: nobody can tell."""
        self.left -= 1
        word = self.program.word(low)
        if self.left < 0 or high <= low:
            return None
        if self.program.number(low, high) is not None:
            return 0
        if high == low + 1:
            if word in within:
                return 0  # as it was a turn before
            spans = self.program.given.get(word, [])
            return _joined(self.direction(*span, within | {word}) if span else None for span in spans)
        called, inside = self.split(low, high)
        if called in _LENGTH and inside:
            return self._length(*inside[0])
        if called in _WRAPPED and inside:
            return self.direction(*inside[-1], within)
        if called not in ("torch.add", "torch.sub") or len(inside) != 2:
            return None
        sign = 1 if called == "torch.add" else -1
        numbers = [self.program.number(*part) for part in inside]
        again = [self._follows(part, within) for part in inside]
        if any(again):  # what a name was a turn before, and a constant
            step = numbers[1 - again.index(True)]
            if step is None or (again[1] and sign < 0):
                return None
            moves = (step > 0) - (step < 0)
            return _joined([self.direction(*inside[again.index(True)], within), moves * (sign if again[0] else 1)])
        one, other = (self.direction(*part, within) for part in inside)
        return _joined([one, other * sign if other is not None else None])

    def _length(self, low: int, high: int) -> int | None:
        """Of a list or text that is only made longer."""
        name = self.program.word(low)
        calls = self.changed.get(name, set()) - _LENGTH
        if high > low + 1 or not calls <= _LONGER | {"torch.add"}:
            return None
        if spans := self.program.given.get(name):
            return 1 if all(span and self._longer(*span, name) for span in spans) else None
        return 1 if calls & _LONGER else 0

    def _longer(self, low: int, high: int, name: str) -> bool:
        """Whether something is what a name was a turn before, with what is put behind or before it."""
        self.left -= 1
        word = self.program.word(low)
        if self.left < 0 or high <= low:
            return False
        if high == low + 1:
            spans = self.program.given.get(word, [])
            return word == name or (bool(spans) and all(span and self._longer(*span, name) for span in spans))
        called, inside = self.split(low, high)
        return called == "torch.add" and len(inside) == 2 and any(self._longer(*part, name) for part in inside)

    def _follows(self, span: Span, within: frozenset[str]) -> bool:
        """Whether an expression follows from a name that is being looked at."""
        pending, seen = [span], set[str]()
        while pending:
            low, high = pending.pop()
            for index in range(low, high):
                self.words -= 1
                word = self.program.word(index)
                if word in within or self.words < 0:
                    return True
                if word not in seen:
                    seen.add(word)
                    pending += [item for item in self.program.given.get(word, []) if item]
        return False


def _joined(ways: Iterable[int | None]) -> int | None:
    """Of what moves together."""
    found = set(ways)
    if None in found or {1, -1} <= found:
        return None
    return 1 if 1 in found else -1 if -1 in found else 0
