"""What a Core ML model makes from its constants, and how often its loops run: layers of networks, and programs.

Every value of a program is declared with its type; its operation `while_loop` has a block for the condition and one
for the body. Fields: coremltools' mlmodel/format/NeuralNetwork.proto and MIL.proto.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.graphs import loops, sizes
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.graphs.walk import inner, parts, text
from shipworthy.modelfile.protobuf import BYTES, VARINT
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope

_Span = tuple[int, int]
# layer -> the field of the shape that it makes, or by which it multiplies one
_SHAPES = {
    "FillStaticLayerParams": 2, "BroadcastToStaticLayerParams": 1, "TileLayerParams": 1, "UpsampleLayerParams": 1,
    "ResizeBilinearLayerParams": 1, "CropResizeLayerParams": 1, "OneHotLayerParams": 1, "ReshapeStaticLayerParams": 1,
    "RandomNormalStaticLayerParams": 4, "RandomUniformStaticLayerParams": 4, "RandomBernoulliStaticLayerParams": 3,
    "ConstantPaddingLayerParams": 2,
}  # fmt: skip
_RANGE, _LOOP, _BREAK = "RangeStaticLayerParams", "LoopLayerParams", 620
_RANDOM = range(1170, 1221)
# TensorFlow's names of what is computed alike
_NAMES = {
    "identity": "Identity", "cast": "Cast", "add": "Add", "sub": "Sub", "mul": "Mul", "real_div": "Div",
    "maximum": "Maximum", "minimum": "Minimum", "less": "Less", "less_equal": "LessEqual", "greater": "Greater",
    "greater_equal": "GreaterEqual", "equal": "Equal", "not_equal": "NotEqual", "logical_and": "LogicalAnd",
    "logical_or": "LogicalOr", "logical_not": "LogicalNot", "concat": "Concat", "stack": "Pack", "fill": "Fill",
    "reduce_sum": "Sum", "reduce_mean": "Mean", "reduce_max": "Max", "reduce_min": "Min", "squeeze": "Identity",
    "shape": "Shape", "gather": "Gather", "slice_by_index": "Slice", "relu": "Relu", "tanh": "Tanh", "exp": "Exp",
    "sqrt": "Sqrt", "abs": "Abs", "sigmoid": "Sigmoid", "floor": "Floor",
}  # fmt: skip
_ORDER = ("x", "y", "values", "shape", "value", "data")
_VALUES = {1: "f", 2: "v", 3: "v", 5: "v", 6: "d"}  # of a TensorValue
_OPERATIONS, _NESTED = 500_000, 40


class CoreMlSizes:
    """Told of every message of a model."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.left = _OPERATIONS
        self.budget = loops.Budget()

    def enter(self, kind: str, low: int, high: int) -> None:
        """Look at a message."""
        if kind == "TensorType":
            dims = [inner(self.view, begin, end, 1) for begin, end in self._all(low, high, 3)]
            known = [value for dim in dims if dim for number, _, _, _, value in parts(self.view, *dim) if number == 1]
            self._large(sizes.product(known), "a value is declared with", low)
        elif kind in _SHAPES:
            values = self._numbers(low, high, _SHAPES[kind])
            if kind == "ConstantPaddingLayerParams":
                values = tuple(1 + value for value in values)
            self._large(sizes.product(values), f"the layer {kind.removesuffix('LayerParams')} makes", low)
        elif kind == _RANGE:
            end, start, step = (next(iter(self._numbers(low, high, number, "f")), 0) for number in (1, 2, 3))
            if step:
                self._large(int(min(abs((end - start) / step), 1 << 62)), "the layer Range makes", low)
        elif kind == _LOOP:
            self._layer(low, high)
        elif kind == "Function":
            for begin, end in self._all(low, high, 3):
                if block := inner(self.view, begin, end, 2):
                    self._block(*block, None, 1, 0)

    def judge(self) -> None:
        """At the end."""
        if self.left < 0 or self.budget.left < 0:
            self.scope.unknown("it has more operations or loops than are looked at for what they make")

    def _large(self, count: int, what: str, at: int) -> None:
        if count > sizes.MOST:
            text_ = f"{what} {count} numbers: running it takes all memory"
            self.scope.issue(Code.BOMB, "high", text_, at)

    def _all(self, low: int, high: int, field: int) -> Iterator[_Span]:
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if (number, wire) == (field, BYTES):
                yield begin, end

    def _texts(self, low: int, high: int, field: int) -> list[str]:
        return [text(self.view, begin, end, 500) for begin, end in self._all(low, high, field)][: 4 * sizes.VALUES]

    def _numbers(self, low: int, high: int, field: int, letter: str = "v") -> sizes.Values:
        found: list[float] = []
        for part in parts(self.view, low, high):
            number, wire, begin, end, _ = part
            if number == field and len(found) <= sizes.VALUES:
                if wire in (BYTES, VARINT):
                    found += sizes.listed(self.view, part, letter)
                else:
                    found += sizes.unpacked(self.view.read(begin, end - begin), "f" if end - begin == 4 else "d")
        return tuple(found)

    def _layer(self, low: int, high: int) -> None:
        """A loop ends by its limit, by a layer that breaks it, or when what its condition needs has changed."""
        most = next(iter(self._numbers(low, high, 1)), 0)
        variable, test, body = (inner(self.view, low, high, number) for number in (2, 3, 4))
        written, _, breaks, _ = self._network(body)
        inside, needed, _, random = self._network(test)
        needed = needed - inside if test else set()
        if not test and variable:
            needed.add(text(self.view, *variable, 500))
        if not (needed & written or breaks or random) and (most == 0 or most >= loops.MANY):
            loops.report(self.scope, int(most) or loops.ENDLESS, 0, low)

    def _network(self, span: _Span | None) -> tuple[set[str], set[str], bool, bool]:
        """What its layers write and read, and whether one breaks a loop or draws random numbers."""
        written, read, breaks, random = set[str](), set[str](), False, False
        pending = [span] if span else []
        while pending:
            for low, high in self._all(*pending.pop(), 1):
                for number, wire, begin, end, _ in parts(self.view, low, high):
                    if number in (2, 3) and wire == BYTES:
                        (read if number == 2 else written).add(text(self.view, begin, end, 500))
                    breaks |= number == _BREAK
                    random |= number in _RANDOM
                    if number in (605, 615) and wire == BYTES:  # networks inside of branches and loops
                        pending += [*self._all(begin, end, 1), *self._all(begin, end, 2)] if number == 605 else []
                        pending += [*self._all(begin, end, 3), *self._all(begin, end, 4)] if number == 615 else []
        return written, read, breaks, random

    def _block(self, low: int, high: int, parent: Sizes | None, often: int, depth: int) -> Sizes:
        graph = Sizes(parent)
        for begin, end in self._all(low, high, 3):
            self.left -= 1
            if self.left < 0 or depth > _NESTED:
                break
            self._operation(graph, begin, end, often, depth)
        graph.judge(self.scope)
        return graph

    def _operation(self, graph: Sizes, low: int, high: int, often: int, depth: int) -> None:
        kind = "".join(self._texts(low, high, 1)[:1])
        made = [name for begin, end in self._all(low, high, 3) for name in self._texts(begin, end, 1)[:1]]
        if kind == "const" and made:
            for begin, end in self._all(low, high, 5):
                value = inner(self.view, begin, end, 2)
                if self._texts(begin, end, 1) == ["val"] and value:
                    graph.constants[made[0]] = self._value(*value)
            return
        given = {
            key: names for begin, end in self._all(low, high, 2) for key, names in [self._given(graph, begin, end)]
        }
        blocks = list(self._all(low, high, 4))
        if kind == "while_loop" and len(blocks) == 2:
            self._loop(graph, given.get("loop_vars", []), blocks, often, low, depth)
        else:
            for begin, end in blocks:
                self._block(begin, end, graph, often, depth + 1)
        if kind in _NAMES and len(made) == 1:
            names = [name for key in _ORDER for name in given.get(key, [])]
            graph.add(made[0], _NAMES[kind], names, low)

    def _given(self, graph: Sizes, low: int, high: int) -> tuple[str, list[str]]:
        """The names behind one input; a value that stands there gets one."""
        key = "".join(self._texts(low, high, 1)[:1])
        names = []
        for begin, end in self._all(low, high, 2):
            for binding in self._all(begin, end, 1):
                names += self._texts(*binding, 1)[:1]
                if value := inner(self.view, *binding, 2):
                    names.append(f"value at {value[0]}")
                    graph.constants[names[-1]] = self._value(*value)
        return key, names[: sizes.VALUES]

    def _value(self, low: int, high: int) -> sizes.Values | None:
        tensor = inner(self.view, low, high, 3, 1)
        for number, wire, begin, end, _ in parts(self.view, *tensor) if tensor else ():
            if number in _VALUES and wire == BYTES and end - begin <= 1024:
                return self._numbers(begin, end, 1, _VALUES[number])[: sizes.VALUES]
        return None

    def _loop(self, graph: Sizes, given: list[str], blocks: list[_Span], often: int, at: int, depth: int) -> None:
        test, body = (self._block(low, high, graph, 1, depth + 1) for low, high in blocks)
        tested, arguments = (
            [name for begin, end in self._all(low, high, 1) for name in self._texts(begin, end, 1)[:1]]
            for low, high in blocks
        )
        goes, results = (self._texts(low, high, 2) for low, high in blocks)
        if not goes:
            return
        loop = loops.Loop(graph, given, body, arguments, results, test, tested, goes[0])
        turns = loops.turns(loop, self.budget)
        if turns:
            total = min(turns * often, loops.ENDLESS - (turns < loops.ENDLESS))
            loops.report(self.scope, total, loops.growth(loop, turns, self.budget), at)
            if 1 < turns < loops.ENDLESS and depth <= 2:  # loops inside run as often together
                self._block(*blocks[1], graph, total, depth + 1)
