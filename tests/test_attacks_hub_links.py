"""Attacks on `hub check-links`: what servers answer, and what addresses lead to, is chosen by whoever wants us to open
connections for them, to read for ever, or to fall over. Each server here is real and on this machine."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from shipworthy.hub.links import archived, check
from shipworthy.hub.links.client import Client, NotPublicError, UnreachableError, is_public
from shipworthy.hub.links.history import Known, load, save

Serve = Callable[[dict[str, bytes]], str]
NOT_THERE = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"


def said(body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def to(location: bytes, status: bytes = b"301 Moved") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers the bytes given for a path, byte for byte, for ever if they end in `*`."""
    listening: list[socket.socket] = []

    def answer(wire: socket.socket, answers: dict[str, bytes]) -> None:
        with wire, contextlib.suppress(OSError):
            path = wire.recv(65536).split(b" ", 2)[1].decode("latin-1")
            raw = answers.get(path.partition("?")[0], NOT_THERE)
            wire.sendall(raw.removesuffix(b"*"))
            while raw.endswith(b"*"):
                wire.sendall(raw[-61:-1] * 500)

    def start(answers: dict[str, bytes]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0], answers), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in listening:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.fixture
def client() -> Client:
    return Client("mailto:ada@example.org", timeout=1.0, allowed=frozenset({"127.0.0.1"}), sleep=lambda _: None)


def state(client: Client, url: str) -> str:
    return check([url], client)[0].state


@pytest.mark.parametrize(
    "place",
    [b"http://[", b"//[::1", b"http://x]y/", b"https://e.org:port/", b"https://e.org:99999999/", b"http://\xff\xfe/",
     b"http://" + b"a" * 300 + b".org/", b"http:", b"?" + b"x" * 40_000, b"http://e%00.org/"],
)  # fmt: skip
def test_a_redirect_to_what_is_no_address_ends_nothing(client: Client, serve: Serve, place: bytes) -> None:
    site = serve({"/": to(place), "/fine": said(b"here")})
    outcomes = check([f"{site}/", f"{site}/fine"], client)
    assert outcomes[0].state in ("unreachable", "not-public")
    assert outcomes[1].state == "good"


@pytest.mark.parametrize(
    "place",
    [b"http://169.254.169.254/latest/meta-data/", b"http://[::ffff:169.254.169.254]/", b"http://[::a9fe:a9fe]/",
     b"http://[64:ff9b:1::a00:1]/", b"http://0x7f.1:1/", b"http://2130706433/", b"http://127.1/", b"http://localhost./",
     b"file:///etc/passwd", b"gopher://e.org/", b"javascript:alert(1)", b"http://ada:secret@127.0.0.1/",
     b"//10.0.0.1/", b"http://[fec0::1]/"],
)  # fmt: skip
def test_a_redirect_leads_nowhere_inside(serve: Serve, place: bytes) -> None:
    site = serve({"/": to(place)})
    # What this machine's name leads to is looked at as that of any other; only the server of the test may be asked.
    here = Client("mailto:ada@example.org", timeout=1.0, allowed=frozenset({"127.0.0.1"}), sleep=lambda _: None)
    found = check([f"{site}/"], here)[0]
    assert found.state in ("not-public", "unreachable"), found
    if b"127" not in place and b"localhost" not in place and b"0x7f" not in place and b"2130706433" not in place:
        assert found.state == "not-public", found


def test_robots_of_an_inner_host_are_not_fetched_either(client: Client, serve: Serve) -> None:
    site = serve({"/robots.txt": to(b"http://192.168.0.1/robots.txt"), "/": said(b"here")})
    assert state(client, f"{site}/") == "not-public"


def test_a_redirect_has_us_talk_to_the_web_alone(client: Client, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page must not choose another service of somebody else's, such as a mail server, for us to talk to."""
    opened: list[tuple[str, int]] = []

    def never(address: tuple[str, int], *_: object) -> socket.socket:
        opened.append(address)
        raise OSError("this test opens no connection elsewhere")

    plain = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda a, *more: plain(a, *more) if a[0] == "127.0.0.1" else never(a)
    )
    site = serve({"/mail": to(b"http://8.8.8.8:25/"), "/web": to(b"http://8.8.8.8:8080/")})
    assert [one.state for one in check([f"{site}/mail"], client)] == ["not-public"]
    assert opened == []
    assert state(client, f"{site}/web") == "unreachable"
    assert opened[0] == ("8.8.8.8", 8080)


def test_a_name_is_looked_up_once_and_all_of_its_addresses_count(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the address that was looked at is the one that is connected to; one inner address spoils all."""
    asked: list[str] = []
    opened: list[str] = []

    def answers(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        inner = ["10.0.0.7"] if host == "both.example.org" or len(asked) > 1 else []
        return [(2, 1, 6, "", (one, port)) for one in ("8.8.8.8", *inner)]

    def connected(address: tuple[str, int], *_: object) -> socket.socket:
        opened.append(address[0])
        raise OSError("this test opens no connection")

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket, "create_connection", connected)
    with pytest.raises(NotPublicError):  # at the second try the name means another address: refused, not followed
        client.page("http://rebound.example.org/")
    assert opened == ["8.8.8.8"]
    with pytest.raises(NotPublicError):
        client.page("http://both.example.org/")
    assert opened == ["8.8.8.8"]


@pytest.mark.parametrize(
    "address",
    ["::7f00:1", "::a9fe:a9fe", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "3fff::1", "5f00::1",
     "2001:0:7f00:1::", "192.0.2.1", "198.18.0.1", "240.0.0.1"],
)  # fmt: skip
def test_addresses_that_carry_another_are_that_one(address: str) -> None:
    assert not is_public(address)
    assert is_public("64:ff9b::808:808")


@pytest.mark.parametrize(
    "rules",
    ["Disallow: //[x\n", "Crawl-delay: ²\n", f"Crawl-delay: {'9' * 5000}\n", "Request-rate: ¹/²\n"],
)  # fmt: skip
def test_hostile_robots_stop_their_own_host_alone(client: Client, serve: Serve, rules: str) -> None:
    """Python's parser fails at some of them; what cannot be read is asked again another day, and allows nothing."""
    bad = serve({"/robots.txt": said(f"User-agent: *\n{rules}".encode()), "/": said(b"here")})
    good = serve({"/": said(b"here")})
    assert [one.state for one in check([f"{bad}/", f"{good}/"], client)] == ["unknown", "good"]


def test_endless_robots_headers_and_bodies_end(client: Client, serve: Serve) -> None:
    site = serve({
        "/robots.txt": b"HTTP/1.1 200 OK\r\n\r\n" + b"Disallow: /never\n" * 10 + b"*",
        "/headers": b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 10 + b"*",
        "/line": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100 + b"*",
        "/continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 10 + b"*",
        "/chunks": b"HTTP/1.1 405 No\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 20 + b"*",
    })  # fmt: skip
    for path in ("/headers", "/line", "/continue"):
        assert state(client, site + path) == "unreachable", path
    assert state(client, f"{site}/chunks") == "unknown"


def test_a_packed_bomb_is_never_unpacked(client: Client, serve: Serve) -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    site = serve({"/": said(packed, b"Content-Encoding: gzip\r\n")})
    answer = client.page(f"{site}/")
    assert answer.status == 200
    assert len(answer.body) <= 64 * 1024
    assert answer.body == packed[: len(answer.body)]


def test_a_chain_of_redirects_ends(client: Client, serve: Serve) -> None:
    site = serve({f"/{n}": to(b"/%d" % (n + 1)) for n in range(100)})
    with pytest.raises(UnreachableError, match="circle"):
        client.page(f"{site}/0")


@pytest.mark.parametrize(
    "copy",
    ['"http://["', '"javascript://web.archive.org/%0aalert(1)"', '"http://ada@web.archive.org/web/"', "[]", "7",
     '"http://web.archive.org:99999999/"', '"http://web.archive.org@e.org/"', '"https://web.archive.org.e.org/"'],
)  # fmt: skip
def test_no_forged_copy_is_suggested(client: Client, serve: Serve, copy: str) -> None:
    body = f'{{"archived_snapshots": {{"closest": {{"url": {copy}}}}}}}'.encode()
    assert archived("https://x.org", client, serve({"/wayback": said(body)}) + "/wayback?url=") == ""


def test_what_a_server_says_cannot_spoil_the_history(client: Client, serve: Serve, tmp_path: Path) -> None:
    """A text with a line's end of Unicode (U+0085) went into the history raw, which then could not be read again."""
    site = serve({"/": to(b"gopher://e\x85org/")})
    outcome = check([f"{site}/"], client)[0]
    assert "\x85" in outcome.told
    path = tmp_path / "history"
    known = {outcome.url: Known(outcome.url).after(date(2026, 11, 23).isoformat(), False, outcome.told)}
    save(path, known)
    assert path.read_bytes().isascii()
    assert load(path) == known
    path.write_text('{"url": "https://e.org", "last": "a\u2028b"}\n', encoding="utf-8")  # as older versions wrote it
    assert load(path)["https://e.org"].last == "a\u2028b"
    path.write_text("")
    assert load(path) == {}
