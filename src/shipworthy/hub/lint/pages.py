"""The other files of the hub: topics, paths, stages, frameworks. What is hidden in a text, and links that a page must
not have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shipworthy.files import read_regular
from shipworthy.hub.lint.wording import hidden
from shipworthy.hub.things import Problem
from shipworthy.patterns import regex

_LINK = regex(r"\]\(\s*<?([^)\s>]{0,300})")
_NAMED = regex(r" {0,3}\[[^\]\n]{1,200}\]:\s*<?(\S{0,300})")  # a link's address, given below
_TAG = regex(r"</?[A-Za-z][^<>]{0,2000}(?:>|\Z)|<!--")
_CODE = regex(r"`[^`\n]{0,400}`")
_FENCE = regex(r"[ ]{0,3}(```+|~~~+)")
_LARGEST = 1_000_000
_MANY = 20  # lines with something hidden


def texts(folder: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each file's name and text; what is no UTF-8 or too large was said when it was read."""
    for name in names:
        try:
            raw = read_regular(folder / name, _LARGEST + 1)
            if len(raw) <= _LARGEST:
                yield name, raw.decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def unseen(file: str, text: str) -> Iterator[Problem]:
    """Characters that are not seen, once a line."""
    for line, told in islice(hidden(text.replace("\r\n", "\n")), _MANY):
        yield Problem(file, "", told, "delete it; type the words anew rather than pasting them", line)


def markdown(file: str, text: str) -> Iterator[Problem]:
    """Raw HTML outside of code, and links to anything but https."""
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        if found := _FENCE.match(line):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
            continue
        if fence:
            continue
        bare = _CODE.sub("", line)
        if tag := _TAG.search(bare):
            yield Problem(file, "", f"`{tag[0][:40]}` is HTML", "write Markdown; code stands in `backticks`", number)
        for link in (*_LINK.finditer(bare), *([found] if (found := _NAMED.match(bare)) else [])):
            if not link[1].startswith("https://"):
                told = f"a link to `{link[1][:60]}`"
                yield Problem(
                    file, "", told, "link to https addresses; name pages of the hub in the front matter", number
                )
