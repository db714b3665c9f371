"""What a dataset is: its columns, types, labels and size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

from shipworthy.checks.datasets._columns import label_column, may_be_label
from shipworthy.checks.datasets._report import anonymous
from shipworthy.checks.datasets._tables import Row, Table, as_text, is_number
from shipworthy.model import Column, DatasetFacts

_DISTINCT = 10_000
_DISTINCT_IN_ALL = 2_000_000
_COLUMNS = 200
_KNOWN = 300
_LABELS = 100
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


@dataclass
class _Counts:
    label: bool = False
    cells: int = 0
    missing: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: set[bytes] = field(default_factory=set)
    more: bool = False
    rows_of_type: dict[str, list[int]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # short texts that came before, of which only their type counts


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
            if isinstance(value, str) and (again := counts.known.get(value)):
                counts.types[again] += 1
                continue
            kind = kind_of(value)
            if kind == "empty":
                counts.missing += 1
                continue
            counts.types[kind] += 1
            rows = counts.rows_of_type.setdefault(kind, [])
            if len(rows) < 5:
                rows.append(row.number)
            elif isinstance(value, str) and len(value) < 8 and not counts.label and len(counts.known) < _KNOWN:
                counts.known[value] = kind
            text = as_text(value)
            if counts.label:
                labels = self.labels.setdefault(name, Counter())
                if len(labels) <= _LABELS or text[:200] in labels:
                    labels[text[:200]] += 1
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
                name=anonymous(name),
                type=_overall(counts.types),
                missing=counts.missing + max(0, table.rows - counts.cells),
                distinct=len(counts.values),
                distinct_is_least=counts.more,
            )
            for name in table.columns[:_COLUMNS]
            for counts in (self.columns.get(name, _Counts()),)
        )
        label = label_column(table.columns)
        counted, labels = self.labels.get(label, Counter()), Counter[str]()
        for value, count in counted.items():
            labels[anonymous(value)] += count
        return DatasetFacts(
            artifact=table.artifact,
            format=table.format,
            encoding=table.encoding,
            rows=table.rows,
            width=len(table.columns),
            columns=columns,
            label_column=anonymous(label),
            label_counts=tuple(labels.most_common()) if len(counted) <= _LABELS else (),
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
