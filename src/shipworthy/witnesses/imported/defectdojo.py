"""DefectDojo's generic findings: what a program without a format of its own can write."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    address,
    advisories,
    at,
    cwes,
    graded,
    name,
    number,
    objects,
    plain,
    wanted,
)


def read(raw: bytes) -> Report:
    """`Generic Findings Import` as JSON. Findings that are marked as false, mitigated, accepted or inactive are left
    out."""
    value = json_object(raw)
    said = []
    for item in objects(wanted(value, "findings", list, tool="DefectDojo")):
        title = plain(item.get("title"), 150)
        if not title or not isinstance(item.get("severity"), str):
            raise UnreadableReport("a finding in it has no title, or no severity")
        flags = ("false_p", "is_mitigated", "risk_accepted", "duplicate", "out_of_scope")
        if any(item.get(flag) is True for flag in flags) or item.get("active") is False:
            continue
        path, place = name(item.get("file_path"), 1000), at(item, "endpoints", 0)
        host = address(place) if isinstance(place, str) else address(at(place, "host"))
        known = [item.get("cve"), item.get("vuln_id_from_tool"), item.get("vulnerability_ids") or ()]
        said.append(
            Statement(
                rule=name(item.get("vuln_id_from_tool")) or name(title, 80),
                message=f"{title}: {plain(item.get('description'), 300)}",
                severity=graded(item["severity"]),
                confidence=Confidence.HIGH if item.get("verified") is True else Confidence.MEDIUM,
                title=title,
                path=path,
                subject="" if path else host or name(item.get("component_name"), 200) or "finding",
                kind=Kind.SERVICE if host and not path else Kind.OTHER,
                line=number(item.get("line")),
                cwes=cwes(item.get("cwe"), item.get("cwes") or ()),
                ids=advisories(*known),
                package=name(item.get("component_name"), 120),
                version=name(item.get("component_version"), 80),
                remedy=plain(item.get("mitigation"), 300),
                identity=name(item.get("unique_id_from_tool"), 100),
            )
        )
    return Report(tuple(said), tool=name(value.get("name"), 60))


SOURCE = Source(
    title="DefectDojo generic findings",
    form="JSON",
    command="any program that writes DefectDojo's generic findings",
    category="code",
    read=read,
    tried="recorded",
)
