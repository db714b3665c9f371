"""Nothing stands in the catalogue twice: by address, by title, by summary."""

from __future__ import annotations

from collections.abc import Iterable

from shipworthy.hub.lint.subject import Catalogue, Plain, Said, addresses, file_of, summary_key, title_key


def address(catalogue: Catalogue, entry: Plain) -> Said:
    """Another entry has the same address, or is the same paper."""
    seen: set[str] = set()
    for one in addresses(entry):
        for other in _others(entry, catalogue.by_address.get(one, ())):
            if other["id"] not in seen:
                seen.add(other["id"])
                yield (
                    "url",
                    f"{file_of(other)} has this address already ({one[:120]})",
                    "add what is new to that file, and take this one out; what it only describes goes into `related`",
                )


def title(catalogue: Catalogue, entry: Plain) -> Said:
    """Another entry of the kind has the same title."""
    for other in _others(entry, catalogue.by_title.get(title_key(entry), ())):
        yield (
            "title",
            f"{file_of(other)} has the same title",
            "if it is the same thing, take one out; if not, say in the title what sets it apart: edition, publisher",
        )


def summary(catalogue: Catalogue, entry: Plain) -> Said:
    """The summary says nothing of its own: it is the title again, or the summary of another entry."""
    if not entry.get("summary"):
        return
    own = set(summary_key(entry).split()) - set(summary_key({"summary": entry.get("title", "")}).split())
    if len(own) < 2:
        yield "summary", "it repeats the title", "say what it does, for what, and what is special about it"
    for other in _others(entry, catalogue.by_summary.get(summary_key(entry), ())):
        yield "summary", f"{file_of(other)} has the same summary", "say what sets the two apart"


def _others(entry: Plain, found: Iterable[Plain]) -> list[Plain]:
    return [one for one in found if one["id"] != entry["id"]]
