"""Checkov: infrastructure as code. It tells no severity without an account: what has none counts as medium."""

from __future__ import annotations

from shipworthy.model import Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import parse_json
from shipworthy.witnesses.imported._shared import of_tool, sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, at, graded, name, number, objects, plain


def read(raw: bytes) -> Report:
    """`checkov -d … -o json`: one object for one framework, a list for several, counts alone for none."""
    value = parse_json(raw)
    if (log := sarif_of(value, "checkov")) is not None:
        return log
    parts = list(objects(value if isinstance(value, list) else [value]))
    if len(parts) == 1 and "results" not in parts[0] and "failed" in parts[0]:
        raise UnreadableReport("Checkov looked at nothing: it found no file of a framework that it knows")
    said, gaps, version, looked = [], list[str](), "", 0
    for part in parts:
        results = part.get("results")
        of_tool(isinstance(results, dict) and isinstance(at(results, "failed_checks"), list), "Checkov")
        version = version or name(at(part, "summary", "checkov_version"), 40)
        for item in objects(at(results, "failed_checks")):
            lines = item.get("file_line_range")
            said.append(
                Statement(
                    rule=name(item.get("check_id")) or "unnamed",
                    message=plain(item.get("check_name")) or "a check failed",
                    severity=graded(item.get("severity"), Severity.MEDIUM),
                    path=name(item.get("repo_file_path") or item.get("file_path"), 1000).lstrip("/"),
                    line=number(at(lines, 0)),
                    end_line=number(at(lines, 1)),
                    part=plain(item.get("resource"), 150),
                    secret=part.get("check_type") == "secrets",
                    cwes=("CWE-798",) if part.get("check_type") == "secrets" else (),
                )
            )
        broken = at(results, "parsing_errors") or []
        gaps += [f"{name(path, 300)}: not parsed" for path in broken if isinstance(path, str)]
        passed = at(part, "summary", "passed")
        looked += len(at(results, "failed_checks")) + (passed if isinstance(passed, int) else 1)
    return Report(tuple(said), version, gaps=tuple(gaps), looked=looked)


SOURCE = Source(
    title="Checkov",
    form="JSON or SARIF",
    command="checkov -d . -o json --quiet --skip-download > report.json",
    category="infrastructure",
    read=read,
    tried="real",
)
