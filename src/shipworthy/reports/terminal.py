"""Text for a terminal or a log: what was decided, why, what was seen, and what was not looked at."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from shipworthy.compliance import Standing, assess, summary
from shipworthy.model import CheckResult, Disposition, Finding, GateDecision, Metric, Outcome, Run, Severity, Status
from shipworthy.model.result import BY_STAGES, count_checks
from shipworthy.reports._sheet import Cell, Row, Sheet, Table, show, width_of
from shipworthy.reports._standing import CAUTION, STANDING_WORDS, groups
from shipworthy.reports._text import duration, moment, number, one_line, plural
from shipworthy.reports._view import (
    OUTCOME_MEANING,
    OUTCOME_WORDS,
    SEVERITIES,
    STATUS_WORDS,
    by_disposition,
    by_severity,
    check_lines,
    gaps,
    interval,
    looked_at,
    place,
    policy,
    same_remedy,
    uncovered,
    unread_code,
)

if TYPE_CHECKING:
    from rich.console import Console

_SEVERITY_STYLE = {
    Severity.CRITICAL: "bold reverse magenta",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "blue",
    Severity.INFO: "dim",
}
_STATUS_STYLE = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold red",
    Status.INTERRUPTED: "bold red",
    Status.NOT_BUILT: "yellow",
    Status.SKIPPED: "dim",
}
_OUTCOME_STYLE = {
    Outcome.RAN: "green",
    Outcome.PARTIAL: "bold yellow",
    Outcome.FAILED: "bold red",
    Outcome.UNAVAILABLE: "bold red",
    Outcome.NOT_APPLICABLE: "dim",
}
_STANDING_STYLE = {
    Standing.EVIDENCED: "green",
    Standing.PARTLY: "cyan",
    Standing.NOT_EVIDENCED: "yellow",
    Standing.NEEDS_A_PERSON: "dim",
}
_INDENT = 10  # columns: the longest word for a severity, and blanks
_MARKS = {Status.PASSED: "✔", Status.SKIPPED: "·", Status.NOT_BUILT: "○"}
_PLAIN_MARKS = {"✔": "+", "✘": "x", "·": "-", "○": "o"}
# Of the many metrics over the folds, those that people look for first.
_FOLDS_SHOWN = ("kfold_accuracy_mean", "kfold_accuracy_std", "kfold_f1_mean", "kfold_rmse_mean")


def render(run: Run, *, width: int = 120) -> str:
    """The whole run as plain text, tables at most `width` columns wide; the verdict is one line of its own."""
    return _plain(_run_sheet(run, Sheet(width, "utf-8"), limit=0))


def render_controls(run: Run, *, width: int = 140) -> str:
    """Every framework control as plain text."""
    return _plain(_controls_sheet(run, Sheet(width, "utf-8")))


def _plain(sheet: Sheet) -> str:
    text = sheet.plain()
    if text is None:
        from rich.console import Console

        out = io.StringIO()
        show(sheet, Console(file=out, width=sheet.width, no_color=True, force_terminal=False, emoji=False))
        text = out.getvalue()
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def write_run(run: Run, stream: TextIO, quiet: bool = False, *, limit: int = 40) -> bool:
    """Write the run as `print_run` does, to what is no terminal. False if that takes a console."""
    width = width_of(stream)
    text = width and _run_sheet(run, Sheet(width, (stream.encoding or "utf-8").lower()), quiet, limit=limit).plain()
    if text:
        stream.write(text)
        stream.flush()
    return bool(text)


def print_run(run: Run, console: Console, quiet: bool = False, *, limit: int = 40) -> None:
    """Print the run; `quiet` prints the reasons and the verdict only. At most `limit` findings are listed, 0: all."""
    show(_run_sheet(run, Sheet(console.width, console.encoding or "utf-8"), quiet, limit=limit), console)


def _run_sheet(run: Run, sheet: Sheet, quiet: bool = False, *, limit: int) -> Sheet:
    kept = run.pipeline != "scan"
    if not quiet:
        _heading(run, sheet)
        if kept:
            _stages(run, sheet)
        if run.checks:
            _findings(run.findings, sheet, limit, kept)
        _coverage(run, sheet)
        _metrics(run.metrics, sheet)
        if run.stages and kept:
            _say(sheet, f"Framework controls: {summary(assess(run))}; see the report")
            sheet.line()
    for decision in run.decisions:
        _decision(decision, sheet, quiet, listed=not quiet and (not limit or len(run.findings) <= limit))
    _failures(run, sheet)
    _verdict(run, sheet)
    return sheet


def _controls_sheet(run: Run, sheet: Sheet) -> Sheet:
    """Every control of every framework with what the run shows of it."""
    results = assess(run)
    for group in groups(results):
        table = Table(
            f"{group.framework.name} {group.framework.version}",
            ("shown", "control", "what", "left to a person"),
            whole=frozenset({0}),
        )
        for result in group.results:
            missing = [f"lacks: {text}" for text in result.missing]
            missing += [f"against it: {text}" for text in result.against]
            table.add(
                Cell(STANDING_WORDS[result.status], _STANDING_STYLE[result.status]),
                _cell(sheet, f"{result.control.id} {result.control.title}", limit=120),
                _cell(sheet, "; ".join([*result.rests_on, *missing]), limit=500),
                _cell(sheet, result.person),
            )
        sheet.parts.append(table)
        sheet.line()
    _say(sheet, CAUTION)
    _say(sheet, f"Framework controls: {summary(results)}", "bold")
    return sheet


def _say(sheet: Sheet, text: str, style: str = "", *, indent: int = 0, wrap: bool = True) -> None:
    sheet.line(" " * indent + _encodable(sheet, one_line(text)), style, wrap=wrap)


def _line(sheet: Sheet, text: str, indent: int = 2) -> None:
    sheet.parts.append(Row((_cell(sheet, text),), indent=indent))


def _cell(sheet: Sheet, text: str, style: str = "", limit: int = 0) -> Cell:
    return Cell(_encodable(sheet, one_line(text, limit)), style)


def _encodable(sheet: Sheet, text: str) -> str:
    """Foreign text must not break a console that cannot show it."""
    try:
        return text.encode(sheet.encoding, "backslashreplace").decode(sheet.encoding)
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode("ascii")


def _mark(sheet: Sheet, mark: str) -> str:
    return mark if sheet.encoding.lower().startswith("utf") else _PLAIN_MARKS[mark]


def _heading(run: Run, sheet: Sheet) -> None:
    commit = run.trigger.commit[:12] + (" (with changes not committed)" if run.trigger.dirty else "")
    scan = run.pipeline == "scan" and run.stages  # its first stage says what the table of stages would
    what = run.stages[0].note if scan else f"pipeline {run.pipeline}"
    facts = (run.project, what, f"commit {commit}" if commit.strip() else "", moment(run.started))
    _say(sheet, " | ".join(fact for fact in facts if fact), "bold")
    if told := policy(run):
        _say(sheet, f"settings {told}")
    sheet.line()


def _stages(run: Run, sheet: Sheet) -> None:
    if not run.stages:
        return
    table = Table("Stages", ("", "", "stage", "status", "time", "note"), right=frozenset({0, 4}))
    for index, stage in enumerate(run.stages, 1):
        style = _STATUS_STYLE[stage.status]
        again = "; taken from an earlier run" if stage.resumed else ""
        table.add(
            str(index),
            Cell(_mark(sheet, _MARKS.get(stage.status, "✘")), style),
            _cell(sheet, stage.stage),
            Cell(STATUS_WORDS[stage.status], style),
            duration(stage.seconds) if stage.seconds else "",
            _cell(sheet, (stage.note + again).removeprefix("; "), limit=300),
        )
    sheet.parts.append(table)
    sheet.line()


def _findings(findings: tuple[Finding, ...], sheet: Sheet, limit: int, kept: bool) -> None:
    """A finding on lines of its own, under its rule: five columns side by side would cut every word. Ids are of use
    for runs that are kept."""
    counts, kinds = by_severity(findings), by_disposition(findings)
    said = ", ".join(f"{counts[s]} {s.value}" for s in SEVERITIES if counts[s]) or "none seen"
    extra = ", ".join(f"{kinds[d]} {d.value}" for d in (Disposition.KNOWN, Disposition.WAIVED) if kinds[d])
    title = f"Findings: {said}{f' ({extra})' if extra else ''}"
    _say(sheet, title, "bold")
    above = None
    for finding in islice(findings, limit or None):
        head = (finding.severity, finding.rule.id, finding.disposition is Disposition.WAIVED)
        if head != above:
            severity = Cell(f"{finding.severity.value.upper():<{_INDENT}}", _severity_style(finding))
            sheet.parts.append(Row((severity, _cell(sheet, finding.rule.id))))
        above = head
        told = f"{finding.fingerprint[:12]} {_what(finding)}" if kept else _what(finding)
        sheet.parts.append(Row((_cell(sheet, told, limit=500),), indent=_INDENT))
    if findings:
        models = any(finding.check == "model-file" and "://" not in finding.artifact.uri for finding in findings)
        file = ", `shipworthy explain FILE` what loading it would do" if models else ""
        _say(sheet, f"`shipworthy explain RULE` says why it matters and how to fix it{file}", "dim")
    _left_out(findings, sheet, limit)


def _severity_style(finding: Finding) -> str:
    return "dim" if finding.disposition is Disposition.WAIVED else _SEVERITY_STYLE[finding.severity]


def _what(finding: Finding) -> str:
    """Where, what, and the evidence of what can stop a gate, unless the message has it."""
    where = f"{place(finding)}: " if place(finding) != "." else ""
    told, evidence = finding.message, finding.evidence
    name, call, arguments = evidence.partition("(")
    if name and name in told:  # of a call that the message names, the arguments
        evidence = f"({arguments}" if call and arguments != ")" else ""
    if finding.severity >= Severity.HIGH and evidence and evidence not in told:
        told += f": {one_line(evidence, 80)}"
    if finding.witnesses:
        told += f" (seen by {', '.join(finding.witnesses)})"
    if finding.disposition is Disposition.NEW:
        return where + told
    why = f" ({finding.waiver})" if finding.waiver else ""
    return f"{where}[{finding.disposition.value}] {told}{why}"


def _left_out(findings: tuple[Finding, ...], sheet: Sheet, limit: int) -> None:
    if limit and len(findings) > limit:
        _say(sheet, f"and {len(findings) - limit:,} more: see the report", "bold", wrap=False)
    sheet.line()


def _coverage(run: Run, sheet: Sheet) -> None:
    lines = check_lines(run)
    if not lines:
        _say(sheet, "Findings: unknown, because no check was run", "bold red", wrap=False)
        sheet.line()
        return
    missing = gaps(run)
    looked = {line.check.check for line in lines if line.check.outcome is not Outcome.NOT_APPLICABLE}
    short = f"{len({check.check for check in missing})} did not look at everything" if missing else ""
    stages = "".join(f" and {name}" for name in dict.fromkeys(line.check.check for line in lines) if name in BY_STAGES)
    count = f"{plural(count_checks(run.checks), 'check')}{stages}"
    title = f"Coverage: {count}, {short or 'every one looked at all of its kinds'}"
    _say(sheet, title, "bold")
    table = Table("", ("outcome", "check", "looked at", "note"), right=frozenset({2}))
    idle = [line.check.check for line in lines if line.check.check not in looked]
    told = "\n".join(text for decision in run.decisions for text in (*decision.uncovered, *decision.notes))
    times = Counter(line.check.check for line in lines if line.check.outcome is not Outcome.NOT_APPLICABLE)
    for line in lines:
        check, style = line.check, _OUTCOME_STYLE[line.check.outcome]
        if check.outcome is Outcome.NOT_APPLICABLE:
            continue
        word = OUTCOME_WORDS[check.outcome]
        table.add(
            Cell(word.upper() if line.gap else word, style),
            # of the code and again of the image: two looks, which the table must tell apart
            _cell(sheet, f"{check.check} in {line.stage.stage}" if times[check.check] > 1 else check.check),
            looked_at(check),
            _cell(sheet, _coverage_note(check, told), limit=300),
        )
    sheet.parts.append(table)
    if idle:
        _say(sheet, f"{plural(len(set(idle)), 'more check')} had nothing of their kind here", "dim")
    if unread := unread_code(run):
        _say(sheet, f"Not vouched for as clean: {unread}", "yellow")
    outcomes = list(uncovered(run))
    if outcomes:
        names = ", ".join(one_line(uri, 80) for uri, _ in outcomes[:5])
        more = f" and {len(outcomes) - 5:,} more" if len(outcomes) > 5 else ""
        _say(sheet, f"Not vouched for as clean, as a check could not look at all of it: {names}{more}", "yellow")
    sheet.line()


def _coverage_note(check: CheckResult, told: str) -> str:
    """What a check says of itself; what the gate tells of it in full (`told`) is only named."""
    meaning = "" if check.outcome is Outcome.RAN or check.skipped else OUTCOME_MEANING[check.outcome]
    parts = [check.note or meaning]
    for skip in check.skipped[:2]:
        if skip.artifact is not None:
            parts += [said for said in (f"{skip.artifact.uri}: {skip.reason}",) if said not in check.note]
        elif skip.reason in told and skip.code != "limited":
            parts.append(f"{skip.code.replace('-', ' ')}: see the gate")
        elif skip.reason not in check.note:
            parts.append(skip.reason)
    if len(check.skipped) > 2:
        parts.append(f"and {len(check.skipped) - 2:,} more")
    if check.remedy and check.outcome is not Outcome.RAN:
        parts.append(check.remedy)
    return "; ".join(part for part in parts if part)


def _metrics(metrics: Iterable[Metric], sheet: Sheet) -> None:
    every = list(metrics)
    rows = [metric for metric in every if not metric.name.startswith("kfold_") or metric.name in _FOLDS_SHOWN]
    if not rows:
        return
    table = Table("Metrics", ("metric", "value", "interval", "n", "method"), right=frozenset({1, 2, 3}))
    for metric in rows:
        table.add(
            _cell(sheet, metric.name),
            number(metric.value),
            interval(metric),
            f"{metric.n:,}",
            _cell(sheet, metric.method),
        )
    sheet.parts.append(table)
    if len(every) > len(rows):
        _say(sheet, f"and {len(every) - len(rows)} more over the folds: see the report")
    sheet.line()


def _decision(decision: GateDecision, sheet: Sheet, quiet: bool, listed: bool) -> None:
    """Why a gate said no. Where the findings are listed above, many of one rule are only counted."""
    if decision.passed and quiet:
        return
    word, style = ("passed", "green") if decision.passed else ("NOT PASSED", "bold red")
    counts = (
        f"{len(decision.new)} new, {len(decision.known)} known, {len(decision.waived)} waived, "
        f"{len(decision.uncovered)} not looked at"
    )
    _say(sheet, f"Gate {decision.gate}: {word} ({counts})", style)
    for reasons in same_remedy(decision.reasons):
        if listed and len(reasons) > 1:
            counts_of = dict[str, int]()
            for reason in reasons:
                severity = reason.message.partition(":")[0]
                counts_of[severity] = counts_of.get(severity, 0) + len(reason.fingerprints)
            told_of = ", ".join(f"{severity}: {count:,}" for severity, count in counts_of.items())
            _line(sheet, f"{told_of} findings of {reasons[0].code}")
        else:
            for reason in reasons:
                _line(sheet, reason.message)
        if reasons[0].remedy:
            _line(sheet, f"what to do: {reasons[0].remedy}", indent=4)
    told = {reason.message for reason in decision.reasons}
    missing = [name for name in decision.uncovered if name not in told]
    for name in missing[:10]:
        _say(sheet, f"not looked at: {name}", "yellow", indent=2)
    if len(missing) > 10:
        _say(sheet, f"and {len(missing) - 10:,} more: see the report", "yellow", indent=2)
    for note in decision.notes:
        _say(sheet, f"note: {note}", indent=2)
    sheet.line()


def _failures(run: Run, sheet: Sheet) -> None:
    """Stages that stopped the run without a gate's decision."""
    for stage in run.stages:
        if stage.status in (Status.FAILED, Status.ERROR, Status.INTERRUPTED) and stage.decision is None:
            _say(
                sheet,
                f"Stage {stage.stage}: {STATUS_WORDS[stage.status]}: {stage.note}".removesuffix(": "),
                "bold red",
            )
            if stage.remedy:
                _say(sheet, f"what to do: {stage.remedy}", indent=2)
            sheet.line()


def _verdict(run: Run, sheet: Sheet) -> None:
    style = "bold green" if run.shipworthy else "bold red"
    _say(sheet, run.verdict, style, wrap=False)
