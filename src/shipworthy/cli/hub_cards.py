"""How the hub's pages look in a terminal: lines of markup for `rich`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from shipworthy.cli.hub import console
from shipworthy.cli.hub_checks import of_shelf as checks_of_shelf
from shipworthy.cli.hub_text import broken, markdown, said
from shipworthy.hub.schema import KIND_TITLES, use_of
from shipworthy.hub.things import Entry, Framework, Item, Path, Shelf, Topic
from shipworthy.model import Rule

if TYPE_CHECKING:
    from shipworthy.hub import Hub, Thing


def line_of(hub: Hub, thing: Thing) -> str:
    """One line about a thing."""
    if isinstance(thing, Entry):
        return thing.summary or "nobody has described it here yet"
    if isinstance(thing, Rule):
        return thing.description
    if isinstance(thing, Shelf):
        return thing.what
    if isinstance(thing, Item):
        return hub.frameworks[thing.framework].title
    if isinstance(thing, Framework):
        return f"{len(thing.items)} ids"
    return thing.summary or f"{len(hub.rules_of(thing.page))} rules; its page is not written yet"


def linked(hub: Hub, page: str) -> str:
    """A page's id and title; in terminals that can, the title leads to its address."""
    thing = hub.things[page]
    title = said(thing.title)
    url = getattr(thing, "url", "")
    if url and "]" not in url and "[" not in url:
        title = f"[link={url}]{title}[/link]"
    return f"[bold]{title}[/]  [dim]{said(page)}[/]{_state(thing)}"


def _state(thing: Thing) -> str:
    if not isinstance(thing, Entry):
        return ""
    if thing.superseded_by:
        return f"  [yellow]superseded by {', '.join(thing.superseded_by)}[/]"
    return f"  [yellow]{thing.maintained}[/]" if thing.maintained in ("archived", "dormant") else ""


def hit_lines(hub: Hub, page: str) -> list[str]:
    """An answer of the search."""
    thing = hub.things[page]
    year = f"  {thing.year}" if isinstance(thing, Entry) and thing.year else ""
    return [linked(hub, page) + year, f"  {said(_short(line_of(hub, thing)))}"]


def _short(text: str, longest: int = 300) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _heading(text: str) -> list[str]:
    return ["", f"[bold]{said(text)}[/]"]


def _list(hub: Hub, title: str, pages: Sequence[str], most: int = 0) -> list[str]:
    if not pages:
        return []
    shown = pages[:most] if most else pages
    more = [f"  [dim]and {len(pages) - len(shown)} more[/]"] if len(shown) < len(pages) else []
    return [*_heading(title), *(f"  {linked(hub, page)}" for page in shown), *more]


def _ids(hub: Hub, title: str, ids: Iterable[str]) -> list[str]:
    found = [f"  {said(one)}  {said(item.title)}" for one in ids if (item := hub.resolve(one))]
    return [*_heading(title), *found] if found else []


def _facts(facts: Iterable[tuple[str, str]]) -> list[str]:
    kept = [(name, value) for name, value in facts if value]
    width = max((len(name) for name, _ in kept), default=0)
    return [f"[dim]{name:<{width}}[/]  {said(value)}" for name, value in kept]


def card(hub: Hub, page: str, *, everything: bool = True) -> list[str]:
    """A page, whatever it is."""
    thing = hub.things[page]
    if isinstance(thing, Entry):
        return of_entry(hub, thing)
    if isinstance(thing, Topic):
        return of_topic(hub, thing)
    if isinstance(thing, Rule):
        return of_rule(hub, thing)
    if isinstance(thing, Shelf):
        return of_shelf(hub, thing, everything=everything)
    if isinstance(thing, Framework):
        return of_framework(hub, thing)
    if isinstance(thing, Item):
        return of_item(hub, thing)
    return of_path(hub, thing)


def of_entry(hub: Hub, entry: Entry) -> list[str]:
    """An entry: what it is and when it is of use, its state before all else, its facts with where they come from."""
    lines = [
        linked(hub, entry.page),
        f"[link={entry.url}]{said(entry.url)}[/link]" if "[" not in entry.url else said(entry.url),
    ]
    if entry.maintained in ("archived", "dormant") or entry.superseded_by:
        instead = f"; use {', '.join(entry.superseded_by)}" if entry.superseded_by else ""
        lines += ["", f"[yellow]It is {entry.maintained.replace('unknown', 'superseded')}{instead}.[/]"]
    lines += ["", said(entry.summary or "Nobody has described it here yet.")]
    if entry.use_when:
        lines.append(f"{use_of(entry.kind)} {said(entry.use_when)}")
    if entry.note and entry.note not in entry.summary:
        lines.append(f"Note: {said(entry.note)}")
    if entry.disclosure:
        lines.append(f"Disclosure: {said(entry.disclosure)}")
    basis = entry.basis
    state = "" if entry.maintained == "not-applicable" else _based(entry.maintained, basis.get("maintained", ""))
    year = str(entry.year or "")
    lines += ["", *_facts((
        ("by", ", ".join(entry.authors)),
        ("published", entry.date or year),
        ("arXiv", entry.arxiv),
        ("DOI", entry.doi),
        ("licence", _based(entry.licence, basis.get("licence", ""))),
        ("language", entry.language),
        ("maintained", state),
        ("level", entry.level),
        ("stages", ", ".join(entry.stages)),
        ("about", ", ".join(hub.words[word].title.lower() for word in entry.topics if word in hub.words)),
        ("facts of", basis.get("as-of", "")),
        ("added", entry.added),
        ("also at", ", ".join(entry.aliases)),
    ))]  # fmt: skip
    lines += _ids(hub, "Frameworks", entry.frameworks)
    lines += _ids(hub, "Techniques", entry.techniques)
    near = [f"  {linked(hub, one.page)}  [dim]{said(one.why)}[/]" for one in hub.related(entry.page, 8)]
    return [*lines, *_heading("Related"), *near] if near else lines


def _based(value: str, basis: str) -> str:
    return f"{value} ({basis})" if value and basis else value


def of_topic(hub: Hub, topic: Topic) -> list[str]:
    """A topic: its text, its rules, its reading."""
    lines = [linked(hub, topic.page)]
    lines += ["", said(topic.summary)] if topic.summary else ["", "[dim]This page is not written yet.[/]"]
    for section in topic.sections:
        lines += [*_heading(section.heading), *markdown(section.text, console().width, colour=sys.stdout.isatty())]
    lines += _list(hub, "Rules", [f"rule/{rule.id}" for rule in hub.rules_of(topic.page)])
    lines += _ids(hub, "Controls and techniques", topic.frameworks)
    return lines + _shelves_of_entries(hub, topic.page, most=8)


def _shelves_of_entries(hub: Hub, page: str, most: int) -> list[str]:
    lines: list[str] = []
    for kind, title in KIND_TITLES.items():
        lines += _list(hub, title, [entry.page for entry in hub.entries_of(page, kind)], most)
    return lines


def of_rule(hub: Hub, rule: Rule) -> list[str]:
    """A rule: why it matters, what to do, and its topic."""
    lines = [linked(hub, f"rule/{rule.id}"), f"severity {rule.severity.value}, confidence {rule.confidence.value}"]
    lines += ["", said(rule.description), *_heading("What to do"), said(rule.remedy)]
    topic = hub.topics.get(rule.help)
    if topic and (fix := topic.fixes.get(rule.id)):
        lines += ["", *markdown(fix, console().width, colour=sys.stdout.isatty())]
    lines += _ids(hub, "Controls and techniques", rule.taxonomy)
    return lines + (_list(hub, "Topic", [topic.page]) if topic else [])


def of_shelf(hub: Hub, shelf: Shelf, *, everything: bool = False) -> list[str]:
    """A shelf: what, why, threats, checks, topics, tools and reading."""
    lines = [linked(hub, shelf.page), f"[dim]{said(', '.join(shelf.used_by) or 'across all stages')}[/]", ""]
    lines += [said(shelf.what), said(shelf.why), *_heading("What goes wrong")]
    lines += [f"  {said(threat)}" for threat in shelf.threats]
    lines += _ids(hub, "Risks, controls and techniques", shelf.techniques)
    checks = checks_of_shelf(shelf)
    lines += [*_heading(f"Checks ({len(checks)})"), *(f"  {one.name}  [dim]{said(one.summary)}[/]" for one in checks)]
    lines += ["  none of ours"] if not checks else []
    lines += _list(hub, "Topics of the checks", hub.topics_of(shelf.page))
    return lines + _shelves_of_entries(hub, shelf.page, most=0 if everything else 8)


def of_framework(hub: Hub, framework: Framework) -> list[str]:
    """A framework: its ids, and how many rules give evidence for each."""
    lines = [linked(hub, framework.page), said(framework.url), ""]
    lines += _facts(
        (
            ("date", framework.date),
            ("source", framework.source),
            ("note", framework.note),
            ("state", "" if framework.verified else "not verified: second-hand"),
            ("supersedes", framework.supersedes),
            ("superseded by", hub.frameworks_after.get(framework.id, "")),
        )
    )
    lines.append("")
    for item in framework.items:
        count = len(hub.rules_of(item.page))
        told = f"{count} rules" if count != 1 else "1 rule"
        lines.append(f"  {said(item.id)}  {said(item.title)}  [dim]{told if count else 'no rule'}[/]")
    return lines


def of_item(hub: Hub, item: Item) -> list[str]:
    """A control, risk or technique: the checks' rules that give evidence, the entries about it."""
    framework = hub.frameworks[item.framework]
    lines = [f"[bold]{said(item.id)}  {said(item.title)}[/]  [dim]{said(item.page)}[/]", said(framework.title)]
    lines += ["[dim]It has a sentence, no title: the title is in our words.[/]"] if item.own_title else []
    if item.now:
        new = hub.resolve(f"{hub.frameworks_after.get(framework.id, '')}/{item.now}")
        lines.append(
            f"in {said(hub.frameworks[new.framework].title)}: {said(new.id)} {said(new.title)}"
            if isinstance(new, Item)
            else ""
        )
    lines += _facts(
        (("before", item.was), ("baselines", ", ".join(item.baselines)), ("tactics", ", ".join(item.tactics)))
    )
    rules = hub.rules_of(item.page)
    lines += _list(hub, f"Rules that give evidence ({len(rules)})", [f"rule/{rule.id}" for rule in rules])
    lines += _evidence(item)
    if not rules:
        lines += ["", "No rule of the checks names it."]
    pages = [page for page in hub.links(item.page) if page.partition("/")[0] in ("topic", "stage", "item")]
    lines += _list(hub, "Pages", pages)
    return lines + _shelves_of_entries(hub, item.page, most=10)


def _evidence(item: Item) -> list[str]:
    """What else a run records of a control, and what is left to a person: as reports say it."""
    from shipworthy.compliance import control
    from shipworthy.compliance import said as in_words

    found = control(item.framework, item.id)
    if found is None:
        return []
    width = console().width
    terms = dict.fromkeys((*found.evidence, *found.dev))
    told = [f"  {said(in_words(term))}" for term in terms]
    shown = [*_heading("What a run records of it"), *told] if told else []
    return [*shown, *_heading("Left to a person"), *(f"  {line}" for line in broken(said(found.person), width - 2))]


def of_path(hub: Hub, path: Path) -> list[str]:
    """A learning path: its steps, with about how long each takes, and a sentence on each page."""
    width = console().width
    lines = [
        f"[bold]{said(path.title)}[/]  [dim]{said(path.page)}[/]  about {hours(path.minutes)}",
        "",
        *broken(said(path.summary), width),
    ]
    for number, step in enumerate(path.steps, 1):
        lines += [
            "",
            f"[bold]{number}. {said(step.heading)}[/]  [dim]{hours(step.minutes)}[/]",
            *(f"   {line}" for line in markdown(step.text, width - 3)),
        ]
        for page in step.pages:
            lines += [f"   {line}" for line in broken(linked(hub, page), width - 3, 2)]
            lines += [f"     [dim]{line}[/]" for line in broken(said(_first(hub, hub.things[page])), width - 5)]
    pages = [page for step in path.steps for page in step.pages]
    opened = next((page for page in pages if page.startswith("topic/")), pages[0] if pages else "")
    return [*lines, "", f"[dim]each page: shipworthy hub show ID, such as {said(opened)}[/]"] if opened else lines


def _first(hub: Hub, thing: Thing) -> str:
    """A sentence about a thing: when an entry is of use, or the first of what is said of it."""
    if isinstance(thing, Entry) and thing.use_when:
        return f"{use_of(thing.kind)} {thing.use_when}"
    text = line_of(hub, thing)
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def hours(minutes: int) -> str:
    """A time as people say it."""
    return f"{minutes} minutes" if minutes < 90 else f"{minutes / 60:.0f} hours"


def as_data(hub: Hub, page: str) -> dict[str, Any]:
    """A page as data: its fields, and what is linked with it."""
    from dataclasses import asdict

    thing = hub.things[page]
    return {
        "page": page,
        **asdict(thing),
        "rules": [rule.id for rule in hub.rules_of(page)],
        "linked": list(hub.links(page)),
    }
