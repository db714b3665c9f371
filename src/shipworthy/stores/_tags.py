"""Names and versions as tags (distribution specification: a letter, digit or underscore first, then also dots, dashes).

A name or a version never starts with an underscore, so no version's own tag looks like one of ours.
"""

from __future__ import annotations

from shipworthy.errors import UsageError
from shipworthy.patterns import regex
from shipworthy.stores._shared import VERSION, is_name

RELEASE = "_release-"
LATEST = "_latest-"
_BETWEEN = "_."
_LONGEST = 128
_FALLBACK = regex(r"sha256-[0-9a-f]{64}.{0,64}")
_PART = regex(r"__|_-|_\.|[^_]")
_READ = {"__": "_", "_-": "+"}


def plain_tag(repository: str, name: str, version: str) -> str:
    """The tag of the image or model: the version where the repository has its name, `NAME-VERSION` elsewhere; `+`,
    which tags do not have, becomes `_`. Raises UsageError for what does not fit into a tag.
    """
    tag = version if repository.rpartition("/")[2] == name else f"{name}-{version}"
    if _FALLBACK.fullmatch(tag) or max(len(tag), len(release_tag(name, version))) > _LONGEST:
        raise UsageError(
            f"{name[:60]} {version[:60]!r} cannot be a tag",
            where="the store",
            remedy="choose a shorter name or version: together they may have some 110 characters",
        )
    return tag.replace("+", "_")


def release_tag(name: str, version: str) -> str:
    """The tag of the release, another one for each name and version."""
    return f"{RELEASE}{_escaped(name)}{_BETWEEN}{_escaped(version)}"


def latest_tag(name: str) -> str:
    """The tag of the release of this name that was put last."""
    return f"{LATEST}{_escaped(name)}"


def name_of(tag: str) -> str:
    """The name whose latest release has this tag; empty for other tags."""
    name = _plain(tag.removeprefix(LATEST)) if tag.startswith(LATEST) and len(tag) <= _LONGEST else ""
    return name if is_name(name) and latest_tag(name) == tag else ""


def version_of(tag: str, name: str) -> str:
    """The version of `name` whose release has this tag; empty for other tags."""
    prefix = release_tag(name, "")
    if not tag.startswith(prefix) or len(tag) > _LONGEST:
        return ""
    version = _plain(tag.removeprefix(prefix))
    return version if VERSION.fullmatch(version) and release_tag(name, version) == tag else ""


def _plain(text: str) -> str:
    return "".join(_READ.get(part, part) for part in _PART.findall(text))


def _escaped(text: str) -> str:
    return text.replace("_", "__").replace("+", "_-")
