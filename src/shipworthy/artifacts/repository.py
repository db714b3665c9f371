"""What git says of the workspace. Its configuration is foreign data: hooks, monitors and pagers are switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.paths import display_name
from shipworthy.tools import Completed, Tool, Toolbox, ToolFailed, ToolMissing

GIT = Tool("git", install="install git")
ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
}
SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "safe.directory=*",
)


@dataclass(frozen=True)
class GitState:
    """Commit (40 hex digits), branch, author of the commit, and whether the working tree differs from it."""

    commit: str
    branch: str
    author: str
    dirty: bool


def git(root: Path, *args: str, timeout: float = 60.0, ok: tuple[int, ...] = (0,)) -> Completed:
    """Run git in the workspace, safely. Raises ToolMissing or ToolFailed."""
    return Toolbox().run(GIT, *SAFE, "-C", str(root), *args, timeout=timeout, env=ENVIRONMENT, ok=ok)


def git_state(root: Path) -> GitState | None:
    """The state, or None outside of git, without git, or before the first commit."""
    try:
        top = git(root, "rev-parse", "--show-toplevel").stdout.decode("utf-8", "replace").strip()
        commit, author = git(root, "log", "-1", "--format=%H%n%an").stdout.decode("utf-8", "replace").splitlines()[:2]
        branch = git(root, "rev-parse", "--abbrev-ref", "HEAD").stdout.decode("utf-8", "replace").strip()
        dirty = bool(git(root, "status", "--porcelain", "--untracked-files=normal").stdout.strip())
    except (ToolMissing, ToolFailed, ValueError):
        return None
    if Path(top).resolve() not in (root.resolve(), *root.resolve().parents):
        return None
    return GitState(commit, branch, author, dirty)


def changed_since(root: Path, revision: str) -> frozenset[str]:
    """The uris of files that differ from `revision`, untracked ones included. Raises UsageError when git cannot say."""
    if revision.startswith("-"):
        raise UsageError("a revision cannot start with `-`", where=f"--since {revision}")
    try:
        git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        changed = git(
            root, "diff", "--no-ext-diff", "--no-textconv", "--relative", "--name-only", "-z", revision, "--"
        ).stdout
        new = git(root, "ls-files", "--others", "--exclude-standard", "-z").stdout
    except (ToolMissing, ToolFailed) as error:
        raise UsageError(
            f"git cannot tell what changed since `{revision}`: {error}",
            remedy="give a commit, tag or branch of this repository, in a git checkout that has it",
        ) from None
    names = (changed + new).decode("utf-8", "surrogateescape").split("\0")
    return frozenset(display_name(name) for name in names if name)
