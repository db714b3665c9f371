"""Counting the same thing over many cells, and showing cells without harm."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_FIRST = 5


def show(text: str, limit: int = 60) -> str:
    """Text for a message: one line, what cannot be printed escaped, cut to `limit` characters."""
    cut = text[: limit + 1]
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut[:limit])
    return seen + ("…" if len(cut) > limit else "")


def redact(text: str, keep: int = 2) -> str:
    """The first characters and the length: enough to find a value, not enough to use it."""
    return f"{show(text[:keep])}… ({len(text)} characters)"


def plural(count: int, one: str, many: str = "") -> str:
    """'1 row', '2,000 rows'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(rows: Iterable[int], count: int) -> str:
    """'row 3' or 'rows 3, 7, 9 and 40 more'."""
    first = list(rows)[:_FIRST]
    more = f" and {count - len(first):,} more" if count > len(first) else ""
    return f"{'row' if count == 1 else 'rows'} {', '.join(str(r) for r in first)}{more}"


def masked(text: str) -> str:
    """Text for evidence: addresses, long numbers and what could be a key are taken out."""
    text = re.sub(r"[^\s@]{1,64}@[^\s@]{1,255}", "[address]", text[:2000])
    text = re.sub(r"\d(?:[ .-]?\d){5,}", "[number]", text)
    return re.sub(r"(?<![\w+=-])([\w+=-]{3})[\w+=-]{17,}", r"\1…", text, flags=re.ASCII)


def anonymous(text: str) -> str:
    """The name of a column or label: addresses, long numbers and what could be a key are taken out."""
    text = re.sub(r"[^\s@]{1,64}@[^\s@]{1,255}", "[address]", text[:200])
    text = re.sub(r"(?<![A-Za-z0-9+/=])(?=[A-Za-z+/=]*\d)[A-Za-z0-9+/=]{20,}", "[key]", text)
    return show(re.sub(r"\d(?:[ .-]?\d){7,}", "[number]", text), 100)


@dataclass
class Seen:
    """What was seen of one kind in one column: how many rows and values, the first rows, one example."""

    count: int = 0
    values: int = 0
    rows: list[int] = field(default_factory=list)
    example: str = ""
    last: int = 0

    def add(self, row: int, example: str, values: int = 1) -> None:
        """Count a row with `values` of it."""
        self.values += values
        if row != self.last:  # a list column can have several cells in a row
            self.count += 1
            self.last = row
            if len(self.rows) < _FIRST:
                self.rows.append(row)
        self.example = self.example or example

    def where(self) -> str:
        """The rows in words."""
        return listed(self.rows, self.count)


class Tally(dict[tuple[str, str], Seen]):
    """`Seen` by (column, kind)."""

    def add(self, column: str, kind: str, row: int, example: str, values: int = 1) -> None:
        """Count a cell of a column in which something of a kind was seen."""
        if (column, kind) not in self:
            self[column, kind] = Seen()
        self[column, kind].add(row, example, values)
