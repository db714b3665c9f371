"""Horusec: code and secrets of many languages. The project is dead since 2023; its reports can still be read."""

from __future__ import annotations

from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    cwes,
    graded,
    guarded,
    name,
    number,
    objects,
    plain,
    sure,
)


def read(raw: bytes) -> Report:
    """`horusec start -o json`. Tools of it that failed are named in `errors`: gaps."""
    value = json_object(raw)
    of_tool("analysisVulnerabilities" in value and "status" in value, "Horusec")
    of_tool(isinstance(value["analysisVulnerabilities"], list | None), "Horusec")
    said = []
    for entry in objects(value["analysisVulnerabilities"]):
        item = entry.get("vulnerabilities")
        of_tool(isinstance(item, dict), "Horusec")
        assert isinstance(item, dict)  # noqa: S101  of_tool raised otherwise
        if item.get("type") in ("False Positive", "Risk Accepted", "Corrected"):
            continue
        secret = item.get("language") == "Leaks"
        details = str(item.get("details", ""))
        title, _, more = details.partition("\n")
        title = title.rpartition(") ")[2] if title.startswith("(") else title
        told = guarded if secret else plain
        said.append(
            Statement(
                rule=name(item.get("rule_id")) or name(title, 80) or "unnamed",
                message=told(details) or "an issue",
                severity=graded(item.get("severity")),
                confidence=sure(item.get("confidence")),
                title=told(title, 150),
                path=name(item.get("file"), 1000),
                line=number(item.get("line")),
                column=number(item.get("column")),
                cwes=cwes(more[:2000], "CWE-798" if secret else ()),
                identity=name(item.get("vulnHash"), 80),
                secret=secret,
            )
        )
    errors = plain(value.get("errors"), 300)
    failed = value.get("status") != "success" or bool(errors)
    gaps = (f"it ended with status {name(value.get('status'), 20)!a}: {errors}",) if failed else ()
    return Report(
        tuple(said),
        name(value.get("version"), 40),
        name(value.get("finishedAt"), 40),
        looked=0 if failed and not said else None,
        gaps=gaps,
    )


SOURCE = Source(
    title="Horusec",
    form="JSON",
    command="horusec start -p . -o json -O report.json",
    category="code",
    read=read,
    tried="recorded",
)
