"""Predicts every row of a file that has no labels, and says what it can claim by itself.

    python evaluate.py                    # data/holdout.csv, model/ -> predictions.csv, metrics.json

Whoever holds the labels computes the quality from the predictions. `metrics.json` repeats what training measured on
its own validation split: a claim to compare with, not evidence.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np

from classifier import THRESHOLD, Features, Model


def read_texts(path: Path) -> tuple[list[str], list[str]]:
    """The ids and the texts; a label column, should there be one, is not looked at."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [(row["id"], row["text"]) for row in csv.DictReader(stream)]
    return [name for name, _ in rows], [text for _, text in rows]


def write_predictions(path: Path, ids: list[str], scores: np.ndarray) -> None:
    """`id,prediction,score`: the class that the model decides for, and the probability of an injection."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "prediction", "score"])
        for name, score in zip(ids, scores, strict=True):
            writer.writerow([name, int(score >= THRESHOLD), f"{score:.6f}"])


def claim(folder: Path, scores: np.ndarray) -> dict[str, object]:
    """What can be said without the labels."""
    measured = json.loads((folder / "metrics-train.json").read_text(encoding="utf-8"))["validation"]
    return {
        "accuracy": measured["accuracy"],
        "f1": measured["f1"],
        "basis": "the validation split of the training data",
        "rows": len(scores),
        "predicted_positive": int(np.sum(scores >= THRESHOLD)),
        "mean_confidence": round(float(np.mean(np.maximum(scores, 1 - scores))), 6) if len(scores) else None,
    }


def main() -> None:
    """Read the settings from the environment, predict, write."""
    env = os.environ
    folder = Path(env.get("SHIPWORTHY_INPUT_MODEL", "model"))
    ids, texts = read_texts(Path(env.get("SHIPWORTHY_INPUT_HOLDOUT", "data/holdout.csv")))
    scores = Model.load(folder).scores(Features.of(texts))
    write_predictions(Path(env.get("SHIPWORTHY_OUTPUT_PREDICTIONS", "predictions.csv")), ids, scores)
    metrics = Path(env.get("SHIPWORTHY_OUTPUT_METRICS", "metrics.json"))
    metrics.parent.mkdir(parents=True, exist_ok=True)
    metrics.write_text(json.dumps(claim(folder, scores), indent=2) + "\n", encoding="utf-8")
    print(f"{len(ids)} rows predicted")


if __name__ == "__main__":
    main()
