"""schemathesis (MIT) as a second fuzzer: its NDJSON report of version 4."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.records import dataclass
from shipworthy.tools import Tool, ToolFailed

if TYPE_CHECKING:
    from shipworthy.checks.services._session import Session

TOOL = Tool(
    "schemathesis", versions=">=4,<5", install="pip install 'schemathesis>=4,<5' (in an environment of its own)"
)
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,ignored_auth"
)
_LARGEST = 64_000_000  # bytes of a report


@dataclass(frozen=True)
class Reported:
    """A check of schemathesis that failed for an operation."""

    check: str
    operation: str
    message: str


@dataclass(frozen=True)
class Report:
    """What failed, each once by check and operation; `reason` says what was not done."""

    failures: tuple[Reported, ...]
    reason: str = ""


def schemathesis(session: Session, document: Mapping[str, Any], examples: int) -> Report:
    """Have schemathesis try the operations of the document. Raises ToolMissing or ToolFailed."""
    tools, limit = session.context.tools, session.budget.left
    tools.version(TOOL)
    if outside := _outside(document):
        raise ToolFailed(TOOL.name, f"the document refers to {outside[:60]!r}, which would be fetched: not run")
    with tempfile.TemporaryDirectory(prefix="shipworthy-fuzz-") as folder:
        place = Path(folder)
        (place / "openapi.json").write_text(json.dumps({**document, "servers": []}), encoding="utf-8")
        if session.info.credentials:  # in a file and not among the arguments, which everybody can read
            settings = place / "schemathesis.toml"
            settings.touch(mode=0o600)
            settings.write_text(f"headers = {{ Authorization = {json.dumps(session.info.credentials)} }}\n")
        report = place / "report.ndjson"
        tools.run(
            TOOL, "run", "openapi.json", "--url", session.info.url, "--checks", _CHECKS,
            "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", "1", "--workers", "1",
            "--request-timeout", "5", "--max-redirects", "0", "--no-color",
            "--continue-on-failure", "--report", "ndjson", "--report-ndjson-path", str(report),
            timeout=limit + 60, cwd=place, ok=(0, 1),
        )  # fmt: skip
        if not report.is_file() or report.stat().st_size > _LARGEST:
            raise ToolFailed(TOOL.name, "wrote no report, or one that is too large")
        return parse_report(report.read_bytes())


def parse_report(data: bytes) -> Report:
    """What an NDJSON report says. Raises ToolFailed when it is cut short, unfinished or something else."""
    failures: dict[tuple[str, str], Reported] = {}
    finished, errors, first = "", 0, ""
    for line in data.splitlines():
        try:
            event = json.loads(line)
            kind, value = next(iter(event.items()))
        except (ValueError, RecursionError, AttributeError, StopIteration):
            raise ToolFailed(TOOL.name, "the report is cut short or not NDJSON") from None
        if not isinstance(value, dict):
            raise ToolFailed(TOOL.name, "the report has events of another form")
        if kind == "EngineFinished":
            finished = str(value.get("stop_reason") or "unknown")
        elif kind in ("NonFatalError", "FatalError"):
            errors += 1
            problem = value.get("value") or value.get("exception") or {}
            first = first or str(problem.get("type", "") if isinstance(problem, dict) else "")[:60]
        elif kind == "ScenarioFinished":
            for one in _failed(value):
                failures.setdefault((one.check, one.operation), one)
    if not finished:
        raise ToolFailed(TOOL.name, "the report does not say that the run was finished")
    notes = [f"{errors} errors, the first: {first or 'without a name'}"] if errors else []
    if finished not in ("completed", "max_time", "time_limit"):
        notes.append(f"it stopped early: {finished[:40]}")
    return Report(tuple(failures.values()), "; ".join(notes))


def _failed(value: Mapping[str, Any]) -> list[Reported]:
    recorder = value.get("recorder")
    checks = recorder.get("checks") if isinstance(recorder, dict) else None
    if not isinstance(recorder, dict) or not isinstance(checks, dict):
        return []
    found = []
    for case, group in checks.items():
        if _status(recorder, case) == 501:
            continue  # the answer to a method that does not exist, as it should be
        for one in group if isinstance(group, list) else ():
            if isinstance(one, dict) and one.get("status") == "failure":
                info = one.get("failure_info")
                failure = info.get("failure") if isinstance(info, dict) else None
                failure = failure if isinstance(failure, dict) else {}
                operation = str(failure.get("operation") or recorder.get("label") or "")[:200]
                message = f"{failure.get('title', '')}: {failure.get('message', '')}"
                found.append(Reported(str(one.get("name"))[:60], operation, message[:500]))
    return found


def _status(recorder: Mapping[str, Any], case: str) -> object:
    value: Any = recorder
    for key in ("interactions", case, "response", "status_code"):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _outside(document: Any) -> str:
    """The first reference that leads out of the document."""
    todo = [document]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            ref = value.get("$ref")
            if isinstance(ref, str) and not ref.startswith("#"):
                return ref
            for key in ("operationRef", "externalValue"):
                if isinstance(value.get(key), str):
                    return str(value[key])
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return ""
