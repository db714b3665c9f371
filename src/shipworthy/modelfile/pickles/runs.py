"""Long runs of plain values that the machine passes by in one step, and walks only when somebody asks for one of them.

The expression matches whole values and nothing else: numbers, short texts, what the memo holds of them, tuples, lists
and dictionaries of such, each finished. So a run pushes some values, takes none that were there before, imports and
calls nothing, and every instruction in it is one that a loader takes without an error. TUPLE1 to TUPLE3 match only
where enough values of the same container are known to lie there. It never steps back: each repeat is possessive.
"""

from __future__ import annotations

import re
import sys
from array import array
from functools import lru_cache
from typing import Any

from shipworthy.modelfile.pickles.calls import Calls, Policy
from shipworthy.modelfile.pickles.values import FIRST_OBJECT, FIXED_ONE, OPAQUE, RUN, RUN_LEFT, Chunk, Made
from shipworthy.modelfile.view import Buffer

# Before 3.11.5 a possessive repeat whose last round fails stays where that round came to (CPython issue 106052).
SOUND = sys.version_info >= (3, 11, 5)
FROM = 1 << 19  # how much of a stream is behind and ahead when it is worth to compile the expression
LEAST, MOST = 512, 1 << 16  # bytes of a run
GETS = 256
# What a run may begin with: not with a mark, which is rather that of the container around it.
STARTS = bytes(byte in b"N\x88\x89)KMJGh\x8c}]" for byte in range(256))
OPENERS = bytes(byte in b"}]" for byte in range(256))
_TEXT = 64
_TAILS = (512, 8192)
_NEVER = Policy(lambda _: None)
_DEPTH = 3


@lru_cache(maxsize=8)
def expression(gets: bytes) -> re.Pattern[bytes]:
    """The regular expression; `gets`: the indices of the memo that hold plain values."""
    memoized = rb"\x94?+"
    texts = b"|".join(re.escape(bytes([size])) + b".{%d}" % size for size in range(_TEXT))
    get = rb"h[" + b"".join(rb"\x%02x" % index for index in gets) + rb"]|" if gets else b""
    leaf = b"(?:" + get + rb"\x8c(?:" + texts + b")" + memoized + rb"|J.{4}|M..|K.|[N\x88\x89)]|G.{8})"
    values = _values(leaf, leaf, memoized)
    for _ in range(_DEPTH):
        items = rb"\((?:" + values + rb")*+"
        single = leaf + b"(?:a|" + leaf + b"s)"
        container = rb"[}\]]" + memoized + rb"(?:(?:" + items + rb"[ue])++(?=[^(])|" + single + rb"|(?=[^(]))"
        values = _values(leaf + b"|" + container + b"|" + items + b"t" + memoized, leaf, memoized)
    return re.compile(b"(?:" + values + b")++", re.DOTALL)


def _values(first: bytes, leaf: bytes, memoized: bytes) -> bytes:
    """One value or more. Behind the first at least one is there: after another TUPLE2 fits, after two TUPLE3."""
    several = b"(?:" + leaf + rb")++(?:[\x85-\x87]" + memoized + b")?+"
    more = rb"\x85" + memoized + b"|" + leaf + rb"(?:\x86" + memoized + b"|" + several + b")?+"
    return b"(?:" + first + b")(?:" + more + b")*+"


class BrokenError(Exception):
    """A loader raises here."""


class Runs(Calls):
    """The stack and the memo, and what of them lies in runs that were not walked."""

    fast = SOUND
    swift = True
    expression: re.Pattern[bytes] | None = None
    first = array("q")  # the first entries of the memo when runs began to be passed by; replaced then, never changed
    resume = 0
    walked = 0  # bytes of opcodes and short values: an array's do not count

    def __init__(self, buffer: Buffer, start: int, end: int, policy: Policy) -> None:
        super().__init__(buffer, start, end, policy)
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.fence = 0
        self.memo: array[int] = array("q")
        self.sparse: dict[int, int] = {}
        self.objects: list[Any] = []
        self.tuples = 0
        self.tail = self.memo  # what is remembered goes here: behind a run that was not walked, an array of its own
        self.parts: list[tuple[int, int, array[int]]] = []  # such runs, and what was remembered behind each

    def _loop(self) -> None:
        raise NotImplementedError

    def ready_for_runs(self) -> bool:
        """Whether runs are passed by from here on."""
        if (
            self.fast
            and self.expression is None
            and self.swift
            and self.walked >= FROM
            and self.position <= self.end - FROM
            and not self.sparse
        ):
            self.first = self.memo[:GETS]
            gets = bytes(index for index, cell in enumerate(self.first) if self._plain_cell(cell))
            self.expression = expression(gets)
        return self.expression is not None and self.swift

    def _plain_cell(self, cell: int) -> bool:
        return cell > FIRST_OBJECT or _plain(self.objects[FIRST_OBJECT - cell])

    def skip_run(self, window: bytes, base: int, at: int, room: int) -> int:
        """How many bytes of plain values begin here; if they are many, they were put into one slot."""
        stack = self.stack
        if not self.swift or not self.marks or self.sparse or self.wrapping:
            return 0
        # a dictionary next to an object may be its state
        if base + at < self.resume or any(item.__class__ is Made for item in (*stack[-2:], stack[self.fence - 1])):
            return 0
        match = self.expression.match(window, at, at + room) if self.expression else None
        if match is None or match.end() - at < LEAST:
            return 0 if match is None else match.end() - at
        start, end = base + at, base + match.end()
        stack.append(Chunk(start, end, RUN))
        self.tail = array("q")
        self.parts.append((start, end, self.tail))
        return end - start

    def settle(self) -> None:
        """Walk what was passed by, since somebody asks for what the memo holds of it."""
        walked = 0
        for start, end, tail in self.parts:
            walker = self._walk(start, end)
            self.tuples = walker.tuples
            self.memo.extend(walker.memo[len(self.first) :])
            self.memo.extend(tail)
            walked += end - start
            self.resume = end + 2 * walked
        self.parts.clear()
        self.tail = self.memo

    def _walk(self, start: int, end: int) -> Runs:
        """Walk bytes that are whole values, on a stack of their own. Raises BrokenError, IndexError."""
        walker = type(self)(self.buffer, start, end, _NEVER)
        walker.limits, walker.objects, walker.tuples = self.limits, self.objects, self.tuples
        walker.memo = walker.tail = self.first[:]
        walker.swift, walker.watched = False, True
        try:
            walker._loop()
        except BrokenError:
            if walker.position != end or walker.marks:
                raise
        return walker

    def values(self, start: int, end: int) -> list[Any]:
        """The values in a run."""
        objects = len(self.objects)
        try:
            return self._walk(start, end).stack
        finally:
            del self.objects[objects:]

    def last_values(self, chunk: Chunk) -> list[Any]:
        """At least the last of its values in slots of their own; the others may stay together."""
        if not chunk.end:
            single = min(chunk.count, 64)
            left = chunk.count - single
            return [*([Chunk(0, 0, left)] if left else []), *([OPAQUE] * single)]
        if chunk.count >= 0:
            return [match.start() + 1 for match in FIXED_ONE.finditer(self.buffer, chunk.start, chunk.end)]
        for size in _TAILS if chunk.count == RUN else ():
            cut = self._cut(chunk, size)
            if cut > chunk.start:
                try:
                    return [Chunk(chunk.start, cut, RUN_LEFT), *self.values(cut, chunk.end)]
                except (BrokenError, IndexError):
                    continue  # what follows takes a value from before
        return self.values(chunk.start, chunk.end)

    def _cut(self, chunk: Chunk, size: int) -> int:
        if chunk.end - chunk.start < 2 * size or self.expression is None:
            return -1
        match = self.expression.match(self.buffer, chunk.start, chunk.end - size)
        return match.end() if match else -1

    def spread(self, mark: int, most: int) -> None:
        """Give the first `most` values above a mark slots of their own."""
        stack, at = self.stack, mark
        while at < len(stack) and at - mark <= most:
            chunk = stack[at]
            if chunk.__class__ is not Chunk or not chunk.end:
                at += 1
            elif chunk.count < 0:
                stack[at : at + 1] = self.values(chunk.start, chunk.end)
            else:
                stack[at : at + 1] = self.last_values(chunk)

    def width(self, item: Any) -> int:
        """How many values a slot holds."""
        if item.__class__ is not Chunk:
            return 1
        if item.count < 0:
            return len(self.values(item.start, item.end))
        return item.count or sum(1 for _ in FIXED_ONE.finditer(self.buffer, item.start, item.end))


def _plain(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is tuple and all(_plain(part) for part in value))
