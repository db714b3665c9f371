"""Acunetix: XML of the scanner, JSON of Acunetix 360 (which Invicti writes too)."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind
from shipworthy.witnesses.documents import json_object, parse_xml
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    address,
    at,
    cwes,
    graded,
    name,
    objects,
    plain,
    wanted,
)


def read(raw: bytes) -> Report:
    """`ScanGroup` XML, or a `Vulnerabilities List` as JSON. A scan that was aborted is a gap."""
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(raw)
    value = json_object(raw)
    found, target = wanted(value, "Vulnerabilities", list, tool="Acunetix"), wanted(value, "Target", dict)
    said = []
    for item in objects(found):
        state = name(item.get("State"))
        if "FalsePositive" in state or "AcceptedRisk" in state or "Fixed" in state:
            continue
        title = plain(item.get("Name"), 150) or "an issue"
        weak = str(at(item, "Classification", "Cwe") or "")
        said.append(
            Statement(
                rule=name(item.get("Type")) or title,
                message=f"{title}: {plain(item.get('Description'), 300)}",
                severity=graded(item.get("Severity")),
                confidence=Confidence.HIGH if item.get("Confirmed") is True else Confidence.MEDIUM,
                title=title,
                subject=address(item.get("Url")) or address(target.get("Url")) or "service",
                kind=Kind.SERVICE,
                cwes=cwes([part.strip() for part in weak.split(",")]),
                remedy=plain(item.get("RemedialProcedure"), 300),
            )
        )
    return Report(tuple(said))


def _xml(raw: bytes) -> Report:
    root = parse_xml(raw, "ScanGroup")
    said, gaps, scans = [], [], root.all("Scan")
    for scan in scans:
        start = address(scan.of("StartURL")).rstrip("/")
        if scan.of("Aborted").lower() == "true":
            gaps.append(f"the scan of {start or 'a service'} was aborted")
        for item in scan.all("ReportItems", "ReportItem"):
            if item.of("IsFalsePositive").lower() in ("true", "1"):
                continue
            title = plain(item.of("Name"), 150) or "an issue"
            affects = address(item.of("Affects"))
            said.append(
                Statement(
                    rule=name(item.of("ModuleName")) or title,
                    message=f"{title}: {plain(item.of('Description'), 300)}",
                    severity=graded(item.of("Severity")),
                    title=title,
                    subject=f"{start}{affects}" if affects.startswith("/") else affects or start or "service",
                    kind=Kind.SERVICE,
                    part=plain(item.of("Parameter"), 80),
                    cwes=cwes([node.text for node in item.all("CWEList", "CWE")], plain(item.of("CWEList"))),
                    remedy=plain(item.of("Recommendation"), 300),
                )
            )
    return Report(tuple(said), looked=len(scans), gaps=tuple(gaps))


SOURCE = Source(
    title="Acunetix, Acunetix 360",
    form="XML or JSON",
    command="Acunetix: Reports, Export, XML",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
