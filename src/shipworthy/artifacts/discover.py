"""Walk a workspace: every file becomes an artifact with a digest, or a `Skipped` that says why not."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from shipworthy.artifacts.classify import HEAD_SIZE, classify
from shipworthy.artifacts.left_out import MOST, Peek, environment_part, is_environment, is_left_out, peek_at
from shipworthy.artifacts.repository import tracked_folders
from shipworthy.config import Load
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.model import Artifact, Kind, Skipped
from shipworthy.modelfile import sniff
from shipworthy.paths import display_name, is_there, matches
from shipworthy.records import dataclass

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
    among: tuple[str, ...] = (),
    only: frozenset[str] | None = None,
    progress: Progress | None = None,
) -> Inventory:
    """Everything under a folder, or one file. Links are not followed, as what they lead to inside is found by itself;
    but for a file that is named outright, and for those of a Hugging Face cache, whose files all are links.

    `among` names files and folders under the target: these, and nothing else, are looked at. `only` limits to these
    uris. `progress` hears each uri and its size. Raises UsageError when the target is not there.
    """
    load = load or Load()
    if not is_there(target):
        raise UsageError("there is no such file or folder", where=str(target), remedy="check the path")
    walk = _Walk(exclude)
    if target.is_dir():
        named = {display_name(name): str(target / name) for name in among}
        outright = {uri: path for uri, path in named.items() if not os.path.isdir(path)}
        folders = (
            [(f"{uri}/", path) for uri, path in named.items() if uri not in outright] if among else [("", str(target))]
        )
        found = {**dict(walk.files(target, folders)), **outright}
        files = [pair for pair in found.items() if only is None or pair[0] in only]
    else:
        files = [(display_name(target.name), str(target))]
        outright = dict(files)
    links = {*outright, *walk.followed}
    made: list[Artifact | Skipped] = []
    large = []
    for uri, path in files:
        item = _artifact(uri, path, load, progress, _THREADED, follow=uri in links)
        if item is None:
            large.append((uri, path))
        else:
            made.append(item)
    made += _in_threads(large, load, progress, links)
    artifacts = [item for item in made if isinstance(item, Artifact)]
    artifacts = [_as_target(artifact) if artifact.uri in outright else artifact for artifact in artifacts]
    return Inventory(
        artifacts=tuple(sorted(artifacts, key=lambda artifact: artifact.uri)),
        unreadable=tuple(walk.skipped + [item for item in made if isinstance(item, Skipped)]),
        left_out=tuple(walk.left_out),
        excluded=walk.excluded,
    )


def _in_threads(
    files: Sequence[tuple[str, str]], load: Load, progress: Progress | None, links: Collection[str]
) -> Iterator[Artifact | Skipped]:
    """What large files are: while one is hashed, the next is read."""
    if len(files) < 2:
        found = [_artifact(uri, path, load, progress, follow=uri in links) for uri, path in files]
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            found = list(
                pool.map(lambda pair: _artifact(pair[0], pair[1], load, progress, follow=pair[0] in links), files)
            )
    return (item for item in found if item is not None)


def identify(path: Path, uri: str, load: Load) -> Artifact:
    """One file that lies at `path` and is called `uri`, as an artifact. Raises EnvironmentFailure when it cannot be
    read."""
    found = _artifact(uri, str(path), load, None)
    if not isinstance(found, Artifact):
        raise EnvironmentFailure(found.reason if found else "it is gone", where=uri, remedy="run it again")
    return found


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
        self.followed: set[str] = set()
        self._tracked: frozenset[str] | None = None

    def files(self, root: Path, folders: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The uri and the path of each file under these folders (prefix and path) of the root; texts, because making
        a `Path` costs as much as reading a small file."""
        pending = list(folders)
        while pending:
            prefix, folder = pending.pop()
            environment = prefix != "" and is_environment(Path(folder)) and not self._is_tracked(prefix, root)
            if environment:
                self.left_out.append(prefix)
            for entry in self._entries(prefix, folder):
                uri = prefix + display_name(entry.name)
                part = environment_part(uri, prefix) if environment else None
                if entry.is_symlink():
                    if part is None and self._link(uri, Path(entry.path), root):
                        yield uri, entry.path
                elif entry.is_dir(follow_symlinks=False):
                    peek = part or peek_at(uri, Path(entry.path))
                    if matches(uri + "/", self.exclude):
                        self.left_out.append(uri + "/")
                    elif peek is None or (part is None and self._is_tracked(uri + "/", root)):
                        pending.append((uri + "/", entry.path))
                    else:
                        self.left_out += [uri + "/"] if part is None else []
                        yield from self._look_through(uri, entry.path, peek)
                elif not entry.is_file(follow_symlinks=False):
                    self._skip(uri, "neither a file nor a folder (a pipe, socket or device)")
                elif matches(uri, self.exclude):
                    self.excluded += 1
                elif part is None or part.wants(Path(entry.path)):
                    yield uri, entry.path

    def _entries(self, prefix: str, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._skip(prefix.rstrip("/") or ".", f"the folder cannot be read: {error.strerror}")
            return []

    def _look_through(self, uri: str, folder: str, peek: Peek) -> Iterator[tuple[str, str]]:
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
                name = f"{prefix}/{display_name(entry.name)}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append((name, entry.path))
                elif not entry.is_file(follow_symlinks=False) or matches(name, self.exclude):
                    continue
                elif peek.wants(Path(entry.path)):
                    yield name, entry.path

    def _is_tracked(self, uri: str, root: Path) -> bool:
        if self._tracked is None:
            self._tracked = tracked_folders(root)
        return uri in self._tracked

    def _left_out(self, folder: Path, root: Path) -> bool:
        name = display_name(folder.relative_to(root.resolve()).as_posix())
        return is_left_out(folder) and not self._is_tracked(name + "/", root)

    def _link(self, uri: str, path: Path, root: Path) -> bool:
        """Whether to follow it."""
        if matches(uri, self.exclude):
            self.excluded += 1
            return False
        try:
            real = path.resolve()  # what is not there now may be there where the link is followed
        except (OSError, RuntimeError):
            real = path
        if _in_cache(path, real):
            self.followed.add(uri)
            return True
        if root.resolve() not in (real, *real.parents):
            self._skip(uri, "a link out of the workspace; not followed")
        elif not path.exists():
            self._skip(uri, "a link that leads nowhere")
        elif any(self._left_out(folder, root) for folder in (real, *real.parents) if root.resolve() in folder.parents):
            self._skip(uri, "a link into a folder that is left out; not followed")
        return False

    def _skip(self, uri: str, reason: str) -> None:
        self.skipped.append(Skipped(_nameless(uri), reason))


def _in_cache(link: Path, real: Path) -> bool:
    """Whether it is a link of a Hugging Face cache: `snapshots/REVISION/…/NAME` to a file in the `blobs` beside."""
    snapshots = next((folder for folder in link.absolute().parents if folder.name == "snapshots"), None)
    blobs = snapshots.parent.resolve() / "blobs" if snapshots else None
    return blobs is not None and real.parent == blobs and not blobs.is_symlink() and real.is_file()


def _nameless(uri: str) -> Artifact:
    return Artifact(uri, Kind.OTHER, "", 0)


def _artifact(
    uri: str, path: str, load: Load, progress: Progress | None, most: int | None = None, *, follow: bool = False
) -> Artifact | Skipped | None:
    """Read a file once: its digest, and what it is. None when it is larger than `most` bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | (0 if follow else os.O_NOFOLLOW) | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Skipped(_nameless(uri), "neither a file nor a folder (a pipe, socket or device)")
            if most is not None and status.st_size > most:
                return None
            digest, head, size = _read(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        return Skipped(_nameless(uri), f"cannot be read: {error.strerror}")
    if progress:
        progress(uri, size)
    kind, media_type = classify(uri, head, sniff, load)
    return Artifact(uri, kind, digest, size, media_type, Path(path))


def _read(descriptor: int, expected: int) -> tuple[str, bytes, int]:
    """The digest, the first bytes and the size of what is there, however large it was said to be."""
    digest = hashlib.sha256()
    piece = max(4096, min(expected + 1, _CHUNK))
    head, size = b"", 0
    while data := os.read(descriptor, piece):
        digest.update(data)
        if size < HEAD_SIZE:
            head += data[: HEAD_SIZE - size]
        size += len(data)
    return f"sha256:{digest.hexdigest()}", head, size
