"""Names of files as people and reports can bear them, and paths that stay where they belong."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.patterns import regex

NAME_LIMIT = 4096
# What Windows keeps for devices, with any suffix, and drops at the end of a name.
_WINDOWS = regex(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?|.*[. ]", re.IGNORECASE | re.DOTALL)
_PLAIN = regex(r"[A-Za-z0-9 _./@+=,()\[\]{}~^!#$&'-]*\Z")
# Tokens whose form their issuer documents: AWS, GitHub, GitLab, Slack, Google, Hugging Face, npm, PyPI, Stripe, OpenAI
# and Anthropic, and signed JSON Web Tokens. Each begins with literals and is one run of characters from there on.
_TOKEN = regex(
    r"(?<![A-Za-z0-9])(?:A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])|gh[oprsu]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}|"
    r"glpat-[A-Za-z0-9_-]{20,255}|xox[abeprs]-[A-Za-z0-9-]{20,255}|AIza[A-Za-z0-9_-]{35}|hf_[A-Za-z0-9]{34}|"
    r"npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{50,255}|[rs]k_live_[A-Za-z0-9]{20,255}|"
    r"sk-(?:(?:proj|ant|svcacct)-[A-Za-z0-9_-]{20,255}|[A-Za-z0-9]{40,255})|"
    r"eyJ[A-Za-z0-9_-]{10,255}\.eyJ[A-Za-z0-9_-]{10,255}\.[A-Za-z0-9_-]{10,255})"
)
_SHORTEST_TOKEN = 20
REDACTED = "-REDACTED-"


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether there is something of this name, if only a link that leads nowhere. Raises EnvironmentFailure when that
    is not for us to know: what must not be looked at is not what is missing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise EnvironmentFailure(
            f"cannot be reached: {error.strerror}", where=os.fspath(path), remedy="have its folders made readable"
        ) from None
    return True


def display_name(path: str) -> str:
    """A relative path as a uri: `/` between parts; undecodable bytes, control and format characters, and `%` are
    percent-encoded, so that the name can be printed and means one file only. Of a token in it only the first characters
    stay, and a short digest that keeps names apart: uris are in every report."""
    path = path.replace(os.sep, "/")
    if len(path) >= _SHORTEST_TOKEN:
        path = _TOKEN.sub(_redacted, path)
    if _PLAIN.match(path):
        return path
    return "".join(_encoded(char) for char in path)


def _redacted(token: re.Match[str]) -> str:
    return f"{token[0][:4]}{REDACTED}{hashlib.sha256(token[0].encode('ascii')).hexdigest()[:8]}"


def _encoded(char: str) -> str:
    if char == "%" or unicodedata.category(char)[0] == "C" or char in "\u2028\u2029":
        return "".join(
            f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape" if _escaped(char) else "surrogatepass")
        )
    return char


def _escaped(char: str) -> bool:
    return 0xDC80 <= ord(char) <= 0xDCFF


def portable(name: str) -> str:
    """Why a relative path, `/` between its parts, is not the same file on every system; empty when it is.

    Refused are absolute paths, `.` and `..` parts, empty parts, control characters, backslashes, text that is not valid
    Unicode or not composed (NFC), names that Windows keeps for itself or shortens, and what is too long.
    """
    problem = _problem(name)
    return f"the name {name[:80]!r} {problem}" if problem else ""


def _problem(name: str) -> str:
    if not name or len(name) > NAME_LIMIT:
        return "is empty or too long"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if "\\" in name or any(unicodedata.category(char) in {"Cc", "Cs", "Cf", "Zl", "Zp"} for char in name):
        return "holds a backslash, a control or an invisible character"
    parts = name.split("/")
    if name.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        return "is not a plain relative path"
    if not unicodedata.is_normalized("NFC", name):
        return "is not in Unicode's composed form (NFC)"
    if any(_WINDOWS.fullmatch(part) for part in parts):
        return "is one that Windows does not allow, or ends in a dot or a space"
    return ""


def spelled_twice(seen: dict[str, str], name: str) -> str:
    """Note the name in `seen` by how a file system that ignores case and Unicode form sees it: what is wrong when
    another spelling is there already, else empty."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    other = seen.setdefault(folded, name)
    return f"the names {other[:80]!r} and {name[:80]!r} differ only in case or Unicode form" if other != name else ""


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


class _Glob:
    """A glob: `*` and `?` stay inside a path part, `**` crosses parts, a trailing `/` means all below.

    All states are followed at once, one bit each, so that time grows with the length of the name and not with the ways
    to match it: globs come from settings files that nobody vouches for.
    """

    def __init__(self, glob: str) -> None:
        glob = glob.removeprefix("./")
        if glob.endswith("/"):
            glob += "**"
        self.literals: dict[str, int] = {}
        self.one = self.part = self.all = self.folders = self.inner = 0
        bit, index = 1, 0
        while index < len(glob):
            if glob.startswith("**/", index):  # two states: at the start of a part, and inside of one
                self.folders, self.inner = self.folders | bit, self.inner | bit << 1
                bit, index = bit << 1, index + 3
                while glob.startswith("**/", index):
                    index += 3
            elif glob.startswith("**", index):
                self.all, index = self.all | bit, index + 2
            elif glob[index] == "*":
                self.part, index = self.part | bit, index + 1
            elif glob[index] == "?":
                self.one, index = self.one | bit, index + 1
            else:
                self.literals[glob[index]] = self.literals.get(glob[index], 0) | bit
                index += 1
            bit <<= 1
        self.final = bit

    def match(self, text: str) -> bool:
        """Does all of the text match?"""
        states = self._free(1)
        for char in text:
            following = (states & self.literals.get(char, 0)) << 1 | states & self.all
            if char == "/":
                following |= (states & self.inner) >> 1
            else:
                following |= (states & (self.one | self.folders)) << 1 | states & (self.part | self.inner)
            if not following:
                return False
            states = self._free(following)
        return bool(states & self.final)

    def _free(self, states: int) -> int:
        """The states, and those that are reached without reading anything."""
        while True:
            more = states | (states & (self.part | self.all)) << 1 | (states & self.folders) << 2
            if more == states:
                return states
            states = more


@lru_cache(maxsize=1024)
def _pattern(glob: str) -> _Glob:
    return _Glob(glob)


def matches(uri: str, globs: Iterable[str]) -> bool:
    """Does one of the globs mean this uri? A glob without `/` means the name in any folder."""
    name = uri.rpartition("/")[2]
    return any(_pattern(glob).match(uri if "/" in glob else name) for glob in globs)
