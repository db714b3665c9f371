"""The third stage of both pipelines: every check over everything that was loaded."""

from __future__ import annotations

from shipworthy.engine.checks import select
from shipworthy.engine.stage import Job, Stage
from shipworthy.model import StageResult
from shipworthy.model.result import count_checks
from shipworthy.stages.results import counted, run_checks


def run(job: Job) -> StageResult:
    """Run the checks; what they found is for the gate to judge."""
    checked = run_checks(job, select(job.settings), job.scope or job.inventory)
    found = sum(len(result.findings) for result in checked.results)
    return job.passed(
        f"{counted(count_checks(checked.results), 'check')}, {counted(found, 'finding')}",
        checks=checked.results,
        inputs={"artifacts": job.done["load"].outputs["artifacts"]},
        outputs={"results": checked.digest},
        details={"waiver-notes": checked.notes},
    )


STAGE = Stage(
    "scan",
    "Scan",
    "Looks for secrets, unsafe code, vulnerable dependencies, hostile notebooks, datasets and models.",
    run,
    always=True,
)
