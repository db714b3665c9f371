"""What a dataset is: its columns, types, labels and size. Used by the bill of materials, the report, a check."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from shipworthy.checks.datasets._columns import label_column, may_be_label
from shipworthy.checks.datasets._report import show
from shipworthy.checks.datasets._tables import BYTES, ROWS, Row, Table, as_text, is_number
from shipworthy.model import Artifact, Kind

_DISTINCT = 10_000
_DISTINCT_IN_ALL = 2_000_000
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


@dataclass(frozen=True)
class Column:
    """A column. `type` is text, number, boolean, bytes, empty, or mixed; `types` counts the cells of each; `distinct`
    counts different values up to 10,000 (`distinct_is_least`: there are more).
    """

    name: str
    type: str
    cells: int
    missing: int
    distinct: int
    distinct_is_least: bool
    types: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DatasetFacts:
    """What a file holds, as far as it was read: `unread` says what was not. `label_counts` holds at most 100 labels,
    the most frequent first.
    """

    format: str
    encoding: str
    rows: int
    columns: tuple[Column, ...]
    label_column: str
    label_counts: tuple[tuple[str, int], ...]
    unread: tuple[str, ...]


def describe(source: Path | Artifact, *, rows: int = ROWS, megabytes: int = BYTES // 2**20) -> DatasetFacts:
    """The facts of a dataset file (CSV, TSV, JSON lines, JSON, Parquet; `.gz` of the text formats).

    Never raises for what is in the file: see `unread`. Raises UsageError when an artifact's bytes are not here.
    """
    if isinstance(source, Path):
        size = source.stat().st_size if source.is_file() else 0
        source = Artifact(source.name, Kind.DATASET, "", size, path=source)
    table = Table(source, rows=rows, megabytes=megabytes)
    census = Census()
    for row in table:
        census.add(row)
    return census.facts(table)


@dataclass
class _Counts:
    label: bool = False
    cells: int = 0
    missing: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: set[bytes] = field(default_factory=set)
    more: bool = False
    rows_of_type: dict[str, list[int]] = field(default_factory=dict)


class Census:
    """Counts columns row by row; then gives the facts."""

    def __init__(self) -> None:
        self.columns: dict[str, _Counts] = {}
        self.labels: dict[str, Counter[str]] = {}
        self.distinct = 0

    def add(self, row: Row) -> None:
        """Count a row."""
        for name, value in zip(row.names, row.values, strict=False):
            counts = self.columns.get(name)
            if counts is None:
                counts = self.columns[name] = _Counts(label=may_be_label(name))
            counts.cells += 1
            kind = kind_of(value)
            if kind == "empty":
                counts.missing += 1
                continue
            counts.types[kind] += 1
            rows = counts.rows_of_type.setdefault(kind, [])
            if len(rows) < 5:
                rows.append(row.number)
            text = as_text(value)
            if counts.label and len(text) <= 200:
                labels = self.labels.setdefault(name, Counter())
                if len(labels) <= 1000 or text in labels:
                    labels[text] += 1
            digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            if digest in counts.values:
                continue
            if len(counts.values) < _DISTINCT and self.distinct < _DISTINCT_IN_ALL:
                counts.values.add(digest)
                self.distinct += 1
            else:
                counts.more = True

    def facts(self, table: Table) -> DatasetFacts:
        """The facts, after the last row."""
        columns = tuple(
            Column(
                name=show(name, 200),
                type=_overall(counts.types),
                cells=counts.cells,
                missing=counts.missing + max(0, table.rows - counts.cells),
                distinct=len(counts.values),
                distinct_is_least=counts.more,
                types=tuple(counts.types.most_common()),
            )
            for name in table.columns
            for counts in (self.columns.get(name, _Counts()),)
        )
        label = label_column(table.columns)
        common = self.labels.get(label, Counter()).most_common(100)
        return DatasetFacts(
            format=table.format,
            encoding=table.encoding,
            rows=table.rows,
            columns=columns,
            label_column=show(label, 200),
            label_counts=tuple((show(value, 200), count) for value, count in common),
            unread=tuple(dict.fromkeys(table.unread)),
        )


def kind_of(value: object) -> str:
    """The type of a cell: text, number, boolean, bytes, or empty (also what programs write for nothing)."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (bytes, bytearray)):
        return "bytes"
    if isinstance(value, str):
        if len(value) < 8 and value.strip().lower() in _MISSING:
            return "empty"
        return "number" if is_number(value) else "text"
    return "text"


def _overall(types: Counter[str]) -> str:
    if not types:
        return "empty"
    kind, often = types.most_common(1)[0]
    return kind if often == types.total() else "mixed"
