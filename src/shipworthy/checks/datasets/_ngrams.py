"""Runs of one to three tokens that lean to one label, and the test for what a label would be without them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import lgamma, log

import numpy as np

from shipworthy.checks.datasets._textmodel import Corpus, Csr, Floats, Ints, OutOfFold

_BLOCK = 200_000


@dataclass(frozen=True)
class Candidates:
    """Groups of n-grams that lean to one label and stand in exactly the same texts of it.

    Group i leans to `label[i]`, has the token ids `tokens[token_start[i]:token_start[i + 1]]`, the texts with that
    label `texts[start[i]:start[i + 1]]`, and a longest member `gram[i]` (token ids padded with -1, shape (groups, 3)).
    `counted` is how many different n-grams were looked at in all: the number of hypotheses.
    """

    label: Ints
    tokens: Ints
    token_start: Ints
    texts: Ints
    start: Ints
    gram: Ints
    counted: int


@dataclass(frozen=True)
class Trigger:
    """Tokens that stand only (or mostly) in texts of `label` that look like another label once the tokens are taken
    away. `texts` hold the tokens and have the label; `share` of them disagree clearly; `log_p` bounds the chance of it
    (natural logarithm, Bonferroni-corrected).
    """

    words: tuple[str, ...]
    label: int
    texts: tuple[int, ...]
    share: float
    log_p: float


def candidates(corpus: Corpus, labels: Ints, classes: int, *, least: int, most: float = 0.25) -> Candidates:
    """The n-grams (n = 1, 2, 3) that at least `least` texts of one label hold and that lean to it: 90 % of their texts
    have it, or 2.5 times the share that chance would give.
    """
    tokens, owner, size = corpus.tokens, corpus.texts, corpus.size
    prior = np.maximum(np.bincount(labels, minlength=classes) / max(1, size), 1e-9)
    wanted = np.minimum(0.9, 2.5 * prior)
    fingerprint = np.random.default_rng(0).integers(1, 2**62, size=size, dtype=np.int64)
    found: list[tuple[Ints, Ints, Ints, Ints, Ints]] = []  # label, gram, texts, lengths, hash: one tuple for each n
    counted = 0
    begins, codes = np.arange(len(tokens)), tokens
    for n in (1, 2, 3):
        if n > 1:
            # An n-gram is the (n-1)-gram that begins at the same place and one more token of the same text.
            last = np.minimum(begins + n - 1, len(tokens) - 1)
            follows = (begins + n - 1 < len(tokens)) & (owner[last] == owner[begins])
            begins, codes = begins[follows], codes[follows]
            codes = codes * max(1, len(corpus.words)) + tokens[begins + n - 1]
        if not len(begins):
            break
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
        gram, text = np.divmod(np.unique(codes * size + owner[begins]), size)
        frequency = np.bincount(gram, minlength=len(first))
        frequent = frequency >= least
        counted += int(frequent.sum())
        kept = frequent[codes]  # a rare n-gram has no frequent extension
        number = np.cumsum(frequent) - 1
        places, pairs = begins[first[frequent]], frequent[gram]
        gram, text, frequency = number[gram[pairs]], text[pairs], frequency[frequent]
        cell = np.bincount(gram * classes + labels[text], minlength=len(places) * classes).reshape(-1, classes)
        lift = cell / frequency[:, None] / prior
        label = lift.argmax(axis=1)
        held = cell[np.arange(len(places)), label]
        chosen = (held >= least) & (held >= wanted[label] * frequency) & (held <= most * size)
        mask = chosen[gram] & (labels[text] == label[gram])
        grams = np.full((int(chosen.sum()), 3), -1, dtype=np.int64)
        for offset in range(n):
            grams[:, offset] = tokens[places[chosen] + offset]
        hashes = np.zeros(len(places), dtype=np.int64)
        np.add.at(hashes, gram[mask], fingerprint[text[mask]])
        found.append((label[chosen], grams, text[mask], held[chosen], hashes[chosen]))
        begins, codes = begins[kept], number[codes[kept]]
    return _grouped(found, counted)


def _grouped(found: list[tuple[Ints, Ints, Ints, Ints, Ints]], counted: int) -> Candidates:
    """Join the n-grams of one label that stand in the same texts."""
    empty = np.zeros(0, dtype=np.int64)
    if not found:
        zero = np.zeros(1, dtype=np.int64)
        return Candidates(empty, empty, zero, empty, zero, np.full((0, 3), -1, dtype=np.int64), counted)
    label, gram, texts, lengths, hashes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    start = np.concatenate(([0], np.cumsum(lengths)))
    # Longer n-grams come last, so the last of equal keys is the longest.
    _, reverse_first, group = np.unique(
        np.stack([label, lengths, hashes])[:, ::-1], axis=1, return_index=True, return_inverse=True
    )
    group = group.ravel()[::-1]
    lead = len(label) - 1 - reverse_first
    pair = np.repeat(group, 3)[gram.ravel() >= 0], gram.ravel()[gram.ravel() >= 0]
    width = int(pair[1].max(initial=0)) + 1
    group_ids, tokens = np.divmod(np.unique(pair[0] * width + pair[1]), width)
    token_start = np.concatenate(([0], np.cumsum(np.bincount(group_ids, minlength=len(lead)))))
    new_start = np.concatenate(([0], np.cumsum(lengths[lead])))
    where = np.repeat(start[lead] - new_start[:-1], lengths[lead]) + np.arange(new_start[-1])
    return Candidates(label[lead], tokens, token_start, texts[where], new_start, gram[lead], counted)


def without(held: Candidates, rows: Csr, predicted: OutOfFold) -> tuple[Floats, Ints]:
    """For every (group, text): by how much the label's logit leads the best other one when the group's tokens are
    taken out of the text and the rest is brought back to unit length. NaN where hardly anything is left.

    Returns margins of shape (len(held.texts),) and the group of each.
    """
    margins = np.empty(len(held.texts))
    lengths = np.diff(held.start)
    group = np.repeat(np.arange(len(lengths)), lengths)
    sizes = np.diff(held.token_start)[group]
    keys = rows.row_ids() * rows.columns + rows.indices
    weights = np.stack(predicted.weights)
    bias = np.stack(predicted.biases)
    step = max(1, _BLOCK // weights.shape[2])
    for low in range(0, len(margins), step):
        block = slice(low, min(len(margins), low + step))
        text, size = held.texts[block], sizes[block]
        pair = np.repeat(np.arange(len(text)), size)
        first = held.token_start[group[block]]
        offset = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
        token = held.tokens[np.repeat(first, size) + offset]
        wanted = text[pair] * rows.columns + token
        place = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        value = np.where(keys[place] == wanted, rows.data[place], 0.0) if len(keys) else np.zeros(len(wanted))
        fold = predicted.fold[text]
        base = bias[fold]
        logits = predicted.logits[text] - base
        taken = value[:, None] * weights[fold[pair], token]
        for k in range(logits.shape[1]):
            logits[:, k] -= np.bincount(pair, weights=taken[:, k], minlength=len(text))
        left = 1 - np.bincount(pair, weights=value**2, minlength=len(text))
        logits = logits / np.sqrt(np.maximum(left, 0.02))[:, None] + base
        margin = lead(logits, held.label[group[block]])
        margins[block] = np.where(left > 0.1, margin, np.nan)
    return margins, group


def lead(logits: Floats, labels: Ints) -> Floats:
    """By how much each row's label leads the best other class; shape (rows,)."""
    every = np.arange(len(labels))
    others = logits.copy()
    others[every, labels] = -np.inf
    best: Floats = logits[every, labels] - others.max(axis=1)
    return best


def log_binomial_tail(hits: int, trials: int, chance: float) -> float:
    """Natural logarithm of an upper bound of P[X >= hits] for X ~ Binomial(trials, chance); exact to rounding."""
    if hits <= 0:
        return 0.0
    if chance <= 0:
        return -float("inf")
    k = np.arange(hits, trials + 1)
    choose = lgamma(trials + 1) - np.array([lgamma(i + 1) + lgamma(trials - i + 1) for i in k])
    terms = choose + k * log(chance) + (trials - k) * log(max(1e-300, 1 - chance))
    return min(0.0, float(np.logaddexp.reduce(terms)))


def triggers(
    corpus: Corpus, rows: Csr, labels: Ints, classes: int, predicted: OutOfFold, *, alpha: float = 1e-3
) -> tuple[list[Trigger], int]:
    """The n-grams that seem to have set the label of their texts, and how many n-grams were looked at.

    Texts that belong to the label keep it, or become doubtful, when an n-gram is taken out. Texts that were given the
    label with the n-gram then look as clearly like another label as that label's own texts do.
    """
    held = candidates(corpus, labels, classes, least=max(4, int(0.002 * corpus.size)))
    margins, group = without(held, rows, predicted)
    clear, usual = np.zeros(classes), np.zeros(classes)
    for label in range(classes):
        own = labels == label
        against = -lead(predicted.logits, np.full(len(labels), label))
        # As clear as three quarters of the texts of other labels are.
        clear[label] = max(0.0, float(np.quantile(against[~own], 0.25))) if (~own).any() else np.inf
        usual[label] = float((against[own] > clear[label]).mean()) if own.any() else 1.0
    strong = np.nan_to_num(margins, nan=np.inf) < -clear[held.label[group]]
    hits = np.bincount(group[strong], minlength=len(held.label))
    trials = np.diff(held.start)
    found = []
    for i in np.flatnonzero(hits > 0.4 * trials):
        chance = min(max(1.5 * usual[held.label[i]], 0.03), 0.9)
        log_p = log_binomial_tail(int(hits[i]), int(trials[i]), chance) + log(max(1, held.counted))
        if log_p < log(alpha):
            part = slice(held.start[i], held.start[i + 1])
            words = tuple(corpus.words[t] for t in held.gram[i] if t >= 0)
            texts = tuple(int(t) for t in held.texts[part])
            share = float(hits[i] / trials[i])
            found.append(Trigger(words, int(held.label[i]), texts, share, log_p))
    return found, held.counted


def merged(found: list[Trigger], corpus: Corpus) -> list[Trigger]:
    """One trigger for those that stand in the same texts, the surest first, named by all tokens that go with it."""
    groups: list[Trigger] = []
    for trigger in sorted(found, key=lambda t: (t.log_p, -len(t.words))):
        texts = set(trigger.texts)
        if not any(
            group.label == trigger.label and len(texts.intersection(group.texts)) >= 0.5 * len(texts)
            for group in groups
        ):
            groups.append(trigger)
    starts = np.searchsorted(corpus.texts, np.arange(corpus.size + 1))
    return [replace(group, words=_stretched(group, corpus, starts)) for group in groups]


def _stretched(trigger: Trigger, corpus: Corpus, starts: Ints) -> tuple[str, ...]:
    """The words with those that stand beside them in at least 80 % of the texts: a whole sentence, if it is one."""
    places = []
    for text in trigger.texts[:200]:
        words = [corpus.words[t] for t in corpus.tokens[starts[text] : starts[text + 1]]]
        size = len(trigger.words)
        at = next((i for i in range(len(words) - size + 1) if tuple(words[i : i + size]) == trigger.words), None)
        if at is not None:
            places.append((words, at))
    said = list(trigger.words)
    for step in (-1, 1):
        for distance in range(1, 20):
            offset = -distance if step < 0 else len(trigger.words) - 1 + distance
            beside = Counter(words[at + offset] for words, at in places if 0 <= at + offset < len(words))
            word, often = beside.most_common(1)[0] if beside else ("", 0)
            if often < max(2, 0.8 * len(places)):
                break
            said = [word, *said] if step < 0 else [*said, word]
    return tuple(said)
