"""A second held-out set of attacks, written without looking at the scanner: what the first one hardly had."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from corpora.unseen import canaries
from corpora.unseen_units import Attack, Harmless, unique, written

__all__ = ["attacks", "canaries", "harmless"]

PARTS = [
    "unseen2_gadgets",
    "unseen2_states",
    "unseen2_containers",
    "unseen2_texts",
    "unseen2_folders",
    "unseen2_graphs",
    "unseen2_keras",
    "unseen2_r",
    "unseen2_skops",
    "unseen2_written",
]

# Loaded, and nothing happened: left out until they are mended.
INERT: frozenset[str] = frozenset()


def attacks() -> Iterator[Attack]:
    found = [item for part in PARTS for item in importlib.import_module(f"corpora.{part}").attacks()]
    yield from (attack for attack in unique(found) if attack.id not in INERT)


def harmless() -> Iterator[Harmless]:
    """Folders and files that real libraries wrote (unseen2_write_harmless.py)."""
    found: dict[str, dict[str, bytes]] = {}
    for path, data in written("harmless2").items():
        folder, _, name = path.partition("/")
        found.setdefault(folder, {})[name] = data
    for folder, files in found.items():
        yield Harmless(f"harmless2/{folder}", folder.partition("-")[0], files, folder.replace("-", " "))
