"""What a stage is, and what it is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from shipworthy.artifacts import Inventory
from shipworthy.check import Check
from shipworthy.config import Settings
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.errors import ExitCode
from shipworthy.model import CheckResult, StageResult, Status, Trigger
from shipworthy.records import dataclass, field


@dataclass
class Job:
    """One run, as a stage sees it.

    `done` holds the results of the stages before, by name: the only way in which stages hand things on, besides files
    in `folder` (the run's own) and the outputs that a result names with their digests. `inventory` is what the load
    stage found, `scope` the part of it that is to be scanned (None: all). `signer` is the key, once it was opened.
    """

    root: Path
    folder: Path
    run_id: str
    settings: Settings
    checks: CheckRunner
    events: Events
    trigger: Trigger
    today: date
    done: dict[str, StageResult] = field(default_factory=dict)
    inventory: Inventory = field(default_factory=lambda: Inventory(()))
    scope: Inventory | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    stage: str = ""
    signers: Any = field(default=None, repr=False)

    @property
    def project(self) -> str:
        """The project's name."""
        return self.settings.project or self.root.resolve().name

    def results(self, *stages: str) -> tuple[CheckResult, ...]:
        """The check results of these stages."""
        return tuple(check for name in stages if name in self.done for check in self.done[name].checks)

    def detail(self, stage: str, name: str) -> Any:
        """A value that a stage before left in its details; None when it is not there."""
        return self.done[stage].details.get(name) if stage in self.done else None

    def passed(self, note: str = "", **kept: Any) -> StageResult:
        """The stage did what it is for."""
        return StageResult(self.stage, Status.PASSED, self.started, note=note, **kept)

    def failed(self, note: str, remedy: str = "", exit_code: int = ExitCode.GATE, **kept: Any) -> StageResult:
        """The run stops here, for a reason of its own making."""
        return StageResult(
            self.stage, Status.FAILED, self.started, note=note, remedy=remedy, exit_code=exit_code, **kept
        )


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline. `always` stages are run again on resume; of the others, `holds` says whether what an
    earlier result names is still there, byte for byte. From an `exclusive` stage on, the run has the workspace for
    itself: it writes where later stages read, and another run waits. `checks` says of a check whether it runs here, if
    the settings ask for it."""

    name: str
    title: str
    about: str
    run: Callable[[Job], StageResult]
    always: bool = False
    exclusive: bool = False
    holds: Callable[[Job, StageResult], bool] = lambda _job, _result: True
    checks: Callable[[Check], bool] = lambda _check: False


@dataclass(frozen=True)
class Pipeline:
    """An ordered list of stages."""

    name: str
    title: str
    stages: tuple[Stage, ...]


def digests(result: StageResult | None) -> Mapping[str, str]:
    """The outputs of a stage that was run; nothing of one that was not."""
    return result.outputs if result else {}
