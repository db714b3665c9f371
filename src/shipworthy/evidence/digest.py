"""Digests of files and folders: what is hashed is what is there, and nothing is left out without being named.

A file's digest is the SHA-256 of its bytes. A folder's digest is the SHA-256 of its manifest, a canonical JSON text
that lists every file with path, size, executable bit and digest (a digest over the files' digests alone, as in OpenSSF
Model Signing, would not cover their names).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.names import check_digest, check_path, check_paths, check_spelling
from shipworthy.evidence.strictjson import canonical, load

BUFFER = 1024 * 1024
MANIFEST_TYPE = "https://shipworthy.dev/manifest/v1"
MANIFEST_LIMIT = 64 * 1024 * 1024
DEPTH_LIMIT = 100
Progress = Callable[[int], None]

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: opening a FIFO must not hang


def sha256_bytes(data: bytes) -> str:
    """`sha256:` and the hex digest of the bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def sha256_file(path: Path, progress: Progress | None = None) -> str:
    """`sha256:` and the hex digest of a regular file, read in pieces of 1 MiB.

    `progress` is told the number of bytes of each piece. Raises RefusedError when it is no regular file (a link is not
    followed) or changes while it is read, UsageError when there is none, EnvironmentFailure when it cannot be read.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise _explained(error, str(path)) from None
    try:
        return _hash_open(descriptor, str(path), progress)[0]
    finally:
        os.close(descriptor)


def digest_of(path: Path, progress: Progress | None = None) -> str:
    """The digest of what is there: a file's own, or that of a folder's manifest. Raises as `sha256_file` does."""
    if path.is_dir() and not path.is_symlink():
        return Manifest.of(path, progress=progress).digest
    return sha256_file(path, progress)


@dataclass(frozen=True, order=True)
class Entry:
    """One file of a manifest; `size` in bytes. An empty folder is an entry too: its path ends in `/`, its digest is
    empty.
    """

    path: str
    size: int = 0
    executable: bool = False
    digest: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"path": self.path, "size": self.size, "executable": self.executable, "digest": self.digest}


@dataclass(frozen=True)
class Difference:
    """How a path differs from its manifest: `what` is changed, mode, missing or extra."""

    what: str
    path: str
    expected: str = ""
    actual: str = ""

    def __str__(self) -> str:
        return f"{self.path} {'changed' if self.what == 'changed' else f'({self.what})'}"


@dataclass(frozen=True)
class Manifest:
    """Every file of a folder (or the one file), sorted by path. `left_out` names top-level entries that the caller
    excluded by name; it is part of the digest.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, path: Path, *, leave_out: frozenset[str] = frozenset(), progress: Progress | None = None) -> Manifest:
        """Read a folder, or a file (one entry with the file's name).

        Raises RefusedError for links, devices, FIFOs, sockets, names that are not portable, and files that change while
        they are read; UsageError when there is nothing; EnvironmentFailure when something cannot be read.
        """
        where = str(path)
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise _explained(error, where) from None
        try:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                entries = sorted(_walk(descriptor, "", where, leave_out, progress, 0))
            else:
                entries = [_entry(descriptor, check_path(path.name), where, progress)]
        finally:
            os.close(descriptor)
        return cls(tuple(entries), tuple(sorted(leave_out)))

    @classmethod
    def parse(cls, raw: bytes) -> Manifest:
        """Read a manifest's canonical bytes. Raises RefusedError for anything else, other ways to write it included."""
        value = load(raw, "the manifest", limit=MANIFEST_LIMIT)
        if not isinstance(value, dict) or value.get("type") != MANIFEST_TYPE:
            raise RefusedError("this is no manifest that shipworthy wrote")
        try:
            entries = tuple(Entry(**item) for item in value["entries"])
            manifest = cls(entries, tuple(value["leftOut"]))
            typed = all(_typed(entry) for entry in entries)
        except (KeyError, TypeError):
            raise RefusedError("the manifest is incomplete") from None
        if not typed or manifest.to_bytes() != raw or list(entries) != sorted(entries):
            raise RefusedError("the manifest is not in its canonical form")
        check_paths(entry.path.removesuffix("/") for entry in entries)
        for entry in entries:
            if not entry.path.endswith("/"):
                check_digest(entry.digest, entry.path)
        return manifest

    def to_bytes(self) -> bytes:
        """The canonical JSON text."""
        entries = [entry.as_dict() for entry in self.entries]
        return canonical({"type": MANIFEST_TYPE, "entries": entries, "leftOut": list(self.left_out)})

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical text: the digest of the folder."""
        return sha256_bytes(self.to_bytes())

    @property
    def files(self) -> tuple[Entry, ...]:
        """The entries without the empty folders."""
        return tuple(entry for entry in self.entries if not entry.path.endswith("/"))

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(entry.size for entry in self.entries)

    def differences(self, actual: Manifest) -> tuple[Difference, ...]:
        """What `actual` has that differs from this manifest, by path."""
        want = {entry.path: entry for entry in self.entries}
        have = {entry.path: entry for entry in actual.entries}
        found = []
        for path in sorted(want.keys() | have.keys()):
            old, new = want.get(path), have.get(path)
            if old is None:
                found.append(Difference("extra", path, "", new.digest if new else ""))
            elif new is None:
                found.append(Difference("missing", path, old.digest, ""))
            elif old.digest != new.digest:
                found.append(Difference("changed", path, old.digest, new.digest))
            elif old.executable != new.executable:
                found.append(Difference("mode", path, _mode(old), _mode(new)))
        return tuple(found)


def _typed(entry: Entry) -> bool:
    texts = isinstance(entry.path, str) and isinstance(entry.digest, str)
    return texts and type(entry.size) is int and type(entry.executable) is bool


def _mode(entry: Entry) -> str:
    return "executable" if entry.executable else "not executable"


def _walk(
    folder: int, prefix: str, root: str, leave_out: frozenset[str], progress: Progress | None, depth: int
) -> Iterator[Entry]:
    """Entries below an open folder; each name is opened relative to it, so no swapped folder can lead elsewhere."""
    if depth > DEPTH_LIMIT:
        raise RefusedError(f"folders are nested deeper than {DEPTH_LIMIT} levels", where=f"{root}/{prefix}")
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise _explained(error, f"{root}/{prefix}") from None
    _check_siblings(names, prefix, root)
    if not names and prefix:
        yield Entry(prefix)
    for name in names:
        if not prefix and name in leave_out:
            continue
        where = f"{root}/{prefix}{name}"
        try:
            descriptor = os.open(name, _FLAGS, dir_fd=folder)
        except OSError as error:
            raise _explained(error, where) from None
        try:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                yield from _walk(descriptor, f"{prefix}{name}/", root, leave_out, progress, depth + 1)
            else:
                yield _entry(descriptor, f"{prefix}{name}", where, progress)
        finally:
            os.close(descriptor)


def _check_siblings(names: list[str], prefix: str, root: str) -> None:
    spelled: dict[str, str] = {}
    for name in names:
        check_path(f"{prefix}{name}")
        check_spelling(spelled, name, f"{root}/{prefix}")


def _entry(descriptor: int, path: str, where: str, progress: Progress | None) -> Entry:
    digest, status = _hash_open(descriptor, where, progress)
    return Entry(path, status.st_size, bool(status.st_mode & 0o111), digest)


def _hash_open(descriptor: int, where: str, progress: Progress | None) -> tuple[str, os.stat_result]:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise RefusedError("this is no regular file", where=where, remedy="remove devices, pipes and sockets")
    hasher, buffer, total = hashlib.sha256(), bytearray(BUFFER), 0
    view = memoryview(buffer)
    try:
        # one that grows as fast as it is read must not be read for ever
        while total <= before.st_size and (count := os.readv(descriptor, [buffer])):
            hasher.update(view[:count])
            total += count
            if progress is not None:
                progress(count)
    except OSError as error:
        raise _explained(error, where) from None
    after = os.fstat(descriptor)
    if total != before.st_size or _state(before) != _state(after):
        raise RefusedError(
            "the file changed while it was read", where=where, remedy="stop what writes to it, then try again"
        )
    return f"sha256:{hasher.hexdigest()}", after


def _state(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)


def _explained(error: OSError, where: str) -> Exception:
    if error.errno == errno.ELOOP:
        return RefusedError("symbolic links are not followed", where=where, remedy="put the file itself in its place")
    if error.errno == errno.ENXIO:
        return RefusedError("this is no regular file", where=where, remedy="remove devices, pipes and sockets")
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return UsageError("there is no such file or folder", where=where)
    return EnvironmentFailure(f"cannot be read: {error.strerror}", where=where)
