"""OWASP Dependency-Check: vulnerable libraries."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import Node, json_object, parse_xml
from shipworthy.witnesses.imported._shared import sarif_of, vulnerability
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    at,
    cwes,
    graded,
    name,
    objects,
    plain,
    scored,
    sure,
    wanted,
)


def read(raw: bytes) -> Report:
    """`dependency-check --format JSON`, `XML` or `SARIF`."""
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(parse_xml(raw, "analysis"))
    value = json_object(raw)
    if (log := sarif_of(value, "dependency-check")) is not None:
        return log
    dependencies = wanted(value, "dependencies", list, tool="Dependency-Check")
    wanted(value, "scanInfo", dict, tool="Dependency-Check")
    said = []
    for item in objects(dependencies):
        packages = list(objects(item.get("packages")))
        for found in objects(item.get("vulnerabilities")):
            score = at(found, "cvssv3", "baseScore") or at(found, "cvssv2", "score")
            said.append(
                _statement(
                    found.get("name"),
                    item.get("fileName"),
                    [at(p, "id") for p in packages],
                    name(item.get("filePath"), 1000),
                    found.get("description"),
                    graded(found.get("severity"), scored(score) or Severity.MEDIUM),
                    found.get("cwes") or (),
                    at(packages, 0, "confidence"),
                )
            )
    errors = [plain(at(e, "message"), 200) or "an error" for e in objects(at(value, "scanInfo", "analysisExceptions"))]
    return _report(
        said, at(value, "scanInfo", "engineVersion"), at(value, "projectInfo", "reportDate"), len(dependencies), errors
    )


def _xml(root: Node) -> Report:
    if root.first("scanInfo") is None or root.first("dependencies") is None:
        raise UnreadableReport("it has no `scanInfo` and `dependencies` as Dependency-Check writes them")
    dependencies, said = root.all("dependencies", "dependency"), []
    for item in dependencies:
        package = item.first("identifiers", "package")
        for found in item.all("vulnerabilities", "vulnerability"):
            score = found.of("cvssV3", "baseScore") or found.of("cvssV2", "score") or found.of("cvssScore")
            weak = [node.text for node in found.all("cwes", "cwe")] or [found.of("cwe")]
            said.append(
                _statement(
                    found.of("name"),
                    item.of("fileName"),
                    [node.text for node in item.all("identifiers", "package", "id")],
                    name(item.of("filePath"), 1000),
                    found.of("description"),
                    graded(found.of("severity"), scored(score) or Severity.MEDIUM),
                    weak,
                    package.get("confidence") if package else "",
                )
            )
    errors = [
        plain(e.of("message"), 200) or "an error" for e in root.all("scanInfo", "analysisExceptions", "exception")
    ]
    made = root.of("projectInfo", "reportDate")
    return _report(said, root.of("scanInfo", "engineVersion"), made, len(dependencies), errors)


def _statement(
    ident: Any, file: Any, purls: list[Any], path: str, about: Any, severity: Severity, weak: Any, confidence: Any
) -> Statement:
    package, version = name(file), ""
    for purl in purls:
        if isinstance(purl, str) and purl.startswith("pkg:"):
            package, _, version = purl.partition("?")[0].rpartition("/")[2].partition("@")
            break
    return vulnerability(
        ident,
        package,
        version,
        title=about,
        severity=severity,
        path=path.partition("?")[0],
        weaknesses=cwes(weak),
        confidence=sure("high" if name(confidence).lower() == "highest" else confidence, Confidence.MEDIUM),
    )


def _report(said: list[Statement], version: Any, made: Any, looked: int, errors: list[str]) -> Report:
    return Report(tuple(said), name(version, 40), name(made, 40), looked=looked, gaps=tuple(errors[:50]))


SOURCE = Source(
    title="OWASP Dependency-Check",
    form="JSON, XML or SARIF",
    command="dependency-check --scan . --format JSON --out report.json",
    category="dependencies",
    read=read,
    tried="recorded",
)
