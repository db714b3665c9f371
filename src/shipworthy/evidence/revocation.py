"""Revocations: a signed list of digests that must not be used any more, and of why.

A list only grows, and its version with it: a verifier which has seen one notices when it is handed an older one.
It is a statement like all others: its subjects are what is revoked, and the step `revoke` says who may sign it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shipworthy.evidence import envelope
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.names import check_digest, is_digest
from shipworthy.evidence.policy import Policy, Revoked
from shipworthy.evidence.statement import REVOCATION, Resource, Statement, parse

_HEX = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_LONGEST = 1000  # characters of a reason
_KEYS = ("digest", "reason", "revokedOn", "name", "instead")


@dataclass(frozen=True)
class Revocation:
    """One thing that must not be used: `digest` (`sha256:` and hex), why, since when (RFC 3339), what it is called, and
    the digest of what should be used instead, if anything.
    """

    digest: str
    reason: str
    time: str
    name: str = ""
    instead: str = ""

    def problem(self) -> Problem:
        """Why a chain that has it in it does not hold."""
        remedy = f"replace it{f' by {self.instead}' if self.instead else ''}, and make all that rests on it again"
        return Problem(
            Failure.POLICY,
            f"{self.name or self.digest[:19]} was revoked on {self.time[:10]}: {self.reason}",
            "something that was not revoked",
            self.digest,
            f"{remedy}; `shipworthy impact {self.digest}` lists what does",
        )


@dataclass(frozen=True)
class RevocationList:
    """A list as it was signed. `version` counts from 1; `time` is when its signer made it (RFC 3339)."""

    version: int
    time: str
    revoked: Mapping[str, Revocation] = field(default_factory=dict)

    def with_(self, added: Iterable[Revocation], now: datetime) -> RevocationList:
        """The next version. What is revoked already stays as it was."""
        revoked = {one.digest: one for one in added} | dict(self.revoked)
        return RevocationList(self.version + 1, _written(now), revoked)

    def statement(self) -> Statement:
        """What is signed. Raises RefusedError for an empty list."""
        subjects = tuple(Resource(one.name or one.digest, one.digest) for one in self.revoked.values())
        entries = [
            {
                "digest": one.digest,
                "name": one.name,
                "reason": one.reason,
                "revokedOn": one.time,
                **({"instead": one.instead} if one.instead else {}),
            }
            for one in self.revoked.values()
        ]
        predicate = {"version": self.version, "revoked": entries, "finishedOn": self.time}
        return Statement(subjects, REVOCATION, predicate)


EMPTY = RevocationList(0, "")


def revocation(digest: str, reason: str, now: datetime, *, name: str = "", instead: str = "") -> Revocation:
    """A new entry. Raises RefusedError for what is no digest, or without a reason."""
    if not reason.strip() or len(reason) > _LONGEST:
        raise RefusedError(f"a revocation needs a reason, of at most {_LONGEST} characters")
    if instead:
        check_digest(instead, "what should be used instead")
    return Revocation(check_digest(digest, "what is revoked"), reason.strip(), _written(now), name[:200], instead)


def read_list(raw: bytes, policy: Policy, where: str = "the list of revocations") -> RevocationList:
    """Open a list. Raises RefusedError: `integrity` when it was changed or is none, `policy` when its signer may not
    revoke.
    """
    opened = envelope.verify(raw, policy.trusted(), where=where)
    statement = parse(opened.payload, where)
    if statement.step != "revoke":
        raise RefusedError("this is no list of revocations", where=where)
    if not policy.may_sign("revoke", opened.signers):
        roles = ", ".join(sorted(policy.steps["revoke"].roles)) if "revoke" in policy.steps else "nobody"
        raise RefusedError(
            "its signer may not revoke",
            Failure.POLICY,
            where=where,
            expected=roles,
            remedy="have it signed by one who may",
        )
    version, listed = statement.predicate.get("version"), statement.predicate.get("revoked")
    if type(version) is not int or version < 1 or not isinstance(listed, list):
        raise RefusedError("the list has no version, or is no list", where=where)
    found = {one.digest: one for one in (_entry(item, where) for item in listed)}
    if found.keys() != {subject.digest for subject in statement.subjects}:
        raise RefusedError("the list's subjects are not its entries", where=where)
    return RevocationList(version, statement.time, found)


def _entry(item: Any, where: str) -> Revocation:
    said: list[Any] = [item.get(name, "") if isinstance(item, dict) else None for name in _KEYS]
    if not is_digest(said[0]) or not all(isinstance(text, str) for text in said):
        raise RefusedError("the list has a malformed entry", where=where)
    digest, reason, time, name, instead = said
    return Revocation(digest, reason[:_LONGEST], time[:40], name[:200], instead[:80])


def named_in(bundle: bytes, revoked: Mapping[str, Revoked]) -> list[Revoked]:
    """What of the revoked a signed statement names anywhere: a dependency in a bill of materials, a package of a build.
    A bundle that cannot be read names nothing.
    """
    try:
        payload = envelope.read(bundle).payload
    except RefusedError:
        return []
    return [revoked[digest] for digest in sorted(digests_in(payload) & revoked.keys())]


def digests_in(payload: bytes) -> set[str]:
    """Every SHA-256 digest that a statement's bytes name, wherever it stands."""
    return {f"sha256:{text.decode()}" for text in _HEX.findall(payload)}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
