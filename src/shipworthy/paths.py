"""Names of files as people and reports can bear them, and paths that stay where they belong."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from shipworthy.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9 _./@+=,()\[\]{}~^!#$&'-]*\Z")


def display_name(path: str) -> str:
    """A relative path as a uri: `/` between parts; undecodable bytes, control and format characters, and `%` are
    percent-encoded, so that the name can be printed and means one file only."""
    path = path.replace(os.sep, "/")
    if _PLAIN.match(path):
        return path
    return "".join(_encoded(char) for char in path)


def _encoded(char: str) -> str:
    if char == "%" or unicodedata.category(char)[0] == "C" or char in "\u2028\u2029":
        return "".join(
            f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape" if _escaped(char) else "surrogatepass")
        )
    return char


def _escaped(char: str) -> bool:
    return 0xDC80 <= ord(char) <= 0xDCFF


def inside(root: Path, relative: str, *, what: str = "path") -> Path:
    """`root / relative`, which must stay inside `root` even through links.

    Raises UsageError for an absolute path, one with `..`, or one whose links lead out.
    """
    if not relative or "\0" in relative or Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise UsageError(f"the {what} must stay inside the workspace", where=display_name(relative) or "(empty)")
    path = root / relative
    real_root = root.resolve()
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"the {what} cannot be resolved: {error}", where=display_name(relative)) from None
    if real != real_root and real_root not in real.parents:
        raise UsageError(f"the {what} leads out of the workspace through a link", where=display_name(relative))
    return path


@lru_cache(maxsize=1024)
def _pattern(glob: str) -> re.Pattern[str]:
    """A glob as a pattern: `*` and `?` stay inside a path part, `**` crosses parts, a trailing `/` means all below."""
    glob = glob.removeprefix("./")
    if glob.endswith("/"):
        glob += "**"
    out, index = "", 0
    while index < len(glob):
        if glob.startswith("**/", index):
            out, index = out + "(?:[^/]+/)*", index + 3
        elif glob.startswith("**", index):
            out, index = out + ".*", index + 2
        elif glob[index] == "*":
            out, index = out + "[^/]*", index + 1
        elif glob[index] == "?":
            out, index = out + "[^/]", index + 1
        else:
            out, index = out + re.escape(glob[index]), index + 1
    return re.compile(out + r"\Z", re.DOTALL)


def matches(uri: str, globs: Iterable[str]) -> bool:
    """Does one of the globs mean this uri? A glob without `/` means the name in any folder."""
    name = uri.rpartition("/")[2]
    return any(_pattern(glob).match(uri if "/" in glob else name) for glob in globs)
