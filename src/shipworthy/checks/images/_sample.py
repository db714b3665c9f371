"""Small images for the checks' known-bad samples: archives in the OCI image layout."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

NAME = "image.oci.tar"  # by which, and by its content, it is known as an image


def archive(config: Mapping[str, Any], files: Mapping[str, bytes], modes: Mapping[str, int] | None = None) -> bytes:
    """An archive of an image of one layer. `config` is what the image says about running it."""
    layer = _tar(files, modes or {})
    content = {
        "architecture": "amd64",
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    blobs: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def add(data: bytes, kind: str) -> dict[str, object]:
        blobs[f"blobs/{_digest(data).replace(':', '/')}"] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": _digest(data), "size": len(data)}

    manifest = {
        "schemaVersion": 2,
        "config": add(json.dumps(content).encode(), "config.v1+json"),
        "layers": [add(layer, "layer.v1.tar")],
    }
    index = {"schemaVersion": 2, "manifests": [add(json.dumps(manifest).encode(), "manifest.v1+json")]}
    return _tar({**blobs, "index.json": json.dumps(index).encode()}, {})


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _tar(files: Mapping[str, bytes], modes: Mapping[str, int]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), modes.get(name, 0o644)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
