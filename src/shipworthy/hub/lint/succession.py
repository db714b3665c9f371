"""What replaced what: links that lead somewhere, to something that lives, and never in a circle."""

from __future__ import annotations

from shipworthy.hub.lint.subject import Catalogue, Plain, Said


def look(catalogue: Catalogue, entry: Plain) -> Said:
    """A successor that ended itself, a circle of successors, two ends that disagree. (That the ids exist is asked for
    by `unknown-id`.)"""
    for name in entry.get("superseded_by", ()):
        new = catalogue.by_id.get(name)
        if new is None:
            continue
        if entry["id"] in _after(catalogue, name):
            yield (
                "superseded-by",
                f"`{name}` is superseded by this entry in turn",
                "one of the two came later: keep that",
            )
        elif new.get("superseded_by"):
            last = ", ".join(f'"{one}"' for one in new["superseded_by"])
            yield "superseded-by", f"`{name}` is superseded itself", f"name what came last: superseded-by = [{last}]"
        elif new.get("maintained") == "archived":
            yield (
                "superseded-by",
                f"`{name}` is archived: the link leads to something dead",
                "name what people use today, or leave it out",
            )
    for name in entry.get("supersedes", ()):
        old = catalogue.by_id.get(name)
        ended = old is not None and old.get("maintained") in ("archived", "dormant")
        if old is not None and ended and entry["id"] not in old.get("superseded_by", ()):
            yield (
                "supersedes",
                f"`{name}` does not say that it is superseded by this",
                f'add superseded-by = ["{entry["id"]}"] to {name}.toml',
            )


def _after(catalogue: Catalogue, name: str) -> set[str]:
    """All that came after an entry, however many steps later."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = catalogue.by_id.get(waiting.pop())
        for new in one.get("superseded_by", ()) if one else ():
            if new not in found:
                found.add(new)
                waiting.append(new)
    return found
