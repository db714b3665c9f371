"""Which Python runs the user's code, and which folders it needs to read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from shipworthy.errors import EnvironmentFailure

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
    """A Python: its program, the folders that it and its packages lie in, version, installed packages."""

    executable: Path
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


@lru_cache
def _ask(python: str) -> Interpreter:
    remedy = "give the path of a Python in the settings"
    found = shutil.which(python)
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
    paths = [Path(text) for text in (*answer["prefixes"], *filter(None, answer["path"]))]
    paths += [hop.parent for hop in _links(executable)]
    user = {"PYTHONUSERBASE": answer["user"]} if _below(answer) else {}
    version = " ".join(filter(None, (answer["version"], answer["implementation"].replace("CPython", ""))))
    return Interpreter(executable, _tidy(paths), version, dict(sorted(answer["packages"].items())), user)


def _below(answer: Mapping[str, list[str]]) -> bool:
    user = str(answer["user"])
    return bool(user) and any(entry.startswith(user + os.sep) for entry in answer["path"])


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
