"""YAML as plain values that know their lines, from the events of a parser: nothing is built, aliases are bounded."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from shipworthy.check import Unavailable

SIZE_LIMIT = 8_000_000
DEPTH_LIMIT = 100
# Counted with what aliases repeat: a few lines can stand for more values than there are atoms.
VALUES_LIMIT = 400_000
MERGE = "<<"


class Malformed(Exception):
    """The text is not YAML as it is read here; the message says why, in a phrase for people."""


class Text(str):
    """A scalar, whatever its type would be. `plain` says that it stood without quotes; `block` that its first line is
    the one after `line`."""

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


class List(list[Any]):
    """A sequence with its line and tag."""

    line = 1
    tag = ""


class Map(dict[str, Any]):
    """A mapping with its line; `lines` are those of its keys, `twice` are keys that were given more than once."""

    line = 1
    tag = ""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.twice: list[Text] = []

    def line_of(self, key: str) -> int:
        """The line of a key, else that of the mapping."""
        return self.lines.get(key, self.line)


Value = Text | List | Map


def documents(text: str) -> list[Value]:
    """The documents of a YAML text. Raises Malformed, and Unavailable when there is no parser."""
    if len(text) > SIZE_LIMIT:
        raise Malformed(f"is larger than {SIZE_LIMIT:,} characters")
    try:
        yaml = importlib.import_module("yaml")  # here: most runs read none
    except ImportError:
        raise Unavailable("PyYAML is not installed", "pip install 'pyyaml>=6'") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(yaml.parse(text, Loader=loader)).all()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise Malformed(f"is not YAML{where}") from None
    except (RecursionError, MemoryError, ValueError):
        raise Malformed("is not YAML that can be read within bounds") from None


def mapping(text: str) -> Map:
    """The one document of a text, a mapping; an empty text is an empty mapping. Raises Malformed."""
    found = [one for one in documents(text) if one != ""]
    if len(found) > 1:
        raise Malformed("holds several documents")
    if not found:
        return Map()
    if not isinstance(found[0], Map):
        raise Malformed("is no mapping")
    return found[0]


class _Composer:
    """Values from events, with a stack of its own: depth is a number, not the interpreter's stack."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._events = iter(events)
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._total = 0

    def all(self) -> list[Value]:
        found: list[Value] = []
        for event in self._events:
            if type(event).__name__ == "DocumentStartEvent":
                self._anchors = {}
                found.append(self._value(next(self._events), 0)[0])
        return found

    def _value(self, event: Any, depth: int) -> tuple[Value, int]:
        """A value and how many it stands for."""
        if depth > DEPTH_LIMIT:
            raise Malformed(f"is nested more than {DEPTH_LIMIT} levels deep")
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "AliasEvent":
            if event.anchor not in self._anchors:
                raise Malformed(f"line {line} refers to an anchor that is not complete there")
            value, size = self._anchors[event.anchor]
            self._spend(size)
            return value, size
        self._spend(1)
        made: Value
        if kind == "ScalarEvent":
            style = event.style
            made = Text(event.value, line, plain=not style, block=style in ("|", ">"), tag=event.tag or "")
            size = 1
        elif kind == "SequenceStartEvent":
            made, size = self._sequence(depth)
        else:
            made, size = self._mapping(depth)
        if not isinstance(made, Text):
            made.line, made.tag = line, event.tag or ""
        if event.anchor:
            self._anchors[event.anchor] = (made, size)
        return made, size

    def _spend(self, count: int) -> None:
        self._total += count
        if self._total > VALUES_LIMIT:
            raise Malformed(f"stands for more than {VALUES_LIMIT:,} values")

    def _sequence(self, depth: int) -> tuple[List, int]:
        made, size = List(), 1
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            value, count = self._value(event, depth + 1)
            made.append(value)
            size += count
        return made, size

    def _mapping(self, depth: int) -> tuple[Map, int]:
        made, size = Map(), 1
        merged: list[Map] = []
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key, first = self._value(event, depth + 1)
            value, second = self._value(next(self._events), depth + 1)
            size += first + second
            if not isinstance(key, Text):
                key = Text("(a key that is no text)", event.start_mark.line + 1)
            if key == MERGE and key.plain and not isinstance(value, Text):
                merged += [one for one in (value if isinstance(value, List) else [value]) if isinstance(one, Map)]
                continue
            if key in made:
                made.twice.append(key)
            made[str(key)] = value
            made.lines[str(key)] = key.line
        for other in merged:
            self._spend(len(other))
            for name, value in other.items():
                if name not in made:
                    made[name] = value
                    made.lines[name] = other.lines.get(name, other.line)
        return made, size


def as_map(value: Any) -> Map:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Map) else Map()


def as_list(value: Any) -> list[Any]:
    """The value if it is a sequence, one value as a sequence of one, nothing as an empty one."""
    if isinstance(value, List):
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
    elif isinstance(value, List):
        for item in value:
            yield from texts(item, name)
