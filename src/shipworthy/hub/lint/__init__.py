"""The lint of the hub: what the files of the catalogue must be, beyond their form. One function a rule.

`lint(folder, rules)` gives every notice. It opens no connection and runs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from shipworthy.hub import build
from shipworthy.hub.lint import addresses, dates, disclosure, duplicates, pages, shared_ids, succession, wording
from shipworthy.hub.lint.subject import Catalogue, Contributor, Lint, Notice, Plain, file_of
from shipworthy.hub.reader import FOLDER, Reading
from shipworthy.hub.schema import SLUG
from shipworthy.hub.things import Problem
from shipworthy.model import Rule
from shipworthy.paths import portable
from shipworthy.patterns import regex

FORM, UNKNOWN, AMBIGUOUS, HIDDEN, HTML = "form", "unknown-id", "ambiguous-id", "hidden-text", "markup"
LINTS = (
    Lint("duplicate-address", "one entry for one address, paper or repository", duplicates.address),
    Lint("duplicate-title", "one entry of a kind for one title", duplicates.title),
    Lint("summary-repeats", "a summary that says something of its own", duplicates.summary),
    Lint("address", "public https addresses without tracking, users, shorteners", addresses.look),
    Lint("disclosure", "who adds their own says so", disclosure.look),
    Lint("succession", "`superseded-by` leads to something that lives", succession.look),
    Lint("praise", "no marketing words, exclamation marks, pictographs", wording.praise),
    Lint("spelling", "British spelling of the usual words", wording.spelling),
    Lint("length", "one to three sentences, and a `use-when`", wording.length),
    Lint("markup", "plain text", wording.plain),
    Lint("dates", "dates that can be, and agree; `added`; a state with its day and basis", dates.look),
)
ABOUT: Mapping[str, str] = {
    FORM: "TOML in UTF-8 with the keys of the format, each with a value of its form; ids used once",
    UNKNOWN: "stages, topics, help, frameworks, techniques, related, superseded-by name what exists",
    AMBIGUOUS: "an id that frameworks use for different things is written with its framework",
    HIDDEN: "no control, bidirectional or invisible characters, no words of mixed scripts",
    **{one.id: one.about for one in LINTS},
}
_LOST_ENTRY = regex(r"there is no (?:entry|page) `(?:[a-z-]{1,20}/)?([a-z0-9-]{1,200})`")


def lint(
    folder: Path = FOLDER,
    rules: Mapping[str, Rule] | None = None,
    *,
    only: Iterable[str] | None = None,
    contributors: Mapping[str, tuple[Contributor, ...]] | None = None,
    drafts: Mapping[str, str] | None = None,
    today: str = "",
) -> list[Notice]:
    """Every notice about the hub in `folder`, ordered by file and line; about these files alone, if given (as seen from
    the folder). `contributors` says who changed which file; `today` (ISO) is the last day that can be. `drafts` are
    texts of entries that are not written yet, by their file."""
    reading = _Reading(folder, drafts or {})
    data = reading.data
    found = [Notice(FORM, problem) for problem in reading.problems]
    broken = {file.rpartition("/")[2].removesuffix(".toml") for file in _files(folder, "catalogue")}
    broken -= {one["id"] for one in data["entries"]}
    for problem in build.lost(data, rules or {}):
        if problem.message.startswith("there is no topic ") and not rules:
            continue  # a topic may be there for a rule's sake alone
        if (lost := _LOST_ENTRY.match(problem.message)) and lost[1] in broken:
            continue  # it is there, and what is wrong with it is said above
        found.append(Notice(UNKNOWN, problem))
    found += [Notice(AMBIGUOUS, problem) for problem in shared_ids.bare(data)]
    catalogue = Catalogue(
        tuple(data["entries"]),
        {word["id"]: word["title"] for word in data["words"]},
        contributors or {},
        today or datetime.now(UTC).date().isoformat(),
    )
    wanted = None if only is None else set(only)
    for entry in catalogue.entries:
        if wanted is None or file_of(entry) in wanted:
            found += _of_entry(catalogue, entry)
    found += _in_escapes(data)
    names = sorted(_files(folder, ""))
    for file, text in pages.texts(folder, [name for name in names if wanted is None or name in wanted]):
        found += [Notice(HIDDEN, problem) for problem in pages.unseen(file, text)]
        if file.endswith(".md"):
            found += [Notice(HTML, problem) for problem in pages.markdown(file, text)]
    kept = {one: None for one in found if wanted is None or one.problem.file in wanted}
    return sorted(
        (_placed(folder, one) for one in kept), key=lambda one: (one.problem.file, one.problem.line, one.problem.key)
    )


class _Reading(Reading):
    """With entries that are not written yet."""

    def __init__(self, folder: Path, drafts: Mapping[str, str]) -> None:
        self._drafts = drafts
        super().__init__(folder)

    def _entries(self) -> list[str]:
        return list(dict.fromkeys((*super()._entries(), *self._drafts)))

    def _text(self, file: str) -> str:
        if file in self._drafts:
            return self._drafts[file]
        # An installed hub may be made of links; a contributed one shows what stands elsewhere as if it were here.
        if any((self.folder / part).is_symlink() for part in (file, *map(str, PurePath(file).parents)) if part != "."):
            self.wrong(file, "", "it is a link", "put the file itself there")
            return ""
        return super()._text(file)

    def _id(self, file: str, pattern: Any = SLUG) -> str:
        name = super()._id(file, pattern)
        if why := portable(name):
            self.wrong(file, "", f"{why}", "choose another name for the file")
        return name


def _of_entry(catalogue: Catalogue, entry: Plain) -> Iterator[Notice]:
    file = file_of(entry)
    for rule in LINTS:
        for key, told, remedy in rule.look(catalogue, entry):
            yield Notice(rule.id, Problem(file, key, told, remedy))


def _in_escapes(data: Plain) -> Iterator[Notice]:
    """TOML has escapes: what is hidden in them is not seen in the file's text."""
    for kind, place in (("entries", ""), ("topics", "topics/{}.md"), ("paths", "paths/{}.toml"),
                        ("frameworks", "frameworks/{}.toml"), ("shelves", "stages.toml"),
                        ("words", "topic-words.toml")):  # fmt: skip
        for one in data[kind]:
            file = place.format(one["id"]) or file_of(one)
            for key, value in one.items():
                for text in _all_texts(value) if key not in ("sections", "fixes") else ():  # those have no escapes
                    for _, told in wording.hidden(text) if not text.isascii() else ():
                        yield Notice(HIDDEN, Problem(file, key.replace("_", "-"), told, "delete it"))


def _all_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _all_texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _all_texts(one)


def _files(folder: Path, under: str) -> Iterator[str]:
    for base, folders, names in os.walk(folder / under):
        folders[:] = sorted(one for one in folders if one not in ("__pycache__", "lint", "links"))
        for name in names:
            if name.endswith((".toml", ".md")):
                yield os.path.relpath(os.path.join(base, name), folder).replace(os.sep, "/")


def _placed(folder: Path, notice: Notice) -> Notice:
    """With its line: that of the key, and of the value in a list if the message names it."""
    problem = notice.problem
    if problem.line or not problem.key:
        return notice
    try:
        lines = (folder / problem.file).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return notice
    last = problem.key.rpartition(".")[2].partition("[")[0]
    line = next((number for number, text in enumerate(lines, 1) if text.partition("=")[0].strip() == last), 0)
    return Notice(notice.rule, Problem(problem.file, problem.key, problem.message, problem.remedy, line))


__all__ = ["ABOUT", "LINTS", "Contributor", "Notice", "lint"]
