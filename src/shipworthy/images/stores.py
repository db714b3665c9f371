"""Where an image's blobs lie: a folder in the OCI image layout, or one archive of it or of `docker save`."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from shipworthy.images.errors import DEFAULT, HostileError, ImageError, Limits
from shipworthy.images.streams import GZIP, ZSTD, algorithm_of
from shipworthy.images.tar import Reader

_MEMBERS = 100_000
_HOPS = 8


class Store(Protocol):
    """Files by their names (`index.json`, `blobs/sha256/...`). Nothing is verified here."""

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def open(self, name: str) -> _Opened:
        """The file, at its start, and its size in bytes. Raises ImageError when it is not there."""
        ...


class _Opened:
    """An open file of which `size` bytes count from where it stands."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()


def blob_name(digest: str) -> str:
    """Where the layout keeps a blob (image-layout.md, "Blobs"). Raises ImageError for a digest that is none."""
    algorithm_of(digest)
    return "blobs/" + digest.replace(":", "/")


class FolderStore:
    """A folder. Links in it are not followed: blobs are files of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, name: str) -> bool:
        """See Store."""
        try:
            return stat.S_ISREG(os.lstat(self._folder / name).st_mode)
        except (OSError, ValueError):
            return False

    def open(self, name: str) -> _Opened:
        """See Store."""
        if not name or "\0" in name or name.startswith("/") or ".." in name.split("/"):
            raise HostileError("a name leads out of the image's folder", where=name[:80])
        try:
            above = self._folder
            for part in posixpath.dirname(name).split("/"):
                above = above / part
                if part and stat.S_ISLNK(os.lstat(above).st_mode):
                    raise HostileError("a folder of blobs is a link", where=name)
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise HostileError("a blob is a link", where=name) from None
            raise _missing(name, error.strerror or "") from None
        stream = os.fdopen(handle, "rb")
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            stream.close()
            raise HostileError("a blob is no plain file", where=name)
        return _Opened(stream, status.st_size)


class ArchiveStore:
    """A tar archive, not compressed: its members are found by one walk over the headers."""

    def __init__(self, path: Path, limits: Limits = DEFAULT) -> None:
        self._path = path
        self._members: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        with _reading(path) as stream:
            head = stream.read(6)
            if head.startswith((GZIP, ZSTD, b"BZh", b"\xfd7zXZ")):
                raise ImageError(
                    "the archive is compressed as a whole", where=path.name, remedy="unpack it first (gzip -d, zstd -d)"
                )
            stream.seek(0)
            self._index(_Seeking(stream), limits)

    def _index(self, stream: _Seeking, limits: Limits) -> None:
        reader = Reader(stream, limits, where=self._path.name)
        for entry in reader:
            if entry.number > _MEMBERS:
                raise ImageError(f"the archive holds more than {_MEMBERS:,} files", where=self._path.name)
            name = posixpath.normpath(entry.name).lstrip("/")
            if entry.kind == "file":
                self._members[name] = (entry.offset, entry.size)
                self._links.pop(name, None)
                stream.jump(entry.size, self._path.name)
                reader.passed()
            elif entry.kind in ("symlink", "hardlink"):
                base = posixpath.dirname(name) if entry.kind == "symlink" else ""
                self._links[name] = posixpath.normpath(posixpath.join(base, entry.link)).lstrip("/")
                self._members.pop(name, None)

    def _place(self, name: str) -> tuple[int, int] | None:
        for _ in range(_HOPS):
            if name in self._members or name not in self._links:
                return self._members.get(name)
            name = self._links[name]
        return None

    def has(self, name: str) -> bool:
        """See Store."""
        return self._place(name) is not None

    def open(self, name: str) -> _Opened:
        """See Store."""
        place = self._place(name)
        if place is None:
            raise _missing(name, "the archive has no such file")
        stream = _open(self._path)
        stream.seek(place[0])
        return _Opened(stream, place[1])


class _Seeking:
    """Headers are read, data is jumped over."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._end = stream.seek(0, 2)
        stream.seek(0)

    def read(self, size: int) -> bytes:
        return self._stream.read(size)

    def jump(self, size: int, where: str) -> None:
        if self._stream.tell() + size > self._end:
            raise ImageError("the archive ends within a file", where=where)
        self._stream.seek(size, 1)


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    stream = _open(path)
    try:
        yield stream
    finally:
        stream.close()


def _open(path: Path) -> BinaryIO:
    try:
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}", where=path.name) from None
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise ImageError("is no plain file", where=path.name)
    return stream


def _missing(name: str, reason: str) -> ImageError:
    return ImageError(
        f"a part of the image is not there ({reason})",
        where=name,
        remedy="the copy is incomplete, or keeps layers elsewhere: fetch or build the image again",
    )


def open_store(path: Path, limits: Limits = DEFAULT) -> Store:
    """The store of a folder or an archive. Raises ImageError when there is none."""
    if path.is_dir():
        return FolderStore(path)
    return ArchiveStore(path, limits)
