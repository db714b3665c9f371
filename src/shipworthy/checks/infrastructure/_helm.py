"""Helm's templates with the chart's own values put in, as far as that needs no template engine; nothing is run.

Paths into values, `default`, `quote`, `toYaml`, `nindent`, `if`, `with` and `range` over values that are known are
followed. What else there is becomes `$unknown`, or is said where a part of a manifest is missing for it.
Source: Helm's chart template guide (helm.sh/docs/chart_template_guide).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

UNKNOWN = "$unknown"
_MOST_LINES = 100_000
_PATH = regex(r"\$?((?:\.[A-Za-z_]\w*)+|\.)\Z")
_TEXT = regex(r"\"((?:[^\"\\]|\\.)*+)\"\Z|`([^`]*+)`\Z")
_NUMBER = regex(r"-?\d{1,18}\Z")
_WORD = regex(r"\"(?:[^\"\\]|\\.)*+\"|`[^`]*+`|\([^()]*+\)|[^\s\"`()]++|[()\"`]")
_PIECE = regex(r"\"(?:[^\"\\]|\\.)*+\"|`[^`]*+`|\([^()]*+\)|\||[^\"`()|]++|.", re.DOTALL)
_CONTROL = frozenset("if else end range with define block template".split())
_NO_PART = regex(r"(?:[\w.-]*(?i:label|selector|annotation)[\w.-]*)")


class _Nothing:
    """A value that is not known."""


NOTHING = _Nothing()


@dataclass(frozen=True)
class Rendered:
    """A template's text, for each of its lines that of the template, parts that are missing with their lines, and
    notes of what else was not looked at."""

    lines: list[str] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    missing: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)

    def origin(self, line: int) -> int:
        """The template's line for one of the text."""
        return self.origins[line - 1] if 0 < line <= len(self.origins) else line


@dataclass(frozen=True)
class _Scope:
    kind: str
    active: bool
    dot: Any
    chosen: bool


def render(text: str, world: Mapping[str, Any]) -> Rendered:
    """Put values in. `world` is what `.` is at the top: Values, Chart, Release."""
    return _Renderer(world).run(text)


def _pieces(line: str) -> Iterator[tuple[bool, str]]:
    """The parts of a line: whether one is an action, and its text."""
    at = 0
    while True:
        begin = line.find("{{", at)
        end = line.find("}}", begin + 2) if begin >= 0 else -1
        if begin < 0 or end < 0:
            yield False, line[at:]
            return
        yield False, line[at:begin]
        yield True, line[begin + 2 : end].strip("-").strip()
        at = end + 2


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; an action that goes over several is one line."""
    parts: list[str] = []
    first = 1
    balance = 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not parts:
            first = number
        parts.append(line)
        balance += line.count("{{") - line.count("}}")
        if balance <= 0 or len(parts) > 200:
            yield first, " ".join(parts) if len(parts) > 1 else line
            parts, balance = [], 0
    if parts:
        yield first, " ".join(parts)


class _Renderer:
    def __init__(self, world: Mapping[str, Any]) -> None:
        self.world = world
        self.stack: list[_Scope] = []
        self.out = Rendered()

    @property
    def active(self) -> bool:
        return self.stack[-1].active if self.stack else True

    @property
    def dot(self) -> Any:
        return self.stack[-1].dot if self.stack else self.world

    def run(self, text: str) -> Rendered:
        for number, line in _joined(text):
            if len(self.out.lines) > _MOST_LINES:
                self.out.missing.append((number, "the template is too long"))
                break
            self.line(number, line)
        return self.out

    def emit(self, number: int, text: str) -> None:
        self.out.lines.append(text)
        self.out.origins.append(number)

    def line(self, number: int, line: str) -> None:
        if "{{" not in line:
            if self.active:
                self.emit(number, line)
            return
        made: list[str] = []
        controls = values = 0
        for is_action, piece in _pieces(line):
            if not is_action:
                if self.active:
                    made.append(piece)
                continue
            word = piece.split(" ", 1)[0]
            if piece.startswith("/*") or (word.startswith("$") and (":=" in piece or " = " in piece)):
                controls += 1
            elif word == "template" and "".join(made).strip():
                made.append(UNKNOWN if self.active else "")
            elif word in _CONTROL:
                controls += 1
                self.control(word, piece[len(word) :].strip(), number)
            elif self.active:
                values += 1
                if self.block(number, "".join(made), piece):
                    return
                made.append(self.shown(self.value(piece)))
        text = "".join(made)
        if self.active and (values or text.strip()):
            self.emit(number, text)

    def block(self, number: int, before: str, piece: str) -> bool:
        """A part of the manifest that is put in as a whole: `toYaml`, or an action alone on its line."""
        head, *filters = [one.strip() for one in _split(piece)]
        indent = next(
            (one.split()[1] for one in filters if one.split()[0:1] in (["nindent"], ["indent"]) and " " in one), ""
        )
        column = int(indent) if indent.isdigit() and len(indent) < 3 else len(before) - len(before.lstrip())
        if head.startswith("toYaml ") or (head.startswith(".") and "toYaml" in filters):
            value = self.value(head.removeprefix("toYaml "))
            if before.strip():
                if value is NOTHING:
                    self.emit(number, before)
                    self.lost(number, before, piece)
                else:
                    self.emit(number, f"{before} {json.dumps(value)}" if not isinstance(value, str) else before + value)
                return True
            self.whole(number, column, value, piece)
            return True
        if not before.strip() and not head.startswith((".", '"')):
            self.lost(number, next((one for one in reversed(self.out.lines) if one.strip()), ""), piece)
            return True
        return False

    def whole(self, number: int, column: int, value: Any, piece: str) -> None:
        if isinstance(value, dict):
            for key, one in value.items():
                self.emit(number, " " * column + f"{json.dumps(str(key))}: {json.dumps(one)}")
        elif isinstance(value, list):
            for one in value:
                self.emit(number, " " * column + f"- {json.dumps(one)}")
        elif value is NOTHING:
            self.lost(number, next((one for one in reversed(self.out.lines) if one.strip()), ""), piece)
        elif value is not None:
            self.emit(number, " " * column + json.dumps(value))

    def lost(self, number: int, before: str, piece: str) -> None:
        """A part that is not known: no matter below labels, else nothing may be called missing."""
        if not (_NO_PART.search(before.rpartition("\n")[2]) or _NO_PART.search(piece)):
            self.out.missing.append((number, f"`{' '.join(piece.split())[:60]}` is not known without Helm"))

    def control(self, word: str, rest: str, number: int) -> None:
        if word == "end":
            if self.stack:
                self.stack.pop()
        elif word == "else":
            if self.stack:
                last = self.stack.pop()
                active = self.active and not last.chosen
                if rest.startswith("if "):
                    value = self.condition(rest[3:])
                    active = active and value is not False
                    self.stack.append(_Scope(last.kind, active, self.dot, last.chosen or value is True))
                else:
                    self.stack.append(_Scope("if", active, self.dot, True))
        elif word == "define":
            self.stack.append(_Scope("define", False, NOTHING, True))
        elif word in ("if", "with", "range", "block"):
            self.opened(word, rest, number)
        elif word == "template" and self.active:
            self.lost(number, "", rest)

    def opened(self, word: str, rest: str, number: int) -> None:
        """A block begins: whether what is in it counts, and what `.` is there."""
        truth: bool | None = None
        inner: Any = NOTHING
        if word == "if":
            truth, inner = self.condition(rest), self.dot
        elif word in ("with", "range"):
            value = self.value(rest)
            truth = None if value is NOTHING else bool(value)
            items = list(value.values()) if isinstance(value, dict) else value
            inner = value
            if word == "range":
                inner = items[0] if isinstance(items, list) and items and "$" not in rest else NOTHING
                if self.active and isinstance(items, list) and len(items) > 1:
                    self.out.notes.append(
                        (number, f"only the first of {len(items)} that `range` goes over was looked at")
                    )
        self.stack.append(_Scope(word, self.active and truth is not False, inner, truth is True))

    def condition(self, text: str) -> bool | None:
        """Whether a condition holds; None if that is not known: both branches are then looked at."""
        text = text.strip()
        if text.startswith("not "):
            inner = self.condition(text[4:])
            return None if inner is None else not inner
        value = self.value(text)
        return None if value is NOTHING else bool(value)

    def value(self, text: str) -> Any:
        """The value of an action, NOTHING if it is not known."""
        head, *filters = _split(text)
        value = self.simple(head.strip())
        for one in filters:
            name, _, argument = one.strip().partition(" ")
            if name == "default":
                other = self.simple(argument.strip())
                value = other if value in (None, "", False, 0) or value == [] or value == {} else value
            elif name in ("quote", "squote"):
                value = value if value is NOTHING else json.dumps("" if value is None else self.shown(value))
            elif name not in ("toString", "int", "trim", "toYaml", "nindent", "indent", "int64", "toJson"):
                return NOTHING
        return value

    def simple(self, text: str) -> Any:
        words = _WORD.findall(text[:2000])
        if len(words) == 3 and words[0] == "default":
            value = self.simple(words[2])
            return self.simple(words[1]) if value in (None, "", False) else value
        if len(words) == 2 and words[0] in ("quote", "toYaml", "int", "toString"):
            value = self.simple(words[1])
            return json.dumps(self.shown(value)) if words[0] == "quote" and value is not NOTHING else value
        if len(words) != 1:
            return NOTHING
        text = words[0]
        if text.startswith("(") and text.endswith(")") and len(text) > 2:
            return self.value(text[1:-1])
        if quoted := _TEXT.match(text):
            return quoted[1] if quoted[1] is not None else quoted[2]
        if text in ("true", "false"):
            return text == "true"
        if _NUMBER.match(text):
            return int(text)
        if not _PATH.match(text):
            return NOTHING
        value = self.world if text.startswith("$") else self.dot
        for part in text.lstrip("$").split("."):
            if not part:
                continue
            if not isinstance(value, dict):
                return NOTHING if value is NOTHING else None
            value = value.get(part)
        return value

    @staticmethod
    def shown(value: Any) -> str:
        """A value in the text of a manifest."""
        if value is NOTHING:
            return UNKNOWN
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)


def _split(text: str) -> list[str]:
    """An action at its pipes, those in texts and brackets left alone."""
    parts = [""]
    for word in _PIECE.findall(text[:4000]):
        if word == "|":
            parts.append("")
        else:
            parts[-1] += word
    return parts
