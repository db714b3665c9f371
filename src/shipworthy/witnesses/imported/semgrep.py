"""Semgrep and Opengrep: patterns of code."""

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
    """`semgrep scan --json`, `opengrep scan --json`, or their SARIF."""
    value = json_object(raw)
    if (log := sarif_of(value, "semgrep", "opengrep")) is not None:
        return log
    results, errors = wanted(value, "results", list, tool="Semgrep"), value.get("errors")
    if not isinstance(errors, list):
        raise UnreadableReport("it has no `errors` as Semgrep writes them")
    said = []
    for item in objects(results):
        extra = wanted(item, "extra", dict, tool="Semgrep")
        facts = extra.get("metadata")
        if extra.get("is_ignored") is True:
            continue
        said.append(
            Statement(
                rule=name(item.get("check_id")) or "unnamed",
                message=plain(extra.get("message")) or "a pattern was found",
                severity=graded(extra.get("severity")),
                confidence=sure(at(facts, "confidence")),
                path=name(item.get("path"), 1000),
                line=number(at(item, "start", "line")),
                end_line=number(at(item, "end", "line")),
                column=number(at(item, "start", "col")),
                cwes=cwes(at(facts, "cwe") or ()),
            )
        )
    gaps = []
    for error in objects(errors):
        if str(error.get("level", "error")).lower() == "error" or error.get("path"):
            gaps.append(f"{name(error.get('path'), 200)}: {plain(error.get('message'), 200)}".lstrip(": "))
    scanned = at(value, "paths", "scanned")
    looked = len(scanned) if isinstance(scanned, list) else None
    return Report(tuple(said), name(value.get("version"), 40), looked=looked, gaps=tuple(gaps))


SOURCE = Source(
    title="Semgrep, Opengrep",
    form="JSON or SARIF",
    command="semgrep scan --config rules/ --metrics=off --json --output report.json",
    category="code",
    read=read,
    tried="recorded",
)
