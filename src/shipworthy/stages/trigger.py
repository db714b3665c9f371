"""The first stage of both pipelines: why the run happens, and from which commit."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.artifacts import git_state
from shipworthy.engine.stage import Job, Stage
from shipworthy.model import StageResult
from shipworthy.stages.load import own_outputs


def run(job: Job) -> StageResult:
    """Record how the run was started and what git says of the workspace."""
    state, settings = git_state(job.root, own_outputs(job.settings)), {"settings": job.settings.digest}
    if state is None:
        return job.passed("not in git: no commit is recorded", inputs=settings, outputs=settings)
    if not state.commit:
        job.trigger = replace(job.trigger, branch=state.branch)
        note = f"on {state.branch} of a repository without commits: none is recorded"
        return job.passed(note, inputs=settings, outputs=settings)
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
