"""What the verdict on a model depends on besides its own bytes: the files that it says its weights lie in."""

from __future__ import annotations

import hashlib
import os
import time

from shipworthy.check import Context

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
)
_FILES = 20_000


def state(context: Context) -> str:
    """A digest of the names and sizes of all files of a tree that holds such a model: kept results are for the same."""
    found: list[str] = []
    refers = False
    for folder, folders, files in os.walk(context.root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__", "node_modules")))
        refers = refers or any(name.lower().endswith(_REFER) or name == "Manifest.json" for name in files)
        if len(found) <= _FILES:
            found += (os.path.join(folder, name) for name in sorted(files))
    if refers and len(found) > _FILES:
        return str(time.time_ns())  # nothing is kept
    digest = hashlib.sha256()
    for path in found if refers else ():
        try:
            size = os.stat(path).st_size
        except OSError:  # a link that leads nowhere
            size = -1
        relative = os.path.relpath(path, context.root)
        digest.update(f"{relative}\0{size}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
