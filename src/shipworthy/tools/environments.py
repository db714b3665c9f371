"""Tools in virtual environments of their own, in the user's data folder: installed from lock files with digests.

`<data>/tools/NAME/` holds `env-<random>`, the environment; `files.json`, the digest of every file in it; and, written
last, `receipt.json`. What has no receipt is not installed: an installation that was cut short is removed by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipworthy.errors import EnvironmentFailure, UsageError, without_passwords
from shipworthy.files import write_atomically
from shipworthy.records import dataclass
from shipworthy.tools.catalogue import CATALOGUE, INSTALLABLE, Known
from shipworthy.user_folders import data_folder

_RECEIPT, _FILES = "receipt.json", "files.json"
_LOCKS = Path(__file__).parent / "locks"
_NAME = re.compile(r"env-[0-9a-f]{16}")
_ENTRY = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_LIMIT = 64 << 20
_PATIENCE = 2.0  # seconds for the lock
_TIMEOUT = 1800.0  # seconds for one call of pip
# What decides how pip reaches an index: the user's own settings, which nothing else that is run is given.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "NETRC", "XDG_CONFIG_HOME")


@dataclass(frozen=True)
class Installed:
    """An environment. `version` is that of the tool; `lock` the digest of the lock file; `source` where its packages
    came from; `python` is the version of the Python that runs it."""

    name: str
    version: str
    lock: str
    source: str
    python: str
    folder: Path

    @property
    def program(self) -> Path:
        """What is run."""
        return self.folder / "bin" / CATALOGUE[self.name].command


def tools_folder() -> Path:
    """Where the environments lie."""
    return data_folder() / "tools"


def installed(name: str) -> Installed | None:
    """The environment of a tool; None when it has none, or none whose receipt can be read."""
    if name not in INSTALLABLE:
        return None
    place = tools_folder() / name
    value = _json(place / _RECEIPT, 1 << 20)
    texts = {key: value.get(key) for key in ("version", "lock", "source", "python", "env")}
    if not all(isinstance(text, str) for text in texts.values()) or not _NAME.fullmatch(str(texts["env"])):
        return None
    env = str(texts.pop("env"))
    return Installed(name, folder=place / env, **{key: str(text) for key, text in texts.items()})


def program(name: str) -> Path | None:
    """The program of this name in an environment of ours; None when there is none."""
    found = installed(name)
    if found is None or not found.program.is_file() or not os.access(found.program, os.X_OK):
        return None
    return found.program


def lock_text(name: str) -> str:
    """The lock file of a tool. Raises UsageError for one that has none."""
    if name not in INSTALLABLE:
        known = CATALOGUE.get(name)
        remedy = (
            f"known: {', '.join(INSTALLABLE)}" if known is None else f"install it yourself; it is found on {known.way}"
        )
        raise UsageError(f"`{name}` cannot be installed by `shipworthy tools`", remedy=remedy)
    return (_LOCKS / f"{name}.lock").read_text(encoding="utf-8")


def install(name: str, source: str = "") -> Installed:
    """Make the environment of a tool, in place of one that is there. `source` is a folder of packages, one wheel, or
    the address of an index (empty: as pip is set up).

    Raises UsageError for a tool or source that is not known, EnvironmentFailure when a package cannot be had, has
    another digest than the lock file says, or cannot be installed; then what was there before stays.
    """
    text, known = lock_text(name), CATALOGUE[name]
    where = _source(source)
    with _alone(name) as place:
        folder = place / f"env-{os.urandom(8).hex()}"
        try:
            _make(folder)
            _fill(folder, name, text, known, where)
            _try(folder / "bin" / known.command, name)
            files = _digests(folder)
            write_atomically(place / _FILES, json.dumps({"env": folder.name, "files": files}).encode())
            receipt = {
                "env": folder.name,
                "version": _version(text, known),
                "lock": _digest(text),
                "source": without_passwords(source),
                "python": sys.version.split()[0],
            }
            write_atomically(place / _RECEIPT, json.dumps(receipt, indent=2).encode() + b"\n")
        except BaseException:
            _remove(folder)
            raise
        finally:
            _sweep(place)
    made = installed(name)
    if made is None:
        raise EnvironmentFailure(f"{name} was installed and is gone again", where=str(tools_folder()))
    return made


def remove(name: str) -> bool:
    """Remove the environment of a tool; says whether there was one."""
    lock_text(name)
    if not (tools_folder() / name).is_dir():
        return False
    with _alone(name) as place:
        (place / _RECEIPT).unlink(missing_ok=True)  # first: what is half removed is not installed
        (place / _FILES).unlink(missing_ok=True)
        _sweep(place)
    _remove(tools_folder() / name)
    return True


def differences(found: Installed) -> tuple[str, ...]:
    """What is not as it was installed: each file that is changed, gone or new; and a lock file that is another now."""
    value = _json(found.folder.parent / _FILES, _LIMIT)
    kept = value.get("files")
    if value.get("env") != found.folder.name or not isinstance(kept, dict):
        return ("the list of its files is gone or damaged",)
    now = _digests(found.folder)
    told = [f"{path} is gone" for path in kept if path not in now]
    told += [f"{path} is new" for path in now if path not in kept]
    told += [f"{path} is changed" for path in now if path in kept and kept[path] != now[path]]
    return tuple(sorted(told))


def outdated(found: Installed) -> bool:
    """Whether the lock file is another than the one it was installed from."""
    return found.lock != _digest(lock_text(found.name))


def leftovers(name: str) -> tuple[Path, ...]:
    """What an installation that was cut short has left."""
    found, place = installed(name), tools_folder() / name
    if not place.is_dir():
        return ()
    return tuple(
        path
        for path in sorted(place.iterdir())
        if _NAME.fullmatch(path.name) and (found is None or path != found.folder)
    )


def _source(text: str) -> tuple[str, ...]:
    """How pip is told where packages come from."""
    if not text:
        return ()
    if text.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return ("--index-url", text)
    path = Path(text)
    if "://" in text or not path.exists():
        raise UsageError(
            f"there is nothing at {without_passwords(text)}",
            remedy="give a folder of wheels, a wheel, or an https address",
        )
    return ("--no-index", "--find-links", str((path if path.is_dir() else path.parent).resolve()))


def _make(folder: Path) -> None:
    import venv  # here: only what installs needs it

    try:
        venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    except OSError as error:
        raise EnvironmentFailure(f"cannot be made: {error.strerror or error}", where=str(folder)) from None


def _fill(folder: Path, name: str, text: str, known: Known, where: tuple[str, ...]) -> None:
    """Install what the lock file lists: wheels first; then what is published as source only, built with what is there
    by then, and nothing that is not in the lock file."""
    python = folder / "bin" / "python"
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(python)]
    own = not _works([*pip, "--version"])
    if own:
        pip = [str(python), "-I", "-m", "pip"]
        if not _works([str(python), "-I", "-m", "ensurepip"]):
            raise EnvironmentFailure("this Python has neither pip nor ensurepip", remedy="install pip (python3-pip)")
    entries = _entries(text)
    sources = [entry for package, entry in entries if package in known.sources]
    steps = [([entry for package, entry in entries if package not in known.sources], ["--only-binary", ":all:"])]
    steps += [(sources, ["--no-build-isolation"])] if sources else []
    for lines, options in steps:
        with _listed(folder.parent, "".join(lines)) as listed:
            arguments = [
                "install",
                "--require-hashes",
                "--no-deps",
                "--no-input",
                "--progress-bar",
                "off",
                "--no-cache-dir",
            ]
            arguments += ["--disable-pip-version-check", *options, *where, "-r", str(listed)]
            _pip(name, [*pip, *arguments])
    if own:
        _pip(name, [*pip, "uninstall", "--yes", "pip"])


def _pip(name: str, argv: list[str]) -> None:
    from shipworthy.tools.command import ToolFailed, run

    try:
        done = run(argv, timeout=_TIMEOUT, name="pip", env=_reach())
    except ToolFailed as failure:
        raise EnvironmentFailure(f"{name} cannot be installed: {failure.reason}") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        last = without_passwords(" ".join(said[-1:] or ["it printed nothing"]))[:300]
        remedy = "without network: download the packages of the lock file elsewhere, and give the folder with --from"
        if "DO NOT MATCH THE HASHES" in done.stderr:
            remedy = "the package is not the one that was locked: do not use this source"
        raise EnvironmentFailure(f"{name} cannot be installed: {last}", remedy=remedy)


def _works(argv: list[str]) -> bool:
    from shipworthy.tools.command import ToolFailed, run

    try:
        return run(argv, timeout=120.0, name="pip").returncode == 0
    except ToolFailed:
        return False


def _try(path: Path, name: str) -> None:
    if not path.is_file() or not os.access(path, os.X_OK):
        raise EnvironmentFailure(f"the packages of {name} have no program `{path.name}`", remedy="please report it")


def _reach() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_") or key.upper() in _NETWORK}
    return {**kept, "HOME": str(Path.home())}


def _entries(text: str) -> list[tuple[str, str]]:
    """The lock file's entries: a package's name, and its lines."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        match = _ENTRY.match(line)
        if match:
            found.append((match[1].lower(), line))
        elif found and line.startswith(" "):
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def _version(text: str, known: Known) -> str:
    package = re.split(r"[<>=!~\[]", known.requirement)[0]
    return next((match[2] for line in text.splitlines() if (match := _ENTRY.match(line)) and match[1] == package), "")


@contextlib.contextmanager
def _listed(place: Path, text: str) -> Iterator[Path]:
    path = place / f".list-{os.urandom(4).hex()}"
    try:
        path.write_text(text, encoding="utf-8")
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(name: str) -> Iterator[Path]:
    """The tool's folder, swept, while nobody else installs or removes it. Raises EnvironmentFailure."""
    place = tools_folder() / name
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(tools_folder() / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentFailure(f"cannot be written: {error.strerror}", where=str(place)) from None
    try:
        if not _locked(handle):
            raise EnvironmentFailure(f"{name} is being installed or removed by another process")
        place.mkdir(exist_ok=True, mode=0o700)
        _sweep(place)
        yield place
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Lock the file, waiting a moment: the lock of a process that was killed while it started a program is held by
    its child until that runs the program."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _sweep(place: Path) -> None:
    """Remove what no receipt names."""
    for path in leftovers(place.name):
        _remove(path)
    for path in place.glob(".list-*"):
        path.unlink(missing_ok=True)
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()


def _remove(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _digests(folder: Path) -> dict[str, str]:
    """Every file below, with the SHA-256 of its bytes, or where it leads. What Python compiled counts: it is run."""
    found = {}
    for base, folders, names in os.walk(folder):
        for name in (*names, *(one for one in folders if os.path.islink(os.path.join(base, one)))):
            path = Path(base, name)
            at = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[at] = f"-> {os.readlink(path)}"
            else:
                try:
                    with path.open("rb") as stream:
                        found[at] = hashlib.file_digest(stream, "sha256").hexdigest()
                except OSError:
                    found[at] = "unreadable"
    return found


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _json(path: Path, limit: int) -> Mapping[str, Any]:
    """A JSON object; empty when it is not there or something else."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
        value = json.loads(data) if len(data) <= limit else None
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
