"""What a run has done so far, so that it can be resumed after a crash.

Each entry carries a MAC under a key in the user's own state folder: a journal that came with a repository cannot make
a resumed run believe that something was scanned.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.files import create_atomically
from shipworthy.model import StageResult
from shipworthy.model.serial import stage_from_dict, stage_to_dict
from shipworthy.user_folders import state_folder

_LIMIT = 512 * 1024 * 1024


class Journal:
    """The journal of one run, locked while it is open: two processes cannot work on the same run."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self._key = _key()
        self._stream: IO[bytes] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("a+b")
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise UsageError(
                "another process is working on this run", where=folder.name, remedy="wait for it to end"
            ) from None
        except OSError as error:
            self.close()
            raise EnvironmentFailure(
                f"the run's folder cannot be written: {error.strerror}",
                where=str(folder),
                remedy="choose a writable folder",
            ) from None

    def begin(self, pipeline: str) -> None:
        """Record which pipeline this is a run of, in a journal that is new."""
        if _pipeline(self.path, self._key) is None:
            self._write(json.dumps({"pipeline": pipeline}))

    def append(self, key: str, result: StageResult) -> None:
        """Record that the stage whose inputs have this key ended so. Safe on disk when it returns."""
        self._write(json.dumps({"key": key, "stage": stage_to_dict(result)}, sort_keys=True))

    def _write(self, entry: str) -> None:
        line = json.dumps({"mac": _mac(self._key, entry), "entry": entry}) + "\n"
        if self._stream is None:
            raise EnvironmentFailure("the journal is closed")
        try:
            if self._stream.seek(0, os.SEEK_END):
                self._stream.seek(-1, os.SEEK_END)
                if self._stream.read(1) != b"\n":  # the last entry was cut short by a crash
                    line = "\n" + line
            self._stream.write(line.encode())
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise EnvironmentFailure(
                f"the journal cannot be written: {error.strerror}",
                where=str(self.path),
                remedy="free space on the disk",
            ) from None

    def read(self) -> Mapping[str, StageResult]:
        """The results by key. Entries that are cut short or not ours are left out: their stages are run again."""
        found: dict[str, StageResult] = {}
        for entry in _entries(self.path, self._key):
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                found[entry["key"]] = stage_from_dict(entry["stage"])
        return found

    def close(self) -> None:
        """Let others work on the run."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def pipeline_of(folder: Path) -> str | None:
    """Which pipeline the run in this folder is of; None when its journal does not say so, or is not ours."""
    return _pipeline(folder / "journal.jsonl", _key())


@contextlib.contextmanager
def workspace_lock(root: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Have the workspace's outputs for oneself; `waiting` is called when another run has them. Raises
    EnvironmentFailure."""
    place = root / ".shipworthy" / "outputs.lock"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise EnvironmentFailure(
            f"the workspace cannot be locked: {error.strerror}", where=str(place), remedy="make the folder writable"
        ) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _pipeline(path: Path, key: bytes) -> str | None:
    return next((str(entry["pipeline"]) for entry in _entries(path, key) if "pipeline" in entry), None)


def _entries(path: Path, key: bytes) -> Iterator[dict[str, Any]]:
    """The entries whose MAC is right."""
    if not path.is_file() or path.stat().st_size > _LIMIT:
        return
    from hmac import compare_digest  # here: only what can be resumed has a journal

    for line in path.read_bytes().splitlines():
        entry: object = None
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            data: dict[str, Any] = json.loads(line)
            if compare_digest(_mac(key, data["entry"]), data["mac"]):
                entry = json.loads(data["entry"])
        if isinstance(entry, dict):
            yield entry


def _mac(key: bytes, entry: str) -> str:
    import hmac

    return hmac.new(key, entry.encode(), hashlib.sha256).hexdigest()


def _key() -> bytes:
    """The machine's own key, made when first needed. Without a place to keep it, one that lasts as long as the run."""
    path = state_folder() / "journal.key"
    with contextlib.suppress(OSError, EnvironmentFailure):
        if not path.exists():
            with contextlib.suppress(FileExistsError):  # another process was first: its key is everybody's
                create_atomically(path, os.urandom(32))
        key = path.read_bytes()
        if len(key) == 32:
            return key
    return os.urandom(32)
