"""Whose change a file of the hub is, as git knows: the authors of its commits since a revision, or who works here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from shipworthy.artifacts.repository import changed_since, git
from shipworthy.errors import UsageError
from shipworthy.hub.lint import Contributor
from shipworthy.tools import ToolFailed, ToolMissing

_MANY = 500  # commits whose authors are asked for
_BASES = ("origin/HEAD", "origin/main", "main")


def contributors(
    folder: Path, since: str, logins: tuple[str, ...], only: frozenset[str] | None
) -> Mapping[str, tuple[Contributor, ...]]:
    """By file, as seen from the hub's folder. `since` empty: what differs from the branch that this one comes from, if
    there is one. Outside of git the files named are the contributor's of that login. Raises UsageError when `since` is
    no revision."""
    named = tuple(Contributor(login=one) for one in logins)
    try:
        base = _commit(folder, since) if since else _usual_base(folder)
        if not base:
            return dict.fromkeys(only or (), (*named, *who_works_here(folder)))
        people = (*named, *_authors(folder, base), *who_works_here(folder))
        changed = changed_since(folder, base)
    except (ToolMissing, ToolFailed) as error:
        if since:
            raise UsageError(f"git cannot say what changed: {error.reason}", where=f"--since {since}") from None
        return dict.fromkeys(only or (), named)
    return dict.fromkeys(changed if only is None else only & changed, people)


def _commit(folder: Path, revision: str) -> str:
    """The commit from which this work branched off the revision."""
    if revision.startswith("-"):
        raise UsageError("a revision cannot start with `-`", where=f"--since {revision}")
    said = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", ok=(0, 1))
    commit = said.stdout.decode("ascii", "replace").strip()
    if said.returncode or not commit:
        raise UsageError("git knows no such revision", where=f"--since {revision}", remedy="fetch it first")
    base = git(folder, "merge-base", commit, "HEAD", ok=(0, 1)).stdout.decode("ascii", "replace").strip()
    return base or commit


def _usual_base(folder: Path) -> str:
    for name in _BASES:
        try:
            return _commit(folder, name)
        except UsageError:
            continue
    return ""


def _authors(folder: Path, base: str) -> tuple[Contributor, ...]:
    """Those of the commits since then. (One author for all files of a change: who adds a competitor's tool besides
    does no harm by being asked.)"""
    said = git(folder, "log", f"--max-count={_MANY}", "--no-merges", "--format=%an%x00%ae", f"{base}..HEAD", "--", ".")
    found = dict.fromkeys(said.stdout.decode("utf-8", "replace").split("\n"))
    return tuple(Contributor(*line.split("\0", 1)) for line in found if "\0" in line)


def who_works_here(folder: Path) -> tuple[Contributor, ...]:
    """Who commits on this machine, as git is set up for them; nobody without git."""
    home = Path(os.environ.get("HOME", "/"))
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"
    own = os.environ.get("GIT_CONFIG_GLOBAL") or str(home / ".gitconfig" if not config.is_file() else config)
    try:
        name, email = (
            git(folder, "config", "--get", key, ok=(0, 1), env={"GIT_CONFIG_GLOBAL": own}).stdout.decode(
                errors="replace"
            )
            for key in ("user.name", "user.email")
        )
    except (ToolMissing, ToolFailed):
        return ()
    return (Contributor(name.strip(), email.strip()),) if name.strip() or email.strip() else ()
