"""Lines and tables for people, written without `rich` where there is no terminal: importing it takes as long as a scan
of a small file. The layout is rich's own; text with characters that are not one column wide is left to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

if TYPE_CHECKING:
    from rich.console import Console

_WORD = regex(r"\s*\S+\s*")
_GAP = 2  # blanks between columns
# One column wide in every terminal: Latin, box drawing, and the marks and signs that reports use.
_SINGLE = frozenset(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0xAD), *range(0xAE, 0x300), *range(0x2500, 0x25FD))))
_NARROW = _SINGLE | frozenset("…–—‘’“”✔✘○·")


@dataclass(frozen=True)
class Cell:
    """Text with its style; `whole` ones are not wrapped."""

    text: str
    style: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Row:
    """Text in several styles on one line, or wrapped ones `indent` columns from the left. `wrap`: at the edge."""

    parts: tuple[Cell, ...]
    wrap: bool = True
    indent: int = 0


@dataclass
class Table:
    """A title (none if empty), names of columns and rows. `right` are the columns that are set flush right, `whole`
    those that are not wrapped."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    right: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()

    def add(self, *cells: Cell | str) -> None:
        """One more row."""
        self.rows.append(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells))


@dataclass
class Sheet:
    """What is to be shown on something `width` columns wide that knows the characters of `encoding`."""

    width: int
    encoding: str
    parts: list[Row | Table] = field(default_factory=list)

    def line(self, text: str = "", style: str = "", *, wrap: bool = True) -> None:
        """A line; without a text, a blank one."""
        self.parts.append(Row((Cell(text, style),), wrap))

    def plain(self) -> str | None:
        """The sheet without styles; None if only `rich` knows how wide its text is."""
        out: list[str] = []
        for part in self.parts:
            lines = _table(part, self.width) if isinstance(part, Table) else _row(part, self.width)
            if lines is None:
                return None
            out += lines
        return "".join(f"{line}\n" for line in out)


def show(sheet: Sheet, console: Console) -> None:
    """Print the sheet on a console."""
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    def text(cell: Cell) -> Text:
        return Text(cell.text, style=cell.style, overflow="fold", no_wrap=cell.whole or None)

    for part in sheet.parts:
        if isinstance(part, Row):
            if part.indent:
                console.print(Padding(text(part.parts[0]), (0, 0, 0, part.indent), expand=False))
            else:
                line = Text.assemble(*((cell.text, cell.style) for cell in part.parts))
                console.print(line, soft_wrap=not part.wrap, highlight=False)
            continue
        title = Text(part.title, style="bold") if part.title else None
        grid = Grid(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for number, name in enumerate(part.columns):
            grid.add_column(
                Text(name),
                header_style="dim",
                overflow="fold",
                justify="right" if number in part.right else "left",
                no_wrap=number in part.whole,
            )
        for cells in part.rows:
            grid.add_row(*map(text, cells))
        console.print(grid)


def width_of(stream: TextIO) -> int | None:
    """How wide a stream that is no terminal is for `rich`; None for one that may be a terminal, or be taken for one."""
    told = ("FORCE_COLOR", "TTY_COMPATIBLE", "JUPYTER_COLUMNS", "JUPYTER_LINES", "DATABRICKS_RUNTIME_VERSION")
    if any(name in os.environ for name in told) or "IPython" in sys.modules or stream.isatty():
        return None
    if os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():
        return int(columns) or 80
    for number in range(3):
        try:
            return os.get_terminal_size(number).columns or 80
        except OSError:
            continue
    return 80


def _row(row: Row, width: int) -> list[str] | None:
    text = "".join(cell.text for cell in row.parts)
    if not _NARROW.issuperset(text) or width <= row.indent:
        return None
    if not row.wrap:
        return [text]
    if _odd(text, width - row.indent):
        return None
    if row.indent:
        inner = min(len(text), width - row.indent)
        return [" " * row.indent + line.ljust(inner) for line in _wrapped(text, inner)] if inner else None
    return _wrapped(text, width)


def _odd(text: str, width: int) -> bool:
    """It does not fit, and has a word that does not fit, or more blanks than words need: how it is broken is rich's own
    affair.
    """
    words = text.split()
    return len(text) > width and (" ".join(words) != text or max(map(len, words)) > width)


def _table(table: Table, width: int) -> list[str] | None:
    heads = tuple(map(Cell, table.columns))
    if not all(_NARROW.issuperset(cell.text) for row in (heads, *table.rows) for cell in row):
        return None
    pads = [_GAP] * (len(heads) - 1) + [0]
    longest = [max(len(row[n].text) for row in (heads, *table.rows)) for n in range(len(heads))]
    widths = [long + pad or 1 for long, pad in zip(longest, pads, strict=True)]
    if sum(widths) > width:
        widths = _collapsed(widths, [n not in table.whole for n in range(len(heads))], width)
        if sum(widths) > width or any(given <= pad for given, pad in zip(widths, pads, strict=True)):
            return None
        widths = [min(long + pad, given) for long, pad, given in zip(longest, pads, widths, strict=True)]
    total = sum(widths)
    if not _NARROW.issuperset(table.title) or _odd(table.title, total):
        return None
    if any(_odd(cell.text, widths[n] - pads[n]) for row in (heads, *table.rows) for n, cell in enumerate(row)):
        return None
    lines = [line.ljust(total) for line in _wrapped(table.title, total)] if table.title else []
    for number, row in enumerate((heads, *table.rows)):
        cells = [_cell(table, n, cell, widths[n], pads[n]) for n, cell in enumerate(row)]
        height = max(map(len, cells))
        for n, cell in enumerate(cells):
            blank = [" " * widths[n]] * (height - len(cell))
            cells[n] = cell + blank if number else blank + cell  # names of columns stand at the bottom
        lines += ["".join(parts) for parts in zip(*cells, strict=True)]
    return lines


def _cell(table: Table, number: int, cell: Cell, width: int, pad: int) -> list[str]:
    inner = width - pad
    whole, right = cell.whole or number in table.whole, number in table.right
    text = cell.text.rstrip() if right else cell.text
    lines = [text[:inner]] if whole else _wrapped(cell.text, inner)
    if right:
        lines = [(line if whole else line.rstrip()).rjust(inner) for line in lines]
    return [line.ljust(inner) + " " * pad for line in lines]


def _collapsed(widths: list[int], wrap: list[bool], limit: int) -> list[int]:
    """Widths for which there is room: the widest columns give way until they are as wide as the next."""
    while any(wrap) and (excess := sum(widths) - limit) > 0:
        free = [width if may else 0 for width, may in zip(widths, wrap, strict=True)]
        widest = max(free)
        step = widest - max((width for width in free if width != widest), default=0)
        if not step:
            break
        left, sharing = excess, free.count(widest)
        for number, width in enumerate(free):
            if width == widest and wrap[number]:
                less = min(excess, step, round(left / sharing))
                widths[number] -= less
                left, sharing = left - less, sharing - 1
    return widths


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns; blanks at the end of a line stay as far as there is room."""
    breaks = [0, *_breaks(text, width), len(text)]
    return [_fitting(text[start:end], width) for start, end in pairwise(breaks)]


def _fitting(line: str, width: int) -> str:
    blanks = len(line) - len(line.rstrip())
    return line[: len(line) - min(blanks, max(0, len(line) - width))][:width]


def _breaks(text: str, width: int) -> Iterator[int]:
    used = 0
    for match in _WORD.finditer(text):
        start, word = match.start(), match[0]
        length = len(word.rstrip())
        if width - used >= length:
            used += len(word)
        elif length > width:
            yield from (at for at in range(start, start + len(word), width) if at)
            used = (len(word) - 1) % width + 1
        elif used and start:
            yield start
            used = len(word)
