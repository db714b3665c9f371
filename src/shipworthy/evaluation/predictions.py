"""Predictions that a command wrote, read so strictly that nothing can be left out or counted twice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.evaluation.tables import Unusable, canonical, read_table

_SCORE = "score_"
WHAT = "predictions"


@dataclass(frozen=True)
class Predictions:
    """In the order in which they were asked for. `scores` maps a class to its scores ("" when there is one column,
    `score`: that of the positive class)."""

    values: tuple[str, ...]
    scores: Mapping[str, tuple[float, ...]]


def read_predictions(path: Path, ids: Sequence[str], *, id_column: str) -> Predictions:
    """A CSV file with `id_column`, `prediction`, and `score` or `score_<class>` for each class.

    Raises Unusable unless every id is there exactly once and no other, every prediction is given, every score finite.
    """
    table = read_table(path, what=WHAT)
    for name in (id_column, "prediction"):
        if name not in table.columns:
            raise Unusable(
                f'there is no column "{name}"',
                where=WHAT,
                remedy=f"write the columns {id_column}, prediction and score",
            )
    given = table.column(id_column)
    rows: dict[str, int] = {}
    wanted = set(ids)
    for row, one in enumerate(given):
        if one in rows:
            raise Unusable(f"{_shown(one)} is predicted twice", where=WHAT, remedy="write each row once")
        if one not in wanted:
            raise Unusable(f"{_shown(one)} was not asked for", where=WHAT, remedy=f"copy {id_column} from the input")
        rows[one] = row
    if missing := next((one for one in ids if one not in rows), None):
        raise Unusable(
            f"{len(wanted) - len(rows)} of {len(wanted)} rows are not predicted, {_shown(missing)} is one",
            where=WHAT,
            remedy="predict every row",
        )
    order = [rows[one] for one in ids]
    values = table.column("prediction")
    if empty := next((one for one in ids if not values[rows[one]]), None):
        raise Unusable(f"{_shown(empty)} has no prediction", where=WHAT, remedy="predict every row")
    scores: dict[str, tuple[float, ...]] = {}
    for name in table.columns:
        if name == "score" or name.startswith(_SCORE):
            cells = table.column(name)
            key = canonical(name.removeprefix(_SCORE)) if name != "score" else ""
            if key in scores:
                raise Unusable(f'two columns hold scores of "{key}"', where=WHAT)
            scores[key] = tuple(number(cells[row], given[row], name) for row in order)
    return Predictions(tuple(values[row] for row in order), scores)


def number(text: str, row: str, column: str) -> float:
    """A finite number. Raises Unusable that names the row."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Unusable(f'{column} of {_shown(row)} is "{text[:20]}", no finite number', where=WHAT)
    return value


def _shown(one: str) -> str:
    return "row " + "".join(char if char.isprintable() else "?" for char in one[:40])
