"""HTTP for addresses that anybody may have written: only public hosts (looked at after resolving, and after each
redirect), bounded bytes and time, one request at a time for a host, robots.txt, Retry-After."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from shipworthy import __version__

PRODUCT = "shipworthy-link-check"
_BODY = 64 * 1024  # bytes of a page that are read at most
_ROBOTS = 500 * 1024  # RFC 9309 asks for at least that
_REDIRECTS = 6
_LONGEST_WAIT = 120.0  # seconds that are waited because a server asks for it
_PORTS = frozenset({80, 443, 8080, 8443})  # a redirect could have us talk to any service of anybody
_TRY_GET = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 500, 501, 503})  # what some answer to HEAD alone


# Of IPv6, what Python's own table calls public and is not: local NAT64, documentation, segment routing, site-local; and
# the networks whose last 32 bits are an IPv4 address (NAT64, translated, compatible).
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10")))
_CARRIES_V4 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))


class NotPublicError(Exception):
    """The address leads to this machine or to a network that is not everybody's."""


class UnreachableError(Exception):
    """No answer: no such name, no connection, no TLS, too slow, broken."""


class ForbiddenError(Exception):
    """robots.txt asks not to be visited there, or cannot be read."""


@dataclass(frozen=True)
class Answer:
    """Status and body (cut at a limit) of the last answer; `url` is where it came from, and `permanent` says whether
    every redirect on the way was one for ever."""

    status: int
    url: str
    permanent: bool
    body: bytes = b""


class Client:
    """Asks politely. `delay` is the time between two requests to a host, in seconds; `allowed` are IP addresses that
    may be asked although they are not public, for tests; `sleep` waits."""

    def __init__(
        self,
        contact: str,
        *,
        delay: float = 1.0,
        timeout: float = 20.0,
        allowed: frozenset[str] = frozenset(),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.agent = f"{PRODUCT}/{__version__} (+{contact})"
        self._delay, self._timeout, self._allowed, self._sleep = delay, timeout, allowed, sleep
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._last: dict[str, float] = {}
        self._robots: dict[str, RobotFileParser | None] = {}
        self._guard = threading.Lock()

    def ask(self, url: str) -> Answer:
        """Whether it is there: HEAD, and GET where HEAD is not answered well. Raises NotPublicError, UnreachableError,
        ForbiddenError."""
        answer = self._followed("HEAD", url)
        return self._followed("GET", url) if answer.status in _TRY_GET else answer

    def page(self, url: str) -> Answer:
        """The first bytes of a page. Raises as `ask` does."""
        return self._followed("GET", url)

    def _followed(self, method: str, url: str) -> Answer:
        permanent = True
        for _ in range(_REDIRECTS):
            self._may(url)
            status, headers, body = self._patient(method, url)
            to = headers.get("location", "")
            if status not in (301, 302, 303, 307, 308) or not to:
                return Answer(status, url, permanent, body)
            permanent = permanent and status in (301, 308)
            url = _joined(url, to)
        raise UnreachableError("it redirects in a circle")

    def _may(self, url: str) -> None:
        """Raises ForbiddenError where robots.txt forbids it. (RFC 9309: what cannot be read for the server's fault
        forbids all, what is not there forbids nothing.)"""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._guard:
            known = origin in self._robots
        if not known:
            read = self._read_robots(origin)
            with self._guard:
                self._robots[origin] = read
        rules = self._robots[origin]
        if rules is None:
            raise ForbiddenError("its robots.txt cannot be read just now")
        try:
            allowed = rules.can_fetch(PRODUCT, url)
        except ValueError:
            raise UnreachableError("it is no address") from None
        if not allowed:
            raise ForbiddenError("its robots.txt asks not to")

    def _read_robots(self, origin: str) -> RobotFileParser | None:
        rules, url = RobotFileParser(), f"{origin}/robots.txt"
        for _ in range(_REDIRECTS):
            status, headers, body = self._patient("GET", url, _ROBOTS)
            if status not in (301, 302, 303, 307, 308) or "location" not in headers:
                break
            url = _joined(url, headers["location"])
        if status >= 500 or status == 429:
            return None
        try:
            rules.parse(body.decode("utf-8", "replace").splitlines() if status == 200 else [])
        except ValueError:  # the parser fails at addresses and numbers that are none
            return None
        rules.modified()
        return rules

    def _patient(self, method: str, url: str, limit: int = _BODY) -> tuple[int, dict[str, str], bytes]:
        """One answer; once more after a pause, when the server asks for that or the connection broke."""
        for attempt in range(3):
            try:
                status, headers, body = self._once(method, url, limit)
            except UnreachableError:
                if attempt == 2:
                    raise
                self._sleep(2.0 * 2**attempt)
                continue
            wait = _wanted(headers.get("retry-after", ""), 2.0 * 2**attempt)
            if status not in (429, 503) or attempt == 2 or wait > _LONGEST_WAIT:
                break
            self._sleep(wait)
        return status, headers, body

    def _once(self, method: str, url: str, limit: int) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise UnreachableError("it is no address") from None
        host = (parts.hostname or "").lower()
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            raise NotPublicError(f"it is no web address: {url[:200]}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if any(char <= " " or char > "~" for char in target):
            raise UnreachableError("it holds characters that addresses do not have")
        with self._guard:
            lock = self._locks[host]
        with lock:
            self._sleep(max(0.0, self._last.get(host, 0.0) + self._delay - time.monotonic()))
            try:
                return self._sent(method, parts.scheme, host, port, target, limit)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise UnreachableError(_told(error)) from None
            finally:
                self._last[host] = time.monotonic()

    def _sent(
        self, method: str, scheme: str, host: str, port: int | None, target: str, limit: int
    ) -> tuple[int, dict[str, str], bytes]:
        number = port or (443 if scheme == "https" else 80)
        address = self._public(host, number)
        if number not in _PORTS and address not in self._allowed:
            raise NotPublicError(f"port {number} is none of the web's")
        wire = socket.create_connection((address, number), self._timeout)
        if scheme == "https":
            plain, context = wire, ssl.create_default_context()
            wire = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        end = threading.Timer(3 * self._timeout, _hang_up, [wire])  # for one that says a byte now and then
        end.daemon = True
        end.start()
        connection = http.client.HTTPConnection(host, number, timeout=self._timeout)
        try:
            if isinstance(wire, ssl.SSLSocket):
                wire.do_handshake()
            connection.sock = wire
            connection.request(
                method, target, headers={"User-Agent": self.agent, "Accept": "*/*", "Connection": "close"}
            )
            answer = connection.getresponse()
            body = b""
            while method == "GET" and len(body) < limit:
                block = answer.read1(min(8192, limit - len(body)))
                if not block:
                    break
                body += block
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        finally:
            end.cancel()
            connection.close()
            wire.close()

    def _public(self, host: str, port: int) -> str:
        """The address to connect to: that which was looked at, not what the name means a moment later."""
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for one in found:
            if one not in self._allowed and not is_public(one):
                raise NotPublicError(f"{host} is {one}, which is not public")
        return found[0]


def _joined(url: str, to: str) -> str:
    try:
        return urljoin(url, to)
    except ValueError:
        raise UnreachableError("it redirects to what is no address") from None


def _hang_up(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(wire, socket.SHUT_RDWR)  # of TLS, too, without its farewell


def is_public(address: str) -> bool:
    """May everybody reach it: no loopback, private, link-local, shared, reserved or multicast address, and none that
    carries such an IPv4 address within."""
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):
        if any(one in network for network in _NOT_PUBLIC):
            return False
        inner = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if inner is None and any(one in network for network in _CARRIES_V4):
            inner = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return one.is_global and not one.is_multicast


def _wanted(text: str, usual: float) -> float:
    """Seconds that a Retry-After asks for: a number, or a date."""
    import email.utils

    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return usual


def _told(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason or 'failed'}"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
