"""One finding for one thing: the same rule at the same place is merged, equal ones elsewhere are numbered; what another
check saw at the same place, of the same weakness, becomes its witness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shipworthy.model import CheckResult, Confidence, Finding
from shipworthy.records import replace

OWN = "shipworthy"  # who saw what no other program is named for
_REACH = 40  # lines that a finding may span to be about a line in it


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


def _join(one: Finding, other: Finding, *, keep: bool = False) -> Finding:
    """The worse of the two with the witnesses of both; `keep`: the one, with the worse severity."""
    witnesses = tuple(dict.fromkeys((*one.witnesses, *other.witnesses)))
    worst = one if one.severity >= other.severity else other
    confidence = max(one.confidence, other.confidence, key=lambda c: c.rank)
    sure = Confidence.HIGH if len(witnesses) > 1 else confidence
    return (one if keep else worst).with_(witnesses=witnesses, severity=worst.severity, confidence=sure)


def join_results(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Let a finding that a wrapped program saw become a witness of the finding of another check at the same place, of
    the same weakness (CWE) and disposition. The finding without other witnesses stays, else the one that comes first;
    it keeps the worse severity, and its confidence is high. A check whose findings are told elsewhere says so in its
    note."""
    places = [
        (number, index)
        for number, result in enumerate(results)
        for index, finding in enumerate(result.findings)
        if finding.location.line is not None and _weaknesses(finding)
    ]
    changed = {number: list(result.findings) for number, result in enumerate(results)}
    stays: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    gone: dict[int, set[int]] = {}
    for number, index in sorted(places, key=lambda at: bool(results[at[0]].findings[at[1]].witnesses)):
        finding = results[number].findings[index]
        at = finding.location
        first, last = at.line or 1, max(at.line or 1, at.end_line or 1)
        near = (
            one for line in range(first, min(last, first + _REACH) + 1) for one in stays.get(_place(finding, line), ())
        )
        other = next((o for o in near if _same(results[o[0]], changed[o[0]][o[1]], results[number], finding)), None)
        if other is None:
            stays.setdefault(_place(finding, first), []).append((number, index))
        else:
            changed[other[0]][other[1]] = _join(_named(changed[other[0]][other[1]]), finding, keep=True)
            gone.setdefault(number, set()).add(index)
    return tuple(_without(result, changed[number], gone.get(number, set())) for number, result in enumerate(results))


def _place(finding: Finding, line: int) -> tuple[object, ...]:
    at = finding.location
    return (finding.artifact.uri, line, at.cell, at.row, at.member, at.commit, finding.disposition)


def _weaknesses(finding: Finding) -> frozenset[str]:
    return frozenset(item for item in finding.rule.taxonomy if item.startswith("CWE-"))


def _same(one_in: CheckResult, one: Finding, other_in: CheckResult, other: Finding) -> bool:
    """Whether the other, which a program saw, says the same as the one of another check."""
    columns = {one.location.column, other.location.column} - {None} if one.location.line == other.location.line else ()
    return (
        one_in.check != other_in.check
        and bool(other.witnesses)
        and not set(other.witnesses) <= set(one.witnesses)
        and len(columns) < 2
        and bool(_weaknesses(one) & _weaknesses(other))
    )


def _named(finding: Finding) -> Finding:
    return finding if finding.witnesses else finding.with_(witnesses=(OWN,))


def _without(result: CheckResult, findings: list[Finding], gone: set[int]) -> CheckResult:
    kept = tuple(finding for index, finding in enumerate(findings) if index not in gone)
    if kept == result.findings:
        return result
    if not gone:
        return replace(result, findings=kept)
    told = f"{len(gone)} of its findings are told as those of other checks, with it as their witness"
    return replace(result, findings=kept, note=f"{result.note}; {told}" if result.note else told)
