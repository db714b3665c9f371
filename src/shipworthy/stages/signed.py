"""What is signed must still be what was signed."""

from __future__ import annotations

from shipworthy.config import Signed
from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.oms import verify_model
from shipworthy.keys import load_public
from shipworthy.paths import inside


def verify_signed(job: Job) -> None:
    """Verify every `[[load.signed]]`. Raises EvidenceError for the first that does not hold."""
    for wanted in job.settings.load.signed:
        _verify(job, wanted)


def _verify(job: Job, wanted: Signed) -> None:
    if not (wanted.path and wanted.signature and wanted.key):
        raise UsageError("an entry of [[load.signed]] needs `path`, `signature` and `key`")
    place = inside(job.root, wanted.path, what="load.signed path")
    signature = job.root / wanted.signature
    if not place.exists():
        raise UsageError(f"there is no `{wanted.path}`", where="load.signed", remedy="correct the path, or add it")
    if not signature.is_file():
        raise EvidenceError(
            f"signed-artifact-unsigned: `{wanted.path}` has no signature `{wanted.signature}`",
            remedy=f"who answers for it signs it: shipworthy sign {wanted.path} --output {wanted.signature} --key KEY",
        )
    result = verify_model(place, signature.read_bytes(), (load_public(job.root / wanted.key),))
    if not result.ok:
        raise EvidenceError(
            f"signed-artifact-changed: {wanted.path}/{result.differences[0]}",
            remedy="restore what was signed, or find out who changed it and why before it is signed again",
        )
