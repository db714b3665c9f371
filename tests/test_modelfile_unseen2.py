"""The second set of attacks that were written without looking at the scanner (corpora/unseen2.py).

What it showed at first is in benchmarks/modelfile/RESULTS_unseen.md. It is no longer unseen: what passes is named here.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from corpora import unseen2
from corpora.unseen_units import Attack
from test_modelfile_unseen import flagged, stopped

# What the checks let pass without a high finding or a gap. Of these, some do no harm as they stand: r/namespace and
# r/package name a package that comes with R; r/dump is an R script, which is code and no model; the files that
# boosters2/lightgbm-machines names are opened by no call of LightGBM for Python (medium).
PASSES = frozenset(
    """
    state-places/self-tuple boosters2/lightgbm-machines folders2/adapter-base folders2/requirements
    mlflow2/environment r/namespace r/package
    """.split()
)
# Honest, and flagged: a link inside of an archive, to a file of it.
FLAGGED = frozenset(("harmless2/tar-link-inside",))


@cache
def families() -> Mapping[str, list[Attack]]:
    found = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile says that a name is there twice: that is the attack
        for attack in unseen2.attacks():
            found[attack.family].append(attack)
    return found


@pytest.mark.parametrize("family", sorted(families()))
def test_what_passes_is_known(family: str, tmp_path: Path) -> None:
    attacks = enumerate(families()[family])
    passes = {one.id for number, one in attacks if not stopped(tmp_path / str(number), one.files, one.links)}
    assert passes == {name for name in PASSES if name.startswith(f"{family}/")}


def test_honest_files_that_look_odd_are_clean(tmp_path: Path) -> None:
    items = unseen2.harmless()
    assert {item.id for item in items if flagged(tmp_path / item.id.replace("/", "-"), item.files)} == FLAGGED
