"""Bring an artifact into the workspace: from a file, HTTP(S) or a git commit, only with the expected digest."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from shipworthy.artifacts.repository import git
from shipworthy.config import Fetch
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.paths import inside
from shipworthy.tools import ToolFailed, ToolMissing

_CHUNK = 1024 * 1024
SIZE_LIMIT = 64 * 1024**3
Progress = Callable[[str, int], None]


def fetch(wanted: Fetch, root: Path, *, offline: bool, timeout: float = 60.0, progress: Progress | None = None) -> str:
    """Fetch into `root / wanted.to`, written beside it and renamed; returns the digest (`sha256:…`).

    A file that is already there with the right digest is left alone. Raises UsageError for a bad entry, EvidenceError
    for other bytes than expected, EnvironmentFailure when the source cannot be reached.
    """
    if not wanted.uri or not wanted.to:
        raise UsageError("an entry of [[load.fetch]] needs `uri` and `to`")
    target = inside(root, wanted.to, what="target of a fetch")
    scheme = wanted.uri.partition(":")[0].lower()
    expected = wanted.sha256.lower().removeprefix("sha256:")
    if not scheme.startswith("git+") and not re.fullmatch(r"[0-9a-f]{64}", expected):
        raise UsageError("`sha256` must be the 64 hex digits that are expected", where=wanted.uri)
    if expected and target.is_file() and _digest(target) == expected:
        return f"sha256:{expected}"
    if scheme == "file":
        chunks = _from_file(wanted.uri)
    elif scheme in ("http", "https"):
        _online(wanted.uri, offline)
        from shipworthy.artifacts._http import read  # here: it imports much, and few runs fetch

        chunks = read(wanted.uri, timeout)
    elif scheme in ("git+https", "git+ssh", "git+file"):
        if scheme != "git+file":
            _online(wanted.uri, offline)
        chunks = _from_git(wanted.uri)
    else:
        raise UsageError(
            f"`{scheme}:` is not supported here", where=wanted.uri, remedy="use file:, https:, http: or git+https:"
        )
    return f"sha256:{_write(target, chunks, expected, wanted.uri, progress)}"


def _online(uri: str, offline: bool) -> None:
    host = urllib.parse.urlsplit(uri).hostname or ""
    if offline and host not in ("localhost", "127.0.0.1", "::1"):
        raise EnvironmentFailure(
            "needs the network, and the settings say offline",
            where=uri,
            remedy="set [scan] offline = false, or fetch it beforehand",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(target: Path, chunks: Iterator[bytes], expected: str, uri: str, progress: Progress | None) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        import tempfile

        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".fetch-")
    except OSError as error:
        raise EnvironmentFailure(f"cannot write: {error.strerror}", where=str(target)) from None
    try:
        with open(handle, "wb") as stream:
            for chunk in chunks:
                size += len(chunk)
                if size > SIZE_LIMIT:
                    raise EnvironmentFailure("larger than 64 GiB; stopped", where=uri)
                digest.update(chunk)
                stream.write(chunk)
                if progress:
                    progress(uri, len(chunk))
            stream.flush()
            os.fsync(stream.fileno())
        if expected and digest.hexdigest() != expected:
            raise EvidenceError(
                f"the bytes are not the expected ones: sha256 is {digest.hexdigest()}, expected {expected}",
                where=uri,
                remedy="find out why it changed before you change the expected digest",
            )
        os.replace(name, target)
    except OSError as error:
        raise EnvironmentFailure(f"cannot write: {error.strerror}", where=str(target)) from None
    finally:
        if os.path.exists(name):
            os.unlink(name)
    return digest.hexdigest()


def _from_file(uri: str) -> Iterator[bytes]:
    from urllib.request import url2pathname

    parts = urllib.parse.urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        raise UsageError("a file: URI names no host", where=uri, remedy="write file:///path")
    try:
        with open(url2pathname(parts.path), "rb") as stream:
            yield from iter(lambda: stream.read(_CHUNK), b"")
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=uri) from None


def _from_git(uri: str) -> Iterator[bytes]:
    match = re.fullmatch(r"git\+((?:https|ssh|file)://[^@#\s]+(?:@[^@#/\s]+/[^@#\s]+)?)@([0-9a-f]{40})#(.+)", uri)
    if not match:
        raise UsageError("must be git+https://host/repository@<40-digit commit>#path/in/repository", where=uri)
    url, commit, path = match.groups()
    import tempfile

    with tempfile.TemporaryDirectory(prefix="shipworthy-git-") as folder:
        root = Path(folder)
        try:
            git(root, "init", "--quiet", "--bare")
            git(
                root,
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-recurse-submodules",
                "--",
                url,
                commit,
                timeout=600,
            )
            done = git(root, "cat-file", "blob", f"{commit}:{path}", timeout=600)
        except (ToolMissing, ToolFailed) as error:
            raise EnvironmentFailure(f"git cannot fetch it: {error}", where=uri) from None
    yield done.stdout
