"""Operations tried as their OpenAPI document says: our own fuzzer, and schemathesis as its witness."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services_world import GOOD, asked
from shipworthy.check import Context, NotApplicable, registry
from shipworthy.checks.services._fuzz import bounds, broken, mismatch
from shipworthy.checks.services._openapi import operations, request_of, sample
from shipworthy.checks.services._schemathesis import parse_report
from shipworthy.checks.services._service import ServiceInfo
from shipworthy.checks.services._standing import Reply, serving
from shipworthy.model import Artifact, Finding, Kind, Skipped
from shipworthy.tools import Toolbox, ToolFailed

JSON = "application/json"
ANSWER = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["a", "b"]}}}
TEXT = "#/components/schemas/Text"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "components": {"schemas": {"Text": {"type": "string", "minLength": 1, "maxLength": 100}}},
    "paths": {
        "/predict": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        JSON: {
                            "schema": {
                                "type": "object",
                                "required": ["text"],
                                "properties": {"text": {"$ref": TEXT}, "top": {"type": "integer"}},
                                "additionalProperties": False,
                            }
                        }
                    },
                },
                "responses": {
                    "200": {"description": "ok", "content": {JSON: {"schema": ANSWER}}},
                    "400": {"description": "no", "content": {JSON: {}}},
                },
            }
        },
        "/items/{id}": {
            "get": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "required": True,
                     "schema": {"type": "integer", "minimum": 1, "maximum": 5}},
                ],
                "responses": {"200": {"description": "ok"}, "400": {"description": "no"}},
            }
        },
    },
}  # fmt: skip
OPTIONS = {"schemathesis": False}


def honest(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
    parts = urlsplit(target)
    if parts.path in ("/healthz", "/openapi.json"):
        return 200, GOOD, json.dumps(DOCUMENT).encode()
    if parts.path.startswith("/items/"):
        try:
            good = 1 <= int(parse_qs(parts.query)["limit"][0]) <= 5
        except (KeyError, ValueError):
            good = False
        return (200 if good else 400), GOOD, b"{}"
    schema = DOCUMENT["paths"]["/predict"]["post"]["requestBody"]["content"][JSON]["schema"]
    schema = {**schema, "properties": {**schema["properties"], "text": DOCUMENT["components"]["schemas"]["Text"]}}
    try:
        good = Draft202012Validator(schema).is_valid(json.loads(body))
    except ValueError:
        good = False
    return (200, GOOD, b'{"label": "a"}') if good else (400, GOOD, b"{}")


def fuzz(tmp_path: Path, answer: Any, document: Any = DOCUMENT, **info: Any) -> tuple[set[str], list[str]]:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    return asked(tmp_path, "api-fuzz", answer, **{"openapi": "openapi.json", "options": OPTIONS, **info})


def test_a_service_that_does_as_its_document_says_is_clean(tmp_path: Path) -> None:
    assert fuzz(tmp_path, honest) == (set(), [])
    assert fuzz(tmp_path, honest, openapi="/openapi.json") == (set(), [])


def instead(path: str, reply: Reply, when: Any = lambda _b: True) -> Any:
    return lambda m, t, h, b: reply if t.startswith(path) and when(b) else honest(m, t, h, b)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (instead("/predict", (500, GOOD, b"{}"), lambda b: b == b'{"a":'), "api-server-error"),
        (instead("/predict", (418, GOOD, b"{}"), lambda b: b == b'{"a":'), "api-undocumented-status"),
        (instead("/predict", (200, GOOD, b'{"label": "c"}'), lambda b: b'"hello"' in b and b"top" not in b),
         "api-broken-schema"),
        (instead("/predict", (200, GOOD, b'{"label": "a"}')), "api-accepts-invalid"),
        (instead("/predict", (400, {"Content-Type": "text/html"}, b"<p>"), lambda b: b == b'{"a":'),
         "api-undocumented-content"),
        (instead("/items", (200, GOOD, b"{}")), "api-accepts-invalid"),
    ],
)  # fmt: skip
def test_what_differs_from_the_document_is_found(tmp_path: Path, answer: Any, rule: str) -> None:
    if rule == "api-broken-schema":
        answer = instead(
            "/predict", (200, GOOD, b'{"label": "c"}'), lambda b: b.startswith(b'{"text": "hello", "top": 1}')
        )
    assert fuzz(tmp_path, answer) == ({rule}, [])


def test_promised_authentication_that_is_not_there(tmp_path: Path) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["paths"]["/items/{id}"]["get"]["security"] = [{"bearer": []}]
    document["paths"]["/items/{id}"]["get"]["responses"]["401"] = {"description": "no"}
    assert "api-ignored-authentication" in fuzz(tmp_path, honest, document, credentials="Bearer x")[0]
    checked = lambda m, t, h, b: (  # noqa: E731
        (401, GOOD, b"{}") if t.startswith("/items") and h.get("Authorization") != "Bearer x" else honest(m, t, h, b)
    )
    assert fuzz(tmp_path, checked, document, credentials="Bearer x") == (set(), [])


@pytest.mark.parametrize("text", ["", "openapi: 3.1.0", "[]", '{"swagger": "2.0"}', "[" * 100_000])
def test_no_document_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "openapi.json").write_text(text)
    found, reasons = asked(tmp_path, "api-fuzz", honest, openapi="openapi.json", options=OPTIONS)
    assert not found
    assert "no operation could be tried" in reasons[0]
    for name in ("../openapi.json", "missing.json", "/missing"):
        _, reasons = asked(tmp_path / "in", "api-fuzz", lambda *_: (404, GOOD, b"{}"), openapi=name, options=OPTIONS)
        assert "no operation could be tried" in reasons[0]


def test_a_service_without_a_document_is_not_tried(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable):
        asked(tmp_path, "api-fuzz", honest)


schemas = st.recursive(
    st.sampled_from(
        [
            {"type": "string"}, {"type": "string", "minLength": 2, "maxLength": 4}, {"type": "string", "enum": ["a"]},
            {"type": "integer", "minimum": 3, "maximum": 9}, {"type": "number"}, {"type": "boolean"},
            {"type": ["string", "null"]}, {"const": 3}, {"type": "integer", "minimum": -5},
        ]
    ),
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one, "minItems": 1, "maxItems": 3}, inner),
        st.builds(
            lambda some: {"type": "object", "properties": some, "required": list(some), "additionalProperties": False},
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        ),
    ),
    max_leaves=6,
)  # fmt: skip


@given(schemas)
def test_samples_and_bounds_are_of_their_schema_and_broken_values_are_not(schema: dict[str, Any]) -> None:
    """Beside jsonschema's own opinion."""
    valid = Draft202012Validator(schema)
    for value in (sample(schema), *bounds(schema)):
        assert valid.is_valid(value)
        assert mismatch(json.dumps(value).encode(), schema) == ""
    for value in broken(schema):
        assert not valid.is_valid(value)
        assert mismatch(json.dumps(value).encode(), schema)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(
        ["paths", "/a", "get", "parameters", "schema", "in", "name", "$ref", "responses", "content", "type", "x"]
    ), v, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_no_document_breaks_the_reader(value: Any) -> None:
    document = value if isinstance(value, dict) else {"paths": {"/a": {"get": value, "post": {"requestBody": value}}}}
    for operation in operations(document):
        request_of(operation)


def test_references_in_a_circle_end() -> None:
    loop = {"openapi": "3.0.0", "components": {"schemas": {"A": {"type": "object", "properties": {
        "a": {"$ref": "#/components/schemas/A"}, "b": {"$ref": "#/components/schemas/A"}}}}},
        "paths": {"/a": {"post": {"requestBody": {"content": {JSON: {
            "schema": {"$ref": "#/components/schemas/A"}}}}}}}}  # fmt: skip
    (operation,) = operations(loop)
    assert len(request_of(operation).body) < 1_000_000


# --- schemathesis ---------------------------------------------------------------------------------------------------

END = '{"EngineFinished": {"stop_reason": "completed"}}'


def scenario(*failed: tuple[str, str]) -> str:
    checks = [
        {"name": name, "status": "failure",
         "failure_info": {"failure": {"operation": operation, "title": "t", "message": "m"}}}
        for name, operation in failed
    ]  # fmt: skip
    checks.append({"name": "not_a_server_error", "status": "success"})
    return json.dumps({"ScenarioFinished": {"status": "failure", "recorder": {"label": "x", "checks": {"c1": checks}}}})


@pytest.mark.parametrize("count", [0, 1, 3])
def test_reports_of_none_one_and_many(count: int) -> None:
    failed = [("not_a_server_error", f"GET /{n}") for n in range(count)]
    report = parse_report(f"{scenario(*failed, *failed)}\n{END}\n".encode())
    assert [one.operation for one in report.failures] == [f"GET /{n}" for n in range(count)]
    assert not report.reason


def test_reports_that_are_cut_short_or_tell_of_errors() -> None:
    whole = f"{scenario(('not_a_server_error', 'GET /'))}\n{END}"
    for cut in range(0, len(whole) - 1, 7):
        with pytest.raises(ToolFailed):
            parse_report(whole[:cut].encode())
    assert "1 errors" in parse_report(f'{{"NonFatalError": {{"value": {{"type": "X"}}}}}}\n{END}'.encode()).reason
    assert "early" in parse_report(END.replace("completed", "interrupted").encode()).reason


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reader_of_reports(data: bytes) -> None:
    with pytest.raises(ToolFailed):
        parse_report(data)


def with_tool(folder: Path, port: int, tools: Toolbox) -> tuple[list[Finding], list[Skipped]]:
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    ServiceInfo(f"http://127.0.0.1:{port}", health="/healthz", openapi="openapi.json", credentials="Bearer x").write(
        folder
    )
    check = registry()["api-fuzz"]
    artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0, path=folder)
    items = list(check.call(artifact, Context(folder, {**check.options, "examples": 3, "seconds": 60}, tools=tools)))
    return [i for i in items if isinstance(i, Finding)], [i for i in items if isinstance(i, Skipped)]


def program(folder: Path, text: str) -> Toolbox:
    path = folder / "schemathesis"
    path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(text))
    path.chmod(0o755)
    return Toolbox({"schemathesis": str(path)})


VERSION = "import sys, os\nif '--version' in sys.argv: print('schemathesis, version 4.32.5'); sys.exit()\n"
FIND = "path = sys.argv[sys.argv.index('--report-ndjson-path') + 1]\n"


def test_a_witness_is_named_and_what_it_alone_saw_is_a_finding(tmp_path: Path) -> None:
    lines = (
        scenario(("not_a_server_error", "POST /predict"), ("status_code_conformance", "GET /items/{id}")) + "\n" + END
    )
    secret = "assert not any('Bearer' in a for a in sys.argv)\nassert 'Bearer x' in open('schemathesis.toml').read()\n"
    tools = program(tmp_path, VERSION + FIND + secret + f"open(path, 'w').write({lines!r})\n")
    with serving(instead("/predict", (500, GOOD, b"{}"), lambda b: b == b'{"a":')) as port:
        found, skipped = with_tool(tmp_path, port, tools)
    assert {f.rule.id: f.witnesses for f in found} == {
        "api-server-error": ("schemathesis",),
        "api-undocumented-status": ("schemathesis",),
    }
    assert not skipped


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sys.exit(2)", "exit status 2"),
        ("", "wrote no report"),
        ("open(path, 'w')", "does not say that the run was finished"),
        ("open(path, 'w').write('garbage')", "cut short"),
    ],
)
def test_a_witness_that_fails_is_said(tmp_path: Path, text: str, reason: str) -> None:
    with serving(honest) as port:
        found, skipped = with_tool(tmp_path, port, program(tmp_path, VERSION + FIND + text))
    assert not found
    assert reason in skipped[0].reason


def test_what_the_tool_keeps_goes_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves `.schemathesis/` with every failure in the folder that it is started in, which people then commit."""
    (here := tmp_path / "workspace").mkdir()
    monkeypatch.chdir(here)
    kept = "os.makedirs('.schemathesis'); open('.schemathesis/crash.json', 'w').write(os.getcwd())\n"
    say = f"open({str(tmp_path / 'place')!r}, 'w').write(os.getcwd())\n"
    tools = program(tmp_path, VERSION + FIND + kept + say + f"open(path, 'w').write({END!r})\n")
    with serving(honest) as port:
        assert with_tool(tmp_path, port, tools) == ([], [])
    place = Path((tmp_path / "place").read_text())
    assert not place.exists()
    assert not place.is_relative_to(tmp_path)
    assert not list(tmp_path.rglob(".schemathesis"))


REAL = os.environ.get("SHIPWORTHY_SCHEMATHESIS", "")


@pytest.mark.skipif(not REAL, reason="set SHIPWORTHY_SCHEMATHESIS to the program of an environment that has it")
def test_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here := tmp_path / "workspace").mkdir()
    monkeypatch.chdir(here)
    with serving(instead("/predict", (500, GOOD, b"{}"), lambda b: b == b'{"a":' or b == b"")) as port:
        found, skipped = with_tool(tmp_path, port, Toolbox({"schemathesis": REAL}))
    assert {f.rule.id: f.witnesses for f in found}["api-server-error"] == ("schemathesis",)
    assert not skipped
    with serving(honest) as port:
        found, skipped = with_tool(tmp_path, port, Toolbox({"schemathesis": REAL}))
    assert not skipped
    assert {f.rule.id for f in found} <= {"api-accepts-invalid"}
    assert not list(tmp_path.rglob(".schemathesis"))


def test_what_a_deep_schema_requires_stays_a_list_of_names() -> None:
    """FastAPI's document of validation errors lies deep: its `required` must not become something else at the limit."""
    from shipworthy.checks.services._fuzz import mismatch
    from shipworthy.checks.services._openapi import _DEEPEST, _resolved

    for more in range(_DEEPEST + 2):
        schema = {"type": "object", "required": ["loc"]}
        assert _resolved(schema, {}, more) in (schema, {**schema, "required": []}, {})
    assert mismatch(b"{}", {"required": [{}, "loc"]}) == "the answer has no loc"
    assert mismatch(b"{}", {"required": True}) == ""
