"""What a query says besides its words: the kind of page that is wanted, an id whose rules are asked for; and what the
best answers tell: pages that a topic's page names, and entries about the same, answer too."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from shipworthy.hub.facets import Asked
from shipworthy.hub.things import Entry, Item
from shipworthy.hub.words import plain
from shipworthy.model import Rule

if TYPE_CHECKING:
    from shipworthy.hub.library import Hub

Scored = list[tuple[str, float]]

_LIKELIER = 4.0  # how much a kind counts that the query names
# How much a page that explains counts for a question.
EXPLAINS = {
    "topic": 2.0,
    "stage": 2.0,
    "best-practice": 1.3,
    "article": 1.3,
    "standard": 1.3,
    "framework": 1.3,
    "path": 1.5,
}
_LENT = 0.09  # the share of a topic's score that the pages have which it names
_LENDS = 3  # topics among the first so many pages lend to others
_ALIKE = 1.0  # how much it counts that an entry is about what the best answers are about
_OTHERS = 0.5  # how much of that pages have that are no entries
_OWED = 0.05  # the share of their scores that the first answers give to the topics that they are about
_AGAIN = 0.4  # how much a rule counts that another program's rule comes before
_FIRST, _LOOKED_AT, _SHARED = 10, 200, 0.15


def by_kind(scored: Scored, asked: Asked) -> Scored:
    """Pages of the kinds that a query names, and for a question those that explain, come sooner."""
    if not asked.likelier and not asked.question:
        return scored

    def factor(page: str) -> float:
        kind = page.partition("/")[0]
        if asked.likelier:
            return _LIKELIER if kind in asked.likelier else 1.0
        return EXPLAINS.get(kind, 1.0)

    return _sorted([(page, round(score * factor(page), 4)) for page, score in scored])


def of_the_topic(hub: Hub, scored: Scored) -> Scored:
    """Pages that the best topic pages name, and their rules, come sooner, if they have words of the query too."""
    lent: dict[str, float] = {}
    for page, score in scored[:_LENDS]:
        if page.startswith(("topic/", "item/", "stage/")):
            for other in hub.links(page):
                lent[other] = max(lent.get(other, 0.0), _LENT * score)
    if not lent:
        return scored
    return _sorted([(page, round(score + lent.get(page, 0.0), 4)) for page, score in scored])


def explained(hub: Hub, scored: Scored) -> Scored:
    """Topics that the best entries and rules are about come sooner, if they have words of the query too."""
    scores = dict(scored)
    for page, score in scored[:_FIRST]:
        thing = hub.things[page]
        named: tuple[str, ...] = (thing.help,) if isinstance(thing, Rule) else ()
        if isinstance(thing, Entry):
            named = (*thing.topics, *thing.help)
        for name in dict.fromkeys(named):
            if (topic := f"topic/{name}") in scores:
                scores[topic] = round(scores[topic] + _OWED * score, 4)
    return _sorted(list(scores.items()))


def once(hub: Hub, scored: Scored) -> Scored:
    """Of rules that say the same in the words of several programs, the best comes first and the others later."""
    seen: set[str] = set()
    found = []
    for page, score in scored:
        if page.startswith("rule/"):
            title = hub.things[page].title
            score *= _AGAIN if title in seen else 1.0
            seen.add(title)
        found.append((page, round(score, 4)))
    return _sorted(found)


def alike(hub: Hub, scored: Scored) -> Scored:
    """Entries that are about what the best answers are about come sooner: what topics, stages and ids these share, and
    others seldom have (feedback from the first answers, as in Rocchio's method)."""
    first = [(page, score) for page, score in scored[:_FIRST] if page.partition("/")[2] in hub.traits]
    if len(first) < 3:
        return scored
    shares: dict[str, float] = {}
    whole = sum(score for _, score in first) or 1.0
    for page, score in first:
        for trait in hub.traits[page.partition("/")[2]]:
            shares[trait] = shares.get(trait, 0.0) + score / whole
    count = len(hub.traits)
    worth = {
        trait: share * max(0.0, math.log(share * count / hub.trait_counts[trait]))
        for trait, share in sorted(shares.items())
        if share > _SHARED
    }
    near = {
        page: sum(worth.get(trait, 0.0) for trait in sorted(hub.traits[page.partition("/")[2]]))
        for page, _ in scored[:_LOOKED_AT]
        if page.partition("/")[2] in hub.traits
    }
    most = max(near.values(), default=0.0)
    if not most:
        return scored
    return _sorted(
        [(page, round(score * (1 + _ALIKE * near.get(page, _OTHERS * most) / most), 4)) for page, score in scored]
    )


def by_id(hub: Hub, scored: Scored, asked: Asked, among: frozenset[str] | None) -> Scored:
    """Whoever asks for the rules of an id gets it, the rules that have it, and what explains them."""
    if "rule" not in asked.likelier:
        return scored
    pieces = [piece.strip("\"'`,;?!()[]{}") for piece in asked.words.split()]
    items = {item.page: item for piece in pieces for item in _items(hub, piece)}
    if not items:
        return scored
    most = scored[0][1] if scored else 1.0
    scores = dict(scored)
    lists = [[f"rule/{rule.id}" for rule in hub.rules_of(page)] for page in items]
    rules = list(dict.fromkeys(page for pages in lists for page in pages))
    rules.sort(key=lambda page: (-scores.get(page, 0.0), page))
    often = Counter(f"topic/{hub.rules[page[5:]].help}" for page in rules)
    topics = sorted(often, key=lambda page: (-often[page], -scores.get(page, 0.0), page))
    first = [*list(items)[:1], *rules[:3], *topics[:1], *list(items)[1:], *rules[3:], *topics[1:]]
    for place, page in enumerate(page for page in first if page in hub.things and (among is None or page in among)):
        scores[page] = round(most * (2 - place / (len(first) + 1)), 4)
    return _sorted(list(scores.items()))


def _items(hub: Hub, name: str) -> list[Item]:
    if not any(char.isdigit() for char in plain(name)):
        return []
    found = hub.resolve(name) or hub.resolve(name.upper())
    return [found] if isinstance(found, Item) else list(hub.editions(name))


def _sorted(scored: Scored) -> Scored:
    return sorted(scored, key=lambda one: (-one[1], one[0]))
