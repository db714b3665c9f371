"""The form of an entry as a JSON Schema, for editors: `docs/hub-entry.schema.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shipworthy.hub import schema
from shipworthy.hub.reader import Plain

_SLUG = f"^{schema.SLUG.pattern}$"
_ABOUT = {
    "title": "As it calls itself",
    "url": "Where it is: public, https, without tracking",
    "summary": "One or two sentences of your own: what it does, and what is special",
    "use-when": 'Completes "Use it when …"; begins in lower case, ends with a full stop',
    "year": "The year in which it came out",
    "date": "The day, month or year in which it came out",
    "arxiv": "arXiv id, such as 2406.12345",
    "doi": "DOI, such as 10.1145/3658644.3690217",
    "pipeline": "The pipelines that it is for",
    "stages": "Shelves of the pipelines, the best fitting first",
    "topics": "One to five words of topic-words.toml",
    "help": "Topic pages that it belongs to",
    "frameworks": "Ids of controls, risks, weaknesses: LLM03:2025, CWE-502",
    "level": "For whom it is",
    "licence": "SPDX id, if it has one",
    "language": "The programming language it is written in or for",
    "maintained": "Its state; [basis] says how that is known, and of which day",
    "original-list": "Was it in the list that the hub began with?",
    "superseded-by": "Ids of entries that came in its place",
    "supersedes": "Ids of entries in whose place it came",
    "related": "Ids of related entries",
    "aliases": "Other addresses of the same thing",
    "disclosure": "Whose it is, if the contributor's own or their employer's",
    "note": "What one must know besides",
    "techniques": "ATLAS techniques that a case study names",
    "sources": "Where the facts come from",
    "added": "The day on which the entry came into the hub; it stays when the entry is changed",
}


def entry_schema(data: Plain, topics: Iterable[str]) -> dict[str, Any]:
    """The schema, with the words that the data know for stages and topics. (Ids of frameworks and entries are too many:
    those are for `shipworthy hub lint`.)"""
    stages = [one["id"] for one in data["shelves"]]
    words = [one["id"] for one in data["words"]]
    pages = sorted({*topics, *(one["id"] for one in data["topics"])})
    text, slug = _text, {"type": "string", "pattern": _SLUG}
    address = {"type": "string", "pattern": '^https://[^\\s<>"]+$', "maxLength": 2010}
    date = {"type": "string", "pattern": "^\\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?)?$"}
    keys: Mapping[str, dict[str, Any]] = {
        "title": text(300),
        "url": address,
        "summary": {**text(400), "minLength": 40},
        "use-when": text(250),
        "authors": _list(text(100), schema.MOST["authors"]),
        "year": {"type": "integer", "minimum": 1950, "maximum": 2100},
        "date": date,
        "arxiv": {"type": "string", "pattern": "^(\\d{4}\\.\\d{4,5}|[a-z-]{2,20}(\\.[A-Z]{2})?/\\d{7})$"},
        "doi": {"type": "string", "pattern": "^10\\.\\d{4,9}/\\S{1,200}$"},
        "pipeline": _list({"enum": list(schema.PIPELINES)}, 2),
        "stages": _list({"enum": stages}, schema.MOST["stages"]),
        "topics": _list({"enum": words}, schema.MOST["topics"]),
        "help": _list({"enum": pages}, schema.MOST["help"]),
        "frameworks": _list(text(200), schema.MOST["frameworks"]),
        "level": {"enum": list(schema.LEVELS)},
        "licence": text(100),
        "language": text(60),
        "maintained": {"enum": list(schema.MAINTAINED)},
        "original-list": {"type": "boolean"},
        "superseded-by": _list(slug, schema.MOST["superseded-by"]),
        "supersedes": _list(slug, schema.MOST["supersedes"]),
        "related": _list(slug, schema.MOST["related"]),
        "aliases": _list(address, schema.MOST["aliases"]),
        "disclosure": text(400),
        "note": text(400),
        "techniques": _list(text(30), schema.MOST["techniques"]),
        "sources": _list(text(400), schema.MOST["sources"]),
        "added": {"type": "string", "pattern": "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$"},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "An entry of Shipworthy's hub",
        "description": "One file catalogue/<kind>/<id>.toml. `shipworthy hub lint` looks further.",
        "type": "object",
        "additionalProperties": False,
        "required": [*schema.ENTRY_NEEDS, "summary", "use-when", "added"],
        "properties": {
            **{key: {**value, **_told(key)} for key, value in keys.items()},
            "basis": {
                "type": "object",
                "description": "Where facts come from, and of which day they are",
                "additionalProperties": False,
                "properties": {"licence": text(400), "maintained": text(400), "title": text(400), "as-of": date},
            },
        },
    }


def _told(key: str) -> dict[str, str]:
    return {"description": _ABOUT[key]} if key in _ABOUT else {}


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _list(each: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": each, "uniqueItems": True, "maxItems": most}
