"""The features and the linear model that training, evaluation and the service share."""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

DIMENSIONS = 1 << 15
MAX_CHARACTERS = 4000
LABELS = ("benign", "injection")
THRESHOLD = 0.5
FORMAT = 1

_TOKEN = re.compile(r"\w+|[^\w\s]")


def grams(text: str) -> list[str]:
    """Words, pairs of words, and pieces of 3 and 4 characters inside words."""
    words = _TOKEN.findall(unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower())
    found = [f"w {word}" for word in words]
    found += [f"p {one} {two}" for one, two in pairwise(words)]
    for word in words:
        edged = f"<{word}>"
        for size in (3, 4):
            found += [f"c {edged[start : start + size]}" for start in range(len(edged) - size + 1)]
    return found


@dataclass(frozen=True)
class Features:
    """Rows of hashed n-gram weights: row r is `columns[starts[r]:starts[r + 1]]` with the same slice of `values`."""

    starts: np.ndarray  # int64, rows + 1
    columns: np.ndarray  # int64
    values: np.ndarray  # float32; every row has length 1

    @classmethod
    def of(cls, texts: list[str]) -> Features:
        """Hash the texts into `DIMENSIONS` columns."""
        starts, columns, values = [0], [], []
        for text in texts:
            hashed = [zlib.crc32(gram.encode("utf-8", "replace")) % DIMENSIONS for gram in grams(text)]
            unique, counts = np.unique(np.asarray(hashed, dtype=np.int64), return_counts=True)
            weights = 1.0 + np.log(counts)
            columns.append(unique)
            values.append(weights / max(float(np.linalg.norm(weights)), 1e-9))
            starts.append(starts[-1] + len(unique))
        joined = np.concatenate(columns) if columns else np.empty(0, np.int64)
        weighted = np.concatenate(values) if values else np.empty(0)
        return cls(np.asarray(starts, np.int64), joined, weighted.astype(np.float32))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: np.ndarray) -> Features:
        """The rows with these numbers, in this order."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Features(starts, self.columns[places], self.values[places])

    def dot(self, weight: np.ndarray) -> np.ndarray:
        """One number for each row: its product with a weight for each column."""
        products = np.concatenate([[0.0], np.cumsum(self.values * weight[self.columns], dtype=np.float64)])
        return products[self.starts[1:]] - products[self.starts[:-1]]

    def gradient(self, errors: np.ndarray) -> np.ndarray:
        """The transposed product: one number for each column, from one error for each row."""
        spread = np.repeat(errors, np.diff(self.starts)) * self.values
        return np.bincount(self.columns, weights=spread, minlength=DIMENSIONS)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """The logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * logits))


@dataclass(frozen=True)
class Model:
    """Logistic regression over hashed n-grams."""

    weight: np.ndarray  # float32, DIMENSIONS
    bias: float

    def scores(self, features: Features) -> np.ndarray:
        """The probability of an injection for each row, in [0, 1]."""
        return sigmoid(features.dot(self.weight) + self.bias)

    def score(self, text: str) -> float:
        """The probability that one text is an injection."""
        return float(self.scores(Features.of([text]))[0])

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `config.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"weight": self.weight.astype(np.float32), "bias": np.asarray([self.bias], np.float32)}
        save_file(tensors, folder / "weights.safetensors")
        (folder / "weights.safetensors").chmod(
            0o644
        )  # safetensors lets its owner alone read it; the service is another
        config = {"format": FORMAT, "dimensions": DIMENSIONS, "labels": LABELS, "threshold": THRESHOLD}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read what `save` wrote. Raises ValueError when it is not a model of this program."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config.get("format") != FORMAT or config.get("dimensions") != DIMENSIONS:
            raise ValueError("config.json is not of this version of the classifier")
        tensors = load_file(folder / "weights.safetensors")
        weight, bias = tensors["weight"], tensors["bias"]
        if weight.shape != (DIMENSIONS,) or bias.shape != (1,) or not np.isfinite(weight).all():
            raise ValueError("weights.safetensors does not hold the weights of this classifier")
        return cls(weight, float(bias[0]))
