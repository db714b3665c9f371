"""Every text of a request: path, query, headers, forms, parts of multipart bodies, and JSON of any shape."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

from shipworthy.guard.runtime.policy import Limits, Request
from shipworthy.patterns import regex

_HEADERS = frozenset(
    (
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
)
_CLASSES = ("@type", "$type", "__type", "class")  # the ends of names of which `serialised` looks at the value
_LONGEST_NAME = 120
_NUMBERS = 64  # as many as `extraction` compares
_MEMBERS = 16  # parts of a gzip stream
_BOUNDARY = regex(r';\s{0,20}boundary\s{0,20}="?([^";,\s]{1,70})"?', re.IGNORECASE)
_DISPOSITION = regex(r';\s{0,20}(?:file)?name\*?\s{0,20}=\s{0,20}("[^"\r\n]{0,1000}"|[^";\r\n]{1,1000})', re.IGNORECASE)
_CHARSET = regex(r"""charset\s{0,20}=\s{0,20}["']?([^"';,\s]{1,60})""", re.IGNORECASE)
_ASCII = frozenset(
    (
        "",
        "utf-8",
        "utf8",
        "us-ascii",
        "ascii",
        "iso-8859-1",
        "latin-1",
        "latin1",
        "iso-8859-15",
        "windows-1252",
        "cp1252",
    )
)
_WIDE = frozenset(("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be"))


Parse = Callable[[bytes, Limits], Any]


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


class Found:
    """A request's texts, without their names: those of the `body` and of the `query` (its values), the different
    `keys`, and the first `numbers` of a JSON body. `others` are those whose name matters: path, headers, members that
    name a class. `words` are those of the body, once they are known."""

    __slots__ = ("body", "keys", "numbers", "others", "query", "words")

    def __init__(self) -> None:
        self.body: list[str] = []
        self.query: list[str] = []
        self.keys: set[str] = set()
        self.others: list[Field] = []
        self.numbers: list[float] = []
        self.words: frozenset[str] = frozenset()


def gather(request: Request, limits: Limits) -> Found:
    """The request's texts, as fast as can be. Raises TooMuch."""
    found = Found()
    given, value = _all(request, limits, _flat)
    for field in given:
        if field.place == "key":
            found.keys.add(field.text)
        elif field.place in ("body", "query"):
            (found.body if field.place == "body" else found.query).append(field.text)
            if field.name.endswith(_CLASSES):
                found.others.append(field)
        else:
            found.others.append(field)
    if value is not None:
        _gather(value, limits, found)
    return found


def fields(request: Request, limits: Limits) -> list[Field]:
    """The request's texts, each with its place. Raises TooMuch."""
    found, value = _all(request, limits, parse_json)
    return found if value is None else found + walk(value, limits)


def _all(request: Request, limits: Limits, parse: Parse) -> tuple[list[Field], Any]:
    """All but what a JSON body holds, and what `parse` makes of that; None when there is none."""
    if len(request.target) > limits.target:
        raise TooMuch("target-too-long", 414)
    if len(request.headers) > limits.headers:
        raise TooMuch("too-many-headers", 431)
    if len(request.body) > limits.body:
        raise TooMuch("body-too-large", 413)
    path, _, query = request.target.partition("?")
    found = [Field("path", "path", path)]
    if query:
        found += _pairs("query", query, limits)
    size, kind, coding = 0, "", ""
    for name, value in request.headers:
        size += len(name) + len(value)
        if len(value) > 3 and (name in _HEADERS or "${" in value or "() {" in value):
            found.append(Field("header", name, value))
        if name == "content-type":
            kind = kind or value
        elif name == "content-encoding":
            coding = f"{coding},{value}" if coding else value
    if size > limits.header_bytes:
        raise TooMuch("headers-too-large", 431)
    if not request.body:
        return found, None
    more, value_ = _content(unpacked(request.body, coding, limits.body), kind, limits, parse)
    return found + more, value_


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


def unpacked(body: bytes, coding: str, limit: int) -> bytes:
    """A body as it was before it was compressed with gzip. Raises TooMuch for what can't be looked at: another coding,
    what is larger than `limit`, what is cut off or followed by something else."""
    if coding in ("", "identity"):
        return body
    if coding.strip().lower() not in ("gzip", "x-gzip"):
        raise TooMuch("body-encoded", 415)
    import zlib

    parts, left, size = [], body, 0
    for _ in range(_MEMBERS):
        reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            part = reader.decompress(left, limit - size + 1)
        except zlib.error:
            raise TooMuch("body-not-gzip", 400) from None
        parts.append(part)
        size += len(part)
        if size > limit:
            raise TooMuch("body-too-large", 413)
        if not reader.eof:
            raise TooMuch("body-not-gzip", 400)
        left = reader.unused_data
        if not left:
            return b"".join(parts)
    raise TooMuch("body-not-gzip", 400)


def _content(body: bytes, content_type: str, limits: Limits, parse: Parse) -> tuple[list[Field], Any]:
    kind, _, told = content_type.partition(";")
    kind = kind.strip().lower()
    text = decoded(body, told) if told and kind != "multipart/form-data" else ""
    if kind == "application/x-www-form-urlencoded":
        return _pairs("body", text or body.decode("utf-8", "replace"), limits), None
    if kind == "multipart/form-data":
        return list(_parts(body, content_type)), None
    if kind.endswith("json") or body.lstrip()[:1] in (b"{", b"["):
        value = parse(body, limits)
        if value is not None:
            return [], value
        if kind.endswith("json"):
            raise TooMuch("not-json", 400)
    return [Field("body", "body", text or body.decode("utf-8", "replace"))], None


def parse_json(raw: bytes, limits: Limits) -> Any:
    """The value, or None for what is no JSON. Depth is bounded before anything is made of it.

    An object is a tuple of all of its members, as pairs: of two with one name, the service may take either. Null alone
    is an empty one.
    """
    if deepest(raw, limits.depth) > limits.depth:
        raise TooMuch("json-too-deep", 413)
    try:
        value = json.loads(raw, object_pairs_hook=tuple)
    except RecursionError:
        return None
    except ValueError:
        try:  # again, as it may have been for a number that is longer than Python reads
            value = json.loads(raw, object_pairs_hook=tuple, parse_int=_integer)
        except (ValueError, RecursionError):
            return None
    return () if value is None else value


def _integer(text: str) -> float:
    return int(text) if len(text) < 400 else float(text)


class _Flat:
    """A JSON value as the members of all of its objects (in which an object stands as None), and what holds them."""

    __slots__ = ("objects", "raw", "value")

    def __init__(self, raw: bytes, objects: list[list[tuple[str, Any]]], value: Any) -> None:
        self.raw, self.objects, self.value = raw, objects, value


def _flat(raw: bytes, limits: Limits) -> _Flat | None:
    """As `parse_json`: nothing is made of an object but the list of its members, so nobody has to walk it."""
    if deepest(raw, limits.depth) > limits.depth:
        raise TooMuch("json-too-deep", 413)
    objects: list[list[tuple[str, Any]]] = []
    try:
        return _Flat(raw, objects, json.loads(raw, object_pairs_hook=objects.append))
    except RecursionError:
        return None
    except ValueError:
        objects.clear()
        try:
            return _Flat(raw, objects, json.loads(raw, object_pairs_hook=objects.append, parse_int=_integer))
        except (ValueError, RecursionError):
            return None


def _gather(flat: _Flat, limits: Limits, found: Found) -> None:
    """The strings, keys and first numbers of a JSON value. Raises TooMuch."""
    count = 2 * sum(map(len, flat.objects))
    if count > limits.values:
        raise TooMuch("too-many-values", 413)
    names, values = zip(*members, strict=True) if (members := [*chain.from_iterable(flat.objects)]) else ((), ())
    lists: list[Any] = [values, [flat.value]]
    for items in lists:  # grows as it is walked
        if items is not values:
            count += len(items)
            if count > limits.values + 1:
                raise TooMuch("too-many-values", 413)
        kinds = set(map(type, items))
        if str in kinds:
            found.body += [item for item in items if type(item) is str]
        if list in kinds:
            lists += [item for item in items if type(item) is list]
        if (int in kinds or float in kinds) and len(found.numbers) < _NUMBERS:
            found.numbers += [
                float(item) if abs(item) < 1e300 else 1e300
                for item in items
                if type(item) is int or type(item) is float
            ][: _NUMBERS - len(found.numbers)]
    found.keys.update(names)
    if any(name[:40].endswith(_CLASSES) for name in found.keys):
        value = parse_json(flat.raw, limits)
        found.others += [one for one in walk(value, limits) if one.place == "body" and one.name.endswith(_CLASSES)]


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
        elif isinstance(item, tuple):
            count += 2 * len(item)
            for key, below in item:
                found.append(Field("key", name, key))
                if isinstance(below, str | list | tuple):
                    left.append((f"{name}.{key[:40]}"[-_LONGEST_NAME:], below))
        elif isinstance(item, list):
            count += len(item)
            if count <= limits.values:
                left += [
                    (f"{name}[{i}]"[-_LONGEST_NAME:], below)
                    for i, below in enumerate(item)
                    if isinstance(below, str | list | tuple)
                ]
        if count > limits.values:
            raise TooMuch("too-many-values", 413)
    return found


def _parts(body: bytes, content_type: str) -> Iterator[Field]:
    """Names, file names and contents of the parts of a multipart body, and what lies around them (RFC 7578, RFC 2046).
    A file of bytes is looked at as Latin-1."""
    given = _BOUNDARY.findall(content_type)
    if len(given) != 1:
        raise TooMuch("multipart-without-boundary" if not given else "multipart-boundaries", 400)
    pieces = body.split(b"--" + given[0].encode("latin-1", "replace"))
    if len(pieces) > 1000:
        raise TooMuch("too-many-values", 413)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise TooMuch("multipart-incomplete", 400)
    for around in (pieces[0], pieces[-1][2:]):
        if around.strip():  # some readers take these for parts
            yield Field("body", "around the parts", _text(around))
    for number, piece in enumerate(pieces[1:-1]):
        head, found, content = piece.partition(b"\r\n\r\n")
        if not found:  # as some write it, and some read it
            head, found, content = piece.partition(b"\n\n")
        head, content = (head, content) if found else (b"", piece)
        name = ""
        told = head.decode("utf-8", "replace")
        for label in _DISPOSITION.findall(told)[:4]:
            label = label.strip().strip("\"'")
            name = name or label
            yield Field("key", f"part {number}", label)
        if content := content.removesuffix(b"\r\n"):
            place = name[:_LONGEST_NAME] or f"part {number}"
            yield Field("body", place, decoded(content, told) or _text(content))
            if "quoted-printable" in told.lower():
                yield Field("body", place, _text(binascii.a2b_qp(content)))


def decoded(raw: bytes, told: str) -> str:
    """The text in the character set that a content type (or a part's head) names; empty when it names none, or one that
    ASCII is a part of. Raises TooMuch for others, in which a service would read what nobody looked at."""
    found = _CHARSET.search(told)
    charset = found[1].lower().replace("_", "-") if found else ""
    if charset in _ASCII:
        return ""
    if charset not in _WIDE:
        raise TooMuch("body-charset", 415)
    return raw.decode(charset, "replace")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
