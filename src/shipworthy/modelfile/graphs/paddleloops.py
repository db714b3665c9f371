"""What a Paddle program makes from its own constants, and how often its loops run (`loops`).

Its variables are written again and again: each time they get another name here.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.graphs import loops, sizes
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.graphs.walk import parts, text
from shipworthy.modelfile.protobuf import BYTES, VARINT, signed
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass, field

# TensorFlow's names of what is computed alike
NAMES = {
    "assign": "Identity", "cast": "Cast", "concat": "Concat", "elementwise_add": "Add", "elementwise_sub": "Sub",
    "elementwise_mul": "Mul", "elementwise_div": "Div", "elementwise_max": "Maximum", "elementwise_min": "Minimum",
    "elementwise_pow": "Pow", "less_than": "Less", "less_equal": "LessEqual", "greater_than": "Greater",
    "greater_equal": "GreaterEqual", "equal": "Equal", "not_equal": "NotEqual", "logical_and": "LogicalAnd",
    "logical_or": "LogicalOr", "logical_not": "LogicalNot", "reshape2": "Identity", "squeeze2": "Identity",
    "unsqueeze2": "Identity", "sqrt": "Sqrt", "exp": "Exp", "abs": "Abs", "reduce_sum": "Sum", "reduce_mean": "Mean",
    "reduce_max": "Max", "reduce_min": "Min", "reduce_all": "All", "reduce_any": "Any", "shape": "Shape",
    "gather": "Gather", "slice": "Slice", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh",
}  # fmt: skip
_SHAPES = ("shape", "target_shape", "repeat_times", "expand_times")
_PICTURE = ("out_d", "out_h", "out_w")
_OPERATORS, _NESTED = 500_000, 50
_NUMBERS = {3: "v", 4: "f", 6: "v", 7: "f", 10: "v", 13: "v", 15: "v", 16: "d", 19: "d"}


@dataclass
class _Operator:
    name: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    condition: str = ""
    numbers: dict[str, sizes.Values] = field(default_factory=dict)
    text: str = ""
    block: int = -1
    at: int = 0


@dataclass
class _Block:
    """One pass over a block: its numbers, and the names that its variables have at the end."""

    sizes: Sizes = field(default_factory=Sizes)
    names: dict[str, str] = field(default_factory=dict)
    loops: list[tuple[_Operator, dict[str, str]]] = field(default_factory=list)


class PaddleLoops:
    """Told of blocks and operators while the program is walked."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.blocks: list[list[_Operator]] = []
        self.left = _OPERATORS
        self.budget = loops.Budget()
        self.counted: set[int] = set()

    def operator(self, low: int, high: int) -> None:
        """An OpDesc of the block that began last."""
        self.left -= 1
        if not self.blocks or self.left < 0:
            return
        found = _Operator(at=low)
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if wire != BYTES:
                continue
            if number == 3:
                found.name = text(self.view, begin, end, 200)
            elif number in (1, 2):
                self._variables(found, number, begin, end)
            elif number == 4:
                self._attribute(found, begin, end)
        self.blocks[-1].append(found)
        self._made(found)

    def _variables(self, found: _Operator, number: int, low: int, high: int) -> None:
        parameter, names = "", list[str]()
        for inner, wire, begin, end, _ in parts(self.view, low, high):
            if wire == BYTES and inner == 1:
                parameter = text(self.view, begin, end, 200)
            elif wire == BYTES and inner == 2 and len(names) < 1000:
                names.append(text(self.view, begin, end, 500))
        if parameter == "Condition":
            found.condition = (names or [""])[0]
        (found.inputs if number == 1 else found.outputs).extend(names)

    def _attribute(self, found: _Operator, low: int, high: int) -> None:
        key, values = "", list[float]()
        for part in parts(self.view, low, high):
            number, wire, begin, end, value = part
            if number == 1 and wire == BYTES:
                key = text(self.view, begin, end, 100)
            elif number == 12 and wire == VARINT:
                found.block = value
            elif number == 5 and wire == BYTES and key == "str_value":
                found.text = text(self.view, begin, end, 100)
            elif number in _NUMBERS and len(values) <= sizes.VALUES:
                if wire == VARINT:
                    values.append(signed(value))
                elif wire == BYTES:
                    values += sizes.listed(self.view, part, _NUMBERS[number])
                else:
                    values += sizes.unpacked(self.view.read(begin, end - begin), "f" if end - begin == 4 else "d")
        if values:
            found.numbers[key] = tuple(values)

    def _made(self, found: _Operator) -> None:
        """Shapes that attributes name."""
        shapes = [found.numbers[key] for key in _SHAPES if key in found.numbers]
        shapes.append(tuple(value for key in _PICTURE for value in found.numbers.get(key, ())[:1]))
        count = max(map(sizes.product, shapes))
        if count > sizes.MOST:
            message = f"the operator {ascii(found.name)[1:-1][:80]} makes {count} numbers: running it takes all memory"
            self.scope.issue(Code.BOMB, "high", message, found.at)

    def judge(self) -> None:
        """At the end of the program."""
        if self.left < 0:
            self.scope.unknown("it has more operators than are looked at for what they make")
        if self.blocks:
            self.inside(0, 1, [])
        for number, block in enumerate(self.blocks):  # such as those that only some inputs reach
            if any(found.name == "while" and found.at not in self.counted for found in block):
                self.inside(number, 1, [])

    def inside(self, number: int, often: int, path: list[int]) -> None:
        """Judge the loops of a block that runs so often."""
        block = self.passed(self.blocks[number])
        block.sizes.judge(self.scope)
        for found, names in block.loops:
            if found.at in self.counted or not 0 <= found.block < len(self.blocks) or found.block in path:
                continue
            self.counted.add(found.at)
            within = self.passed(self.blocks[found.block])
            arguments = sorted({found.condition, *self.touched(found.block, [])})[: 4 * sizes.VALUES]
            given = [names.get(name, name) for name in arguments]
            test = within.names.get(found.condition, found.condition)
            first = block.sizes.value(names.get(found.condition, found.condition))
            loop = loops.Loop(
                block.sizes, given, within.sizes, arguments, [within.names.get(name, name) for name in arguments],
                within.sizes, arguments, test,
            )  # fmt: skip
            turns = 0 if first is not None and not all(first) else loops.turns(loop, self.budget)
            total = min(max(turns, 1) * often, loops.ENDLESS - (turns < loops.ENDLESS))
            if turns:
                loops.report(self.scope, total, loops.growth(loop, turns, self.budget), found.at)
            if len(path) < _NESTED:
                self.inside(found.block, total, [*path, number])
        if self.budget.left < 0:
            self.scope.unknown("it has more loops than are looked at for how often they run")

    def touched(self, number: int, path: list[int]) -> Iterator[str]:
        """The variables that a block reads or writes, with those of the blocks inside."""
        pending, seen = [number], {number, *path}
        while pending:
            for found in self.blocks[pending.pop()]:
                yield from found.inputs
                yield from found.outputs
                if 0 <= found.block < len(self.blocks) and found.block not in seen:
                    seen.add(found.block)
                    pending.append(found.block)

    def passed(self, operators: list[_Operator]) -> _Block:
        """Follow the variables through a block."""
        block = _Block()
        graph = block.sizes
        for number, found in enumerate(operators):
            given = [block.names.get(name, name) for name in found.inputs]
            if found.name == "while":
                block.loops.append((found, dict(block.names) if len(block.loops) < _NESTED else {}))
            written = list(found.outputs)
            if 0 <= found.block < len(self.blocks) and self.budget.left > 0:
                written += self.touched(found.block, [])
                self.budget.left -= len(written)
            for name in written:
                block.names[name] = f"{name}\0{number}"  # no variable has this name
            if len(found.outputs) != 1 and found.name not in ("reshape2", "squeeze2", "unsqueeze2"):
                continue
            made = block.names[found.outputs[0]] if found.outputs else ""
            kind = NAMES.get(found.name, "")
            if found.name == "fill_constant" and not given:
                self._filled(graph, found, made)
            elif found.name == "increment" and given:
                graph.constants[f"{made}\0by"] = found.numbers.get("step", (1.0,))
                graph.add(made, "Add", [given[0], f"{made}\0by"], found.at)
            elif found.name == "scale" and len(given) == 1:
                graph.constants[f"{made}\0by"] = found.numbers.get("scale", (1.0,))
                graph.constants[f"{made}\0and"] = found.numbers.get("bias", (0.0,))
                graph.add(f"{made}\0times", "Mul", [given[0], f"{made}\0by"], found.at)
                graph.add(made, "Add", [f"{made}\0times", f"{made}\0and"], found.at)
            elif kind:
                graph.add(made, kind, given, found.at)
        return block

    def _filled(self, graph: Sizes, found: _Operator, made: str) -> None:
        shape = found.numbers.get("shape", ())
        value = found.numbers.get("value", (0.0,))[0]
        if found.text:
            try:
                value = float(found.text)
            except ValueError:
                return
        count = sizes.product(shape)
        graph.dims[made] = shape
        if count <= sizes.VALUES and abs(value) < 1 << 90:
            graph.constants[made] = (int(value) if value == int(value) else value,) * count
