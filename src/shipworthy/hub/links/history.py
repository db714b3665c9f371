"""What is known of each address: when it was last there, since when it fails, on how many days. One JSON line each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.files import write_atomically
from shipworthy.records import dataclass, replace

_LARGEST = 20_000_000
_DAYS = 3  # on so many days it must have failed before it is called dead


@dataclass(frozen=True)
class Known:
    """Of one address; days are ISO dates, empty for never. `failures` counts days, not requests."""

    url: str
    checked: str = ""
    good: str = ""
    failing: str = ""
    failures: int = 0
    last: str = ""

    def after(self, day: str, good: bool, told: str) -> Known:
        """With the outcome of one more day."""
        if good:
            return replace(self, checked=day, good=day, failing="", failures=0, last=told)
        again = self.failures + (self.checked != day or not self.failing)
        return replace(self, checked=day, failing=self.failing or day, failures=again, last=told)

    def dead(self, day: str, grace: int) -> bool:
        """Has it failed for longer than `grace` days, and each time it was looked at?"""
        if not self.failing or self.failures < _DAYS:
            return False
        return (date.fromisoformat(day) - date.fromisoformat(self.failing)).days >= grace


def load(path: Path) -> dict[str, Known]:
    """By address; empty when there is no such file. Raises UsageError for one that is none of ours."""
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError("it is too large for a history of links", where=str(path), remedy="name another file")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the history cannot be read: {error}", where=str(path), remedy="name another file") from None
    found = {}
    lines = text.removesuffix("\n").split("\n") if text else []  # not `splitlines`, for which texts have more ends
    for number, line in enumerate(lines, 1):
        try:
            known = Known(**json.loads(line))
            for day in (known.checked, known.good, known.failing):
                _ = day and date.fromisoformat(day)
            if not isinstance(known.url, str) or not isinstance(known.failures, int):
                raise ValueError("it is of another form")
        except (ValueError, TypeError, RecursionError) as error:
            raise UsageError(
                f"line {number} is none of a history: {error}", where=str(path), remedy="correct or remove that line"
            ) from None
        found[known.url] = known
    return found


def save(path: Path, known: Mapping[str, Known]) -> None:
    """Written whole, sorted by address. Raises EnvironmentFailure."""
    names = ("url", "checked", "good", "failing", "failures", "last")
    lines = [json.dumps({name: getattr(one, name) for name in names}) for _, one in sorted(known.items())]
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
