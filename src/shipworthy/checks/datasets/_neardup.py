"""Near-copies among texts: MinHash signatures in bands (Broder 1997; Mining of Massive Datasets, chapter 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shipworthy.checks.datasets._textmodel import Corpus

_BANDS, _ROWS = 12, 4


def flood(texts: Sequence[str], *, alike: float = 0.6, shingle: int = 3) -> list[list[int]]:
    """Groups of texts that share about `alike` of their runs of `shingle` tokens (estimated Jaccard similarity), the
    largest first. Texts with fewer than 8 tokens are in none: they are alike by chance.
    """
    corpus = Corpus.of(texts)
    tokens, owner = corpus.tokens, corpus.texts
    long_enough = np.bincount(owner, minlength=corpus.size) >= 8
    begins = np.arange(max(0, len(tokens) - shingle + 1))
    begins = begins[(owner[begins] == owner[begins + shingle - 1]) & long_enough[owner[begins]]]
    if not len(begins):
        return []
    random = np.random.default_rng(0)
    codes = np.zeros(len(begins), dtype=np.uint64)
    for offset in range(shingle):
        codes = codes * np.uint64(1_000_003) + tokens[begins + offset].astype(np.uint64)
    documents, first = np.unique(owner[begins], return_index=True)
    signatures = np.empty((len(documents), _BANDS * _ROWS), dtype=np.uint64)
    for column in range(signatures.shape[1]):
        odd = np.uint64(int(random.integers(1, 2**62)) * 2 + 1)
        add = np.uint64(int(random.integers(0, 2**62)))
        mixed = (codes * odd + add) ^ (codes >> np.uint64(29))
        signatures[:, column] = np.minimum.reduceat(mixed * odd >> np.uint64(16), first)
    return _clusters(signatures, documents.tolist(), alike)


def _clusters(signatures: np.typing.NDArray[np.uint64], documents: list[int], alike: float) -> list[list[int]]:
    parent = list(range(len(documents)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for band in range(_BANDS):
        part = signatures[:, band * _ROWS : (band + 1) * _ROWS]
        _, bucket = np.unique(part, axis=0, return_inverse=True)
        order = np.argsort(bucket.ravel(), kind="stable")
        same = np.flatnonzero(np.diff(bucket.ravel()[order]) == 0)
        left, right = order[same], order[same + 1]
        close = (signatures[left] == signatures[right]).mean(axis=1) >= alike
        for a, b in zip(left[close].tolist(), right[close].tolist(), strict=True):
            parent[root(a)] = root(b)
    groups: dict[int, list[int]] = {}
    for item in range(len(documents)):
        groups.setdefault(root(item), []).append(documents[item])
    return sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
