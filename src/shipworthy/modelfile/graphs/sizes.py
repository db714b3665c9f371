"""How much a graph makes from its own constants: a few bytes can ask for terabytes, or for a loop without an end.

Constants are followed through the operators that compute shapes. What is not constant counts as one element, so that
the numbers here are lower bounds.
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Callable, Iterable
from typing import Any

from shipworthy.modelfile.graphs import choosing, shapes
from shipworthy.modelfile.graphs.makers import BOTH, MAKES, NUMBER, PADS, PAIRS, RANGE, REPEATING, SHAPE, TIMES
from shipworthy.modelfile.protobuf import VARINT, signed, varint
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass, field

MOST = 1 << 30  # numbers: 4 GiB of floats
VALUES = 64
_DEPTH = 64
_HUGE = 1 << 100
_NODES = 500_000
_SHOWN = 20
_TURNS = 8

Values = tuple[Any, ...]  # integers, floats or truth values

_KEEPS = frozenset(
    "Identity Cast OptionalGetElement Optional Reshape Squeeze Unsqueeze ExpandDims StopGradient Snapshot EnsureShape "
    "Flatten LoopCond Enter Switch NextIteration Exit".split()
)
_JOINS = {"Concat": None, "Pack": None, "ConcatV2": -1, "StringJoin": None, "StringConcat": None}
_MATH: dict[str, Callable[[Any, Any], Any]] = {
    "Mul": operator.mul, "Add": operator.add, "AddV2": operator.add, "Sub": operator.sub, "Maximum": max,
    "Minimum": min, "Less": operator.lt, "LessEqual": operator.le, "LessOrEqual": operator.le,
    "Greater": operator.gt, "GreaterEqual": operator.ge, "GreaterOrEqual": operator.ge, "Equal": operator.eq,
    "NotEqual": operator.ne, "And": operator.and_, "LogicalAnd": operator.and_, "Or": operator.or_,
    "LogicalOr": operator.or_, "Pow": lambda base, power: base**power if 0 <= power <= VALUES else 0,
    "BitShift": lambda value, by: value << by if 0 <= by <= VALUES else 0,
    "LeftShift": lambda value, by: value << by if 0 <= by <= VALUES else 0,
}  # fmt: skip
_ALONE: dict[str, Callable[[Any], Any]] = {
    "Not": operator.not_, "LogicalNot": operator.not_, "Abs": abs, "Neg": operator.neg, "Floor": math.floor,
    "Ceil": math.ceil, "Sign": lambda value: (value > 0) - (value < 0), "Relu": lambda value: max(value, 0),
    "Relu6": lambda value: min(max(value, 0), 6), "Square": lambda value: value * value, "Tanh": math.tanh,
    "Sigmoid": lambda value: (math.tanh(value / 2) + 1) / 2, "Sqrt": math.sqrt, "Exp": math.exp, "Sin": math.sin,
    "Cos": math.cos,
}  # fmt: skip
_WHOLE = frozenset(
    f"{before}{kind}" for before in ("", "Reduce") for kind in ("Sum", "Mean", "Max", "Min", "All", "Any")
)
_PRODUCTS = frozenset(("Prod", "ReduceProd"))
_REPLACES = frozenset(("RegexReplace", "StaticRegexReplace"))
_REWRITTEN = 16  # bytes; honest rules put less in the place of what they find
_KINDS = (
    frozenset(("Merge", *MAKES, *_KEEPS, *_JOINS, *_MATH, *_ALONE, *_WHOLE, *_PRODUCTS, *_REPLACES))
    | shapes.PURE
    | REPEATING
    | choosing.KINDS.keys()
)
_GROWING = MAKES.keys() | _JOINS.keys() | _REPLACES | shapes.STRETCHING | shapes.MULTIPLYING | shapes.PICKING
_STRETCHED = ("Expand", "BroadcastTo")
# where the least of the inputs gives the least of the result
_BOUNDED = _KEEPS | _JOINS.keys() | _PRODUCTS | frozenset(("Mul", "Add", "AddV2", "Maximum", "Gather", "GatherV2",
                                                           "OnnxSlice", "Slice", "StridedSlice"))  # fmt: skip
_MEASURED = ("Shape", "Size")
_FOLLOWED = 2000
_FILLED = frozenset(kind for kind, how in MAKES.items() if how == ((SHAPE, 0),))


def matters(name: str) -> bool:
    """Whether a node of this operator must be kept."""
    return name in _KINDS


def product(values: Iterable[Any]) -> int:
    """Of sizes: what is not positive is not known, and counts as one unless it is nought."""
    total = 1
    for value in values:
        if value == 0:
            return 0
        total = min(int(total * max(value, 1)) if math.isfinite(value) else _HUGE, _HUGE)
    return total


@dataclass
class Sizes:
    """One graph or function: its constants by name, and the nodes that compute from them."""

    parent: Sizes | None = None
    constants: dict[str, Values | None] = field(default_factory=dict)
    nodes: dict[str, tuple[str, list[str], int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)  # bytes of constants
    entered: set[str] = field(default_factory=set)
    leasts: dict[str, Values | None] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)  # what other nodes make, and from what
    dims: dict[str, Values] = field(default_factory=dict)  # of constants
    shapes: dict[str, Values | None] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def add(self, name: str, operator_: str, inputs: list[str], at: int) -> bool:
        """Keep a node; False when there are too many."""
        if len(self.nodes) >= _NODES:
            return False
        self.nodes[name] = (operator_, inputs[: VALUES + 1], at)
        return True

    def home(self, name: str) -> Sizes | None:
        """The graph around this one that has the name."""
        home: Sizes | None = self
        while home is not None and not any(
            name in names for names in (home.constants, home.nodes, home.dims, home.others)
        ):
            home = home.parent
        return home

    def value(self, name: str) -> Values | None:
        """The numbers behind a name; None where they are not constant. Chains may be long: nothing calls itself."""
        pending: list[tuple[Sizes, str]] = [(self, name)]
        while pending:
            place, item = pending[-1]
            home = place.home(item)
            if home is None or item in home.constants or item not in home.nodes:
                pending.pop()
            elif item in home.entered:
                found = home._computed(item)
                fits = found is not None and len(found) <= VALUES and not any(abs(number) > _HUGE for number in found)
                home.constants[item] = found if fits else None
                pending.pop()
            else:
                home.entered.add(item)
                pending += [(home, given) for given in home._needed(item)]
        return self.known(name)

    def known(self, name: str) -> Values | None:
        """What was found out of a name so far."""
        home = self.home(name)
        return home.constants.get(name) if home is not None else None

    def _needed(self, name: str) -> list[str]:
        kind, inputs, _ = self.nodes[name]
        if kind in _KEEPS:
            return inputs[:1]
        if kind in _JOINS:
            return inputs[: _JOINS[kind]]
        if kind in _WHOLE:
            return inputs[:1]
        evaluated = kind in _MATH or kind in _ALONE or kind in _PRODUCTS or kind in choosing.KINDS
        return inputs if evaluated else inputs[:0]

    def _computed(self, name: str) -> Values | None:
        kind = self.nodes[name][0]
        values = [self.known(item) for item in self._needed(name)]
        if kind in ("Or", "LogicalOr") and (True,) in values:
            return (True,)
        if kind in _MEASURED:
            given_to = self.nodes[name][1][:1]
            dims = next((home.dims.get(item) for item in given_to if (home := self.home(item)) is not None), None)
            return dims if dims is None or kind == "Shape" else (product(dims),)
        if kind in choosing.KINDS:
            return choosing.computed(kind, values) if self._listed(name) else None
        given = [item for item in values if item is not None]
        if kind == "Mul" and (0,) in given:
            return (0,)
        if not given or len(given) < len(values):
            return None
        if kind in _KEEPS or kind in _JOINS:
            return tuple(number for item in given for number in item)
        if kind in _ALONE:
            return choosing.pairwise(lambda value, _: _ALONE[kind](value), given[0], (0,))
        if kind in _MATH and len(given) == 2:
            return choosing.pairwise(_MATH[kind], *given)
        if kind in _WHOLE:  # of one value; of more, axes would count
            return given[0] if len(given[0]) == 1 else choosing.entire(kind, given[0]) if self._listed(name) else None
        return (product(given[0]),) if kind in _PRODUCTS else None

    def _listed(self, name: str) -> bool:
        """Whether no input is known to have more than one dimension."""
        homes = [(self.home(item), item) for item in self.nodes[name][1]]
        return all(home is None or len(home.dims.get(item, ())) < 2 for home, item in homes)

    def least(self, name: str, depth: int = 0) -> Values | None:
        """Numbers that those behind a name reach at least, where they are sizes."""
        values = self.value(name)
        home = self.home(name)
        if values is not None or home is None or name not in home.nodes or depth > _DEPTH:
            return values
        if name not in home.leasts:
            home.leasts[name] = None  # for loops
            home.leasts[name] = home._least(*home.nodes[name][:2], depth + 1)
        return home.leasts[name]

    def _least(self, kind: str, inputs: list[str], depth: int) -> Values | None:
        if kind in _MEASURED and inputs:
            shape = self.shape(inputs[0])
            return shape if kind == "Shape" or shape is None else (product(shape),)
        if not inputs or kind not in _BOUNDED:
            return None
        if kind in _JOINS:
            return tuple(size for item in inputs[: _JOINS[kind]] for size in self.least(item, depth) or (1,))[:VALUES]
        given = [self.least(item, depth) for item in inputs]
        if kind in _KEEPS:
            return given[0]
        if kind in _PRODUCTS:
            return (product(given[0]),) if given[0] else None
        if kind in choosing.KINDS:
            return choosing.computed(kind, given)
        known = [item for item in given if item is not None]
        return choosing.pairwise(_MATH[kind], *known) if len(known) == 2 else known[0] if known else None

    def fixed(self, name: str) -> bool:
        """Whether a name follows from constants alone, so that its values could be told."""
        pending: list[tuple[Sizes, str]] = [(self, name)]
        seen: set[tuple[int, str]] = set()
        while pending:
            place, item = pending.pop()
            home = place.home(item)
            if (id(home), item) in seen or not item or item.startswith("="):
                continue
            seen.add((id(home), item))
            # what counts the items of something makes no more of them, and loops are looked at elsewhere
            if home is None or len(seen) > _FOLLOWED or home.nodes.get(item, ("",))[0] in ("Merge", *_MEASURED):
                return False
            if item not in home.dims and home.constants.get(item) is None:
                pending += [(home, given) for given in home.others.get(item) or home.nodes.get(item, ("", [], 0))[1]]
        return True

    def turned(self) -> None:
        """What loops of TensorFlow 1 hand on: a value that comes back as it went in is the same in every turn."""
        kept = {name: node[1] for name, node in self.nodes.items() if node[0] == "Merge" and len(node[1]) == 2}
        if not kept:
            return
        first = {name: self.value(inputs[0]) for name, inputs in kept.items()}
        known = {name: values for name, values in self.constants.items() if values is not None}
        for _ in range(_TURNS):
            kept = {name: inputs for name, inputs in kept.items() if first[name] is not None}
            before = Sizes(None, {**known, **{name: first[name] for name in kept}}, self.nodes)
            changed = [name for name, inputs in kept.items() if before.value(inputs[1]) != first[name]]
            if not changed:
                self.constants, self.entered = before.constants, before.entered
                return
            first.update(dict.fromkeys(changed))

    def shape(self, name: str) -> Values | None:
        """The shape of a name, as far as constants tell."""
        pending: list[tuple[Sizes, str]] = [(self, name)]
        while pending:
            place, item = pending[-1]
            home = place.home(item)
            if home is None or item in home.shapes:
                pending.pop()
            elif item in home.reached or item not in home.nodes:
                found = home._shaped(item) if item in home.nodes else home.dims.get(item)
                home.shapes[item] = found if found is None or len(found) <= VALUES else None
                pending.pop()
            else:
                home.reached.add(item)
                kind, inputs, _ = home.nodes[item]
                if kind in shapes.KINDS or kind in _STRETCHED:
                    pending += [
                        (home, given)
                        for given in inputs[: len(inputs) if kind in shapes.STRETCHING or kind == "Einsum" else 2]
                    ]
        home = self.home(name)
        return home.shapes.get(name) if home is not None else None

    def _shaped(self, name: str) -> Values | None:
        kind, inputs, _ = self.nodes[name]
        homes = [self.home(item) for item in inputs]
        given = [home.shapes.get(item) if home else None for home, item in zip(homes, inputs, strict=True)]
        if not inputs:
            return None
        if kind in shapes.STRETCHING:
            return shapes.stretched(given)
        if kind in shapes.SAME:
            return given[0]
        if kind in shapes.MULTIPLYING and len(given) > 1:
            return shapes.multiplied(given[0], given[1], inputs)
        if kind in shapes.PICKING:
            equation = next((item[1:] for item in inputs if item.startswith("=")), "")
            return shapes.picked(kind, given, self.value(inputs[2]) if len(inputs) > 2 else None, equation)
        values = self.value(inputs[1]) if len(inputs) > 1 else None
        if kind in shapes.CHANGING:
            return shapes.changed(kind, given[0], values)
        if kind in _STRETCHED:
            return shapes.stretched([given[0], values])
        if kind in _FILLED:
            values = self.value(inputs[0])
            return tuple(max(size, 0) for size in values) if values is not None else None
        return (self._made(RANGE, inputs, 0, 0),) if kind == "Range" else None

    def count(self, name: str, depth: int = 0) -> int:
        """At least how many elements a name has."""
        if name in self.texts:
            return self.texts[name]
        values = self.constants.get(name)
        if values is not None or name in self.dims:
            return len(values) if values is not None else product(self.dims[name])
        if name not in self.nodes or depth > _DEPTH:
            return self.parent.count(name, depth) if self.parent is not None and depth <= _DEPTH else 1
        if name not in self.counts:
            self.counts[name] = 1  # for loops
            kind, inputs, _ = self.nodes[name]
            if kind in MAKES:
                self.counts[name] = max(self._made(how, inputs, number, depth) for how, number in MAKES[kind])
            elif kind in _KEEPS and inputs:
                self.counts[name] = self.count(inputs[0], depth + 1)
            elif kind in _JOINS:
                self.counts[name] = min(sum(self.count(item, depth + 1) for item in inputs[: _JOINS[kind]]), _HUGE)
            elif kind in _REPLACES and len(inputs) > 2:
                longer = self.texts.get(inputs[2]) or product(self.constants.get(inputs[2]) or ())
                times = longer if longer > _REWRITTEN else 1
                self.counts[name] = min(self.count(inputs[0], depth + 1) * times, _HUGE)
            if (shape := self.shape(name)) is not None:
                self.counts[name] = max(self.counts[name], product(shape))
        return self.counts[name]

    def _made(self, how: int, inputs: list[str], number: int, depth: int) -> int:
        if how == RANGE:
            first, last, step = (self.value(inputs[0]), self.least(inputs[1]), None) if len(inputs) > 1 else (None,) * 3
            step = self.value(inputs[2]) if len(inputs) > 2 else (1,)
            if not (first and last and step and len(first) == len(last) == len(step) == 1 and step[0]):
                return 1
            return int(min(abs((last[0] - first[0]) / step[0]), _HUGE))
        values = self.least(inputs[number]) if number < len(inputs) else None
        if how == BOTH:
            other = self.least(inputs[number + 1]) if number + 1 < len(inputs) else None
            return min(product(values or ()) * product(other or ()), _HUGE)
        if not values:
            return 1
        if how == TIMES:
            return min(self.count(inputs[0], depth + 1) * product(values), _HUGE)
        if how in (PADS, PAIRS):
            half = len(values) // 2
            low, high = (values[:half], values[half:]) if how == PADS else (values[::2], values[1::2])
            return product(1 + one + other for one, other in zip(low, high, strict=False))
        return product(values)

    def judge(self, scope: Scope) -> None:
        """Report what makes more than fits."""
        shown = 0
        for name in self.nodes:  # mostly in the order in which they depend on each other
            self.count(name)
        for name, (kind, _, at) in self.nodes.items():
            if kind in _GROWING and shown < _SHOWN and (size := self.count(name)) > MOST:
                shown += 1
                many = "more than 2^99" if size >= _HUGE >> 1 else str(size)
                what = "bytes" if kind.startswith("String") else "numbers"
                text = f"the operator {kind} makes {many} {what} from constants of the model, which fills the memory"
                scope.issue(Code.BOMB, "high", text, at)
            elif kind in MAKES and self._untold(kind, name):
                scope.unknown(f"the operator {kind} makes as much as its constants say, in a way that is not followed")

    def _untold(self, kind: str, name: str) -> bool:
        """Whether a size follows from constants alone, and yet nobody knows it."""
        inputs = self.nodes[name][1]
        places = {number for how, number in MAKES[kind] if how in (SHAPE, NUMBER) and number < len(inputs)}
        if kind == "Range":
            places = {1}
        given = [inputs[place] for place in places if place < len(inputs)]
        return any(item and self.least(item) is None and self.fixed(item) for item in given)

    def other(self, names: list[str], inputs: list[str]) -> None:
        """Names of which no more is known than what they are made from."""
        if inputs and len(self.others) < _NODES:
            for name in names:
                self.others.setdefault(name, inputs[: VALUES + 1])


def unpacked(raw: bytes, letter: str) -> Values:
    """Little-endian numbers (a letter of `struct`); what is not finite is left out."""
    size = struct.calcsize(f"<{letter}")
    values = struct.unpack(f"<{len(raw) // size}{letter}", raw[: len(raw) // size * size])
    return tuple(value for value in values if math.isfinite(value))


def listed(view: View, part: tuple[int, int, int, int, int], letter: str) -> Values:
    """The numbers of one occurrence of a repeated field, packed or not."""
    _, wire, begin, end, value = part
    if wire == VARINT:
        return (signed(value),)
    if letter in "fd":
        return unpacked(view.read(begin, end - begin), letter)
    found: list[int] = []
    while 0 <= begin < end:
        number, begin = varint(view, begin, end)
        found.append(signed(number))
    return tuple(found)
