"""A held-out set of attacks on model files, written without looking at the scanner, and honest files that look odd.

Every attack is one that a real loader acts on; unseen_prove.py loads them. Nothing is loaded here.
"""

from __future__ import annotations

import importlib
import io
import struct
from collections.abc import Iterator

from corpora.unseen_units import CANARY, EVIL, Attack, Harmless, unique, written

PARTS = [
    "unseen_written",
    "unseen_texts",
    "unseen_models",
    "unseen_archives",
    "unseen_libraries",
    "unseen_pickles",
    "unseen_machine",
]

# Loaded, and nothing happened: left out until they are mended.
INERT = frozenset(
    {
        "joblib/ndarray-wrapper",
        "joblib/second-array",
        "joblib/zndarray-wrapper",
        "keras/nested-argument",
        "torch/checkpoint-metadata",
        "torch/persistent-object",
    }
)


def attacks() -> Iterator[Attack]:
    found = [item for part in PARTS for item in importlib.import_module(f"corpora.{part}").attacks()]
    yield from (attack for attack in unique(found) if attack.id not in INERT)


def harmless() -> Iterator[Harmless]:
    yield from importlib.import_module("corpora.unseen_harmless").harmless()


def canaries() -> dict[str, bytes]:
    """What lies outside of the model's folder while it is loaded."""
    text = (CANARY + "\n").encode() * 8
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }" % len(text)
    header += b" " * (118 - len(header) - 1) + b"\n"
    npy = io.BytesIO(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header + text)
    return {
        "canary.txt": text,
        "canary.bin": text,
        "canary.npy": npy.getvalue(),
        "canary.pkl": EVIL,
        **written("canary"),
    }
