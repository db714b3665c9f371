"""What is known of the package's checks without importing them: most scans meet few kinds of files.

The outlines are kept as Python keeps its bytecode: in `__pycache__`, where that can be written, and bound to the bytes
of every file in the folder of checks, to what a check is, and to the versions of Python and of Shipworthy. So a check
that is new, changed or gone is seen at once. Whoever can write there can write bytecode as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from shipworthy import __version__
from shipworthy.check import ENTRY_POINTS, Check, Yielded, load_check, plugins, registry
from shipworthy.model import Artifact, Kind

_PACKAGE = Path(__file__).parent.parent
_CHECKS = _PACKAGE / "checks"
_ALSO = (_PACKAGE / "check.py", _PACKAGE / "model" / "artifact.py")  # what a check is, and the kinds there are
_LARGEST = 1_000_000  # bytes
_FIELDS = {"name": str, "module": str, "category": str, "scope": str, "version": int, "kinds": list, "narrow": bool}


def known_checks(wanted: Callable[[Check], bool]) -> Mapping[str, Check]:
    """Every check by name, as `registry` has them; of those that are not wanted only an outline: name, category, kinds,
    scope, version, and whether it narrows its kinds.

    With checks of other packages, all are imported. Raises UsageError as `registry` does.
    """
    key, kept = _key(), _place()
    if not key or _has_plugins():
        return registry()
    outlines = _read(kept, key) if kept else None
    if outlines is None:
        found = registry()
        if kept and not sys.dont_write_bytecode:
            _write(kept, _text(key, found.values()))
        return found
    return {check.name: load_check(check.module, check.name) if wanted(check) else check for check in outlines}


def _key() -> str:
    """The digest of all that outlines depend on; empty when the package does not lie in a folder."""
    digest = hashlib.sha256(f"{__version__}\0{sys.version}\0{sys.implementation.cache_tag}".encode())
    try:
        for name, path in [*sorted(_files(str(_CHECKS))), *((path.name, str(path)) for path in _ALSO)]:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.read(handle, size) if (size := os.fstat(handle).st_size) else b""
            finally:
                os.close(handle)
            digest.update(f"\0{name}\0{size}\0".encode("utf-8", "surrogateescape") + data)
    except OSError:
        return ""
    return digest.hexdigest()


def _files(folder: str, below: str = "") -> Iterator[tuple[str, str]]:
    """Every file in the folder of checks but bytecode: its name below it, and its path."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path, f"{below}{entry.name}/")
            else:
                yield below + entry.name, entry.path


def _place() -> str:
    """Where the outlines are kept; empty where bytecode is not kept either."""
    try:
        return importlib.util.cache_from_source(str(_CHECKS / "outlines.py")).removesuffix(".pyc") + ".json"
    except NotImplementedError:
        return ""


def _read(path: str, key: str) -> list[Check] | None:
    """The outlines, in order of their names; None if they are not there, not of this key, or not as they should be."""
    try:
        with open(path, "rb") as stream:
            value = json.loads(stream.read(_LARGEST))
        if value["key"] != key:
            return None
        found = [_outline(row) for row in value["checks"]]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    names = [check.name for check in found]
    return found if names and names == sorted(set(names)) else None


def _write(path: str, text: str) -> None:
    """Whole or not at all, for the next start; where it cannot be written, that one takes as long as this one."""
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
        try:
            with open(handle, "wb") as stream:
                stream.write(text.encode())
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise


def _text(key: str, checks: Iterable[Check]) -> str:
    rows = [
        {
            "name": check.name,
            "module": check.module,
            "category": check.category,
            "scope": check.scope,
            "version": check.version,
            "kinds": sorted(check.kinds),
            "narrow": check.accepts is not None,
        }
        for check in sorted(checks, key=lambda check: check.name)
    ]
    return json.dumps({"key": key, "checks": rows})


def _outline(row: Mapping[str, Any]) -> Check:
    """Raises TypeError, ValueError or LookupError for anything else than `_text` writes."""
    for field, kind in _FIELDS.items():
        if type(row[field]) is not kind:
            raise TypeError(field)
    if not row["module"].startswith("shipworthy.checks.") or row["scope"] not in ("artifact", "batch", "tree"):
        raise ValueError(row["module"])
    return Check(
        name=row["name"],
        run=partial(_run, row["module"], row["name"]),
        kinds=frozenset(Kind(kind) for kind in row["kinds"]),
        version=row["version"],
        scope=row["scope"],
        category=row["category"],
        needs=(),
        rules=(),
        canary=None,
        options={},
        accepts=_not_asked if row["narrow"] else None,
        cache_on=None,
        cache_beside=None,
        timeout=60.0,
        wants_context=True,
        summary="",
        module=row["module"],
    )


def _run(module: str, name: str, given: Artifact | tuple[Artifact, ...], context: Any) -> Yielded:
    return load_check(module, name).call(given, context)


def _not_asked(artifact: Artifact) -> bool:
    raise AssertionError(f"{artifact.uri}: an outline does not know what its check accepts")


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


__all__ = ["known_checks"]
