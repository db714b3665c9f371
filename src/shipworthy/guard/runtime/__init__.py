"""A guard for a service that runs: middleware for ASGI and WSGI, and a reverse proxy.

`GuardASGI(app, policy)`, `GuardWSGI(app, policy)`; `shipworthy guard --upstream URL` for services in other languages.
Nothing here needs more than the standard library; signing the daily summary needs the package's own keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipworthy.guard.runtime.asgi import GuardASGI
    from shipworthy.guard.runtime.core import Guard
    from shipworthy.guard.runtime.policy import Limits, Policy
    from shipworthy.guard.runtime.wsgi import GuardWSGI

_PLACES = {"GuardASGI": "asgi", "GuardWSGI": "wsgi", "Guard": "core", "Limits": "policy", "Policy": "policy"}
__all__ = ["Guard", "GuardASGI", "GuardWSGI", "Limits", "Policy"]


def __getattr__(name: str) -> Any:
    """The parts are imported when they are asked for."""
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(f"shipworthy.guard.runtime.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
