"""What the verdict on a model depends on besides its own bytes: the files that it says its weights lie in."""

from __future__ import annotations

import hashlib
import os
import time

from shipworthy.model import Artifact

# Formats that keep weights in other files, and those that are judged by what lies beside them.
_REFER = (
    ".onnx",
    ".ort",
    ".xml",
    ".index",
    ".index.json",
    ".mlmodel",
    ".bin",
    ".pdmodel",
    ".pdiparams",
    ".weights.json",
    "Manifest.json",
)
_FILES = 20_000


def state(artifact: Artifact) -> str:
    """A digest of the names and sizes of all files in the folder of such a model: kept results are for the same."""
    if artifact.path is None or not (artifact.uri.endswith(_REFER) or artifact.uri.lower().endswith(_REFER)):
        return ""
    digest, seen, home = hashlib.sha256(), 0, os.path.dirname(os.path.abspath(artifact.path))
    for folder, folders, files in os.walk(home):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__", "node_modules")))
        for name in sorted(files):
            path = os.path.join(folder, name)
            try:
                size = os.stat(path).st_size
            except OSError:  # a link that leads nowhere
                size = -1
            digest.update(f"{os.path.relpath(path, home)}\0{size}\0".encode("utf-8", "surrogatepass"))
        seen += len(files)
        if seen > _FILES:
            return str(time.time_ns())  # nothing is kept
    return digest.hexdigest()
