"""TorchScript that asks for more memory than there is, or never ends, as far as its code says so with constants.

A name is constant if everything that its function ever assigns to it is the same constant: no order is followed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from shipworthy.modelfile import torchloops
from shipworthy.modelfile.graphs.sizes import MOST, product
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass, field

Token = tuple[str, str, int]

_LEADS = frozenset(("while", "for", "if", "elif", "else", "def", "class", "with", "try", "except", "finally"))
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
# Where the size is, counted with the tensor that a method belongs to.
_SIZED = {
    **dict.fromkeys(("zeros", "ones", "empty", "rand", "randn", "full", "eye", "arange", "range", "randperm", "normal",
                     "empty_quantized", "hann_window", "hamming_window", "blackman_window", "bartlett_window",
                     "kaiser_window", "tril_indices", "triu_indices", "empty_strided"), 0),
    **dict.fromkeys(("as_strided", "expand", "broadcast_to"), 1),
    **dict.fromkeys(("new_zeros", "new_ones", "new_empty", "new_full", "new_empty_strided", "repeat", "tile",
                     "one_hot", "constant_pad_nd", "pad", "repeat_interleave", "resize_", "upsample_nearest1d",
                     "upsample_nearest2d", "upsample_nearest3d", "upsample_bilinear2d", "upsample_bicubic2d",
                     "upsample_linear1d", "upsample_trilinear3d", "randint"), 1),
    **dict.fromkeys(("linspace", "logspace", "bincount"), 2),
}  # fmt: skip
# Those whose size is the product of two numbers, or lies behind one or two others.
_TWO = frozenset(("eye", "tril_indices", "triu_indices"))
_LATER = frozenset(("randint", "arange", "range", "normal"))
_PADS = frozenset(("constant_pad_nd", "pad"))
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "torch.mul": operator.mul, "torch.add": operator.add, "torch.sub": operator.sub, "int": int, "float": float,
    "bool": bool, "torch.Int": int, "torch.Bool": bool, "torch.__lshift__": operator.lshift,
    "torch.__not__": operator.not_, "torch.pow": operator.pow, "torch.lt": operator.lt, "torch.gt": operator.gt,
    "torch.eq": operator.eq, "torch.ne": operator.ne, "torch.ge": operator.ge, "torch.le": operator.le,
    "annotate": lambda _, value: value, "torch.neg": operator.neg,
}  # fmt: skip
_INFIX: tuple[dict[str, Callable[..., Any]], ...] = (
    {"<<": operator.lshift},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul},
    {"**": operator.pow},
)
_MARKS = frozenset(mark for level in _INFIX for mark in level)
_TOKENS = 2000
_DOUBLINGS = 28
_LOOKED = 1_000_000
_DEPTH = 32
_SHOWN = 20


@dataclass(frozen=True)
class _Statement:
    """Tokens [low, high), and the column of the first; what follows a header on its line is deeper by one."""

    column: int
    low: int
    high: int


@dataclass
class _Program:
    scope: Scope
    tokens: list[Token]
    text: str
    partner: dict[int, int] = field(default_factory=dict)
    given: dict[str, list[tuple[int, int] | None]] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    shown: int = 0
    looked: int = 0
    endless: set[int] = field(default_factory=set)  # where loops begin that were reported

    def word(self, index: int) -> str:
        return self.tokens[index][1] if 0 <= index < len(self.tokens) else ""

    def report(self, message: str, at: int) -> None:
        self.shown += 1
        if self.shown <= _SHOWN:
            self.scope.issue(Code.BOMB, "high", message, at)

    def statements(self) -> Iterator[_Statement]:
        """By lines, outside of brackets, and behind the colon of a header."""
        opened: list[int] = []
        low = column = line = before = 0
        for index, (_, value, at) in enumerate(self.tokens):
            if not opened and (index == 0 or "\n" in self.text[before:at]):
                if index > low:
                    yield _Statement(column, low, index)
                line = self.text.rfind("\n", 0, at) + 1
                low, column = index, at - line
            if value in _OPENING:
                opened.append(index)
            elif value in _CLOSING and opened:
                self.partner[opened.pop()] = index
            elif not opened and (value == ";" or (value == ":" and self.word(low) in _LEADS)):
                yield _Statement(column, low, index + 1)
                low, column = index + 1, column + (value == ":")
            before = at + len(value)
        if low < len(self.tokens):
            yield _Statement(column, low, len(self.tokens))

    def parts(self, low: int, high: int, mark: str = ",") -> list[tuple[int, int]]:
        """[low, high) cut at a mark outside of brackets."""
        found, start, at = [], low, low
        while at < high:
            if self.word(at) == mark:
                found.append((start, at))
                start = at + 1
            at = self.partner.get(at, at) + 1
        return [*found, (start, high)] if start < high else found

    def assign(self, statement: _Statement) -> None:
        """`a = 1`, `a : int = 1`, `a, b = 1, 2`; parameters and what a `for` counts are not constant."""
        low, high = statement.low, statement.high
        if self.word(low) in ("def", "for"):
            for index in range(low, high):
                if self.tokens[index][0] == "chain":
                    self.given.setdefault(self.word(index), []).append(None)
            return
        sides = self.parts(low, high, "=")
        if len(sides) < 2:
            return
        values = self.parts(*sides[-1])
        for left in sides[:-1]:
            names = self.parts(*left)
            for number, (begin, end) in enumerate(names):
                plain = end == begin + 1 or self.word(begin + 1) == ":"
                span = values[number] if len(values) == len(names) else sides[-1] if len(names) == 1 else None
                self.given.setdefault(self.word(begin), []).append(span if plain else None)

    def name(self, name: str, depth: int) -> Any:
        """What a name always is, or None."""
        if name not in self.known:
            self.known[name] = None  # for loops
            spans = self.given.get(name, [])[:_TOKENS]
            # `c = c` says nothing new, so the loop's own None does no harm in `a, c = f(a), c`
            other = [span for span in spans if span is None or self.word(span[0]) != name or span[1] > span[0] + 1]
            values = [self.value(*span, depth + 1) if span else None for span in other]
            same = bool(values) and all(type(item) is type(values[0]) and item == values[0] for item in values)
            self.known[name] = values[0] if same else None
        return self.known[name]

    def value(self, low: int, high: int, depth: int = 0) -> Any:
        """A constant: a number, a truth value or a list of them; None for all else."""
        if high <= low or high - low > _TOKENS or depth > _DEPTH:
            return None
        kind, word, _ = self.tokens[low]
        if high == low + 1:
            if kind == "number":
                return _number(word)
            return {"True": True, "False": False}.get(word) if word in ("True", "False") else self.name(word, depth)
        closed = self.partner.get(low) == high - 1
        if closed and word == "[":
            return [self.value(*part, depth + 1) for part in self.parts(low + 1, high - 1)]
        if closed and word == "(":
            return self.value(low + 1, high - 1, depth + 1)
        if word in _FUNCTIONS and self.word(low + 1) == "(" and self.partner.get(low + 1) == high - 1:
            inside = self.parts(low + 2, high - 1)
            given = [
                True if word == "annotate" and part == inside[0] else self.value(*part, depth + 1) for part in inside
            ]
            return _applied(_FUNCTIONS[word], given)
        if kind == "chain" and self.partner.get(low + 1) == high - 1:
            return None  # any other call
        marks = {self.word(index) for index in range(low, high)}
        for level in _INFIX if marks & _MARKS else ():
            for mark, function in level.items():
                sides = self.parts(low, high, mark)
                if len(sides) > 1 and sides[0][0] == low and self.word(low) != mark:
                    first = self.value(*sides[0], depth + 1)
                    for side in sides[1:]:
                        first = _applied(function, [first, self.value(*side, depth + 1)])
                    return first
        negative = self.value(low + 1, high, depth + 1) if word == "-" else None
        return -negative if isinstance(negative, int | float) else None

    def number(self, low: int, high: int) -> int | float | None:
        """A constant number."""
        value = self.value(low, high)
        return value if isinstance(value, int | float) else None

    def closes(self, index: int) -> int:
        """Where the bracket that opens there is closed."""
        return self.partner.get(index, -1)

    def call(self, index: int) -> None:
        """A call that makes a tensor of a constant size."""
        path = self.word(index).split(".")
        name = path[-1]
        end = self.partner.get(index + 1, -1)
        if name not in _SIZED or end < 0 or end - index > _TOKENS:
            return
        method = self.word(index - 1) == "."
        if len(path) == 1 and not method:
            return  # Python's own, such as `range`
        own = path[0] in ("torch", "ops") and not method
        place = _SIZED[name] - (not own)
        sizes: list[Any] = []
        for number, (low, high) in enumerate(self.parts(index + 2, end)):
            keyword = self.word(low) if self.word(low + 1) == "=" else ""
            wanted = keyword in ("size", "repeats", "end", "n", "m", "steps", "output_size", "shape", "dims")
            there = number == place or (name in _LATER and number > place) or (name in _TWO and number == place + 1)
            if wanted or (there and not keyword):
                sizes.append(self.value(low + 2 if keyword else low, high))
        size = _size(name, sizes)
        if size > MOST:
            message = f"the operator {name} makes {size} numbers, as the code says: it fills the memory"
            self.report(message, self.tokens[index][2])

    def loop(self, statement: _Statement, body: list[_Statement]) -> None:
        """A loop that goes on for ever, unless something leaves it."""
        low, high = statement.low, statement.high
        if self.word(low) == "while":
            endless = self.value(low + 1, high - 1) is True or self.stays(statement, body)
        else:
            at = next((index for index in range(low, high) if self.word(index) == "in"), high)
            parts = self.parts(at + 3, high - 2) if self.word(at + 1) == "range" else []
            last = self.value(*parts[min(1, len(parts) - 1)]) if parts else None
            endless = isinstance(last, int) and last > MOST
            if isinstance(last, int) and last >= _DOUBLINGS:
                self.doubles(body, last)
        if not endless:
            return
        for item in body:
            words = {self.word(index) for index in range(item.low, item.high)}
            if words & {"break", "return", "raise", "ops.prim.RaiseException"}:
                return
        self.endless.add(low)
        self.report("a loop goes on for ever: nothing changes its condition or leaves it", self.tokens[low][2])

    def stays(self, statement: _Statement, body: list[_Statement]) -> bool:
        """Whether the condition of a loop stays true once it is."""
        self.looked += sum(item.high - item.low for item in body)
        if self.looked > _LOOKED:
            self.scope.unknown("it has more loops in loops than are looked at")
            return False
        kept = self.given, self.known
        self.given, self.known = {}, {}
        for item in body:
            self.assign(item)
        turn = torchloops.Turn(self, [(item.low, item.high) for item in body])
        found = turn.endless(statement.low + 1, statement.high - 1)
        self.given, self.known = kept
        return found

    def counted(self, statement: _Statement) -> bool:
        """Whether a loop of a `for` has a constant number of turns, or one for each item of a list."""
        words = [self.word(index) for index in range(statement.low, statement.high)]
        at = words.index("in") if words[0] == "for" and "in" in words else len(words)
        if words[at + 1 : at + 3] != ["range", "("]:
            return at < len(words)
        parts = self.parts(statement.low + at + 3, statement.high - 2)
        return all(self.number(*part) is not None or self.word(part[0]) in ("torch.len", "len") for part in parts)

    def doubles(self, body: list[_Statement], times: int) -> None:
        """A text or a list that is put behind itself, over and over; numbers and tensors stay as large as they are."""
        for item in body:
            name = self.word(item.low)
            kinds = {self.tokens[span[0]][0] + self.word(span[0])[:1] for span in self.given.get(name, []) if span}
            if not any(kind.startswith("text") or kind in ("mark[", "chaina") for kind in kinds):
                continue
            words = [self.word(index) for index in range(item.low + 1, min(item.high, item.low + _TOKENS))]
            if words.count(name) > 1 and words[:1] == ["="] and {"torch.add", "torch.mul", "+"} & set(words):
                message = f"{name[:60]} is put behind itself {times} times over: it fills the memory"
                self.report(message, self.tokens[item.low][2])


def _number(word: str) -> int | float | None:
    try:
        return int(word) if word.isdigit() and len(word) < 40 else float(word)
    except ValueError:
        return None


def _applied(function: Callable[..., Any], values: list[Any]) -> Any:
    if None in values or any(isinstance(item, list) or abs(item) > 1 << 64 for item in values):
        return None
    if function in (operator.lshift, operator.pow) and not (len(values) == 2 and 0 <= values[1] <= 64):
        return None
    try:
        return function(*values)
    except (ArithmeticError, TypeError, ValueError):
        return None


def _size(name: str, sizes: list[Any]) -> int:
    numbers = [[item for item in size if isinstance(item, int | float)] for size in sizes if isinstance(size, list)]
    single = [size for size in sizes if isinstance(size, int | float)]
    if name in _PADS:
        return max(
            (product(1 + one + two for one, two in zip(n[::2], n[1::2], strict=False)) for n in numbers), default=0
        )
    if name in ("arange", "range"):
        if len(single) > 2 and not abs(single[2]) >= 1:  # with small steps there are more
            return product([abs(single[1] - single[0]), abs(1 / single[2]) if single[2] else 1])
        ends = single[:2]
        step = abs(single[2]) if len(single) > 2 else 1
        return int(abs(ends[-1] - (ends[0] if len(ends) > 1 else 0)) / step) if ends else 0
    if name == "normal" or name == "randint":
        single = []  # bounds of the values
    return max((product(n) for n in (*numbers, single)), default=0)


def judge(scope: Scope, tokens: list[Token], text: str) -> frozenset[str]:
    """Report what one file of code says; which of its functions have a loop that may never end."""
    if not any(value in ("while", "for") or value.rpartition(".")[2] in _SIZED for _, value, _ in tokens):
        return frozenset()
    program = _Program(scope, tokens, text)
    functions: list[list[_Statement]] = [[]]
    for statement in program.statements():
        if program.word(statement.low) in ("def", "class"):
            functions.append([])
        functions[-1].append(statement)
    for statements in functions:
        program.given, program.known = {}, {}
        for statement in statements:
            program.assign(statement)
        for name in program.given:  # in the order of the code, so that no chain is deep
            program.name(name, 0)
        for number, statement in enumerate(statements):
            for index in range(statement.low, statement.high):
                if program.tokens[index][0] == "chain" and program.word(index + 1) == "(":
                    program.call(index)
            if program.word(statement.low) in ("while", "for"):
                after = range(number + 1, len(statements))
                end = next((n for n in after if statements[n].column <= statement.column), len(statements))
                program.loop(statement, statements[number + 1 : end])
    return _unbounded(program, functions)


def _unbounded(program: _Program, functions: list[list[_Statement]]) -> frozenset[str]:
    """The functions with a loop of which nobody can tell when it ends."""
    return frozenset(
        program.word(statements[0].low + 1)
        for statements in functions
        for statement in statements
        if program.word(statements[0].low) == "def"
        and program.word(statement.low) in ("while", "for")
        and statement.low not in program.endless
        and not program.counted(statement)
    )


class AtLoad:
    """What loading a model runs: its `__setstate__`, and what that calls in all files of code. Loops there must end."""

    def __init__(self) -> None:
        self.calls: dict[str, set[str]] = {}
        self.unbounded: set[str] = set()

    def add(self, tokens: list[Token], unbounded: frozenset[str]) -> None:
        """One file of code."""
        self.unbounded |= unbounded
        inside = self.calls.setdefault("", set())
        for index, (kind, value, _) in enumerate(tokens[:-1]):
            if kind == "chain" and value == "def":
                inside = self.calls.setdefault(tokens[index + 1][1], set())
            elif kind == "chain" and tokens[index + 1][1] == "(":
                inside.add(value.rpartition(".")[2])

    def judge(self, scope: Scope) -> None:
        """At the end of the archive."""
        pending, seen = ["__setstate__"] * bool(self.unbounded), {"__setstate__"}
        while pending:
            name = pending.pop()
            if name in self.unbounded:
                scope.unknown("loading runs a loop of __setstate__ of which nobody can tell when it ends")
                return
            called = (self.calls.get(name) or set()) - seen
            seen |= called
            pending += called
