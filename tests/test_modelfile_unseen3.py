"""The third set of attacks that were written without looking at the scanner (corpora/unseen3.py).

What it showed at first is in benchmarks/modelfile/RESULTS_unseen.md. It is no longer unseen: what passes is named here.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from corpora import unseen3
from corpora.unseen3_base import Sample
from test_modelfile_unseen import flagged, stopped

# What the checks let pass without a high finding or a gap: lists that hold each other, which only printing walks
# through.
PASSES = frozenset(("form/repr-never-ends",))
# Honest, and flagged: a graph of torch.fx is code that loading runs; SymPy is not in the table.
FLAGGED = frozenset(("honest/graph-module.pt", "honest/py-expression.pkl"))


@cache
def families() -> Mapping[str, list[Sample]]:
    found = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile says that a name is there twice: that is the attack
        for attack in unseen3.attacks():
            found[attack.id.partition("/")[0]].append(attack)
    return found


@pytest.mark.parametrize("family", sorted(families()))
def test_what_passes_is_known(family: str, tmp_path: Path) -> None:
    attacks = enumerate(families()[family])
    passes = {one.id for number, one in attacks if not stopped(tmp_path / str(number), one.files)}
    assert passes == {name for name in PASSES if name.startswith(f"{family}/")}


def test_honest_files_that_look_odd_are_clean(tmp_path: Path) -> None:
    items = unseen3.harmless()
    assert {item.id for item in items if flagged(tmp_path / item.id.replace("/", "-"), item.files)} == FLAGGED
