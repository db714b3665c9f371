"""Which versions a range of npm allows, by the grammar of node-semver (https://github.com/npm/node-semver#ranges)."""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.checks.dependencies._semver import InvalidSemVer, SemVer
from shipworthy.patterns import regex

LENGTH_LIMIT = 1_000
_SPACES = regex(r"(\^|~>?|[<>]=?|=)[ \t]+")
_HYPHEN = regex(r"[ \t]*([^ \t]{1,100})[ \t]+-[ \t]+([^ \t]{1,100})[ \t]*\Z")
_PART = r"(\d{1,16}|[xX*])"
_ONE = regex(
    rf"(\^|~>?|[<>]=?|=)?[v=]{{0,3}}{_PART}(?:\.{_PART})?(?:\.{_PART})?(?:-([0-9A-Za-z.-]{{1,100}}))?(?:\+[0-9A-Za-z.-]{{0,100}})?\Z"
)
_HOLDS: dict[str, Callable[[SemVer, SemVer], bool]] = {
    ">=": lambda one, two: not one < two,
    "<": lambda one, two: one < two,
    ">": lambda one, two: two < one,
    "<=": lambda one, two: not two < one,
    "=": lambda one, two: one == two,
}
_Limit = tuple[str, SemVer]


class NotARange(ValueError):
    """The text is no range: a tag such as `latest`, an address, or something else."""


def allows(text: str, version: SemVer) -> bool:
    """Whether a version is in a range. Raises NotARange."""
    if len(text) > LENGTH_LIMIT:
        raise NotARange
    ranges = [_limits(part) for part in text.split("||")]  # all are read: each must be a range
    return any(_met(limits, version) for limits in ranges)


def _met(limits: list[_Limit], version: SemVer) -> bool:
    if not all(_HOLDS[kind](version, limit) for kind, limit in limits):
        return False
    # A version before a release is only meant by a limit that names one of the same release.
    return not version.before or any(limit.before and limit.numbers == version.numbers for _, limit in limits)


def _limits(text: str) -> list[_Limit]:
    if found := _HYPHEN.match(text):
        return _one(f">={found[1]}") + _one(f"<={found[2]}")
    return [limit for word in _SPACES.sub(r"\1", text).split() for limit in _one(word)]


def _one(word: str) -> list[_Limit]:
    match = _ONE.match(word)
    if not match:
        raise NotARange
    kind, before = match[1] or "", match[5] or ""
    numbers: list[int] = []
    for part in match.group(2, 3, 4):
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    if not numbers:
        return [] if kind not in ("<", ">") else [("<", _version((0, 0, 0), "0"))]
    low = _version((*numbers, 0, 0)[:3], before if len(numbers) == 3 else "")
    if kind == "^":
        return [(">=", low), ("<", _after(numbers, _first(numbers)))]
    if kind.startswith("~"):
        return [(">=", low), ("<", _after(numbers, min(len(numbers), 2)))]
    if len(numbers) == 3:
        return [(kind or "=", low)]
    high = _after(numbers, len(numbers))
    return {
        "": [(">=", low), ("<", high)],
        "=": [(">=", low), ("<", high)],
        ">=": [(">=", low)],
        ">": [(">=", high)],
        "<": [("<", _version((*numbers, 0, 0)[:3], "0"))],
        "<=": [("<", high)],
    }[kind]


def _first(numbers: list[int]) -> int:
    """How many numbers a caret keeps: up to the first that is not 0, else all that are given."""
    return next((at for at, number in enumerate(numbers, 1) if number), len(numbers))


def _after(numbers: list[int], kept: int) -> SemVer:
    """The lowest version, also before its release, in which the last of the kept numbers is higher."""
    raised = [*numbers[: kept - 1], numbers[kept - 1] + 1, 0, 0]
    return _version((raised[0], raised[1], raised[2]), "0")


def _version(numbers: tuple[int, ...], before: str) -> SemVer:
    try:
        return SemVer(".".join(map(str, numbers)) + (f"-{before}" if before else ""))
    except InvalidSemVer:
        raise NotARange from None
