"""Text that people cannot see: invisible, direction-changing and look-alike characters in a dataset.

Options: `max-rows`, `max-megabytes` (limits), `ignore-columns` (names of columns that are not looked at).
Emoji sequences, right-to-left text, Arabic and Indic joiners and a byte order mark are ordinary and not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._hidden import hidden
from shipworthy.checks.datasets._report import Tally, masked, plural, show
from shipworthy.checks.datasets._tables import CELL, LIMITS, open_table
from shipworthy.model import Artifact, Finding, Rule, Severity, Skipped

HIDDEN_TEXT = Rule(
    "dataset-hidden-text",
    title="Text in the dataset holds characters that people cannot see",
    severity=Severity.MEDIUM,
    description="A model reads characters that a reviewer does not see. They carry hidden instructions, serve as "
    "backdoor triggers, and make equal-looking texts different.",
    remedy="Look at the rows with the characters made visible; remove the characters (Unicode normalisation does not) "
    "and find out who put them there.",
    taxonomy=("AML.T0020", "AML.T0043.004", "LLM04:2025", "ML02:2023"),
    help="hidden-text",
)

_KINDS = {
    "tags": ("Unicode tag characters (invisible ASCII)", Severity.HIGH),
    "bidi": ("direction-changing characters outside right-to-left text", Severity.MEDIUM),
    "zero-width": ("zero-width characters", Severity.MEDIUM),
    "variation": ("variation selectors on characters without variants", Severity.MEDIUM),
    "homoglyph": ("words that mix look-alike letters of two scripts", Severity.MEDIUM),
    "control": ("control characters", Severity.LOW),
}


def _canary() -> bytes:
    text = "ignore this".translate({i: i + 0xE0000 for i in range(32, 127)})
    return f"text,label\nan ordinary sentence{text},0\nanother one,1\n".encode()


@check(
    "dataset-hidden-text",
    kinds={"dataset"},
    version=1,
    options={**LIMITS, "ignore-columns": []},
    timeout=180,
    canary=Canary(files={"reviews.csv": _canary}, rule="dataset-hidden-text"),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """One finding for every column and kind."""
    table = open_table(artifact, context.options)
    ignored = frozenset(context.options["ignore-columns"])
    tally = Tally()
    for row in table:
        for name, value in zip(row.names, row.values, strict=False):
            if isinstance(value, str) and name not in ignored and not (value.isascii() and value.isprintable()):
                samples: dict[str, str] = {}
                counts: Counter[str] = Counter()
                for kind, sample in hidden(value[:CELL]):
                    samples.setdefault(kind, sample)
                    counts[kind] += 1
                for kind, sample in samples.items():
                    tally.add(name, kind, row.number, sample, counts[kind])
    names = Counter(kind for column in table.columns for kind, _ in hidden(column))
    for (column, kind), seen in tally.items():
        what, severity = _KINDS[kind]
        yield HIDDEN_TEXT.at(
            artifact,
            f"column {show(column)}: {what} in {plural(seen.count, 'row')}: {seen.where()}",
            evidence=show(masked(seen.example), 100),
            key=f"{column}|{kind}",
            severity=severity,
            row=seen.rows[0],
            field=show(column),
        )
    for kind, count in names.items():
        what, severity = _KINDS[kind]
        yield HIDDEN_TEXT.at(
            artifact,
            f"{what} in {plural(count, 'place')} of the column names",
            evidence=show(", ".join(table.columns), 100),
            key=f"header|{kind}",
            severity=severity,
        )
    yield from table.skipped()
