"""What starts a run again: a time that has come, or files that changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.paths import matches
from shipworthy.records import dataclass

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_NAMES: Mapping[str, Mapping[str, int]] = {
    "month": {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)},
    "weekday": {name: n for n, name in enumerate("sun mon tue wed thu fri sat".split())},
}
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
_YEARS = 8  # a 29th of February that is a given weekday's neighbour comes within these
_FILES_LIMIT = 200_000


@dataclass(frozen=True)
class Cron:
    """When it is time, as POSIX `crontab` says it: minute, hour, day of month, month, day of week, in local time.

    If both days are limited, either will do. `*/n`, `a-b`, `a-b/n`, lists, names of months and weekdays, `@daily` and
    its kin are known.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read it. Raises UsageError that names the field."""
        parts = _SHORT.get(text.strip().lower(), text).split()
        if len(parts) != len(_FIELDS):
            raise _wrong(text, f"it has {len(parts)} fields instead of five")
        sets = [_field(part, *field, text) for part, field in zip(parts, _FIELDS, strict=True)]
        weekdays = frozenset(day % 7 for day in sets[4])
        made = cls(text, sets[0], sets[1], sets[2], sets[3], weekdays, parts[2][0] == "*", parts[4][0] == "*")
        if made.after(datetime(2024, 1, 1)) is None:
            raise _wrong(text, "that time never comes")
        return made

    def after(self, moment: datetime) -> datetime | None:
        """The first time after `moment` (both local, without zone); None if there is none within some years."""
        at = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = at.year + _YEARS
        while at.year <= end:
            if at.month not in self.months:
                at = (at.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            elif not self._is_day(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at
        return None

    def _is_day(self, at: datetime) -> bool:
        by_date, by_week = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_date and by_week
        return by_date or by_week


def _field(text: str, name: str, low: int, high: int, whole: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        by = _number(step, name, 1, high, whole) if slash else 1
        first, dash, last = span.partition("-")
        if span == "*":
            start, stop = low, high
        else:
            start = _number(first, name, low, high, whole)
            stop = _number(last, name, low, high, whole) if dash else high if slash else start
        if stop < start:
            raise _wrong(whole, f"the {name} `{part}` runs backwards")
        found.update(range(start, stop + 1, by))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, whole: str) -> int:
    known = _NAMES.get(name, {}).get(text.lower())
    if known is not None:
        return known
    if not text.isascii() or not text.isdigit() or len(text) > 2 or not low <= int(text) <= high:
        raise _wrong(whole, f"`{text[:20]}` is no {name} ({low} to {high})")
    return int(text)


def _wrong(text: str, reason: str) -> UsageError:
    return UsageError(f"`{text[:80]}`: {reason}", where="--cron", remedy='such as "0 3 * * mon-fri": 3:00 on weekdays')


def how_started(env: Mapping[str, str]) -> str:
    """What started this process, as CI systems and pre-commit tell in their environment; `manual` when none does."""
    if env.get("GITHUB_ACTIONS") == "true":
        return f"github: {_word(env.get('GITHUB_EVENT_NAME', ''))}"
    if env.get("GITLAB_CI") == "true":
        return f"gitlab: {_word(env.get('CI_PIPELINE_SOURCE', ''))}"
    if env.get("JENKINS_URL"):
        return "jenkins"
    if env.get("PRE_COMMIT"):
        return "pre-commit"
    return "ci" if env.get("CI", "").lower() in ("1", "true") else "manual"


def _word(text: str) -> str:
    """A name out of the environment, as far as it is one."""
    return "".join(char for char in text[:40] if char.isascii() and (char.isalnum() or char in "_-")) or "unknown"


Snapshot = frozenset[tuple[str, int, int]]


def snapshot(root: Path, left_out: Iterable[str]) -> Snapshot:
    """Every file below `root` by its relative path, size and time of change; folders of git and of Shipworthy, and what
    the globs `left_out` name, are not looked at. Raises UsageError for too many files."""
    found, globs, pending = [], tuple(left_out), [root]
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue  # it went while we looked: the next look tells
        for entry in entries:
            name = Path(entry.path).relative_to(root).as_posix()
            if entry.name in {".git", ".shipworthy", "__pycache__", "node_modules"} or matches(name, globs):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not matches(name + "/", globs):
                    pending.append(Path(entry.path))
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                found.append((name, status.st_size, status.st_mtime_ns))
        if len(found) > _FILES_LIMIT:
            raise UsageError(
                f"more than {_FILES_LIMIT:,} files are too many to watch",
                where=str(root),
                remedy="leave folders out with [scan] exclude, or use --cron",
            )
    return frozenset(found)


def changed(
    before: Snapshot, look: Callable[[], Snapshot], sleep: Callable[[float], None], interval: float
) -> Snapshot:
    """Wait until the files differ from `before` and are still for one interval (in seconds); how they are then."""
    now = look()
    while now == before:
        sleep(interval)
        now = look()
    while True:
        sleep(interval)
        then = look()
        if then == now:
            return then
        now = then
