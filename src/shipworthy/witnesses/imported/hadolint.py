"""Hadolint: Dockerfiles."""

from __future__ import annotations

from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool, sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, graded, name, number, objects, plain


def read(raw: bytes) -> Report:
    """`hadolint -f json`, or SARIF. What it could not parse (DL1000) is a gap."""
    value = parse_json(raw)
    if (log := sarif_of(value, "hadolint")) is not None:
        return log
    of_tool(isinstance(value, list), "Hadolint")
    said, gaps = [], []
    for item in objects(value):
        of_tool(isinstance(item.get("code"), str) and isinstance(item.get("file"), str) and "level" in item, "Hadolint")
        if item["code"] == "DL1000":
            gaps.append(f"{name(item['file'], 300)}: not parsed")
            continue
        said.append(
            Statement(
                rule=name(item["code"]) or "unnamed",
                message=plain(item.get("message")) or "a finding",
                severity=graded(item.get("level")),
                path=name(item["file"], 1000),
                line=number(item.get("line")),
                column=number(item.get("column")),
            )
        )
    return Report(tuple(said), gaps=tuple(gaps))


SOURCE = Source(
    title="Hadolint",
    form="JSON or SARIF",
    command="hadolint --no-fail -f json Dockerfile > report.json",
    category="infrastructure",
    read=read,
    tried="real",
)
