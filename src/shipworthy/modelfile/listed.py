"""Names that texts beside models may use, by list; made by scripts/make_texts_table.py from the libraries' sources."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def listed(name: str) -> frozenset[str]:
    """The names of a list. Raises KeyError for one that the table does not have."""
    text = files("shipworthy.modelfile").joinpath("texts_names.txt").read_text("utf-8")
    rows = dict(line.split("\t", 1) for line in text.splitlines() if not line.startswith("#"))
    return frozenset(rows[name].split(" "))
