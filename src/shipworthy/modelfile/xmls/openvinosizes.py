"""What an OpenVINO model makes from its constants, which lie in the .bin, and how often its loops run.

Told of elements in the order of the document; edges come behind the layers, so all is put together at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from shipworthy.modelfile.graphs import loops, sizes
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.xmls.scan import Attributes
from shipworthy.records import dataclass, field

# TensorFlow's names of what is computed alike
_NAMES = {
    "Broadcast": "BroadcastTo", "Tile": "Tile", "Range": "Range", "OneHot": "OneHot", "Pad": "Pad",
    "Interpolate": "ResizeBilinear", "RandomUniform": "RandomUniform", "Reshape": "Reshape", "Squeeze": "Squeeze",
    "Unsqueeze": "ExpandDims", "Transpose": "Transpose", "Convert": "Cast", "Concat": "Concat", "Add": "Add",
    "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "Power": "Pow", "Maximum": "Maximum", "Minimum": "Minimum",
    "Less": "Less", "LessEqual": "LessEqual", "Greater": "Greater", "GreaterEqual": "GreaterEqual", "Equal": "Equal",
    "NotEqual": "NotEqual", "LogicalAnd": "LogicalAnd", "LogicalOr": "LogicalOr", "LogicalNot": "LogicalNot",
    "ReduceProd": "ReduceProd", "ReduceSum": "ReduceSum", "ReduceMax": "ReduceMax", "ReduceMin": "ReduceMin",
    "ReduceMean": "ReduceMean", "ShapeOf": "Shape", "Gather": "Gather", "StridedSlice": "StridedSlice",
    "Select": "SelectV2", "MatMul": "MatMul", "Result": "Identity", "Sqrt": "Sqrt", "Exp": "Exp", "Abs": "Abs",
    "ReLU": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "Softmax": "Softmax", "Clamp": "Clip", "Eye": "Fill",
}  # fmt: skip
_TYPES = {"i64": "q", "i32": "i", "i16": "h", "i8": "b", "u64": "Q", "u32": "I", "u16": "H", "u8": "B", "boolean": "?",
          "f32": "f", "f64": "d"}  # fmt: skip
_LAYERS, _SMALL = 500_000, 1024


@dataclass
class _Layer:
    kind: str
    at: int
    data: Attributes = field(default_factory=dict)
    inside: _Net | None = None
    mapped: list[tuple[str, Attributes]] = field(default_factory=list)
    back: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Net:
    layers: dict[str, _Layer] = field(default_factory=dict)
    edges: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # layer -> its ports and what they are fed


class IrSizes:
    """Told of the start of elements and of the end of nets."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.root = _Net()
        self.nets = [self.root]
        self.open: list[_Layer] = []
        self.left = _LAYERS
        self.budget = loops.Budget()

    def start(self, name: str, attributes: Attributes, path: list[str], at: int) -> None:
        """An element below those of `path`."""
        if name == "layer":
            self.left -= 1
            layer = _Layer(attributes.get("type", ""), at)
            if self.left >= 0:
                self.nets[-1].layers[attributes.get("id", "")] = layer
            self.open.append(layer)
        elif name == "data" and self.open and path[-1:] == ["layer"]:
            self.open[-1].data = attributes
        elif name == "body" and self.open:
            self.open[-1].inside = _Net()
            self.nets.append(self.open[-1].inside)
        elif name in ("then_body", "else_body"):
            self.nets.append(_Net())
        elif name in ("input", "output") and path[-1:] == ["port_map"] and self.open and len(attributes) > 1:
            self.open[-1].mapped.append((name, attributes))
        elif name == "edge" and path[-1:] == ["back_edges"] and self.open:
            self.open[-1].back.append((attributes.get("from-layer", ""), attributes.get("to-layer", "")))
        elif name == "edge" and self.left >= 0:
            self.left -= 1
            port = attributes.get("to-port", "")
            fed = self.nets[-1].edges.setdefault(attributes.get("to-layer", ""), [])
            fed.append((int(port) if port.isdecimal() and len(port) < 10 else 0, attributes.get("from-layer", "")))

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "layer" and self.open:
            self.open.pop()
        elif name in ("body", "then_body", "else_body") and len(self.nets) > 1:
            self.nets.pop()

    def judge(self, weights: Path | None) -> None:
        """At the end of the document."""
        if weights is not None:
            with weights.open("rb") as file:
                self._net(self.root, file, 1)
        if self.left < 0 or self.budget.left < 0:
            self.scope.unknown("it has more layers or loops than are looked at for what they make")

    def _net(self, root: _Net, file: BinaryIO, often: int) -> None:
        """A net that runs so often, and those inside."""
        pending = [(root, self._sizes(root, file), often)]
        while pending:
            net, graph, times = pending.pop()
            graph.judge(self.scope)
            for name, layer in net.layers.items():
                if layer.inside is None:
                    continue
                inside, total = self._sizes(layer.inside, file), times
                if layer.kind == "Loop":
                    loop = _loop(net, graph, name, layer, inside)
                    turns = loops.turns(loop, self.budget) if loop is not None else 0
                    total = min(max(turns, 1) * times, loops.ENDLESS - (turns < loops.ENDLESS))
                    if turns and loop is not None:
                        loops.report(self.scope, total, loops.growth(loop, turns, self.budget), layer.at)
                pending.append((layer.inside, inside, total))

    def _sizes(self, net: _Net, file: BinaryIO) -> Sizes:
        graph = Sizes()
        for name, layer in net.layers.items():
            if layer.kind in ("Const", "Constant"):
                self._constant(graph, name, layer.data, file)
                continue
            given = [source for _, source in sorted(net.edges.get(name, []))[: sizes.VALUES]]
            kind = _NAMES.get(layer.kind, "")
            if layer.kind in ("Pad", "Eye") and len(given) > 1:
                joined = f"{name} joined"  # no layer has a name with a space
                both = given[1:3] if layer.kind == "Pad" else given[:2]
                graph.add(joined, "Concat", both, layer.at)
                given = [given[0], joined] if layer.kind == "Pad" else [joined]
            if kind:
                graph.add(name, kind, given, layer.at)
        return graph

    def _constant(self, graph: Sizes, name: str, data: Attributes, file: BinaryIO) -> None:
        shape = [part.strip() for part in data.get("shape", "").split(",") if part.strip()]
        if any(not part.isdecimal() or len(part) > 19 for part in shape):
            return
        graph.dims[name] = tuple(int(part) for part in shape)
        low, size = data.get("offset", ""), data.get("size", "")
        letter = _TYPES.get(data.get("element_type", ""))
        if letter and low.isdecimal() and size.isdecimal() and len(low) < 19 and len(size) < 5 and int(size) <= _SMALL:
            file.seek(int(low))
            values = sizes.unpacked(file.read(int(size)), letter)
            if len(values) <= sizes.VALUES:
                graph.constants[name] = values


def _loop(net: _Net, graph: Sizes, name: str, layer: _Layer, inside: Sizes) -> loops.Loop | None:
    """Inputs: the number of turns (-1: no limit), a first condition, and what the body's parameters are given."""
    fed = dict(net.edges.get(name, []))
    back = {parameter: result for result, parameter in layer.back}
    first = graph.value(fed.get(1, ""))
    counted = graph.value(fed.get(0, ""))
    if (first is not None and not all(first)) or layer.inside is None:
        return None
    most = 1 if counted is None or len(counted) != 1 else int(counted[0]) if counted[0] >= 0 else loops.ENDLESS
    arguments, given, results, test = list[str](), list[str](), list[str](), "always "
    graph.constants["zero "] = (0,)
    inside.constants.update({"one ": (1,), "always ": (True,)})
    inside.nodes["next "] = ("Add", ["", "one "], 0)
    for what, attributes in layer.mapped:
        within, port = attributes.get("internal_layer_id", ""), attributes.get("external_port_id", "")
        if attributes.get("purpose") == "execution_condition":
            test = within
        elif what == "input" and attributes.get("purpose") == "current_iteration":
            arguments, given, results = [*arguments, within], [*given, "zero "], [*results, "next "]
            inside.nodes["next "] = ("Add", [within, "one "], 0)
        elif what == "input" and "axis" not in attributes and len(arguments) < sizes.VALUES:
            arguments.append(within)
            given.append(fed.get(int(port) if port.isdecimal() and len(port) < 10 else -1, ""))
            results.append(back.get(within, within))
    return loops.Loop(graph, given, inside, arguments, results, inside, arguments, test, most, layer.at)
