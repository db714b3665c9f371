"""Python that loads models unsafely, runs code that it did not pin, or trusts a model's output."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.code import _ml_loads, _ml_uses
from shipworthy.checks.code._flow import Flow, scopes
from shipworthy.checks.code._ml_loads import Hit
from shipworthy.checks.code._ml_rules import RULES
from shipworthy.checks.code._names import Names
from shipworthy.checks.code._source import Source, Unreadable, load, looks_python, lowered, sketch, without_strings
from shipworthy.model import Artifact, Finding, Kind

__all__ = ["RULES", "scan"]

MOST = 2_000
LINE_END = re.compile(r"\r\n|\r|\n")  # what Python's parser takes for one; str.splitlines knows more
_CANARY = b"import torch as t\n\n\ndef read(path):\n    return t.load(path, weights_only=False)\n"


@check(
    "python-ml",
    kinds={"code", "notebook"},
    version=2,
    canary=Canary(files={"load.py": _CANARY}, rule="torch-load-unsafe"),
    accepts=lambda artifact: artifact.kind is Kind.NOTEBOOK or looks_python(artifact),
    timeout=120.0,
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one Python file or notebook."""
    try:
        source = load(artifact)
        names = Names(ast.walk(source.tree))
        hits = list(find(source, names))
    except Unreadable as error:
        yield Skipped(artifact, f"the file {error}")
        return
    except (RecursionError, MemoryError):
        yield Skipped(artifact, "the file is nested too deeply to be read")
        return
    for problem in source.problems[:5]:
        yield Skipped(artifact, problem)
    if len(source.problems) > 5:
        yield Skipped(artifact, f"{len(source.problems) - 5} more cells could not be read")
    lines = LINE_END.split(source.text)
    if len(hits) > MOST:
        yield Skipped(artifact, f"only the first {MOST:,} of {len(hits):,} findings are reported", code="findings-cut")
    for hit in hits[:MOST]:
        line = getattr(hit.node, "lineno", 1)
        if isinstance(hit.node, ast.Call):
            evidence = sketch(hit.node, names.call(hit.node).name.lstrip("*.") or "call", hit.shown)
        else:
            evidence = without_strings(lines[line - 1]) if line <= len(lines) else ""
        yield hit.rule.at(
            artifact,
            hit.message,
            evidence=evidence,
            severity=lowered(hit.severity or hit.rule.severity, artifact.uri),
            confidence=hit.confidence,
            location=source.at(line),
        )


def find(source: Source, names: Names) -> Iterator[Hit]:
    """What the detectors see, in the order of the lines."""
    flow = Flow(names)
    seen: set[tuple[str, int, int]] = set()
    hits: list[Hit] = []
    parts = list(scopes(source.tree))
    for _ in range(2):  # a method may use the attribute that a later one sets
        for scope in parts:
            flow.learn(scope)
    for scope in parts:
        for node in scope.nodes:
            if isinstance(node, ast.Call):
                call = names.call(node)
                hits += _ml_loads.detect(call, names, flow, scope)
                hits += _ml_uses.detect(call, names, flow, scope)
            elif isinstance(node, ast.Assign):
                hits += _ml_uses.detect_assignment(node, names)
    for hit in sorted(hits, key=lambda h: (getattr(h.node, "lineno", 0), getattr(h.node, "col_offset", 0), h.rule.id)):
        place = (hit.rule.id, getattr(hit.node, "lineno", 0), getattr(hit.node, "col_offset", 0))
        if place not in seen:
            seen.add(place)
            yield hit
