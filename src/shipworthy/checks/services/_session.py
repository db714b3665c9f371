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
_RECOVERY = 3.0  # seconds that a service may take to answer again after a request that had no answer


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

        Raises Crashed when it is gone, Spent when no more may be asked.
        """
        try:
            return self.client.send(request, limit)
        except Silent as silent:
            self.still_there(name_of(request), silent.how)
            return None

    def still_there(self, request: str, how: str) -> None:
        """After a request without an answer: is the service still there? Raises Crashed, or Spent."""
        self.unanswered.append(request)
        until = time.monotonic() + _RECOVERY
        self.budget.requests += 1  # to ask how it is costs nothing
        while True:
            try:
                self.client.send(self.health, limit=_RECOVERY)
                return
            except Silent as silent:
                if time.monotonic() > until:
                    raise Crashed(request, how if silent.how == "refused" else silent.how) from None
            self.budget.requests += 1
            time.sleep(0.2)


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
    use, is skipped with a reason from there on."""
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
    try:
        yield from look(session)
    except Crashed as crash:
        yield CRASHED.at(
            artifact,
            f"the service did not answer any more after {crash.request} ({crash.how})",
            field=crash.request,
            key=f"{context.options.get('name', '')} {crash.request}",
        )
        yield Skipped(artifact, f"the service stopped answering after {crash.request}: the rest was not tried")
    except Spent as spent:
        yield Skipped(artifact, f"{spent}: the rest was not tried", code="limited")
    else:
        if session.unanswered:
            count, first = len(session.unanswered), session.unanswered[0]
            yield Skipped(artifact, f"{count} of the requests had no answer, the first: {first}")
