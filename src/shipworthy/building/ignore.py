"""What a .dockerignore leaves out of a build context.

Source: Docker's reference of the build context: of all patterns that mean a path, or a folder that it is in, the last
one decides; `!` takes a path in again. Patterns are those of Go's `filepath.Match`, and `**` for any folders. Matching
takes time in proportion to pattern times path, whatever the pattern: the file is somebody else's.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from shipworthy.errors import UsageError

_SIZE_LIMIT = 1 << 20
_RULES_LIMIT = 5000


class Ignored:
    """Called with a path (relative, `/` between its parts): is it left out?"""

    def __init__(self, lines: Sequence[str]) -> None:
        self.rules: list[tuple[tuple[str, ...], bool]] = []
        for line in lines:
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
            if name not in ("", "."):
                self.rules.append((tuple(name.split("/")), not text.startswith("!")))
        if len(self.rules) > _RULES_LIMIT:
            raise UsageError(f"more than {_RULES_LIMIT} patterns", where=".dockerignore")
        self.has_exceptions = any(not leaves_out for _, leaves_out in self.rules)

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self.rules)

    def __call__(self, name: str) -> bool:
        """Whether the path is left out."""
        parts = tuple(name.split("/"))
        left_out = False
        for pattern, leaves_out in self.rules:
            if leaves_out != left_out and _means(pattern, parts):
                left_out = leaves_out
        return left_out


def read(context: Path, dockerfile: Path) -> Ignored:
    """The rules for a context: those of `<Dockerfile>.dockerignore` beside the Dockerfile, else of `.dockerignore`, or
    none. Raises UsageError for a file that is too large."""
    for path in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        if not path.is_file() or path.is_symlink():
            continue
        with path.open("rb") as stream:
            raw = stream.read(_SIZE_LIMIT + 1)
        if len(raw) > _SIZE_LIMIT:
            raise UsageError("the file is larger than 1 MiB", where=path.name)
        return Ignored(raw.decode("utf-8", "replace").removeprefix("\ufeff").splitlines())
    return Ignored(())


def _means(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether the pattern matches the path or a folder that it is in."""
    reached = {0}  # how many parts of the path the pattern's parts so far can have matched
    for one in pattern:
        if one == "**":
            reached = set(range(min(reached), len(parts) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(parts) and _fits(one, parts[at])}
        if not reached:
            return False
    return bool(reached - {0}) or pattern[-1] == "**"


def _fits(pattern: str, text: str) -> bool:
    """`filepath.Match` of one part of a path."""
    tokens = _tokens(pattern)
    at = token = 0
    star = back = -1
    while at < len(text):
        if token < len(tokens) and tokens[token] == "*":
            star, back = token, at
            token += 1
        elif token < len(tokens) and _is_in(tokens[token], text[at]):
            token, at = token + 1, at + 1
        elif star >= 0:
            back += 1
            token, at = star + 1, back
        else:
            return False
    return all(one == "*" for one in tokens[token:])


def _tokens(pattern: str) -> list[str]:
    """`*`, `?`, a class `[...]`, or one character with a backslash before it."""
    tokens, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        end = pattern.find("]", at + 2) if char == "[" else -1
        if char == "*" or char == "?":
            tokens.append(char)
        elif end > 0:
            tokens.append(pattern[at : end + 1])
            at = end
        else:
            at += char == "\\" and at + 1 < len(pattern)
            tokens.append("\\" + pattern[at])
        at += 1
    return tokens


def _is_in(element: str, char: str) -> bool:
    if element == "?":
        return True
    if element[0] == "\\":
        return element[1] == char
    inner = element[1:-1]
    negated = inner.startswith("^")
    inner = inner[1:] if negated else inner
    found, at = False, 0
    while at < len(inner):
        if inner[at + 1 : at + 2] == "-" and at + 2 < len(inner):
            found, at = found or inner[at] <= char <= inner[at + 2], at + 3
        else:
            found, at = found or inner[at] == char, at + 1
    return found != negated
