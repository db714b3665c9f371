"""Nuclei: templates of requests against a running service."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.documents import json_lines
from shipworthy.witnesses.imported._shared import of_tool, sarif_of
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
    plain,
)


def read(raw: bytes) -> Report:
    """`nuclei -jsonl` or `-json-export`. Requests, responses and what was extracted are not kept. It writes nothing
    when it finds nothing, so an empty file says nothing at all: use `-json-export`, which writes an empty list."""
    items = json_lines(raw)
    if len(items) == 1 and (log := sarif_of(items[0], "nuclei")) is not None:
        return log
    said = []
    for item in items:
        info, ident = item.get("info"), item.get("template-id") or item.get("templateID")
        of_tool(isinstance(info, dict) and isinstance(ident, str), "Nuclei")
        if item.get("matcher-status") is False:
            continue
        title = plain(at(info, "name"), 150) or name(ident)
        matcher = plain(item.get("matcher-name") or item.get("matcher_name"), 80)
        facts = at(info, "classification")
        said.append(
            Statement(
                rule=name(ident),
                message=f"{title}: {plain(at(info, 'description'), 300)}".removesuffix(": "),
                severity=graded(at(info, "severity"), Severity.MEDIUM),
                confidence=Confidence.HIGH,
                title=title,
                subject=address(item.get("matched-at") or item.get("matched") or item.get("host")) or "service",
                kind=Kind.SERVICE,
                part=matcher,
                cwes=cwes(at(facts, "cwe-id") or ()),
                ids=advisories(at(facts, "cve-id") or (), ident),
                remedy=plain(at(info, "remediation"), 300),
            )
        )
    made = max((name(item.get("timestamp"), 40) for item in items), default="")
    return Report(tuple(said), made=made)


SOURCE = Source(
    title="Nuclei",
    form="JSON, JSON lines or SARIF",
    command="nuclei -u URL -json-export report.json",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
