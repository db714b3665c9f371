"""The opcodes that are not in the machine's inner loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from shipworthy.modelfile.pickles import arrays
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode, line_value, only_in_c
from shipworthy.modelfile.pickles.stack import BrokenError, Stack
from shipworthy.modelfile.pickles.values import (
    BYTES_COUNTED,
    CLASS,
    COUNTED,
    DICT,
    EMPTY_DICT,
    LIST,
    NAME_LENGTH,
    OPAQUE,
    SET,
    TERM,
    TUPLE_ITEMS,
    Chunk,
    Global,
    Made,
    Storage,
    shallow,
)
from shipworthy.modelfile.report import Code

_WIDE_LINE = 17  # digits of an integer that takes eight bytes
_INNER_MAGIC = frozenset(b"\x80PB\x1f\xfd\x93\x7fM\x78\x28\x04")


class Operations(Stack):
    """The rarer opcodes. An opcode's method takes the offset behind the opcode and returns the offset of the next one,
    negated when the stream ends there.
    """

    # calls ----------------------------------------------------------------------------------------------

    def reduce(self) -> None:
        """REDUCE and NEWOBJ."""
        stack = self.stack
        if stack[-1].__class__ is Chunk or stack[-2].__class__ is Chunk:
            self.need(2)
        args = stack.pop()
        callee = stack.pop()
        if args.__class__ is Made:
            self.hidden_arguments(callee)
        stack.append(self.call(callee, args if args.__class__ is tuple else None))

    def hidden_arguments(self, callee: Any) -> None:
        """A pickler writes the arguments as a tuple; what another call returns could be anything."""
        name = callee.key if isinstance(callee, Global) else ""
        what = "a call is given arguments that are computed while loading"
        self.issue(Code.CODE_EXECUTION, "high", what, name)

    def _newobj_ex(self, at: int) -> int:
        self.need(3)
        kwargs = self.stack.pop()
        args = self.stack.pop()
        callee = self.stack.pop()
        if isinstance(args, Made) or isinstance(kwargs, Made):
            self.hidden_arguments(callee)
        known = args.__class__ is tuple and kwargs == EMPTY_DICT
        self.stack.append(self.call(callee, args if known else None))
        return at

    def _obj(self, at: int) -> int:
        if self.marks:
            self.spread(self.marks[-1], TUPLE_ITEMS + 1)
            if self.stack[self.marks[-1] :] and self.stack[self.marks[-1]].__class__ is Chunk:
                self.stack[self.marks[-1]] = OPAQUE
        items = self.pop_mark()
        if not items:
            raise BrokenError("there is no class to make an object of")
        args = shallow(items[1:])
        self.stack.append(self.call(items[0], args if args.__class__ is tuple else None))
        return at

    def _inst(self, at: int) -> int:
        found, at = self._two_lines(at)
        if self.marks:
            self.spread(self.marks[-1], TUPLE_ITEMS)
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
            self.built(target, state)
            if not self.plain and arrays.is_wrapper(target):
                self.end_frame(at)
                return arrays.skip(self, at, state)
        elif target == OPAQUE:
            self.issue(Code.STATE_TAMPERING, "medium", "state is set on a value that can't be followed")
        else:
            # a loader raises here unless the state is empty; going on sees more, never less
            self.issue(Code.STATE_TAMPERING, "medium", "state is set on a plain value, which no pickler does")
        return at

    # names ----------------------------------------------------------------------------------------------

    def _two_lines(self, at: int) -> tuple[Global, int]:
        first = self._cut_name(at)
        second = self._cut_name(first + 1, at)
        if second - at > 2 * NAME_LENGTH:
            return self.computed("longer than any name"), second + 1
        try:
            module = self.buffer[at:first].decode("utf-8")
            name = self.buffer[first + 1 : second].decode("utf-8")
        except UnicodeDecodeError:
            raise BrokenError("a name is not UTF-8") from None
        return self.name(module, name, self.position), second + 1

    def _cut_name(self, at: int, module_at: int = -1) -> int:
        """The end of a name's line. At the end of the data Python's own unpickler (joblib uses it) takes what is left
        for a line, without its last byte, and imports it."""
        try:
            return self._line_end(at)
        except BrokenError:
            first = at if module_at < 0 else module_at
            if self.end - first <= 2 * NAME_LENGTH:
                left = self.buffer[at : max(at, self.end - 1)]
                module, name = (left, b"") if module_at < 0 else (self.buffer[module_at : at - 1], left)
                with contextlib.suppress(UnicodeDecodeError):
                    self.name(module.decode("utf-8"), name.decode("utf-8"), self.position)
            raise

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
        storage = self._storage(pid) if isinstance(pid, tuple) and len(pid) >= 5 else None
        if storage and len(self.storages) < self.limits.objects:
            self.storages.append(storage)
        if isinstance(pid, tuple) and len(pid) >= 2 and isinstance(pid[1], Global) and self._is_module(pid[0]):
            self.stack.append(pid[1])  # torch's legacy format names a module's class like this
        else:
            self.stack.append(Made(None, storage))
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
            line = self.buffer[at:newline]
            try:
                value = line_value(op, line)
                if value == CLASS.decode() and not self.watched:
                    self.watch()  # it may be spelled with escapes
                elif value == TERM.decode() and not self.terms:
                    self.watch_terms()
                if op in b"IL" and newline - at > _WIDE_LINE:
                    self.wide(value)
            except NotALiteralError as error:
                if not only_in_c(op, line):
                    raise BrokenError(f"a literal can't be read ({str(error)[:80]})") from None
                self._odd_number()
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
        if op in (0x8A, 0x8B) and size > 7:
            self.wide(int.from_bytes(self.buffer[at + width : at + width + size], "little", signed=True))
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
        if newline - at > 1 << 12:
            raise BrokenError("a memo index is longer than any pickler writes")
        line = self.buffer[at:newline]
        try:
            return int(line)
        except ValueError:
            head, ended, _ = line.partition(b"\0")
            if not ended or not head.strip().lstrip(b"+-").isdigit():
                raise BrokenError("a memo index is not a number") from None
        self._odd_number()
        return int(head)

    def _odd_number(self) -> None:
        self.issue(
            Code.BROKEN_STREAM, "high", "a number is written as only C's unpickler reads it: it loads, and is handmade"
        )

    # the rest -------------------------------------------------------------------------------------------

    def _proto(self, at: int) -> int:
        version = self.buffer[at] if at < self.end else 255
        if version > 5:
            raise BrokenError(f"protocol {version} does not exist")
        self.protocol = version
        return at + 1

    def leave_frame(self) -> None:
        """At or behind the end of a frame: an instruction that reaches across it is read in two ways. C's unpickler
        throws away what is left of the frame and reads the instruction's argument behind it; Python's raises."""
        if self.position > self.frame_end:
            self.frame_differs("ends within an instruction")
        self.frame_end = 0

    def end_frame(self, at: int) -> None:
        """An array begins: joblib has ended the frame before its bytes, and reads them behind it."""
        if self.frame_end > at:
            self.frame_differs("goes on behind the description of an array")
        self.frame_end = 0

    def frame_differs(self, what: str) -> None:
        """A frame that no pickler writes and that loaders do not agree about."""
        self.issue(Code.BROKEN_STREAM, "high", f"a frame {what}, so that loaders differ in what they read behind it")

    def _frame(self, at: int) -> int:
        size = int.from_bytes(self.buffer[at : at + 8], "little")
        if self.frame_end >= at:
            self.position = at - 1
            self.frame_differs("begins within another")
        if at + 8 + size > self.end:
            self.issue(Code.BROKEN_STREAM, "medium", "a frame declares more bytes than there are")
        self.frame_end = at + 8 + size
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
        items = self.pop_mark()
        op = self.buffer[at - 1]
        if op == 0x91:
            self.keyed(items)
        self.stack.append(EMPTY_DICT if op == 0x64 and not items else {0x6C: LIST, 0x64: DICT, 0x91: SET}[op])
        if op == 0x64:
            self.replaced(items, len(self.stack) - 1)
        return at

    def _empty_set(self, at: int) -> int:
        self.stack.append(SET)
        return at

    def _additems(self, at: int) -> int:
        self.keyed(self.pop_mark())
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
        if self.frame_end > at:
            self.frame_differs("goes on behind the pickle's end")
        return -at


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
RARE: list[Callable[[Any, int], int] | None] = [
    getattr(Operations, _METHODS[op]) if op in _METHODS else None for op in range(256)
]
