"""The attacks of `http-injection`: each gives the words of its proof, or an empty text."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import statistics
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from shipworthy.checks.services._client import Answer, Request
from shipworthy.checks.services._leaks import database_error
from shipworthy.checks.services._points import Point
from shipworthy.checks.services._service import inside
from shipworthy.checks.services._session import Session, printable
from shipworthy.patterns import regex
from shipworthy.records import dataclass

_PAGES = ("text/html", "application/xhtml+xml", "image/svg+xml", "")
_FILES = {
    "etc/passwd": regex(r"(?m)^root:[^:\n]{0,200}:0:0:"),
    "proc/self/status": regex(r"(?m)^Name:\t.+\n(?:.*\n){1,8}Pid:\t\d"),
}
_SHORT, _LONG = 1.5, 3.0  # seconds that an injected wait takes


@dataclass(frozen=True)
class Baseline:
    """What the service answers when the input is left alone. `steady`: it answers the same each time."""

    answer: Answer
    seconds: float
    steady: bool


def baseline(session: Session, point: Point) -> Baseline | None:
    """Three times the same; None if there is no answer to it."""
    answers = [answer for _ in range(3) if (answer := session.ask(point.holding(point.value))) is not None]
    if len(answers) < 3:
        return None
    seconds = statistics.median(answer.seconds for answer in answers)
    return Baseline(answers[0], seconds, all(one.body == answers[0].body for one in answers))


def _token() -> str:
    return "shw" + secrets.token_hex(4)


def _product() -> tuple[int, int, str]:
    one, two = 10_007 + secrets.randbelow(80_000), 10_009 + secrets.randbelow(80_000)
    return one, two, str(one * two)


def _text(answer: Answer | None) -> str:
    return "" if answer is None else answer.text + "\n" + "\n".join(value for _, value in answer.headers)


def computed(session: Session, point: Point, make: Callable[[int, int], str]) -> bool:
    """Does the product of two numbers come back, twice, with other numbers?"""
    for _ in range(2):
        one, two, product = _product()
        if product not in _text(session.ask(point.holding(point.value + make(one, two)))):
            return False
    return True


def delayed(session: Session, point: Point, base: Baseline, make: Callable[[float], str]) -> bool:
    """Does the answer wait as long as it is told to: a bit, not at all, longer, not at all?"""
    for wait in (_SHORT, 0.0, _LONG, 0.0):
        answer = session.ask(point.holding(make(wait)), limit=base.seconds * 3 + wait + 5.0)
        if answer is None:
            return False
        late = answer.seconds - base.seconds
        if (wait and late < wait * 0.9) or (not wait and late > _SHORT * 0.6):
            return False
    return True


def script(session: Session, point: Point) -> str:
    """A tag comes back in a page as a tag, and not as text."""
    for _ in range(2):
        token = _token()
        attack = f"\"'><{token} a=1>"
        answer = session.ask(point.holding(attack))
        if answer is None or answer.media_type not in _PAGES or f"<{token} a=1>" not in answer.text:
            return ""
        if not answer.media_type and answer.header("x-content-type-options").lower() == "nosniff":
            return ""
    return "a tag in the input is a tag in the page"


_TRUE_FALSE = (
    ("' AND '{0}'='{0}", "' AND '{0}'='{1}"),
    ("' AND '{0}'='{0}' -- ", "' AND '{0}'='{1}' -- "),
    ('" AND "{0}"="{0}', '" AND "{0}"="{1}'),
    (" AND {0}={0}", " AND {0}={1}"),
    ("') AND ('{0}'='{0}", "') AND ('{0}'='{1}"),
)
_WAITS = (
    "';SELECT pg_sleep({0})-- ",
    "' AND SLEEP({0}) AND '1'='1",
    "'||(SELECT '' FROM pg_sleep({0}))||'",
    "';WAITFOR DELAY '0:0:{0}'-- ",
    " AND SLEEP({0})",
)


def sql(session: Session, point: Point, base: Baseline) -> str:
    """An error of the database for one quote and none for two; a difference between true and false; a wait."""
    for quote in ("'", '"'):
        if database_error(base.answer):
            break
        told = [_error(session, point, f"{point.value}{_token()}{quote}") for _ in range(2)]
        if all(told) and not _error(session, point, f"{point.value}{_token()}{quote * 2}"):
            return f"a quote is answered with an error of the database: {printable(told[0])}"
    if base.steady:
        for true, false in _TRUE_FALSE:
            if _differs(session, point, base, true, false):
                return f"what is true ({printable(true)}) is answered otherwise than what is false"
    for wait in _WAITS:
        if delayed(session, point, base, lambda seconds, wait=wait: point.value + wait.format(seconds)):  # type: ignore[misc]
            return f"the answer waits as long as the SQL in the input says ({printable(wait)})"
    return ""


def _error(session: Session, point: Point, value: str) -> str:
    answer = session.ask(point.holding(value))
    return "" if answer is None else database_error(answer)


def _differs(session: Session, point: Point, base: Baseline, true: str, false: str) -> bool:
    """What is true gets the usual answer, what is false another; twice, with other numbers. What was sent and only
    comes back is taken out before it is compared."""
    for _ in range(2):
        one, two = (str(1000 + secrets.randbelow(9000)) for _ in range(2))
        if one == two:
            two = "17"
        yes, no = (_shown(session, point, point.value + text.format(one, two)) for text in (true, false))
        if (
            yes is None
            or no is None
            or yes != (base.answer.status, _without(base.answer.text, point.value))
            or yes == no
        ):
            return False
    return True


def _shown(session: Session, point: Point, value: str) -> tuple[int, str] | None:
    answer = session.ask(point.holding(value))
    return None if answer is None else (answer.status, _without(_without(answer.text, value), point.value))


def _without(text: str, sent: str) -> str:
    return text.replace(sent, "") if len(sent) > 2 else text


_SHELL = (";{0};", "|{0}", "\n{0}\n", "$({0})", "`{0}`", "&&{0}", "';{0};'", '";{0};"')


def command(session: Session, point: Point, base: Baseline) -> str:
    """A shell computes a product, or waits."""
    for form in _SHELL:
        if computed(session, point, lambda one, two, form=form: form.format(f"echo $(({one}*{two}))")):  # type: ignore[misc]
            return f"a shell computed the product in {printable(form.format('echo $((A*B))'))}"
    for form in _SHELL[:6]:
        wait: Callable[[float], str] = lambda seconds, form=form: point.value + form.format(f"sleep {seconds}")  # type: ignore[misc] # noqa: E731
        if delayed(session, point, base, wait):
            return f"the answer waits as long as {printable(form.format('sleep N'))} says"
    return ""


_TEMPLATES = (
    "{{{{{0}*{1}}}}}",
    "${{{0}*{1}}}",
    "#{{{0}*{1}}}",
    "<%= {0}*{1} %>",
    "*{{{0}*{1}}}",
    "@({0}*{1})",
    "{0}*{1}",
)


def template(session: Session, point: Point) -> str:
    """A template engine, or an evaluator of expressions, computes a product."""
    for form in _TEMPLATES:
        if form == "{0}*{1}":
            for _ in range(2):
                one, two, product = _product()
                if product not in _text(session.ask(point.holding(f"{one}*{two}"))):
                    return ""
            return "an expression in the input is computed"
        if computed(session, point, lambda one, two, form=form: form.format(one, two)):  # type: ignore[misc]
            return f"{form.format('A', 'B')} in the input is computed"
    return ""


def header(session: Session, point: Point) -> str:
    """A line break and a header become a header of the answer."""
    for ending in ("\r\n", "\n"):
        seen = []
        for _ in range(2):
            token = _token()
            answer = session.ask(point.holding(f"{point.value}{ending}X-{token}: {token}"))
            seen.append(answer is not None and answer.header(f"x-{token}") == token)
            if not seen[-1]:
                break
        if all(seen):
            return "a line break in the input begins a header of the answer"
    return ""


def redirect(session: Session, point: Point) -> str:
    """The answer leads to a host of our choice. Nobody goes there: names below `.invalid` do not exist (RFC 6761)."""
    for form in ("https://{}.invalid/", "//{}.invalid/", "/\\{}.invalid/"):
        leads = []
        for _ in range(2):
            token = _token()
            answer = session.ask(point.holding(form.format(token)))
            place = answer.header("location").replace("\\", "/") if answer and 300 <= answer.status < 400 else ""
            leads.append(_host(place) == f"{token}.invalid")
            if not leads[-1]:
                break
        if all(leads):
            return "the answer redirects to the host in the input"
    return ""


def _host(place: str) -> str:
    try:
        return urlsplit(place).hostname or ""
    except ValueError:
        return ""


_CLIMBS = (
    "../../../../../../../../{}",
    "/{}",
    "....//....//....//....//....//....//{}",
    "..%2f..%2f..%2f..%2f..%2f..%2f{}",
    "file:///{}",
)


def file(session: Session, point: Point, base: Baseline) -> str:
    """A file that every system has comes back."""
    for climb in _CLIMBS:
        for name, proof in _FILES.items():
            answer = session.ask(point.holding(climb.format(name)))
            if answer is not None and proof.search(answer.text) and not proof.search(base.answer.text):
                return f"{climb.format(name)} gives a file of the system"
    return ""


class Listener:
    """Counts who asks for which token, on this machine's loopback only."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self.seen: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No more."""
        self._ended.set()
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError):
                wire, _ = self._socket.accept()
                with wire:
                    wire.settimeout(2.0)
                    first = wire.recv(2048).partition(b"\r\n")[0].decode("latin-1")
                    if len(self.seen) < 10_000:
                        self.seen.add(first.partition("/")[2].partition(" ")[0])
                    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """A listener, for as long as it is entered."""
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


def server_request(session: Session, point: Point, base: Baseline, listener: Listener) -> str:
    """The service asks our listener; or, where it reaches nothing but itself, itself."""
    tokens = [_token() for _ in range(2)]
    for token in tokens:
        session.ask(point.holding(f"http://127.0.0.1:{listener.port}/{token}"))
    if all(token in listener.seen for token in tokens):
        return "the service asks the address in the input"
    if session.info.isolated and session.info.health and session.info.expected_ports:
        return _asks_itself(session, point, base)
    return ""


def _asks_itself(session: Session, point: Point, base: Baseline) -> str:
    """Its own health answer comes back from another operation, or its log has the request that it sent to itself."""
    health = session.ask(session.health)
    port, tokens = session.info.expected_ports[0], [_token() for _ in range(2)]
    mark = health.text.strip() if health is not None and health.status == 200 else ""
    back = []
    for token in tokens:
        answer = session.ask(point.holding(f"http://127.0.0.1:{port}{session.info.health}?{token}"))
        back.append(answer is not None and len(mark) > 4 and mark in answer.text and mark not in base.answer.text)
    logged = [f"GET {session.info.health}?{token}" in _log(session) for token in tokens]
    return "the service asks itself at the address in the input" if all(back) or all(logged) else ""


def _log(session: Session) -> str:
    path = inside(session.folder, session.info.log)
    if path is None:
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 200_000))
        return stream.read(200_000).decode("utf-8", "replace")


def pickled_wait(seconds: float) -> bytes:
    """A pickle that calls `time.sleep`: protocol 0, so that it survives as text."""
    return f"ctime\nsleep\n(F{seconds}\ntR.".encode()


def objects(session: Session, point: Point, base: Baseline) -> str:
    """A pickle or tagged YAML waits while it is read: it proves itself, and does no harm."""
    forms: dict[str, Callable[[float], str]] = {
        "a pickle in base64": lambda seconds: base64.b64encode(pickled_wait(seconds)).decode(),
        "a pickle": lambda seconds: pickled_wait(seconds).decode(),
        "YAML with a tag": lambda seconds: f"!!python/object/apply:time.sleep [{seconds}]",
    }
    for name, make in forms.items():
        if delayed(session, point, base, make):
            return f"{name} in the input is run while it is read"
    if point.place == "json":
        kinds = ("application/octet-stream", "application/x-pickle", "application/x-yaml")
        for kind in kinds:
            body: Callable[[float], bytes] = (
                pickled_wait
                if "yaml" not in kind
                else lambda seconds: f"!!python/object/apply:time.sleep [{seconds}]".encode()
            )
            if _body_delayed(session, point.request, base, kind, body):
                return f"a body of {kind} is run while it is read"
    return ""


def _body_delayed(
    session: Session, request: Request, base: Baseline, kind: str, make: Callable[[float], bytes]
) -> bool:
    for wait in (_SHORT, 0.0, _LONG):
        sent = Request(request.method, request.target, request.headers, make(wait)).with_headers(("Content-Type", kind))
        answer = session.ask(sent, limit=base.seconds * 3 + wait + 5.0)
        if answer is None:
            return False
        late = answer.seconds - base.seconds
        if (wait and late < wait * 0.9) or (not wait and late > _SHORT * 0.6):
            return False
    return True
