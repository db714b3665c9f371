"""What the dependency checks say alike."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks.dependencies._manifest import Manifest
from shipworthy.model import Artifact, Skipped

_SHOWN = 5


def unread_parts(artifact: Artifact, manifest: Manifest) -> Iterator[Skipped]:
    """One Skipped for each part of a manifest that could not be understood, a few of them with their line."""
    for line, reason in manifest.problems[:_SHOWN]:
        yield Skipped(artifact, f"line {line} {reason}" if line else reason)
    if len(manifest.problems) > _SHOWN:
        yield Skipped(artifact, f"{len(manifest.problems) - _SHOWN} more lines could not be understood")
    for line, reason in manifest.computed[:_SHOWN]:
        yield Skipped(artifact, f"line {line}: {reason}; nothing that is scanned is run", code="computed")
