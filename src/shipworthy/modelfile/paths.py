"""Names that would leave the folder they belong to."""

from __future__ import annotations

import re

_DRIVE = re.compile(r"[A-Za-z]:")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://|file:", re.IGNORECASE)


def escapes(name: str) -> bool:
    """Whether a relative name (of a member, of a neighbour file) leads elsewhere on any system: absolute, with a drive
    or share, through `..`, or with a NUL that cuts it.
    """
    parts = name.replace("\\", "/").split("/")
    return (
        name.startswith(("/", "\\", "~"))
        or ".." in parts
        or "\0" in name
        or _DRIVE.match(name) is not None
        or _URL.match(name) is not None
    )
