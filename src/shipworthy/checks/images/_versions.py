"""The order of versions, as each package manager has it. Keys compare like the versions that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from packaging.version import InvalidVersion, Version

from shipworthy.patterns import regex

Key = Callable[[str], Any]
_LONGEST = 300
_PARTS = regex(r"[0-9]+|[^0-9]+")
_SEMVER = regex(
    r"[v=]{0,2}(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z.-]{1,200}))?(?:\+[0-9A-Za-z.-]{0,200})?"
)
_APK = regex(
    r"(\d{1,40}(?:\.\d{1,40}){0,30})([a-z]?)((?:_[a-z]{1,5}\d{0,18}){0,10})(?:~[0-9a-f]{1,64})?(?:-r(\d{1,18}))?"
)
_SUFFIX = regex(r"_([a-z]{1,5})(\d{0,18})")
_SUFFIXES = {"alpha": -4, "beta": -3, "pre": -2, "rc": -1, "cvs": 1, "svn": 2, "git": 3, "hg": 4, "p": 5}
_RPM = regex(r"[0-9]+|[A-Za-z]+|~|\^")


class Unknown(ValueError):
    """The text is no version of this kind."""


def dpkg(text: str) -> Any:
    """deb-version(7): epoch, upstream version, revision; `~` sorts before the end, letters before other characters."""
    if not text or len(text) > _LONGEST or not text.isascii():
        raise Unknown(text[:80])
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    if not epoch.isdigit():
        raise Unknown(text[:80])
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, "0"
    return int(epoch), _debian(upstream), _debian(revision)


def _debian(text: str) -> tuple[Any, ...]:
    """Letters and numbers by turns, beginning with letters; the end counts as a character that sorts after `~`."""
    found: list[Any] = []
    for part in _PARTS.findall(text):
        if part.isdigit():
            if not found:
                found.append((0,))
            found.append(int(part))
        else:
            found.append((*(_weight(char) for char in part), 0))
    if len(found) % 2:
        found.append(0)
    return (*found, (0,))


def _weight(char: str) -> int:
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256


def apk(text: str) -> Any:
    """apk-tools, `version.c`: numbers, a letter, suffixes before and after a release, the package's own revision."""
    match = _APK.fullmatch(text)
    if not match:
        raise Unknown(text[:80])
    numbers: list[tuple[int, int | str]] = []
    for index, part in enumerate(match[1].split(".")):
        # As a decimal fraction, where a zero leads: 1.01 is before 1.1.
        numbers.append((0, part.rstrip("0")) if index and part.startswith("0") and len(part) > 1 else (1, int(part)))
    suffixes = []
    for name, number in _SUFFIX.findall(match[3]):
        if name not in _SUFFIXES:
            raise Unknown(text[:80])
        suffixes.append((_SUFFIXES[name], int(number or 0)))
    return numbers, match[2], (*suffixes, (0, 0)), int(match[4] or 0)


def rpm(text: str) -> Any:
    """rpm, `rpmvercmp.c`: epoch, version, release; `~` sorts before the end and `^` after it."""
    if not text or len(text) > _LONGEST:
        raise Unknown(text[:80])
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    if not epoch.isdigit():
        raise Unknown(text[:80])
    version, _, release = rest.partition("-")
    return int(epoch), _rpm_key(version), _rpm_key(release)


def _rpm_compare(one: list[str], two: list[str]) -> int:
    for a, b in zip([*one, ""], [*two, ""], strict=False):
        if a == b:
            if not a:
                return 0
            continue
        ranks = [_rpm_rank(part) for part in (a, b)]
        if ranks[0][0] != ranks[1][0]:
            return -1 if ranks[0][0] < ranks[1][0] else 1
        return -1 if ranks[0][1] < ranks[1][1] else 1
    return 0


def _rpm_rank(part: str) -> tuple[int, Any]:
    """`~`, then the end, then `^`, then letters, then numbers."""
    if part.isdigit():
        return 4, int(part)
    return {"~": 0, "": 1, "^": 2}.get(part, 3), part


_rpm_order = cmp_to_key(_rpm_compare)


def _rpm_key(text: str) -> Any:
    return _rpm_order([str(int(p)) if p.isdigit() else p for p in _RPM.findall(text) if p.isascii()])


def semver(text: str) -> Any:
    """Semantic versioning 2.0.0, section 11; missing parts count as zero."""
    match = _SEMVER.fullmatch(text.strip())
    if not match:
        raise Unknown(text[:80])
    before = match[4]
    marks: list[tuple[int, int | str]] = [
        (0, int(part)) if part.isdigit() else (1, part) for part in (before.split(".") if before else ())
    ]
    return int(match[1]), int(match[2] or 0), int(match[3] or 0), not before, marks


def pep440(text: str) -> Any:
    """PEP 440, without a local part: whoever built the package writes that."""
    try:
        return Version(Version(text).public)
    except InvalidVersion:
        raise Unknown(text[:80]) from None


KEYS: dict[str, Key] = {"deb": dpkg, "apk": apk, "rpm": rpm, "npm": semver, "pypi": pep440}
