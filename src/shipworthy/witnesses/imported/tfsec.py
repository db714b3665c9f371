"""tfsec: Terraform. Its successor is `trivy config`."""

from __future__ import annotations

from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, at, graded, name, number, objects, plain


def read(raw: bytes) -> Report:
    """`tfsec --format json` (`results` is null for none), or SARIF. Its `WARNING` of before 2021 is high."""
    value = json_object(raw)
    if (log := sarif_of(value, "tfsec", "defsec")) is not None:
        return log
    if set(value) - {"results"} or "results" not in value or not isinstance(value["results"], list | None):
        raise UnreadableReport("it is not as tfsec writes it")
    said = [
        Statement(
            rule=name(item.get("long_id") or item.get("rule_id")) or "unnamed",
            message=plain(item.get("description")) or "an issue",
            severity=graded("high" if item.get("severity") == "WARNING" else item.get("severity")),
            title=plain(item.get("rule_description"), 150),
            path=name(at(item, "location", "filename"), 1000),
            line=number(at(item, "location", "start_line")),
            end_line=number(at(item, "location", "end_line")),
            part=plain(item.get("resource"), 150),
            remedy=plain(item.get("resolution"), 300),
        )
        for item in objects(value["results"])
        if item.get("status") in (None, "failed", 0) and item.get("passed") is not True
    ]
    return Report(tuple(said))


SOURCE = Source(
    title="tfsec",
    form="JSON or SARIF",
    command="tfsec --format json --out report.json .",
    category="infrastructure",
    read=read,
    tried="recorded",
)
