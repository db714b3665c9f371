"""Brakeman: Ruby on Rails. It tells no severity: what runs code or queries is high, the rest medium."""

from __future__ import annotations

from shipworthy.model import Severity
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import sarif_of
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    advisories,
    at,
    cwes,
    name,
    number,
    objects,
    plain,
    sure,
    wanted,
)

_HIGH = frozenset(
    {"SQL Injection", "Command Injection", "Remote Code Execution", "Dangerous Eval", "Remote Execution in YAML.load"}
)


def read(raw: bytes) -> Report:
    """`brakeman -f json`, or SARIF. Files that it could not parse are gaps."""
    value = json_object(raw)
    if (log := sarif_of(value, "brakeman")) is not None:
        return log
    info = wanted(value, "scan_info", dict, tool="Brakeman")
    said = [
        Statement(
            rule=name(item.get("check_name") or item.get("warning_type")) or "unnamed",
            message=plain(item.get("message")) or "a warning",
            severity=Severity.HIGH if item.get("warning_type") in _HIGH else Severity.MEDIUM,
            confidence=sure(item.get("confidence")),
            title=plain(item.get("warning_type"), 100),
            path=name(item.get("file"), 1000),
            line=number(item.get("line")),
            part=plain(f"{at(item, 'location', 'class') or ''}#{at(item, 'location', 'method') or ''}".strip("#"), 120),
            cwes=cwes(item.get("cwe_id") or ()),
            ids=advisories(item.get("message")),
            identity=name(item.get("fingerprint"), 80),
        )
        for item in objects(wanted(value, "warnings", list, tool="Brakeman"))
    ]
    gaps = [plain(error.get("error"), 200) or "an error" for error in objects(value.get("errors"))]
    checks = info.get("checks_performed")
    looked = len(checks) if isinstance(checks, list) else None
    return Report(
        tuple(said), name(info.get("brakeman_version"), 40), name(info.get("end_time"), 40), looked, tuple(gaps)
    )


SOURCE = Source(
    title="Brakeman",
    form="JSON or SARIF",
    command="brakeman -f json -o report.json",
    category="code",
    read=read,
    tried="recorded",
)
