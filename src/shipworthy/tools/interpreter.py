"""Which Python runs the user's code, and which folders it needs to read."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from shipworthy.errors import EnvironmentFailure
from shipworthy.tools.command import search_path

_NAMES = ("python", "python3")
_ASK = """
import json, platform, site, sys
from importlib.metadata import distributions
packages = {}
for one in distributions():
    name = one.metadata["Name"]
    if name:
        packages.setdefault(name.lower().replace("_", "-"), one.version)
print(json.dumps({"prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    "path": sys.path, "version": platform.python_version(), "implementation": platform.python_implementation(),
    "user": site.getuserbase() if site.ENABLE_USER_SITE else "", "packages": packages}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python: its program; the `prefixes` that it is installed in; further `paths` that it imports from (those of
    editable installs, say); version; installed packages by name."""

    executable: Path
    prefixes: tuple[Path, ...]
    paths: tuple[Path, ...]
    version: str
    packages: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, python: str = "") -> Interpreter:
        """The interpreter of that name or path; ours when it is empty. Raises EnvironmentFailure when it is none."""
        return _ask(python or sys.executable)

    def resolve(self, argv: Sequence[str]) -> list[str]:
        """The command with `python` replaced by this interpreter."""
        if argv and argv[0] in _NAMES:
            return [str(self.executable), *argv[1:]]
        return list(argv)


def named(argv: Sequence[str]) -> str:
    """The Python that a command names by its absolute path, so that all it is installed with is found; or nothing."""
    program = argv[0] if argv else ""
    return program if os.path.isabs(program) and os.path.basename(program).startswith("python") else ""


@lru_cache
def _ask(python: str) -> Interpreter:
    remedy = "give the path of a Python in the settings"
    found = shutil.which(python, path=search_path())
    if found is None:
        raise EnvironmentFailure(f"there is no Python at {python}", remedy=remedy)
    # the caller's own settings of PYTHON* and its working directory must not leak into the answer
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        done = subprocess.run([found, "-c", _ASK], env=env, cwd="/", capture_output=True, timeout=60, check=False)
        answer = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        raise EnvironmentFailure(f"{python} does not answer as a Python", remedy=remedy) from None
    executable = Path(os.path.abspath(found))  # links must stay: they are how a venv knows itself
    prefixes = _tidy([*map(Path, answer["prefixes"]), *(hop.parent for hop in _links(executable))])
    paths = tuple(path for path in _tidy([Path(text) for text in answer["path"] if text]) if not _below(path, prefixes))
    user = {}
    if answer["user"] and any(_below(Path(entry), (Path(answer["user"]),)) for entry in answer["path"]):
        user = {"PYTHONUSERBASE": answer["user"]}
    version = " ".join(filter(None, (answer["version"], answer["implementation"].replace("CPython", ""))))
    return Interpreter(executable, prefixes, paths, version, dict(sorted(answer["packages"].items())), user)


def _below(path: Path, places: Sequence[Path]) -> bool:
    return any(path == place or place in path.parents for place in places)


def visible(paths: Iterable[Path], hidden: Sequence[Path], *, keep: Sequence[Path] = ()) -> list[Path]:
    """The paths without what is hidden: those below it are left out (unless below one of `keep`), those above it are
    replaced by all that they hold besides. A project in /usr/src must not be seen because /usr is."""
    found: list[Path] = []
    for path in paths:
        real = path.resolve()
        if _below(real, hidden) and not _below(path, keep):
            continue
        if not any(_below(one, (real,)) for one in hidden if one != real):
            found.append(path)
        elif not path.is_symlink():
            with contextlib.suppress(PermissionError):
                found += visible(sorted(path.iterdir()), hidden, keep=keep)
    return found


def _links(path: Path) -> list[Path]:
    """The path and every link that it goes through."""
    hops = [path]
    while path.is_symlink() and len(hops) < 40:
        path = path.parent / path.readlink()
        hops.append(path)
    return hops


def _tidy(paths: list[Path]) -> tuple[Path, ...]:
    """Existing folders and files as given and with links resolved; never the root folder or a home."""
    kept: dict[Path, None] = {}
    homes = {Path("/"), Path("/home"), Path.home(), Path.home().resolve()}
    for path in paths:
        for form in (Path(os.path.normpath(path)), path.resolve()):
            if form.exists() and form not in homes and not _within_system(form):
                kept[form] = None
    return tuple(kept)


def _within_system(path: Path) -> bool:
    return path.parts[:2] in {("/", "usr"), ("/", "bin"), ("/", "lib"), ("/", "lib64")}
