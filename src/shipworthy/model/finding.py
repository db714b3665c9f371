"""What a check saw, and the rule that says why it matters."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property

from shipworthy.errors import without_passwords
from shipworthy.model.artifact import Artifact
from shipworthy.records import dataclass, replace


class _Ordered(StrEnum):
    """A StrEnum whose members compare by rank; members are listed from the lowest."""

    @property
    def rank(self) -> int:
        return list(type(self)).index(self)

    def __lt__(self, other: object) -> bool:
        return self.rank < type(self)(str(other)).rank

    def __le__(self, other: object) -> bool:
        return self.rank <= type(self)(str(other)).rank

    def __gt__(self, other: object) -> bool:
        return self.rank > type(self)(str(other)).rank

    def __ge__(self, other: object) -> bool:
        return self.rank >= type(self)(str(other)).rank


class Severity(_Ordered):
    """How bad it is if it is true."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(_Ordered):
    """How sure the check is that it is true."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Disposition(StrEnum):
    """What filtering made of a finding: only `new` ones can fail a gate (`known`: with `only-new`)."""

    NEW = "new"
    KNOWN = "known"
    WAIVED = "waived"


@dataclass(frozen=True)
class Location:
    """Where in the artifact. Lines, columns and rows count from 1; `cell` counts notebook cells from 1; `offset` is in
    bytes from 0; `member` names a file inside an archive; `commit` is a git commit id."""

    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    cell: int | None = None
    row: int | None = None
    field: str | None = None
    member: str | None = None
    offset: int | None = None
    commit: str | None = None

    def __str__(self) -> str:
        parts = []
        if self.commit:
            parts.append(f"commit {self.commit[:12]}")
        if self.member:
            parts.append(f"member {self.member}")
        if self.cell is not None:
            parts.append(f"cell {self.cell}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.field:
            parts.append(f"field {self.field}")
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.offset is not None:
            parts.append(f"offset {self.offset}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Rule:
    """What can be wrong, once. Everything a person needs to judge a finding is mandatory.

    `description` says why it matters, in a sentence or two; `remedy` says what to do. `taxonomy` lists framework ids
    (CWE-502, AML.T0010, ...); `help` is the id of the hub page.
    """

    id: str
    title: str
    severity: Severity
    description: str
    remedy: str
    confidence: Confidence = Confidence.HIGH
    taxonomy: tuple[str, ...] = ()
    help: str = ""

    def at(
        self,
        artifact: Artifact,
        message: str = "",
        *,
        evidence: str = "",
        key: str = "",
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        remedy: str = "",
        witness: str = "",
        location: Location | None = None,
        line: int | None = None,
        end_line: int | None = None,
        column: int | None = None,
        cell: int | None = None,
        row: int | None = None,
        field: str | None = None,
        member: str | None = None,
        offset: int | None = None,
        commit: str | None = None,
    ) -> Finding:
        """A finding of this rule. `key` is what identifies it when lines move (default: the evidence, else the
        message); `evidence` must already be redacted where it holds a secret."""
        message, evidence, key = (without_passwords(text) for text in (message, evidence, key))
        place = location or Location(line, end_line, column, cell, row, field, member, offset, commit)
        return Finding(
            rule=self,
            artifact=artifact,
            location=place,
            message=message or self.title,
            evidence=evidence,
            severity=severity or self.severity,
            confidence=confidence or self.confidence,
            remedy=remedy or self.remedy,
            witnesses=(witness,) if witness else (),
            key=key or evidence or message,
        )


@dataclass(frozen=True)
class Finding:
    """A rule, seen at a place.

    `witnesses` are the tools that saw it (empty: the check itself); `occurrence` tells equal findings of one artifact
    apart; `waiver` says who accepted it, why and until when.
    """

    rule: Rule
    artifact: Artifact
    location: Location
    message: str
    evidence: str
    severity: Severity
    confidence: Confidence
    remedy: str
    witnesses: tuple[str, ...] = ()
    key: str = ""
    occurrence: int = 0
    check: str = ""
    category: str = ""
    disposition: Disposition = Disposition.NEW
    waiver: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits from rule, artifact name, key and occurrence: the same when lines move or a run is repeated."""
        squeezed = " ".join(self.key.split())
        text = "\0".join((self.rule.id, self.artifact.uri, squeezed, str(self.occurrence)))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def with_(self, **changes: object) -> Finding:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
