"""Versions as tags (distribution specification: a letter, digit or underscore first, then also dots and dashes)."""

from __future__ import annotations

from shipworthy.errors import UsageError
from shipworthy.patterns import regex
from shipworthy.stores._shared import VERSION

RELEASE = "_release-"
_LONGEST = 128
_FALLBACK = regex(r"sha256-[0-9a-f]{64}.{0,64}")


def plain_tag(version: str) -> str:
    """The tag of the image or model: `+`, which tags do not have, becomes `_`. Raises UsageError."""
    if _FALLBACK.fullmatch(version) or len(release_tag(version)) > _LONGEST:
        raise UsageError(f"{version[:60]!r} cannot be a tag", where="the store", remedy="choose a shorter version")
    return version.replace("+", "_")


def release_tag(version: str) -> str:
    """The tag of the release, another one for each version."""
    return RELEASE + version.replace("_", "__").replace("+", "_-")


def version_of(tag: str) -> str:
    """The version whose release has this tag; empty for other tags."""
    if not tag.startswith(RELEASE):
        return ""
    text = tag.removeprefix(RELEASE)
    version = "_".join(part.replace("_-", "+") for part in text.split("__"))
    return version if VERSION.fullmatch(version) and release_tag(version) == tag else ""
