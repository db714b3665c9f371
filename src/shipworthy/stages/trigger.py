"""The first stage of both pipelines: why the run happens, and from which commit."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.artifacts import git_state
from shipworthy.engine.stage import Job, Stage
from shipworthy.model import StageResult


def run(job: Job) -> StageResult:
    """Record how the run was started and what git says of the workspace."""
    state, settings = git_state(job.root), {"settings": job.settings.digest}
    if state is None:
        return job.passed("not in git: no commit is recorded", inputs=settings, outputs=settings)
    job.trigger = replace(job.trigger, commit=state.commit, branch=state.branch, author=state.author, dirty=state.dirty)
    note = f"commit {state.commit[:12]} on {state.branch}" + (
        ", with changes that are not committed" if state.dirty else ""
    )
    outputs = {**settings, "commit": f"gitCommit:{state.commit}"}
    return job.passed(note, inputs=settings, outputs=outputs, details={"time": state.time})


STAGE = Stage(
    "trigger",
    "Trigger",
    "Records who started the run, from which commit, and under which settings.",
    run,
    always=True,
)
