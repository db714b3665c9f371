"""The pages of the site: for each its file, its template, and what the template is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shipworthy.hub.schema import KIND_TITLES, KINDS, use_of
from shipworthy.hub.seen import rules_about
from shipworthy.hub.things import Entry, Framework, Item, Path, Shelf, Topic
from shipworthy.look import visible
from shipworthy.model import Rule, Severity
from shipworthy.site.addresses import places
from shipworthy.site.coverage import STANDS, Coverage
from shipworthy.site.prose import Prose

if TYPE_CHECKING:
    from shipworthy.hub import Hub, Thing
    from shipworthy.site.things import Checked, Given

NAMES: Mapping[str, str] = {
    "topic": "Topic",
    "rule": "Rule",
    "stage": "Stage",
    "framework": "Framework",
    "item": "Control or risk",
    "path": "Learning path",
    **{kind: kind.replace("-", " ").capitalize() for kind in KINDS},
}
_READING = ("best-practice", "standard", "article", "tutorial", "course", "book", "talk", "paper")
_EVIDENCE = ("case-study", "dataset", "benchmark", "community")
_PAPERS = {"newcomer": "New to it", "ml-engineer": "I build models", "security-engineer": "I secure software",
           "researcher": "I do research"}  # fmt: skip
_FIXES = 16_000  # characters; more than that would make a topic's page too long to read
_GROUPS = {"external": "Other tools, as they report", "pipeline": "The pipeline itself"}
_ORDER = {severity: place for place, severity in enumerate(reversed(Severity))}
Page = tuple[str, str, dict[str, Any]]


def worst_first(rules: Iterable[Rule]) -> list[Rule]:
    """Rules by their severity, those of one severity by their titles."""
    return sorted(rules, key=lambda one: (_ORDER[one.severity], one.title.casefold()))


class Site:
    """All pages, made one after the other by `pages`."""

    def __init__(self, hub: Hub, given: Given) -> None:
        self.hub, self.given = hub, given
        stages = [f"pipeline/{one.name}-{stage.name}" for one in given.pipelines for stage in one.stages]
        self.places = places((*hub.things, *(f"kind/{kind}" for kind in KINDS), *stages))
        self.prose = Prose(lambda page: self.places.get(page, ""))
        self.coverage = Coverage(hub, given.checks)

    def href(self, page: str) -> str:
        """The file of a page id, from the site's folder."""
        return self.places[page]

    def line(self, thing: Thing, longest: int = 0) -> str:
        """One line about a thing."""
        if isinstance(thing, Entry):
            text = thing.summary or "Not described here yet."
        elif isinstance(thing, Rule):
            text = thing.description
        elif isinstance(thing, Shelf):
            text = thing.what
        elif isinstance(thing, Item):
            text = self.hub.frameworks[thing.framework].title
        elif isinstance(thing, Framework):
            text = f"{len(thing.items)} ids; {len(self.hub.rules_of(thing.page))} rules name one of them."
        else:
            text = thing.summary or "This page is not written yet."
        text = " ".join(visible(text).split())
        return text if not longest or len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"

    def name(self, page: str) -> str:
        """What a page is called in a list: its title, an item's id before it."""
        thing = self.hub.things[page]
        return f"{thing.id} {thing.title}" if isinstance(thing, Item) and len(thing.id) < 30 else thing.title

    def pages(self) -> Iterator[Page]:
        """Each page: its file, its template, the template's variables."""
        yield from self._roots()
        for page, thing in self.hub.things.items():
            kind = {Entry: "entry", Topic: "topic", Rule: "rule", Shelf: "shelf", Framework: "framework",
                    Item: "item", Path: "path"}[type(thing)]  # fmt: skip
            more = getattr(self, f"_{kind}")(thing)
            yield (
                self.places[page],
                f"{kind}.html.j2",
                {"page": page, "thing": thing, "title": self.name(page), "count": self.found(page), **more},
            )
        for kind in KINDS:
            entries = [one for one in self.hub.entries.values() if one.kind == kind]
            yield self.places[f"kind/{kind}"], "kind.html.j2", {
                "page": f"kind/{kind}", "title": KIND_TITLES[kind], "kind": kind, "entries": entries,
                "cut": 150 if len(entries) < 300 else 100,
            }  # fmt: skip
        for pipeline in self.given.pipelines:
            for number, stage in enumerate(pipeline.stages):
                yield self._pipeline_stage(pipeline, number, stage)

    def found(self, page: str) -> int:
        """How often the last run found something that a page is about."""
        found = self.given.found
        return sum(found.get(rule.id, 0) for rule in rules_about(self.hub, page)) if found else 0

    def _roots(self) -> Iterator[Page]:
        hub = self.hub
        yield "index.html", "home.html.j2", {
            "title": "Shipworthy hub", "counts": self.counts, "ways": _PAPERS,
            "recent": self.newest[:6],
        }  # fmt: skip
        yield "search.html", "search.html.j2", {"title": "Search", "counts": self.counts}
        yield "stages.html", "stages.html.j2", {"title": "Stages"}
        yield "catalogue.html", "catalogue.html.j2", {"title": "Catalogue", "counts": self.counts}
        yield "topics.html", "topics.html.j2", {"title": "Topics", "topics": list(hub.topics.values())}
        yield "rules.html", "rules.html.j2", {"title": "Rules", "groups": self._rule_groups()}
        frameworks = [(one, Counter(c.stands for c in self.coverage.of_framework(one)), hub.rules_of(one.page))
                      for one in sorted(hub.frameworks.values(), key=lambda one: one.title.casefold())]  # fmt: skip
        yield "frameworks.html", "frameworks.html.j2", {"title": "Frameworks", "frameworks": frameworks}
        yield "learn.html", "learn.html.j2", {"title": "Learn", "ways": _PAPERS}
        yield "new.html", "new.html.j2", {"title": "What is new", "days": self._days(100)}
        yield "404.html", "missing.html.j2", {"title": "No such page"}

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many entries there are of each kind."""
        found = Counter(one.kind for one in self.hub.entries.values())
        return {kind: found[kind] for kind in KIND_TITLES if found[kind]}

    @cached_property
    def newest(self) -> Sequence[Entry]:
        """Entries by the day on which they were added, newest first; of one day, what is from the latest year."""

        def age(one: Entry) -> tuple[str, str]:
            return (one.added, one.date or str(one.year or ""))

        entries = sorted(self.hub.entries.values(), key=lambda one: one.id)
        return sorted(entries, key=age, reverse=True)

    def _days(self, most: int) -> list[tuple[str, list[Entry], int]]:
        """The newest entries by the day on which they were added: the day, the entries, how many came on it in all."""
        every = Counter(one.added for one in self.newest)
        shown: dict[str, list[Entry]] = {}
        for one in self.newest[:most]:
            shown.setdefault(one.added, []).append(one)
        return [(day, entries, every[day]) for day, entries in shown.items()]

    def _rule_groups(self) -> list[tuple[str, list[Rule]]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.hub.rules.values():
            checks = self.coverage.checks_of(rule.id)
            category = checks[0].category if checks else "pipeline"
            found.setdefault(_GROUPS.get(category, category.capitalize()), []).append(rule)
        return sorted((name, worst_first(rules)) for name, rules in found.items())

    def shelves_of(self, page: str, kinds: Sequence[str], most: int) -> list[tuple[str, str, list[Entry], int]]:
        """Entries that are linked with a page, by kind: its id, its title, the first `most`, how many there are."""
        every = self.hub.entries_of(page)
        found = ((kind, [one for one in every if one.kind == kind]) for kind in kinds)
        return [(kind, KIND_TITLES[kind], some[:most], len(some)) for kind, some in found if some]

    def _reading(self, page: str, most: int = 8) -> dict[str, Any]:
        return {
            "tools": self.shelves_of(page, ("tool",), most * 2),
            "reading": self.shelves_of(page, _READING, most),
            "evidence": self.shelves_of(page, _EVIDENCE, most),
        }

    def items(self, ids: Sequence[str]) -> list[Item | Framework]:
        """What ids of frameworks mean, each once."""
        found = [one for name in ids if (one := self.hub.resolve(name)) is not None]
        return list({one.page: one for one in found}.values())

    def _entry(self, entry: Entry) -> dict[str, Any]:
        basis = entry.basis
        state = "" if entry.maintained == "not-applicable" else entry.maintained
        facts = [
            ("By", ", ".join(entry.authors[:30]), ""),
            ("Published", entry.date or str(entry.year or ""), ""),
            ("arXiv", entry.arxiv, ""),
            ("DOI", entry.doi, ""),
            ("Licence", entry.licence, basis.get("licence", "")),
            ("Language", entry.language, ""),
            ("Maintained", state, basis.get("maintained", "")),
            ("Level", entry.level, ""),
            ("Facts as of", basis.get("as-of", ""), ""),
            ("Added here", entry.added, ""),
        ]
        old = [self.hub.entries[one] for one in entry.superseded_by if one in self.hub.entries]
        topics = [f"topic/{one}" for one in entry.help if one in self.hub.topics]
        return {
            "facts": [fact for fact in facts if fact[1]],
            "use": use_of(entry.kind),
            "instead": old,
            "items": self.items((*entry.frameworks, *entry.techniques)),
            "topics": topics,
            "near": [one for one in self.hub.related(entry.page, 10) if one.page not in topics][:8],
        }

    def _topic(self, topic: Topic) -> dict[str, Any]:
        rules = worst_first(self.hub.rules_of(topic.page))
        cases = [self.hub.entries[one] for one in topic.case_studies if one in self.hub.entries]
        reading = self._reading(topic.page)
        sections: list[tuple[str, str, list[Rule]]] = [(one.heading, one.text, []) for one in topic.sections]
        if sum(len(fix) for fix in topic.fixes.values()) > _FIXES:  # the rules' own pages have them
            fixed = [rule for rule in rules if rule.id in topic.fixes]
            for place, (heading, text, _) in enumerate(sections):
                if heading == "How to fix it":
                    sections[place] = (heading, text.partition("\n### ")[0], fixed)
        return {
            "sections": sections,
            "rules": rules,
            "cases": cases,
            "items": self.items(topic.frameworks),
            "count": sum(self.given.found.get(rule.id, 0) for rule in rules),
            **reading,
        }

    def _rule(self, rule: Rule) -> dict[str, Any]:
        topic = self.hub.topics.get(rule.help)
        return {
            "topic": topic,
            "fix": topic.fix(rule.id) if topic else "",
            "own_fix": bool(topic and rule.id in topic.fixes),
            "checks": self.coverage.checks_of(rule.id),
            "items": self.items(rule.taxonomy),
            "count": self.given.found.get(rule.id, 0),
            **(self._reading(topic.page, 4) if topic else {"tools": (), "reading": (), "evidence": ()}),
        }

    def _shelf(self, shelf: Shelf) -> dict[str, Any]:
        titles = {f"{one.name}/{stage.name}": (f"pipeline/{one.name}-{stage.name}", f"{one.title}: {stage.title}")
                  for one in self.given.pipelines for stage in one.stages}  # fmt: skip
        return {
            "topics": [self.hub.topics[one.partition("/")[2]] for one in self.hub.topics_of(shelf.page)],
            "checks": self.checks_of(shelf, shelf.used_by),
            "items": self.items(shelf.techniques),
            "used": [titles[one] for one in shelf.used_by if one in titles],
            **self._reading(shelf.page, 12),
        }

    def checks_of(self, shelf: Shelf, stages: Sequence[str]) -> list[Checked]:
        """The checks that run in these stages of pipelines (`ml/scan`) and are about a shelf."""
        run = {name for stage in stages for name in self._runs.get(stage, ())}
        return [one for one in self.given.checks if one.name in run and shelf.has(one.name, one.category)]

    @cached_property
    def _runs(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the checks that run in each stage of the pipelines."""
        return {f"{one.name}/{stage.name}": stage.checks for one in self.given.pipelines for stage in one.stages}

    def _framework(self, framework: Framework) -> dict[str, Any]:
        covers = self.coverage.of_framework(framework)
        return {
            "covers": covers,
            "counts": Counter(cover.stands for cover in covers),
            "stands": STANDS,
            "before": self.hub.frameworks.get(framework.supersedes),
            "after": self.hub.frameworks.get(self.hub.frameworks_after.get(framework.id, "")),
            "entries": self.hub.entries_of(framework.page)[:12],
        }

    def _item(self, item: Item) -> dict[str, Any]:
        framework = self.hub.frameworks[item.framework]
        new = self.hub.frameworks_after.get(item.framework, "")
        cover = self.coverage.of(item)
        pages = [one for one in self.hub.links(item.page) if one.partition("/")[0] in ("topic", "stage")]
        return {
            "framework": framework,
            "cover": cover,
            "rules": worst_first(cover.rules),
            "parent": self.hub.resolve(f"{framework.id}/{item.parent}") if item.parent else None,
            "stands": STANDS,
            "now": self.hub.resolve(f"{new}/{item.now}") if item.now and new else None,
            "others": pages,
            **self._reading(item.page),
        }

    def _path(self, path: Path) -> dict[str, Any]:
        return {"steps": path.steps, "minutes": path.minutes}

    def _pipeline_stage(self, pipeline: Any, number: int, stage: Any) -> Page:
        shelves = [self.hub.shelves[one] for one in self.hub.pipelines.get(pipeline.name, {}).get(stage.name, ())]
        page = f"pipeline/{pipeline.name}-{stage.name}"
        shown = [(shelf, self.checks_of(shelf, (f"{pipeline.name}/{stage.name}",))) for shelf in shelves]
        named = {check.name for _, checks in shown for check in checks}
        return self.places[page], "pipeline.html.j2", {
            "page": page,
            "title": f"{stage.title}, {pipeline.title}",
            "pipeline": pipeline, "number": number, "stage": stage,
            "shelves": [(shelf, checks, self._reading(shelf.page, 4)) for shelf, checks in shown],
            "besides": [one for one in self.given.checks if one.name in stage.checks and one.name not in named],
        }  # fmt: skip
