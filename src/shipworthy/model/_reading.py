"""From JSON values to the types; see `shipworthy.model.serial`, which is the door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shipworthy.model.artifact import Artifact, Kind
from shipworthy.model.dataset import Column, DatasetFacts
from shipworthy.model.finding import Confidence, Disposition, Finding, Location, Rule, Severity
from shipworthy.model.result import CheckResult, GateDecision, Metric, Outcome, Reason, Skipped, StageResult, Status
from shipworthy.model.run import Run, Trigger

# What reading a damaged document can raise; `serial` makes one error for people of them.
DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError)


class Tables:
    """The tables of a document, by reference."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.rules = {_str(item.get("ref", item["id"])): _read_rule(item) for item in data["rules"]}
        self.artifacts = {_str(item.get("ref", item["uri"])): _read_artifact(item) for item in data["artifacts"]}
        self.findings = {_str(item.get("ref", item["fingerprint"])): self._finding(item) for item in data["findings"]}

    def _finding(self, data: Mapping[str, Any]) -> Finding:
        return Finding(
            rule=self.rules[data["rule"]],
            artifact=self.artifacts[data["artifact"]],
            location=_location(data["location"]),
            message=_str(data["message"]),
            evidence=_str(data["evidence"]),
            severity=Severity(data["severity"]),
            confidence=Confidence(data["confidence"]),
            remedy=_str(data["remedy"]),
            witnesses=_tuple(data["witnesses"]),
            key=_str(data["key"]),
            occurrence=int(data["occurrence"]),
            check=_str(data["check"]),
            category=_str(data["category"]),
            disposition=Disposition(data["disposition"]),
            waiver=_str(data["waiver"]),
        )


def read_run(data: Mapping[str, Any]) -> Run:
    """The run of a document. Raises one of `DAMAGE` where it is not as `run_to_dict` writes it."""
    tables = Tables(data)
    return Run(
        id=_str(data["id"]),
        pipeline=_str(data["pipeline"]),
        project=_str(data["project"]),
        trigger=_trigger(data["trigger"]),
        settings_digest=_str(data["settings_digest"]),
        started=datetime.fromisoformat(data["started"]),
        seconds=_number(data["seconds"]),
        stages=tuple(read_stage(stage, tables) for stage in data["stages"]),
        versions=_strings(data["versions"]),
        exit_code=int(data["exit_code"]),
        schema=_str(data["schema"]),
    )


def _read_rule(data: Mapping[str, Any]) -> Rule:
    return Rule(
        id=_str(data["id"]),
        title=_str(data["title"]),
        severity=Severity(data["severity"]),
        confidence=Confidence(data["confidence"]),
        description=_str(data["description"]),
        remedy=_str(data["remedy"]),
        taxonomy=_tuple(data["taxonomy"]),
        help=_str(data["help"]),
    )


def _location(data: Mapping[str, Any]) -> Location:
    for name, value in data.items():
        wanted = str if name in ("field", "member", "commit") else int
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise TypeError(f"{type(value).__name__} where the {name} of a location should be")
    return Location(**data)


def _read_artifact(data: Mapping[str, Any]) -> Artifact:
    return Artifact(
        uri=_str(data["uri"]),
        kind=Kind(data["kind"]),
        digest=_str(data["digest"]),
        size=int(data["size"]),
        media_type=_str(data["media_type"]),
    )


def read_stage(data: Mapping[str, Any], tables: Tables) -> StageResult:
    """One stage, its references looked up in `tables`. Raises one of `DAMAGE`."""
    return StageResult(
        stage=_str(data["stage"]),
        status=Status(data["status"]),
        started=datetime.fromisoformat(data["started"]),
        seconds=_number(data["seconds"]),
        checks=tuple(_read_check(check, tables) for check in data["checks"]),
        inputs=_strings(data["inputs"]),
        outputs=_strings(data["outputs"]),
        artifacts=tuple(tables.artifacts[ref] for ref in data["artifacts"]),
        metrics=tuple(_read_metric(metric) for metric in data["metrics"]),
        decision=None if data["decision"] is None else _read_decision(data["decision"]),
        details=dict(data["details"]),
        note=_str(data["note"]),
        remedy=_str(data["remedy"]),
        exit_code=int(data["exit_code"]),
        resumed=bool(data["resumed"]),
    )


def _read_check(data: Mapping[str, Any], tables: Tables) -> CheckResult:
    return CheckResult(
        check=_str(data["check"]),
        category=_str(data["category"]),
        version=_str(data["version"]),
        outcome=Outcome(data["outcome"]),
        findings=tuple(tables.findings[ref] for ref in data["findings"]),
        examined=frozenset(_tuple(data["examined"])),
        eligible=int(data["eligible"]),
        skipped=tuple(
            Skipped(
                artifact=None if skip["artifact"] is None else tables.artifacts[skip["artifact"]],
                reason=_str(skip["reason"]),
                check=_str(skip["check"]),
                code=_str(skip.get("code", "")),
            )
            for skip in data["skipped"]
        ),
        note=_str(data["note"]),
        remedy=_str(data["remedy"]),
        seconds=_number(data["seconds"]),
        cached=int(data["cached"]),
        facts=tuple(read_facts(facts, tables.artifacts[facts["artifact"]]) for facts in data.get("facts", ())),
    )


def read_facts(data: Mapping[str, Any], artifact: Artifact) -> DatasetFacts:
    """What `facts_to_dict` wrote. Raises one of `DAMAGE`."""
    return DatasetFacts(
        artifact=artifact,
        format=_str(data["format"]),
        encoding=_str(data["encoding"]),
        rows=int(data["rows"]),
        width=int(data["width"]),
        columns=tuple(
            Column(
                name=_str(column["name"]),
                type=_str(column["type"]),
                missing=int(column["missing"]),
                distinct=int(column["distinct"]),
                distinct_is_least=_bool(column["distinct_is_least"]),
            )
            for column in data["columns"]
        ),
        label_column=_str(data["label_column"]),
        label_counts=tuple((_str(label), int(count)) for label, count in data["label_counts"]),
        unread=_tuple(data["unread"]),
    )


def _read_metric(data: Mapping[str, Any]) -> Metric:
    return Metric(
        name=_str(data["name"]),
        value=_number(data["value"]),
        low=_number(data["low"]),
        high=_number(data["high"]),
        n=int(data["n"]),
        method=_str(data["method"]),
    )


def _read_decision(data: Mapping[str, Any]) -> GateDecision:
    return GateDecision(
        gate=_str(data["gate"]),
        passed=_bool(data["passed"]),
        coverage_only=_bool(data["coverage_only"]),
        reasons=tuple(
            Reason(
                _str(reason["code"]),
                _str(reason["message"]),
                _str(reason["remedy"]),
                _tuple(reason["fingerprints"]),
            )
            for reason in data["reasons"]
        ),
        new=_tuple(data["new"]),
        known=_tuple(data["known"]),
        waived=_tuple(data["waived"]),
        uncovered=_tuple(data["uncovered"]),
        notes=_tuple(data["notes"]),
    )


def _trigger(data: Mapping[str, Any]) -> Trigger:
    return Trigger(
        how=_str(data["how"]),
        commit=_str(data["commit"]),
        branch=_str(data["branch"]),
        author=_str(data["author"]),
        dirty=_bool(data["dirty"]),
        since=_str(data["since"]),
        model=_str(data.get("model", "")),
    )


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text should be")
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} where true or false should be")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"{type(value).__name__} where a number should be")
    return float(value)


def _tuple(value: Iterable[object]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError("text where a list should be")
    return tuple(_str(item) for item in value)


def _strings(value: Mapping[str, object]) -> dict[str, str]:
    return {key: _str(item) for key, item in value.items()}
