"""The generated corpus of hostile files: nothing of it is clean, and what is found is found by a rule that is right."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from corpora.hostile import families, outcome
from shipworthy.modelfile import Code, Verdict, scan_bytes

FAMILIES = sorted(families())


@cache
def results(family: str) -> dict[str, tuple[str, Verdict, tuple[Code, ...]]]:
    """How each attack ended."""
    found = {}
    for item in families()[family]:
        report = scan_bytes(item.data)
        found[item.id] = outcome(item, report), report.verdict, tuple(issue.code for issue in report.issues)
    return found


def test_the_corpus_is_large_and_its_ids_are_unique() -> None:
    found = Counter(item.id for items in families().values() for item in items)
    assert len(found) > 1500
    assert max(found.values()) == 1
    assert all(item.codes for items in families().values() for item in items)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_attack_is_clean_and_the_rules_are_right(family: str) -> None:
    clean = [key for key, (_, verdict, _) in results(family).items() if verdict is Verdict.CLEAN]
    other = {key: codes for key, (result, _, codes) in results(family).items() if result == "other rule"}
    assert (clean, other) == ([], {})


def test_nearly_all_are_findings_and_not_only_unknown() -> None:
    """The others are what no reader knows: they fail closed."""
    totals = Counter(verdict for family in FAMILIES for _, verdict, _ in results(family).values())
    assert totals[Verdict.FINDING] / totals.total() >= 0.99
