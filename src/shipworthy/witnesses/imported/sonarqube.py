"""SonarQube: issues and security hotspots, as its web API answers."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import Report, Source, Statement, at, cwes, graded, name, number, objects, plain

_CLOSED = frozenset({"RESOLVED", "CLOSED", "ACCEPTED", "FALSE_POSITIVE", "REVIEWED", "FIXED"})


def read(raw: bytes) -> Report:
    """Answers of `api/issues/search` and `api/hotspots/search`, alone or as a list of pages. A page that says that
    there are more, which are not here, leaves a gap."""
    value = parse_json(raw)
    pages = (
        value if isinstance(value, list) and all("issues" in p or "hotspots" in p for p in objects(value)) else [value]
    )
    if isinstance(value, list) and not value:
        raise UnreadableReport("it holds no answer of SonarQube")
    if isinstance(value, list) and pages[0] is value:  # the lists alone
        pages = [
            {"issues": [i for i in objects(value) if "rule" in i], "hotspots": [i for i in value if "rule" not in i]}
        ]
    said: list[Statement] = []
    seen = told = 0
    for page in objects(pages):
        if page.get("errors"):
            raise UnreadableReport(f"SonarQube answered with an error: {plain(at(page, 'errors', 0, 'msg'), 200)}")
        found = [*objects(page.get("issues")), *objects(page.get("hotspots"))]
        of_tool(isinstance(page.get("issues"), list) or isinstance(page.get("hotspots"), list), "SonarQube")
        of_tool("paging" in page or "total" in page or all("component" in item for item in found), "SonarQube")
        paths = {str(c.get("key")): c.get("path") for c in objects(page.get("components"))}
        total = at(page, "paging", "total")
        seen += len(found)
        told = max(told, total) if isinstance(total, int) else told
        said += [_statement(item, paths) for item in found if item.get("status") not in _CLOSED]
    gaps = (f"it has {seen} of {told} issues: ask for the other pages",) if told > seen else ()
    return Report(tuple(said), gaps=gaps)


def _statement(item: dict[str, Any], paths: dict[str, Any]) -> Statement:
    component = name(item.get("component"), 1000)
    path = name(paths.get(component), 1000) or component.partition(":")[2]
    hotspot = "vulnerabilityProbability" in item
    rule = name(item.get("rule") or item.get("ruleKey") or item.get("securityCategory")) or "unnamed"
    message = plain(item.get("message")) or "an issue"
    severity = graded(item.get("vulnerabilityProbability")) if hotspot else _severity(item)
    return Statement(
        rule=rule,
        message=f"{message} (a hotspot: for a person to judge)" if hotspot else message,
        severity=severity,
        confidence=Confidence.LOW if hotspot else Confidence.MEDIUM,
        line=number(item.get("line") or at(item, "textRange", "startLine")),
        end_line=number(at(item, "textRange", "endLine")),
        cwes=cwes([tag for tag in item.get("tags") or [] if isinstance(tag, str)], message),
        identity=name(item.get("key"), 60),
        path=path,
        subject="" if path else component or "project",
    )


def _severity(item: dict[str, Any]) -> Severity:
    """Vulnerabilities and bugs as they are rated; the others are no matter of security, so they weigh less."""
    rated = graded(item.get("severity") or at(item, "impacts", 0, "severity"))
    return min(rated, Severity.LOW) if item.get("type") == "CODE_SMELL" else rated


SOURCE = Source(
    title="SonarQube, SonarCloud",
    form="JSON",
    command="curl -u $TOKEN: '$SONAR/api/issues/search?componentKeys=KEY&ps=500' > report.json",
    category="code",
    read=read,
    tried="recorded",
)
