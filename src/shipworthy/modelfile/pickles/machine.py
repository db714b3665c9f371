"""One symbolic machine for all pickle protocols: it follows the loader's stack, marks and memo, and builds nothing.

The loop keeps the common opcodes inline; the rest are methods of `Operations`. Time is linear in the bytes, memory is
bounded by `Limits`: runs of plain numbers are swallowed by a regular expression, literals are kept as offsets, and what
lies deep in a huge stack is let go (see `values`). Where CPython's two loaders stop with an error, the machine stops.
Opcode semantics: CPython `Lib/pickle.py` and `Modules/_pickle.c`; PEP 307, PEP 3154, PEP 574.
"""

from __future__ import annotations

from shipworthy.modelfile.pickles import runs
from shipworthy.modelfile.pickles.operations import RARE, Operations
from shipworthy.modelfile.pickles.stack import BrokenError
from shipworthy.modelfile.pickles.values import (
    CLASS,
    DICT,
    EMPTY_DICT,
    FIXED,
    FIXED_RUN,
    KEPT,
    LIST,
    TERM,
    TUPLE_ITEMS,
    Chunk,
    Made,
)

WINDOW = 1 << 18
_FIRST_WINDOW = 1 << 12  # a file may be thousands of tiny streams
_SLACK = 16
_OFF = 1 << 62


class Machine(Operations):
    """Walks one stream from `start`; after `run`, `position` is where it ended and `broken` why, if it did not reach
    its STOP.
    """

    def run(self) -> None:
        """Walk to STOP, or to where a loader would raise."""
        try:
            self._loop()
        except BrokenError as error:
            self.broken = str(error)
        except IndexError:
            self.broken = "the stack is empty where a value is needed"
        if self.broken and self.position < self.frame_end < self.end:
            self.frame_differs("is left before its end")
        self.finish()

    def _loop(self) -> None:  # one loop on purpose: a call per opcode would double its time
        buffer, end = self.buffer, self.end
        stack, memo, marks = self.stack, self.memo, self.marks
        tail, sparse = self.tail, self.sparse
        append, remember, fixed, cell_of = stack.append, tail.append, FIXED, self.cell_of
        starts, attempt, reach = runs.STARTS, _OFF, 2 * runs.LEAST
        misses = 0
        rare, cap, fence = RARE, self.limits.stack, self.fence
        base, i, soft, hard, most_marks = self.position, 0, 0, 0, self.limits.marks
        window, width = b"", _FIRST_WINDOW >> 2
        while True:
            if i >= soft:
                self.position = base + i
                if self.frame_end and base + i >= self.frame_end:
                    self.leave_frame()
                starts, misses = runs.STARTS, 0
                if i < hard:  # a frame has ended within the window
                    soft = hard
                    continue
                # behind a long value the next window is small again: arrays lie one behind the other
                width = min(_FIRST_WINDOW if i > hard + _SLACK else width << 2, WINDOW)
                self.walked += min(i, len(window))
                base += i
                attempt = (attempt - i if i < attempt < _OFF else 0) if self.ready_for_runs() else _OFF
                i = 0
                if base >= end:
                    raise BrokenError(
                        "it ends without STOP" if base == end else "a declared length reaches beyond the data"
                    )
                window = buffer[base : min(base + width, end)]
                if not self.watched and buffer.find(CLASS, base, min(base + width + _SLACK, end)) >= 0:
                    self.watch()
                if not self.terms and buffer.find(TERM, base, min(base + width + _SLACK, end)) >= 0:
                    self.watch_terms()
                soft = len(window) - _SLACK
                if base + len(window) >= end:
                    soft = len(window)
                    window += bytes(_SLACK)
                hard = soft
                if self.frame_end:
                    soft = min(soft, self.frame_end - base)
                if len(stack) > cap or len(marks) > most_marks:
                    self.fence = fence
                    self.let_go()
                    fence = self.fence
            op = window[i]
            if i >= attempt and starts[op]:
                room = min(reach, soft - i)
                if room < runs.LEAST:
                    attempt = soft
                    continue
                self.fence = fence
                size = self.skip_run(window, base, i, room)
                if size >= runs.LEAST:
                    i += size
                    attempt, misses, starts = i, 0, runs.STARTS
                    reach = min(reach * 2, runs.MOST) if size * 2 >= room else max(reach >> 1, 2 * runs.LEAST)
                    tail = self.tail
                    remember = tail.append
                    continue
                # A run may begin when what is around this place ends, so the next tries are soon; then ever fewer.
                attempt = i + size + (min(8 << misses, reach) if misses > 1 else 1)
                misses += misses < 16
                if misses > 2:
                    starts = runs.OPENERS
                reach = max(reach >> 1, 2 * runs.LEAST)
            size = fixed[op]
            if size:
                append(base + i + 1)
                i += size
                if not len(stack) & 31 and self.swift:
                    match = FIXED_RUN.match(window, i, max(i, soft))
                    if match:
                        append(Chunk(base + i, base + match.end()))
                        i = match.end()
            elif op == 0x8C:  # SHORT_BINUNICODE
                append(base + i + 1)
                start = i
                i += 2 + window[i + 1]
                if i < soft and window[i] == 0x94 and not sparse:  # as nearly always
                    remember(base + start + 1)
                    i += 1
            elif op == 0x94:  # MEMOIZE
                if len(stack) <= fence:
                    raise BrokenError("the stack is empty where a value is needed")
                value = stack[-1]
                kind = value.__class__
                if sparse or kind is Chunk:
                    self.fence = fence
                    self.memoize()
                elif kind is int:
                    remember(KEPT if value == EMPTY_DICT else value)
                else:
                    remember(cell_of(value))
                i += 1
            elif op == 0x68:  # BINGET
                index = window[i + 1]
                if index < len(memo):
                    value = memo[index]
                else:
                    self.position = base + i
                    value = self.missing(index)
                    tail = self.tail
                    remember = tail.append
                append(value if value > -100 else self.objects[-100 - value])
                i += 2
            elif op == 0x71:  # BINPUT
                index = window[i + 1]
                value = stack[-1]
                kind = value.__class__
                if index != len(memo) or tail is not memo or kind is Chunk or len(stack) <= fence or sparse:
                    self.fence = fence
                    self.put(index)
                    tail = self.tail
                    remember = tail.append
                elif kind is int:
                    remember(KEPT if value == EMPTY_DICT else value)
                else:
                    remember(cell_of(value))
                i += 2
            elif op == 0x28:  # MARK
                fence = len(stack)
                marks.append(fence)
                i += 1
            elif 0x84 < op < 0x88:  # TUPLE1, TUPLE2, TUPLE3
                size = op - 0x84
                if len(stack) - fence < size:
                    self.fence = fence
                    self.tuple_of(size)
                else:
                    items = stack[-size:]
                    for value in items:
                        kind = value.__class__
                        if (value < KEPT) if kind is int else (kind is tuple or kind is Chunk):
                            self.fence = fence
                            self.tuple_of(size)
                            break
                    else:
                        stack[-size:] = (tuple(items),)
                i += 1
            elif (method := rare[op]) is not None:
                self.fence = fence
                self.position = base + i
                move = method(self, base + i + 1)
                fence, tail = self.fence, self.tail
                remember = tail.append
                if move < 0:
                    self.position = -move
                    return
                i = move - base
                if op == 0x95:
                    soft = min(soft, self.frame_end - base)
            elif op == 0x58:  # BINUNICODE
                append(base + i + 1)
                start = i
                i += 5 + int.from_bytes(window[i + 1 : i + 5], "little")
                if i < soft and window[i] == 0x71 and window[i + 1] == len(memo) and tail is memo and not sparse:
                    remember(base + start + 1)
                    i += 2
            elif op == 0x75 or op == 0x65:  # SETITEMS, APPENDS
                mark = marks.pop()
                fence = marks[-1] if marks else 0
                if mark - 1 < fence:
                    raise BrokenError("there is nothing to add items to")
                target = stack[mark - 1]
                if target.__class__ is Chunk:
                    mark = self.open_target(mark)
                    target = stack[mark - 1]
                if target.__class__ is not int or target > LIST:
                    self.fence = fence
                    self.add_items(target, mark)
                elif target == EMPTY_DICT:
                    below = stack[mark - 3] if mark > 2 else None
                    if self.wrapping or below.__class__ is Made or stack[fence - 1].__class__ is Made:
                        self.keep_items(mark)
                    else:
                        stack[mark - 1] = DICT
                elif self.wrapping:
                    self.more_items(target, mark)
                del stack[mark:]
                i += 1
            elif op == 0x7D:  # EMPTY_DICT
                append(EMPTY_DICT)
                i += 1
            elif op == 0x81 or op == 0x52:  # NEWOBJ, REDUCE
                if len(stack) - fence < 2:
                    raise BrokenError("the stack is empty where a value is needed")
                self.fence = fence
                self.position = base + i
                self.reduce()
                i += 1
            elif op == 0x74:  # TUPLE
                mark = marks.pop()
                fence = marks[-1] if marks else 0
                items = stack[mark:]
                for value in items if len(items) <= TUPLE_ITEMS else ():
                    kind = value.__class__
                    if (value < KEPT) if kind is int else (kind is tuple or kind is Chunk):
                        self.tuple_from(mark)
                        break
                else:
                    if len(items) > TUPLE_ITEMS:
                        self.tuple_from(mark)
                    else:
                        stack[mark:] = (tuple(items),)
                i += 1
            elif op == 0x5D:  # EMPTY_LIST
                append(LIST)
                i += 1
            elif op == 0x29:  # EMPTY_TUPLE
                append(())
                i += 1
            elif op == 0x72:  # LONG_BINPUT
                self.position = base + i
                index = window[i + 1] | window[i + 2] << 8 | window[i + 3] << 16 | window[i + 4] << 24
                value = stack[-1]
                kind = value.__class__
                if index != len(memo) or tail is not memo or kind is Chunk or len(stack) <= fence or sparse:
                    self.fence = fence
                    self.put(index)
                    tail = self.tail
                    remember = tail.append
                elif kind is int:
                    remember(KEPT if value == EMPTY_DICT else value)
                else:
                    remember(cell_of(value))
                i += 5
            elif op == 0x6A:  # LONG_BINGET
                index = window[i + 1] | window[i + 2] << 8 | window[i + 3] << 16 | window[i + 4] << 24
                if index < len(memo):
                    value = memo[index]
                else:
                    self.position = base + i
                    value = self.missing(index)
                    tail = self.tail
                    remember = tail.append
                append(value if value > -100 else self.objects[-100 - value])
                i += 5
            elif op == 0x61 or op == 0x73:  # APPEND, SETITEM
                self.fence = fence
                self.position = base + i
                self.add_one(1 if op == 0x61 else 2)
                i += 1
            elif op == 0x30:  # POP
                if len(stack) > fence and stack[-1].__class__ is not Chunk:
                    stack.pop()
                else:
                    self.fence = fence
                    self.drop()
                    fence = self.fence
                i += 1
            else:
                self.fence = fence
                self.position = base + i
                raise BrokenError(f"byte {op:#04x} is no pickle opcode")
