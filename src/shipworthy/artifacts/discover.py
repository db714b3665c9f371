"""Walk a workspace: every file becomes an artifact with a digest, or a `Skipped` that says why not."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shipworthy.artifacts.classify import HEAD_SIZE, classify
from shipworthy.artifacts.left_out import MOST, Peek, environment_part, is_environment, is_left_out, peek_at
from shipworthy.artifacts.repository import tracked_folders
from shipworthy.config import Load
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, Kind, Skipped
from shipworthy.modelfile import sniff
from shipworthy.paths import display_name, matches

_CHUNK = 1024 * 1024
_THREADED = 8 * 1024 * 1024
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Inventory:
    """What there is. `left_out` names folders that are only looked through for models; `excluded` counts files that
    the settings leave out; `unreadable` are files that could not be read, links and special files."""

    artifacts: tuple[Artifact, ...]
    unreadable: tuple[Skipped, ...] = ()
    left_out: tuple[str, ...] = ()
    excluded: int = 0

    def of(self, *kinds: Kind) -> tuple[Artifact, ...]:
        """The artifacts of these kinds."""
        return tuple(artifact for artifact in self.artifacts if artifact.kind in kinds)


def discover(
    target: Path,
    *,
    load: Load | None = None,
    exclude: tuple[str, ...] = (),
    only: frozenset[str] | None = None,
    progress: Progress | None = None,
) -> Inventory:
    """Everything under a folder, or one file. Links are never followed: what they lead to inside is found by itself.

    `only` limits to these uris. `progress` hears each uri and its size. Raises UsageError when the target is not there.
    """
    load = load or Load()
    if not os.path.lexists(target):
        raise UsageError("there is no such file or folder", where=str(target), remedy="check the path")
    walk = _Walk(exclude)
    if target.is_dir():
        files = [pair for pair in walk.files(target) if only is None or pair[0] in only]
    else:
        files = [(display_name(target.name), target)]
    made: list[Artifact | Skipped] = []
    with ThreadPoolExecutor(2) as pool:
        pending = []
        for uri, path in files:
            if _size(path) > _THREADED:
                pending.append(pool.submit(_artifact, uri, path, load, progress))
            else:
                made.append(_artifact(uri, path, load, progress))
        made += [future.result() for future in pending]
    artifacts = [item for item in made if isinstance(item, Artifact)]
    if not target.is_dir():
        artifacts = [_as_target(artifact) for artifact in artifacts]
    return Inventory(
        artifacts=tuple(sorted(artifacts, key=lambda artifact: artifact.uri)),
        unreadable=tuple(walk.skipped + [item for item in made if isinstance(item, Skipped)]),
        left_out=tuple(walk.left_out),
        excluded=walk.excluded,
    )


def _as_target(artifact: Artifact) -> Artifact:
    """A file that is named outright must be looked at: bytes of no known kind go to the model readers."""
    if artifact.kind is not Kind.OTHER:
        return artifact
    return Artifact(artifact.uri, Kind.MODEL, artifact.digest, artifact.size, artifact.media_type, artifact.path)


class _Walk:
    """One walk over a folder, keeping account of what it does not go into."""

    def __init__(self, exclude: tuple[str, ...]) -> None:
        self.exclude = exclude
        self.skipped: list[Skipped] = []
        self.left_out: list[str] = []
        self.excluded = 0
        self._tracked: frozenset[str] | None = None

    def files(self, root: Path) -> Iterator[tuple[str, Path]]:
        pending: list[tuple[str, Path]] = [("", root)]
        while pending:
            prefix, folder = pending.pop()
            environment = prefix != "" and is_environment(folder) and not self._is_tracked(prefix, root)
            if environment:
                self.left_out.append(prefix)
            for entry in self._entries(prefix, folder):
                uri, path = prefix + display_name(entry.name), Path(entry.path)
                part = environment_part(uri, prefix) if environment else None
                if entry.is_symlink():
                    if part is None:
                        self._link(uri, path, root)
                elif entry.is_dir(follow_symlinks=False):
                    peek = part or peek_at(uri, path)
                    if matches(uri + "/", self.exclude):
                        self.left_out.append(uri + "/")
                    elif peek is None or (part is None and self._is_tracked(uri + "/", root)):
                        pending.append((uri + "/", path))
                    else:
                        self.left_out += [uri + "/"] if part is None else []
                        yield from self._look_through(uri, path, peek)
                elif not entry.is_file(follow_symlinks=False):
                    self._skip(uri, "neither a file nor a folder (a pipe, socket or device)")
                elif matches(uri, self.exclude):
                    self.excluded += 1
                elif part is None or part.wants(path):
                    yield uri, path

    def _entries(self, prefix: str, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._skip(prefix.rstrip("/") or ".", f"the folder cannot be read: {error.strerror}")
            return []

    def _look_through(self, uri: str, folder: Path, peek: Peek) -> Iterator[tuple[str, Path]]:
        """The files of a folder that is left out which it has no business to hold."""
        pending, seen = [(uri, folder)], 0
        while pending:
            prefix, here = pending.pop()
            if prefix != uri and (matches(prefix + "/", self.exclude) or not peek.opens(prefix)):
                continue
            for entry in self._entries(prefix, here):
                seen += 1
                if seen > MOST:
                    self._skip(uri, f"left out, and only the first {MOST:,} files in it were looked through for models")
                    return
                name, path = f"{prefix}/{display_name(entry.name)}", Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    pending.append((name, path))
                elif entry.is_file(follow_symlinks=False) and not matches(name, self.exclude) and peek.wants(path):
                    yield name, path

    def _is_tracked(self, uri: str, root: Path) -> bool:
        if self._tracked is None:
            self._tracked = tracked_folders(root)
        return uri in self._tracked

    def _link(self, uri: str, path: Path, root: Path) -> None:
        if matches(uri, self.exclude):
            self.excluded += 1
            return
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            self._skip(uri, "a link that leads nowhere")
            return
        if root.resolve() not in (real, *real.parents):
            self._skip(uri, "a link out of the workspace; not followed")
        elif any(is_left_out(folder) for folder in (real, *real.parents) if root.resolve() in folder.parents):
            self._skip(uri, "a link into a folder that is left out; not followed")

    def _skip(self, uri: str, reason: str) -> None:
        self.skipped.append(Skipped(_nameless(uri), reason))


def _nameless(uri: str) -> Artifact:
    return Artifact(uri, Kind.OTHER, "", 0)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _artifact(uri: str, path: Path, load: Load, progress: Progress | None) -> Artifact | Skipped:
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags), "rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Skipped(_nameless(uri), "neither a file nor a folder (a pipe, socket or device)")
            digest, head, size = _read(stream, status.st_size)
    except OSError as error:
        return Skipped(_nameless(uri), f"cannot be read: {error.strerror}")
    if progress:
        progress(uri, size)
    kind, media_type = classify(uri, head, sniff(head), load)
    return Artifact(uri, kind, digest, size, media_type, path)


def _read(stream: object, expected: int) -> tuple[str, bytes, int]:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(max(4096, min(expected, _CHUNK))))  # a megabyte of zeros costs more than most files
    head, size = b"", 0
    while count := stream.readinto(buffer):  # type: ignore[attr-defined]
        digest.update(buffer[:count])
        if size < HEAD_SIZE:
            head += bytes(buffer[: min(count, HEAD_SIZE - size)])
        size += count
    return f"sha256:{digest.hexdigest()}", head, size
