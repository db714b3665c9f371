"""Trivy: vulnerabilities, misconfigurations, secrets and licences of file systems, images and clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.model import Confidence, Kind
from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool, sarif_of, vulnerability
from shipworthy.witnesses.statements import Report, Source, Statement, at, cwes, graded, name, number, objects, plain

_PACKAGES_OF_FILES = frozenset({"lang-pkgs", "config", "secret", "license-file"})


def read(raw: bytes) -> Report:
    """`trivy … --format json`: schema 2, that of clusters (`Resources`), and the list of before 2021."""
    value = parse_json(raw)
    if (log := sarif_of(value, "trivy")) is not None:
        return log
    if isinstance(value, list):
        results, version, made, image = value, "", "", ""
        of_tool(all(isinstance(item, dict) and "Target" in item for item in value), "Trivy")
    else:
        known = isinstance(value, dict) and ("SchemaVersion" in value or "ClusterName" in value)
        of_tool(known and any(k in value for k in ("ArtifactName", "Results", "Resources", "ClusterName")), "Trivy")
        results = list(objects(value.get("Results")))
        for key in ("Resources", "Vulnerabilities", "Misconfigurations"):  # of `trivy k8s`
            results += [r for resource in objects(value.get(key)) for r in objects(resource.get("Results"))]
        version = name(at(value, "Trivy", "Version"), 40)
        made = name(value.get("CreatedAt"), 40)
        image = name(value.get("ArtifactName")) if value.get("ArtifactType") == "container_image" else ""
    said = [statement for result in objects(results) for statement in _result(result, image)]
    return Report(tuple(said), version, made, looked=len(results))


def _result(result: dict[str, Any], image: str) -> Iterator[Statement]:
    target = name(result.get("Target"), 1000)
    in_file = result.get("Class") in _PACKAGES_OF_FILES and not image
    path, subject, kind = (target, "", Kind.OTHER) if in_file else ("", image or target, Kind.IMAGE)
    for item in objects(result.get("Vulnerabilities")):
        yield vulnerability(
            item.get("VulnerabilityID"),
            item.get("PkgName"),
            item.get("InstalledVersion"),
            title=item.get("Title") or item.get("Description"),
            severity=graded(item.get("Severity")),
            fixed=item.get("FixedVersion"),
            path=path,
            subject=subject,
            kind=kind,
            weaknesses=item.get("CweIDs") or (),
            confidence=Confidence.HIGH,
        )
    for item in objects(result.get("Misconfigurations")):
        if item.get("Status", "FAIL") == "FAIL":
            where = item.get("CauseMetadata") or item.get("IacMetadata")
            yield Statement(
                rule=name(item.get("AVDID") or item.get("ID")) or "misconfiguration",
                message=plain(item.get("Message") or item.get("Title")) or "a misconfiguration",
                severity=graded(item.get("Severity")),
                title=plain(item.get("Title"), 150),
                path=path if path else "",
                subject=subject,
                kind=kind,
                line=number(at(where, "StartLine")),
                end_line=number(at(where, "EndLine")),
                part=plain(at(where, "Resource"), 150),
                remedy=plain(item.get("Resolution"), 300),
                cwes=cwes(item.get("CweIDs") or ()),
            )
    for item in objects(result.get("Secrets")):
        title = plain(item.get("Title"), 100) or "a secret"
        yield Statement(
            rule=name(item.get("RuleID")) or "secret",
            message=f"{title}: the value is not shown",
            severity=graded(item.get("Severity")),
            title=title,
            path="" if image else target,
            subject=f"{image}: {target}" if image else "",
            kind=kind,
            line=number(item.get("StartLine")),
            end_line=number(item.get("EndLine")),
            cwes=("CWE-798",),
            secret=True,
        )
    for item in objects(result.get("Licenses")):
        yield Statement(
            rule="licence",
            message=f"{name(item.get('PkgName') or item.get('FilePath'), 200)}: {plain(item.get('Name'), 80)}",
            severity=graded(item.get("Severity")),
            title="A licence that the policy refuses",
            path=name(item.get("FilePath"), 1000),
            subject="" if item.get("FilePath") else subject or target,
            part=name(item.get("PkgName"), 120),
        )


SOURCE = Source(
    title="Trivy",
    form="JSON or SARIF",
    command="trivy fs --format json --output report.json .",
    category="dependencies",
    read=read,
    tried="recorded",
)
