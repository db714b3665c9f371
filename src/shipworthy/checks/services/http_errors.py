"""Error answers that tell too much: stack traces, debug pages, database errors, places of files, versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services._client import Request
from shipworthy.checks.services._leaks import DEBUG, PLACES, SQL, TRACE, VERSIONS, leaks
from shipworthy.checks.services._points import points
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine, name_of, printable
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity

__all__ = ["CRASHED", "DEBUG", "DROPPED", "PLACES", "SQL", "TRACE", "VERSIONS", "scan"]

DROPPED = Rule(
    "http-no-error-answer",
    "Broken input is answered with nothing",
    Severity.LOW,
    "The connection is closed without an answer, each time: nobody caught the error. Clients cannot tell a mistake of "
    "theirs from an outage, proxies count the service as failing, and a server of few workers loses one each time.",
    "Catch errors at the edge: answer 400 to what cannot be read, 500 with an id to everything else.",
    taxonomy=("CWE-755", "CWE-248"),
    help="error-handling",
)
_LONG = 9_000  # characters: more than most servers take for a line of a header
_VALUES = (
    "'",
    '"',
    "\\",
    "%",
    "\x00",
    "-1",
    "1e999",
    "NaN",
    "9" * 400,
    "a" * 5_000,
    "😀\u202e\ud7ff",
    "${",
    "{{",
    "../..",
    "[]",
)
_BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b'{"a":',
    b"\xff\xfe\x00",
    b"<x/>",
    b"a=b&c=d",
    b'{"\\ud800": 1}',
)


def _sample(_method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
    if target == "/":
        return 200, {"Content-Type": "application/json"}, b"{}"
    return 500, {"Content-Type": "text/plain"}, b'Traceback (most recent call last):\n  File "/x.py", line 1\n'


@check(
    "http-errors",
    kinds={"service"},
    options=OPTIONS,
    canary=Canary(files={}, rule=TRACE.id, standing=standing(_sample)),
    timeout=150.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """What the answers to broken requests tell."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    seen: set[tuple[str, str, str]] = set()
    dropped: set[str] = set()
    for request, place, sent in _requests(session):
        answer = session.ask(request)
        if answer is None:
            if place not in dropped and session.closes(request):
                dropped.add(place)
                message = f"{place}: broken input closes the connection, without an answer"
                yield DROPPED.at(session.artifact, message, field=place, key=place)
            elif place in dropped and session.silence == "closed":
                session.unanswered.pop()
            continue
        for rule, what, text in leaks(answer, sent):
            if (rule.id, what, place) not in seen:  # one fault of one operation, however many inputs show it
                seen.add((rule.id, what, place))
                message = f"{place} answers {answer.status} with {what}: {printable(text)}"
                yield rule.at(session.artifact, message, evidence=printable(text), field=place, key=f"{place} {what}")


def _requests(session: Session) -> Iterator[tuple[Request, str, str]]:
    """Broken requests, how a finding names them, and what was sent that may come back."""
    for path in ("/shipworthy-no-such-page", "/%00", "/%ff", "/..;/", "/" + "a" * _LONG, "/?" + "a=1&" * 500):
        yield Request("GET", path), "GET of a path that is not there", path
    probe = session.probe
    place = name_of(probe)
    yield Request("SHIPWORTHY", probe.target), place, ""
    for body in _BODIES:
        method = probe.method if probe.method not in ("GET", "HEAD") else "POST"
        yield Request(method, probe.target, probe.headers, body), place, body.decode("latin-1")
    yield probe.with_headers(("Content-Type", "text/plain; charset=no-such-charset")), place, "no-such-charset"
    yield probe.with_headers(("Accept", "a" * _LONG)), place, "a" * _LONG
    yield probe.with_headers(("Cookie", "session=%00\x01; a")), place, ""
    for point in points(session):
        for value in _VALUES:
            yield point.holding(value), point.operation, value
