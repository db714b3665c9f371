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
_FILES = 20_000


def state(artifact: Artifact) -> str:
    """A digest of the names and sizes of all files in the folder of such a model: kept results are for the same."""
    if artifact.path is None or _alone(artifact):
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


def _alone(artifact: Artifact) -> bool:
    try:
        with artifact.open() as stream:
            return sniff(stream.read(HEAD), artifact.size) in _ALONE
    except (OSError, ShipworthyError):
        return False
