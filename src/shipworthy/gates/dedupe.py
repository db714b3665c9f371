"""One finding for one thing: the same rule at the same place is merged, equal ones elsewhere are numbered."""

from __future__ import annotations

from collections.abc import Iterable

from shipworthy.model import Confidence, Finding


def dedupe(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Merge findings of one rule at one place (witnesses are joined; two that agree make the confidence high) and
    number the rest, so that every fingerprint is unique and stays the same when unrelated findings come or go."""
    merged: dict[tuple[str, str, object, str], Finding] = {}
    for finding in findings:
        place = (finding.rule.id, finding.artifact.uri, finding.location, finding.key)
        seen = merged.get(place)
        merged[place] = finding if seen is None else _join(seen, finding)
    counts: dict[tuple[str, str, str], int] = {}
    numbered = []
    for finding in merged.values():
        same = (finding.rule.id, finding.artifact.uri, " ".join(finding.key.split()))
        number = counts.get(same, 0)
        counts[same] = number + 1
        numbered.append(finding.with_(occurrence=number) if number != finding.occurrence else finding)
    return tuple(numbered)


def _join(one: Finding, other: Finding) -> Finding:
    witnesses = tuple(dict.fromkeys((*one.witnesses, *other.witnesses)))
    worst = one if one.severity >= other.severity else other
    confidence = max(one.confidence, other.confidence, key=lambda c: c.rank)
    return worst.with_(witnesses=witnesses, confidence=Confidence.HIGH if len(witnesses) > 1 else confidence)
