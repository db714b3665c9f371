"""The fourth set of attacks that were written without looking at the scanner (corpora/unseen4.py).

What it showed at first is in benchmarks/modelfile/RESULTS_unseen.md. It is no longer unseen: what passes is named here.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from corpora import unseen4
from corpora.unseen3_base import Sample
from test_modelfile_unseen import flagged, stopped

# What the checks of models let pass without a high finding or a gap: cells of tables are for the check dataset-code.
PASSES = frozenset(("store/parquet-column",))


@cache
def families() -> Mapping[str, list[Sample]]:
    found = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile says that a name is there twice: that is the attack
        for attack in unseen4.attacks():
            found[attack.id.partition("/")[0]].append(attack)
    return found


@pytest.mark.parametrize("family", sorted(families()))
def test_what_passes_is_known(family: str, tmp_path: Path) -> None:
    attacks = enumerate(families()[family])
    passes = {one.id for number, one in attacks if not stopped(tmp_path / str(number), one.files)}
    assert passes == {name for name in PASSES if name.startswith(f"{family}/")}


def test_honest_files_that_look_odd_are_clean(tmp_path: Path) -> None:
    items = unseen4.harmless()
    assert not [item.id for item in items if flagged(tmp_path / item.id.replace("/", "-"), item.files)]
