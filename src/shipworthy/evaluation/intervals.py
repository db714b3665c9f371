"""Intervals for what was measured on a sample: exact ones for proportions, the bootstrap for the rest.

Sources: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413; B. Efron and R. J. Tibshirani, An Introduction
to the Bootstrap (1993), chapter 13 (percentile interval); NIST DLMF 8.17.22 (continued fraction of the incomplete beta
function).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

CONFIDENCE = 0.95
RESAMPLES = 1_000
_WORK = 200_000_000  # weights drawn at most for one interval: beyond, fewer resamples
_BLOCK = 2_000_000


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for 0 <= x <= 1 and positive a, b."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only below this point
        return 1.0 - incomplete_beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    upper, lower, value = 1.0, 0.0, 1.0
    for step in range(10_000):  # the modified Lentz method
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + step - 1) * (a + step))
        lower = 1.0 / _nonzero(1.0 + term * lower, tiny)
        upper = _nonzero(1.0 + term / upper, tiny)
        change = upper * lower
        value *= change
        if step and abs(change - 1.0) < 1e-15:
            break
    return min(1.0, max(0.0, front * (value - 1.0)))


def _nonzero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def clopper_pearson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a proportion. No observations: everything is possible, (0, 1)."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no proportion")
    if n == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else _inverse(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else _inverse(1 - tail, successes + 1, n - successes)
    return low, high


def _inverse(target: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(100):  # bisection: the function rises from 0 to 1
        middle = (low + high) / 2
        if incomplete_beta(middle, a, b) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def bootstrap(
    statistic: Callable[[Any], Any],
    strata: Any,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> tuple[float, float, int]:
    """Percentile interval of a statistic of weighted observations, resampled within strata.

    `strata` (n,) are whole numbers; `statistic` takes weights (b, n), how often each observation was drawn, and gives
    (b,) values; values that are not finite are left out. Returns low, high and how many resamples were used.
    """
    import numpy as np

    strata = np.asarray(strata)
    n = len(strata)
    count = max(200, min(resamples, _WORK // max(1, n)))
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(strata == one) for one in np.unique(strata)]
    values: list[Any] = []
    step = max(1, min(count, _BLOCK // max(1, n)))
    for start in range(0, count, step):
        size = min(step, count - start)
        weights = np.zeros((size, n), dtype=np.float64)
        rows = np.arange(size)[:, None]
        for group in members:
            drawn = group[rng.integers(0, len(group), size=(size, len(group)))]
            np.add.at(weights, (np.broadcast_to(rows, drawn.shape), drawn), 1.0)
        values.append(np.asarray(statistic(weights), dtype=np.float64))
    found = np.concatenate(values)
    found = found[np.isfinite(found)]
    if not len(found):
        raise ValueError("the statistic is undefined on every resample")
    low, high = percentiles(found, confidence)
    return low, high, count


def percentiles(values: Any, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The middle `confidence` of resampled values (n,)."""
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
