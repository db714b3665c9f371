"""Read a git repository that nobody has vouched for.

A repository's own configuration can name programs that git runs (file-system monitors, hooks, filters, transports),
and its commit graph, replacements and grafts can show another history than the objects hold. So the objects are read
through a bare repository of our own: our configuration, its objects, its references as plain ids, and nothing else.
Only where it lies and what its references are is asked of git inside of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shipworthy.tools import Tool, Toolbox, ToolFailed

GIT = Tool("git", versions=">=2.31", install="install git with the system's package manager")
_SAFE = (
    "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*",
    "-c", "core.commitGraph=false", "-c", "core.multiPackIndex=false", "-c", "core.attributesFile=/dev/null",
    "-c", "protocol.allow=never", "-c", "log.showSignature=false", "-c", "core.quotePath=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_SSH_COMMAND": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Repository:
    """Where a repository's data lies, and where the workspace is inside of it (`prefix`, "" or ending with `/`)."""

    objects: Path
    prefix: bytes
    tips: tuple[str, ...]
    shallow: bytes
    sha256: bool

    @property
    def digest(self) -> str:
        """Changes whenever a reference moves or the history is deepened."""
        text = "\n".join(self.tips).encode() + b"\0" + self.shallow + b"\0" + self.prefix
        return hashlib.sha256(text).hexdigest()


def find(root: Path, tools: Toolbox, timeout: float = 60.0) -> Repository | None:
    """The repository that `root` is in, or None. Raises ToolMissing without git, ToolFailed for a broken repository."""
    if not any(os.path.lexists(folder / ".git") for folder in (root, *root.parents)) and not (root / "HEAD").is_file():
        return None
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--show-object-format", "--show-prefix")
    place = _run(tools, (*asked,), cwd=root, timeout=timeout).decode("utf-8", "surrogateescape").split("\n")
    if len(place) < 3 or place[1] not in {"sha1", "sha256"}:
        raise ToolFailed(GIT.name, "does not say where the repository is")
    common, form, prefix = Path(place[0]), place[1], place[2]
    lines = (
        _run(tools, ("for-each-ref", "--format=%(objectname)"), cwd=root, timeout=timeout)
        .decode("ascii", "replace")
        .split()
    )
    head = tools.run(
        GIT,
        *_SAFE,
        "rev-parse",
        "--verify",
        "--quiet",
        "HEAD",
        cwd=root,
        env=_ENVIRONMENT,
        ok=(0, 1, 128),
        timeout=timeout,
    )
    lines += head.stdout.decode("ascii", "replace").split()
    try:
        shallow = (common / "shallow").read_bytes()
    except FileNotFoundError:
        shallow = b""
    except OSError as error:
        raise ToolFailed(GIT.name, f"the repository cannot be read: {error.strerror}") from None
    return Repository(
        objects=common / "objects",
        prefix=prefix.encode("utf-8", "surrogateescape"),
        tips=tuple(sorted({line for line in lines if _ID.fullmatch(line)})),
        shallow=shallow,
        sha256=form == "sha256",
    )


class Reader:
    """Reads objects of a repository through a clean one."""

    def __init__(self, repository: Repository, tools: Toolbox, folder: Path, timeout: float) -> None:
        self._tools, self._folder, self._timeout = tools, folder, timeout
        self._env = _ENVIRONMENT | {"GIT_DIR": str(folder), "GIT_OBJECT_DIRECTORY": str(repository.objects)}
        extension = "[extensions]\n\tobjectFormat = sha256\n" if repository.sha256 else ""
        (folder / "refs").mkdir()
        (folder / "objects").mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        (folder / "config").write_text(
            f"[core]\n\trepositoryFormatVersion = {int(repository.sha256)}\n\tbare = true\n{extension}"
        )
        if repository.shallow:
            (folder / "shallow").write_bytes(repository.shallow)

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Stdout of a git command. Raises ToolFailed when it does not succeed."""
        done = self._tools.run(
            GIT, *_SAFE, *arguments, cwd=self._folder, stdin=stdin, env=self._env, ok=(0,), timeout=self._timeout
        )
        return done.stdout

    def blobs(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Id and bytes of each blob. Raises ToolFailed when one is missing or the answer is cut short."""
        answer = self.run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in ids).encode())
        position = 0
        for name in ids:
            end = answer.find(b"\n", position)
            head = answer[position:end].split() if end >= 0 else []
            if len(head) != 3 or head[0].decode("ascii", "replace") != name:
                raise ToolFailed(GIT.name, f"gave no object {name[:12]}")
            size = int(head[2])
            data = answer[end + 1 : end + 1 + size]
            if len(data) != size:
                raise ToolFailed(GIT.name, f"cut object {name[:12]} short")
            position = end + 1 + size + 1
            yield name, data


@contextmanager
def reader(repository: Repository, tools: Toolbox, timeout: float = 300.0) -> Iterator[Reader]:
    """A reader whose own repository is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="shipworthy-git-") as folder:
        yield Reader(repository, tools, Path(folder), timeout)


def _run(tools: Toolbox, arguments: tuple[str, ...], *, cwd: Path, timeout: float) -> bytes:
    return tools.run(GIT, *_SAFE, *arguments, cwd=cwd, env=_ENVIRONMENT, ok=(0,), timeout=timeout).stdout
