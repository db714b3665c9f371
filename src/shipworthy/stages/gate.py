"""A gate: decide from what the stages before have found."""

from __future__ import annotations

import hashlib
import json

from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import ExitCode, UsageError
from shipworthy.gates import decide, in_short, weaker
from shipworthy.model import GateDecision, StageResult


def gate(name: str, title: str, about: str, over: tuple[str, ...]) -> Stage:
    """A gate named `name` over the results and metrics of the stages `over`; its policy is `[gates.<name>]`."""

    def run(job: Job) -> StageResult:
        metrics = tuple(metric for stage in over if stage in job.done for metric in job.done[stage].metrics)
        notes = tuple(note for stage in over for note in job.detail(stage, "waiver-notes") or ())
        notes = (*weaker(name, job.settings), *notes)
        results = job.results(*over)
        try:
            decision = decide(name, job.settings.gate(name), results, metrics, notes)
        except UsageError as error:
            source = job.settings.source.name if job.settings.source else "settings"
            raise UsageError(
                f"`{error.where}`: {error.message}", where=f"{source}: gates.{name}.rules", remedy=error.remedy
            ) from None
        details = {"rules": list(job.settings.gate(name).rules)}
        inputs = {stage: _record(job.done[stage]) for stage in over if stage in job.done}
        outputs = {"decision": decision_digest(decision)}
        if decision.passed:
            waived = f"{len(decision.waived)} waived" if decision.waived else ""
            return job.passed(waived, decision=decision, inputs=inputs, outputs=outputs, details=details)
        first = decision.reasons[0]
        code = ExitCode.COVERAGE if decision.coverage_only else ExitCode.GATE
        kept = {"decision": decision, "inputs": inputs, "outputs": outputs, "details": details}
        return job.failed(in_short(decision, results), first.remedy, int(code), **kept)

    return Stage(name, title, about, run)


def _record(result: StageResult) -> str:
    """The digest of what a stage handed to the gate: its check results, or all of its outputs."""
    return result.outputs.get("results") or _digest(dict(result.outputs))


def decision_digest(decision: GateDecision) -> str:
    """The digest of a decision with its reasons."""
    return _digest({**vars(decision), "reasons": [vars(reason) for reason in decision.reasons]})


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
