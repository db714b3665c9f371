"""A gate's decision: what fails it, what was not looked at, which rule does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from shipworthy.config import Gate
from shipworthy.gates.expressions import Expression
from shipworthy.model import (
    CheckResult,
    Confidence,
    Disposition,
    Finding,
    GateDecision,
    Metric,
    Outcome,
    Reason,
    Severity,
    Skipped,
)
from shipworthy.model.result import gap_name
from shipworthy.records import replace

_SHOWN = 3
_PER_RULE = 12
_LINE = 160
_NOT_COVERED = "not-covered"
_GAP = "coverage-"


def decide(
    name: str,
    policy: Gate,
    results: Sequence[CheckResult],
    metrics: Sequence[Metric] = (),
    notes: Sequence[str] = (),
) -> GateDecision:
    """Decide from filtered results. Nothing that was not looked at counts as clean."""
    findings = [finding for result in results for finding in result.findings]
    counted = [f for f in findings if _counts(f, policy)]
    failing = [f for f in counted if _fails(f, policy)]
    reasons = _severity_reasons(failing)
    reasons += _expression_reasons(policy, counted, metrics)
    gaps, accepted = _coverage(name, policy, results)
    return GateDecision(
        gate=name,
        passed=not reasons and not gaps,
        reasons=(*reasons, *gaps),
        new=_fingerprints(findings, Disposition.NEW),
        known=_fingerprints(findings, Disposition.KNOWN),
        waived=_fingerprints(findings, Disposition.WAIVED),
        uncovered=tuple(reason.message for reason in gaps),
        notes=(*notes, *accepted, *_unused(policy.accept_partial, results)),
        coverage_only=bool(gaps) and not reasons,
    )


def in_short(decision: GateDecision, results: Sequence[CheckResult] = ()) -> str:
    """Why the gate did not pass, for one line of at most 160 characters: the table of its reasons has the rest."""
    first = decision.reasons[0]
    gaps = [reason for reason in decision.reasons if reason.code.startswith(_GAP)]
    checks = [name for reason in gaps for name in reason.message.partition(": ")[0].split(", ")]
    if len(checks) > 1 and len(gaps) == len(decision.reasons):
        return f"{len(checks)} checks did not look at everything: {_places(checks)}"
    same = [reason for reason in decision.reasons if reason.fingerprints and reason.code == first.code]
    more = len(decision.reasons) - max(len(same), 1)
    end = f" (and {more} more)" if more else ""
    meant = {fingerprint for reason in same for fingerprint in reason.fingerprints}
    found = [f for result in results for f in result.findings if f.fingerprint in meant]
    said = first.message if first in gaps or first.code == _NOT_COVERED else f"{first.code}: {first.message}"
    if first.code == f"{_GAP}{Outcome.PARTIAL.value}":
        said = f"{first.message.partition(':')[0]} did not look at everything"
    elif found:
        files = _places(f.artifact.uri for f in found)
        count = f": {len(found):,} findings in {files}" if len(found) > 1 else f" in {_place(found[0])}"
        levels = dict.fromkeys(f.severity.value for f in sorted(found, key=lambda f: -f.severity.rank))
        said = f"{first.code} ({', '.join(levels)}){count}"
    room = _LINE - len(end)
    return (said if len(said) <= room else said[: room - 1] + "…") + end


def _fingerprints(findings: Sequence[Finding], disposition: Disposition) -> tuple[str, ...]:
    return tuple(finding.fingerprint for finding in findings if finding.disposition is disposition)


def _counts(finding: Finding, policy: Gate) -> bool:
    if finding.disposition is Disposition.WAIVED:
        return False
    return not (policy.only_new and finding.disposition is Disposition.KNOWN)


def _fails(finding: Finding, policy: Gate) -> bool:
    if policy.fail_on == "never" or finding.confidence < Confidence(policy.min_confidence):
        return False
    return finding.severity >= Severity(policy.fail_on)


def _severity_reasons(failing: Sequence[Finding]) -> list[Reason]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in sorted(failing, key=lambda f: -f.severity.rank):
        by_rule.setdefault(finding.rule.id, []).append(finding)
    return [reason for found in by_rule.values() for reason in _rule_reasons(found)]


def _rule_reasons(found: Sequence[Finding]) -> list[Reason]:
    """What a rule found: one reason for each thing that it says, with the places where that is so. What there is no
    room for is counted; every file has its turn before any has a second."""
    said: dict[tuple[Severity, str, str], list[Finding]] = {}
    for finding in found:
        said.setdefault((finding.severity, finding.message, finding.remedy), []).append(finding)
    turns: Counter[str] = Counter()
    ordered = []
    for group in said.values():
        uri = group[0].artifact.uri
        ordered.append((-group[0].severity.rank, turns[uri], group))
        turns[uri] += 1
    groups = [group for *_, group in sorted(ordered, key=lambda item: item[:2])]
    reasons = [_reason(group, f"{_places(map(_place, group))}: {group[0].message}") for group in groups[:_PER_RULE]]
    if rest := [finding for group in groups[_PER_RULE:] for finding in group]:
        files = _places(finding.artifact.uri for finding in rest)
        reasons.append(_reason(rest, f"{len(rest):,} more of {rest[0].rule.id} in {files}: see the findings"))
    return reasons


def _reason(found: Sequence[Finding], told: str) -> Reason:
    return Reason(
        code=found[0].rule.id,
        message=f"{found[0].severity.value}: {told}",
        remedy=_remedies(found),
        fingerprints=tuple(f.fingerprint for f in found),
    )


def _remedies(found: Sequence[Finding]) -> str:
    """What to do about all of them: each advisory of a package may ask for another version."""
    every = list(dict.fromkeys(finding.remedy for finding in found))
    more = f" And {len(every) - _SHOWN} more: see the findings." if len(every) > _SHOWN else ""
    return " ".join(every[:_SHOWN]) + more


def _places(places: Iterable[str]) -> str:
    every = list(dict.fromkeys(places))
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _place(finding: Finding) -> str:
    where = str(finding.location)
    return f"{finding.artifact.uri} ({where})" if where else finding.artifact.uri


def _expression_reasons(policy: Gate, findings: Sequence[Finding], metrics: Sequence[Metric]) -> list[Reason]:
    reasons = []
    for text in policy.rules:
        holds, why = Expression(text).holds(findings, metrics)
        if not holds:
            reasons.append(
                Reason(
                    "gate-rule",
                    f"the rule `{text}` does not hold: {why}",
                    "improve what it asks for, or change the rule",
                )
            )
    return reasons


def _coverage(name: str, policy: Gate, results: Sequence[CheckResult]) -> tuple[list[Reason], list[str]]:
    """Gaps that fail the gate, and gaps that the policy accepts by name."""
    gaps, accepted = [], []
    same: dict[tuple[Outcome, str, str, bool], list[CheckResult]] = {}  # what many checks say is told once
    for wanted in policy.require:
        if wanted != "*" and not any(wanted in (r.check, r.category) for r in results):
            gaps.append(
                Reason(_NOT_COVERED, f"`{wanted}` is required and no such check was run", "see [scan] checks and skip")
            )
    looked = [r for r in results if r.category != "load"]
    if policy.require and looked and all(r.outcome is Outcome.NOT_APPLICABLE for r in looked):
        gaps.append(
            Reason(_NOT_COVERED, "no check found anything of its kind: nothing was looked at", "see [scan] checks")
        )
    for result in results:
        if not ("*" in policy.require or result.check in policy.require or result.category in policy.require):
            continue
        if not _gap(result):
            continue
        if _by_artifact(result):
            told, open_ones = _partial(result, policy.accept_partial)
            accepted += told
            if told and not open_ones:
                continue
            result = replace(result, skipped=open_ones, note="" if open_ones else result.note)
        same.setdefault((result.outcome, _gap(result), result.remedy, _by_artifact(result)), []).append(result)
    for (outcome, why, remedy, _), left in same.items():
        checks = ", ".join(result.check for result in left)
        gaps.append(Reason(f"{_GAP}{outcome.value}", f"{checks}: {why}", remedy or _remedy(left, name)))
    return gaps, accepted


def _by_artifact(result: CheckResult) -> bool:
    """Whether its gaps are told one by one, so that each can be accepted: of a check that read some of its artifacts,
    and of one that read none and says why of each."""
    if result.outcome is Outcome.FAILED:
        left = {skip.artifact.uri for skip in result.skipped if skip.artifact is not None}
        return 0 < result.eligible == len(left) and all(skip.artifact for skip in result.skipped)
    return result.outcome is Outcome.PARTIAL


def _partial(result: CheckResult, accept: Sequence[str]) -> tuple[list[str], tuple[Skipped, ...]]:
    """What the policy accepts of a partial result, for people, and what it does not.

    A reason is accepted as `check:reason`; the bare name stands for every limit that leaves no artifact out.
    """
    skipped = result.skipped or (Skipped(None, result.note),)
    by_reason: dict[str, list[Skipped]] = {}
    open_ones = []
    for skip in skipped:
        if f"{result.check}:{skip.code}" in accept or (skip.artifact is None and result.check in accept):
            by_reason.setdefault(skip.code, []).append(skip)
        else:
            open_ones.append(skip)
    told = [f"accepted as partial: {result.check}:{code}: {_first(found)}" for code, found in by_reason.items()]
    return told, tuple(open_ones)


def _unused(accept: Sequence[str], results: Sequence[CheckResult]) -> list[str]:
    """Gaps that the policy accepts and that were not there, of the checks that were run."""
    ran = {result.check for result in results}
    there = set()
    for result in results:
        for skip in result.skipped if _by_artifact(result) else ():
            there |= {f"{result.check}:{skip.code}"} | ({result.check} if skip.artifact is None else set())
        if result.outcome is Outcome.PARTIAL and not result.skipped:
            there |= {result.check, f"{result.check}:limited"}
    return [
        f"unused accept-partial: {name}"
        for name in dict.fromkeys(accept)
        if gap_name(name)[0] in ran and name not in there
    ]


def _first(skipped: Sequence[Skipped]) -> str:
    """The first of each reason: what one asks for must not hide behind another's."""
    by_reason: dict[str, Skipped] = {}
    for skip in skipped:
        by_reason.setdefault(skip.reason, skip)
    told = [(f"{s.artifact.uri}: " if s.artifact else "") + s.reason for s in islice(by_reason.values(), _SHOWN)]
    more = len(skipped) - len(told)
    return "; ".join(told) + (f" (and {more} more)" if more else "")


def _gap(result: CheckResult) -> str:
    if result.outcome is Outcome.NOT_APPLICABLE:
        return ""
    if result.outcome is Outcome.RAN:
        missing = result.eligible - len(result.examined)
        return f"examined {len(result.examined)} of {result.eligible}" if missing > 0 else ""
    return (_first(result.skipped) if result.skipped else result.note) or result.outcome.value


def _remedy(left: Sequence[CheckResult], gate: str) -> str:
    if not _by_artifact(left[0]):
        return "`shipworthy doctor` tells whether the check works here"
    names = dict.fromkeys(f'"{r.check}:{code}"' for r in left for code in _codes(r))
    files = any(skip.artifact for result in left for skip in result.skipped)
    mend = "mend, remove or exclude it" if files else "let it look at everything"
    return f"{mend}, or accept it by name: under `[gates.{gate}]`, `accept-partial = [{', '.join(names)}]`"


def _codes(result: CheckResult) -> Sequence[str]:
    return [skip.code for skip in result.skipped] or ["limited"]
