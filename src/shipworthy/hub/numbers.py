"""The numbers that the hub is held to, each with its goal: `shipworthy hub stats`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipworthy.hub.lint import lint
from shipworthy.hub.schema import TOPIC_HEADINGS
from shipworthy.model import Rule
from shipworthy.records import dataclass

if TYPE_CHECKING:
    from shipworthy.hub.library import Hub

TO_USE = ("tool", "best-practice", "standard")
TO_READ = ("paper", "article", "tutorial", "course", "book", "talk", "case-study")
SEED = 79  # entries of the list that the hub began with


@dataclass(frozen=True)
class Number:
    """A measured number, its goal, whether it is met, and what is in the way, by name."""

    name: str
    value: str
    goal: str
    met: bool
    missing: tuple[str, ...] = ()


def numbers(hub: Hub) -> tuple[Number, ...]:
    """All of them."""
    return tuple(_numbers(hub))


def _numbers(hub: Hub) -> Iterator[Number]:
    entries = list(hub.entries.values())
    yield Number("entries", str(len(entries)), ">= 1000", len(entries) >= 1000)
    files = tuple(sorted({one.problem.file for one in lint(hub.folder, hub.rules)}))
    yield Number("files in which the lint finds a problem", str(len(files)), "0", not files, files)
    bare = tuple(entry.page for entry in entries if not entry.summary)
    share = 100 * (len(entries) - len(bare)) / max(1, len(entries))
    yield Number("entries with an own summary", f"{share:.1f} %", ">= 95 %", share >= 95, bare)
    lost = tuple(f"rule/{rule.id}" for rule in hub.rules.values() if not _explained(hub, rule))
    linked = len(hub.rules) - len(lost)
    yield Number("rules explained, with code that fixes", f"{linked} of {len(hub.rules)}", "all", not lost, lost)
    seed = [entry for entry in entries if entry.original_list]
    yield Number("entries of the original list", str(len(seed)), f">= {SEED}", len(seed) >= SEED)
    mute = tuple(entry.page for entry in seed if entry.maintained == "unknown" and "maintained" not in entry.basis)
    mute = tuple(page for page in mute if page.startswith("tool/"))
    yield Number("tools of it whose state nobody looked up", str(len(mute)), "0", not mute, mute)
    for name, kinds, least in (("tools or practices", TO_USE, 8), ("readings", TO_READ, 3)):
        counts = {s: sum(entry.kind in kinds for entry in hub.entries_of(f"stage/{s}")) for s in hub.shelves}
        thin = tuple(f"{shelf} ({count})" for shelf, count in counts.items() if count < least)
        fewest = min(counts.values(), default=0)
        yield Number(f"{name} of the thinnest of {len(counts)} stages", str(fewest), f">= {least}", not thin, thin)
    unknown = tuple(sorted({one for r in hub.rules.values() for one in r.taxonomy if hub.resolve(one) is None}))
    yield Number("ids of rules that resolve to nothing", str(len(unknown)), "0", not unknown, unknown)
    yield Number(
        "frameworks, and their ids", f"{len(hub.frameworks)}, {len(hub.items)}", ">= 25", len(hub.frameworks) >= 25
    )


def _explained(hub: Hub, rule: Rule) -> bool:
    """Has its topic every section, and is there code for it, its own or that of all rules of the topic?"""
    page = hub.topics.get(rule.help)
    if page is None or not all(page.section(heading) for heading in TOPIC_HEADINGS[:4]):
        return False
    return any("```" in text for text in (page.fixes.get(rule.id, ""), page.general_fix))


def counts(hub: Hub) -> dict[str, dict[str, int]]:
    """How many entries there are by kind, by state, by year and by stage."""
    entries = list(hub.entries.values())
    return {
        "kind": dict(Counter(entry.kind for entry in entries).most_common()),
        "maintained": dict(Counter(entry.maintained for entry in entries).most_common()),
        "year": {str(year): count for year, count in sorted(Counter(e.year for e in entries if e.year).items())},
        "stage": {shelf: sum(shelf in entry.stages for entry in entries) for shelf in hub.shelves},
    }
