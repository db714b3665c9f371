"""What is related to what: links that somebody made, then what two pages have in common; rare things count more."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from shipworthy.hub.things import Entry, Item, Topic
from shipworthy.model import Rule

if TYPE_CHECKING:
    from shipworthy.hub.library import Hub, Related


def related(hub: Hub, page: str, limit: int) -> tuple[Related, ...]:
    """The pages that are nearest to a page, strongest first."""
    from shipworthy.hub.library import Related

    weights: dict[str, float] = defaultdict(float)
    reasons: dict[str, str] = {}
    thing = hub.things[page]

    def add(other: str, weight: float, why: str) -> None:
        if other in hub.things and other != page:
            weights[other] += weight
            reasons.setdefault(other, why)

    for other, weight, why in _named(hub, page, thing):
        add(other, weight, why)
    mine = traits(thing)
    if mine:
        common = hub.trait_counts
        shared: dict[str, list[str]] = defaultdict(list)
        for trait in sorted(mine):
            for id_ in hub.entries_by_trait.get(trait, ()):
                shared[id_].append(trait)
        for id_, in_common in shared.items():
            if len(in_common) < 2:
                continue
            weight = sum(math.log(1 + 400 / common[trait]) for trait in in_common) / 4
            if weight > 1:
                entry = hub.entries[id_]
                words = sorted(in_common, key=lambda trait: (common[trait], trait))[:2]
                add(entry.page, weight - (1.5 if entry.superseded_by else 0), f"also about {_said(hub, words)}")
    ordered = sorted(weights, key=lambda other: (-weights[other], other))
    return tuple(Related(other, round(weights[other], 3), reasons[other]) for other in ordered[:limit])


def _named(hub: Hub, page: str, thing: Any) -> list[tuple[str, float, str]]:
    found: list[tuple[str, float, str]] = []
    if isinstance(thing, Entry):
        for one in thing.superseded_by:
            found.append((hub.entries[one].page, 20.0, "took its place"))
        for one in thing.supersedes:
            found.append((hub.entries[one].page, 12.0, "what it takes the place of"))
        for one in thing.related:
            found.append((hub.entries[one].page, 10.0, "named beside it"))
        for one in thing.help:
            found.append((f"topic/{one}", 6.0, "the topic that it belongs to"))
    if isinstance(thing, Rule):
        found.append((f"topic/{thing.help}", 12.0, "what it is, and how to fix it"))
    if isinstance(thing, Item) and thing.now:
        new = hub.resolve(f"{hub.frameworks_after.get(thing.framework, '')}/{thing.now}")
        found += [(new.page, 15.0, "what the next edition calls it")] if new else []
    shelves = 0.0 if isinstance(thing, Entry | Topic) else 2.0
    for other in hub.links(page):
        kind = other.partition("/")[0]
        weight = {"topic": 5.0, "stage": shelves, "item": 2.0, "rule": 1.0, "path": 1.0}.get(kind, 4.0)
        if weight:
            found.append((other, weight, "linked with it"))
    return found


def traits(thing: Any) -> frozenset[str]:
    """What a thing is about, by which it can be compared."""
    if isinstance(thing, Entry):
        frameworks = (*thing.frameworks, *thing.techniques)
        return frozenset(
            (
                *(f"#{t}" for t in thing.topics),
                *(f"?{h}" for h in thing.help),
                *(f"@{f}" for f in frameworks),
                *(f"/{s}" for s in thing.stages),
            )
        )
    if isinstance(thing, Topic):
        return frozenset((f"?{thing.id}", *(f"@{one}" for one in thing.frameworks), *(f"/{s}" for s in thing.stages)))
    return frozenset()


def _said(hub: Hub, traits: list[str]) -> str:
    said = []
    for trait in traits:
        name = trait[1:]
        if trait[0] == "#":
            said.append(hub.words[name].title.lower() if name in hub.words else name)
        elif trait[0] == "/":
            said.append(hub.shelves[name].title.lower())
        else:
            said.append(name)
    return " and ".join(said)
