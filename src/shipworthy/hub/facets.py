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
_QUESTION = regex(r"\?\s*$|^(how|is|can|should|why|what|do|does|my)\b|\bis it\b")
_YEARS = regex(r"(?:(>=|<=|>|<)?(\d{4}))|(?:(\d{4})?(?:-|\.\.)(\d{4})?)")
# A word of a query that names a kind makes that kind likelier; nothing else is left out for it.
KIND_WORDS: Mapping[str, str] = {
    word: kinds
    for kinds, said in (
        ("tutorial course book path", "learn learning"),
        ("tutorial", "lab labs exercise exercises tutorial tutorials hands-on playground walkthrough"),
        ("path course tutorial article", "start begin beginner beginners newcomer introduction basics"),
        ("course tutorial", "trainings"),
        ("course", "course courses certification certifications certificate"),
        ("tool", "tool tools library libraries scanner scanners linter linters generator toolkit software plugin"),
        ("tool", "checker fuzzer proxy firewall"),
        ("paper", "paper papers research survey surveys study arxiv"),
        ("article", "article articles blog post writeup"),
        ("book", "book books"),
        ("talk", "talk talks video keynote"),
        ("standard framework", "standard standards regulation regulations law legal"),
        ("best-practice", "guide guides guideline guidelines guidance cheatsheet cheat checklist practices"),
        ("case-study", "incident incidents breach breaches hacked happened case cases"),
        ("dataset", "dataset datasets corpus"),
        ("benchmark", "benchmark benchmarks leaderboard"),
        ("community", "community communities podcast podcasts newsletter forum conference awesome slack"),
        ("rule", "rule rules checks"),
    )
    for word in said.split()
}
# Words of which only the kind is meant; the others of `KIND_WORDS` are looked for too.
ONLY_KIND = frozenset(
    """tool tools paper papers article articles course courses book books talk talks tutorial tutorials
    rule rules checks standards library libraries research learn""".split()
)
# Ordinary words of a question, and words that say more of the kind than of the matter: a page may well lack them.
SAYS_MORE = frozenset(
    """safe problem problems issue issues trouble best good check high risk security secure generator library scanner
    scanners certification dataset datasets benchmark benchmarks standard lab labs linter checker fuzzer survey
    study guide guidance checklist incident case cases corpus training platforms happened engine framework platform
    service software system systems app apps application style way ways work works start begin beginner newcomer
    introduction basics explain difference list avoid prevent protect stop keep put reach live allow enable disable
    everything everybody everyone nobody real world big small free new old bad wrong right easy simple quick fast
    first next main whole different many much more most less before after beside between inside across during one
    two place kind type still now already yet only really actually somewhere anywhere happen trick help try write
    add own find everywhere possible better accept agree appear apply ask become believe belong bring carry catch
    cause claim close collect come complete consider continue copy cost count cover create cut deal decide define
    deliver depend describe discover draw drop end enter expect face fail fall feel fewer fill finish follow go grow
    guess hear hide hold hope identify improve include increase inform introduce invent join kill know lack lead
    leave like listen lose manage matter meet mention miss move need note notice obtain occur offer pass pay perform
    pick plan play point practise prefer prepare present press produce promise propose prove provide publish pull
    raise receive recognise recommend recover reduce refer relate remain remember replace reply represent require
    result reveal say see seem sell serve set settle share speak spend split stand stay step suffer suggest survive
    take talk teach tend think throw treat turn understand visit wait want warn win worry""".split()
)


@dataclass(frozen=True)
class Asked:
    """A query, taken apart: the `words` to look for, the `facets` that answers must have, and `told`, what was
    understood of the words, for people. `likelier` are kinds that the words name; `light` are words that say more of
    the kind than of the matter. `question`: it asks what to do."""

    words: str
    facets: tuple[tuple[str, tuple[str, ...]], ...]
    likelier: frozenset[str] = frozenset()
    told: tuple[str, ...] = ()
    light: frozenset[str] = frozenset()
    question: bool = False


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
    likelier = frozenset(
        kind for word in left.lower().split() for kind in KIND_WORDS.get(word.strip("?,.!"), "").split()
    )
    if likelier:
        rest = " ".join(word for word in left.split() if word.lower().strip("?,.!") not in ONLY_KIND)
        left = rest if rest.strip() else left
    return Asked(
        left.strip(),
        tuple((name, tuple(values)) for name, values in facets.items()),
        likelier,
        tuple(told),
        SAYS_MORE,
        bool(_QUESTION.search(query[:1000].lower())),
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
