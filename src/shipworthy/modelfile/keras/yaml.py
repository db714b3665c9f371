"""Keras architectures in YAML (`model.to_yaml()`, up to TensorFlow 2.5), by a reader of the YAML that it writes.

Keras loaded these with a loader that builds any Python object that a tag names: a tag is a finding. What is not block
mappings and sequences, flow collections, plain and quoted scalars, anchors and aliases is not read (unknown).
"""

from __future__ import annotations

import re
from typing import Any

from shipworthy.modelfile.keras.judge import judge
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope

_KEY = re.compile(r"(?P<key>[A-Za-z_][\w.>/ -]{0,200}|'[^'\n]{0,200}'|\"[^\"\\\n]{0,200}\"):(?:[ \t]+|$)")
_TAG = re.compile(r"(?:^|[\s\[{,:-])!(?P<tag>[^\s,\]}]{0,200})")
_ANCHOR = re.compile(r"[&*][A-Za-z0-9_-]{1,100}")
_NUMBER = re.compile(r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,5})?")
_START = re.compile(rb"(?m)^(?:class_name|config):")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_DEPTH = 200
_LINES = 1_000_000


class _UnreadError(ValueError):
    pass


def is_yaml(head: bytes) -> bool:
    """Whether text starts like an architecture: a class's name and a configuration as keys at the top."""
    return {match.group() for match in _START.finditer(head)} == {b"class_name:", b"config:"}


def read(scope: Scope, format_: str = "") -> int:  # noqa: ARG001 - the readers' common form
    """Judge an architecture in YAML; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    if size > scope.limits.json:
        scope.unknown(f"the YAML is larger than {scope.limits.json >> 20} MiB")
        return size
    try:
        text = scope.view.all().decode("utf-8")
    except UnicodeDecodeError:
        scope.unknown("the YAML is not UTF-8")
        return size
    if _tags(scope, text):
        return size
    try:
        value = _Reader(text).read()
    except (_UnreadError, RecursionError) as error:
        scope.unknown(f"its YAML is not of the kind that Keras writes ({error})")
        return size
    judge(scope, value)
    return size


def _tags(scope: Scope, text: str) -> bool:
    """Report tags: wherever they stand, quoted text included, since another reader may quote otherwise."""
    found = False
    for match in _TAG.finditer(text):
        tag = match.group("tag")
        python = "python" in tag
        shown = ascii("!" + tag)[1:-1][:120]
        message = f"the YAML has the tag {shown}: " + (
            "Keras before 2.6 builds and calls the Python object that it names; use JSON, and no tags"
            if python
            else "a loader builds an object for it; use JSON, and no tags"
        )
        at = len(text[: match.start()].encode("utf-8", "replace")) if len(text) < 1 << 20 else None
        scope.issue(Code.CODE_EXECUTION, "critical" if python else "high", message, at, shown)
        found = True
        if scope.state.tally.limits.issues <= len(scope.state.tally.found):
            break
    return found


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{") - text.count("]") - text.count("}")


class _Reader:
    """Block structure by indentation, with a stack of open collections instead of recursion."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.anchors: dict[str, Any] = {}
        self.at = 0

    def read(self) -> Any:
        if len(self.lines) > _LINES:
            raise _UnreadError("too many lines")
        root: list[Any] = []
        stack: list[tuple[int, Any, Any]] = [(-1, root, None)]  # indentation, collection, the key that waits
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            body = line.lstrip(" ")
            if not body.strip() or body.startswith("#") or (line in ("---", "...") and len(stack) == 1):
                continue
            if "\t" in line[: len(line) - len(line.lstrip())]:
                raise _UnreadError(f"line {self.at}: a tab")
            self.line(len(line) - len(body), body, stack)
        if len(root) != 1:
            raise _UnreadError("not one document")
        return root[0]

    def line(self, indent: int, body: str, stack: list[tuple[int, Any, Any]]) -> None:
        while True:
            item = body == "-" or body.startswith("- ")
            key = None if item else _KEY.match(body)
            if not item and key is None:
                raise _UnreadError(f"line {self.at}")
            self.close(indent, item, stack)
            if stack[-1][0] < indent or (item and stack[-1][0] == indent and isinstance(stack[-1][1], dict)):
                self.open(indent, [] if item else {}, stack)
            collection = stack[-1][1]
            if isinstance(collection, list) is not item or stack[-1][0] != indent:
                raise _UnreadError(f"line {self.at}")
            rest = body[1:] if item else body[key.end() :] if key else ""
            name = None if item else key.group("key").strip("'\"") if key else None
            inner = rest.lstrip(" ")
            if item and (inner == "-" or inner.startswith("- ") or (_KEY.match(inner) and inner[0] not in "'\"")):
                stack[-1] = (indent, collection, True)  # the value is a collection that starts on this line
                indent += len(body) - len(inner)
                body = inner
                continue
            self.value(inner, name, stack)
            return

    def close(self, indent: int, item: bool, stack: list[tuple[int, Any, Any]]) -> None:
        while stack[-1][0] > indent or (stack[-1][0] == indent and isinstance(stack[-1][1], list) and not item):
            stack.pop()

    def open(self, indent: int, collection: Any, stack: list[tuple[int, Any, Any]]) -> None:
        low, parent, waits = stack[-1]
        if len(stack) > _DEPTH:
            raise _UnreadError("nested too deep")
        if low >= 0 and waits is None:
            raise _UnreadError(f"line {self.at}: indentation")
        anchor = None
        if isinstance(waits, tuple):
            waits, anchor = waits
        if anchor:
            self.anchors[anchor] = collection
        self.put(parent, None if waits is True else waits, collection)
        stack[-1] = (low, parent, None)
        stack.append((indent, collection, None))

    def put(self, parent: Any, name: Any, value: Any) -> None:
        if isinstance(parent, list):
            parent.append(value)
        elif name in parent:
            if parent[name] is not None:
                raise _UnreadError(f"line {self.at}: a key twice")
            parent[name] = value
        else:
            parent[name] = value

    def value(self, text: str, name: Any, stack: list[tuple[int, Any, Any]]) -> None:
        indent, collection, _ = stack[-1]
        anchor = _ANCHOR.match(text) if text.startswith("&") else None
        if anchor:
            text = text[anchor.end() :].lstrip(" ")
        if not text or text.startswith("#"):
            if name is not None:
                self.put(collection, name, None)
            stack[-1] = (indent, collection, ((True if name is None else name), anchor.group()[1:] if anchor else None))
            return
        text = self.joined(text)
        found = self.scalar(text)
        if anchor:
            self.anchors[anchor.group()[1:]] = found
        self.put(collection, name, found)
        stack[-1] = (indent, collection, None)

    def joined(self, text: str) -> str:
        """A value with the lines in which it goes on: until its brackets or its quotes are closed."""
        pieces, mark, size = [text], text[0], len(text)
        opened = _brackets(text)
        while (mark in "[{" and opened) or (mark in "'\"" and (size < 2 or pieces[-1][-1:] != mark)):
            if self.at >= len(self.lines) or size > 1 << 20:
                raise _UnreadError(f"line {self.at}: no end")
            pieces.append(self.lines[self.at].strip())
            opened += _brackets(pieces[-1])
            size += len(pieces[-1])
            self.at += 1
        return " ".join(pieces)

    def scalar(self, text: str) -> Any:
        text = text.strip()
        if text[:1] == "*" and _ANCHOR.fullmatch(text):
            if text[1:] not in self.anchors:
                raise _UnreadError(f"line {self.at}: an unknown alias")
            return self.anchors[text[1:]]
        if text[:1] in "[{":
            return self.flow(text)
        if text[:1] in "'\"":
            inner = text[1:-1]
            if len(text) < 2 or text[-1] != text[0] or (text[0] == '"' and "\\" in inner):
                raise _UnreadError(f"line {self.at}: quoted text")
            return inner.replace("''", "'") if text[0] == "'" else inner
        if text[:1] in "|>%@`&!":
            raise _UnreadError(f"line {self.at}: {text[:10]!a}")
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if " #" in text:
            raise _UnreadError(f"line {self.at}: a comment behind a value")
        return float(text) if _NUMBER.fullmatch(text) else text

    def flow(self, text: str) -> Any:
        """A flow collection on one line: split by its own marks, quotes not crossing them."""
        if "'" in text or '"' in text:
            raise _UnreadError(f"line {self.at}: quotes in a flow collection")
        root: list[Any] = []
        stack: list[Any] = [root]
        for piece in re.findall(r"[\[\]{},]|[^\[\]{},]+", text):
            word = piece.strip()
            if word in ("[", "{"):
                if len(stack) > _DEPTH:
                    raise _UnreadError("nested too deep")
                stack.append([])
            elif word in ("]", "}"):
                if len(stack) < 2:
                    raise _UnreadError(f"line {self.at}: brackets")
                done = stack.pop()
                if word == "]" and any(isinstance(x, str) and (": " in x or x.endswith(":")) for x in done):
                    raise _UnreadError(f"line {self.at}: a mapping in a list")
                stack[-1].append(self.pairs(done) if word == "}" else done)
            elif word and word != ",":
                stack[-1].append(word if ": " in word or word.endswith(":") else self.scalar(word))
        if len(stack) != 1 or len(root) != 1:
            raise _UnreadError(f"line {self.at}: brackets")
        return root[0]

    def pairs(self, items: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        name = None
        for item in items:
            if isinstance(item, str) and ":" in item and name is None:
                key, _, rest = item.removesuffix(":").partition(": ")
                if key in found or (not rest and not item.endswith(":")):
                    raise _UnreadError(f"line {self.at}: a key twice")
                if rest.strip():
                    found[key] = self.scalar(rest)
                else:
                    name = key
            elif name is not None:
                found[name], name = item, None
            else:
                raise _UnreadError(f"line {self.at}: a mapping")
        if name is not None:
            found[name] = None
        return found
