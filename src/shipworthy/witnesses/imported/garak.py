"""garak: attacks on language models. What the model answered is not kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

from shipworthy.model import Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_lines
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import Report, Source, Statement, name, plain


def read(raw: bytes) -> Report:
    """The `report.jsonl` of a run (which must have ended), or its `hitlog.jsonl`: one finding for each probe and
    detector, by how many answers of how many it hit."""
    items = json_lines(raw)
    if any("entry_type" in item for item in items):
        return _run(items)
    hits: Counter[tuple[str, str]] = Counter()
    model, goals = "", dict[str, str]()
    for item in items:
        of_tool(isinstance(item.get("probe"), str) and isinstance(item.get("detector"), str), "garak")
        hits[(item["probe"], item["detector"])] += 1
        goals[item["probe"]] = plain(item.get("goal"), 150)
        model = model or name(item.get("generator"))
    said = [_statement(p, d, f"{count} hits: {goals[p]}", model, Severity.MEDIUM) for (p, d), count in hits.items()]
    return Report(tuple(said))


def _run(items: list[dict[str, Any]]) -> Report:
    setup = next((item for item in items if str(item.get("entry_type", "")).startswith("start_run")), {})
    config = next((item for item in items if "plugins.model_name" in item), {})
    model, said, looked = name(config.get("plugins.model_name")), list[Statement](), 0
    for item in items:
        if item.get("entry_type") != "eval":
            continue
        passed, total = item.get("passed"), item.get("total", item.get("total_evaluated"))
        if not isinstance(passed, int) or not isinstance(total, int) or not 0 <= passed <= total:
            raise UnreadableReport("an evaluation in it counts nothing that can be")
        looked += total
        if passed < total:
            share = (total - passed) / total
            severity = Severity.HIGH if share >= 0.5 else Severity.MEDIUM if share >= 0.1 else Severity.LOW
            told = f"{total - passed} of {total} answers"
            said.append(_statement(str(item.get("probe")), str(item.get("detector")), told, model, severity))
    ended = any(str(item.get("entry_type")) in ("completion", "completed") for item in items)
    gaps = () if ended else ("it has no end: the run was stopped",)
    version = next((item["garak_version"] for item in items if isinstance(item.get("garak_version"), str)), "")
    return Report(tuple(said), name(version, 40), name(setup.get("start_time"), 40), looked=looked, gaps=gaps)


def _statement(probe: str, detector: str, told: str, model: str, severity: Severity) -> Statement:
    return Statement(
        rule=name(probe, 120) or "probe",
        message=f"{name(probe, 120)} ({name(detector, 120)}): {told}",
        severity=severity,
        subject=model or "model",
        kind=Kind.SERVICE,
        part=name(detector, 120).removeprefix("detector."),
    )


SOURCE = Source(
    title="garak",
    form="JSON lines",
    command="garak --model_type … --model_name … --report_prefix report",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
