"""A protobuf message walked along its schema: every field is known and of the right type, or reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from shipworthy.modelfile.graphs.tables import Schema, Slot
from shipworthy.modelfile.protobuf import BYTES, fields
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View

Enter = Callable[[str, int, int], bool]
_DEPTH = 100  # the limit of the protobuf libraries themselves
_STRAYS = 20
_RUN = {0: rb"[\x80-\xff]{0,9}[\x00-\x7f]", 1: rb".{8}", 5: rb".{4}"}


class TruncatedError(Exception):
    """The bytes are no valid message; the argument is the offset."""


@cache
def _run(tag: bytes, wire: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?:" + re.escape(tag) + _RUN[wire] + rb"){8,65536}+", re.DOTALL)


class Walker:
    """`enter` is told of each message before what lies inside, and says whether to look there."""

    def __init__(self, scope: Scope, schema: Schema, enter: Enter) -> None:
        self.scope = scope
        self.view = scope.view
        self.schema = schema
        self.enter = enter
        self.strays = 0

    def run(self, root: str, low: int = 0, high: int | None = None) -> None:
        """Depth first with one iterator per level. Raises TruncatedError."""
        levels: list[Iterator[tuple[str, int, int]]] = [iter([(root, low, len(self.view) if high is None else high)])]
        while levels:
            item = next(levels[-1], None)
            if item is None:
                levels.pop()
                continue
            kind, begin, end = item
            if len(levels) > _DEPTH:
                self.scope.issue(Code.BOMB, "high", "messages are nested deeper than any loader accepts", begin)
            elif self.enter(kind, begin, end):
                levels.append(self._inside(kind, begin, end))

    def _inside(self, kind: str, low: int, high: int) -> Iterator[tuple[str, int, int]]:
        slots = self.schema.get(kind, {})
        seen: set[int] = set()
        at = low
        while at < high:
            restart = False
            for item in fields(self.view, at, high):
                if item is None:
                    raise TruncatedError(at)
                number, wire, begin, end, _ = item
                slot = slots.get(number)
                if slot is None or not (wire == slot.wire or (wire == BYTES and slot.repeated)):
                    self._stray(kind, number, begin, end, slot)
                    at = end
                    continue
                if not slot.repeated:
                    if number in seen:
                        twice(self.scope, kind, number, slot.name, begin)
                    seen.add(number)
                if slot.letter == "m":
                    yield slot.kind, begin, end
                elif wire != BYTES and slot.repeated:
                    tag = self.view.read(at, 1)
                    run = _run(tag, wire).match(self.view.buffer, self.view.start + end, self.view.start + high)
                    if run:
                        at, restart = run.end() - self.view.start, True
                        break
                at = end
            if not restart:
                return

    def _stray(self, kind: str, number: int, begin: int, end: int, slot: Slot | None) -> None:
        self.strays += 1
        why = "is not of its type" if slot else "is not known to this version"
        self.scope.unknown(f"field {number} of a {kind} {why}")
        if self.strays <= _STRAYS and end - begin >= 10:
            self.scope.child(f"field {number} at {begin}", self.view.sub(begin, end - begin), Role.TRAILER)


def twice(scope: Scope, kind: str, number: int, name: str, at: int) -> None:
    """Report a field that a message has at most once. No protobuf library writes it twice; all of them read it so."""
    text = f"field {number} ({name}) of a {kind} occurs twice: loaders join the two or take the last"
    scope.issue(Code.CONTAINER_TAMPERED, "high", text, at)


def text(view: View, low: int, high: int, limit: int = 4096) -> str:
    """A field as text, cut at `limit` bytes."""
    return view.read(low, min(high - low, limit)).decode("utf-8", "replace")


def parts(view: View, low: int, high: int) -> Iterator[tuple[int, int, int, int, int]]:
    """The fields of one message. Raises TruncatedError."""
    for item in fields(view, low, high):
        if item is None:
            raise TruncatedError(low)
        yield item


def inner(view: View, low: int, high: int, *path: int) -> tuple[int, int] | None:
    """Where the content of the last field along `path` of numbers lies; None where one is missing."""
    for number in path:
        span = None
        for found, wire, begin, end, _ in parts(view, low, high):
            if found == number and wire == BYTES:
                span = begin, end
        if span is None:
            return None
        low, high = span
    return low, high
