"""Words of a text as the search knows them: lower case, without accents, without the ends that grammar gives them."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from shipworthy.patterns import regex

WORD = regex(r"[a-z0-9]+(?:['’][a-z]{1,2}(?![a-z]))?")
_ID = regex(r"[a-z0-9]+(?:[.:/+#()_-]+[a-z0-9]+)+\)?")
STOP = frozenset(
    """a about against all am an and any anybody are as at be been but by can cannot could did do does fix for from get
    gets give gives got had has have how i if in into is it its just know look looks make makes me my need needs of
    on one or our out please see send sends sent should show so some somebody someone something tell than that the
    their them then there they thing things this to us use used uses using want was we were what when where which
    must not may might let lets contain contains live lives
    who why will with would you your""".split()
)


def plain(text: str) -> str:
    """Lower case, without accents; dashes and quotes of all kinds are those of ASCII."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join("-" if char in "‐‑‒–—" else char for char in apart if not unicodedata.combining(char))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its grammar: poisoning, poisoned and poison are one; so are serialise and serialization."""
    if len(word) < 4 or not word.isalpha():
        return word
    for end, other in ENDS:
        if word.endswith(end) and len(word) - len(end) >= 3:
            word = word[: -len(end)] + other
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    for end in ("ing", "ed", "er", "ers"):
        if end.startswith("er") and word[-len(end) - 1 : -len(end)] != word[-len(end) - 2 : -len(end) - 1]:
            continue  # scanner is of scan; docker is not of dock
        if word.endswith(end) and len(word) - len(end) >= 4:
            word = word[: -len(end)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


ENDS = (
    ("isations", "iz"),
    ("izations", "iz"),
    ("isation", "iz"),
    ("ization", "iz"),
    ("isers", "iz"),
    ("izers", "iz"),
    ("iser", "iz"),
    ("izer", "iz"),
    ("ising", "iz"),
    ("izing", "iz"),
    ("ised", "iz"),
    ("ized", "iz"),
    ("ises", "iz"),
    ("izes", "iz"),
    ("ise", "iz"),
    ("ize", "iz"),
    ("ours", "or"),
    ("our", "or"),
    ("ences", "ens"),
    ("ence", "ens"),
    ("enses", "ens"),
    ("ense", "ens"),
    ("abilities", "abl"),
    ("ability", "abl"),
    ("ies", "y"),
    ("nesses", ""),
    ("ness", ""),
    ("sses", "ss"),
    ("ifications", "ify"),
    ("ification", "ify"),
    ("ifiers", "ify"),
    ("ifier", "ify"),
    ("ified", "ify"),
    ("ations", "at"),
    ("ation", "at"),
    ("ators", "at"),
    ("ator", "at"),
    ("ctions", "ct"),
    ("ction", "ct"),
    ("ctors", "ct"),
    ("ctor", "ct"),
    ("ptions", "pt"),
    ("ption", "pt"),
    ("utions", "ut"),
    ("ution", "ut"),
    ("agement", "ag"),
    ("oyments", "oy"),
    ("oyment", "oy"),
)


def stems(text: str) -> Iterator[str]:
    """Stems of the words in order, without those that say nothing."""
    for found in WORD.finditer(plain(text)):
        if (word := found[0].partition("'")[0]) not in STOP:
            yield stem(word)


def terms(text: str) -> Iterator[str]:
    """Stems of the words in order, and ids (`cwe-502`, `llm03:2025`, `aml.t0010`, `2406.12345`) whole besides."""
    low = plain(text)
    for found in WORD.finditer(low):
        yield stem(found[0].partition("'")[0])
    for found in _ID.finditer(low):
        yield found[0]


def synonyms(folder: Path) -> dict[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """What is said in several ways, from `synonyms.toml`: each way, as stems, with the others."""
    given = tomllib.loads((folder / "synonyms.toml").read_text(encoding="utf-8"))["same"]
    found: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {}
    for group in given:
        cut = ([word[0] for word in WORD.finditer(plain(way)) if word[0] not in STOP] for way in group)
        ways = list(dict.fromkeys(tuple(map(stem, way)) for way in cut))
        for way in filter(None, ways):
            found[way] = tuple(
                dict.fromkeys((*found.get(way, ()), *(other for other in ways if other and other != way)))
            )
    return found
