"""YAML and JSON of configurations, workflows and lock files: values that know their lines, and tags that are kept.

The reader is that of `shipworthy.modelfile.yamls`, with its limits on depth, size and aliases; here it keeps lines and
tags, and reads a file of several documents. `documents` says what scalars stand for; `read_texts` leaves them as they
are written, for formats whose readers do not agree with YAML 1.1 on what `on` and `1.10` are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from shipworthy.modelfile.yamls import UnreadYamlError
from shipworthy.modelfile.yamls.blocks import Reader
from shipworthy.modelfile.yamls.scalars import MERGE, quoted
from shipworthy.patterns import regex
from shipworthy.records import dataclass

# Characters that YAML forbids, or that readers take for the end of a line or leave out.
_ODD = regex("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_MARKER = regex(r"(?m)^(?:---|\.\.\.)(?=[ \t\n]|\Z)")
_DIRECTIVE = regex(r"(?m)^%[A-Z]+[^\n]{0,200}\n")
_CORE = frozenset({"!str", "!int", "!float", "!bool", "!null", "!map", "!seq", "!timestamp", ""})
_PLAIN = frozenset({"!int", "!float", "!bool", "!null"})
_INDENT = regex(r"(?m)^[ \t]*\t[ \t]*")
# A key that is one text, whatever stands behind it.
_ALONE = regex(r""" "(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|[A-Za-z0-9_./][^:#]*+ """.strip())
MOST_DOCUMENTS = 2_000
SIZE_LIMIT = 8_000_000
# Keys of lock files list all that they stand for.
LONGEST_KEY = 65_536


class Malformed(Exception):
    """The text is not YAML as it is read here; the message says why, in a phrase for people."""


class Text(str):
    """A scalar with the line on which it begins, counted from 1. `plain`: it stood without quotes; `block`: its first
    line is the one after `line`; `tag` is its own, if it has one."""

    __slots__ = ("block", "line", "plain", "tag")
    line: int
    plain: bool
    block: bool
    tag: str

    def __new__(cls, value: str, line: int = 1, *, plain: bool = True, block: bool = False, tag: str = "") -> Text:
        """A string with its place."""
        made = super().__new__(cls, value)
        made.line, made.plain, made.block, made.tag = line, plain, block, tag
        return made

    def line_at(self, position: int) -> int:
        """The line of the file on which the character at this position stands (for folded text, about)."""
        return self.line + self.block + self.count("\n", 0, position)


class Map(dict[str, Any]):
    """A mapping: `line` is where it begins, `lines` where each key stands."""

    line = 0
    tag = ""
    lines: dict[str, int]

    def at(self, key: str) -> int:
        """The line of a key; that of the mapping if it is not there."""
        return self.lines.get(key, self.line)


class Seq(list[Any]):
    """A sequence with the line on which it begins."""

    line = 0
    tag = ""


Value = Text | Seq | Map


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
        if tag in _PLAIN and isinstance(value, str) and value:
            value = self.resolved(str(value))  # `!!bool "true"` is no text
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
            key = quoted(shown) if shown[0] in "'\"" else self.resolved(shown)
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


class _Texts(_Lines):
    """The reader, leaving scalars as they are written; the last of two equal keys counts."""

    longest_key = LONGEST_KEY

    def __init__(self, lines: list[str], first: int) -> None:
        super().__init__(lines, first, False)

    def key(self) -> int:
        """Also a key behind `?`, with its value behind `:` on the next line, as keys that are long are written."""
        line, column = self.line, self.column
        if line.startswith("? ", column) and self.at + 1 < len(self.lines):
            shown, below = line[column + 2 :].strip(" "), self.lines[self.at + 1]
            if _ALONE.fullmatch(shown) and below[: column + 2].rstrip(" ") == " " * column + ":":
                self.lines[self.at] = line[:column] + shown + ":"
                self.lines[self.at + 1] = " " * (column + 1) + below[column + 1 :]
        return super().key()

    def resolved(self, text: str) -> Any:
        return MERGE if text == "<<" else Text(text, 0)

    def worth(self, parts: list[str]) -> Any:
        return Text(" ".join(parts), 0)

    def literal(self, parent: int) -> str:
        number = self.number
        return Text(super().literal(parent), number, plain=False, block=True)

    def scalar(self, mark: str, parent: int, depth: int) -> Any:
        number = self.number
        return _placed(super().scalar(mark, parent, depth), number)

    def inline(self, parent: int, depth: int, in_map: bool = False) -> Any:
        number = self.number
        value = super().inline(parent, depth, in_map)
        return Text("", number) if value is None else value

    def anchored(self, anchor: str, value: Any) -> Any:
        tag = self.pending[-1]
        self.pending[-1] = ""
        if tag:
            value = Text("", self.number) if value is None else _placed(value, self.number)
            value.tag = f"!{tag}"
        return super().anchored(anchor, value)

    def joined(self, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
        told = [(key, Text("", getattr(key, "line", 0)) if value is None else value) for key, value in pairs]
        last = {key if key is MERGE else str(key): (key, value) for key, value in told}
        return super().joined(list(last.values()))


def _placed(value: Any, number: int) -> Any:
    """The value with its line, if it has none yet."""
    if type(value) is str:
        value = Text(value, number, plain=False)
    elif type(value) is Text and not value.line:
        value.line = number
    elif type(value) is list:
        value = Seq(value)
        value.line = number
    elif type(value) is Map and not value.line:
        value.line = number
    return value


def documents(text: str, lenient: bool = False) -> Iterator[Document | Unread]:
    """Every document of a text, those that are empty left out; `lenient`: the first of two equal keys counts. Never
    raises; linear in the text's length."""
    return _read(text, lambda lines, first: _Lines(lines, first, lenient))


def _read(text: str, make: Callable[[list[str], int], _Lines]) -> Iterator[Document | Unread]:
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
        yield _document(make(lines, first), marked)


def _document(reader: _Lines, marked: bool) -> Document | Unread:
    first, count = reader.first, len(reader.lines)
    try:
        value = reader.run(marked)
    except UnreadYamlError as error:
        return Unread(str(error), min(reader.number, first + count))
    except RecursionError:
        return Unread("nested too deeply", reader.number)
    return Document(value, first + 1, first + count)


def read_texts(text: str) -> list[Value]:
    """The documents of a YAML text that are not empty, every scalar a `Text`. Raises Malformed."""
    if len(text) > SIZE_LIMIT:
        raise Malformed(f"is larger than {SIZE_LIMIT:,} characters")
    found: list[Value] = []
    for one in _read(text, _Texts):
        if isinstance(one, Unread):
            raise Malformed(f"is not YAML that is read here ({_where(one)})")
        if one.value != "" or not isinstance(one.value, Text):
            found.append(one.value)
    return found


def _where(problem: Unread) -> str:
    return problem.reason if problem.reason.startswith("line ") else f"line {problem.line}: {problem.reason}"


def read_text_map(text: str) -> Map:
    """The one document of a text, a mapping; an empty text is an empty mapping. Raises Malformed."""
    found = read_texts(text)
    if len(found) > 1:
        raise Malformed("holds several documents")
    if found and not isinstance(found[0], Map):
        raise Malformed("is no mapping")
    return as_map(found[0] if found else None)


def as_map(value: Any) -> Map:
    """The value if it is a mapping, else an empty one."""
    if isinstance(value, Map):
        return value
    empty = Map()
    empty.lines = {}
    return empty


def as_list(value: Any) -> list[Any]:
    """The value if it is a sequence, one value as a sequence of one, nothing as an empty one."""
    if isinstance(value, Seq):
        return value
    return [] if value is None or value == "" else [value]


def as_text(value: Any) -> Text:
    """The value if it is a scalar, else an empty one."""
    return value if isinstance(value, Text) else Text("", getattr(value, "line", 1))


def texts(value: Any, name: str = "") -> Iterator[tuple[str, Text]]:
    """Every scalar below a value with the key that it is under."""
    if isinstance(value, Text):
        yield name, value
    elif isinstance(value, Map):
        for key, item in value.items():
            yield from texts(item, key)
    elif isinstance(value, Seq):
        for item in value:
            yield from texts(item, name)


def sequence(value: Any) -> list[Any]:
    """The value if it is a sequence, else an empty one."""
    return value if isinstance(value, list) else []


def line_of(value: Any, otherwise: int) -> int:
    """The line of a value that knows it."""
    line = getattr(value, "line", 0)
    return line if isinstance(line, int) and line else otherwise
