"""Headers of the service's answers: content policy, sniffing, framing, caching, cookies, origins, versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services._client import Answer, Request
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine, name_of, printable
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.patterns import regex

__all__ = ["CRASHED", "scan"]

NO_POLICY = Rule(
    "http-no-content-policy",
    "Pages come without a content security policy",
    Severity.MEDIUM,
    "If an injection is found, a browser runs whatever script it brings: the policy is the second line of defence.",
    "Send `Content-Security-Policy: default-src 'self'; frame-ancestors 'none'` (or stricter) with every page.",
    taxonomy=("CWE-693", "A.8.26"),
    help="http-headers",
)
SNIFFING = Rule(
    "http-no-nosniff",
    "Answers may be taken for another content type",
    Severity.LOW,
    "A browser that guesses the type can run an answer with a user's words in it as a script.",
    "Send `X-Content-Type-Options: nosniff` with every answer.",
    taxonomy=("CWE-693",),
    help="http-headers",
)
FRAMING = Rule(
    "http-framing",
    "Pages can be put into frames of other sites",
    Severity.LOW,
    "A site can lay the page invisibly under its own and have the user click in it.",
    "Send `Content-Security-Policy: frame-ancestors 'none'`, or `X-Frame-Options: DENY`.",
    taxonomy=("CWE-1021",),
    help="http-headers",
)
NO_HSTS = Rule(
    "http-no-hsts",
    "Browsers are not told to insist on TLS",
    Severity.LOW,
    "The first request of a user can go out unencrypted and be kept that way by whoever is on the network.",
    "Send `Strict-Transport-Security: max-age=31536000` with answers over TLS.",
    taxonomy=("CWE-319", "A.8.24"),
    help="http-headers",
)
CACHED = Rule(
    "http-cacheable-answer",
    "Answers to what a user sends may be kept in caches",
    Severity.LOW,
    "A shared cache can hand the answer of one user to another.",
    "Send `Cache-Control: no-store` with answers that depend on the user or on what was sent.",
    taxonomy=("CWE-200",),
    help="http-headers",
)
BANNER = Rule(
    "http-version-banner",
    "Headers tell the versions of the software",
    Severity.LOW,
    "Whoever knows the version knows the published weaknesses of it.",
    "Configure the server to send no version in `Server`, and no `X-Powered-By`.",
    taxonomy=("CWE-200",),
    help="http-headers",
)
ORIGINS = Rule(
    "http-cors-any-origin",
    "Pages of any site may use the service in the name of its users",
    Severity.HIGH,
    "The service repeats the origin that asks and allows credentials: any site that a user visits can read the "
    "user's data.",
    "Compare the origin with a list of those that are allowed, and allow credentials to them only.",
    taxonomy=("CWE-942", "CWE-346"),
    help="cors",
)
COOKIES = Rule(
    "http-cookie-flags",
    "A cookie lacks flags that protect it",
    Severity.MEDIUM,
    "Without HttpOnly scripts can read it, without Secure it goes over plain HTTP, without SameSite other sites can "
    "have it sent.",
    "Set cookies with `Secure; HttpOnly; SameSite=Lax` (or `Strict`).",
    taxonomy=("CWE-1004", "CWE-614", "CWE-352"),
    help="cookies",
)

_VERSION = regex(r"[A-Za-z][\w.+-]{0,40}[/ ]v?\d+(?:\.\d+)+")
_PAGES = ("text/html", "application/xhtml+xml")
_FOREIGN = ("https://origin-one.invalid", "https://origin-two.invalid")


def _sample(_method: str, _target: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "text/html", "Set-Cookie": "session=canary"}, b"<p>hello</p>"


@check(
    "http-headers",
    kinds={"service"},
    options={**OPTIONS, "requests": 40},
    canary=Canary(files={}, rule=COOKIES.id, standing=standing(_sample)),
    timeout=150.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """What the headers of some answers lack or tell."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    probe, missing = session.probe, Request("GET", "/shipworthy-no-such-page")
    seen: set[str] = set()
    for request in dict.fromkeys((probe, session.health, Request("GET", "/"), missing)):
        answer = session.ask(request)
        if answer is None:
            continue
        for finding in _judge(session, request, answer, personal=request == probe):
            if (key := f"{finding.rule.id} {finding.key}") not in seen:  # one server, one fault: said once
                seen.add(key)
                yield finding
    yield from _origins(session, probe)


def _judge(session: Session, request: Request, answer: Answer, *, personal: bool) -> Iterator[Finding]:
    artifact, place = session.artifact, name_of(request)
    policy, page = answer.header("content-security-policy").lower(), answer.media_type in _PAGES
    if page and "default-src" not in policy and "script-src" not in policy:
        yield NO_POLICY.at(artifact, f"{place}: no Content-Security-Policy for scripts", field=place, key="policy")
    if answer.body and answer.header("x-content-type-options").strip().lower() != "nosniff":
        yield SNIFFING.at(artifact, f"{place}: no X-Content-Type-Options: nosniff", field=place, key="nosniff")
    framed = answer.header("x-frame-options").strip().lower() not in ("deny", "sameorigin")
    if page and framed and "frame-ancestors" not in policy:
        yield FRAMING.at(artifact, f"{place}: nothing forbids framing", field=place, key="frames")
    if session.info.tls and not answer.all("strict-transport-security"):
        yield NO_HSTS.at(artifact, f"{place}: no Strict-Transport-Security", field=place, key="hsts")
    caching = answer.header("cache-control").lower()
    by_user = personal and (request.method == "POST" or bool(session.info.credentials))
    if by_user and answer.status == 200 and not any(word in caching for word in ("no-store", "private", "no-cache")):
        severity = None if session.info.credentials else Severity.INFO  # caches seldom keep answers to POST
        yield CACHED.at(artifact, f"{place}: no Cache-Control: no-store", field=place, key="cache", severity=severity)
    for name in ("server", "x-powered-by", "x-aspnet-version", "x-runtime-version", "via"):
        told = _VERSION.search(answer.header(name))
        if told:
            text = printable(told[0], 60)
            yield BANNER.at(artifact, f"{place}: {name} tells {text}", field=place, evidence=text, key=name)
    for cookie in answer.all("set-cookie"):
        yield from _cookie(session, place, cookie)


def _cookie(session: Session, place: str, cookie: str) -> Iterator[Finding]:
    first, *rest = [part.strip() for part in cookie.split(";")]
    flags = {part.partition("=")[0].strip().lower(): part.partition("=")[2].strip().lower() for part in rest}
    expired = flags.get("max-age") == "0" or not first.partition("=")[2]
    lacks = [] if "httponly" in flags else ["HttpOnly"]
    if "secure" not in flags and (session.info.tls or session.info.environment == "test"):
        lacks.append("Secure")
    if flags.get("samesite", "none") == "none":
        lacks.append("SameSite")
    if lacks and not expired:
        name = printable(first.partition("=")[0], 40)
        yield COOKIES.at(
            session.artifact, f"{place}: cookie {name} without {', '.join(lacks)}", field=place, key=f"cookie {name}"
        )


def _origins(session: Session, probe: Request) -> Iterator[Finding]:
    """Is an origin that nobody can have allowed repeated, with credentials? Two of them, so that a list is no echo."""
    allowed = []
    for origin in _FOREIGN:
        answer = session.ask(probe.with_headers(("Origin", origin)))
        if answer is None:
            return
        given = answer.header("access-control-allow-origin").strip()
        credentials = answer.header("access-control-allow-credentials").strip().lower() == "true"
        allowed.append(credentials and given in (origin, "*"))
    if all(allowed):
        place = name_of(probe)
        yield ORIGINS.at(session.artifact, f"{place}: any origin is allowed, with credentials", field=place, key="cors")
