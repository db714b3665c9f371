"""The page of a rule in the terminal: what it is, why it matters, how it is attacked, how to fix it with code, which
controls it touches, what has happened, what to read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.hub import console, printed
from shipworthy.cli.hub_cards import linked
from shipworthy.cli.hub_text import broken, markdown, said
from shipworthy.hub import Hub, Item, Topic
from shipworthy.hub.seen import seen

if TYPE_CHECKING:
    from shipworthy.model import Finding, Rule

_MOST = 6  # of what is listed, so many; the topic's page has all


def rule_page(rule: Rule, findings: Sequence[Finding] | None = None) -> None:
    """Print it. `findings` are those of the newest run here; None when there is no run."""
    printed(rule_lines(_hub(), rule, findings, console().width, colour=sys.stdout.isatty()))


def topic_page(name: str) -> bool:
    """Print the page of a topic, if there is one of this name."""
    from shipworthy.cli.hub_cards import of_topic

    hub = _hub()
    if name not in hub.topics:
        return False
    printed([*of_topic(hub, hub.topics[name]), *seen_lines(hub, f"topic/{name}", newest_findings())])
    return True


def _hub() -> Hub:
    from shipworthy.check import all_rules

    return _loaded(tuple(all_rules()))


@cache
def _loaded(_rules: tuple[str, ...]) -> Hub:
    from shipworthy.cli.hub import load_hub

    return load_hub()


def newest_findings(root: Path = Path()) -> tuple[Finding, ...] | None:
    """The findings of the newest run here; None when there is none."""
    from shipworthy.cli.runs import newest_runs

    run = next(newest_runs(root), None)
    return None if run is None else run.findings


def seen_lines(hub: Hub, page: str, findings: Sequence[Finding] | None, most: int = 3) -> list[str]:
    """In your repository: what of the newest run here a page is about, with the first places."""
    from shipworthy.cli.output import plain

    if findings is None or not (about := seen(hub, page, findings)).findings:
        return []
    lines = [f"[yellow]In your repository: {about} in the newest run here[/]"]
    for finding in about.findings[:most]:
        place = f"{plain(finding.artifact.uri)} {finding.location}".strip()
        lines.append(f"  {said(finding.fingerprint[:12])} {said(finding.rule.id)}  {said(place)}")
    left = len(about.findings) - most
    return [*lines, *([f"  [dim]and {left:,} more[/]"] if left > 0 else []), ""]


def rule_lines(
    hub: Hub, rule: Rule, findings: Sequence[Finding] | None, width: int, *, colour: bool = False
) -> list[str]:
    """The page as lines of markup."""
    from shipworthy.check import registry

    checks = [check.name for check in registry().values() if rule in check.rules]
    page = f"rule/{rule.id}"
    lines = [f"[bold]{said(rule.title)}[/]  [dim]{said(page)}[/]"]
    lines.append(f"severity {rule.severity.value}, confidence {rule.confidence.value}")
    lines += broken(f"found by {said(', '.join(checks) or 'the engine')}", width, 2)
    if page in hub.things and (own := seen_lines(hub, page, findings)):
        lines += ["", *own[:-1]]
    lines += ["", *broken(said(rule.description), width)]
    topic = hub.topics.get(rule.help)
    written = topic if topic and topic.sections else None
    for heading in ("What it is", "Why it matters", "How it is attacked") if written else ():
        lines += _section(heading, written, width, colour=colour)
    ids = list(dict.fromkeys((*rule.taxonomy, *(topic.frameworks if topic else ()))))
    lines += _items(hub, "Techniques", [one for one in ids if one.startswith("AML.T")], width)
    lines += _entries(hub, "What has happened", topic.case_studies if topic else (), width)
    lines += ["", "[bold]What to do[/]", *broken(said(rule.remedy), width)]
    if written and (fix := written.fixes.get(rule.id)):
        lines += ["", *markdown(fix, width, colour=colour)]
    if written and (general := written.general_fix):
        lines += ["", "[bold]How to fix it, in general[/]", *markdown(general, width, colour=colour)]
    lines += _section("Good to know", written, width, colour=colour) if written else []
    lines += _items(hub, "Weaknesses, risks and controls", [one for one in ids if not one.startswith("AML.T")], width)
    reading = [one for one in (topic.entries if topic else ()) if one in hub.entries]
    lines += _entries(hub, "Tools", [one for one in reading if hub.entries[one].kind == "tool"], width)
    lines += _entries(hub, "Further reading", [one for one in reading if hub.entries[one].kind != "tool"], width)
    return [*lines, "", f"[dim]the whole topic: shipworthy hub show {topic.page}[/]"] if topic else lines


def _section(heading: str, topic: Topic | None, width: int, *, colour: bool) -> list[str]:
    text = topic.section(heading) if topic else ""
    return ["", f"[bold]{said(heading)}[/]", *markdown(text, width, colour=colour)] if text else []


def _items(hub: Hub, title: str, ids: Iterable[str], width: int) -> list[str]:
    found = {item.page: item for one in ids if isinstance(item := hub.resolve(one), Item)}
    lines = []
    for item in found.values():
        lines += broken(
            f"  {said(item.id)}  {said(item.title)}  [dim]{said(hub.frameworks[item.framework].name)}[/]", width, 4
        )
    return ["", f"[bold]{said(title)}[/]", *lines] if lines else []


def _entries(hub: Hub, title: str, ids: Iterable[str], width: int) -> list[str]:
    found = [hub.entries[one] for one in ids if one in hub.entries]
    lines: list[str] = []
    for entry in found[:_MOST]:
        lines += broken(f"  {linked(hub, entry.page)}", width, 4)
        lines += [f"    {line}" for line in broken(said(entry.summary), width - 4)] if entry.summary else []
    more = [f"  [dim]and {len(found) - _MOST} more[/]"] if len(found) > _MOST else []
    return ["", f"[bold]{said(title)}[/]", *lines, *more] if lines else []
