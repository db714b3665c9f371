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
from shipworthy.artifacts.repository import tracked_folders
from shipworthy.config import Load
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, Kind, Skipped
from shipworthy.modelfile import sniff
from shipworthy.paths import display_name, matches

# Ours, version control's own data (its history has a check), and caches of tools: left out, and counted. Not where git
# tracks a file inside of them: what a repository ships is no cache, whatever its folder is called.
LEFT_OUT = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".shipworthy",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".tox",
    }
    | {".nox", "node_modules", ".ipynb_checkpoints"}
)
_OF_ENVIRONMENTS = frozenset(
    "pyvenv.cfg bin lib lib64 include share etc man src Scripts Lib Include .gitignore .lock CACHEDIR.TAG".split()
)
_CHUNK = 1024 * 1024
_THREADED = 8 * 1024 * 1024
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Inventory:
    """What there is. `left_out` names folders that are never looked at; `excluded` counts files that the settings
    leave out; `unreadable` are files that could not be read, links and special files."""

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
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                self._skip(prefix.rstrip("/") or ".", f"the folder cannot be read: {error.strerror}")
                continue
            for entry in entries:
                uri = prefix + display_name(entry.name)
                if entry.is_symlink():
                    self._link(uri, Path(entry.path), root)
                elif entry.is_dir(follow_symlinks=False):
                    if matches(uri + "/", self.exclude) or self._leave_out(uri, Path(entry.path), root):
                        self.left_out.append(uri + "/")
                    else:
                        pending.append((uri + "/", Path(entry.path)))
                elif not entry.is_file(follow_symlinks=False):
                    self._skip(uri, "neither a file nor a folder (a pipe, socket or device)")
                elif matches(uri, self.exclude):
                    self.excluded += 1
                else:
                    yield uri, Path(entry.path)

    def _leave_out(self, uri: str, folder: Path, root: Path) -> bool:
        if not _is_left_out(folder):
            return False
        if self._tracked is None:
            self._tracked = tracked_folders(root)
        return uri + "/" not in self._tracked

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
        elif any(_is_left_out(folder) for folder in (real, *real.parents) if root.resolve() in folder.parents):
            self._skip(uri, "a link into a folder that is left out; not followed")

    def _skip(self, uri: str, reason: str) -> None:
        self.skipped.append(Skipped(_nameless(uri), reason))


def _is_left_out(folder: Path) -> bool:
    return folder.name in LEFT_OUT or _is_environment(folder)


def _is_environment(folder: Path) -> bool:
    """Is it a virtual environment and nothing else? One file would not do: whoever puts `pyvenv.cfg` beside a model
    would have hidden the model."""
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except OSError:
        return False
    programs = (folder / "bin" / "python", folder / "Scripts" / "python.exe")
    return "pyvenv.cfg" in names and names <= _OF_ENVIRONMENTS and any(map(os.path.lexists, programs))


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
