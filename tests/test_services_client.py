"""Services that hang, drip, flood, lie and crash are met with limits, and only the service itself is ever asked."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import odd_checks
from services_world import GOOD, honest, look, raw_server
from shipworthy.artifacts import Inventory
from shipworthy.check import checks_of
from shipworthy.checks.services import _session
from shipworthy.checks.services._client import Answer, Budget, Client, Request, Silent, Spent
from shipworthy.checks.services._service import NAME, Probe, ServiceInfo, Unreadable
from shipworthy.checks.services._standing import serving
from shipworthy.config import Scan, Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.model import Artifact, Kind, Outcome


def client(port: int, seconds: float = 5.0, each: float = 2.0, **info: object) -> Client:
    return Client(ServiceInfo(f"http://127.0.0.1:{port}", **info), Budget(50, seconds), each)  # type: ignore[arg-type]


def test_a_description_reads_back_as_it_was_written(tmp_path: Path) -> None:
    info = ServiceInfo(
        "http://127.0.0.1:8080",
        health="/healthz",
        probe=Probe("/predict", "POST", "{}"),
        listening=(("0.0.0.0", 8080),),
        expected_ports=(8080,),
        runtime={"user": 10001},
        credentials="Bearer secret",
    )
    assert info.write(tmp_path).stat().st_mode & 0o077 == 0
    assert ServiceInfo.read(tmp_path) == info
    assert "secret" not in repr(info)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"url": 1}', '{"url": "ftp://127.0.0.1"}', '{"url": "http://example.invalid:80"}',
        '{"url": "http://169.254.169.254"}', '{"url": "http://u:p@127.0.0.1"}', '{"url": "http://127.0.0.1/x"}',
        '{"url": "http://127.0.0.1:x"}', '{"url": "http://127.0.0.1", "odd": 1}', "[" * 100_000,
        '{"url": "http://127.0.0.1", "listening": [1]}', '{"url": "http://127.0.0.1", "health": "//evil.invalid"}x',
        '{"url": "http://127.0.0.1", "health": "evil"}', '{"url": "http://127.0.0.1", "probe": {"path": "http://e"}}',
        '{"url": "http://127.0.0.1", "environment": "production"}',
    ],
)  # fmt: skip
def test_a_description_that_is_none_or_leads_elsewhere_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(Unreadable):
        ServiceInfo.read(tmp_path)


def test_a_redirect_to_another_server_is_told_and_not_followed() -> None:
    visited = []
    with raw_server(lambda wire: visited.append(wire.recv(10))) as other:
        with serving(lambda *_: (302, {"Location": f"http://127.0.0.1:{other}/"}, b"")) as port:
            assert client(port).send(Request()).status == 302
        with pytest.raises(ValueError, match="path of the service"):
            Request("GET", f"http://127.0.0.1:{other}/")
    assert not visited


def drip(wire: socket.socket) -> None:
    wire.recv(1000)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
        wire.sendall(bytes([byte]))
        time.sleep(0.05)


def flood(wire: socket.socket) -> None:
    wire.recv(1000)
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        wire.sendall(b"x" * 1_000_000)


def chunks(wire: socket.socket) -> None:
    wire.recv(1000)
    wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        wire.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def headers(wire: socket.socket) -> None:
    wire.recv(1000)
    wire.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        wire.sendall(b"X-A: b\r\n" * 1000)


def test_what_drips_and_what_floods_is_cut() -> None:
    for talk, most in ((drip, 3.0), (flood, 3.0), (chunks, 3.0)):
        with raw_server(talk) as port:
            started = time.monotonic()
            try:
                answer = client(port, each=1.0).send(Request())
                assert answer.cut
                assert len(answer.body) <= 1_100_000
            except Silent as silent:
                assert silent.how == "timeout"
            assert time.monotonic() - started < most


@pytest.mark.parametrize(
    ("talk", "how"),
    [
        (headers, "broken"),
        (lambda wire: wire.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"), "broken"),
        (lambda wire: wire.sendall(b"\0" * 200_000), "broken"),
        (lambda wire: None, "closed"),
        (lambda wire: time.sleep(3), "timeout"),
    ],
)
def test_what_is_no_answer_is_told_as_such(talk, how) -> None:  # type: ignore[no-untyped-def]
    with raw_server(talk) as port, pytest.raises(Silent) as caught:
        client(port, each=1.0).send(Request())
    assert caught.value.how == how


def test_nobody_there_is_refused_and_the_budget_is_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asker = Client(ServiceInfo(f"http://127.0.0.1:{port}"), Budget(2, 5.0))
    for _ in range(2):
        with pytest.raises(Silent):
            asker.send(Request())
    with pytest.raises(Spent):
        asker.send(Request())


def test_a_unix_socket_is_used_instead_of_the_address(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def answer() -> None:
            wire, _ = listener.accept()
            with wire:
                wire.recv(1000)
                wire.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert client(1, socket=str(tmp_path / "s")).send(Request()).status == 204
        thread.join()


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_of_an_answer_break_the_reader(data: bytes, begun: bool) -> None:
    ours, theirs = socket.socketpair()
    from shipworthy.checks.services._client import _Reader

    with ours, theirs:
        theirs.sendall((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if begun else b"") + data)
        theirs.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Silent):
            assert isinstance(_Reader(ours, time.monotonic() + 5).answer(0.0, False), Answer)


# --- the session ----------------------------------------------------------------------------------------------------


def test_a_service_that_is_not_there_is_skipped(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found, skipped = look(tmp_path, "http-headers", port)
    assert not found
    assert "did not answer" in skipped[0].reason


def test_a_request_that_stops_the_service_is_a_finding_and_the_rest_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "_RECOVERY", 1.0)
    dead = threading.Event()

    def talk(wire: socket.socket) -> None:
        text = wire.recv(65_536)
        if dead.is_set() or b"no-such-page" in text:
            dead.set()
            return
        wire.sendall(b"HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\n\r\n")

    with raw_server(talk) as port:
        found, skipped = look(tmp_path, "http-headers", port)
    assert [f.rule.id for f in found] == ["http-cacheable-answer", "service-crashed"]
    assert found[1].location.field == "GET /shipworthy-no-such-page"
    assert "not tried" in skipped[0].reason


def test_a_budget_that_is_spent_is_said(tmp_path: Path) -> None:
    with serving(honest) as port:
        found, skipped = look(tmp_path, "http-headers", port, {"requests": 3})
    assert not found
    assert skipped[0].code == "limited"


# --- the engine -----------------------------------------------------------------------------------------------------


def run(folder: Path, port: int, cache: Cache) -> tuple[Outcome, int, set[str]]:
    ServiceInfo(f"http://127.0.0.1:{port}", probe=Probe("/x"), health="/x").write(folder)
    artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0, path=folder)
    from shipworthy.check import registry

    with CheckRunner(Settings(), folder, cache, Events()) as runner:
        (result,) = runner.run((registry()["http-headers"],), Inventory((artifact,)))
    return result.outcome, result.cached, {f.rule.id for f in result.findings}


def test_what_a_live_check_said_is_never_remembered(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with serving(lambda *_: (200, GOOD, b"{}")) as port:
        assert run(tmp_path, port, cache) == (Outcome.RAN, 0, set())
    with serving(lambda *_: (200, {}, b"{}")) as port:
        assert run(tmp_path, port, cache) == (Outcome.RAN, 0, {"http-no-nosniff"})
    cache.close()


def test_live_checks_run_one_after_the_other_and_in_time(tmp_path: Path) -> None:
    live = [check for check in checks_of(odd_checks) if check.live]
    artifact = Artifact("service", Kind.SERVICE, "sha256:" + "1" * 64, 0)
    odd_checks.LIVE.clear()
    with CheckRunner(Settings(scan=Scan(jobs=4)), tmp_path, Cache(None), Events()) as runner:
        results = {r.check: r for r in runner.run(live, Inventory((artifact,)))}
    assert results["odd-live"].outcome is Outcome.RAN
    assert results["odd-live-slow"].outcome is Outcome.FAILED
    assert "took longer than 1 s" in results["odd-live-slow"].note
    assert odd_checks.LIVE == ["odd-live in", "odd-live out", "odd-live-slow in"]
