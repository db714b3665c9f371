"""Stage 2: datasets, pretrained models, notebooks, requirements and code, each with its digest."""

from __future__ import annotations

from shipworthy.engine.stage import Job, Stage
from shipworthy.model import StageResult
from shipworthy.stages.load import load
from shipworthy.stages.signed import verify_signed


def run(job: Job) -> StageResult:
    """Bring in what is declared, verify what is signed, list what is there."""
    verify_signed(job)
    return load(job)


STAGE = Stage(
    "load",
    "Load artifacts",
    "Fetches what is declared, checks signatures of what is signed, and gives every artifact its digest.",
    run,
    always=True,
)
