"""What the hub holds: entries, topics, frameworks and their items, shelves, learning paths. Frozen, and plain data.

Each has a page id, by which the pages of the site, the search and the links know it: `tool/gitleaks`,
`topic/secrets-in-code`, `rule/model-code-execution`, `stage/model-scan`, `framework/owasp-llm-2025`, `item/LLM03:2025`,
`path/newcomer`.
"""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.records import dataclass, field


@dataclass(frozen=True)
class Entry:
    """Something elsewhere that is worth knowing: a tool, a paper, a course. One file in `catalogue/<kind>/`.

    `frameworks` are ids of items as written in the file; `techniques` are those that a case study names. `maintained`
    is one of `schema.MAINTAINED`; `basis` says where facts come from and, as `as-of`, of which day they are; `added` is
    the day on which it came into the hub. An entry that nobody has described yet has no `summary`.
    """

    id: str
    kind: str
    title: str
    url: str
    summary: str = ""
    use_when: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    date: str = ""
    arxiv: str = ""
    doi: str = ""
    pipeline: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    level: str = ""
    licence: str = ""
    language: str = ""
    maintained: str = "unknown"
    original_list: bool = False
    superseded_by: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    disclosure: str = ""
    note: str = ""
    techniques: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    added: str = ""
    basis: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Its page id."""
        return f"{self.kind}/{self.id}"


def before_the_rules(text: str) -> str:
    """The part of `How to fix it` that is about every rule of the topic: what stands before the first `### `."""
    kept: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if line.startswith("### ") and not fenced:
            break
        kept.append(line)
    return "\n".join(kept).strip()


@dataclass(frozen=True)
class Section:
    """A part of a topic's page: its heading and its text (Markdown, without the heading)."""

    heading: str
    text: str


@dataclass(frozen=True)
class Topic:
    """The page of a `help` id: what it is, why it matters, how it is attacked, how to fix it.

    `entries` and `case_studies` are ids of entries. `fixes` maps a rule's id to the part of `How to fix it` that is
    about this rule alone.
    """

    id: str
    title: str
    summary: str = ""
    stages: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    case_studies: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    fixes: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Its page id."""
        return f"topic/{self.id}"

    def section(self, heading: str) -> str:
        """The text under a heading; empty when there is none."""
        return next((one.text for one in self.sections if one.heading == heading), "")

    @property
    def general_fix(self) -> str:
        """What to do that is the same for all of its rules."""
        return before_the_rules(self.section("How to fix it"))

    def fix(self, rule: str) -> str:
        """What to do about a rule: what is written for it alone, or else what is the same for all."""
        return self.fixes.get(rule) or self.general_fix


@dataclass(frozen=True)
class Item:
    """A control, risk, weakness or technique of a framework. `page` names the framework only where a bare id is not
    enough, since an earlier framework has the same. `now` is what a newer edition calls it. Where the framework has a
    sentence and no title, the title is ours: `own_title`."""

    id: str
    framework: str
    title: str
    page: str
    own_title: bool = False
    type: str = ""
    parent: str = ""
    was: str = ""
    tactics: tuple[str, ...] = ()
    maturity_level: int | None = None
    baselines: tuple[str, ...] = ()
    now: str = ""


@dataclass(frozen=True)
class Framework:
    """A standard, law or list of risks, in one version: ids and titles as facts, with their source. `shares_ids_with`
    is the framework whose bare ids it has too, for other things unless `same_meanings` says that they are the same."""

    id: str
    name: str
    version: str
    url: str
    date: str = ""
    source: str = ""
    verified: bool = False
    note: str = ""
    supersedes: str = ""
    shares_ids_with: str = ""
    same_meanings: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    items: tuple[Item, ...] = ()

    @property
    def page(self) -> str:
        """Its page id."""
        return f"framework/{self.id}"

    @property
    def title(self) -> str:
        """Name and version, as people write it."""
        return self.name if self.version in self.name else f"{self.name} {self.version}"


@dataclass(frozen=True)
class Shelf:
    """One of the 22 kinds of work that the stages of the pipelines are made of. `techniques` are ids of items,
    `checks` categories or names of the checks that are about it; `used_by` are stages of pipelines, as `ml/scan`."""

    id: str
    title: str
    what: str
    why: str
    threats: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """Its page id."""
        return f"stage/{self.id}"

    def has(self, check: str, category: str) -> bool:
        """Is a check of this name and category about it?"""
        return check in self.checks or category in self.checks


@dataclass(frozen=True)
class Step:
    """A part of a learning path: page ids to read, in order, and about how long that takes."""

    heading: str
    text: str
    pages: tuple[str, ...]
    minutes: int


@dataclass(frozen=True)
class Path:
    """A learning path: what somebody in a role reads and does, in which order."""

    id: str
    title: str
    summary: str
    steps: tuple[Step, ...] = ()

    @property
    def page(self) -> str:
        """Its page id."""
        return f"path/{self.id}"

    @property
    def minutes(self) -> int:
        """About how long all of it takes."""
        return sum(step.minutes for step in self.steps)


@dataclass(frozen=True)
class Word:
    """A word of the vocabulary of `topics`."""

    id: str
    title: str
    line: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file of the hub, where, and what to do. `line` counts from 1; 0 is the file as a whole."""

    file: str
    key: str
    message: str
    remedy: str
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"
