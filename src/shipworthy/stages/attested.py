"""What the statements of both pipelines say of a run's checks, in one form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from shipworthy.engine.stage import Job
from shipworthy.evidence.digest import sha256_file
from shipworthy.evidence.release import Scan
from shipworthy.evidence.statement import Resource
from shipworthy.model import CheckResult, StageResult
from shipworthy.model.serial import stage_to_dict


def scan_of(job: Job, *stages: str, others: Sequence[Resource] = ()) -> Scan:
    """The results of these stages, whole, as they were judged, and what was scanned besides the subject."""
    return scan_of_results({name: job.done[name] for name in stages}, others)


def scan_of_results(stages: Mapping[str, StageResult], others: Sequence[Resource] = ()) -> Scan:
    """The results of these stages, by name."""
    report = json.dumps({name: stage_to_dict(stage) for name, stage in stages.items()}, sort_keys=True, indent=1)
    results = [check for stage in stages.values() for check in stage.checks]
    counts = Counter(finding.severity.value for result in results for finding in result.findings)
    return Scan(report.encode(), [_row(result) for result in results], dict(counts), tuple(others))


def _row(result: CheckResult) -> dict[str, object]:
    return {
        "name": result.check,
        "version": result.version,
        "outcome": result.outcome.value,
        "examined": len(result.examined),
    }


def evidence_holds(job: Job, result: StageResult) -> bool:
    """Whether every file of evidence that the stage wrote is still there, byte for byte."""
    folder = job.folder / "evidence"
    return all((folder / n).is_file() and sha256_file(folder / n) == digest for n, digest in result.outputs.items())
