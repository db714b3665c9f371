"""Which protobuf message bytes are: there is no magic, so the first fields and what lies in them must tell."""

from __future__ import annotations

from shipworthy.modelfile.protobuf import BYTES, FIXED32, MAX_VARINT, VARINT, Field, fields
from shipworthy.modelfile.view import View

_FIELDS = 24
_COREML = {200, 201, 202, 555, 556, 560, 900, 3000, *range(300, 305), *range(400, 405), *range(500, 503),
           *range(600, 611), *range(2000, 2007)}  # fmt: skip
_ONNX = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26))


def top(view: View, low: int, high: int, limit: int = _FIELDS) -> tuple[list[Field], bool]:
    """The first fields of a message whose headers are in the view, and whether all of it is valid so far. Contents may
    reach beyond the view, up to `high`.
    """
    found: list[Field] = []
    at = low
    for field in fields(view, low, high):
        if field is None:  # the header that the view ends in is cut, not wrong
            return found, len(found) > 0 and at + 2 * MAX_VARINT > len(view) and len(view) < high
        found.append(field)
        at = field[3]
        if at >= len(view) or len(found) == limit:
            break
    return found, True


def kind(view: View, size: int) -> str | None:
    """The format of a protobuf message of `size` bytes whose beginning the view holds, or None."""
    seen, valid = top(view, 0, size)
    if not seen or (not valid and len(seen) < 2):
        return None
    wires = {number: wire for number, wire, *_ in reversed(seen)}
    numbers = set(wires)
    first = {number: (start, end) for number, wire, start, end, _ in reversed(seen) if wire == BYTES}
    versions = [value for number, wire, _, _, value in seen if number == 1 and wire == VARINT]
    named = _versioned(view, versions, wires, numbers, first) if versions else _plain(view, wires, numbers, first)
    if named:
        return named
    return "protobuf" if versions and len(seen) > 1 and valid and versions[0] < 64 else None


def _versioned(
    view: View, versions: list[int], wires: dict[int, int], numbers: set[int], first: dict[int, tuple[int, int]]
) -> str | None:
    if versions[0] > 63:
        return "tf-fingerprint" if wires.get(6) == BYTES and numbers <= set(range(1, 8)) else None
    if numbers & _COREML and 2 in first:
        return "coreml"
    if numbers == {1, 2} and wires[2] == BYTES and _meta_graph(view, *first[2]):
        return "savedmodel"
    fits = all(wires[number] == (VARINT if number == 5 else BYTES) for number in numbers & {2, 3, 4, 5, 6})
    if wires.get(7) == BYTES or (wires.get(8) == BYTES and fits) or wires.get(25) == BYTES:
        return "onnx" if numbers & _ONNX else None
    if numbers == {1, 2} and wires[2] == BYTES:
        inside, _ = top(view, *first[2])
        return "coreml" if inside and {n for n, *_ in inside} <= {1, 10, 11, 12, 20, 50, 100} else "onnx"
    return "onnx" if numbers <= _ONNX and numbers & {2, 5, 6} and fits else None


def _meta_graph(view: View, low: int, high: int) -> bool:
    inside, valid = top(view, low, high, 8)
    wires = {number: wire for number, wire, *_ in inside}
    if not inside or not valid or not set(wires) <= set(range(1, 8)) or set(wires.values()) != {BYTES}:
        return False
    spans = {number: (start, end) for number, _, start, end, _ in inside}
    if 2 in spans and spans[2][0] < len(view):
        graph, _ = top(view, *spans[2], 4)
        if graph and {n for n, *_ in graph} <= {1, 2, 3, 4, 5}:
            return True
    if 1 in spans:
        meta, _ = top(view, *spans[1], 8)
        return bool(meta) and {n for n, *_ in meta} <= set(range(1, 8)) and bool({n for n, *_ in meta} & {2, 4, 5})
    return False


def _plain(view: View, wires: dict[int, int], numbers: set[int], first: dict[int, tuple[int, int]]) -> str | None:
    if numbers & {7, 8} and wires.get(7) == BYTES and numbers <= _ONNX:
        return "onnx"
    if 2 in first and _meta_graph(view, *first[2]) and numbers == {2}:
        return "savedmodel"
    if 1 not in first:
        return "graphdef" if 2 in first and numbers <= {2, 3, 4} and _functions(view, *first[2]) else None
    low, high = first[1]
    inside, _ = top(view, low, high, 8)
    found = {number: wire for number, wire, *_ in inside}
    if found.get(1) == BYTES and found.get(2) == FIXED32 and set(found) <= {1, 2, 3} and numbers <= {1, 2, 3, 4, 5}:
        return "sentencepiece"
    if found.get(1) == BYTES and found.get(2) == BYTES and set(found) <= {1, 2, 3, 4, 5, 6, 7}:
        begin, end = next((s, e) for n, w, s, e, _ in inside if n == 2)
        operator = view.read(begin, min(end - begin, 100))
        plain = 0 < len(operator) <= 100 and all(0x20 < byte < 0x7F for byte in operator)
        if plain and numbers <= {1, 2, 3, 4, 5}:
            return "graphdef"
    if numbers == {1} and set(found) <= {2, 3, 4, 5, 6} and found.get(4) == BYTES:
        return "keras-metadata"
    if numbers <= set(range(1, 8)) and 2 in first and set(found) <= set(range(1, 8)) and found.get(5) == BYTES:
        return "metagraph"
    return None


def _functions(view: View, low: int, high: int) -> bool:
    inside, _ = top(view, low, high, 3)
    return bool(inside) and {n for n, *_ in inside} <= {1, 2, 3}
