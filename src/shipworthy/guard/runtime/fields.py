"""Every text of a request: path, query, headers, forms, parts of multipart bodies, and JSON of any shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from shipworthy.guard.runtime.policy import Limits, Request
from shipworthy.patterns import regex

_HEADERS = (
    "user-agent",
    "referer",
    "x-forwarded-host",
    "x-forwarded-for",
    "x-api-version",
    "origin",
    "accept-language",
    "x-original-url",
    "x-rewrite-url",
    "content-type",
    "cookie",
    "from",
    "x-client-id",
)
_LONGEST_NAME = 120
_BOUNDARY = regex(r'boundary="?([^";,\s]{1,70})"?')
_DISPOSITION = regex(r'(?:file)?name\*?="([^"\r\n]{0,1000})"')


class TooMuch(Exception):
    """A request that is beyond a limit, or that can't be read as what it says it is. `reason` is a code."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class Field:
    """A text and where it was: `place` is path, query, header, key or body; `name` is the field's, for people."""

    __slots__ = ("name", "place", "text")

    def __init__(self, place: str, name: str, text: str) -> None:
        self.place, self.name, self.text = place, name, text


def fields(request: Request, limits: Limits) -> tuple[list[Field], Any]:
    """The request's texts, and its JSON value (None when it has none). Raises TooMuch."""
    if len(request.target) > limits.target:
        raise TooMuch("target-too-long", 414)
    if len(request.headers) > limits.headers:
        raise TooMuch("too-many-headers", 431)
    if sum(len(name) + len(value) for name, value in request.headers) > limits.header_bytes:
        raise TooMuch("headers-too-large", 431)
    if len(request.body) > limits.body:
        raise TooMuch("body-too-large", 413)
    found = [Field("path", "path", request.path)]
    query = request.target.partition("?")[2]
    if query:
        found += _pairs("query", query, limits)
    found += [Field("header", name, value) for name, value in request.headers if name in _HEADERS and len(value) > 3]
    body, value = _body(request, limits)
    return found + body, value


def _pairs(place: str, text: str, limits: Limits) -> list[Field]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=min(limits.values, 2000), errors="replace")
    except ValueError:
        raise TooMuch("too-many-values", 413) from None
    found = []
    for name, value in pairs:
        found.append(Field("key", name[:_LONGEST_NAME], name))
        if value:
            found.append(Field(place, name[:_LONGEST_NAME], value))
    return found


def _body(request: Request, limits: Limits) -> tuple[list[Field], Any]:
    if not request.body:
        return [], None
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if request.header("content-encoding") not in ("", "identity"):
        raise TooMuch("body-encoded", 415)  # it would not be looked at
    if kind == "application/x-www-form-urlencoded":
        return _pairs("body", request.body.decode("utf-8", "replace"), limits), None
    if kind == "multipart/form-data":
        return list(_parts(request)), None
    if kind.endswith("json") or request.body.lstrip()[:1] in (b"{", b"["):
        value = parse_json(request.body, limits)
        if value is not None:
            return walk(value, limits), value
        if kind.endswith("json"):
            raise TooMuch("not-json", 400)
    return [Field("body", "body", request.body.decode("utf-8", "replace"))], None


def parse_json(raw: bytes, limits: Limits) -> Any:
    """The value, or None for what is no JSON. Depth and numbers are bounded before anything is made of them."""
    depth = deepest(raw, limits.depth)
    if depth > limits.depth:
        raise TooMuch("json-too-deep", 413)
    try:
        return json.loads(raw, object_pairs_hook=_Pairs, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


class _Pairs:
    """An object with all of its members: of two with one name, the service may take either."""

    __slots__ = ("members",)

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        self.members = members


def _integer(text: str) -> float:
    return int(text) if len(text) < 400 else float(text)


_BRACKETS = regex(rb'["\[\]{}]')
_STRING_END = regex(rb'[^"\\]*(?:\\.[^"\\]*)*"')


def deepest(raw: bytes, stop: int) -> int:
    """How deep the brackets of a JSON text nest, outside of its strings; not more than `stop` + 1 is counted."""
    if raw.count(b"[") + raw.count(b"{") <= stop:
        return 0
    depth = most = position = 0
    while found := _BRACKETS.search(raw, position):
        position = found.end()
        if found[0] == b'"':
            end = _STRING_END.match(raw, position)
            if end is None:
                break
            position = end.end()
        elif found[0] in b"[{":
            depth += 1
            most = max(most, depth)
            if most > stop:
                break
        else:
            depth -= 1
    return most


def walk(value: Any, limits: Limits) -> list[Field]:
    """The strings and keys of a JSON value, with their places (`items[2].name`). Raises TooMuch."""
    found: list[Field] = []
    left: list[tuple[str, Any]] = [("", value)]
    count = 0
    while left:
        name, item = left.pop()
        if isinstance(item, str):
            found.append(Field("body", name, item))
        elif isinstance(item, _Pairs | dict):
            members = item.members if isinstance(item, _Pairs) else list(item.items())
            count += 2 * len(members)
            for key, below in members:
                found.append(Field("key", name, key))
                if isinstance(below, str | list | dict | _Pairs):
                    left.append((f"{name}.{key[:40]}"[-_LONGEST_NAME:], below))
        elif isinstance(item, list):
            count += len(item)
            if count <= limits.values:
                left += [
                    (f"{name}[{i}]"[-_LONGEST_NAME:], below)
                    for i, below in enumerate(item)
                    if isinstance(below, str | list | dict | _Pairs)
                ]
        if count > limits.values:
            raise TooMuch("too-many-values", 413)
    return found


def numbers(value: Any, most: int = 4096) -> list[float]:
    """The numbers of a JSON value in their order, at most so many."""
    found: list[float] = []
    left = [value]
    while left and len(found) < most:
        item = left.pop()
        if isinstance(item, int | float) and not isinstance(item, bool):
            found.append(float(item) if abs(item) < 1e300 else 1e300)
        elif isinstance(item, _Pairs):
            left += [below for _, below in reversed(item.members)]
        elif isinstance(item, list):
            left += reversed(item[:most])
    return found


def _parts(request: Request) -> Iterator[Field]:
    """Names, file names and contents of the parts of a multipart body. A file of bytes is looked at as Latin-1."""
    given = _BOUNDARY.search(request.header("content-type"))
    if given is None:
        raise TooMuch("multipart-without-boundary", 400)
    pieces = request.body.split(b"--" + given[1].encode("latin-1", "replace"))
    if len(pieces) > 1000:
        raise TooMuch("too-many-values", 413)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise TooMuch("multipart-incomplete", 400)
    for number, piece in enumerate(pieces[1:-1]):
        head, _, content = piece.partition(b"\r\n\r\n")
        name = ""
        for label in _DISPOSITION.findall(head.decode("utf-8", "replace"))[:4]:
            name = name or label
            yield Field("key", f"part {number}", label)
        if content := content.removesuffix(b"\r\n"):
            text = _text(content)
            yield Field("body", name[:_LONGEST_NAME] or f"part {number}", text)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
