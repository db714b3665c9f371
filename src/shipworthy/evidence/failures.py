"""Why evidence does not hold: four classes, so that tampering is never confused with a rule, a gap or a full disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipworthy.errors import EvidenceError


class Failure(StrEnum):
    """The class of a failure.

    `integrity`: bytes differ from what was attested. `policy`: the bytes are genuine, but their signer, or what the
    statement says, is not acceptable. `missing`: evidence that must be there is not. `infrastructure`: it could not be
    read, so nothing is known.
    """

    INTEGRITY = "integrity"
    POLICY = "policy"
    MISSING = "missing"
    INFRASTRUCTURE = "infrastructure"


class RefusedError(EvidenceError):
    """Evidence that does not hold, with its class and, when they are known, what was expected and what was found."""

    def __init__(
        self,
        message: str,
        failure: Failure = Failure.INTEGRITY,
        *,
        where: str = "",
        remedy: str = "",
        expected: str = "",
        actual: str = "",
    ) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.failure = failure
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True)
class Problem:
    """Why one link of a chain does not hold, as plain data."""

    failure: Failure
    reason: str
    expected: str = ""
    actual: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, error: RefusedError) -> Problem:
        """What the error says."""
        return cls(error.failure, error.message, error.expected, error.actual, error.remedy)
