"""What a report says, whatever tool wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shipworthy.model import Confidence, Severity

LIMIT = 64 << 20
CLAIMS = 100_000


class UnreadableReport(ValueError):
    """The report says nothing that can be relied on: why, for people."""


@dataclass(frozen=True)
class Claim:
    """One thing that a tool says of a file. `path` is as the report spells it (empty: the report names none);
    `callable` is `module:name` where it is about one; `member` is a file inside; `offset` counts bytes from 0.
    """

    path: str
    message: str
    severity: Severity
    confidence: Confidence
    callable: str = ""
    member: str = ""
    offset: int | None = None
    rule: str = ""


@dataclass(frozen=True)
class Testimony:
    """A whole report. `files` are the paths that it says were looked at (None: it names none), with `digests` where it
    has them; `count` is how many it says they were; `gaps` is what it could not look at.
    """

    tool: str
    version: str
    claims: tuple[Claim, ...]
    files: tuple[str, ...] | None
    count: int
    gaps: tuple[str, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()

    @property
    def witness(self) -> str:
        """The tool's name, with its version where the report tells it."""
        return f"{self.tool} {self.version}" if self.version else self.tool


def document(raw: bytes) -> dict[str, Any]:
    """The report's JSON object. Raises UnreadableReport."""
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableReport("it is not JSON, or was cut short") from None
    if not isinstance(value, dict):
        raise UnreadableReport("it is not a JSON object")
    return value


def member(value: dict[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """A member that must be there, of a type. Raises UnreadableReport."""
    found = value.get(name)
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is int):
        raise UnreadableReport(f"it has no `{name}` of the form that the tool writes")
    return found


def words(value: Any, limit: int = 500) -> str:
    """Text of a report, bounded."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= limit else text[: limit - 1] + "…"
