"""Where the marks of the charts lie: positions in per cent of the drawing's width, for SVG that stretches."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shipworthy.model import CheckResult, DatasetFacts, Disposition, Finding, Metric, Run, Severity
from shipworthy.reports._text import number
from shipworthy.reports._view import SEVERITIES

_RULE = re.compile(
    r"metric\(\s*['\"]([^'\"]{1,100})['\"]\s*\)\s*\.\s*(value|low|high)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)"
)
_SIGNS = {">=": "≥", "<=": "≤"}
_NOT_SCORES = frozenset(
    {"fold", "index", "seed", "n", "seconds", "epoch", "epochs", "train_rows", "validation_rows", "peak_rss_mb"}
)
_MOST_FOLDS = 50
_MOST_LABELS = 8


@dataclass(frozen=True)
class Segment:
    """A part of a bar: `x` and `width` in per cent."""

    severity: Severity
    count: int
    x: float
    width: float

    @property
    def wide(self) -> bool:
        """There is room for the number."""
        return self.width >= 5


@dataclass(frozen=True)
class Bar:
    """A category's findings, the worst first."""

    name: str
    counts: Mapping[Severity, int]
    segments: tuple[Segment, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Threshold:
    """What a gate asks of a metric, and whether the metric gives it."""

    text: str
    x: float
    met: bool


@dataclass(frozen=True)
class Whisker:
    """A metric's value in its interval; positions are None where a number is not finite."""

    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    ends: tuple[str, str]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True)
class Spread:
    """One score over the folds."""

    name: str
    values: tuple[float, ...]
    dots: tuple[float, ...]
    mean: float
    mean_x: float
    deviation: float
    ends: tuple[str, str]


@dataclass(frozen=True)
class Contents:
    """What a dataset holds. `labels` are name, rows, and width in per cent of the widest; `more` are not drawn."""

    facts: DatasetFacts
    labels: tuple[tuple[str, int, float], ...]
    more: int


def contents(run: Run) -> tuple[Contents, ...]:
    """Every dataset that a check read, by uri."""
    out = []
    for facts in sorted(run.datasets.values(), key=lambda one: one.artifact.uri):
        widest = max((count for _, count in facts.label_counts), default=1) or 1
        drawn = facts.label_counts[:_MOST_LABELS]
        bars = tuple((label, count, round(100 * count / widest, 2)) for label, count in drawn)
        out.append(Contents(facts, bars, len(facts.label_counts) - len(drawn)))
    return tuple(out)


def severity_bars(findings: Iterable[Finding]) -> tuple[Bar, ...]:
    """Findings by category and severity, the most severe category first; waived ones are left out."""
    table: dict[str, dict[Severity, int]] = {}
    for finding in findings:
        if finding.disposition is not Disposition.WAIVED:
            counts = table.setdefault(finding.category or "other", dict.fromkeys(SEVERITIES, 0))
            counts[finding.severity] += 1
    widest = max((sum(counts.values()) for counts in table.values()), default=1)
    names = sorted(table, key=lambda name: [*(-table[name][s] for s in SEVERITIES), name])
    return tuple(Bar(name, table[name], _segments(table[name], widest)) for name in names)


def _segments(counts: Mapping[Severity, int], widest: int) -> tuple[Segment, ...]:
    out, x = [], 0.0
    for severity in SEVERITIES:
        if counts[severity]:
            width = 100 * counts[severity] / widest
            out.append(Segment(severity, counts[severity], round(x, 3), round(width, 3)))
            x += width
    return tuple(out)


def covered(check: CheckResult) -> float:
    """How much of what it should have looked at a check did look at, in per cent."""
    return round(100 * min(1.0, len(check.examined) / check.eligible), 2) if check.eligible > 0 else 0.0


def whiskers(run: Run) -> tuple[Whisker, ...]:
    """Every metric on the scale 0 to 1 if it fits, else on one of its own, with what the gates ask of it."""
    asked = _asked(run)
    shown = [m for m in run.metrics if m.name in asked or not _of_folds(m, run)]
    return tuple(_whisker(metric, asked.get(metric.name, ())) for metric in shown)


def _of_folds(metric: Metric, run: Run) -> bool:
    """A mean or deviation over the folds is drawn with the folds themselves."""
    match = re.fullmatch(r"kfold_(.{1,100})_(?:mean|std)", metric.name)
    return match is not None and any(match.group(1) == spread.name for spread in spreads(run))


def _whisker(metric: Metric, asked: Sequence[tuple[str, str, float]]) -> Whisker:
    finite = [v for v in (metric.value, metric.low, metric.high, *(limit for _, _, limit in asked)) if math.isfinite(v)]
    if all(0 <= v <= 1 for v in finite):
        left, right = 0.0, 1.0
    else:
        left, right = _padded(finite)

    def at(value: float) -> float | None:
        return inside(value, left, right) if math.isfinite(value) else None

    low, high = at(metric.low), at(metric.high)
    if low is not None and high is not None and low > high:
        low, high = high, low
    limits = tuple(
        Threshold(
            f"{field} {_SIGNS.get(op, op)} {number(limit)}",
            inside(limit, left, right),
            _holds(getattr(metric, field), op, limit),
        )
        for field, op, limit in asked
    )
    return Whisker(metric, at(metric.value), low, high, (number(left), number(right)), limits)


def _asked(run: Run) -> dict[str, list[tuple[str, str, float]]]:
    """What gates ask of metrics, from the expressions that a gate's stage leaves in `details["rules"]`."""
    asked: dict[str, list[tuple[str, str, float]]] = {}
    for stage in run.stages:
        rules = stage.details.get("rules")
        for rule in rules if isinstance(rules, (list, tuple)) else ():
            text = rule.get("rule", "") if isinstance(rule, Mapping) else rule
            for found in _RULE.finditer(str(text)[:2000]):
                wanted = (found.group(2), found.group(3), float(found.group(4)))
                if wanted not in asked.setdefault(found.group(1), []):
                    asked[found.group(1)].append(wanted)
    return asked


def _holds(value: float, op: str, limit: float) -> bool:
    return {">=": value >= limit, "<=": value <= limit, ">": value > limit, "<": value < limit}[op]


def spreads(run: Run) -> tuple[Spread, ...]:
    """K-fold scores of `details["folds"]`: a list of numbers or of mappings, or a mapping of a list for each score."""
    scores: dict[str, list[float]] = {}
    for stage in run.stages:
        for name, value in _scores(stage.details.get("folds")):
            values = scores.setdefault(name, [])
            if len(values) < _MOST_FOLDS:
                values.append(value)
    return tuple(_spread(name, values) for name, values in scores.items() if len(values) > 1)


def _scores(folds: object) -> list[tuple[str, float]]:
    pairs: list[tuple[str, object]] = []
    if isinstance(folds, Mapping):
        pairs = [(str(name), v) for name, vs in folds.items() if isinstance(vs, (list, tuple)) for v in vs]
    elif isinstance(folds, (list, tuple)):
        for fold in folds:
            pairs += _of_fold(fold)
    return [
        (name, float(value))
        for name, value in pairs
        if name not in _NOT_SCORES
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
    ]


def _of_fold(fold: object) -> list[tuple[str, object]]:
    """The numbers of one fold; `metrics` in it may be a list of mappings with `name` and `value`."""
    if not isinstance(fold, Mapping):
        return [("score", fold)]
    nested = fold.get("metrics")
    listed = nested if isinstance(nested, (list, tuple)) else ()
    pairs = [(str(m.get("name")), m.get("value")) for m in listed if isinstance(m, Mapping)]
    return pairs + [(str(name), value) for name, value in fold.items()]


def _spread(name: str, values: Sequence[float]) -> Spread:
    left, right = _padded(values)
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    dots = tuple(inside(v, left, right) for v in values)
    return Spread(name, tuple(values), dots, mean, inside(mean, left, right), deviation, (number(left), number(right)))


def _padded(values: Sequence[float]) -> tuple[float, float]:
    """A scale a little wider than the values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.15 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def inside(value: float, left: float, right: float) -> float:
    """Position in per cent, kept inside so that a mark is never cut off."""
    share = (value - left) / (right - left) if right > left else 0.5
    return round(2 + 96 * share, 2) if math.isfinite(share) else 50.0
