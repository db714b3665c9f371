"""What a TensorFlow Lite model makes from its constants (`sizes`), and loops that it never leaves."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.modelfile.graphs import loops, sizes
from shipworthy.modelfile.graphs.flatbuffer import Table
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope

_RAW = {0: "f", 2: "i", 4: "q", 6: "?", 9: "b", 3: "B", 7: "h", 15: "I"}
# TensorFlow's names of what is computed alike
_NAMES = {
    "FILL": "Fill", "BROADCAST_TO": "BroadcastTo", "TILE": "Tile", "RANGE": "Range", "RESHAPE": "Reshape",
    "EXPAND_DIMS": "ExpandDims", "SQUEEZE": "Squeeze", "TRANSPOSE": "Transpose", "CAST": "Cast", "PAD": "PadV2",
    "PADV2": "PadV2", "MIRROR_PAD": "MirrorPad", "RESIZE_BILINEAR": "ResizeBilinear", "ONE_HOT": "OneHot",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor", "CONCATENATION": "Pack", "PACK": "Pack", "ADD": "Add",
    "SUB": "Sub", "MUL": "Mul", "DIV": "RealDiv", "POW": "Pow", "MAXIMUM": "Maximum", "MINIMUM": "Minimum",
    "LESS": "Less", "LESS_EQUAL": "LessEqual", "GREATER": "Greater", "GREATER_EQUAL": "GreaterEqual",
    "EQUAL": "Equal", "NOT_EQUAL": "NotEqual", "LOGICAL_AND": "LogicalAnd", "LOGICAL_OR": "LogicalOr",
    "LOGICAL_NOT": "LogicalNot", "SQUARED_DIFFERENCE": "SquaredDifference", "SELECT_V2": "SelectV2",
    "FLOOR_DIV": "FloorDiv", "FLOOR_MOD": "FloorMod", "REDUCE_PROD": "Prod", "BATCH_MATMUL": "BatchMatMul",
    "SPARSE_TO_DENSE": "SparseToDense", "RANDOM_UNIFORM": "RandomUniform", "SCATTER_ND": "ScatterNd",
    "RANDOM_STANDARD_NORMAL": "RandomStandardNormal", "NEG": "Neg", "ABS": "Abs", "EXP": "Exp", "SQRT": "Sqrt",
    "SQUARE": "Square", "ZEROS_LIKE": "ZerosLike", "RELU": "Relu", "LOGISTIC": "Sigmoid", "TANH": "Tanh",
    "SUM": "Sum", "MEAN": "Mean", "REDUCE_MAX": "Max", "REDUCE_MIN": "Min", "REDUCE_ALL": "All", "REDUCE_ANY": "Any",
    "SHAPE": "Shape", "RANK": "Rank", "SLICE": "Slice", "STRIDED_SLICE": "StridedSlice", "GATHER": "Gather",
    "UNSORTED_SEGMENT_SUM": "UnsortedSegmentSum", "FLOOR": "Floor", "CEIL": "Ceil", "SIGN": "Sign", "RELU6": "Relu6",
}  # fmt: skip


class TfliteSizes:
    """Told of the tensors and operators of each graph."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.graphs: list[sizes.Sizes] = []
        self.outputs: list[list[str]] = []
        self.inputs: list[list[str]] = []
        self.loops: list[tuple[int, tuple[int, int], list[str], int]] = []

    def numbers(self, table: Table, name: str, size: int = 4) -> list[str]:
        """Indexes of tensors, as names; as many as matter."""
        low, count = table.spans.get(name, (0, 0))
        raw = self.scope.view.read(low, size * min(count, sizes.VALUES + 1))
        return [str(int(number)) for number in sizes.unpacked(raw, "i")]

    def graph(self, table: Table, tensors: Sequence[Table], buffers: Sequence[Table]) -> None:
        """A graph and its constants: tensors with a buffer that holds something."""
        found = sizes.Sizes()
        self.graphs.append(found)
        self.inputs.append(self.numbers(table, "Inputs"))
        self.outputs.append(self.numbers(table, "Outputs"))
        for index, tensor in enumerate(tensors):
            number = tensor.numbers.get("Buffer", 0)
            buffer = buffers[number] if number < len(buffers) else tensor
            low, held = buffer.spans.get("Data", (0, buffer.numbers.get("Size", 0)))
            shape = tuple(map(int, self.numbers(tensor, "Shape")))
            if not held and sizes.product(shape) > sizes.MOST:
                text = (
                    f"a tensor of {sizes.product(shape)} numbers is made when the model is loaded, which fills memory"
                )
                self.scope.issue(Code.BOMB, "high", text, tensor.at)
            elif held:
                found.dims[str(index)] = shape
                letter = _RAW.get(tensor.numbers.get("Type", 0))
                if letter and low and sizes.product(shape) <= sizes.VALUES:
                    found.constants[str(index)] = sizes.unpacked(self.scope.view.read(low, min(held, 1024)), letter)

    def operator(self, table: Table, name: str, loop: tuple[int, int] | None) -> None:
        """An operator of the graph that was told last; `loop`: the graphs of a loop's condition and body."""
        if loop is not None:
            self.loops.append((len(self.graphs) - 1, loop, self.numbers(table, "Inputs"), table.at))
        kind = _NAMES.get(name, "")
        outputs = self.numbers(table, "Outputs")
        inputs = self.numbers(table, "Inputs")
        self.graphs[-1].other(outputs[sizes.matters(kind) :], inputs)
        if outputs and sizes.matters(kind) and not self.graphs[-1].add(outputs[0], kind, inputs, table.at):
            self.scope.unknown("it has more operators than are looked at for what they make")

    def judge(self) -> None:
        """At the end, when all graphs are known."""
        for found in self.graphs:
            found.judge(self.scope)
        often, budget = dict[int, int](), loops.Budget()
        for inside, (condition, body), given, at in sorted(self.loops):  # graphs come behind those that call them
            if not (0 <= condition < len(self.graphs) and 0 <= body < len(self.graphs) and self.outputs[condition]):
                continue
            loop = loops.Loop(
                self.graphs[inside], given, self.graphs[body], self.inputs[body], self.outputs[body],
                self.graphs[condition], self.inputs[condition], self.outputs[condition][0],
            )  # fmt: skip
            turns = loops.turns(loop, budget)
            often[body] = min(max(turns, 1) * often.get(inside, 1), loops.ENDLESS)
            if self.graphs[condition].value(self.outputs[condition][0]) == (True,):
                text = "the condition of a loop is always true: the graph never ends"
                self.scope.issue(Code.BOMB, "high", text, at)
            elif turns:
                total = min(often[body], loops.ENDLESS - (turns < loops.ENDLESS))
                loops.report(self.scope, total, loops.growth(loop, turns, budget), at)
        if budget.left < 0:
            self.scope.unknown("it has more loops than are looked at for how often they run")
