"""Run checks inside a stage, filter their findings once, and name the results by a digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence

from shipworthy.artifacts import Inventory
from shipworthy.check import Check
from shipworthy.engine.stage import Job
from shipworthy.gates import apply_filters, read_baseline
from shipworthy.gates.baseline import FILE_NAME
from shipworthy.model import CheckResult
from shipworthy.records import dataclass


def counted(number: int, noun: str) -> str:
    """`1 finding`, `2,000 findings`."""
    return f"{number:,} {noun}" + ("s" if number != 1 else "")


@dataclass(frozen=True)
class Checked:
    """Filtered results, notes about waivers for people, and the digest of it all."""

    results: tuple[CheckResult, ...]
    notes: tuple[str, ...]
    digest: str


def run_checks(job: Job, checks: Sequence[Check], inventory: Inventory, *, more: Sequence[CheckResult] = ()) -> Checked:
    """Run the checks over the inventory and filter the findings, together with the results `more`."""
    return filter_results(job, checks, (*more, *job.checks.run(checks, inventory)))


def with_reports(
    job: Job, stage: str, results: Sequence[CheckResult]
) -> tuple[tuple[CheckResult, ...], Mapping[str, str]]:
    """Results with those of the reports that the settings name for this stage, and the reports' digests by name."""
    if not job.settings.import_.reports:
        return tuple(results), {}
    from shipworthy.stages.imported import from_settings  # here: most runs take in nothing

    taken = from_settings(job, stage, results, job.inventory)
    return taken.results, taken.inputs


def filter_results(job: Job, checks: Sequence[Check], results: Sequence[CheckResult]) -> Checked:
    """Filter the findings of all results, once; `checks` are those that were run."""
    baseline = read_baseline(job.root / FILE_NAME)
    filtered = apply_filters(results, job.settings.waivers, baseline, job.today)
    notes = []
    for index in sorted(filtered.expired):
        waiver = job.settings.waivers[index]
        notes.append(f"expired waiver: {waiver.rule} ({waiver.owner}, until {waiver.until.isoformat()})")
    ran = {rule.id for check in checks for rule in check.rules}
    for index, waiver in enumerate(job.settings.waivers):
        if waiver.rule in ran and index not in filtered.used | filtered.expired:
            notes.append(f"unused waiver: {waiver.rule} for {waiver.path or waiver.fingerprint} ({waiver.owner})")
    notes += _trusted_by_another_name(job.settings.scan.trust)
    return Checked(filtered.results, tuple(notes), results_digest(filtered.results))


def _trusted_by_another_name(trust: Sequence[str]) -> list[str]:
    """Functions of `os` that pickles name by the module that they come from: `os:system` does not trust those."""
    notes = []
    for pattern in trust:
        module, _, name = pattern.partition(":")
        real = getattr(getattr(os, name, None), "__module__", "") if module == "os" else ""
        if real and real != "os":
            notes.append(f"[scan] trust: `{pattern}` is `{real}:{name}` in pickles that Python writes")
    return notes


def results_digest(results: Sequence[CheckResult]) -> str:
    """The digest of what was found and what was looked at; the same for the same artifacts, checks and policy."""
    rows = [
        [
            r.check,
            r.version,
            r.outcome.value,
            sorted(r.examined),
            sorted((f.fingerprint, f.disposition.value) for f in r.findings),
        ]
        for r in results
    ]
    return "sha256:" + hashlib.sha256(json.dumps(sorted(rows, key=str)).encode("utf-8", "surrogatepass")).hexdigest()
