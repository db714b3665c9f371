"""Where the hub is that a contributor works on: that of the checkout, or the one that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipworthy.errors import UsageError

_IN_CHECKOUT = ("src/shipworthy/hub", ".")


def folder_of(given: Path | None, files: Sequence[Path] = ()) -> Path:
    """The hub's folder: the one named, that of the files, that of this checkout, the installed one. Raises UsageError
    when a file is in none."""
    from shipworthy.hub.reader import FOLDER

    if given is not None:
        if not (given / "catalogue").is_dir():
            raise UsageError("it has no folder `catalogue`", where=str(given), remedy="name the hub's folder")
        return given.resolve()
    found = {_above(path) for path in files}
    if len(found) > 1:
        raise UsageError("the files are of several hubs", remedy="lint them one after the other")
    if found:
        return found.pop()
    here = Path.cwd()
    for place in (here, *here.parents):
        for below in _IN_CHECKOUT:
            if (place / below / "catalogue").is_dir() and (place / below / "topic-words.toml").is_file():
                return (place / below).resolve()
    return FOLDER


def _above(path: Path) -> Path:
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path), remedy="name files of the hub")
    for place in path.resolve().parents:
        if (place / "catalogue").is_dir():
            return place
    raise UsageError(
        "it is in no hub", where=str(path), remedy="an entry is a file catalogue/KIND/ID.toml; --hub names the folder"
    )


def names_in(folder: Path, files: Sequence[Path]) -> frozenset[str]:
    """The files as seen from the hub's folder. Raises UsageError for one that is not in it."""
    names = set()
    for path in files:
        whole = path.resolve()
        if not whole.is_file() or not whole.is_relative_to(folder):
            raise UsageError("it is no file of the hub", where=str(path), remedy=f"the hub is in {folder}")
        names.add(whole.relative_to(folder).as_posix())
    return frozenset(names)
