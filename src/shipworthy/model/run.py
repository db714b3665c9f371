"""The record of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from shipworthy.model.artifact import Artifact, Kind
from shipworthy.model.dataset import DatasetFacts
from shipworthy.model.finding import Disposition, Finding
from shipworthy.model.result import CheckResult, GateDecision, Metric, StageResult, Status
from shipworthy.records import dataclass, field

SCHEMA_VERSION = "1"


@dataclass(frozen=True)
class Trigger:
    """Why the run happened. `commit`, `branch` and `author` are empty outside git; `dirty` says that the working tree
    differs from the commit; `since` is the revision that limits what is looked at; `model` names the finished run
    (its id, its model's digest, or the stored name) whose model is shipped."""

    how: str = "manual"
    commit: str = ""
    branch: str = ""
    author: str = ""
    dirty: bool = False
    since: str = ""
    model: str = ""


@dataclass(frozen=True)
class Run:
    """One run of a pipeline (or of `shipworthy scan`, whose pipeline is `scan`)."""

    id: str
    pipeline: str
    project: str
    trigger: Trigger
    settings_digest: str
    started: datetime
    seconds: float = 0.0
    stages: tuple[StageResult, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = 0
    schema: str = SCHEMA_VERSION

    @property
    def shipworthy(self) -> bool:
        """Every stage passed. A stage that is not built, was skipped or has not been reached is no pass."""
        return bool(self.stages) and self.exit_code == 0 and all(s.status is Status.PASSED for s in self.stages)

    @property
    def verdict(self) -> str:
        """The one line that answers the question."""
        if self.shipworthy:
            return "SHIPWORTHY"
        for stage in self.stages:
            if stage.status is not Status.PASSED:
                return f"NOT SHIPWORTHY: {stage.stage}: {stage.note or stage.status.value}"
        return "NOT SHIPWORTHY: nothing was run"

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Every artifact that a stage brought in, the first of each uri."""
        seen: dict[str, Artifact] = {}
        for stage in self.stages:
            for artifact in stage.artifacts:
                seen.setdefault(artifact.uri, artifact)
        return tuple(seen.values())

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """Every check result, in the order of the stages."""
        return tuple(check for stage in self.stages for check in stage.checks)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the worst first; waived and known ones included (see `Finding.disposition`)."""
        found = [finding for check in self.checks for finding in check.findings]
        return tuple(
            sorted(
                found, key=lambda f: (f.disposition is not Disposition.NEW, -f.severity.rank, f.artifact.uri, f.rule.id)
            )
        )

    @property
    def datasets(self) -> Mapping[Artifact, DatasetFacts]:
        """What is known of each dataset that was read."""
        return {facts.artifact: facts for check in self.checks for facts in check.facts}

    @property
    def decisions(self) -> tuple[GateDecision, ...]:
        """The gates' decisions, in order."""
        return tuple(stage.decision for stage in self.stages if stage.decision)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric that the run measured itself."""
        return tuple(metric for stage in self.stages for metric in stage.metrics)

    def outcome_of(self, uri: str) -> str:
        """`finding`, `unknown` (something could not read it, or see `unread_code`), `clean`, or `not-examined`."""
        return self._outcomes().get(uri, "not-examined")

    @property
    def unread_code(self) -> tuple[Artifact, ...]:
        """Code in which nothing but secrets was looked for, as no check that was run reads its language."""
        read = {uri for check in self.checks if check.category != "secrets" for uri in self._seen(check)}
        searched = {uri for check in self.checks if check.category == "secrets" for uri in check.examined}
        return tuple(a for a in self.artifacts if a.kind is Kind.CODE and a.uri in searched and a.uri not in read)

    @staticmethod
    def _seen(check: CheckResult) -> Iterator[str]:
        yield from check.examined
        yield from (skip.artifact.uri for skip in check.skipped if skip.artifact is not None)

    def artifact_outcomes(self) -> Iterator[tuple[Artifact, str]]:
        """Each artifact with its outcome; see `outcome_of`."""
        outcomes = self._outcomes()
        for artifact in self.artifacts:
            yield artifact, outcomes.get(artifact.uri, "not-examined")

    def _outcomes(self) -> dict[str, str]:
        outcomes: dict[str, str] = {}
        for check in self.checks:
            for uri in check.examined:
                outcomes.setdefault(uri, "clean")
        outcomes |= {artifact.uri: "unknown" for artifact in self.unread_code}
        for check in self.checks:
            for skip in check.skipped:
                if skip.artifact is not None:
                    outcomes[skip.artifact.uri] = "unknown"
        for check in self.checks:
            for finding in check.findings:
                if finding.disposition is not Disposition.WAIVED:
                    outcomes[finding.artifact.uri] = "finding"
        return outcomes
