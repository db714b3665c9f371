"""What a training is, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from shipworthy.model import Metric
from shipworthy.tools.sandbox import Attempt, Limits, SandboxReport


@dataclass(frozen=True)
class KFold:
    """Cross-validation: `dataset` names the input that is split; `label` the column to stratify by; rows with the same
    value of `group` stay in one fold (empty: no groups)."""

    folds: int = 5
    dataset: str = ""
    label: str = ""
    group: str = ""


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when `metric` of the progress lines has not improved by more than `min_delta` for `patience` lines."""

    metric: str = "val_loss"
    mode: Literal["min", "max"] = "min"
    patience: int = 5
    min_delta: float = 0.0


@dataclass(frozen=True)
class TrainSpec:
    """The training contract.

    `command` is an argv, never a shell line; `python` in it is `python` of this spec, or else ours. `code` are globs,
    `inputs` and `outputs` map names to paths, all relative to `root`; a path with a trailing slash is a folder that is
    made beforehand. `exclude` are files that must not be handed over (the holdout).

    The command is told by environment variables: SHIPWORTHY_INPUT_<NAME>, SHIPWORTHY_OUTPUT_<NAME>, SHIPWORTHY_SEED,
    SHIPWORTHY_PROGRESS (append JSON lines {"step": 1, "metrics": {"val_loss": 0.3}}), and in a fold SHIPWORTHY_FOLD
    (from 1), SHIPWORTHY_FOLD_INDICES (JSON {"train": [...], "validation": [...]}, rows from 0, the header not counted)
    and SHIPWORTHY_OUTPUT_PREDICTIONS (a CSV file: `index` and `prediction`, for every validation row).
    """

    command: tuple[str, ...]
    root: Path
    code: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    sandbox: str = "no-network"
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    kfold: KFold | None = None
    early_stopping: EarlyStopping | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    exclude: tuple[str, ...] = ()


class Judge(Protocol):
    """Splits a dataset and scores predictions. `shipworthy.evaluation.FoldJudge` is one."""

    def split(
        self, dataset: Path, *, folds: int, label: str, group: str, seed: int
    ) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
        """Train and validation row numbers of each fold. Raises ShipworthyError when the dataset cannot be split."""
        ...

    def score(self, dataset: Path, *, label: str, validation: Sequence[int], predictions: Path) -> tuple[Metric, ...]:
        """Metrics of the predictions of a fold. Raises ShipworthyError when they are not what they must be."""
        ...

    def spread(self, folds: Sequence[Sequence[Metric]]) -> tuple[Metric, ...]:
        """Mean and standard deviation over folds."""
        ...


@dataclass(frozen=True)
class Stopping:
    """What the progress lines tell. `by` says who ended the training: shipworthy (patience was used up), the script
    (before we would have), or nobody (no early stopping was asked for, or it was never needed)."""

    metric: str
    best: float | None
    best_step: int | None
    last_step: int | None
    lines: int
    stopped_early: bool
    by: Literal["shipworthy", "script", ""] = ""


@dataclass(frozen=True)
class FoldResult:
    """One fold: sizes in rows, metrics computed from its predictions and the labels."""

    fold: int
    train_rows: int
    validation_rows: int
    seconds: float
    peak_rss_mb: float
    metrics: tuple[Metric, ...]
    predictions: str
    early_stopping: Stopping | None


@dataclass(frozen=True)
class TrainResult:
    """The record of a training. `reason` and `remedy` say why it failed. Digests are `sha256:...`; `inputs` maps a name
    to one digest, `outputs` a name to the digests of its files by relative path (empty when nothing was published)."""

    ok: bool
    reason: str = ""
    remedy: str = ""
    command: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    folds: tuple[FoldResult, ...] = ()
    metrics: tuple[Metric, ...] = ()
    early_stopping: Stopping | None = None
    progress: tuple[tuple[int, Mapping[str, float]], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    sandbox: SandboxReport | None = None
    attempts: tuple[Attempt, ...] = ()
    inputs_seen: tuple[str, ...] = ()
    seed: int = 0
    exit_status: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_mb: float = 0.0
    log: str = ""

    @property
    def network_attempts(self) -> tuple[Attempt, ...]:
        """What Python code tried to reach."""
        return tuple(attempt for attempt in self.attempts if attempt.kind == "network")

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return json.loads(json.dumps(asdict(self), default=dict))  # type: ignore[no-any-return]
