"""What an answer must not tell: stack traces, debug pages, database errors, places and versions of its software."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks.services._client import Answer
from shipworthy.model import Rule, Severity
from shipworthy.patterns import regex

TRACE = Rule(
    "http-stack-trace",
    "An answer holds a stack trace",
    Severity.MEDIUM,
    "It tells which code runs, where it lies, and often values of variables: a map for the next attack.",
    "Catch errors at the edge, log them with an id, and answer with the id only.",
    taxonomy=("CWE-209", "A.8.26"),
    help="error-handling",
)
DEBUG = Rule(
    "http-debug-page",
    "The service runs in debug mode",
    Severity.HIGH,
    "Debug pages show source, settings and memory to everybody; some let everybody run code.",
    "Switch debug mode off (`debug=False`, `DEBUG = False`), and serve with a production server.",
    taxonomy=("CWE-489", "CWE-209"),
    help="error-handling",
)
SQL = Rule(
    "http-database-error",
    "An answer holds an error of the database",
    Severity.MEDIUM,
    "It tells how queries are made, and that input reaches them: the usual first step of an SQL injection.",
    "Pass values as parameters of the query, and answer errors without their text.",
    taxonomy=("CWE-209", "CWE-89"),
    help="error-handling",
)
PLACES = Rule(
    "http-path-in-error",
    "An error answer tells where files lie",
    Severity.LOW,
    "The place of the code and of its packages helps whoever has found a way to read or write files.",
    "Answer errors with a message of your own, never with the exception's text.",
    taxonomy=("CWE-209",),
    help="error-handling",
)
VERSIONS = Rule(
    "http-version-in-error",
    "An error answer tells the version of the server",
    Severity.LOW,
    "Whoever knows the version knows the published weaknesses of it.",
    "Configure the server's error pages to name neither product nor version.",
    taxonomy=("CWE-200",),
    help="error-handling",
)

_DEBUG = {
    "Werkzeug debugger": regex(r"Werkzeug Debugger|__debugger__=yes|EVALEX\s*=\s*true"),
    "Django": regex(r"You(?:'|&#x27;|&#39;)re seeing this error because you have"),
    "Laravel or Symfony": regex(r"Whoops! There was an error|sf-dump|Symfony Exception"),
    "Rails": regex(r"Action Controller: Exception caught|web-console"),
    "ASP.NET": regex(r"Server Error in '[^'\n]{0,80}' Application|Developer Exception Page"),
}
_TRACES = {
    "Python": regex(
        r"Traceback \(most recent call last\)|File (?:\"|&quot;|\\\")[^\"&\n]{1,200}\.py(?:\"|&quot;|\\\"), line \d"
    ),
    "Java": regex(r"\bat [\w$.]{1,120}\((?:[\w$]{1,60}\.(?:java|kt|scala):\d+|Native Method|Unknown Source)\)"),
    "Node.js": regex(r"\bat [^\n(]{0,100}\(?(?:/|file:|node:)[^\s():]{1,200}(?:\.[cm]?[jt]s)?:\d+:\d+\)?"),
    ".NET": regex(r"\bat [\w.<>`]{1,120}\([^()\n]{0,120}\) in [^\n]{1,200}:line \d+"),
    "PHP": regex(r"(?:Fatal error|Warning|Parse error)(?:</b>)?: [^\n]{1,300} on line (?:<b>)?\d+"),
    "Go": regex(r"goroutine \d+ \[[a-z ]{3,30}\]:"),
    "Ruby": regex(r"[\w/.-]{1,120}\.rb:\d+:in [`']"),
    "Rust": regex(r"thread '[^'\n]{1,60}' panicked at"),
}
_SQL = regex(
    r"You have an error in your SQL syntax|\bORA-\d{5}\b|SQLSTATE\[?[ :]?[0-9A-Z]{5}|\bSQLITE_ERROR\b|"
    r"sqlite3?\.(?:Operational|Programming|Integrity)Error|near \\?\"[^\"\n]{0,60}\": syntax error|"
    r"unrecognized token: |psycopg\d?\.errors|unterminated quoted string at or near|syntax error at or near|"
    r"PSQLException|Unclosed quotation mark after|com\.mysql\.|MySqlException|System\.Data\.SqlClient|"
    r"SequelizeDatabaseError|sqlalchemy\.exc|javax\.naming\.(?:Name|Communication)|XPathException|"
    r"Invalid predicate|MongoServerError"
)
_PLACES = regex(
    r"(?:/usr/(?:local/)?lib/python\d|/site-packages/|/node_modules/|/app/|/srv/|/opt/|/home/|/var/www/)[\w./@-]{0,150}"
    r"\.(?:py|js|ts|rb|php|java|so|jar|safetensors|onnx|pkl|pt)\b|[A-Z]:\\\\?(?:Users|inetpub|app)\\[\w\\. -]{1,150}"
)
_VERSIONS = regex(
    r"\b(?:Apache|nginx|Werkzeug|gunicorn|uvicorn|Jetty|Tomcat|Express|PHP|Python|CherryPy|TornadoServer|aiohttp|Microsoft-IIS)"
    r"(?:/| v| )\d+\.\d+(?:\.\d+)?"
)


def leaks(answer: Answer, sent: str = "") -> Iterator[tuple[Rule, str, str]]:
    """What the answer's body leaks: the rule, what it is about, and the text that shows it. What was `sent` and only
    comes back is no leak."""
    text = _ends(answer)
    for name, pattern in _DEBUG.items():
        if (match := pattern.search(text)) and match[0] not in sent:
            yield DEBUG, name, match[0]
    for name, pattern in _TRACES.items():
        if (match := pattern.search(text)) and match[0] not in sent:
            yield TRACE, name, match[0]
            break
    if (match := _SQL.search(text)) and match[0] not in sent:
        yield SQL, "database", match[0]
    if answer.status >= 400:
        if (match := _PLACES.search(text)) and match[0] not in sent:
            yield PLACES, "path", match[0]
        if (match := _VERSIONS.search(text)) and match[0] not in sent:
            yield VERSIONS, "version", match[0]


def _ends(answer: Answer) -> str:
    """The beginning and the end of a long answer: what an error says stands there."""
    text = answer.text
    return text if len(text) <= 100_000 else f"{text[:60_000]}\n{text[-40_000:]}"


def database_error(answer: Answer) -> str:
    """The words of a database's error in the answer; empty when there are none."""
    match = _SQL.search(_ends(answer))
    return match[0] if match else ""
