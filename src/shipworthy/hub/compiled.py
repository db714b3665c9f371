"""What was read of the hub's files, kept in the user's cache folder: reading a thousand files takes most of a second.

The file is a line of JSON that says what it was made from, and the data as JSON, whose digest that line has. It is made
anew when a file of the hub or a rule changes, or when it is damaged, and done without when it cannot be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shipworthy import __version__
from shipworthy.errors import EnvironmentFailure
from shipworthy.files import write_atomically
from shipworthy.model import Rule
from shipworthy.user_folders import cache_folder

_FORM = 4  # raised whenever the data are laid out otherwise
_LARGEST = 64_000_000  # bytes


def key(folder: Path, rules: Mapping[str, Rule]) -> str:
    """A digest of the names, sizes and times of the hub's files, of the code that reads them, and of the rules."""
    seen = hashlib.sha256(f"{_FORM} {__version__}\n".encode())
    for name, size, changed in sorted(_files(folder, "")):
        seen.update(f"{name}\0{size}\0{changed}\n".encode())
    for rule in rules.values():
        parts = (rule.id, rule.title, rule.description, rule.remedy, rule.help, *rule.taxonomy)
        seen.update("\0".join(parts).encode())
    return seen.hexdigest()


def _files(folder: Path, under: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as found:
        for one in found:
            if one.is_dir(follow_symlinks=False):
                if one.name != "__pycache__":
                    yield from _files(Path(one.path), f"{under}{one.name}/")
            elif one.name.endswith((".toml", ".md", ".py")):
                state = one.stat()
                yield f"{under}{one.name}", state.st_size, state.st_mtime_ns


def place(folder: Path) -> Path:
    """Where what was made of this folder is kept."""
    return cache_folder() / "hub" / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.json"


def kept(folder: Path, wanted: str) -> dict[str, Any] | None:
    """What is kept under this key; None if there is nothing, or if it is damaged or somebody else's."""
    try:
        with open(place(folder), "rb") as stream:
            state = os.fstat(stream.fileno())
            if state.st_uid != os.getuid() or state.st_size > _LARGEST:
                return None
            head = json.loads(stream.readline(1000))
            if not isinstance(head, dict) or head.get("key") != wanted:
                return None
            body = stream.read()
        if hashlib.sha256(body).hexdigest() != head.get("sha256"):
            return None
        data = json.loads(body)
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def keep(folder: Path, wanted: str, data: Mapping[str, Any]) -> None:
    """Keep it, if that can be."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    head = json.dumps({"key": wanted, "sha256": hashlib.sha256(body).hexdigest()}).encode()
    with contextlib.suppress(EnvironmentFailure, OSError):
        write_atomically(place(folder), head + b"\n" + body, mode=0o600)


def through(folder: Path, rules: Mapping[str, Rule], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is kept for these files and rules, or what `make` makes of them, which is kept from then on."""
    try:
        wanted = key(folder, rules)
    except OSError:
        return make()
    data = kept(folder, wanted)
    if data is None:
        data = make()
        keep(folder, wanted, data)
    return data
