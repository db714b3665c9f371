"""YAML as configurations of models use it, read into plain values; nothing is built for a tag.

Read: block and flow collections, plain, quoted, literal and folded scalars, comments, anchors and aliases, one
document. Anything else raises UnreadYamlError. Source: YAML 1.2.2, chapters 6 to 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_KEY = re.compile(
    r"(?:'(?:[^'\n]|'')*'|\"(?:[^\"\\\n]|\\.)*\"|[-?:][^\s:#][^\n:#]*|<<"
    r"|[^\s\-?:,\[\]{}#&*!|>'\"%@`][^\n:#]*(?:[:#][^\s:#][^\n:#]*)*)\s*:(?=\s|$)"
)
_ANCHOR = re.compile(r"&([\w-]{1,100})(?:\s+|$)")
_ALIAS = re.compile(r"\*([\w-]{1,100})")
_TAG = re.compile(r"!([^\s,\[\]{}]{0,200})(?:\s+|$)")
_BLOCK = re.compile(r"[|>](?:[+-]?[1-9]?|[1-9][+-])\s*(?:#.*)?")
_PYTHON = re.compile(r"python/(object|module|name)\b[/:]?[\w./:]{0,80}")
# `%TAG ! tag:yaml.org,2002:python/` lets the tags themselves do without the word.
_DIRECTIVE = re.compile(r"(?m)^%TAG[^\n]{0,200}python")
_FLOW = re.compile(
    r"\s*(?:([\[\]{},])|('(?:[^']|'')*')|(\"(?:[^\"\\]|\\.)*\")|(:(?=[\s,\[\]{}]|$))"
    r"|((?:[^\s,\[\]{}:]|:(?![\s,\[\]{}]|$)|[^\S\n]+(?=[^\s,\[\]{}:#]))+))",
    re.DOTALL,
)
_TO_SINGLE = re.compile(r"(?:[^']|'')*('?)(?!')")
_TO_DOUBLE = re.compile(r'(?:[^"\\]|\\.)*("|\\?$)')
_INTEGER = re.compile(r"[-+]?\d{1,40}")
_FLOAT = re.compile(r"[-+]?(?:\d{1,40}\.\d{0,40}|\.\d{1,40}|\d{1,40}(?=[eE]))(?:[eE][-+]?\d{1,5})?")
_WORDS: dict[str, Any] = {"null": None, "~": None, "": None, "true": True, "false": False}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", "a": "\a", "b": "\b", "v": "\v", "f": "\f"}
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\n\s*|(.))", re.DOTALL)
_DEPTH = 60
_LINES = 1_000_000
_UNFOLDED = 200_000


class UnreadYamlError(ValueError):
    """The text is no YAML, or of a kind that this reader leaves out."""


def python_tags(text: str) -> Iterator[tuple[str, str, int]]:
    """Tags with which loaders other than `yaml.safe_load` build Python objects: their kind, text and line."""
    for number, line in enumerate(text.splitlines(), 1):
        if "!" not in line:
            continue
        shown = unquote(line.partition(" #")[0])
        for found in _PYTHON.finditer(shown) if "!" in shown else ():
            yield found[1], found[0][:100], number
    if _DIRECTIVE.search(unquote(text)):
        yield "directive", "a %TAG directive stands for tags that build Python objects", 0


def value_of(text: str) -> Any:
    """The document as dicts, lists, texts, numbers, truth values and None. Raises UnreadYamlError."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.removeprefix("\ufeff").splitlines()
        self.at = 0
        self.anchors: dict[str, Any] = {}
        self.unfolded = 0
        if len(self.lines) > _LINES:
            raise UnreadYamlError("too many lines")

    def wrong(self, text: str = "syntax") -> UnreadYamlError:
        return UnreadYamlError(f"line {self.at + 1}: {text}")

    def document(self) -> Any:
        while self.at < len(self.lines) and (self.blank() or self.lines[self.at].rstrip() in ("---", "%YAML 1.1")):
            self.at += 1
        value = self.block(0, 0)
        self.skip()
        if self.at < len(self.lines) and self.lines[self.at].rstrip() != "...":
            raise self.wrong("more than one document")
        return value

    def blank(self) -> bool:
        line = self.lines[self.at].strip()
        return not line or line.startswith("#")

    def skip(self) -> None:
        while self.at < len(self.lines) and self.blank():
            self.at += 1

    def here(self) -> tuple[int, str]:
        """Indentation and text of the next line that says something; -1 at the end."""
        self.skip()
        if self.at >= len(self.lines):
            return -1, ""
        line = self.lines[self.at]
        body = line.lstrip(" ")
        if body.startswith("\t"):
            raise self.wrong("a tab")
        if line.startswith(("---", "...")) and not line[3:].strip():
            return -1, ""
        return len(line) - len(body), body

    def block(self, least: int, depth: int) -> Any:
        """The node that starts on the next line, indented by at least `least`."""
        if depth > _DEPTH:
            raise self.wrong("nested too deep")
        indent, body = self.here()
        if indent < least:
            return None
        if body == "-" or body.startswith("- "):
            return self.sequence(indent, depth)
        if _KEY.match(body):
            return self.mapping(indent, depth)
        self.at += 1
        return self.inline(body, indent - 1, depth, least)

    def sequence(self, indent: int, depth: int) -> list[Any]:
        items: list[Any] = []
        while True:
            low, body = self.here()
            if low != indent or not (body == "-" or body.startswith("- ")):
                if low > indent:
                    raise self.wrong("indentation")
                return items
            rest = body[1:].lstrip(" ")
            column = indent + len(body) - len(rest)
            if rest and (rest == "-" or rest.startswith("- ") or _KEY.match(rest)):
                self.lines[self.at] = " " * column + rest  # the item's node starts on this line
                items.append(self.block(column, depth + 1))
            else:
                self.at += 1
                items.append(self.inline(rest, indent, depth + 1, indent + 1))

    def mapping(self, indent: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            low, body = self.here()
            match = _KEY.match(body) if low == indent else None
            if match is None:
                if low >= indent and not (body == "-" or body.startswith("- ")):
                    raise self.wrong()
                return found
            key = match.group()[:-1].strip()
            key = self.quoted(key) if key[0] in "'\"" else key
            if key in found and key != "<<":
                raise self.wrong("a key twice")
            self.at += 1
            found[key] = self.inline(body[match.end() :].strip(), indent, depth + 1, indent + 1, True)

    def inline(self, rest: str, indent: int, depth: int, least: int, in_map: bool = False) -> Any:
        """A node that starts behind a key or a dash on a line indented by `indent`, or below it."""
        anchor = None
        while match := _ANCHOR.match(rest) or _TAG.match(rest):
            anchor = match[1] if rest[0] == "&" else anchor
            rest = rest[match.end() :]
        if not rest or rest.startswith("#"):
            low, body = self.here()
            item = body == "-" or body.startswith("- ")
            value = self.block(low, depth) if low >= least or (in_map and item and low == indent) else None
        elif _BLOCK.fullmatch(rest):
            value = self.literal(rest, indent)
        elif rest[0] in "[{":
            value = self.flow(self.gather(rest))
        elif rest[0] in "'\"":
            value = self.quoted(self.gather_quoted(rest))
        elif rest[0] == "*":
            match = _ALIAS.fullmatch(rest.partition(" #")[0].strip())
            value = self.alias(match[1] if match else "")
        else:
            value = self.plain(rest, indent)
        if anchor:
            self.anchors[anchor] = value
        return value

    def literal(self, head: str, indent: int) -> str:
        lines: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            lines.append(line)
            self.at += 1
        margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        return ("\n" if head[0] == "|" else " ").join(line[margin:] for line in lines)

    def gather(self, text: str) -> str:
        """A flow collection to its closing bracket, over as many lines as it takes."""
        parts, depth, at = [text], 0, 0
        while True:
            piece = parts[-1]
            at = 0
            while at < len(piece):
                match = _FLOW.match(piece, at)
                if not match:
                    if piece[at:].strip()[:1] in ("", "#"):
                        break
                    raise self.wrong("a flow collection")
                depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[1] or "", 0)
                at = match.end()
                if depth == 0:
                    if piece[at:].strip() and not piece[at:].lstrip().startswith("#"):
                        raise self.wrong("text behind a flow collection")
                    return "\n".join([*parts[:-1], piece[:at]])
            if self.at >= len(self.lines):
                raise self.wrong("a flow collection has no end")
            parts.append(self.lines[self.at])
            self.at += 1

    def gather_quoted(self, text: str) -> str:
        """Quoted text to its closing quote, over as many lines as it takes."""
        pattern = _TO_SINGLE if text[0] == "'" else _TO_DOUBLE
        parts: list[str] = []
        line, at = text, 1
        while True:
            match = pattern.match(line, at)
            if match is None:
                raise self.wrong("quoted text")
            if match[1]:
                rest = line[match.end() :].strip()
                if rest and not rest.startswith("#"):
                    raise self.wrong("text behind quoted text")
                return "\n".join([*parts, line[: match.end()]])
            parts.append(line)
            if self.at >= len(self.lines):
                raise self.wrong("quoted text has no end")
            line, at = self.lines[self.at].strip(), 0
            self.at += 1

    def alias(self, name: str) -> Any:
        """What an alias stands for. Aliases of aliases double; all that they unfold to is counted."""
        if name not in self.anchors:
            raise self.wrong("an alias")
        pending = [self.anchors[name]]
        while pending:
            item = pending.pop()
            self.unfolded += 1
            if self.unfolded > _UNFOLDED:
                raise self.wrong("aliases unfold without end")
            if isinstance(item, (dict, list)):
                pending += item.values() if isinstance(item, dict) else item
        return self.anchors[name]

    def quoted(self, text: str) -> str:
        inner = text[1:-1]
        if text[0] == "'":
            return _folded(inner.replace("''", "'"))
        return _ESCAPED.sub(_unescaped, re.sub(r"(?<!\\)\n", " ", inner))

    def plain(self, rest: str, indent: int) -> Any:
        """A plain scalar, going on in lines that are indented deeper."""
        parts = [rest.partition(" #")[0].strip()]
        if ": " in parts[0] or parts[0].endswith(":") or parts[0][0] in "%@`,]}" or parts[0].startswith(("? ", ": ")):
            raise self.wrong("a plain text")
        while "#" not in rest:
            low, body = self.here()
            if low <= indent or not body:
                break
            if _KEY.match(body):
                raise self.wrong("indentation")
            parts.append(body.partition(" #")[0].strip())
            self.at += 1
        return _scalar(" ".join(parts))

    def flow(self, text: str) -> Any:
        """The value of a flow collection that is known to be whole."""
        root: list[Any] = []
        stack: list[tuple[str, list[Any]]] = [("", root)]
        for match in _FLOW.finditer(text):
            mark, single, double, colon, plain = match.groups()
            if mark and mark in "[{":
                if len(stack) > _DEPTH:
                    raise self.wrong("nested too deep")
                stack.append((mark, []))
            elif mark and mark in "]}":
                opened, items = stack.pop()
                if {"[": "]", "{": "}"}.get(opened) != mark:
                    raise self.wrong("brackets")
                stack[-1][1].append(self.pairs(items) if mark == "}" else self.items(items))
            elif mark:
                stack[-1][1].append(_COMMA)
            elif colon:
                stack[-1][1].append(_COLON)
            elif single or double:
                stack[-1][1].append(self.quoted(single or double))
            elif plain[0] == "*":
                stack[-1][1].append(self.alias(plain[1:].strip()))
            elif plain[0] in "&!":
                raise self.wrong("an anchor or a tag in a flow collection")
            else:
                stack[-1][1].append(_scalar(plain.strip()))
        if len(root) != 1:
            raise self.wrong("brackets")
        return root[0]

    def items(self, parts: list[Any]) -> list[Any]:
        if any(part is _COLON for part in parts):
            raise self.wrong("a pair in a flow sequence")
        return [part for part in parts if part is not _COMMA]

    def pairs(self, parts: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        entry: list[Any] = []
        for part in [*parts, _COMMA]:
            if part is not _COMMA:
                entry.append(part)
                continue
            if entry:
                if len(entry) > 3 or (len(entry) > 1 and entry[1] is not _COLON):
                    raise self.wrong("a flow mapping")
                if str(entry[0]) in found:
                    raise self.wrong("a key twice")
                found[str(entry[0])] = entry[2] if len(entry) > 2 else None
            entry = []
        return found


_COMMA, _COLON = object(), object()


def _scalar(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _folded(text: str) -> str:
    return text.replace("\n", " ")


def _unescaped(match: re.Match[str]) -> str:
    for group in (1, 2, 3):
        if match[group]:
            code = int(match[group], 16)
            return chr(code) if code < 0x110000 else ""
    return _ESCAPES.get(match[4], match[4]) if match[4] else ""
