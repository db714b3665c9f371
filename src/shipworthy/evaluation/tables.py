"""Strict reading of tables whose rows must all count."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import ShipworthyError

BYTES, ROWS, LINE = 2 << 30, 10_000_000, 1 << 20
_CELL, _COLUMNS = 64, 1_100


class Unusable(ShipworthyError):
    """A file that was to be evaluated is not what it must be."""


@dataclass(frozen=True)
class Table:
    """Columns by name; every cell is text without surrounding blanks."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """All cells of a column. Raises Unusable when there is none of that name."""
        if name not in self.columns:
            raise Unusable(f'there is no column "{name}"', remedy=f"columns: {', '.join(self.columns)[:300]}")
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def read_table(path: Path, *, what: str = "", only: Sequence[str] = (), most: int | None = None) -> Table:
    """A CSV or TSV file with a header, or (with pyarrow) a Parquet file. `only` names the columns that are needed;
    `most` rows are read, from a file that is not larger than so many can be (for what hostile code wrote).

    Raises Unusable, with the line, when anything in it could be misread: another number of fields, a column twice, no
    UTF-8, no rows.
    """
    what = what or path.name
    if path.suffix.lower() in (".parquet", ".pq"):
        return _parquet(path, what, only)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}", where=what) from None
    with open(handle, "rb") as raw:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or state.st_size > BYTES:
            raise Unusable(f"must be a regular file of at most {BYTES >> 30} GiB", where=what)
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="")
        reader = csv.reader(
            _lines(text, what), delimiter="\t" if path.suffix.lower() in (".tsv", ".tab") else ",", strict=True
        )
        try:
            return _rows(reader, what, most, state.st_size)
        except UnicodeDecodeError:
            raise Unusable("is no UTF-8 text", where=what, remedy="save it as UTF-8") from None
        except csv.Error as error:
            raise Unusable(f"line {reader.line_num}: {error}", where=what) from None


def _lines(text: io.TextIOWrapper, what: str) -> Iterator[str]:
    while line := text.readline(LINE + 1):
        if len(line) > LINE:
            raise Unusable(f"has a line of more than {LINE >> 20} MiB", where=what)
        yield line


def _rows(reader: object, what: str, most: int | None, size: int) -> Table:
    lines = iter(reader)  # type: ignore[call-overload]
    columns = tuple(cell.strip() for cell in next(lines, ()))
    if not columns:
        raise Unusable("is empty", where=what)
    if len(set(columns)) != len(columns):
        raise Unusable("names a column twice", where=what)
    if most is not None and (len(columns) > _COLUMNS or size > LINE + most * len(columns) * _CELL):
        raise Unusable("is larger than so many rows can be", where=what)
    rows: list[tuple[str, ...]] = []
    for line in lines:
        if not line:
            continue
        if len(line) != len(columns):
            raise Unusable(f"line {reader.line_num} has {len(line)} fields, not {len(columns)}", where=what)  # type: ignore[attr-defined]
        if len(rows) >= (ROWS if most is None else most):
            raise Unusable(f"has more than {len(rows)} rows", where=what)
        rows.append(tuple(cell.strip() for cell in line))
    if not rows:
        raise Unusable("has no rows", where=what)
    return Table(columns, tuple(rows))


def _parquet(path: Path, what: str, only: Sequence[str]) -> Table:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise Unusable("is Parquet, and pyarrow is not installed", where=what, remedy="pip install pyarrow") from None
    try:
        found = parquet.read_table(path, columns=list(only) or None)
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot be read as Parquet: {type(error).__name__}", where=what) from None
    columns = [["" if cell is None else str(cell).strip() for cell in column.to_pylist()] for column in found.columns]
    return Table(tuple(found.column_names), tuple(zip(*columns, strict=True)))


def canonical(label: str) -> str:
    """A class's name however it was written: 1, 1.0 and 01 are the same, and so are True and true."""
    text = label.strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    if number != number or number in (float("inf"), float("-inf")) or "_" in text:
        return text
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)
