"""The exception tree. Every exception says what happened, where, and what to do.

ShipworthyError
├── ModelRefusedError 1  a model must not be loaded
├── UsageError        2  wrong usage or settings
├── CoverageError     3  a required check could not run
├── EvidenceError     4  evidence does not verify
└── EnvironmentFailure 5  network, disk, registry or sandbox failed
"""

from __future__ import annotations

from enum import IntEnum

from shipworthy.patterns import regex

_USER = regex(r"(?<=://)(?!git@)[^\s/@]{1,512}@")
_LONGEST = 300  # characters of a place


class ExitCode(IntEnum):
    """What a command's exit status means; the same for every command. The last two are those of `verify` alone, which
    tells evidence that was changed (4) from genuine evidence that does not do (6) and from a gap in it (7).
    """

    SHIPWORTHY = 0
    GATE = 1
    USAGE = 2
    COVERAGE = 3
    EVIDENCE = 4
    ENVIRONMENT = 5
    UNTRUSTED = 6
    MISSING = 7


def without_passwords(text: str) -> str:
    """The text with what addresses name before their host taken out: passwords, and tokens in the place of a user."""
    return _USER.sub("…@", text) if "://" in text else text


class ShipworthyError(Exception):
    """Base of all errors meant for people: `message`, `where` it happened, the `remedy`."""

    exit_code = ExitCode.ENVIRONMENT

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        self.message, self.where = without_passwords(message), without_passwords(where)
        self.remedy = remedy
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f"{self.where[:_LONGEST]}{'…' if len(self.where) > _LONGEST else ''}: " if self.where else ""
        return f"{place}{self.message}"


class ModelRefusedError(ShipworthyError):
    """A model is not loaded: for what the scan of its very bytes saw, for what it could not see, or because the
    framework's own safe mode refuses it. `report` is what the scan said (a `shipworthy.modelfile.Report`), if anything.
    """

    exit_code = ExitCode.GATE

    def __init__(self, message: str, *, where: str = "", remedy: str = "", report: object = None) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.report = report


class UsageError(ShipworthyError):
    """The command line or the settings are wrong."""

    exit_code = ExitCode.USAGE


class CoverageError(ShipworthyError):
    """Something that had to be looked at could not be."""

    exit_code = ExitCode.COVERAGE


class EvidenceError(ShipworthyError):
    """A digest, signature or statement does not verify."""

    exit_code = ExitCode.EVIDENCE


class EnvironmentFailure(ShipworthyError):
    """The world outside failed: disk, network, registry, sandbox."""

    exit_code = ExitCode.ENVIRONMENT
