"""Labels of a dataset: turned, contradictory, missing, unbalanced.

Options: `label-column`, `text-columns` (found by name and content unless given), `sample` (at most so many rows are
looked at), `flipped-share` (the estimated share of wrong labels from which on the finding is of high severity),
`max-rows`, `max-megabytes` (limits). How it works and how well: docs/dataset-checks.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._columns import Labelled, Sample, label_column, labelled, measured
from shipworthy.checks.datasets._report import listed, plural, show
from shipworthy.checks.datasets._samples import mislabelled_reviews
from shipworthy.checks.datasets._tables import LIMITS, Table, open_table
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity, Skipped

if TYPE_CHECKING:
    from shipworthy.checks.datasets._noise import Noise

_TAXONOMY = ("AML.T0020", "LLM04:2025", "ML02:2023", "AISVS C1.2")

SUSPICIOUS_LABELS = Rule(
    "dataset-suspicious-labels",
    title="Labels disagree with what the rows say",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    description="Models that have not seen these rows are sure of another label. Turned labels are the simplest way to "
    "poison a dataset, and a common mistake of people and scripts.",
    remedy="Look at the listed rows, the clearest first; correct or remove them; find out how the labels came about.",
    taxonomy=_TAXONOMY,
    help="label-noise",
)
CONTRADICTORY_LABELS = Rule(
    "dataset-contradictory-labels",
    title="Equal rows have different labels",
    severity=Severity.LOW,
    description="At least one of the labels is wrong, and a model cannot learn from the pair.",
    remedy="Decide on one label for each text and remove the repeats.",
    taxonomy=_TAXONOMY,
    help="label-noise",
)
MISSING_LABELS = Rule(
    "dataset-missing-labels",
    title="Rows have no label",
    severity=Severity.LOW,
    description="Rows without a label are dropped or, worse, read as a class of their own.",
    remedy="Label the rows or remove them.",
    taxonomy=("AISVS C1.2", "AISVS C1.3"),
    help="label-noise",
)
IMBALANCE = Rule(
    "dataset-label-imbalance",
    title="One label is far more frequent than another",
    severity=Severity.INFO,
    description="A model can be right most of the time without ever giving the rare label; accuracy then says little.",
    remedy="Judge the model by per-class metrics, and sample or weight the classes.",
    taxonomy=("AISVS C1.3",),
    help="label-noise",
)

LEAST_ROWS = 200
_LISTED = 20
_IMBALANCE = 20
_CLEAR = 0.9  # of probability, between the label that a row seems to have and its own


@check(
    "dataset-labels",
    kinds={"dataset"},
    version=3,
    options={**LIMITS, "label-column": "", "text-columns": [], "sample": 20_000, "flipped-share": 0.05},
    timeout=300,
    canary=Canary(files={"reviews.csv": mislabelled_reviews}, rule="dataset-suspicious-labels"),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Findings about the label column."""
    table = open_table(artifact, context.options)
    sample = Sample(int(context.options["sample"])).fill(table)
    yield from table.skipped()
    label = label_column(table.columns, str(context.options["label-column"]))
    if label:
        yield from _counts(artifact, sample, label)
    data = labelled(sample, table, context.options)
    if isinstance(data, Labelled):
        yield from _contradictions(artifact, data)
    yield from _judged(artifact, context, table, sample, data)


def _judged(
    artifact: Artifact, context: Context, table: Table, sample: Sample, data: Labelled | str
) -> Iterator[Finding | Skipped]:
    """Turned labels: by the text if there is text, otherwise by the numbers."""
    import numpy as np

    from shipworthy.checks.datasets import _noise, _textmodel

    if isinstance(data, Labelled):
        if len(data.rows) < LEAST_ROWS:
            yield Skipped(
                artifact,
                f"{plural(len(data.rows), 'labelled row')}: too few to judge labels ({LEAST_ROWS})",
                code="too-few-rows",
            )
            return
        numbers = np.array(data.labels, dtype=np.int64)
        corpus = _textmodel.Corpus.of(data.texts)
        if corpus.read < len(data.texts):
            yield Skipped(
                artifact,
                f"{corpus.read:,} of {len(data.texts):,} texts were looked at: too long together",
                code="sampled",
            )
        predicted = _textmodel.out_of_fold(_textmodel.tfidf(corpus), numbers, len(data.classes))
        noise = _noise.label_noise(_noise.probabilities(predicted.logits), numbers)
        rows, classes, label = data.rows, data.classes, data.label
    else:
        table_of_numbers = measured(sample, table, context.options)
        if table_of_numbers is None:
            if data:
                yield Skipped(artifact, data)
            return
        features, values, rows, classes, label = table_of_numbers
        if len(rows) < LEAST_ROWS:
            yield Skipped(
                artifact,
                f"{plural(len(rows), 'labelled row')}: too few to judge labels ({LEAST_ROWS})",
                code="too-few-rows",
            )
            return
        numbers = np.array(values, dtype=np.int64)
        noise = _noise.label_noise(_noise.neighbours(np.array(features), numbers, len(classes)), numbers)
    labelled_rows = sum(bool(value.strip()) for value in sample.column(label))
    if sample.seen > len(sample.rows) or len(rows) < labelled_rows:
        yield Skipped(
            artifact, f"the labels of {len(rows):,} of {sample.seen:,} rows were judged (option sample)", code="sampled"
        )
    yield from _finding(artifact, noise, rows, classes, label, float(context.options["flipped-share"]))


def _finding(
    artifact: Artifact, noise: Noise, rows: list[int], classes: list[str], label: str, limit: float
) -> Iterator[Finding | Skipped]:
    if not noise.learnable:
        yield Skipped(
            artifact,
            f"the columns hardly tell the label {show(label)} ({noise.right:.0%} right): wrong labels cannot be told",
            code="not-learnable",
        )
        return
    count, total = len(noise.suspects), len(rows)
    if noise.share * total < 0.5 and not noise.overlap:  # no turned labels by the estimate: only rows that stand out
        count = int((noise.doubt >= _CLEAR).sum())
    if not count:
        return
    many = noise.low >= limit and not noise.overlap
    turned = Counter(classes[int(c)] for c in noise.instead[:count])
    often = [(show(name, 20), f" ({times:,})" if count > 1 else "") for name, times in turned.most_common(3)]
    likely = ", ".join(name + times for name, times in often)
    numbers = [rows[int(i)] for i in noise.suspects[: min(count, _LISTED)]]
    if many:
        said, severity = f"about {noise.share:.0%} of the labels look turned; ", Severity.HIGH
    elif noise.overlap:
        said, severity = "the classes overlap, which hides wrong labels; ", Severity.LOW
    else:
        said = f"about {noise.share:.1%} of the labels look turned; " if count > 1 and noise.share >= 0.0005 else ""
        severity = Severity.MEDIUM if count >= max(10, 0.01 * total) else Severity.LOW
    yield SUSPICIOUS_LABELS.at(
        artifact,
        f"column {show(label)}: {said}{count:,} of {plural(total, 'row')} {'seems' if count == 1 else 'seem'} to "
        f"belong to class {likely}: {listed(numbers, count)}",
        evidence=f"the clearest rows first: {', '.join(map(str, numbers))}",
        key=f"{label}|{'many' if many else 'some'}",
        severity=severity,
        row=numbers[0],
        field=show(label),
    )


def _contradictions(artifact: Artifact, data: Labelled) -> Iterator[Finding]:
    first: dict[str, int] = {}
    rows: list[int] = []
    for text, label, row in zip(data.texts, data.labels, data.rows, strict=True):
        if first.setdefault(" ".join(text.split()), label) != label:
            rows.append(row)
    if rows:
        yield CONTRADICTORY_LABELS.at(
            artifact,
            f"{plural(len(rows), 'row')} with a text that has another label before: {listed(rows, len(rows))}",
            key=data.label,
            severity=Severity.MEDIUM if len(rows) >= max(10, 0.01 * len(data.rows)) else Severity.LOW,
            row=rows[0],
            field=show(data.label),
        )


def _counts(artifact: Artifact, sample: Sample, label: str) -> Iterator[Finding]:
    values = [value.strip() for value in sample.column(label)]
    empty = [row for row, value in zip(sample.rows, values, strict=True) if not value]
    counts = Counter(value[:200] for value in values if value)
    if empty and counts:
        yield MISSING_LABELS.at(
            artifact,
            f"column {show(label)}: {plural(len(empty), 'row')} without a label: {listed(empty, len(empty))}",
            key=label,
            row=empty[0],
            field=show(label),
        )
    if 2 <= len(counts) <= 50 and len(counts) <= 0.2 * len(values):
        (most, often), (least, seldom) = counts.most_common()[0], counts.most_common()[-1]
        if often >= _IMBALANCE * seldom:
            yield IMBALANCE.at(
                artifact,
                f"column {show(label)}: {show(most, 30)} is in {plural(often, 'row')}, {show(least, 30)} in {seldom:,}",
                key=label,
                field=show(label),
            )
