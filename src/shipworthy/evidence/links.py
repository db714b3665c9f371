"""The verified chain as plain data: links, each of which names one thing and says whether it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shipworthy.errors import ExitCode
from shipworthy.evidence.failures import Failure, Problem


class Status(StrEnum):
    """How a link stands. `attested-only`: the statement holds, but the bytes were not there to be compared."""

    OK = "ok"
    BROKEN = "broken"
    ATTESTED_ONLY = "attested-only"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One thing that was checked about a link."""

    id: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Link:
    """One link. `step` is what it is (a step, or the kind of a file), `time` what its signer claims (RFC 3339), and
    `parent` the index of the link that rests on it (None for the model itself, which is the first).
    """

    step: str
    name: str
    digest: str
    status: Status
    depth: int = 0
    parent: int | None = None
    signer: str = ""
    time: str = ""
    checks: tuple[Check, ...] = ()
    failure: Failure | None = None
    reason: str = ""
    expected: str = ""
    actual: str = ""
    remedy: str = ""

    def failed(self, problem: Problem, *checks: Check) -> Link:
        """The link as one that does not hold."""
        return replace(
            self,
            status=Status.MISSING if problem.failure is Failure.MISSING else Status.BROKEN,
            checks=(*self.checks, *checks),
            failure=problem.failure,
            reason=problem.reason,
            expected=problem.expected,
            actual=problem.actual,
            remedy=problem.remedy,
        )

    @property
    def holds(self) -> bool:
        """Neither broken nor missing."""
        return self.status in {Status.OK, Status.ATTESTED_ONLY}

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "step": self.step,
            "name": self.name,
            "digest": self.digest,
            "status": self.status.value,
            "depth": self.depth,
            "parent": self.parent,
            "signer": self.signer,
            "time": self.time,
            "checks": [{"id": c.id, "ok": c.ok, "detail": c.detail} for c in self.checks],
            "failure": self.failure.value if self.failure else None,
            "reason": self.reason,
            "expected": self.expected,
            "actual": self.actual,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class ChainResult:
    """The chain of one model. `links` are in the order of the walk, each after its parent; `read` maps the path of
    every file that was hashed to the digest really found (never written to a report); `notes` name evidence that was
    not needed and does not hold.
    """

    target: str
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()
    read: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Every link holds."""
        return bool(self.links) and all(link.holds for link in self.links)

    @property
    def complete(self) -> bool:
        """Every link holds and every byte that it speaks of was read."""
        return self.ok and all(link.status is Status.OK for link in self.links)

    @property
    def broken(self) -> tuple[Link, ...]:
        """The links that do not hold."""
        return tuple(link for link in self.links if not link.holds)

    @property
    def first_broken(self) -> Link | None:
        """The first of them, from the model back to its datasets."""
        return next(iter(self.broken), None)

    @property
    def exit_code(self) -> ExitCode:
        """0, 4 when evidence does not verify, 5 when all that is wrong is that something could not be read."""
        if self.ok:
            return ExitCode.SHIPWORTHY
        unread = self.broken and all(link.failure is Failure.INFRASTRUCTURE for link in self.broken)
        return ExitCode.ENVIRONMENT if unread else ExitCode.EVIDENCE

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        first = self.first_broken
        return {
            "target": self.target,
            "ok": self.ok,
            "complete": self.complete,
            "firstBroken": self.links.index(first) if first else None,
            "links": [link.as_dict() for link in self.links],
            "notes": list(self.notes),
        }
