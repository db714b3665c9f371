"""What a dataset is, for the run's record and the bill of materials."""

from __future__ import annotations

from shipworthy.model.artifact import Artifact
from shipworthy.records import dataclass


@dataclass(frozen=True)
class Column:
    """A column. `type` is text, number, boolean, bytes, empty, or mixed; `missing` counts the rows without a value,
    `distinct` different values up to 10,000 (`distinct_is_least`: there are more).
    """

    name: str
    type: str
    missing: int
    distinct: int
    distinct_is_least: bool = False


@dataclass(frozen=True)
class DatasetFacts:
    """What a dataset holds, as far as it was read: `unread` says what was not.

    `columns` holds the first 200 of `width`. `label_column` is the one that is named like a label (empty: none);
    `label_counts` holds each label with its rows, the most frequent first, or nothing when there are more than 100.
    Addresses, long numbers and what could be a key are masked in names and labels.
    """

    artifact: Artifact
    format: str
    encoding: str
    rows: int
    width: int
    columns: tuple[Column, ...] = ()
    label_column: str = ""
    label_counts: tuple[tuple[str, int], ...] = ()
    unread: tuple[str, ...] = ()
