"""The guard itself: what middleware and proxy ask before and after each request."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.errors import EnvironmentFailure
from shipworthy.guard.runtime import answers
from shipworthy.guard.runtime.detectors import ENCODED, detectors, examine
from shipworthy.guard.runtime.events import Events
from shipworthy.guard.runtime.fields import Field, Found, TooMuch, fields, gather, parse_json
from shipworthy.guard.runtime.limits import Places, Rates
from shipworthy.guard.runtime.metrics import Metrics
from shipworthy.guard.runtime.policy import PASSED, Decision, Hit, Limits, Policy, Request
from shipworthy.guard.runtime.prefilter import Prefilter
from shipworthy.guard.runtime.watching import Watch, readable_coding

if TYPE_CHECKING:
    from shipworthy.guard.runtime.drift import Drift

FAULT = Decision(True, "guard-fault", 503, retry_after=5)
_SCORED = 16 << 10  # bytes of an answer that is read for scores
_SHOWN = 8  # hits of one event
_WARM = (
    "it's fine, and \"good\" (or not) [1]; see http://example.com/a/b?c=d & 5 > 4, $5, #1 {x} <b>",
    "' or 1=1; select 'a'--", "; cat /etc/passwd", "{{7*7}} ${a:b}", "../../etc/passwd", "\u00e9 %27 &lt; \\u0027",
    "<a href='javascript:alert(1)' onload=x>", "c=\"this.a\" return //a[1] (a=b)",
    "12345678 secret_token='abcdefgh' a@b.example",
)  # fmt: skip


class Guard:
    """Judges requests and answers; knows no protocol. One for each process; safe from several threads.

    For each request: `enter`, then `judge`, then `answered`, and `leave` if `enter` let it in. An error inside of the
    guard never lets a request through in the mode `block`: it is refused with 503, and is an event of its own. So is
    an event that can't be written.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        events: Events | Path | str | None = None,
        metrics: Metrics | None = None,
        drift: Drift | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy or Policy()
        self.metrics = metrics or Metrics()
        self.events = Events(Path(events), lost=self._lost) if isinstance(events, str | Path) else events
        self._clock = clock
        self._looks = detectors(self.policy.detectors)
        self._first = Prefilter(self._looks)
        limits = self.policy.limits
        self._rates = Rates(limits.rate, limits.burst, limits.clients)
        self._places = Places(limits.concurrent)
        self._all = self.policy.record == "all"
        self._salt = secrets.token_bytes(16)
        self._drift = drift
        self._watched = threading.Lock()
        self._halted = ""
        from shipworthy.guard.runtime.extraction import Extraction

        self._extraction = Extraction(self.policy.volume, limits.clients)

    def warm(self) -> None:
        """Compile what is compiled when it is first used, so that no request has to wait for it."""
        for text in _WARM:
            examine([Field("body", "x", text)], self._looks)
            body = json.dumps([text, _WARM[0]]).encode()
            self._first.clean(gather(Request("POST", "/", (("content-type", "application/json"),), body), Limits()))
            answers.examine(text.encode())

    def client(self, address: str, headers: Iterable[tuple[str, str]]) -> str:
        """Who asks: the address, or a keyed digest of the header that the policy names. Of two such headers the service
        may go by the other, so they are none."""
        name = self.policy.client_header.lower()
        given = [value for one, value in headers if one == name] if name else []
        if len(given) == 1 and (value := given[0]):
            return "key:" + hashlib.blake2b(value.encode(), key=self._salt, digest_size=8).hexdigest()
        return address

    def is_health(self, path: str) -> bool:
        """Whether the path is a health check."""
        return path in self.policy.health

    def enter(self, client: str, path: str) -> Decision:
        """Is there room for one more? What is let in has to `leave`."""
        if self.policy.mode == "off":
            return PASSED
        if self._halted:
            self._note("halted", {"client": client, "reason": self._halted}, "halted", refused=True)
            return Decision(True, self._halted, 503, retry_after=30)
        health = self.is_health(path)
        try:
            wait = 0 if health else self._rates.take(client, self._clock())
            if wait:
                decision = self._decide("rate", 429, client=client, path=path, retry_after=wait)
                if decision.refused:
                    return decision
            if not self._places.enter(health=health):
                return self.overloaded(client)
        except Exception as error:
            return self._fault(error)
        return PASSED

    def leave(self, path: str) -> None:
        """The request that was let in is answered."""
        if self.policy.mode != "off":
            self._places.leave(health=self.is_health(path))

    def judge(self, request: Request) -> Decision:
        """Look at a request as a whole."""
        if self.policy.mode == "off":
            return PASSED
        started = time.perf_counter()
        try:
            return self._judge(request)
        except Exception as error:
            return self._fault(error)
        finally:
            self.metrics.time(time.perf_counter() - started)

    def malformed(self, client: str, reason: str, status: int) -> Decision:
        """A request that is none: it is refused in every mode, as nobody can say where it ends."""
        self._note("malformed", {"client": client, "reason": reason}, "malformed", refused=True)
        return Decision(True, reason, status)

    def overloaded(self, client: str) -> Decision:
        """There is no room, in any mode: a server that falls over watches nothing."""
        self._note("shed", {"client": client, "reason": "overload"}, "overload", refused=True)
        return Decision(True, "overload", 503, retry_after=1)

    def halt(self, reason: str, facts: Mapping[str, Any]) -> None:
        """Something that must hold does not: in `block`, everything is refused from now on, health checks too."""
        self.metrics.count("halted_total", reason=reason)
        self._write(reason, facts)
        if self.policy.mode == "block":
            self._halted = reason

    def resume(self, kind: str, facts: Mapping[str, Any]) -> None:
        """It holds again."""
        self._write(kind, facts)
        self._halted = ""

    @property
    def active(self) -> int:
        """Requests that are being answered."""
        return self._places.active

    def watch(self, request: Request, status: int, content_type: str, coding: str = "") -> Watch | None:
        """What looks at an answer as it comes; None if it is not to be looked at. That it can't be is told of.
        `coding` is its Content-Encoding."""
        if self.policy.mode == "off" or self.policy.answers == "off" or not answers.readable(content_type):
            return None
        coding = coding.strip().lower()
        if "event-stream" in content_type.lower() or not readable_coding(coding):
            self.unread_answer(request, "encoded" if not readable_coding(coding) else "stream")
            return None
        return Watch(self, request, status, coding)

    def answered(self, request: Request, status: int, content_type: str, body: bytes, coding: str = "") -> Decision:
        """Look at an answer that is whole."""
        try:
            watch = self.watch(request, status, content_type, coding) if body else None
            if watch is None:
                return PASSED
            if not coding:
                self.scores(request, status, content_type, body)
            return watch.add(body, last=True)
        except Exception as error:
            return self._fault(error)

    def scores(self, request: Request, status: int, content_type: str, body: bytes) -> None:
        """Note what a whole answer says of how sure the model is."""
        if status != 200 or len(body) > _SCORED or "json" not in content_type or b"." not in body:
            return
        try:
            value = parse_json(body, self.policy.limits)
        except TooMuch:
            return
        with self._watched:
            signals = self._extraction.answered(request.client, value)
        for signal in signals:
            self.metrics.count("hits_total", detector="extraction")
            self._write(f"extraction-{signal.reason}", {"client": request.client, **signal.facts})

    def found_in_answer(self, request: Request, status: int, hits: tuple[Hit, ...]) -> Decision:
        """What is done with an answer in which there was something."""
        refused = self.policy.mode == "block" and self.policy.answers == "block"
        self._note("answer", self._facts(request, "answer", hits, status), "answer", refused=refused, counted=False)
        return Decision(refused, "answer", 502, hits)

    def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Write an event that is about the guard itself. Raises EnvironmentFailure in `block` when it can't be written:
        a guard that can't record must not begin."""
        if not self._write(kind, facts):
            raise EnvironmentFailure("events can't be written", where=str(self.events.path if self.events else ""))

    def unread_answer(self, request: Request, why: str) -> None:
        """An answer that was not looked at is told of: it is not clean."""
        if self.policy.mode != "off" and self.policy.answers != "off":
            self.metrics.count("requests_total", decision="answer-unread")
            self._write("answer-unread", {"client": request.client, "reason": why})

    def _judge(self, request: Request) -> Decision:
        limits = self.policy.limits
        try:
            found = gather(request, limits)
            hits = [] if self._first.clean(found) else examine(fields(request, limits), self._looks)
        except TooMuch as much:
            return self._decide(much.reason, much.status, request=request)
        watched = self._statistics(request, found)
        if hits:
            reason = "too-encoded" if all(hit.detector == ENCODED for hit in hits) else "attack"
            return self._decide(reason, 403, request=request, hits=tuple(hits))
        if watched is not None:
            return watched
        self.metrics.passed()
        if self._all and not self._write("passed", self._facts(request, "", ()), passed=True):
            return FAULT
        return PASSED

    def _statistics(self, request: Request, found: Found) -> Decision | None:
        """Signals that need many requests: copying of the model, and drift."""
        if not request.body or self.is_health(request.path):
            return None
        with self._watched:
            signals = self._extraction.add(
                request.client, found.body, found.numbers, self._clock(), found.words if len(found.words) < 5000 else ()
            )
            drift = self._drift.add(found.body) if self._drift is not None else None
        if drift is not None:
            self.metrics.put("drift_psi", drift.worst)
            if drift.drifted:
                self._write(
                    "drift", {"psi": {name: round(one, 4) for name, one in drift.psi.items()}, "n": drift.window}
                )
                self.metrics.count("hits_total", detector="drift")
        for signal in signals:
            self.metrics.count("hits_total", detector="extraction")
            if signal.reason == "volume":
                return self._decide("extraction-volume", 429, request=request, facts=signal.facts, retry_after=60)
            self._write(f"extraction-{signal.reason}", {"client": request.client, **signal.facts})
        return None

    def _decide(
        self,
        reason: str,
        status: int,
        *,
        request: Request | None = None,
        client: str = "",
        path: str = "",
        hits: tuple[Hit, ...] = (),
        facts: Mapping[str, Any] | None = None,
        retry_after: int = 0,
    ) -> Decision:
        refused = self.policy.mode == "block"
        about = (
            self._facts(request, reason, hits) if request else {"client": client, "path": path[:80], "reason": reason}
        )
        kind = "blocked" if refused else "would-block"
        for hit in hits:
            self.metrics.count("hits_total", detector=hit.detector)
        written = self._note(kind, {**about, **(facts or {})}, kind, refused=refused)
        return Decision(refused or not written, reason, status, hits, facts or {}, retry_after)

    def _facts(self, request: Request, reason: str, hits: tuple[Hit, ...], status: int = 0) -> dict[str, Any]:
        shown = [{"detector": hit.detector, "detail": hit.detail, "where": hit.where} for hit in hits[:_SHOWN]]
        facts: dict[str, Any] = {
            "client": request.client[:80],
            "method": request.method[:16],
            "path": _path(request.path, hits),
            "bytes": len(request.body),
            "reason": reason,
            "hits": shown,
        }
        return (
            facts
            | ({"status": status} if status else {})
            | ({"more": len(hits) - _SHOWN} if len(hits) > _SHOWN else {})
        )

    def _note(self, kind: str, facts: Mapping[str, Any], label: str, *, refused: bool, counted: bool = True) -> bool:
        if counted:
            self.metrics.count("requests_total", decision=label)
        return self._write(kind, facts) or refused

    def _write(self, kind: str, facts: Mapping[str, Any], *, passed: bool = False) -> bool:
        """Write an event. One that can't be written is told of on the metrics; in `block`, the caller refuses."""
        if self.events is None:
            return True
        try:
            self.events.write(kind, facts, passed=passed)
        except (OSError, ValueError):
            self._lost(1)
            return self.policy.mode == "watch"
        return True

    def _lost(self, number: int) -> None:
        self.metrics.count("events_lost_total", number)

    def _fault(self, error: Exception) -> Decision:
        """Something in the guard broke. Its text is not told: it could hold the request."""
        block = self.policy.mode == "block"
        kind = "fault-blocked" if block else "fault-passed"
        self.metrics.count("requests_total", decision=kind)
        self._write("guard-fault", {"error": type(error).__name__, "refused": block})
        return FAULT if block else Decision(False, "guard-fault", 200)

    def close(self) -> None:
        """Let go of the file of events."""
        if self.events is not None:
            self.events.close()


def _path(path: str, hits: tuple[Hit, ...]) -> str:
    """The path, unless it is what was found."""
    return "(not shown)" if any(hit.where.startswith("path") for hit in hits) else ascii(path[:120])[1:-1]


def refusal(decision: Decision) -> tuple[int, list[tuple[str, str]], bytes]:
    """The answer to what is refused: status, headers, body. It says the reason's code, and nothing of what was seen."""
    body = json.dumps(
        {"error": _WORDS.get(decision.reason, "the request was refused"), "reason": decision.reason}
    ).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if decision.retry_after:
        headers.append(("Retry-After", str(decision.retry_after)))
    return decision.status, headers, body


_WORDS = {
    "model-changed": "the model is not the one that was verified",
    "rate": "too many requests",
    "overload": "too many requests at once",
    "extraction-volume": "too many requests",
    "guard-fault": "the request could not be examined",
    "answer": "the answer was withheld",
    "too-encoded": "the request is encoded more often than is read",
}
