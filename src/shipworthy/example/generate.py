"""Generated data: short texts from templates, the same for the same seed on every machine.

Every text is made from one template of `vocabulary` whose slots are filled at random; some attacks are disguised the
way real ones are (capitals, digits for letters, spaced letters). A quarter of the templates, and for attacks of the
words, is kept for the holdout and makes up a quarter of its rows: so the holdout asks for more than wording that was
learnt by heart. It is still far easier than real data, and a score on it says nothing about real attacks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from shipworthy.errors import UsageError
from shipworthy.example import vocabulary
from shipworthy.example.data import Label, Row, Splits, order, same

ATTACK_SHARE = 0.45
UNSEEN_SHARE = 0.25
_SLOT = re.compile(r"\{(\w+)\}")
_DIGITS = str.maketrans("aeiost", "4310$7")
_TRIES = 60


class _Writer:
    """Fills templates. Only `Random.random` is used: the one method whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"shipworthy example {seed}")  # noqa: S311 - data, not a secret
        self.seen: set[str] = set()
        self._cores: set[str] = set()

    def row(self, templates: Sequence[str], label: Label, *, unseen: bool) -> Row:
        """A text that was not made before."""
        for _ in range(_TRIES):
            core = self._fill(self._pick(_part(templates, unseen=unseen)), unseen=unseen and bool(label))
            text = core[0].upper() + core[1:]
            if label and self._random.random() < 0.12:
                text = self._disguise(text)
            elif self._random.random() < 0.25:
                text = text.rstrip(".?") if self._random.random() < 0.5 else text.lower()
            if same(core) not in self._cores and same(text) not in self.seen:
                self._cores.add(same(core))
                self.seen.add(same(text))
                return Row(text, label)
        raise UsageError("the templates do not yield so many different texts", remedy="ask for fewer rows")

    def _pick(self, items: Sequence[str]) -> str:
        return items[int(self._random.random() * len(items))]

    def _fill(self, template: str, *, unseen: bool) -> str:
        while _SLOT.search(template):
            template = _SLOT.sub(lambda slot: self._pick(_part(vocabulary.SLOTS[slot[1]], unseen=unseen)), template)
        return template

    def _disguise(self, text: str) -> str:
        """What filters are dodged with: capitals, digits for letters, or one word spaced out."""
        kind = self._random.random()
        if kind < 0.4:
            return text.upper()
        if kind < 0.75:
            return " ".join(
                word.translate(_DIGITS) if self._random.random() < 0.5 else word for word in text.split(" ")
            )
        words = text.split(" ")
        place = max(range(len(words)), key=lambda index: len(words[index]))
        words[place] = " ".join(words[place])
        return " ".join(words)


def splits(train: int, holdout: int, seed: int) -> Splits:
    """So many rows to train on and to judge by, in an order that says nothing of their labels."""
    writer = _Writer(seed)
    held = _rows(writer, round(holdout * UNSEEN_SHARE), unseen=True)
    held += _rows(writer, holdout - len(held), unseen=False)
    learn = _rows(writer, train, unseen=False)
    return Splits(tuple(order(learn, seed)), tuple(order(held, seed)))


def _rows(writer: _Writer, count: int, *, unseen: bool) -> list[Row]:
    attacks = round(count * ATTACK_SHARE)
    return [
        *(writer.row(vocabulary.ATTACKS, 1, unseen=unseen) for _ in range(attacks)),
        *(writer.row(vocabulary.BENIGN, 0, unseen=unseen) for _ in range(count - attacks)),
    ]


def _part(items: Sequence[str], *, unseen: bool) -> Sequence[str]:
    """The last quarter is for the holdout only."""
    border = len(items) - len(items) // 4
    return items[border:] if unseen else items[:border]
