"""Which keys the files of the catalogue have, and what is wrong with a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date as Date  # noqa: N812  a key has its name

from shipworthy.patterns import regex

KIND_TITLES = {
    "tool": "Tools",
    "best-practice": "Best practices",
    "standard": "Standards",
    "case-study": "Case studies",
    "article": "Articles",
    "paper": "Papers",
    "tutorial": "Tutorials",
    "course": "Courses",
    "book": "Books",
    "talk": "Talks",
    "dataset": "Datasets",
    "benchmark": "Benchmarks",
    "community": "Communities",
}  # in the order in which pages list them
KINDS = tuple(KIND_TITLES)
_USE = dict.fromkeys(("tool", "dataset", "benchmark"), "Use it when")
_USE |= {"tutorial": "Try it when", "course": "Take it when", "community": "Join it when"}
MAINTAINED = ("active", "archived", "dormant", "unknown", "not-applicable")
LEVELS = ("newcomer", "practitioner", "expert")
PIPELINES = ("ml", "dev")
BASIS = ("licence", "maintained", "title", "as-of")
SLUG = regex(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SETTINGS = ("pyproject", "ruff", "taplo")  # files of these names are settings to programs, wherever they lie
FRAMEWORK_ID = regex(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_ASCII = 256  # re.ASCII: digits are 0 to 9
_ARXIV = regex(r"\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7}", _ASCII)
_DOI = regex(r"10\.\d{4,9}/[^\s\x00-\x20\x7f-\x9f\ud800-\udfff]{1,200}", _ASCII)
_DATE = regex(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?", _ASCII)
_CONTROL = regex("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# How much a list of an entry may name: an entry that is about everything is about nothing, and stands on every page.
MOST: Mapping[str, int] = {
    "authors": 100,
    "stages": 12,
    "topics": 10,
    "help": 8,
    "frameworks": 30,
    "techniques": 60,
    "superseded-by": 5,
    "supersedes": 10,
    "related": 20,
    "aliases": 20,
    "sources": 20,
}
_URL = regex(r"https?://[^\s<>\"\x00-\x20\x7f-\x9f\ud800-\udfff]{3,2000}")
Look = Callable[[object], str]


def use_of(kind: str) -> str:
    """The words before what an entry of a kind is of use for."""
    return _USE.get(kind, "Read it when")


def text(longest: int = 400, *, lines: bool = False) -> Look:
    """A text that is not empty, of one line."""

    def look(value: object) -> str:
        if not isinstance(value, str):
            return "it must be a text, in quotation marks"
        if not value.strip():
            return "it is empty; leave the key out"
        if value != value.strip() or ("\n" in value and not lines):
            return "it must be one line, without space at its ends"
        if _CONTROL.search(value):
            return "it holds control characters"
        return f"it is longer than {longest} characters" if len(value) > longest else ""

    return look


def matching(pattern: object, told: str) -> Look:
    """A text of a form."""

    def look(value: object) -> str:
        return "" if isinstance(value, str) and pattern.fullmatch(value) else told  # type: ignore[attr-defined]

    return look


def one_of(*words: str) -> Look:
    """One of these words."""

    def look(value: object) -> str:
        return "" if value in words else f"it must be one of {', '.join(words)}"

    return look


def several(each: Look, most: int = 2000) -> Look:
    """A list of at most so many of what `each` accepts, nothing twice."""

    def look(value: object) -> str:
        if not isinstance(value, list):
            return "it must be a list, in square brackets"
        if len(value) > most:
            return f"it names {len(value)}, and {most} at most help anybody"
        for one in value:
            if wrong := each(one):
                return f"`{one[:100] if isinstance(one, str) else type(one).__name__}`: {wrong}"
        return "it names something twice" if len(set(value)) < len(value) else ""

    return look


def whole(lowest: int, highest: int) -> Look:
    """A whole number in a range."""

    def look(value: object) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
        return "" if good else f"it must be a whole number from {lowest} to {highest}"

    return look


def yes_or_no(value: object) -> str:
    """True or false."""
    return "" if isinstance(value, bool) else "it must be true or false"


def date(value: object) -> str:
    """A day as TOML writes it, or a text of a year, a month or a day."""
    good = type(value) is Date or (isinstance(value, str) and _DATE.fullmatch(value))
    return "" if good else "it must be a date such as 2026-03-24, or a text such as `2026-03`"


def day(value: object) -> str:
    """A whole day, as TOML writes it or as a text."""
    try:
        good = type(value) is Date or (isinstance(value, str) and Date.fromisoformat(value).isoformat() == value)
    except ValueError:
        good = False
    return "" if good else "it must be a day such as 2026-03-24"


slug = matching(SLUG, "an id has lower-case letters, digits and single hyphens")
url = matching(_URL, "it must be an address that begins with https:// or http://")

# The keys of an entry, in the order in which they are written.
ENTRY: Mapping[str, Look] = {
    "title": text(300),
    "url": url,
    "summary": text(400),
    "use-when": text(250),
    "authors": several(text(100), MOST["authors"]),
    "year": whole(1950, 2100),
    "date": date,
    "arxiv": matching(_ARXIV, "it must be an arXiv id such as 2406.12345"),
    "doi": matching(_DOI, "it must be a DOI such as 10.1145/3658644.3690217"),
    "pipeline": several(one_of(*PIPELINES)),
    "stages": several(slug, MOST["stages"]),
    "topics": several(slug, MOST["topics"]),
    "help": several(slug, MOST["help"]),
    "frameworks": several(text(200), MOST["frameworks"]),
    "level": one_of(*LEVELS),
    "licence": text(100),
    "language": text(60),
    "maintained": one_of(*MAINTAINED),
    "original-list": yes_or_no,
    "superseded-by": several(slug, MOST["superseded-by"]),
    "supersedes": several(slug, MOST["supersedes"]),
    "related": several(slug, MOST["related"]),
    "aliases": several(url, MOST["aliases"]),
    "disclosure": text(400),
    "note": text(400),
    "techniques": several(text(30), MOST["techniques"]),
    "sources": several(text(400), MOST["sources"]),
    "added": day,
}
ENTRY_NEEDS = ("title", "url", "pipeline", "maintained")
BASIS_KEYS: Mapping[str, Look] = {"licence": text(), "maintained": text(), "title": text(), "as-of": date}
TOPIC: Mapping[str, Look] = {
    "title": text(200),
    "summary": text(600),
    "stages": several(slug),
    "frameworks": several(text(200)),
    "entries": several(slug),
    "case-studies": several(slug),
}
FRAMEWORK: Mapping[str, Look] = {
    "name": text(),
    "version": text(),
    "date": lambda value: "" if type(value) is Date else text()(value),
    "url": url,
    "source": text(600),
    "verified": yes_or_no,
    "note": text(600),
    "supersedes": matching(FRAMEWORK_ID, "it must be the id of a framework"),
    "shares-ids-with": matching(FRAMEWORK_ID, "it must be the id of a framework"),
    "same-meanings": yes_or_no,
}
ITEM: Mapping[str, Look] = {
    "id": text(200),
    "title": text(600),
    "own-title": yes_or_no,
    "type": text(60),
    "was": text(200),
    "parent": text(200),
    "tactics": several(text(30)),
    "maturity-level": whole(1, 5),
    "baselines": several(one_of("low", "moderate", "high", "privacy")),
}
SHELF: Mapping[str, Look] = {
    "title": text(60),
    "what": text(600),
    "why": text(600),
    "threats": several(text(200)),
    "techniques": several(text(200)),
    "checks": several(slug),
}
PATH: Mapping[str, Look] = {"title": text(100), "summary": text(600)}
STEP: Mapping[str, Look] = {
    "heading": text(120),
    "text": text(800),
    "pages": several(text(200)),
    "minutes": whole(1, 6000),
}
ASKED: Look = several(text(60))
WORD: Mapping[str, Look] = {"title": text(60), "line": text(200)}
TOPIC_HEADINGS = ("What it is", "Why it matters", "How it is attacked", "How to fix it", "Good to know")
