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
from shipworthy.patterns import regex

Look = Callable[[Text], str]
Possible = Callable[[str], bool]
Looks = tuple[tuple[str, frozenset[str], Look], ...]
_SHORTEST = 3
# What makes other forms of a text, so that `views` has to be asked.
_CODED = regex(r"[%\x00\x01\x80-\U0010ffff]|&[#\w]|\\[ux]|[A-Za-z0-9+/_-]{12}")
_CLASSES = ("type", "class")  # names of fields that `serialised` looks at


def detectors(names: Iterable[str]) -> Looks:
    """The detectors of those names, imported: name, the characters of which a text needs one (none: any), function."""
    found = []
    for name in names:
        module = import_module(f"{__name__}.{name}")
        found.append((name, frozenset(module.NEEDS), module.look))
    return tuple(found)


def examine(fields: Iterable[Field], looks: Looks) -> list[Hit]:
    """What the detectors see in the fields, in every form of each text; each detector once for a field.

    Texts with no other form are first looked at all together, by those detectors that can say that none of many texts
    is worth a look.
    """
    plain, others = [], []
    seen: set[str] = set()
    for field in fields:
        raw = field.text
        if len(raw) < _SHORTEST or (len(raw) < 12 and raw.isalnum()):
            continue
        if field.place == "key":  # the members of a list have the same ones
            if raw in seen:
                continue
            seen.add(raw)
        if field.place in ("body", "query") and not _CODED.search(raw) and not field.name.lower().endswith(_CLASSES):
            plain.append(field)
        else:
            others.append(field)
    hits: list[Hit] = []
    if plain:
        low = "\x01".join([field.text for field in plain]).lower()
        characters = frozenset(low)
        left = []
        for name, needs, look in looks:
            if needs and not (characters & needs):
                continue
            gate: Possible | None = getattr(import_module(f"{__name__}.{name}"), "possible", None)
            if gate is None or gate(low):
                left.append((name, needs, look))
        if left:
            for field in plain:
                _one(field, (field.text,), tuple(left), hits)
    for field in others:
        _one(field, views(field.text), looks, hits)
    return hits


def _one(field: Field, forms: Iterable[str], looks: Looks, hits: list[Hit]) -> None:
    found: set[str] = set()
    for form in forms:
        text = Text(form, field.name, field.place)
        for name, needs, look in looks:
            if (needs and not (text.characters & needs)) or name in found:
                continue
            if detail := look(text):
                found.add(name)
                hits.append(Hit(name, detail, f"{field.place} {_shown(field.name)}"))


def _shown(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._-[]" else "?" for c in name[:60])
