"""An image out of a store, as an OCI layout: each blob is checked against its digest while it is copied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from shipworthy.engine.stage import Job
from shipworthy.evidence.inner import IMAGE_MANIFEST_LIMIT, blobs_of
from shipworthy.stages.stored import store_at
from shipworthy.stores import Store

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def fetch_image(job: Job, digest: str) -> Path:
    """The stored image of this run as a layout in the run's folder. Raises EvidenceError when a blob is not what its
    digest says."""
    store = store_at(job.detail("store", "stores")[0], job.settings.store, job.root)
    return write_layout(store, digest, job.folder / "deployed-image")


def write_layout(store: Store, digest: str, folder: Path) -> Path:
    """Write the image's blobs and an index of the one image to a new folder."""
    if folder.exists():
        shutil.rmtree(folder)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    raw = store.read(digest, IMAGE_MANIFEST_LIMIT)
    (blobs / digest.removeprefix("sha256:")).write_bytes(raw)
    for part, _ in dict.fromkeys(blobs_of(raw)):
        with store.open(part) as source, (blobs / part.removeprefix("sha256:")).open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    kind = json.loads(raw).get("mediaType", _MANIFEST)
    index = {"schemaVersion": 2, "manifests": [{"mediaType": kind, "digest": digest, "size": len(raw)}]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder
