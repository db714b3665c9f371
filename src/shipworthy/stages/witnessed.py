"""The report of another scanner beside our own look: one finding where both mean the same, with both as witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shipworthy.checks.models.model_file import CHECK_NAME
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, CheckResult, Confidence, Finding, Kind, Outcome, Severity, Skipped, StageResult
from shipworthy.rules import WITNESSED
from shipworthy.stages.results import filter_results
from shipworthy.stages.target import prepare, scan_gate, scanned
from shipworthy.witnesses import Claim, Testimony, UnreadableReport, matched, read, same_meaning

_OWN = "shipworthy"


def witnessed_pipeline(tool: str, raw: bytes, target: Path, among: tuple[str, ...] = ()) -> Pipeline:
    """Look at the models of a target, or at what is named under it, take in a report about them, one gate."""

    def run(job: Job) -> StageResult:
        loaded, checks = prepare(job, target, (CHECK_NAME,), among)
        if not checks:
            raise UsageError(f"the settings leave out the check `{CHECK_NAME}`", remedy="see [scan] checks and skip")
        models = job.inventory.of(Kind.MODEL)
        own = job.checks.run(checks, job.inventory)
        results = (*loaded.checks, *join(tool, raw, models, own))
        return scanned(loaded, filter_results(job, checks, results))

    return Pipeline("scan", "Scan", (Stage("scan", "Scan", "Looks, and hears a witness.", run), scan_gate()))


def join(tool: str, raw: bytes, models: Sequence[Artifact], own: Sequence[CheckResult]) -> list[CheckResult]:
    """Our results with the witness named where it agrees, and the witness's own result."""
    try:
        said = read(tool, raw)
        claims = _placed(said, models)
    except UnreadableReport as error:
        failed = CheckResult(
            check=tool,
            category="models",
            version="",
            outcome=Outcome.FAILED,
            eligible=len(models),
            note=f"the report cannot be used: {error}",
            remedy=f"run {tool} again over these very files, and import what it writes",
        )
        return [*own, failed]
    agreed: set[int] = set()
    joined = []
    for result in own:
        findings = []
        for finding in result.findings:
            same = [i for i, (artifact, claim) in enumerate(claims) if same_meaning(finding, artifact, claim)]
            agreed.update(same)
            findings.append(_agreed(finding, said, [claims[i][1] for i in same]) if same else finding)
        joined.append(replace(result, findings=tuple(findings)))
    read_here = frozenset(uri for result in own for uri in result.examined)
    alone = [
        _finding(artifact, claim, said, artifact.uri in read_here)
        for i, (artifact, claim) in enumerate(claims)
        if i not in agreed
    ]
    return [*joined, _result(said, models, alone, len(agreed))]


def _placed(said: Testimony, models: Sequence[Artifact]) -> list[tuple[Artifact, Claim]]:
    """Each claim with the file here that it means. Raises UnreadableReport for a report about other files."""
    others = _others(said, models)
    if others and len(others) == sum(matched(path, models) is not None for path, _ in said.digests):
        raise UnreadableReport(f"it is about another {others[0].uri}: the digests differ")
    placed = []
    for claim in said.claims:
        artifact = matched(claim.path, models) if claim.path else models[0] if len(models) == 1 else None
        if artifact is not None:
            placed.append((artifact, claim))
    if not said.files and said.tool == "fickling" and len(models) != 1:
        raise UnreadableReport("it does not say which file it is about: name that one file after the report")
    if said.claims and not placed:
        raise UnreadableReport("it is about files that are not here")
    if said.files and not any(matched(path, models) for path in said.files):
        raise UnreadableReport("it is about files that are not here")
    return placed


def _others(said: Testimony, models: Sequence[Artifact]) -> list[Artifact]:
    """The files here of which the report has another digest: they changed since, or the tool read only a part."""
    here = ((matched(path, models), digest) for path, digest in said.digests)
    return [artifact for artifact, digest in here if artifact is not None and artifact.digest != digest]


def _agreed(finding: Finding, said: Testimony, claims: Sequence[Claim]) -> Finding:
    witnesses = tuple(dict.fromkeys((*(finding.witnesses or (_OWN,)), said.witness)))
    worst = max((finding.severity, *(claim.severity for claim in claims)), key=lambda s: s.rank)
    return finding.with_(witnesses=witnesses, severity=worst, confidence=Confidence.HIGH)


def _finding(artifact: Artifact, claim: Claim, said: Testimony, read_here: bool) -> Finding:
    """What only the witness says. Of one that flags many honest files it stops no gate by itself where our own look
    read the whole file and does not say so."""
    doubtful = read_here and claim.confidence is Confidence.LOW
    rule = f" ({claim.rule})" if claim.rule else ""
    finding = WITNESSED.at(
        artifact,
        f"{said.witness}{rule}: {claim.message}",
        evidence=claim.callable,
        key="|".join((said.tool, claim.callable or claim.message, claim.member)),
        severity=min(claim.severity, Severity.MEDIUM) if doubtful else claim.severity,
        confidence=claim.confidence,
        witness=said.witness,
        member=claim.member or None,
        offset=claim.offset,
    )
    return finding.with_(check=said.tool, category="models")


def _result(said: Testimony, models: Sequence[Artifact], findings: Sequence[Finding], agreed: int) -> CheckResult:
    here = [matched(path, models) for path in said.files or ()]
    examined = frozenset(artifact.uri for artifact in here if artifact is not None)
    if said.files is None and len(models) == 1:
        examined = frozenset({models[0].uri})
    gaps = [Skipped(None, gap, said.tool, "unread") for gap in said.gaps]
    for artifact in _others(said, models):
        examined -= {artifact.uri}
        gaps.append(Skipped(artifact, "the report has another digest of it: it may be about other bytes", said.tool))
    absent = sum(artifact is None for artifact in here)
    lost = sum(1 for claim in said.claims if claim.path and matched(claim.path, models) is None)
    if absent or lost:
        told = f"{max(absent, lost)} files of the report are not here, or their names fit several"
        gaps.append(Skipped(None, told, said.tool, "absent"))
    return CheckResult(
        check=said.tool,
        category="models",
        version=said.version,
        outcome=Outcome.PARTIAL if gaps else Outcome.RAN,
        findings=tuple(findings),
        examined=examined,
        eligible=len(examined),
        skipped=tuple(gaps),
        note=f"{said.witness}: {said.count} files, {len(said.claims)} findings, {agreed} of them also ours",
    )
