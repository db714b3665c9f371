"""Injections into every input of the service: scripts, SQL, commands, templates, headers, files, addresses, objects.

Each is proved by what only the interpreter of the injected text can have done: a value that it computed and that was
not sent, or a time that it waited. Each proof is repeated with another value, so that echoes and slow moments do not
count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services import _attacks as attacks
from shipworthy.checks.services._injection_rules import RULES
from shipworthy.checks.services._points import Point, points
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding
from shipworthy.patterns import regex

__all__ = ["CRASHED", "RULES", "scan"]

_NOT_REACHED = (401, 403, 405, 407, 415, 429, 503)
_SUM = regex(r"\{\{(\d{1,6})\*(\d{1,6})\}\}")


def _sample(_method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
    from urllib.parse import unquote_plus

    text = unquote_plus(target.partition("name=")[2])
    text = _SUM.sub(lambda match: str(int(match[1]) * int(match[2])), text)
    return 200, {"Content-Type": "text/plain"}, text.encode()


@check(
    "http-injection",
    kinds={"service"},
    options={**OPTIONS, "requests": 2_000, "seconds": 240, "points": 40},
    canary=Canary(files={}, rule="http-template-injection", standing=standing(_sample, health="/?name=a")),
    timeout=300.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """What of the inputs is interpreted."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    most = int(session.context.options.get("points", 40))
    found = list(points(session)) or list(_guessed(session))
    with attacks.listening() as listener:
        for point in found[:most]:
            yield from _attack(session, point, listener)
    if found and session.info.isolated and not (session.info.health and session.info.expected_ports):
        reason = "the service reaches nothing but itself, and its health path or its port are not known"
        yield Skipped(None, f"server-side requests were not looked for: {reason}", code="limited")
    if len(found) > most:
        yield Skipped(None, f"{len(found) - most} of {len(found)} inputs were not tried", code="limited")


def _guessed(session: Session) -> Iterator[Point]:
    """The health path's own parameters, where nothing else takes any."""
    if "?" in session.health.target:
        from shipworthy.checks.services._points import _of

        yield from _of(session.health, f"GET {session.health.path}", ())


def _attack(session: Session, point: Point, listener: attacks.Listener) -> Iterator[Finding | Skipped]:
    base = attacks.baseline(session, point)
    if base is None:
        return
    if base.answer.status in _NOT_REACHED:
        reason = f"{point.name}: a good request is answered with {base.answer.status}, so that nothing reads the input"
        yield Skipped(None, reason, code="limited")
        return
    tries: Mapping[str, Callable[[], str]] = {
        "http-script-injection": lambda: attacks.script(session, point),
        "http-sql-injection": lambda: attacks.sql(session, point, base),
        "http-command-injection": lambda: attacks.command(session, point, base),
        "http-template-injection": lambda: attacks.template(session, point),
        "http-header-injection": lambda: attacks.header(session, point),
        "http-open-redirect": lambda: attacks.redirect(session, point),
        "http-file-inclusion": lambda: attacks.file(session, point, base),
        "http-server-side-request": lambda: attacks.server_request(session, point, base, listener),
        "http-object-injection": lambda: attacks.objects(session, point, base),
    }
    for rule, attempt in tries.items():
        told = attempt()
        if told:
            yield RULES[rule].at(
                session.artifact, f"{point.name}: {told}", evidence=told, field=point.operation, key=point.name
            )
