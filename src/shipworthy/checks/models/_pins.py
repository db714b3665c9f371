"""Which package a name in a model belongs to, and whether the project pins it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shipworthy.check import Context
from shipworthy.records import dataclass

_FILES = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "requirements.txt", "requirements.lock")
_SIZE_LIMIT = 20_000_000  # bytes, as for the checks of dependencies
_FOLDERS = ("", "requirements")
# Packages whose import name is another one.
_PACKAGE = {
    "sklearn": "scikit-learn", "skimage": "scikit-image", "imblearn": "imbalanced-learn", "cv2": "opencv-python",
    "PIL": "pillow", "yaml": "pyyaml", "dateutil": "python-dateutil", "umap": "umap-learn", "bs4": "beautifulsoup4",
    "skopt": "scikit-optimize", "surprise": "scikit-surprise", "sksurv": "scikit-survival", "attr": "attrs",
    "pkg_resources": "setuptools", "pl_bolts": "lightning-bolts", "faiss": "faiss-cpu", "google": "protobuf",
}  # fmt: skip


@dataclass(frozen=True)
class Pin:
    """An exact version, and the file that gives it."""

    version: str
    file: str


def pins(root: Path) -> dict[str, Pin]:
    """Normalized package name -> pin, from the lock and requirements files at the top of the workspace.

    A file that can't be read gives no pins: they only explain a finding and never remove one.
    """
    from shipworthy.checks.dependencies._lockfiles import reader_for
    from shipworthy.checks.dependencies._manifest import Unread
    from shipworthy.checks.dependencies._requirements import parse

    found: dict[str, Pin] = {}
    for path in _paths(root):
        try:
            text = path.read_bytes().decode("utf-8-sig")
            reader = reader_for(path.name.lower())
            manifest = reader(text) if reader else parse(text, path.name)
        except (OSError, UnicodeDecodeError, Unread):
            continue
        for item in manifest.dependencies:
            if item.version:
                found.setdefault(item.name, Pin(item.version, path.relative_to(root).as_posix()))
    return found


def state(context: Context) -> str:
    """What the pins depend on: the digest of the files that they are read from."""
    digest = hashlib.sha256()
    for path in _paths(context.root):
        try:
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        except OSError:
            continue
    return digest.hexdigest()


def explain(callable_: str, known: dict[str, Pin]) -> str:
    """What to add to a finding about `module:name`: which pinned package brings it, or nothing."""
    top = callable_.partition(":")[0].partition(".")[0]
    for name in (_PACKAGE.get(top, top), top):
        normal = name.replace("_", "-").replace(".", "-").lower()
        pin = known.get(normal)
        if pin:
            return (
                f"; it belongs to {normal} {pin.version}, which {pin.file} pins: the code is the one that was locked, "
                "but whether this use of it is harmless is not known"
            )
    return ""


def _paths(root: Path) -> list[Path]:
    found = []
    for folder in _FOLDERS:
        for name in _FILES:
            path = root / folder / name
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _SIZE_LIMIT:
                found.append(path)
    return found
