"""Reads the hub's files. What is wrong is listed with file, line, key and what to do; nothing is guessed.

The result is plain data (dictionaries and lists), which `compiled` keeps and `build` turns into things.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from shipworthy.files import read_regular
from shipworthy.hub import schema
from shipworthy.hub.things import Problem
from shipworthy.patterns import regex

FOLDER = Path(__file__).parent
_LARGEST = 1_000_000  # bytes of one file
_LARGEST_ENTRY = 64_000
_PROBLEMS = 40  # of one file that are told
# Python's reader of TOML takes time that grows with the square of a dotted key's parts.
_DOTTED = regex(r"^[ \t\[]*(?:(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\.[ \t]*){8}", 8)  # re.MULTILINE
_FENCE = regex(r"[ ]{0,3}(?:```|~~~)")
_RULE_HEADING = regex(r"### +`([a-z0-9-]{1,100})` *")
Plain = dict[str, Any]


class Reading:
    """The files of a folder, read: `data`, and the `problems` that were met."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self._entry_file: dict[str, str] = {}
        self._told: Counter[str] = Counter()
        self._lines: tuple[str, list[str]] = ("", [])
        self.data: Plain = {
            "entries": [entry for name in self._entries() if (entry := self._entry(name))],
            "topics": [topic for name in self._names("topics", ".md") if (topic := self._topic(name))],
            "frameworks": [one for name in self._names("frameworks", ".toml") if (one := self._framework(name))],
            "paths": [path for name in self._names("paths", ".toml") if (path := self._path(name))],
            "words": self._words(),
            "asked": self._asked(),
            **self._stages(),
        }

    def wrong(self, file: str, key: str, message: str, remedy: str) -> None:
        """Note a problem; the line is looked up."""
        self._told[file] += 1
        if self._told[file] < _PROBLEMS:
            key = key if len(key) <= 100 else f"{key[:99]}…"
            self.problems.append(Problem(file, key, message, remedy, self._line(file, key)))
        elif self._told[file] == _PROBLEMS:
            self.problems.append(Problem(file, "", "there are more problems", "correct the others of the file first"))

    def _line(self, file: str, key: str) -> int:
        last = key.rpartition(".")[2].partition("[")[0]
        lines = self._lines[1] if self._lines[0] == file else []
        return next((n for n, text in enumerate(lines, 1) if last and text.partition("=")[0].strip() == last), 0)

    def _names(self, folder: str, suffix: str) -> list[str]:
        try:
            found = sorted(os.listdir(self.folder / folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        for name in found:
            if not name.endswith(suffix) and not name.startswith(("_", ".")):
                self.wrong(f"{folder}/{name}", "", "it is none of the hub's files", f"its name must end in {suffix}")
        return [f"{folder}/{name}" for name in found if name.endswith(suffix)]

    def _entries(self) -> list[str]:
        try:
            kinds = sorted(os.listdir(self.folder / "catalogue"))
        except (FileNotFoundError, NotADirectoryError):
            return []
        names: list[str] = []
        for kind in kinds:
            if kind in schema.KINDS:
                names += self._names(f"catalogue/{kind}", ".toml")
            else:
                told = f"there is no kind `{kind}`"
                self.wrong(f"catalogue/{kind}", "", told, f"the kinds are {', '.join(schema.KINDS)}")
        return names

    def _text(self, file: str) -> str:
        most = _LARGEST_ENTRY if file.startswith("catalogue/") else _LARGEST
        try:
            raw = read_regular(self.folder / file, most + 1)
            if len(raw) > most:
                self.wrong(file, "", f"it is larger than {most // 1000} kB", "take out what does not belong")
                return ""
            text = raw.decode("utf-8").replace("\r\n", "\n")
            self._lines = (file, text.split("\n"))
            return text
        except UnicodeDecodeError as error:
            self.wrong(file, "", f"byte {error.start} is not UTF-8", "save it as UTF-8")
        except OSError as error:
            self.wrong(file, "", f"it cannot be read: {error.strerror}", "check that it is there and may be read")
        return ""

    def _toml(self, file: str, text: str | None = None) -> Plain | None:
        text = self._text(file) if text is None else text
        if not text:
            return None
        if _DOTTED.search(text):
            self.wrong(file, "", "a key has too many parts", "keys are words; texts stand in quotation marks")
            return None
        try:
            return tomllib.loads(text)
        except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
            self.wrong(file, "", f"it is no TOML: {error}", "texts stand in quotation marks, lists in square brackets")
        except RecursionError:
            self.wrong(file, "", "it is nested too deeply", "an entry needs no nesting")
        return None

    def _looked(self, file: str, given: Mapping[str, Any], keys: Mapping[str, schema.Look], where: str = "") -> Plain:
        """What is good of a table, by the names of the fields."""
        good: Plain = {}
        for key, value in given.items():
            if key not in keys:
                self.wrong(file, f"{where}{key}", "there is no such key", _near(key, keys))
            elif told := keys[key](value):
                self.wrong(file, f"{where}{key}", told, "correct the value, or leave the key out")
            else:
                good[key.replace("-", "_")] = value.isoformat() if isinstance(value, date) else value
        return good

    def _needs(self, file: str, given: Mapping[str, Any], keys: Iterable[str], where: str = "") -> bool:
        missing = [key for key in keys if key not in given]
        for key in missing:
            self.wrong(file, f"{where}{key}", "the key is missing", f"add a line `{key} = …`")
        return not missing

    def _id(self, file: str, pattern: Any = schema.SLUG) -> str:
        name = file.rpartition("/")[2].rpartition(".")[0]
        if not pattern.fullmatch(name):
            self.wrong(
                file, "", "the file's name is no id", "use lower-case letters, digits and single hyphens: trivy.toml"
            )
        if name in schema.SETTINGS:
            told = f"programs take a file `{name}.toml` for their settings"
            self.wrong(file, "", told, f"choose another id: {name}-tool.toml")
        return name

    def _entry(self, file: str) -> Plain | None:
        given = self._toml(file)
        if given is None:
            return None
        name = self._id(file)
        if name in self._entry_file:
            told = f"the id is taken by {self._entry_file[name]}"
            self.wrong(file, "", told, "an id is used once, whatever the kind: choose another name for the file")
        self._entry_file.setdefault(name, file)
        basis = given.pop("basis", {})
        if not isinstance(basis, dict):
            self.wrong(file, "basis", "it must be a table", "begin it with a line `[basis]`")
            basis = {}
        good = self._looked(file, given, schema.ENTRY)
        if not self._needs(file, given, schema.ENTRY_NEEDS) or not good.keys() >= set(schema.ENTRY_NEEDS):
            return None
        return {"id": name, "kind": file.split("/")[1], **good, "basis": self._basis(file, basis)}

    def _basis(self, file: str, given: Mapping[str, Any]) -> Plain:
        good = self._looked(file, given, schema.BASIS_KEYS, "basis.")
        return {key.replace("_", "-"): value for key, value in good.items()}

    def _topic(self, file: str) -> Plain | None:
        name, text = self._id(file), self._text(file)
        if not text:
            return None
        head, fence, body = text.removeprefix("+++\n").partition("\n+++\n")
        if not text.startswith("+++\n") or not fence:
            self.wrong(file, "", "it has no front matter", "begin with a line +++, keys as in TOML, and a line +++")
            return None
        given = self._toml(file, head + "\n")
        if given is None or not self._needs(file, given, ("title", "summary")):
            return None
        sections = [{"heading": heading, "text": part} for heading, part in _parts(body, "## ")]
        headings = [section["heading"] for section in sections]
        for heading in schema.TOPIC_HEADINGS[:4]:
            if heading not in headings:
                self.wrong(file, "", f"the section `## {heading}` is missing", "write it; say less rather than invent")
        for heading in headings:
            if heading not in schema.TOPIC_HEADINGS:
                told = f"`## {heading}` is none of the sections of a topic"
                self.wrong(file, "", told, f"they are {', '.join(schema.TOPIC_HEADINGS)}")
        fix = next((section["text"] for section in sections if section["heading"] == "How to fix it"), "")
        good = self._looked(file, given, schema.TOPIC)
        if not good.keys() >= {"title", "summary"}:
            return None
        return {"id": name, **good, "sections": sections, "fixes": _fixes(fix)}

    def _framework(self, file: str) -> Plain | None:
        given, name = self._toml(file), self._id(file, schema.FRAMEWORK_ID)
        if given is None:
            return None
        items, aliases = self._tables(file, "item", given.pop("item", [])), given.pop("aliases", {})
        needs = ("name", "version", "url", "source", "verified")
        if not self._needs(file, given, needs):
            return None
        good = [one for where, item in items if (one := self._part(file, item, schema.ITEM, ("id", "title"), where))]
        ids = {item["id"] for item in good}
        if not isinstance(aliases, dict):
            self.wrong(file, "aliases", "it must be a table", "begin it with a line `[aliases]`")
            aliases = {}
        for old, new in aliases.items():
            if not isinstance(new, str) or new not in ids:
                self.wrong(
                    file, f"aliases.{old}", f"`{str(new)[:100]}` is no item of it", "name an id that stands below"
                )
        aliases = {old: new for old, new in aliases.items() if isinstance(new, str) and new in ids}
        about = self._looked(file, given, schema.FRAMEWORK)
        return {"id": name, **about, "aliases": aliases, "items": good} if about.keys() >= set(needs) else None

    def _tables(self, file: str, key: str, given: Any) -> list[tuple[str, Plain]]:
        """The tables of a list with where they stand; what is none is told."""
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self.wrong(file, key, "it must be tables", f"begin each with a line `[[{key}]]`")
            return []
        return [(f"{key}[{number}].", one) for number, one in enumerate(given, 1)]

    def _part(
        self, file: str, given: Any, keys: Mapping[str, schema.Look], needs: Iterable[str], where: str
    ) -> Plain | None:
        """A table within a file; None if it lacks what it needs."""
        if not isinstance(given, dict):
            self.wrong(file, where.rstrip("."), "it must be a table", "look at its neighbours")
            return None
        if not self._needs(file, given, needs, where):
            return None
        good = self._looked(file, given, keys, where)
        return good if good.keys() >= set(needs) else None

    def _path(self, file: str) -> Plain | None:
        given, name = self._toml(file), self._id(file)
        if given is None:
            return None
        steps = self._tables(file, "step", given.pop("step", []))
        about = self._part(file, given, schema.PATH, schema.PATH, "")
        good = [one for where, step in steps if (one := self._part(file, step, schema.STEP, schema.STEP, where))]
        return {"id": name, **about, "steps": good} if about else None

    def _words(self) -> list[Plain]:
        file = "topic-words.toml"
        given = self._toml(file) or {}
        found = ((name, self._part(file, word, schema.WORD, schema.WORD, f"{name}.")) for name, word in given.items())
        return [{"id": name, **word} for name, word in found if word]

    def _asked(self) -> dict[str, list[str]]:
        """What people ask for a page with, by page id: a file a kind, and no page needs such words."""
        good: dict[str, list[str]] = {}
        for file in self._names("asked", ".toml"):
            kind = file.removeprefix("asked/").removesuffix(".toml")
            for page, said in (self._toml(file) or {}).items():
                if page.partition("/")[0] != kind:
                    self.wrong(file, page, f"it is no page of the kind {kind}", "move it to the file of its kind")
                elif problem := schema.ASKED(said):
                    self.wrong(file, page, problem, "write a list of short texts")
                else:
                    good[page] = said
        return good

    def _stages(self) -> Plain:
        file = "stages.toml"
        given = self._toml(file) or {}
        try:
            pipelines = {
                one: {stage: [str(name) for name in has] for stage, has in of.items()}
                for one, of in given.get("pipeline", {}).items()
            }
            across = [str(name) for name in given.get("across", {}).get("shelves", [])]
            shelf_tables = dict(given.get("shelf", {}))
        except (AttributeError, TypeError, ValueError):
            self.wrong(file, "", "its tables are of another form", "compare it with an earlier version of it")
            return {"shelves": [], "pipelines": {}, "across": []}
        shelves = []
        for name, shelf in shelf_tables.items():
            if good := self._part(file, shelf, schema.SHELF, ("title", "what", "why", "threats"), f"shelf.{name}."):
                used = [f"{one}/{stage}" for one, of in pipelines.items() for stage, has in of.items() if name in has]
                shelves.append({"id": name, **good, "used_by": used})
        known = {shelf["id"] for shelf in shelves}
        for one, of in {**pipelines, "across": {"shelves": across}}.items():
            for stage, has in of.items():
                for name in has:
                    if name not in known:
                        self.wrong(file, stage, f"{one}: there is no shelf `{name}`", _near(name, known))
        return {"shelves": shelves, "pipelines": pipelines, "across": across}


def _near(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(sorted(known)[:40])}"


def _parts(text: str, mark: str) -> list[tuple[str, str]]:
    """Headings of one level with what is under each; what looks like a heading in a block of code is code."""
    parts: list[tuple[str, list[str]]] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        if line.startswith(mark) and not fenced:
            parts.append((line[len(mark) :].strip(), []))
        elif parts:
            parts[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in parts]


def _fixes(text: str) -> dict[str, str]:
    """The parts of `How to fix it` that are about one rule, by the rule's id."""
    found = {}
    for heading, part in _parts(text, "### "):
        if rule := _RULE_HEADING.fullmatch(f"### {heading}"):
            found[rule[1]] = part
    return found
