"""YAML and JSON of configurations: values that know their lines, and tags that are kept.

The reader is that of `shipworthy.modelfile.yamls`, with its limits on depth, size and aliases; here it keeps lines and
tags, and reads a file of several documents. What it refuses, such as a key twice, is said as `Unread`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile.yamls import UnreadYamlError
from shipworthy.modelfile.yamls.blocks import Reader
from shipworthy.modelfile.yamls.scalars import quoted, resolved
from shipworthy.patterns import regex
from shipworthy.records import dataclass

# Characters that YAML forbids, or that readers take for the end of a line or leave out.
_ODD = regex("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_MARKER = regex(r"(?m)^(?:---|\.\.\.)(?=[ \t\n]|\Z)")
_DIRECTIVE = regex(r"(?m)^%[A-Z]+[^\n]{0,200}\n")
_CORE = frozenset({"!str", "!int", "!float", "!bool", "!null", "!map", "!seq", "!timestamp", ""})
_INDENT = regex(r"(?m)^[ \t]*\t[ \t]*")
MOST_DOCUMENTS = 2_000


class Text(str):
    """A text with the line on which it begins, counted from 1."""

    __slots__ = ("line",)
    line: int


class Map(dict[str, Any]):
    """A mapping: `line` is where it begins, `lines` where each key stands."""

    line = 0
    lines: dict[str, int]

    def at(self, key: str) -> int:
        """The line of a key; that of the mapping if it is not there."""
        return self.lines.get(key, self.line)


class Seq(list[Any]):
    """A sequence with the line on which it begins."""

    line = 0


@dataclass(frozen=True)
class Tagged:
    """A value with a tag of its own, such as `!Ref`: what it stands for is not in the text."""

    tag: str
    value: Any


@dataclass(frozen=True)
class Document:
    """One document: its value, and the lines from and to which it goes."""

    value: Any
    line: int
    end: int


@dataclass(frozen=True)
class Unread:
    """A document that could not be read."""

    reason: str
    line: int


class _Lines(Reader):
    """The reader, keeping lines and tags. `lenient`: the first of two equal keys counts."""

    def __init__(self, lines: list[str], first: int, lenient: bool) -> None:
        super().__init__(lines, first)
        self.lenient = lenient
        self.pending: list[str] = []

    @property
    def number(self) -> int:
        return self.first + self.at + 1

    def properties(self) -> str:
        before = len(self.tags)
        anchor = super().properties()
        self.pending.append(self.tags[before][0] if len(self.tags) > before else "")
        return anchor

    def anchored(self, anchor: str, value: Any) -> Any:
        tag = self.pending.pop()
        return super().anchored(anchor, value if tag in _CORE else Tagged(tag, value))

    def inline(self, parent: int, depth: int, in_map: bool = False) -> Any:
        number = self.number
        return _placed(super().inline(parent, depth, in_map), number)

    def flow_node(self, depth: int) -> Any:
        number = self.number
        return _placed(super().flow_node(depth), number)

    def sequence(self, column: int, depth: int) -> list[Any]:
        number = self.number
        return _placed(super().sequence(column, depth), number)  # type: ignore[no-any-return]

    def mapping(self, column: int, depth: int) -> dict[str, Any]:
        pairs: list[tuple[Any, Any]] = []
        number = self.number
        while True:
            end = self.key()
            if end < 0 or self.dash():
                raise self.wrong()
            shown = self.line[self.column : end - 1].rstrip(" ")
            key = quoted(shown) if shown[0] in "'\"" else resolved(shown)
            key = _placed(key, self.number)
            self.column = end
            while self.line[self.column : self.column + 1] == " ":
                self.column += 1
            pairs.append((key, self.inline(column, depth + 1, True)))
            low = self.skip()
            if low > column:
                raise self.wrong("indentation")
            if low < column:
                return _placed(self.joined(pairs), number)  # type: ignore[no-any-return]
            if self.dash():
                raise self.wrong()

    def joined(self, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
        if self.lenient:
            pairs = list({str(key): (key, value) for key, value in reversed(pairs)}.values())[::-1]
        made = Map(super().joined(pairs))
        made.lines = {}
        for _, value in pairs:
            for other in value if isinstance(value, list) else (value,):
                if isinstance(other, Map):
                    made.lines.update({key: line for key, line in other.lines.items() if key in made})
        made.lines.update({str(key): key.line for key, _ in pairs if isinstance(key, Text)})
        made.line = min((key.line for key, _ in pairs if isinstance(key, Text)), default=0)
        return made


def _placed(value: Any, number: int) -> Any:
    """The value with its line, if it has none yet."""
    if type(value) is str:
        value = Text(value)
        value.line = number
    elif type(value) is list:
        value = Seq(value)
        value.line = number
    elif type(value) is Map and not value.line:
        value.line = number
    return value


def documents(text: str, lenient: bool = False) -> Iterator[Document | Unread]:
    """Every document of a text, those that are empty left out. Never raises; linear in the text's length."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if odd := _ODD.search(text):
        yield Unread(f"a character that YAML forbids: {ascii(odd.group())[:12]}", text.count("\n", 0, odd.start()) + 1)
        return
    if text.lstrip()[:1] in ("{", "["):
        text = _INDENT.sub(lambda found: " " * len(found[0]), text)  # JSON may be indented by tabs
    text = _DIRECTIVE.sub("\n", text, count=3) if text.startswith("%") else text
    starts = [0, *(found.start() for found in _MARKER.finditer(text))]
    if len(starts) > MOST_DOCUMENTS:
        yield Unread(f"more than {MOST_DOCUMENTS:,} documents", 1)
        return
    first = last = 0
    for number, begin in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(text)
        first += text.count("\n", last, begin)
        last = begin
        part = text[begin:end]
        marked = part.startswith("---") and _MARKER.match(part) is not None
        part = part[3:] if marked or (part.startswith("...") and _MARKER.match(part)) else part
        lines = part.split("\n")
        if all(not line.strip() or line.lstrip().startswith("#") for line in lines):
            continue
        yield _document(lines, first, marked, lenient)


def _document(lines: list[str], first: int, marked: bool, lenient: bool) -> Document | Unread:
    reader = _Lines(lines, first, lenient)
    try:
        value = reader.run(marked)
    except UnreadYamlError as error:
        return Unread(str(error), min(reader.number, first + len(lines)))
    except RecursionError:
        return Unread("nested too deeply", reader.number)
    return Document(value, first + 1, first + len(lines))


def mapping(value: Any) -> Map:
    """The value if it is a mapping, else an empty one."""
    if isinstance(value, Map):
        return value
    empty = Map()
    empty.lines = {}
    return empty


def sequence(value: Any) -> list[Any]:
    """The value if it is a sequence, else an empty one."""
    return value if isinstance(value, list) else []


def line_of(value: Any, otherwise: int) -> int:
    """The line of a value that knows it."""
    line = getattr(value, "line", 0)
    return line if isinstance(line, int) and line else otherwise
