"""What an ONNX model makes from its constants (`sizes`), and loops that it never leaves.

Subgraphs see the names of the graphs around them; a function sees only its own.
"""

from __future__ import annotations

from shipworthy.modelfile.graphs import loops, sizes
from shipworthy.modelfile.graphs.makers import ATTRIBUTE
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.graphs.walk import inner, parts, text
from shipworthy.modelfile.protobuf import BYTES, VARINT, signed
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass, field

_RAW = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 11: "d", 12: "I", 13: "Q"}
_LISTS = {4: "f", 5: "v", 7: "v", 10: "d", 11: "v"}
_SHAPED = {"RandomNormal": "ConstantOfShape", "RandomUniform": "ConstantOfShape"}
# What TensorFlow names otherwise; its own operators of these names do something else.
_OTHERS = {"Where": "SelectV2", "Sum": "Add", "Mean": "Add", "Max": "Maximum", "Min": "Minimum", "Slice": "OnnxSlice"}
# What Upsample and Pad took as attributes before they took them as inputs.
_BEFORE = {"Upsample": "scales", "Pad": "pads", "Tile": "repeats", "Unsqueeze": "axes", "Transpose": "perm"}
# What is put behind all inputs: sizes that attributes say.
_SIZED = {
    "Conv": "pads",
    "MaxPool": "pads",
    "AveragePool": "pads",
    "LpPool": "pads",
    "ConvTranspose": "strides",
    "MaxRoiPool": "pooled_shape",
}
_ATTRIBUTES = frozenset(("Constant", "Loop", "RoiAlign", "Gather", "Gemm", "Einsum", *_SHAPED, *_BEFORE, *_SIZED))
# names that no node has
_ZERO, _ONE, _TRUE, _NEXT = (f"{what} of a loop" for what in ("zero", "one", "true", "next"))
_SMALL = 2048
_INPUTS = 100
_KNOWN = frozenset(("", "ai.onnx", "ai.onnx.ml", "com.microsoft"))  # no functions of the model's own
_GRAPHS = 100_000


@dataclass
class _Graph:
    """Where it lies, its numbers, its first inputs and output, its loops: node's offset, inputs, body's offset; and
    what it and the graphs inside call, with which inputs.
    """

    begin: int
    end: int
    sizes: Sizes
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    around: int = -1
    loops: list[tuple[int, list[str], int]] = field(default_factory=list)
    calls: list[tuple[Sizes, str, list[str]]] = field(default_factory=list)


class OnnxSizes:
    """Told of graphs, functions, nodes and tensors while the model is walked."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.graphs: dict[int, _Graph] = {}
        self.open: list[_Graph] = []
        self.functions: dict[str, _Graph] = {}
        self.equations: dict[int, str] = {}  # of Einsum

    def begin(self, kind: str, low: int, high: int) -> None:
        """A graph or a function."""
        self.leave(low)
        if len(self.graphs) >= _GRAPHS:
            self.scope.unknown("it has more graphs than are looked at for what they make")
            return
        parent = self.open[-1].sizes if self.open and kind == "Graph" else None
        around = self.open[-1].begin if parent is not None else -1
        self.graphs[low] = _Graph(low, high, Sizes(parent), around=around)
        self.open.append(self.graphs[low])
        if kind == "Function":
            found: dict[int, list[str]] = {1: [""], 4: [], 10: [""]}
            for number, wire, begin, end, _ in parts(self.view, low, high):
                if number in found and wire == BYTES and len(found[number]) < _INPUTS:
                    found[number].append(text(self.view, begin, end, 200))
            self.graphs[low].inputs = found[4]
            self.functions[f"{found[10][-1]} {found[1][-1]}"] = self.graphs[low]

    def named(self, number: int, low: int, high: int) -> None:
        """An initializer (5), input (11) or output (12) of a graph."""
        self.leave(low)
        if not self.open:
            return
        graph = self.open[-1]
        if number == 5:
            name, values, dims, length = self._read(low, high)
            graph.sizes.dims[name] = dims
            if length:
                graph.sizes.texts[name] = length
            if values is not None:
                graph.sizes.constants[name] = values
            return
        names = graph.inputs if number == 11 else graph.outputs
        if len(names) >= _INPUTS:
            return
        name = next(
            (text(self.view, part[2], part[3], 500) for part in parts(self.view, low, high) if part[0] == 1), ""
        )
        names.append(name)

    def leave(self, at: int) -> None:
        """Graphs that an offset is not inside of are done."""
        while self.open and not self.open[-1].begin <= at < self.open[-1].end:
            self.open.pop()

    def _read(self, low: int, high: int) -> tuple[str, sizes.Values | None, sizes.Values, int]:
        """The name, the values if they are few, the shape of a tensor, and how many bytes its longest text has."""
        name, kind, dims, values, raw, longest = "", 0, list[int](), list[float](), b"", 0
        small = high - low <= _SMALL
        for part in parts(self.view, low, high):
            number, wire, begin, end, value = part
            if number == 1 and len(dims) <= sizes.VALUES and end - begin <= _SMALL:
                dims += sizes.listed(self.view, part, "v")
            elif number == 2 and wire == VARINT:
                kind = value
            elif number == 8 and wire == BYTES:
                name = text(self.view, begin, end, 500)
            elif number == 9 and wire == BYTES and small:
                raw = self.view.read(begin, end - begin)
            elif number == 6:
                longest = max(longest, end - begin)
            elif number in _LISTS and small:
                values += sizes.listed(self.view, part, _LISTS[number])
        if kind not in _RAW or sizes.product(dims) > sizes.VALUES or not small:
            return name, None, tuple(dims), longest
        return name, sizes.unpacked(raw, _RAW[kind]) if raw else tuple(values), tuple(dims), longest

    def node(self, domain: str, operator: str, names: list[tuple[int, int, int]], low: int, high: int) -> None:
        """A node of the graph that was entered last; `names` are where its inputs (1) and outputs (2) lie."""
        if domain not in _KNOWN:
            self.leave(low)
            if self.open and len(self.open[0].calls) < _GRAPHS:
                inputs = [text(self.view, begin, end, 500) for number, begin, end in names[:_INPUTS] if number == 1]
                self.open[0].calls.append((self.open[-1].sizes, f"{domain} {operator}", inputs))
            return
        constant, shaped = operator == "Constant", (_SHAPED | _OTHERS).get(operator, operator)
        self.leave(low)
        if not self.open:
            return
        graph = self.open[-1]
        inputs, outputs = (
            [
                text(self.view, begin, end, 500)
                for _, begin, end in [name for name in names if name[0] == kind][:_INPUTS]
            ]
            for kind in (1, 2)
        )
        attributes: dict[str, sizes.Values | None] = {}
        body = -1
        for number, wire, begin, end, _ in parts(self.view, low, high) if operator in _ATTRIBUTES else ():
            if number == 5 and wire == BYTES and operator == "Loop":
                body = next((part[2] for part in parts(self.view, begin, end) if part[:2] == (6, BYTES)), body)
            elif number == 5 and wire == BYTES and end - begin <= _SMALL:
                attributes.update([self._attribute(begin, end)])
                if operator == "Einsum" and (place := inner(self.view, begin, end, 4)):
                    self.equations[low] = text(self.view, *place, 200)
            if constant and number == 5 and outputs and (tensor := inner(self.view, begin, end, 5)):
                _, _, graph.sizes.dims[outputs[0]], length = self._read(*tensor)
                if length:
                    graph.sizes.texts[outputs[0]] = length
        known = constant or operator == "Loop" or sizes.matters(shaped)
        graph.sizes.other(outputs[1:] if known else outputs, inputs)
        if not outputs or not known:
            return
        if operator == "Loop":
            graph.loops.append((low, inputs, body))
        elif constant:
            graph.sizes.constants[outputs[0]] = next((item for item in attributes.values() if item is not None), None)
            return
        elif operator in _SHAPED or (operator in _BEFORE and len(inputs) < 2):
            label = f"{low} of a node"  # no other has this name
            graph.sizes.constants[label] = attributes.get(_BEFORE.get(operator, "shape"))
            inputs = [label] if operator in _SHAPED else [*inputs[:1], label]
        inputs += self._said(graph, operator, attributes, inputs, low)
        if not graph.sizes.add(outputs[0], shaped, inputs, low):
            self.scope.unknown("it has more nodes than are looked at for what they make")

    def _said(
        self, graph: _Graph, operator: str, said: dict[str, sizes.Values | None], inputs: list[str], at: int
    ) -> list[str]:
        """Names for what attributes say of sizes, which come behind the inputs."""
        label, values, before = f"{at} of attributes", said.get(_SIZED.get(operator, "")), ATTRIBUTE
        if operator == "RoiAlign":
            values = tuple(size for key in ("output_height", "output_width") for size in said.get(key) or ())
        elif operator == "Gather":
            values, before = said.get("axis"), 2
        elif operator == "Gemm":
            return [f"={key[-1].lower()}" for key in ("transA", "transB") if (said.get(key) or (0,))[0]]
        elif operator == "Einsum":
            return ["=" + self.equations.get(at, "")]
        if not values:
            return []
        graph.sizes.constants[label] = values
        return [""] * (before - len(inputs)) + [label]

    def _attribute(self, low: int, high: int) -> tuple[str, sizes.Values | None]:
        name, found, values = "", None, list[float]()
        for part in parts(self.view, low, high):
            number, wire, begin, end, value = part
            if number == 1 and wire == BYTES:
                name = text(self.view, begin, end, 100)
            elif number == 3 and wire == VARINT:
                values.append(signed(value))
            elif number == 5 and wire == BYTES:
                found = self._read(begin, end)[1]
            elif number in (7, 8):
                values += sizes.listed(self.view, part, "f" if number == 7 else "v")
        return name, found or tuple(values) or None

    def judge(self) -> None:
        """At the end of the model, when all names are known."""
        functions = {id(graph) for graph in self.functions.values()}
        pending = [graph for graph in self.graphs.values() if id(graph) not in functions]
        while pending:
            for caller, key, inputs in pending.pop().calls:
                called = self.functions.get(key)
                if called is not None and id(called) in functions:
                    for name, given in zip(called.inputs, inputs, strict=False):
                        if (value := caller.value(given)) is not None:
                            called.sizes.constants.setdefault(name, value)
                    functions.discard(id(called))
                    pending.append(called)
        often, budget = dict[int, int](), loops.Budget()
        for low, graph in self.graphs.items():
            often.setdefault(low, often.get(graph.around, 1))
            graph.sizes.judge(self.scope)
            for at, inputs, body in graph.loops:
                inside = self.graphs.get(body)
                if inside is None or not inside.inputs or not inside.outputs:
                    continue
                loop = _loop(graph, inside, [*inputs, "", ""])
                turns = loops.turns(loop, budget)
                often[body] = min(max(turns, 1) * often[low], loops.ENDLESS)
                total = min(often[body], loops.ENDLESS - (turns < loops.ENDLESS))
                if turns:
                    loops.report(self.scope, total, loops.growth(loop, turns, budget), at)
        if budget.left < 0:
            self.scope.unknown("it has more loops than are looked at for how often they run")


def _loop(graph: _Graph, inside: _Graph, inputs: list[str]) -> loops.Loop:
    """A node Loop: its inputs are a number of turns, a condition, and what the body takes behind these two."""
    body, first = inside.sizes, inside.inputs[0]
    body.constants[_ONE] = (1,)
    body.nodes[_NEXT] = ("Add", [first, _ONE], 0)
    graph.sizes.constants.update({_ZERO: (0,), _TRUE: (True,)})
    turns = graph.sizes.value(inputs[0]) if inputs[0] else (loops.ENDLESS,)
    most = max(int(turns[0]), 0) if turns is not None and len(turns) == 1 else 1
    given = [_ZERO, inputs[1] or _TRUE, *inputs[2:]]
    results = [_NEXT, *inside.outputs]
    return loops.Loop(
        graph.sizes,
        given,
        body,
        inside.inputs,
        results,
        body,
        inside.inputs,
        inside.outputs[0],
        min(most, loops.ENDLESS),
    )
