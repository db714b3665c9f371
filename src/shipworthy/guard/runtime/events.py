"""What the guard did, as JSON lines of which each holds the digest of the one before: a line that is taken out, changed
or put in shows. That the last lines were cut off shows against a signed summary."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipworthy.errors import EnvironmentFailure, EvidenceError

FIRST = "0" * 64
PER_SECOND = 200
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

    More than PER_SECOND in one second are only counted, and the count is written: an attacker can't fill the disk.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], float] = time.time, lost: Callable[[int], None] = lambda _: None
    ) -> None:
        self._path, self._now, self._lost = path, now, lost
        self._lock = threading.Lock()
        self._second, self._in_second, self._left_out = 0, 0, 0
        try:
            self._stream = path.open("ab", buffering=0)
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.close()
            raise EnvironmentFailure(
                "another process writes these events", where=str(path), remedy="give each process a file of its own"
            ) from None
        except OSError as error:
            raise EnvironmentFailure(f"events can't be written: {error.strerror}", where=str(path)) from None
        os.fchmod(self._stream.fileno(), 0o600)
        try:
            found = read_events(path)
        except BaseException:
            self._stream.close()
            raise
        self.count, self.head = found.count, found.head

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, kind: str, facts: Mapping[str, Any]) -> bool:
        """Write one event; whether it was written. Raises OSError when the disk does not take it."""
        with self._lock:
            moment = self._now()
            if int(moment) != self._second:
                left_out, self._second, self._in_second, self._left_out = self._left_out, int(moment), 0, 0
                if left_out:
                    self._line("left-out", {"events": left_out}, moment)
            self._in_second += 1
            if self._in_second > PER_SECOND:
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

    def close(self) -> None:
        """Write what was only counted, and let go of the file."""
        with self._lock:
            if not self._stream.closed:
                if self._left_out:
                    self._line("left-out", {"events": self._left_out}, self._now())
                    self._left_out = 0
                self._stream.close()


def read_events(path: Path, day: str = "", *, stop: int | None = None) -> Chain:
    """Verify a file of events; the kinds that are counted are those of `day` (such as 2026-11-23), or all. After
    `stop` lines no more are read.

    Raises EvidenceError where the chain is broken, EnvironmentFailure when it can't be read.
    """
    head, count = FIRST, 0
    kinds: dict[str, int] = {}
    first = last = ""
    try:
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
