"""The guard as a reverse proxy, for services in any language."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from shipworthy.guard.runtime import answers, http1
from shipworthy.guard.runtime.core import Guard, refusal
from shipworthy.guard.runtime.http1 import Head, Malformed
from shipworthy.guard.runtime.metrics import TYPE
from shipworthy.guard.runtime.policy import Decision, Request
from shipworthy.guard.runtime.upstream import Upstream
from shipworthy.guard.runtime.watching import Watch

if TYPE_CHECKING:
    import ssl

__all__ = ["Proxy", "Upstream"]

_LARGE = 64 << 10  # bytes of a body that is judged in a thread, so that the others need not wait
_PIECE = 64 << 10
_LINGER = 1.0  # seconds
_FORWARDED = frozenset(("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"))
_FAILED = (OSError, asyncio.IncompleteReadError, Malformed)


class Proxy:
    """Between clients and a service. `start`, then `close`; `address` is where it listens.

    A request is read whole, judged, and written anew: the service never gets bytes that the guard did not understand.
    An upgrade (a web socket) is refused: what it says could not be looked at. Pass it by the guard if it must be.
    """

    def __init__(self, guard: Guard, upstream: Upstream) -> None:
        self.guard, self.upstream = guard, upstream
        self.address = ("", 0)
        self._connections: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._most = 8 * guard.policy.limits.concurrent
        self._closing = False
        self._scheme = "http"

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen; with `tls`, for HTTPS. Raises OSError."""
        self._scheme = "https" if tls else "http"
        limit = self.guard.policy.limits.header_bytes + self.guard.policy.limits.target
        server = await asyncio.start_server(self._accept, host, port, limit=limit, backlog=512, ssl=tls)
        self._servers.append(server)
        self.address = server.sockets[0].getsockname()[:2]

    async def start_metrics(self, host: str, port: int) -> tuple[str, int]:
        """Answer GET /metrics and /healthz of the guard itself at another address, which is returned."""
        server = await asyncio.start_server(self._accept_metrics, host, port, limit=8 << 10)
        self._servers.append(server)
        found = server.sockets[0].getsockname()
        return found[0], found[1]

    async def close(self, seconds: float = 5.0) -> None:
        """Take no more connections, let those that are being answered end, then cut them."""
        self._closing = True
        for server in self._servers:
            server.close()
        if self._connections:
            await asyncio.wait(self._connections, timeout=seconds if self.guard.active else 0.05)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self.upstream.close()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        try:
            if len(self._connections) > self._most:
                await self._crowded(reader, writer)
            else:
                await self._converse(reader, writer)
                await _linger(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(self.guard.policy.limits.seconds):
                    await writer.wait_closed()
            writer.transport.abort()  # a client that reads nothing would keep its answer in memory for ever
            self._connections.discard(task)

    async def _crowded(self, reader: StreamReader, writer: StreamWriter) -> None:
        """More connections than are kept: each gets one answer, and only a health check gets more than a refusal."""
        if len(self._connections) > 2 * self._most:
            return
        try:
            async with asyncio.timeout(1.0):
                raw = await http1.read_head(reader)
                head = http1.parse_request(raw) if raw else None
        except (TimeoutError, Malformed):
            return
        if head is not None and self.guard.is_health(head.target):
            await self._converse(reader, writer, raw)
        elif head is not None:
            await _refuse(writer, self.guard.overloaded(_peer(writer)))

    async def _converse(self, reader: StreamReader, writer: StreamWriter, raw: bytes = b"") -> None:
        keep = True
        limits = self.guard.policy.limits
        while keep and not self._closing:
            try:
                async with asyncio.timeout(limits.seconds):
                    raw = raw or await http1.read_head(reader)
            except TimeoutError:
                return
            except Malformed as error:
                await _refuse(writer, self.guard.malformed(_peer(writer), error.reason, error.status))
                return
            if not raw:
                return
            try:
                head = http1.parse_request(raw, limits.headers)
            except Malformed as error:
                await _refuse(writer, self.guard.malformed(_peer(writer), error.reason, error.status))
                return
            raw = b""
            keep = await self._one(head, reader, writer)
            try:
                async with asyncio.timeout(limits.seconds):
                    await writer.drain()
            except TimeoutError:
                writer.transport.abort()
                return

    async def _one(self, head: Head, reader: StreamReader, writer: StreamWriter) -> bool:
        """One request; whether the connection can be used for another."""
        client = self.guard.client(_peer(writer), head.headers)
        path = head.target.partition("?")[0]
        if (entered := self.guard.enter(client, path)).refused:
            await _refuse(writer, entered)
            return False
        try:
            if head.get("upgrade") or "http2-settings" in dict(head.headers):
                await _refuse(writer, self.guard.malformed(client, "upgrade", 501))
                return False
            body = await self._body(head, reader, writer)
            if isinstance(body, Decision):
                await _refuse(writer, self.guard.malformed(client, body.reason, body.status))
                return False
            request = Request(head.method, head.target, head.headers, body, client)
            aside = len(body) >= _LARGE or (body and head.get("content-encoding"))  # which may be much larger
            judged = await asyncio.to_thread(self.guard.judge, request) if aside else self.guard.judge(request)
            if judged.refused:
                await _refuse(writer, judged, keep=head.keep)
                return head.keep
            return await self._forward(head, request, writer)
        finally:
            self.guard.leave(path)

    async def _body(self, head: Head, reader: StreamReader, writer: StreamWriter) -> bytes | Decision:
        limits = self.guard.policy.limits
        if head.length == 0:
            return b""
        try:
            async with asyncio.timeout(limits.seconds):
                if wanted := head.get("expect"):
                    if wanted.lower() != "100-continue":
                        return Decision(True, "expect", 417)
                    if head.length is not None and head.length > limits.body:
                        return Decision(True, "body-too-large", 413)
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return await http1.read_body(reader, head.length, limits.body)
        except TimeoutError:
            return Decision(True, "body-too-slow", 408)
        except Malformed as error:
            return Decision(True, error.reason, error.status)

    async def _forward(self, head: Head, request: Request, writer: StreamWriter) -> bool:
        try:
            async with asyncio.timeout(self.guard.policy.limits.seconds):
                up_reader, up_writer, answer = await self._ask(head, request)
        except TimeoutError:
            await _refuse(writer, Decision(True, "service-timeout", 504))
            return False
        except _FAILED:
            await _refuse(writer, Decision(True, "service-unreachable", 502), keep=head.keep)
            return head.keep
        done = False
        try:
            async with asyncio.timeout(self.guard.policy.limits.seconds):
                keep = await self._relay(head, request, answer, up_reader, writer)
            done = True
        except (TimeoutError, *_FAILED):
            return False  # the answer is cut off, and the client sees it
        finally:
            if done and answer.keep:
                self.upstream.give_back(up_reader, up_writer)
            else:
                up_writer.close()
        return keep

    async def _ask(self, head: Head, request: Request) -> tuple[StreamReader, StreamWriter, Head]:
        """Send the request, and read the head of the answer. A kept connection that the service had closed is replaced
        once, for methods that can be sent twice."""
        raw = self._written(head, request)
        fresh = False
        while True:
            reader, writer, used = await self.upstream.take(fresh=fresh)
            try:
                writer.write(raw)
                await writer.drain()
                while True:
                    if not (first := await http1.read_head(reader)):
                        raise Malformed("service-closed", 502)
                    answer = http1.parse_answer(first, head.method)
                    if answer.status >= 200:
                        return reader, writer, answer
                    if answer.status == 101:
                        raise Malformed("upgrade", 502)
            except (OSError, Malformed):
                writer.close()
                if used and head.method in ("GET", "HEAD", "OPTIONS") and not fresh:
                    fresh = True
                    continue
                raise
            except BaseException:
                writer.close()
                raise

    def _written(self, head: Head, request: Request) -> bytes:
        drop = (
            _FORWARDED
            | {"content-length"}
            | ({"accept-encoding"} if self.guard.policy.answers != "off" else frozenset())
        )
        # CGI, WSGI and their like take `_` in a name for `-`: it would be another header to the service
        plain = tuple(pair for pair in head.headers if "_" not in pair[0])
        headers = http1.end_to_end(plain, frozenset(drop))
        if not head.get("host"):
            headers.insert(0, ("host", f"{self.upstream.host}:{self.upstream.port}"))
        if request.body or head.length != 0 or head.get("content-length"):
            headers.append(("content-length", str(len(request.body))))
        if not request.client.startswith("key:"):
            headers.append(("x-forwarded-for", request.client))
        headers.append(("x-forwarded-proto", self._scheme))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"{head.method} {head.target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + request.body

    async def _relay(
        self, head: Head, request: Request, answer: Head, reader: StreamReader, writer: StreamWriter
    ) -> bool:
        """Pass the answer on: looked at if it is text and not too long, else as it comes."""
        watch = (
            self.guard.watch(request, answer.status, answer.get("content-type"), answer.get("content-encoding"))
            if answer.length != 0
            else None
        )
        pieces = _pieces(reader, answer.length)
        start = b""
        if watch is not None:
            start, ended = await _window(pieces)
            decision = await _added(watch, start, last=ended)
            if decision.refused:
                await _refuse(writer, decision, keep=head.keep and ended)
                return head.keep and ended
            if ended:
                if not answer.get("content-encoding"):
                    self.guard.scores(request, answer.status, answer.get("content-type"), start)
                writer.write(_head(answer, len(start), head.keep, None) + start)
                return head.keep
        length = answer.length if answer.length is not None and answer.length >= 0 else None
        given = answer.get("content-length") if head.method == "HEAD" or answer.status == 304 else None
        writer.write(_head(answer, length, head.keep, given) + (_chunk(start, length) if start else b""))
        if watch is not None:
            ended = False
            while not ended:
                piece, ended = await _window(pieces)
                if (await _added(watch, piece, last=ended)).refused:
                    return False  # the rest is withheld: the connection is cut, which shows that something is missing
                if piece:
                    writer.write(_chunk(piece, length))
                    await writer.drain()
        async for piece in pieces:
            writer.write(_chunk(piece, length))
            await writer.drain()
        if length is None:
            writer.write(b"0\r\n\r\n")
        return head.keep

    async def _accept_metrics(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, Malformed):
            async with asyncio.timeout(5.0):
                head = http1.parse_request(await http1.read_head(reader))
                found: dict[str, Callable[[], str]] = {"/metrics": self.guard.metrics.text, "/healthz": lambda: "ok\n"}
                text = found[head.target]() if head.method in ("GET", "HEAD") and head.target in found else ""
                body = (text or "not found\n").encode()
                status = "200 OK" if text else "404 Not Found"
                lines = f"HTTP/1.1 {status}\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n"
                lines += "Connection: close\r\n\r\n"
                writer.write(lines.encode() + (b"" if head.method == "HEAD" else body))
                await writer.drain()
        writer.close()


async def _linger(reader: StreamReader, writer: StreamWriter) -> None:
    """Take what the client still sends, within bounds: a connection that is cut while bytes come in may lose the answer
    that was sent (RFC 9112, 9.6)."""
    if reader.at_eof() or writer.is_closing():
        return
    if not writer.can_write_eof():  # TLS
        return
    writer.write_eof()
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_LINGER):
            for _ in range(32):
                if not await reader.read(_PIECE):
                    return


def _peer(writer: StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else "local"


async def _pieces(reader: StreamReader, length: int | None) -> AsyncIterator[bytes]:
    """A body as it comes. Raises Malformed, IncompleteReadError."""
    if length is None:
        while piece := await http1.read_chunk(reader, 64 << 20):
            yield piece
        return
    if length < 0:
        while piece := await reader.read(_PIECE):
            yield piece
        return
    while length:
        piece = await reader.read(min(length, _PIECE))
        if not piece:
            raise Malformed("answer-incomplete", 502)
        length -= len(piece)
        yield piece


async def _window(pieces: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """What is looked at together, and whether that is the end."""
    parts, size = [], 0
    async for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size >= answers.LIMIT:
            return b"".join(parts), False
    return b"".join(parts), True


async def _added(watch: Watch, piece: bytes, *, last: bool) -> Decision:
    if len(piece) < _LARGE:
        return watch.add(piece, last=last)
    return await asyncio.to_thread(watch.add, piece, last=last)


def _chunk(piece: bytes, length: int | None) -> bytes:
    return piece if length is not None else b"%x\r\n%s\r\n" % (len(piece), piece)


def _head(answer: Head, length: int | None, keep: bool, given: str | None) -> bytes:
    headers = http1.end_to_end(answer.headers, frozenset({"content-length"}))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    if given is not None:
        framing = f"content-length: {given}\r\n" if given else ""
    elif answer.status in (204, 304):
        framing = ""
    else:
        framing = "transfer-encoding: chunked\r\n" if length is None else f"content-length: {length}\r\n"
    end = "" if keep else "connection: close\r\n"
    return f"HTTP/1.1 {answer.status} {answer.phrase}\r\n{lines}{framing}{end}\r\n".encode("latin-1")


async def _refuse(writer: StreamWriter, decision: Decision, *, keep: bool = False) -> None:
    status, headers, body = refusal(decision)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    end = "" if keep else "Connection: close\r\n"
    writer.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}{end}\r\n".encode() + body)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LINGER):
            await writer.drain()
