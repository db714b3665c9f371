"""A gate's decision: what fails it, what was not looked at, which rule does not hold."""

from __future__ import annotations

from collections.abc import Sequence

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
from shipworthy.records import replace

_SHOWN = 3
_LINE = 160


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
    reasons = _severity_reasons(failing, policy)
    reasons += _rule_reasons(policy, counted, metrics)
    gaps, accepted = _coverage(policy, results)
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
    first, more = decision.reasons[0], len(decision.reasons) - 1
    if decision.coverage_only and more:
        names = [reason.message.partition(" ")[0].strip("`") for reason in decision.reasons[:_SHOWN]]
        rest = f" and {more + 1 - _SHOWN} more" if more >= _SHOWN else ""
        return f"{more + 1} checks did not look at everything: {', '.join(names)}{rest}"
    end = f" (and {more} more)" if more else ""
    found = [f for result in results for f in result.findings if f.fingerprint in first.fingerprints]
    said = f"{first.code}: {first.message}"
    if first.code == f"coverage-{Outcome.PARTIAL.value}":
        said = f"{first.message.partition(' ')[0]} did not look at everything"
    elif found:
        place = _place(min(found, key=lambda f: first.fingerprints.index(f.fingerprint)))
        worst = max(f.severity for f in found).value
        count = f": {len(found):,} findings, the first in" if len(found) > 1 else " in"
        said = f"{first.code} ({worst}){count} {place}"
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


def _severity_reasons(failing: Sequence[Finding], policy: Gate) -> list[Reason]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in sorted(failing, key=lambda f: -f.severity.rank):
        by_rule.setdefault(finding.rule.id, []).append(finding)
    return [_rule_reason(rule, found, policy) for rule, found in by_rule.items()]


def _rule_reason(rule: str, found: Sequence[Finding], policy: Gate) -> Reason:
    places = ", ".join(dict.fromkeys(_place(f) for f in found[:_SHOWN]))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    worst = found[0].severity.value
    return Reason(
        code=rule,
        message=f"{worst}: {found[0].message} in {places}{more} (the gate fails on {policy.fail_on})",
        remedy=_remedies(found),
        fingerprints=tuple(f.fingerprint for f in found),
    )


def _remedies(found: Sequence[Finding]) -> str:
    """What to do about all of them: each advisory of a package may ask for another version."""
    every = list(dict.fromkeys(finding.remedy for finding in found))
    more = f" And {len(every) - _SHOWN} more: see the findings." if len(every) > _SHOWN else ""
    return " ".join(every[:_SHOWN]) + more


def _place(finding: Finding) -> str:
    where = str(finding.location)
    return f"{finding.artifact.uri} ({where})" if where else finding.artifact.uri


def _rule_reasons(policy: Gate, findings: Sequence[Finding], metrics: Sequence[Metric]) -> list[Reason]:
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


def _coverage(policy: Gate, results: Sequence[CheckResult]) -> tuple[list[Reason], list[str]]:
    """Gaps that fail the gate, and gaps that the policy accepts by name."""
    gaps, accepted = [], []
    for wanted in policy.require:
        if wanted != "*" and not any(wanted in (r.check, r.category) for r in results):
            gaps.append(
                Reason("not-covered", f"`{wanted}` is required and no such check was run", "see [scan] checks and skip")
            )
    looked = [r for r in results if r.category != "load"]
    if policy.require and looked and all(r.outcome is Outcome.NOT_APPLICABLE for r in looked):
        gaps.append(
            Reason("not-covered", "no check found anything of its kind: nothing was looked at", "see [scan] checks")
        )
    for result in results:
        if not ("*" in policy.require or result.check in policy.require or result.category in policy.require):
            continue
        why = _gap(result)
        if not why:
            continue
        if result.outcome is Outcome.PARTIAL:
            told, open_ones = _partial(result, policy.accept_partial)
            accepted += told
            if told and not open_ones:
                continue
            result = replace(result, skipped=open_ones, note="" if open_ones else result.note)
            why = _gap(result)
        gaps.append(
            Reason(f"coverage-{result.outcome.value}", f"{result.check} {why}", result.remedy or _remedy(result))
        )
    return gaps, accepted


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
        for skip in result.skipped if result.outcome is Outcome.PARTIAL else ():
            there |= {f"{result.check}:{skip.code}"} | ({result.check} if skip.artifact is None else set())
        if result.outcome is Outcome.PARTIAL and not result.skipped:
            there |= {result.check, f"{result.check}:limited"}
    return [
        f"unused accept-partial: {name}"
        for name in dict.fromkeys(accept)
        if name.partition(":")[0] in ran and name not in there
    ]


def _first(skipped: Sequence[Skipped]) -> str:
    first, more = skipped[0], len(skipped) - 1
    where = f"{first.artifact.uri}: " if first.artifact else ""
    return f"{where}{first.reason}" + (f" (and {more} more)" if more else "")


def _gap(result: CheckResult) -> str:
    if result.outcome is Outcome.NOT_APPLICABLE:
        return ""
    if result.outcome is Outcome.RAN:
        missing = result.eligible - len(result.examined)
        return f"examined {len(result.examined)} of {result.eligible}" if missing > 0 else ""
    return f"is {result.outcome.value}: {result.note or (_first(result.skipped) if result.skipped else '')}"


def _remedy(result: CheckResult) -> str:
    if result.outcome is Outcome.PARTIAL:
        codes = dict.fromkeys(skip.code for skip in result.skipped) or ("limited",)
        names = ", ".join(f'"{result.check}:{code}"' for code in codes)
        return f"let it look at everything, or accept it by name: accept-partial = [{names}]"
    return "`shipworthy doctor` tells what is missing"
