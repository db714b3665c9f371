"""The hub as a whole: everything in it by page id, resolved framework ids, what is related to what, the search."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path as File
from typing import Any

from shipworthy.errors import UsageError
from shipworthy.hub import build, compiled, documents, facets, ranking, words
from shipworthy.hub.reader import FOLDER, Reading
from shipworthy.hub.search import Searcher, make_index, suggestions
from shipworthy.hub.things import Entry, Framework, Item, Path, Shelf, Topic
from shipworthy.model import Rule
from shipworthy.records import dataclass

Thing = Entry | Topic | Rule | Shelf | Framework | Item | Path


@dataclass(frozen=True)
class Hit:
    """An answer of the search: the page, its score (higher is better, comparable within one query), and the thing."""

    page: str
    score: float
    thing: Thing


@dataclass(frozen=True)
class Related:
    """A page that is related to another, how strongly (higher is more), and why."""

    page: str
    weight: float
    why: str


class Hub:
    """All of it; nothing changes. Mappings are by id, `things` by page id, in a fixed order."""

    def __init__(self, data: Mapping[str, Any], rules: Mapping[str, Rule], folder: File = FOLDER) -> None:
        self.rules = rules
        self.entries = build.entries(data)
        self.topics = build.topics(data, rules)
        self.frameworks = build.frameworks(data)
        self.shelves = build.shelves(data)
        self.paths = build.paths(data)
        self.words = build.words(data)
        self.asked: Mapping[str, list[str]] = data["asked"]
        self.pipelines: Mapping[str, Mapping[str, tuple[str, ...]]] = {
            name: {stage: tuple(has) for stage, has in of.items()} for name, of in data["pipelines"].items()
        }
        self.across: tuple[str, ...] = tuple(data["across"])
        self._index: Mapping[str, Any] | None = data.get("index")
        self.folder = folder
        self.items = {item.page: item for one in self.frameworks.values() for item in one.items}
        self.things: Mapping[str, Thing] = {
            **{one.page: one for one in self.topics.values()},
            **{one.page: one for one in self.shelves.values()},
            **{one.page: one for one in self.entries.values()},
            **{f"rule/{one.id}": one for one in rules.values()},
            **{one.page: one for one in self.frameworks.values()},
            **self.items,
            **{one.page: one for one in self.paths.values()},
        }

    def resolve(self, id_: str) -> Item | Framework | None:
        """The item (or framework) that an id means: `LLM03:2025`, `iso-42001-2023/A.5.2`, `owasp-llm-2025`. A bare id
        that several frameworks have is that of the one whose ids the others share; an id that a newer edition gave up
        is what came in its place. None if there is none."""
        if found := self._items_by_id.get(id_) or self._items_by_id.get(id_.removeprefix("item/")):
            return found
        return self.frameworks.get(id_.removeprefix("framework/"))

    @cached_property
    def _items_by_id(self) -> Mapping[str, Item]:
        found: dict[str, Item] = {}
        for framework in self.frameworks.values():
            for item in framework.items:
                found.setdefault(item.id, item)
                found[f"{framework.id}/{item.id}"] = item
        for framework in self.frameworks.values():
            for old, new in framework.aliases.items():
                found.setdefault(old, found[new])
        return found

    def editions(self, id_: str) -> tuple[Item, ...]:
        """The items of every edition whose id begins so: `LLM03` is LLM03:2025 and LLM03:2026. Case does not count."""
        low = id_.lower()
        return tuple(i for i in self.items.values() if i.id.lower() == low or i.id.lower().startswith(f"{low}:"))

    def page(self, name: str) -> str:
        """The page id that a name means: a page id, or the id of an entry, topic, rule, stage, framework, item or path.
        Raises UsageError, with what is near, when there is none or when it means several."""
        if name in self.things:
            return name
        found = [f"{kind}/{name}" for kind in ("topic", "stage", "path", "rule") if f"{kind}/{name}" in self.things]
        if name in self.entries:
            found.append(self.entries[name].page)
        if not found and (item := self.resolve(name)):
            found.append(item.page)
        found = found or [item.page for item in self.editions(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"`{name[:100]}` means several things", remedy=f"one of {', '.join(found)}")
        near = suggestions(name[:100], [*self.entries, *self.topics, *self.shelves, *self.rules])
        told = f"near: {', '.join(near)}" if near else "`shipworthy hub search WORDS` looks for it"
        raise UsageError(f"the hub has nothing of the id `{name[:100]}`", remedy=told)

    def links(self, page: str) -> tuple[str, ...]:
        """The pages that a page's own text or data name, and those that name it, in a fixed order."""
        return tuple(self._links.get(page, ()))

    @cached_property
    def _links(self) -> Mapping[str, Mapping[str, None]]:
        found: dict[str, dict[str, None]] = defaultdict(dict)

        def link(one: str, others: Iterable[str]) -> None:
            for other in others:
                if other in self.things and other != one:
                    found[one][other] = None
                    found[other][one] = None

        for topic in self.topics.values():
            link(topic.page, (*self._entries((*topic.entries, *topic.case_studies)), *self._items(topic.frameworks)))
            link(topic.page, (f"stage/{stage}" for stage in topic.stages))
        for rule in self.rules.values():
            link(f"rule/{rule.id}", (f"topic/{rule.help}", *self._items(rule.taxonomy)))
        for entry in self.entries.values():
            named = self._entries((*entry.superseded_by, *entry.supersedes, *entry.related))
            link(entry.page, (*named, *(f"topic/{one}" for one in entry.help)))
            link(
                entry.page,
                (*self._items((*entry.frameworks, *entry.techniques)), *(f"stage/{s}" for s in entry.stages)),
            )
        for shelf in self.shelves.values():
            link(shelf.page, self._items(shelf.techniques))
        for path in self.paths.values():
            link(path.page, (page for step in path.steps for page in step.pages))
        for framework in self.frameworks.values():
            for item in framework.items:
                new = self.frameworks_after.get(framework.id)
                if item.now and new:
                    link(item.page, self._items((f"{new}/{item.now}",)))
        return found

    @cached_property
    def frameworks_after(self) -> Mapping[str, str]:
        """The framework that supersedes another, by the id of the old one."""
        return {one.supersedes: one.id for one in self.frameworks.values() if one.supersedes}

    def _entries(self, ids: Iterable[str]) -> list[str]:
        return [self.entries[one].page for one in ids if one in self.entries]

    def _items(self, ids: Iterable[str]) -> list[str]:
        return [found.page for one in ids if (found := self.resolve(one))]

    def rules_of(self, page: str) -> tuple[Rule, ...]:
        """The rules that a page is about: of a topic, those that name it; of an item, those that have it in their
        taxonomy, or an item below it; of a framework, those of its items."""
        thing = self.things[page]
        if isinstance(thing, Rule):
            return (thing,)
        if isinstance(thing, Topic):
            return tuple(rule for rule in self.rules.values() if rule.help == thing.id)
        if isinstance(thing, Framework):
            wanted = {item.page for item in thing.items}
        elif isinstance(thing, Item):
            wanted = {
                page,
                *(item.page for item in self.frameworks[thing.framework].items if _below(item.id, thing.id)),
            }
        else:
            return ()
        return tuple(rule for rule in self.rules.values() if wanted.intersection(self._items(rule.taxonomy)))

    def entries_of(self, page: str, kind: str = "") -> tuple[Entry, ...]:
        """The entries that are linked with a page, those of one kind if given: living ones first, then those
        for which it comes first, then those that most is linked with."""
        found = [thing for one in self.links(page) if isinstance(thing := self.things[one], Entry)]
        chosen = [entry for entry in found if not kind or entry.kind == kind]
        stage = page.partition("/")[2] if page.startswith("stage/") else ""

        def place(one: Entry) -> int:
            return min(2, one.stages.index(stage)) if stage in one.stages else 0

        def known(one: Entry) -> int:
            return -len(self.links(one.page))

        return tuple(sorted(chosen, key=lambda one: (_rank(one), place(one), known(one), one.title.casefold(), one.id)))

    def topics_of(self, page: str) -> tuple[str, ...]:
        """The topics that are linked with a page; of a stage, those first that belong to it before all others."""
        found = [one for one in self.links(page) if one.startswith("topic/")]
        stage = page.partition("/")[2] if page.startswith("stage/") else ""

        def place(one: str) -> int:
            stages = self.topics[one.partition("/")[2]].stages
            return stages.index(stage) if stage in stages else 0

        return tuple(sorted(found, key=place))

    def related(self, page: str, limit: int = 12) -> tuple[Related, ...]:
        """What somebody who looks at a page may want next, strongest first."""
        from shipworthy.hub.nearness import related

        return related(self, page, limit)

    @cached_property
    def traits(self) -> Mapping[str, frozenset[str]]:
        """What each entry is about, by its id: topics, stages, framework ids."""
        from shipworthy.hub.nearness import traits

        return {entry.id: traits(entry) for entry in self.entries.values()}

    @cached_property
    def trait_counts(self) -> Mapping[str, int]:
        """How many entries have a trait: what is rare tells more."""
        return Counter(trait for own in self.traits.values() for trait in sorted(own))

    @cached_property
    def entries_by_trait(self) -> Mapping[str, Sequence[str]]:
        """The ids of the entries that have a trait."""
        found: dict[str, list[str]] = defaultdict(list)
        for id_, own in self.traits.items():
            for trait in own:
                found[trait].append(id_)
        return found

    def search(self, query: str, given: Mapping[str, tuple[str, ...]] | None = None, limit: int = 20) -> list[Hit]:
        """The pages that answer a query, best first. `given` are facets by name (`facets.NAMES`), each with the values
        of which one must hold. Without words: all that has the facets, what most is linked with first. Raises
        UsageError for a facet's value that cannot be one."""
        asked = facets.read(query, given or {})
        among = frozenset(self.having(asked.facets)) if asked.facets else None
        if not asked.words.strip():
            return [Hit(page, 0.0, self.things[page]) for page in self.in_order(among or ())[:limit]]
        scored = self.searcher.scores(asked.words, among, asked.light)
        scored = ranking.by_kind(scored, asked)
        scored = ranking.alike(self, ranking.of_the_topic(self, scored))
        scored = ranking.once(self, ranking.explained(self, scored))
        scored = ranking.by_id(self, scored, asked, among)
        return [Hit(page, score, self.things[page]) for page, score in self._followed(scored, among)[:limit]]

    def in_order(self, pages: Iterable[str]) -> list[str]:
        """The order of pages when no words are asked for: what most is linked with first."""
        return sorted(pages, key=lambda page: (-len(self.links(page)), _title(self.things[page]), page))

    def _followed(self, scored: list[tuple[str, float]], among: frozenset[str] | None) -> list[tuple[str, float]]:
        """The answers, each that has a successor followed by it: who asks for the old one should see the new one."""
        scores = dict(scored)
        for page, score in scored[:5]:
            thing = self.things[page]
            for new in self._entries(thing.superseded_by) if isinstance(thing, Entry) else ():
                if among is None or new in among:
                    scores[new] = max(scores.get(new, 0.0), round(score * 0.9, 4))
        return sorted(scores.items(), key=lambda one: (-one[1], one[0]))

    @cached_property
    def searcher(self) -> Searcher:
        """The search's engine, over the compiled index."""
        return Searcher(self.index, words.synonyms(self.folder))

    @cached_property
    def index(self) -> Mapping[str, Any]:
        """The search's index, as `search.make_index` makes it."""
        return self._index or make_index(documents.of(self))

    def having(self, wanted: Iterable[tuple[str, tuple[str, ...]]]) -> list[str]:
        """The pages that have every one of these facets."""
        found = list(self.things)
        for name, values in wanted:
            holds = documents.holds(self, name, values)
            found = [page for page in found if holds(page, self.things[page])]
        return found


def _below(item: str, parent: str) -> bool:
    """Is it a part of the other: AML.T0010.001 of AML.T0010, AISVS C6.1 of AISVS C6, SC-12(1) of SC-12?"""
    return len(item) > len(parent) and item.startswith(parent) and item[len(parent)] in ".("


def _rank(entry: Entry) -> int:
    return 2 * (entry.maintained in ("archived", "dormant") or bool(entry.superseded_by)) + (not entry.summary)


def _kind(page: str) -> str:
    return page.partition("/")[0]


def _title(thing: Thing) -> str:
    return thing.title


def load(rules: Mapping[str, Rule], folder: File = FOLDER) -> Hub:
    """The hub: its files and these rules, by way of what is compiled of them. Raises UsageError for a broken file."""

    def make() -> dict[str, Any]:
        reading = Reading(folder)
        problems = [*reading.problems, *build.lost(reading.data, rules)]
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise UsageError(f"the hub's files are wrong: {problems[0]}{more}", remedy=problems[0].remedy)
        data = reading.data
        return {**data, "index": make_index(documents.of(Hub(data, rules, folder)))}

    return Hub(compiled.through(folder, rules, make), rules, folder)
