"""The files of the evidence: written whole or not at all, read bounded and without following links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence.digest import MANIFEST_LIMIT, Manifest, sha256_bytes
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.strictjson import SIZE_LIMIT

BUNDLE_SUFFIX = ".sigstore.json"
MANIFEST_SUFFIX = ".manifest.json"
MODEL_SIGNATURE_NAME = "model.sig"
FILES_LIMIT = 1000
TOTAL_LIMIT = 512 * 1024 * 1024


@dataclass(frozen=True)
class EvidenceSet:
    """Files of evidence by name: bundles and `model.sig` in `bundles`, manifests in `manifests`. `unreadable` says why
    a file that is there could not be read.
    """

    bundles: Mapping[str, bytes] = field(default_factory=dict)
    manifests: Mapping[str, bytes] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> EvidenceSet:
        """Sort files by what their names say they are; others (reports) are not evidence themselves."""
        bundles = {name: raw for name, raw in files.items() if is_bundle(name)}
        manifests = {name: raw for name, raw in files.items() if name.endswith(MANIFEST_SUFFIX)}
        return cls(bundles, manifests)

    @classmethod
    def from_dir(cls, folder: Path) -> EvidenceSet:
        """Read a folder of evidence. Raises UsageError when there is none, RefusedError for too many files."""
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            raise UsageError(f"the evidence cannot be listed: {error.strerror}", where=str(folder)) from None
        wanted = [name for name in names if is_bundle(name) or name.endswith(MANIFEST_SUFFIX)]
        if len(wanted) > FILES_LIMIT:
            raise RefusedError(f"more than {FILES_LIMIT} files of evidence", where=str(folder))
        files: dict[str, bytes] = {}
        unreadable: dict[str, str] = {}
        room = TOTAL_LIMIT
        for name in wanted:
            try:
                files[name] = read_bounded(folder / name, min(SIZE_LIMIT if is_bundle(name) else MANIFEST_LIMIT, room))
                room -= len(files[name])
            except (RefusedError, EnvironmentFailure) as error:
                unreadable[name] = error.message
        found = cls.from_files(files)
        return cls(found.bundles, found.manifests, unreadable)

    def manifest(self, digest: str) -> Manifest | None:
        """The manifest whose digest this is, if it is among the evidence."""
        for raw in self.manifests.values():
            if sha256_bytes(raw) == digest:
                return Manifest.parse(raw)
        return None


def is_bundle(name: str) -> bool:
    """Whether the name says that the file is signed."""
    return name.endswith(BUNDLE_SUFFIX) or name == MODEL_SIGNATURE_NAME


def read_bounded(path: Path, limit: int) -> bytes:
    """A regular file's bytes. Raises RefusedError for a link, another kind of file, or more than `limit` bytes;
    UsageError when there is none; EnvironmentFailure when it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise UsageError("there is no such file", where=str(path)) from None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise RefusedError("this is no regular file", where=str(path)) from None
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError("this is no regular file", where=str(path))
    with open(descriptor, "rb") as stream:
        try:
            raw = stream.read(limit + 1)
        except OSError as error:
            raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(raw) > limit:
        raise RefusedError(f"larger than {limit} bytes", where=str(path))
    return raw
