"""Passwords, tokens and keys in the sources and the outputs of notebook cells.

Outputs are where they hide: a printed configuration, a traceback with its arguments, a request's headers.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.notebooks._cells import Notebook, texts
from shipworthy.checks.notebooks._read import load
from shipworthy.checks.secrets._engine import Hit, Scanned, Source, finding, scan
from shipworthy.checks.secrets._kingfisher import KINGFISHER
from shipworthy.checks.secrets._rules import (
    CLOUD_KEY,
    CLOUD_KEY_ID,
    CONNECTION_STRING,
    GENERIC,
    PASSWORD,
    PRIVATE_KEY,
    TOKEN,
)
from shipworthy.checks.secrets.files import sample_token
from shipworthy.model import Artifact, Finding

RULES = (CLOUD_KEY, CLOUD_KEY_ID, TOKEN, PRIVATE_KEY, PASSWORD, CONNECTION_STRING, GENERIC)
INPUT, OUTPUT, METADATA = "INPUT", "OUTPUT", "METADATA"
_IN = {INPUT: "the source", OUTPUT: "an output", METADATA: "the metadata"}


def _sample() -> bytes:
    output = {"output_type": "stream", "name": "stdout", "text": [sample_token().decode()]}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": ["show()"], "outputs": [output]}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


@dataclass(frozen=True)
class _Text:
    """The texts of one notebook one below the other: `starts[i]` is the first line of `places[i]`, a cell (None: the
    notebook itself) and which part of it."""

    artifact: Artifact
    starts: tuple[int, ...]
    places: tuple[tuple[int | None, str], ...]


@check(
    "notebook-secrets",
    kinds={"notebook"},
    scope="batch",
    version=2,
    needs=(KINGFISHER,),
    canary=Canary(files={"a.ipynb": _sample}, rule=TOKEN.id),
    timeout=600.0,
)
def run(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings with the cell, whether they are in its source or an output, and the line therein."""
    unread: list[Skipped] = []

    def sources() -> Iterator[tuple[_Text, Source]]:
        for artifact in artifacts:
            notebook = load(artifact)
            if isinstance(notebook, Skipped):
                unread.append(notebook)
                continue
            for suffix, parts in (
                (".py", [(cell.number, INPUT, cell.source) for cell in notebook.cells if cell.is_code]),
                (".txt", list(_rest(notebook))),
            ):
                yield _laid_out(artifact, parts, suffix)

    for scanned in scan(sources(), context.tools):
        yield from _findings(scanned)
        if scanned.more:
            yield Skipped(
                scanned.tag.artifact, f"it holds {scanned.more} more secrets than are listed", code="findings-cut"
            )
    yield from unread


def _rest(notebook: Notebook) -> Iterator[tuple[int | None, str, str]]:
    for cell in notebook.cells:
        if not cell.is_code:
            yield cell.number, INPUT, cell.source
        for output in cell.outputs:
            yield cell.number, OUTPUT, output.text
        for held in (cell.metadata, cell.attachments):
            for _, text in texts(dict(held)):
                yield cell.number, METADATA, text
    for _, text in texts(dict(notebook.metadata)):
        yield None, METADATA, text


def _laid_out(
    artifact: Artifact, parts: list[tuple[int | None, str, str]] | list[tuple[int, str, str]], suffix: str
) -> tuple[_Text, Source]:
    lines, starts, places, pieces = 1, [], [], []
    for number, part, text in parts:
        starts.append(lines)
        places.append((number, part))
        # A blank line between: nothing may be read across two texts.
        pieces.append(text + "\n\n")
        lines += pieces[-1].count("\n")
    # Python's JSON lets lone surrogates through, which are no UTF-8.
    data = "".join(pieces).encode("utf-8", "replace")
    return _Text(artifact, tuple(starts), tuple(places)), Source(data, suffix)


def _findings(scanned: Scanned[_Text]) -> Iterator[Finding]:
    where = scanned.tag
    seen: set[tuple[int | None, str, str, bytes]] = set()
    for hit in scanned.hits:
        index = bisect_right(where.starts, hit.line) - 1
        cell, part = where.places[index]
        # The same output is often kept as plain text and as HTML.
        if (cell, part, hit.pattern, hit.secret) not in seen:
            seen.add((cell, part, hit.pattern, hit.secret))
            yield _finding(where.artifact, hit, cell, part, hit.line - where.starts[index] + 1)


def _finding(artifact: Artifact, hit: Hit, cell: int | None, part: str, line: int) -> Finding:
    of = f" of cell {cell}" if cell is not None else " of the notebook"
    place = {"line": line, "column": hit.column} if part == INPUT else {"field": part}
    return finding(hit, artifact, where=f" in {_IN[part]}{of}", key=f"{part}:", cell=cell, **place)
