"""Plain frozen types. They know nothing of the rest."""

from shipworthy.model.artifact import Artifact, Kind
from shipworthy.model.dataset import Column, DatasetFacts
from shipworthy.model.finding import Confidence, Disposition, Finding, Location, Rule, Severity
from shipworthy.model.result import (
    CheckResult,
    GateDecision,
    Metric,
    Outcome,
    Reason,
    Skipped,
    StageResult,
    Status,
)
from shipworthy.model.run import SCHEMA_VERSION, Run, Trigger

__all__ = [
    "SCHEMA_VERSION",
    "Artifact",
    "CheckResult",
    "Column",
    "Confidence",
    "DatasetFacts",
    "Disposition",
    "Finding",
    "GateDecision",
    "Kind",
    "Location",
    "Metric",
    "Outcome",
    "Reason",
    "Rule",
    "Run",
    "Severity",
    "Skipped",
    "StageResult",
    "Status",
    "Trigger",
]
