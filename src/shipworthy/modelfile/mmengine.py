"""Configurations of mmengine: which files one has read or run, its bases and theirs, and what they import.

Source: mmengine 0.10 (config/config.py): `_base_` names Python, which is run, JSON or YAML; `custom_imports` modules.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from shipworthy.patterns import regex

HEAD = 64 * 1024
_FILES = 200
_DATA = (".json", ".yaml", ".yml")
_BASES = regex(r"(?m)^_base_[ \t]*=\s{0,9}(\[[^\]]{0,9999}\]|[\"'][^\"'\n]{0,999}[\"'])")
_IMPORTED = regex(
    r"(?m)^custom_imports[ \t]*=[^\])}]{0,300}?imports[\"']?\s{0,9}[=:]\s{0,9}"
    r"([\[(][^\])]{0,9999}[\])]|[\"'][^\"'\n]{0,999}[\"'])"
)
_QUOTED = regex(r"[\"']([^\"'\n]{1,300})[\"']")
_LISTED = regex(
    r"\b_base_[\"']?[ \t]*:\s{0,99}(\[[^\]]{0,9999}\]|(?:-[ \t]+[^\n]{1,300}(?:\n\s{0,99}|\Z)){1,99}|[^\n]{1,300})"
)
_FILE = regex(r"[^\s\"',\[\]]{1,300}\.(?:py|json|ya?ml)\b")


def bases(path: Path) -> list[Path]:
    """The files below or above a configuration that reading it has read or run, without itself, each once; bounded."""
    found: dict[Path, Path] = {}
    pending = [path]
    known = {_real(path)}
    while pending and len(found) < _FILES:
        for other in _named(pending.pop(0)):
            real = _real(other)
            if real not in known:
                known.add(real)
                found[real] = other
                pending.append(other)
    return list(found.values())


def scripts(path: Path) -> list[Path]:
    """Those of them that are Python, which is run."""
    return [file for file in bases(path) if file.suffix == ".py"]


def _named(path: Path) -> Iterator[Path]:
    text = ""
    with contextlib.suppress(OSError, ValueError), path.open("rb") as stream:
        text = stream.read(HEAD).decode("utf-8", "replace")
    if path.suffix in _DATA:
        ends = [name[0] for told in _LISTED.findall(text) for name in _FILE.finditer(told)]
    else:
        ends = [name[1] for told in _BASES.findall(text) for name in _QUOTED.finditer(told)]
        modules = [name[1] for told in _IMPORTED.findall(text) for name in _QUOTED.finditer(told)]
        ends = [end for end in ends if end.endswith((".py", *_DATA))] + [f"{m.replace('.', '/')}.py" for m in modules]
    for end in ends:
        with contextlib.suppress(OSError, ValueError):
            if (path.parent / end).is_file():
                yield path.parent / end


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return path
