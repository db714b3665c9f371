"""Templates that take all time or memory: loops, texts that double, and macros that call each other again and again.

How often each part of a template runs is counted from the literals in it; what depends on the data counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipworthy.records import dataclass, field

HUGE = 1_000_000
_JOINS, _OFTEN = ("~", "+", ","), 16
_MUCH = 10_000_000
_NESTED = 100
_MACROS = 100
_LIMIT = 1 << 64
_POWER = 1000
_PADDING = frozenset("center ljust rjust zfill indent".split())
REPEATING = _PADDING | frozenset("range lipsum batch slice".split())
_WORDS = frozenset("if else not and or is in true false none True False None loop".split())


@dataclass(frozen=True)
class Token:
    """Of a tag; texts without their quotes."""

    kind: str  # name, number, text, mark
    value: str
    at: int


@dataclass
class _Part:
    """The template, a macro, or what stands inside of a call block: how often its tags run when it does (`cost`), what
    it calls, and of a macro its parameters, how often it runs the block it was called with, and what calls itself.
    """

    cost: int = 1
    calls: dict[tuple[str, bool], int] = field(default_factory=dict)  # name, whether by the data -> how often
    blocks: list[tuple[str, str, int]] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    callers: int = 0
    at: int = 0

    def call(self, name: str, times: int, *, data: bool) -> None:
        """Note what it calls."""
        self.calls[name, data] = min(self.calls.get((name, data), 0) + times, _LIMIT)


def bombs(statements: Sequence[tuple[str, list[Token]]]) -> Iterator[tuple[str, int]]:
    """What takes all time or memory, and where."""
    found = list(_loops(statements))
    yield from found or _macros(statements)


def _loops(statements: Sequence[tuple[str, list[Token]]]) -> Iterator[tuple[str, int]]:
    loops: list[int] = []
    doubled = 0
    for kind, tokens in statements:
        if kind == "%" and (grows := _grows(tokens)):
            doubled += _OFTEN if loops and grows > 1 else 1
            if doubled >= _OFTEN:
                yield "it doubles a text again and again: rendering it takes all memory", tokens[0].at
                doubled = 0
        yield from _powers(tokens, bool(loops))
        if len(loops) > _NESTED:
            return
        if kind == "%" and tokens and tokens[0].value in ("for", "endfor"):
            if tokens[0].value == "endfor":
                loops = loops[:-1]
            else:
                loops.append(_times(tokens))
                total = 1
                for times in loops:
                    total *= times
                if total > _MUCH and loops[-1] > 1:
                    text = f"it runs a loop {total if total < _LIMIT else 'endless'} times"
                    yield f"{text}: rendering it takes all time", tokens[0].at


def _powers(tokens: list[Token], looped: bool) -> Iterator[tuple[str, int]]:
    """Powers of powers, of large numbers, or of what a loop has put there; products of many numbers."""
    powers = [index for index, token in enumerate(tokens) if token.value == "**" and token.kind == "mark"]
    high = [
        n for n in powers if n + 1 < len(tokens) and tokens[n + 1].kind == "number" and number(tokens[n + 1]) > _POWER
    ]
    if powers and (len(powers) > 1 or high or (looped and tokens[0].value == "set")):
        yield "it computes a power that has no end: rendering it takes all time and memory", tokens[powers[0]].at
    run = 1
    for token in tokens:
        if token.kind == "number" and number(token) < HUGE:
            run *= max(number(token), 1)
            if run > 10 * _MUCH:
                yield "it repeats something by the product of several numbers: rendering it takes all memory", token.at
                return
        elif token.value not in ("*", "(", ")"):
            run = 1


def number(token: Token) -> int:
    """The value of a literal, at least; 2^64 for those that are larger than any honest one."""
    raw = token.value.replace("_", "")
    if len(raw) > 40:
        return _LIMIT
    try:
        return int(raw, 0) if raw[:2].lower() in ("0x", "0b", "0o") else int(float(raw))
    except (ValueError, OverflowError):
        return _LIMIT


def _grows(tokens: list[Token]) -> int:
    """Whether a tag sets a variable to something joined with itself: 2 if that is the variable, 1 if another."""
    values = [token.value for token in tokens]
    if values[:1] != ["set"] or "=" not in values:
        return 0
    equal = values.index("=")
    name, value = values[1:equal], [*values[equal + 1 :], ""]
    found = 0
    for at in range(len(value) - len(name)):
        if value[at : at + len(name)] == name and (value[at + len(name)] in _JOINS or (at and value[at - 1] in _JOINS)):
            found += 1
    if found > 1 or _replaced(tokens[equal + 1 :], name):
        return 2
    size = next((n for n, token in enumerate(value) if token in _JOINS), 0)
    return int(bool(size) and value[:size] == value[size + 1 : 2 * size + 1] and tokens[equal + 1].kind == "name")


def _replaced(tokens: list[Token], name: list[str]) -> bool:
    """`x | replace('a', 'aa')`, `x.replace('a', 'aa')`, `x * 2` of the variable x itself."""
    values = [token.value for token in tokens]
    size = len(name)
    if values[:size] != name or len(values) < size + 2:
        return False
    if values[size] == "*" and tokens[size + 1].kind == "number":
        return number(tokens[size + 1]) > 1
    inside = tokens[size + 3 : size + 6]
    if values[size] not in ("|", ".") or values[size + 1] != "replace" or len(inside) < 3:
        return False
    old, new = inside[0], inside[2]
    return old.kind == new.kind == "text" and bool(old.value) and new.value.count(old.value) > 1


def _times(tokens: list[Token]) -> int:
    """How often a loop over `range(...)` of literals runs; 1 when it depends on the data."""
    for index, token in enumerate(tokens):
        if token.value == "range" and token.kind == "name" and index + 1 < len(tokens):
            numbers = []
            for inner in tokens[index + 2 :]:
                if inner.kind == "number":
                    numbers.append(number(inner))
                elif inner.value != ",":
                    break
            if len(numbers) == 1:
                return max(numbers[0], 1)
            if len(numbers) > 1:
                step = numbers[2] if len(numbers) > 2 and numbers[2] else 1
                return max((numbers[1] - numbers[0]) // step, 1)
    return 1


def _macros(statements: Sequence[tuple[str, list[Token]]]) -> Iterator[tuple[str, int]]:
    parts = _parts(statements)
    if len(parts) > _MACROS:
        at = max(part.at for part in parts.values())
        yield "it has more macros and call blocks than any honest template: what they cost was not counted", at
        return
    for part in parts.values():
        for macro, block, times in part.blocks:
            part.call(block, times * max(parts[macro].callers if macro in parts else 1, 1), data=True)
            part.call(macro, times, data=True)
    for part in parts.values():
        part.calls = {(called, data): times for (called, data), times in part.calls.items() if called in parts}
    reached = {name: _reached(parts, name) for name in parts}
    for name, part in parts.items():
        again = sum(times for (called, data), times in part.calls.items() if not data and name in reached[called])
        if again > 1:
            yield "a macro calls itself several times, by nothing that the data limit: it never ends", part.at
            return
    total = _cost(parts)
    if total > _MUCH:
        shown = str(total) if total < _LIMIT else "more than 2^64"
        yield f"its macros and loops call each other {shown} times: rendering it takes all time", parts[""].at


def _parts(statements: Sequence[tuple[str, list[Token]]]) -> dict[str, _Part]:
    parts = {"": _Part()}
    where, times = [""], [1]  # parts, and how often the place in the innermost one runs
    opened: list[tuple[str, int]] = []
    for kind, tokens in statements:
        word = tokens[0].value if kind == "%" and tokens else ""
        part = parts[where[-1]]
        part.cost = min(part.cost + times[-1] * _weight(tokens), _LIMIT)
        _called(part, tokens, times[-1], where[-1])
        again = word == "for" and tokens[-1].value == "recursive"  # such a loop is a macro named `loop`
        if word == "for" and not again and len(opened) <= _NESTED:
            opened.append((word, times[-1]))
            times[-1] = min(times[-1] * _times(tokens), _LIMIT)
        elif (again or word in ("macro", "call")) and len(tokens) > 1 and len(opened) <= _NESTED:
            names = [token.value for token in tokens[1:] if token.kind == "name"] or [""]
            name = names[0] if word == "macro" else f"{len(parts)} {word}"
            if word == "call":
                part.blocks.append((names[0], name, times[-1]))
            elif again:
                part.call(name, times[-1], data=True)
            parts[name] = _Part(own=set() if word == "call" else set(names), at=tokens[0].at)
            where.append(name)
            times.append(1)
            opened.append((word, -1))
        elif word.startswith("end") and opened and opened[-1][0] == word[3:]:
            _, before = opened.pop()
            if before >= 0:
                times[-1] = before
            else:
                where.pop()
                times.pop()
        elif word == "set" and len(tokens) > 3 and tokens[2].value == "=" and _known(tokens[3:], part.own):
            part.own.add(tokens[1].value)
    return parts


def _weight(tokens: list[Token]) -> int:
    """How much work a tag is: padding by literal numbers."""
    padded = any(token.value in _PADDING for token in tokens)
    return max([1, *(number(token) // 64 for token in tokens if padded and token.kind == "number")])


def _called(part: _Part, tokens: list[Token], times: int, where: str) -> None:
    for index, token in enumerate(tokens[:-1]):
        if token.kind != "name" or tokens[index + 1].value != "(" or tokens[index + 1].kind != "mark":
            continue
        if index and tokens[index - 1].value in (".", "|", "macro", "call"):
            continue
        if token.value == "caller":
            part.callers = min(part.callers + times, _LIMIT)
        else:
            depth, end = 0, index + 1
            for end in range(index + 1, len(tokens)):
                depth += {"(": 1, ")": -1}.get(tokens[end].value, 0) if tokens[end].kind == "mark" else 0
                if not depth:
                    break
            name = where if token.value == "loop" else token.value
            part.call(name, times, data=not _known(tokens[index + 2 : end], part.own))


def _known(tokens: list[Token], own: set[str]) -> bool:
    """Whether an expression is computed from literals and a macro's own parameters: it does not go into the data."""
    before = ""
    for token in tokens:
        mark = token.kind == "mark"
        if mark and (token.value == "." or (token.value == "[" and (before.isidentifier() or before in (")", "]")))):
            return False
        if token.kind == "name" and token.value not in own | _WORDS:
            return False
        before = token.value if token.kind in ("mark", "name") else ""
    return True


def _reached(parts: dict[str, _Part], start: str) -> set[str]:
    pending, seen = [start], {start}
    while pending:
        for called, _ in parts[pending.pop()].calls:
            if called not in seen:
                seen.add(called)
                pending.append(called)
    return seen


def _cost(parts: dict[str, _Part]) -> int:
    """Of the template, with all that it calls; a call of what is being counted is the data's business."""
    done: dict[str, int] = {}
    path, pending = set[str](), [""]
    while pending:
        name = pending[-1]
        part = parts[name]
        if name not in path:
            path.add(name)
            pending += [called for called, _ in part.calls if called not in path]
            continue
        pending.pop()
        if name not in done:
            inside = sum(times * done.get(called, 0) for (called, _), times in part.calls.items())
            done[name] = min(part.cost + inside, _LIMIT)
    return done[""]
