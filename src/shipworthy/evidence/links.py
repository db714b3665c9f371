"""The verified chain as plain data: links, each of which names one thing and says whether it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shipworthy.errors import ExitCode
from shipworthy.evidence.failures import Failure, Problem

_CODES = {
    Failure.INTEGRITY: ExitCode.EVIDENCE,
    Failure.POLICY: ExitCode.UNTRUSTED,
    Failure.MISSING: ExitCode.MISSING,
    Failure.INFRASTRUCTURE: ExitCode.ENVIRONMENT,
}
"""The exit code of each class, the worst first."""


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
    """One link. `step` is what it is (a step, or the kind of a file), `time` what its signer claims (RFC 3339), `keys`
    the ids of the keys that signed it, and `parent` the index of the link that rests on it (None for the model itself,
    which is the first).
    """

    step: str
    name: str
    digest: str
    status: Status
    depth: int = 0
    parent: int | None = None
    signer: str = ""
    time: str = ""
    keys: tuple[str, ...] = ()
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
            "keys": list(self.keys),
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
        """0, or that of the worst that is wrong: changed, not acceptable, not there, could not be read."""
        if self.ok:
            return ExitCode.SHIPWORTHY
        failures = {link.failure for link in self.broken}
        return next((code for failure, code in _CODES.items() if failure in failures), ExitCode.EVIDENCE)

    @property
    def signers(self) -> frozenset[str]:
        """The ids of all keys that signed something in it."""
        return frozenset(key for link in self.links for key in link.keys)

    @property
    def one_signer(self) -> str:
        """The id of the key that signed everything, where there is more than one thing signed; else empty."""
        signed = sum(bool(link.keys) for link in self.links)
        return next(iter(self.signers)) if signed > 1 and len(self.signers) == 1 else ""

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        first = self.first_broken
        return {
            "target": self.target,
            "ok": self.ok,
            "complete": self.complete,
            "signers": sorted(self.signers),
            "firstBroken": self.links.index(first) if first else None,
            "links": [link.as_dict() for link in self.links],
            "notes": list(self.notes),
        }
