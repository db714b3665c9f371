"""What a lint rule is given: one entry, and all of the others to compare it with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from shipworthy.hub import words
from shipworthy.hub.lint.addresses import canonical
from shipworthy.hub.things import Problem
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

Plain = Mapping[str, Any]
Said = Iterator[tuple[str, str, str]]  # key, what is wrong, what to do
TEXTS = ("summary", "use_when", "note", "disclosure")
_NOTHING = regex(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Contributor:
    """Somebody who added or changed a file, as git or a code host names them: a name, an e-mail address, a login."""

    name: str = ""
    email: str = ""
    login: str = ""


@dataclass(frozen=True)
class Notice:
    """A problem and the id of the rule that has it."""

    rule: str
    problem: Problem


@dataclass(frozen=True)
class Catalogue:
    """Every entry as plain data, what may be named in one, who contributed which file, and today's date."""

    entries: tuple[Plain, ...]
    vocabulary: Mapping[str, str]
    contributors: Mapping[str, tuple[Contributor, ...]] = field(default_factory=dict)
    today: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Plain]:
        """Entries by id."""
        return {one["id"]: one for one in self.entries}

    @cached_property
    def by_address(self) -> Mapping[str, tuple[Plain, ...]]:
        """Entries by each canonical address of theirs."""
        return _grouped(self.entries, addresses)

    @cached_property
    def by_title(self) -> Mapping[str, tuple[Plain, ...]]:
        """Entries by kind and title, without case, accents and punctuation."""
        return _grouped(self.entries, lambda one: (title_key(one),))

    @cached_property
    def by_summary(self) -> Mapping[str, tuple[Plain, ...]]:
        """Entries by the set of words in their summaries."""
        return _grouped(self.entries, lambda one: (summary_key(one),) if one.get("summary") else ())


@dataclass(frozen=True)
class Lint:
    """A rule: its id, what it asks for, and the function that looks at an entry."""

    id: str
    about: str
    look: Callable[[Catalogue, Plain], Said]


def file_of(entry: Plain) -> str:
    """The entry's file, as seen from the hub's folder."""
    return f"catalogue/{entry['kind']}/{entry['id']}.toml"


def addresses(entry: Plain) -> tuple[str, ...]:
    """Every address of an entry in its canonical form: its own, its aliases, and those of its arXiv id and DOI."""
    given = [entry.get("url", ""), *entry.get("aliases", ())]
    if entry.get("arxiv"):
        given.append(f"https://arxiv.org/abs/{entry['arxiv']}")
    if entry.get("doi"):
        given.append(f"https://doi.org/{entry['doi']}")
    return tuple(dict.fromkeys(canonical(one) for one in given if one))


def title_key(entry: Plain) -> str:
    """Kind and title, so that two of the same are one key."""
    return f"{entry['kind']}/{squeezed(entry.get('title', '')) or entry['id']}"


def summary_key(entry: Plain) -> str:
    """The words of the summary, sorted: the same sentence in another order is the same."""
    return " ".join(sorted({word for word in words.terms(entry["summary"]) if word not in words.STOP}))


def squeezed(text: str) -> str:
    """Letters and digits alone, in lower case, without accents."""
    return _NOTHING.sub("", words.plain(text))


def _grouped(entries: Iterable[Plain], keys: Callable[[Plain], Iterable[str]]) -> Mapping[str, tuple[Plain, ...]]:
    found: dict[str, list[Plain]] = defaultdict(list)
    for entry in entries:
        for key in keys(entry):
            found[key].append(entry)
    return {key: tuple(value) for key, value in found.items()}
