"""The run as JSON values, and back: the only place that knows the written form.

One run is one document (`docs/run.schema.json`). Rules, artifacts and findings are listed once at its top and referred
to by name: a rule by its id, an artifact by its uri, a finding by its fingerprint. Where two different things share
such a name, the later one carries a `ref` of its own. What can be computed from the rest (verdict, an artifact's
outcome and findings) is written for readers and ignored when read back. Paths on this machine are not written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from shipworthy.errors import UsageError
from shipworthy.model._reading import DAMAGE, Tables, read_run, read_stage
from shipworthy.model.artifact import Artifact
from shipworthy.model.dataset import DatasetFacts
from shipworthy.model.finding import Finding, Rule
from shipworthy.model.result import CheckResult, GateDecision, Metric, StageResult
from shipworthy.model.run import SCHEMA_VERSION, Run
from shipworthy.patterns import regex

Json = dict[str, Any]
T = TypeVar("T", bound=Hashable)
_DEPTH = 64
# JSON allows these inside strings; they hide text, turn it around or steer a terminal, so they are written as escapes.
_UNSAFE = regex(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


def run_to_dict(run: Run) -> Json:
    """The whole run as JSON values. Raises TypeError when a stage's details hold something that JSON does not have."""
    tables = _Tables.of(run.artifacts, run.findings)
    stages = [_stage(stage, tables) for stage in run.stages]
    return {
        "schema": run.schema,
        "id": run.id,
        "pipeline": run.pipeline,
        "project": run.project,
        "shipworthy": run.shipworthy,
        "verdict": run.verdict,
        "exit_code": run.exit_code,
        "started": run.started.isoformat(),
        "seconds": run.seconds,
        "trigger": {
            "how": run.trigger.how,
            "commit": run.trigger.commit,
            "branch": run.trigger.branch,
            "author": run.trigger.author,
            "dirty": run.trigger.dirty,
            "since": run.trigger.since,
            "model": run.trigger.model,
        },
        "settings_digest": run.settings_digest,
        "versions": dict(run.versions),
        "artifacts": _artifacts(tables, run),
        "findings": tables.findings.written(lambda item: _finding(item, tables)),
        "rules": tables.rules.written(_rule),
        "stages": stages,
    }


def run_from_dict(data: Mapping[str, Any]) -> Run:
    """The run that `run_to_dict` wrote. Raises UsageError when it is of another version or not a run at all."""
    _check_version(data)
    try:
        return read_run(data)
    except DAMAGE as error:
        raise _unreadable("run", error) from error


def stage_to_dict(stage: StageResult) -> Json:
    """One stage with all that it refers to: an entry of the journal."""
    tables = _Tables.of(stage.artifacts, [finding for check in stage.checks for finding in check.findings])
    written = _stage(stage, tables)
    return {
        "schema": SCHEMA_VERSION,
        "stage": written,
        "artifacts": tables.artifacts.written(_artifact),
        "findings": tables.findings.written(lambda item: _finding(item, tables)),
        "rules": tables.rules.written(_rule),
    }


def stage_from_dict(data: Mapping[str, Any]) -> StageResult:
    """The stage that `stage_to_dict` wrote; its artifacts have no path. Raises UsageError as `run_from_dict` does."""
    _check_version(data)
    try:
        return read_stage(data["stage"], Tables(data))
    except DAMAGE as error:
        raise _unreadable("stage", error) from error


def dumps(data: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON text, indented, with a final newline; characters that could steer a terminal are escaped."""
    text = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)
    return _UNSAFE.sub(lambda match: json.dumps(match.group())[1:-1], text) + "\n"


def loads(text: str | bytes) -> Json:
    """The JSON object in `text`. Raises UsageError when there is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable("run", error) from error
    if not isinstance(data, dict):
        raise UsageError("this is JSON, but not a run record", remedy="give the run.json of a run")
    return data


def _check_version(data: Mapping[str, Any]) -> None:
    found = data.get("schema") if isinstance(data, Mapping) else None
    if found != SCHEMA_VERSION:
        said = "names no version" if found is None else f"has version {str(found)[:20]!r}"
        raise UsageError(
            f"the run record {said}; this shipworthy reads version {SCHEMA_VERSION!r}",
            remedy="read it with the shipworthy that wrote it",
        )


def _unreadable(what: str, error: Exception) -> UsageError:
    reason = f"{type(error).__name__}: {error}"[:200]
    return UsageError(f"the {what} record cannot be read ({reason})", remedy="the file is damaged or was not ours")


class _Table(Generic[T]):
    """Things listed once, in the order of their first mention, each with a reference unique in its table."""

    def __init__(self, name: Callable[[T], str]) -> None:
        self._name = name
        self._refs: dict[T, str] = {}
        self._taken: set[str] = set()

    def ref(self, item: T) -> str:
        known = self._refs.get(item)
        if known is not None:
            return known
        ref = name = self._name(item)
        number = 1
        while ref in self._taken:
            number += 1
            ref = f"{name}#{number}"
        self._taken.add(ref)
        self._refs[item] = ref
        return ref

    def items(self) -> Iterable[tuple[T, str]]:
        return self._refs.items()

    def written(self, write: Callable[[T], Json]) -> list[Json]:
        out = []
        for item, ref in self._refs.items():
            data = write(item)
            out.append(data if ref == self._name(item) else {"ref": ref, **data})
        return out


class _Tables:
    def __init__(self) -> None:
        self.rules: _Table[Rule] = _Table(lambda rule: rule.id)
        self.artifacts: _Table[Artifact] = _Table(lambda artifact: artifact.uri)
        self.findings: _Table[Finding] = _Table(lambda finding: finding.fingerprint)

    @classmethod
    def of(cls, artifacts: Iterable[Artifact], findings: Iterable[Finding]) -> _Tables:
        tables = cls()
        for artifact in artifacts:
            tables.artifacts.ref(artifact)
        for finding in findings:
            tables.findings.ref(finding)
            tables.rules.ref(finding.rule)
            tables.artifacts.ref(finding.artifact)
        return tables


def _artifacts(tables: _Tables, run: Run) -> list[Json]:
    outcomes = run._outcomes()
    examined: dict[str, list[str]] = {}
    for check in run.checks:
        for uri in check.examined:
            names = examined.setdefault(uri, [])
            if check.check not in names:
                names.append(check.check)
    found: dict[str, list[Finding]] = {}
    for finding, _ in tables.findings.items():
        found.setdefault(finding.artifact.uri, []).append(finding)

    def write(artifact: Artifact) -> Json:
        own = found.get(artifact.uri, [])
        return {
            **_artifact(artifact),
            "outcome": outcomes.get(artifact.uri, "not-examined"),
            "examined_by": sorted(examined.get(artifact.uri, [])),
            "rules": sorted({finding.rule.id for finding in own}),
            "findings": [finding.fingerprint for finding in own],
        }

    return tables.artifacts.written(write)


def _artifact(artifact: Artifact) -> Json:
    return {
        "uri": artifact.uri,
        "kind": artifact.kind.value,
        "digest": artifact.digest,
        "size": artifact.size,
        "media_type": artifact.media_type,
    }


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "description": rule.description,
        "remedy": rule.remedy,
        "taxonomy": list(rule.taxonomy),
        "help": rule.help,
    }


def _finding(finding: Finding, tables: _Tables) -> Json:
    place = finding.location
    return {
        "fingerprint": finding.fingerprint,
        "rule": tables.rules.ref(finding.rule),
        "artifact": tables.artifacts.ref(finding.artifact),
        "location": {name: value for name, value in vars(place).items() if value is not None},
        "message": finding.message,
        "evidence": finding.evidence,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "remedy": finding.remedy,
        "witnesses": list(finding.witnesses),
        "key": finding.key,
        "occurrence": finding.occurrence,
        "check": finding.check,
        "category": finding.category,
        "disposition": finding.disposition.value,
        "waiver": finding.waiver,
    }


def _stage(stage: StageResult, tables: _Tables) -> Json:
    return {
        "stage": stage.stage,
        "status": stage.status.value,
        "started": stage.started.isoformat(),
        "seconds": stage.seconds,
        "note": stage.note,
        "remedy": stage.remedy,
        "exit_code": stage.exit_code,
        "resumed": stage.resumed,
        "inputs": dict(stage.inputs),
        "outputs": dict(stage.outputs),
        "artifacts": [tables.artifacts.ref(artifact) for artifact in stage.artifacts],
        "checks": [_check(check, tables) for check in stage.checks],
        "metrics": [_metric(metric) for metric in stage.metrics],
        "decision": None if stage.decision is None else _decision(stage.decision),
        "details": _plain(stage.details, f"details of stage {stage.stage}"),
    }


def _check(check: CheckResult, tables: _Tables) -> Json:
    return {
        "check": check.check,
        "category": check.category,
        "version": check.version,
        "outcome": check.outcome.value,
        "findings": [tables.findings.ref(finding) for finding in check.findings],
        "examined": sorted(check.examined),
        "eligible": check.eligible,
        "skipped": [
            {
                "artifact": None if skip.artifact is None else tables.artifacts.ref(skip.artifact),
                "reason": skip.reason,
                "check": skip.check,
                "code": skip.code,
            }
            for skip in check.skipped
        ],
        "note": check.note,
        "remedy": check.remedy,
        "seconds": check.seconds,
        "cached": check.cached,
    } | (
        {"facts": [{"artifact": tables.artifacts.ref(one.artifact), **facts_to_dict(one)} for one in check.facts]}
        if check.facts
        else {}
    )


def facts_to_dict(facts: DatasetFacts) -> Json:
    """What is known of a dataset, without its artifact."""
    return {
        "format": facts.format,
        "encoding": facts.encoding,
        "rows": facts.rows,
        "width": facts.width,
        "columns": [vars(column).copy() for column in facts.columns],
        "label_column": facts.label_column,
        "label_counts": [list(pair) for pair in facts.label_counts],
        "unread": list(facts.unread),
    }


def _metric(metric: Metric) -> Json:
    return {
        "name": metric.name,
        "value": _written_number(metric.value),
        "low": _written_number(metric.low),
        "high": _written_number(metric.high),
        "n": metric.n,
        "method": metric.method,
    }


def _decision(decision: GateDecision) -> Json:
    return {
        "gate": decision.gate,
        "passed": decision.passed,
        "coverage_only": decision.coverage_only,
        "reasons": [
            {
                "code": reason.code,
                "message": reason.message,
                "remedy": reason.remedy,
                "fingerprints": list(reason.fingerprints),
            }
            for reason in decision.reasons
        ],
        "new": list(decision.new),
        "known": list(decision.known),
        "waived": list(decision.waived),
        "uncovered": list(decision.uncovered),
        "notes": list(decision.notes),
    }


def _written_number(value: float) -> float | str:
    """JSON has no infinities and no NaN: they are written as `inf`, `-inf` and `nan`."""
    return value if math.isfinite(value) else str(float(value))


def _plain(value: object, where: str, depth: int = 0) -> Any:
    """JSON values only; tuples become lists, numbers that are not finite become strings."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _written_number(float(value))
    if depth < _DEPTH:
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {str(key): _plain(item, f"{where}.{key}", depth + 1) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
            return [_plain(item, f"{where}[{n}]", depth + 1) for n, item in enumerate(value)]
    raise TypeError(f"{where}: {type(value).__name__} cannot be written as JSON")
