"""Who is trained on and who is validated on: rows of a dataset, split into folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shipworthy.errors import UsageError

_BINS = 10
_MANY = 20

Split = tuple[tuple[int, ...], tuple[int, ...]]


def split(labels: Sequence[str], *, folds: int, seed: int, groups: Sequence[str] | None = None) -> list[Split]:
    """Row numbers (train, validation) of each fold, both sorted; every row is validated on exactly once.

    Every label's rows are spread evenly (numbers of many values by tenths); rows of one group stay in one fold. The
    same arguments give the same split. Raises UsageError when there are fewer rows, or groups, than folds.
    """
    import numpy as np

    if folds < 2:
        raise UsageError("at least 2 folds are needed", where="kfold.folds")
    if len(labels) < folds:
        raise UsageError(f"{len(labels)} rows cannot be split into {folds} folds", where="kfold.folds")
    strata = _strata(labels)
    rng = np.random.default_rng(seed)
    place = _by_group(strata, groups, folds, rng) if groups is not None else _by_row(strata, folds, rng)
    everything = range(len(labels))
    return [
        (tuple(row for row in everything if place[row] != fold), tuple(row for row in everything if place[row] == fold))
        for fold in range(folds)
    ]


def _strata(labels: Sequence[str]) -> list[int]:
    """A number for each row: its class, or its tenth where labels are numbers of many values."""
    import numpy as np

    kinds = sorted(set(labels))
    if len(kinds) > _MANY:
        try:
            values = np.array([float(one) for one in labels])
        except ValueError:
            values = np.array([])
        if len(values) and bool(np.isfinite(values).all()):
            return [int(one) for one in np.argsort(np.argsort(values, kind="stable")) * _BINS // len(values)]
    numbers = {kind: index for index, kind in enumerate(kinds)}
    return [numbers[one] for one in labels]


def _by_row(strata: Sequence[int], folds: int, rng: object) -> list[int]:
    import numpy as np

    order: list[int] = []
    members = np.asarray(strata)
    for one in np.unique(members):
        order.extend(int(row) for row in rng.permutation(np.flatnonzero(members == one)))  # type: ignore[attr-defined]
    place = [0] * len(strata)
    for position, row in enumerate(order):  # dealing on from class to class keeps the folds equally large
        place[row] = position % folds
    return place


def _by_group(strata: Sequence[int], groups: Sequence[str], folds: int, rng: object) -> list[int]:
    """Greedy: the largest group first, each to the fold where it leaves the classes the most even."""
    import numpy as np

    counts: dict[str, Counter[int]] = {}
    for stratum, group in zip(strata, groups, strict=True):
        counts.setdefault(group, Counter())[stratum] += 1
    if len(counts) < folds:
        raise UsageError(f"{len(counts)} groups cannot be split into {folds} folds", where="kfold.group")
    names = sorted(counts)
    shuffled = [names[index] for index in rng.permutation(len(names))]  # type: ignore[attr-defined]
    shuffled.sort(key=lambda name: -counts[name].total())
    totals = np.bincount(strata).astype(float)
    filled = np.zeros((folds, len(totals)))
    chosen: dict[str, int] = {}
    for position, name in enumerate(shuffled):
        own = np.zeros(len(totals))
        for stratum, number in counts[name].items():
            own[stratum] = number
        empty = [fold for fold in range(folds) if not filled[fold].any()]
        left = len(shuffled) - position
        candidates = empty if empty and left <= len(empty) else range(folds)
        cost = {
            fold: float((((filled[fold] + own) / totals) ** 2 - (filled[fold] / totals) ** 2).sum())
            for fold in candidates
        }
        best = min(cost, key=lambda fold: (cost[fold], filled[fold].sum(), fold))
        filled[best] += own
        chosen[name] = best
    return [chosen[group] for group in groups]
