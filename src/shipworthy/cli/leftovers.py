"""A folder for the temporary files of one process, and what processes that were killed have left of theirs.

The owner holds a lock on `lock` in its folder as long as it lives: whoever gets that lock may remove the folder.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import stat
import sys
from pathlib import Path

from shipworthy.files import new_folder, remove_folder

_PREFIX = "shipworthy-"
_LONGEST = 50  # characters: sockets of worker processes lie below, and their paths may have 107


def use_own_temporary_folder() -> None:
    """Let temporary files of this process and its workers go to a folder of its own, which goes when the process ends;
    before, remove those of processes that are no more. Where none can be made, everything stays as it is."""
    place = Path(_temporary_place())
    if len(str(place)) > _LONGEST:
        return
    with contextlib.suppress(OSError):
        _remove_abandoned(place)
    try:
        folder = new_folder(place, _PREFIX)
        lock = os.open(folder / "new", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the process ends
        os.rename(folder / "new", folder / "lock")  # nobody sees it before it is held
    except OSError:
        return
    # what is registered first is run last: multiprocessing removes its own folder in this one before
    atexit.register(remove_folder, folder, "lock")
    os.environ["TMPDIR"] = str(folder)
    if "tempfile" in sys.modules:  # it has looked there already
        vars(sys.modules["tempfile"])["tempdir"] = str(folder)


def _temporary_place() -> str:
    """Where `tempfile` puts its files. Importing it takes as long as all else that is done here."""
    for place in (os.environ.get("TMPDIR"), os.environ.get("TEMP"), os.environ.get("TMP"), "/tmp"):  # noqa: S108
        if place:
            if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
                return os.path.abspath(place)
            break
    import tempfile

    return tempfile.gettempdir()


def _remove_abandoned(place: Path) -> None:
    for name in os.listdir(place):
        if name.startswith(_PREFIX):
            with contextlib.suppress(OSError):
                _remove(place / name)


def _remove(folder: Path) -> None:
    """Remove it if it is a real folder of this user whose lock nobody holds. One without a lock is being made."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        return
    lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        import shutil

        shutil.rmtree(folder)  # does not follow links
    finally:
        os.close(lock)
