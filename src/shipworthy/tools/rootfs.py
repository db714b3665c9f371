"""Look into a root file system that is a folder here, as a process in it would: links lead nowhere else."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import UsageError

_LINKS, _ACCOUNTS_BYTES = 40, 1 << 20


@dataclass(frozen=True)
class Account:
    """A user of an image: numbers, and the home folder ("/" if the image knows none)."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


def inside(root: Path, path: str, *, follow_last: bool = True) -> Path:
    """The place on disk of a path of the root file system `root`, which has no links in its own path. Symbolic links
    on the way are followed as they are meant inside. Raises UsageError for more than 40 of them."""
    todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    here: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            here = here[:-1]
            continue
        place = root.joinpath(*here, part)
        if (todo or follow_last) and place.is_symlink():
            links += 1
            if links > _LINKS:
                raise UsageError("too many symbolic links", where=path[:200])
            target = os.readlink(place)
            here = [] if target.startswith("/") else here
            todo += [one for one in reversed(target.split("/")) if one not in ("", ".")]
            continue
        here.append(part)
    return root.joinpath(*here)


def account(root: Path, user: str) -> Account:
    """The user that an image's configuration names: "", "10001", "app", each with ":group". Raises UsageError when a
    name is not in the image."""
    name, _, group = user.partition(":")
    users = _table(root, "/etc/passwd", 7)
    found = next((row for row in users if name in (row[0], row[2])), None) if name else ["root", "", "0", "0", "", "/"]
    if name.isdecimal():
        uid = _number(name, user)
    elif found is not None:
        uid = _number(found[2], user)
    else:
        raise UsageError(f'the image has no user "{name[:60]}"', remedy="use a number, or add the user to /etc/passwd")
    if not name:
        found = next((row for row in users if row[2] == "0"), found)
    home = found[5] if found and len(found) > 5 and found[5].startswith("/") else "/"
    groups = _table(root, "/etc/group", 4)
    if not group:
        gid = _number(found[3], user) if found else 0
    elif group.isdecimal():
        gid = _number(group, user)
    elif (row := next((row for row in groups if row[0] == group), None)) is not None:
        gid = _number(row[2], user)
    else:
        raise UsageError(f'the image has no group "{group[:60]}"', remedy="use a number, or add it to /etc/group")
    more = {_number(row[2], user) for row in groups if found and found[0] in row[3].split(",")} - {gid}
    return Account(uid, gid, tuple(sorted(more))[:64], home)


def _number(text: str, user: str) -> int:
    if not text.isdecimal() or len(text) > 10 or int(text) >= (1 << 32) - 1:
        raise UsageError(f'the user "{user[:60]}" has no valid number')
    return int(text)


def _table(root: Path, path: str, columns: int) -> list[list[str]]:
    try:
        place = inside(root, path)
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return []
        text = stream.read(_ACCOUNTS_BYTES).decode("utf-8", "replace")
    rows = [line.split(":") for line in text.splitlines()]
    return [row for row in rows if len(row) >= columns]
