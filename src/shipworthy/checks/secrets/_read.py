"""Read artifacts within a limit; what cannot be read is named, never left out."""

from __future__ import annotations

import os
import stat

from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Skipped


def read(artifact: Artifact, limit: int) -> bytes | Skipped:
    """All bytes of a regular file of at most `limit` bytes, or why not."""
    try:
        # Asked before it is opened: opening a pipe waits for somebody to write into it.
        if artifact.path is not None and not stat.S_ISREG(artifact.path.stat().st_mode):
            return Skipped(artifact, "it is not a regular file")
        with artifact.open() as stream:
            status = os.fstat(stream.fileno())
            if status.st_size > limit:
                return Skipped(artifact, f"{status.st_size} bytes are more than the limit of {limit} (max-bytes)")
            return stream.read()
    except OSError as error:
        return Skipped(artifact, f"it cannot be read: {error.strerror or type(error).__name__}")
    except ShipworthyError as error:
        return Skipped(artifact, f"it cannot be read: {error.message}")
