"""What takes long to make and is the same for every build: kept in the user's cache, never in the workspace."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from shipworthy.building import local_base, wheels
from shipworthy.engine.stage import Job
from shipworthy.errors import UsageError
from shipworthy.files import new_folder, remove_folder
from shipworthy.images import open_image
from shipworthy.images.errors import ImageError
from shipworthy.user_folders import cache_folder


def this_python(shelf: Path) -> Path:
    """An image of this machine's Python as an OCI layout, verified to the last blob before it is used."""

    def whole(folder: Path) -> bool:
        try:
            open_image(folder).verify()
        except (ImageError, OSError):
            return False
        return True

    return _kept(f"base-{_short(local_base.identity())}", lambda folder: local_base.python_base(folder), whole, shelf)


def fetched_wheels(requirements: Path, target: Path, shelf: Path) -> dict[str, str]:
    """Put the wheels of a requirements file, which must pin digests, into the folder `target`; the digest of each by
    name. Those that are kept are asked for anew when one of them is not in the requirements' own digests. Raises what
    `fetch` raises, and UsageError when the folder is there: what lies in it came with the project."""
    if target.exists():
        raise UsageError(
            f"the project has a folder `{target.name}`, which is filled from what is pinned",
            where="[image] wheels",
            remedy=f"move `{target.name}` away, or leave `[image] wheels` out to build from it",
        )
    raw = requirements.read_bytes()
    wanted = _short(hashlib.sha256(raw).hexdigest() + local_base.identity())

    def whole(folder: Path) -> bool:
        files = [path for path in folder.iterdir() if path.is_file()]
        return bool(files) and all(hashlib.sha256(p.read_bytes()).hexdigest().encode() in raw for p in files)

    folder = _kept(f"wheels-{wanted}", lambda folder: wheels.fetch(requirements, folder), whole, shelf)
    shutil.copytree(folder, target)
    found = sorted(target.iterdir())
    return {path.name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in found}


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def shelf(job: Job) -> Path:
    """Where such things are kept: the user's cache, or the run's own folder for who wants no cache."""
    return (cache_folder() if job.settings.scan.cache else job.folder) / "builds"


def _kept(name: str, make: Callable[[Path], object], whole: Callable[[Path], bool], shelf: Path) -> Path:
    """The folder of this name on the shelf, made if it is not there or not whole any more."""
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = shelf / name
    if folder.is_dir():
        if whole(folder):
            return folder
        remove_folder(folder)
    fresh = new_folder(shelf, f".{name}-")
    try:
        make(fresh)
        try:
            os.rename(fresh, folder)
        except OSError:  # another run was faster
            if not whole(folder):
                raise
    finally:
        if fresh.is_dir():
            remove_folder(fresh)
    return folder
