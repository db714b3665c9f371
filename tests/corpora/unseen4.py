"""The fourth blind set: attacks on model files and odd honest files, written without a look at the scanner.

`unseen4_prove.py` loads each with its real loader in a sandbox; what was seen is in `unseen4_proofs.json`. An
attack that was not seen to act is a candidate, and no attack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from corpora import unseen4_folders, unseen4_forms, unseen4_gadgets, unseen4_honest, unseen4_keras, unseen4_packed
from corpora.unseen3_base import Sample

KINDS = {"code": "code", "file": "reach", "network": "reach", "crash": "resource"}


def candidates() -> Iterator[Sample]:
    proofs = json.loads(Path(__file__).with_name("unseen4_proofs.json").read_text())
    for one in chain(
        unseen4_gadgets.candidates(),
        unseen4_packed.candidates(),
        unseen4_forms.candidates(),
        unseen4_keras.candidates(),
        unseen4_folders.candidates(),
    ):
        yield replace(one, proved=proofs.get(one.id, ""))


def attacks() -> list[Sample]:
    """Those that were seen to act; `KINDS` says of an effect whether it is code, reach or resource."""
    return [one for one in candidates() if one.proved]


def harmless() -> Iterator[Sample]:
    yield from unseen4_honest.harmless()
