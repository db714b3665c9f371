"""Names and digests as they may stand in evidence: nothing that leads out of a folder or that two systems read
differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shipworthy.evidence.failures import RefusedError
from shipworthy.paths import portable, spelled_twice

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: object) -> bool:
    """Whether it is `sha256:` and 64 lower-case hex digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def check_digest(text: object, what: str) -> str:
    """The digest itself. Raises RefusedError when it is none."""
    if not isinstance(text, str) or not is_digest(text):
        raise RefusedError(f"{what} has no valid digest (sha256: and 64 hex digits)")
    return text


def check_path(name: str) -> str:
    """The relative path itself, `/` between its parts. Raises RefusedError when it is not portable; see `portable`."""
    if problem := portable(name):
        raise RefusedError(problem, remedy="rename the file, then make the evidence again")
    return name


def check_spelling(seen: dict[str, str], name: str, where: str = "") -> None:
    """Note the name in `seen` (by how it folds). Raises RefusedError when another spelling of it is there already."""
    if problem := spelled_twice(seen, name):
        raise RefusedError(problem, where=where, remedy="rename one of them: on other systems they are the same file")


def check_paths(names: Iterable[str]) -> None:
    """Check each path, and that no two of them (or of their folders) would be one file on a file system that ignores
    case or Unicode form, and that none is both a file and a folder. Raises RefusedError.
    """
    spelled: dict[str, str] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        parts = check_path(name).split("/")
        if name in files:
            raise RefusedError(f"the name {name[:80]!r} occurs twice")
        files.add(name)
        for count in range(1, len(parts) + 1):
            prefix = "/".join(parts[:count])
            if count < len(parts):
                folders.add(prefix)
            check_spelling(spelled, prefix)
    if both := files & folders:
        raise RefusedError(f"the name {min(both)[:80]!r} is both a file and a folder")
