"""npm audit: vulnerable packages of a Node project (npm 6, and 7 and later)."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import of_tool, vulnerability
from shipworthy.witnesses.statements import Report, Source, Statement, at, cwes, graded, name, objects, plain

_LOCK = "package-lock.json"


def read(raw: bytes) -> Report:
    """`npm audit --json`. It ends with 1 for findings and for errors alike: what it says of an error is one."""
    value = json_object(raw)
    if "error" in value or "statusCode" in value or isinstance(value.get("message"), str):
        why = at(value, "error", "summary") or at(value, "error", "code") or value.get("message") or value.get("error")
        raise UnreadableReport(f"npm audit failed: {plain(why, 200) or 'it answered with an error'}")
    if isinstance(value.get("advisories"), dict):
        return _six(value)
    of_tool(value.get("auditReportVersion") == 2 and isinstance(value.get("vulnerabilities"), dict), "npm audit")
    said: dict[tuple[str, str], Statement] = {}
    for package, item in value["vulnerabilities"].items():
        of_tool(isinstance(item, dict) and isinstance(item.get("via"), list), "npm audit")
        for via in item["via"]:
            if not isinstance(via, dict):  # through another package, which has its own entry
                continue
            url = name(via.get("url"), 200)
            ident = url.rstrip("/").rpartition("/")[2] or name(via.get("source")) or "unnamed"
            said[(package, ident)] = vulnerability(
                ident,
                via.get("name") or package,
                title=f"{via.get('title')} (versions {via.get('range')})",
                severity=graded(via.get("severity")),
                path=_LOCK,
                weaknesses=cwes(via.get("cwe") or ()),
                remedy=_remedy(package, item.get("fixAvailable")),
                confidence=Confidence.HIGH,
            )
    total = at(value, "metadata", "dependencies", "total")
    return Report(tuple(said.values()), looked=total if isinstance(total, int) else None)


def _remedy(package: str, fix: Any) -> str:
    if isinstance(fix, dict):
        return f"Upgrade {name(fix.get('name'), 120)} to {name(fix.get('version'), 40)} or later."
    return f"Upgrade {name(package, 120)}: `npm audit fix` finds the version." if fix is True else ""


def _six(value: dict[str, Any]) -> Report:
    said = [
        vulnerability(
            name(item.get("github_advisory_id")) or f"npm-{name(item.get('id'))}",
            item.get("module_name"),
            at(item, "findings", 0, "version"),
            title=item.get("title"),
            severity=graded(item.get("severity")),
            fixed=str(item.get("patched_versions") or "").removeprefix(">="),
            path=_LOCK,
            weaknesses=cwes(item.get("cwe") or ()),
            aliases=item.get("cves") or (),
            confidence=Confidence.HIGH,
        )
        for item in objects(list(value["advisories"].values()))
    ]
    total = at(value, "metadata", "totalDependencies")
    return Report(tuple(said), looked=total if isinstance(total, int) else None)


SOURCE = Source(
    title="npm audit",
    form="JSON",
    command="npm audit --json > report.json",
    category="dependencies",
    read=read,
    tried="recorded",
)
