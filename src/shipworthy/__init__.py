"""Shipworthy: is this model, and the software around it, worthy to ship?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipworthy.guard import load as load

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`shipworthy.load`, imported when it is asked for: `import shipworthy` stays cheap."""
    if name == "load":
        from shipworthy.guard import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
