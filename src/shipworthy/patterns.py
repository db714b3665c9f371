"""Regular expressions that are compiled when they are first used: most runs use few of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:  # noqa: N801  in the place of `re.compile`
        """Like `re.compile`, with the same methods."""

        def __init__(self, source: str | bytes, flags: int = 0) -> None:
            self._given = (source, flags)

        def __getattr__(self, name: str) -> Any:
            if not hasattr(re.Pattern, name):  # asked of everything in a module: no reason to compile
                raise AttributeError(name)
            value = getattr(re.compile(*self._given), name)
            setattr(self, name, value)  # it is found without this function from now on
            return value


NAMES = regex(r"[^:]+:[^:]+")  # of `module:name`, with * and ? as in file names


def ill_formed(patterns: Iterable[str]) -> str | None:
    """The first that is no pattern of `module:name`; None when all are."""
    return next((str(one) for one in patterns if not isinstance(one, str) or not NAMES.fullmatch(one)), None)


def listed(patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns of an argument that is also given as one: a string is no list of its letters."""
    return (patterns,) if isinstance(patterns, str) else tuple(patterns)


__all__ = ["ill_formed", "listed", "regex"]
