"""YAML's block collections and what may stand on their lines."""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.yamls.flows import DEPTH, NODES, TO_DOUBLE, TO_SINGLE, Cursor
from shipworthy.modelfile.yamls.scalars import MERGE, block_text, quoted
from shipworthy.patterns import regex

_BLOCK = regex(r"(?P<kind>[|>])(?:(?P<c1>[+-])?(?P<n>[1-9])?|(?P<n2>[1-9])(?P<c2>[+-]))(?: +#.*| *)$")
_REST = regex(r" +#.*$| *$")
_COLON = regex(r" *:(?= |$)")
# Text goes on with what is neither a space nor a mark, such as `: ` and ` #`.
_TEXT = r"[^ \t:#]|(?<=[^ \t])#|:(?=[^ \t])|[ ]++(?=[^ \t#:]|:[^ \t])"
_GOES_ON = regex(rf"(?:{_TEXT})*+")
_PLAIN = regex(rf"(?:[^ \t\-?:,\[\]{{}}#&*!|>'\"%@`]|[-?:](?=[^ \t]))(?:{_TEXT})*+")


class Reader(Cursor):
    """Reads a document: what follows `---`, up to its end."""

    def run(self, marked: bool) -> Any:
        """The value. `marked`: the first line is what follows `---`, where no block collection may begin."""
        if marked and not _REST.match(self.line):
            self.column = len(self.line) - len(self.line.lstrip(" "))
            value = self.inline(-1, 0)
        else:
            self.at += marked
            value = self.node(-1, 0) if self.skip() >= 0 else None
        if self.skip() >= 0:
            raise self.wrong()
        return self.whole(value)

    def skip(self) -> int:
        """Go to the next line that says something: its indentation, or -1 at the end."""
        while self.at < len(self.lines):
            line = self.line
            body = line.lstrip(" ")
            if body and body[0] != "#":
                if body[0] == "\t":
                    raise self.wrong("a tab")
                self.column = len(line) - len(body)
                return self.column
            self.at += 1
        return -1

    def dash(self) -> bool:
        """Whether an item of a sequence begins here."""
        return self.line[self.column : self.column + 2] in ("-", "- ")

    def node(self, parent: int, depth: int) -> Any:
        """The node here, where a block collection may begin; lines that are deeper than `parent` belong to it."""
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES:
            raise self.wrong("nested too deep, or too much")
        if self.dash():
            return self.sequence(self.column, depth)
        if self.key() >= 0:
            return self.mapping(self.column, depth)
        return self.inline(parent, depth)

    def sequence(self, column: int, depth: int) -> list[Any]:
        """The sequence whose dashes stand in this column."""
        items: list[Any] = []
        while True:
            self.column += 1
            while self.line[self.column : self.column + 1] == " ":
                self.column += 1
            compact = self.column < len(self.line) and self.line[self.column] != "#"
            items.append(self.node(column, depth + 1) if compact else self.inline(column, depth + 1))
            low = self.skip()
            if low > column:
                raise self.wrong("indentation")
            if low < column or not self.dash():
                return items

    def key(self) -> int:
        """Where a key that begins here ends, with its colon; -1 if none does."""
        end = -1
        if self.line[self.column] in "'\"":
            pattern = TO_SINGLE if self.line[self.column] == "'" else TO_DOUBLE
            match = pattern.match(self.line, self.column + 1)
            end = match.end() if match and match[1] else -1
        elif match := _PLAIN.match(self.line, self.column):
            end = match.end()
        colon = _COLON.match(self.line, end) if end >= 0 else None
        if colon and colon.end() - self.column > self.longest_key:
            raise self.wrong("a long key")
        return colon.end() if colon else -1

    def mapping(self, column: int, depth: int) -> dict[str, Any]:
        """The mapping whose keys stand in this column."""
        pairs: list[tuple[Any, Any]] = []
        while True:
            end = self.key()
            if end < 0 or self.dash():
                raise self.wrong()
            shown = self.line[self.column : end - 1].rstrip(" ")
            key = quoted(shown) if shown[0] in "'\"" else self.resolved(shown)
            self.column = end
            while self.line[self.column : self.column + 1] == " ":
                self.column += 1
            pairs.append((key, self.inline(column, depth + 1, True)))
            low = self.skip()
            if low > column:
                raise self.wrong("indentation")
            if low < column:
                return self.joined(pairs)
            if self.dash():  # of the sequence that holds this mapping's parent
                raise self.wrong()

    def inline(self, parent: int, depth: int, in_map: bool = False) -> Any:
        """The node behind a key, a dash or at the start of a line, or below it."""
        start = self.column
        anchor = self.properties()
        given = self.column > start
        mark = self.line[self.column : self.column + 1]
        if not mark or (mark == "#" and self.line[self.column - 1] == " "):
            self.at += 1
            value = self.below(parent, depth, in_map, given)
        elif mark in "|>":
            value = self.literal(parent)
        else:
            value = self.scalar(mark, parent, depth)
            self.finish()
        return self.anchored(anchor, value)

    def scalar(self, mark: str, parent: int, depth: int) -> Any:
        """What begins with this mark and is no block."""
        if mark in "[{":
            return self.flow(depth + 1)
        if mark in "'\"":
            return self.quoted(parent)
        if mark == "*":
            return self.alias()
        return self.plain(parent)

    def below(self, parent: int, depth: int, in_map: bool, given: bool) -> Any:
        """The node on the lines below, if they belong to this one."""
        low = self.skip()
        if low > parent or (in_map and low == parent and self.dash()):
            if given and self.line[low] in "&!":
                raise self.wrong("two anchors or tags")
            return self.node(parent, depth + 1)
        return None

    def finish(self) -> None:
        """Nothing but a comment may follow on the line."""
        if not _REST.match(self.line, self.column):
            raise self.wrong("text behind a value")
        self.at += 1

    def literal(self, parent: int) -> str:
        """A block of text, literal or folded."""
        head = _BLOCK.match(self.line, self.column)
        if not head:
            raise self.wrong("a block of text")
        self.at += 1
        least = max(parent + 1, 1)
        indent = least + int(head["n"] or head["n2"] or 1) - 1
        if not (head["n"] or head["n2"]):
            look = self.at
            while look < len(self.lines) and not self.lines[look].strip(" "):
                indent = max(indent, len(self.lines[look]))
                look += 1
            if look < len(self.lines):
                line = self.lines[look]
                indent = max(indent, len(line) - len(line.lstrip(" ")))
        begin = self.at
        while self.at < len(self.lines):
            line = self.line
            if len(line) - len(line.lstrip(" ")) < indent and line.strip(" "):
                break
            self.at += 1
        lines = [line[indent:] for line in self.lines[begin : self.at]]
        return block_text(lines, head["kind"] == ">", head["c1"] or head["c2"] or "", self.at == len(self.lines))

    def plain(self, parent: int) -> Any:
        """Plain text, going on in lines that are indented deeper."""
        match = _PLAIN.match(self.line, self.column)
        if not match:
            raise self.wrong("a plain text")
        parts, self.column = [match.group()], match.end()
        while self.column == len(self.line.rstrip(" ")) and self.at + 1 < len(self.lines):
            following = self.lines[self.at + 1]
            body = following.lstrip(" ")
            if not body:
                self.gap(parent)
                break
            if len(following) - len(body) <= parent or body[0] == "#":
                break
            self.at += 1
            more = _GOES_ON.match(self.line, len(following) - len(body))
            if not more or not more.group():
                raise self.wrong("a plain text")
            parts.append(more.group())
            self.column = more.end()
        return self.worth(parts)

    def worth(self, parts: list[str]) -> Any:
        """What plain text stands for."""
        value = self.resolved(" ".join(parts))
        if value is MERGE:
            raise self.wrong("a merge key as a value")
        return value

    def gap(self, parent: int) -> None:
        """An empty line behind plain text must be its end."""
        look = self.at + 1
        while look < len(self.lines) and not self.lines[look].strip(" "):
            look += 1
        body = self.lines[look].lstrip(" ") if look < len(self.lines) else ""
        if body and body[0] != "#" and len(self.lines[look]) - len(body) > parent:
            raise self.wrong("an empty line in plain text")
