"""What attacks look like: one file is one detector.

A detector is a function `look(text) -> str`: it says in a few words what the text is, or nothing. Each asks first for
what is cheap to see. The words never repeat the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from shipworthy.guard.runtime.fields import Field
from shipworthy.guard.runtime.normalise import Text, views
from shipworthy.guard.runtime.policy import Hit

Look = Callable[[Text], str]
Looks = tuple[tuple[str, frozenset[str], Look], ...]
_SHORTEST = 3


def detectors(names: Iterable[str]) -> Looks:
    """The detectors of those names, imported: name, the characters of which a text needs one (none: any), function."""
    found = []
    for name in names:
        module = import_module(f"{__name__}.{name}")
        found.append((name, frozenset(module.NEEDS), module.look))
    return tuple(found)


def examine(fields: Iterable[Field], looks: Looks) -> list[Hit]:
    """What the detectors see in the fields, in every form of each text; each detector once for a field."""
    hits: list[Hit] = []
    seen: set[tuple[str, str]] = set()
    for field in fields:
        raw = field.text
        if len(raw) < _SHORTEST or (len(raw) < 12 and raw.isalnum()):
            continue
        if field.place == "key":  # the members of a list have the same ones
            if (field.place, raw) in seen:
                continue
            seen.add((field.place, raw))
        found: set[str] = set()
        for form in views(raw):
            text = Text(form, field.name, field.place)
            characters = text.characters
            for name, needs, look in looks:
                if (needs and not (characters & needs)) or name in found:
                    continue
                if detail := look(text):
                    found.add(name)
                    hits.append(Hit(name, detail, f"{field.place} {_shown(field.name)}"))
    return hits


def _shown(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._-[]" else "?" for c in name[:60])
