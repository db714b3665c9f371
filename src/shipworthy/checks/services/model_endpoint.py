"""A model's endpoint under odd input: too large, too deep, compressed, slow, too often, without credentials."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Mapping

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services import _inputs as inputs
from shipworthy.checks.services._client import Answer, Silent
from shipworthy.checks.services._endpoint_rules import RULES
from shipworthy.checks.services._leaks import DEBUG, PLACES, SQL, TRACE, VERSIONS, leaks
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine, name_of, printable
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Severity

__all__ = ["CRASHED", "DEBUG", "PLACES", "RULES", "SQL", "TRACE", "VERSIONS", "scan"]

_ACCEPTED = {  # kinds of odd input that should not get an answer as if they were good
    "oversized": "endpoint-no-size-limit",
    "not-a-number": "endpoint-odd-numbers",
    "wrong-type": "endpoint-wrong-types",
    "content-type": "endpoint-any-content-type",
}


def _sample(method: str, _target: str, _headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    if method == "GET":
        return 200, {}, b"ok"
    try:
        return 200, {}, json.dumps(len(json.loads(body)["text"])).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return 500, {}, b"internal error"


_PROBE = {"path": "/predict", "method": "POST", "body": '{"text": "canary"}'}


def _standing(folder: object) -> object:
    from shipworthy.checks.services._service import Probe

    return standing(_sample, probe=Probe(**_PROBE), health="/", public=True)(folder)  # type: ignore[arg-type]


@check(
    "model-endpoint",
    kinds={"service"},
    options={**OPTIONS, "requests": 600, "seconds": 200, "bytes": 8_000_000, "burst": 60, "slow-connections": 24},
    canary=Canary(files={}, rule="endpoint-server-error", standing=_standing),  # type: ignore[arg-type]
    timeout=260.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """What the endpoint does with what no honest client sends."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    usual = session.ask(session.probe)
    if usual is None or not 200 <= usual.status < 300:
        told = "nothing" if usual is None else str(usual.status)
        yield Skipped(
            session.artifact, f"the probe {name_of(session.probe)} is answered with {told}, not with a result"
        )
        return
    yield from _odd(session)
    yield from _compressed(session, usual)
    yield from _same(session, usual)
    yield from _anonymous(session)
    yield from _often(session)
    if session.info.llm:
        yield from _told(session)
    yield from _slow(session)


def _finding(session: Session, rule: str, message: str, key: str = "", severity: Severity | None = None) -> Finding:
    place = name_of(session.probe)
    return RULES[rule].at(session.artifact, f"{place}: {message}", field=place, key=key or rule, severity=severity)


def _odd(session: Session) -> Iterator[Finding]:
    """Odd bodies: errors of the server, traces in answers, and what is taken for good."""
    place, seen = name_of(session.probe), set[tuple[str, ...]]()
    for one in inputs.odd(session.probe, int(session.context.options.get("bytes", 8_000_000))):
        answer = session.ask(one.request)
        if answer is None:
            continue
        for rule, what, text in leaks(answer, one.request.body[:100_000].decode("latin-1")):
            if (rule.id, what) not in seen:
                seen.add((rule.id, what))
                message = f"{place} answers {answer.status} with {what}: {printable(text)}"
                yield rule.at(session.artifact, message, evidence=printable(text), field=place, key=f"{place} {what}")
        found = _judged(answer, one.kind)
        if found and (found, one.kind) not in seen:
            seen.add((found, one.kind))
            yield _finding(session, found, f"{one.words} is answered with {answer.status}", f"{found} {one.kind}")


def _judged(answer: Answer, kind: str) -> str:
    if answer.status >= 500 and answer.status != 503:
        return "endpoint-server-error"
    if 200 <= answer.status < 300 and kind in _ACCEPTED and not inputs.refuses(answer):
        return _ACCEPTED[kind]
    return ""


def _compressed(session: Session, usual: Answer) -> Iterator[Finding]:
    """Does it take gzip at all, and then as much of it as there is?"""
    plain = session.ask(inputs.zipped(session.probe, session.probe.body))
    if plain is None or plain.status != usual.status:
        return
    wrong = session.ask(inputs.zipped(session.probe, b"\x00not what gzip would give"))
    if wrong is not None and wrong.status == usual.status:
        return  # it does not look at the body at all
    bomb = session.ask(inputs.zipped(session.probe, inputs.enlarged(session.probe, 64_000_000)))
    if bomb is not None and 200 <= bomb.status < 300:
        yield _finding(session, "endpoint-compressed-input", "64 MB in a small gzip body are taken")


def _same(session: Session, usual: Answer) -> Iterator[Finding]:
    answers = [usual, *(one for _ in range(4) if (one := session.ask(session.probe)) is not None)]
    if session.info.llm or len(answers) < 5:
        return
    if len({inputs.steady(one) for one in answers}) > 1:
        yield _finding(session, "endpoint-not-deterministic", "the same input gets different answers")


def _anonymous(session: Session) -> Iterator[Finding]:
    if session.info.public:
        return
    answer = session.ask(session.probe.with_headers(("Authorization", "")))
    if answer is not None and 200 <= answer.status < 300:
        severity = Severity.HIGH if session.info.credentials else None
        yield _finding(session, "endpoint-no-authentication", "is answered without credentials", severity=severity)


def _often(session: Session) -> Iterator[Finding]:
    burst = int(session.context.options.get("burst", 60))
    started = time.monotonic()
    for number in range(burst):
        try:
            answer = session.client.send(session.probe)
        except Silent as silent:
            session.still_there(name_of(session.probe), silent.how)
            return
        if answer.status in (429, 503) or _limited(answer):
            return
        if time.monotonic() - started > 30 and number < burst - 1:
            return  # as slow as that it limits itself
    yield _finding(session, "endpoint-no-rate-limit", f"{burst} requests one after the other are all answered")


def _limited(answer: Answer) -> bool:
    return any(name.lower().startswith(("ratelimit", "x-ratelimit", "retry-after")) for name, _ in answer.headers)


def _told(session: Session) -> Iterator[Finding]:
    """An instruction inside of the text to work on is followed, twice: what it gives was not in the text."""
    for _ in range(2):
        request, expected = inputs.instructed(session.probe)
        answer = session.ask(request) if request else None
        if answer is None or expected not in answer.text.replace(" ", "").lower():
            return
    yield _finding(session, "endpoint-prompt-injection", "instructions inside of the input are followed")


def _slow(session: Session) -> Iterator[Finding | Skipped]:
    """Connections that never finish their request: does the service still answer others?"""
    count = int(session.context.options.get("slow-connections", 24))
    held: list[socket.socket] = []
    head = session.client.bytes_of(session.probe)[:40]
    refused = False
    try:
        for _ in range(count):
            try:
                wire = session.client.connect(3.0)
                held.append(wire)
                wire.sendall(head)
            except (Silent, OSError):
                refused = True
                break
        time.sleep(0.3)
        answered = _answers(session, 4.0)
    finally:
        for wire in held:
            with contextlib.suppress(OSError):
                wire.close()
    until = time.monotonic() + 30
    while not _answers(session, 4.0):
        if time.monotonic() > until:
            session.still_there("slow requests", "timeout")
            break
    if not answered and not refused:
        yield _finding(session, "endpoint-slow-requests", f"{len(held)} unfinished requests keep others from an answer")


def _answers(session: Session, limit: float) -> bool:
    try:
        session.budget.requests += 1
        session.client.send(session.health, limit)
    except Silent:
        return False
    return True
