"""What is known of the package's checks without importing them: most scans meet few kinds of files.

`checks/index.json` is written by `scripts/make_docs.py`. A module whose size is not the one that was written down is
imported instead, so a check that was changed or added counts at once.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from shipworthy.check import ENTRY_POINTS, Check, Yielded, checks_of, load_check, plugins, registry
from shipworthy.model import Artifact, Kind

FOLDER = Path(__file__).parent.parent / "checks"
INDEX = FOLDER / "index.json"


def known_checks(wanted: Callable[[Check], bool]) -> Mapping[str, Check]:
    """Every check by name, as `registry` has them; of those that are not wanted only an outline: name, category, kinds,
    scope and version."""
    index = _index()
    sizes = dict(_modules())
    if not index or not sizes or _has_plugins():
        return registry()
    found: dict[str, Check] = {}
    for module, size in sizes.items():
        rows = index[module]["checks"] if index.get(module, {}).get("size") == size else None
        outlined = [_outline(module, row) for row in rows or ()]
        if rows is None or any(wanted(check) for check in outlined):
            outlined = list(checks_of(importlib.import_module(module)))
        for check in outlined:
            if check.name in found:
                return registry()  # which says so
            found[check.name] = check
    return dict(sorted(found.items()))


def index_of(checks: Iterable[Check]) -> str:
    """The text of the index."""
    rows: dict[str, dict[str, Any]] = {}
    for module, size in sorted(_modules()):
        own = [check for check in checks if check.module == module]
        rows[module] = {
            "size": size,
            "checks": [
                {
                    "name": check.name,
                    "category": check.category,
                    "version": check.version,
                    "scope": check.scope,
                    "kinds": sorted(kind.value for kind in check.kinds),
                }
                for check in own
            ],
        }
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


@cache
def _index() -> dict[str, Any]:
    try:
        found = json.loads(INDEX.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _modules() -> Iterator[tuple[str, int]]:
    """The modules in the folder of checks, with their size in bytes."""
    for folder, folders, files in os.walk(FOLDER):
        folders[:] = [name for name in folders if name != "__pycache__"]
        package = ".".join(("shipworthy.checks", *Path(folder).relative_to(FOLDER).parts))
        for name in files:
            if name.endswith(".py") and not name.startswith("_"):
                yield f"{package}.{name[:-3]}", os.stat(os.path.join(folder, name)).st_size


def _outline(module: str, row: Mapping[str, Any]) -> Check:
    return Check(
        name=row["name"],
        run=partial(_run, module, row["name"]),
        kinds=frozenset(Kind(kind) for kind in row["kinds"]),
        version=row["version"],
        scope=row["scope"],
        category=row["category"],
        needs=(),
        rules=(),
        canary=None,
        options={},
        accepts=None,
        cache_on=None,
        timeout=60.0,
        wants_context=True,
        summary="",
        module=module,
    )


def _run(module: str, name: str, given: Artifact | tuple[Artifact, ...], context: Any) -> Yielded:
    return load_check(module, name).call(given, context)


def _has_plugins() -> bool:
    """Does another package bring checks? The words are looked for in what is installed: reading all of its metadata
    takes ten times as long."""
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return bool(list(plugins()))
    for place in sys.path:
        if os.path.isfile(place):
            return bool(list(plugins()))
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        for name in names:
            described = name.lower().endswith((".dist-info", "egg-info"))
            if described and _names_ours(os.path.join(place, name)):
                return True
    return False


def _names_ours(folder: str) -> bool:
    try:
        with open(os.path.join(folder, "entry_points.txt"), "rb") as stream:
            return ENTRY_POINTS.encode() in stream.read()
    except OSError:
        return False


__all__ = ["INDEX", "index_of", "known_checks"]
