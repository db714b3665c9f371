"""Headers, methods, errors, paths and odd input: each weakness is found, and its honest twin is not."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import pytest

from services_world import GOOD, PREDICT, asked, honest, look, raw_server
from shipworthy.artifacts import Inventory
from shipworthy.check import registry
from shipworthy.checks.services import _session
from shipworthy.checks.services._service import Probe, ServiceInfo
from shipworthy.checks.services._standing import Answerer, Reply, serving
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.model import Artifact, Kind, Outcome

Change = Callable[[str, str, Mapping[str, str], bytes], Reply | None]


def but(change: Change) -> Answerer:
    """The honest service, but for what `change` answers."""
    return lambda *asked: change(*asked) or honest(*asked)


def with_headers(path: str = "/predict", **headers: str) -> Answerer:
    def answer(method: str, target: str, given: Mapping[str, str], body: bytes) -> Reply:
        status, own, content = honest(method, target, given, body)
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return status, {k: v for k, v in {**own, **extra}.items() if (v and target == path) or k in own}, content

    return answer


WEB = ("http-headers", "http-methods", "http-errors", "http-paths")


@pytest.mark.parametrize("name", WEB)
def test_the_honest_service_is_clean(tmp_path: Path, name: str) -> None:
    assert asked(tmp_path, name, honest) == (set(), [])


@pytest.mark.parametrize(
    ("answer", "rule", "info"),
    [
        (but(lambda m, t, h, b: (200, {**GOOD, "Content-Type": "text/html", "Content-Security-Policy": ""}, b"<p>")
             if t == "/" else None), "http-no-content-policy", {}),
        (but(lambda m, t, h, b: (200, {**GOOD, "Content-Type": "text/html",
                                       "Content-Security-Policy": "default-src 'self'"}, b"<p>")
             if t == "/" else None), "http-framing", {}),
        (with_headers(X_Content_Type_Options="guess"), "http-no-nosniff", {}),
        (with_headers(Cache_Control="public"), "http-cacheable-answer", {"credentials": "Bearer x"}),
        (with_headers(X_Powered_By="Express/4.17.1"), "http-version-banner", {}),
        (with_headers(Set_Cookie="session=abc; Path=/"), "http-cookie-flags", {}),
        (but(lambda m, t, h, b: (200, {**GOOD, "Access-Control-Allow-Origin": h["Origin"],
                                       "Access-Control-Allow-Credentials": "true"}, b"{}")
             if "Origin" in h else None), "http-cors-any-origin", {}),
    ],
)  # fmt: skip
def test_headers(tmp_path: Path, answer: Answerer, rule: str, info: dict[str, str]) -> None:
    found, skipped = asked(tmp_path, "http-headers", answer, **info)
    assert found - {"http-no-content-policy" if rule == "http-framing" else "http-framing"} == {rule}
    assert not skipped


def test_a_good_cookie_and_an_origin_of_a_list_are_no_findings(tmp_path: Path) -> None:
    good = with_headers(Set_Cookie="session=abc; Secure; HttpOnly; SameSite=Lax", Access_Control_Allow_Origin="*")
    assert asked(tmp_path, "http-headers", good) == (set(), [])


def test_tls_without_hsts_is_found(tmp_path: Path) -> None:
    assert asked(tmp_path, "http-headers", honest, tls=True)[0] == {"http-no-hsts"}


STORED: dict[str, bytes] = {}


def storing(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
    if method == "PUT":
        STORED[target] = body
        return 201, GOOD, b""
    if method == "DELETE":
        STORED.pop(target, None)
        return 204, GOOD, b""
    return (200, GOOD, STORED[target]) if method == "GET" and target in STORED else None


def guarded(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
    if target == "/predict" and method == "POST" and headers.get("Authorization") != "Bearer x":
        return 401, GOOD, b"{}"
    return (200, GOOD, b'{"label": 1}') if target == "/predict" and method == "PUT" else None


@pytest.mark.parametrize(
    ("change", "rule", "info"),
    [
        (lambda m, t, h, b: (200, GOOD, str(dict(h)).encode()) if m == "TRACE" else None, "http-trace", {}),
        (storing, "http-upload", {}),
        (guarded, "http-method-bypass", {"credentials": "Bearer x"}),
        (lambda m, t, h, b: (405, GOOD, b"") if "X-HTTP-Method-Override" in h else None, "http-method-override", {}),
    ],
)
def test_methods(tmp_path: Path, change: Change, rule: str, info: dict[str, str]) -> None:
    assert asked(tmp_path, "http-methods", but(change), **info) == ({rule}, [])
    assert not STORED


def test_methods_that_do_not_exist(tmp_path: Path) -> None:
    def talk(wire: socket.socket) -> None:
        wire.recv(65_536)
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with raw_server(talk) as port:
        found, _ = look(tmp_path, "http-methods", port)
    assert "http-any-method" in {f.rule.id for f in found}


@pytest.mark.parametrize("always", [True, False])
def test_input_that_is_answered_with_nothing_is_found_when_it_is_so_each_time(tmp_path: Path, always: bool) -> None:
    """Python's own server closes the connection when a handler raises."""
    times = count()

    def answer(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if body == b"null" and (always or not next(times)):
            raise ConnectionAbortedError
        return honest(method, target, headers, body)

    found, skipped = asked(tmp_path, "http-errors", answer)
    assert found == ({"http-no-error-answer"} if always else set())
    assert skipped == ([] if always else ["1 of the requests had no answer, the first: POST /predict"])


TRACES = {
    "Python": b'Traceback (most recent call last):\n  File "/app/app.py", line 3, in f\nKeyError: 1',
    "JSON": json.dumps({"detail": 'Traceback (most recent call last):\n  File "/app/a.py", line 3'}).encode(),
    "Java": b"java.lang.NullPointerException\n\tat com.acme.Api.predict(Api.java:41)",
    "Node.js": b"TypeError: x\n    at Layer.handle (/srv/node_modules/express/lib/router.js:95:5)",
    "Go": b"panic: runtime error\n\ngoroutine 1 [running]:\nmain.main()",
    ".NET": b"   at Acme.Api.Run(String s) in C:\\src\\Api.cs:line 12",
    "PHP": b"<b>Fatal error</b>: Uncaught Error: x in /var/www/a.php on line <b>3</b>",
    "Rust": b"thread 'main' panicked at src/main.rs:2:5",
    "Ruby": b"app/api.rb:12:in `predict'",
}


@pytest.mark.parametrize("name", TRACES)
def test_stack_traces(tmp_path: Path, name: str) -> None:
    def change(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        return (500, GOOD, TRACES[name]) if target == "/predict" and b"{" in body and b"hello" not in body else None

    found, skipped = asked(tmp_path, "http-errors", but(change))
    assert "http-stack-trace" in found
    assert found <= {"http-stack-trace", "http-path-in-error"}
    assert not skipped


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"<title>Werkzeug Debugger</title>", "http-debug-page"),
        (b"You're seeing this error because you have <code>DEBUG = True</code>", "http-debug-page"),
        (b'{"error": "near \\"x\\": syntax error"}', "http-database-error"),
        (b"ORA-00933: SQL command not properly ended", "http-database-error"),
        (b"No such file: /usr/local/lib/python3.11/site-packages/x/model.py", "http-path-in-error"),
        (b"<hr>nginx/1.18.0", "http-version-in-error"),
    ],
)
def test_other_leaks(tmp_path: Path, text: bytes, rule: str) -> None:
    change: Change = lambda m, t, h, b: (500, GOOD, text) if t == "/predict" and not b else None  # noqa: E731
    assert asked(tmp_path, "http-errors", but(change))[0] == {rule}


def test_what_only_comes_back_is_no_leak(tmp_path: Path) -> None:
    change: Change = lambda m, t, h, b: (400, GOOD, b'{"you sent": "' + b + t.encode() + b'"}')  # noqa: E731
    assert asked(tmp_path, "http-errors", change, probe=Probe("/x"), health="/")[0] == set()  # type: ignore[arg-type]


PATHS = {
    "/.git/HEAD": (b"ref: refs/heads/main\n", "http-exposed-source"),
    "/.env": (b"SECRET_KEY=abc\nDEBUG=1\n", "http-exposed-secrets"),
    "/app.py": (b"import os\n\nprint(os)\n", "http-exposed-source"),
    "/debug/pprof/": (b"Types of profiles available:", "http-exposed-debug"),
    "/metrics": (b"# HELP x y\n# TYPE x counter\nx 1\n", "http-exposed-metrics"),
    "/model.pkl": (b"\x80\x04\x95abc", "http-exposed-model"),
    "/static/": (b"<title>Index of /static/</title>", "http-directory-listing"),
    "/docs": (b"<div id='swagger-ui'>", "http-exposed-documentation"),
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(tmp_path: Path, path: str) -> None:
    content, rule = PATHS[path]
    change: Change = lambda m, t, h, b: (200, {}, content) if t == path else None  # noqa: E731
    assert asked(tmp_path, "http-paths", but(change), public=True) == ({rule}, [])


def test_a_service_that_answers_everything_alike_exposes_nothing(tmp_path: Path) -> None:
    page = b"ref: refs/heads/main\nSECRET_KEY=1\n# HELP x\nimport os\nswagger-ui"
    answer: Answerer = lambda *_: (200, {}, page)  # noqa: E731
    assert asked(tmp_path, "http-paths", answer, public=True)[0] == set()


def test_files_outside_of_the_folder(tmp_path: Path) -> None:
    from urllib.parse import unquote

    def change(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        path = os.path.normpath("/srv/www/" + unquote(target.partition("?")[0]))
        inside = os.path.isfile(path) and (".." not in target or "%2e" in target.lower())
        return (200, {}, Path(path).read_bytes()) if inside and method == "GET" else None

    found, _ = asked(tmp_path, "http-paths", but(change))
    assert found == {"http-path-traversal"}


# --- the model's endpoint -------------------------------------------------------------------------------------------

SEEN: list[float] = []


def limited(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """The honest service with credentials, and at most 50 requests in half a second."""
    if target == "/predict" and headers.get("Authorization") != "Bearer x":
        return 401, GOOD, b"{}"
    SEEN.append(time.monotonic())
    if target == "/predict" and sum(at > SEEN[-1] - 0.5 for at in SEEN[-60:]) > 50:
        return 429, GOOD, b"{}"
    return honest(method, target, headers, body)


QUICK = {"bytes": 200_000, "slow-connections": 8}


def test_the_honest_endpoint_is_clean(tmp_path: Path) -> None:
    quick = {**QUICK, "burst": 100}
    found = asked(tmp_path, "model-endpoint", limited, credentials="Bearer x", options=quick)
    assert found[0] <= {"endpoint-no-rate-limit"}, "which a slow machine does not reach"
    assert not found[1]


def endpoint(work: Callable[[bytes, Mapping[str, str]], Reply | None]) -> Answerer:
    return lambda m, t, h, b: (work(b, h) if t == "/predict" and m == "POST" else None) or honest(m, t, h, b)


def loose(body: bytes, _headers: Mapping[str, str]) -> Reply:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return 400, GOOD, b"{}"
    return 200, GOOD, b'{"label": 1}'


def unzipping(body: bytes, headers: Mapping[str, str]) -> Reply | None:
    if headers.get("Content-Encoding") != "gzip":
        return None
    try:
        return (200, GOOD, b'{"label": 1}') if gzip.decompress(body)[:1] == b"{" else (400, GOOD, b"{}")
    except (OSError, zlib.error, EOFError):
        return 400, GOOD, b"{}"


COUNT = iter(range(10_000_000))


@pytest.mark.parametrize(
    ("work", "rules"),
    [
        (lambda b, h: (500, GOOD, b"{}") if b == b"null" else None, {"endpoint-server-error"}),
        (loose, {"endpoint-no-size-limit", "endpoint-odd-numbers", "endpoint-wrong-types",
                 "endpoint-any-content-type"}),
        (unzipping, {"endpoint-compressed-input"}),
        (lambda b, h: (200, GOOD, b'{"score": %d}' % next(COUNT)) if b"hello" in b[:99] else None,
         {"endpoint-not-deterministic", "endpoint-any-content-type"}),
        (lambda b, h: (500, GOOD, TRACES["Python"]) if b == b"[]" else None,
         {"endpoint-server-error", "http-stack-trace", "http-path-in-error"}),
    ],
)  # fmt: skip
def test_odd_input(tmp_path: Path, work: Callable[[bytes, Mapping[str, str]], Reply | None], rules: set[str]) -> None:
    found, skipped = asked(tmp_path, "model-endpoint", endpoint(work), public=True, options=QUICK)
    assert found - {"endpoint-no-rate-limit"} == rules
    assert not skipped


def test_no_credentials_and_no_limit(tmp_path: Path) -> None:
    found, _ = asked(tmp_path, "model-endpoint", honest, options=QUICK)
    assert found == {"endpoint-no-authentication", "endpoint-no-rate-limit"}
    assert asked(tmp_path, "model-endpoint", honest, options=QUICK, public=True)[0] == {"endpoint-no-rate-limit"}


def test_a_model_that_follows_what_it_reads(tmp_path: Path) -> None:
    def work(body: bytes, _headers: Mapping[str, str]) -> Reply | None:
        text = str(json.loads(body).get("text")) if body[:9] == b'{"text": ' and body[-1:] == b"}" else ""
        letters = text.rpartition("spaces: ")[2]
        return (200, GOOD, json.dumps({"text": letters[::-1]}).encode()) if "spaces: " in text else None

    found, _ = asked(tmp_path, "model-endpoint", endpoint(work), public=True, llm=True, options=QUICK)
    assert "endpoint-prompt-injection" in found
    assert "endpoint-prompt-injection" not in asked(tmp_path, "model-endpoint", honest, llm=True, options=QUICK)[0]


def test_one_unfinished_request_after_the_other_blocks_a_service_with_one_thread(tmp_path: Path) -> None:
    script = (
        "import http.server, sys\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "  timeout = 2\n"
        "  def do_GET(self):\n"
        "    n = int(self.headers.get('Content-Length') or 0); self.rfile.read(n)\n"
        "    self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers()\n"
        "    self.wfile.write(b'{}')\n"
        "  do_POST = do_GET\n"
        "  def log_message(self, *_): pass\n"
        "s = http.server.HTTPServer(('127.0.0.1', 0), H)\n"
        "print(s.server_address[1], flush=True)\n"
        "s.serve_forever()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            port = int(process.stdout.readline())
            found, _ = look(tmp_path, "model-endpoint", port, QUICK, public=True)
        finally:
            process.kill()
    assert "endpoint-slow-requests" in {f.rule.id for f in found}


def test_a_probe_that_is_refused_is_no_clean_endpoint(tmp_path: Path) -> None:
    probe = Probe("/elsewhere", "POST", PREDICT.body)
    found, skipped = asked(tmp_path, "model-endpoint", honest, probe=probe)
    assert not found
    assert "answered with 404" in skipped[0]


def test_what_stops_the_service_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "_RECOVERY", 1.0)
    dead: list[bool] = []

    def talk(wire: socket.socket) -> None:
        data = wire.recv(65_536)
        if dead or b"\r\n\r\nnull" in data:
            dead.append(True)
            return
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with raw_server(talk) as port:
        found, skipped = look(tmp_path, "model-endpoint", port, QUICK)
    assert "service-crashed" in {f.rule.id for f in found}
    assert "stopped answering after POST /predict" in skipped[-1].reason


def test_a_service_that_refuses_for_number_or_without_credentials_is_not_clean(tmp_path: Path) -> None:
    def full(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        refused = (429, {**GOOD, "Retry-After": "0"}, b"{}")
        return refused if target == "/predict" else honest(method, target, headers, body)

    closed: Answerer = lambda m, t, h, b: (401, GOOD, b"{}") if t == "/predict" else honest(m, t, h, b)  # noqa: E731
    for name in ("http-headers", "http-errors", "http-injection"):
        assert "(429)" in asked(tmp_path, name, full, options={"requests": 900})[1][-1]
        reasons = asked(tmp_path, name, closed)[1]
        assert "what needs credentials was not tried" in reasons[-1]
    assert "nothing reads the input" in reasons[0]


def test_a_part_that_was_looked_at_is_partial_and_none_is_failed(tmp_path: Path) -> None:
    """As the engine counts it: only what ran to its end can be clean."""
    outcomes = {}
    for name, path in (("part", "/predict"), ("none", "/")):
        with serving(honest) as port:
            ServiceInfo(f"http://127.0.0.1:{port}", probe=PREDICT, health=path, openapi="missing.json").write(tmp_path)
            artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0, path=tmp_path)
            checks = {"http-headers": {"requests": 4}}
            with CheckRunner(Settings(checks=checks), tmp_path, Cache(None), Events()) as runner:
                wanted = ("http-headers", "api-fuzz", "http-methods")
                for result in runner.run([registry()[n] for n in wanted], Inventory((artifact,))):
                    outcomes[name, result.check] = result.outcome
    for name in ("part", "none"):
        assert outcomes[name, "http-headers"] is Outcome.PARTIAL
        assert outcomes[name, "api-fuzz"] is Outcome.FAILED
        assert outcomes[name, "http-methods"] is Outcome.RAN


def test_the_same_service_again_has_the_same_findings(tmp_path: Path) -> None:
    prints = []
    for _ in range(2):
        with serving(endpoint(loose)) as port:
            found, _ = look(tmp_path, "model-endpoint", port, QUICK)
        prints.append({f.fingerprint for f in found})
    assert prints[0] == prints[1]
