"""Attacks that were written without looking at the scanner (corpora/unseen.py), and honest files that look odd.

What it showed at first is in benchmarks/modelfile/RESULTS_unseen.md. It is no longer unseen: what passes is named here,
so that nothing is lost again and nothing is mended without being taken off the list.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from corpora import unseen
from corpora.unseen_units import Attack
from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity, Skipped

# What the checks let pass without a high finding or a gap.
PASSES: dict[str, str] = {}
CHECKS = [
    load_check(f"shipworthy.checks.models.{module}", name)
    for module, name in (
        ("model_file", "model-file"),
        ("model_text", "model-text"),
        ("model_config", "model-config"),
        ("archive", "model-archive"),
    )
]


@cache
def families() -> Mapping[str, list[Attack]]:
    found = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile says that a name is there twice: that is the attack
        for attack in unseen.attacks():
            found[attack.family].append(attack)
    return found


def said(folder: Path, files: Mapping[str, bytes], links: Mapping[str, str]) -> Iterator[Finding | Skipped]:
    """What the inventory and the checks of models say of a folder with these files."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for name, target in links.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    one = len(files) == 1 and not links
    inventory = discover(folder / next(iter(files)) if one else folder)
    yield from inventory.unreadable
    for artifact in inventory.artifacts:
        for check in CHECKS:
            if check.looks_at(artifact):
                yield from check.call(artifact, Context(folder))


def stopped(folder: Path, files: Mapping[str, bytes], links: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Whether the default gate stops a folder with these files: a high finding, or a gap."""
    heard = list(said(folder, files, links))
    loud = any(isinstance(item, Finding) and item.severity >= Severity.HIGH for item in heard)
    return loud or any(isinstance(item, Skipped) for item in heard)


def flagged(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether an honest folder has a finding that people would be asked about."""
    return any(isinstance(item, Finding) and item.severity >= Severity.MEDIUM for item in said(folder, files, {}))


@pytest.mark.parametrize("family", sorted(families()))
def test_what_passes_is_known(family: str, tmp_path: Path) -> None:
    attacks = enumerate(families()[family])
    passes = [one.id for number, one in attacks if not stopped(tmp_path / str(number), one.files, one.links)]
    assert passes == [name for name in PASSES if name.startswith(f"{family}/")]


def test_most_are_found_by_a_rule_that_is_right(tmp_path: Path) -> None:
    right = total = 0
    for family, attacks in families().items():
        for number, attack in enumerate(attacks):
            heard = said(tmp_path / family / str(number), attack.files, attack.links)
            rules = {item.rule for item in heard if isinstance(item, Finding) and item.severity >= Severity.MEDIUM}
            right += bool({getattr(rule, "id", rule) for rule in rules} & attack.rules)
            total += 1
    assert right / total > 0.97


def test_honest_files_that_look_odd_are_clean(tmp_path: Path) -> None:
    assert not [item for item in unseen.harmless() if flagged(tmp_path / item.id.replace("/", "-"), item.files)]
