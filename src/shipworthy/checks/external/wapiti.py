"""The web side of a service as wapiti attacks it, when it is installed: a second witness beside our own attacks."""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shipworthy.check import Canary, Context, NotApplicable, Skipped, check
from shipworthy.checks.external._wrapped import optional, other, squeezed, whole
from shipworthy.checks.services._service import ServiceInfo, Unreadable
from shipworthy.checks.services._standing import Reply, standing
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.tools import ToolFailed

__all__ = ["RULES", "scan"]

WAPITI = optional("wapiti", ">=3.2,<4")
# Those that need no other machine. Those for SSRF, XXE and Log4Shell ask one of wapiti's makers.
MODULES = ("crlf", "exec", "file", "permanentxss", "redirect", "sql", "xss")
_LARGEST = 64 << 20
_LEVEL = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_TABLE = (
    ("Command execution", "command-execution", "critical", "CWE-78", "A parameter becomes part of a command or of code", "Whoever sends it runs programs on the machine.", "Call no shell; choose what runs from a fixed table."),
    ("Path Traversal", "path-traversal", "high", "CWE-22", "A parameter chooses a file", "With `..` in it any file that the service may read is answered.", "Resolve the path and require that it stays in its folder."),
    ("SQL Injection", "sql-injection", "high", "CWE-89", "A parameter becomes part of an SQL statement", "Whoever sends it reads and changes the database.", "Pass values as parameters of the statement."),
    ("Reflected Cross Site Scripting", "reflected-script", "medium", "CWE-79", "A parameter comes back in a page as it was sent", "A link with a script in it runs in the browser of who follows it.", "Escape values for HTML, and send a content security policy."),
    ("Stored Cross Site Scripting", "stored-script", "high", "CWE-79", "What was sent once is shown to others as it was sent", "A script in it runs in the browser of everybody who looks.", "Escape values for HTML, and send a content security policy."),
    ("CRLF Injection", "header-injection", "medium", "CWE-74", "A parameter can add headers to the answer", "Answers can be split, caches poisoned, cookies set.", "Refuse line breaks in what becomes a header."),
    ("Open Redirect", "open-redirect", "low", "CWE-601", "A parameter chooses where the answer leads", "A link that looks like yours leads to somebody else's page.", "Redirect to paths of the service, or to hosts of a fixed list."),
)  # fmt: skip


def _rule(ident: str, severity: str, cwe: str, title: str, why: str, remedy: str) -> Rule:
    return Rule(f"wapiti-{ident}", title, Severity(severity), why, remedy, Confidence.MEDIUM, (cwe,), "web-injection")


RULES = MappingProxyType(
    {row[0]: _rule(*row[1:]) for row in _TABLE}
    | {"other": other("wapiti", "service", "in its report", "web-injection")}
)


def _sample(_method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> Reply:
    from urllib.parse import parse_qs, urlsplit

    query = parse_qs(urlsplit(target).query)
    text = query["q"][0] if "q" in query else '<a href="/s?q=a">search</a>'
    return 200, {"Content-Type": "text/html"}, f"<html><body>{text}</body></html>".encode()


@check(
    "wapiti",
    kinds={"service"},
    needs=(WAPITI,),
    options={"required": False, "seconds": 120},
    canary=Canary(files={}, rule="wapiti-reflected-script", standing=standing(_sample, health="/")),
    timeout=600.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Findings of one service under test on the loopback address. Raises NotApplicable where wapiti cannot go, and
    ToolFailed when it reached nothing: its report of a service that does not answer is empty, and its exit code 0."""
    try:
        if artifact.path is None:
            raise Unreadable("the description of the service is not on this machine")
        info = ServiceInfo.read(artifact.path)
    except Unreadable as error:
        yield Skipped(artifact, str(error))
        return
    if info.environment != "test":
        raise NotApplicable("a deployed service is looked at, not attacked")
    if info.socket:
        raise NotApplicable("wapiti reaches services by address only, and this one is isolated behind a socket")
    if info.credentials:  # they would stand in the list of processes
        yield Skipped(
            artifact, "wapiti is not given the service's credentials: what needs them was not tried", code="limited"
        )
    value = _report(info, context)
    for group in ("vulnerabilities", "anomalies"):
        for kind, rows in value[group].items():
            for row in rows:
                yield _finding(artifact, kind, row)


def _report(info: ServiceInfo, context: Context) -> Mapping[str, Any]:
    seconds = max(10, int(context.options.get("seconds", 120)))
    with tempfile.TemporaryDirectory(prefix="shipworthy-wapiti-") as folder:
        report = Path(folder, "report.json")
        url = info.url.rstrip("/")
        starts = [part for path in dict.fromkeys((info.health, info.probe.path)) if path for part in ("-s", url + path)]
        context.tools.run(
            WAPITI, "-u", f"{url}/", *starts, "-m", ",".join(MODULES), "--scope", "domain", "--flush-session",
            "--no-bugreport", "--store-session", folder, "--max-scan-time", str(seconds), "-v", "0", "-f", "json",
            "-o", str(report), timeout=seconds + 60.0, cwd=Path(folder), ok=(0,),
        )  # fmt: skip
        try:
            with report.open("rb") as stream:
                data = stream.read(_LARGEST + 1)
        except OSError:
            raise ToolFailed(WAPITI.name, "wrote no report") from None
    return read(data)


def read(data: bytes) -> Mapping[str, Any]:
    """The report, whose shape is sure afterwards. Raises ToolFailed."""
    try:
        value: dict[str, Any] = whole(json.loads(data), dict)
        pages = whole(whole(value["infos"], dict)["crawled_pages_nbr"], int)
        for group in ("vulnerabilities", "anomalies"):
            for rows in whole(value[group], dict).values():
                for row in whole(rows, list):
                    for name in ("method", "path", "info"):
                        whole(row[name], str)
                    if not 0 <= whole(row["level"], int) < len(_LEVEL):
                        raise ValueError("level")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ToolFailed(WAPITI.name, "wrote something that is no report of it, or not all of it") from None
    if pages < 1:
        raise ToolFailed(WAPITI.name, "reached no page of the service: its silence means nothing")
    return value


def _finding(artifact: Artifact, kind: str, row: Mapping[str, Any]) -> Finding:
    parameter = squeezed(str(row.get("parameter") or ""), 60)
    place = squeezed(f"{row['method']} {row['path']}", 120)
    return RULES.get(kind, RULES["other"]).at(
        artifact,
        f"{place}: {squeezed(row['info'])}",
        key=f"{kind} {place} {parameter}",
        severity=_LEVEL[row["level"]],
        field=place,
        witness=WAPITI.name,
    )
