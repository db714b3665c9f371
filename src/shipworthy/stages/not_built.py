"""A stage that is declared and not there yet: it says so, and is never a pass."""

from __future__ import annotations

from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import ExitCode
from shipworthy.model import StageResult, Status


def not_built(name: str, title: str, about: str) -> Stage:
    """A declared stage of this name that answers `not-built` (exit code 3: it could not run)."""

    def run(job: Job) -> StageResult:
        return StageResult(
            job.stage,
            Status.NOT_BUILT,
            job.started,
            note=f"{title}: not built yet in this version",
            remedy="nothing was checked here; do not take it for a pass",
            exit_code=int(ExitCode.COVERAGE),
        )

    return Stage(name, title, about, run)
