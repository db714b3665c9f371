"""pip-audit: vulnerable Python packages. What it skipped is a gap: it ends with 0 when it skipped them all."""

from __future__ import annotations

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool, vulnerability
from shipworthy.witnesses.statements import Report, Source, at, name, objects, plain


def read(raw: bytes) -> Report:
    """`pip-audit -f json`, of version 2 and before. It rates nothing: what has no severity counts as medium."""
    value = parse_json(raw)
    found = at(value, "dependencies") if isinstance(value, dict) else value
    of_tool(isinstance(found, list), "pip-audit")
    said, gaps, looked = [], [], 0
    for item in objects(found):
        package = name(item.get("name"), 120)
        if isinstance(item.get("skip_reason"), str):
            gaps.append(f"{package}: {plain(item['skip_reason'], 200)}")
            continue
        of_tool(isinstance(item.get("vulns"), list), "pip-audit")
        looked += 1
        for each in objects(item["vulns"]):
            said.append(
                vulnerability(
                    each.get("id"),
                    package,
                    item.get("version"),
                    title=each.get("description"),
                    severity=Severity.MEDIUM,
                    fixed=at(each, "fix_versions", 0),
                    subject=f"pkg:pypi/{package}",
                    aliases=each.get("aliases") or (),
                    confidence=Confidence.HIGH,
                )
            )
    return Report(tuple(said), looked=looked, gaps=tuple(gaps))


SOURCE = Source(
    title="pip-audit",
    form="JSON",
    command="pip-audit --strict -f json -o report.json -r requirements.txt",
    category="dependencies",
    read=read,
    tried="recorded",
)
