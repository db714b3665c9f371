"""Paths that should not be served: version control, settings, backups, debug endpoints, models, files of the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from re import Pattern

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services._client import Answer, Request
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.patterns import regex
from shipworthy.records import dataclass

__all__ = ["CRASHED", "scan"]

SECRET = Rule(
    "http-exposed-secrets",
    "Files with secrets are served",
    Severity.CRITICAL,
    "Keys, passwords and settings can be read by everybody who knows their usual names, and everybody does.",
    "Serve only a folder made for it; change every secret that was in reach; keep such files out of the image.",
    taxonomy=("CWE-538", "CWE-200", "CWE-798"),
    help="exposed-paths",
)
SOURCE = Rule(
    "http-exposed-source",
    "Source, history or backups are served",
    Severity.HIGH,
    "The program, its history and its data can be downloaded and searched for weaknesses and secrets.",
    "Serve only a folder made for it, and keep version control and backups out of the image.",
    taxonomy=("CWE-538", "CWE-200"),
    help="exposed-paths",
)
DEBUG = Rule(
    "http-exposed-debug",
    "Endpoints for debugging or administration are open",
    Severity.HIGH,
    "They show memory, settings and requests of others, and some change how the service runs.",
    "Bind them to another port that only operators reach, or ask for credentials.",
    taxonomy=("CWE-489", "CWE-306"),
    help="exposed-paths",
)
METRICS = Rule(
    "http-exposed-metrics",
    "Metrics can be read without credentials",
    Severity.INFO,
    "They tell how much the service is used, by which routes, and often its versions and hosts.",
    "Serve them on another port, or ask for credentials.",
    taxonomy=("CWE-200",),
    help="exposed-paths",
)
DOCUMENTS = Rule(
    "http-exposed-documentation",
    "The API's description is open on a public service",
    Severity.LOW,
    "It lists every operation and parameter, also those that no client is meant to use.",
    "Switch the pages off in production (FastAPI: `docs_url=None, openapi_url=None`), unless the API is public.",
    taxonomy=("CWE-200",),
    help="exposed-paths",
)
LISTING = Rule(
    "http-directory-listing",
    "Folders are listed",
    Severity.MEDIUM,
    "Everybody sees which files there are, and finds those that no page links to.",
    "Switch listings off (nginx: `autoindex off`), and do not serve with `python -m http.server`.",
    taxonomy=("CWE-538",),
    help="exposed-paths",
)
MODEL = Rule(
    "http-exposed-model",
    "The model can be downloaded",
    Severity.HIGH,
    "Whoever has the weights can copy the model, search it for its training data, and prepare inputs that fool it.",
    "Do not serve the folder of the model; ask for credentials where a download is meant.",
    taxonomy=("CWE-538", "AML.T0044", "ML05:2023"),
    help="model-theft",
)
TRAVERSAL = Rule(
    "http-path-traversal",
    "Files outside of the served folder can be read",
    Severity.CRITICAL,
    "A path with `..` in some encoding leads to any file that the service may read: settings, keys, its own memory.",
    "Decode once, resolve the path, and refuse what does not lie in the served folder.",
    taxonomy=("CWE-22",),
    help="path-traversal",
)


@dataclass(frozen=True)
class _Place:
    """A path and what its content must show, so that a page that answers everything alike is no finding."""

    path: str
    rule: Rule
    proof: Pattern[bytes]


def _places(rule: Rule, table: Mapping[str, Pattern[bytes]]) -> tuple[_Place, ...]:
    return tuple(_Place(path, rule, proof) for paths, proof in table.items() for path in paths.split())


_PLACES = (
    *_places(SECRET, {
        "/.env /.env.local /.env.production /config/.env": regex(
            rb"\A\s*(?:#[^\n]*\n\s*)*(?:export )?[A-Z][A-Z0-9_]{1,60}\s*="
        ),
        "/.aws/credentials": regex(rb"aws_(?:access_key_id|secret_access_key)"),
        "/id_rsa /.ssh/id_rsa /server.key /key.pem /privkey.pem": regex(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
        "/.htpasswd": regex(rb"\A[\w.-]{1,60}:[$\w./{}+=-]{8,200}\s"),
        "/.netrc": regex(rb"\bmachine\s+\S{1,200}\s+login\b"),
        "/wp-config.php.bak /config.php.bak": regex(rb"<\?php"),
    }),
    *_places(SOURCE, {
        "/.git/HEAD": regex(rb"\A(?:ref: refs/|[0-9a-f]{40}\s)"),
        "/.git/config": regex(rb"\[core\]"),
        "/.svn/entries": regex(rb"\A\d{1,3}\s"),
        "/.hg/requires": regex(rb"\A(?:revlogv1|store|share-safe|dotencode)"),
        "/.DS_Store": regex(rb"\A\x00\x00\x00\x01Bud1"),
        "/app.py /main.py /server.py /wsgi.py /settings.py /app.py~ /app.py.bak": regex(
            rb"(?m)^(?:import|from) [\w.]{1,80}"
        ),
        "/Dockerfile": regex(rb"(?mi)^FROM \S"),
        "/docker-compose.yml /compose.yaml": regex(rb"(?m)^services:"),
        "/requirements.txt": regex(rb"(?m)\A(?:[#\w][^\n]{0,200}\n){0,20}[\w.\[\]-]{1,80}\s*[=<>~]="),
        "/backup.sql /dump.sql /db.sql": regex(rb"(?:CREATE TABLE|INSERT INTO|PostgreSQL database dump)"),
        "/backup.zip /app.zip /site.zip": regex(rb"\APK\x03\x04"),
        "/backup.tar.gz /app.tar.gz": regex(rb"\A\x1f\x8b\x08"),
        "/db.sqlite3 /database.db /data.db": regex(rb"\ASQLite format 3\x00"),
    }),
    *_places(DEBUG, {
        "/actuator /actuator/env /manage": regex(rb"\"(?:_links|propertySources)\"\s*:"),
        "/actuator/heapdump": regex(rb"\AJAVA PROFILE"),
        "/debug/pprof/": regex(rb"Types of profiles available|full goroutine stack"),
        "/debug/vars": regex(rb"\"(?:cmdline|memstats)\"\s*:"),
        "/console": regex(rb"Interactive Console|__debugger__"),
        "/server-status": regex(rb"Apache Server Status"),
        "/nginx_status": regex(rb"Active connections: \d"),
        "/phpinfo.php /info.php": regex(rb"phpinfo\(\)|PHP Version"),
        "/__debug__/ /_profiler": regex(rb"djDebug|Symfony Profiler"),
        "/api/kernels": regex(rb"\"execution_state\"\s*:"),
        "/debug /_debug /debug/config /config.json /env": regex(
            rb"\"?(?:PATH|PYTHONPATH|SECRET_KEY|HOME)\"?\s*[:=]\s*\"?[^\s\"]"
        ),
    }),
    *_places(METRICS, {"/metrics": regex(rb"(?m)^# (?:HELP|TYPE) \w")}),
    *_places(MODEL, {
        "/model.safetensors /model/weights.safetensors /models/model.safetensors /weights.safetensors": regex(
            rb"\A.{8}\{\s*\"", 16
        ),
        "/model.onnx /models/model.onnx": regex(rb"\A\x08[\x01-\x0f]"),
        "/model.pkl /model.joblib /models/model.pkl /model/model.pkl": regex(rb"\A\x80[\x02-\x05]"),
        "/model.pt /pytorch_model.bin /models/model.pt": regex(rb"\A(?:PK\x03\x04|\x80[\x02-\x05])"),
        "/model.gguf": regex(rb"\AGGUF"),
        "/model.h5": regex(rb"\A\x89HDF"),
    }),
)  # fmt: skip
_DOCUMENTS = _places(DOCUMENTS, {
    "/docs /redoc /swagger /swagger-ui /swagger-ui.html /api-docs": regex(rb"(?i)swagger-ui|<redoc|redoc\.standalone"),
    "/openapi.json /swagger.json /v3/api-docs": regex(rb"\"(?:openapi|swagger)\"\s*:\s*\"\d"),
})  # fmt: skip
_LISTED = ("/", "/static/", "/files/", "/uploads/", "/data/", "/models/", "/model/", "/logs/", "/backup/")
_LISTING = regex(rb"<title>(?:Index of /|Directory listing for /)|<h1>(?:Index of|Directory listing for) /")
_CLIMBS = (
    "/../../../../../../../../{}",
    "/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f{}",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/{}",
    "/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f{}",
    "/%252e%252e%252f%252e%252e%252f%252e%252e%252f%252e%252e%252f%252e%252e%252f{}",
    "/..%5c..%5c..%5c..%5c..%5c..%5c{}",
    "/..;/..;/..;/..;/..;/..;/{}",
    "/%c0%ae%c0%ae/%c0%ae%c0%ae/%c0%ae%c0%ae/%c0%ae%c0%ae/{}",
    "//{}",
    "/static/../../../../../../../../{}",
    "/static/..%2f..%2f..%2f..%2f..%2f..%2f..%2f{}",
    "/static//{}",
)
_SYSTEM = {
    "etc/passwd": regex(rb"(?m)^root:[^:\n]{0,200}:0:0:"),
    "proc/self/status": regex(rb"(?m)^Name:\t.+\n(?:.*\n){1,8}Pid:\t\d"),
}


def _sample(_method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
    found = {"/": b"ok", "/.git/HEAD": b"ref: refs/heads/main\n"}.get(target)
    return (404, {}, b"not found") if found is None else (200, {"Content-Type": "text/plain"}, found)


@check(
    "http-paths",
    kinds={"service"},
    options={**OPTIONS, "requests": 300},
    canary=Canary(files={}, rule=SOURCE.id, standing=standing(_sample)),
    timeout=150.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Which paths give what they should not."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    nothing = [session.ask(Request("GET", path)) for path in ("/shipworthy-nothing-here", "/shipworthy/nothing.txt")]
    known = [one for one in nothing if one is not None]
    documented = session.info.openapi if session.info.openapi.startswith("/") else ""
    for place in (*_PLACES, *(_DOCUMENTS if session.info.public else ())):
        if place.path == documented and not session.info.public:
            continue
        answer = session.ask(Request("GET", place.path))
        if answer is not None and _real(answer, known) and place.proof.search(answer.body):
            severity = Severity.MEDIUM if place.rule is METRICS and session.info.public else None
            message = f"GET {place.path} is answered with {len(answer.body)} bytes of what it should not give"
            yield place.rule.at(session.artifact, message, field=f"GET {place.path}", key=place.path, severity=severity)
    for path in _LISTED:
        answer = session.ask(Request("GET", path))
        if answer is not None and answer.status == 200 and _LISTING.search(answer.body):
            yield LISTING.at(session.artifact, f"GET {path} lists files", field=f"GET {path}", key=path)
    yield from _traversal(session, known)


def _real(answer: Answer, nothing: list[Answer]) -> bool:
    """Is this another answer than the service gives for what is not there?"""
    if answer.status != 200 or not answer.body:
        return False
    words = set(answer.text[:20_000].split())
    for one in nothing:
        others = set(one.text[:20_000].split())
        if one.status == 200 and len(words & others) * 10 >= len(words | others) * 8:
            return False  # most of its words are those of the page for what is not there
    return True


def _traversal(session: Session, nothing: list[Answer]) -> Iterator[Finding]:
    for climb in _CLIMBS:
        for file, proof in _SYSTEM.items():
            answer = session.ask(Request("GET", climb.format(file)))
            if answer is not None and _real(answer, nothing) and proof.search(answer.body):
                message = f"GET {climb.format(file)} gives a file of the system"
                yield TRAVERSAL.at(session.artifact, message, field="GET /*", key=climb)
                return  # one way is enough: what is wrong is the same
