"""The symbolic stack, marks and memo: what the opcodes work on."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import Any

from shipworthy.modelfile.pickles import formulas, shadows, states
from shipworthy.modelfile.pickles.calls import Policy
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import Kind
from shipworthy.modelfile.pickles.numbers import Numbers
from shipworthy.modelfile.pickles.runs import BrokenError as BrokenError
from shipworthy.modelfile.pickles.values import (
    CLASS,
    DICT,
    DOUBLED,
    EMPTY_DICT,
    FIRST_OBJECT,
    HIDDEN,
    KEPT,
    LIST,
    NAME_LENGTH,
    OPAQUE,
    TUPLE,
    TUPLE_ITEMS,
    Chunk,
    Global,
    Made,
    is_deep,
    shallow,
)
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.view import Buffer

_KEPT_FIRST, _KEPT_LAST = 2, 8
_STATE_ITEMS = 1024
_KEPT_TUPLES = 20_000


class Stack(Numbers):
    """The loader's stack, marks and memo, and what is put into containers."""

    def __init__(self, buffer: Buffer, start: int, end: int, policy: Policy) -> None:
        super().__init__(buffer, start, end, policy)
        self.frame_end = 0
        self.broken = ""
        self.dup_seen = False
        self.plain = False
        self.huge_memo = False

    # memo -----------------------------------------------------------------------------------------------

    def put(self, index: int) -> None:
        """Remember the top of the stack."""
        if len(self.stack) <= self.fence:
            raise BrokenError("the stack is empty where a value is needed")
        self.settle()
        self.explicit(1)
        value = self.cell_of(self.stack[-1])
        if index < len(self.memo):
            if index < len(self.first):
                self.swift = False  # what was passed by is walked with the memo of its time; from now on it is another
            self.memo[index] = value
        elif index == len(self.memo) and index not in self.sparse:
            self.memo.append(value)
        else:
            if index > max(self.end - self.start, 1 << 16) and not self.huge_memo:
                self.huge_memo = True  # told once: each costs as much as thirty opcodes
                self.issue(Code.BOMB, "high", f"memo index {index} makes the loader allocate a huge table")
            if len(self.sparse) >= self.limits.objects:
                raise BrokenError("more memo entries lie apart than any pickler writes")
            self.sparse[index] = value

    def cell_of(self, value: Any) -> int:
        """What the memo keeps of a value."""
        kind = value.__class__
        if kind is int:
            return KEPT if value == EMPTY_DICT else int(value)
        if (kind is Made or kind is Global) and value.cell:
            return int(value.cell)
        if len(self.objects) >= self.limits.objects and not isinstance(value, Global):
            return OPAQUE
        if kind is tuple:
            self.tuples += 1
            if self.tuples > _KEPT_TUPLES:
                for part in value:
                    if part.__class__ is not int:
                        break
                else:
                    return TUPLE
        self.objects.append(value)
        cell = FIRST_OBJECT - (len(self.objects) - 1)
        if kind is Made or kind is Global:
            value.cell = cell
        return cell

    def memoize(self) -> None:
        """MEMOIZE: the next index."""
        if self.sparse:
            self.put(len(self.memo) + len(self.sparse))
            return
        self.explicit(1)
        self.tail.append(self.cell_of(self.stack[-1]))

    def missing(self, index: int) -> int:
        """A memo entry beyond the dense part."""
        self.settle()
        if index < len(self.memo):
            return self.memo[index]
        if index not in self.sparse:
            raise BrokenError(f"memo entry {index} was never written")
        return self.sparse[index]

    def _get(self, index: int) -> None:
        value = self.memo[index] if 0 <= index < len(self.memo) else self.missing(index)
        self.stack.append(value if value > FIRST_OBJECT else self.objects[FIRST_OBJECT - value])

    # stack ----------------------------------------------------------------------------------------------

    def need(self, count: int) -> None:
        """At least `count` values above the last mark, the top ones in slots of their own."""
        if Chunk in map(type, self.stack[-count:]):
            self.explicit(count)
        if len(self.stack) - self.fence < count:
            raise BrokenError("the stack is empty where a value is needed")

    def explicit(self, count: int) -> None:
        """Give the top `count` values slots of their own."""
        stack = self.stack
        for back in range(1, count + 1):
            at = len(stack) - back
            if at < self.fence:
                return
            chunk = stack[at]
            if chunk.__class__ is Chunk:
                stack[at : at + 1] = self.last_values(chunk)

    def pop(self) -> Any:
        """The top value."""
        self.need(1)
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        """What lies above the last mark. Raises BrokenError without a mark."""
        if not self.marks:
            raise BrokenError("there is no mark where one is needed")
        mark = self.marks.pop()
        self.fence = self.marks[-1] if self.marks else 0
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def let_go(self) -> None:
        """Shorten a huge stack: of each part between marks the first and last values are kept, the others counted."""
        if len(self.marks) > self.limits.marks:
            raise BrokenError("more marks are open than any pickler leaves")
        kept: list[Any] = []
        marks: list[int] = []
        edges = [0, *self.marks, len(self.stack)]
        for number, (low, high) in enumerate(pairwise(edges)):
            if number:
                marks.append(len(kept))
            if high - low <= _KEPT_FIRST + _KEPT_LAST + 1:
                kept += self.stack[low:high]
                continue
            middle = self.stack[low + _KEPT_FIRST : high - _KEPT_LAST]
            count = sum(self.width(item) for item in middle)
            kept += self.stack[low : low + _KEPT_FIRST]
            kept.append(Chunk(0, 0, count))
            kept += self.stack[high - _KEPT_LAST : high]
        self.stack[:] = kept
        self.marks[:] = marks
        self.fence = marks[-1] if marks else 0
        if len(kept) > self.limits.stack:
            raise BrokenError("more values wait on the stack than any pickler leaves")

    def tuple_of(self, count: int) -> None:
        """TUPLE1 to TUPLE3."""
        self.need(count)
        items = self.stack[-count:]
        del self.stack[-count:]
        self.stack.append(self.folded(items))

    def folded(self, items: list[Any]) -> Any:
        """A tuple; from the first one that is too deep, keys are looked at."""
        return self._noted(shallow(items))

    def _noted(self, made: Any) -> Any:
        if not self.deep and is_deep(made):
            self.deep = True
            self.wrapping += 1
        if made.__class__ is tuple and any(part.__class__ is int and FIRST_OBJECT < part <= DOUBLED for part in made):
            text = "tuples are put into tuples over and over, with more items in all than anybody could look at"
            self.issue(Code.BOMB, "high", text)
        return made

    def tuple_from(self, mark: int) -> None:
        """TUPLE."""
        made = shallow(self.stack[mark:])
        if made.__class__ is int:
            self.spread(mark, TUPLE_ITEMS)
            made = shallow(self.stack[mark:])
        self.stack[mark:] = [self._noted(made)]

    # containers -----------------------------------------------------------------------------------------

    def add_items(self, target: Any, mark: int) -> None:
        """APPENDS, SETITEMS, ADDITEMS onto something that is no plain container made here."""
        self.spread(mark, 2 * _STATE_ITEMS)
        self.replaced(self.stack[mark:], mark - 1)
        if isinstance(target, dict):
            self._keep(target, self.stack[mark:])
        else:
            self._changed(target)

    def open_target(self, mark: int) -> int:
        """Give what items are added to a slot of its own. Returns where the items begin."""
        values = self.last_values(self.stack[mark - 1])
        self.stack[mark - 1 : mark] = values
        return mark - 1 + len(values)

    def add_one(self, count: int) -> None:
        """APPEND (one value) and SETITEM (two)."""
        self.need(count + 1)
        values = self.stack[-count:]
        del self.stack[-count:]
        target = self.stack[-1]
        self.nest(values[-1])
        if count == 2:
            self.replaced(values, len(self.stack) - 1)
        elif self.deep:
            self.listed(values)
        if target.__class__ is int:
            if target == EMPTY_DICT:
                self.stack[-1] = DICT
                if self._wanted(len(self.stack) - 1, values):
                    self.stack[-1] = {}
                    self._keep(self.stack[-1], values)
            elif target == KEPT:
                self.altered()
        elif isinstance(target, dict):
            self._keep(target, values)
        else:
            self._changed(target)

    def keep_items(self, mark: int) -> None:
        """SETITEMS onto a new dict while an array wrapper is around: its state's items are needed."""
        self.stack[mark - 1] = DICT
        self.spread(mark, 2 * _STATE_ITEMS)
        self.replaced(self.stack[mark:], mark - 1)
        if self._wanted(mark - 1, self.stack[mark:]):
            kept: dict[str, Any] = {}
            self._keep(kept, self.stack[mark:])
            self.stack[mark - 1] = kept

    def more_items(self, target: int, mark: int) -> None:
        """APPENDS, SETITEMS onto a container that holds something, while states matter."""
        if target == KEPT:
            self.altered()
        if target != LIST:
            self.replaced(self.stack[mark:], mark - 1)
        elif self.deep:
            self.listed(self.stack[mark:])

    def listed(self, items: list[Any]) -> None:
        """What a set may be made of later."""
        self.listed_deep = self.listed_deep or any(map(is_deep, items))
        self.collide(items)

    def replaced(self, items: list[Any], at: int) -> None:
        """A dictionary at this place of the stack may become the state of an object: no item may take the place of what
        loading calls. Keys and values are not told apart: a run of numbers in one slot would hide which is which.
        """
        if self.deep:
            self.keyed(items[::2] if Chunk not in map(type, items) else items)
        if self.terms and not self.wrong_term and formulas.wrong_terms(self.buffer, items, self._text):
            self.wrong_term = self.position
        key: Any = 0
        own = self._is_state(at)
        for value in items:
            kind: type = value.__class__
            if kind is int:
                pass
            elif kind is tuple:
                self.kept(shadows.kept_class(value))
            elif kind is Chunk:
                if not value.end and self.functions:
                    what = "a dictionary has more items at once than any pickler writes"
                    self.issue(Code.STATE_TAMPERING, "high", what)
            else:
                self.kept(shadows.kept_class(value))
                if shadows.is_called(value, own) or shadows.acts(value):
                    self._stands_in(key, value, own, at)
                elif not own and not self.named and shadows.is_called(value, True):
                    self.named = shadows.called_name(self._text(key))
            key = value

    def _is_state(self, at: int) -> bool:
        """An object's items, its state, or what is set on its slots."""
        around = self.stack[max(at - 2, 0) : at + 1]
        if isinstance(around[-1], Made):
            maker = around[-1].maker
            return maker is not None and maker.standing.kind is not Kind.VETTED  # an ordered dictionary is not its own
        if at and shadows.is_open(around[-2]):
            return True
        below = around[-2] if at else 0
        return (
            at > 1
            and shadows.is_open(around[0])
            and below.__class__ is int
            and (below < 0 or (below > 0 and self.buffer[below - 1] == 0x4E))
        )

    def keyed(self, keys: list[Any]) -> None:
        """Keys of a dictionary, or what a set is made of: the loader asks each for its hash."""
        if self.deep and any(map(is_deep, keys)):
            self.issue(Code.BOMB, "high", "tuples within tuples are a key: to look at all of them could take forever")
        self.collide(keys)

    def _stands_in(self, key: Any, value: Any, own: bool, at: int) -> None:
        maker = value if isinstance(value, Global) else value.maker
        name = maker.key if maker else ""
        if isinstance(key, Made) and shadows.is_function(value) and shadows.is_text(key):
            what = "a function is stored under a name that is computed while loading"
            self.issue(Code.STATE_TAMPERING, "high", what, name)
        elif shadows.is_called(value, own) and (text := shadows.called_name(self._text(key))):
            what = f"{name} is stored under the name {text}, which code that runs while loading calls"
            if shadows.is_called_by(text, self.stack[max(at - 2, 0) : at] if own else []):
                if own or any(map(shadows.is_open, self.stack[:at])):
                    self.issue(Code.STATE_TAMPERING, "high", what, name)
                else:
                    self.hold_back(what, name)
            elif not own:
                self.named = self.named or text
        elif shadows.acts(value, self._text(key)):
            what = f"{name} stands in for another object, one of whose methods is called while loading"
            self.issue(Code.STATE_TAMPERING, "high", what, name)

    def _text(self, key: Any) -> str:
        key = self.last_values(key)[-1] if key.__class__ is Chunk and key.end else key
        with contextlib.suppress(NotALiteralError):
            return str(decode(self.buffer, key, NAME_LENGTH)) if key.__class__ is int and key > 0 else ""
        return ""

    def _wanted(self, at: int, items: list[Any]) -> bool:
        """The dictionary at this place of the stack must be seen: it is the state of an object that acts on it, or what
        is set on an object's slots, or among the state of a numpy type, or it has an item that matters.
        """
        below = self.stack[at - 1] if at else None
        if states.wanted(below) or self._names_class(items):
            return True
        if at > 1 and below.__class__ is int and isinstance(self.stack[at - 2], Made):
            return True
        mark = self.marks[-1] if self.marks else 0
        before = self.stack[mark - 1] if mark and at >= mark else None
        if any(states.is_random(self.stack[place]) for place in (at - 3, mark - 2, mark - 1) if 0 <= place < at):
            return True
        return isinstance(before, Made) and before.maker is not None and before.maker.mapped == "numpy:dtype"

    def _keep(self, target: dict[str, Any], items: list[Any]) -> None:
        if self._names_class(items):
            target[CLASS.decode()] = OPAQUE
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, int) and key > 0 and len(target) < _STATE_ITEMS:
                try:
                    target[str(decode(self.buffer, key, NAME_LENGTH))] = value
                except NotALiteralError:
                    target[HIDDEN] = OPAQUE
            else:
                target[HIDDEN] = OPAQUE

    def watch(self) -> None:
        """The data speak of `__class__`: from here on a dictionary that has it as a key is seen."""
        self.watched = True
        self.wrapping += 1

    def watch_terms(self) -> None:
        """The data speak of `expr`: from here on each dictionary is looked at for it."""
        self.terms = True
        self.wrapping += 1

    def _names_class(self, items: list[Any]) -> bool:
        if not self.watched:
            return False
        # with values that have no slots of their own, keys can't be told from values
        for key in items if any(item.__class__ is Chunk for item in items) else items[::2]:
            with contextlib.suppress(NotALiteralError):
                if key.__class__ is int and key > 0 and decode(self.buffer, key, 32) == CLASS.decode():
                    return True
        return False

    def altered(self) -> None:
        """Items are added to a dictionary that came out of the memo, while a state that matters is being read."""
        if self.wrapping:
            what = (
                "a dictionary is changed after it was stored, which no pickler does: it may be the state of an object"
            )
            self.issue(Code.STATE_TAMPERING, "high", what)

    def _changed(self, target: Any) -> None:
        """Items are added to an object: its own methods run, so it must not have been given state before."""
        if isinstance(target, Global):
            what = f"items are added to {target.key} itself, which changes it for the whole process"
            self.issue(Code.STATE_TAMPERING, "high", what, target.key)
        elif isinstance(target, Made):
            name = target.maker.key if target.maker else ""
            if target.maker is None or target.maker.standing.kind is not Kind.VETTED:
                self.release()
            shared = states.shared(target)
            if shared:
                self.issue(Code.STATE_TAMPERING, "high", f"items are added to {shared}", name)
            elif target.sealed:
                self.issue(Code.STATE_TAMPERING, "high", "an object is called after its state was replaced", name)
