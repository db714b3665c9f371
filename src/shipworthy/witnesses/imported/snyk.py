"""Snyk: open-source and container vulnerabilities, and Snyk Code as SARIF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool, sarif_of, vulnerability
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    at,
    cwes,
    graded,
    name,
    number,
    objects,
    plain,
    scored,
)


def read(raw: bytes) -> Report:
    """`snyk test --json` (one project, or a list of them), `snyk container test --json`, `snyk iac test --json`."""
    value = parse_json(raw)
    if (log := sarif_of(value, "snyk")) is not None:
        return log
    projects = value if isinstance(value, list) else [value]
    said: list[Statement] = []
    gaps: list[str] = []
    for project in objects(projects):
        if isinstance(project.get("error"), str):
            gaps.append(plain(project["error"], 200))
            continue
        issues = project.get("infrastructureAsCodeIssues")
        of_tool(isinstance(project.get("vulnerabilities"), list) or isinstance(issues, list), "Snyk")
        said += [*_packages(project), *_code(project, issues)]
        for application in objects(project.get("applications")):
            said += _packages(application)
    if gaps and not said:
        raise UnreadableReport(f"Snyk failed: {gaps[0]}")
    return Report(tuple(said), gaps=tuple(gaps), looked=len(projects) - len(gaps))


def _packages(project: dict[str, Any]) -> Iterator[Statement]:
    image = isinstance(project.get("docker"), dict)
    path = name(project.get("displayTargetFile") or project.get("targetFile"), 1000)
    subject = name(project.get("path") or project.get("projectName")) or "image"
    for item in objects(project.get("vulnerabilities")):
        yield vulnerability(
            item.get("id"),
            item.get("packageName") or item.get("name"),
            item.get("version"),
            title=item.get("title"),
            severity=graded(item.get("severity"), scored(item.get("cvssScore")) or Severity.MEDIUM),
            fixed=at(item, "fixedIn", 0),
            path="" if image else path,
            subject=subject if image or not path else "",
            kind=Kind.IMAGE if image else Kind.OTHER,
            weaknesses=at(item, "identifiers", "CWE") or (),
            aliases=[*(at(item, "identifiers", "CVE") or []), *(at(item, "identifiers", "GHSA") or [])],
            confidence=Confidence.HIGH,
        )


def _code(project: dict[str, Any], issues: Any) -> Iterator[Statement]:
    for item in objects(issues):
        yield Statement(
            rule=name(item.get("id")) or "issue",
            message=plain(item.get("title") or item.get("issue")) or "an issue",
            severity=graded(item.get("severity")),
            path=name(project.get("targetFile") or project.get("targetFilePath"), 1000),
            line=number(item.get("lineNumber")),
            part=plain(".".join(str(part) for part in item.get("path") or [])[:300], 150),
            remedy=plain(item.get("resolve") or at(item, "iacDescription", "resolve"), 300),
            cwes=cwes(item.get("cwe") or ()),
        )


SOURCE = Source(
    title="Snyk (Open Source, Container, IaC, Code)",
    form="JSON or SARIF",
    command="snyk test --json > report.json",
    category="dependencies",
    read=read,
    tried="recorded",
)
