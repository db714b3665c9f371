"""Plain data to things, and what refers to nothing: ids of entries, stages, topics, items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shipworthy.hub.things import Entry, Framework, Item, Path, Problem, Section, Shelf, Step, Topic, Word
from shipworthy.model import Rule

Plain = Mapping[str, Any]


def _fields(given: Plain) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def entries(data: Plain) -> dict[str, Entry]:
    """By id, ordered by title."""
    made = [Entry(**_fields(one)) for one in data["entries"]]
    return {one.id: one for one in sorted(made, key=lambda one: (one.title.casefold(), one.id))}


def topics(data: Plain, rules: Mapping[str, Rule]) -> dict[str, Topic]:
    """By id. A `help` id of a rule that has no page yet is a topic with nothing but its name."""
    made = {}
    for one in data["topics"]:
        sections = tuple(Section(**section) for section in one["sections"])
        made[one["id"]] = Topic(**{**_fields(one), "sections": sections})
    for rule in rules.values():
        if rule.help and rule.help not in made:
            made[rule.help] = Topic(rule.help, rule.help.replace("-", " ").capitalize())
    return dict(sorted(made.items()))


def frameworks(data: Plain) -> dict[str, Framework]:
    """By id, in the order in which a bare id is looked up: those first whose ids others share."""
    given = sorted(data["frameworks"], key=lambda one: ("shares_ids_with" in one, one["id"]))
    later = {
        (framework.get("supersedes"), old): new for framework in given for old, new in framework["aliases"].items()
    }
    taken: set[str] = set()
    made = {}
    for one in given:
        items = []
        for item in one["items"]:
            page = f"item/{item['id']}" if item["id"] not in taken else f"item/{one['id']}/{item['id']}"
            now = later.get((one["id"], item["id"]), "")
            items.append(Item(framework=one["id"], page=page, now=now, **_fields(item)))
        taken |= {item["id"] for item in one["items"]}
        made[one["id"]] = Framework(**{**_fields(one), "items": tuple(items)})
    return made


def shelves(data: Plain) -> dict[str, Shelf]:
    """By id, in the order of the pipelines."""
    return {one["id"]: Shelf(**_fields(one)) for one in data["shelves"]}


def paths(data: Plain) -> dict[str, Path]:
    """By id."""
    return {
        one["id"]: Path(**{**one, "steps": tuple(Step(**_fields(step)) for step in one["steps"])})
        for one in data["paths"]
    }


def words(data: Plain) -> dict[str, Word]:
    """By id, in the file's order."""
    return {one["id"]: Word(**one) for one in data["words"]}


def lost(data: Plain, rules: Mapping[str, Rule]) -> list[Problem]:
    """What refers to something that is not there."""
    known = _Known(data, rules)
    return [*_lost_of_entries(data, known), *_lost_of_pages(data, known)]


class _Known:
    def __init__(self, data: Plain, rules: Mapping[str, Rule]) -> None:
        self.entries = {one["id"] for one in data["entries"]}
        self.pages = {f"{one['kind']}/{one['id']}" for one in data["entries"]}
        self.shelves = {one["id"] for one in data["shelves"]}
        self.words = {one["id"] for one in data["words"]}
        self.topics = {one["id"] for one in data["topics"]} | {rule.help for rule in rules.values()}
        self.items = {item["id"] for one in data["frameworks"] for item in one["items"]}
        self.items |= {f"{one['id']}/{item['id']}" for one in data["frameworks"] for item in one["items"]}
        self.frameworks = {one["id"] for one in data["frameworks"]}
        self.rules = rules

    def page(self, page: str) -> bool:
        kind, _, name = page.partition("/")
        own = {"topic": self.topics, "stage": self.shelves, "framework": self.frameworks, "item": self.items}
        return page in self.pages or name in own.get(kind, ()) or (kind == "rule" and name in self.rules)


def _missing(
    file: str, key: str, given: Iterable[str], there: Iterable[str], what: str, remedy: str = ""
) -> list[Problem]:
    import difflib

    there = set(there) if not isinstance(there, set) else there
    found = []
    for one in given:
        if one not in there:
            near = difflib.get_close_matches(one, sorted(there), 1, 0.7)
            told = f"did you mean `{near[0]}`?" if near else remedy or "correct it, or leave it out"
            found.append(Problem(file, key, f"there is no {what} `{one}`", told))
    return found


def _lost_of_entries(data: Plain, known: _Known) -> list[Problem]:
    found: list[Problem] = []
    for one in data["entries"]:
        file = f"catalogue/{one['kind']}/{one['id']}.toml"
        for key, there, what in (
            ("stages", known.shelves, "stage"),
            ("topics", known.words, "word of topic-words.toml"),
            ("help", known.topics, "topic"),
            ("frameworks", known.items | known.frameworks, "framework id"),
            ("techniques", known.items, "framework id"),
            ("related", known.entries, "entry"),
            ("superseded_by", known.entries, "entry"),
            ("supersedes", known.entries, "entry"),
        ):
            found += _missing(file, key.replace("_", "-"), one.get(key, ()), there, what)
        if one["id"] in (*one.get("related", ()), *one.get("superseded_by", ()), *one.get("supersedes", ())):
            found.append(Problem(file, "related", "it names itself", "take it out"))
    return found


def _lost_of_pages(data: Plain, known: _Known) -> list[Problem]:
    found: list[Problem] = []
    for one in data["topics"]:
        file = f"topics/{one['id']}.md"
        found += _missing(file, "stages", one.get("stages", ()), known.shelves, "stage")
        found += _missing(file, "frameworks", one.get("frameworks", ()), known.items | known.frameworks, "framework id")
        found += _missing(file, "entries", one.get("entries", ()), known.entries, "entry")
        found += _missing(file, "case-studies", one.get("case_studies", ()), known.entries, "entry")
        if known.rules:
            found += _missing(file, "How to fix it", one["fixes"], set(known.rules), "rule")
    for one in data["shelves"]:
        found += _missing("stages.toml", f"{one['id']}.techniques", one.get("techniques", ()), known.items, "id")
    for one in data["paths"]:
        pages = [page for step in one["steps"] for page in step["pages"]]
        wrong = [page for page in pages if not known.page(page)]
        found += _missing(f"paths/{one['id']}.toml", "pages", wrong, known.pages, "page", "write kind/id: tool/trivy")
    for page in data["asked"]:
        if not known.page(page):
            file = f"asked/{page.partition('/')[0]}.toml"
            found += _missing(file, page, [page], known.pages, "page", "write kind/id: tool/trivy")
    owner: dict[str, str] = {}
    for one in sorted(data["frameworks"], key=lambda one: ("shares_ids_with" in one, one["id"])):
        file, ids = f"frameworks/{one['id']}.toml", [item["id"] for item in one["items"]]
        twice = {item for item in ids if ids.count(item) > 1} if len(set(ids)) < len(ids) else set()
        clash = {item for item in ids if item in owner and owner[item] != one.get("shares_ids_with")}
        for item in sorted(twice | clash):
            told = f"`{item}` is an id of {owner.get(item, 'it')} too"
            found.append(Problem(file, "item", told, "say `shares-ids-with`, or correct the id"))
        owner.update({item: one["id"] for item in ids if item not in owner})
    return found
