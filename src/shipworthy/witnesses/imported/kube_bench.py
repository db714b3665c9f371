"""kube-bench: a Kubernetes cluster against the CIS benchmark. It rates nothing: what is scored and fails is medium."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import Report, Source, Statement, name, objects, plain


def read(raw: bytes) -> Report:
    """`kube-bench --json`. A `WARN` is for a person to judge: it is told as information."""
    value = parse_json(raw)
    controls = value.get("Controls") if isinstance(value, dict) else value
    of_tool(isinstance(controls, list), "kube-bench")
    said, looked, version = [], 0, ""
    for control in objects(controls):
        of_tool(isinstance(control.get("tests"), list), "kube-bench")
        version = name(control.get("detected_version") or control.get("version"), 40)
        for group in objects(control["tests"]):
            for item in objects(group.get("results")):
                status = name(item.get("status")).upper()
                looked += 1
                if status not in ("FAIL", "WARN"):
                    continue
                scored = item.get("scored") is not False
                failed = Severity.MEDIUM if scored else Severity.LOW
                said.append(
                    Statement(
                        rule=name(item.get("test_number")) or "unnamed",
                        message=plain(item.get("test_desc")) or "a test failed",
                        severity=failed if status == "FAIL" else Severity.INFO,
                        confidence=Confidence.HIGH if status == "FAIL" else Confidence.LOW,
                        subject=f"kubernetes:{name(control.get('node_type'), 60) or 'cluster'}",
                        kind=Kind.HOST,
                        remedy=plain(item.get("remediation"), 300),
                    )
                )
    return Report(tuple(said), version, looked=looked)


SOURCE = Source(
    title="kube-bench",
    form="JSON",
    command="kube-bench run --json > report.json",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
