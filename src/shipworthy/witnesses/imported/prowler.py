"""Prowler: cloud accounts (AWS, Azure, GCP, Kubernetes)."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Kind
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_lines
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import Report, Source, Statement, at, graded, name, plain


def read(raw: bytes) -> Report:
    """`prowler … -M json-ocsf`, or the JSON of version 3. Only what failed is a finding; what was passed counts as
    looked at."""
    items = json_lines(raw)
    if not items:
        raise UnreadableReport("Prowler looked at nothing")
    said, version = [], ""
    for item in items:
        ocsf = isinstance(item.get("metadata"), dict)
        status = item.get("status_code") if ocsf else item.get("Status")
        of_tool(isinstance(status, str) and (isinstance(item.get("finding_info"), dict) if ocsf else True), "Prowler")
        version = name(at(item, "metadata", "product", "version"), 40) or version
        if str(status).upper() == "FAIL" and item.get("status") != "Suppressed":
            said.append(_ocsf(item) if ocsf else _three(item))
    return Report(tuple(said), version, looked=len(items))


def _ocsf(item: dict[str, Any]) -> Statement:
    resource = at(item, "resources", 0)
    title = plain(at(item, "finding_info", "title"), 150)
    return Statement(
        rule=name(at(item, "metadata", "event_code")) or "unnamed",
        message=plain(item.get("status_detail")) or title or "a check failed",
        severity=graded(item.get("severity")),
        confidence=Confidence.HIGH,
        title=title,
        subject=name(at(resource, "uid")) or name(at(resource, "name")) or "account",
        kind=Kind.HOST,
        part=name(at(resource, "region"), 60),
        remedy=plain(at(item, "remediation", "desc"), 300),
    )


def _three(item: dict[str, Any]) -> Statement:
    title = plain(item.get("CheckTitle"), 150)
    return Statement(
        rule=name(item.get("CheckID")) or "unnamed",
        message=plain(item.get("StatusExtended")) or title or "a check failed",
        severity=graded(item.get("Severity")),
        confidence=Confidence.HIGH,
        title=title,
        subject=name(item.get("ResourceArn") or item.get("ResourceId")) or "account",
        kind=Kind.HOST,
        part=name(item.get("Region"), 60),
        remedy=plain(at(item, "Remediation", "Recommendation", "Text"), 300),
    )


SOURCE = Source(
    title="Prowler",
    form="JSON (OCSF, or of version 3)",
    command="prowler aws -M json-ocsf",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
