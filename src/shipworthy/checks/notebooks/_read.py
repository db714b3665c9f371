"""A notebook from an artifact, or why not."""

from __future__ import annotations

from shipworthy.checks.notebooks._cells import LIMIT, Notebook, Unreadable, parse
from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Skipped


def load(artifact: Artifact) -> Notebook | Skipped:
    """The notebook, or the reason why it cannot be read. Never raises for what is in the file."""
    try:
        return parse(artifact.read_bytes(LIMIT + 1))
    except Unreadable as error:
        return Skipped(artifact, error.reason)
    except OSError as error:
        return Skipped(artifact, f"it cannot be read: {error.strerror or type(error).__name__}")
    except ShipworthyError as error:
        return Skipped(artifact, f"it cannot be read: {error.message}")
