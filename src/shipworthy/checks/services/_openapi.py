"""Operations of a service: from its OpenAPI document (3.x, JSON), and the probe. (OpenAPI Specification 3.1.)"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from shipworthy.checks.services._client import Request
from shipworthy.checks.services._service import inside
from shipworthy.checks.services._session import Session
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

Schema = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_MOST = 200  # operations
_DEEPEST = 12
_LARGEST = 4_000_000  # bytes
_HOLE = regex(r"\{([^{}/]{1,80})\}")


class NoDocument(Exception):
    """There is no document, or it cannot be read: with the reason."""


@dataclass(frozen=True)
class Parameter:
    """An input of an operation; `place` is `query`, `path`, `header` or `cookie`."""

    name: str
    place: str
    required: bool
    schema: Schema


@dataclass(frozen=True)
class Operation:
    """A method of a path. `answers` maps a status (`200`, `4XX`, `default`) to schemas by media type; None: the status
    is there without content."""

    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    body_type: str = ""
    body_schema: Schema = field(default_factory=dict)
    body_required: bool = False
    answers: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)
    secured: bool = False

    @property
    def name(self) -> str:
        """As a finding tells it."""
        return f"{self.method} {self.path}"


def read_document(session: Session) -> Mapping[str, Any]:
    """The service's OpenAPI document: a file in the folder, or a path of the service. Raises NoDocument."""
    where = session.info.openapi
    if not where:
        raise NoDocument("no OpenAPI document is named for the service")
    path = None if where.startswith("/") else inside(session.folder, where)
    if path is not None:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    elif where.startswith("/"):
        answer = session.ask(Request("GET", where))
        if answer is None or answer.status != 200 or answer.cut:
            raise NoDocument(f"the service does not give its OpenAPI document at {where[:80]}")
        data = answer.body
    else:
        raise NoDocument(f"the OpenAPI document {where[:80]!r} is not beside the service's description")
    try:
        document = json.loads(data) if len(data) <= _LARGEST else None
    except (ValueError, RecursionError):
        raise NoDocument("the OpenAPI document is not JSON (YAML is not read: convert it)") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise NoDocument("the document is not OpenAPI 3")
    return document


def operations(document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """The operations of a document with all references resolved; at most 200."""
    found: list[Operation] = []
    for path, item in _mapping(document.get("paths")).items():
        entry = _mapping(_resolved(item, document))
        shared = _list(entry.get("parameters"))
        for method in _METHODS:
            operation = entry.get(method)
            if isinstance(operation, dict) and isinstance(path, str) and path.startswith("/") and len(found) < _MOST:
                found.append(_operation(method.upper(), path, operation, shared, document))
    return tuple(found)


def _operation(
    method: str, path: str, entry: Mapping[str, Any], shared: Sequence[Any], document: Mapping[str, Any]
) -> Operation:
    parameters = {}
    for given in (*shared, *_list(entry.get("parameters"))):
        one = _mapping(_resolved(given, document))
        name, place = one.get("name"), one.get("in")
        if isinstance(name, str) and place in ("query", "path", "header", "cookie"):
            schema = _mapping(_resolved(one.get("schema"), document))
            parameters[name, place] = Parameter(name, place, bool(one.get("required")) or place == "path", schema)
    body = _mapping(_resolved(entry.get("requestBody"), document))
    contents = _mapping(body.get("content"))
    chosen = next((t for t in ("application/json", *contents) if t in contents), "")
    answers = {}
    for status, answer in _mapping(entry.get("responses")).items():
        content = _mapping(_mapping(_resolved(answer, document)).get("content"))
        answers[str(status).upper()] = {
            str(media).lower(): _mapping(_resolved(_mapping(one).get("schema"), document))
            for media, one in content.items()
        }
    return Operation(
        method,
        path,
        tuple(parameters.values()),
        chosen,
        _mapping(_resolved(_mapping(contents.get(chosen)).get("schema"), document)),
        bool(body.get("required")),
        answers,
        bool(entry.get("security", document.get("security"))),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _resolved(value: Any, document: Mapping[str, Any], depth: int = 0, size: list[int] | None = None) -> Any:
    """The value with its local references put in; what is deeper than `_DEEPEST`, or too much, is left out."""
    size = size if size is not None else [20_000]
    if not isinstance(value, dict | list):  # costs nothing, and {} in its place would be no name of a field
        return value
    size[0] -= 1
    if depth > _DEEPEST or size[0] < 0:
        return {} if isinstance(value, dict) else []
    if isinstance(value, list):
        return [_resolved(one, document, depth + 1, size) for one in value]
    if isinstance(ref := value.get("$ref"), str):
        target: Any = document
        for part in ref.removeprefix("#/").split("/") if ref.startswith("#/") else ["?"]:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        return _resolved(target, document, depth + 1, size)
    return {key: _resolved(one, document, depth + 1, size) for key, one in value.items()}


def sample(schema: Schema, depth: int = 0) -> Any:
    """A value of the schema: its example, or something plain within its bounds."""
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if _list(schema.get("examples")):
        return schema["examples"][0]
    if _list(schema.get("enum")):
        return schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if choices := [one for one in _list(schema.get(key)) if isinstance(one, dict) and one.get("type") != "null"]:
            return sample(choices[0], depth + 1)
    if parts := [one for one in _list(schema.get("allOf")) if isinstance(one, dict)]:
        made = [sample(one, depth + 1) for one in parts]
        return {k: v for one in made if isinstance(one, dict) for k, v in one.items()} or made[0]
    if depth > _DEEPEST:
        return None
    return _SAMPLES.get(type_of(schema), _text)(schema, depth)


def type_of(schema: Schema) -> str:
    """The schema's type; of several, the first that is not `null`."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if not isinstance(kind, str):
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return kind


def _object(schema: Schema, depth: int) -> Any:
    return {
        name: sample(_mapping(one), depth + 1) for name, one in list(_mapping(schema.get("properties")).items())[:50]
    }


def _array(schema: Schema, depth: int) -> Any:
    count = max(1, min(_whole(schema.get("minItems"), 1), 20))
    return [sample(_mapping(schema.get("items")), depth + 1)] * count


def _number(schema: Schema, _depth: int) -> Any:
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    value = low if isinstance(low, int | float) and not isinstance(low, bool) else 1
    if isinstance(high, int | float) and value > high:
        value = high
    return value + 1 if isinstance(schema.get("exclusiveMinimum"), int | float) else value


def _text(schema: Schema, _depth: int) -> Any:
    formats = {
        "date": "2024-02-29", "date-time": "2024-02-29T12:00:00Z", "email": "a@example.com", "ipv4": "192.0.2.1",
        "uuid": "6f1f2d6e-3a55-4f43-9b1c-0d4f5b3a9c11", "uri": "https://example.com/", "byte": "aGVsbG8=",
    }  # fmt: skip
    text = formats.get(str(schema.get("format")), "hello")
    low, high = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), 10_000)
    return (text + "a" * max(0, min(low, 10_000) - len(text)))[: max(high, 0)]


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


_SAMPLES: Mapping[str, Callable[[Schema, int], Any]] = {
    "object": _object, "array": _array, "integer": _number, "number": _number, "string": _text,
    "boolean": lambda _schema, _depth: True, "null": lambda _schema, _depth: None,
}  # fmt: skip


def request_of(operation: Operation, values: Mapping[tuple[str, str], Any] | None = None, body: Any = ...) -> Request:
    """A request for an operation: `values` by (name, place) in the place of samples, and None for those left out;
    `body` in the place of a sample of the body."""
    given = {(p.name, p.place): sample(p.schema) for p in operation.parameters if p.required} | dict(values or {})
    path = _HOLE.sub(lambda hole: quote(_plain(given.get((hole[1], "path"), "1")), safe=""), operation.path)
    query = [(name, _plain(v)) for (name, place), v in given.items() if place == "query" and v is not None]
    headers = [(name, _plain(v)) for (name, place), v in given.items() if place == "header" and v is not None]
    cookies = [f"{n}={quote(_plain(v))}" for (n, place), v in given.items() if place == "cookie" and v is not None]
    if cookies:
        headers.append(("Cookie", "; ".join(cookies)))
    data = b""
    if operation.body_type and body is not None:
        value = sample(operation.body_schema) if body is ... else body
        headers.append(("Content-Type", operation.body_type))
        data = encoded(value, operation.body_type)
    target = path + ("?" + urlencode(query) if query else "")
    return Request(operation.method, target, tuple(headers), data)


def encoded(value: Any, media_type: str) -> bytes:
    """A body of this media type."""
    if media_type.startswith("application/x-www-form-urlencoded"):
        return urlencode({str(k): _plain(v) for k, v in _mapping(value).items()}).encode()
    if "json" in media_type:
        return json.dumps(value).encode()
    return value if isinstance(value, bytes) else _plain(value).encode("utf-8", "surrogateescape")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def documented(session: Session) -> Iterator[Operation]:
    """The operations of the document; none where there is no document."""
    try:
        yield from operations(read_document(session))
    except NoDocument:
        return
