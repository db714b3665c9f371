"""JSON: the record of the run itself, as `run.json` holds it (`docs/run.schema.json`)."""

from __future__ import annotations

from shipworthy.compliance import assess, to_dicts
from shipworthy.model import Run
from shipworthy.model.serial import dumps, run_to_dict


def render(run: Run) -> str:
    """The run as JSON text, with the standing of framework controls: computed from the rest, ignored when read back."""
    return dumps(run_to_dict(run) | {"compliance": to_dicts(assess(run))})
