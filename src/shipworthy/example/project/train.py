"""Trains the prompt-injection detector, on all rows or on one fold of a cross-validation.

    python train.py                       # data/train.csv -> model/

Everything can be set from outside (Shipworthy does so): SHIPWORTHY_INPUT_TRAIN, SHIPWORTHY_OUTPUT_MODEL,
SHIPWORTHY_SEED, SHIPWORTHY_PROGRESS; for a fold SHIPWORTHY_FOLD, SHIPWORTHY_FOLD_INDICES and
SHIPWORTHY_OUTPUT_PREDICTIONS.
"""

from __future__ import annotations

import csv
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier import DIMENSIONS, THRESHOLD, Features, Model, sigmoid

MAX_EPOCHS = 40
PATIENCE = 3
BATCH = 64
LEARNING_RATE = 0.5
DECAY = 1e-6
VALIDATION_SHARE = 0.1
MIN_DELTA = 1e-4


class Stop:
    """Turns SIGTERM into a polite question: the best weights so far are still saved."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True

    @staticmethod
    def ignore() -> None:
        """From now on the work is nearly done: let it finish."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@dataclass(frozen=True)
class Fit:
    """What training came to."""

    model: Model
    epochs: int
    best_epoch: int
    reason: str
    validation: dict[str, float]


def read_rows(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    """The ids, the texts and the labels (0 or 1) of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [r["id"] for r in rows], [r["text"] for r in rows], np.asarray([int(r["label"]) for r in rows])


def split(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to learn from and to validate on: the same share of each class."""
    validation = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        validation.append(rows[: max(1, round(len(rows) * VALIDATION_SHARE))])
    chosen = np.sort(np.concatenate(validation))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def measure(model: Model, features: Features, labels: np.ndarray) -> dict[str, float]:
    """Log loss, accuracy and F1 of the positive class."""
    scores = np.clip(model.scores(features), 1e-7, 1 - 1e-7)
    guesses = scores >= THRESHOLD
    hits = float(np.sum(guesses & (labels == 1)))
    return {
        "loss": float(-np.mean(np.where(labels == 1, np.log(scores), np.log(1 - scores)))),
        "accuracy": float(np.mean(guesses == labels)),
        "f1": 2 * hits / max(1.0, float(np.sum(guesses) + np.sum(labels == 1))),
    }


def fit(features: Features, labels: np.ndarray, seed: int, stop: Stop, progress: Path | None) -> Fit:
    """Mini-batch gradient descent with AdaGrad; ends `PATIENCE` epochs after the best validation loss."""
    rng = np.random.default_rng(seed)
    learn, check = split(labels, rng)
    check_features, check_labels = features.take(check), labels[check]
    weight, bias = rng.normal(0.0, 0.01, DIMENSIONS), 0.0
    squares, bias_square = np.full_like(weight, 1e-8), 1e-8
    best, best_epoch, best_model = {"loss": float("inf")}, 0, Model(weight.astype(np.float32), bias)
    reason, epoch = "max-epochs", 0
    for epoch in range(1, MAX_EPOCHS + 1):
        order = rng.permutation(learn)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = features.take(rows)
            errors = (sigmoid(batch.dot(weight) + bias) - labels[rows]) / len(rows)
            slope = batch.gradient(errors) + DECAY * weight
            squares += slope * slope
            bias_square += float(errors.sum()) ** 2
            weight -= LEARNING_RATE * slope / np.sqrt(squares)
            bias -= LEARNING_RATE * float(errors.sum()) / bias_square**0.5
        model = Model(weight.astype(np.float32), bias)
        now = measure(model, check_features, check_labels)
        report(progress, epoch, now)
        if now["loss"] < best["loss"] - MIN_DELTA:
            best, best_epoch, best_model = now, epoch, model
        if stop.asked:
            reason = "asked-to-stop"
            break
        if epoch - best_epoch >= PATIENCE:
            reason = "early-stopping"
            break
    return Fit(best_model, epoch, best_epoch, reason, best)


def report(progress: Path | None, epoch: int, measured: dict[str, float]) -> None:
    """One line for each epoch, on the screen and in the progress file."""
    metrics = {f"val_{name}": round(value, 6) for name, value in measured.items()}
    print(f"epoch {epoch:2d}  " + "  ".join(f"{name} {value:.4f}" for name, value in metrics.items()), flush=True)
    if progress is not None:
        with progress.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": epoch, "metrics": metrics}) + "\n")


def write_predictions(path: Path, rows: np.ndarray, ids: list[str], scores: np.ndarray) -> None:
    """A line for each row of the fold's validation part: its number, its id, the class and the probability."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["index", "id", "prediction", "score"])
        for row, score in zip(rows, scores, strict=True):
            writer.writerow([row, ids[row], int(score >= THRESHOLD), f"{score:.6f}"])


def save(folder: Path, done: Fit, rows: int, seed: int) -> None:
    """The model, and what training measured on its own validation split."""
    done.model.save(folder)
    summary = {
        "rows": rows,
        "seed": seed,
        "epochs": done.epochs,
        "best_epoch": done.best_epoch,
        "stopped": done.reason,
        "validation": {name: round(value, 6) for name, value in done.validation.items()},
    }
    (folder / "metrics-train.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Read the settings from the environment, train, write."""
    stop = Stop()
    env = os.environ
    seed = int(env.get("SHIPWORTHY_SEED", "7"))
    progress = Path(env["SHIPWORTHY_PROGRESS"]) if env.get("SHIPWORTHY_PROGRESS") else None
    folder = Path(env["SHIPWORTHY_OUTPUT_MODEL"]) if env.get("SHIPWORTHY_OUTPUT_MODEL") else None
    data = Path(env.get("SHIPWORTHY_INPUT_TRAIN", "data/train.csv"))
    ids, texts, labels = read_rows(data)
    features = Features.of(texts)
    if env.get("SHIPWORTHY_FOLD_INDICES"):
        fold = json.loads(Path(env["SHIPWORTHY_FOLD_INDICES"]).read_text(encoding="utf-8"))
        learn, unseen = np.asarray(fold["train"], np.int64), np.asarray(fold["validation"], np.int64)
        print(f"fold {env.get('SHIPWORTHY_FOLD', '?')}: {len(learn)} rows to learn from, {len(unseen)} unseen")
        done = fit(features.take(learn), labels[learn], seed, stop, progress)
        stop.ignore()
        scores = done.model.scores(features.take(unseen))
        output = Path(env.get("SHIPWORTHY_OUTPUT_PREDICTIONS", "predictions.csv"))
        write_predictions(output, unseen, ids, scores)
        if folder is not None:
            save(folder, done, len(learn), seed)
        return
    done = fit(features, labels, seed, stop, progress)
    stop.ignore()
    save(folder or Path("model"), done, len(labels), seed)


if __name__ == "__main__":
    main()
