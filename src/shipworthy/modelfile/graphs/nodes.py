"""Nodes of a TensorFlow graph: operator, inputs and the attributes that matter."""

from __future__ import annotations

from shipworthy.modelfile.graphs import sizes
from shipworthy.modelfile.graphs.walk import inner, parts, text
from shipworthy.modelfile.protobuf import BYTES, VARINT, signed, varint
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass, field

_INPUTS = 4096
_VALUES = 64
_SMALL = 1024
_RAW = {1: "f", 2: "d", 3: "i", 4: "B", 5: "h", 6: "b", 9: "q", 10: "?"}
_LISTS = {5: "f", 6: "d", 7: "v", 10: "v", 11: "v"}
STRING = 7


@dataclass
class Node:
    """`texts` are an attribute's strings, `calls` the functions that attributes name, `constant` the strings of a
    string constant (None: no such constant, or not readable here), `numbers` those of a small constant of numbers,
    `condition` the function that says whether a loop goes on, `body` what it repeats.
    """

    name: str = ""
    operator: str = ""
    at: int = 0
    inputs: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    constant: list[str] | None = None
    numbers: sizes.Values | None = None
    dims: sizes.Values | None = None
    condition: str = ""
    body: str = ""
    said: dict[str, sizes.Values] = field(default_factory=dict)  # whole numbers and shapes of attributes
    dtype: int = 0


def node(view: View, low: int, high: int) -> Node:
    """Read a NodeDef. Raises TruncatedError."""
    found = Node(at=low)
    attributes = []
    for number, wire, begin, end, _ in parts(view, low, high):
        if wire != BYTES:
            continue
        if number == 1:
            found.name = text(view, begin, end, 500)
        elif number == 2:
            found.operator = text(view, begin, end, 200)
        elif number == 3 and len(found.inputs) < _INPUTS:
            found.inputs.append(text(view, begin, end, 500))
        elif number == 5:
            attributes.append((begin, end))
    for begin, end in attributes:
        _attribute(view, begin, end, found)
    return found


def _attribute(view: View, low: int, high: int, found: Node) -> None:
    key, span = "", None
    for number, wire, begin, end, _ in parts(view, low, high):
        if number == 1 and wire == BYTES:
            key = text(view, begin, end, 100)
        elif number == 2 and wire == BYTES:
            span = begin, end
    if span is None:
        return
    for number, wire, begin, end, value in parts(view, *span):
        if number == 6 and wire == VARINT and key == "dtype":
            found.dtype = value
        if number in (3, 5) and wire == VARINT:
            found.said[key] = (signed(value),)
        if wire != BYTES:
            continue
        if number == 7:
            found.said[key] = _dims(view, begin, end)
        elif number == 2:
            found.texts[key] = [text(view, begin, end)]
        elif number == 1:
            _list(view, begin, end, key, found)
        elif number == 10:
            names = [text(view, *place, 200) for place in [inner(view, begin, end, 1)] if place]
            found.calls += names
            if key == "cond" and names:
                found.condition = names[0]
            elif key == "body" and names:
                found.body = names[0]
        elif number == 8 and key == "value" and found.operator in ("Const", "HostConst"):
            found.constant = strings(view, begin, end)
            found.numbers = _numbers(view, begin, end) if end - begin <= _SMALL else None
            if (shape := inner(view, begin, end, 2)) is not None:
                found.dims = _dims(view, *shape)


def _dims(view: View, low: int, high: int) -> sizes.Values:
    """Of a TensorShapeProto."""
    sized = [part for part in parts(view, low, high) if part[:2] == (2, BYTES)][:_VALUES]
    return tuple(signed(size[4]) for dim in sized for size in parts(view, dim[2], dim[3]) if size[0] == 1)


def _list(view: View, low: int, high: int, key: str, found: Node) -> None:
    for number, wire, begin, end, _ in parts(view, low, high):
        if wire != BYTES:
            continue
        if number == 2 and len(found.texts.get(key, ())) < _VALUES:
            found.texts.setdefault(key, []).append(text(view, begin, end))
        elif number == 9 and len(found.calls) < _INPUTS:
            found.calls += [text(view, *place, 200) for place in [inner(view, begin, end, 1)] if place]


def _numbers(view: View, low: int, high: int) -> sizes.Values | None:
    """The values of a small tensor of numbers; the last one stands for all that are missing."""
    kind = 0
    dims: list[int] = []
    content: sizes.Values | None = None
    values: list[float] = []
    for part in parts(view, low, high):
        number, wire, begin, end, value = part
        if number == 1 and wire == VARINT:
            kind = value
        elif number == 2 and wire == BYTES:
            sized = [inner_part for inner_part in parts(view, begin, end) if inner_part[:2] == (2, BYTES)]
            dims = [signed(field_[4]) for dim in sized for field_ in parts(view, dim[2], dim[3]) if field_[0] == 1]
        elif number == 4 and wire == BYTES and kind in _RAW:
            content = sizes.unpacked(view.read(begin, end - begin), _RAW[kind])
        elif number in _LISTS:
            values += sizes.listed(view, part, _LISTS[number])
    total = sizes.product(dims)
    if kind not in _RAW or total > sizes.VALUES:
        return None
    if content:
        return content[:total]
    values = values or [0]
    return tuple((values + values[-1:] * (total - len(values)))[:total])


def strings(view: View, low: int, high: int) -> list[str] | None:
    """The values of a string tensor; None when it is of another type."""
    kind = 0
    values: list[str] = []
    content = None
    for number, wire, begin, end, value in parts(view, low, high):
        if number == 1 and wire == VARINT:
            kind = value
        elif number == 8 and wire == BYTES and len(values) < _VALUES:
            values.append(text(view, begin, end))
        elif number == 4 and wire == BYTES:
            content = begin, end
    if kind != STRING:
        return None
    if content and not values:  # lengths, then the bytes
        sizes: list[int] = []
        at = content[0]
        size, following = varint(view, at, content[1])
        while following > 0 and len(sizes) < _VALUES and following + sum(sizes) + size <= content[1]:
            sizes.append(size)
            at = following
            if at + sum(sizes) == content[1]:
                break
            size, following = varint(view, at, content[1])
        for size in sizes:
            values.append(text(view, at, at + size))
            at += size
    return values
