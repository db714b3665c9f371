"""Names and digests as they may stand in evidence: nothing that leads out of a folder or that two systems read
differently.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from shipworthy.evidence.failures import RefusedError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME_LIMIT = 4096


def is_digest(text: object) -> bool:
    """Whether it is `sha256:` and 64 lower-case hex digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def check_digest(text: object, what: str) -> str:
    """The digest itself. Raises RefusedError when it is none."""
    if not isinstance(text, str) or not is_digest(text):
        raise RefusedError(f"{what} has no valid digest (sha256: and 64 hex digits)")
    return text


def check_path(name: str) -> str:
    """The relative path itself, `/` between its parts. Raises RefusedError for an absolute one, `.` and `..` parts,
    empty parts, control characters, backslashes, text that is not valid Unicode, and what is too long.
    """
    problem = _problem(name)
    if problem:
        raise RefusedError(f"the name {name[:80]!r} {problem}", remedy="rename the file, then make the evidence again")
    return name


def _problem(name: str) -> str:
    if not name or len(name) > NAME_LIMIT:
        return "is empty or too long"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if "\\" in name or any(unicodedata.category(char) in {"Cc", "Cs", "Cf", "Zl", "Zp"} for char in name):
        return "holds a backslash, a control or an invisible character"
    if name.startswith("/") or any(part in {"", ".", ".."} for part in name.split("/")):
        return "is not a plain relative path"
    return ""


def folded(name: str) -> str:
    """How a file system that ignores case and Unicode form sees the name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def check_spelling(seen: dict[str, str], name: str, where: str = "") -> None:
    """Note the name in `seen` (by how it folds). Raises RefusedError when another spelling of it is there already."""
    other = seen.setdefault(folded(name), name)
    if other != name:
        raise RefusedError(
            f"the names {other[:80]!r} and {name[:80]!r} differ only in case or Unicode form",
            where=where,
            remedy="rename one of them: on other systems they are the same file",
        )


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
