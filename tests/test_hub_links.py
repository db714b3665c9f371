"""Links are checked against a real server on this machine, which tells each request that it got."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipworthy.cli import main
from shipworthy.errors import UsageError
from shipworthy.hub.links import archived, check
from shipworthy.hub.links.client import Client, NotPublicError, UnreachableError, is_public
from shipworthy.hub.links.history import Known, load, save

Request = tuple[str, str, str]


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[Request] = []
    at_once = 0
    most_at_once = 0
    busy = 0

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        cls = type(self)
        cls.seen.append((self.command, self.path, self.headers["User-Agent"]))
        cls.at_once += 1
        cls.most_at_once = max(cls.most_at_once, cls.at_once)
        try:
            self._route(self.path.partition("?")[0])
        finally:
            cls.at_once -= 1

    def _route(self, path: str) -> None:
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        if path == "/robots.txt":
            self._say(200, b"User-agent: *\nDisallow: /closed\n")
        elif path == "/old":
            self._say(301, to="/new")
        elif path == "/elsewhere":
            self._say(302, to="/new")
        elif path == "/circle":
            self._say(301, to="/circle")
        elif path == "/inside":
            self._say(301, to="http://169.254.169.254/latest/meta-data/")
        elif path == "/scheme":
            self._say(301, to="file:///etc/passwd")
        elif path == "/no-head":
            self._say(405 if self.command == "HEAD" else 200, b"here")
        elif path == "/gone":
            self._say(404)
        elif path == "/busy" and type(self).busy < 1:
            type(self).busy += 1
            self._say(429, retry="7")
        elif path == "/later":
            self._say(503, retry="86400")
        elif path == "/endless":
            self.send_response(405 if self.command == "HEAD" else 200)
            self.end_headers()
            try:
                while self.command == "GET":
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
            self.close_connection = True
        elif path == "/drip":
            try:
                for _ in range(100):
                    self.wfile.write(b"H")
                    time.sleep(0.1)
            except OSError:
                pass
            self.close_connection = True
        elif path == "/wayback":
            copy = "http://web.archive.org/web/2020/http://127.0.0.1/gone"
            self._say(200, json.dumps({"archived_snapshots": {"closest": {"available": True, "url": copy}}}).encode())
        elif path == "/wayback-forged":
            self._say(200, json.dumps({"archived_snapshots": {"closest": {"url": f"{base}/evil"}}}).encode())
        else:
            self._say(200, b"here")

    def _say(self, status: int, body: bytes = b"", to: str = "", retry: str = "") -> None:
        self.send_response(status)
        if to:
            self.send_header("Location", to)
        if retry:
            self.send_header("Retry-After", retry)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[str]:
    Site.seen, Site.at_once, Site.most_at_once, Site.busy = [], 0, 0, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(waits: list[float]) -> Client:
    return Client("mailto:ada@example.org", timeout=2.0, allowed=frozenset({"127.0.0.1"}), sleep=waits.append)


def states(client: Client, site: str, *paths: str) -> dict[str, str]:
    return {one.url.removeprefix(site): one.state for one in check([site + path for path in paths], client)}


def test_what_comes_of_each_kind_of_answer(site: str, client: Client) -> None:
    wanted = {
        "/fine": "good",
        "/old": "moved",
        "/elsewhere": "good",
        "/gone": "gone",
        "/no-head": "good",
        "/circle": "unreachable",
        "/closed/x": "unknown",
        "/inside": "not-public",
        "/scheme": "not-public",
        "/endless": "good",
    }
    assert states(client, site, *wanted) == wanted
    (moved,) = check([f"{site}/old"], client)
    assert moved.to == f"{site}/new"


def test_it_is_polite(site: str, client: Client, waits: list[float]) -> None:
    states(client, site, "/a", "/b", "/c", "/closed/x")
    assert Site.most_at_once == 1
    assert [path for _, path, _ in Site.seen].count("/robots.txt") == 1
    assert not any(path.startswith("/closed") for _, path, _ in Site.seen)
    assert {method for method, path, _ in Site.seen if path != "/robots.txt"} == {"HEAD"}
    assert all("(+mailto:ada@example.org)" in agent and "shipworthy" in agent for _, _, agent in Site.seen)
    assert len([wait for wait in waits if 0.5 < wait <= 1.0]) == 3  # before all but the first request


def test_it_waits_when_it_is_asked_to_and_gives_up_when_that_is_long(
    site: str, client: Client, waits: list[float]
) -> None:
    assert states(client, site, "/busy", "/later") == {"/busy": "good", "/later": "unknown"}
    assert 7.0 in waits
    assert max(waits) <= 7.0


def test_a_server_that_drips_is_left(site: str) -> None:
    client = Client("mailto:ada@example.org", timeout=0.4, allowed=frozenset({"127.0.0.1"}), sleep=lambda _: None)
    with pytest.raises(UnreachableError):
        client.ask(f"{site}/drip")


def test_without_the_tests_switch_this_machine_is_not_asked(site: str) -> None:
    client = Client("mailto:ada@example.org", sleep=lambda _: None)
    for url in (site, site.replace("127.0.0.1", "localhost"), "http://[::1]:1/", "http://0x7f000001/", "ftp://a.org/"):
        with pytest.raises((NotPublicError, UnreachableError)):
            client.ask(url)
    assert Site.seen == []
    assert [one.state for one in check([site], client)] == ["not-public"]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
     "ff02::1"],
)  # fmt: skip
def test_addresses_that_are_not_everybodys(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert all(is_public(one) for one in ("140.82.121.4", "2606:50c0:8000::153", "::ffff:8.8.8.8"))


def test_a_copy_is_suggested_only_if_it_is_one_of_the_archive(site: str, client: Client) -> None:
    assert archived("http://x.org", client, f"{site}/wayback?url=").startswith("https://web.archive.org/web/2020/")
    assert archived("http://x.org", client, f"{site}/wayback-forged?url=") == ""
    assert archived("http://x.org", client, f"{site}/gone?url=") == ""


def test_one_bad_day_is_not_death(tmp_path: Path) -> None:
    known = Known("https://a.org").after("2026-01-01", True, "200")
    for day in ("2026-01-05", "2026-01-05", "2026-01-06"):
        known = known.after(day, False, "404")
    assert (known.failing, known.failures, known.good) == ("2026-01-05", 2, "2026-01-01")
    assert not known.dead("2026-06-01", 14)  # seldom looked at
    known = known.after("2026-01-10", False, "404")
    assert not known.dead("2026-01-10", 14)
    assert known.after("2026-01-20", False, "404").dead("2026-01-20", 14)
    assert known.after("2026-01-20", True, "200").failing == ""
    save(tmp_path / "h.jsonl", {known.url: known})
    assert load(tmp_path / "h.jsonl") == {known.url: known}
    assert load(tmp_path / "none.jsonl") == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"url": 1}', '{"url": "a", "checked": "soon"}', "[" * 5000, "\0"])
def test_a_damaged_history_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "h.jsonl").write_text(text)
    with pytest.raises(UsageError, match="line 1"):
        load(tmp_path / "h.jsonl")


def test_nothing_is_asked_unless_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "check-links"]) == 2
    assert "--online" in capsys.readouterr().err
    assert main(["hub", "check-links", "--online", "--delay", "0"]) == 2
    assert main(["hub", "check-links", "--online", "no-such-entry"]) == 2


def test_without_a_network_the_history_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names do not resolve: that says nothing about the pages."""
    import socket

    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    monkeypatch.setattr(Client, "__init__", _impatient(Client.__init__))
    history = tmp_path / "h.jsonl"
    assert main(["hub", "check-links", "--online", "trivy", "--history", str(history)]) == 5
    assert not history.exists()
    assert "no address can be reached" in capsys.readouterr().err


def _impatient(before):  # type: ignore[no-untyped-def]
    def made(self, contact, **options):  # type: ignore[no-untyped-def]
        before(self, contact, **{**options, "sleep": lambda _: None})

    return made
