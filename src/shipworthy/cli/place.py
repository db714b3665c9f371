"""What is looked at, and whose settings decide about it: never those that lie with what somebody else made."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.paths import is_there
from shipworthy.records import dataclass

if TYPE_CHECKING:
    from shipworthy.config import Settings


@dataclass(frozen=True)
class Place:
    """The workspace, what of it is looked at (the target, or what `among` names under it), and the settings."""

    root: Path
    target: Path
    among: tuple[str, ...]
    settings: Settings


def place(paths: Sequence[str | Path], given: Path | None, *, quiet: bool = False) -> Place:
    """Where to look. Settings are those given, or those of this folder or its repository, for what lies in there.
    The folder of settings that were found is the workspace; else what is named is.

    A file or folder elsewhere brings no settings of its own, which could acquit it: they are told of and not used.
    Raises UsageError for a path that is not there, and for wrong settings.
    """
    from shipworthy.config import load_settings

    targets = [Path(path) for path in paths]
    for path, target in zip(paths, targets, strict=True):
        if not str(path).strip() and not (path and is_there(target)):
            raise UsageError("a path is empty", remedy="name a file or folder; `.` is this folder")
        if not is_there(target):
            raise UsageError("there is no such file or folder", where=str(target), remedy="check the path")
        if target.exists() and not (target.is_dir() or target.is_file()):
            raise UsageError(
                "neither a file nor a folder (a pipe, socket or device)",
                where=str(target),
                remedy="write what comes out of it to a file, and name that",
            )
        if target.is_dir() and not os.access(target, os.R_OK | os.X_OK):
            raise EnvironmentFailure(
                "the folder cannot be read: permission denied", where=str(target), remedy="have it made readable"
            )
    if given is not None and not (is_there(given) and given.is_file()):
        raise UsageError("there is no such settings file", where=str(given))
    real = [_real(target) for target in targets]
    file = given or own_settings(Path.cwd())
    if given is None and file is not None:
        home = file.parent
        if all(home in (path, *path.parents) for path in real):
            root = Path() if home == Path.cwd() else home
            settings = load_settings(root / file.name)
            if home in real:
                return Place(root, root, (), settings)
            return Place(root, root, tuple(dict.fromkeys(str(path.relative_to(home)) for path in real)), settings)
        file = None
    settings, among = load_settings(file), tuple[str, ...]()
    if len(targets) == 1:
        target = targets[0]
        root = target if target.is_dir() else target.parent
    else:
        root = target = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in real]))
        among = () if root in real else tuple(dict.fromkeys(str(path.relative_to(root)) for path in real))
    if file is None and not quiet:
        _tell_of(root)
    return Place(root, target, among, settings)


def _real(path: Path) -> Path:
    """Without links, but for that which a file itself may be."""
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name


def own_settings(here: Path) -> Path | None:
    """The settings of a folder, or of one above it in the same repository that has the same owner."""
    from shipworthy.config import find_settings

    if found := find_settings(here):
        return found
    owner, above = here.stat().st_uid, [here, *here.parents]
    top = next((folder for folder in above if os.path.lexists(folder / ".git")), here)
    for folder in above[1 : above.index(top) + 1]:
        if folder.stat().st_uid == owner and (found := find_settings(folder)):
            return found
    return None


def _tell_of(root: Path) -> None:
    from shipworthy.cli.output import plain
    from shipworthy.config import find_settings

    try:
        found = find_settings(root)
    except (UsageError, EnvironmentFailure):
        return  # not used, so not complained of
    if found is not None:
        text = f"note: {found} is not used: what is scanned does not judge itself. To use it: --settings {found}"
        print(plain(text), file=sys.stderr)
