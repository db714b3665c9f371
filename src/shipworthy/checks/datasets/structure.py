"""Whether a dataset file is what it says: encoding, header, equal row lengths, one type to a column, no copies.

Options: `max-rows`, `max-megabytes` (limits), `flood` (near-copies of one text from which on it is told), `sample` (at
most so many rows are compared for near-copies).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._columns import label_column
from shipworthy.checks.datasets._facts import Census
from shipworthy.checks.datasets._report import Seen, listed, plural, show
from shipworthy.checks.datasets._tables import LIMITS, Row, Table, as_text, open_table
from shipworthy.model import Artifact, DatasetFacts, Finding, Rule, Severity, Skipped

_TAXONOMY = ("AISVS C1.3",)

MALFORMED = Rule(
    "dataset-malformed",
    title="The dataset file is damaged or ambiguous",
    severity=Severity.MEDIUM,
    description="Two programs that read the file will see different rows: what was checked need not be what is trained "
    "on, and values may have moved into other columns.",
    remedy="Write the file again with a CSV, JSON or Parquet library, in UTF-8, and compare the row count.",
    taxonomy=("CWE-20", *_TAXONOMY),
    help="dataset-structure",
)
EMPTY = Rule(
    "dataset-empty",
    title="The dataset has no rows",
    severity=Severity.MEDIUM,
    description="An empty file passes every other check of its content and trains nothing.",
    remedy="Find out why it is empty (a failed download or export), or remove it.",
    taxonomy=_TAXONOMY,
    help="dataset-structure",
)
HEADER = Rule(
    "dataset-header",
    title="Columns have no name, or two have the same",
    severity=Severity.LOW,
    description="Programs then go by position or keep only one of the columns, and a shifted column is not noticed.",
    remedy="Give every column one name of its own.",
    taxonomy=_TAXONOMY,
    help="dataset-structure",
)
DUPLICATES = Rule(
    "dataset-duplicate-rows",
    title="Rows are repeated",
    severity=Severity.LOW,
    description="Repeated rows weigh more in training, are remembered word for word, and make scores look better when "
    "copies fall on both sides of a split.",
    remedy="Remove the copies before splitting, or say why they belong there.",
    taxonomy=_TAXONOMY,
    help="dataset-structure",
)
NEAR_DUPLICATES = Rule(
    "dataset-near-duplicates",
    title="Many rows are variations of one text",
    severity=Severity.MEDIUM,
    description="A flood of near-copies bends a model toward what they say; it is a cheap way to poison scraped data.",
    remedy="Read some of the rows; keep one of them unless the repetition is meant.",
    taxonomy=("AML.T0020", "LLM04:2025", "ML02:2023"),
    help="data-poisoning",
)
MIXED_TYPES = Rule(
    "dataset-mixed-types",
    title="A column mixes numbers and text",
    severity=Severity.LOW,
    description="A few texts turn a whole column of numbers into text, or become missing values without a word.",
    remedy="Correct the cells, or use an empty cell for a missing value.",
    taxonomy=_TAXONOMY,
    help="dataset-structure",
)
CONSTANT = Rule(
    "dataset-constant-column",
    title="A column says the same in every row",
    severity=Severity.INFO,
    description="It teaches a model nothing, and is often the sign of a failed join or export.",
    remedy="Drop the column, or find out why it does not vary.",
    taxonomy=_TAXONOMY,
    help="dataset-structure",
)

_PROBLEMS = {
    "encoding": "bytes that are not text in its encoding, in {count} (read as Latin-1 or replaced): first {where}",
    "nul": "NUL characters in {count}: first {where}",
    "long-line": "lines longer than a mebibyte: {where}",
    "long-cell": "cells longer than a mebibyte: {where}",
    "ragged": "{count} with more or fewer cells than there are columns: {where}",
    "unbalanced-quote": "a quote that is never closed in {count}: {where}",
    "json": "{count} of invalid JSON: {where}",
    "deep": "values nested deeper than 32 levels in {count}: {where}",
    "parquet": "it is not valid Parquet",
}
_BY_LINE = frozenset({"encoding", "nul", "long-line"})
_SHARE_OF_MIXED = 0.1
_MOST_CONSTANT = 5  # more are told as one


@check(
    "dataset-structure",
    kinds={"dataset"},
    version=3,
    options={**LIMITS, "flood": 30, "sample": 20_000},
    timeout=300,
    canary=Canary(
        files={"broken.csv": b"id,name\n1,Ann\n2,B\xe9a,extra\n3\n4,\x00Dora\n"},
        rule="dataset-malformed",
    ),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped | DatasetFacts]:
    """What the file is as a table, and findings about it."""
    table = open_table(artifact, context.options)
    census = Census()
    copies = _Copies(int(context.options["sample"]))
    for row in table:
        census.add(row)
        copies.add(row)
    if table.format:
        yield census.facts(table)
    yield from table.skipped()
    yield from _problems(artifact, table)
    if not table.rows and not table.unread:
        yield EMPTY.at(artifact, f"no rows ({plural(artifact.size, 'byte')})")
    yield from _header(artifact, table)
    yield from _columns(artifact, table, census)
    if copies.exact.count:
        share = copies.exact.count / table.rows
        yield DUPLICATES.at(
            artifact,
            f"{plural(copies.exact.count, 'row')} of {table.rows:,} ({share:.1%}) are copies: {copies.exact.where()}",
            key="duplicates",
            severity=Severity.MEDIUM if share >= 0.2 and copies.exact.count >= 20 else Severity.LOW,
            row=copies.exact.rows[0],
        )
    yield from _flood(artifact, copies, int(context.options["flood"]))


class _Copies:
    """Exact copies of all rows, and different texts to compare for near-copies."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.exact = Seen()
        self.digests: set[bytes] = set()
        self.texts: list[str] = []
        self.rows: list[int] = []
        self.left = 0

    def add(self, row: Row) -> None:
        parts = [value if isinstance(value, str) else as_text(value) for value in row.values]
        digest = blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        if digest in self.digests:
            self.exact.add(row.number, "")
            return
        self.digests.add(digest)
        text = max([value for value in row.values if isinstance(value, str)], key=len, default="")
        if len(text) < 40:
            return
        if len(self.texts) < self.most:
            self.texts.append(text[:5000])
            self.rows.append(row.number)
        else:
            self.left += 1


def _flood(artifact: Artifact, copies: _Copies, least: int) -> Iterator[Finding | Skipped]:
    from shipworthy.checks.datasets._neardup import flood

    if copies.left:
        yield Skipped(
            artifact, f"{copies.left:,} rows were not compared for near-copies (option sample)", code="sampled"
        )
    least = max(least, len(copies.texts) // 200)
    groups = [group for group in flood(copies.texts) if len(group) >= least] if len(copies.texts) >= least else []
    for group in groups[:5]:
        rows = [copies.rows[i] for i in group]
        yield NEAR_DUPLICATES.at(
            artifact,
            f"{plural(len(rows), 'row')} are variations of one text: {listed(rows, len(rows))}",
            key=f"near-duplicates|{rows[0]}",
            row=rows[0],
        )


def _problems(artifact: Artifact, table: Table) -> Iterator[Finding]:
    for kind, seen in table.problems.items():
        unit = "line" if kind in _BY_LINE else "row"
        where = listed(seen.rows, seen.count).replace("row", unit)
        yield MALFORMED.at(
            artifact,
            _PROBLEMS[kind].format(count=plural(seen.count, unit), where=where),
            key=kind,
            row=seen.rows[0] if unit == "row" else None,
            line=seen.rows[0] if unit == "line" else None,
        )


def _header(artifact: Artifact, table: Table) -> Iterator[Finding]:
    if not table.header and table.rows:
        yield HEADER.at(artifact, "the first row does not look like column names", key="no header", line=1)
    named = [name.strip() for name in table.columns] if table.header and table.format in ("csv", "tsv") else []
    twice = [name for name, count in Counter(name for name in named if name).items() if count > 1]
    if twice:
        names = ", ".join(show(name, 30) for name in twice[:5])
        yield HEADER.at(
            artifact, f"names that two columns have: {names}", key="duplicate", severity=Severity.MEDIUM, line=1
        )
    if named.count("") > 1:
        yield HEADER.at(artifact, f"{named.count('')} columns have no name", key="unnamed", line=1)


def _columns(artifact: Artifact, table: Table, census: Census) -> Iterator[Finding]:
    label = label_column(table.columns)
    constant: list[str] = []
    for name, counts in census.columns.items():
        total = counts.types.total()
        kind, often = counts.types.most_common(1)[0] if total else ("", 0)
        other = total - often
        if kind == "number" and 0 < other <= max(1, _SHARE_OF_MIXED * total) and total >= 10:
            rows = sorted(row for k, found in counts.rows_of_type.items() if k != kind for row in found)
            yield MIXED_TYPES.at(
                artifact,
                f"column {show(name)}: {plural(other, 'cell')} among {often:,} numbers is text: {listed(rows, other)}",
                key=name,
                row=rows[0],
                field=show(name),
            )
        if len(counts.values) == 1 and not counts.more and total >= 10 and name != label and total >= 0.5 * table.rows:
            constant.append(name)
    if len(constant) > _MOST_CONSTANT:  # such as the dark margins of images
        some = ", ".join(show(name, 30) for name in constant[:5])
        yield CONSTANT.at(artifact, f"{len(constant)} columns, such as {some}", key="many")
    else:
        yield from (CONSTANT.at(artifact, f"column {show(name)}", key=name, field=show(name)) for name in constant)
