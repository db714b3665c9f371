"""Markdown for a pull request: the verdict and why, details folded.

Foreign text stands in code spans or is escaped: it can make no link, mention, heading, table cell or HTML element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shipworthy.compliance import assess, summary
from shipworthy.gates.weaker import WEAKER
from shipworthy.hub.addresses import has_page, rule_address
from shipworthy.model import Disposition, Finding, Run, Status
from shipworthy.reports._standing import CAUTION, STANDING_WORDS, groups
from shipworthy.reports._text import duration, moment, number, one_line, plural, short
from shipworthy.reports._view import (
    OUTCOME_WORDS,
    SEVERITIES,
    STATUS_WORDS,
    by_disposition,
    by_severity,
    gap_reason,
    gaps,
    interval,
    looked_at,
    place,
    policy,
    same_remedy,
    stopped_at,
    uncovered,
    unread_code,
)

LIMIT = 60_000  # GitHub refuses a comment of more than 65,536 characters
_MARKS = {Status.PASSED: "✔", Status.SKIPPED: "·", Status.NOT_BUILT: "○"}
_ZERO_WIDTH = "\u200b"


def render(run: Run, *, limit: int = LIMIT, site: str = "") -> str:
    """The run as GitHub-flavoured Markdown of about `limit` characters at most; says how many findings did not fit.
    Rules lead to the hub's pages, if those are published at `site`."""
    head = [*_verdict(run), *_stages(run), *_gates(run), *_gaps(run), *_metrics(run), *_compliance(run)]
    tail = ["", f"<sub>Run {code(run.id)}, {moment(run.started)}, {duration(run.seconds)}</sub>", ""]
    room = limit - len("\n".join(head + tail))
    return "\n".join([*head, *_findings(run.findings, room, site), *tail])


def code(text: str, limit: int = 160) -> str:
    """Foreign text as a code span that it cannot leave."""
    line = one_line(text, limit)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    padding = " " if "`" in line else ""
    return f"{fence}{padding}{line or ' '}{padding}{fence}"


def _cell(text: str, limit: int = 160) -> str:
    """A code span inside a table, which is cut at bars even there unless they are escaped."""
    return code(text, limit).replace("|", r"\|")


def prose(text: str, limit: int = 300) -> str:
    """Foreign text as plain words: no markup, HTML, mention, reference or link comes of it."""
    line = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"([\\`*_{}\[\]()#+!|~])", r"\\\1", line)
    line = re.sub(r"([@#]|\bGH-)(?=\w)", rf"\1{_ZERO_WIDTH}", line)
    return re.sub(r"(?i)(:)(?=//)|(\bwww)(?=\.)|(\bmailto|\bxmpp)(?=:)", rf"\g<0>{_ZERO_WIDTH}", line)


def _verdict(run: Run) -> list[str]:
    mark = "✔" if run.shipworthy else "✘"
    lines = [f"## {mark} {prose(run.verdict)}", ""]
    facts = [code(run.project), f"pipeline {code(run.pipeline)}"]
    if run.trigger.commit:
        facts.append(f"commit {code(short(run.trigger.commit))}" + (" with changes" if run.trigger.dirty else ""))
    if told := policy(run):
        facts.append(f"settings {code(told)}")
    counts, kinds = by_severity(run.findings), by_disposition(run.findings)
    found = ", ".join(f"{counts[s]} {s.value}" for s in SEVERITIES if counts[s]) or "none seen"
    if kinds[Disposition.WAIVED]:
        found += f", {kinds[Disposition.WAIVED]} waived"
    missing = len(gaps(run))
    looked = f"{plural(missing, 'check')} did not look at everything" if missing else "every check looked at everything"
    said = (
        f"**Findings:** {found}. **Coverage:** {looked}." if run.checks else "**Findings:** unknown: no check was run."
    )
    return [*lines, " · ".join(facts), "", said, ""]


def _stages(run: Run) -> list[str]:
    if not run.stages:
        return []
    strip = " → ".join(f"{_MARKS.get(s.status, '✘')} {prose(s.stage, 60)}" for s in run.stages)
    lines = [strip, ""]
    stop = stopped_at(run)
    if stop is not None:
        number_, stage = stop
        note = f": {prose(stage.note)}" if stage.note else ""
        lines += [f"Stage {number_}, {prose(stage.stage, 60)}, {STATUS_WORDS[stage.status]}{note}", ""]
        if stage.remedy:
            lines += [f"What to do: {prose(stage.remedy)}", ""]
    return lines


def _gates(run: Run) -> list[str]:
    lines = []
    for decision in run.decisions:
        if decision.passed:
            weak = [f"- {prose(note)}" for note in decision.notes if note.startswith(WEAKER)]
            lines += [f"### Gate {code(decision.gate)} passed", "", *weak, ""] if weak else []
            continue
        lines += [f"### Gate {code(decision.gate)} did not pass", ""]
        for reasons in same_remedy(decision.reasons):
            lines += [f"- {prose(reason.message)}" for reason in reasons]
            if reasons[0].remedy:
                lines[-1] += f" **→** {prose(reasons[0].remedy)}"
        told = {reason.message for reason in decision.reasons}
        missing = [name for name in decision.uncovered if name not in told]
        lines += [f"- not looked at: {code(name)}" for name in missing[:10]]
        if len(missing) > 10:
            lines.append(f"- and {len(missing) - 10:,} more that were not looked at")
        lines += [f"- note: {prose(note)}" for note in decision.notes[:10]]
        lines.append("")
    return lines


def _gaps(run: Run) -> list[str]:
    missing = gaps(run)
    outcomes, unread = list(uncovered(run)), unread_code(run)
    if not missing and not outcomes and not unread:
        return []
    lines = ["### Not looked at", ""]
    if missing:
        lines += ["| check | outcome | looked at | why | what to do |", "|---|---|--:|---|---|"]
    for check in missing[:30]:
        word = OUTCOME_WORDS[check.outcome]
        amount = looked_at(check)
        why = prose(gap_reason(check))
        lines.append(f"| {_cell(check.check)} | **{word}** | {amount} | {why} | {prose(check.remedy)} |")
    if len(missing) > 30:
        lines.append(f"| and {len(missing) - 30} more | | | | |")
    if outcomes:
        names = ", ".join(code(uri, 80) for uri, _ in outcomes[:10])
        more = f" and {len(outcomes) - 10:,} more" if len(outcomes) > 10 else ""
        lines += ["", f"No check can vouch for {names}{more}."]
    if unread:
        lines += ["", f"No check can vouch for {prose(unread)}."]
    return [*lines, ""]


def _metrics(run: Run) -> list[str]:
    if not run.metrics:
        return []
    lines = [
        "<details><summary>Metrics</summary>",
        "",
        "| metric | value | interval | n | method |",
        "|---|--:|---|--:|---|",
    ]
    for metric in run.metrics[:50]:
        value, method = f"{number(metric.value)} | {interval(metric)}", prose(metric.method, 80)
        lines.append(f"| {_cell(metric.name, 60)} | {value} | {metric.n} | {method} |")
    return [*lines, "", "</details>", ""]


def _compliance(run: Run) -> list[str]:
    """Counts by framework, folded; the controls one by one are in the other formats."""
    if not run.stages:
        return []
    results = assess(run)
    lines = [f"<details><summary>Framework controls: {summary(results)}</summary>", "", CAUTION, ""]
    lines += [f"| framework | {' | '.join(STANDING_WORDS.values())} |", "|---|--:|--:|--:|--:|"]
    for group in groups(results):
        c = group.counts
        numbers = f"{c.evidenced} | {c.partly} | {c.not_evidenced} | {c.needs_a_person}"
        lines.append(f"| {prose(group.framework.name)} {prose(group.framework.version)} | {numbers} |")
    return [*lines, "", "</details>", ""]


def controls(run: Run) -> str:
    """Every control of every framework, as Markdown."""
    results = assess(run)
    lines = [f"## Framework controls: {summary(results)}", "", CAUTION, ""]
    for group in groups(results):
        lines += [f"### {prose(group.framework.name)} {prose(group.framework.version)}", ""]
        lines += ["| shown | control | rests on | missing | left to a person |", "|---|---|---|---|---|"]
        for result in group.results:
            name = f"**{prose(result.control.id)}** {prose(result.control.title)}"
            cells = (name, _listed(result.rests_on), _listed((*result.missing, *result.against)), prose(result.person))
            lines.append(f"| {STANDING_WORDS[result.status]} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _listed(texts: Iterable[str]) -> str:
    return "; ".join(prose(text) for text in texts)


def _findings(findings: Iterable[Finding], room: int, site: str) -> list[str]:
    every = list(findings)
    if not every:
        return []
    head = [f"<details><summary>{plural(len(every), 'finding')}</summary>", ""]
    head += ["| severity | rule | where | what | id |", "|---|---|---|---|---|"]
    rows: list[str] = []
    room -= len("\n".join(head)) + 120
    for finding in every:
        row = _row(finding, site)
        room -= len(row) + 1
        if room < 0:
            break
        rows.append(row)
    left = len(every) - len(rows)
    more = "`shipworthy explain RULE` says why it matters, how it is attacked and how to fix it, with code."
    end = [f"and {left:,} more: see the report of the run"] if left else []
    return [*head, *rows, "", *end, more if any(has_page(one.rule) for one in every) else "", "</details>"]


def _row(finding: Finding, site: str) -> str:
    severity = finding.severity.value
    severity = f"**{severity}**" if finding.severity.rank > 2 else severity
    if finding.disposition is not Disposition.NEW:
        severity += f" ({finding.disposition.value})"
    what = prose(finding.message, 200)
    rule = (
        f"[{_cell(finding.rule.id)}]({address})"
        if (address := rule_address(site, finding.rule))
        else _cell(finding.rule.id)
    )
    return f"| {severity} | {rule} | {_cell(place(finding))} | {what} | {code(finding.fingerprint)} |"
