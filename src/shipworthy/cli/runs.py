"""The runs that a workspace has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.model import Run

_LIMIT = 1024**3


def newest_runs(root: Path) -> Iterator[Run]:
    """Every run of the workspace that can be read, the newest first."""
    from shipworthy.engine.runner import runs_folder

    folder = runs_folder(root)
    found = [path for path in folder.glob("*/run.json") if os.path.isfile(path)] if folder.is_dir() else []
    for path in sorted(found, key=_age, reverse=True):  # (a repository can bring pipes, devices and links to them)
        try:
            yield read_run(path)
        except UsageError:
            continue


def _age(path: Path) -> tuple[str, int]:
    """When the run began, by its name to the second, and between two of one second when it was written."""
    try:
        return path.parent.name.partition("-")[0], path.stat().st_mtime_ns
    except OSError:
        return "", 0  # it has gone


def read_run(path: Path) -> Run:
    """A run from its run.json. Raises UsageError when it is not one."""
    from shipworthy.model.serial import run_from_dict

    try:
        with path.open("rb") as stream:
            raw = stream.read(_LIMIT + 1)
        if len(raw) > _LIMIT:
            raise UsageError("larger than 1 GiB", where=str(path))
        return run_from_dict(json.loads(raw))
    except UsageError as error:
        raise UsageError(error.message, where=str(path), remedy=error.remedy) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"not a run.json: {error}", where=str(path)) from None
