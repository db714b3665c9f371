"""What the guard did, as JSON lines of which each holds the digest of the one before: a line that is taken out, changed
or put in shows. That the last lines were cut off shows against a signed summary."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from shipworthy.errors import EnvironmentFailure, EvidenceError

FIRST = "0" * 64
PER_SECOND = 200
PASSES = 5000  # in a second, of requests that were passed; those have a share of their own
SIZE = 64 << 20  # bytes of a file, after which another one is begun
_LONGEST = 16 << 10


@dataclass(frozen=True)
class Chain:
    """What a file of events holds: `count` lines, the digest of the last (`head`), and how many of each kind."""

    count: int
    head: str
    kinds: Mapping[str, int] = field(default_factory=dict)
    first: str = ""
    last: str = ""


class Events:
    """Writes events. Safe from several threads; one process writes a file. `lost` are called for what is not written.

    More than PER_SECOND in one second are only counted, and the count is written. A file of more than `size` bytes is
    renamed (`.000001`, `.000002`, …), and the chain goes on in another one: all of them are needed to verify it.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
        lost: Callable[[int], None] = lambda _: None,
        size: int = SIZE,
    ) -> None:
        self._path, self._now, self._lost, self._size = path, now, lost, size
        self._lock = threading.Lock()
        self._second, self._left_out = 0, 0
        self._in_second = {False: 0, True: 0}
        self._stream = self._open(path)
        try:
            found = _last(path)
        except BaseException:
            self._stream.close()
            raise
        self.count, self.head = found.count, found.head

    def _open(self, path: Path) -> FileIO:
        try:
            stream = path.open("ab", buffering=0)
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.fchmod(stream.fileno(), 0o600)
            except BaseException:
                stream.close()
                raise
        except BlockingIOError:
            raise EnvironmentFailure(
                "another process writes these events", where=str(self._path), remedy="give each process its own file"
            ) from None
        except OSError as error:
            raise EnvironmentFailure(f"events can't be written: {error.strerror}", where=str(self._path)) from None
        return stream

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, kind: str, facts: Mapping[str, Any], *, passed: bool = False) -> bool:
        """Write one event (`passed`: of a request that was passed); whether it was written. Raises OSError when the
        disk does not take it."""
        with self._lock:
            moment = self._now()
            if int(moment) != self._second:
                left_out, self._second, self._left_out = self._left_out, int(moment), 0
                self._in_second = {False: 0, True: 0}
                if left_out:
                    self._line("left-out", {"events": left_out}, moment)
            self._in_second[passed] += 1
            if self._in_second[passed] > (PASSES if passed else PER_SECOND):
                self._left_out += 1
                self._lost(1)
                return False
            self._line(kind, facts, moment)
            return True

    def _line(self, kind: str, facts: Mapping[str, Any], moment: float) -> None:
        when = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        value = {"n": self.count + 1, "time": when, "event": kind, **facts, "previous": self.head}
        line = json.dumps(value, separators=(",", ":")).encode()
        written = self._stream.write(line + b"\n")
        if written != len(line) + 1:  # half a line would break the chain
            self._stream.truncate(self._stream.tell() - (written or 0))
            raise OSError("the event was not written whole")
        self.count += 1
        self.head = hashlib.sha256(line).hexdigest()
        if self._stream.tell() >= self._size:
            self._rotate()

    def _rotate(self) -> None:
        """Go on in another file, which is there before the old one is renamed."""
        kept = _kept(self._path)
        number = int(kept[-1].name.rpartition(".")[2]) + 1 if kept else 1
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            stream = self._open(new)
        except EnvironmentFailure as error:
            raise OSError(str(error)) from None
        self._path.rename(self._path.with_name(f"{self._path.name}.{number:06}"))
        new.rename(self._path)
        self._stream.close()
        self._stream = stream

    def written(self) -> tuple[int, str]:
        """How far the chain is: lines, and the digest of the last."""
        with self._lock:
            return self.count, self.head

    def close(self) -> None:
        """Write what was only counted, and let go of the file."""
        with self._lock:
            if not self._stream.closed:
                if self._left_out:
                    self._line("left-out", {"events": self._left_out}, self._now())
                    self._left_out = 0
                self._stream.close()


def read_events(path: Path, day: str = "", *, stop: int | None = None) -> Chain:
    """Verify a file of events, and those that were begun before it; the kinds that are counted are those of `day` (such
    as 2026-11-23), or all. After `stop` lines no more are read.

    Raises EvidenceError where the chain is broken, EnvironmentFailure when it can't be read.
    """
    return _read([*_kept(path), path], FIRST, 0, day, stop)


def _kept(path: Path) -> list[Path]:
    """The files that are full, in their order."""
    found = [
        one for one in path.parent.glob(f"{glob.escape(path.name)}.[0-9]*") if one.name.rpartition(".")[2].isdigit()
    ]
    return sorted(found, key=lambda one: int(one.name.rpartition(".")[2]))


def _last(path: Path) -> Chain:
    """Verify the last file only, which says where it goes on from: a start must not take longer each day."""
    kept = _kept(path)
    if not kept:
        return read_events(path)
    last = path if path.stat().st_size else kept[-1]
    try:
        with last.open("rb") as stream:
            value = json.loads(stream.readline(_LONGEST + 1))
            head, count = str(value["previous"]), int(value["n"]) - 1
    except (ValueError, KeyError, TypeError, RecursionError):
        raise EvidenceError("the chain is broken at line 1", where=str(last), remedy=_KEEP) from None
    return _read([last], head, count, "", None)


def _read(paths: list[Path], head: str, count: int, day: str, stop: int | None) -> Chain:
    kinds: dict[str, int] = {}
    first = last = ""
    try:
        for path in paths:
            with path.open("rb") as stream:
                while (stop is None or count < stop) and (line := stream.readline(_LONGEST + 1)):
                    head, value = _next(line, head, count, path)
                    count += 1
                    when = str(value.get("time", ""))
                    if when.startswith(day):
                        first, last = first or when, when
                        kind = str(value.get("event"))[:40]
                        kinds[kind] = kinds.get(kind, 0) + 1
    except OSError as error:
        raise EnvironmentFailure(f"events can't be read: {error.strerror}", where=str(path)) from None
    return Chain(count, head, dict(sorted(kinds.items())), first, last)


def _next(line: bytes, head: str, count: int, path: Path) -> tuple[str, dict[str, Any]]:
    if not line.endswith(b"\n"):
        raise EvidenceError(f"line {count + 1} is cut off", where=str(path), remedy=_KEEP)
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or value.get("previous") != head or value.get("n") != count + 1:
        raise EvidenceError(f"the chain is broken at line {count + 1}", where=str(path), remedy=_KEEP)
    return hashlib.sha256(line[:-1]).hexdigest(), value


_KEEP = "keep the file for those who look into it, and let the guard write another one"
