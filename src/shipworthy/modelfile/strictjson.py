"""JSON as its writer must have meant it: what readers would take differently is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class DuplicateKeyError(ValueError):
    """Two equal keys in one object: readers differ in which one they take."""


class DeepError(ValueError):
    """Nested deeper than a reader that calls itself has stack for."""


def strict(raw: bytes, *, constants: bool = False) -> Any:
    """A JSON value. Raises ValueError for bad UTF-8, equal keys, nesting beyond the interpreter, and NaN unless
    `constants` are allowed.
    """
    try:
        return json.loads(
            raw.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=float if constants else _constant
        )
    except RecursionError:
        raise DeepError("nested too deep") from None


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """All that is no object and no list, at any depth, each with the key that it or its list stands under."""
    pending = [("", value)]
    while pending:
        key, item = pending.pop()
        if isinstance(item, dict):
            pending += item.items()
        elif isinstance(item, list):
            pending += ((key, inner) for inner in item)
        else:
            yield key, item


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError("two equal keys in one object")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
