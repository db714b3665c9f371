"""Safety: vulnerable Python packages (versions 2 and 3, `check` and not `scan`)."""

from __future__ import annotations

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import vulnerability
from shipworthy.witnesses.statements import Report, Source, at, graded, name, objects, scored, wanted


def read(raw: bytes) -> Report:
    """`safety check --output json`. Without a package that it found, it looked at nothing."""
    value = json_object(raw)
    meta = wanted(value, "report_meta", dict, tool="Safety")
    packages = value.get("scanned_packages")
    said = []
    for item in objects(wanted(value, "vulnerabilities", list, tool="Safety")):
        score = at(item, "severity", "cvssv3", "base_score")
        rated = at(item, "severity", "cvssv3", "base_severity") or item.get("severity")
        package = name(item.get("package_name"), 120)
        said.append(
            vulnerability(
                f"safety-{name(item.get('vulnerability_id'), 40)}",
                package,
                item.get("analyzed_version"),
                title=item.get("advisory"),
                severity=scored(score) or graded(rated, Severity.MEDIUM),
                fixed=at(item, "fixed_versions", 0),
                subject=f"pkg:pypi/{package}",
                aliases=[item.get("CVE")],
                confidence=Confidence.HIGH,
            )
        )
    looked = len(packages) if isinstance(packages, dict) else None
    version = at(meta, "telemetry", "safety_version") or meta.get("safety_version")
    return Report(tuple(said), name(version, 40), name(meta.get("timestamp"), 40), looked=looked)


SOURCE = Source(
    title="Safety",
    form="JSON",
    command="safety check -r requirements.txt --output json > report.json",
    category="dependencies",
    read=read,
    tried="documented",
)
