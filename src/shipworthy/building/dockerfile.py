"""Read a Dockerfile for building: instructions, stages, variables. Source: the Dockerfile reference of Docker.

What cannot be read with certainty is an error: an image must not be built from a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.patterns import regex

_LONGEST, _LINES = 1 << 20, 20_000
_DIRECTIVE = regex(r"^#[ \t]*([A-Za-z]{1,32})[ \t]*=[ \t]*(\S{0,512})[ \t]*$")
_HEREDOC = regex(r"<<(-?)([\"']?)([A-Za-z_][A-Za-z0-9_.]{0,63})\2")
_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_FLAG = regex(r"^--([a-z][a-z-]{0,40})(?:=(\S{0,1024}))?(?:\s|$)")
KNOWN = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME "
    "WORKDIR".split()
)


@dataclass(frozen=True)
class Heredoc:
    """A document within an instruction: its name, its text, whether variables in it are replaced."""

    name: str
    text: str
    expand: bool


@dataclass(frozen=True)
class Instruction:
    """One instruction: `name` in capitals, `flags` (`--name=value`, in order), `text` what follows, `line` from 1."""

    name: str
    text: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()

    def json(self) -> tuple[str, ...] | None:
        """The arguments, if they are written as a JSON array of strings; else None."""
        if not self.text.startswith("["):
            return None
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return tuple(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


@dataclass(frozen=True)
class Stage:
    """One FROM with what follows. `base` is its reference, variables replaced; `line` that of the FROM."""

    base: str
    name: str
    line: int
    instructions: tuple[Instruction, ...]
    platform: str = ""


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile that was read. `arguments` are the ARGs before the first FROM, with the values that hold."""

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)

    def bases(self) -> tuple[str, ...]:
        """The references of images from elsewhere, in order; stages of this file and `scratch` are none."""
        names, found = set[str](), dict[str, None]()
        for stage in self.stages:
            if stage.base.lower() not in names and stage.base != "scratch":
                found[stage.base] = None
            names.add(stage.name.lower())
        return tuple(found)


def read(path: Path, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Read the file; `arguments` are the build arguments. Raises UsageError with the line that cannot be understood."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LONGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), remedy="name the Dockerfile") from None
    if len(data) > _LONGEST:
        raise UsageError("is larger than 1 MiB", where=str(path), remedy="write a shorter one")
    return parse(data.decode("utf-8", "replace"), arguments, where=str(path))


def parse(text: str, arguments: Mapping[str, str] | None = None, *, where: str = "Dockerfile") -> Dockerfile:
    """The same for a text."""
    given = dict(arguments or {})
    outside: dict[str, str] = {}
    stages: list[Stage] = []
    current: list[Instruction] = []
    for one in _instructions(text, where):
        if one.name == "FROM":
            base, name = _from(one, outside, where)
            current = []
            stages.append(Stage(base, name, one.line, (), dict(one.flags).get("platform", "")))
        elif not stages:
            if one.name != "ARG":
                raise UsageError(f"{one.name} before FROM", where=f"{where}:{one.line}", remedy="begin with FROM")
            for key, value in assignments(one, lambda word: expand(word, outside), where):
                if key in given or value is not None:
                    outside[key] = given.get(key, value or "")
        else:
            current.append(one)
            last = stages[-1]
            stages[-1] = Stage(last.base, last.name, last.line, tuple(current), last.platform)
    if not stages:
        raise UsageError("has no FROM", where=where, remedy="name a base image: FROM image")
    return Dockerfile(tuple(stages), outside)


def _from(one: Instruction, outside: Mapping[str, str], where: str) -> tuple[str, str]:
    words = one.text.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise UsageError("FROM is not understood", where=f"{where}:{one.line}", remedy="FROM image [AS name]")
    base = expand(words[0], outside)
    if not base:
        raise UsageError(
            f"FROM {words[0]} names no image: the variable is empty", where=f"{where}:{one.line}", remedy="give ARG"
        )
    return base, words[2] if len(words) == 3 else ""


def _instructions(text: str, where: str) -> Iterator[Instruction]:
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > _LINES:
        raise UsageError(f"has more than {_LINES} lines", where=where, remedy="write a shorter one")
    escape, position = _escape(lines, where)
    while position < len(lines):
        start = position
        joined, position = _joined(lines, position, escape)
        if not joined.strip():
            continue
        word, _, rest = joined.strip().partition(" ") if " " in joined.strip() else _split(joined.strip())
        name = word.upper()
        if name not in KNOWN:
            raise UsageError(
                f'"{word[:40]}" is no instruction', where=f"{where}:{start + 1}", remedy="see the Dockerfile reference"
            )
        flags, rest = _flags(rest.strip()) if name in ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN") else ((), rest)
        documents: list[Heredoc] = []
        for match in _HEREDOC.finditer(rest) if name in ("ADD", "COPY", "RUN") else ():
            body, position = _document(lines, position, match[3], bool(match[1]), f"{where}:{start + 1}")
            documents.append(Heredoc(match[3], body, expand=not match[2]))
        yield Instruction(name, rest.strip(), start + 1, flags, tuple(documents))


def _split(line: str) -> tuple[str, str, str]:
    word, *rest = line.split(None, 1)
    return word, " ", rest[0] if rest else ""


def _escape(lines: Sequence[str], where: str) -> tuple[str, int]:
    escape, position = "\\", 0
    while position < len(lines) and (match := _DIRECTIVE.match(lines[position])):
        if match[1].lower() == "escape":
            if match[2] not in ("\\", "`"):
                raise UsageError("the escape directive is not understood", where=f"{where}:{position + 1}")
            escape = match[2]
        position += 1
    return escape, position


def _joined(lines: Sequence[str], position: int, escape: str) -> tuple[str, int]:
    """One instruction with its continuations; comments and empty lines within are left out."""
    parts: list[str] = []
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.lstrip().startswith("#"):
            if parts:
                continue
            return "", position
        if not line.strip():
            if parts:
                continue
            return "", position
        stripped = line.rstrip(" \t")
        if stripped.endswith(escape):
            parts.append(stripped[:-1])
            continue
        parts.append(line)
        break
    return "".join(parts), position


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    while match := _FLAG.match(text):
        flags.append((match[1], match[2] or ""))
        text = text[match.end() :].lstrip()
    return tuple(flags), text


def _document(lines: Sequence[str], position: int, name: str, strip: bool, where: str) -> tuple[str, int]:
    body: list[str] = []
    while position < len(lines):
        line = lines[position].lstrip("\t") if strip else lines[position]
        position += 1
        if line == name:
            return "".join(f"{one}\n" for one in body), position
        body.append(line)
    raise UsageError(f"the document <<{name} does not end", where=where, remedy=f"end it with a line: {name}")


def words(text: str) -> list[str]:
    """Split at blanks outside of quotes; quotes and escapes are kept for `expand`."""
    found: list[str] = []
    word, quote, position = "", "", 0
    while position < len(text):
        char = text[position]
        if char == "\\" and position + 1 < len(text) and quote != "'":
            word += text[position : position + 2]
            position += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in " \t":
            if word:
                found.append(word)
            word = ""
            position += 1
            continue
        word += char
        position += 1
    return [*found, word] if word else found


def expand(text: str, variables: Mapping[str, str], *, unquote: bool = True) -> str:
    """Replace $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:+word}, ${NAME+word}; take quotes and escapes away.
    Raises UsageError for other forms."""
    out: list[str] = []
    position, quote = 0, ""
    while position < len(text):
        char = text[position]
        if char == "\\" and quote != "'" and position + 1 < len(text):
            out.append(text[position + 1] if unquote or text[position + 1] == "$" else text[position : position + 2])
            position += 2
        elif unquote and char in "\"'" and quote in ("", char):
            quote = "" if quote else char
            position += 1
        elif char == "$" and quote != "'":
            value, position = _variable(text, position, variables)
            out.append(value)
        else:
            out.append(char)
            position += 1
    return "".join(out)


def _variable(text: str, position: int, variables: Mapping[str, str]) -> tuple[str, int]:
    if match := _NAME.match(text, position + 1):
        return variables.get(match[0], ""), match.end()
    if not text.startswith("${", position):
        return "$", position + 1
    match = _NAME.match(text, position + 2)
    end = text.find("}", position)
    if not match or end < 0:
        raise UsageError(f"a variable is not understood: {text[position : position + 40]}")
    name, rest = match[0], text[match.end() : end]
    value = variables.get(name)
    if not rest:
        return value or "", end + 1
    sign, word = (rest[:2], rest[2:]) if rest[0] == ":" else (rest[0], rest[1:])
    word = expand(word, {key: one for key, one in variables.items() if key != name})
    there = bool(value) if sign[0] == ":" else value is not None
    if sign[-1] == "-":
        return (value or "") if there else word, end + 1
    if sign[-1] == "+":
        return word if there else "", end + 1
    raise UsageError(f"this form of a variable is not supported: {text[position : end + 1][:60]}")


def assignments(
    one: Instruction, fill: Callable[[str], str], where: str = "Dockerfile"
) -> Iterator[tuple[str, str | None]]:
    """The pairs of ENV, LABEL or ARG; `fill` replaces variables. The value of an ARG without `=` is None."""
    parts = words(one.text)
    if one.name == "ENV" and parts and "=" not in parts[0]:
        name, _, value = one.text.partition(" ")
        yield name, fill(value.strip())
        return
    for part in parts:
        name, sign, value = part.partition("=")
        if not sign and one.name != "ARG":
            raise UsageError(
                f"{one.name} needs name=value", where=f"{where}:{one.line}", remedy='quote blanks: A="b c"'
            )
        yield fill(name), fill(value) if sign else None


__all__ = ["Dockerfile", "Heredoc", "Instruction", "Stage", "assignments", "expand", "parse", "read", "words"]
