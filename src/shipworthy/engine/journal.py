"""What a run has done so far, so that it can be resumed after a crash.

Each entry carries a MAC under a key in the user's own state folder: a journal that came with a repository cannot make
a resumed run believe that something was scanned.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.files import write_atomically
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
            self._stream = self.path.open("ab")
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "another process is working on this run", where=folder.name, remedy="wait for it to end"
            ) from None
        except OSError as error:
            raise EnvironmentFailure(
                f"the run's folder cannot be written: {error.strerror}",
                where=str(folder),
                remedy="choose a writable folder",
            ) from None

    def append(self, key: str, result: StageResult) -> None:
        """Record that the stage whose inputs have this key ended so. Safe on disk when it returns."""
        entry = json.dumps({"key": key, "stage": stage_to_dict(result)}, sort_keys=True)
        line = json.dumps({"mac": self._mac(entry), "entry": entry}) + "\n"
        if self._stream is None:
            raise EnvironmentFailure("the journal is closed")
        try:
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
        if not self.path.exists() or self.path.stat().st_size > _LIMIT:
            return found
        for line in self.path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                data: dict[str, Any] = json.loads(line)
                if hmac.compare_digest(self._mac(data["entry"]), data["mac"]):
                    entry = json.loads(data["entry"])
                    found[entry["key"]] = stage_from_dict(entry["stage"])
        return found

    def close(self) -> None:
        """Let others work on the run."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _mac(self, entry: str) -> str:
        return hmac.new(self._key, entry.encode(), hashlib.sha256).hexdigest()


def _key() -> bytes:
    """The machine's own key, made when first needed. Without a place to keep it, one that lasts as long as the run."""
    path = state_folder() / "journal.key"
    with contextlib.suppress(OSError, EnvironmentFailure):
        if not path.exists():
            write_atomically(path, secrets.token_bytes(32), mode=0o600)
        key = path.read_bytes()
        if len(key) == 32:
            return key
    return secrets.token_bytes(32)
