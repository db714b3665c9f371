"""Ids that stand in several frameworks and mean something else in each: `A.5.2` of ISO 27001 and of ISO 42001. Who
names one says which framework is meant; the bare id is read as that of one of them, which may be the wrong one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shipworthy.hub.lint.subject import file_of
from shipworthy.hub.things import Problem

Plain = Mapping[str, Any]


def bare(data: Plain) -> Iterator[Problem]:
    """Each bare id in an entry, a topic or a stage that several frameworks have with another meaning."""
    owners = several_meanings(data["frameworks"])
    for file, key, ids in _named(data):
        for one in ids:
            if one in owners:
                told = f"`{one}` is an id of {' and of '.join(owners[one])}, with another meaning"
                full = " or ".join(f"`{owner}/{one}`" for owner in owners[one])
                yield Problem(file, key, told, f"write {full}, whichever is meant")


def several_meanings(frameworks: Sequence[Plain]) -> Mapping[str, tuple[str, ...]]:
    """The frameworks of each such id, those first whose ids others share. A framework that says `same-meanings`
    changes words of an id, not what it is about."""
    found: dict[str, list[str]] = defaultdict(list)
    for framework in sorted(frameworks, key=lambda one: ("shares_ids_with" in one, one["id"])):
        for item in framework["items"] if not framework.get("same_meanings") else ():
            found[item["id"]].append(framework["id"])
    return {id_: tuple(owners) for id_, owners in found.items() if len(owners) > 1}


def _named(data: Plain) -> Iterator[tuple[str, str, Sequence[str]]]:
    for entry in data["entries"]:
        for key in ("frameworks", "techniques"):
            yield file_of(entry), key, entry.get(key, ())
    for topic in data["topics"]:
        yield f"topics/{topic['id']}.md", "frameworks", topic.get("frameworks", ())
    for shelf in data["shelves"]:
        yield "stages.toml", f"{shelf['id']}.techniques", shelf.get("techniques", ())
