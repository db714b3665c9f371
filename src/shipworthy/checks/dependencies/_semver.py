"""Versions as npm orders them: Semantic Versioning 2.0.0, section 11. Build metadata does not count."""

from __future__ import annotations

from functools import total_ordering

from shipworthy.patterns import regex

_FORM = regex(
    r"[v=\s]*(\d{1,16})\.(\d{1,16})\.(\d{1,16})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]*)?\s*\Z"
)
LENGTH_LIMIT = 256


class InvalidSemVer(ValueError):
    """The text is no version."""


@total_ordering
class SemVer:
    """A version: its three numbers, and what says which one before the release it is. Raises InvalidSemVer."""

    def __init__(self, text: str) -> None:
        match = _FORM.match(text) if len(text) <= LENGTH_LIMIT else None
        if match is None:
            raise InvalidSemVer(f"{text[:40]!r} is no version by Semantic Versioning")
        self.numbers = (int(match[1]), int(match[2]), int(match[3]))
        self.before = tuple(match[4].split(".")) if match[4] else ()
        # Of one release the one without a part after `-` is the last; numbers come before words, by their value.
        parts = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.before)
        self._key = (self.numbers, not self.before, parts)

    @property
    def public(self) -> str:
        """The version in its plain form."""
        return str(self)

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + ("-" + ".".join(self.before) if self.before else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SemVer) and self._key == other._key

    def __lt__(self, other: SemVer) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)
