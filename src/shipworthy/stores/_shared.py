"""What every kind of store needs: names of releases, and files that are read as they are."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.patterns import regex

BUFFER = 1024 * 1024
REF_LIMIT = 16 * 1024 * 1024
"""Bytes of a release's reference."""
VERSION = regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_NAME = regex(r"[a-z0-9][a-z0-9._-]{0,127}")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def is_name(text: str) -> bool:
    """Whether a release may be called so."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str, version: str = "0") -> None:
    """Raises UsageError for what is no name or no version of a release."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:60]!r} is no name for a release",
            where="the store",
            remedy="lower-case letters, digits, dots, dashes and underscores; a letter or digit first",
        )
    if not VERSION.fullmatch(version) or version == "latest":
        raise UsageError(f"{version[:60]!r} is no version", where=name, remedy="for example 1.2.0")


def check_digest(actual: str, expected: str, where: str) -> None:
    """Raises EvidenceError when something else than these bytes was expected."""
    if expected and actual != expected:
        raise EvidenceError(
            f"the bytes changed: {actual} instead of {expected}", where=where, remedy="make the evidence again"
        )


@contextmanager
def reading(where: Path) -> Iterator[None]:
    """Explains what goes wrong while a file is read."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(where)) from None


def open_regular(path: Path) -> BinaryIO:
    """Open a file that is no link, device or pipe. Raises UsageError, EvidenceError, EnvironmentFailure."""
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            raise UsageError("there is no such file", where=str(path)) from None
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise EvidenceError("this is no regular file", where=str(path)) from None
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise EvidenceError("this is no regular file", where=str(path))
    return open(descriptor, "rb")
