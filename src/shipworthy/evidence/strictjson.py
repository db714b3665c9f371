"""JSON without ambiguity: one canonical way to write it, and a reader that refuses what two readers could see
differently (duplicate keys, NaN, lone surrogates) or what could exhaust this one (size, depth, number of values).
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from shipworthy.evidence.failures import RefusedError

SIZE_LIMIT = 16 * 1024 * 1024
DEPTH_LIMIT = 64
SEPARATOR_LIMIT = 2_000_000
"""Commas, colons and brackets in the text: bounds the memory that the parsed values take (some 0.3 GB)."""


def canonical(value: Any) -> bytes:
    """The one way we write JSON: keys sorted by code point, no spaces, UTF-8, no NaN. Raises ValueError or TypeError
    for what has no JSON form.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def load(raw: bytes, what: str, *, limit: int = SIZE_LIMIT) -> Any:
    """The value of the JSON text `raw` (UTF-8). Raises RefusedError; `what` names the text in the message."""
    if len(raw) > limit:
        raise RefusedError(f"{what} is larger than {limit} bytes")
    if sum(raw.count(mark) for mark in (b",", b":", b"[", b"{")) > SEPARATOR_LIMIT:
        raise RefusedError(f"{what} has too many values")
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except RecursionError:
        raise RefusedError(f"{what} is nested deeper than {DEPTH_LIMIT} levels") from None
    except ValueError as error:
        raise RefusedError(f"{what} is not valid JSON: {_short(error)}") from None
    _check_values(value, what)
    return value


def _short(error: ValueError) -> str:
    # a UnicodeDecodeError or JSONDecodeError quotes no more than a position; ours quote a key
    return str(error)[:160]


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:60]!r} occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value


def _check_values(value: Any, what: str) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise RefusedError(f"{what} is nested deeper than {DEPTH_LIMIT} levels")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                below.extend(item)
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not _encodable(item):
                raise RefusedError(f"{what} holds text that is not valid Unicode")
        level = below


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
