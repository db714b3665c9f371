"""What happens during a run, for progress bars, logs and notifiers to listen to."""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.model import Run, StageResult
from shipworthy.records import dataclass, field


@dataclass(frozen=True)
class RunStarted:
    """A run begins; `stages` are the names of its stages in order."""

    run_id: str
    pipeline: str
    stages: tuple[str, ...]


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; `number` counts from 1."""

    name: str
    title: str
    number: int
    of: int


@dataclass(frozen=True)
class Step:
    """Something inside a stage got further: `done` of `total` (0: unknown) of what `name` says."""

    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Line:
    """A line that the user's own command printed."""

    stream: str
    text: str


@dataclass(frozen=True)
class StageFinished:
    """A stage ended."""

    result: StageResult
    number: int
    of: int


@dataclass(frozen=True)
class RunFinished:
    """The run ended; everything is written."""

    run: Run


Event = RunStarted | StageStarted | Step | Line | StageFinished | RunFinished
Listener = Callable[[Event], None]


@dataclass
class Events:
    """Hands each event to every listener, in order."""

    listeners: list[Listener] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self.listeners:
            listener(event)
