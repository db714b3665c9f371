"""HCL as Terraform writes it: blocks, attributes, and values as far as they are literal; nothing is evaluated.

What is put together by names, functions or operators is a `Computed` with its text. Source: the HCL native syntax
specification (github.com/hashicorp/hcl, hclsyntax/spec.md).
"""

from __future__ import annotations

import re
from typing import Any

from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

DEPTH = 60
MOST_TOKENS = 1_000_000
_TOKEN = regex(
    r"(?P<space>[ \t\r]++)|(?P<newline>\n)|(?P<comment>(?:\#|//)[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))|"
    r"(?P<heredoc><<-?[A-Za-z_][\w-]{0,60}[ \t\r]*\n)|(?P<quote>\")|(?P<number>\d++(?:\.\d++)?(?:[eE][+-]?\d++)?)|"
    r"(?P<name>[A-Za-z_][\w-]*+)|(?P<mark>==|!=|<=|>=|&&|\|\||=>|\.\.\.|.)",
    re.DOTALL,
)
_PLAIN_STRING = regex(r"[^\"\\$%\n]++")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_OPEN, _CLOSE = "([{", ")]}"


class UnreadHcl(Exception):
    """The text is no HCL, or nested beyond all measure. `line` is where."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True)
class Computed:
    """An expression that is not literal, as its text."""

    text: str
    line: int


@dataclass(frozen=True)
class Template:
    """A text with something put in: what is literal, with `${}` for each of the rest."""

    text: str
    parts: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Attribute:
    """A name with its value: a text, number, truth value, None, list, dict, `Template` or `Computed`."""

    value: Any
    line: int


@dataclass(frozen=True)
class Block:
    """A block such as `resource "type" "name" { ... }`."""

    type: str
    labels: tuple[str, ...]
    line: int
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class _Token:
    kind: str
    value: Any
    line: int
    start: int
    end: int


def parse(text: str) -> Block:
    """The body of a file as a block without a type. Raises UnreadHcl; linear in the text's length."""
    return _Parser(text.replace("\r\n", "\n")).file()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.line = text, 0, 1

    def tokens(self) -> list[_Token]:
        found: list[_Token] = []
        while self.at < len(self.text):
            match = _TOKEN.match(self.text, self.at)
            if match is None or len(found) > MOST_TOKENS:
                raise UnreadHcl("too much", self.line)
            kind, piece, line = match.lastgroup or "", match.group(), self.line
            self.at = match.end()
            self.line += piece.count("\n")
            if kind in ("space", "comment"):
                continue
            value: Any = piece
            if kind == "quote":
                kind, value = "string", self.quoted(line)
            elif kind == "heredoc":
                kind, value = "string", self.heredoc(piece, line)
            elif kind == "number":
                value = float(piece) if not piece.isdigit() else int(piece[:400])
            found.append(_Token(kind, value, line, match.start(), self.at))
        found.append(_Token("end", "", self.line, self.at, self.at))
        return found

    def quoted(self, line: int) -> str | Template:
        literal: list[str] = []
        parts: list[str] = []
        text = self.text
        while self.at < len(text):
            char = text[self.at]
            if char == '"':
                self.at += 1
                whole = "".join(literal)
                return Template(whole, tuple(parts), line) if parts else whole
            if char == "\n":
                break
            if char == "\\":
                literal.append(_ESCAPES.get(text[self.at + 1 : self.at + 2], text[self.at : self.at + 2]))
                self.at += 2
            elif char in "$%" and text[self.at + 1 : self.at + 2] == "{" and text[self.at - 1] != char:
                parts.append(self.inside(line))
                literal.append("${}")
            elif match := _PLAIN_STRING.match(text, self.at):
                literal.append(match.group())
                self.at = match.end()
            else:
                literal.append(char)
                self.at += 1
        raise UnreadHcl("a text has no end", line)

    def inside(self, line: int) -> str:
        """Pass over `${...}`: braces in pairs, texts in it too."""
        start = self.at
        self.at += 2
        depth = 1
        string = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\" and string:
                self.at += 1
            elif char == '"':
                string = not string
            elif char == "\n":
                self.line += 1
            elif not string and char in "{}":
                depth += 1 if char == "{" else -1
                if depth == 0:
                    self.at += 1
                    return self.text[start + 2 : self.at - 1][:500]
            self.at += 1
        raise UnreadHcl("a template has no end", line)

    def heredoc(self, head: str, line: int) -> str | Template:
        name = head.lstrip("<-").strip()
        end = re.compile(rf"(?m)^[ \t]*{re.escape(name)}[ \t\r]*$").search(self.text, self.at)
        if not end:
            raise UnreadHcl("a heredoc has no end", line)
        body = self.text[self.at : end.start()]
        self.line += self.text.count("\n", self.at, end.end())
        self.at = end.end()
        return Template(body, (), line) if "${" in body or "%{" in body else body


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _Lexer(text).tokens()
        self.at = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def is_mark(self, value: str) -> bool:
        return self.token.kind == "mark" and self.token.value == value

    def newlines(self) -> None:
        while self.token.kind == "newline":
            self.at += 1

    def wrong(self, text: str = "syntax") -> UnreadHcl:
        return UnreadHcl(text, self.token.line)

    def file(self) -> Block:
        root = Block("", (), 1)
        self.body(root, "", 0)
        return root

    def body(self, block: Block, close: str, depth: int) -> None:
        """Attributes and blocks up to the closing brace, or the end of the file."""
        if depth > DEPTH:
            raise self.wrong("nested too deeply")
        while True:
            self.newlines()
            if (close and self.is_mark(close)) or (not close and self.token.kind == "end"):
                self.at += 1
                return
            if self.token.kind not in ("name", "string") or not isinstance(self.token.value, str):
                raise self.wrong()
            name, line = self.token.value, self.token.line
            self.at += 1
            if self.is_mark("="):
                self.at += 1
                block.attributes.setdefault(name, Attribute(self.expression(depth), line))
            else:
                block.blocks.append(self.block(name, line, depth))

    def block(self, name: str, line: int, depth: int) -> Block:
        labels = []
        while self.token.kind in ("name", "string"):
            labels.append(str(self.token.value))
            self.at += 1
        if not self.is_mark("{"):
            raise self.wrong()
        self.at += 1
        made = Block(name, tuple(labels), line)
        self.body(made, "}", depth + 1)
        return made

    def expression(self, depth: int) -> Any:
        """A value: literal if it is one and nothing follows on its line, else the text of the whole expression."""
        if depth > DEPTH:
            raise self.wrong("nested too deeply")
        first = self.at
        begin = self.token
        value = self.encoded(depth) if begin.value == "jsonencode" else self.literal(depth)
        following = self.token
        ends = following.kind in ("newline", "end") or following.value in (",", "}", "]", ")")
        if value is not _NONE and ends:
            return value
        self.at = first
        self.skip_expression()
        return Computed(self.text[begin.start : self.tokens[self.at - 1].end][:2000], begin.line)

    def encoded(self, depth: int) -> Any:
        """What `jsonencode(...)` is given: it is looked at as it is."""
        self.at += 1
        if not self.is_mark("("):
            return _NONE
        self.at += 1
        self.newlines()
        value = self.expression(depth + 1)
        self.newlines()
        if not self.is_mark(")") or isinstance(value, Computed):
            return _NONE
        self.at += 1
        return value

    def literal(self, depth: int) -> Any:
        token = self.token
        if token.kind in ("string", "number"):
            self.at += 1
            return token.value
        if token.kind == "name":
            self.at += 1
            return _WORDS.get(token.value, _NONE)
        if self.is_mark("-") and self.tokens[self.at + 1].kind == "number":
            self.at += 2
            return -self.tokens[self.at - 1].value
        if self.is_mark("["):
            return self.array(depth)
        if self.is_mark("{"):
            return self.object(depth)
        return _NONE

    def array(self, depth: int) -> Any:
        self.at += 1
        items: list[Any] = []
        while True:
            self.newlines()
            if self.is_mark("]"):
                self.at += 1
                return items
            if self.token.kind == "name" and self.token.value == "for":
                return _NONE
            before = self.at
            items.append(self.expression(depth + 1))
            self.newlines()
            if self.is_mark(","):
                self.at += 1
            elif not self.is_mark("]") or self.at == before:
                raise self.wrong()

    def object(self, depth: int) -> Any:
        self.at += 1
        found: dict[str, Any] = {}
        while True:
            self.newlines()
            if self.is_mark("}"):
                self.at += 1
                return found
            if self.token.kind == "name" and self.token.value == "for":
                return _NONE
            key = self.key()
            if not (self.is_mark("=") or self.is_mark(":")):
                raise self.wrong()
            self.at += 1
            self.newlines()
            found.setdefault(key, self.expression(depth + 1))
            if self.is_mark(","):
                self.at += 1
            elif self.token.kind != "newline" and not self.is_mark("}"):
                raise self.wrong()

    def key(self) -> str:
        token = self.token
        if self.is_mark("("):
            self.at += 1
            self.skip_expression()
            if not self.is_mark(")"):
                raise self.wrong()
            self.at += 1
            return self.text[token.start : self.tokens[self.at - 1].end][:200]
        if token.kind not in ("name", "string", "number"):
            raise self.wrong()
        self.at += 1
        while self.is_mark(".") or (self.tokens[self.at - 1].value == "." and self.token.kind == "name"):
            self.at += 1
        return token.value.text if isinstance(token.value, Template) else str(token.value)

    def skip_expression(self) -> None:
        """To the end of an expression: of the line, unless brackets are open or an operator asks for more."""
        stack: list[str] = []
        while True:
            token = self.token
            if token.kind == "end":
                if stack:
                    raise self.wrong("brackets are not closed")
                return
            if not stack and token.kind == "newline" and not self.goes_on():
                return
            if token.kind == "mark":
                if not stack and token.value in (",", "]", "}", ")"):
                    return
                if token.value in _OPEN:
                    stack.append(_CLOSE[_OPEN.index(token.value)])
                elif token.value in _CLOSE and (not stack or stack.pop() != token.value):
                    raise self.wrong("brackets do not match")
            self.at += 1

    def goes_on(self) -> bool:
        """Whether an expression goes on behind the end of this line."""
        before = self.tokens[self.at - 1]
        return before.kind == "mark" and before.value in ("?", ":", "&&", "||", "+", "-", "*", "/", "==", "=")


_NONE = object()
