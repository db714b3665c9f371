"""TensorFlow Lite: the flatbuffer walked to the last byte, its operators, its indexes, and what is appended to it.

Schema: tensorflow/compiler/mlir/lite/schema/schema.fbs, as a table made from TensorFlow's own generated reader.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from shipworthy.modelfile import zips
from shipworthy.modelfile.graphs.dangers import ATTRIBUTES, DANGERS, OPAQUE, SINKS, fixed
from shipworthy.modelfile.graphs.flatbuffer import BadFlatbufferError, Flat, Table
from shipworthy.modelfile.graphs.flexbuffer import flex_node
from shipworthy.modelfile.graphs.nodes import Node, node
from shipworthy.modelfile.graphs.tables import flat, operators
from shipworthy.modelfile.graphs.tflitesizes import TfliteSizes
from shipworthy.modelfile.graphs.walk import TruncatedError
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.modelfile.zipdirectory import end_of_archive

CUSTOM = 32
# Custom operators that the standard resolver registers itself (tensorflow/lite/core/kernels/register.cc).
_REGISTERED = frozenset(("Mfcc", "NumericVerify", "AudioSpectrogram", "TFLite_Detection_PostProcess"))
_NEVER = {51: "DELEGATE", 127: "PLACEHOLDER_FOR_GREATER_OP_CODES"}
# bits of an element by TensorType; those without a fixed size are left out
_BITS = {0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64, 11: 128, 12: 64, 15: 32, 16: 16,
         17: 4, 18: 16}  # fmt: skip
_SUBGRAPHS = ("DecompositionSubgraphIndex", "ThenSubgraphIndex", "ElseSubgraphIndex", "CondSubgraphIndex",
              "BodySubgraphIndex", "InitSubgraphIndex")  # fmt: skip
_PADDING = 64


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.flat = Flat(scope.view, flat())
        self.codes: dict[int, Table] = {}
        self.buffers: dict[int, Table] = {}
        self.graphs: dict[int, Table] = {}
        self.tensors: dict[int, Table] = {}
        self.operators: dict[int, Table] = {}
        self.loops: dict[int, Table] = {}
        self.sizes = TfliteSizes(scope)
        self.jumps: list[tuple[str, int]] = []
        self.model: Table | None = None
        self.outside: list[tuple[int, int]] = []

    def run(self) -> None:
        kept = {"OperatorCode": self.codes, "Buffer": self.buffers, "SubGraph": self.graphs, "Tensor": self.tensors,
                "Operator": self.operators, "WhileOptions": self.loops,
                "StablehloWhileOptions": self.loops}  # fmt: skip
        for table in self.flat.run("Model"):
            if table.kind == "Model":
                self.model = table
            elif table.kind in kept:
                kept[table.kind][table.at] = table
            elif table.kind == "ExternalBufferGroup":
                self.external(table)
            elif table.kind == "StablehloCustomCallOptions":
                name = self.text(table, "CallTargetName")
                self.custom(f"stablehlo.custom_call:{name}", table.at)
            self.jumps += [(name, table.numbers[name]) for name in _SUBGRAPHS if name in table.numbers]

    def text(self, table: Table, name: str) -> str:
        low, count = table.spans.get(name, (0, 0))
        return self.view.read(low, min(count, 1000)).decode("utf-8", "replace")

    def external(self, table: Table) -> None:
        name = self.text(table, "Name")
        shown = ascii(name)[:120]
        if escapes(name):
            message = f"weights are read from {shown}, outside of the model's folder"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", message, table.at)
        else:
            self.scope.unknown(f"weights lie in another file, {shown}, which was not read")

    def order(self, name: str, kept: dict[int, Table], within: Table | None = None) -> list[Table]:
        owner = within or self.model
        assert owner is not None  # noqa: S101 - set by the first table
        return [kept[at] for at in owner.links.get(name, []) if at in kept]

    def judge(self) -> None:
        codes = self.order("OperatorCodes", self.codes)
        graphs = self.order("Subgraphs", self.graphs)
        buffers = self.order("Buffers", self.buffers)
        if not graphs:
            self.scope.unknown("the model has no graph")
        numbers = [self.code(table) for table in codes]
        for graph in graphs:
            count = len(graph.links.get("Tensors", []))
            self.sizes.graph(graph, self.order("Tensors", self.tensors, graph), buffers)
            for at in graph.links.get("Operators", []):
                self.operator(self.operators[at], numbers, codes, count)
            for at in graph.links.get("Tensors", []):
                self.tensor(self.tensors[at], buffers)
            self.indexes(graph, ("Inputs", "Outputs"), count)
        for name, index in self.jumps:
            if not -1 <= index < len(graphs):
                message = f"{name} {index} leads to no graph: a runtime may read beyond its memory"
                self.scope.issue(Code.BROKEN_STREAM, "high", message)
        for table in buffers:
            self.buffer(table)
        self.sizes.judge()

    def code(self, table: Table) -> int:
        """Which operator: two fields, of which the greater one counts."""
        old, new = table.numbers.get("DeprecatedBuiltinCode", 0), table.numbers.get("BuiltinCode", 0)
        number = max(old, new)
        if number == CUSTOM:
            name = self.text(table, "CustomCode")
            if name.startswith("Flex"):
                self.flex(name[4:], table.at)
            elif name not in _REGISTERED:
                self.custom(name, table.at)
        elif number in _NEVER or number not in self.flat.tables["=BuiltinOperator"]:
            shown = _NEVER.get(number, str(number))
            message = f"the operator {shown} is none that a file may hold, or of a newer version than is known"
            self.scope.issue(Code.CUSTOM_OPERATOR, "high" if number in _NEVER else "medium", message, table.at)
        return number

    def custom(self, name: str, at: int) -> None:
        shown = f"tflite:{ascii(name)[1:-1]}"[:160]
        if not any(fnmatchcase(f"tflite:{name}", pattern) for pattern in self.scope.trust):
            message = f"the custom operator {shown[7:] or '(no name)'} needs native code that is not in the model"
            self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, at, shown)

    def flex(self, name: str, at: int) -> None:
        """An operator of full TensorFlow, run by the Flex delegate."""
        shown = f"tensorflow:{ascii(name)[1:-1]}"[:160]
        if name in OPAQUE:
            self.scope.unknown(f"the Flex operator {name} holds {OPAQUE[name]}, which this version does not read")
        if name in DANGERS or name in SINKS:
            severity, does = DANGERS.get(name, ("critical", "reads or writes files"))
            message = f"the Flex operator {shown[11:]} {does} when the model runs"
            self.scope.issue(Code.DANGEROUS_OPERATOR, severity, message, at, shown)
        elif name not in operators("tensorflow"):
            self.custom(f"Flex{name}", at)

    def operator(self, table: Table, numbers: list[int], codes: list[Table], count: int) -> None:
        index = table.numbers.get("OpcodeIndex", 0)
        if index >= len(codes):
            message = f"an operator names the code {index} of {len(codes)}: a runtime may read beyond its memory"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, table.at)
        elif numbers[index] == CUSTOM:
            self.options(table, self.text(codes[index], "CustomCode"))
        elif known := self.flat.tables["=BuiltinOperator"].get(numbers[index]):
            loop = next((self.loops[at] for at in table.links.get("BuiltinOptions", ()) if at in self.loops), None)
            loop = next((self.loops[at] for at in table.links.get("BuiltinOptions2", ()) if at in self.loops), loop)
            graphs = (
                (loop.numbers.get("CondSubgraphIndex", 0), loop.numbers.get("BodySubgraphIndex", 0)) if loop else None
            )
            self.sizes.operator(table, known[1], graphs)
        self.indexes(table, ("Inputs", "Outputs", "Intermediates"), count)
        low, size = (table.numbers.get(f"LargeCustomOptions{part}", 0) for part in ("Offset", "Size"))
        self.beyond(low, size, table.at)

    def options(self, table: Table, name: str) -> None:
        """Flex runs the node in its options, whatever its code's name says."""
        low, size = table.spans.get("CustomOptions", (0, 0))
        if not name.startswith("Flex") or not size:
            return
        found = flex_node(self.view, low, size)
        if found is None:
            self.scope.unknown(f"the options of {ascii(name)[:80]} could not be read")
            return
        try:
            run = node(self.view, *found)
        except TruncatedError:
            run = Node()
        inside = run.operator
        if inside in ATTRIBUTES and (bad := fixed(inside, run.texts)):
            _, _, severity, does = ATTRIBUTES[inside]
            shown = ascii(", ".join(bad))[1:-1][:160]
            message = f"the Flex operator {inside}({shown}) {does} when the model runs"
            self.scope.issue(Code.DANGEROUS_OPERATOR, severity, message, table.at, f"tensorflow:{inside}", f"({shown})")
        if inside != name[4:]:
            message = f"{ascii(name)[:80]} really runs {ascii(inside)[:80]}, which its options name"
            self.scope.issue(Code.CONTAINER_TAMPERED, "high", message, table.at)
            self.flex(inside, table.at)

    def indexes(self, table: Table, names: tuple[str, ...], count: int) -> None:
        for name in names:
            low, number = table.spans.get(name, (0, 0))
            raw = memoryview(self.view.read(low, 4 * number))
            if raw.nbytes == 4 * number and any(not -1 <= value < count for value in _ints(raw)):
                message = f"{name} of a {table.kind} name tensors that are not there: a runtime may leave its memory"
                self.scope.issue(Code.BROKEN_STREAM, "high", message, table.at)

    def tensor(self, table: Table, buffers: list[Table]) -> None:
        index = table.numbers.get("Buffer", 0)
        if index >= len(buffers) and index:
            message = f"a tensor names the buffer {index} of {len(buffers)}"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, table.at)
            return
        low, number = table.spans.get("Shape", (0, 0))
        sizes = _ints(memoryview(self.view.read(low, 4 * number)))
        size = 1
        for value in sizes:
            size *= value
        bits = _BITS.get(table.numbers.get("Type", 0))
        if any(value < 0 for value in sizes) or size >> 62:
            message = "the sizes of a tensor are negative or overflow"
            self.scope.issue(Code.BROKEN_STREAM, "high", message, table.at)
        elif index and buffers and bits and "Sparsity" not in table.links and number:
            held = buffers[index].spans.get("Data", (0, 0))[1] or buffers[index].numbers.get("Size", 0)
            if held and held != (size * bits + 7) // 8:
                message = f"a tensor of {(size * bits + 7) // 8} bytes has a buffer of {held}"
                self.scope.issue(Code.BROKEN_STREAM, "medium", message, table.at)

    def buffer(self, table: Table) -> None:
        low, size = table.spans.get("Data", (0, 0))
        if size:
            self.scope.child(f"buffer at {low}", self.view.sub(low, size), Role.BLOB)
        self.beyond(table.numbers.get("Offset", 0), table.numbers.get("Size", 0), table.at)

    def beyond(self, low: int, size: int, at: int) -> None:
        """Data behind the flatbuffer, which models above 2 GB use; the offsets 0 and 1 stand for none."""
        if low <= 1 or not size:
            return
        if low + size > len(self.view):
            self.scope.issue(Code.BROKEN_STREAM, "high", "a buffer reaches beyond the end of the file", at)
        else:
            self.outside.append((low, low + size))
            self.scope.child(f"buffer at {low}", self.view.sub(low, size), Role.BLOB)

    def rest(self) -> None:
        """Padding is zero; files that belong to the metadata may be appended as a zip archive; all else is foreign."""
        end = max(self.flat.used.values())
        for low, high in self.outside:
            self.flat.claim(low, high)
        archive = end_of_archive(self.view.sub(end, len(self.view) - end))
        for low, high in self.flat.gaps(len(self.view)):
            if low >= end and archive is not None:
                _appended(self.scope, low)
                break
            if high - low <= _PADDING and not any(self.view.read(low, high - low)):
                continue
            message = f"{high - low} bytes belong to no part of the model"
            severity = "medium" if any(self.view.read(low, min(high - low, 1 << 20))) else "low"
            self.scope.issue(Code.UNEXPLAINED_BYTES, severity, message, low)
            self.scope.child(f"bytes at {low}", self.view.sub(low, high - low), Role.TRAILER)


def _appended(scope: Scope, low: int) -> None:
    """The archive's offsets count from the start of the file, or from its own start."""
    whole = end_of_archive(scope.view)
    if whole is not None and not whole.shift:
        zips.read(scope.nested("appended archive", scope.view), front=low)
    else:
        scope.child("appended archive", scope.view.sub(low, len(scope.view) - low))


def _ints(raw: memoryview) -> list[int]:
    import struct

    return list(struct.unpack(f"<{raw.nbytes // 4}i", raw[: raw.nbytes // 4 * 4]))


def read(scope: Scope, format_: str) -> int:  # noqa: ARG001 - every reader of a table has the same parameters
    """Walk the model; returns how many bytes are explained."""
    view: View = scope.view
    if scope.role is Role.BLOB:
        return len(view)
    reader = _Reader(scope)
    try:
        reader.run()
        reader.judge()
        reader.rest()
    except BadFlatbufferError as error:
        scope.issue(Code.BROKEN_STREAM, "high", f"{error}: it was cut or forged", error.at)
    for reason in sorted(reader.flat.unknown)[:20]:
        scope.unknown(f"{reason} is not known to this version")
    return len(view)
