"""Reports of security tools beside our own look: findings with the tool as their witness, joined with ours."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shipworthy.artifacts import Inventory, git_state
from shipworthy.config import Reported
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.errors import UsageError
from shipworthy.files import open_plain
from shipworthy.model import Artifact, CheckResult, Confidence, Finding, Kind, Outcome, Rule, Skipped, StageResult
from shipworthy.paths import display_name, inside
from shipworthy.patterns import regex
from shipworthy.records import dataclass, replace
from shipworthy.stages.load import load
from shipworthy.stages.results import filter_results
from shipworthy.stages.target import scan_gate, scanned
from shipworthy.witnesses import LIMIT, Report, Source, Statement, UnreadableReport, names, read_report, source

CATEGORY = "import"
_OWN = "shipworthy"
_SLUG = regex(r"[^a-z0-9]+")
_DESCRIPTION = (
    "A security tool whose report was imported says this. What it means and how sure it is are the tool's own words; "
    "nobody here looked at it again, unless the finding names another witness."
)


@dataclass(frozen=True)
class Given:
    """A report with what is known of it: `written` is when its file was, `base` the folder at which its paths begin."""

    tool: str
    raw: bytes
    written: datetime
    max_age_days: int = 0
    base: str = ""


@dataclass(frozen=True)
class Taken:
    """Our results with the witnesses in them, the reports' own results, and the digests of the reports."""

    results: tuple[CheckResult, ...]
    inputs: Mapping[str, str]


def from_settings(job: Job, stage: str, own: Sequence[CheckResult], inventory: Inventory) -> Taken:
    """Take in the reports of `[import]` that belong to this stage. One that is not there fails; so it is never clean.

    Raises UsageError for a tool that is not known, and for a path outside of the workspace.
    """
    results, inputs = tuple(own), {}
    for reported in job.settings.import_.reports:
        if (reported.stage or known(reported.tool).stage) != stage:
            continue
        given = _opened(job, reported)
        if isinstance(given, CheckResult):
            results = (*results, given)
            continue
        inputs[f"import:{reported.tool}:{reported.path}"] = "sha256:" + hashlib.sha256(given.raw).hexdigest()
        results = take_in(job, given, results, inventory.artifacts)
    return Taken(results, inputs)


def known(tool: str) -> Source:
    """What is known of a tool. Raises UsageError."""
    if tool not in names():
        import difflib

        near = difflib.get_close_matches(tool, names(), 1)
        remedy = f"did you mean `{near[0]}`?" if near else "docs/tools.md lists them; `sarif` reads any tool's SARIF"
        raise UsageError(f"reports of `{tool[:60]}` are not read", where="[import] reports", remedy=remedy)
    return source(tool)


def _opened(job: Job, reported: Reported) -> Given | CheckResult:
    path = inside(job.root, reported.path, what="report")
    try:
        with open_plain(path) as stream:
            raw = stream.read(LIMIT + 1)
            written = datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
    except OSError as error:
        why = f"{display_name(reported.path)}: there is no such report ({error.strerror or type(error).__name__})"
        return _failed(reported.tool, why)
    return Given(reported.tool, raw, written, reported.max_age_days, reported.base)


def _failed(tool: str, why: str) -> CheckResult:
    return CheckResult(
        check=f"import:{tool}",
        category=CATEGORY,
        version="",
        outcome=Outcome.FAILED,
        note=why,
        remedy=f"run {source(tool).title} again: {source(tool).command}",
    )


def take_in(
    job: Job, given: Given, own: Sequence[CheckResult], artifacts: Sequence[Artifact], target: Path | None = None
) -> tuple[CheckResult, ...]:
    """Our results, with the tool named where it says the same, and the report's own result after them."""
    try:
        report = read_report(given.tool, given.raw)
        places = _Places(job.root, target or job.root, given.base, artifacts)
        placed = [(places.of(statement), statement) for statement in report.statements]
        places.refuse_others(report)
    except UnreadableReport as error:
        return (*own, _failed(given.tool, f"the report cannot be used: {error}"))
    except RecursionError:
        return (*own, _failed(given.tool, "the report cannot be used: it is nested too deeply"))
    witness = _witness(given.tool, report)
    joined, agreed = _join_advisories(own, placed, witness)
    alone = [_finding(given.tool, witness, at, s) for i, (at, s) in enumerate(placed) if i not in agreed]
    return (*joined, _result(job, given, report, alone, len(agreed), places.elsewhere))


def _witness(tool: str, report: Report) -> str:
    return " ".join(filter(None, (report.tool if tool == "sarif" and report.tool else tool, report.version)))[:120]


class _Places:
    """Which artifact a report's path means: one of the workspace by its name there, else one of its own."""

    def __init__(self, root: Path, target: Path, base: str, artifacts: Sequence[Artifact]) -> None:
        self.root = root
        self.here = {artifact.uri: artifact for artifact in artifacts}
        base = base.replace(os.sep, "/").rstrip("/")
        self.starts = [f"{base}/"] if base else []
        self.under = f"{base}/" if base and not base.startswith("/") else ""
        for folder in dict.fromkeys((target if target.is_dir() else target.parent, root)):
            self.starts += [f"{folder.absolute().as_posix()}/", f"{folder.resolve().as_posix()}/"]
        inner = posixpath.relpath(target.resolve().as_posix(), root.resolve().as_posix())
        self.inner = "" if inner == "." or inner.startswith("..") else f"{inner}/"
        self.found = self.elsewhere = self.named = 0

    def of(self, said: Statement) -> Artifact:
        if not said.path:
            return Artifact(display_name(said.subject) or "(nothing named)", said.kind, "", 0)
        path = self._relative(said.path)
        artifact = self.here.get(display_name(path)) or self.here.get(display_name(path.removeprefix(self.inner)))
        if artifact is None and self.under and not path.startswith(("/", "../")):
            artifact = self.here.get(display_name(posixpath.normpath(self.under + path)))
        self.named += 0 if said.commit else 1  # what is in a commit need not be here any more
        if artifact is not None:
            self.found += 1
            return artifact
        if self._on_disk(path):
            self.found += 1
        else:
            self.elsewhere += 0 if said.commit else 1
        return Artifact(
            f"file://{display_name(path)}" if path.startswith("/") else display_name(path), Kind.OTHER, "", 0
        )

    def _relative(self, path: str) -> str:
        path = path.replace("\\", "/")
        for start in self.starts:
            if path.startswith(start):
                path = path[len(start) :]
                break
        return posixpath.normpath(path)

    def _on_disk(self, path: str) -> bool:
        if path.startswith(("/", "../")) or "\0" in path:
            return False
        try:
            return inside(self.root, path).exists()
        except (UsageError, OSError):
            return False

    def refuse_others(self, report: Report) -> None:
        """Raise UnreadableReport when it is about files, and none of them is here."""
        if self.named and not self.found and self.named == len(report.statements):
            raise UnreadableReport("it is about files that are not here (`base` says where its paths begin)")


def _finding(tool: str, witness: str, artifact: Artifact, said: Statement) -> Finding:
    rule = Rule(
        id=f"import-{tool}-{_SLUG.sub('-', said.rule.lower())[:80].strip('-') or 'unnamed'}",
        title=said.title or said.message[:150],
        severity=said.severity,
        description=_DESCRIPTION,
        remedy=said.remedy or "Look at what it names, and mend it; or waive it with the reason.",
        confidence=said.confidence,
        taxonomy=said.cwes,
    )
    finding = rule.at(
        artifact,
        f"{witness} ({said.rule[:80]}): {said.message}",
        evidence=said.part or (f"{said.package} {said.version}".strip() if said.package else ""),
        key="|".join(filter(None, (said.identity, said.part, said.package, "" if said.identity else said.message))),
        witness=witness,
        line=said.line,
        end_line=said.end_line if said.line and said.end_line and said.end_line >= said.line else None,
        column=said.column,
        commit=said.commit if re.fullmatch(r"[0-9a-f]{7,64}", said.commit) else None,
    )
    return finding.with_(check=f"import:{tool}", category=CATEGORY)


def _join_advisories(
    own: Sequence[CheckResult], placed: Sequence[tuple[Artifact, Statement]], witness: str
) -> tuple[list[CheckResult], set[int]]:
    """Findings of ours that name the same advisory for the same package get the witness; what is at the same line and
    of the same weakness is joined later, with everything else (`gates.join_results`)."""
    by_advisory: dict[tuple[str, str], list[int]] = {}
    for index, (_, said) in enumerate(placed):
        for advisory in said.ids if said.package else ():
            by_advisory.setdefault((_package(said.package), advisory), []).append(index)
    agreed: set[int] = set()
    joined = []
    for result in own:
        findings = []
        for finding in result.findings:
            same = _same(finding, placed, by_advisory) if by_advisory else []
            agreed.update(same)
            findings.append(_agreed(finding, witness, [placed[i][1] for i in same]) if same else finding)
        joined.append(replace(result, findings=tuple(findings)))
    return joined, agreed


def _same(
    finding: Finding, placed: Sequence[tuple[Artifact, Statement]], known: Mapping[tuple[str, str], Sequence[int]]
) -> list[int]:
    item = _package(re.split(r"==|(?<=.)@| ", finding.evidence, maxsplit=1)[0])
    told = re.findall(r"[A-Z]{2,9}-[\w-]{6,40}", finding.message[:600])
    found = dict.fromkeys(i for advisory in told for i in known.get((item, advisory), ()))
    return [i for i in found if placed[i][0].uri == finding.artifact.uri or not placed[i][1].path]


def _package(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text.lower())


def _agreed(finding: Finding, witness: str, said: Sequence[Statement]) -> Finding:
    witnesses = tuple(dict.fromkeys((*(finding.witnesses or (_OWN,)), witness)))
    worst = max((finding.severity, *(one.severity for one in said)), key=lambda severity: severity.rank)
    return finding.with_(witnesses=witnesses, severity=worst, confidence=Confidence.HIGH)


def _result(
    job: Job, given: Given, report: Report, findings: Sequence[Finding], agreed: int, elsewhere: int
) -> CheckResult:
    check = f"import:{given.tool}"
    gaps = [Skipped(None, gap, check, "unread") for gap in report.gaps[:100]]
    made = _date(report.made) or given.written
    age = datetime(job.today.year, job.today.month, job.today.day, tzinfo=UTC) - made
    if given.max_age_days and age > timedelta(days=given.max_age_days):
        told = f"it is of {made.date().isoformat()}, older than the {given.max_age_days} days that the settings allow"
        gaps.append(Skipped(None, told, check, "old-data"))
    elif given.max_age_days and age < timedelta(days=-2):
        told = f"it says that it is of {made.date().isoformat()}, which is yet to come"
        gaps.append(Skipped(None, told, check, "old-data"))
    commit = _commit(job) if report.commits else ""
    if commit and commit not in report.commits:
        told = f"it is about the commit {report.commits[0][:40]}, and here is {commit[:40]}"
        gaps.append(Skipped(None, told, check, "other-commit"))
    notes = [f"{_witness(given.tool, report)}, {made.date().isoformat()}: {len(report.statements)} findings"]
    notes += [f"{agreed} of them also ours"] if agreed else []
    notes += [f"{elsewhere} about files that are not here"] if elsewhere else []
    return CheckResult(
        check=check,
        category=CATEGORY,
        version=report.version,
        outcome=Outcome.PARTIAL if gaps else Outcome.RAN,
        findings=tuple(findings),
        skipped=tuple(gaps),
        note="; ".join((*notes, *report.notes)),
        remedy=f"run {source(given.tool).title} again: {source(given.tool).command}" if gaps else "",
    )


def _commit(job: Job) -> str:
    """The commit of the workspace; empty where there is none."""
    state = None if job.trigger.commit else git_state(job.root)
    return job.trigger.commit or (state.commit if state else "")


def _date(text: str) -> datetime | None:
    """When a report says that it was made; None when it does not say so in a form that is read."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
    if re.fullmatch(r"\d{9,10}(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    from email.utils import parsedate_to_datetime

    for parse in (
        datetime.fromisoformat,
        parsedate_to_datetime,
        lambda t: datetime.strptime(t, "%a %b %d %H:%M:%S %Y"),
    ):
        try:
            found = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def imported_pipeline(given: Given, target: Path, among: tuple[str, ...] = ()) -> Pipeline:
    """Look at a target with our checks of the tool's category, take in its report, one gate."""
    category = source(given.tool).category

    def run(job: Job) -> StageResult:
        loaded = load(job, target, among)
        present = {artifact.kind for artifact in job.inventory.artifacts}
        checks = [c for c in select(job.settings) if c.category == category and c.kinds & present and not c.live]
        own = (*loaded.checks, *job.checks.run(checks, job.inventory))
        results = take_in(job, given, own, job.inventory.artifacts, target)
        return scanned(loaded, filter_results(job, checks, results))

    return Pipeline("scan", "Scan", (Stage("scan", "Scan", "Looks, and hears a witness.", run), scan_gate()))
