"""Methods of HTTP that the service takes and should not: TRACE, uploads, overrides, ways around its authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services._client import Answer, Request
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine, name_of
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity

__all__ = ["CRASHED", "scan"]

TRACE = Rule(
    "http-trace",
    "The service answers TRACE with the request",
    Severity.LOW,
    "Whatever proxies and browsers add to a request, such as cookies and credentials, comes back in a body.",
    "Switch TRACE off in the server (Apache: `TraceEnable off`), or answer 405.",
    taxonomy=("CWE-693", "CWE-200"),
    help="http-methods",
)
UPLOAD = Rule(
    "http-upload",
    "Anybody can store files with PUT",
    Severity.CRITICAL,
    "What is stored is served to others, and is run where the server runs what lies there.",
    "Switch off WebDAV and PUT, or ask for authentication and keep uploads away from what is served.",
    taxonomy=("CWE-434", "CWE-306"),
    help="http-methods",
)
BYPASS = Rule(
    "http-method-bypass",
    "Another method gets around the authentication",
    Severity.HIGH,
    "The rule that asks for credentials names some methods; the program behind it answers others as well.",
    "Ask for credentials for every method, and refuse the methods that no route declares.",
    taxonomy=("CWE-287", "CWE-863"),
    help="http-methods",
)
OVERRIDE = Rule(
    "http-method-override",
    "A header turns one method into another",
    Severity.MEDIUM,
    "What a gateway lets through as a harmless method arrives as another one that it would have refused.",
    "Switch method overrides off, or allow them only for forms that need them.",
    taxonomy=("CWE-807", "CWE-863"),
    help="http-methods",
)
ARBITRARY = Rule(
    "http-any-method",
    "The service takes methods that do not exist",
    Severity.LOW,
    "Rules of gateways and logs are written for known methods; requests with others pass by them.",
    "Answer 405 or 501 to every method that the route does not declare.",
    taxonomy=("CWE-754", "CWE-693"),
    help="http-methods",
)

_OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_ODD = ("SHIPWORTHY", "SHIPWORTHYTOO")
_MARK = "shipworthy-{}-marks-this"


def _sample(method: str, _target: str, headers: Mapping[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
    echo = "\n".join(f"{name}: {value}" for name, value in headers.items())
    return 200, {"Content-Type": "message/http"}, echo.encode() if method == "TRACE" else b""


@check(
    "http-methods",
    kinds={"service"},
    options={**OPTIONS, "requests": 80},
    canary=Canary(files={}, rule=TRACE.id, standing=standing(_sample)),
    timeout=150.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """What other methods than its own the service answers."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    usual = session.ask(session.probe)
    if usual is None:
        return
    yield from _trace(session)
    yield from _odd(session, usual)
    yield from _overrides(session, usual)
    if session.info.environment == "test":  # it leaves a file behind if the service does not delete it either
        yield from _uploads(session)
    if session.info.credentials:
        yield from _bypass(session, usual)


def _trace(session: Session) -> Iterator[Finding]:
    """Two marks: a page that happens to hold the first does not hold the second."""
    for path in dict.fromkeys(("/", session.probe.path)):
        back = []
        for number in (1, 2):
            mark = _MARK.format(number)
            answer = session.ask(Request("TRACE", path, (("X-Shipworthy", mark),)))
            back.append(answer is not None and answer.status == 200 and mark in answer.text)
        if all(back):
            place = f"TRACE {path}"
            yield TRACE.at(session.artifact, f"{place} gives the request back", field=place, key="trace")
            return


def _odd(session: Session, usual: Answer) -> Iterator[Finding]:
    answers = [session.ask(Request(method, session.probe.target, *_rest(session.probe))) for method in _ODD]
    if 200 <= usual.status < 300 and all(one is not None and 200 <= one.status < 300 for one in answers):
        place = name_of(session.probe)
        message = f"{session.probe.path} answers methods that do not exist as it answers {session.probe.method}"
        yield ARBITRARY.at(session.artifact, message, field=place, key="any method")


def _rest(request: Request) -> tuple[tuple[tuple[str, str], ...], bytes]:
    return request.headers, request.body


def _overrides(session: Session, usual: Answer) -> Iterator[Finding]:
    """A method that does not exist, asked for in a header: refused only where the header counts. Asked twice, with the
    plain request between, so that a service that is only moody does not count."""
    if not 200 <= usual.status < 300:
        return
    for header in _OVERRIDES:
        first = session.ask(session.probe.with_headers((header, _ODD[0])))
        if first is None or first.status not in (400, 404, 405, 501):
            continue
        plain, second = session.ask(session.probe), session.ask(session.probe.with_headers((header, _ODD[1])))
        if plain and second and plain.status == usual.status and second.status == first.status:
            place = name_of(session.probe)
            yield OVERRIDE.at(session.artifact, f"{place}: {header} is followed", field=place, key=header)


def _uploads(session: Session) -> Iterator[Finding]:
    for number in (1, 2):
        path, content = f"/shipworthy-upload-{number}.txt", _MARK.format(number).encode()
        put = session.ask(Request("PUT", path, (("Content-Type", "text/plain"),), content))
        if put is None or not 200 <= put.status < 300:
            return
        got = session.ask(Request("GET", path))
        session.ask(Request("DELETE", path))
        if got is None or got.status != 200 or got.body != content:
            return
    yield UPLOAD.at(session.artifact, "a file sent with PUT is there with GET", field="PUT /*", key="upload")


def _bypass(session: Session, usual: Answer) -> Iterator[Finding]:
    """Without credentials: refused as it should be, and not with another method or an override?"""
    anonymous = session.probe.with_headers(("Authorization", ""))
    refused = session.ask(anonymous)
    if refused is None or refused.status not in (401, 403) or not 200 <= usual.status < 300:
        return
    place = name_of(session.probe)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", _ODD[0]):
        if method != session.probe.method:
            answers = [session.ask(Request(method, anonymous.target, *_rest(anonymous))) for _ in range(2)]
            if all(one is not None and 200 <= one.status < 300 for one in answers):
                message = f"{place} asks for credentials, {method} of it does not"
                yield BYPASS.at(session.artifact, message, field=place, key=method)
    for header in _OVERRIDES:
        for carrier in ("GET", "POST"):
            sent = Request(carrier, anonymous.target, *_rest(anonymous)).with_headers((header, session.probe.method))
            answer = session.ask(sent)
            if carrier != session.probe.method and answer is not None and 200 <= answer.status < 300:
                message = f"{place} asks for credentials, {carrier} with {header} does not"
                yield BYPASS.at(session.artifact, message, field=place, key=f"{carrier} {header}")
