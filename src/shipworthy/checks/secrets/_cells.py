"""Which row and column of a table of text a secret stands in; and columns that are named password or secret."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipworthy.checks.secrets._patterns import kind_of
from shipworthy.checks.secrets._placeholder import is_placeholder, looks_like_password, looks_random
from shipworthy.checks.secrets._rules import PASSWORD
from shipworthy.model import Rule

_DEPTH = 20
_IS_NAME = re.compile(r"[^\W\d][\w .()/-]{0,59}")


@dataclass(frozen=True)
class Row:
    """One record: its number (data rows count from 1), its first and last line, and its values by column."""

    number: int
    first: int
    last: int
    values: tuple[tuple[str, str], ...] = field(repr=False)


def rows(data: bytes, suffix: str) -> Iterator[Row]:
    """The records of CSV (the first is the header, row 0), TSV or JSON lines; nameless if unparsable."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    if suffix in {".jsonl", ".ndjson"}:
        return _json_rows(text)
    return _table_rows(text, "\t" if suffix == ".tsv" else "")


def _table_rows(text: str, delimiter: str) -> Iterator[Row]:
    delimiter = delimiter or _delimiter(text)
    # The reader must see the line ends as they are: the tool counts every "\n".
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header: list[str] | None = None
    number, first = 0, 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error:  # a field of more than 128 KB, a stray quote: the line without its columns
            record = []
        if record is None:
            return
        last = max(first, reader.line_num)
        if header is None:
            header = [_name(name, f"column {i}") for i, name in enumerate(record[:10_000], start=1)]
            yield Row(0, first, last, tuple(("", value) for value in record))
        else:
            number += 1
            names = (header[i] if i < len(header) else f"column {i + 1}" for i in range(len(record)))
            yield Row(number, first, last, tuple(zip(names, record, strict=False)))
        first = last + 1


def _name(raw: str, otherwise: str) -> str:
    """A column's name if it can be one: a table without a header has data there, which must not get into a report."""
    name = raw.strip()
    return name if _IS_NAME.fullmatch(name) and not looks_random(name) else otherwise


def _delimiter(text: str) -> str:
    head = text[:20_000].partition("\n")[0]
    return max(",;\t|", key=head.count) if head else ","


def _json_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = tuple(_leaves(json.loads(line), "", _DEPTH))
        except (ValueError, RecursionError):
            values = (("", line),)
        yield Row(number, number, number, values)


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif depth == 0:
        yield path, json.dumps(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, _below(path, f".{_name(key, '*')}"), depth - 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, _below(path, "[]"), depth - 1)


def _below(path: str, step: str) -> str:
    """A longer path; beyond 200 characters it does not grow, and no name in it is cut."""
    return f"{path}{step}".lstrip(".") if len(path) < 200 else path


def named(data: bytes, suffix: str) -> Iterator[tuple[Rule, str, int, str]]:
    """Rule, column, row and value for every value that looks like a secret in a column that is named like one.

    Tables only; without such a name in the header nothing more is read.
    """
    kinds: dict[str, Rule] = {}
    for row in rows(data, suffix):
        if row.number == 0:
            names = [_name(name, "") for _, name in row.values]
            kinds = {name: kind for name in names if (kind := kind_of(name))}
            if not kinds:
                return
            continue
        for column, value in row.values:
            kind = kinds.get(column)
            if kind is None or is_placeholder(value) or any(map(str.isspace, value)):
                continue
            if looks_like_password(value) if kind is PASSWORD else looks_random(value):
                yield kind, column, row.number, value
