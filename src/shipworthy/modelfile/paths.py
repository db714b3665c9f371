"""Names that would leave the folder they belong to."""

from __future__ import annotations

from shipworthy.patterns import regex

_DRIVE = regex(r"[A-Za-z]:")
_URL = regex(r"(?i)[a-z][a-z0-9+.\-]*://|file:")


def escapes(name: str) -> bool:
    """Whether a relative name (of a member, of a neighbour file) leads elsewhere on any system: absolute, with a drive
    or share, through `..`, or with a NUL that cuts it.
    """
    if not (":" in name or ".." in name or "\\" in name or "\0" in name or name.startswith(("/", "~"))):
        return False
    parts = name.replace("\\", "/").split("/")
    return (
        name.startswith(("/", "\\", "~"))
        or ".." in parts
        or "\0" in name
        or _DRIVE.match(name) is not None
        or _URL.match(name) is not None
    )
