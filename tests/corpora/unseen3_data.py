"""The files of the third blind set that only a library can write: see make_unseen3.py."""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path

ARCHIVE = Path(__file__).parents[1] / "data" / "unseen3.zip"


@functools.cache
def _members() -> dict[str, bytes]:
    with zipfile.ZipFile(ARCHIVE) as file:
        return {name: file.read(name) for name in file.namelist()}


def data(name: str) -> bytes:
    return _members()[name]


def names(prefix: str) -> list[str]:
    return [name for name in _members() if name.startswith(prefix)]
