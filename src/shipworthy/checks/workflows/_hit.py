"""What the detectors of workflows see, and how it becomes findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shipworthy.check import Skipped
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.records import dataclass

MOST = 500


@dataclass(frozen=True)
class Hit:
    """A rule at a line. `key` says what it is about in words that stay when lines move."""

    rule: Rule
    line: int
    message: str
    key: str
    severity: Severity | None = None
    confidence: Confidence | None = None


def findings(artifact: Artifact, hits: Iterable[Hit]) -> Iterator[Finding | Skipped]:
    """The findings of one file in the order of its lines, each once."""
    found = sorted(dict.fromkeys(hits), key=lambda hit: (hit.line, hit.rule.id, hit.key))
    if len(found) > MOST:
        yield Skipped(artifact, f"only the first {MOST} of {len(found):,} findings are reported", code="findings-cut")
    for hit in found[:MOST]:
        yield hit.rule.at(
            artifact, hit.message, key=hit.key, line=hit.line, severity=hit.severity, confidence=hit.confidence
        )
