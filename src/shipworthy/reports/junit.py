"""JUnit XML, for the test tab of CI systems: a test suite for each stage, a test case for each check and gate.

A finding that stops a gate is a `failure`, and so is a new one of which no gate has decided; others are told in
`system-out`. A check that gave no answer, and artifacts that a check could not look at, are an `error`, because a
reader takes `skipped` for harmless. Only a check that had nothing to look at, or whose gaps a gate accepted by name, is
`skipped`.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from shipworthy.model import CheckResult, Disposition, Finding, GateDecision, Outcome, Run, StageResult, Status
from shipworthy.reports._text import instant, plural, visible
from shipworthy.reports._view import OUTCOME_MEANING, OUTCOME_WORDS, STATUS_WORDS, place


def render(run: Run) -> str:
    """The run as JUnit XML (the dialect that Jenkins and GitLab read)."""
    root = Element("testsuites", name=visible(f"Shipworthy: {run.project}"), time=f"{run.seconds:.3f}")
    accepted = _accepted(run)
    gaps = _accepted_gaps(run)
    for stage in run.stages:
        root.append(_suite(run, stage, accepted, gaps))
    if not run.stages:
        suite = SubElement(root, "testsuite", name="run", timestamp=instant(run.started))
        _mark(_case(suite, run.pipeline, "run"), "error", "nothing was run", "no stage", "")
    for element in (*root, root):
        _count(element)
    indent(root, space=" ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _accepted(run: Run) -> frozenset[str]:
    """Fingerprints of the findings that stop no gate: a gate let them pass, or failed for other reasons."""
    held = {f for d in run.decisions if not d.passed for reason in d.reasons for f in reason.fingerprints}
    decided = {f for d in run.decisions for f in (*d.new, *d.known, *d.waived)}
    old = {f.fingerprint for f in run.findings if f.disposition is not Disposition.NEW}
    return frozenset((decided | old) - held)


def _accepted_gaps(run: Run) -> frozenset[str]:
    """Names of partial checks that no gate held against the run, and that one accepted."""
    notes = [note for decision in run.decisions for note in decision.notes]
    gaps = (name.partition(": ")[0] for decision in run.decisions for name in decision.uncovered)
    held = {check.partition(" ")[0].strip("`") for checks in gaps for check in checks.split(", ")}
    partial = {c.check for stage in run.stages for c in stage.checks if c.outcome is Outcome.PARTIAL}
    told = {name for name in partial if any(note.startswith(f"accepted as partial: {name}:") for note in notes)}
    return frozenset(told - held)


def _suite(run: Run, stage: StageResult, accepted: frozenset[str], gaps: frozenset[str]) -> Element:
    suite = Element(
        "testsuite", name=visible(stage.stage), timestamp=instant(stage.started), time=f"{stage.seconds:.3f}"
    )
    group = f"shipworthy.{run.pipeline}.{stage.stage}"
    for check in stage.checks:
        _check(_case(suite, group, check.check, check.seconds), check, accepted, gaps)
    if stage.decision is not None:
        _gate(_case(suite, group, f"gate {stage.decision.gate}"), stage.decision)
    _stage(_case(suite, group, f"stage {stage.stage}", stage.seconds), stage)
    return suite


def _case(suite: Element, group: str, name: str, seconds: float = 0.0) -> Element:
    return SubElement(suite, "testcase", classname=visible(group), name=visible(name), time=f"{seconds:.3f}")


def _check(case: Element, check: CheckResult, accepted: frozenset[str], gaps: frozenset[str]) -> None:
    """One mark at most: a finding that stops a gate weighs more than a gap, which is then told with it."""
    fresh = [finding for finding in check.findings if finding.fingerprint not in accepted]
    rest = [finding for finding in check.findings if finding.fingerprint in accepted]
    gap = ""
    if check.outcome not in (Outcome.RAN, Outcome.NOT_APPLICABLE):
        lines = [check.note, f"What to do: {check.remedy}" if check.remedy else ""]
        lines += [f"not looked at: {s.artifact.uri if s.artifact else 'all'}: {s.reason}" for s in check.skipped]
        gap = "\n".join(filter(None, lines))
    if fresh:
        told = "\n".join(filter(None, (_told(fresh), gap)))
        _mark(case, "failure", plural(len(fresh), "finding"), "findings", told)
    elif check.outcome is Outcome.PARTIAL and check.check in gaps:
        SubElement(case, "skipped", message=visible(f"partial, as a gate accepts: {_why(check)}")[:1000])
    elif check.outcome is Outcome.NOT_APPLICABLE:
        SubElement(case, "skipped", message=visible(check.note or OUTCOME_MEANING[check.outcome]))
    elif check.outcome is not Outcome.RAN:
        _mark(case, "error", f"{OUTCOME_WORDS[check.outcome]}: {_why(check)}", check.outcome.value, gap)
    if rest:
        SubElement(case, "system-out").text = visible(_told(rest))


def _why(check: CheckResult) -> str:
    counted = f"looked at {len(check.examined)} of {check.eligible}" if check.eligible else ""
    return "; ".join(filter(None, (counted, check.note or (check.skipped[0].reason if check.skipped else ""))))


def _gate(case: Element, decision: GateDecision) -> None:
    lines = [f"{r.code}: {r.message}" + (f"\n  What to do: {r.remedy}" if r.remedy else "") for r in decision.reasons]
    lines += [f"not looked at: {name}" for name in decision.uncovered]
    text = "\n".join(lines)
    if not decision.passed:
        # Nothing wrong was seen, but not everything was looked at: that is an error of the run, not of the project.
        kind = "error" if decision.coverage_only else "failure"
        _mark(case, kind, "; ".join(r.message for r in decision.reasons) or "not passed", "gate", text)
    if decision.notes:
        SubElement(case, "system-out").text = visible("\n".join(decision.notes))


def _stage(case: Element, stage: StageResult) -> None:
    if stage.status is Status.PASSED:
        return
    kind = "failure" if stage.status is Status.FAILED else "error"
    text = f"What to do: {stage.remedy}" if stage.remedy else ""
    _mark(case, kind, f"{STATUS_WORDS[stage.status]}: {stage.note}".rstrip(": "), stage.status.value, text)


def _told(findings: Iterable[Finding]) -> str:
    blocks = []
    for f in findings:
        lines = [f"{f.severity.value.upper()} {f.rule.id} at {place(f)}", f"  {f.message}"]
        if f.evidence and f.evidence != f.message:
            lines.append(f"  Evidence: {f.evidence[:500]}")
        if f.disposition is not Disposition.NEW:
            lines.append(f"  {f.disposition.value.capitalize()}: {f.waiver or 'in the baseline'}")
        lines += [f"  What to do: {f.remedy}", f"  Fingerprint: {f.fingerprint}"]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _mark(case: Element, kind: str, message: str, type_: str, text: str) -> None:
    SubElement(case, kind, message=visible(message)[:1000], type=visible(type_)).text = visible(text)


def _count(element: Element) -> None:
    """Totals of the test cases, each of which has one mark at most."""
    cases = list(element.iter("testcase"))
    failures = sum(case.find("failure") is not None for case in cases)
    errors = sum(case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    for name, count in (("tests", len(cases)), ("failures", failures), ("errors", errors), ("skipped", skipped)):
        element.set(name, str(count))
