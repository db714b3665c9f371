"""What is signed must still be what was signed."""

from __future__ import annotations

import hashlib

from shipworthy.config import Signed
from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.oms import verify_model
from shipworthy.keys import load_public
from shipworthy.paths import inside


def verify_signed(job: Job) -> list[dict[str, str | int]]:
    """Verify every `[[load.signed]]`; what was verified by which key, for the record. Raises EvidenceError for the
    first that does not hold."""
    return [_verify(job, wanted) for wanted in job.settings.load.signed]


def _verify(job: Job, wanted: Signed) -> dict[str, str | int]:
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
    key, raw = load_public(job.root / wanted.key), signature.read_bytes()
    result = verify_model(place, raw, (key,))
    if not result.ok:
        raise EvidenceError(
            f"signed-artifact-changed: {wanted.path}/{result.differences[0]}",
            remedy="restore what was signed, or find out who changed it and why before it is signed again",
        )
    return {
        "path": wanted.path,
        "files": len(result.manifest.files),
        "signature": wanted.signature,
        "signature-digest": f"sha256:{hashlib.sha256(raw).hexdigest()}",
        "key": wanted.key,
        "key-id": key.keyid,
    }
