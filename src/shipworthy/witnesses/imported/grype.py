"""Grype: vulnerabilities of what an image or a folder is made of."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import of_tool, sarif_of, vulnerability
from shipworthy.witnesses.statements import Report, Source, at, graded, name, objects, wanted


def read(raw: bytes) -> Report:
    """`grype … -o json`."""
    value = json_object(raw)
    if (log := sarif_of(value, "grype")) is not None:
        return log
    matches = wanted(value, "matches", list, tool="Grype")
    of_tool(
        isinstance(value.get("descriptor"), dict) or isinstance(value.get("source"), dict) or bool(matches), "Grype"
    )
    image = at(value, "source", "type") == "image"
    target = at(value, "source", "target", "userInput") or at(value, "source", "target")
    said = []
    for match in objects(matches):
        found, item = match.get("vulnerability"), match.get("artifact")
        place = name(at(item, "locations", 0, "path"), 1000)
        related = [at(r, "id") for r in objects(match.get("relatedVulnerabilities"))]
        said.append(
            vulnerability(
                at(found, "id"),
                at(item, "name"),
                at(item, "version"),
                title=at(found, "description"),
                severity=graded(at(found, "severity")),
                fixed=at(found, "fix", "versions", 0),
                path="" if image else place,
                subject=name(target) or "image" if image or not place else "",
                kind=Kind.IMAGE if image else Kind.OTHER,
                weaknesses=[at(w, "cwe") for w in objects(at(found, "cwes"))],
                aliases=related,
                confidence=Confidence.HIGH,
            )
        )
    made = name(at(value, "descriptor", "timestamp"), 40)
    return Report(tuple(said), name(at(value, "descriptor", "version"), 40), made)


SOURCE = Source(
    title="Grype",
    form="JSON or SARIF",
    command="grype dir:. -o json --file report.json",
    category="dependencies",
    read=read,
    tried="recorded",
)
