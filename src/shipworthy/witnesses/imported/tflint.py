"""TFLint: Terraform."""

from __future__ import annotations

from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, at, graded, name, number, objects, plain, wanted


def read(raw: bytes) -> Report:
    """`tflint --format json`, or SARIF. Errors without issues: it did not look."""
    value = json_object(raw)
    if (log := sarif_of(value, "tflint")) is not None:
        return log
    issues, errors = wanted(value, "issues", list, tool="TFLint"), wanted(value, "errors", list, tool="TFLint")
    said = [
        Statement(
            rule=name(at(item, "rule", "name")) or "unnamed",
            message=plain(item.get("message")) or "an issue",
            severity=graded(at(item, "rule", "severity")),
            path=name(at(item, "range", "filename"), 1000),
            line=number(at(item, "range", "start", "line")),
            end_line=number(at(item, "range", "end", "line")),
            column=number(at(item, "range", "start", "column")),
        )
        for item in objects(issues)
    ]
    gaps = [plain(error.get("message") or error.get("summary"), 200) or "an error" for error in objects(errors)]
    if gaps and not said:
        raise UnreadableReport(f"TFLint failed: {gaps[0]}")
    return Report(tuple(said), gaps=tuple(gaps))


SOURCE = Source(
    title="TFLint",
    form="JSON or SARIF",
    command="tflint --recursive --format json > report.json",
    category="infrastructure",
    read=read,
    tried="documented",
)
