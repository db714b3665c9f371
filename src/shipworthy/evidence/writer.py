"""Write files of evidence, and remember their digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.evidence import envelope
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.files import BUNDLE_SUFFIX, MANIFEST_SUFFIX, is_bundle
from shipworthy.evidence.opened import step_of_name
from shipworthy.evidence.statement import Statement
from shipworthy.files import write_atomically

Signers = Mapping[str, Sequence[envelope.Signer]]
"""Who signs each step, by its name; all of them sign it."""


class Writer:
    """Writes files of evidence and remembers their digests."""

    def __init__(self, folder: Path, signers: Signers) -> None:
        self.folder, self.signers = folder, signers
        self.files: dict[str, str] = {}

    def put(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        write_atomically(self.folder / name, data)
        self.files[name] = sha256_bytes(data)

    def sign(self, name: str, step: str, statement: Statement) -> bytes:
        """Write a statement that the signer of the step has signed; its bytes."""
        raw = envelope.sign(statement.to_bytes(), self.signers_of(step))
        self.put(f"{name}{BUNDLE_SUFFIX}", raw)
        return raw

    def signers_of(self, step: str) -> Sequence[envelope.Signer]:
        """Who signs the step. Raises UsageError for nobody."""
        if not self.signers.get(step):
            raise UsageError(f"there is no signer for the step {step}", where="signing", remedy="name a key for it")
        return self.signers[step]


def kind_of(name: str) -> str:
    """What a file of evidence is to a release, by its name: manifest, report, or the step that it speaks for."""
    if name.endswith(MANIFEST_SUFFIX):
        return "manifest"
    return step_of_name(name.rpartition("/")[2]) if is_bundle(name) else "report"
