"""Nessus and Tenable: hosts and services, as the `.nessus` file has them."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import Node, parse_xml
from shipworthy.witnesses.statements import Report, Source, Statement, advisories, cwes, graded, name, plain, scored

_SEVERITIES = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


def read(raw: bytes) -> Report:
    """`.nessus` (version 2) of a network or a web application scan. Without a host, it looked at nothing."""
    root = parse_xml(raw, "NessusClientData_v2")
    hosts, said = root.all("Report", "ReportHost"), []
    if root.first("Report") is None:
        raise UnreadableReport("it has a policy and no report")
    for host in hosts:
        for item in host.all("ReportItem"):
            said.append(_statement(host.get("name"), item))
    ends = [t.text for host in hosts for t in host.all("HostProperties", "tag") if t.get("name") == "HOST_END"]
    return Report(tuple(said), made=max(ends, default="") if len(ends) == 1 else "", looked=len(hosts))


def _statement(host: str, item: Node) -> Statement:
    rated = item.get("severity")
    severity = _SEVERITIES[int(rated)] if rated in ("0", "1", "2", "3", "4") else graded(item.of("risk_factor"))
    if not rated and not item.of("risk_factor"):
        severity = scored(item.of("cvss3_base_score") or item.of("cvss_base_score")) or Severity.MEDIUM
    title = plain(item.get("pluginName") or item.of("plugin_name"), 150) or "a finding"
    port = name(item.get("port"), 8)
    where = f"{port}/{name(item.get('protocol'), 8)}" if port not in ("", "0") else ""
    found = [node.text for node in item.all("cve")]
    return Statement(
        rule=name(item.get("pluginID")) or "unnamed",
        message=f"{title}: {plain(item.of('synopsis') or item.of('description'), 300)}",
        severity=severity,
        confidence=Confidence.MEDIUM,
        title=title,
        subject=name(host) or "host",
        kind=Kind.HOST,
        part=where,
        cwes=cwes([node.text for node in item.all("cwe")]),
        ids=advisories(found),
        remedy=plain(item.of("solution"), 300),
    )


SOURCE = Source(
    title="Nessus, Tenable",
    form="XML (.nessus)",
    command="Nessus: Scans, Export, Nessus",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
