"""An object behind an address, read by ranges: HTTPS, and S3 with it.

The object must not change between reads: every range is asked for with the version that the first answer named (ETag,
`If-Range`, RFC 9110 section 13.1.5), and an answer of another version ends the scan. A server that names no strong
version, or gives no ranges, is asked once for the whole. Connections are direct (no proxy), certificates are verified.

Addresses: the one that is given may lie anywhere, as the user's own word. A redirect may not lead from a public host to
one inside (loopback, private, link-local: such as a cloud's metadata service), nor from https to http; plain http is
only spoken to hosts inside. Names are resolved once per connection, and that address is connected to.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import itertools
import re
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shipworthy.artifacts import s3
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.modelfile.far import Blocks, FarView
from shipworthy.modelfile.view import Spool, View

_REDIRECTS = 5
_STEP = 1 << 20
_DIRECT = ", or download it and scan that: connections are direct, the proxy of the environment is not used"
_SPOOL = 64 << 20
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_MOVED = frozenset((301, 302, 303, 307, 308))


@dataclass(frozen=True)
class Bounds:
    """What reading may cost: bytes in all, seconds in all, seconds without an answer, requests. What has at most
    `whole` bytes is read whole: ranges of it would save nothing and leave some of it unseen."""

    bytes: int = 16 << 30
    seconds: float = 900.0
    silence: float = 30.0
    requests: int = 50_000
    whole: int = 16 << 20


DEFAULT_BOUNDS = Bounds()


def shown(uri: str) -> str:
    """The address without what may be a secret: user, query (signed links), fragment."""
    return re.sub(r"(?<=://)[^/@]*@", "", re.split(r"[?#]", uri, maxsplit=1)[0])


class RemoteFile:
    """One object. `view` reads it by ranges; `digest` is known (`sha256:…`) only once the whole was read in one piece;
    `received` counts the bytes of all answers.
    """

    def __init__(self, uri: str, env: Mapping[str, str], bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """Ask for the first bytes. Raises UsageError for what is no address, EnvironmentFailure for what can't be read
        or changes while it is.
        """
        self.uri, self._bounds, self.received, self.requests = shown(uri), bounds, 0, 0
        self._deadline = time.monotonic() + bounds.seconds
        self._watch = threading.Timer(max(bounds.seconds, 0.0), self._hang_up)
        self._watch.daemon = True
        self._sock: socket.socket | None = None
        self._proxy = any(env.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"))
        self._key = s3.credentials(env) if uri.lower().startswith("s3://") else None
        self._url = s3.address(uri, env) if uri.lower().startswith("s3://") else uri
        self._current = self._url
        self._inside: bool | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._connected = ""
        self.digest, self.size, self._etag = "", 0, ""
        self._whole: View | None = None
        self.head = b""
        self._answer: http.client.HTTPResponse | None = None
        self._watch.start()
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise

    @property
    def view(self) -> View:
        """The bytes, near or far."""
        return self._whole if self._whole is not None else FarView(Blocks(self, self.head))

    def get(self, low: int, high: int) -> bytes:
        """The bytes [low, high), in one request."""
        return b"".join(self._range(low, high))

    @property
    def lazy(self) -> bool:
        """Whether ranges are fetched when they are asked for; if not, the whole is here."""
        return self._whole is None

    def near(self, low: int, high: int) -> View:
        """Many bytes, spooled."""
        spool = Spool(_SPOOL)
        for data in self.stream(low, high):
            spool.write(data)
        return spool.view()

    def stream(self, low: int, high: int) -> Iterator[bytes]:
        """The bytes [low, high), in pieces. The whole gets its digest on the way."""
        digest = hashlib.sha256()
        for data in self._range(low, high):
            digest.update(data)
            yield data
        if (low, high) == (0, self.size):
            self.digest = f"sha256:{digest.hexdigest()}"

    def close(self) -> None:
        """End the connection."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.cancel()
        self.close()

    def _hang_up(self) -> None:
        """Time is over. A server that sends a byte now and then never keeps silent long enough to be noticed."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    def _open(self) -> None:
        answer = self._ask({"Range": f"bytes=0-{(16 << 10) - 1}"})
        place = _RANGE.fullmatch(answer.getheader("Content-Range") or "")
        etag = answer.getheader("ETag") or ""
        if answer.status == 206 and place and place[1] == "0" and etag.startswith('"'):
            self.size, self._etag = int(place[3]), etag
            self.head = b"".join(self._body(answer, int(place[2]) + 1))
            if self.size <= self._bounds.whole:
                self._keep(itertools.chain((self.head,), self._range(len(self.head), self.size)))
            return
        if answer.status == 206:  # no version to hold on to: one answer is of one version
            self.close()
            answer = self._ask({})
        if answer.status == 416:  # an empty object has no range
            self.close()
            answer = self._ask({})
        if answer.status != 200:
            raise self._refused(answer)
        self._take(answer)

    def _take(self, answer: http.client.HTTPResponse) -> None:
        """The whole, from one answer."""
        declared = answer.getheader("Content-Length") or ""
        size = int(declared) if declared.isdigit() and len(declared) < 19 else None
        self._keep(self._body(answer, size))

    def _keep(self, pieces: Iterable[bytes]) -> None:
        spool, digest = Spool(_SPOOL), hashlib.sha256()
        for data in pieces:
            spool.write(data)
            digest.update(data)
        self._whole, self.size, self.digest = spool.view(), spool.size, f"sha256:{digest.hexdigest()}"

    def _range(self, low: int, high: int) -> Iterator[bytes]:
        if self._whole is not None:
            for at in range(low, high, _STEP):
                yield self._whole.read(at, min(_STEP, high - at))
            return
        if high <= low:
            return
        answer = self._ask({"Range": f"bytes={low}-{high - 1}", "If-Range": self._etag})
        place = _RANGE.fullmatch(answer.getheader("Content-Range") or "")
        if answer.status in (200, 412) or (answer.status == 206 and answer.getheader("ETag") != self._etag):
            raise self._failure("it changed while it was read", "scan it again, or a version that stays as it is")
        if answer.status != 206:
            raise self._refused(answer)
        if not place or [int(n) for n in place.groups()] != [low, high - 1, self.size]:
            raise self._failure("the server answered with another range than asked for", "download it and scan that")
        yield from self._body(answer, high - low)

    def _body(self, answer: http.client.HTTPResponse, size: int | None) -> Iterator[bytes]:
        """The body, exactly `size` bytes if that is known."""
        if (answer.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise self._failure("the server changes the bytes (Content-Encoding)", "download it and scan that")
        got = 0
        if size is not None and self.received + size > self._bounds.bytes:
            raise self._too_large()
        try:
            while data := answer.read1(_STEP if size is None else min(_STEP, size - got)):
                got += len(data)
                self.received += len(data)
                if self.received > self._bounds.bytes:
                    raise self._too_large()
                self._check_time()
                yield data
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._check_time()
            raise self._failure(f"the connection broke: {_text(error)}", "try again") from None
        if size is not None and got != size:
            self._check_time()
            raise self._failure(f"cut short: {got} of {size} bytes", "try again")
        if answer.length == 0:
            answer.close()  # which `read1` leaves open: the next request would be sent, refused and sent again

    def _ask(self, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """The answer to a GET, redirects followed."""
        url = self._current
        for _ in range(_REDIRECTS + 1):
            answer = self._send(url, headers)
            if answer.status not in _MOVED:
                self._current = url
                return answer
            target = urllib.parse.urljoin(url, answer.getheader("Location") or "")
            old, new = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
            if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme != "https"):
                raise self._failure(f"redirected to {ascii(new.scheme)[1:-1][:20]}:", "give the address it leads to")
            self.close()
            url = target
        raise self._failure(f"more than {_REDIRECTS} redirects", "give the address that they lead to")

    def _send(self, url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        self.requests += 1
        if self.requests > self._bounds.requests:
            raise self._failure(f"more than {self._bounds.requests} requests", "download it and scan that")
        self._check_time()
        parts = urllib.parse.urlsplit(url)
        given = {"Accept-Encoding": "identity", "User-Agent": "shipworthy", **headers}
        origin = f"{parts.scheme}://{parts.netloc}"
        first = origin == f"{urllib.parse.urlsplit(self._url).scheme}://{urllib.parse.urlsplit(self._url).netloc}"
        if self._key is not None and first:  # another host gets no signature
            given = s3.signed(url, given, self._key)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._answer is not None and not self._answer.isclosed():
            self.close()  # left before its end
        for again in (True, False):
            fresh = self._connection is None or self._connected != origin
            try:
                connection = self._connect(parts, origin)
                connection.request("GET", path, headers=given)
                self._answer = connection.getresponse()
                return self._answer
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.close()
                self._check_time()
                if fresh or not again:  # a connection that was kept may have been closed meanwhile
                    remedy = "check address and network" + (_DIRECT if self._proxy else "")
                    raise self._failure(f"cannot be reached: {_text(error)}", remedy) from None
        raise AssertionError

    def _connect(self, parts: urllib.parse.SplitResult, origin: str) -> http.client.HTTPConnection:
        if self._connection is not None and self._connected == origin:
            return self._connection
        self.close()
        host = parts.hostname
        if not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
            raise UsageError(
                "this is no address that can be read",
                where=self.uri,
                remedy="write https://host/path, without user and password, or s3://bucket/key",
            )
        port = parts.port or (443 if parts.scheme == "https" else 80)
        addresses = self._resolve(host, port, parts.scheme)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=self._bounds.silence)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._bounds.silence)
        sock = self._sock = self._socket(addresses, port)
        if parts.scheme == "https":
            sock = self._sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection.sock = sock
        self._connection, self._connected = connection, origin
        return connection

    def _socket(self, addresses: list[str], port: int) -> socket.socket:
        for number, address in enumerate(addresses, 1):
            try:
                return socket.create_connection((address, port), self._bounds.silence)
            except OSError:
                if number == len(addresses):
                    raise
        raise OSError("the name has no address")

    def _resolve(self, host: str, port: int, scheme: str) -> list[str]:
        """The addresses to connect to. Raises EnvironmentFailure for one that the rules forbid."""
        found = [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        outside = any(ipaddress.ip_address(text.partition("%")[0]).is_global for text in found)
        if self._inside is None:
            self._inside = not outside
        inside = not all(ipaddress.ip_address(text.partition("%")[0]).is_global for text in found)
        if inside and not self._inside:
            raise self._failure(f"redirected to {host}, a host inside of the network", "give that address itself")
        if scheme == "http" and outside:
            raise self._failure("plain http: anybody on the way can exchange what is read", "use https")
        return list(dict.fromkeys(found))

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise self._failure(f"not read within {self._bounds.seconds:g} seconds", "download it and scan that")

    def _too_large(self) -> EnvironmentFailure:
        return self._failure(
            f"more than {self._bounds.bytes} bytes would have to be read", "download it and scan the file"
        )

    def _refused(self, answer: http.client.HTTPResponse) -> EnvironmentFailure:
        words = {401: "it needs a login", 403: "access is denied", 404: "there is no such object"}
        told = words.get(answer.status, "the server does not give it")
        if answer.status >= 500:  # the address may well be right
            return self._failure(f"the server failed (HTTP {answer.status})", "try again later")
        remedy = "check the address" + (", and the AWS_ variables with the access key" if self._key else "")
        return self._failure(f"{told} (HTTP {answer.status})", remedy)

    def _failure(self, message: str, remedy: str) -> EnvironmentFailure:
        return EnvironmentFailure(message, where=self.uri, remedy=remedy)


def _text(error: Exception) -> str:
    return ascii(str(getattr(error, "strerror", None) or error or type(error).__name__))[1:-1][:200]
