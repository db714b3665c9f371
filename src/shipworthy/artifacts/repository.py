"""What git says of the workspace. Its configuration is foreign data and can name programs (filters, signature checkers,
monitors, transports), so only where things lie is asked under it; everything else is asked under a configuration of our
own that reads the repository's objects and index.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.paths import display_name, matches
from shipworthy.records import dataclass
from shipworthy.tools import Completed, Tool, Toolbox, ToolFailed, ToolMissing

GIT = Tool("git", install="install git")
ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "log.showSignature=false",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "safe.directory=*",
)


@dataclass(frozen=True)
class GitState:
    """Commit (40 hex digits; empty before the first one), branch, author of the commit, whether the working tree
    differs from it, and when it was committed (seconds since 1970)."""

    commit: str
    branch: str
    author: str
    dirty: bool
    time: int


def git(
    root: Path,
    *args: str,
    timeout: float = 60.0,
    ok: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run git in the workspace, without what its configuration names where git can be told so. `status`, `diff` and all
    that reads contents belong into `_apart`. Raises ToolMissing or ToolFailed."""
    return Toolbox().run(GIT, *SAFE, "-C", str(root), *args, timeout=timeout, env={**ENVIRONMENT, **(env or {})}, ok=ok)


def _ask(root: Path, *args: str, ok: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None) -> Completed:
    """`git`, for what is here: it must reach for nothing elsewhere, such as objects that a partial clone left out."""
    return git(root, *args, ok=ok, env={"GIT_ALLOW_PROTOCOL": "none", "GIT_SSH_COMMAND": "false", **(env or {})})


@contextmanager
def _apart(root: Path) -> Iterator[Mapping[str, str]]:
    """An environment in which git sees this repository's objects, index and files, and none of its configuration.

    Raises ToolMissing, ToolFailed, or ValueError when git's answer makes no sense.
    """
    asked = ("--path-format=absolute", "--git-common-dir", "--absolute-git-dir", "--show-toplevel")
    said = _ask(root, "rev-parse", "--show-object-format", *asked).stdout.decode("utf-8", "surrogateescape")
    form, common, own, top = said.removesuffix("\n").split("\n")
    head = "ref: refs/heads/none"
    if not _unborn(root):
        said = _ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").stdout.decode("ascii", "replace")
        head = said.strip()
    import tempfile

    with tempfile.TemporaryDirectory(prefix="shipworthy-git-") as made:
        folder = Path(made)
        for name in ("refs", "objects"):
            (folder / name).mkdir()
        (folder / "HEAD").write_text(f"{head}\n")
        extension = "[extensions]\n\tobjectFormat = sha256\n" if form == "sha256" else ""
        (folder / "config").write_text(f"[core]\n\trepositoryFormatVersion = {int(form == 'sha256')}\n{extension}")
        for source, name in (
            (Path(common) / "shallow", "shallow"),
            (Path(common) / "info" / "exclude", "info/exclude"),
        ):
            if source.is_file():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(source.read_bytes())
        yield {
            "GIT_DIR": made,
            "GIT_OBJECT_DIRECTORY": os.path.join(common, "objects"),
            "GIT_INDEX_FILE": os.path.join(own, "index"),
            "GIT_WORK_TREE": top,
        }


def _unborn(root: Path) -> str:
    """The branch that the first commit will be on, when there is none at all yet; a branch that is damaged is not
    that."""
    if _ask(root, "rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1)).returncode == 0:
        return ""
    if _ask(root, "for-each-ref", "--count=1").stdout.strip():
        return ""
    return _ask(root, "symbolic-ref", "--short", "HEAD").stdout.decode("utf-8", "replace").strip()


def git_state(root: Path, own: Iterable[str] = ()) -> GitState | None:
    """The state, or None outside of git or without git. Files that match the globs `own` and that git does not track
    make no difference: runs write them."""
    try:
        top = _ask(root, "rev-parse", "--show-toplevel").stdout.decode("utf-8", "replace").strip()
        if Path(top).resolve() not in (root.resolve(), *root.resolve().parents):
            return None
        if branch := _unborn(root):
            return GitState("", branch, "", False, 0)
        branch = _ask(root, "rev-parse", "--abbrev-ref", "HEAD").stdout.decode("utf-8", "replace").strip()
        with _apart(root) as env:
            said = _ask(root, "log", "-1", "--format=%H%n%ct%n%an", env=env).stdout.decode("utf-8", "replace")
            commit, moment, author = said.splitlines()[:3]
            time = int(moment)
            dirty = _dirty(root, root.resolve().relative_to(Path(top).resolve()), env, tuple(own))
    except (ToolMissing, ToolFailed, ValueError, OSError):
        return None
    return GitState(commit, branch, author, dirty, time)


def _dirty(root: Path, prefix: Path, env: Mapping[str, str], own: tuple[str, ...]) -> bool:
    listed = "all" if own else "normal"  # `normal` names a folder for all that is in it
    status = ("status", "--porcelain", "-z", f"--untracked-files={listed}", "--no-renames", "--ignore-submodules=all")
    before = "" if prefix == Path() else f"{prefix.as_posix()}/"  # git's names are those from the repository's top
    for entry in _ask(root, *status, env=env).stdout.decode("utf-8", "surrogateescape").split("\0"):
        name = entry.removeprefix("?? ")
        made = name != entry and name.startswith(before) and matches(display_name(name.removeprefix(before)), own)
        if entry and not made:
            return True
    return False


def changed_since(root: Path, revision: str) -> frozenset[str]:
    """The uris of files that differ from `revision`, untracked ones included. Raises UsageError when git cannot say."""
    if revision.startswith("-"):
        raise UsageError("a revision cannot start with `-`", where=f"--since {revision}")
    try:
        said = _ask(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").stdout
        commit = said.decode("ascii", "replace").strip()
        with _apart(root) as env:
            how = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--relative", "--name-only", "-z")
            changed = _ask(root, "diff", *how, commit, "--", env=env).stdout
            new = _ask(root, "ls-files", "--others", "--exclude-standard", "-z", env=env).stdout
    except (ToolMissing, ToolFailed, ValueError, OSError) as error:
        raise UsageError(
            f"git cannot tell what changed since `{revision}`: {error}",
            remedy="give a commit, tag or branch of this repository, in a git checkout that has it",
        ) from None
    names = (changed + new).decode("utf-8", "surrogateescape").split("\0")
    return frozenset(display_name(name) for name in names if name)


def tracked_folders(root: Path) -> frozenset[str]:
    """The uris of all folders that hold a file of the repository, ending with `/`; none outside of git."""
    try:
        with _apart(root) as env:
            names = _ask(root, "ls-files", "-z", env=env).stdout.decode("utf-8", "surrogateescape").split("\0")
    except (ToolMissing, ToolFailed, ValueError, OSError):
        return frozenset()
    found: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and (uri := display_name(folder) + "/") not in found:
            found.add(uri)
            folder = folder.rpartition("/")[0]
    return frozenset(found)
