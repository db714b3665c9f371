"""The one place where findings are filtered: duplicates, waivers, baseline. Everything after it shows the same set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from shipworthy.config import Waiver
from shipworthy.gates.dedupe import dedupe, join_results
from shipworthy.model import CheckResult, Disposition, Finding
from shipworthy.paths import matches
from shipworthy.records import dataclass, replace


@dataclass(frozen=True)
class Filtered:
    """Results whose findings have their disposition; `used` are the positions of the waivers that applied; `expired`
    those that would have applied and are over."""

    results: tuple[CheckResult, ...]
    used: frozenset[int] = frozenset()
    expired: frozenset[int] = frozenset()


def apply_filters(
    results: Iterable[CheckResult], waivers: Sequence[Waiver], baseline: frozenset[str], today: date
) -> Filtered:
    """Deduplicate, then waive, then mark what the baseline knows, then join what several
    checks say alike. A waiver past its last day waives nothing."""
    used: set[int] = set()
    expired: set[int] = set()
    out = []
    for result in results:
        findings = []
        for finding in dedupe(result.findings):
            index = _waiver_for(finding, waivers, today, expired)
            if index is not None:
                used.add(index)
                findings.append(finding.with_(disposition=Disposition.WAIVED, waiver=_words(waivers[index])))
            elif finding.fingerprint in baseline:
                findings.append(finding.with_(disposition=Disposition.KNOWN))
            else:
                findings.append(finding)
        out.append(replace(result, findings=tuple(findings)))
    return Filtered(join_results(out), frozenset(used), frozenset(expired))


def _waiver_for(finding: Finding, waivers: Sequence[Waiver], today: date, expired: set[int]) -> int | None:
    for index, waiver in enumerate(waivers):
        if waiver.rule != finding.rule.id:
            continue
        if waiver.fingerprint and waiver.fingerprint != finding.fingerprint:
            continue
        if waiver.path and not matches(finding.artifact.uri, (waiver.path,)):
            continue
        if waiver.until < today:
            expired.add(index)
            continue
        return index
    return None


def _words(waiver: Waiver) -> str:
    return f"{waiver.owner} until {waiver.until.isoformat()}: {waiver.reason}"
