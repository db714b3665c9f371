"""Injections into services of the real thing (a database, a shell, templates, pickles), and their honest twins."""

from __future__ import annotations

import base64
import binascii
import html
import io
import json
import pickle
import sqlite3
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services_world import GOOD, asked, look
from shipworthy.checks.services._client import Request
from shipworthy.checks.services._points import Point, _of
from shipworthy.checks.services._service import Probe
from shipworthy.checks.services._standing import Reply, serving

PAGE = {"Content-Type": "text/html; charset=utf-8"}
TEXT = {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}


def served(work: Callable[[str], Reply], key: str = "v") -> Callable[..., Reply]:
    """A service with one parameter."""

    def answer(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(target)
        if parts.path == "/healthz":
            return 200, GOOD, b'{"status": "ok as ever"}'
        if parts.path == "/body":
            try:
                value = json.loads(body)[key]
            except (ValueError, KeyError, TypeError):
                return 400, GOOD, b"{}"
        else:
            value = parse_qs(parts.query, keep_blank_values=True).get(key, [""])[0]
        return work(value)

    return answer


def database() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE people (name TEXT)")
    made.execute("INSERT INTO people VALUES ('alice')")
    return made


def sql_error(value: str) -> Reply:
    try:
        rows = database().execute(f"SELECT name FROM people WHERE name = '{value}'").fetchall()
    except sqlite3.Error as error:
        return 500, TEXT, f"sqlite3.OperationalError: {error}".encode()
    return 200, TEXT, str(len(rows)).encode()


def sql_blind(value: str) -> Reply:
    with suppress(sqlite3.Error):
        if database().execute(f"SELECT name FROM people WHERE name = '{value}'").fetchall():
            return 200, TEXT, b"there"
    return 200, TEXT, b"not there"


def sql_slow(value: str) -> Reply:
    made = database()
    made.create_function("pg_sleep", 1, lambda seconds: __import__("time").sleep(float(seconds)) or "")
    with suppress(sqlite3.Error):
        made.execute(f"SELECT name FROM people WHERE name = '{value}'".replace("FROM pg_sleep", "|| pg_sleep"))
        made.execute(f"SELECT '{value}'".replace("';SELECT", "'||").replace("'-- '", "")).fetchall()
    return 200, TEXT, b"done"


def sql_honest(value: str) -> Reply:
    rows = database().execute("SELECT name FROM people WHERE name = ?", (value,)).fetchall()
    return 200, TEXT, b"there" if rows else b"not there"


def shell(value: str) -> Reply:
    done = subprocess.run(f"echo {value}", shell=True, capture_output=True, timeout=20)
    return 200, TEXT, done.stdout


def shell_blind(value: str) -> Reply:
    subprocess.run(f"true {value}", shell=True, capture_output=True, timeout=20)
    return 200, TEXT, b"done"


def shell_honest(value: str) -> Reply:
    done = subprocess.run(["echo", value.replace("\0", "")], capture_output=True, timeout=20)
    return 200, TEXT, done.stdout


def template(value: str) -> Reply:
    try:
        return 200, TEXT, jinja2.Template(f"Hello {value}").render().encode()
    except jinja2.TemplateError:
        return 400, TEXT, b"no"


def template_honest(value: str) -> Reply:
    return 200, TEXT, jinja2.Template("Hello {{ name }}").render(name=value).encode()


def evaluated(value: str) -> Reply:
    with suppress(Exception):
        return 200, TEXT, str(eval(value, {"__builtins__": {}})).encode()
    return 400, TEXT, b"no"


def page(value: str) -> Reply:
    return 200, PAGE, f"<p>{value}</p>".encode()


def page_honest(value: str) -> Reply:
    return 200, PAGE, f"<p>{html.escape(value)}</p>".encode()


def json_echo(value: str) -> Reply:
    return 200, GOOD, json.dumps({"you said": value}).encode()


def language(value: str) -> Reply:
    return 200, {**TEXT, "Content-Language": value.encode("latin-1", "replace").decode("latin-1")}, b"hi"


def language_honest(value: str) -> Reply:
    return 200, {**TEXT, "Content-Language": "en" if set(value) & set("\r\n") or not value.isascii() else value}, b"hi"


def away(value: str) -> Reply:
    return 302, {"Location": value.partition("\n")[0].strip() or "/"}, b""


def away_honest(value: str) -> Reply:
    return 302, {"Location": "/" + "".join(c for c in value if c.isalnum())}, b""


def opened(value: str) -> Reply:
    try:
        return 200, TEXT, Path("/usr/share/", value).read_bytes()[:10_000]
    except (OSError, ValueError):
        return 404, TEXT, b"no"


def fetched(value: str) -> Reply:
    if value.startswith("http://127.0.0.1:"):
        with suppress(OSError, ValueError), urllib.request.urlopen(value, timeout=2) as answer:
            return 200, TEXT, answer.read(1000)
    return 200, TEXT, b"could not"


def unpickled(value: str) -> Reply:
    with suppress(Exception):
        pickle.load(io.BytesIO(base64.b64decode(value, validate=True)))
    return 200, TEXT, b"done"


def decoded(value: str) -> Reply:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return 400, TEXT, b"no"
    return 200, TEXT, b"done"


PROBES = (Probe("/x?v=alice"), Probe("/body", "POST", '{"v": "alice"}'))
CASES = {
    "http-sql-injection": [sql_error, sql_blind],
    "http-command-injection": [shell, shell_blind],
    "http-template-injection": [template, evaluated],
    "http-script-injection": [page],
    "http-header-injection": [language],
    "http-open-redirect": [away],
    "http-file-inclusion": [opened],
    "http-server-side-request": [fetched],
    "http-object-injection": [unpickled],
}


@pytest.mark.parametrize(("rule", "work"), [(rule, work) for rule, works in CASES.items() for work in works])
def test_what_is_interpreted_is_found_and_nothing_else(tmp_path: Path, rule: str, work: Callable[[str], Reply]) -> None:
    for probe in PROBES[: 1 if work in (shell_blind, unpickled) else 2]:
        found, skipped = asked(tmp_path, "http-injection", served(work), probe=probe)
        assert found == {rule}
        assert not skipped


@pytest.mark.parametrize(
    "work", [sql_honest, shell_honest, template_honest, page_honest, json_echo, language_honest, away_honest, decoded]
)
def test_the_honest_twin_is_clean(tmp_path: Path, work: Callable[[str], Reply]) -> None:
    for probe in PROBES:
        assert asked(tmp_path, "http-injection", served(work), probe=probe) == (set(), [])


def test_a_finding_says_where_and_how(tmp_path: Path) -> None:
    with serving(served(template)) as port:
        found, _ = look(tmp_path, "http-injection", port, probe=PROBES[1])
    assert found[0].location.field == "POST /body"
    assert found[0].message == "POST /body, JSON field v: {{A*B}} in the input is computed"
    with serving(served(template)) as port:
        again, _ = look(tmp_path, "http-injection", port, probe=PROBES[1])
    assert again[0].fingerprint == found[0].fingerprint


def test_a_service_that_reaches_only_itself_is_asked_to_ask_itself(tmp_path: Path) -> None:
    inner: list[int] = []

    def work(value: str) -> Reply:
        if ":8080/" in value:  # the port that it has inside of its own network
            return fetched(value.replace(":8080/", f":{inner[0]}/"))
        return 200, TEXT, b"could not"

    with serving(served(work)) as port:
        inner.append(port)
        found, skipped = look(
            tmp_path,
            "http-injection",
            port,
            probe=PROBES[0],
            runtime={"network": "loopback only"},
            expected_ports=[8080],
        )
        assert [f.rule.id for f in found] == ["http-server-side-request"]
        assert not skipped
        _, skipped = look(tmp_path, "http-injection", port, probe=PROBES[0], runtime={"network": "loopback only"})
        assert "server-side requests were not looked for" in skipped[0].reason


def test_more_inputs_than_are_tried_is_said(tmp_path: Path) -> None:
    probe = Probe("/x?v=a&w=b&x=c")
    _, reasons = asked(tmp_path, "http-injection", served(page_honest), probe=probe, options={"points": 1})
    assert reasons == ["2 of 3 inputs were not tried"]


json_bodies = st.recursive(
    st.text(max_size=5) | st.integers(0, 99),
    lambda v: st.lists(v, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=4), v, min_size=1, max_size=3),
    max_leaves=8,
)


@given(json_bodies, st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_value_goes_where_the_point_says_and_nothing_else_changes(body: object, value: str) -> None:
    request = Request("POST", "/x", (("Content-Type", "application/json"),), json.dumps(body).encode())
    for point in _of(request, "POST /x", ()):
        changed = json.loads(point.holding(value).body)
        inner = changed
        for step in point.at:
            inner = inner[step]
        assert inner == value
        assert json.loads(Point(point.holding(value), "", "json", point.at, "").holding("0").body) == json.loads(
            point.holding("0").body
        )


@given(st.dictionaries(st.text("abc", min_size=1), st.text("abc", max_size=3), min_size=1), st.text(max_size=30))
def test_a_value_in_a_query_or_form_arrives_as_it_is(pairs: dict[str, str], value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    query = urlencode(pairs)
    form = Request("POST", "/x", (("Content-Type", "application/x-www-form-urlencoded"),), query.encode())
    for request in (Request("GET", f"/x?{query}"), form):
        for number, point in enumerate(_of(request, "", ())):
            sent = point.holding(value)
            text = sent.body.decode() if sent.body else sent.target.partition("?")[2]
            expected = [(k, value if n == number else v) for n, (k, v) in enumerate(pairs.items())]
            assert parse_qsl(text, keep_blank_values=True) == expected
            assert b"\r" not in sent.body
            assert "\n" not in sent.target
