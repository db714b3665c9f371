"""Compare the bytes that are at hand with the digests that evidence speaks of."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, ShipworthyError, UsageError
from shipworthy.evidence.digest import MANIFEST_LIMIT, Entry, Manifest, sha256_bytes, sha256_file
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import EvidenceSet, read_bounded
from shipworthy.evidence.resolve import Resolver

_AGAIN = "get the true file back, or make everything that rests on it again"
_MANIFEST_START = b'{"entries":['


@dataclass(frozen=True)
class Seen:
    """What became of looking for bytes: so many places were compared; `problem` is the first that is wrong."""

    places: int = 0
    problem: Problem | None = None


class Comparer:
    """Hashes what a resolver finds. `read` maps each path that was hashed to the digest found there."""

    def __init__(self, resolver: Resolver, evidence: EvidenceSet) -> None:
        self.read: dict[str, str] = {}
        self._resolver = resolver
        self._evidence = evidence
        self._manifests: dict[str, Manifest] = {}

    def bytes_of(self, name: str, digest: str) -> Seen:
        """Compare every place that the resolver names."""
        try:
            paths = list(dict.fromkeys(self._resolver(name, digest)))
        except (OSError, ShipworthyError) as error:
            return Seen(0, _unreadable(error))
        problems = [self._compare(path, name, digest) for path in paths]
        return Seen(len(paths), next((problem for problem in problems if problem), None))

    def manifest(self, digest: str) -> Manifest | None:
        """The manifest of a folder: as it was read here, or from the evidence."""
        if digest not in self._manifests:
            try:
                found = self._evidence.manifest(digest)
            except RefusedError:
                found = None
            if found is None:
                return None
            self._manifests[digest] = found
        return self._manifests[digest]

    def _compare(self, path: Path, name: str, digest: str) -> Problem | None:
        try:
            folder = stat.S_ISDIR(os.lstat(path).st_mode)
            manifest = Manifest.of(path) if folder else None
            actual = manifest.digest if manifest else sha256_file(path)
        except RefusedError as error:
            return Problem.of(error)
        except (OSError, EnvironmentFailure, UsageError) as error:
            return _unreadable(error)
        self.read[str(path)] = actual
        if actual != digest:
            reason = f"{name or path.name} was changed{self._what_changed(manifest, digest)}"
            return Problem(Failure.INTEGRITY, reason, digest, actual, _AGAIN)
        if manifest:
            self._manifests[digest] = manifest
            return None
        return self._stored_folder(path, digest)

    def _what_changed(self, actual: Manifest | None, digest: str) -> str:
        attested = self.manifest(digest)
        if actual is None or attested is None:
            return ""
        found = attested.differences(actual)
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        return f": {', '.join(str(difference) for difference in found[:5])}{more}"

    def _stored_folder(self, path: Path, digest: str) -> Problem | None:
        """A folder in a store is its manifest there, and each of its files by digest: compare those as well."""
        manifest = self.manifest(digest) or self._read_manifest(path, digest)
        for entry in manifest.files if manifest else ():
            if problem := self._stored_file(entry):
                return problem
        return None

    def _read_manifest(self, path: Path, digest: str) -> Manifest | None:
        """The manifest that the file at `path` is, or None: then it is a file and no folder."""
        try:
            with path.open("rb") as stream:
                if stream.read(len(_MANIFEST_START)) != _MANIFEST_START:
                    return None
            raw = read_bounded(path, MANIFEST_LIMIT)
            manifest = Manifest.parse(raw) if sha256_bytes(raw) == digest else None
        except (OSError, ShipworthyError):
            return None  # whatever else it is, its own bytes were compared
        if manifest:
            self._manifests[digest] = manifest
        return manifest

    def _stored_file(self, entry: Entry) -> Problem | None:
        try:
            paths = list(self._resolver("", entry.digest))
            found = {str(path): sha256_file(path) for path in paths}
        except RefusedError as error:
            return Problem.of(error)
        except (OSError, ShipworthyError) as error:
            return _unreadable(error)
        self.read |= found
        if not found:
            reason = f"{entry.path} is not in the store"
            return Problem(Failure.MISSING, reason, entry.digest, "nothing", "store the release again")
        wrong = next((actual for actual in found.values() if actual != entry.digest), "")
        if not wrong:
            return None
        return Problem(Failure.INTEGRITY, f"the stored {entry.path} was changed", entry.digest, wrong, _AGAIN)


def _unreadable(error: Exception) -> Problem:
    if isinstance(error, FileNotFoundError | UsageError):
        return Problem(Failure.MISSING, "it is not where it should be", "", "nothing", "say where it is, or restore it")
    message = error.message if isinstance(error, ShipworthyError) else getattr(error, "strerror", None) or "unknown"
    return Problem(Failure.INFRASTRUCTURE, f"cannot be read: {message}", "", "", "restore the access, then try again")
