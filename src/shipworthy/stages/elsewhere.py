"""The one look of `shipworthy scan https://…` and `s3://…`: a model where it lies, by the ranges that tell of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from shipworthy.artifacts import Inventory
from shipworthy.artifacts.remote import DEFAULT_BOUNDS, Bounds, RemoteFile, shown
from shipworthy.check import Check
from shipworthy.checks.models.model_file import CHECK_NAME, findings_of, skipped_of
from shipworthy.engine.apart import StoppedError, scan_apart
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.engine.work import Ended
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, CheckResult, Finding, Kind, Outcome, Skipped, StageResult
from shipworthy.modelfile import Report
from shipworthy.rules import STOPPED
from shipworthy.stages.load import listed
from shipworthy.stages.results import filter_results
from shipworthy.stages.target import scan_gate, scanned

# Formats whose header tells all that a loader does: what else is in the file is numbers.
_TOLD_BY_HEADER = frozenset(("safetensors", "gguf"))


def remote_pipeline(
    uri: str, names: tuple[str, ...], env: Mapping[str, str] | None = None, bounds: Bounds = DEFAULT_BOUNDS
) -> Pipeline:
    """One look at a model elsewhere, one gate. Only the check of model files looks: the others need the whole file."""
    run = _look(uri, names, os.environ if env is None else env, bounds)
    return Pipeline("scan", "Scan", (Stage("scan", "Scan", "Looks at a model where it lies.", run), scan_gate()))


def _look(uri: str, names: tuple[str, ...], env: Mapping[str, str], bounds: Bounds) -> Callable[[Job], StageResult]:
    def run(job: Job) -> StageResult:
        check = next((check for check in select(job.settings, names) if check.name == CHECK_NAME), None)
        if check is None:
            raise UsageError(
                f"of a model elsewhere only the check `{CHECK_NAME}` can be run",
                where=shown(uri),
                remedy="leave --check out, or download the file and scan that",
            )
        started = time.monotonic()
        with RemoteFile(uri, env, bounds) as remote:
            report: Report | str
            try:
                report = scan_apart(remote, job.settings.scan.trust, job.settings.scan.memory_mb, check.timeout)
            except StoppedError as error:
                report = str(error)
            artifact = Artifact(remote.uri, Kind.MODEL, remote.digest, remote.size)
            note = _note(remote, report)
        result = _result(check, artifact, report, note, time.monotonic() - started)
        job.inventory = Inventory((artifact,))
        loaded = listed(job, job.inventory, CheckResult("inventory", "load", "1", Outcome.RAN, note=note))
        loaded = replace(loaded, note=f"1 model ({note})")
        return scanned(loaded, filter_results(job, (check,), (*loaded.checks, result)))

    return run


def _remedy(check: Check, skipped: Sequence[Skipped]) -> str:
    names = ", ".join(dict.fromkeys(f'"{check.name}:{skip.code}"' for skip in skipped))
    accept = f"accept it by name: under `[gates.scan]`, `accept-partial = [{names}]`"
    return f"download the file and scan that, or {accept}" if skipped else ""


def _note(remote: RemoteFile, report: Report | str) -> str:
    """What was read, and what not."""
    if remote.digest:
        return f"all of its {remote.size:,} bytes were read"
    left = report.left if isinstance(report, Report) else 0
    rest = f"; {left:,} bytes are raw data by the layout and were not looked into" if left else ""
    read = f"{remote.received:,} of {remote.size:,} bytes were read"
    if remote.received > remote.size:  # some of them more than once
        read = f"of its {remote.size:,} bytes ranges were read"
    return f"{read}{rest}; no digest was computed"


def _result(check: Check, artifact: Artifact, report: Report | str, note: str, seconds: float) -> CheckResult:
    """What came of the look; a text says why its process had to be stopped."""
    findings: tuple[Finding, ...]
    if isinstance(report, str):
        skipped = [Skipped(artifact, report, code=Ended.STOPPED.value)]
        message = f"the check {check.name} had to be stopped: {report}"
        findings = (STOPPED.at(artifact, message, key=check.name),)
    else:
        skipped, findings = list(skipped_of(artifact, report)), tuple(findings_of(artifact, report))
        if report.loose and report.format not in _TOLD_BY_HEADER:
            told = f"{report.loose:,} bytes of raw data in members of the archive were not looked into"
            skipped.append(Skipped(None, told, code="raw-data"))
    return CheckResult(
        check=check.name,
        category=check.category,
        version=str(check.version),
        outcome=Outcome.PARTIAL if skipped else Outcome.RAN,
        findings=tuple(f.with_(check=check.name, category=check.category) for f in findings),
        examined=frozenset() if any(skip.artifact for skip in skipped) else frozenset({artifact.uri}),
        eligible=1,
        skipped=tuple(Skipped(s.artifact, s.reason, check.name, s.code) for s in skipped),
        note=note,
        remedy=_remedy(check, skipped),
        seconds=round(seconds, 3),
    )
