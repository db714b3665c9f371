"""Which files a program fails on: halves are asked, so that one file that crashes it does not hide the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from shipworthy.tools import ToolFailed

Answer = TypeVar("Answer")
_RUNS = 64
_OFTEN = "it failed too often to find the file that it fails on"


class _Search:
    """Asks about ever fewer files, until runs or time are used up."""

    def __init__(self, attempt: Callable[[Sequence[str], float], object], timeout: float, count: int) -> None:
        self._attempt, self._timeout, self._count = attempt, timeout, count
        self._runs, self._until, self._start = _RUNS, time.monotonic() + 3 * timeout, 0.0

    def works_alone(self) -> bool:
        """Does it work without any of the files? Then one of them is to blame; else nothing is known of them."""
        started = time.monotonic()
        works = self.failure(()) is None
        self._start = time.monotonic() - started
        return works

    def failure(self, names: Sequence[str]) -> str | None:
        """Why it fails on these; None when it does not. Its time is as their part of all files, after its start."""
        self._runs -= 1
        own = self._timeout * len(names) / self._count + max(10.0, 4 * self._start)
        try:
            self._attempt(names, min(own, self._timeout, max(1.0, self._until - time.monotonic())))
        except ToolFailed as failure:
            return failure.reason
        return None

    def culprits(self, names: Sequence[str], why: str) -> dict[str, str]:
        """Those of these names, on which it fails together, that it fails on by themselves."""
        if len(names) == 1:
            return {names[0]: why}
        if self._runs <= 0 or time.monotonic() > self._until:
            return dict.fromkeys(names, _OFTEN)
        left, right = names[: len(names) // 2], names[len(names) // 2 :]
        found: dict[str, str] = {}
        reason = self.failure(left)
        if reason is None:
            return self.culprits(right, why)
        found |= self.culprits(left, reason)
        if self._runs <= 0 or time.monotonic() > self._until:
            return found | dict.fromkeys(right, _OFTEN)
        reason = self.failure(right)
        return found if reason is None else found | self.culprits(right, reason)


def sift(
    names: Sequence[str], attempt: Callable[[Sequence[str], float], Answer], timeout: float, stopped: Callable[[], bool]
) -> tuple[Answer, Mapping[str, str]]:
    """The program's answer about these names, and those that it fails on with the reason. `attempt` asks it about some
    names within so many seconds, and raises ToolFailed; what is not refused was read in one last run, together, as
    files of one folder may need each other.

    Raises ToolFailed when it fails whatever it is given, on all of the files, or on the last run; or was `stopped`.
    """
    try:
        return attempt(names, timeout), {}
    except ToolFailed as failure:
        search = _Search(attempt, timeout, len(names))
        if stopped() or not search.works_alone():
            raise
        refused = search.culprits(names, failure.reason)
        left = [name for name in names if name not in refused]
        if stopped():
            raise
        return attempt(left, timeout), refused
