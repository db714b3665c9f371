"""An HTTP/1.1 client for hostile services: one address, hard limits, and requests that are not well-formed.

One request is one connection. Everything is bounded: the time of a request from its first byte to its last, the bytes
of an answer, all requests and all time together. Redirects are told and never followed. (RFC 9112, RFC 9110.)
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shipworthy.checks.services._service import LOOPBACK, ServiceInfo, Unreadable
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

LARGEST_BODY = 1_000_000  # bytes kept of an answer; the rest is not read
_LARGEST_HEAD = 65_536
_MOST_HEADERS = 200
_STATUS = regex(rb"HTTP/1\.[01] ([1-5]\d\d)(?: ([^\r\n]*))?")
_TOKEN = regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Silent(Exception):
    """There was no answer. `how`: `refused`, `closed`, `timeout`, `broken` (not HTTP) or `unreachable`."""

    def __init__(self, how: str, detail: str = "") -> None:
        super().__init__(detail or how)
        self.how = how


class Spent(Exception):
    """The requests or the time that the check may use are used up."""


@dataclass(frozen=True)
class Request:
    """What is sent. `target` is a path with query; `headers` are sent as they are, line breaks and all; `said` is how a
    finding names the request."""

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __post_init__(self) -> None:
        if not self.target.startswith("/"):
            raise ValueError("the target of a request is a path of the service")

    def with_headers(self, *headers: tuple[str, str]) -> Request:
        """The request with these headers instead of its own of the same names."""
        names = {name.lower() for name, _ in headers}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return Request(self.method, self.target, (*kept, *headers), self.body)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Answer:
    """What came back. `seconds` is from the connection to the last byte; `cut`: there was more than is kept, or it did
    not come in time."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    cut: bool = False

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a header."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def header(self, name: str) -> str:
        """The header's values, joined with commas; empty when it is not there."""
        return ", ".join(self.all(name))

    @property
    def text(self) -> str:
        """The body as text, undecodable bytes replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass
class Budget:
    """How many requests and seconds are left."""

    requests: int
    seconds: float
    until: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.seconds

    def take(self) -> None:
        """Use one request. Raises Spent."""
        self.requests -= 1
        if self.requests < 0:
            raise Spent("the requests that [checks.<name>] allows are used up")
        if time.monotonic() > self.until:
            raise Spent("the time that [checks.<name>] allows is over")

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.05, self.until - time.monotonic())


class Client:
    """Sends requests to one service. `each` is the limit of one request in seconds."""

    def __init__(self, info: ServiceInfo, budget: Budget, each: float = 10.0) -> None:
        self.info, self.budget, self.each = info, budget, each
        self._address = _address(info)

    def send(self, request: Request, limit: float = 0.0) -> Answer:
        """The answer to a request. Raises Silent when there is none, Spent when no more may be asked."""
        return self.raw(self.bytes_of(request), limit, head=request.method == "HEAD")

    def bytes_of(self, request: Request) -> bytes:
        """The request as it is sent. What it does not say itself is added: host, length, credentials."""
        have = {name.lower() for name, _ in request.headers}
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        if "host" not in have:
            lines.append(f"Host: {self.host}")
        if self.info.credentials and "authorization" not in have:
            lines.append(f"Authorization: {self.info.credentials}")
        if "user-agent" not in have:
            lines.append("User-Agent: Mozilla/5.0 (X11; Linux x86_64)")  # a service must not know that it is tested
        lines += [f"{name}: {value}" for name, value in request.headers]
        framed = "content-length" in have or "transfer-encoding" in have
        if not framed and (request.body or request.method in ("POST", "PUT", "PATCH")):
            lines.append(f"Content-Length: {len(request.body)}")
        if "connection" not in have:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + request.body

    @property
    def host(self) -> str:
        """The value of the Host header."""
        name = f"[{self.info.host}]" if ":" in self.info.host else self.info.host
        return f"{name}:{self.info.port}"

    def raw(self, data: bytes | Iterable[bytes], limit: float = 0.0, *, head: bool = False) -> Answer:
        """The answer to these bytes; several pieces are sent one by one. Raises as `send` does."""
        self.budget.take()
        started = time.monotonic()
        deadline = started + min(limit or self.each, self.budget.left)
        with self._connect(deadline) as wire:
            closed = _write(wire, (data,) if isinstance(data, bytes) else data, deadline)
            try:
                return _Reader(wire, deadline).answer(started, head)
            except Silent as silent:
                raise Silent("closed", str(closed)) if closed and silent.how == "closed" else silent from None

    def connect(self, limit: float = 0.0) -> socket.socket:
        """A connection to the service, for who speaks for themselves. Raises Silent or Spent."""
        self.budget.take()
        return self._connect(time.monotonic() + min(limit or self.each, self.budget.left))

    def plain(self, limit: float = 0.0) -> socket.socket:
        """A connection without TLS, also where the address is one of TLS. Raises Silent or Spent."""
        self.budget.take()
        return self._connect(time.monotonic() + min(limit or self.each, self.budget.left), secure=False)

    def _connect(self, deadline: float, *, secure: bool = True) -> socket.socket:
        family, address = self._address
        wire = socket.socket(family, socket.SOCK_STREAM)
        wire.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            wire.connect(address)
            return self._secured(wire) if self.info.secure and secure else wire
        except TimeoutError:
            wire.close()
            raise Silent("timeout", "no connection in time") from None
        except (OSError, ValueError) as error:
            wire.close()
            how = "refused" if isinstance(error, ConnectionRefusedError | FileNotFoundError) else "unreachable"
            raise Silent(how, type(error).__name__) from None

    def _secured(self, wire: socket.socket) -> socket.socket:
        """What the certificate is worth is the business of the check `tls`; the others test what is behind it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(wire, server_hostname=self.info.host)


def _address(info: ServiceInfo) -> tuple[int, Any]:
    """Where all connections go: decided once, so that no answer and no name service can lead elsewhere."""
    if info.socket:
        if not Path(info.socket).is_absolute():
            raise Unreadable("`socket` must be an absolute path")
        return socket.AF_UNIX, info.socket
    try:
        found = socket.getaddrinfo(info.host, info.port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unreadable(f"the host {info.host[:60]!r} has no address") from None
    family, _, _, _, address = found[0]
    if info.environment == "test" and address[0] not in LOOPBACK:
        raise Unreadable("a service under test is attacked on the loopback address only")
    return family, address


def _write(wire: socket.socket, pieces: Iterable[bytes], deadline: float) -> OSError | None:
    """Send all; a service may answer and close before it has read everything: that is told, not raised."""
    try:
        for piece in pieces:
            wire.settimeout(max(0.01, deadline - time.monotonic()))
            wire.sendall(piece)
    except OSError as error:
        return error
    return None


class _Reader:
    """Reads one answer from a socket, within a deadline."""

    def __init__(self, wire: socket.socket, deadline: float) -> None:
        self.wire, self.deadline, self.held = wire, deadline, b""
        self.ended = self.late = False

    def answer(self, started: float, head: bool) -> Answer:
        status, headers = self._head()
        while status in (100, 102, 103):
            status, headers = self._head()
        named: Mapping[str, str] = {name.lower(): value for name, value in headers}
        if head or status in (101, 204, 304):
            body, cut = b"", False
        elif "chunked" in named.get("transfer-encoding", "").lower():
            body, cut = self._chunks()
        elif (length := named.get("content-length", "")) and length.isascii() and length.isdigit():
            wanted = int(length[:12])
            body = self._exactly(min(wanted, LARGEST_BODY))
            cut = len(body) < wanted
        else:
            body = self._exactly(LARGEST_BODY)
            cut = self.late or len(body) >= LARGEST_BODY
        return Answer(status, headers, body, time.monotonic() - started, cut)

    def _more(self) -> bool:
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.late = True
            return False
        self.wire.settimeout(left)
        try:
            got = self.wire.recv(65_536)
        except (TimeoutError, ssl.SSLWantReadError):
            self.late = True
            return False
        except OSError:
            got = b""
        self.ended = not got
        self.held += got
        return bool(got)

    def _head(self) -> tuple[int, tuple[tuple[str, str], ...]]:
        while b"\r\n\r\n" not in self.held and b"\n\n" not in self.held:
            if len(self.held) > _LARGEST_HEAD:
                raise Silent("broken", "its head does not end")
            if not self._more():
                if self.late:
                    raise Silent("timeout", "no answer in time")
                raise Silent("broken" if self.held else "closed", "closed within the head" if self.held else "")
        ends = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := self.held.find(mark)) >= 0]
        at, size = min(ends)
        lines, self.held = self.held[:at].split(b"\n"), self.held[at + size :]
        match = _STATUS.match(lines[0].rstrip(b"\r"))
        if match is None or len(lines) > _MOST_HEADERS:
            raise Silent("broken", "the answer is not HTTP/1.1")
        pairs = []
        for line in lines[1:]:
            name, colon, value = line.decode("latin-1").rstrip("\r").partition(":")
            if colon and _TOKEN.fullmatch(name):
                pairs.append((name, value.strip()))
        return int(match[1]), tuple(pairs)

    def _exactly(self, size: int) -> bytes:
        while len(self.held) < size and self._more():
            pass
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    def _line(self) -> bytes | None:
        while b"\n" not in self.held:
            if len(self.held) > 4096 or not self._more():
                return None
        line, _, self.held = self.held.partition(b"\n")
        return line.strip()

    def _chunks(self) -> tuple[bytes, bool]:
        body = bytearray()
        while len(body) < LARGEST_BODY:
            line = self._line()
            if line is None:
                return bytes(body), True
            with contextlib.suppress(ValueError):
                size = int(line.partition(b";")[0][:8] or b"x", 16)
                if size == 0:
                    return bytes(body), False
                part = self._exactly(min(size, LARGEST_BODY))
                body += part
                if len(part) == size and self._line() is not None:
                    continue
            return bytes(body), True
        return bytes(body), True
