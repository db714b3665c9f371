"""ONNX, walked on the wire: operators and their domains, tensors' sizes, references to other files.

Field numbers: onnx/onnx.proto (IR version 12). Nothing of the onnx package is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.protobuf import BYTES, VARINT, Field, fields, signed
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope

# message -> field number -> message inside
_INSIDE: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 8: "Opset", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 9: "Opset", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
    "Opset": {},
    "Entry": {},
}
_STANDARD = frozenset(("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"))
_VENDOR = frozenset(("com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc"))
_CODE_OPS = frozenset(("PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad", "ATen", "EPContext", "TorchEmbeddingOp"))
# elements' sizes in bits by TensorProto.DataType
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
         17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}  # fmt: skip
# A tree ensemble holds its numbers as one field each; long runs of them are passed over in one step.
_FLOATS = re.compile(rb"(?:\x3d.{4}){8,65536}+", re.DOTALL)
_INTS = re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f]){8,65536}+", re.DOTALL)
_DEPTH = 64
_OPERATORS = 10_000
_DIMENSIONS = 4096

_Message = tuple[str, int, int]


@dataclass
class _Tensor:
    dims: list[int] = field(default_factory=list)
    kind: int = 0
    raw: int | None = None
    external: dict[str, str] = field(default_factory=dict)
    outside: bool = False
    name: str = ""


class _TruncatedError(Exception):
    pass


class _Walk:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.operators: set[tuple[str, str]] = set()
        self.local: set[str] = set()
        self.graphs = 0
        self.opsets = 0

    def text(self, begin: int, end: int, limit: int = 4096) -> str:
        """A field as text, cut at `limit` bytes."""
        return self.view.read(begin, min(end - begin, limit)).decode("utf-8", "replace")

    def run(self) -> None:
        """Depth first, with one iterator per level: memory does not grow with the number of nodes."""
        levels: list[Iterator[_Message]] = [iter([("Model", 0, len(self.view))])]
        while levels:
            message = next(levels[-1], None)
            if message is None:
                levels.pop()
                continue
            kind, low, high = message
            if kind == "Tensor":
                self.tensor(low, high)
            elif len(levels) > _DEPTH:
                self.scope.issue(Code.BOMB, "high", "graphs are nested deeper than any model's", low)
            else:
                levels.append(self.inside(kind, low, high))

    def inside(self, kind: str, low: int, high: int) -> Iterator[_Message]:
        """The messages inside a message."""
        if kind == "Node":
            return self.node(low, high)
        return self.attribute(low, high) if kind == "Attribute" else self.message(kind, low, high)

    def message(self, kind: str, low: int, high: int) -> Iterator[_Message]:
        self.graphs += kind == "Graph"
        self.opsets += kind == "Opset"
        inside = _INSIDE[kind]
        for number, wire, begin, end, _ in self.fields(low, high):
            if number in inside and wire == BYTES:
                yield inside[number], begin, end
            elif kind == "Function" and number == 10 and wire == BYTES:
                self.local.add(self.text(begin, end, 200))

    def fields(self, low: int, high: int) -> Iterator[Field]:
        """All fields of a message. Raises _TruncatedError."""
        for item in fields(self.view, low, high):
            if item is None:
                raise _TruncatedError(str(low))
            yield item

    def attribute(self, low: int, high: int) -> Iterator[_Message]:
        """As any message, passing over long runs of numbers."""
        at = low
        buffer, start = self.view.buffer, self.view.start
        while at < high:
            run = _FLOATS.match(buffer, start + at, start + high) or _INTS.match(buffer, start + at, start + high)
            if run:
                at = run.end() - start
                continue
            for number, wire, begin, end, _ in self.fields(at, high):
                at = end
                if number in _INSIDE["Attribute"] and wire == BYTES:
                    yield _INSIDE["Attribute"][number], begin, end
                if number in (7, 8) and wire != BYTES:
                    break

    def node(self, low: int, high: int) -> Iterator[_Message]:
        operator = domain = ""
        for number, wire, begin, end, _ in self.fields(low, high):
            if number == 4:
                operator = self.text(begin, end, 200)
            elif number == 7:
                domain = self.text(begin, end, 200)
            elif number == 5 and wire == BYTES:
                yield "Attribute", begin, end
        if len(self.operators) < _OPERATORS:
            self.operators.add((domain, operator))
        elif (domain, operator) not in self.operators:
            self.scope.unknown(f"it uses more than {_OPERATORS} different operators")

    def tensor(self, low: int, high: int) -> None:
        tensor = _Tensor()
        for number, wire, begin, end, value in self.fields(low, high):
            if len(tensor.dims) > _DIMENSIONS:
                raise _TruncatedError(str(low))
            if number == 1 and wire == VARINT:
                tensor.dims.append(signed(value))
            elif number == 1 and wire == BYTES:
                tensor.dims += self.packed(begin, end)
            elif number == 2 and wire == VARINT:
                tensor.kind = value
            elif number == 8:
                tensor.name = self.text(begin, end, 200)
            elif number == 9 and wire == BYTES:
                tensor.raw = end - begin
            elif number == 13 and wire == BYTES:
                pair = {item[0]: self.text(item[2], item[3]) for item in self.fields(begin, end) if item[0] in (1, 2)}
                tensor.external[pair.get(1, "")] = pair.get(2, "")
            elif number == 14:
                tensor.outside = value == 1
        self.check(tensor, low)

    def packed(self, low: int, high: int) -> list[int]:
        from shipworthy.modelfile.protobuf import varint

        values: list[int] = []
        while low < high and len(values) < 1024:
            value, low = varint(self.view, low, high)
            if low < 0:
                raise _TruncatedError("dims")
            values.append(signed(value))
        return values

    def check(self, tensor: _Tensor, at: int) -> None:
        shown = ascii(tensor.name)[:100]
        total = 1
        for size in tensor.dims:
            total *= size
            if size < 0 or total >> 62:
                text = f"the tensor {shown} has dimensions that are negative or whose product overflows"
                self.scope.issue(Code.BROKEN_STREAM, "high", text, at)
                return
        bits = _BITS.get(tensor.kind)
        if tensor.external or tensor.outside:
            self.external(tensor, shown, at)
        elif tensor.raw is not None and bits and (total * bits + 7) // 8 != tensor.raw:
            text = (
                f"the tensor {shown} holds {tensor.raw} bytes; its dimensions and type need {(total * bits + 7) // 8}"
            )
            self.scope.issue(Code.BROKEN_STREAM, "medium", text, at)

    def external(self, tensor: _Tensor, shown: str, at: int) -> None:
        location = tensor.external.get("location", "")
        place = ascii(location)[:120]
        if not location:
            self.scope.issue(
                Code.EXTERNAL_DATA, "medium", f"the tensor {shown} lies in another file that is not named", at
            )
        elif escapes(location):
            text = f"the tensor {shown} is read from {place}, outside of the model's folder"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", text, at)
        elif self.scope.folder is not None:
            target = self.scope.folder / location
            if not target.is_file():
                text = f"the tensor {shown} lies in {place}, which is not beside the model"
                self.scope.issue(Code.EXTERNAL_DATA, "medium", text, at)
            elif self.span(tensor) > target.stat().st_size:
                text = f"the tensor {shown} needs more bytes than {place} has"
                self.scope.issue(Code.EXTERNAL_DATA, "medium", text, at)
        else:
            self.scope.unknown(f"the tensor {shown} lies in another file, {place}, which was not at hand")

    @staticmethod
    def span(tensor: _Tensor) -> int:
        """Where in the other file the tensor ends, as far as it says."""
        values = [tensor.external.get(key, "0") for key in ("offset", "length")]
        return sum(int(value) for value in values if value.isdigit() and len(value) < 20)

    def judge(self) -> None:
        """Operators that no standard defines."""
        for domain, operator in sorted(self.operators):
            shown = f"{ascii(domain)[1:-1]}:{ascii(operator)[1:-1]}"[:160]
            if operator in _CODE_OPS:
                text = f"the operator {shown} runs code that is not in the model"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", text, None, shown)
            elif domain not in _STANDARD and domain not in _VENDOR and domain not in self.local:
                text = f"the operator {shown} is of no standard domain: a library of its own must be loaded"
                if not any(fnmatchcase(f"{domain}:{operator}", pattern) for pattern in self.scope.trust):
                    self.scope.issue(Code.CUSTOM_OPERATOR, "high", text, None, shown)


def read(scope: Scope) -> int:
    """Walk the model; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    walk = _Walk(scope)
    try:
        walk.run()
    except _TruncatedError as error:
        text = "the model is cut short or no valid protobuf message"
        scope.issue(Code.BROKEN_STREAM, "medium", text, int(str(error)) if str(error).isdigit() else None)
    else:
        if not walk.graphs:
            scope.unknown("it holds no graph: it may be another protobuf message than ONNX")
        elif not walk.opsets:
            scope.issue(
                Code.BROKEN_STREAM, "medium", "it names no operator set, which every model must: it may be cut short"
            )
    walk.judge()
    return size
