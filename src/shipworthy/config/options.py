"""One key of the settings, as a field of a dataclass."""

from __future__ import annotations

from datetime import date
from typing import Any

from shipworthy.records import field

NO_DATE = date(1970, 1, 1)


def option(default: Any, doc: str) -> Any:
    """A field with its default and its line of documentation."""
    if isinstance(default, (dict, list, set)) or callable(default):
        return field(default_factory=default if callable(default) else lambda: default, metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})
