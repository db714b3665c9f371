"""Where things are kept for a user, by the XDG Base Directory Specification; never in a workspace."""

from __future__ import annotations

import os
from pathlib import Path


def _folder(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / default) / "shipworthy"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/shipworthy`, by default `~/.cache/shipworthy`: may be removed at any time."""
    return _folder("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """`$XDG_STATE_HOME/shipworthy`, by default `~/.local/state/shipworthy`."""
    return _folder("XDG_STATE_HOME", ".local/state")


def data_folder() -> Path:
    """`$XDG_DATA_HOME/shipworthy`, by default `~/.local/share/shipworthy`: the vulnerability database."""
    return _folder("XDG_DATA_HOME", ".local/share")


def advisories_folder() -> Path:
    """Where `shipworthy db` keeps the vulnerability database."""
    return data_folder() / "advisories"
