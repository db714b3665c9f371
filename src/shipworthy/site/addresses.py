"""Where each page of the site lies, and which addresses elsewhere a page may lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from shipworthy.patterns import regex

_NOT_IN_NAMES = regex(r"[^A-Za-z0-9.()_-]+")
_LONGEST = 100


def places(pages: Iterable[str]) -> Mapping[str, str]:
    """The file of each page id, relative to the site's folder: `item/LLM03:2025` lies in `item/LLM03-2025.html`. Names
    have nothing that a file system or an address could misread, and differ in more than case."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for page in pages:
        kind, _, name = page.partition("/")
        base = (_NOT_IN_NAMES.sub("-", name)[:_LONGEST].strip("-.")) or "page"
        folder = _NOT_IN_NAMES.sub("-", kind)
        place, number = f"{folder}/{base}.html", 1
        while place.lower() in taken:
            number += 1
            place = f"{folder}/{base}-{number}.html"
        taken.add(place.lower())
        found[page] = place
    return found


def outside(url: str) -> str:
    """An address elsewhere as a link may have it; nothing when it is not one of https, names a user, or has
    characters that an address has not."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    if not good or any(char.isspace() or char in '<>"`{}|\\^' or not char.isprintable() for char in url):
        return ""
    return quote(url, safe="/:?#[]@!$&'()*+,;=%~-._")
