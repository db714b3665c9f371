"""A store in a folder: `blobs/sha256/<2>/<hex>`, `refs/<name>/<version>.json`, `refs/<name>/latest`.

A blob is written to `tmp/`, checked, made durable and read-only, then renamed into place: whatever crashes or fills up,
a name under `blobs/` always means whole bytes. A reference is written once under a lock; only `latest` moves. What a
crash leaves in `tmp/` means nothing and may be deleted.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.files import sync_folder
from shipworthy.stores import Ref, TreeManifest
from shipworthy.stores._shared import (
    BUFFER,
    REF_LIMIT,
    VERSION,
    check_digest,
    check_name,
    is_name,
    open_regular,
    reading,
)

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class LocalStore:
    """A store in the folder `root`, safe for several processes on one machine. See `Store` for what its methods do."""

    root: Path

    def put_file(self, path: Path, expected: str = "") -> str:
        """Keep a file's bytes. A link is not followed."""
        return self._put_from(path, expected)

    def put_bytes(self, data: bytes, expected: str = "") -> str:
        """Keep bytes."""
        with self._staged() as (stream, temporary):
            stream.write(data)
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            return self._keep(stream, temporary, digest, expected, "the bytes")

    def put_blocks(self, blocks: Iterable[bytes], expected: str) -> str:
        """Keep bytes that come from elsewhere. What the iterator raises leaves nothing behind."""
        with self._staged() as (stream, temporary):
            hasher = hashlib.sha256()
            for block in blocks:
                hasher.update(block)
                stream.write(block)
            return self._keep(stream, temporary, f"sha256:{hasher.hexdigest()}", expected, "the bytes")

    def put_tree(self, root: Path, manifest: TreeManifest) -> str:
        """Keep a folder's files, each of which must still have the digest that the manifest gives; the manifest comes
        last, so that a folder is either kept whole or not known.
        """
        single = root.is_file()
        for entry in manifest.entries:
            if not entry.path.endswith("/"):
                self._put_from(root if single else root / entry.path, entry.digest)
        return self.put_bytes(manifest.to_bytes())

    def get(self, digest: str) -> Path:
        """The checked path."""
        self.open(digest).close()
        return self._path(digest)

    def open(self, digest: str) -> BinaryIO:
        """The checked bytes, from their start."""
        stream = self._opened(digest)
        try:
            actual = _hash(stream, self._path(digest))
            if actual != digest:
                raise _damaged(digest, actual, self._path(digest))
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
        return stream

    def read(self, digest: str, limit: int) -> bytes:
        """The checked bytes, all of them. Raises EvidenceError when there are more than `limit`."""
        with self._opened(digest) as stream, reading(self._path(digest)):
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise EvidenceError(f"larger than {limit} bytes", where=str(self._path(digest)))
        actual = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if actual != digest:
            raise _damaged(digest, actual, self._path(digest))
        return data

    def get_tree(self, manifest: TreeManifest, destination: Path) -> None:
        """Write the folder to `destination`, which must not exist. It appears whole or not at all."""
        if os.path.lexists(destination):
            raise UsageError("there is something already", where=str(destination), remedy="give a new folder's name")
        with _writing(destination):
            destination.parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(dir=destination.parent, prefix=f".{destination.name}."))
        try:
            for entry in manifest.entries:
                self._materialise(entry.path, entry.digest, entry.executable, building)
            with _writing(destination):
                building.chmod(0o755)
                building.rename(destination)
        except BaseException:
            _remove_tree(building)
            raise

    def locate(self, digest: str) -> Path | None:
        """Where the bytes lie, unchecked."""
        path = self._path(digest)
        with reading(path):
            return path if path.is_file() and not path.is_symlink() else None

    def check_writable(self) -> None:
        """Write and remove a file of one block."""
        with self._staged() as (stream, _), _writing(self.root):
            stream.write(bytes(4096))
            stream.flush()

    def put_ref(self, name: str, version: str, raw: bytes) -> Ref:
        """Write `<version>.json` once, then point `latest` at it. The same bytes again are accepted."""
        path = self._ref_path(name, version)
        ref = Ref(name, version, raw, f"sha256:{hashlib.sha256(raw).hexdigest()}")
        pointer = _pointer(version, ref.digest)
        with self._locked():
            with _writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(path):
                if _read_small(path) != raw:
                    raise UsageError(
                        f"{name} {version} is stored already, with other contents",
                        where=str(path),
                        remedy="a released version never changes: choose a new version",
                    )
            else:
                self._replace(path, raw, 0o444)
            self._replace(path.parent / "latest", pointer, 0o644)
        return ref

    def get_ref(self, name: str, version: str = "latest") -> Ref:
        """The reference's bytes; `latest` follows the pointer and checks that it fits."""
        expected = ""
        if version == "latest":
            version, expected = self._latest(name)
        path = self._ref_path(name, version)
        if not os.path.lexists(path):
            if expected or self._pointed_at(name) == version:
                raise EvidenceError(
                    f"the release {version} is gone, and it is the latest of {name}",
                    where=str(path),
                    remedy="restore the reference from a copy of the store, or from the run's evidence",
                )
            known = ", ".join(self.versions(name)[-10:])
            raise UsageError(
                f"the store does not have {name} {version}",
                where=str(self.root),
                remedy=f"known versions: {known}" if known else "no version of this name was stored here",
            )
        raw = _read_small(path)
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        if expected and digest != expected:
            raise _damaged(expected, digest, path)
        return Ref(name, version, raw, digest)

    def names(self) -> tuple[str, ...]:
        """The folders of references."""
        folder = self.root / "refs"
        try:
            return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and is_name(path.name)))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise EnvironmentFailure(f"cannot be listed: {error.strerror}", where=str(folder)) from None

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of the name; none when it is not known."""
        folder = self._ref_path(name, "0").parent
        try:
            return tuple(sorted(path.stem for path in folder.iterdir() if path.name.endswith(".json")))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise EnvironmentFailure(f"cannot be listed: {error.strerror}", where=str(folder)) from None

    def _path(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if not match:
            raise UsageError("this is no digest (sha256: and 64 hex digits)", where=digest[:80])
        return self.root / "blobs" / "sha256" / match[1][:2] / match[1]

    def _ref_path(self, name: str, version: str) -> Path:
        check_name(name, version)
        return self.root / "refs" / name / f"{version}.json"

    def _latest(self, name: str) -> tuple[str, str]:
        pointer = self._ref_path(name, "0").parent / "latest"
        if not os.path.lexists(pointer):
            if self.versions(name):
                raise EvidenceError(
                    "the pointer to the latest version is gone", where=str(pointer), remedy="name a version"
                )
            raise UsageError(f"the store does not have {name}", where=str(self.root), remedy="store a release first")
        raw = _read_small(pointer)
        try:
            value = json.loads(raw)
            version, digest = value["version"], value["digest"]
            fits = bool(VERSION.fullmatch(version) and _DIGEST.fullmatch(digest))
            sound = fits and raw == _pointer(version, digest)  # to the byte: a changed pointer is never passed over
        except (ValueError, KeyError, TypeError, RecursionError):
            sound = False
        if not sound:
            raise EvidenceError(
                "the pointer to the latest version is damaged", where=str(pointer), remedy="name a version"
            )
        return version, digest

    def _pointed_at(self, name: str) -> str:
        """The version that is said to be the latest; empty when nothing sound says so."""
        try:
            return self._latest(name)[0]
        except (UsageError, EvidenceError):
            return ""

    @contextmanager
    def _staged(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A new file under `tmp/` that is gone afterwards, unless it was renamed. Explains OSErrors of its user."""
        folder = self.root / "tmp"
        with _writing(self.root):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=folder)
            try:
                with open(descriptor, "w+b") as stream:
                    yield stream, Path(name)
            finally:
                with suppress(OSError):
                    Path(name).unlink()

    def _put_from(self, path: Path, expected: str) -> str:
        with open_regular(path) as source, self._staged() as (stream, temporary):
            hasher, room = hashlib.sha256(), os.fstat(source.fileno()).st_size
            while chunk := _read_chunk(source, path):
                room -= len(chunk)
                if room < 0:  # one that grows as fast as it is read must not fill the disk
                    raise EvidenceError("the file grew while it was read", where=str(path), remedy="try again")
                hasher.update(chunk)
                stream.write(chunk)
            return self._keep(stream, temporary, f"sha256:{hasher.hexdigest()}", expected, str(path))

    def _keep(self, stream: BinaryIO, temporary: Path, digest: str, expected: str, where: str) -> str:
        check_digest(digest, expected, where)
        final = self._path(digest)
        if os.path.lexists(final):
            self.open(digest).close()  # what is there must be those bytes; damage is never papered over
            return digest
        stream.flush()
        os.fchmod(stream.fileno(), 0o444)
        os.fsync(stream.fileno())
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(final)
        sync_folder(final.parent)
        return digest

    def _opened(self, digest: str) -> BinaryIO:
        path = self._path(digest)
        try:
            return open_regular(path)
        except UsageError:
            raise UsageError(f"the store does not have {digest}", where=str(self.root)) from None

    def _materialise(self, name: str, digest: str, executable: bool, folder: Path) -> None:
        target = folder / name
        if name.startswith("/") or any(part in {"", ".", ".."} for part in name.removesuffix("/").split("/")):
            raise EvidenceError("the manifest names a file outside of its folder", where=name[:80])
        with _writing(target):
            if name.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            hasher = hashlib.sha256()
            with self._opened(digest) as source, target.open("xb") as sink:
                while chunk := _read_chunk(source, self._path(digest)):
                    hasher.update(chunk)
                    sink.write(chunk)
            target.chmod(0o755 if executable else 0o644)
        if f"sha256:{hasher.hexdigest()}" != digest:
            raise _damaged(digest, f"sha256:{hasher.hexdigest()}", self._path(digest))

    def _replace(self, path: Path, data: bytes, mode: int) -> None:
        with self._staged() as (stream, temporary):
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
            temporary.rename(path)
            sync_folder(path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer of references at a time; the lock goes with its process."""
        with _writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _writing(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_write(error, where) from None


def _cannot_write(error: OSError, where: Path) -> EnvironmentFailure:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        problem, remedy = "the disk is full; nothing half-written was kept", "free space, then try again"
    elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        problem, remedy = "the store cannot be written to", "correct its permissions, or name another folder"
    elif error.errno in {errno.ENOTDIR, errno.EEXIST}:
        problem, remedy = "there is a file where the store's folder should be", "name another folder"
    else:
        problem, remedy = f"the store cannot be written to: {error.strerror}", "check the disk, then try again"
    return EnvironmentFailure(problem, where=str(where), remedy=remedy)


def _read_chunk(stream: BinaryIO, path: Path) -> bytes:
    with reading(path):
        return stream.read(BUFFER)


def _read_small(path: Path) -> bytes:
    with open_regular(path) as stream, reading(path):
        raw = stream.read(REF_LIMIT + 1)
    if len(raw) > REF_LIMIT:
        raise EvidenceError(f"larger than {REF_LIMIT} bytes", where=str(path))
    return raw


def _pointer(version: str, digest: str) -> bytes:
    return json.dumps({"digest": digest, "version": version}, sort_keys=True).encode() + b"\n"


def _hash(stream: BinaryIO, path: Path) -> str:
    hasher = hashlib.sha256()
    while chunk := _read_chunk(stream, path):
        hasher.update(chunk)
    return f"sha256:{hasher.hexdigest()}"


def _damaged(expected: str, actual: str, path: Path) -> EvidenceError:
    return EvidenceError(
        f"the stored bytes are damaged: {actual} instead of {expected}",
        where=str(path),
        remedy="delete the damaged file, then store the release again from where it was made",
    )


def _remove_tree(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
