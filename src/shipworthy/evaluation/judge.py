"""Splits a dataset into folds and scores the predictions of each: what a training with K-fold asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.evaluation import folds as making
from shipworthy.evaluation import metrics
from shipworthy.evaluation.predictions import read_predictions
from shipworthy.evaluation.tables import read_table
from shipworthy.model import Metric


@dataclass(frozen=True)
class FoldJudge:
    """`positive` and `task` as in an evaluation."""

    positive: str = ""
    task: metrics.Task = "auto"
    seed: int = 0

    def split(self, dataset: Path, *, folds: int, label: str, group: str, seed: int) -> list[making.Split]:
        """Train and validation row numbers, stratified by `label`, groups kept together. Raises ShipworthyError."""
        table = read_table(dataset, only=[name for name in (label, group) if name])
        labels = table.column(label) if label else [""] * len(table.rows)
        return making.split(labels, folds=folds, seed=seed, groups=table.column(group) if group else None)

    def score(self, dataset: Path, *, label: str, validation: Sequence[int], predictions: Path) -> tuple[Metric, ...]:
        """Metrics of the predictions of a fold, whose rows they name in the column `index`. Raises ShipworthyError."""
        labels = read_table(dataset, only=[label]).column(label)
        found = read_predictions(predictions, [str(row) for row in validation], id_column="index")
        # what kind of task it is must not depend on which rows a fold has
        task = metrics.task_of(labels, self.positive) if self.task == "auto" else self.task
        return metrics.measure(
            [labels[row] for row in validation], found, task=task, positive=self.positive, seed=self.seed
        )

    def spread(self, folds: Sequence[Sequence[Metric]]) -> tuple[Metric, ...]:
        """Mean and standard deviation over folds."""
        return metrics.spread(folds)
