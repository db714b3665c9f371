"""Bandit: Python code."""

from __future__ import annotations

from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import sarif_of
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
    sure,
    wanted,
)


def read(raw: bytes) -> Report:
    """`bandit -r … -f json`. Files that it could not parse are gaps: it ends with 0 all the same."""
    value = json_object(raw)
    if (log := sarif_of(value, "bandit")) is not None:
        return log
    results, metrics = wanted(value, "results", list, tool="Bandit"), wanted(value, "metrics", dict, tool="Bandit")
    if "_totals" not in metrics:
        raise UnreadableReport("its metrics have no totals: it was cut short, or Bandit did not write it")
    said = [
        Statement(
            rule=name(item.get("test_id")) or "unnamed",
            message=plain(item.get("issue_text")) or "an issue",
            severity=graded(item.get("issue_severity")),
            confidence=sure(item.get("issue_confidence")),
            title=plain(item.get("test_name"), 100),
            path=name(item.get("filename"), 1000),
            line=number(item.get("line_number")),
            end_line=number(at(item, "line_range", -1) or item.get("end_line_number")),
            cwes=cwes(at(item, "issue_cwe", "id") or ()),
        )
        for item in objects(results)
    ]
    gaps = [f"{name(e.get('filename'), 300)}: {plain(e.get('reason'), 200)}" for e in objects(value.get("errors"))]
    lines = at(metrics, "_totals", "loc")
    looked = len(metrics) - 1 if lines else 0
    return Report(tuple(said), made=name(value.get("generated_at"), 40), looked=looked, gaps=tuple(gaps))


SOURCE = Source(
    title="Bandit",
    form="JSON or SARIF",
    command="bandit -r . -f json -o report.json",
    category="code",
    read=read,
    tried="real",
)
