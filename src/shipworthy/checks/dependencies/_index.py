"""The network, for those who ask for it: a package index's own list of known vulnerabilities, and downloads."""

from __future__ import annotations

import io
import json
import socket
import ssl
import time
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from packaging.version import InvalidVersion, Version

from shipworthy.checks.dependencies._osv import Advisory
from shipworthy.errors import EnvironmentFailure, UsageError

ANSWER_LIMIT = 20_000_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NoAnswer(Exception):
    """The index did not say whether the package is affected; the message says why, in a phrase."""


def allowed(url: str) -> bool:
    """Whether an address is https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


class _SafeRedirects(HTTPRedirectHandler):
    """A redirect must not leave https either."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if not allowed(newurl):
            raise HTTPError(newurl, code, "redirected to an address without https", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, into: IO[bytes], *, limit: int, timeout: float, total: float = 3600.0) -> int:
    """Download at most `limit` bytes within `total` seconds; `timeout` is for each wait. Returns the size.

    Raises UsageError for an address that is not https (nor on this machine), EnvironmentFailure for everything that
    goes wrong on the way; its message never holds the query or credentials of the address.
    """
    if not allowed(url):
        raise UsageError("the address must begin with https://", where=_plain(url))
    request = Request(url, headers={"User-Agent": "shipworthy", "Accept-Encoding": "identity"})  # noqa: S310 (checked)
    until = time.monotonic() + total
    size = 0
    try:
        with build_opener(HTTPSHandler(), _SafeRedirects()).open(request, timeout=timeout) as answer:
            expected = answer.headers.get("Content-Length")
            while chunk := answer.read(1 << 16):
                size += len(chunk)
                if size > limit:
                    raise _failed(url, f"it is larger than {limit:,} bytes")
                if time.monotonic() > until:
                    raise _failed(url, f"it took longer than {total:.0f} s")
                into.write(chunk)
    except HTTPError as error:
        error.close()
        raise _failed(url, f"the server answered {error.code}") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise _failed(url, _unreached(url, reason)) from None
    if expected and expected.isdigit() and int(expected) != size:
        raise _failed(url, f"only {size:,} of {expected} bytes arrived")
    return size


def _plain(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:200]
    except ValueError:
        return "(an invalid address)"


def _unreached(url: str, reason: object) -> str:
    """In words: an exception's own could quote the address."""
    words = {
        socket.gaierror: "its name is not known here",
        TimeoutError: "no answer in time",
        ConnectionRefusedError: "it refuses connections",
        ssl.SSLCertVerificationError: "its certificate is not trusted here",
    }
    why = next((said for kind, said in words.items() if isinstance(reason, kind)), type(reason).__name__)
    return f"{urlsplit(url).hostname} could not be reached ({why})"


def _failed(url: str, reason: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the download failed: {reason}", where=_plain(url), remedy="check the address and the network"
    )


def query(index: str, name: str, version: str, *, timeout: float = 10.0) -> tuple[Advisory, ...]:
    """What the index's JSON API (`/pypi/<name>/<version>/json`) lists under `vulnerabilities`. Raises NoAnswer."""
    url = f"{index.rstrip('/')}/pypi/{quote(name, safe='')}/{quote(version, safe='')}/json"
    buffer = io.BytesIO()
    try:
        fetch(url, buffer, limit=ANSWER_LIMIT, timeout=timeout, total=2 * timeout)
    except EnvironmentFailure as error:
        raise NoAnswer(error.message.removeprefix("the download failed: ")) from None
    try:
        answer = json.loads(buffer.getvalue())
    except (ValueError, RecursionError):
        raise NoAnswer("the answer is no complete JSON") from None
    listed = answer.get("vulnerabilities") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise NoAnswer("the answer has no list of vulnerabilities")
    return tuple(_advisory(name, version, item) for item in listed if not _withdrawn(item))


def _withdrawn(item: Any) -> bool:
    return isinstance(item, dict) and bool(item.get("withdrawn"))


def _advisory(name: str, version: str, item: Any) -> Advisory:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise NoAnswer("the answer lists a vulnerability without an id")
    aliases = item.get("aliases")
    fixed = [v for v in item.get("fixed_in") or () if isinstance(v, str) and _valid(v)]
    text = item.get("summary") or item.get("details") or ""
    return Advisory(
        id=item["id"][:80],
        package=name,
        aliases=frozenset(a[:80] for a in aliases if isinstance(a, str)) if isinstance(aliases, list) else frozenset(),
        ranges=tuple((("fixed", v),) for v in fixed),
        versions=frozenset({str(Version(Version(version).public))}),
        basis="the index gives no rating",
        summary=" ".join(str(text).split())[:240],
        source="index",
    )


def _valid(version: str) -> bool:
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True
