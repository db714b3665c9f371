"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure


def new_folder(place: Path | None = None, prefix: str = "shipworthy-") -> Path:
    """A folder that was not there, for its owner only: in `place`, or where temporary files go. Raises OSError."""
    if place is None and (given := os.environ.get("TMPDIR", "")).startswith("/"):
        place = Path(given)
    if place is not None and place.is_dir():
        folder = place / f"{prefix}{os.urandom(8).hex()}"
        folder.mkdir(mode=0o700)
        return folder
    import tempfile  # here: it imports much

    return Path(tempfile.mkdtemp(prefix=prefix))


def remove_folder(folder: Path, *known: str) -> None:
    """Remove a folder with all that is in it, as far as that can be; `known` are the files that it usually holds."""
    try:
        for name in known:
            os.unlink(folder / name)
        os.rmdir(folder)
    except OSError:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file, also by a link. A pipe would be waited for for ever, and a repository can bring one: it, and
    whatever else is no plain file, raises OSError.
    """
    import stat

    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return open(descriptor, "rb")


def read_regular(path: Path, most: int) -> bytes:
    """At most so many bytes of a plain file; raises OSError as `open_plain` does."""
    with open_plain(path) as stream:
        return stream.read(most)


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write to a temporary file beside `path`, fsync, rename, fsync the folder.

    What was there before stays until the new bytes are safe. Raises EnvironmentFailure when the disk is full or the
    folder cannot be written.
    """
    import tempfile

    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
        name = ""
        sync_folder(path.parent)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write: {error.strerror or error}", where=str(path), remedy="free space or choose a writable folder"
        ) from None
    finally:
        if name and os.path.exists(name):
            os.unlink(name)


def create_atomically(path: Path, data: bytes) -> None:
    """Make a file that was not there, whole, for its owner only. Raises FileExistsError when somebody else was first,
    OSError when it cannot be written."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")  # mode 0600
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(name, path)  # unlike a rename, fails when the file is there
    finally:
        os.unlink(name)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
