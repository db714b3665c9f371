"""The guard in front of an ASGI application (ASGI 3.0)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from shipworthy.guard.runtime import answers
from shipworthy.guard.runtime.core import Guard, refusal
from shipworthy.guard.runtime.metrics import TYPE
from shipworthy.guard.runtime.policy import Decision, Policy, Request
from shipworthy.guard.runtime.watching import Watch

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class GuardASGI:
    """`app = GuardASGI(app, policy)`. Web sockets are refused (their messages would not be looked at), unless
    `websockets=True`. `events` is the file that is written."""

    def __init__(
        self,
        app: App,
        policy: Policy | None = None,
        *,
        events: Path | str | None = None,
        guard: Guard | None = None,
        websockets: bool = False,
    ) -> None:
        self.app, self.guard, self._websockets = app, guard or Guard(policy, events=events), websockets

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "websocket" and not self._websockets and self.guard.policy.mode == "block":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or self.guard.policy.mode == "off":
            await self.app(scope, receive, send)
            return
        await self._http(scope, receive, send)

    async def _http(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        target = _target(scope)
        path = target.partition("?")[0]
        if path == self.guard.policy.metrics_path != "":
            await _answer(send, 200, [("Content-Type", TYPE)], self.guard.metrics.text().encode())
            return
        client = self.guard.client(str((scope.get("client") or ("",))[0]), headers)
        if (entered := self.guard.enter(client, path)).refused:
            await _refuse(send, entered)
            return
        try:
            body = await self._body(receive)
            if isinstance(body, Decision):
                await _refuse(send, self.guard.malformed(client, body.reason, body.status))
                return
            request = Request(scope["method"], target, headers, body, client)
            if (decision := self.guard.judge(request)).refused:
                await _refuse(send, decision)
                return
            await self.app(scope, _replay(body, receive), self._watching(request, send))
        finally:
            self.guard.leave(path)

    async def _body(self, receive: Receive) -> bytes | Decision:
        parts, size = [], 0
        try:
            async with asyncio.timeout(self.guard.policy.limits.seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return Decision(True, "body-incomplete", 400)
                    part = message.get("body", b"")
                    parts.append(part)
                    size += len(part)
                    if size > self.guard.policy.limits.body:
                        return Decision(True, "body-too-large", 413)
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            return Decision(True, "body-too-slow", 408)

    def _watching(self, request: Request, send: Send) -> Send:
        """Hold an answer of text back until it is whole, or a window of it is, and look at that. What streams is passed
        on unread, which is an event."""
        if self.guard.policy.answers == "off":
            return send
        start: list[Message] = []
        parts: list[bytes] = []
        watch: Watch | None = None
        size, refused, kind = 0, False, ""

        async def watched(message: Message) -> None:
            nonlocal watch, size, refused, kind
            if refused:
                return
            if message["type"] == "http.response.start":
                headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message.get("headers", ())}
                kind, coding = headers.get("content-type", ""), headers.get("content-encoding", "")
                watch = self.guard.watch(request, message["status"], kind, coding)
                start.append(message)
            elif message["type"] == "http.response.body" and watch is not None:
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                more = bool(message.get("more_body"))
                if more and size <= answers.LIMIT:
                    return
                body = b"".join(parts)
                parts.clear()
                size = 0
                if start and not more:
                    self.guard.scores(request, start[0]["status"], kind, body)
                decision = watch.add(body, last=not more)
                if decision.refused and not start:
                    raise Withheld  # what was sent can't be taken back: the connection has to be cut
                if decision.refused:
                    refused = True
                    await _refuse(send, decision)
                    return
                message = {"type": "http.response.body", "body": body, "more_body": more}
            if start and (watch is None or message["type"] != "http.response.start"):
                await send(start.pop())
            if message["type"] != "http.response.start":
                await send(message)

        return watched


class Withheld(Exception):
    """The rest of an answer that has begun is withheld: the server cuts the connection."""


def _target(scope: MutableMapping[str, Any]) -> str:
    raw = scope.get("raw_path") or str(scope["path"]).encode("utf-8", "replace")
    query = scope.get("query_string") or b""
    return str((raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1"))


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, decision: Decision) -> None:
    status, headers, body = refusal(decision)
    await _answer(send, status, headers, body)


async def _answer(send: Send, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
