"""Small writers of TensorFlow, TensorFlow Lite and Core ML files, field by field: nothing here is ever loaded."""

from __future__ import annotations

import struct

from modelfile_samples import field


def tf_node(name: str, operator: str, inputs: tuple[str, ...] = (), **attributes: bytes) -> bytes:
    out = field(1, name) + field(2, operator) + b"".join(field(3, item) for item in inputs)
    return out + b"".join(field(5, field(1, key) + field(2, value)) for key, value in attributes.items())


def tf_text(name: str, *values: str) -> bytes:
    tensor = field(1, 7) + field(2, b"") + b"".join(field(8, value) for value in values)
    return tf_node(name, "Const", dtype=field(6, 7), value=field(8, tensor))


def tf_call(name: str, function: str, *inputs: str, operator: str = "StatefulPartitionedCall") -> bytes:
    return tf_node(name, operator, inputs, f=field(10, field(1, function)))


def tf_function(name: str, args: tuple[str, ...], *nodes: bytes) -> bytes:
    signature = field(1, name) + b"".join(field(2, field(1, arg) + field(3, 7)) for arg in args)
    return field(1, signature) + b"".join(field(3, node) for node in nodes)


def graph_def(nodes: tuple[bytes, ...], functions: tuple[bytes, ...] = ()) -> bytes:
    library = field(2, b"".join(field(1, item) for item in functions)) if functions else b""
    return b"".join(field(1, node) for node in nodes) + library + field(4, field(1, 1395))


def saved_model(*nodes: bytes, functions: tuple[bytes, ...] = (), more: bytes = b"") -> bytes:
    meta = field(1, field(4, "serve") + field(5, "2.21.0")) + field(2, graph_def(nodes, functions)) + more
    return field(1, 1) + field(2, meta)


def asset(tensor: str, filename: str) -> bytes:
    return field(6, field(1, field(1, tensor)) + field(2, filename))


def signature(placeholder: str) -> bytes:
    entry = field(1, "x") + field(2, field(1, f"{placeholder}:0") + field(2, 7))
    return field(5, field(1, "serving_default") + field(2, field(1, entry)))


def gives(key: str, node: str) -> bytes:
    """A signature of one result."""
    entry = field(1, "y") + field(2, field(1, f"{node}:0") + field(2, 7))
    return field(5, field(1, key) + field(2, field(2, entry)))


class Flat:
    """Writes a flatbuffer front to back: tables first name what they lead to, which is put behind them."""

    def __init__(self) -> None:
        self.out = bytearray(b"\0\0\0\0TFL3")
        self.later: list[tuple[int, object]] = []

    def align(self) -> None:
        self.out += bytes(-len(self.out) % 8)

    def table(self, slots: dict[int, object]) -> int:
        """`slots`: field number -> int (4 bytes), bytes (a vector of bytes), str, list (of tables or of ints), dict."""
        self.align()
        top = max(slots, default=-1) + 1
        offsets = [0] * top
        body = bytearray(4)
        for number, value in slots.items():
            offsets[number] = len(body)
            body += struct.pack("<i", value) if isinstance(value, int) else b"\0\0\0\0"
        at = len(self.out)
        self.out += struct.pack(f"<HH{top}H", 4 + 2 * top, len(body), *offsets)
        self.align()
        start = len(self.out)
        body[:4] = struct.pack("<i", start - at)
        self.out += body
        for number, value in slots.items():
            if not isinstance(value, int):
                self.later.append((start + offsets[number], value))
        return start

    def content(self, value: object) -> int:
        if isinstance(value, dict):
            return self.table(value)
        self.align()
        start = len(self.out)
        if isinstance(value, str | bytes):
            raw = value.encode() if isinstance(value, str) else value
            self.out += struct.pack("<I", len(raw)) + raw + (b"\0" if isinstance(value, str) else b"")
        elif isinstance(value, list):
            self.out += struct.pack("<I", len(value))
            for item in value:
                if not isinstance(item, int):
                    self.later.append((len(self.out), item))
                self.out += struct.pack("<i", item if isinstance(item, int) else 0)
        return start

    def finish(self, root: dict[int, object]) -> bytes:
        self.later.append((0, root))
        while self.later:
            at, value = self.later.pop(0)
            place = self.content(value)
            self.out[at : at + 4] = struct.pack("<I", place - at)
        self.align()
        return bytes(self.out)


def tflite(
    code: str = "",
    builtin: int = 32,
    options: bytes = b"",
    index: int = 0,
    inputs: tuple[int, ...] = (0,),
    shape: tuple[int, ...] = (4,),
    data: bytes = bytes(16),
) -> bytes:
    operator: dict[int, object] = {0: index, 1: list(inputs), 2: [0]}
    if options:
        operator[5] = options
    tensor: dict[int, object] = {0: list(shape), 2: 1, 3: "w"}
    graph: dict[int, object] = {0: [tensor], 1: [0], 2: [0], 3: [operator]}
    operator_code: dict[int, object] = {3: builtin}
    if code:
        operator_code[1] = code
    return Flat().finish({0: 3, 1: [operator_code], 2: [graph], 3: "shipworthy-test", 4: [{}, {0: data}]})


def tflite_graphs(*graphs: tuple[list[tuple[list[int], int, bytes]], list[tuple[int, list[int], int, int]]]) -> bytes:
    """Each graph: tensors (shape, type, content) and operators (builtin, inputs, output, condition's graph or -1: the
    body's is the next one, if there is one); what the last operator makes is its output.
    """
    buffers: list[dict[int, object]] = [{}]
    codes: list[dict[int, object]] = []
    made: list[dict[int, object]] = []
    for given, steps in graphs:
        tensors: list[dict[int, object]] = []
        for shape, kind, content in given:
            buffers += [{0: content}] if content else []
            tensors.append({0: list(shape), 1: kind, 2: len(buffers) - 1 if content else 0, 3: "t"})
        operators: list[dict[int, object]] = []
        for builtin, inputs, output, condition in steps:
            options: dict[int, object] = (
                {3: 93, 4: {0: condition, 1: min(condition + 1, len(graphs) - 1)}} if condition >= 0 else {}
            )
            operators.append({0: len(codes), 1: list(inputs), 2: [output], **options})
            codes.append({3: builtin})
        made.append({0: tensors, 1: [0], 2: [steps[-1][2] if steps else len(tensors) - 1], 3: operators})
    return Flat().finish({0: 3, 1: codes, 2: made, 3: "shipworthy-test", 4: buffers})


def flex_options(name: str, node: bytes) -> bytes:
    """A FlexBuffer vector of a name and a node, with widths of four bytes."""
    out = bytearray()

    def text(raw: bytes) -> int:
        out.extend(struct.pack("<I", len(raw)))
        at = len(out)
        out.extend(raw + b"\0")
        out.extend(bytes(-len(out) % 4))
        return at

    places = [text(name.encode()), text(node)]
    out.extend(struct.pack("<I", 2))
    vector = len(out)
    for place in places:
        out.extend(struct.pack("<I", len(out) - place))
    out.extend(bytes([5 << 2 | 2, 5 << 2 | 2]))
    out.extend(bytes([len(out) - vector, 10 << 2 | 2, 1]))
    return bytes(out)


def mlmodel(content: bytes, number: int) -> bytes:
    description = field(1, field(1, "x")) + field(10, field(1, "y"))
    return field(1, 4) + field(2, description) + field(number, content)
