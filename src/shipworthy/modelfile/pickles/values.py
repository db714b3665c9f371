"""What lies on the symbolic stack, and the opcodes' sizes.

A slot is an int or one of the classes below. An int above zero is a literal: the offset of its opcode plus one, decoded
only when somebody asks. Zero is a value about which nothing is known; the small negative ints are containers. A tuple
of slots is a tuple. So a stack of numbers and texts costs no memory for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from shipworthy.patterns import regex
from shipworthy.records import dataclass

OPAQUE = 0
LIST = -1
DICT = -2
EMPTY_DICT = -3
SET = -4
TUPLE = -5
KEPT = -6  # a dictionary that was empty when it went into the memo
DEEP = -7  # a tuple that was let go because it lay too deep in others; below it one of 2, 4, 8... items in all
DOUBLED = DEEP - 40
FIRST_OBJECT = -100  # memo cells at or below hold an index into the table of objects

CLASS = b"__class__"  # the attribute that makes an object one of another class
TERM = b"expr"  # where a factor of formulaic keeps its text
HIDDEN = "\0"  # the key that says that a kept state had more items, or ones that can't be seen
TUPLE_ITEMS = 64
TUPLE_DEPTH = 4
TUPLE_WEIGHT = 1024
NAME_LENGTH = 1024
_TUPLES = frozenset((TUPLE, *range(DEEP, FIRST_OBJECT, -1)))


class Global:
    """An imported name: where it was first seen and what the policy says of it."""

    __slots__ = ("called", "cell", "mapped", "module", "name", "position", "reported", "standing")

    def __init__(self, module: str, name: str, position: int, standing: Any, mapped: str) -> None:
        self.module = module
        self.name = name
        self.position = position
        self.standing = standing
        self.mapped = mapped
        self.called = 0
        self.reported = 0
        self.cell = 0

    @property
    def key(self) -> str:
        """`module:qualname` as the file spells it."""
        return f"{self.module}:{self.name}"


class Made:
    """The result of a call, or what a persistent id stands for. `sealed` once its state has been set."""

    __slots__ = ("cell", "detail", "maker", "sealed")

    def __init__(self, maker: Global | None, detail: Any = None) -> None:
        self.maker = maker
        self.detail = detail
        self.sealed = False
        self.cell = 0


class Bound:
    """What `functools.partial` holds: a function and its first arguments (None: not known)."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Global, arguments: tuple[Any, ...] | None) -> None:
        self.function = function
        self.arguments = arguments


RUN, RUN_LEFT = -1, -2  # a run; the beginning of one whose end was needed, which is walked whole the next time


class Chunk:
    """Many values in one slot: the numbers in [start, end), the run there (`count` below zero, see `runs`), or `count`
    values that were let go (`end` 0).
    """

    __slots__ = ("count", "end", "start")

    def __init__(self, start: int, end: int, count: int = 0) -> None:
        self.start = start
        self.end = end
        self.count = count


@dataclass(frozen=True)
class Storage:
    """A torch persistent id: which storage, of what type, how many elements (-1: not a literal)."""

    key: str
    type: str
    elements: int


# Opcodes that push one literal and have a fixed size (PEP 307, PEP 3154): opcode plus argument, in bytes.
FIXED: list[int] = [0] * 256
for _op, _size in ((b"N", 1), (b"\x88", 1), (b"\x89", 1), (b"K", 2), (b"M", 3), (b"J", 5), (b"G", 9)):
    FIXED[_op[0]] = _size
FIXED_RUN = regex(rb"(?:[N\x88\x89]|K.|M..|J.{4}|G.{8}){16,65536}+", re.DOTALL)
FIXED_ONE = regex(rb"[N\x88\x89]|K.|M..|J.{4}|G.{8}", re.DOTALL)

# Opcodes with a length before their text or bytes: how many bytes the length takes.
COUNTED = {0x8C: 1, 0x58: 4, 0x8D: 8, 0x55: 1, 0x54: 4, 0x43: 1, 0x42: 4, 0x8E: 8, 0x96: 8, 0x8A: 1, 0x8B: 4}
TEXT_COUNTED = frozenset((0x8C, 0x58, 0x8D))
BYTES_COUNTED = frozenset((0x43, 0x42, 0x8E, 0x96, 0x55, 0x54))


def shallow(items: list[Any]) -> Any:
    """A tuple of slots, deeper tuples than TUPLE_DEPTH and those of more than TUPLE_WEIGHT items in all replaced:
    memory and later recursion stay bounded, and who looks at all of them knows that it could take forever.
    """
    if len(items) > TUPLE_ITEMS:
        nested = any(item.__class__ is tuple or (item.__class__ is int and item in _TUPLES) for item in items)
        return _deep(items) if nested else TUPLE
    kept = []
    left = TUPLE_WEIGHT
    for item in items:
        kind = item.__class__
        if kind is Chunk:
            return TUPLE
        if kind is tuple:
            left = _left(item, TUPLE_DEPTH, left)
            if left < 0:
                item, left = _deep(item), 0
        kept.append(item)
    return tuple(kept)


def let_go(slot: int) -> bool:
    """Whether this stands for a tuple that was let go."""
    return FIRST_OBJECT < slot <= DEEP


def _deep(items: Iterable[Any]) -> int:
    """What stands for such a tuple: the memo may hold it, and others hold it many times."""
    return max(DEEP + 1 - _weight(items).bit_length(), FIRST_OBJECT + 1)


def _weight(items: Iterable[Any]) -> int:
    total = 1
    for item in items:
        if item.__class__ is tuple:
            total += _weight(item)  # no deeper than TUPLE_DEPTH
        elif item.__class__ is int and let_go(item):
            total += 1 << (DEEP - item)
        else:
            total += 1
    return total


def _left(item: tuple[Any, ...], depth: int, left: int) -> int:
    """What a tuple's items leave of a budget: below zero if it is too deep or has too many. Takes as many steps."""
    left -= len(item) if depth > 1 else left + 1
    for part in item:
        if left < 0:
            break
        if part.__class__ is tuple:
            left = _left(part, depth - 1, left)
        elif part.__class__ is int and part == TUPLE:
            left -= TUPLE_ITEMS
    return left


def is_deep(value: Any) -> bool:
    """A tuple in which another was let go because it lay too deep."""
    if value.__class__ is tuple:
        return any(map(is_deep, value))
    return value.__class__ is int and let_go(value)
