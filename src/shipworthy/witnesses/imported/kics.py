"""KICS: infrastructure as code."""

from __future__ import annotations

from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import sarif_of
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
    wanted,
)


def read(raw: bytes) -> Report:
    """`kics scan --report-formats json` (or `sarif`)."""
    value = json_object(raw)
    if (log := sarif_of(value, "kics", "keeping infrastructure as code secure")) is not None:
        return log
    queries, looked = wanted(value, "queries", list, tool="KICS"), wanted(value, "files_scanned", int, tool="KICS")
    said = []
    for query in objects(queries):
        secret = (
            "secret" in str(query.get("category", "")).lower() or "password" in str(query.get("query_name")).lower()
        )
        told = guarded if secret else plain
        for place in objects(query.get("files")):
            why = told(place.get("expected_value"), 200)
            said.append(
                Statement(
                    rule=name(query.get("query_id")) or "unnamed",
                    message=f"{plain(query.get('query_name'), 150)}: {why or plain(query.get('description'), 200)}",
                    severity=graded("info" if query.get("severity") == "TRACE" else query.get("severity")),
                    title=plain(query.get("query_name"), 150),
                    path=name(place.get("file_name"), 1000),
                    line=number(place.get("line")),
                    part=told(place.get("search_key"), 150),
                    cwes=cwes(query.get("cwe") or (), "CWE-798" if secret else ()),
                    identity=name(place.get("similarity_id"), 80),
                    secret=secret,
                )
            )
    gaps = []
    for key, told_of in (("files_failed_to_scan", "files"), ("queries_failed_to_execute", "queries")):
        failed = value.get(key)
        if isinstance(failed, int) and failed > 0:
            gaps.append(f"{failed} {told_of} failed")
    return Report(
        tuple(said), name(value.get("kics_version"), 40), name(value.get("end"), 40), looked=looked, gaps=tuple(gaps)
    )


SOURCE = Source(
    title="KICS",
    form="JSON or SARIF",
    command="kics scan -p . --report-formats json --output-path .",
    category="infrastructure",
    read=read,
    tried="recorded",
)
