"""Honest files that look odd, written by the real libraries (unseen_write_harmless.py)."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen_units import Harmless, written


def harmless() -> Iterator[Harmless]:
    found: dict[str, dict[str, bytes]] = {}
    for path, data in written("harmless").items():
        folder, _, name = path.partition("/")
        found.setdefault(folder, {})[name] = data
    for folder, files in found.items():
        yield Harmless(f"harmless/{folder}", folder.partition("-")[0], files, folder.replace("-", " "))
