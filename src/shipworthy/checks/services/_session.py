"""One check on one service: the description, the client, and what to say when the service stops answering."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from shipworthy.check import Context, Skipped
from shipworthy.checks.services._client import Answer, Budget, Client, Request, Silent, Spent
from shipworthy.checks.services._service import ServiceInfo, Unreadable
from shipworthy.model import Artifact, Finding, Rule, Severity

CRASHED = Rule(
    "service-crashed",
    "A request stopped the service",
    Severity.HIGH,
    "Anybody who can send this request can take the service away from everybody else.",
    "Find the request in the log, handle it with an error answer, and let a supervisor restart what fails.",
    taxonomy=("CWE-755", "CWE-400"),
    help="service-availability",
)
OPTIONS = {"requests": 400, "seconds": 90, "each": 8}  # of the service's answers; seconds for all, and for each
_LARGE = 64 << 10  # bytes of a body that a server refuses before it has read all of it
_RECOVERY, _HEALTHY = 12.0, 4.0  # seconds to answer again after a request without an answer; for each time it is asked
_TIMES = 2  # that a request without an answer is sent again
_PATIENCE = 3  # times that a request is sent again when there were too many
_REFUSED = (401, 403, 407)


class Crashed(Exception):
    """The service does not answer any more, not even to the probe."""

    def __init__(self, request: str, how: str) -> None:
        super().__init__(request)
        self.request, self.how = request, how


class Session:
    """What a check of a service works with."""

    def __init__(self, artifact: Artifact, context: Context, info: ServiceInfo, folder: Path) -> None:
        options = context.options
        self.artifact, self.context, self.info, self.folder = artifact, context, info, folder
        self.budget = Budget(int(options.get("requests", 400)), float(options.get("seconds", 90)))
        self.client = Client(info, self.budget, float(options.get("each", 8)))
        self.unanswered: list[str] = []
        self.silence = ""  # how the last request that had no answer ended
        self.throttled = 0

    @property
    def probe(self) -> Request:
        """The request that the service answers when it is well."""
        probe = self.info.probe
        headers = (("Content-Type", probe.content_type),) if probe.body else ()
        return Request(probe.method, probe.path, headers, probe.body.encode())

    @property
    def health(self) -> Request:
        """The health request, or the probe where there is none."""
        return Request("GET", self.info.health) if self.info.health else self.probe

    def ask(self, request: Request, limit: float = 0.0) -> Answer | None:
        """The answer; None when there was none to this request, but the service is still there.

        A service that answers 429 is asked again a little later: what it refuses for its number was not looked at.
        Raises Crashed when it is gone, Spent when no more may be asked.
        """
        try:
            answer = self.client.send(request, limit)
            for _ in range(_PATIENCE):
                if answer.status != 429:
                    return answer
                time.sleep(min(_seconds(answer.header("retry-after")), self.budget.left))
                answer = self.client.send(request, limit)
        except Silent as silent:
            self.still_there(name_of(request), silent.how)
            if silent.how == "closed" and len(request.body) > _LARGE:
                self.unanswered.pop()  # refused by closing, while it was sent: then the answer, if any, is lost
            return None
        self.throttled += answer.status == 429
        return answer

    def closes(self, request: Request) -> bool:
        """Of a request that had no answer: does the service close the connection each time? Then that is what it
        answers, and nothing was missed."""
        first = len(self.unanswered) - 1
        for _ in range(_TIMES):
            if self.silence != "closed" or first < 0 or self.ask(request) is not None:
                return False
        if self.silence != "closed":
            return False
        del self.unanswered[first:]
        return True

    def still_there(self, request: str, how: str) -> None:
        """After a request without an answer: is the service still there? Raises Crashed, or Spent."""
        self.unanswered.append(request)
        self.silence = how
        until = time.monotonic() + _RECOVERY
        self.budget.requests += 1  # to ask how it is costs nothing
        while True:
            try:
                self.client.send(self.health, limit=_HEALTHY)
                return
            except Silent as silent:
                if time.monotonic() > until or (silent.how == "refused" and time.monotonic() > until - _RECOVERY / 2):
                    raise Crashed(request, f"{how}, then {silent.how}") from None
            self.budget.requests += 1
            time.sleep(0.2)


def _seconds(text: str) -> float:
    """How long to wait before a request is sent again: what the service asks for, within reason."""
    return min(float(text), 5.0) if text.isascii() and text.isdigit() else 0.5


def name_of(request: Request) -> str:
    """How a finding names a request: method and path. The same in every run."""
    return f"{request.method} {printable(request.path, 120)}"


def printable(text: str, limit: int = 80) -> str:
    """Text of the service or of an attack, for a message: one line, ASCII, not endless."""
    told = ascii(text)[1:-1]
    return told if len(told) <= limit else told[: limit - 3] + "..."


def examine(
    artifact: Artifact, context: Context, look: Callable[[Session], Iterator[Finding | Skipped]]
) -> Iterator[Finding | Skipped]:
    """What `look` finds in the service. A service that is not there, stops answering, or takes more than the check may
    use, is skipped with a reason from there on: without the artifact where a part of it was looked at."""
    try:
        if artifact.path is None:
            raise Unreadable("the description of the service is not on this machine")
        info = ServiceInfo.read(artifact.path)
        session = Session(artifact, context, info, artifact.path)
        session.client.send(session.health)
    except Unreadable as error:
        yield Skipped(artifact, str(error))
        return
    except Silent as silent:
        yield Skipped(artifact, f"the service did not answer before the check began ({silent.how})")
        return
    refused = 0
    try:
        first = session.ask(session.probe)
        refused = first.status if first is not None and first.status in _REFUSED else 0
        yield from look(session)
    except Crashed as crash:
        yield CRASHED.at(
            artifact,
            f"the service did not answer any more after {crash.request} ({crash.how})",
            field=crash.request,
            key=crash.request,
        )
        yield Skipped(None, f"the service stopped answering after {crash.request}: the rest was not tried")
    except Spent as spent:
        yield Skipped(None, f"{spent}: the rest was not tried", code="limited")
    else:
        if refused:
            yield Skipped(None, f"the probe is answered with {refused}: what needs credentials was not tried")
        if session.throttled:
            reason = f"{session.throttled} requests were refused for their number (429)"
            yield Skipped(None, f"{reason}: lift the limit for the test", code="limited")
        if session.unanswered:
            count, which = len(session.unanswered), session.unanswered[0]
            yield Skipped(None, f"{count} of the requests had no answer, the first: {which}")
