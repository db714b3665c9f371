"""What a check, a gate and a stage leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from shipworthy.model.artifact import Artifact
from shipworthy.model.dataset import DatasetFacts
from shipworthy.model.finding import Finding
from shipworthy.records import dataclass, field


class Outcome(StrEnum):
    """How a check ended. Only `ran` can be clean."""

    RAN = "ran"
    PARTIAL = "partial"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    NOT_APPLICABLE = "not-applicable"


# Why something was not looked at, by the name by which a gate can accept it: `docs/gates.md` says what they mean.
REASONS = frozenset(
    """unread failed stopped findings-cut sampled too-few-rows not-learnable unpinned computed unread-include limited
    embedded-data-only no-data-for-ecosystem no-licence-data unknown-licence old-data
    damaged-data not-asked no-answer shallow-clone since
    raw-data absent unowned packaged""".split()
)


@dataclass(frozen=True)
class Skipped:
    """An artifact (or a part of one) that a check could not look at. Its type keeps it from being taken for clean.

    Without an artifact it is a limit of the check as a whole. `code` is the reason as a stable name, by which a gate
    can accept it: `unread` for an artifact and `limited` for the whole unless the check says more.
    """

    artifact: Artifact | None
    reason: str
    check: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", self.code or ("limited" if self.artifact is None else "unread"))


@dataclass(frozen=True)
class CheckResult:
    """One check over all its artifacts.

    `examined` holds the uris that were read to the end; `eligible` is how many artifacts were of the check's kinds;
    `facts` is what it says of datasets without a judgement.
    """

    check: str
    category: str
    version: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    examined: frozenset[str] = frozenset()
    eligible: int = 0
    skipped: tuple[Skipped, ...] = ()
    note: str = ""
    remedy: str = ""
    seconds: float = 0.0
    cached: int = 0
    facts: tuple[DatasetFacts, ...] = ()

    @property
    def clean(self) -> bool:
        """It looked at everything and saw nothing."""
        return self.outcome is Outcome.RAN and not self.findings


BY_STAGES = frozenset({"inventory", "training", "evaluation"})  # results that stages give themselves
BY_WITNESSES = frozenset({"modelscan", "picklescan", "fickling", "modelaudit"})  # of whom reports are taken in


BY_REPORT = "import:"  # and a tool's name: what its report says


def gap_name(name: str) -> tuple[str, str]:
    """The check and the reason of `check:reason`; the reason is empty for a check alone."""
    prefix = BY_REPORT if name.startswith(BY_REPORT) else ""
    check, _, reason = name.removeprefix(prefix).partition(":")
    return prefix + check, reason


def count_checks(results: Iterable[CheckResult]) -> int:
    """How many checks were run: each once, however many stages ran it and whether or not there was something of its
    kind; what stages say themselves is no check. Whoever tells a number of checks asks here."""
    return len({result.check for result in results} - BY_STAGES)


@dataclass(frozen=True)
class Metric:
    """An evaluation result with its uncertainty: `low` and `high` bound the interval that `method` names, `n` is how
    many predictions it rests on."""

    name: str
    value: float
    low: float
    high: float
    n: int
    method: str = ""


@dataclass(frozen=True)
class Reason:
    """Why a gate said no (or what it accepted): a stable code, a sentence, what to do, the findings meant."""

    code: str
    message: str
    remedy: str = ""
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateDecision:
    """What a gate decided, and from what.

    `new`, `known` and `waived` are fingerprints; `uncovered` names what should have been looked at and was not;
    `notes` tells of expired and unused waivers and of accepted gaps. `coverage_only`: nothing is wrong except that
    something was not looked at (exit code 3 rather than 1).
    """

    gate: str
    passed: bool
    reasons: tuple[Reason, ...] = ()
    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    coverage_only: bool = False


class Status(StrEnum):
    """How a stage ended. `not-built` is a stage this version declares but does not have yet: never a pass."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    NOT_BUILT = "not-built"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class StageResult:
    """What one stage did. `inputs` and `outputs` map names to digests; `details` holds what only this stage knows
    (JSON values); `exit_code` is what the command ends with if the run stops here."""

    stage: str
    status: Status
    started: datetime
    seconds: float = 0.0
    checks: tuple[CheckResult, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    metrics: tuple[Metric, ...] = ()
    decision: GateDecision | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    remedy: str = ""
    exit_code: int = 0
    resumed: bool = False
