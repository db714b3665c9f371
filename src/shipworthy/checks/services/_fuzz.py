"""Requests from an operation's description, good and broken, and whether an answer is of its schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from shipworthy.checks.services._client import Request
from shipworthy.checks.services._openapi import Operation, Schema, request_of, sample, type_of
from shipworthy.records import dataclass

_MANY = 60  # fields of a body that are broken one by one
_DEEPEST = 24
_OTHERS: Mapping[str, tuple[Any, ...]] = {
    "string": (17, None, [], {}), "integer": ("x", 1.5, None, []), "number": ("x", None, []),
    "boolean": ("x", 17), "array": ("x", {}), "object": ("x", [], 17), "null": ("x",),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A request; `good`: the document allows it; `words` name it in a finding."""

    request: Request
    good: bool
    words: str
    anonymous: bool = False


def cases(operation: Operation) -> Iterator[Case]:
    """One good request, its bounds, and one broken request for each thing that can be wrong. Operations that delete
    are only asked for what is not there."""
    if operation.method == "DELETE":
        gone = {(p.name, p.place): "shipworthy-not-there" for p in operation.parameters if p.place == "path"}
        if gone:
            yield Case(request_of(operation, gone), True, "a request for what is not there")
        return
    usual = request_of(operation)
    yield Case(usual, True, "a good request")
    if operation.secured:
        yield Case(usual.with_headers(("Authorization", "")), False, "a request without credentials", anonymous=True)
    for parameter in operation.parameters:
        at = (parameter.name, parameter.place)
        for value in bounds(parameter.schema):
            yield Case(request_of(operation, {at: value}), True, f"{parameter.name} at its bound")
        for value in broken(parameter.schema):
            if value is None or (parameter.place != "query" and value == ""):
                continue  # it would not be sent
            if type_of(parameter.schema) == "string" and not isinstance(value, str):
                continue  # in an address everything is text
            yield Case(request_of(operation, {at: value}), False, f"{parameter.name} out of its bounds")
        if parameter.required and parameter.place != "path":
            yield Case(request_of(operation, {at: None}), False, f"a request without {parameter.name}")
    if operation.body_type.startswith("application/json"):
        yield from _bodies(operation)


def _bodies(operation: Operation) -> Iterator[Case]:
    schema, good = operation.body_schema, sample(operation.body_schema)
    if operation.body_required:
        yield Case(request_of(operation, body=None), False, "a request without its body")
    usual = request_of(operation)
    yield Case(Request(usual.method, usual.target, usual.headers, b'{"a":'), False, "a body that is no JSON")
    for value in broken(schema):
        yield Case(request_of(operation, body=value), False, "a body of another type")
    if not isinstance(good, dict):
        return
    fields = schema.get("properties")
    required = schema.get("required")
    for name, one in list(fields.items() if isinstance(fields, dict) else ())[:_MANY]:
        if not isinstance(one, dict):
            continue
        for value in bounds(one):
            yield Case(request_of(operation, body={**good, name: value}), True, f"{name} at its bound")
        for value in broken(one):
            yield Case(request_of(operation, body={**good, name: value}), False, f"{name} of another type or size")
        if isinstance(required, list) and name in required:
            left = {key: value for key, value in good.items() if key != name}
            yield Case(request_of(operation, body=left), False, f"a body without {name}")
    if schema.get("additionalProperties") is False:
        yield Case(request_of(operation, body={**good, "shipworthy": 1}), False, "a body with another field")


def bounds(schema: Schema) -> Iterator[Any]:
    """Values at the edges of what the schema allows."""
    kind = type_of(schema)
    if kind in ("integer", "number"):
        yield from (schema[key] for key in ("minimum", "maximum") if _real(schema.get(key)))
    if kind == "string" and "enum" not in schema and "format" not in schema and "pattern" not in schema:
        for key in ("minLength", "maxLength"):
            if isinstance(size := schema.get(key), int) and 0 < size <= 100_000:
                yield "a" * size
    values = schema.get("enum")
    yield from values[:20] if isinstance(values, list) else ()


def broken(schema: Schema) -> Iterator[Any]:
    """Values that the schema does not allow."""
    if not schema or any(key in schema for key in ("oneOf", "anyOf", "allOf", "not")):
        return
    kind = type_of(schema)
    nullable = schema.get("nullable") is True or "null" in (schema.get("type") or ())
    if "type" in schema:
        yield from (value for value in _OTHERS.get(kind, ()) if not (value is None and nullable))
    if kind in ("integer", "number"):
        for key, step in (("minimum", -1), ("maximum", 1)):
            if _real(schema.get(key)):
                yield schema[key] + step
    if kind == "string":
        if isinstance(low := schema.get("minLength"), int) and low > 0:
            yield "a" * (low - 1)
        if isinstance(high := schema.get("maxLength"), int) and 0 <= high < 100_000:
            yield "a" * (high + 1)
    if isinstance(schema.get("enum"), list) and kind == "string":
        yield "shipworthy-no-such-value"
    if kind == "array" and isinstance(high := schema.get("maxItems"), int) and high < 1_000:
        yield [sample(schema.get("items") or {})] * (high + 1)


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def mismatch(body: bytes, schema: Schema) -> str:
    """Where a JSON answer is not of its schema; empty when it is, as far as types, fields, bounds and values go."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return "it is not JSON"
    return _differs(value, schema, "the answer", 0)


def _differs(value: Any, schema: Schema, at: str, depth: int) -> str:
    if depth > _DEEPEST or not isinstance(schema, dict):
        return ""
    for key in ("oneOf", "anyOf"):
        choices = schema.get(key)
        if isinstance(choices, list) and choices and all(_differs(value, one, at, depth + 1) for one in choices):
            return f"{at} is none of the choices"
    for one in schema.get("allOf") or ():
        if wrong := _differs(value, one, at, depth + 1):
            return wrong
    if value is None and schema.get("nullable") is True:
        return ""
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f"{at} is not {' or '.join(map(str, kinds))}"
    if isinstance(schema.get("enum"), list) and value not in schema["enum"]:
        return f"{at} is not one of its values"
    if "const" in schema and value != schema["const"]:
        return f"{at} is not its one value"
    if _real(value) and (_beyond(value, schema.get("minimum"), -1) or _beyond(value, schema.get("maximum"), 1)):
        return f"{at} is out of its bounds"
    for kind, low, high in ((str, "minLength", "maxLength"), (list, "minItems", "maxItems")):
        if isinstance(value, kind) and (
            _beyond(len(value), schema.get(low), -1) or _beyond(len(value), schema.get(high), 1)
        ):
            return f"{at} is too short or too long"
    if isinstance(value, dict):
        return _object_differs(value, schema, at, depth)
    if isinstance(value, list) and isinstance(items := schema.get("items"), dict):
        return next(
            (wrong for one in value[:200] if (wrong := _differs(one, items, f"an item of {at}", depth + 1))), ""
        )
    return ""


def _beyond(value: Any, bound: Any, side: int) -> bool:
    return _real(bound) and (value - bound) * side > 0


def _object_differs(value: dict[str, Any], schema: Schema, at: str, depth: int) -> str:
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in value:
            return f"{at} has no {str(name)[:40]}"
    fields = schema.get("properties")
    fields = fields if isinstance(fields, dict) else {}
    if schema.get("additionalProperties") is False and (more := [name for name in value if name not in fields]):
        return f"{at} has {ascii(more[0])[:40]}, which is not documented"
    for name, one in fields.items():
        if name in value and (wrong := _differs(value[name], one, str(name)[:40], depth + 1)):
            return wrong
    return ""


def _is(value: Any, kind: Any) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        return not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )
    types = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, types[kind]) if kind in types else True
