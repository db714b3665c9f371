"""A new entry: what is known from its address alone, what is still missing, and what a value may be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from shipworthy.hub import schema
from shipworthy.hub.reader import Plain
from shipworthy.hub.writing import slug
from shipworthy.patterns import regex

NEEDS = ("kind", "url", "title", "summary", "use-when", "pipeline", "stages", "topics", "maintained")
LISTS = frozenset(
    """authors pipeline stages topics help frameworks superseded-by supersedes related aliases techniques
    sources""".split()
)
NO_STATE = frozenset({"paper", "article", "book", "talk", "case-study"})  # these are not maintained
_ARXIV = regex(r"https://arxiv\.org/(?:abs|pdf|html)/(\d{4}\.\d{4,5})(?:v\d{1,2})?(?:\.pdf)?/?")
_DOI = regex(r"https://(?:dx\.)?doi\.org/(10\.\d{4,9}/\S{1,200})")
_KINDS = {
    "github.com": "tool",
    "gitlab.com": "tool",
    "codeberg.org": "tool",
    "pypi.org": "tool",
    "arxiv.org": "paper",
    "doi.org": "paper",
    "openreview.net": "paper",
    "youtube.com": "talk",
    "udemy.com": "course",
    "coursera.org": "course",
    "medium.com": "article",
}


class Vocabulary:
    """What the keys that name something may name, by key."""

    def __init__(self, data: Plain, topics: Iterable[str]) -> None:
        entries = {one["id"] for one in data["entries"]}
        items = {item["id"] for one in data["frameworks"] for item in one["items"]}
        self.of: Mapping[str, frozenset[str]] = {
            "kind": frozenset(schema.KINDS),
            "pipeline": frozenset(schema.PIPELINES),
            "stages": frozenset(one["id"] for one in data["shelves"]),
            "topics": frozenset(one["id"] for one in data["words"]),
            "help": frozenset({*topics, *(one["id"] for one in data["topics"])}),
            "frameworks": frozenset(items | {one["id"] for one in data["frameworks"]}),
            "techniques": frozenset(items),
            "related": frozenset(entries),
            "superseded-by": frozenset(entries),
            "supersedes": frozenset(entries),
            "level": frozenset(schema.LEVELS),
            "maintained": frozenset(schema.MAINTAINED),
        }

    def wrong(self, key: str, value: object) -> str:
        """What is wrong with a value, and what is near to it; empty when it is good."""
        if key not in ("kind", "id") and key in schema.ENTRY and (told := schema.ENTRY[key](value)):
            return told
        if key.startswith("basis."):
            look = schema.BASIS_KEYS.get(key.removeprefix("basis."))
            return look(value) if look else f"there is none but {', '.join(schema.BASIS_KEYS)}"
        if key == "id" and not (isinstance(value, str) and schema.SLUG.fullmatch(value)):
            return "an id has lower-case letters, digits and single hyphens"
        for one in value if isinstance(value, list) else [value]:
            if key in self.of and one not in self.of[key]:
                near = difflib.get_close_matches(str(one), self.of[key], 3, 0.5)
                few = sorted(self.of[key]) if len(self.of[key]) <= 30 else []
                told = f"did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else f"one of {', '.join(few)}"
                return f"there is no `{one}`; {told if near or few else 'see `shipworthy hub search`'}"
        return ""


def value_of(key: str, text: str) -> Any:
    """What somebody wrote, as the value of the key: lists are separated by commas (`;` for authors and sources, whose
    own texts have commas)."""
    text = text.strip()
    if key in LISTS:
        sign = ";" if key in ("authors", "sources", "aliases") else ","
        return [one.strip() for one in text.split(sign) if one.strip()]
    if key == "year" and text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    if key == "original-list":
        return text == "true"
    return text


def filled(given: Mapping[str, Any], today: str) -> dict[str, Any]:
    """With what the rest tells already: kind, arXiv id, DOI and year from the address, id from the title."""
    known: dict[str, Any] = dict(given)
    url = str(known.get("url", ""))
    if found := _ARXIV.fullmatch(url):
        known.setdefault("arxiv", found[1])
        known["url"] = f"https://arxiv.org/abs/{found[1]}"
    if found := _DOI.fullmatch(url):
        known.setdefault("doi", found[1])
    host = _host(url)
    if host in _KINDS:
        known.setdefault("kind", _KINDS[host])
    if (arxiv := known.get("arxiv")) and str(arxiv)[:4].isdigit():
        known.setdefault("year", 2000 + int(str(arxiv)[:2]))
    if known.get("kind") in NO_STATE:
        known.setdefault("maintained", "not-applicable")
    if known.get("title"):
        known.setdefault("id", slug(str(known["title"])))
    known.setdefault("added", today)
    known.setdefault("basis.as-of", today)
    return known


def missing(given: Mapping[str, Any]) -> list[str]:
    """The keys that an entry needs and this one has not."""
    wanted = [key for key in NEEDS if not given.get(key)]
    if given.get("maintained") not in (None, "", "unknown", "not-applicable") and not given.get("basis.maintained"):
        wanted.append("basis.maintained")
    return wanted


def entry_of(given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The file (as seen from the hub's folder) and its keys, in their order."""
    keys = {key: given[key] for key in schema.ENTRY if given.get(key) not in (None, "", [])}
    basis = {key: given[f"basis.{key}"] for key in schema.BASIS_KEYS if given.get(f"basis.{key}")}
    return f"catalogue/{given['kind']}/{given['id']}.toml", {**keys, **({"basis": basis} if basis else {})}


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
