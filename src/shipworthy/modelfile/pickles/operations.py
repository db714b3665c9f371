"""The opcodes that are not in the machine's inner loop, and what several opcodes share."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from shipworthy.modelfile.pickles import arrays
from shipworthy.modelfile.pickles.calls import Calls, Policy
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode, line_value
from shipworthy.modelfile.pickles.values import (
    BYTES_COUNTED,
    COUNTED,
    DICT,
    EMPTY_DICT,
    FIRST_OBJECT,
    FIXED_ONE,
    LIST,
    NAME_LENGTH,
    OPAQUE,
    SET,
    TUPLE,
    Chunk,
    Global,
    Made,
    Storage,
    shallow,
)
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.view import Buffer

_KEPT_FIRST, _KEPT_LAST = 2, 8
_STATE_ITEMS = 64
_KEPT_TUPLES = 20_000
_INNER_MAGIC = frozenset(b"\x80PB\x1f\xfd\x93\x7fM")


class BrokenError(Exception):
    """A loader raises here."""


class Operations(Calls):
    """State of the walk, and the rarer opcodes. An opcode's method takes the offset behind the opcode and returns the
    offset of the next one, negated when the stream ends there.
    """

    def __init__(self, buffer: Buffer, start: int, end: int, policy: Policy) -> None:
        super().__init__(buffer, start, end, policy)
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.fence = 0
        self.memo: array[int] = array("q")
        self.sparse: dict[int, int] = {}
        self.objects: list[Any] = []
        self.broken = ""
        self.dup_seen = False
        self.plain = False
        self.tuples = 0
        self.rare: list[Callable[[int], int] | None] = [None] * 256
        for op, method in _METHODS.items():
            self.rare[op] = getattr(self, method)

    # memo -----------------------------------------------------------------------------------------------

    def put(self, index: int) -> None:
        """Remember the top of the stack."""
        if len(self.stack) <= self.fence:
            raise BrokenError("the stack is empty where a value is needed")
        if self.stack[-1].__class__ is Chunk:
            self.explicit(1)
        value = self._cell(self.stack[-1])
        if index < len(self.memo):
            self.memo[index] = value
        elif index == len(self.memo) and index not in self.sparse:
            self.memo.append(value)
        else:
            if index > max(self.end - self.start, 1 << 16):
                self.issue(Code.BOMB, "high", f"memo index {index} makes the loader allocate a huge table")
            if len(self.sparse) >= self.limits.objects:
                raise BrokenError("more memo entries lie apart than any pickler writes")
            self.sparse[index] = value

    def _cell(self, value: Any) -> int:
        if value.__class__ is int:
            return value
        if isinstance(value, (Global, Made)) and value.cell:
            return value.cell
        if len(self.objects) >= self.limits.objects:
            return OPAQUE
        if value.__class__ is tuple:
            self.tuples += 1
            if self.tuples > _KEPT_TUPLES:
                for part in value:
                    if part.__class__ is not int:
                        break
                else:
                    return TUPLE
        self.objects.append(value)
        cell = FIRST_OBJECT - (len(self.objects) - 1)
        if isinstance(value, (Global, Made)):
            value.cell = cell
        return cell

    def missing(self, index: int) -> int:
        """A memo entry beyond the dense part."""
        if index not in self.sparse:
            raise BrokenError(f"memo entry {index} was never written")
        return self.sparse[index]

    def _get(self, index: int) -> None:
        value = self.memo[index] if 0 <= index < len(self.memo) else self.missing(index)
        self.stack.append(value if value > FIRST_OBJECT else self.objects[FIRST_OBJECT - value])

    # stack ----------------------------------------------------------------------------------------------

    def need(self, count: int) -> None:
        """At least `count` values above the last mark, the top ones in slots of their own."""
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
                if chunk.end:
                    values = [match.start() + 1 for match in FIXED_ONE.finditer(self.buffer, chunk.start, chunk.end)]
                    stack[at : at + 1] = values
                else:
                    single = min(chunk.count, 64)
                    left = chunk.count - single
                    stack[at : at + 1] = [*([Chunk(0, 0, left)] if left else []), *([OPAQUE] * single)]

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
            count = sum(_width(self.buffer, item) for item in middle)
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
        self.stack.append(shallow(items))

    # containers -----------------------------------------------------------------------------------------

    def add_items(self, target: Any, mark: int) -> None:
        """APPENDS, SETITEMS, ADDITEMS onto something that is no plain container made here."""
        if isinstance(target, dict):
            self._keep(target, self.stack[mark:])
        else:
            self._changed(target)

    def add_one(self, count: int) -> None:
        """APPEND (one value) and SETITEM (two)."""
        self.need(count + 1)
        values = self.stack[-count:]
        del self.stack[-count:]
        target = self.stack[-1]
        if target.__class__ is int:
            if target == EMPTY_DICT:
                self.stack[-1] = DICT
                if self.wrapping and len(self.stack) > 1 and arrays.is_wrapper(self.stack[-2]):
                    self.stack[-1] = {}
                    self._keep(self.stack[-1], values)
        elif isinstance(target, dict):
            self._keep(target, values)
        else:
            self._changed(target)

    def keep_items(self, mark: int) -> None:
        """SETITEMS onto a new dict while an array wrapper is around: its state's items are needed."""
        self.stack[mark - 1] = DICT
        if mark > 1 and arrays.is_wrapper(self.stack[mark - 2]):
            kept: dict[str, Any] = {}
            self._keep(kept, self.stack[mark:])
            self.stack[mark - 1] = kept

    def _keep(self, target: dict[str, Any], items: list[Any]) -> None:
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, int) and key > 0 and len(target) < _STATE_ITEMS:
                try:
                    target[str(decode(self.buffer, key, NAME_LENGTH))] = value
                except NotALiteralError:
                    continue

    def _changed(self, target: Any) -> None:
        """Items are added to an object: its own methods run, so it must not have been given state before."""
        if isinstance(target, Global):
            what = f"items are added to {target.key} itself, which changes it for the whole process"
            self.issue(Code.STATE_TAMPERING, "high", what, target.key)
        elif isinstance(target, Made) and target.sealed:
            name = target.maker.key if target.maker else ""
            self.issue(Code.STATE_TAMPERING, "high", "an object is called after its state was replaced", name)

    # calls ----------------------------------------------------------------------------------------------

    def reduce(self) -> None:
        """REDUCE and NEWOBJ."""
        self.need(2)
        args = self.stack.pop()
        callee = self.stack.pop()
        self.stack.append(self.call(callee, args if args.__class__ is tuple else None))

    def _newobj_ex(self, at: int) -> int:
        self.need(3)
        kwargs = self.stack.pop()
        args = self.stack.pop()
        callee = self.stack.pop()
        known = args.__class__ is tuple and kwargs == EMPTY_DICT
        self.stack.append(self.call(callee, args if known else None))
        return at

    def _obj(self, at: int) -> int:
        if self.marks and len(self.stack) > self.marks[-1]:
            first = self.stack[self.marks[-1]]
            if first.__class__ is Chunk:
                self.stack[self.marks[-1]] = OPAQUE
        items = self.pop_mark()
        if not items:
            raise BrokenError("there is no class to make an object of")
        args = shallow(items[1:])
        self.stack.append(self.call(items[0], args if args.__class__ is tuple else None))
        return at

    def _inst(self, at: int) -> int:
        found, at = self._two_lines(at)
        args = shallow(self.pop_mark())
        self.stack.append(self.call(found, args if args.__class__ is tuple else None))
        return at

    def _build(self, at: int) -> int:
        self.need(2)
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Global):
            what = f"state is set on {target.key} itself, which changes it for the whole process"
            self.issue(Code.STATE_TAMPERING, "high", what, target.key)
        elif isinstance(target, Made):
            if target.sealed:
                name = target.maker.key if target.maker else ""
                self.issue(
                    Code.STATE_TAMPERING,
                    "high",
                    "an object is given state twice: the first can replace its methods",
                    name,
                )
            target.sealed = True
            if not self.plain and arrays.is_wrapper(target):
                return arrays.skip(self, at, state)
        elif target == OPAQUE:
            self.issue(Code.STATE_TAMPERING, "medium", "state is set on a value that can't be followed")
        else:
            # a loader raises here unless the state is empty; going on sees more, never less
            self.issue(Code.STATE_TAMPERING, "medium", "state is set on a plain value, which no pickler does")
        return at

    # names ----------------------------------------------------------------------------------------------

    def _two_lines(self, at: int) -> tuple[Global, int]:
        first = self._line_end(at)
        second = self._line_end(first + 1)
        if second - at > 2 * NAME_LENGTH:
            return self.computed("longer than any name"), second + 1
        try:
            module = self.buffer[at:first].decode("utf-8")
            name = self.buffer[first + 1 : second].decode("utf-8")
        except UnicodeDecodeError:
            raise BrokenError("a name is not UTF-8") from None
        return self.name(module, name, self.position), second + 1

    def _global(self, at: int) -> int:
        found, at = self._two_lines(at)
        self.stack.append(found)
        return at

    def _stack_global(self, at: int) -> int:
        self.need(2)
        name = self.stack.pop()
        module = self.stack.pop()
        self.stack.append(self.stack_global(module, name))
        return at

    def _extension(self, at: int) -> int:
        width = {0x82: 1, 0x83: 2, 0x84: 4}[self.buffer[at - 1]]
        self.stack.append(self.computed("taken from a registry outside of the file (EXT)"))
        return at + width

    def _persid(self, at: int) -> int:
        self.stack.append(Made(None))
        return self._line_end(at) + 1

    def _binpersid(self, at: int) -> int:
        pid = self.pop()
        if isinstance(pid, tuple) and len(pid) >= 5 and len(self.storages) < self.limits.objects:
            self.storages.append(self._storage(pid))
        if isinstance(pid, tuple) and len(pid) >= 2 and isinstance(pid[1], Global) and self._is_module(pid[0]):
            self.stack.append(pid[1])  # torch's legacy format names a module's class like this
        else:
            self.stack.append(Made(None))
        return at

    def _is_module(self, slot: Any) -> bool:
        try:
            return isinstance(slot, int) and slot > 0 and decode(self.buffer, slot, 16) == "module"
        except NotALiteralError:
            return False

    def _storage(self, pid: tuple[Any, ...]) -> Storage:
        values: list[Any] = []
        for slot in (pid[2], pid[4]):
            try:
                values.append(decode(self.buffer, slot, NAME_LENGTH) if isinstance(slot, int) and slot > 0 else None)
            except NotALiteralError:
                values.append(None)
        kind = pid[1].name if isinstance(pid[1], Global) else ""
        count = values[1] if isinstance(values[1], int) else -1
        return Storage(str(values[0]), kind, count)

    # literals -------------------------------------------------------------------------------------------

    def _line_end(self, at: int) -> int:
        newline = self.buffer.find(b"\n", at, self.end)
        if newline < 0:
            raise BrokenError("a line has no end")
        return newline

    def _line_literal(self, at: int) -> int:
        newline = self._line_end(at)
        op = self.buffer[at - 1]
        if op != 0x56 or newline - at < 1 << 16:
            if newline - at > 1 << 20:
                raise BrokenError("a number or text is longer than any pickler writes on one line")
            try:
                line_value(op, self.buffer[at:newline])
            except NotALiteralError as error:
                raise BrokenError(f"a literal can't be read ({str(error)[:80]})") from None
        self.stack.append(at)
        return newline + 1

    def _counted(self, at: int) -> int:
        op = self.buffer[at - 1]
        width = COUNTED[op]
        size = int.from_bytes(self.buffer[at : at + width], "little")
        if op in (0x54, 0x8B) and size >> 31:
            raise BrokenError("a length is negative")
        if at + width + size > self.end:
            raise BrokenError(f"a value declares {size} bytes, more than there are")
        if size > 8 and op in BYTES_COUNTED and self.buffer[at + width] in _INNER_MAGIC:
            self.look_into(at)
        self.stack.append(at)
        return at + width + size

    def _line_get(self, at: int) -> int:
        newline = self._line_end(at)
        self._get(self._index(at, newline))
        return newline + 1

    def _line_put(self, at: int) -> int:
        newline = self._line_end(at)
        index = self._index(at, newline)
        if index < 0:
            raise BrokenError("a memo index is negative")
        self.put(index)
        return newline + 1

    def _index(self, at: int, newline: int) -> int:
        try:
            return int(self.buffer[at : min(newline, at + 32)])
        except ValueError:
            raise BrokenError("a memo index is not a number") from None

    def _long_binput(self, at: int) -> int:
        self.put(int.from_bytes(self.buffer[at : at + 4], "little"))
        return at + 4

    # the rest -------------------------------------------------------------------------------------------

    def _proto(self, at: int) -> int:
        version = self.buffer[at] if at < self.end else 255
        if version > 5:
            raise BrokenError(f"protocol {version} does not exist")
        self.protocol = version
        return at + 1

    def _frame(self, at: int) -> int:
        size = int.from_bytes(self.buffer[at : at + 8], "little")
        if at + 8 + size > self.end:
            self.issue(Code.BROKEN_STREAM, "medium", "a frame declares more bytes than there are")
        return at + 8

    def drop(self) -> None:
        """POP: a value, or the mark when nothing lies above it."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.pop_mark()
        else:
            self.pop()

    def _pop_to_mark(self, at: int) -> int:
        self.pop_mark()
        return at

    def _dup(self, at: int) -> int:
        self.need(1)
        if not self.dup_seen:
            self.dup_seen = True
            self.issue(
                Code.BROKEN_STREAM, "medium", "it uses DUP, which no pickler writes: the file was assembled by hand"
            )
        self.stack.append(self.stack[-1])
        return at

    def _from_mark(self, at: int) -> int:
        self.pop_mark()
        self.stack.append({0x6C: LIST, 0x64: DICT, 0x91: SET}[self.buffer[at - 1]])
        return at

    def _empty_set(self, at: int) -> int:
        self.stack.append(SET)
        return at

    def _additems(self, at: int) -> int:
        self.pop_mark()
        self.need(1)
        if self.stack[-1].__class__ is not int:
            self._changed(self.stack[-1])
        return at

    def _next_buffer(self, at: int) -> int:
        self.issue(Code.EXTERNAL_DATA, "medium", "it needs buffers that are not in the file (NEXT_BUFFER)")
        self.stack.append(OPAQUE)
        return at

    def _readonly_buffer(self, at: int) -> int:
        self.need(1)
        return at

    def _stop(self, at: int) -> int:
        self.pop()
        return -at


def _width(buffer: Buffer, item: Any) -> int:
    if item.__class__ is not Chunk:
        return 1
    return item.count or sum(1 for _ in FIXED_ONE.finditer(buffer, item.start, item.end))


_METHODS: dict[int, str] = {
    0x92: "_newobj_ex",
    0x6F: "_obj",
    0x69: "_inst",
    0x62: "_build",
    0x63: "_global",
    0x93: "_stack_global",
    0x82: "_extension",
    0x83: "_extension",
    0x84: "_extension",
    0x50: "_persid",
    0x51: "_binpersid",
    **dict.fromkeys((0x49, 0x4C, 0x46, 0x53, 0x56), "_line_literal"),
    **dict.fromkeys((0x8D, 0x55, 0x54, 0x43, 0x42, 0x8E, 0x96, 0x8A, 0x8B), "_counted"),
    0x67: "_line_get",
    0x70: "_line_put",
    0x72: "_long_binput",
    0x80: "_proto",
    0x95: "_frame",
    0x31: "_pop_to_mark",
    0x32: "_dup",
    **dict.fromkeys((0x6C, 0x64, 0x91), "_from_mark"),
    0x8F: "_empty_set",
    0x90: "_additems",
    0x97: "_next_buffer",
    0x98: "_readonly_buffer",
    0x2E: "_stop",
}
