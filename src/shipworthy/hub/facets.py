"""Facets of a query, as in `kind:paper year:>=2023 pickle`, and what words say: "papers since 2023"."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shipworthy.errors import UsageError
from shipworthy.hub import schema
from shipworthy.patterns import regex
from shipworthy.records import dataclass

NAMES = ("kind", "stage", "topic", "framework", "year", "licence", "maintained", "pipeline", "level", "language")
OTHER_KINDS = ("topic", "rule", "item", "framework", "stage", "path")
_SAYS = {"license": "licence", "status": "maintained"}
_PIECE = regex(r"([a-z]{2,12}):(\"[^\"]{0,200}\"|\S{1,200})")
_SINCE = regex(r"\b(since|after|from|before|until|in) (?:the year )?(\d{4})\b")
_YEARS = regex(r"(?:(>=|<=|>|<)?(\d{4}))|(?:(\d{4})?(?:-|\.\.)(\d{4})?)")
# A word of a query that names a kind makes that kind likelier; nothing else is left out for it.
KIND_WORDS: Mapping[str, str] = {
    "learn": "tutorial course book path",
    "lab": "tutorial",
    "labs": "tutorial",
    "exercise": "tutorial",
    "exercises": "tutorial",
    "tool": "tool",
    "tools": "tool",
    "generator": "tool",
    "library": "tool",
    "scanner": "tool",
    "scanners": "tool",
    "paper": "paper",
    "papers": "paper",
    "research": "paper",
    "article": "article",
    "articles": "article",
    "tutorial": "tutorial",
    "tutorials": "tutorial",
    "course": "course",
    "courses": "course",
    "certification": "course",
    "book": "book",
    "books": "book",
    "talk": "talk",
    "talks": "talk",
    "standard": "standard",
    "standards": "standard",
    "incident": "case-study",
    "incidents": "case-study",
    "dataset": "dataset",
    "datasets": "dataset",
    "benchmark": "benchmark",
    "benchmarks": "benchmark",
    "community": "community",
    "communities": "community",
    "rule": "rule item",
    "rules": "rule item",
    "check": "rule item",
    "checks": "rule item",
}
SAYS_MORE = frozenset(
    """generator library scanner scanners certification dataset datasets benchmark benchmarks standard lab labs
    engine framework platform service software system systems app apps application style way ways work works""".split()
)


@dataclass(frozen=True)
class Asked:
    """A query, taken apart: the `words` to look for, the `facets` that answers must have, and `told`, what was
    understood of the words, for people. `likelier` are kinds that the words name; `light` are words that say more of
    the kind than of the matter."""

    words: str
    facets: tuple[tuple[str, tuple[str, ...]], ...]
    likelier: frozenset[str] = frozenset()
    told: tuple[str, ...] = ()
    light: frozenset[str] = frozenset()


def read(query: str, given: Mapping[str, tuple[str, ...]]) -> Asked:
    """Take a query apart; `given` are facets from elsewhere. Raises UsageError for a value that cannot be one."""
    facets: dict[str, list[str]] = {name: list(values) for name, values in given.items() if values}
    told: list[str] = []

    def facet(found: object) -> str:
        name = _SAYS.get(found[1], found[1])  # type: ignore[index]
        if name not in NAMES:
            return str(found[0])  # type: ignore[index]
        facets.setdefault(name, []).append(found[2].strip('"'))  # type: ignore[index]
        return " "

    def since(found: object) -> str:
        word, year = found[1], int(found[2])  # type: ignore[index]
        if not 1980 <= year <= 2100:
            return str(found[0])  # type: ignore[index]
        sign = {"since": ">=", "from": ">=", "after": ">", "before": "<", "until": "<="}.get(word, "")
        facets.setdefault("year", []).append(f"{sign}{year}")
        told.append(f"year {sign or '='} {year}".replace(">=", "≥").replace("<=", "≤"))
        return " "

    left = _PIECE.sub(facet, query[:1000])
    if "year" not in facets:
        left = _SINCE.sub(since, left.lower() if _SINCE.search(left.lower()) else left)
    for name, values in facets.items():
        for value in values:
            _good(name, value)
    likelier = frozenset(kind for word in left.lower().split() for kind in KIND_WORDS.get(word, "").split())
    if likelier:
        rest = " ".join(word for word in left.split() if word.lower() not in KIND_WORDS or word.lower() in SAYS_MORE)
        left = rest if rest.strip() else left
    return Asked(
        left.strip(), tuple((name, tuple(values)) for name, values in facets.items()), likelier, tuple(told), SAYS_MORE
    )


def _good(name: str, value: str) -> None:
    known: tuple[str, ...] = {
        "kind": (*schema.KINDS, *OTHER_KINDS),
        "maintained": schema.MAINTAINED,
        "pipeline": schema.PIPELINES,
        "level": schema.LEVELS,
    }.get(name, ())
    if known and value not in known:
        raise UsageError(f"there is no {name} `{value[:60]}`", remedy=f"one of {', '.join(known)}")
    if name == "year" and not (_YEARS.fullmatch(value) and any(char.isdigit() for char in value)):
        raise UsageError(f"`{value[:60]}` is no year", remedy="write 2024, >=2023 or 2021-2023")


def in_years(value: str) -> Callable[[int], bool]:
    """What a year must be: `2024`, `>=2023`, `<2020`, `2021-2023`, `2023-`."""
    found = _YEARS.fullmatch(value)
    if found is None:
        return lambda _year: False
    sign, one, first, last = found.groups()
    if one:
        limit = int(one)
        return {
            None: lambda year: year == limit,
            ">=": lambda year: year >= limit,
            "<=": lambda year: year <= limit,
            ">": lambda year: year > limit,
            "<": lambda year: year < limit,
        }[sign]
    return lambda year: int(first or 0) <= year <= int(last or 9999)
