"""The catalogue for others: as a list in the form of an awesome list, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shipworthy.hub.things import Entry
from shipworthy.look import visible

if TYPE_CHECKING:
    from shipworthy.hub.library import Hub

_KINDS = {
    "Resources": (("Articles", "article"), ("Papers", "paper"), ("Tutorials", "tutorial"), ("Courses", "course"),
                  ("Books", "book"), ("Talks", "talk")),
    "Best practices": (("Guides", "best-practice"), ("Standards", "standard")),
    "Case studies": (("Incidents and reports", "case-study"), ("Datasets", "dataset"), ("Benchmarks", "benchmark")),
    "Community": (("Groups and lists", "community"),),
}  # fmt: skip
_IN_ADDRESS = "/:?#@!$&'*+,;=%~-._"  # what stays as it is; a bracket would end the link, and what follows be Markdown
_OWN = {"monitoring": "Monitoring", "key-management": "Key management"}


def as_json(hub: Hub) -> dict[str, Any]:
    """Everything that is in the files, with the links between the pages."""
    return {
        "entries": [{"page": entry.page, **asdict(entry)} for entry in hub.entries.values()],
        "topics": [{"page": topic.page, **asdict(topic)} for topic in hub.topics.values()],
        "frameworks": [{"page": one.page, **asdict(one)} for one in hub.frameworks.values()],
        "stages": [{"page": shelf.page, **asdict(shelf)} for shelf in hub.shelves.values()],
        "pipelines": {name: {stage: list(has) for stage, has in of.items()} for name, of in hub.pipelines.items()},
        "paths": [{"page": path.page, **asdict(path)} for path in hub.paths.values()],
        "words": [asdict(word) for word in hub.words.values()],
        "links": {page: list(hub.links(page)) for page in hub.things if hub.links(page)},
    }


def awesome(hub: Hub) -> str:
    """A README in the form that `awesome-lint` asks for, grouped as the list that the hub began with. Each entry stands
    once: a tool under the first of its stages."""
    groups = list(_groups(hub))
    lines = [
        "# Awesome MLSecOps and DevSecOps [![Awesome](https://awesome.re/badge.svg)](https://awesome.re)",
        "",
        "> Tools, papers, courses, practices and incidents for securing machine learning and the software around it.",
        "",
        "## Contents",
        "",
    ]
    for title, parts in groups:
        lines.append(f"- [{title}](#{_anchor(title)})")
        lines += [f"  - [{part}](#{_anchor(part)})" for part, _ in parts if part]
    for title, parts in groups:
        lines += ["", f"## {title}"]
        for part, entries in parts:
            lines += ["", f"### {part}"] if part else []
            lines += ["", *(_item(entry) for entry in entries)]
    return "\n".join(lines) + "\n"


def _groups(hub: Hub) -> Iterator[tuple[str, list[tuple[str, list[Entry]]]]]:
    yield "Resources", _of_kinds(hub, _KINDS["Resources"])
    tools = _by_stage(hub)
    for pipeline, title in (("ml", "MLSecOps tools"), ("dev", "DevSecOps tools")):
        parts = []
        for shelf in hub.shelves.values():
            if found := tools.get((pipeline, shelf.id)):
                parts.append((f"{shelf.title} ({'MLSecOps' if pipeline == 'ml' else 'DevSecOps'})", found))
        yield title, parts
    for stage, title in _OWN.items():
        yield title, [("", tools.get(("", stage), []))]
    for title in ("Best practices", "Case studies", "Community"):
        yield title, _of_kinds(hub, _KINDS[title])


def _of_kinds(hub: Hub, kinds: Sequence[tuple[str, str]]) -> list[tuple[str, list[Entry]]]:
    entries = hub.entries.values()
    parts = [(title, [entry for entry in entries if entry.kind == kind]) for title, kind in kinds]
    return [(title, found) for title, found in parts if found]


def _by_stage(hub: Hub) -> dict[tuple[str, str], list[Entry]]:
    """The tools by pipeline and first stage; one for both pipelines stands under dev, but for stages that only ml
    has."""
    only_ml = {shelf.id for shelf in hub.shelves.values() if all(one.startswith("ml/") for one in shelf.used_by)}
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in hub.entries.values():
        if entry.kind == "tool":
            stage = entry.stages[0] if entry.stages else "code-scan"
            pipeline = "ml" if stage in only_ml or "dev" not in entry.pipeline else "dev"
            found.setdefault(("" if stage in _OWN else pipeline, stage), []).append(entry)
    return found


def _item(entry: Entry) -> str:
    text = " ".join((entry.summary or "Not described yet.").split())
    text = text if text[-1] in ".!?" else f"{text}."
    for name in (entry.title, entry.title.partition(" (")[0]):  # the list's form forbids to say the name again
        if text.lower().startswith(f"{name.lower()} "):
            text = text[len(name) :].lstrip(" ,:")
    return f"- [{_plain(entry.title)}]({quote(entry.url, safe=_IN_ADDRESS)}) - {_plain(text[:1].upper() + text[1:])}"


def _plain(text: str) -> str:
    """Text that means itself in Markdown; quotation marks that need a partner become those that need none."""
    straight = visible(text).replace("‘", "'").replace("’", "'").replace("“", '"').replace("”", '"')
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", straight)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
