"""HTTP for a registry that nobody vouches for: bounded heads and bodies, no drip for ever, no redirect unseen.

One request is one `Wire.send`; what to retry and where to follow is for the caller (`_registry`).
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from shipworthy.errors import EnvironmentFailure
from shipworthy.patterns import regex

BLOCK = 1024 * 1024
HEAD_LIMIT = 256 * 1024
"""Bytes of status lines and headers of one answer, interim answers counted in."""
PATIENCE = 60.0
"""Seconds for which the other side may say nothing, and in which it may be as slow as it likes."""
SLOWEST = 1024
"""Bytes per second that an answer must reach on average once it took longer than PATIENCE."""
_HOST = regex(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")


class BrokenError(Exception):
    """The network failed in the middle: the same request may work when it is sent again."""


@dataclass(frozen=True)
class Origin:
    """A scheme, a host and a port: what credentials belong to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        usual = self.port == (443 if self.scheme == "https" else 80)
        return self.host if usual else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the name means this machine; what it resolves to is looked at when it is connected to."""
        return self.host == "localhost" or _is_loopback(self.host.strip("[]"))


def split_url(url: str, base: str = "") -> tuple[Origin, str]:
    """The origin of an address and what to ask there. Raises ValueError for anything but plain http(s) addresses."""
    if len(url) > 8192 or not url.isascii() or any(char <= " " or char == "\x7f" for char in url):
        raise ValueError("not an address")
    parts = urlsplit(urljoin(base, url) if base else url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or "@" in parts.netloc:
        raise ValueError("not an address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(parts.scheme, host, port), target


class _Paced(io.RawIOBase):
    """The bytes of an answer as they come, with the limits that the other side must keep."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._begun, self._count, self._patience = time.monotonic(), 0, sock.gettimeout() or PATIENCE
        self.in_head = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        spent = time.monotonic() - self._begun
        if spent > self._patience + self._count / SLOWEST:
            raise TimeoutError("it answers too slowly")
        count = self._raw.readinto(buffer) or 0
        self._count += count
        if self.in_head and self._count > HEAD_LIMIT:
            raise http.client.HTTPException("endless headers")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """An answer whose head is read; its body is read through `blocks` or `small`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._paced = _Paced(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._paced, 65536)

    def begin(self) -> None:
        super().begin()
        self._paced.in_head = False

    def small(self, limit: int) -> bytes:
        """The whole body. Raises EnvironmentFailure when it is longer than `limit` bytes, BrokenError."""
        with _network():
            expected = self.length
            data = self.read(limit + 1)
        if len(data) > limit:
            raise EnvironmentFailure(f"the answer is longer than {limit} bytes")
        if expected is not None and len(data) < expected:
            raise BrokenError("the answer broke off")
        return data

    def block(self) -> bytes:
        """The next bytes of the body; none at its end. Raises BrokenError."""
        with _network():
            return self.read1(BLOCK)


class _Plain(http.client.HTTPConnection):
    response_class = Answer


class _Secure(http.client.HTTPSConnection):
    response_class = Answer


class Wire:
    """Connections to some origins, one each, kept open. Not for several threads."""

    def __init__(self, ca_file: str = "", plain_hosts: Iterable[str] = ()) -> None:
        self._ca_file, self._plain_hosts = ca_file, frozenset(plain_hosts)
        self._open: dict[Origin, http.client.HTTPConnection] = {}
        self._context: ssl.SSLContext | None = None

    def send(
        self,
        origin: Origin,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Iterable[bytes] | None = None,
        *,
        public_only: bool = False,
        patience: float = 0,
    ) -> Answer:
        """Ask once; `body` needs a Content-Length among the headers. With `public_only`, nothing is sent to an address
        of a private network. `patience`: seconds to wait for the answer beyond the usual. Raises BrokenError, and
        EnvironmentFailure for what another try does not change.
        """
        if body is None and method in {"POST", "PUT", "PATCH"}:
            headers = {**headers, "Content-Length": "0"}
        try:
            with _network():
                connection = self._connected(origin, public_only)
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                for block in body or ():
                    connection.send(block)
                connection.sock.settimeout(PATIENCE + patience)
                answer: Answer = connection.getresponse()  # type: ignore[assignment]  # its response_class
        except BaseException:
            self.drop(origin)
            raise
        return answer

    def drop(self, origin: Origin) -> None:
        """Close the connection: what is on its way there is not wanted any more."""
        if connection := self._open.pop(origin, None):
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        for origin in tuple(self._open):
            self.drop(origin)

    def __del__(self) -> None:  # a store has no end that its users would have to tell
        self.close()

    def done(self, origin: Origin, answer: Answer) -> None:
        """An answer is not read any further; its connection is kept when nothing more comes on it."""
        if not answer.isclosed():
            answer.close()
            self.drop(origin)

    def _connected(self, origin: Origin, public_only: bool) -> http.client.HTTPConnection:
        connection = self._open.get(origin)
        if connection is None or connection.sock is None:
            connection = self._open[origin] = self._connect(origin)
        connection.sock.settimeout(PATIENCE)
        peer = ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0])
        if origin.scheme == "http" and origin.loopback and not peer.is_loopback:
            raise EnvironmentFailure("the name of this machine leads to another one", where=str(origin))
        if public_only and not peer.is_global:
            raise EnvironmentFailure(
                "refused to follow a redirect into a private network",
                where=str(origin),
                remedy="if the registry keeps its blobs there, name the host in `redirect-to`",
            )
        return connection

    def _connect(self, origin: Origin) -> http.client.HTTPConnection:
        if origin.scheme == "http" and not origin.loopback and str(origin) not in self._plain_hosts:
            raise EnvironmentFailure(
                "refused to speak http without TLS",
                where=str(origin),
                remedy="use https; on a network that is trusted, `plain-http = true` for this registry",
            )
        host = origin.host.strip("[]")
        connection: http.client.HTTPConnection
        if origin.scheme == "https":
            connection = _Secure(host, origin.port, timeout=PATIENCE, context=self._tls())
        else:
            connection = _Plain(host, origin.port, timeout=PATIENCE)
        connection.connect()
        return connection

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            try:
                self._context = ssl.create_default_context(cafile=self._ca_file or None)
            except (OSError, ssl.SSLError) as error:
                raise EnvironmentFailure(
                    f"the certificate authority's file cannot be read: {error.strerror or 'not PEM'}",
                    where=self._ca_file,
                ) from None
        return self._context


class _network:  # noqa: N801  read as a statement
    """Tells failures of the network from those that come again."""

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise EnvironmentFailure(
                f"its certificate is not trusted: {error.verify_message}",
                remedy="name its certificate authority: `ca-file` for this registry",
            ) from None
        if isinstance(error, (http.client.IncompleteRead, http.client.RemoteDisconnected)):
            raise BrokenError("the connection broke off") from None
        if isinstance(error, OSError):
            raise BrokenError(_reason(error)) from None
        if isinstance(error, (http.client.HTTPException, ValueError)):
            raise EnvironmentFailure("it does not speak HTTP as it should") from None


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return (error.strerror or type(error).__name__).lower()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
