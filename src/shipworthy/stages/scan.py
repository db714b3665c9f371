"""The third stage of both pipelines: every check over everything that was loaded."""

from __future__ import annotations

from shipworthy.check import Check
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Stage
from shipworthy.model import Kind, StageResult
from shipworthy.model.result import count_checks
from shipworthy.stages.results import counted, filter_results, with_reports

_MADE_LATER = frozenset({Kind.IMAGE, Kind.SERVICE, Kind.HOST})


def in_a_repository(check: Check) -> bool:
    """Does the check read anything that a repository can hold?"""
    return bool(check.kinds - _MADE_LATER)


def run(job: Job) -> StageResult:
    """Run the checks; what they found is for the gate to judge."""
    inventory, checks = job.scope or job.inventory, select(job.settings)
    results, reports = with_reports(job, "scan", job.checks.run(checks, inventory))
    checked = filter_results(job, checks, results)
    found = sum(len(result.findings) for result in checked.results)
    return job.passed(
        f"{counted(count_checks(checked.results), 'check')}, {counted(found, 'finding')}",
        checks=checked.results,
        inputs={"artifacts": job.done["load"].outputs["artifacts"], **reports},
        outputs={"results": checked.digest},
        details={"waiver-notes": checked.notes},
    )


STAGE = Stage(
    "scan",
    "Scan",
    "Looks for secrets, unsafe code, vulnerable dependencies, hostile notebooks, datasets and models.",
    run,
    always=True,
    checks=in_a_repository,
)
