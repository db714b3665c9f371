"""What the verdict on a model depends on besides its own bytes: the files that it says its weights lie in."""

from __future__ import annotations

import hashlib
import os
import time

from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact
from shipworthy.modelfile.sniff import HEAD, sniff

# Formats that hold all of a model. Told by content: a graph may have any name.
_ALONE = frozenset(("pickle", "npy", "zip", "safetensors", "gguf", "hdf5"))
_READ = (
    "onnx",
    "",
)  # what lies in their files is looked at as well, so their content counts: by when it was last changed
_FILES = 20_000


def state(artifact: Artifact) -> str:
    """A digest of names and sizes of all files in the folder of such a model, and of their times if they are read:
    kept results are for the same.
    """
    kind = _format(artifact) if artifact.path is not None else ""
    if artifact.path is None or kind in _ALONE:
        return ""
    digest, seen, home = hashlib.sha256(), 0, os.path.dirname(os.path.abspath(artifact.path))
    for folder, folders, files in os.walk(home):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__", "node_modules")))
        for name in sorted(files):
            path = os.path.join(folder, name)
            try:
                status = os.stat(path)
                told = f"{status.st_size} {status.st_ctime_ns}" if kind in _READ else str(status.st_size)
            except OSError:  # a link that leads nowhere
                told = ""
            digest.update(f"{os.path.relpath(path, home)}\0{told}\0".encode("utf-8", "surrogatepass"))
        seen += len(files)
        if seen > _FILES:
            return str(time.time_ns())  # nothing is kept
    return digest.hexdigest()


def _format(artifact: Artifact) -> str:
    try:
        with artifact.open() as stream:
            return sniff(stream.read(HEAD), artifact.size) or ""
    except (OSError, ShipworthyError):
        return ""
