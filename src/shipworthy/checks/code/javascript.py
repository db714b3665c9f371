"""Weaknesses in JavaScript and TypeScript: what a request reaches, broken cryptography, protections that are off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.code import _js_calls, _js_values
from shipworthy.checks.code._js_names import Names, TooIntricate
from shipworthy.checks.code._js_rules import RULES
from shipworthy.checks.code._js_tokens import tokens
from shipworthy.checks.code._source import in_tests
from shipworthy.model import Artifact, Finding, Severity

__all__ = ["RULES", "scan"]

SIZE_LIMIT = 1_000_000
TOKENS_LIMIT = 200_000
MOST = 1_000
_SUFFIXES = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts", ".cts")
_CANARY = b"const { exec } = require('child_process');\napp.get('/', (req, res) => exec(`ls ${req.query.dir}`));\n"


def looks_javascript(artifact: Artifact) -> bool:
    """Whether it is JavaScript or TypeScript, by its name."""
    return artifact.uri.lower().endswith(_SUFFIXES) and not artifact.uri.lower().endswith(".d.ts")


@check(
    "javascript-security",
    kinds={"code"},
    version=1,
    accepts=looks_javascript,
    canary=Canary(files={"app.js": _CANARY}, rule="javascript-command"),
    timeout=120.0,
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one file. What it cannot see: other files, and what a function does with its parameters."""
    data = artifact.read_bytes(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        yield Skipped(artifact, f"the file is larger than {SIZE_LIMIT:,} bytes")
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Skipped(artifact, "the file is not UTF-8 text")
        return
    plain = PurePosixPath(artifact.uri).suffix.lower() in (".ts", ".mts", ".cts")
    found = tokens(text, jsx=not plain)
    if len(found) > TOKENS_LIMIT:
        yield Skipped(artifact, f"the file has more than {TOKENS_LIMIT:,} tokens")
        return
    try:
        names = Names(found)
        hits = sorted({*_js_calls.detect(names), *_js_values.detect(names)}, key=lambda hit: (hit[1], hit[2], hit[0]))
    except TooIntricate:
        yield Skipped(artifact, "the file's values refer to one another in more ways than are followed")
        return
    if len(hits) > MOST:
        yield Skipped(artifact, f"only the first {MOST:,} of {len(hits):,} findings are reported", code="findings-cut")
    tested = (
        in_tests(artifact.uri) or ".test." in artifact.uri or ".spec." in artifact.uri or "__tests__" in artifact.uri
    )
    for name, line, column, what, severity, confidence in hits[:MOST]:
        rule = RULES[name]
        level = severity or rule.severity
        yield rule.at(
            artifact,
            f"{rule.title}: {what}" if what else rule.title,
            key=f"{name} {what}",
            line=line,
            column=column,
            severity=list(Severity)[max(0, level.rank - 1)] if tested else level,
            confidence=confidence,
        )
