"""Which column holds the text, and which one the label."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from shipworthy.checks.datasets._report import show
from shipworthy.checks.datasets._tables import Table, as_text, is_number

# In order of preference; compared in lower case, without signs and spaces.
_LABEL_NAMES = """
label labels target targets y class classlabel category categories sentiment outcome outputlabel gold goldlabel labelid
labeltext intent topic tag rating stars score isspam spam toxic toxicity isattack attack injection malicious diagnosis
species fraud isfraud churn default survived
"""
_SEED = 20_261_122
_CELLS, _CHARS = 4_000_000, 100_000_000


def plain(name: str) -> str:
    """A column name for comparing."""
    return "".join(char for char in name.lower() if char.isalnum())


def may_be_label(name: str) -> bool:
    """Whether a name is one that label columns have."""
    return plain(name) in _LABEL_NAMES.split()


def label_column(names: Sequence[str], wanted: str = "") -> str:
    """The label's column: the wanted one, else the first known name, else none (empty)."""
    if wanted:
        return wanted if wanted in names else ""
    by_plain = {plain(name): name for name in reversed(names)}
    return next((by_plain[name] for name in _LABEL_NAMES.split() if name in by_plain), "")


@dataclass
class Sample:
    """At most `size` rows, chosen evenly from all rows when there are more (reservoir sampling, algorithm R). Fewer of
    very wide or very long ones: 4 million cells and about 100 million characters at most.

    `rows[i]` is the row number of `cells[i]`, which maps column names to values (the items of a list joined).
    """

    size: int
    rows: list[int] = field(default_factory=list)
    cells: list[dict[str, object]] = field(default_factory=list)
    seen: int = 0
    chars: int = 0

    def fill(self, table: Table, max_chars: int = 20_000) -> Sample:
        """Read the table to its end."""
        chance = random.Random(_SEED)  # noqa: S311  (a sample, not a secret)
        for row in table:
            self.seen += 1
            if self.seen == 1:
                self.size = max(1, min(self.size, _CELLS // max(1, len(row.names))))
            if self.chars > _CHARS:
                self.size = max(1, len(self.rows))  # no more at once; later rows still take their turn
            slot = len(self.rows) if len(self.rows) < self.size else chance.randrange(self.seen)
            if slot >= self.size:
                continue
            cells: dict[str, object] = dict(zip(row.names, row.values, strict=False))
            short = len(cells) == len(row.values) and not any(row.longer(max_chars))
            if short:
                self.chars += sum(map(len, map(str, cells.values()))) if slot == len(self.rows) else 0
            else:
                cells = {}
            for name, value in () if short else zip(row.names, row.values, strict=False):
                if isinstance(value, (str, bytes)):
                    value = value[:max_chars]
                    self.chars += len(value) if slot == len(self.rows) else 0
                if name not in cells:
                    cells[name] = value
                elif len(as_text(cells[name])) < max_chars:
                    cells[name] = f"{as_text(cells[name])}\n{as_text(value)}"
            if slot == len(self.rows):
                self.rows.append(row.number)
                self.cells.append(cells)
            else:
                self.rows[slot], self.cells[slot] = row.number, cells
        order = sorted(range(len(self.rows)), key=self.rows.__getitem__)
        self.rows = [self.rows[i] for i in order]
        self.cells = [self.cells[i] for i in order]
        return self

    def column(self, name: str) -> list[str]:
        """A column's cells as text."""
        return [as_text(cells.get(name)) for cells in self.cells]


def text_columns(sample: Sample, names: Sequence[str], label: str, wanted: Sequence[str] = ()) -> list[str]:
    """The columns that hold free text: several words (or signs of a script without spaces) in most cells, and mostly
    different from row to row.
    """
    if wanted:
        return [name for name in wanted if name in names]
    found = []
    for name in names:
        if name == label:
            continue
        cells = [value for cells in sample.cells[:2000] if isinstance(value := cells.get(name), str) and value.strip()]
        if len(cells) < 0.2 * min(2000, len(sample.cells)) or not cells:
            continue
        if max(map(len, cells)) < 5:  # three words have as many characters: it is a column of short numbers or codes
            continue
        wordy = sum(len(cell.split()) >= 3 or (len(cell) >= 8 and not cell.isascii()) for cell in cells)
        if wordy >= 0.5 * len(cells) and len(set(cells)) >= min(20, 0.3 * len(cells)):
            found.append(name)
    return found


@dataclass(frozen=True)
class Labelled:
    """Rows with a label: `texts[i]` of row `rows[i]` has the class `classes[labels[i]]`; `columns` are where the text
    came from; `without` counts rows that have no label.
    """

    texts: list[str]
    labels: list[int]
    rows: list[int]
    classes: list[str]
    label: str
    columns: list[str]


LEAST_PER_CLASS = 10
MOST_CLASSES = 50
RARE = "(rare labels)"


def labelled(sample: Sample, table: Table, options: Mapping[str, Any]) -> Labelled | str:
    """The texts and labels of a sample, or why there is nothing to learn from (an empty reason: not that sort of data).

    Classes with fewer than `LEAST_PER_CLASS` rows are taken together as one.
    """
    wanted = str(options["label-column"])
    label = label_column(table.columns, wanted)
    if not label:
        return f"it has no column {wanted!r} (option label-column)" if wanted else ""
    columns = text_columns(sample, table.columns, label, options["text-columns"])
    if not columns:
        return ""
    values = [value.strip()[:200] for value in sample.column(label)]
    classes = _classes(values)
    if isinstance(classes, str):
        return classes and f"column {show(label)}: {classes}"
    kept = [i for i, value in enumerate(values) if value]
    parts = [sample.column(name) for name in columns]
    return Labelled(
        texts=["\n".join(part[i] for part in parts) for i in kept],
        labels=[classes.get(values[i], len(classes) - 1) for i in kept],
        rows=[sample.rows[i] for i in kept],
        classes=list(classes),
        label=label,
        columns=columns,
    )


def _classes(values: Sequence[str]) -> dict[str, int] | str:
    """Each class with its number, the most frequent first, or why the values are no classes. When the last one is
    `RARE`, it stands for every value that is not named.
    """
    counts = Counter(value for value in values if value)
    names = sorted(
        (value for value, count in counts.items() if count >= LEAST_PER_CLASS), key=lambda v: (-counts[v], v)
    )
    if len(counts) < 2:
        return "all labels are the same" if counts else ""
    if len(names) > MOST_CLASSES or _continuous(counts, len(values)) or not names:
        return f"{len(counts):,} different values: it is not read as a class"
    if len(names) < len(counts):
        names.append(RARE)
    return {name: i for i, name in enumerate(names)}


def _continuous(counts: Counter[str], total: int) -> bool:
    """Whether values look like measurements: many different numbers."""
    return len(counts) > max(20, 0.05 * total) and sum(map(is_number, counts)) > 0.9 * len(counts)


def measured(
    sample: Sample, table: Table, options: Mapping[str, Any], most: int = 5_000
) -> tuple[list[list[float]], list[int], list[int], list[str], str] | None:
    """Rows of numbers with a class: features, classes, row numbers, class names, the label's column; None when the
    table is not of that sort. At most `most` rows; rows with a missing number are left out.
    """
    label = label_column(table.columns, str(options["label-column"]))
    if not label or options["text-columns"]:
        return None
    wanted = (name for name in table.columns if name != label and not _identifier(sample, name))
    columns = list(islice((name for name in wanted if _numeric(sample, name)), 200))
    values = [value.strip()[:200] for value in sample.column(label)]
    classes = _classes(values)
    if len(columns) < 2 or isinstance(classes, str):
        return None
    features, labels, rows = [], [], []
    for cells, value, row in zip(sample.cells, values, sample.rows, strict=True):
        numbers = [_finite(cells.get(name)) for name in columns]
        if value and None not in numbers:
            features.append([n for n in numbers if n is not None])
            labels.append(classes.get(value, len(classes) - 1))
            rows.append(row)
    step = max(1, -(-len(rows) // most))
    return features[::step], labels[::step], rows[::step], list(classes), label


def _finite(value: object) -> float | None:
    if isinstance(value, str):
        value = float(value) if is_number(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < 1e15 else None


def _numeric(sample: Sample, name: str) -> bool:
    cells = [cells.get(name) for cells in sample.cells[:500]]
    return sum(_finite(value) is not None for value in cells) >= 0.95 * len(cells) > 0


def _identifier(sample: Sample, name: str) -> bool:
    """A running number or a key says nothing about a row."""
    cells = [as_text(cells.get(name)) for cells in sample.cells[:500]]
    return len(set(cells)) == len(cells) > 20 and all(cell.lstrip("-").isdigit() for cell in cells)
