"""An entry as the text of its file: keys in their order, lists on several lines when they are long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from shipworthy.hub import schema
from shipworthy.hub.words import plain
from shipworthy.patterns import regex

_WIDTH = 120  # characters of a line up to which a list stays on one
_DAY = regex(r"\d{4}-\d\d-\d\d")
_APART = regex(r"[^a-z0-9]+")


def as_toml(entry: Mapping[str, Any]) -> str:
    """The text of a file whose keys are those of `schema.ENTRY` (and `basis`, a mapping). Raises ValueError for a key
    that a file does not have, or for a value that TOML cannot hold."""
    unknown = entry.keys() - schema.ENTRY.keys() - {"basis"}
    if unknown:
        raise ValueError(f"an entry has no key {sorted(unknown)[0]!r}")
    lines = [_line(key, entry[key]) for key in schema.ENTRY if key in entry]
    basis = entry.get("basis", {})
    if basis:
        lines += ["", "[basis]", *(_line(key, basis[key]) for key in schema.BASIS_KEYS if key in basis)]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    text = f"{key} = {_value(value)}"
    if isinstance(value, (list, tuple)) and len(text) > _WIDTH:
        return f"{key} = [\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
    return text


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _date(value) or quoted(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(quoted(str(one)) for one in value)}]"
    raise ValueError(f"an entry cannot hold {type(value).__name__}")


def _date(text: str) -> str:
    """A whole day is written as TOML's own date, as in every other file."""
    if not _DAY.fullmatch(text):
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def quoted(text: str) -> str:
    """A TOML basic string. Its escapes are those of JSON; DEL needs one besides. Raises ValueError for what is no
    Unicode text (a lone surrogate)."""
    text.encode("utf-8")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def slug(title: str) -> str:
    """An id for a title: its words in lower case, at most eight of them."""
    words = [word for word in _APART.split(plain(title.partition(":")[0])) if word]
    return "-".join(words[:8])[:80].strip("-")
