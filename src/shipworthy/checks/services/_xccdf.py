"""Results of XCCDF 1.1 and 1.2, alone or in an ARF file. (NIST IR 7275 r4, 6.6; NIST SP 800-126.)"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import BinaryIO
from xml.etree import ElementTree

from shipworthy.records import dataclass, field

LARGEST = 200_000_000  # bytes
_RESULTS = frozenset("pass fail error unknown notapplicable notchecked notselected informational fixed".split())
_MOST = 5_000


class NotXccdf(Exception):
    """The file is cut short, or something else."""


@dataclass(frozen=True)
class RuleResult:
    """What became of a rule: its id, its severity as the content has it, its result."""

    rule: str
    severity: str
    result: str


@dataclass(frozen=True)
class TestResult:
    """The results of a file; `counts` by result, `failed` those that did not pass, `benchmark` the content's name."""

    failed: tuple[RuleResult, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    ended: bool = False

    @property
    def judged(self) -> int:
        """Rules that were really looked at."""
        return sum(self.counts.get(name, 0) for name in ("pass", "fail", "fixed"))

    @property
    def unjudged(self) -> int:
        """Rules that were to be looked at, and were not."""
        return sum(self.counts.get(name, 0) for name in ("error", "unknown", "notchecked"))


def read_results(stream: BinaryIO) -> TestResult:
    """The results in a file, read as a stream: memory is bounded by one element. Raises NotXccdf."""
    counts: Counter[str] = Counter()
    failed: list[RuleResult] = []
    ended = False
    try:
        for _, element in ElementTree.iterparse(_Bounded(stream)):  # noqa: S314
            space, _, name = element.tag.rpartition("}")
            if name == "TestResult" and "xccdf" in space:
                ended = ended or bool(element.get("end-time"))
            if name == "rule-result" and "xccdf" in space:
                found = next((child.text or "" for child in element if child.tag.endswith("}result")), "").strip()
                counts[found if found in _RESULTS else "unknown"] += 1
                if found == "fail" and len(failed) < _MOST:
                    severity = element.get("severity", "unknown")
                    failed.append(RuleResult(element.get("idref", "")[:300], severity, found))
            if name not in ("result", "rule-result", "TestResult"):
                element.clear()
    except (ElementTree.ParseError, ValueError):
        raise NotXccdf("the report is cut short, too large or not XML") from None
    if not counts:
        raise NotXccdf("the report holds no result of a rule")
    return TestResult(tuple(failed), dict(counts), ended)


class _Bounded:
    """A stream that refuses what declares entities, and what is too large."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left, self._last = stream, LARGEST, b""

    def read(self, size: int = 65_536) -> bytes:
        data = self._stream.read(min(size if size > 0 else 65_536, 65_536))
        self._left -= len(data)
        if self._left < 0 or b"<!ENTITY" in self._last + data:
            raise ValueError("too large, or with entities")
        self._last = data[-16:]
        return data
