"""Signs that a model is being copied: very many questions of one client, questions that are all but the same, and
features that are moved one at a time, and answers that all lie where the model is undecided.

Sources of the idea: Tramer et al. 2016, Juuti et al. 2019 (PRADA), Chen et al. 2020 (HopSkipJump).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HOUR = 3600.0
RECENT = 48  # questions of one client that are judged together
_COMPARED = 16  # of them, with how many one is compared
_SKETCH = 24
SHARE = 0.6
_TEXT = 2000  # characters of a question that its sketch is made of
MARGIN = 0.1  # between the two best scores of an answer: below, the model is undecided
_USUAL = 3  # times as often as for all other clients
_SCORES = 64  # numbers of an answer
_QUESTIONS = 2000  # clients whose questions are remembered, not only counted


@dataclass(frozen=True)
class Signal:
    """`reason`: volume, near-duplicates, sweep or boundary; `facts` are counts."""

    reason: str
    facts: Mapping[str, Any]


@dataclass
class _Client:
    started: float
    count: int = 0
    told: set[str] = field(default_factory=set)
    sketches: deque[frozenset[int]] = field(default_factory=lambda: deque(maxlen=_COMPARED))
    vectors: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=_COMPARED))
    near: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))
    moved: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))
    undecided: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))


class Extraction:
    """Remembers what each client asked in this hour. Not safe from several threads by itself."""

    def __init__(self, volume: int, clients: int) -> None:
        self._volume, self._clients = volume, clients
        self._known: OrderedDict[str, _Client] = OrderedDict()
        self._answers = self._undecided = 0  # of all clients

    def add(
        self, client: str, texts: Sequence[str], numbers: Sequence[float], now: float, words: Collection[str] = ()
    ) -> list[Signal]:
        """Note a question (`words`: the different ones of its texts, if they are known already); the signals that it
        gives. Each but volume is given once for a client and an hour."""
        one = self._known.pop(client, None)
        if one is None or now - one.started >= HOUR:
            one = _Client(now)
        self._known[client] = one
        while len(self._known) > self._clients:
            self._known.popitem(last=False)
        one.count += 1
        words = words or set(" ".join(texts)[:_TEXT].lower().split())
        signals = []
        if self._volume and one.count > self._volume:
            signals.append(Signal("volume", {"questions": one.count, "limit": self._volume}))
        if len(self._known) <= _QUESTIONS:
            self._similar(one, texts, words, numbers)
            signals += self._shares(one)
        return signals

    def answered(self, client: str, value: Any) -> list[Signal]:
        """Note the JSON value of an answer; the signal that it gives, once for a client and an hour: most of a client's
        last answers are ones in which the model was undecided, far more often than for everybody else."""
        one, near = self._known.get(client), margin(value)
        if one is None or near is None or len(self._known) > _QUESTIONS:
            return []
        one.undecided.append(near < MARGIN)
        self._answers += 1
        self._undecided += one.undecided[-1]
        mine, of = sum(one.undecided), len(one.undecided)
        if of < RECENT or "boundary" in one.told or mine < SHARE * of:
            return []
        others, theirs = self._answers - of, self._undecided - mine
        if others >= RECENT and _USUAL * theirs * of > mine * others:
            return []  # the model is undecided with others, too
        one.told.add("boundary")
        return [Signal("boundary", {"undecided": mine, "of": of, "questions": one.count})]

    def _similar(self, one: _Client, texts: Sequence[str], words: Collection[str], values: Sequence[float]) -> None:
        if texts and 16 <= sum(map(len, texts)) < 50_000:
            mark = sketch(words)
            # one that is asked again word by word is a retry, and tells a thief nothing
            one.near.append(any(mark != other and 2 * len(mark & other) > 1.6 * len(mark) for other in one.sketches))
            one.sketches.append(mark)
        if len(values) >= 2:
            vector = tuple(values)
            one.moved.append(any(_one_moved(vector, other) for other in one.vectors))
            one.vectors.append(vector)

    def _shares(self, one: _Client) -> list[Signal]:
        signals = []
        for reason, seen in (("near-duplicates", one.near), ("sweep", one.moved)):
            if len(seen) == RECENT and reason not in one.told and sum(seen) >= SHARE * RECENT:
                one.told.add(reason)
                signals.append(Signal(reason, {"similar": sum(seen), "of": RECENT, "questions": one.count}))
        return signals


def margin(value: Any) -> float | None:
    """How far the best score of an answer is above the second; of one score alone, above its complement. Scores are
    numbers from 0 to 1 with a fraction; None when there are none, or so many that they are something else."""
    scores: list[float] = []
    left = [value]
    while left and len(scores) <= _SCORES:
        item = left.pop()
        if isinstance(item, float):
            if 0 <= item <= 1:
                scores.append(item)
        elif isinstance(item, list):
            left += item[: _SCORES + 1]
        elif isinstance(item, tuple):
            left += [below for _, below in item[: _SCORES + 1]]
        if len(left) > 1000:
            return None
    if not scores or len(scores) > _SCORES:
        return None
    if len(scores) == 1:
        return abs(2 * scores[0] - 1)
    best, second = sorted(scores)[-1:-3:-1]
    return best - second


def _one_moved(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    """Whether they differ in exactly one place."""
    if len(left) != len(right) or left == right:
        return False
    while len(left) > 1:
        half = len(left) // 2
        if left[:half] == right[:half]:
            left, right = left[half:], right[half:]
        elif left[half:] == right[half:]:
            left, right = left[:half], right[:half]
        else:
            return False
    return True


def sketch(words: Iterable[str]) -> frozenset[int]:
    """The least hashes of a text's words (Broder 1997): texts that share most words share most of them."""
    return frozenset(sorted(map(hash, words))[:_SKETCH])
