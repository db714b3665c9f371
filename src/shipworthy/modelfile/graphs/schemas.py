"""Flatbuffer schemas written down as text (`schemas/*.txt`), for `flatbuffer.Flat`.

A line is a table: its name, then its fields in the order of their ids, `name:type`. Types: a scalar's name, `text`,
`@Table`, `#bytes` (a struct inside), `[scalar]`, `[text]`, `[@Table]`, `[#bytes]`, and `|One|Two...` (a union: a type
number from 1 and an offset, which are two ids). `!root NAME` names the root, `-` a field that is no longer in use.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from shipworthy.modelfile.graphs.flatbuffer import Flat, Table, Tables
from shipworthy.modelfile.view import View

_WIDTHS = {"bool": 1, "byte": 1, "ubyte": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "float": 4, "long": 8,
           "ulong": 8, "double": 8}  # fmt: skip
Unions = dict[tuple[str, str], list[str]]


@cache
def schema(name: str) -> tuple[Tables, Unions]:
    """The tables and unions of a schema."""
    tables: Tables = {}
    unions: Unions = {}
    for line in files("shipworthy.modelfile.graphs").joinpath(f"{name}_schema.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        table, *fields = line.split(" ")
        slots = tables.setdefault(table, {})
        slot = 4
        for field in fields:
            label, _, kind = field.partition(":")
            if kind.startswith("|"):
                unions[table, label] = kind[1:].split("|")
                slots[slot] = ("1", f"{label}Type", "")
                slot += 2
                slots[slot] = ("U", label, "")
            elif label != "-":
                slots[slot] = (*_kind(label, kind),)
            slot += 2
    return tables, unions


def _kind(label: str, kind: str) -> tuple[str, str, str]:
    if kind == "text":
        return "s", label, ""
    if kind.startswith("@"):
        return "t", label, kind[1:]
    if kind.startswith("#"):
        return kind[1:], label, ""
    if kind == "[text]":
        return "S", label, ""
    if kind.startswith("[@"):
        return "T", label, kind[2:-1]
    if kind.startswith("["):
        inner = kind[1:-1]
        return f"v{inner[1:] if inner.startswith('#') else _WIDTHS[inner]}", label, ""
    return str(_WIDTHS[kind]), label, ""


class Walked(Flat):
    """A buffer walked along one of these schemas."""

    def __init__(self, view: View, name: str) -> None:
        tables, self.unions = schema(name)
        super().__init__(view, tables)

    def union(self, owner: str, name: str, table: Table) -> str:
        """The table inside a union, by the number beside it."""
        names = self.unions.get((owner, name), [])
        number = table.numbers.get(f"{name}Type", 0)
        if 1 <= number <= len(names):
            return names[number - 1]
        self.unknown.add(f"the kind {number} of {name} in a {owner}")
        return ""

    def text(self, table: Table, name: str, limit: int = 1000) -> str:
        """A text field, cut."""
        low, count = table.spans.get(name, (0, 0))
        return self.view.read(low, min(count, limit)).decode("utf-8", "replace")
