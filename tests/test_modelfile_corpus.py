"""The generated corpus of hostile files: nothing of it is clean, and what is found is found by a rule that is right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from corpora.hostile import families, outcome, units, write
from shipworthy.modelfile import Verdict, scan

FAMILIES = sorted(families())


def test_the_corpus_is_large_and_its_ids_are_unique() -> None:
    found = Counter(item.id for item in units())
    assert len(found) > 1500
    assert max(found.values()) == 1
    assert all(item.codes for item in units())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_attack_is_clean_and_the_rules_are_right(family: str, tmp_path: Path) -> None:
    results = {}
    for number, item in enumerate(families()[family]):
        report = scan(write(item, tmp_path / str(number)))
        results[item.id] = outcome(item, report), report
    clean = {key: report.size for key, (_, report) in results.items() if report.verdict is Verdict.CLEAN}
    other = {key: [i.code.value for i in r.issues] for key, (result, r) in results.items() if result == "other rule"}
    assert (clean, other) == ({}, {})


def test_nearly_all_are_findings_and_not_only_unknown() -> None:
    """The others are what no reader knows: they fail closed."""
    totals: Counter[str] = Counter()
    from shipworthy.modelfile import scan_bytes

    for family in FAMILIES:
        if family != "bombs":
            totals.update(str(scan_bytes(item.data).verdict) for item in families()[family])
    assert totals["finding"] / sum(totals.values()) >= 0.98
