"""How many labels look turned, from predictions that did not see them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from shipworthy.checks.datasets._textmodel import Floats, Ints


@dataclass(frozen=True)
class Noise:
    """What predictions say about labels.

    `share` estimates the share of turned labels and `low` bounds it from below with 95 % confidence (Wilson); `overlap`
    says that the disagreement comes from classes that overlap rather than from turned labels; `learnable` that the
    predictions are better than guessing at all. `suspects` are the rows that look like another label, the clearest
    first; `instead[i]` is the label that `suspects[i]` looks like, and `doubt[i]` by how much the probability of that
    label exceeds that of its own.
    """

    share: float
    low: float
    overlap: bool
    learnable: bool
    right: float
    suspects: Ints
    instead: Ints
    doubt: Floats


def probabilities(logits: Floats) -> Floats:
    """Softmax of every row."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = exponents / exponents.sum(axis=1, keepdims=True)
    return result


def label_noise(chances: Floats, labels: Ints) -> Noise:
    """Judge labels by out-of-fold probabilities of shape (rows, classes).

    Where classes overlap, disagreement fades as the predictions become surer; turned labels are spread evenly, so
    their share stays the same. The disagreement in the surest quarter (and the next two, as long as it stays even) is
    therefore the estimate, and a steep rise in the second quarter is the sign of overlap. Suspects are the
    off-diagonal rows of the confident joint (Northcutt, Jiang and Chuang, Confident Learning, JAIR 2021): rows whose
    probability of another class reaches that class's mean self-confidence.
    """
    count, classes = chances.shape
    predicted = chances.argmax(axis=1)
    disagree = predicted != labels
    most = float(np.bincount(labels, minlength=classes).max()) / max(1, count)
    right = float(1 - disagree.mean())
    order = np.argsort(-chances.max(axis=1), kind="stable")
    quarter = max(1, count // 4)
    surest = disagree[order[:quarter]]
    rises = [float(disagree[order[i * quarter : (i + 1) * quarter]].mean()) for i in range(1, 3) if count > 8]
    for taken, rise in enumerate(rises, 2):
        if rise > 1.6 * float(surest.mean()) + 0.01:
            break
        surest = disagree[order[: taken * quarter]]  # as even as turned labels are: more rows tell it better
    share = float(surest.mean())

    own = np.array([chances[labels == k, k].mean() if (labels == k).any() else 1.0 for k in range(classes)])
    confident = np.where(chances >= own, chances, -1.0)
    instead = confident.argmax(axis=1)
    found = np.flatnonzero((confident.max(axis=1) >= 0) & (instead != labels))
    doubt = chances[found, instead[found]] - chances[found, labels[found]]
    clearest = np.argsort(-doubt, kind="stable")
    found = found[clearest]
    return Noise(
        share=share,
        low=wilson_low(int(surest.sum()), len(surest)),
        overlap=bool(rises) and rises[0] > 2.5 * float(disagree[order[:quarter]].mean()) + 0.02,
        learnable=right >= most + 0.1 * (1 - most),
        right=right,
        suspects=found,
        instead=instead[found],
        doubt=doubt[clearest],
    )


def wilson_low(hits: int, trials: int, z: float = 1.645) -> float:
    """The lower end of Wilson's score interval of a share; z = 1.645 leaves 5 % below it."""
    if not trials:
        return 0.0
    share = hits / trials
    middle = share + z * z / (2 * trials)
    width = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (middle - width) / (1 + z * z / trials))


def neighbours(features: Floats, labels: Ints, classes: int, k: int = 10) -> Floats:
    """For every row, the share of each class among its k nearest other rows (Euclidean, columns standardised, equal
    rows first come); shape (rows, classes). Needs rows x rows distances, made in blocks.
    """
    scale = features.std(axis=0)
    points = (features - features.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    squares = (points**2).sum(axis=1)
    k = min(k, len(points) - 1)
    votes = np.zeros((len(points), classes))
    step = max(1, 4_000_000 // len(points))
    for start in range(0, len(points), step):
        block = slice(start, min(len(points), start + step))
        distance = squares[block, None] + squares[None, :] - 2 * points[block] @ points.T
        rows = np.arange(block.stop - block.start)
        distance[rows, rows + start] = np.inf
        nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
        for column in range(k):
            votes[rows + start, labels[nearest[:, column]]] += 1
    return votes / k
