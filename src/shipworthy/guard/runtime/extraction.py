"""Signs that a model is being copied: very many questions of one client, questions that are all but the same, and
features that are moved one at a time.

Sources of the idea: Tramer et al. 2016, Juuti et al. 2019 (PRADA).
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
_QUESTIONS = 2000  # clients whose questions are remembered, not only counted


@dataclass(frozen=True)
class Signal:
    """`reason`: volume, near-duplicates or sweep; `facts` are counts."""

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


class Extraction:
    """Remembers what each client asked in this hour. Not safe from several threads by itself."""

    def __init__(self, volume: int, clients: int) -> None:
        self._volume, self._clients = volume, clients
        self._known: OrderedDict[str, _Client] = OrderedDict()

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
