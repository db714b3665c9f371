"""What every format needs to know of a run, computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from shipworthy.model import (
    Artifact,
    CheckResult,
    Disposition,
    Finding,
    Metric,
    Outcome,
    Reason,
    Rule,
    Run,
    Severity,
    StageResult,
    Status,
)
from shipworthy.model.result import BY_REPORT
from shipworthy.patterns import regex
from shipworthy.records import dataclass
from shipworthy.reports._text import number, one_line

SEVERITIES = tuple(sorted(Severity, reverse=True))

STATUS_WORDS: Mapping[Status, str] = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "error",
    Status.SKIPPED: "not run",
    Status.NOT_BUILT: "not built",
    Status.INTERRUPTED: "interrupted",
}

OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.RAN: "ran",
    Outcome.PARTIAL: "partial",
    Outcome.FAILED: "failed",
    Outcome.UNAVAILABLE: "unavailable",
    Outcome.NOT_APPLICABLE: "not applicable",
}

OUTCOME_MEANING: Mapping[Outcome, str] = {
    Outcome.RAN: "looked at everything of its kinds",
    Outcome.PARTIAL: "could not look at everything",
    Outcome.FAILED: "gave no answer",
    Outcome.UNAVAILABLE: "could not look at anything",
    Outcome.NOT_APPLICABLE: "there was nothing of its kinds",
}

_LANGUAGES = {
    "C++": "cc cpp hpp",
    "C or C++ header": "h",
    "C": "c",
    "C#": "cs",
    "Cython": "pyx",
    "Go": "go",
    "Java": "java",
    "JavaScript": "js mjs cjs jsx",
    "Julia": "jl",
    "Kotlin": "kt",
    "Lua": "lua",
    "Perl": "pl",
    "PHP": "php",
    "PowerShell": "ps1",
    "R": "r",
    "Ruby": "rb",
    "Rust": "rs",
    "Scala": "scala",
    "SQL": "sql",
    "TypeScript": "ts tsx",
    "shell": "sh bash zsh",
}
_LANGUAGES_SHOWN = 6

GAPS = (Outcome.FAILED, Outcome.UNAVAILABLE, Outcome.PARTIAL)


@dataclass(frozen=True)
class Line:
    """A check in its stage."""

    stage: StageResult
    check: CheckResult

    @property
    def gap(self) -> bool:
        """It did not look at all that it should have."""
        return self.check.outcome in GAPS


_FOLDED = regex(r"kfold_.*_std")


def interval(metric: Metric) -> str:
    """`0.71 to 0.75`; nothing for a deviation over the folds, which is told without one."""
    if _FOLDED.fullmatch(metric.name) and metric.low == metric.value == metric.high:
        return ""
    return f"{number(metric.low)} to {number(metric.high)}"


def policy(run: Run) -> str:
    """Which settings decided, and what they vouch for: a finding that is trusted away leaves no other trace."""
    details = next((stage.details for stage in run.stages if stage.details.get("settings")), None)
    if details is None:
        return ""
    given = details.get("trust")
    trust = [one_line(str(name), 60) for name in given] if isinstance(given, (list, tuple)) else []
    more = f" and {len(trust) - 3} more" if len(trust) > 3 else ""
    told = f"trusts {', '.join(trust[:3])}{more}" if trust else ""
    return ": ".join(filter(None, (one_line(str(details["settings"]), 60), told)))


def check_lines(run: Run) -> tuple[Line, ...]:
    """Every check with its stage; those that did not look come first, in the order of how little they saw."""
    lines = [Line(stage, check) for stage in run.stages for check in stage.checks]
    return tuple(sorted(lines, key=lambda line: GAPS.index(line.check.outcome) if line.gap else len(GAPS)))


def looked_at(check: CheckResult) -> str:
    """How much the check looked at, in words; a check of the whole tree counts no artifacts."""
    if check.check.startswith(BY_REPORT):  # somebody else looked
        return {Outcome.RAN: "a report", Outcome.PARTIAL: "a part"}.get(check.outcome, "nothing")
    if check.eligible:
        return f"{len(check.examined):,} of {check.eligible:,}"
    return {Outcome.RAN: "the whole", Outcome.PARTIAL: "a part"}.get(check.outcome, "nothing")


def gaps(run: Run) -> tuple[CheckResult, ...]:
    """The checks that did not look at all that they should have."""
    return tuple(line.check for line in check_lines(run) if line.gap)


def gap_reason(check: CheckResult) -> str:
    """Why a check did not look at everything: its own words, or what it says of the first that it passed over."""
    if check.note or not check.skipped:
        return check.note
    first, more = check.skipped[0], len(check.skipped) - 1
    where = f"{first.artifact.uri}: " if first.artifact else ""
    return f"{where}{first.reason}" + (f" (and {more:,} more)" if more else "")


def same_remedy(reasons: Iterable[Reason]) -> list[tuple[Reason, ...]]:
    """A gate's reasons; those that stand together and ask for the same of the same rule as one."""
    return [tuple(group) for _, group in groupby(reasons, key=lambda reason: (reason.code, reason.remedy))]


def complete(run: Run) -> bool:
    """There were checks, each looked at all of its artifacts, and no stage broke down."""
    return (
        bool(run.checks)
        and not gaps(run)
        and not any(s.status in (Status.ERROR, Status.INTERRUPTED) for s in run.stages)
    )


def by_disposition(findings: Iterable[Finding]) -> dict[Disposition, int]:
    """How many are new, known and waived."""
    counts = dict.fromkeys(Disposition, 0)
    for finding in findings:
        counts[finding.disposition] += 1
    return counts


def by_severity(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many of each severity, the worst first; only new and known ones."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        if finding.disposition is not Disposition.WAIVED:
            counts[finding.severity] += 1
    return counts


def rules_of(findings: Iterable[Finding]) -> tuple[Rule, ...]:
    """The rules that were seen, by id; the first of each id."""
    seen: dict[str, Rule] = {}
    for finding in findings:
        seen.setdefault(finding.rule.id, finding.rule)
    return tuple(seen[name] for name in sorted(seen))


def place(finding: Finding) -> str:
    """Where: the artifact and the location in it, with the usual `:line:column` for text."""
    spot = finding.location
    if spot.line is not None and str(spot) == f"line {spot.line}":
        column = f":{spot.column}" if spot.column is not None else ""
        return f"{finding.artifact.uri}:{spot.line}{column}"
    return f"{finding.artifact.uri} ({spot})" if str(spot) else finding.artifact.uri


def stopped_at(run: Run) -> tuple[int, StageResult] | None:
    """The first stage that did not pass, with its number counted from 1."""
    return next(((n, s) for n, s in enumerate(run.stages, 1) if s.status is not Status.PASSED), None)


def outcomes(run: Run) -> dict[str, str]:
    """The outcome of each artifact by uri; see `Run.outcome_of`."""
    found = {artifact.uri: outcome for artifact, outcome in run.artifact_outcomes()}
    for finding in run.findings:
        waived = finding.disposition is Disposition.WAIVED
        found.setdefault(finding.artifact.uri, run.outcome_of(finding.artifact.uri) if waived else "finding")
    return found


def uncovered(run: Run) -> Iterator[tuple[str, str]]:
    """Each artifact that nothing could vouch for: its uri, and `unknown` or `not-examined`. Code in languages that no
    check reads is told of by `unread_code`."""
    unread = frozenset(artifact.uri for artifact in run.unread_code)
    for artifact, outcome in run.artifact_outcomes():
        if outcome in ("unknown", "not-examined") and artifact.uri not in unread:
            yield artifact.uri, outcome


def unread_code(run: Run) -> str:
    """How much code is in languages that no check reads, in a sentence; empty when there is none."""
    counts = Counter(_language(artifact) for artifact in run.unread_code)
    if not counts:
        return ""
    shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{name} {count:,}" for name, count in shown[:_LANGUAGES_SHOWN])
    more = sum(count for _, count in shown[_LANGUAGES_SHOWN:])
    total = counts.total()
    files = f"{total:,} code files" if total > 1 else "1 code file"
    told = f"{files} that no code check read ({named}{f', others {more:,}' if more else ''})"
    return f"{told}: secrets were looked for, nothing else"


def _language(artifact: Artifact) -> str:
    name = artifact.uri.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if artifact.media_type == "text/x-python":
        return "Python"
    return next((language for language, ends in _LANGUAGES.items() if suffix in ends.split()), "other")
