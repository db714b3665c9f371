"""Places of a request where a value of a client goes in: query, path, form and JSON fields, and a header."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from shipworthy.checks.services._client import Request
from shipworthy.checks.services._openapi import documented, request_of
from shipworthy.checks.services._session import Session, name_of
from shipworthy.records import dataclass

_MOST_LEAVES = 40
_DEEPEST = 16


@dataclass(frozen=True)
class Point:
    """A place in a request that is answered when it is left as it is. `at` is the position in it: an index of the
    query or the form, a path into the JSON, a header's name, a part of the path. `value` is what stands there."""

    request: Request
    operation: str
    place: str
    at: tuple[int | str, ...]
    value: str

    @property
    def name(self) -> str:
        """As a finding tells it: `POST /predict, JSON field text`."""
        word = {"json": "JSON field", "query": "parameter", "form": "form field", "path": "part of the path"}
        return f"{self.operation}, {word.get(self.place, self.place)} {'.'.join(map(str, self.at))}"

    def holding(self, value: str) -> Request:
        """The request with this value at the place."""
        request = self.request
        if self.place == "json":
            return Request(request.method, request.target, request.headers, _put(request.body, self.at, value))
        if self.place == "form":
            pairs = _paired(request.body.decode("latin-1"), self.at[0], value)
            return Request(request.method, request.target, request.headers, urlencode(pairs).encode())
        path, _, query = request.target.partition("?")
        if self.place == "query":
            return Request(
                request.method, f"{path}?{urlencode(_paired(query, self.at[0], value))}", request.headers, request.body
            )
        parts = path.split("/")
        parts[int(self.at[0])] = quote(value, safe="")
        target = "/".join(parts) + (f"?{query}" if query else "")
        return Request(request.method, target, request.headers, request.body)


def points(session: Session) -> Iterator[Point]:
    """Every place of the probe, and of the operations of the OpenAPI document; each once."""
    seen = set()
    for request, operation, holes in _requests(session):
        for point in _of(request, operation, holes):
            key = (point.operation, point.place, tuple(map(str, point.at)) if point.place != "query" else point.name)
            if key not in seen:
                seen.add(key)
                yield point


def _requests(session: Session) -> Iterator[tuple[Request, str, tuple[int, ...]]]:
    probe = session.probe
    yield probe, name_of(probe), ()
    for operation in documented(session):
        if operation.method in ("GET", "POST", "PUT", "PATCH"):
            values = {(p.name, p.place): None for p in operation.parameters if p.place in ("header", "cookie")}
            every = {(p.name, p.place): _start(p.schema) for p in operation.parameters if p.place in ("query", "path")}
            needed = {key: value for key, value in values.items() if not _required(operation.parameters, key)}
            holes = tuple(n for n, part in enumerate(operation.path.split("/")) if part.startswith("{"))
            yield request_of(operation, {**needed, **every}), operation.name, holes


def _required(parameters: Any, key: tuple[str, str]) -> bool:
    return any(p.required and (p.name, p.place) == key for p in parameters)


def _start(schema: Any) -> Any:
    from shipworthy.checks.services._openapi import sample

    return sample(schema)


def _of(request: Request, operation: str, holes: tuple[int, ...]) -> Iterator[Point]:
    path, _, query = request.target.partition("?")
    for index, (_name, value) in enumerate(parse_qsl(query, keep_blank_values=True)[:_MOST_LEAVES]):
        yield Point(request, operation, "query", (index, _name), value)
    for hole in holes:
        yield Point(request, operation, "path", (hole,), path.split("/")[hole])
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "").lower()
    if "json" in kind:
        for at, value in _leaves(request.body):
            yield Point(request, operation, "json", at, value)
    elif kind.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)
        for index, (_name, value) in enumerate(pairs[:_MOST_LEAVES]):
            yield Point(request, operation, "form", (index, _name), value)


def _paired(text: str, index: int | str, value: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(text, keep_blank_values=True)
    return [(name, value if n == index else old) for n, (name, old) in enumerate(pairs)]


def _leaves(body: bytes) -> list[tuple[tuple[int | str, ...], str]]:
    """The texts and numbers of a JSON body with their paths."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found: list[tuple[tuple[int | str, ...], str]] = []

    def walk(value: Any, at: tuple[int | str, ...]) -> None:
        if len(found) >= _MOST_LEAVES or len(at) > _DEEPEST:
            return
        if isinstance(value, dict):
            for key, one in value.items():
                walk(one, (*at, key))
        elif isinstance(value, list):
            for index, one in enumerate(value[:3]):
                walk(one, (*at, index))
        elif not isinstance(value, bool) and value is not None:
            found.append((at, str(value)))

    walk(value, ())
    return found


def _put(body: bytes, at: tuple[int | str, ...], value: Any) -> bytes:
    whole = json.loads(body)
    if not at:
        return json.dumps(value).encode()
    inner = whole
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return json.dumps(whole).encode()
