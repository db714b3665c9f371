"""ONNX, walked on the wire: operators against the sets that define them, tensors' sizes, references to other files.

Field numbers: onnx/onnx.proto (IR version 12). Nothing of the onnx package is needed: the tables of operators and
fields were made from it and from ONNX Runtime by scripts/make_graph_tables.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from shipworthy.modelfile import pointers
from shipworthy.modelfile.graphs import onnxfunctions, onnxsizes, onnxtexts
from shipworthy.modelfile.graphs.sizes import MOST
from shipworthy.modelfile.graphs.tables import messages, operators
from shipworthy.modelfile.graphs.walk import TruncatedError, twice
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.protobuf import BYTES, VARINT, Field, fields, signed
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.records import dataclass, field

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
_RUNTIME = frozenset(("com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc"))
# What reads native code, calls back into Python, or hands its content to a device's own loader.
_CODE_OPS = frozenset(
    ("PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad", "ATen", "EPContext", "TorchEmbeddingOp", "Snpe")
)
# elements' sizes in bits by TensorProto.DataType
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
         17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}  # fmt: skip
# A tree ensemble holds its numbers as one field each; long runs of them are passed over in one step.
_FLOATS = re.compile(rb"(?:\x3d.{4}){8,65536}+", re.DOTALL)
_INTS = re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f]){8,65536}+", re.DOTALL)
_SCHEMA = {"Model": "ModelProto", "Training": "TrainingInfoProto", "Graph": "GraphProto", "Function": "FunctionProto",
           "Node": "NodeProto", "Attribute": "AttributeProto", "Sparse": "SparseTensorProto", "Tensor": "TensorProto",
           "Opset": "OperatorSetIdProto", "Entry": "StringStringEntryProto"}  # fmt: skip
_ADDRESS = "_ORT_MEM_ADDR_"  # ONNX Runtime takes the offset of such a place as a pointer
_VALUES = frozenset((3, 4, 5, 6, 7, 10, 11))
_BLOB = 20
_TEXT = 8
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
    values: bool = False
    at: int = 0


class _Walk:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.schema = messages("onnx")
        self.operators: set[tuple[str, str]] = set()
        self.functions = onnxfunctions.Functions(scope)
        self.sizes = onnxsizes.OnnxSizes(scope)
        self.versions: dict[str, set[int]] = {}
        self.blobs = 0
        self.placed: list[tuple[str, int, int]] = []
        self.data: dict[str, list[tuple[int, int]]] = {}
        self.texts = onnxtexts.OnnxTexts(scope)
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
        dims: list[int] = []
        domain, version = "", 0
        seen: set[int] = set()
        if kind in ("Graph", "Function"):
            self.sizes.begin(kind, low, high)
        if kind == "Function":
            self.function(low, high)
        for number, wire, begin, end, value in self.fields(low, high):
            self.known(kind, number, seen, begin)
            if kind == "Graph" and wire == BYTES and number in (5, 11, 12):
                self.sizes.named(number, begin, end)
            if number in inside and wire == BYTES:
                yield inside[number], begin, end
            elif kind == "Sparse" and number == 3:
                dims += self.packed(begin, end) if wire == BYTES else [signed(value)]
            elif wire == BYTES and number == onnxtexts.PROPERTIES.get(kind):
                self.texts.property(begin, end)
            elif kind == "Opset" and number == 1:
                domain = self.text(begin, end, 200)
            elif kind == "Opset" and number == 2:
                version = value
        if kind == "Opset" and len(self.versions) < _OPERATORS:
            self.versions.setdefault(domain or "ai.onnx", set()).add(version)
        if dims:
            total = self.size(dims, "of a sparse tensor", low)
            if total is not None and total > MOST:
                text = f"a sparse tensor stands for {total} numbers, which a loader writes out: it fills the memory"
                self.scope.issue(Code.BOMB, "high", text, low)

    def known(self, kind: str, number: int, seen: set[int], at: int) -> None:
        """A field that no version of the format has is not understood; a single one must not come twice."""
        slot = self.schema[_SCHEMA[kind]].get(number)
        if slot is None:
            self.scope.unknown(f"field {number} of a {_SCHEMA[kind]} is not known to this version")
        elif not slot.repeated:
            if number in seen and -number not in seen:  # once for each message is enough
                seen.add(-number)
                twice(self.scope, _SCHEMA[kind], number, slot.name, at)
            seen.add(number)

    def function(self, low: int, high: int) -> None:
        name = domain = ""
        for number, wire, begin, end, _ in self.fields(low, high):
            if wire == BYTES and number == 1:
                name = self.text(begin, end, 200)
            elif wire == BYTES and number == 10:
                domain = self.text(begin, end, 200)
        if name in _CODE_OPS or f"{domain or 'ai.onnx'} {name}" in operators("onnx"):
            shown = f"{ascii(domain)[1:-1]}:{ascii(name)[1:-1]}"[:160]
            text = f"a function takes the name of the operator {shown}: the graph is not what it shows"
            self.scope.issue(Code.CONTAINER_TAMPERED, "medium", text, low, shown)
        self.functions.begin((domain, name), low, high)

    def fields(self, low: int, high: int) -> Iterator[Field]:
        """All fields of a message. Raises TruncatedError."""
        for item in fields(self.view, low, high):
            if item is None:
                raise TruncatedError(low)
            yield item

    def attribute(self, low: int, high: int) -> Iterator[_Message]:
        """As any message, passing over long runs of numbers."""
        at = low
        seen: set[int] = set()
        buffer, start = self.view.buffer, self.view.start
        while at < high:
            run = _FLOATS.match(buffer, start + at, start + high) or _INTS.match(buffer, start + at, start + high)
            if run:
                at = run.end() - start
                continue
            for number, wire, begin, end, _ in self.fields(at, high):
                at = end
                self.known("Attribute", number, seen, begin)
                if number in _INSIDE["Attribute"] and wire == BYTES:
                    yield _INSIDE["Attribute"][number], begin, end
                if number in (7, 8) and wire != BYTES:
                    break

    def node(self, low: int, high: int) -> Iterator[_Message]:
        operator = domain = ""
        seen: set[int] = set()
        names: list[tuple[int, int, int]] = []
        for number, wire, begin, end, _ in self.fields(low, high):
            self.known("Node", number, seen, begin)
            if number in (1, 2):
                names.append((number, begin, end))
            elif number == 4:
                operator = self.text(begin, end, 200)
            elif number == 7:
                domain = self.text(begin, end, 200)
            elif number == 5 and wire == BYTES:
                yield "Attribute", begin, end
        self.functions.use((domain, operator), low)
        self.sizes.node(domain, operator, names, low, high)
        if len(self.operators) < _OPERATORS:
            self.operators.add((domain, operator))
        elif (domain, operator) not in self.operators:
            self.scope.unknown(f"it uses more than {_OPERATORS} different operators")

    def tensor(self, low: int, high: int) -> None:
        tensor = _Tensor()
        seen: set[int] = set()
        for number, wire, begin, end, value in self.fields(low, high):
            self.known("Tensor", number, seen, begin)
            tensor.values |= number in _VALUES
            if len(tensor.dims) > _DIMENSIONS:
                raise TruncatedError(low)
            if number == 1 and wire == VARINT:
                tensor.dims.append(signed(value))
            elif number == 1 and wire == BYTES:
                tensor.dims += self.packed(begin, end)
            elif number == 2 and wire == VARINT:
                tensor.kind = value
            elif number == 8:
                tensor.name = self.text(begin, end, 200)
            elif number == 6 and wire == BYTES:
                self.texts.string(begin, end)
            elif number == 9 and wire == BYTES:
                tensor.raw, tensor.at = end - begin, begin
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
                raise TruncatedError(high)
            values.append(signed(value))
        return values

    def size(self, dims: list[int], what: str, at: int) -> int | None:
        """The number of elements; None (and reported) when there is no such number."""
        total = 1
        for size in dims:
            total *= size
            if size < 0 or total >> 62:
                text = f"dimensions {what} are negative or their product overflows"
                self.scope.issue(Code.BROKEN_STREAM, "high", text, at)
                return None
        return total

    def check(self, tensor: _Tensor, at: int) -> None:
        shown = ascii(tensor.name)[:100]
        total = self.size(tensor.dims, f"of the tensor {shown}", at)
        if total is None:
            return
        bits = _BITS.get(tensor.kind)
        need = (total * bits + 7) // 8 if bits else None
        if bits is None and tensor.kind not in (0, _TEXT):
            self.scope.unknown(f"the tensor {shown} has the type {tensor.kind}, which this version does not know")
        if tensor.external or tensor.outside:
            self.external(tensor, shown, at, need)
        elif tensor.raw is not None:
            if need is not None and need != tensor.raw:
                text = f"the tensor {shown} holds {tensor.raw} bytes; its dimensions and type need {need}"
                self.scope.issue(Code.BROKEN_STREAM, "medium", text, at)
            if tensor.raw >= _BLOB and self.blobs < self.scope.limits.nested:
                self.blobs += 1
                self.scope.child(f"tensor {shown}", self.view.sub(tensor.at, tensor.raw), Role.BLOB)
        elif total and tensor.kind and not tensor.values:
            text = f"the tensor {shown} has {total} elements and no data"
            self.scope.issue(Code.BROKEN_STREAM, "medium", text, at)

    def external(self, tensor: _Tensor, shown: str, at: int, need: int | None) -> None:
        location = tensor.external.get("location", "")
        place = ascii(location)[:120]
        if not location:
            self.scope.missing(f"the tensor {shown} lies in another file that is not named", at)
        elif _ADDRESS in location:
            text = f"the tensor {shown} is read from the memory of the process, at an address that the model names"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", text, at)
        elif escapes(location):
            text = f"the tensor {shown} is read from {place}, outside of the model's folder"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", text, at)
        else:
            values = [tensor.external.get(key, "") for key in ("offset", "length")]
            if any(value and not (value.isascii() and value.isdigit() and len(value) < 20) for value in values):
                text = f"the tensor {shown} lies at no valid place of {place}"
                self.scope.issue(Code.BROKEN_STREAM, "high", text, at)
                return
            offset, length = int(values[0] or 0), int(values[1]) if values[1] else need
            if need is not None and length is not None and length < need:
                text = f"the tensor {shown} needs {need} bytes; {length} are given to it in {place}"
                self.scope.issue(Code.BROKEN_STREAM, "medium", text, at)
            self.placed.append((location, offset, offset + (length or 0)))
            if self.beside(location, offset + (length or 0), shown, at):
                low, high = offset, offset + length if length is not None else 1 << 62  # without a length, to the end
                self.data.setdefault(os.path.normpath(location), []).append((low, high))

    def beside(self, location: str, end: int, shown: str, at: int) -> bool:
        """The file must lie in the model's folder, not be a link out of it, and reach as far as the tensor does."""
        place = ascii(location)[:120]
        folder = self.scope.folder
        if folder is None:
            self.scope.unknown(f"the tensor {shown} lies in another file, {place}, which was not at hand")
            return False
        target = folder / location
        if not os.path.isfile(target):  # also of a name that no file can have
            self.scope.missing(f"the tensor {shown} lies in {place}, which is not beside the model", at)
        elif _leads_out(folder, target):
            text = f"the tensor {shown} is read from {place}, a link that leads out of the model's folder"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", text, at)
        elif pointers.is_pointer_file(target):
            self.scope.missing(f"the tensor {shown} lies in {place}: {pointers.REASON}", at)
        elif end > target.stat().st_size:
            self.scope.missing(f"the tensor {shown} needs more bytes than {place} has", at)
        else:
            return True
        return False

    def judge(self) -> None:
        """Operators that no standard defines, and the files that hold tensors."""
        from shipworthy.modelfile import onnxdata

        self.functions.judge()
        self.sizes.judge()
        for location, places in self.data.items():
            onnxdata.look(self.scope, location, places)
        for domain in sorted({domain or "ai.onnx" for domain, _ in self.operators} - self.versions.keys()):
            if self.versions and (domain in _STANDARD or domain in _RUNTIME):
                self.scope.unknown(f"it names no version of the operator set {domain}: it may be cut short")
        for domain, operator in sorted(self.operators):
            shown = f"{ascii(domain)[1:-1]}:{ascii(operator)[1:-1]}"[:160]
            if operator in _CODE_OPS:
                text = f"the operator {shown} runs code that is not in the model"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", text, None, shown)
                continue
            if (domain, operator) in self.functions.bodies:
                continue
            severity, text = self.wrong(domain, operator, shown)
            if text and not any(fnmatchcase(f"{domain}:{operator}", pattern) for pattern in self.scope.trust):
                self.scope.issue(Code.CUSTOM_OPERATOR, severity, text, None, shown)

    def wrong(self, domain: str, operator: str, shown: str) -> tuple[str, str]:
        """Severity and text when neither the standard nor ONNX Runtime has the operator."""
        key = f"{domain or 'ai.onnx'} {operator}"
        if key in operators("onnxruntime") and key not in operators("onnx"):
            return "", ""
        if domain in _RUNTIME:
            return "medium", f"the operator {shown} is none of ONNX Runtime's: a library of its own must be loaded"
        if domain not in _STANDARD:
            return "high", f"the operator {shown} is of no standard domain: a library of its own must be loaded"
        history = operators("onnx").get(key)
        if history is None:
            return "high", f"the standard has no operator {shown}: a library of its own must be loaded for it"
        imported = self.versions.get(domain or "ai.onnx", set())
        if imported and not any(_defined(history, version) for version in imported):
            listed = ", ".join(str(version) for version in sorted(imported))[:60]
            return "medium", f"the operator {shown} is not in version {listed} of the operator set"
        return "", ""


def _defined(history: tuple[int, ...], version: int) -> bool:
    before = [at for at in history if abs(at) <= version]
    return bool(before) and max(before, key=abs) > 0


def _leads_out(folder: Path, target: Path) -> bool:
    """Whether a link leads elsewhere; the cache of the Hugging Face hub links every file to its own blobs."""
    real, home = target.resolve(), folder.resolve()
    blobs = home.parent.parent / "blobs"
    return not (real.is_relative_to(home) or (home.parent.name == "snapshots" and real.is_relative_to(blobs)))


def placed(scope: Scope) -> list[tuple[str, int, int]]:
    """Where the tensors of a model lie that lie in other files: (file, first byte, byte behind the last)."""
    walk = _Walk(scope)
    with suppress(TruncatedError):
        walk.run()
    return walk.placed


def read(scope: Scope) -> int:
    """Walk the model; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    walk = _Walk(scope)
    try:
        walk.run()
    except TruncatedError as error:
        text = "the model is cut short or no valid protobuf message"
        scope.issue(Code.BROKEN_STREAM, "medium", text, error.args[0])
        scope.unknown("what is behind the place where it breaks was not read")
    else:
        if not walk.graphs:
            scope.unknown("it holds no graph: it may be another protobuf message than ONNX")
        elif not walk.opsets:
            scope.issue(
                Code.BROKEN_STREAM, "medium", "it names no operator set, which every model must: it may be cut short"
            )
    walk.judge()
    return size
