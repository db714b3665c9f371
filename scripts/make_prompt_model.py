"""Make src/shipworthy/guard/runtime/detectors/prompts.json: weights of the guard's model for prompt injection.

The data are the example's own generated texts (`shipworthy.example.generate`); its holdout has words and templates that
training has not, and is only used for the figures that are printed. Nothing is downloaded.
"""

import json
from pathlib import Path

import numpy as np

from shipworthy.example.generate import splits
from shipworthy.guard.runtime.detectors.prompts import THRESHOLD, features

PLACE = Path(__file__).resolve().parent.parent / "src/shipworthy/guard/runtime/detectors/prompts.json"
FEWEST = 5  # texts that a feature must be in
ROUNDS, STEP, SHRINK = 3000, 0.5, 2e-4


def main() -> None:
    """Train, write, and print how the holdout is judged."""
    parts = splits(4000, 1000, 7)
    train = [(features(row.text), row.label) for row in parts.train]
    counts: dict[str, int] = {}
    for found, _ in train:
        for name in found:
            counts[name] = counts.get(name, 0) + 1
    names = sorted(name for name, count in counts.items() if count >= FEWEST)
    place = {name: index for index, name in enumerate(names)}
    x, y = matrix(train, place), np.array([label for _, label in train], dtype=float)
    weights, bias = np.zeros(len(names)), 0.0
    for _ in range(ROUNDS):
        error = 1 / (1 + np.exp(-(x @ weights + bias))) - y
        weights -= STEP * (x.T @ error / len(y) + SHRINK * weights)
        bias -= STEP * float(error.mean())
    value = {
        "bias": round(bias, 3),
        "weights": {n: round(float(w), 3) for n, w in zip(names, weights, strict=True) if abs(w) >= 0.01},
    }
    PLACE.write_text(json.dumps(value, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    for title, rows in (("training", parts.train), ("holdout", parts.holdout)):
        scores = 1 / (1 + np.exp(-(matrix([(features(r.text), 0) for r in rows], place) @ weights + bias)))
        labels = np.array([r.label for r in rows])
        found, false = (float((scores[labels == one] >= THRESHOLD).mean()) for one in (1, 0))
        print(f"{title}: found {found:.3f}, false {false:.4f}")


def matrix(rows: list[tuple[dict[str, float], int]], place: dict[str, int]) -> "np.ndarray":
    """One row for each text."""
    x = np.zeros((len(rows), len(place)))
    for index, (found, _) in enumerate(rows):
        for name, value in found.items():
            if name in place:
                x[index, place[name]] = value
    return x


if __name__ == "__main__":
    main()
