"""Stage 2: the signed model, verified before anything else happens; then the code, each file with its digest."""

from __future__ import annotations

from shipworthy.engine.stage import Job, Stage
from shipworthy.model import StageResult
from shipworthy.records import replace
from shipworthy.stages.dev.model import bring_model
from shipworthy.stages.load import load
from shipworthy.stages.secrets import open_signing_keys
from shipworthy.stages.signed import verify_signed
from shipworthy.stages.stored import store_at


def run(job: Job) -> StageResult:
    """Verify the model's chain and bring the model in, then list what there is to scan and build."""
    model = bring_model(job)
    signed = verify_signed(job)
    loaded = load(job)
    open_signing_keys(
        job
    )  # that it does not open, or a store cannot be written to, is told now and not after the build
    for uri in job.settings.store.to:
        store_at(uri, job.settings.store, job.root).check_writable()
    details = {**loaded.details, "signed": signed}
    if model is None:
        return replace(loaded, details=details, note=f"{loaded.note}; no model: this project trains none")
    return replace(
        loaded,
        note=f"{model.name}@{model.version} verified, {model.links} links; {loaded.note}",
        inputs={**loaded.inputs, "model": model.digest},
        outputs={**loaded.outputs, "model": model.digest},
        details={**details, "model": model.as_dict(), "chain": model.chain},
    )


STAGE = Stage(
    "load",
    "Load code and the signed model",
    "Verifies the model from its release back to its datasets before anything uses it; then lists the code.",
    run,
    always=True,
)
