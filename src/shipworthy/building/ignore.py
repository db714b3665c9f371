"""`.dockerignore`: what of the context is not to be copied. Source: the Dockerfile reference, ".dockerignore file"."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from shipworthy.errors import UsageError

_BYTES, _PATTERNS = 1 << 20, 2_000


class Ignored:
    """Patterns in order; the last that matches a path, or a folder above it, decides."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._rules: list[tuple[bool, tuple[str, ...]]] = []
        for line in lines:
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            keep = text.startswith("!")
            parts = tuple(part for part in text.lstrip("!").strip().split("/") if part not in ("", "."))
            if parts:
                self._rules.append((keep, parts))
        if len(self._rules) > _PATTERNS:
            raise UsageError(f".dockerignore has more than {_PATTERNS} patterns")
        self.has_exceptions = any(keep for keep, _ in self._rules)

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._rules)

    def __call__(self, path: str) -> bool:
        """Whether a path, relative to the context, is left out."""
        parts = tuple(path.split("/"))
        out = False
        for keep, pattern in self._rules:
            if keep == out and any(matches(parts[:length], pattern) for length in range(1, len(parts) + 1)):
                out = not keep
        return out


def read(context: Path, dockerfile: Path) -> Ignored:
    """The rules for a context: `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore`."""
    for place in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        if place.is_file():
            with open(place, "rb") as stream:
                return Ignored(stream.read(_BYTES).decode("utf-8", "replace").splitlines())
    return Ignored(())


def matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path is meant by a pattern: `*`, `?` and `[…]` within one name, `**` for any number of names."""
    reached = {0}  # positions in the pattern that fit what was read so far
    for number in range(len(parts) + 1):
        waiting = list(reached)
        while waiting:  # `**` may stand for nothing
            position = waiting.pop()
            if position < len(pattern) and pattern[position] == "**" and position + 1 not in reached:
                reached.add(position + 1)
                waiting.append(position + 1)
        if number == len(parts):
            break
        following = set()
        for position in reached:
            if position == len(pattern):
                continue
            if pattern[position] == "**":
                following.add(position)
            elif fnmatchcase(parts[number], pattern[position]):
                following.add(position + 1)
        reached = following
    return len(pattern) in reached
