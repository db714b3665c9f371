"""Trees of files: their digests, copies, and the refusal of what is no plain file."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from shipworthy.paths import display_name

FILES, DEPTH = 100_000, 200


class Rejected(Exception):
    """What the command left is not what was declared."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def combined(files: Mapping[str, str]) -> str:
    """One digest for a file (its own) or a folder: SHA-256 over sorted lines "digest, two spaces, name, newline"."""
    if set(files) == {""}:
        return files[""]
    lines = "".join(f"{files[name].removeprefix('sha256:')}  {name}\n" for name in sorted(files))
    return "sha256:" + hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def digest_files(path: Path, *, follow_within: bool = False) -> dict[str, str]:
    """`sha256:...` of a regular file (under the name "") or of every file below a folder, by relative name.

    Raises Rejected for links (unless `follow_within`: those that stay inside the folder are read), for special files,
    and for too many files.
    """
    return {name: digest_file(file) for name, file in walk(path, follow_within=follow_within)}


def walk(path: Path, *, follow_within: bool = False) -> Iterator[tuple[str, Path]]:
    """Every regular file: relative name ("" when the path itself is one) and path. Raises as `digest_files` does."""
    if stat.S_ISREG(_mode(path)):
        yield "", path
        return
    if not stat.S_ISDIR(_mode(path)):
        raise Rejected(f"{display_name(path.name)} is {_what(path)}, not a file or folder")
    count, real = 0, path.resolve()
    for folder, folders, files in os.walk(path, onerror=_unreadable):
        folders.sort()
        # os.walk calls itself for each level, and must not come to the end of the stack
        if folders and len(Path(folder).relative_to(path).parts) >= DEPTH:
            raise Rejected(f"{display_name(path.name)} holds folders more than {DEPTH} deep")
        for name in sorted(files) + [one for one in folders if os.path.islink(os.path.join(folder, one))]:
            file = Path(folder, name)
            relative = file.relative_to(path).as_posix()
            count += 1
            if count > FILES:
                raise Rejected(f"{display_name(path.name)} holds more than {FILES} files")
            if follow_within and file.is_symlink() and file.is_file() and real in file.resolve().parents:
                file = file.resolve()
            if not stat.S_ISREG(_mode(file)):
                raise Rejected(
                    f"{display_name(path.name)}/{display_name(relative)} is {_what(file)}, not a regular file"
                )
            yield relative, file


def _unreadable(error: OSError) -> None:
    raise Rejected(f"{display_name(Path(error.filename).name)} cannot be read: {error.strerror}") from None


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        raise Rejected(f"{display_name(path.name)} is missing") from None


def _what(path: Path) -> str:
    mode = _mode(path)
    return "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a special file"


def digest_file(path: Path) -> str:
    """`sha256:` and 64 hex digits. Raises Rejected for a link and when it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as stream:
            return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Rejected(f"{display_name(path.name)} cannot be read: {error.strerror}") from None


def stamps(path: Path) -> dict[str, tuple[int, ...]]:
    """What changes when a file is written: size, times and number of every file."""
    found: dict[str, tuple[int, ...]] = {}
    for name, file in walk(path, follow_within=True):
        one = file.stat()
        found[name] = (one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino)
    return found


def copy_tree(source: Path, target: Path) -> None:
    """Copy a file or folder as plain files that only their owner may write."""
    for name, file in list(walk(source, follow_within=True)):
        place = target / name if name else target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place, follow_symlinks=False)
        place.chmod(0o644)


def remove(path: Path) -> None:
    """Remove a file, link or folder, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        try:
            shutil.rmtree(path)
        except (RecursionError, PermissionError):
            _remove_level_by_level(path)


def _remove_level_by_level(path: Path) -> None:
    """Remove a folder that hostile code made too deep to go down into, or closed: what its folders hold is moved up."""
    name, count = secrets.token_hex(8), itertools.count()
    path.chmod(0o700)
    while entries := list(os.scandir(path)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)  # without which it cannot be moved
                os.rename(inner.path, path / f"{name}-{next(count)}")
            os.rmdir(entry.path)
    path.rmdir()
