"""Quality metrics from predictions and labels that we hold ourselves, each with its interval.

Definitions: accuracy, precision, recall, F1 as usual; balanced accuracy is the mean recall of the classes that occur;
ROC AUC is the probability that a positive scores above a negative, ties counting half (Hanley and McNeil, Radiology
143, 1982), for several classes the mean of each against the rest; log loss clips at 1e-15; the Brier score is Brier's
original one for several classes (Monthly Weather Review 78, 1950) and the squared error of the positive class for two;
ECE is the expected calibration error over 15 equal bins of confidence (Guo et al., ICML 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from shipworthy.evaluation.intervals import CONFIDENCE, RESAMPLES, bootstrap, clopper_pearson, percentiles
from shipworthy.evaluation.predictions import Predictions, number
from shipworthy.evaluation.tables import Unusable, canonical
from shipworthy.model import Metric

Task = Literal["auto", "classification", "regression"]
CLASSES, BINS = 1_000, 15
_UNBOUNDED = ("mae", "rmse", "r2", "log_loss")
_EXACT = f"Clopper-Pearson {CONFIDENCE:.0%}"
_AFFIRMATIVE = frozenset({"1", "true", "yes", "positive"})
_NEGATIVE = frozenset({"0", "false", "no", "negative", "-1"})


def task_of(labels: Sequence[str], positive: str = "") -> Literal["classification", "regression"]:
    """Regression when all labels are numbers, no positive class is named, and they are not a few whole numbers."""
    if positive:
        return "classification"
    kinds = {canonical(one) for one in labels}
    try:
        values = [float(one) for one in kinds]
    except ValueError:
        return "classification"
    few = len(kinds) <= max(20, len(labels) // 50)
    return "classification" if few and all(value == int(value) for value in values) else "regression"


def positive_of(kinds: Sequence[str], positive: str) -> str:
    """The positive one of two classes: the named one, or the one that says so itself (1, true, yes); else ""."""
    if positive:
        name = canonical(positive)
        if name not in kinds:
            raise Unusable(f'no row is of the positive class "{name}"', remedy=f"classes: {', '.join(kinds)[:200]}")
        return name
    if len(kinds) == 2:
        named = [kind for kind in kinds if kind.lower() in _AFFIRMATIVE]
        others = [kind for kind in kinds if kind.lower() in _NEGATIVE]
        return named[0] if len(named) == len(others) == 1 else ""
    return ""


def measure(
    labels: Sequence[str], predictions: Predictions, *, task: Task = "auto", positive: str = "", seed: int = 0
) -> tuple[Metric, ...]:
    """All metrics that labels and predictions (of the same length and order) allow.

    Raises Unusable when nothing can be computed: an empty label, a prediction that is no number in a regression, more
    than 1,000 classes, scores for some classes only.
    """
    if any(not one for one in labels):
        raise Unusable("a row has no label", remedy="remove it or label it")
    if (task_of(labels, positive) if task == "auto" else task) == "regression":
        return _regression(labels, predictions, seed)
    return _classification([canonical(one) for one in labels], predictions, positive, seed)


def _classification(labels: Sequence[str], predictions: Predictions, positive: str, seed: int) -> tuple[Metric, ...]:
    import numpy as np

    values = [canonical(one) for one in predictions.values]
    present = sorted(set(labels))
    kinds = sorted(set(labels) | set(values))
    if len(kinds) > CLASSES:
        raise Unusable(f"there are {len(kinds)} classes; {CLASSES} are the most", remedy="is it a regression?")
    chosen = positive_of(present, positive)
    index = {kind: at for at, kind in enumerate(kinds)}
    table = np.zeros((len(kinds), len(kinds)), dtype=np.int64)
    np.add.at(table, ([index[one] for one in labels], [index[one] for one in values]), 1)
    n, right = len(labels), int(np.trace(table))
    metrics = [_proportion("accuracy", right, n)]
    if chosen and len(present) <= 2:
        at = index[chosen]
        hits, called, real = int(table[at, at]), int(table[:, at].sum()), int(table[at].sum())
        metrics += [_proportion("precision", hits, called), _proportion("recall", hits, real)]
    metrics += _from_table(table, index.get(chosen) if chosen and len(present) <= 2 else None, seed)
    truth = np.array([present.index(one) for one in labels])
    metrics += _from_scores(truth, present, predictions.scores, chosen, seed)
    return tuple(metrics)


def _proportion(name: str, successes: int, n: int) -> Metric:
    low, high = clopper_pearson(successes, n)
    return Metric(name, successes / n if n else 0.0, low, high, n, _EXACT if n else "undefined: nothing to count")


def _from_table(table: Any, positive: int | None, seed: int) -> list[Metric]:
    """Metrics of the confusion table (true, predicted), with intervals from tables drawn row by row: that is the
    stratified bootstrap, since these metrics depend on the counts only."""
    import numpy as np

    rng = np.random.default_rng(seed)
    real = table.sum(axis=1)
    hits = np.zeros((RESAMPLES, len(table)))
    called = np.zeros((RESAMPLES, len(table)))
    for at in np.flatnonzero(real):
        drawn = rng.multinomial(int(real[at]), table[at] / real[at], size=RESAMPLES)
        hits[:, at] = drawn[:, at]
        called += drawn
    method = f"stratified bootstrap percentile {CONFIDENCE:.0%}, {RESAMPLES} resamples"
    sizes = (int(real.sum()), int(real[real > 0].min()))
    measured = _averages(
        np.diag(table)[None, :].astype(float), table.sum(axis=0)[None, :].astype(float), real, positive
    )
    resampled = _averages(hits, called, real, positive)
    return [
        _bounded(name, float(value[0]), *percentiles(resampled[name]), sizes, method)
        for name, value in measured.items()
    ]


def _averages(hits: Any, called: Any, real: Any, positive: int | None) -> dict[str, Any]:
    """Metrics of (b, classes) hits and predicted counts, and (classes,) true counts; 0/0 counts as 0."""
    import numpy as np

    occurs = real > 0
    recall = hits / np.maximum(real, 1)
    precision = hits / np.maximum(called, 1)
    f1 = 2 * hits / np.maximum(called + real, 1)
    found = {"balanced_accuracy": recall[:, occurs].mean(axis=1)}
    if positive is not None:
        found["f1"] = f1[:, positive]
    return found | {
        "precision_macro": precision.mean(axis=1),
        "recall_macro": recall.mean(axis=1),
        "f1_macro": f1.mean(axis=1),
    }


def _from_scores(
    truth: Any, present: list[str], scores: Mapping[str, Sequence[float]], positive: str, seed: int
) -> list[Metric]:
    """Metrics of scores, where there are any. `truth` (n,) are places in `present`."""
    import numpy as np

    if not scores or len(present) < 2:
        return []
    if "" in scores:
        if len(present) != 2 or not positive:
            raise Unusable(
                'one column "score" needs two classes and a positive one',
                remedy="set `positive` in [evaluate] to the class that the score is of, or write score_<class> columns",
            )
        own = np.asarray(scores[""], dtype=float)
        columns = np.stack([own if kind == positive else 1 - own for kind in present], axis=1)
    else:
        if missing := next((kind for kind in present if kind not in scores), None):
            raise Unusable(f"no scores for the class {missing[:40]}", remedy=f"write a column score_{missing[:40]}")
        columns = np.stack([np.asarray(scores[kind], dtype=float) for kind in present], axis=1)
    binary = present.index(positive) if positive and len(present) == 2 else None
    sides = [binary] if binary is not None else list(range(len(present)))
    areas = [_area(columns[:, at], truth == at) for at in sides]
    found = [_resampled("roc_auc", lambda w: np.mean([area(w) for area in areas], axis=0), truth, seed)]
    others = sum(
        (np.asarray(values, dtype=float) for kind, values in scores.items() if kind not in ("", *present)), 0.0
    )
    whole = columns.sum(axis=1) + others
    if columns.min() < 0 or columns.max() > 1 or not np.allclose(whole, 1, atol=1e-3):
        return found  # scores, but no probabilities: their order is all that counts
    return found + _from_probabilities(truth, columns, binary, seed)


def _from_probabilities(truth: Any, columns: Any, binary: int | None, seed: int) -> list[Metric]:
    import numpy as np

    rows = np.arange(len(truth))
    losses = -np.log(np.clip(columns[rows, truth], 1e-15, 1.0))
    hot = np.zeros_like(columns)
    hot[rows, truth] = 1
    squares = (columns - hot) ** 2
    brier = squares[:, binary] if binary is not None else squares.sum(axis=1)
    confidence = columns.max(axis=1)
    gaps = (columns.argmax(axis=1) == truth) - confidence
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    spread = np.zeros((len(truth), BINS))
    spread[rows, bins] = gaps

    def mean(values: Any) -> Callable[[Any], Any]:
        return lambda w: w @ values / w.sum(axis=1)

    return [
        _resampled("log_loss", mean(losses), truth, seed),
        _resampled("brier", mean(brier), truth, seed),
        _resampled("ece", lambda w: np.abs(w @ spread).sum(axis=1) / w.sum(axis=1), truth, seed),
    ]


def _area(scores: Any, positive: Any) -> Callable[[Any], Any]:
    """ROC AUC of weighted observations, from ranks: sorted once, then sums only."""
    import numpy as np

    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)
    ones = positive[order].astype(float)

    def area(weights: Any) -> Any:
        sorted_weights = weights[:, order]
        above = np.add.reduceat(sorted_weights * ones, starts, axis=1)
        below = np.add.reduceat(sorted_weights * (1 - ones), starts, axis=1)
        beaten = np.cumsum(below, axis=1) - below / 2  # ties count half
        with np.errstate(divide="ignore", invalid="ignore"):
            return (above * beaten).sum(axis=1) / (above.sum(axis=1) * below.sum(axis=1))

    return area


def roc_auc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """ROC AUC; not a number when one of the two sides is empty."""
    import numpy as np

    return float(_area(np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool))(np.ones((1, len(scores))))[0])


def _regression(labels: Sequence[str], predictions: Predictions, seed: int) -> tuple[Metric, ...]:
    import numpy as np

    truth = np.array([number(one, str(at), "label") for at, one in enumerate(labels)])
    values = np.array([number(one, str(at), "prediction") for at, one in enumerate(predictions.values)])
    errors = values - truth
    strata = np.zeros(len(truth), dtype=int)

    centred = truth - truth.mean()  # the difference of large squares would lose all digits
    whole = float((centred**2).mean())

    def determination(w: Any) -> Any:
        total = w.sum(axis=1)
        variance = w @ centred**2 / total - (w @ centred / total) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(variance > 1e-12 * whole, 1 - (w @ errors**2 / total) / variance, np.nan)

    found = [
        _resampled("mae", lambda w: w @ np.abs(errors) / w.sum(axis=1), strata, seed),
        _resampled("rmse", lambda w: np.sqrt(w @ errors**2 / w.sum(axis=1)), strata, seed),
    ]
    if whole > 0:
        found.append(_resampled("r2", determination, strata, seed))
    return tuple(found)


def _resampled(name: str, statistic: Callable[[Any], Any], strata: Any, seed: int) -> Metric:
    import numpy as np

    value = float(statistic(np.ones((1, len(strata))))[0])
    try:
        low, high, count = bootstrap(statistic, strata, seed=seed)
    except ValueError:
        low = high = float("nan")
        count = 0
    kind = "bootstrap" if name in _UNBOUNDED[:3] else "stratified bootstrap"
    method = f"{kind} percentile {CONFIDENCE:.0%}, {count} resamples"
    if not np.isfinite([value, low, high]).all():
        raise Unusable(f"{name} is not a number", remedy="evaluate on more rows")
    return _bounded(name, value, low, high, (len(strata), int(np.unique(strata, return_counts=True)[1].min())), method)


def _bounded(name: str, value: float, low: float, high: float, sizes: tuple[int, int], method: str) -> Metric:
    """The metric; `sizes` are all rows and those of the smallest class.

    Without an error (or a hit) in a class, resampling shows no spread: that is no certainty. Then what a share of the
    smallest class could have been otherwise, by the exact bound, widens the interval of metrics between 0 and 1.
    """
    if high - low < 1e-9 and name not in _UNBOUNDED:
        room = 1 - clopper_pearson(sizes[1], sizes[1])[0]
        low, high, method = (
            max(0.0, value - room),
            min(1.0, value + room),
            f"no spread on resampling: {_EXACT} of a class",
        )
    # on few rows the percentiles of a biased statistic can miss the value itself
    return Metric(name, value, min(low, value), max(high, value), sizes[0], method)


def spread(folds: Sequence[Sequence[Metric]]) -> tuple[Metric, ...]:
    """For each metric that all folds have: kfold_<name>_mean, from the lowest to the highest fold, and
    kfold_<name>_std, the sample standard deviation. `n` is the number of folds."""
    import statistics

    by_fold = [{metric.name: metric.value for metric in fold} for fold in folds]
    found: list[Metric] = []
    for name in by_fold[0] if by_fold else ():
        values = [fold[name] for fold in by_fold if name in fold]
        if len(values) != len(by_fold) or len(values) < 2:
            continue
        mean, deviation = statistics.fmean(values), statistics.stdev(values)
        method = f"over {len(values)} folds"
        found.append(Metric(f"kfold_{name}_mean", mean, min(values), max(values), len(values), f"range {method}"))
        found.append(
            Metric(f"kfold_{name}_std", deviation, deviation, deviation, len(values), f"sample deviation {method}")
        )
    return tuple(found)
