"""Retire.js: vulnerable JavaScript libraries. Without its data it reports nothing, and says so under `errors`."""

from __future__ import annotations

from shipworthy.model import Confidence
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import vulnerability
from shipworthy.witnesses.statements import Report, Source, at, cwes, graded, name, objects, plain, wanted


def read(raw: bytes) -> Report:
    """`retire --outputformat json`."""
    value = json_object(raw)
    said = []
    for file in objects(wanted(value, "data", list, tool="Retire.js")):
        for item in objects(file.get("results")):
            for found in objects(item.get("vulnerabilities")):
                known = found.get("identifiers")
                ids = [*(at(known, "CVE") or []), at(known, "githubID")]
                first = next((i for i in ids if isinstance(i, str)), None)
                other = next((f"{key}-{plain(v, 30)}" for key, v in known.items()), None) if known else None
                said.append(
                    vulnerability(
                        first or name(other, 60) or "retire-unnamed",
                        item.get("component"),
                        item.get("version"),
                        title=at(known, "summary"),
                        severity=graded(found.get("severity")),
                        fixed=found.get("below"),
                        path=name(file.get("file"), 1000),
                        weaknesses=cwes(found.get("cwe") or ()),
                        aliases=ids,
                        confidence=Confidence.HIGH,
                    )
                )
    errors = value.get("errors")
    gaps = [plain(e if isinstance(e, str) else at(e, "message") or str(e), 200) for e in errors or []]
    if gaps and not said:
        raise UnreadableReport(f"Retire.js failed: {gaps[0]}")
    return Report(tuple(said), name(value.get("version"), 40), name(value.get("start"), 40), gaps=tuple(gaps))


SOURCE = Source(
    title="Retire.js",
    form="JSON",
    command="retire --outputformat json --outputpath report.json",
    category="dependencies",
    read=read,
    tried="recorded",
)
