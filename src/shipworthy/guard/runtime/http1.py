"""HTTP/1.1, read strictly (RFC 9112): what two readers could take for different messages is refused.

Not taken, though the RFC allows it: folded headers, bare line feeds, a list of equal Content-Lengths, extensions of
chunks and trailers, absolute targets, codings other than chunked.
"""

from __future__ import annotations

from asyncio import IncompleteReadError, LimitOverrunError, StreamReader
from dataclasses import dataclass

from shipworthy.patterns import regex

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}"
_REQUEST = regex(rb"(" + _TOKEN + rb") (/[\x21-\x7e\x80-\xff]*|\*) HTTP/1\.([01])")
_STATUS = regex(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?")
_HEADER = regex(rb"(" + _TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_CHUNK = regex(rb"[0-9A-Fa-f]{1,8}\r\n")
_HOST = regex(r"[A-Za-z0-9.\-_:\[\]%]{1,255}")
_CONTENT_LENGTH = 15  # digits
HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "http2-settings",
    )
)
Headers = tuple[tuple[str, str], ...]


class Malformed(Exception):
    """What was read is no message. `reason` is a code, `status` that of the answer to it."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


@dataclass(frozen=True)
class Head:
    """The head of a request, or of an answer (`status`). `headers` have names in lower case; `length` is that of the
    body, None if it is chunked; `keep` says whether the connection stays open."""

    method: str
    target: str
    headers: Headers
    length: int | None
    keep: bool
    status: int = 0
    phrase: str = ""

    def get(self, name: str) -> str:
        """The first header of that name; empty when there is none."""
        return next((value for one, value in self.headers if one == name), "")


def parse_request(raw: bytes, most: int = 100) -> Head:
    """The head of a request, up to and with its empty line. Raises Malformed."""
    first, headers = _lines(raw, most)
    found = _REQUEST.fullmatch(first)
    if found is None:
        long = first.partition(b" ")[2]
        raise Malformed("version", 505) if long.endswith((b" HTTP/2.0", b" HTTP/0.9")) else Malformed("request-line")
    method, target, minor = found[1].decode(), found[2].decode("latin-1"), found[3]
    if "#" in target:
        raise Malformed("request-target")
    if (target == "*" and method != "OPTIONS") or method in ("CONNECT", "TRACE"):
        raise Malformed("method", 405)
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) > 1 or (minor == b"1" and not hosts) or (hosts and not _HOST.fullmatch(hosts[0])):
        raise Malformed("host")
    length = _length(headers, minor)
    return Head(method, target, headers, 0 if length == -1 else length, _keeps(headers, minor))


def parse_answer(raw: bytes, method: str, most: int = 200) -> Head:
    """The head of an answer to a request of that method; `length` is -1 when the end of the connection is its end.
    Raises Malformed."""
    first, headers = _lines(raw, most)
    found = _STATUS.fullmatch(first)
    if found is None:
        raise Malformed("status-line", 502)
    status, minor = int(found[2]), found[1]
    length = _length(headers, minor)
    if method == "HEAD" or status in (204, 304) or status < 200:
        length = 0
    keep = _keeps(headers, minor) and length != -1
    return Head("", "", headers, length, keep, status, (found[3] or b"").decode("latin-1"))


def _lines(raw: bytes, most: int) -> tuple[bytes, Headers]:
    lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if len(lines) > most + 1:
        raise Malformed("too-many-headers", 431)
    headers = []
    for line in lines[1:]:
        found = _HEADER.fullmatch(line)  # neither CR nor LF nor NUL fit, nor a line that is folded
        if found is None:
            raise Malformed("header")
        headers.append((found[1].decode().lower(), found[2].rstrip(b" \t").decode("latin-1")))
    return lines[0], tuple(headers)


def _length(headers: Headers, minor: bytes) -> int | None:
    """Content-Length, None for chunked, -1 for neither."""
    lengths = [value for name, value in headers if name == "content-length"]
    codings = [value for name, value in headers if name == "transfer-encoding"]
    if codings:
        if lengths:
            raise Malformed("length-and-coding")
        if len(codings) > 1 or codings[0].lower() != "chunked" or minor == b"0":
            raise Malformed("transfer-encoding", 501)
        return None
    if not lengths:
        return -1
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()) or len(lengths[0]) > _CONTENT_LENGTH:
        raise Malformed("content-length")
    return int(lengths[0])


def _keeps(headers: Headers, minor: bytes) -> bool:
    words = {word.strip().lower() for name, value in headers if name == "connection" for word in value.split(",")}
    return "close" not in words and (minor == b"1" or "keep-alive" in words)


def end_to_end(headers: Headers, also: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The headers that are passed on: none that is about one connection, none that Connection names."""
    named = {word.strip().lower() for name, value in headers if name == "connection" for word in value.split(",")}
    drop = HOP | also | named - {"host", "content-type", "authorization", "cookie", "content-length"}
    return [(name, value) for name, value in headers if name not in drop]


async def read_head(reader: StreamReader) -> bytes:
    """A head with its empty line; empty bytes at the end of the connection. Raises Malformed when it is too large."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as error:
        if error.partial:
            raise Malformed("head-incomplete") from None
        return b""
    except LimitOverrunError:
        raise Malformed("headers-too-large", 431) from None


async def read_body(reader: StreamReader, length: int | None, limit: int) -> bytes:
    """A request's body, whole. Raises Malformed when it is larger than `limit` or not well-formed."""
    if length is not None:
        if length > limit:
            raise Malformed("body-too-large", 413)
        try:
            return await reader.readexactly(length) if length else b""
        except IncompleteReadError:
            raise Malformed("body-incomplete") from None
    parts, size = [], 0
    while part := await read_chunk(reader, limit - size):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


async def read_chunk(reader: StreamReader, limit: int) -> bytes:
    """One chunk; empty bytes for the last one."""
    try:
        line = await reader.readuntil(b"\n")
        if not _CHUNK.fullmatch(line):
            raise Malformed("chunk")
        size = int(line, 16)
        if size > limit:
            raise Malformed("body-too-large", 413)
        data = await reader.readexactly(size + 2)
    except (IncompleteReadError, LimitOverrunError):
        raise Malformed("chunk") from None
    if data[-2:] != b"\r\n":
        raise Malformed("chunk")  # also a trailer
    return data[:-2]
