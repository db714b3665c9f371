"""Attacks on the guard's proxy: by clients that send or read oddly, and by the service behind it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipworthy.guard.runtime.core import Guard
from shipworthy.guard.runtime.policy import Limits, Policy
from test_guard_proxy import HEAD, Service, guarded, service

__all__ = ["service"]

UNDERSCORES = (
    b"X_Forwarded_For: 10.0.0.1",
    b"X-Forwarded_For: 10.0.0.1",
    b"Content_Length: 40",
    b"Transfer_Encoding: chunked",
    b"X_Real_IP: 10.0.0.1",
    b"Forwarded_: for=10.0.0.1",
)


@pytest.mark.parametrize("header", UNDERSCORES)
def test_a_header_that_a_service_takes_for_another_does_not_reach_it(
    tmp_path: Path, service: int, header: bytes
) -> None:
    """CGI, WSGI and their like know no difference between `-` and `_`."""
    with guarded(tmp_path, service) as guard:
        got = guard.send(HEAD + header + b"\r\nX-Other: 2\r\nContent-Length: 2\r\n\r\n{}")
    assert got.startswith(b"HTTP/1.1 200")
    (seen,) = Service.seen
    assert not [name for name in seen[2] if "_" in name]
    assert seen[2]["x-other"] == "2"


def test_a_client_that_reads_nothing_is_cut(tmp_path: Path, service: int) -> None:
    with guarded(tmp_path, service, "--answers", "off", "--seconds", "1") as guard:
        folder = Path(f"/proc/{guard.process.pid}/fd")
        before = len(os.listdir(folder))
        stuck = []
        for _ in range(20):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", guard.port))
            one.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            stuck.append(one)
        end = time.monotonic() + 12
        while time.monotonic() < end and len(os.listdir(folder)) > before + 8:
            time.sleep(0.2)
        assert len(os.listdir(folder)) <= before + 8  # of these a few may be kept connections to the service
        for one in stuck:
            one.close()
        assert guard.post()[0] == 200


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A service that answers each request of a connection with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with connection:
            for answer in answers:
                data = b""
                while b"\r\n\r\n" not in data:
                    if not (part := connection.recv(65536)):
                        return
                    data += part
                connection.sendall(answer)
            time.sleep(1)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n"
STALE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nSet-Cookie: of=another\r\n\r\nstolen"


@pytest.mark.parametrize(
    ("method", "first"),
    [
        (b"GET", OK + b"mine" + STALE),
        (b"HEAD", OK + STALE),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n" + STALE),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n" + STALE),
        (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n" + STALE),
    ],
)
def test_what_a_service_says_too_much_is_nobody_elses_answer(tmp_path: Path, method: bytes, first: bytes) -> None:
    with answering(first, OK + b"next") as port, guarded(tmp_path, port) as guard:
        guard.send(method + b" /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(3):
            got = guard.send(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"stolen" not in got.split(b"\r\n\r\n", 1)[-1] or got.count(b"HTTP/1.1 200") == 2
            assert not got.endswith(b"\r\n\r\nstolen")


ANSWERS = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\nmineevil!",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": b"HTTP/1.1 200 OK\nContent-Length: 4\n\nmine",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: 1\r\n Y: 2\r\nContent-Length: 4\r\n\r\nmine",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 4\r\n\r\nmine",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 50_000,
    "endless informational answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 200_000,
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_is_none_is_told_and_breaks_nothing(tmp_path: Path, what: str) -> None:
    with answering(ANSWERS[what]) as port, guarded(tmp_path, port, "--seconds", "2") as guard:
        got = guard.send(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert got.startswith((b"HTTP/1.1 502", b"HTTP/1.1 504")), got[:100]
        assert guard.process.poll() is None


def test_the_header_that_names_a_client_is_there_once() -> None:
    """With two, the service may go by one and the guard by the other."""
    guard = Guard(Policy(client_header="x-api-key", limits=Limits(rate=1, burst=1)))
    one = guard.client("1.2.3.4", (("x-api-key", "real"),))
    assert guard.client("1.2.3.4", (("x-api-key", "real"), ("x-api-key", "random"))) == "1.2.3.4"
    assert one.startswith("key:")
