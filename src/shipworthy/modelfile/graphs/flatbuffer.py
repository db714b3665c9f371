"""A flatbuffer walked along its schema with the bounds of a verifier, noting which bytes belong to what.

Layout: https://flatbuffers.dev/internals. Nothing is recursive; a table that several parents share is read once.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

Tables = dict[str, dict[int, tuple[str, str, str]]]
_UNIONS = {
    "BuiltinOptions": "=BuiltinOptions",
    "BuiltinOptions2": "=BuiltinOptions2",
    "Details": "=QuantizationDetails",
    "ArraySegments": "=SparseIndexVector",
    "ArrayIndices": "=SparseIndexVector",
}
_TABLES = 4_000_000


class BadFlatbufferError(Exception):
    """What is wrong, and where."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


@dataclass(frozen=True)
class Table:
    """A table: numbers by name, vectors and texts as (offset, count) of their content, tables as offsets."""

    kind: str
    at: int
    numbers: dict[str, int]
    spans: dict[str, tuple[int, int]]
    links: dict[str, list[int]]


class Flat:
    """Walks one buffer; `used` are the byte ranges that were explained."""

    def __init__(self, view: View, tables: Tables) -> None:
        self.view = view
        self.tables = tables
        self.first = 8  # behind the identifier of the format; there are formats without one
        self.used: dict[int, int] = {0: 8}
        self.unknown: set[str] = set()
        self.read = 0

    def claim(self, low: int, high: int) -> None:
        """Note a range. Raises BadFlatbufferError when it leaves the buffer."""
        if low < 0 or high > len(self.view):
            raise BadFlatbufferError("a part reaches beyond the end of the file", low)
        self.used[low] = max(high, self.used.get(low, 0))

    def run(self, root: str) -> Iterator[Table]:
        """Every table that can be reached. Raises BadFlatbufferError."""
        pending = [(root, self.view.u32(0))]
        seen: set[tuple[str, int]] = set()
        while pending:
            item = pending.pop()
            if item in seen:
                continue
            seen.add(item)
            if len(seen) > _TABLES:
                raise BadFlatbufferError("it has more tables than any model", item[1])
            table = self.table(*item)
            yield table
            slots = {name: inside for kind, name, inside in self.tables.get(item[0], {}).values() if inside}
            for name, places in table.links.items():
                kind = slots.get(name) or self.union(item[0], name, table)
                if kind:
                    pending += [(kind, at) for at in places]

    def union(self, owner: str, name: str, table: Table) -> str:
        """The table inside a union, by the number beside it."""
        number = table.numbers.get(f"{name}Type", 0)
        found = self.tables.get(_UNIONS.get(name, ""), {}).get(number)
        if found is None or found[1] not in self.tables:
            self.unknown.add(f"the kind {number} of {name} in a {owner}")
            return ""
        return found[1]

    def table(self, kind: str, at: int) -> Table:
        """One table, checked against its vtable."""
        view = self.view
        if at < self.first or at + 4 > len(view):
            raise BadFlatbufferError(f"a {kind} lies outside of the file", at)
        vtable = at - int.from_bytes(view.read(at, 4), "little", signed=True)
        if vtable < 4 or vtable + 4 > len(view):
            raise BadFlatbufferError(f"the layout of a {kind} lies outside of the file", at)
        size, inline = view.u16(vtable), view.u16(vtable + 2)
        if size < 4 or size % 2 or inline < 4:
            raise BadFlatbufferError(f"the layout of a {kind} is not valid", vtable)
        self.claim(vtable, vtable + size)
        self.claim(at, at + inline)
        table = Table(kind, at, {}, {}, {})
        slots = self.tables.get(kind, {})
        for slot in range(4, size, 2):
            offset = view.u16(vtable + slot)
            if not offset:
                continue
            known = slots.get(slot)
            if known is None:
                self.unknown.add(f"field {slot // 2 - 2} of a {kind}")
            elif offset < 4 or offset + (int(known[0]) if known[0].isdigit() else 4) > inline:
                raise BadFlatbufferError(f"the field {known[1]} of a {kind} lies outside of it", at)
            else:
                self.field(table, known[0], known[1], at + offset)
        return table

    def field(self, table: Table, kind: str, name: str, at: int) -> None:
        """A number, or what an offset leads to."""
        view = self.view
        if kind.isdigit():
            raw = view.read(at, int(kind))
            table.numbers[name] = int.from_bytes(raw, "little", signed=name in _SIGNED)
            return
        target = at + view.u32(at)
        if kind in "tU":
            table.links[name] = [target]
            return
        count = view.u32(target)
        width = 4 if kind in "TS" else 1 if kind in ("s", "V") else int(kind[1:] or 1)
        self.claim(target, target + 4 + count * width + (kind == "s"))
        self.read += count if width > 1 else 1
        if self.read > len(view) + (1 << 16):  # an honest file holds each number once, in four bytes or more
            raise BadFlatbufferError("the same numbers belong to many parts", at)
        if kind == "T":
            table.links[name] = [target + 4 + 4 * n + view.u32(target + 4 + 4 * n) for n in range(count)]
            table.spans[name] = (target + 4, count)
        elif kind == "S":
            for n in range(count):
                place = target + 4 + 4 * n
                place += view.u32(place)
                self.claim(place, place + 4 + view.u32(place) + 1)
        else:
            table.spans[name] = (target + 4, count)

    def gaps(self, end: int) -> Iterator[tuple[int, int]]:
        """Ranges below `end` that belong to nothing."""
        at = 0
        for low in sorted(self.used):
            if low >= end:
                break
            if low > at:
                yield at, low
            at = max(at, self.used[low])
        if at < end:
            yield at, end


_SIGNED = frozenset(("DecompositionSubgraphIndex", "ThenSubgraphIndex", "ElseSubgraphIndex", "CondSubgraphIndex",
                     "BodySubgraphIndex", "InitSubgraphIndex", "BuiltinCode"))  # fmt: skip
