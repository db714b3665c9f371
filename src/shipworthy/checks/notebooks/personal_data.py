"""Personal data in the saved outputs of notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks import _personal_data
from shipworthy.checks.notebooks._cells import Cell
from shipworthy.checks.notebooks._read import load
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity

PERSONAL = Rule(
    "notebook-personal-data",
    title="Personal data in a saved output",
    severity=Severity.MEDIUM,
    description="A table that was printed once is in every copy of the notebook: data that people gave for one purpose "
    "goes wherever the code goes, without the protection of the place it came from.",
    remedy="Clear the outputs and purge them from the version history; show aggregates or invented rows instead.",
    taxonomy=("CWE-200", "CWE-532"),
    confidence=Confidence.MEDIUM,
    help="personal-data-in-notebooks",
)
_NAMES = {
    "email": "e-mail address",
    "card": "payment card number",
    "ssn": "US social security number",
    "iban": "bank account number",
    "phone": "phone number",
}
_SEVERE = frozenset({"card", "ssn", "iban"})


def _sample() -> bytes:
    number = " ".join(["4539", "5787", "6362", "1486"])  # Luhn holds; nobody's
    output = {"output_type": "stream", "name": "stdout", "text": [f"card {number}\n"]}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": ["df"], "outputs": [output]}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


@check(
    "notebook-personal-data", kinds={"notebook"}, version=2, canary=Canary(files={"a.ipynb": _sample}, rule=PERSONAL.id)
)
def run(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """One finding per cell and kind of data, with how many there are."""
    notebook = load(artifact)
    if isinstance(notebook, Skipped):
        yield notebook
        return
    for cell in notebook.cells:
        yield from _cell(artifact, cell)


def _cell(artifact: Artifact, cell: Cell) -> Iterator[Finding]:
    found: dict[str, dict[str, str]] = {}
    for output in cell.outputs:
        for match in _personal_data.find(output.text):
            # Counted once each: the same table is kept as plain text and as HTML.
            found.setdefault(match.kind, {}).setdefault(output.text[match.start : match.end], match.redacted)
    for kind, values in found.items():
        count = len(values)
        yield PERSONAL.at(
            artifact,
            f"the outputs of the cell hold {count} {_NAMES[kind]}{'es' if kind == 'email' else 's'}"
            if count > 1
            else f"the outputs of the cell hold one {_NAMES[kind]}",
            evidence=next(iter(values.values())),
            key=f"{kind}: {count}",
            cell=cell.number,
            severity=Severity.HIGH if kind in _SEVERE else Severity.LOW if count == 1 else None,
        )
