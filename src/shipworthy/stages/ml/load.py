"""Stage 2: datasets, pretrained models, notebooks, requirements and code, each with its digest."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.engine.stage import Job, Stage
from shipworthy.model import StageResult
from shipworthy.stages.load import load
from shipworthy.stages.secrets import open_signing_keys
from shipworthy.stages.signed import verify_signed
from shipworthy.stages.stored import store_at


def run(job: Job) -> StageResult:
    """Bring in what is declared, verify what is signed, list what is there."""
    signed = verify_signed(job)
    loaded = load(job)
    loaded = replace(loaded, details={**loaded.details, "signed": signed})
    _can_be_finished(job)
    return loaded


def _can_be_finished(job: Job) -> None:
    """A key that does not open and a store that cannot be written to are told now, not after hours of training. Raises
    UsageError, EnvironmentFailure."""
    if job.settings.train is None or job.settings.evaluate is None:
        return  # the run ends before anything is signed, and says why
    open_signing_keys(job)
    for uri in job.settings.store.to:
        store_at(uri, job.settings.store, job.root).check_writable()


STAGE = Stage(
    "load",
    "Load artifacts",
    "Fetches what is declared, checks signatures of what is signed, and gives every artifact its digest.",
    run,
    always=True,
)
