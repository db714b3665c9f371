"""Do the texts that come in look like those that the model was trained on? The population stability index of lengths,
characters and pieces of words against a reference, over windows of requests."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log
from pathlib import Path

from shipworthy.errors import UsageError

FORMAT = "shipworthy-drift-reference/1"
WINDOW = 500
THRESHOLD = 0.25  # the customary bound of a population stability index that says that the population is another
_PIECES = 32
_TEXT = 2000
_LINES = 200_000
_FILE = 256 << 20


@dataclass(frozen=True)
class Measured:
    """A window's indices by feature; `drifted` when the greatest is above the threshold."""

    psi: Mapping[str, float]
    window: int
    drifted: bool

    @property
    def worst(self) -> float:
        """The greatest."""
        return max(self.psi.values())


class Drift:
    """Compares windows with a reference (as `reference` makes it). Not safe from several threads by itself."""

    def __init__(self, known: Mapping[str, Sequence[float]], window: int = WINDOW) -> None:
        self._known, self._window = known, window
        self._counts, self._seen = _empty(), 0

    def add(self, texts: Sequence[str]) -> Measured | None:
        """Note a request's texts; the measure when a window is full."""
        if not texts:
            return None
        _count(self._counts, " ".join(texts)[:_TEXT])
        self._seen += 1
        if self._seen < self._window:
            return None
        values = {name: psi(self._known[name], _shares(found)) for name, found in self._counts.items()}
        # of few texts the index is above zero by chance alone: about (cells - 1) / window
        bound = {name: THRESHOLD + 2 * (len(found) - 1) / self._window for name, found in self._counts.items()}
        self._counts, self._seen = _empty(), 0
        return Measured(values, self._window, any(values[name] > bound[name] for name in values))


def reference(texts: Iterable[str]) -> dict[str, list[float]]:
    """The shares of each feature's cells in the texts of the training data. Raises UsageError without texts."""
    counts, seen = _empty(), 0
    for text in texts:
        _count(counts, text[:_TEXT])
        seen += 1
    if not seen:
        raise UsageError("there is no text in it", where="guard: drift reference")
    return {name: _shares(found) for name, found in counts.items()}


def load(path: Path, window: int = WINDOW) -> Drift:
    """From a reference that `save` wrote, or from the data itself: .jsonl (field `text`), .csv (column `text`, or the
    longest), .txt (a line is a text). Raises UsageError."""
    try:
        if path.stat().st_size > _FILE:
            raise UsageError("the file is too large", where=str(path), remedy="give a sample of the training data")
        if path.suffix == ".json":
            value = json.loads(path.read_bytes())
            return Drift(_known(value, path), window)
        with path.open(encoding="utf-8", errors="replace", newline="") as stream:
            return Drift(reference(islice(_texts(stream, path.suffix), _LINES)), window)
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"it can't be read: {type(error).__name__}", where=str(path)) from None


def save(known: Mapping[str, Sequence[float]], path: Path) -> None:
    """Write a reference."""
    path.write_text(json.dumps({"format": FORMAT, "features": {k: [round(v, 6) for v in s] for k, s in known.items()}}))


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Population stability index of two distributions over the same cells; empty cells count as 1 in 1000."""
    total = 0.0
    for one, other in zip(expected, actual, strict=True):
        one, other = max(one, 0.001), max(other, 0.001)
        total += (other - one) * log(other / one)
    return total


def _known(value: object, path: Path) -> dict[str, list[float]]:
    features = value.get("features") if isinstance(value, dict) and value.get("format") == FORMAT else None
    if isinstance(features, dict):
        known = {name: features.get(name) for name in _empty()}
        if all(
            isinstance(one, list) and len(one) == len(cells) and all(isinstance(v, int | float) for v in one)
            for one, cells in zip(known.values(), _empty().values(), strict=True)
        ):
            return {name: list(map(float, one)) for name, one in known.items() if one is not None}
    raise UsageError(f"this is no {FORMAT}", where=str(path))


def _texts(stream: Iterable[str], suffix: str) -> Iterable[str]:
    if suffix == ".jsonl":
        for line in stream:
            value = json.loads(line) if line.strip() else None
            if isinstance(value, dict) and isinstance(value.get("text"), str):
                yield value["text"]
    elif suffix == ".csv":
        for row in csv.DictReader(stream):
            yield row.get("text") or max((str(cell) for cell in row.values() if cell), key=len, default="")
    else:
        yield from (line.rstrip("\n") for line in stream if line.strip())


def _empty() -> dict[str, list[int]]:
    return {"length": [0] * 12, "characters": [0] * 6, "pieces": [0] * _PIECES}


def _count(counts: dict[str, list[int]], text: str) -> None:
    counts["length"][min(len(text).bit_length(), 11)] += 1
    letters = sum(map(str.isalpha, text))
    digits = sum(map(str.isdigit, text))
    spaces = sum(map(str.isspace, text))
    foreign = 0 if text.isascii() else sum(c > "\x7f" for c in text)
    upper = sum(map(str.isupper, text))
    for cell, number in enumerate(
        (letters - upper, upper, digits, spaces, foreign, len(text) - letters - digits - spaces)
    ):
        counts["characters"][cell] += max(number, 0)
    for word in text.lower().split()[:100]:
        counts["pieces"][zlib.crc32(word[:6].encode("utf-8", "replace")) % _PIECES] += 1


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [number / total for number in counts]
