"""Text for a terminal or a log: what was decided, why, what was seen, and what was not looked at."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import islice

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shipworthy.compliance import Standing, assess, summary
from shipworthy.model import CheckResult, Disposition, Finding, GateDecision, Metric, Outcome, Run, Severity, Status
from shipworthy.model.result import count_checks
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
    uncovered,
    unread_code,
)

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
_NARROW = 100  # columns; a table of findings needs as many
_MARKS = {Status.PASSED: "✔", Status.SKIPPED: "·", Status.NOT_BUILT: "○"}
_PLAIN_MARKS = {"✔": "+", "✘": "x", "·": "-", "○": "o"}
# Of the many metrics over the folds, those that people look for first.
_FOLDS_SHOWN = ("kfold_accuracy_mean", "kfold_accuracy_std", "kfold_f1_mean", "kfold_rmse_mean")


def render(run: Run, *, width: int = 120) -> str:
    """The whole run as plain text, tables at most `width` columns wide; the verdict is one line of its own."""
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, force_terminal=False, highlight=False, emoji=False)
    print_run(run, console, limit=0)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def render_controls(run: Run, *, width: int = 140) -> str:
    """Every framework control as plain text."""
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, force_terminal=False, highlight=False, emoji=False)
    print_controls(run, console)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def print_run(run: Run, console: Console, quiet: bool = False, *, limit: int = 40) -> None:
    """Print the run; `quiet` prints the reasons and the verdict only. At most `limit` findings are listed, 0: all."""
    if not quiet:
        _heading(run, console)
        _stages(run, console)
        if run.checks:
            _findings(run.findings, console, limit)
        _coverage(run, console)
        _metrics(run.metrics, console)
        if run.stages:
            _say(console, f"Framework controls: {summary(assess(run))}; see the report")
            console.print()
    for decision in run.decisions:
        _decision(decision, console, quiet)
    _failures(run, console)
    _verdict(run, console)


def print_controls(run: Run, console: Console) -> None:
    """Print every control of every framework with what the run shows of it."""
    results = assess(run)
    for group in groups(results):
        table = _table(
            f"{group.framework.name} {group.framework.version}", "shown", "control", "what", "left to a person"
        )
        table.columns[0].no_wrap = True
        table.columns[2].ratio, table.columns[3].ratio = 3, 2
        for result in group.results:
            missing = [f"lacks: {text}" for text in result.missing]
            table.add_row(
                Text(STANDING_WORDS[result.status], style=_STANDING_STYLE[result.status]),
                _cell(console, f"{result.control.id} {result.control.title}", limit=120),
                _cell(console, "; ".join([*result.rests_on, *missing]), limit=500),
                _cell(console, result.person),
            )
        console.print(table)
        console.print()
    _say(console, CAUTION)
    _say(console, f"Framework controls: {summary(results)}", "bold")


def _say(console: Console, text: str, style: str = "", *, indent: int = 0, wrap: bool = True) -> None:
    line = Text(" " * indent + _encodable(console, one_line(text)), style=style)
    console.print(line, soft_wrap=not wrap, highlight=False)


def _cell(console: Console, text: str, style: str = "", limit: int = 0) -> Text:
    return Text(_encodable(console, one_line(text, limit)), style=style, overflow="fold")


def _encodable(console: Console, text: str) -> str:
    """Foreign text must not break a console that cannot show it."""
    encoding = console.encoding or "utf-8"
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode("ascii")


def _mark(console: Console, mark: str) -> str:
    plain = not (console.encoding or "").lower().startswith("utf")
    return _PLAIN_MARKS[mark] if plain else mark


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(Text(column), header_style="dim", overflow="fold")
    return table


def _heading(run: Run, console: Console) -> None:
    commit = run.trigger.commit[:12] + (" (with changes not committed)" if run.trigger.dirty else "")
    facts = (run.project, f"pipeline {run.pipeline}", f"commit {commit}" if commit.strip() else "", moment(run.started))
    _say(console, " | ".join(fact for fact in facts if fact), "bold")
    console.print()


def _stages(run: Run, console: Console) -> None:
    if not run.stages:
        return
    table = _table("Stages", "", "", "stage", "status", "time", "note")
    table.columns[0].justify = table.columns[4].justify = "right"
    for index, stage in enumerate(run.stages, 1):
        style = _STATUS_STYLE[stage.status]
        again = "; taken from an earlier run" if stage.resumed else ""
        table.add_row(
            str(index),
            Text(_mark(console, _MARKS.get(stage.status, "✘")), style=style),
            _cell(console, stage.stage),
            Text(STATUS_WORDS[stage.status], style=style),
            duration(stage.seconds) if stage.seconds else "",
            _cell(console, (stage.note + again).removeprefix("; "), limit=300),
        )
    console.print(table)
    console.print()


def _findings(findings: tuple[Finding, ...], console: Console, limit: int) -> None:
    counts, kinds = by_severity(findings), by_disposition(findings)
    said = ", ".join(f"{counts[s]} {s.value}" for s in SEVERITIES if counts[s]) or "none seen"
    extra = ", ".join(f"{kinds[d]} {d.value}" for d in (Disposition.KNOWN, Disposition.WAIVED) if kinds[d])
    title = f"Findings: {said}{f' ({extra})' if extra else ''}"
    if not findings or console.width < _NARROW:
        _say(console, title, "bold")
        for finding in islice(findings, limit or None):
            _narrow(finding, console)
        _left_out(findings, console, limit)
        return
    table = _table(title, "severity", "rule", "where", "what", "id")
    for finding in islice(findings, limit or None):
        table.add_row(
            Text(finding.severity.value.upper(), style=_severity_style(finding)),
            _cell(console, finding.rule.id),
            _cell(console, place(finding), limit=200),
            _cell(console, _what(finding), limit=240),
            Text(finding.fingerprint[:12], style="dim", no_wrap=True),
        )
    console.print(table)
    _left_out(findings, console, limit)


def _narrow(finding: Finding, console: Console) -> None:
    """A finding in lines of its own: five columns side by side would cut every word."""
    head = Text(f"{finding.severity.value.upper():<9}", style=_severity_style(finding))
    head.append_text(_cell(console, finding.rule.id, "not dim"))
    head.append(f"  {finding.fingerprint[:12]}", style="dim")
    console.print(head, highlight=False)
    for text in (place(finding), _what(finding)):
        console.print(Padding(_cell(console, text, limit=240), (0, 0, 0, 9), expand=False))


def _severity_style(finding: Finding) -> str:
    return "dim" if finding.disposition is Disposition.WAIVED else _SEVERITY_STYLE[finding.severity]


def _what(finding: Finding) -> str:
    if finding.disposition is Disposition.NEW:
        return finding.message
    why = f" ({finding.waiver})" if finding.waiver else ""
    return f"[{finding.disposition.value}] {finding.message}{why}"


def _left_out(findings: tuple[Finding, ...], console: Console, limit: int) -> None:
    if limit and len(findings) > limit:
        _say(console, f"and {len(findings) - limit:,} more: see the report", "bold", wrap=False)
    console.print()


def _coverage(run: Run, console: Console) -> None:
    lines = check_lines(run)
    if not lines:
        _say(console, "Findings: unknown, because no check was run", "bold red", wrap=False)
        console.print()
        return
    missing = gaps(run)
    looked = {line.check.check for line in lines if line.check.outcome is not Outcome.NOT_APPLICABLE}
    short = f"{len({check.check for check in missing})} did not look at everything" if missing else ""
    title = f"Coverage: {plural(count_checks(run.checks), 'check')}, {short or 'every one looked at all of its kinds'}"
    table = _table(title, "outcome", "check", "looked at", "note")
    table.columns[2].justify = "right"
    idle = [line.check.check for line in lines if line.check.check not in looked]
    told = "\n".join(text for decision in run.decisions for text in (*decision.uncovered, *decision.notes))
    for line in lines:
        check, style = line.check, _OUTCOME_STYLE[line.check.outcome]
        if check.outcome is Outcome.NOT_APPLICABLE:
            continue
        word = OUTCOME_WORDS[check.outcome]
        table.add_row(
            Text(word.upper() if line.gap else word, style=style),
            _cell(console, check.check),
            looked_at(check),
            _cell(console, _coverage_note(check, told), limit=300),
        )
    console.print(table)
    if idle:
        _say(console, f"Nothing of their kind here: {', '.join(dict.fromkeys(idle))}")
    if unread := unread_code(run):
        _say(console, f"Not vouched for as clean: {unread}", "yellow")
    outcomes = list(uncovered(run))
    if outcomes:
        names = ", ".join(one_line(uri, 80) for uri, _ in outcomes[:5])
        more = f" and {len(outcomes) - 5:,} more" if len(outcomes) > 5 else ""
        _say(console, f"Not vouched for as clean, as a check could not look at all of it: {names}{more}", "yellow")
    console.print()


def _coverage_note(check: CheckResult, told: str) -> str:
    """What a check says of itself; what the gate tells of it in full (`told`) is only named."""
    meaning = "" if check.outcome is Outcome.RAN or check.skipped else OUTCOME_MEANING[check.outcome]
    parts = [check.note or meaning]
    for skip in check.skipped[:2]:
        if skip.artifact is not None:
            parts.append(f"{skip.artifact.uri}: {skip.reason}")
        elif skip.reason in told and skip.code != "limited":
            parts.append(f"{skip.code.replace('-', ' ')}: see the gate")
        elif skip.reason not in check.note:
            parts.append(skip.reason)
    if len(check.skipped) > 2:
        parts.append(f"and {len(check.skipped) - 2:,} more")
    if check.remedy and check.outcome is not Outcome.RAN:
        parts.append(check.remedy)
    return "; ".join(part for part in parts if part)


def _metrics(metrics: Iterable[Metric], console: Console) -> None:
    every = list(metrics)
    rows = [metric for metric in every if not metric.name.startswith("kfold_") or metric.name in _FOLDS_SHOWN]
    if not rows:
        return
    table = _table("Metrics", "metric", "value", "interval", "n", "method")
    for column in table.columns[1:4]:
        column.justify = "right"
    for metric in rows:
        table.add_row(
            _cell(console, metric.name),
            number(metric.value),
            interval(metric),
            f"{metric.n:,}",
            _cell(console, metric.method),
        )
    console.print(table)
    if len(every) > len(rows):
        _say(console, f"and {len(every) - len(rows)} more over the folds: see the report")
    console.print()


def _decision(decision: GateDecision, console: Console, quiet: bool) -> None:
    if decision.passed and quiet:
        return
    word, style = ("passed", "green") if decision.passed else ("NOT PASSED", "bold red")
    counts = (
        f"{len(decision.new)} new, {len(decision.known)} known, {len(decision.waived)} waived, "
        f"{len(decision.uncovered)} not looked at"
    )
    _say(console, f"Gate {decision.gate}: {word} ({counts})", style)
    if decision.reasons:
        table = _table("", "why", "what to do")
        table.title = None
        for reason in decision.reasons:
            table.add_row(_cell(console, reason.message), _cell(console, reason.remedy))
        console.print(table)
    told = {reason.message for reason in decision.reasons}
    missing = [name for name in decision.uncovered if name not in told]
    for name in missing[:10]:
        _say(console, f"not looked at: {name}", "yellow", indent=2)
    if len(missing) > 10:
        _say(console, f"and {len(missing) - 10:,} more: see the report", "yellow", indent=2)
    for note in decision.notes:
        _say(console, f"note: {note}", indent=2)
    console.print()


def _failures(run: Run, console: Console) -> None:
    """Stages that stopped the run without a gate's decision."""
    for stage in run.stages:
        if stage.status in (Status.FAILED, Status.ERROR, Status.INTERRUPTED) and stage.decision is None:
            _say(
                console,
                f"Stage {stage.stage}: {STATUS_WORDS[stage.status]}: {stage.note}".removesuffix(": "),
                "bold red",
            )
            if stage.remedy:
                _say(console, f"what to do: {stage.remedy}", indent=2)
            console.print()


def _verdict(run: Run, console: Console) -> None:
    style = "bold green" if run.shipworthy else "bold red"
    _say(console, run.verdict, style, wrap=False)
