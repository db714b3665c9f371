"""YAML 1.1's scalars: what plain text means, quoted text and blocks of text with their folding.

Source: yaml.org/type (bool, int, float, null, merge, timestamp); YAML 1.1, sections 5.6 and 9. Times stay texts.
"""

from __future__ import annotations

import re
from typing import Any, Final

from shipworthy.patterns import regex

MERGE: Final = object()  # a plain `<<`

_WORDS: dict[str, Any] = {
    **{form: None for word in ("null",) for form in (word, word.title(), word.upper())},
    **{form: True for word in ("yes", "true", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("no", "false", "off") for form in (word, word.title(), word.upper())},
    "~": None,
    "": None,
    "<<": MERGE,
}
_WHOLE = regex(r"[-+]?(?:(?P<two>0b[01_]+)|(?P<sixteen>0x[\da-fA-F_]+)|(?P<eight>0[0-7_]+)|0|[1-9][\d_]*)", re.ASCII)
_SIXTIES = regex(r"[-+]?[1-9][\d_]*(?::[0-5]?\d)+", re.ASCII)
_SIXTIES_POINT = regex(r"[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*", re.ASCII)
_POINT = regex(r"[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.\d[\d_]*(?:[eE][-+]\d+)?", re.ASCII)
_BEYOND = {sign + form: float(sign + "inf") for sign in ("", "+", "-") for form in (".inf", ".Inf", ".INF")} | {
    form: float("nan") for form in (".nan", ".NaN", ".NAN")
}
_NUMBER = 400  # characters; a longer one is no number of a configuration

_ESCAPE = regex(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.)|$)", re.DOTALL)
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "\\": "\\", "/": "/", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


class UnreadYamlError(ValueError):
    """The text is no YAML, or of a kind that this reader leaves out."""


def resolved(text: str) -> Any:
    """What plain text stands for. Raises UnreadYamlError for numbers that are none."""
    if text in _WORDS:
        return _WORDS[text]
    if text == "=":
        raise UnreadYamlError("the value key")
    if text[0] not in "+-.0123456789":
        return text
    if text in _BEYOND:
        return _BEYOND[text]
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-").replace("_", "")
    try:
        if _POINT.fullmatch(text):
            return sign * float(_short(digits))
        if match := _WHOLE.fullmatch(text):
            base = 2 if match["two"] else 16 if match["sixteen"] else 8 if match["eight"] and digits != "0" else 10
            return sign * int(_short(digits), base)
        if _SIXTIES.fullmatch(text):
            return sign * sum(int(part) * 60**n for n, part in enumerate(reversed(_short(digits).split(":"))))
        if _SIXTIES_POINT.fullmatch(text):
            return sign * sum(float(part) * 60**n for n, part in enumerate(reversed(_short(digits).split(":"))))
    except (ValueError, OverflowError):
        raise UnreadYamlError("a number") from None
    return text


def _short(digits: str) -> str:
    if len(digits) > _NUMBER:
        raise ValueError
    return digits


def quoted(text: str) -> str:
    """What stands between quotes, over several lines or on one. Raises UnreadYamlError for an escape that is none."""
    double = text[0] == '"'
    lines = text[1:-1].split("\n")
    found: list[str] = []
    breaks, glued = 0, True
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        line = line.lstrip(" \t") if number else line
        whole = line
        line = line if last else line.rstrip(" \t")
        escaped = double and (len(line) - len(line.rstrip("\\"))) % 2 == 1
        if escaped and not last and line != whole:
            raise UnreadYamlError("an escaped space at the end of a line")
        if not line and number > 0 and not last:
            breaks += 1
            continue
        if number:
            found.append("\n" * breaks or ("" if glued else " "))
        breaks, glued = 0, escaped and not last
        line = line[:-1] if glued else line
        found.append(_ESCAPE.sub(_unescaped, line) if double else line.replace("''", "'"))
    return "".join(found)


def _unescaped(match: re.Match[str]) -> str:
    for group in (1, 2, 3):
        if match[group]:
            code = int(match[group], 16)
            if code > 0x10FFFF:
                raise UnreadYamlError("an escape")
            return chr(code)
    if match[4] not in _ESCAPES:
        raise UnreadYamlError("an escape")
    return _ESCAPES[match[4]]


def block_text(lines: list[str], fold: bool, chomp: str, at_end: bool) -> str:
    """The text of a block's lines, given without their indentation. `at_end`: the last one has no break behind it."""
    count = len(lines)
    found: list[str] = []
    last, number = "", 0
    while True:
        breaks = 0
        while number < count and not lines[number]:
            breaks += not (at_end and number == count - 1)
            number += 1
        if number == count:
            break
        line = lines[number]
        flat = fold and bool(found) and last == "\n" and found[-1][0] not in " \t" and line[0] not in " \t"
        found.append((" " if flat and not breaks else "" if flat else last) + "\n" * breaks)
        found.append(line)
        last = "" if at_end and number == count - 1 else "\n"
        number += 1
    return "".join(found) + ("" if chomp == "-" else last) + ("\n" * breaks if chomp == "+" else "")
