"""How often a loop of a graph runs at least, and how much what it hands on grows, as far as constants tell (`sizes`).

A few turns are computed; where every value changes by the same amount each time, later ones follow from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shipworthy.modelfile.graphs import shapes
from shipworthy.modelfile.graphs.sizes import MOST, Sizes, Values
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass, field

ENDLESS = 1 << 62
MANY = 1 << 27  # turns; even an empty one takes microseconds
_FEW = 48  # turns that are computed one by one
_STEPS = 300_000
_SAMPLES = (1.0, 0.5, 0.0, -0.5, -1.0, 3.0, -3.0, 100.0, -100.0)
_LONG, _TRIES = 200, 20_000
_SAME = frozenset("Identity StopGradient Snapshot EnsureShape Enter Exit Switch NextIteration Merge LoopCond".split())


@dataclass
class Loop:
    """`given` are names in `parent` of what goes in; `arguments` and `results` those inside of the body, in the same
    order; the condition may be a graph of its own with the same arguments, and `most` limits the turns.
    """

    parent: Sizes
    given: Sequence[str]
    body: Sizes
    arguments: Sequence[str]
    results: Sequence[str]
    condition: Sizes
    tested: Sequence[str]
    test: str
    most: int = ENDLESS
    at: int | None = None
    handed: set[int] = field(default_factory=set)  # what comes out as it went in


@dataclass
class _Part:
    """The nodes that names follow from, which arguments they need, and whether nothing else has a say in them."""

    nodes: dict[str, tuple[str, list[str], int]] = field(default_factory=dict)
    constants: dict[str, Values | None] = field(default_factory=dict)
    needs: set[int] = field(default_factory=set)
    pure: bool = True

    def value(self, name: str, arguments: Sequence[str], state: dict[int, Values | None]) -> Values | None:
        """Of a name, when the arguments have these values."""
        known = {arguments[index]: values for index, values in state.items() if values is not None}
        return Sizes(None, {**self.constants, **known}, self.nodes).value(name)


class Budget:
    """Steps left for loops of a whole file."""

    def __init__(self) -> None:
        self.left = self.tries = _STEPS


def part_of(graph: Sizes, names: Iterable[str], arguments: Sequence[str], budget: Budget) -> _Part:
    """What the names follow from."""
    found, places = _Part(), {name: index for index, name in reversed(list(enumerate(arguments)))}
    pending, seen = list(names), set[str]()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        budget.left -= 1
        if name in places:
            found.needs.add(places[name])
        elif (home := graph.home(name)) is None or budget.left < 0:
            found.pure = False
        elif name in home.nodes:
            kind, inputs, at = home.nodes[name]
            found.nodes[name] = kind, inputs, at
            found.pure &= kind in shapes.PURE
            pending += [item for item in inputs if item]
        else:
            found.pure &= name not in home.others
            found.constants[name] = home.constants.get(name)
    return found


def turns(loop: Loop, budget: Budget) -> int:
    """At least how many; 0 where nothing is known, ENDLESS where none of them changes what the condition tests."""
    count = min(len(loop.given), len(loop.arguments), len(loop.results), len(loop.tested))
    arguments, results = loop.arguments[:count], loop.results[:count]
    test = part_of(loop.condition, [loop.test], loop.tested[:count], budget)
    needs = set(test.needs)
    body = part_of(loop.body, [results[index] for index in needs], arguments, budget)
    while not body.needs <= needs:
        needs |= body.needs
        body = part_of(loop.body, [results[index] for index in needs], arguments, budget)
    known: dict[str, Values] = {}
    for _ in range(2):  # what adds a value that is handed on, and nought, is handed on too
        for index in range(count):
            if index not in loop.handed and _handed(loop.body, results[index], arguments[index], known):
                loop.handed.add(index)
                if (value := loop.parent.value(loop.given[index])) is not None:
                    known[arguments[index]] = value
    state: dict[int, Values | None] = {index: loop.parent.value(loop.given[index]) for index in needs}
    first = test.value(loop.test, loop.tested, state)
    if first is not None and not all(first):
        return 0
    if (test.pure or first is not None) and test.needs <= loop.handed:
        return loop.most
    if first is None or any(values is None for values in state.values()):
        return loop.most if _stuck(loop, test, body, state, budget) else 0
    return min(_counted(loop, test, body, state, budget), loop.most)


def _stuck(loop: Loop, test: _Part, body: _Part, state: dict[int, Values | None], budget: Budget) -> bool:
    """Whether the loop ends at once or never: tried with numbers in place of what is not known. Where a loop waits for
    a result, or counts, some of them end it later, or go on to change.
    """
    endless, last = 0, budget.tries - _TRIES
    for sample in _SAMPLES:
        now = {index: (sample,) if values is None else values for index, values in state.items()}
        for turn in range(_LONG):
            budget.tries -= len(test.nodes) + len(body.nodes)
            if budget.tries < 0:
                budget.left = -1
            goes = test.value(loop.test, loop.tested, dict(now))
            if goes is None or budget.tries < max(last, 0) or (turn > 1 and not all(goes)):
                return False
            if not all(goes):
                break
            later: dict[int, Values] = {}
            for index in now:
                if (values := body.value(loop.results[index], loop.arguments, dict(now))) is None:
                    return False
                later[index] = values
            if later == now:
                endless += 1
                break
            now = later
        else:
            return False
    return endless > 1


def _counted(loop: Loop, test: _Part, body: _Part, state: dict[int, Values | None], budget: Budget) -> int:
    past = [state]
    for turn in range(1, _FEW):
        budget.left -= len(test.nodes) + len(body.nodes)
        if budget.left < 0:
            return turn
        state = {index: body.value(loop.results[index], loop.arguments, past[-1]) for index in state}
        goes = test.value(loop.test, loop.tested, state)
        if goes is None or not all(goes) or any(values is None for values in state.values()):
            return turn
        past.append(state)
        if turn >= 2 and (by := _even(past[-3:])) is not None:
            if not any(any(change) for change in by.values()):
                return ENDLESS
            budget.left -= _FEW * len(test.nodes)
            return turn + _evenly(loop, test, past[-1], by)
    return _FEW


def _evenly(loop: Loop, test: _Part, state: dict[int, Values | None], by: dict[int, Values]) -> int:
    """How often more, when every turn changes the values by the same."""
    reached, beyond = 0, 0
    for _ in range(2 * _FEW):
        probe = (reached + beyond) // 2 if beyond else max(1, 2 * reached)
        if probe in (reached, beyond) or reached > 4 * MANY:
            break
        later: dict[int, Values | None] = {i: _moved(state[i] or (), by[i], probe) for i in state}
        goes = test.value(loop.test, loop.tested, later)
        if goes is not None and all(goes):
            reached = probe
        else:
            beyond = probe
    return reached


def _even(past: list[dict[int, Values | None]]) -> dict[int, Values] | None:
    """By how much all values change, where that was the same twice."""
    found = {}
    for index, last in past[2].items():
        first, second = past[0][index] or (), past[1][index] or ()
        if last is None or not len(first) == len(second) == len(last):
            return None
        by = tuple(new - old for new, old in zip(last, second, strict=True))
        if by != tuple(new - old for new, old in zip(second, first, strict=True)):
            return None
        found[index] = by
    return found


def _moved(values: Values, by: Values, times: int) -> Values:
    return tuple(value + change * times for value, change in zip(values, by, strict=True))


def _handed(body: Sizes, name: str, argument: str, known: dict[str, Values]) -> bool:
    """Whether the result is the argument, unchanged."""
    for _ in range(_FEW):
        if name == argument:
            return True
        kind, inputs, _ = body.nodes.get(name, ("", [], 0))
        if kind in _SAME and inputs:
            name = inputs[0]
            continue
        if kind in ("Mul", "Add", "AddV2", "Sub", "Div", "RealDiv", "Maximum", "Minimum") and len(inputs) == 2:
            values = known.get(inputs[1]) or body.value(inputs[1])
            nothing = 0 if kind in ("Add", "AddV2", "Sub") else 1
            if inputs[0] == inputs[1] and kind in ("Maximum", "Minimum"):
                name = inputs[0]
                continue
            if values and kind not in ("Maximum", "Minimum") and all(value == nothing for value in values):
                name = inputs[0]
                continue
            values = known.get(inputs[0]) or body.value(inputs[0])
            if values and kind in ("Mul", "Add", "AddV2") and all(value == nothing for value in values):
                name = inputs[1]
                continue
        return False
    return False


def growth(loop: Loop, count: int, budget: Budget) -> int:
    """How many elements, at least, the largest value has after so many turns."""
    most = 0
    for result in loop.results[len(loop.arguments) :]:  # of each turn one is kept
        most = max(most, loop.body.count(result) * min(count, MANY))
    for index, (argument, result) in enumerate(zip(loop.arguments, loop.results, strict=False)):
        if index in loop.handed or result == argument or budget.left < 0:
            continue
        part = part_of(loop.body, [result], loop.arguments, budget)
        if not any(kind not in _SAME for kind, _, _ in part.nodes.values()):
            continue
        few, many = (_sized(part, loop.body, argument, result, size) for size in (1 << 10, 1 << 20))
        slope = (many - few) / ((1 << 20) - (1 << 10))
        if slope > 1.5:
            most = max(most, 1 << min(count, 99))
        elif slope >= 1:
            most = max(most, (few - (1 << 10)) * min(count, MANY))
    return most


def _sized(part: _Part, body: Sizes, argument: str, result: str, size: int) -> int:
    dims = {name: body.dims[name] for name in part.constants if name in body.dims}
    return Sizes(None, dict(part.constants), part.nodes, dims={**dims, argument: (size,)}).count(result)


def report(scope: Scope, total: int, size: int, at: int | None, name: str = "") -> bool:
    """Report a loop that takes all time, or whose values take all memory."""
    what = f"the loop {ascii(name)[:80]}" if name else "a loop"
    if total >= ENDLESS:
        scope.issue(Code.BOMB, "high", f"nothing in {what} changes its condition: the graph never ends", at)
    elif total >= MANY:
        scope.issue(Code.BOMB, "high", f"{what} runs at least {total} times, which takes all time", at)
    elif size > MOST:
        scope.issue(Code.BOMB, "high", f"what {what} hands on grows in every turn, which fills the memory", at)
    else:
        return False
    return True
