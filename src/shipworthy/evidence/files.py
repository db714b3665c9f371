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
    a file that is there could not be read. `parts` are folders in it: the evidence of what this thing was made from,
    such as an image's model.
    """

    bundles: Mapping[str, bytes] = field(default_factory=dict)
    manifests: Mapping[str, bytes] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, EvidenceSet] = field(default_factory=dict)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> EvidenceSet:
        """Sort files by what their names say they are; others (reports) are not evidence themselves."""
        own = {name: raw for name, raw in files.items() if "/" not in name}
        inner: dict[str, dict[str, bytes]] = {}
        for name, raw in files.items():
            part, slash, rest = name.partition("/")
            if slash and "/" not in rest:  # one level: evidence is no tree
                inner.setdefault(part, {})[rest] = raw
        return cls(
            {name: raw for name, raw in own.items() if is_bundle(name)},
            {name: raw for name, raw in own.items() if name.endswith(MANIFEST_SUFFIX)},
            parts={part: cls.from_files(inside) for part, inside in inner.items()},
        )

    @classmethod
    def from_dir(cls, folder: Path, depth: int = 1) -> EvidenceSet:
        """Read a folder of evidence, and the folders in it. Raises UsageError when there is none, RefusedError for too
        many files.
        """
        try:
            names = sorted(path.name for path in folder.iterdir())
            folders = [name for name in names if (folder / name).is_dir() and not (folder / name).is_symlink()]
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
        inner = {name: cls.from_dir(folder / name) for name in folders} if depth else {}
        return cls(found.bundles, found.manifests, unreadable, {name: part for name, part in inner.items() if part})

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.bundles or self.manifests or self.unreadable or self.parts)

    def all_files(self) -> dict[str, bytes]:
        """Every file that could be read, by name; those of a part as `part/name`."""
        inner = {
            f"{part}/{name}": raw for part, inside in self.parts.items() for name, raw in inside.all_files().items()
        }
        return {**self.bundles, **self.manifests, **inner}

    def manifest(self, digest: str) -> Manifest | None:
        """The manifest whose digest this is, if it is among the evidence."""
        for raw in self.manifests.values():
            if sha256_bytes(raw) == digest:
                return Manifest.parse(raw)
        return None


def is_bundle(name: str) -> bool:
    """Whether the name says that the file is signed."""
    return name.endswith(BUNDLE_SUFFIX) or name.rpartition("/")[2] == MODEL_SIGNATURE_NAME


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
