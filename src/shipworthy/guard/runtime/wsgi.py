"""The guard in front of a WSGI application (PEP 3333)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from shipworthy.guard.runtime import answers
from shipworthy.guard.runtime.core import Guard, refusal
from shipworthy.guard.runtime.metrics import TYPE
from shipworthy.guard.runtime.policy import Decision, Policy, Request
from shipworthy.guard.runtime.watching import Watch

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]
_DRAINED = 1 << 20


class GuardWSGI:
    """`app = GuardWSGI(app, policy)`. `events` is the file that is written."""

    def __init__(
        self, app: App, policy: Policy | None = None, *, events: Path | str | None = None, guard: Guard | None = None
    ) -> None:
        self.app, self.guard = app, guard or Guard(policy, events=events)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        guard = self.guard
        if guard.policy.mode == "off":
            return self.app(environ, start_response)
        target = _target(environ)
        path = target.partition("?")[0]
        if path == guard.policy.metrics_path != "":
            start_response("200 OK", [("Content-Type", TYPE)])
            return [guard.metrics.text().encode()]
        headers = tuple(_headers(environ))
        client = guard.client(environ.get("REMOTE_ADDR", ""), headers)
        if (entered := guard.enter(client, path)).refused:
            return _refuse(start_response, entered)
        left = _Once(lambda: guard.leave(path))
        try:
            answer = self._within(
                environ, start_response, Request(environ["REQUEST_METHOD"], target, headers, b"", client)
            )
        except BaseException:
            left()
            raise
        return _Closing(answer, left)

    def _within(self, environ: Environ, start_response: StartResponse, about: Request) -> Iterable[bytes]:
        body = self._body(environ)
        if isinstance(body, Decision):
            return _refuse(start_response, self.guard.malformed(about.client, body.reason, body.status))
        request = Request(about.method, about.target, about.headers, body, about.client)
        if (decision := self.guard.judge(request)).refused:
            return _refuse(start_response, decision)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        if self.guard.policy.answers == "off":
            return self.app(environ, start_response)
        return self._watched(environ, start_response, request)

    def _body(self, environ: Environ) -> bytes | Decision:
        given = environ.get("CONTENT_LENGTH") or ""
        if not given:
            if environ.get("HTTP_TRANSFER_ENCODING") and not environ.get("wsgi.input_terminated"):
                return Decision(True, "length-required", 411)
            if not environ.get("wsgi.input_terminated"):
                return b""
        elif not (given.isascii() and given.isdigit()) or len(given) > 15:
            return Decision(True, "content-length", 400)
        limit = self.guard.policy.limits.body
        if given and int(given) > limit:
            # what the client still sends is taken, within bounds: else it may not get to read the answer
            environ["wsgi.input"].read(min(int(given), limit, _DRAINED))
            return Decision(True, "body-too-large", 413)
        body: bytes = environ["wsgi.input"].read(int(given) if given else limit + 1)
        if len(body) > limit:
            return Decision(True, "body-too-large", 413)
        return body if not given or len(body) == int(given) else Decision(True, "body-incomplete", 400)

    def _watched(self, environ: Environ, start_response: StartResponse, request: Request) -> Iterable[bytes]:
        """Hold an answer of text back until it is whole, or a window of it is, and look at that."""
        held: list[Any] = []
        written: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
            held[:] = [status, headers, exc_info]
            return written.append

        result = self.app(environ, start)
        parts = iter(result)
        first = next(parts, b"")
        status, headers, exc_info = held
        kinds = {name.lower(): value for name, value in headers}
        watch = self.guard.watch(
            request, int(status[:3]), kinds.get("content-type", ""), kinds.get("content-encoding", "")
        )
        close = getattr(result, "close", lambda: None)
        parts = _chain([*written, first], parts)
        if watch is None:
            start_response(status, headers, *([exc_info] if exc_info else []))
            return _Closing(parts, close)
        body, ended = _window(parts)
        if ended:
            self.guard.scores(request, int(status[:3]), kinds.get("content-type", ""), body)
        decision = watch.add(body, last=ended)
        if decision.refused:
            close()
            return _refuse(start_response, decision)
        start_response(status, headers, *([exc_info] if exc_info else []))
        if not ended:
            return _Closing(_rest(watch, body, parts), close)
        close()
        return [body]


class Withheld(Exception):
    """The rest of an answer that has begun is withheld: the server cuts the connection."""


def _window(parts: Iterator[bytes]) -> tuple[bytes, bool]:
    """What is looked at together, and whether that is the end."""
    collected, size = [], 0
    for part in parts:
        collected.append(part)
        size += len(part)
        if size > answers.LIMIT:
            return b"".join(collected), False
    return b"".join(collected), True


def _rest(watch: Watch, first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    ended = False
    while not ended:
        body, ended = _window(parts)
        if watch.add(body, last=ended).refused:
            raise Withheld  # what was sent can't be taken back
        yield body


class _Once:
    """Calls a function the first time only."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            function()


class _Closing:
    """An answer, and what has to be done when it is sent."""

    def __init__(self, parts: Iterable[bytes], done: Callable[[], None]) -> None:
        self._parts, self._done = parts, done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        """As PEP 3333 demands of servers to call."""
        try:
            getattr(self._parts, "close", lambda: None)()
        finally:
            self._done()


def _chain(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest


def _target(environ: Environ) -> str:
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if isinstance(raw, str) and raw.startswith("/"):
        return raw
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path or "/"


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), str(value)
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-").lower(), str(environ[name])


def _refuse(start_response: StartResponse, decision: Decision) -> list[bytes]:
    status, headers, body = refusal(decision)
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]
