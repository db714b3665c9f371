"""A gate: decide from what the stages before have found."""

from __future__ import annotations

from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import ExitCode
from shipworthy.gates import decide
from shipworthy.model import StageResult


def gate(name: str, title: str, about: str, over: tuple[str, ...]) -> Stage:
    """A gate named `name` over the results and metrics of the stages `over`; its policy is `[gates.<name>]`."""

    def run(job: Job) -> StageResult:
        metrics = tuple(metric for stage in over if stage in job.done for metric in job.done[stage].metrics)
        notes = tuple(note for stage in over for note in job.detail(stage, "waiver-notes") or ())
        decision = decide(name, job.settings.gate(name), job.results(*over), metrics, notes)
        details = {"rules": list(job.settings.gate(name).rules)}
        inputs = {stage: job.done[stage].outputs.get("results", "") for stage in over if stage in job.done}
        if decision.passed:
            waived = f"{len(decision.waived)} waived" if decision.waived else ""
            return job.passed(waived, decision=decision, inputs=inputs, details=details)
        first = decision.reasons[0]
        more = f" (and {len(decision.reasons) - 1} more)" if len(decision.reasons) > 1 else ""
        code = ExitCode.COVERAGE if decision.coverage_only else ExitCode.GATE
        note = f"{first.code}: {first.message}{more}"
        return job.failed(note, first.remedy, int(code), decision=decision, inputs=inputs, details=details)

    return Stage(name, title, about, run)
