"""Gitleaks (and Betterleaks, which follows it): secrets in files and history. The secrets themselves are never kept."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.documents import json_lines, parse_json
from shipworthy.witnesses.imported._shared import of_tool, sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, at, guarded, name, number, objects, plain, sure


def read(raw: bytes) -> Report:
    """`gitleaks git|dir … --report-format json` (also of version 7 and before), or SARIF; `betterleaks -f json`."""
    if raw.lstrip()[:1] == b"{" and b"\n{" in raw:
        value: Any = json_lines(raw)
    else:
        value = parse_json(raw)
    if (log := sarif_of(value, "gitleaks", "betterleaks", secret=True)) is not None:
        return log
    if isinstance(value, dict) and isinstance(value.get("findings"), list):
        of_tool("schema_version" in value, "Betterleaks")
        return Report(tuple(_better(item) for item in objects(value["findings"])))
    of_tool(isinstance(value, list | None), "Gitleaks")  # null is what Go writes for no finding
    said = []
    for item in objects(value):
        rule = item.get("RuleID") or item.get("ruleID") or item.get("rule")
        place = item.get("File", item.get("file"))
        of_tool(isinstance(rule, str) and isinstance(place, str), "Gitleaks")
        what = guarded(item.get("Description") or item.get("rule"), 100) or name(rule)
        said.append(
            Statement(
                rule=name(rule),
                message=f"{what}: the value is not shown",
                severity=Severity.HIGH,
                title=what,
                path=name(place, 1000),
                line=number(item.get("StartLine", item.get("lineNumber"))),
                end_line=number(item.get("EndLine")),
                column=number(item.get("StartColumn")),
                commit=name(item.get("Commit", item.get("commit")), 64),
                cwes=("CWE-798",),
                secret=True,
            )
        )
    return Report(tuple(said))


def _better(item: dict[str, Any]) -> Statement:
    return Statement(
        rule=name(item.get("rule_id")) or "secret",
        message=f"{plain(item.get('rule_id'), 80) or 'a secret'}: the value is not shown",
        severity=Severity.HIGH,
        confidence=sure(item.get("confidence"), Confidence.MEDIUM),
        path=name(at(item, "location", "path"), 1000),
        line=number(at(item, "location", "start_line")),
        commit=name(at(item, "attributes", "git.sha"), 64),
        cwes=("CWE-798",),
        secret=True,
    )


SOURCE = Source(
    title="Gitleaks, Betterleaks",
    form="JSON or SARIF",
    command="gitleaks git --report-format json --report-path report.json --redact .",
    category="secrets",
    read=read,
    tried="real",
)
