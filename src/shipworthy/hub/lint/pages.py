"""The other files of the hub: topics, paths, stages, frameworks. What is hidden in a text, and links that a page must
not have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shipworthy.hub.lint.wording import hidden
from shipworthy.hub.things import Problem
from shipworthy.patterns import regex

_LINK = regex(r"\]\(\s*<?([^)\s>]{0,300})")
_TAG = regex(r"</?[A-Za-z][^<>]{0,200}>|<!--")
_CODE = regex(r"`[^`\n]{0,400}`")
_FENCE = regex(r"[ ]{0,3}(```+|~~~+)")
_LARGEST = 1_000_000


def texts(folder: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each file's name and text; what is no UTF-8 or too large was said when it was read."""
    for name in names:
        try:
            path = folder / name
            if path.stat().st_size <= _LARGEST:
                yield name, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def unseen(file: str, text: str) -> Iterator[Problem]:
    """Characters that are not seen, once a line."""
    for line, told in hidden(text):
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
        for link in _LINK.finditer(bare):
            if not link[1].startswith("https://"):
                told = f"a link to `{link[1][:60]}`"
                yield Problem(
                    file, "", told, "link to https addresses; name pages of the hub in the front matter", number
                )
