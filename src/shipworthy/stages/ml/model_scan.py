"""Stage 7: look into the model that was made, byte by byte, without loading it."""

from __future__ import annotations

from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Stage
from shipworthy.evidence.digest import digest_of
from shipworthy.model import StageResult
from shipworthy.stages.ml.train import model_path, output_inventory
from shipworthy.stages.results import counted, run_checks
from shipworthy.stages.scan import in_a_repository


def run(job: Job) -> StageResult:
    """Run every check that looks at single artifacts over what training wrote."""
    inventory = output_inventory(job)
    checks = [check for check in select(job.settings) if check.scope != "tree"]
    checked = run_checks(job, checks, inventory)
    found = sum(len(result.findings) for result in checked.results)
    return job.passed(
        f"{counted(len(inventory.artifacts), 'file')}, {counted(found, 'finding')}",
        artifacts=inventory.artifacts,
        checks=checked.results,
        inputs={"model": digest_of(job.root / model_path(job))},
        outputs={"results": checked.digest},
        details={"waiver-notes": checked.notes, "red-team": "not an LLM: nothing to attack by prompts"},
    )


STAGE = Stage(
    "model-scan",
    "Model scan",
    "Reads the model's files by their content; what cannot be read is never called clean.",
    run,
    checks=lambda check: check.scope != "tree" and in_a_repository(check),
)
