"""Terrascan: infrastructure as code. It is archived: use `checkov` or `trivy config` instead."""

from __future__ import annotations

from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import of_tool, sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, at, graded, name, number, objects, plain, wanted


def read(raw: bytes) -> Report:
    """`terrascan scan -o json` (`violations` is null for none), or SARIF."""
    value = json_object(raw)
    if (log := sarif_of(value, "terrascan")) is not None:
        return log
    results = wanted(value, "results", dict, tool="Terrascan")
    of_tool("violations" in results and isinstance(results.get("scan_summary"), dict), "Terrascan")
    said = [
        Statement(
            rule=name(item.get("rule_id")) or "unnamed",
            message=plain(item.get("description")) or "a violation",
            severity=graded(item.get("severity")),
            title=plain(item.get("rule_name"), 150),
            path=name(item.get("file"), 1000),
            line=number(item.get("line")),
            part=plain(f"{item.get('resource_type', '')}.{item.get('resource_name', '')}", 150).strip("."),
        )
        for item in objects(results["violations"])
    ]
    absent = ("not found", "no helm", "no terraform", "no kustom", "no valid")  # of frameworks that are not there
    gaps = [
        told
        for error in objects(results.get("scan_errors"))
        if (told := plain(error.get("errMsg"), 200)) and not any(word in told.lower() for word in absent)
    ]
    made = name(at(results, "scan_summary", "scanned_at"), 40)
    looked = at(results, "scan_summary", "policies_validated")
    return Report(tuple(said), made=made, gaps=tuple(gaps), looked=looked if isinstance(looked, int) else None)


SOURCE = Source(
    title="Terrascan",
    form="JSON or SARIF",
    command="terrascan scan -o json > report.json",
    category="infrastructure",
    read=read,
    tried="recorded",
)
