"""Dockerfiles as their instructions: lines joined, heredocs kept, stages and their bases told apart; nothing is run.

Source: the Dockerfile reference (docs.docker.com/reference/dockerfile), BuildKit 1.x: parser directives, escape,
heredocs, flags, JSON form.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping

from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

INSTRUCTIONS = frozenset(
    """ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME
    WORKDIR""".split()
)
MOST = 10_000
LONGEST = 50_000  # characters of one instruction
_DIRECTIVE = regex(r"#\s*(syntax|escape|check)\s*=\s*(\S+)", re.IGNORECASE)
_HEREDOC = regex(r"(?<!<)<<(-?)(['\"]?)([A-Za-z_]\w{0,60})\2(?!<)")
_FLAG = regex(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_VARIABLE = regex(r"\$(?:\{(\w{1,100})(?::?([-+])([^{}$]{0,500}))?\}|(\w{1,100}))")
_PAIR = regex(r"(?<![\w.\-/])([\w.\-/]{1,200}+)=((?:\"(?:[^\"\\]|\\.)*+\"|'[^']*+'|\\.|[^\s\"'\\])*+)")


@dataclass(frozen=True)
class Instruction:
    """One instruction. `value` is what follows its flags, with continuation lines joined; `words` its JSON form, if it
    has one; `scripts` the texts of its heredocs."""

    name: str
    value: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] | None = None
    scripts: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of a flag; None if it is not given."""
        return next((value for flag, value in self.flags if flag == name), None)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The names and values of ENV, LABEL and ARG."""
        found = [(m[1], m[2].strip("\"'")) for m in _PAIR.finditer(self.value)]
        if self.name == "ENV" and not _PAIR.match(self.value):
            name, _, value = self.value.partition(" ")
            return [(name, value.strip().strip("\"'"))]
        if self.name == "ARG":
            bare = [word for word in self.value.split() if "=" not in word and word.isidentifier()]
            return found + [(name, "") for name in bare]
        return found


@dataclass(frozen=True)
class Stage:
    """A stage: its base as it is written, with the defaults of build arguments put in, and its instructions."""

    base: str
    name: str
    line: int
    resolved: bool
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True)
class Dockerfile:
    """What a Dockerfile says; `problems` are lines that could not be read."""

    stages: tuple[Stage, ...]
    before: tuple[Instruction, ...]
    directives: Mapping[str, tuple[str, int]]
    problems: tuple[tuple[int, str], ...]


def parse(text: str) -> Dockerfile:
    """Read a Dockerfile. Never raises; linear in the text's length."""
    lines = text.replace("\r\n", "\n").split("\n")
    directives = _directives(lines)
    problems: list[tuple[int, str]] = []
    before: list[Instruction] = []
    stages: list[Stage] = []
    known: dict[str, str] = {}
    for number, item in enumerate(_instructions(lines, directives.get("escape", ("\\", 0))[0], problems)):
        if number >= MOST:
            problems.append((item.line, f"more than {MOST:,} instructions"))
            break
        if item.name == "FROM":
            stages.append(_stage(item, known))
        elif stages:
            stages[-1].instructions.append(item)
        else:
            before.append(item)
            if item.name == "ARG":
                known.update({name: value for name, value in item.pairs if value})
            elif item.name != "ONBUILD":
                problems.append((item.line, f"{item.name} before the first FROM"))
    if not stages:
        problems.append((0, "it has no FROM, so it builds nothing"))
    return Dockerfile(tuple(stages), tuple(before), directives, tuple(problems))


def _directives(lines: list[str]) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.fullmatch(line.strip()[:500])
        if not match:
            break
        found.setdefault(match[1].lower(), (match[2], number))
    return found


def _instructions(lines: list[str], escape: str, problems: list[tuple[int, str]]) -> Iterator[Instruction]:
    at = 0
    while at < len(lines):
        first = at
        parts: list[str] = []
        going = True
        while going and at < len(lines):
            line = lines[at].strip() if not parts else lines[at].rstrip()
            at += 1
            if line.lstrip().startswith("#") or (not line.strip() and (parts or not line)):
                going = bool(parts)
                continue
            going = line.endswith(escape) and not line.endswith(escape * 2)  # twice, it stands for itself
            parts.append(line[: -len(escape)] if going else line)
        if not parts:
            continue
        joined = _joined(parts)
        if len(joined) > LONGEST:
            problems.append((first + 1, f"an instruction of more than {LONGEST:,} characters"))
            joined = joined[:LONGEST]
        name, _, rest = joined.replace("\t", " ", 1).strip().partition(" ")
        name = name.upper()
        scripts: list[str] = []
        if name in ("RUN", "COPY", "ADD"):
            at = _heredocs(rest, lines, at, scripts, problems, first + 1)
        if name not in INSTRUCTIONS:
            problems.append((first + 1, "an instruction that is not known"))
            continue
        yield _instruction(name, rest, first + 1, tuple(scripts))


def _joined(parts: list[str]) -> str:
    """Continued lines as one: a word goes on in the next line unless there is a blank."""
    pieces = [parts[0].strip()]
    for before, part in itertools.pairwise(parts):
        glued = before[-1:].strip() and part[:1].strip()
        pieces.append(part.strip() if glued else f" {part.strip()}")
    return "".join(pieces)


def _heredocs(
    rest: str, lines: list[str], at: int, scripts: list[str], problems: list[tuple[int, str]], line: int
) -> int:
    """Read the heredocs that an instruction begins; where it goes on behind them."""
    for match in list(_HEREDOC.finditer(rest))[:20]:
        dash, end = match[1], match[3]
        begin = at
        while at < len(lines) and (lines[at].lstrip("\t") if dash else lines[at]) != end:
            at += 1
        if at >= len(lines):
            problems.append((line, "a heredoc has no end"))
        scripts.append("\n".join(lines[begin:at])[:LONGEST])
        at += 1
    return at


def _instruction(name: str, rest: str, line: int, scripts: tuple[str, ...]) -> Instruction:
    flags: list[tuple[str, str]] = []
    rest = rest.strip()
    while match := _FLAG.match(rest):
        flags.append((match[1], match[2] if match[2] is not None else "true"))
        rest = rest[match.end() :]
    words = None
    if rest.startswith("["):
        try:
            value = json.loads(rest)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            words = tuple(value)
    if name == "ONBUILD":
        inner, _, more = rest.partition(" ")
        if inner.upper() in INSTRUCTIONS - {"ONBUILD", "FROM"}:
            return _instruction(inner.upper(), more, line, scripts)
    return Instruction(name, rest, line, tuple(flags), words, scripts)


def _stage(item: Instruction, known: Mapping[str, str]) -> Stage:
    words = item.value.split()
    name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
    base, resolved = expanded(words[0] if words else "", known)
    return Stage(base, name, item.line, resolved)


def expanded(text: str, known: Mapping[str, str]) -> tuple[str, bool]:
    """A text with its variables put in, and whether all were known."""
    whole = True

    def value(match: re.Match[str]) -> str:
        nonlocal whole
        name, mark, other = match[1] or match[4], match[2], match[3]
        if name in known:
            return other if mark == "+" else known[name]
        if mark == "-":
            return other
        whole = False
        return match[0]

    return _VARIABLE.sub(value, text), whole
