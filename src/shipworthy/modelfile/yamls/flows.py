"""What YAML's block and flow collections have in common, and flow collections."""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.yamls.scalars import MERGE, UnreadYamlError, quoted, resolved
from shipworthy.patterns import regex

_PROPERTY = regex(r"(?:&(?P<anchor>[A-Za-z0-9_-]{1,200})|!(?P<tag>[^ \t,\[\]{}]{0,200}))(?: +|$)")
_ALIAS = regex(r"\*([A-Za-z0-9_-]{1,200})(?=[ ,\]}]|$)")
_FLOW_TEXT = r"(?:[^ \t:#,?\[\]{}]|(?<=[^ \t])#|:(?=[^ \t,\[\]{}])|[ ]++(?=[^ \t#:,?\[\]{}]|:[^ \t,\[\]{}]))*+"
_FLOW_GOES_ON = regex(_FLOW_TEXT)
_FLOW_PLAIN = regex(rf"(?:[^ \t\-?:,\[\]{{}}#&*!|>'\"%@`]|-(?=[\w.-])){_FLOW_TEXT}")
TO_SINGLE = regex(r"(?:[^']|'')*+(')?")
TO_DOUBLE = regex(r'(?:[^"\\]|\\.)*+(")?')
DEPTH = 100
NODES = 2_000_000
LONGEST_KEY = 1000
_UNFOLDED = 200_000
_BOMB, _GROWTH = 1_000_000, 20


class UnfoldingYamlError(UnreadYamlError):
    """Aliases of aliases: walked or printed, the value is many times as large as its text."""


class Cursor:
    """`at` and `column` are where it is; a method for a node leaves them behind it."""

    longest_key = LONGEST_KEY

    def __init__(self, lines: list[str], first: int) -> None:
        self.lines, self.first = lines, first
        self.at = self.column = self.nodes = self.unfolded = 0
        self.anchors: dict[str, Any] = {}
        self.weights: dict[int, tuple[Any, int]] = {}
        self.tags: list[tuple[str, int]] = []

    def wrong(self, text: str = "syntax") -> UnreadYamlError:
        """An error, with the line."""
        return UnreadYamlError(f"line {self.first + self.at + 1}: {text}")

    @property
    def line(self) -> str:
        """The line where it is."""
        return self.lines[self.at]

    def properties(self) -> str:
        """Pass over a node's tag and anchor; the anchor's name."""
        anchor, seen = "", ""
        while match := _PROPERTY.match(self.line, self.column):
            kind = self.line[self.column]
            if kind in seen:
                raise self.wrong("two anchors or tags")
            seen += kind
            self.column = match.end()
            anchor = match["anchor"] or anchor
            if kind == "!":
                self.tags.append((match["tag"], self.first + self.at + 1))
        return anchor

    def anchored(self, anchor: str, value: Any) -> Any:
        """The value, kept for aliases if it has an anchor."""
        if anchor in self.anchors:
            raise self.wrong("an anchor twice")
        if anchor:
            self.anchors[anchor] = value
        return value

    def alias(self) -> Any:
        """What an alias stands for."""
        match = _ALIAS.match(self.line, self.column)
        if not match or match[1] not in self.anchors:
            raise self.wrong("an alias")
        self.column = match.end()
        self.count(self.anchors[match[1]])
        return self.anchors[match[1]]

    def count(self, value: Any) -> None:
        """Aliases of aliases double; all that they unfold to is counted, each collection once."""
        self.unfolded += self.weight(value)
        if self.unfolded > _BOMB and self.unfolded > _GROWTH * self.nodes:
            raise UnfoldingYamlError(f"line {self.first + self.at + 1}: aliases unfold to more than {_BOMB:,} values")

    def weight(self, value: Any) -> int:
        """How many values there are in this one, with all that aliases repeat."""
        pending = [value]
        while pending:
            item = pending[-1]
            inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
            if id(item) in self.weights or not isinstance(item, (dict, list)):
                pending.pop()
                continue
            missing = [one for one in inner if isinstance(one, (dict, list)) and id(one) not in self.weights]
            if missing:
                pending += missing
                continue
            # the item is kept, too: an id is of one object only while it lives
            self.weights[id(item)] = item, 1 + sum(self.weights.get(id(one), (one, 1))[1] for one in inner)
        return self.weights[id(value)][1] if isinstance(value, (dict, list)) else 1

    def whole(self, value: Any) -> Any:
        """The value of the document, if it is fit to be walked."""
        if self.unfolded > _UNFOLDED:
            raise self.wrong("aliases unfold without end")
        return value

    def joined(self, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
        """A mapping of its pairs; `<<` brings in what it does not have itself."""
        own: dict[str, Any] = {}
        seen: set[Any] = set()
        merged: list[Any] = []
        for key, value in pairs:
            if key is MERGE:
                if merged:
                    raise self.wrong("two merge keys")
                merged = value if isinstance(value, list) and value else [value]
            elif key in seen or str(key) in own:  # 1 and true are one key, too
                raise self.wrong("a key twice")
            else:
                seen.add(key)
                own[str(key)] = value
        for other in merged:
            if not isinstance(other, dict):
                raise self.wrong("a merge key without a mapping")
            self.count(other)
            own = {**other, **own}
        return own

    def quoted(self, parent: int) -> str:
        """Quoted text, over as many lines as it takes."""
        pattern = TO_SINGLE if self.line[self.column] == "'" else TO_DOUBLE
        parts, begin, at = list[str](), self.column, self.column + 1
        while True:
            match = pattern.match(self.line, at)
            if match and match[1]:
                self.column = match.end()
                return quoted("\n".join([*parts, self.line[begin : match.end()]]))
            parts.append(self.line[begin:])
            self.at += 1
            if self.at >= len(self.lines):
                raise self.wrong("quoted text has no end")
            body = self.line.lstrip(" ")
            if body and len(self.line) - len(body) <= parent:
                raise self.wrong("indentation")
            begin = at = 0

    def flow(self, depth: int) -> Any:
        """A flow collection, from its opening bracket."""
        if depth > DEPTH:
            raise self.wrong("nested too deep")
        close = {"[": "]", "{": "}"}[self.line[self.column]]
        self.column += 1
        items: list[Any] = []
        pairs: list[tuple[Any, Any]] = []
        while self.flow_skip() != close:
            row, start = self.at, self.column
            simple = self.line[start] not in "[{*&!"
            key: Any = self.flow_node(depth)
            paired = self.flow_skip() == ":"
            if paired:
                if not simple or row != self.at or self.column - start > self.longest_key:
                    raise self.wrong("a key over several lines")
                self.column += 1
                value = None if self.flow_skip() in (",", close) else self.flow_node(depth)
            elif close == "}":
                value = None
            if close == "}":
                if not simple:
                    raise self.wrong("a collection as a key")
                pairs.append((key, value))
            else:
                items.append(self.joined([(key, value)]) if paired else self.no_merge(key))
            if self.flow_skip() == ",":
                self.column += 1
            elif self.line[self.column] != close:
                raise self.wrong("a flow collection")
        self.column += 1
        return items if close == "]" else self.joined(pairs)

    def flow_skip(self) -> str:
        """Pass over spaces, comments and ends of lines; the character that follows."""
        while self.at < len(self.lines):
            line = self.line
            while self.column < len(line) and line[self.column] == " ":
                self.column += 1
            mark = line[self.column : self.column + 1]
            if mark and mark != "#":
                return mark
            if mark and self.column and line[self.column - 1] != " ":
                raise self.wrong("a comment without a space")
            self.at, self.column = self.at + 1, 0
        raise self.wrong("a flow collection has no end")

    def flow_node(self, depth: int) -> Any:
        """A node inside of brackets."""
        self.nodes += 1
        if self.nodes > NODES:
            raise self.wrong("too much")
        if self.line[self.column] in "&!":
            anchor = self.properties()
            if self.flow_skip() in "&!":
                raise self.wrong("two anchors or tags")
            return self.anchored(anchor, self.no_merge(self.flow_node(depth)))
        mark = self.line[self.column]
        if mark in "[{":
            return self.flow(depth + 1)
        if mark in "'\"":
            return self.quoted(-1)
        if mark == "*":
            return self.alias()
        match = _FLOW_PLAIN.match(self.line, self.column)
        if not match:
            raise self.wrong("a flow collection")
        parts, self.column = [match.group()], match.end()
        while self.column == len(self.line.rstrip(" ")) and self.at + 1 < len(self.lines):
            following = self.lines[self.at + 1]
            column = len(following) - len(following.lstrip(" "))
            more = _FLOW_GOES_ON.match(following, column)
            if not more or not more.group():
                if not following.strip(" "):
                    raise self.wrong("an empty line in plain text")
                break
            self.at, self.column = self.at + 1, more.end()
            parts.append(more.group())
        value = self.resolved(" ".join(parts))
        if value is MERGE and len(parts) > 1:
            raise self.wrong()
        return value

    def resolved(self, text: str) -> Any:
        """What plain text stands for."""
        return resolved(text)

    def no_merge(self, value: Any) -> Any:
        """The value, which must not be a plain `<<`."""
        if value is MERGE:
            raise self.wrong("a merge key as a value")
        return value
