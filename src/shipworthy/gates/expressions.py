"""Rules of a gate, in the Common Expression Language (https://cel.dev), evaluated without access to anything else.

Two functions are added: `metric('accuracy')` gives a map with `value`, `low`, `high` and `n`; `count(condition)` counts
the findings for which the condition holds, over `severity`, `confidence`, `kind`, `rule`, `category`, `check` and
`path`. Severities and confidences compare as words: `severity >= high`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from shipworthy.errors import UsageError
from shipworthy.model import Finding, Metric
from shipworthy.patterns import regex
from shipworthy.records import dataclass

LEVELS = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
_METRIC = regex(r"\bmetric\(\s*(?:'([^'\\]*)'|\"([^\"\\]*)\")\s*\)")
# Evaluation cannot be interrupted, and each nested loop multiplies its time. Words in texts count too: what is a text
# is the parser's to say.
_LOOP = regex(r"\b(?:map|filter|all|exists|exists_one|existsOne)\b(?=(?:\s|//[^\n]*)*\()")
_LIMIT = 4096


@dataclass(frozen=True)
class Expression:
    """One rule, parsed. Raises UsageError when the text is not an expression that can be parsed."""

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > _LIMIT:
            raise UsageError(f"a rule is longer than {_LIMIT} characters", where=self.text[:60])
        if len(_LOOP.findall(self.text)) > 1:
            raise UsageError(
                "a rule may go through one list, not through lists within lists",
                where=self.text[:200],
                remedy="`count(condition)` counts findings; make several rules of it",
            )
        outer, inner = self._split()
        for part in (outer, *inner):
            _compile(part, self.text)

    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that it asks for."""
        return tuple(dict.fromkeys(one or two for one, two in _METRIC.findall(self.text)))

    def holds(self, findings: Iterable[Finding], metrics: Iterable[Metric]) -> tuple[bool, str]:
        """Is it true, and if not (or if it cannot be told, which is no) why."""
        known = {m.name: {"value": m.value, "low": m.low, "high": m.high, "n": m.n} for m in metrics}
        missing = [name for name in self.metrics() if name not in known]
        if missing:
            have = ", ".join(sorted(known)) or "none"
            return False, f"no metric named {', '.join(missing)} was measured (measured: {have})"
        outer, inner = self._split()
        rows = [_row(finding) for finding in findings]
        values: dict[str, object] = {"metrics": known, **LEVELS}
        try:
            for number, condition in enumerate(inner):
                program = _compile(condition, self.text)
                values[f"count_{number}"] = sum(_truth(program.execute({**LEVELS, **row})) for row in rows)
            answer = _truth(_compile(_METRIC.sub(_lookup, outer), self.text).execute(values))
        except Exception as error:
            return False, f"cannot be evaluated: {error}"
        return answer, "" if answer else self._measured(known, values)

    def _measured(self, known: Mapping[str, Mapping[str, float]], values: Mapping[str, object]) -> str:
        told = [
            f"{name} is {m['value']:.4g} [{m['low']:.4g}, {m['high']:.4g}]"
            for name in self.metrics()
            if (m := known[name])
        ]
        told += [f"count is {values[key]}" for key in values if key.startswith("count_")]
        return "; ".join(told) or "is false"

    def _split(self) -> tuple[str, list[str]]:
        """The rule with each `count(...)` replaced by a variable, and the conditions that stood in them."""
        out, text = "", self.text
        inner: list[str] = []
        while match := re.search(r"\bcount\s*\(", text):
            end = _closing(text, match.end())
            if end < 0:
                raise UsageError("a parenthesis of count(...) is not closed", where=self.text)
            out += text[: match.start()] + f"count_{len(inner)}"
            inner.append(text[match.end() : end] or "true")
            text = text[end + 1 :]
        return out + text, inner


def _lookup(match: re.Match[str]) -> str:
    return f"metrics['{match[1] or match[2]}']"


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that was opened before `start` closes; -1 when it does not. Quotes are honoured."""
    depth, quote = 1, ""
    for index in range(start, len(text)):
        char = text[index]
        if quote:
            quote = "" if char == quote and text[index - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return index
    return -1


def _compile(part: str, whole: str):  # type: ignore[no-untyped-def]  # the library is not typed
    import cel

    try:
        return cel.compile(part)
    except ValueError as error:
        found = re.search(r"<input>:\d+:(\d+): (?:Syntax error: )?(?:[a-z ]+ input )?('[^']{1,40}')?", str(error))
        at = f" near character {found[1]}" if found else ""
        what = (
            ": it ends too early"
            if found and found[2] == "'<EOF>'"
            else f", at {found[2]}"
            if found and found[2]
            else ""
        )
        raise UsageError(
            f"this is not an expression (CEL){at}{what}",
            where=whole,
            remedy="see docs/gates.md for examples, such as metric('accuracy').low >= 0.80",
        ) from None


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"is {value!r}, not true or false")
    return value


def _row(finding: Finding) -> dict[str, object]:
    return {
        "severity": LEVELS[finding.severity.value],
        "confidence": LEVELS[finding.confidence.value],
        "kind": finding.artifact.kind.value,
        "rule": finding.rule.id,
        "category": finding.category,
        "check": finding.check,
        "path": finding.artifact.uri,
    }
