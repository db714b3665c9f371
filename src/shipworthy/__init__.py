"""Shipworthy: is this model, and the software around it, worthy to ship?"""

import sys

# `python -m shipworthy` puts the current folder first on the path, and that may be what is scanned: nothing more is
# imported from there, unless Shipworthy itself is. Not even `__future__` may come before this. For what Python
# imports until it is here (functools, say), only `python -P` helps.
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and __file__ != f"{sys.path[0]}/shipworthy/__init__.py":
    del sys.path[0]

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
