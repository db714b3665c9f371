"""Every key of the settings as rows, for `docs/settings.md` and `shipworthy init`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from typing import Any, get_args, get_origin, get_type_hints

from shipworthy.config.settings import Settings

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", date: "date"}


def reference() -> list[tuple[str, str, str, str]]:
    """Every key as (dotted name, type, default, documentation), for `docs/settings.md`."""
    rows: list[tuple[str, str, str, str]] = []

    def walk(kind: Any, prefix: str) -> None:
        hints = get_type_hints(kind)
        for item in fields(kind):
            if item.metadata.get("internal"):
                continue
            name, hint = prefix + item.name.rstrip("_").replace("_", "-"), hints[item.name]
            inner = next((a for a in (hint, *get_args(hint)) if is_dataclass(a)), None)
            if inner is None:
                rows.append((name, _type_word(hint), _shown_default(_default(item)), item.metadata["doc"]))
            elif get_origin(hint) is tuple:
                walk(inner, name + "[].")
            else:
                walk(inner, name + (".<name>." if get_origin(hint) is Mapping else "."))

    walk(Settings, "")
    return rows


def _type_word(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "list of text"
    return "table" if get_origin(hint) is Mapping else _WORDS.get(hint, str(hint))


def _shown_default(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{v}"' for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return "none"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _default(item: Field[Any]) -> object:
    return item.default_factory() if item.default_factory is not MISSING else item.default
