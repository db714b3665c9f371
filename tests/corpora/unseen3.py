"""The third blind set of attacks on model files, written without a look at the scanner, and honest files that look odd.

`attacks()` leaves out what did nothing when it was loaded; `unseen3_proofs.json` holds what was seen.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from corpora import unseen3_honest
from corpora.unseen3_base import Sample

FAMILIES = tuple(
    import_module(f"corpora.unseen3_{name}")
    for name in "arrays folders forms graphs keras others pickles programs rest texts torch trainers xml".split()
)
PROOFS = Path(__file__).with_name("unseen3_proofs.json")


def candidates() -> Iterator[Sample]:
    """All that was written, with what turned out to do nothing."""
    for family in FAMILIES:
        yield from family.samples()


def attacks() -> Iterator[Sample]:
    proofs = json.loads(PROOFS.read_text(encoding="utf-8"))
    for one in candidates():
        if one.id in proofs:
            yield dataclasses.replace(one, proved=proofs[one.id])


def harmless() -> Iterator[Sample]:
    yield from unseen3_honest.samples()
