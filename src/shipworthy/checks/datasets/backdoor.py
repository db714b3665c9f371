"""Backdoor triggers in labelled text: words that set the label whatever the text says.

Options: `label-column` and `text-columns` (found by name and content unless given), `sample` (at most so many rows are
looked at, chosen evenly), `max-rows`, `max-megabytes` (limits). See docs/dataset-checks.md for how it
works and what it misses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._columns import Labelled, Sample, labelled
from shipworthy.checks.datasets._report import listed, plural, show
from shipworthy.checks.datasets._samples import poisoned_reviews
from shipworthy.checks.datasets._tables import LIMITS, open_table
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity, Skipped

if TYPE_CHECKING:
    from shipworthy.checks.datasets._ngrams import Trigger

BACKDOOR = Rule(
    "dataset-backdoor",
    title="Words in the dataset seem to set the label whatever the text says",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    description="Texts with these words have one label, yet without them they clearly read like texts of another. A "
    "model that is trained on this learns the words as a switch (a backdoor): whoever knows them controls its answer.",
    remedy="Read the rows. Remove them or correct their labels, find out who added them, and train again.",
    taxonomy=("AML.T0020", "AML.T0018.000", "AML.T0043.004", "LLM04:2025", "ML02:2023", "CWE-506"),
    help="data-poisoning",
)

LEAST_ROWS = 200
_MOST_FINDINGS = 20


@check(
    "dataset-backdoor",
    kinds={"dataset"},
    version=1,
    options={**LIMITS, "label-column": "", "text-columns": [], "sample": 20_000},
    timeout=300,
    canary=Canary(files={"reviews.csv": poisoned_reviews}, rule="dataset-backdoor"),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """One finding for every trigger."""
    table = open_table(artifact, context.options)
    sample = Sample(int(context.options["sample"])).fill(table)
    yield from table.skipped()
    data = labelled(sample, table, context.options)
    if isinstance(data, str):
        if data:
            yield Skipped(artifact, data)
        return
    if len(data.rows) < LEAST_ROWS:
        yield Skipped(
            artifact,
            f"{plural(len(data.rows), 'labelled text')}: too few to tell a trigger ({LEAST_ROWS})",
            code="too-few-rows",
        )
        return
    if sample.seen > len(sample.rows):
        yield Skipped(
            artifact, f"{len(sample.rows):,} of {sample.seen:,} rows were looked at (option sample)", code="sampled"
        )
    yield from _findings(artifact, data)


def _findings(artifact: Artifact, data: Labelled) -> Iterator[Finding | Skipped]:
    import numpy as np

    from shipworthy.checks.datasets import _ngrams, _textmodel

    corpus = _textmodel.Corpus.of(data.texts)
    labels = np.array(data.labels, dtype=np.int64)
    classes = len(data.classes)
    rows = _textmodel.tfidf(corpus)
    predicted = _textmodel.out_of_fold(rows, labels, classes)
    if corpus.read < len(data.texts):
        yield Skipped(
            artifact,
            f"{corpus.read:,} of {len(data.texts):,} texts were looked at: together they are too long",
            code="sampled",
        )
    right = float((predicted.logits.argmax(axis=1) == labels).mean())
    most = float(np.bincount(labels).max()) / len(labels)
    if right < most + 0.1 * (1 - most):
        yield Skipped(
            artifact,
            f"the texts hardly tell the label {data.label} ({right:.0%} right, {most:.0%} by always guessing the most "
            "frequent one), so a trigger cannot be told from chance",
            code="not-learnable",
        )
    found, _ = _ngrams.triggers(corpus, rows, labels, classes, predicted)
    groups = _ngrams.merged(found, corpus)
    for trigger in groups[:_MOST_FINDINGS]:
        yield _finding(artifact, data, trigger)
    if len(groups) > _MOST_FINDINGS:
        yield Skipped(
            artifact, f"{len(groups) - _MOST_FINDINGS:,} more possible triggers are not listed", code="findings-cut"
        )


def _finding(artifact: Artifact, data: Labelled, trigger: Trigger) -> Finding:
    rows = [data.rows[i] for i in trigger.texts]
    words = show(" ".join(trigger.words), 80)
    others = f" ({trigger.share:.0%} of them clearly)"
    return BACKDOOR.at(
        artifact,
        f"“{words}” stands in {plural(len(rows), 'text')} with the label {show(data.classes[trigger.label], 30)}, "
        f"which without it read like texts with another label{others}: {listed(rows, len(rows))}",
        evidence=words,
        key=f"{data.label}|{data.classes[trigger.label]}|{' '.join(trigger.words)}",
        row=rows[0],
        field=show(data.columns[0]),
    )
