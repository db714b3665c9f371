"""Protobuf's text form: TensorFlow's .pbtxt, Caffe's .prototxt, ONNX as .textproto (Text Format Language).

No schema is needed: messages are given by the names that lead to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.patterns import regex

_TOKEN = regex(
    r"(?:[ \t\r\n\f\v]++|#[^\n]*+)*+(?:(?P<text>\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+')|(?P<word>[\w.+\-/]++)"
    r"|(?P<mark>[{}<>\[\]:;,]))"
)
_REST = regex(r"(?:[ \t\r\n\f\v]++|#[^\n]*+)*+")
_ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_DEPTH = 100  # the limit of the protobuf libraries themselves
_VALUES = 1000

Path = tuple[str, ...]
Fields = dict[str, list[str]]


def messages(text: str) -> Iterator[tuple[Path, Fields]]:
    """Each message when it ends, the outermost (of no name) last. Raises ValueError where the text has another form."""
    levels: list[tuple[str, Fields, str]] = [("", {}, "")]
    name, at, before, text_before = "", 0, "", False
    while match := _TOKEN.match(text, at):
        at = match.end()
        kind, word = match.lastgroup, match.group(match.lastgroup or 0)
        if word == "[" and before != ":" and (end := text.find("]", at)) > 0:
            name, at = text[at - 1 : end + 1], end + 1  # the name of an extension
        fields = levels[-1][1]
        if kind == "text":
            values = fields.setdefault(name, [])
            value = _ESCAPE.sub(_unescaped, word[1:-1])
            if text_before and values:
                values[-1] += value  # texts that follow one another are one
            elif name and len(values) < _VALUES:
                values.append(value)
        elif kind == "word" and text.startswith((":", "{", "<"), _after(text, at)):
            name = word
        elif kind == "word":
            values = fields.setdefault(name, [])
            if not name:
                raise ValueError("a value without a name")
            if len(values) < _VALUES:
                values.append(word)
        elif word in ("{", "<"):
            if not name or len(levels) > _DEPTH:
                raise ValueError("a message without a name, or too deep")
            levels.append((name, {}, "}" if word == "{" else ">"))
            name = ""
        elif word in ("}", ">"):
            inside, found, closing = levels[-1]
            if word != closing:
                raise ValueError("brackets that do not fit")
            yield tuple(level[0] for level in levels[1:]), found
            levels.pop()
            name = inside
        before, text_before = word, kind == "text"
    if len(levels) > 1 or _after(text, at) < len(text):
        raise ValueError("it ends in the middle")
    yield (), levels[0][1]


def _after(text: str, at: int) -> int:
    match = _REST.match(text, at)
    return match.end() if match else at


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal, octal, short, long, letter = match.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    number = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
    return chr(number) if number < 0x110000 else "?"
