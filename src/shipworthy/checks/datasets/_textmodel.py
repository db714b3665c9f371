"""A small linear text classifier in numpy: what the backdoor check and the label check have in common.

Texts become token ids, tokens become TF-IDF rows held as compressed sparse rows (CSR) made by hand, and a logistic
regression (softmax, L2, L-BFGS) gives every row a prediction by a model that has not seen it (k-fold, out of fold).
Everything is deterministic: the only randomness is a seeded generator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A token is a run of word characters, a run of signs, or one CJK character (those scripts have no spaces). Invisible
# format characters are signs, so a zero-width space inside a word becomes a token that a model can learn from.
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|\w+?(?=[\u3040-\u30ff\u3400-\u9fff])|\w+|[^\w\s]+"
)
_HEAD, _TAIL = 700, 300
_MAX_CHARS = 20_000
_MAX_TOKENS = 4_000_000


@dataclass(frozen=True)
class Csr:
    """A sparse matrix of shape (rows, columns): row i holds `indices[indptr[i]:indptr[i+1]]` with `data`."""

    indptr: Ints
    indices: Ints
    data: Floats
    columns: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.indptr) - 1

    def row_ids(self) -> Ints:
        """The row of every stored entry, shape (nnz,)."""
        return np.repeat(np.arange(self.rows), np.diff(self.indptr))

    def take(self, rows: Ints) -> Csr:
        """The given rows, in that order."""
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate(([0], np.cumsum(lengths)))
        where = np.repeat(self.indptr[rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        return Csr(indptr, self.indices[where], self.data[where], self.columns)

    def transposed(self) -> Csr:
        """Columns as rows."""
        order = np.argsort(self.indices, kind="stable")
        indptr = np.concatenate(([0], np.cumsum(np.bincount(self.indices, minlength=self.columns))))
        return Csr(indptr, self.row_ids()[order], self.data[order], self.rows)

    def dot(self, dense: Floats) -> Floats:
        """The product with a dense matrix of shape (columns, k): shape (rows, k)."""
        if dense.shape[1] == 1:
            weights = self.data * dense[self.indices, 0]
            sums: Floats = np.bincount(self.row_ids(), weights=weights, minlength=self.rows).astype(np.float64)
            return sums[:, None]
        out = np.zeros((self.rows, dense.shape[1]))
        step = max(1, 4_000_000 // dense.shape[1])
        start = 0
        while start < self.rows:  # in blocks of rows, so that the products in between stay small
            stop = max(start + 1, int(np.searchsorted(self.indptr, self.indptr[start] + step, side="right")) - 1)
            low, high = self.indptr[start], self.indptr[stop]
            filled = np.flatnonzero(np.diff(self.indptr[start : stop + 1]))
            if len(filled):
                products = dense[self.indices[low:high]] * self.data[low:high, None]
                out[start + filled] = np.add.reduceat(products, self.indptr[start:stop][filled] - low, axis=0)
            start = stop
        return out


def tokenize(text: str) -> list[str]:
    """Lower-case tokens; of a very long text the first and the last part."""
    if len(text) > _MAX_CHARS:
        text = text[: _MAX_CHARS * 7 // 10] + " " + text[-_MAX_CHARS * 3 // 10 :]
    tokens = _TOKEN.findall(text.lower())
    return tokens if len(tokens) <= _HEAD + _TAIL else tokens[:_HEAD] + tokens[-_TAIL:]


@dataclass(frozen=True)
class Corpus:
    """Token ids of all texts in one row: `tokens[i]` belongs to text `texts[i]`; `words` names the ids. There are
    `size` texts, of which the first `read` were read before the limit on tokens was reached.
    """

    tokens: Ints
    texts: Ints
    words: tuple[str, ...]
    size: int
    read: int

    @staticmethod
    def of(texts: Sequence[str]) -> Corpus:
        """Tokenise the texts."""
        ids: dict[str, int] = {}
        flat: list[int] = []
        lengths = []
        read = 0
        for text in texts:
            # Beyond the limit a text has no tokens: memory stays bounded, and `read` says where it ended.
            tokens = tokenize(text) if len(flat) < _MAX_TOKENS else []
            read += bool(len(flat) < _MAX_TOKENS)
            flat.extend(ids.setdefault(token, len(ids)) for token in tokens)
            lengths.append(len(tokens))
        owner = np.repeat(np.arange(len(lengths)), np.array(lengths, dtype=np.int64))
        return Corpus(np.array(flat, dtype=np.int64), owner, tuple(ids), len(lengths), read)


def tfidf(corpus: Corpus, *, least: int = 2, most: float = 0.3) -> Csr:
    """Rows of unit length: whether a token is there, weighted by its rarity. Tokens in fewer than `least` texts or in
    more than the share `most` of them weigh nothing. Columns are the corpus's token ids.
    """
    pairs = np.unique(corpus.texts * max(1, len(corpus.words)) + corpus.tokens)
    rows, columns = np.divmod(pairs, max(1, len(corpus.words)))
    frequency = np.bincount(columns, minlength=len(corpus.words))
    kept = (frequency >= least) & (frequency <= max(least, most * corpus.size))
    mask = kept[columns]
    rows, columns = rows[mask], columns[mask]
    data = np.log(corpus.size / frequency[columns]) + 1
    norms = np.sqrt(np.bincount(rows, weights=data**2, minlength=corpus.size))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=corpus.size))))
    return Csr(indptr, columns, data / norms[rows], len(corpus.words))


def _lbfgs(
    objective: Callable[[Floats], tuple[float, Floats]], start: Floats, *, iterations: int, memory: int = 6
) -> Floats:
    """Minimise a smooth function that returns value and gradient: limited-memory BFGS with backtracking (Nocedal and
    Wright, Numerical Optimization, algorithm 7.4). Stops early when the gradient or the gain is small.
    """
    point = start
    value, gradient = objective(point)
    steps: list[tuple[Floats, Floats, float]] = []
    for _ in range(iterations):
        direction = -gradient
        alphas = []
        for s, y, rho in reversed(steps):
            alpha = rho * float(s @ direction)
            alphas.append(alpha)
            direction = direction - alpha * y
        if steps:
            s, y, rho = steps[-1]
            direction = direction / (rho * float(y @ y))
        for (s, y, rho), alpha in zip(steps, reversed(alphas), strict=True):
            direction = direction + (alpha - rho * float(y @ direction)) * s
        slope = float(gradient @ direction)
        if slope >= 0:
            break
        # The first step: a part of the way that a straight line would need; backtracking shortens it.
        length = 1.0 if steps else 0.2 * value / max(1e-12, float(gradient @ gradient))
        for _ in range(12):
            candidate = point + length * direction
            new_value, new_gradient = objective(candidate)
            if new_value <= value + 1e-4 * length * slope:
                break
            length /= 2
        else:
            break
        s, y = candidate - point, new_gradient - gradient
        if float(s @ y) > 1e-12:
            steps = [*steps, (s, y, 1.0 / float(s @ y))][-memory:]
        gained = value - new_value
        point, value, gradient = candidate, new_value, new_gradient
        if gained < 1e-5 * max(1.0, abs(value)) or float(np.abs(gradient).max()) < 1e-6:
            break
    return point


def fit(rows: Csr, labels: Ints, classes: int, *, c: float = 10.0, iterations: int = 60) -> tuple[Floats, Floats]:
    """A logistic regression with L2 strength 1/c: weights of shape (columns, classes) and biases of shape (classes,).

    Two classes share one weight vector of opposite signs, so a margin is symmetric.
    """
    outputs = 1 if classes == 2 else classes
    used, indices = np.unique(rows.indices, return_inverse=True)
    every = rows.columns
    rows = Csr(rows.indptr, indices, rows.data, len(used))
    flipped = rows.transposed()
    count = max(1, rows.rows)
    target = (labels == 1).astype(float)[:, None] if outputs == 1 else np.eye(classes)[labels]

    def objective(flat: Floats) -> tuple[float, Floats]:
        weights = flat[: rows.columns * outputs].reshape(rows.columns, outputs)
        bias = flat[rows.columns * outputs :]
        logits = rows.dot(weights) + bias
        if outputs == 1:
            loss = float(np.logaddexp(0.0, np.where(target > 0, -logits, logits)).sum())
            error = 0.5 * (1 + np.tanh(logits / 2)) - target
        else:
            top = logits.max(axis=1, keepdims=True)
            exponents = np.exp(logits - top)
            total = exponents.sum(axis=1, keepdims=True)
            loss = float((np.log(total) + top - (logits * target).sum(axis=1, keepdims=True)).sum())
            error = exponents / total - target
        value = (c * loss + 0.5 * float(weights.ravel() @ weights.ravel())) / (c * count)
        slope = (flipped.dot(error) * c + weights) / (c * count)
        return value, np.concatenate((slope.ravel(), error.sum(axis=0) / count))

    found = _lbfgs(objective, np.zeros(rows.columns * outputs + outputs), iterations=iterations)
    weights = np.zeros((every, outputs))
    weights[used] = found[: rows.columns * outputs].reshape(rows.columns, outputs)
    bias = found[rows.columns * outputs :]
    if outputs == 1:
        return np.hstack((-weights, weights)) / 2, np.array([-bias[0], bias[0]]) / 2
    return weights, bias


@dataclass(frozen=True)
class OutOfFold:
    """`logits[i]` (shape (rows, classes)) come from the model of `fold[i]`, which did not see row i; `weights[f]` has
    shape (columns, classes).
    """

    logits: Floats
    fold: Ints
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]


def folds(labels: Ints, count: int, seed: int = 0) -> Ints:
    """A fold for every row, each class spread evenly (stratified)."""
    random = np.random.default_rng(seed)
    fold = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[random.permutation(rows)] = np.arange(len(rows)) % count
    return fold


def out_of_fold(rows: Csr, labels: Ints, classes: int, *, count: int = 3, seed: int = 0) -> OutOfFold:
    """Train `count` models, each on all folds but one, and let each predict the fold that it has not seen."""
    fold = folds(labels, count, seed)
    logits = np.zeros((rows.rows, classes))
    weights, biases = [], []
    outputs = 1 if classes == 2 else classes
    # The work grows with entries x outputs; a large problem gets fewer steps, since early stopping only regularises.
    iterations = int(np.clip(1.2e8 / (len(rows.data) * outputs + 1), 12, 60))
    for number in range(count):
        held = np.flatnonzero(fold == number)
        seen = np.flatnonzero(fold != number)
        w, b = fit(rows.take(seen), labels[seen], classes, iterations=iterations)
        logits[held] = rows.take(held).dot(w) + b
        weights.append(w)
        biases.append(b)
    return OutOfFold(logits, fold, tuple(weights), tuple(biases))
