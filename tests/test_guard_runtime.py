"""The guard as a whole: decisions, modes, limits, events, metrics, and the two kinds of middleware."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from flask import Flask, jsonify, request
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.guard.runtime import Guard, GuardASGI, GuardWSGI, Limits, Policy
from shipworthy.guard.runtime.drift import Drift, load, psi, reference, save
from shipworthy.guard.runtime.events import PER_SECOND, Events, read_events
from shipworthy.guard.runtime.extraction import RECENT, Extraction, margin
from shipworthy.guard.runtime.fields import parse_json
from shipworthy.guard.runtime.limits import Rates
from shipworthy.guard.runtime.metrics import Metrics
from shipworthy.guard.runtime.policy import Request
from shipworthy.guard.runtime.prefilter import Prefilter
from shipworthy.guard.runtime.summary import today, verify_summary, write_summary
from shipworthy.keys import load_public, new_key, open_signer

ATTACK = b'{"text": "x\' or 1=1--"}'
JSON = (("content-type", "application/json"),)


def ask(body: bytes = b'{"text": "hello"}', client: str = "192.0.2.1", target: str = "/predict") -> Request:
    return Request("POST", target, JSON, body, client)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_block_refuses_watch_only_records_off_looks_at_nothing(tmp_path: Path) -> None:
    found = {}
    for mode in ("block", "watch", "off"):
        guard = Guard(Policy(mode=mode), events=tmp_path / mode)  # type: ignore[arg-type]
        found[mode] = guard.judge(ask(ATTACK)).refused
        assert not guard.judge(ask()).refused
        guard.close()
    assert found == {"block": True, "watch": False, "off": False}
    assert [one["event"] for one in lines(tmp_path / "block")] == ["blocked"]
    assert [one["event"] for one in lines(tmp_path / "watch")] == ["would-block"]
    assert lines(tmp_path / "off") == []


def test_events_say_what_and_where_and_never_repeat_the_text(tmp_path: Path) -> None:
    guard = Guard(events=tmp_path / "e")
    secret = "hunter2-very-secret"
    guard.judge(ask(json.dumps({"pass": f"{secret}' or 1=1--"}).encode()))
    guard.judge(Request("GET", f"/..%2f..%2fetc/{secret}", (), b"", "192.0.2.1"))
    guard.close()
    assert secret not in (tmp_path / "e").read_text()
    first = lines(tmp_path / "e")[0]
    assert first["hits"] == [
        {"detector": "sql", "detail": "a condition that is always the same", "where": "body .pass"}
    ]
    assert (first["client"], first["reason"], first["path"]) == ("192.0.2.1", "attack", "/predict")
    assert stat.S_IMODE((tmp_path / "e").stat().st_mode) == 0o600


def test_a_guard_that_breaks_refuses_in_block_and_tells_in_watch(tmp_path: Path) -> None:
    for mode, refused in (("block", True), ("watch", False)):
        guard = Guard(Policy(mode=mode), events=tmp_path / mode)  # type: ignore[arg-type]

        def broken(_: object) -> str:
            raise RuntimeError("secret in the message")

        guard._first = Prefilter((("sql", frozenset(), broken, None),))
        decision = guard.judge(ask(b'{"text": "anything at all"}'))
        assert (decision.refused, decision.reason) == (refused, "guard-fault")
        assert not refused or decision.status == 503
        guard.close()
        event = lines(tmp_path / mode)[-1]
        assert (event["event"], event["error"], event["refused"]) == ("guard-fault", "RuntimeError", refused)
        assert "secret" not in (tmp_path / mode).read_text()
        assert guard.metrics.value("requests_total", decision="fault-blocked" if refused else "fault-passed") == 1


def test_an_event_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    guard = Guard(events=tmp_path / "e")
    assert guard.events is not None
    with open("/dev/full", "wb") as full:  # a disk that is full
        os.dup2(full.fileno(), guard.events._stream.fileno())
    assert guard.judge(ask(ATTACK)).refused
    assert guard.metrics.value("events_lost_total") == 1
    with pytest.raises(EnvironmentFailure):
        guard.note("started", {})
    guard.close()


def test_lines_that_are_changed_taken_out_or_cut_show(tmp_path: Path) -> None:
    path, key = tmp_path / "guard-events.jsonl", tmp_path / "k.key"
    new_key(key)
    events = Events(path)
    for number in range(5):
        events.write("blocked", {"number": number})
    events.close()
    Events(path).close()  # a second start goes on with the chain
    assert read_events(path).count == 5
    summary = write_summary(path, today(), [open_signer(f"file:{key}")], tmp_path)
    keys = [load_public(tmp_path / "k.key.pub")]
    assert verify_summary(summary, path, keys)["events"] == {"blocked": 5}
    whole = path.read_bytes().splitlines(keepends=True)
    for wrong in (
        whole[:2] + whole[3:],
        whole[1:],
        [whole[1], whole[0], *whole[2:]],
        [*whole[:2], whole[2].replace(b"2", b"7"), *whole[3:]],
    ):
        path.write_bytes(b"".join(wrong))
        with pytest.raises(EvidenceError, match="chain is broken"):
            read_events(path)
    path.write_bytes(b"".join(whole[:4]))
    assert read_events(path).count == 4  # the chain alone can't tell
    with pytest.raises(EvidenceError, match="5 events"):
        verify_summary(summary, path, keys)
    path.write_bytes(b"".join(whole))
    events = Events(path)
    events.write("blocked", {})
    events.close()
    assert verify_summary(summary, path, keys)["chain"]["lines"] == 5  # it goes on, and the summary still holds
    other = tmp_path / "o.key"
    new_key(other)
    with pytest.raises(EvidenceError):
        verify_summary(summary, path, [load_public(tmp_path / "o.key.pub")])


def test_two_processes_do_not_write_one_chain(tmp_path: Path) -> None:
    events = Events(tmp_path / "e")
    with pytest.raises(EnvironmentFailure, match="another process"):
        Events(tmp_path / "e")
    events.close()


def test_a_flood_of_events_is_counted_not_written(tmp_path: Path) -> None:
    moment, lost = [1000.0], []
    events = Events(tmp_path / "e", now=lambda: moment[0], lost=lost.append)
    for _ in range(PER_SECOND + 50):
        events.write("blocked", {})
    moment[0] += 1
    events.write("blocked", {})
    events.close()
    written = lines(tmp_path / "e")
    assert len(written) == PER_SECOND + 2
    assert (written[-2]["event"], written[-2]["events"], sum(lost)) == ("left-out", 50, 50)


def test_passed_requests_are_written_when_asked_for(tmp_path: Path) -> None:
    guard = Guard(Policy(record="all"), events=tmp_path / "e")
    for _ in range(PER_SECOND + 20):  # more than there may be of others
        guard.judge(ask())
    guard.judge(ask(ATTACK))
    guard.close()
    assert read_events(tmp_path / "e").kinds == {"blocked": 1, "passed": PER_SECOND + 20}
    first = lines(tmp_path / "e")[0]
    assert (first["client"], first["path"], first["bytes"], first["hits"]) == ("192.0.2.1", "/predict", 17, [])
    assert "hello" not in (tmp_path / "e").read_text()


def test_a_chain_goes_on_in_another_file(tmp_path: Path) -> None:
    path, key = tmp_path / "e.jsonl", tmp_path / "k.key"
    new_key(key)
    for start in range(3):  # it is started three times
        events = Events(path, size=2000)
        for number in range(25):
            events.write("blocked", {"number": number, "start": start})
        events.close()
    parts = sorted(tmp_path.glob("e.jsonl.0*"))
    assert len(parts) == 5
    assert all(2000 <= part.stat().st_size < 2300 for part in parts)
    assert all(stat.S_IMODE(part.stat().st_mode) == 0o600 for part in (*parts, path))
    assert read_events(path).kinds == {"blocked": 75}
    summary = write_summary(path, today(), [open_signer(f"file:{key}")], tmp_path)
    keys = [load_public(tmp_path / "k.key.pub")]
    assert verify_summary(summary, path, keys)["chain"]["lines"] == 75
    path.unlink()  # as if it was killed between the two steps
    Events(path).close()
    hidden = parts[2].rename(tmp_path / "away")
    with pytest.raises(EvidenceError, match="chain is broken"):
        read_events(path)
    hidden.rename(parts[2])
    whole = parts[-1].read_bytes()
    parts[-1].write_bytes(whole.replace(b'"start":2', b'"start":1', 1))
    with pytest.raises(EvidenceError, match="chain is broken"):
        read_events(path)
    parts[-1].write_bytes(b"no event\n")
    with pytest.raises(EvidenceError, match="chain is broken"):
        Events(path)


def test_threads_write_one_chain(tmp_path: Path) -> None:
    guard = Guard(events=tmp_path / "e")
    workers = [threading.Thread(target=lambda: [guard.judge(ask(ATTACK)) for _ in range(12)]) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    guard.close()
    assert read_events(tmp_path / "e").kinds == {"blocked": 96}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3)), max_size=60))
def test_no_client_gets_more_than_its_bucket_gives(steps: list[tuple[str, float]]) -> None:
    rates, now, passed = Rates(2.0, 5, 10), 0.0, dict.fromkeys("abc", 0)
    for client, wait in steps:
        now += wait
        passed[client] += rates.take(client, now) == 0
    assert all(number <= 5 + 2 * now + 1e-6 for number in passed.values())


def test_rates_are_bounded_by_client_and_in_memory() -> None:
    guard = Guard(Policy(limits=Limits(rate=1, burst=3, clients=100)))
    got = [guard.enter("192.0.2.1", "/predict") for _ in range(5)]
    assert [one.status for one in got] == [200, 200, 200, 429, 429]
    assert got[-1].retry_after >= 1
    assert not guard.enter("192.0.2.2", "/predict").refused
    for number in range(1000):
        guard.enter(f"10.0.{number // 250}.{number % 250}", "/x")
        guard.leave("/x")
    assert len(guard._rates) == 100


def test_health_checks_have_places_of_their_own() -> None:
    guard = Guard(Policy(limits=Limits(concurrent=2, rate=0.001, burst=2)))
    assert [guard.enter("a", "/predict").status for _ in range(2)] == [200, 200]
    assert guard.enter("b", "/predict").status == 503
    for _ in range(30):
        assert not guard.enter("a", "/healthz").refused
        guard.leave("/healthz")
    guard.leave("/predict")
    assert not guard.enter("b", "/predict").refused


def test_copying_a_model_shows() -> None:
    known, signals = Extraction(volume=200, clients=10), []
    for number in range(RECENT + 5):
        words = "please tell me whether the following message is spam or an honest one".split()
        words[number % 9] = f"word{number}"
        signals += known.add("thief", [" ".join(words)], [], 0.0)
    assert [one.reason for one in signals] == ["near-duplicates"]
    signals = []
    for number in range(RECENT + 5):
        signals += known.add("prober", [], [1.0, 2.0, number / 10, 4.0], 0.0)
    assert [one.reason for one in signals] == ["sweep"]
    signals = [
        one
        for number in range(RECENT + 5)
        for one in known.add("user", [f"question {number} " * 3 + str(number) * 9 + " and some"], [], 0.0)
    ]
    assert "volume" not in {one.reason for one in signals}
    told = [one.reason for _ in range(201) for one in known.add("bulk", [], [], 1.0)]
    assert told == ["volume"]
    assert known.add("bulk", [], [], 4000.0) == []  # another hour


def test_probing_the_boundary_shows(tmp_path: Path) -> None:
    guard = Guard(events=tmp_path / "e")

    def answer(client: str, score: float, number: int) -> None:
        asked = ask(json.dumps({"text": f"question {number}"}).encode(), client)
        guard.judge(asked)
        guard.answered(asked, 200, "application/json", json.dumps({"label": "spam", "score": score}).encode())

    for number in range(RECENT + 20):
        answer("user", 0.97 if number % 2 else 0.04, number)
        answer("unsure", 0.5 if number % 3 == 0 else 0.9, number)
        answer("prober", 0.5 + (0.04 if number % 2 else -0.04) / (number + 1), number)
    guard.close()
    told = [(one["event"], one["client"]) for one in lines(tmp_path / "e") if "boundary" in one["event"]]
    assert told == [("extraction-boundary", "prober")]
    unsure = Guard(events=tmp_path / "u")  # of a model that is never sure
    guard = unsure
    for number in range(RECENT + 20):
        for client in "abcd":
            answer(client, 0.51, number)
    unsure.close()
    assert [one["client"] for one in lines(tmp_path / "u") if "boundary" in one["event"]] in ([], ["a"])


def test_how_sure_an_answer_is() -> None:
    assert margin(parse_json(b'{"label": "x", "score": 0.75}', Limits())) == 0.5
    assert margin(parse_json(b'{"scores": {"a": 0.25, "b": 0.5, "c": 0.25}, "n": 3}', Limits())) == 0.25
    for nothing in (b'{"label": 1}', b"null", b'{"price": 12.5}', json.dumps([0.5] * 100).encode()):
        assert margin(parse_json(nothing, Limits())) is None


def test_a_retry_is_no_near_duplicate() -> None:
    known = Extraction(volume=0, clients=10)
    assert not [
        one for _ in range(3 * RECENT) for one in known.add("c", ["the very same question of a client"], [], 0.0)
    ]


def test_drift_against_the_training_data(tmp_path: Path) -> None:
    like = [f"this is message number {n} about the weather in town" for n in range(400)]
    drift = Drift(reference(like), window=200)
    same = [found for text in like if (found := drift.add([text]))]
    assert [one.drifted for one in same] == [False, False]
    other = [found for n in range(200) if (found := drift.add([f"ЖЖЖ {n} 0x{n:08x}{{}}" * 20]))]
    assert [one.drifted for one in other] == [True]
    save(reference(like), tmp_path / "r.json")
    (tmp_path / "d.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in like))
    (tmp_path / "d.csv").write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(like)))
    for name in ("r.json", "d.jsonl", "d.csv"):
        assert load(tmp_path / name)._known["length"] == pytest.approx(drift._known["length"], abs=1e-5)
    (tmp_path / "x.json").write_text('{"format": 1}')
    with pytest.raises(UsageError):
        load(tmp_path / "x.json")


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_psi_is_zero_for_the_same_and_positive_for_others(weights: list[float]) -> None:
    shares = [one / sum(weights) for one in weights]
    assert psi(shares, shares) == 0
    assert psi(shares, shares[::-1]) >= 0


METRIC = re.compile(r'[a-z_]+(?:\{[a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*\})? [0-9.e+-]+')


def test_prometheus_text() -> None:
    metrics = Metrics()
    guard = Guard(metrics=metrics)
    guard.judge(ask(ATTACK))
    guard.judge(ask())
    text = metrics.text()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(METRIC.fullmatch(line) or '+Inf"' in line for line in samples), samples
    assert 'shipworthy_guard_requests_total{decision="blocked"} 1' in samples
    assert 'shipworthy_guard_hits_total{detector="sql"} 1' in samples
    counts = [int(line.split()[-1]) for line in samples if "_bucket" in line]
    assert counts == sorted(counts)
    assert counts[-1] == 2
    assert {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")} >= {
        line.partition("{")[0].partition(" ")[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for line in samples
    }


def test_what_must_not_be_in_an_answer() -> None:
    guard = Guard(Policy(answers="block"))
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    for text in (
        f'{{"k": "{key}"}}',
        '{"mail": "ada.lovelace@analytical-engines.org"}',
        '{"e": "Traceback (most recent call last):"}',
    ):
        assert guard.answered(ask(), 200, "application/json", text.encode()).refused, text
    assert not guard.answered(ask(), 200, "application/json", b'{"label": "spam", "score": 0.93}').refused
    assert not guard.answered(ask(), 200, "image/png", key.encode()).refused


def test_large_and_compressed_answers_are_looked_at(tmp_path: Path) -> None:
    key = b"AKIA" + b"ABCDEFGHIJKLMNOP"
    guard = Guard(Policy(answers="block"), events=tmp_path / "e")
    for body in (b"x " * (200 << 10) + key, b" " * ((256 << 10) - 9) + key + b" " * 9):
        for coding, raw in (
            ("", body),
            ("gzip", gzip.compress(body)),
            ("GZIP", gzip.compress(b"") + gzip.compress(body)),
        ):
            assert guard.answered(ask(), 200, "text/plain", raw, coding).refused, (len(body), coding)
            watch = guard.watch(ask(), 200, "text/plain", coding)
            assert watch is not None
            pieces = [raw[at : at + 1000] for at in range(0, len(raw), 1000)]
            assert sum(watch.add(piece, last=piece is pieces[-1]).refused for piece in pieces) == 1
    assert not guard.answered(ask(), 200, "text/plain", b"x " * (200 << 10)).refused
    guard.close()
    assert {one["event"] for one in lines(tmp_path / "e")} == {"answer"}


def test_answers_that_cannot_be_looked_at_are_told(tmp_path: Path) -> None:
    guard = Guard(events=tmp_path / "e")
    whole = gzip.compress(b"fine")
    for coding, raw in (("br", b"x"), ("gzip", b"no gzip"), ("gzip", whole[:-2]), ("gzip", whole + b"rest")):
        guard.answered(ask(), 200, "text/plain", raw, coding)
    guard.answered(ask(), 200, "text/event-stream", b"data: 1")
    guard.answered(ask(), 200, "text/plain", gzip.compress(b"\0" * (80 << 20)), "gzip")
    guard.answered(ask(), 200, "text/plain", whole, "gzip")
    guard.close()
    reasons = [(one["event"], one["reason"]) for one in lines(tmp_path / "e")]
    assert reasons == [("answer-unread", why) for why in ["encoded"] * 4 + ["stream", "large"]]


def test_policies_that_are_none() -> None:
    for wrong in ({"mode": "on"}, {"record": "some"}, {"detectors": ("sqll",)}, {"limits": Limits(body=0)}):
        with pytest.raises(UsageError):
            Policy(**wrong)  # type: ignore[arg-type]


# --- WSGI, with a real server and a real framework ------------------------------------------------------------------


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def fetch(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
        ) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def flask_app() -> Flask:
    app = Flask("service")

    @app.post("/predict")
    def predict() -> Any:
        return jsonify(label="honest", length=len(request.get_json()["text"]))

    @app.get("/leak")
    def leak() -> Any:
        return "Traceback (most recent call last):\n  File", 500, {"Content-Type": "text/plain"}

    @app.get("/long")
    def long() -> Any:
        return iter(["x" * 1000] * 600 + ["AKIA" + "ABCDEFGHIJKLMNOP"]), {"Content-Type": "text/plain"}

    @app.get("/healthz")
    def healthz() -> Any:
        return "ok"

    return app


def test_a_flask_service_behind_the_guard(tmp_path: Path) -> None:
    policy = Policy(answers="block", metrics_path="/metrics", limits=Limits(body=1000))
    guard = Guard(policy, events=tmp_path / "e")
    with serving(GuardWSGI(flask_app().wsgi_app, guard=guard)) as url:
        assert fetch(url + "/predict", b'{"text": "hello"}') == (200, b'{"label":"honest","length":5}\n')
        status, body = fetch(url + "/predict", ATTACK)
        assert (status, json.loads(body)["reason"]) == (403, "attack")
        assert fetch(url + "/predict?q=..%2f..%2f..%2fetc/passwd", b'{"text": "hello"}')[0] == 403
        assert fetch(url + "/leak")[0] == 502
        status, body = fetch(url + "/long")  # cut before the key
        assert (status, body.startswith(b"xxx"), b"AKIA" in body) == (200, True, False)
        assert fetch(url + "/predict", b'{"text": "' + b"x" * 1000 + b'"}')[0] == 413
        assert b"requests_total" in fetch(url + "/metrics")[1]
        assert fetch(url + "/healthz") == (200, b"ok")
    assert guard.active == 0
    guard.close()
    assert [one["reason"] for one in lines(tmp_path / "e")] == [
        "attack",
        "attack",
        "answer",
        "answer",
        "body-too-large",
    ]


def test_a_service_that_raises_gives_its_place_back() -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        raise RuntimeError("service")

    guarded = GuardWSGI(app, Policy(limits=Limits(concurrent=1)))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "a"}
    for _ in range(3):
        with pytest.raises(RuntimeError, match="service"):
            guarded(dict(environ), lambda *_: None)
    assert guarded.guard.active == 0


# --- ASGI, by its own messages --------------------------------------------------------------------------------------


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def call(
    app: Any, parts: list[bytes], path: str = "/predict", kind: str = "http", ended: bool = True
) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    more = [True] * (len(parts) - 1) + [not ended]
    left = [{"type": "http.request", "body": part, "more_body": on} for part, on in zip(parts, more, strict=True)]

    async def receive() -> Any:
        if left:
            return left.pop(0)
        return await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": kind, "method": "POST", "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "client": ("192.0.2.1", 5), "headers": [(b"content-type", b"application/json")]}
    asyncio.run(app(scope, receive, send))
    return sent


def test_an_asgi_service_behind_the_guard(tmp_path: Path) -> None:
    app = GuardASGI(
        echo, Policy(answers="block", metrics_path="/metrics", limits=Limits(seconds=0.3)), events=tmp_path / "e"
    )
    sent = call(app, [b'{"text": ', b'"hello"}'])
    assert [one.get("status") or one["body"] for one in sent] == [200, b'{"text": "hello"}']
    assert call(app, [b'{"text": "x\' or ', b'1=1--"}'])[0]["status"] == 403
    assert call(app, [b'{"mail": "ada.lovelace@analytical-engines.org"}'])[0]["status"] == 502
    large = Limits(body=4 << 20)
    for start in (b'{"mail": "ada.lovelace@analytical-engines.org"', b'{"mail": ""'):
        wide = GuardASGI(echo, Policy(answers="block", limits=large))
        sent = call(wide, [start + b', "a": "' + b"x " * (400 << 10) + b'"}'])
        assert sent[0]["status"] == (502 if b"ada" in start else 200)
        assert b"ada" in start or b"".join(one["body"] for one in sent[1:]).endswith(b'x "}')
    assert call(app, [b"x" * (2 << 20)])[0]["status"] == 413
    assert call(app, [b"{"], ended=False)[0]["status"] == 408
    assert call(app, [b""], "/metrics")[0]["status"] == 200
    assert call(app, [b""], kind="websocket") == [{"type": "websocket.close", "code": 1008}]
    assert app.guard.active == 0
    app.guard.close()
    assert [one["reason"] for one in lines(tmp_path / "e")] == ["attack", "answer", "body-too-large", "body-too-slow"]
