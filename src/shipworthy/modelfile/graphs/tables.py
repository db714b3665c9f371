"""The tables that scripts/make_graph_tables.py made from the real libraries, read when first needed."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from shipworthy.records import dataclass


@dataclass(frozen=True)
class Slot:
    """A field of a protobuf message: `wire` is its wire type, `kind` the message or enum inside."""

    name: str
    wire: int
    repeated: bool
    kind: str
    letter: str


Schema = dict[str, dict[int, Slot]]
_WIRES = {"v": 0, "e": 0, "q": 1, "d": 5, "b": 2, "s": 2, "m": 2}


def _rows(name: str) -> list[str]:
    text = files("shipworthy.modelfile.graphs").joinpath(f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def messages(name: str) -> Schema:
    """Message -> field number -> slot."""
    schema: Schema = {}
    for line in _rows(f"{name}_messages"):
        message, *cells = line.split("\t")
        if message.startswith("="):
            continue
        slots = schema.setdefault(message, {})
        for cell in cells:
            number, letter, field, *inside = cell.split(":")
            low = letter.lower()
            slots[int(number)] = Slot(field, _WIRES[low], letter != low, inside[0] if inside else "", low)
    return schema


@cache
def operators(name: str) -> dict[str, tuple[int, ...]]:
    """Operator (`domain name` where there are domains) -> versions, if the table has them."""
    found: dict[str, tuple[int, ...]] = {}
    for line in _rows(f"{name}_operators"):
        key, _, last = line.rpartition(" ")
        if key and last.lstrip("-").split(",")[0].isdigit():
            found[key] = tuple(int(number) for number in last.split(","))
        else:
            found[line] = ()
    return found


@cache
def flat() -> dict[str, dict[int, tuple[str, str, str]]]:
    """Flatbuffer table -> vtable offset -> kind, name and table inside; `=Enum` -> value -> name."""
    found: dict[str, dict[int, tuple[str, str, str]]] = {}
    for line in _rows("tflite_tables"):
        table, *cells = line.split("\t")
        slots = found.setdefault(table, {})
        for cell in cells:
            number, *parts = cell.split(":")
            if table.startswith("="):
                slots[int(number)] = ("", parts[0], "")
            else:
                slots[int(number)] = (parts[0], parts[1], parts[2] if len(parts) > 2 else "")
    return found
