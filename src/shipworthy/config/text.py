"""Where in a TOML text a key stands: the standard library's parser does not say."""

from __future__ import annotations

from shipworthy.patterns import regex

_HEADER = regex(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = regex(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")

# The address of a published site: nothing in it that must be escaped where it is shown, no user, query or fragment.
SITE = regex(r"https?://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:/[A-Za-z0-9._~%-]{1,200}){0,20}/?")


def line_of(text: str, keys: tuple[str | int, ...]) -> int:
    """The line (from 1) of the key with this path, list positions being whole numbers; of the nearest table or key
    above it when it stands inside an inline value; 0 when nothing of it is found."""
    best_line, best_depth = 0, 0
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = _parts(header[2])
            if header[1] == "[[":
                index = counts[header[2]] = counts.get(header[2], -1) + 1
                table = (*names, index)
            else:
                table = names
            path = table
        elif key := _KEY.match(line):
            path = (*table, *_parts(key[1]))
        else:
            continue
        depth = _shared(path, keys)
        if depth == len(path) and depth > best_depth:
            best_line, best_depth = number, depth
    return best_line


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _shared(path: tuple[str | int, ...], keys: tuple[str | int, ...]) -> int:
    depth = 0
    for one, other in zip(path, keys, strict=False):
        if one != other:
            break
        depth += 1
    return depth


_DAY, _MEBIBYTES = 86_400, 1 << 24
_LIMITS = (
    ("wall-seconds", 1, 30 * _DAY),
    ("cpu-seconds", 0, 30 * _DAY),
    ("memory-mb", 1, _MEBIBYTES),
    ("processes", 1, 1 << 20),
    ("file-mb", 1, _MEBIBYTES),
)
NUMBERS: tuple[tuple[tuple[str, ...], int, int], ...] = (
    (("scan", "jobs"), 0, 4096),
    (("scan", "memory-mb"), 1, _MEBIBYTES),
    *(((step, "limits", name), low, high) for step in ("train", "evaluate") for name, low, high in _LIMITS),
    (("train", "kfold", "folds"), 2, 1000),
    (("image", "seconds"), 1, 30 * _DAY),
    (("service", "port"), 1, 65_535),
    (("service", "ready-seconds"), 1, _DAY),
    (("service", "memory-mb"), 1, _MEBIBYTES),
    (("service", "processes"), 1, 1 << 20),
    (("protect", "body"), 1, 1 << 40),
    (("protect", "concurrent"), 1, 1 << 20),
    (("protect", "depth"), 1, 10_000),
)
"""The numbers of the settings, with the least and the most that they may be."""
