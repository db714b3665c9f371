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
Possible = Callable[[str, frozenset[str]], bool]
# name, the characters of which a text needs one (none: any), the function, and that of `prefilter` (none: always look)
Looks = tuple[tuple[str, frozenset[str], Look, Possible | None], ...]
ENCODED = "encoding"  # the name of the hit for a text that is wrapped more often than is looked at
_SHORTEST = 3


def detectors(names: Iterable[str]) -> Looks:
    """The detectors of those names, imported."""
    found = []
    for name in names:
        module = import_module(f"{__name__}.{name}")
        found.append((name, frozenset(module.NEEDS), module.look, getattr(module, "possible", None)))
    return tuple(found)


def examine(fields: Iterable[Field], looks: Looks) -> list[Hit]:
    """What the detectors see in the fields, in every form of each text; each detector once for a field.

    This is what counts. `prefilter` finds out sooner that there is nothing.
    """
    hits: list[Hit] = []
    seen: set[str] = set()
    for field in fields:
        raw = field.text
        if len(raw) < _SHORTEST or (len(raw) < 12 and raw.isalnum()):
            continue
        if field.place == "key":  # the members of a list have the same ones
            if raw in seen:
                continue
            seen.add(raw)
        forms, whole = views(raw)
        if not whole:
            hits.append(
                Hit(ENCODED, "more layers of encoding than are looked at", f"{field.place} {_shown(field.name)}")
            )
        _one(field, forms, looks, hits)
    return hits


def _one(field: Field, forms: Iterable[str], looks: Looks, hits: list[Hit]) -> None:
    found: set[str] = set()
    for form in forms:
        text = Text(form, field.name, field.place, field.text)
        for name, needs, look, _ in looks:
            if (needs and not (text.characters & needs)) or name in found:
                continue
            if detail := look(text):
                found.add(name)
                hits.append(Hit(name, detail, f"{field.place} {_shown(field.name)}"))


def _shown(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._-[]" else "?" for c in name[:60])
