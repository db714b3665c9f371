"""Notebooks that cannot be read, hide what they run, or carry active content."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from itertools import pairwise

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.notebooks._cells import Cell, Notebook
from shipworthy.checks.notebooks._read import load
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity

UNREADABLE = Rule(
    "notebook-unreadable",
    title="A notebook that cannot be read",
    severity=Severity.MEDIUM,
    description="Nobody can review what cannot be read, and no check has looked into it. It may be cut off, far too "
    "large, or made to break readers.",
    remedy="Open it in Jupyter, clear large outputs and save it again; remove it if it is not a notebook.",
    taxonomy=("CWE-20",),
    help="notebook-hygiene",
)
INVALID = Rule(
    "notebook-invalid",
    title="A notebook that does not follow its format",
    severity=Severity.LOW,
    description="Programs that read notebooks may see different things in it: what one shows in review, another hides.",
    remedy="Save it again with a current version of Jupyter (nbformat 4), or repair it by hand.",
    taxonomy=("CWE-20",),
    help="notebook-hygiene",
)
HIDDEN = Rule(
    "notebook-hidden-code",
    title="A code cell whose source is hidden",
    severity=Severity.LOW,
    description="The cell runs with the others, but a reader does not see its source unless they open it.",
    remedy="Show the source, or move the code into a module that is reviewed.",
    taxonomy=("CWE-506",),
    confidence=Confidence.MEDIUM,
    help="notebook-hygiene",
)
ORDER = Rule(
    "notebook-execution-order",
    title="The outputs do not come from one run from top to bottom",
    severity=Severity.INFO,
    description="The results shown may not be what the code as it stands gives: they cannot be relied on as evidence.",
    remedy="Restart the kernel, run all cells, and save.",
    taxonomy=("CWE-345",),
    help="notebook-reproducibility",
)
ACTIVE = Rule(
    "notebook-active-output",
    title="Saved output that runs in the reader's browser",
    severity=Severity.MEDIUM,
    description="Scripts and frames in saved output run when a trusted notebook is opened, with the rights of the "
    "reader's Jupyter session, and in viewers that do not sanitise them.",
    remedy="Clear the outputs before committing (for example with nbstripout), and publish charts as pictures.",
    taxonomy=("CWE-79",),
    confidence=Confidence.MEDIUM,
    help="notebook-active-content",
)
ATTACHED = Rule(
    "notebook-executable-attachment",
    title="A program or archive inside of a notebook",
    severity=Severity.HIGH,
    description="An attachment or picture that is in truth a program, a pickle or an archive gets code past a review.",
    remedy="Remove it, and find out who put it there.",
    taxonomy=("CWE-506", "CWE-434"),
    help="notebook-active-content",
)
TRUSTED = Rule(
    "notebook-trusted-metadata",
    title="A notebook that declares itself trusted",
    severity=Severity.LOW,
    description="Trust is for the reader to give. Some viewers have run the active output of notebooks that say so.",
    remedy="Remove `trusted` and `signature` from the metadata.",
    taxonomy=("CWE-345",),
    help="notebook-active-content",
)
RULES = (UNREADABLE, INVALID, HIDDEN, ORDER, ACTIVE, ATTACHED, TRUSTED)

_HIDING_TAGS = frozenset({"hide-input", "hide_input", "remove-input", "remove_input", "remove-cell", "remove_cell"})
_MARKUP = re.compile(
    r"<(?P<tag>script|iframe|object|embed|applet|frame)\b"
    r"|<[a-z][^<>]{0,2000}?[\s/\"'](?P<event>on[a-z]{3,20})\s{0,9}="
    r"|[\"'(=]\s{0,9}(?P<url>javascript|vbscript)\s{0,9}:",
    re.IGNORECASE,
)
_ACTIVE_TYPES = frozenset({"application/javascript", "text/javascript", "javascript"})
_MARKUP_TYPES = frozenset({"text/html", "html", "image/svg+xml", "svg", "text/markdown", "application/xhtml+xml"})
_MAGIC_BYTES = (
    (b"\x7fELF", "a program (ELF)"),
    (b"MZ", "a program (Windows)"),
    (b"\xcf\xfa\xed\xfe", "a program (macOS)"),
    (b"\xfe\xed\xfa\xcf", "a program (macOS)"),
    (b"\xca\xfe\xba\xbe", "a program (macOS or Java)"),
    (b"#!", "a script"),
    (b"PK\x03\x04", "an archive (zip)"),
    (b"\x1f\x8b", "an archive (gzip)"),
    (b"\x80\x04\x95", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x05\x95", "a pickle"),
)


def _sample() -> bytes:
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": ["<scr", "ipt>run()</script>"]}}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": ["1"], "outputs": [output]}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


@check("notebook-structure", kinds={"notebook"}, version=1, canary=Canary(files={"a.ipynb": _sample}, rule=ACTIVE.id))
def run(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings about one notebook."""
    notebook = load(artifact)
    if isinstance(notebook, Skipped):
        yield UNREADABLE.at(artifact, f"the notebook cannot be read: {notebook.reason}", key="unreadable")
        yield notebook
        return
    if notebook.problems:
        listed = "; ".join(notebook.problems[:5]) + ("; …" if len(notebook.problems) > 5 else "")
        yield INVALID.at(artifact, f"{len(notebook.problems)} problems: {listed}", key="invalid")
    if notebook.metadata.get("trusted") or notebook.metadata.get("signature"):
        yield TRUSTED.at(artifact, key="notebook")
    yield from _order(artifact, notebook)
    for cell in notebook.cells:
        yield from _cell(artifact, cell)


def _order(artifact: Artifact, notebook: Notebook) -> Iterator[Finding]:
    cells = [cell for cell in notebook.cells if cell.is_code and cell.source.strip()]
    counts = [cell.execution_count for cell in cells if cell.execution_count is not None]
    if any(later <= earlier for earlier, later in pairwise(counts)):
        yield ORDER.at(artifact, "the cells were run in another order than they stand in", key="order")
    elif counts and len(counts) < len(cells):
        yield ORDER.at(artifact, f"{len(cells) - len(counts)} of {len(cells)} code cells were not run", key="missing")


def _cell(artifact: Artifact, cell: Cell) -> Iterator[Finding]:
    if cell.is_code and cell.source.strip() and (how := _hidden(cell)):
        yield HIDDEN.at(artifact, f"the source of the cell is hidden ({how})", cell=cell.number, key=how)
    if cell.metadata.get("trusted"):
        yield TRUSTED.at(artifact, "the cell declares itself trusted", cell=cell.number, key="cell")
    seen: set[str] = set()
    for output in cell.outputs:
        for what in _active(output.mime, output.text):
            if what not in seen:
                seen.add(what)
                yield ACTIVE.at(artifact, f"the output holds {what}", cell=cell.number, key=what)
    if cell.kind in {"markdown", "html"}:
        for what in _active("text/markdown", cell.source):
            if what not in seen:
                seen.add(what)
                yield ACTIVE.at(artifact, f"the text holds {what}", cell=cell.number, key=f"text: {what}")
    for mime, what in dict.fromkeys((mime, _program(text)) for mime, text in cell.binaries):
        if what:
            yield ATTACHED.at(artifact, f"what is kept as {mime[:40]} is {what}", cell=cell.number, key=what)


def _hidden(cell: Cell) -> str:
    metadata = cell.metadata
    jupyter = metadata.get("jupyter")
    if isinstance(jupyter, dict) and jupyter.get("source_hidden") is True:
        return "source_hidden"
    if metadata.get("hide_input") is True or metadata.get("hidden") is True:
        return "hide_input" if metadata.get("hide_input") is True else "hidden"
    if metadata.get("inputHidden") is True or metadata.get("cellView") == "form":
        return "inputHidden" if metadata.get("inputHidden") is True else "cellView"
    tags = metadata.get("tags")
    found = [tag for tag in tags if isinstance(tag, str) and tag in _HIDING_TAGS] if isinstance(tags, list) else []
    return found[0] if found else ""


def _active(mime: str, text: str) -> Iterator[str]:
    if mime in _ACTIVE_TYPES:
        yield "a script"
    elif mime in _MARKUP_TYPES:
        for found in _MARKUP.finditer(text):
            if found["tag"]:
                yield f"<{found['tag'].lower()}>"
            elif found["event"]:
                yield f"an event handler ({found['event'].lower()})"
            else:
                yield f"a {found['url'].lower()}: address"


def _program(text: str) -> str:
    try:
        head = base64.b64decode("".join(text[:200].split())[:64], validate=False)
    except (binascii.Error, ValueError):
        return ""
    return next((what for magic, what in _MAGIC_BYTES if head.startswith(magic)), "")
