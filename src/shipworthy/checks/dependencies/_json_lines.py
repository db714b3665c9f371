"""In which line of a JSON file a key stands: the parser of the standard library does not tell."""

from __future__ import annotations

import json
from typing import Final

from shipworthy.patterns import regex

_TOKEN: Final = regex(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]')
_DEPTH = 64


class Lines:
    """Lines, from 1, of the keys of objects by their paths, for paths that alternate between one word and any key:
    `("packages", K)`, `("dependencies", K, "dependencies", K)`. Of keys that stand twice the last counts, as for the
    parser. The text must be JSON; what is nested deeper than 64 has no line."""

    def __init__(self, text: str) -> None:
        self._found: dict[tuple[str, ...], int] = {}
        names: list[str | None] = []  # of what is open; None for the root, and for what is in a list
        opened: list[str] = []
        key: str | None = None
        is_key, line, last = False, 1, 0
        for match in _TOKEN.finditer(text):
            piece = match[0]
            if piece[0] == '"':
                if is_key:
                    is_key, key = False, _key(piece)
                    line, last = line + text.count("\n", last, match.start()), match.start()
                    self._keep(names, key, line)
            elif piece in "{[":
                names.append(key if opened and opened[-1] == "{" else None)
                opened.append(piece)
                is_key = piece == "{"
            elif piece == ",":
                is_key = bool(opened) and opened[-1] == "{"
            elif opened:
                opened.pop()
                names.pop()
                is_key = False

    def _keep(self, names: list[str | None], key: str, line: int) -> None:
        if len(names) > _DEPTH or len(names) % 2 or any(name != names[1] for name in names[1::2]):
            return
        above = [name for name in names[1:] if name is not None]
        if len(above) == len(names) - 1:
            self._found[(*above, key)] = line

    def __call__(self, *path: str) -> int | None:
        return self._found.get(path)


def _key(piece: str) -> str:
    return str(json.loads(piece, strict=False)) if "\\" in piece else piece[1:-1]
