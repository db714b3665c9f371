"""What a training left in its stage's details, for drawing: curves, and what its sandbox kept away.

Details come from outside: what is not of the expected form is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from shipworthy.model import Artifact, Kind, Run, StageResult
from shipworthy.reports._charts import inside
from shipworthy.reports._text import number, one_line

_MOST_CURVES = 6
_MOST_POINTS = 150
# What the sandbox's probe tried, in words; other names are shown as they are.
_ATTEMPTS = {
    "tcp": "TCP connection",
    "udp": "UDP packet",
    "abstract-socket": "abstract socket of the machine",
    "read-canary": "reading a file outside",
    "read-shadow": "reading /etc/shadow",
    "write-canary": "writing a file outside",
    "truncate-canary": "emptying a file outside",
    "write-beside": "writing beside its outputs",
    "write-system": "writing to the system",
    "signal-parent": "signalling its parent",
    "environment": "reading the caller's environment",
    "scratch": "writing its own scratch folder",
}


@dataclass(frozen=True)
class Curve:
    """One metric over the steps: `points` are x and y in per cent, `best` the index that early stopping chose."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]
    points: tuple[tuple[float, float], ...]
    best: int | None
    ends: tuple[str, str]
    low: str
    high: str


@dataclass(frozen=True)
class Stopping:
    """What early stopping watched and did, in a sentence."""

    metric: str
    told: str


@dataclass(frozen=True)
class SandboxFacts:
    """What protected a stage's program. `tried` are the self-test's attempts: in words, refused or allowed."""

    stage: str
    level: str
    facts: tuple[tuple[str, str], ...]
    tried: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def curves(run: Run) -> tuple[Curve, ...]:
    """Metrics over the steps of training, from `details["progress"]`: pairs of a step and its metrics."""
    for stage in run.stages:
        series = _series(stage.details.get("progress"))
        if series:
            watched, best = _best(stage)
            names = sorted(series, key=lambda name: name != watched)[:_MOST_CURVES]
            return tuple(_curve(name, series[name], best if name == watched else None) for name in names)
    return ()


def _series(progress: object) -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = {}
    for line in progress if isinstance(progress, (list, tuple)) else ():
        if not isinstance(line, (list, tuple)) or len(line) != 2 or not isinstance(line[1], Mapping):
            continue
        step = _finite(line[0])
        for name, value in line[1].items():
            drawn = _finite(value)
            if step is not None and drawn is not None:
                series.setdefault(str(name), []).append((step, drawn))
    return {name: sorted(points) for name, points in series.items() if len(points) > 1}


def _finite(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _best(stage: StageResult) -> tuple[str, float | None]:
    record = stage.details.get("early-stopping")
    if not isinstance(record, Mapping):
        return "", None
    return str(record.get("metric", "")), _finite(record.get("best_step"))


def _curve(name: str, points: list[tuple[float, float]], best: float | None) -> Curve:
    stride = -(-len(points) // _MOST_POINTS)
    kept = [p for n, p in enumerate(points) if n % stride == 0 or n == len(points) - 1 or p[0] == best]
    steps, values = tuple(s for s, _ in kept), tuple(v for _, v in kept)
    low, high = min(values), max(values)
    room = (high - low) * 0.1 or 1.0
    drawn = tuple((inside(s, steps[0], steps[-1]), 100 - inside(v, low - room, high + room)) for s, v in kept)
    at = steps.index(best) if best in steps else None
    return Curve(name, steps, values, drawn, at, (number(steps[0]), number(steps[-1])), number(low), number(high))


def stopping(run: Run) -> Stopping | None:
    """What early stopping did, from `details["early-stopping"]`."""
    for stage in run.stages:
        record = stage.details.get("early-stopping")
        best = _finite(record.get("best")) if isinstance(record, Mapping) else None
        if isinstance(record, Mapping) and best is not None:
            name = one_line(str(record.get("metric", "")), 60)
            told = f"{name} was best at step {one_line(str(record.get('best_step', '?')), 20)} ({number(best)})"
            if record.get("stopped_early") is True:
                by = one_line(str(record.get("by", "")), 40)
                told += f"; stopped early at step {one_line(str(record.get('last_step', '?')), 20)}"
                told += f", by {by}" if by else ""
            return Stopping(name, told + ".")
    return None


def sandboxes(run: Run) -> tuple[SandboxFacts, ...]:
    """What protected each program that the run started, as far as it was tried out."""
    found = []
    for stage in run.stages:
        report = stage.details.get("sandbox")
        if isinstance(report, Mapping) and report.get("level"):
            names = ("network", "filesystem", "processes")
            facts = tuple((name, one_line(str(report[name]), 40)) for name in names if name in report)
            verified = report.get("verified")
            tried = verified.items() if isinstance(verified, Mapping) else ()
            words = tuple((_ATTEMPTS.get(str(k), one_line(str(k), 40)), one_line(str(v), 20)) for k, v in tried)
            notes = report.get("notes")
            said = tuple(str(note) for note in notes[:10]) if isinstance(notes, (list, tuple)) else ()
            found.append(SandboxFacts(stage.stage, one_line(str(report["level"]), 40), facts, words[:40], said))
    return tuple(found)


def uses(run: Run) -> dict[str, str]:
    """What the run used each data set for, by uri, with its number of rows where that was recorded."""
    used: dict[str, str] = {}
    datasets = {artifact.uri: artifact for artifact in run.artifacts if artifact.kind is Kind.DATASET}
    for stage in run.stages:
        word = {"train": "training", "evaluate": "evaluation"}.get(stage.stage)
        for uri in stage.inputs if word else ():
            if uri in datasets and _same(stage, datasets[uri]):
                rows = _rows(stage)
                used[uri] = f"{word}, {rows:,} rows" if rows else f"{word}"
    return used


def _same(stage: StageResult, artifact: Artifact) -> bool:
    return stage.inputs[artifact.uri] == artifact.digest


def _rows(stage: StageResult) -> int:
    """Rows that the evaluation predicted, or that the folds were made of."""
    rows, folds = stage.details.get("rows"), stage.details.get("folds")
    if isinstance(rows, int) and not isinstance(rows, bool):
        return rows
    first = folds[0] if isinstance(folds, (list, tuple)) and folds else None
    if isinstance(first, Mapping):
        counts = (first.get("train_rows"), first.get("validation_rows"))
        if all(isinstance(count, int) for count in counts):
            return sum(count for count in counts if isinstance(count, int))
    return 0
