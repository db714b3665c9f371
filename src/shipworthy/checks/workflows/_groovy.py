"""Groovy as tokens: enough to tell names, texts with the values pasted into them, and comments apart."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.patterns import regex
from shipworthy.records import dataclass

_NAME = regex(r"[A-Za-z_$][\w$]*")
_SPACE = regex(r"[ \t\r\f]+|\\\n")
_BEFORE_SLASHY = frozenset("=~(,[{:;!&|?\n")


@dataclass(frozen=True)
class Token:
    """`kind` is name, text, number or sign. For a text `value` is what it says; `pasted` are the expressions in it."""

    kind: str
    value: str
    line: int
    pasted: tuple[str, ...] = ()


def tokens(text: str) -> Iterator[Token]:
    """All tokens, comments left out; a text that does not end ends with the file."""
    at, line, size = 0, 1, len(text)
    last = "\n"
    while at < size:
        letter = text[at]
        if letter == "\n":
            yield Token("sign", "\n", line)
            at, line, last = at + 1, line + 1, "\n"
        elif match := _SPACE.match(text, at):
            line += match[0].count("\n")
            at = match.end()
        elif text.startswith("//", at) or (at == 0 and text.startswith("#!")):
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            end = size if end < 0 else end + 2
            line += text.count("\n", at, end)
            at = end
        elif opened := _opening(text, at, last):
            token, end = _text(text, at, line, opened)
            yield token
            line += text.count("\n", at, end)
            at, last = end, "'"
        elif match := _NAME.match(text, at):
            yield Token("name", match[0], line)
            at, last = match.end(), "a"
        elif letter.isdigit():
            end = at + 1
            while end < size and (text[end].isalnum() or text[end] in "._"):
                end += 1
            yield Token("number", text[at:end], line)
            at, last = end, "0"
        else:
            yield Token("sign", letter, line)
            at, last = at + 1, letter


def _opening(text: str, at: int, last: str) -> str:
    for quote in ("'''", '"""', "'", '"', "$/"):
        if text.startswith(quote, at):
            return quote
    return "/" if text[at] == "/" and last in _BEFORE_SLASHY else ""


def _text(text: str, at: int, line: int, opened: str) -> tuple[Token, int]:
    """The text that begins here, and where it ends."""
    closing = "/$" if opened == "$/" else opened
    several = len(opened) == 3 or opened in ("$/", "/")
    pasting = opened not in ("'", "'''")
    begin = at = at + len(opened)
    size = len(text)
    pasted: list[str] = []
    while at < size and not text.startswith(closing, at):
        letter = text[at]
        if letter == "\n" and not several:
            break
        if letter == "\\" and opened != "$/":
            at += 2
        elif letter == "$" and pasting and text.startswith("${", at):
            end = _brace(text, at + 2)
            pasted.append(text[at + 2 : end - 1][:2000])
            at = end
        elif letter == "$" and pasting and (match := _NAME.match(text, at + 1)):
            end = match.end()
            while end + 1 < size and text[end] == "." and (more := _NAME.match(text, end + 1)):
                end = more.end()
            pasted.append(text[at + 1 : end])
            at = end
        else:
            at += 1
    at = min(at, size)
    end = at + len(closing) if text.startswith(closing, at) else at
    return Token("text", text[begin:at], line, tuple(pasted)), end


def _brace(text: str, at: int) -> int:
    """Where the `}` that ends a pasted expression is, and one more; bounded."""
    depth = 1
    end = min(len(text), at + 5000)
    while at < end:
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return end
