"""What the search reads of each page, and which facets a page has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from shipworthy.hub.facets import in_years
from shipworthy.hub.search import Doc
from shipworthy.hub.things import Entry, Framework, Item, Path, Shelf, Topic
from shipworthy.model import Rule
from shipworthy.patterns import regex

if TYPE_CHECKING:
    from shipworthy.hub.library import Hub

_CODE = regex(r"(?ms)^[ ]{0,3}(```|~~~).*?^[ ]{0,3}\1[`~]*[ ]*$")


def of(hub: Hub) -> Sequence[Doc]:
    """Every page as a document."""
    return tuple(_doc(hub, page, thing) for page, thing in hub.things.items())


def _doc(hub: Hub, page: str, thing: Any) -> Doc:
    fields = dict(_fields(hub, thing))
    fields["also"] = " | ".join(hub.asked.get(page, ()))
    named = sum(not other.startswith("stage/") for other in hub.links(page))
    weight = 1 + 0.08 * math.log2(1 + named) + 0.08 * bool(getattr(thing, "original_list", False))
    if isinstance(thing, Entry) and (thing.superseded_by or thing.maintained in ("archived", "dormant")):
        weight *= 0.8
    return Doc(page, thing.title, {name: text for name, text in fields.items() if text}, weight)


def _fields(hub: Hub, thing: Any) -> Iterator[tuple[str, str]]:
    yield "title", thing.title
    if isinstance(thing, Entry):
        yield from _of_entry(hub, thing)
    elif isinstance(thing, Topic):
        yield "slug", thing.id
        yield "ids", " ".join(thing.frameworks)
        yield "summary", thing.summary
        rules = " ".join(rule.title for rule in hub.rules_of(thing.page))
        yield "body", " ".join((rules, *(_CODE.sub(" ", section.text) for section in thing.sections)))
    elif isinstance(thing, Rule):
        yield "slug", thing.id
        yield "ids", " ".join(thing.taxonomy)
        yield "labels", thing.help.replace("-", " ")
        yield "body", " ".join((thing.description, thing.remedy, *hub.asked.get(f"topic/{thing.help}", ())))
    elif isinstance(thing, Shelf):
        yield "slug", thing.id
        yield "summary", thing.what
        yield "body", " ".join((thing.why, *thing.threats))
    elif isinstance(thing, Framework):
        yield "slug", thing.id
        yield "labels", "framework standard"
        yield "summary", thing.title
    elif isinstance(thing, Item):
        yield "ids", f"{thing.id} {thing.id.partition(':')[0]}" if ":" in thing.id else thing.id
        yield "labels", hub.frameworks[thing.framework].name
        yield "note", thing.was
    elif isinstance(thing, Path):
        yield "slug", thing.id
        yield "summary", thing.summary
        yield "body", " ".join(f"{step.heading} {step.text}" for step in thing.steps)


def _of_entry(hub: Hub, entry: Entry) -> Iterator[tuple[str, str]]:
    items = [found for one in entry.frameworks if (found := hub.resolve(one))]
    yield "slug", entry.id
    ids = (entry.arxiv, entry.doi, *entry.frameworks, *entry.techniques)
    yield "ids", " ".join(one for one in ids if one)
    labels = [hub.words[word].title for word in entry.topics if word in hub.words]
    labels += [hub.shelves[stage].title for stage in entry.stages if stage in hub.shelves]
    labels += [item.title for item in items]
    yield "labels", " ".join((*labels, entry.kind.replace("-", " ")))
    yield "summary", entry.summary
    yield "use", entry.use_when
    yield "note", " ".join((entry.note, entry.language, entry.licence, *entry.authors))


def holds(hub: Hub, name: str, values: tuple[str, ...]) -> Callable[[str, Any], bool]:
    """Has a page this facet, with one of these values?"""
    if name == "kind":
        return lambda page, _thing: page.partition("/")[0] in values
    if name == "year":
        years = [in_years(value) for value in values]
        return lambda _page, thing: bool(getattr(thing, "year", None)) and any(one(thing.year) for one in years)
    if name == "framework":
        return _of_framework(hub, values)
    if name in ("stage", "topic", "pipeline"):
        return lambda _page, thing: _has(hub, thing, name, values)
    low = tuple(value.lower() for value in values)
    return lambda _page, thing: str(getattr(thing, name, "") or "").lower() in low


def _has(hub: Hub, thing: Any, name: str, values: tuple[str, ...]) -> bool:
    own: tuple[str, ...] = ()
    if isinstance(thing, Entry):
        own = {"stage": thing.stages, "topic": (*thing.topics, *thing.help), "pipeline": thing.pipeline}[name]
    elif isinstance(thing, Topic):
        own = {"stage": thing.stages, "topic": (thing.id,), "pipeline": ()}[name]
    elif isinstance(thing, Rule):
        topic = hub.topics.get(thing.help)
        own = {"stage": topic.stages if topic else (), "topic": (thing.help,), "pipeline": ()}[name]
    elif isinstance(thing, Shelf):
        used = tuple(dict.fromkeys(one.partition("/")[0] for one in thing.used_by))
        own = {"stage": (thing.id,), "topic": (), "pipeline": used}[name]
    return any(value in own for value in values)


def _of_framework(hub: Hub, values: tuple[str, ...]) -> Callable[[str, Any], bool]:
    pages: set[str] = set()
    for value in values:
        found = hub.resolve(value)
        named = [found] if found else list(hub.editions(value))
        for one in named:
            pages |= {one.page} | ({item.page for item in one.items} if isinstance(one, Framework) else set())
    return lambda page, thing: (
        page in pages
        or any(
            (found := hub.resolve(one)) is not None and found.page in pages
            for attribute in ("frameworks", "techniques", "taxonomy")
            for one in getattr(thing, attribute, ())
        )
    )
