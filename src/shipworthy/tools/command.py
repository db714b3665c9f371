"""Run a program: with a time limit, a scrubbed environment, bounded output, and its whole process tree killed after."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shipworthy.records import dataclass, field

if TYPE_CHECKING:
    import subprocess

OUTPUT_LIMIT = 256 * 1024 * 1024
_KEEP = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR")


class ToolMissing(Exception):
    """The program is not there, or not in a version that we know how to read."""

    def __init__(self, tool: str, reason: str, remedy: str = "") -> None:
        super().__init__(f"{tool}: {reason}")
        self.tool, self.reason, self.remedy = tool, reason, remedy


class ToolFailed(Exception):
    """The program ran and did not give an answer: it crashed, hung, said nothing, or said something unreadable."""

    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(f"{tool}: {reason}")
        self.tool, self.reason = tool, reason


@dataclass(frozen=True)
class Tool:
    """A program that a check wraps: its command's name, the versions whose output we know, how to ask for the
    version, and what to tell people who do not have it. Where an `optional` one is missing its check does not apply:
    others look at the same."""

    name: str
    versions: str = ""
    version_args: tuple[str, ...] = ("--version",)
    install: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Completed:
    """How a program ended. `stdout` is bytes; `stderr` is its last part, decoded, for messages."""

    tool: str
    returncode: int
    stdout: bytes
    stderr: str
    seconds: float

    def json(self) -> Any:
        """Stdout as JSON. Raises ToolFailed when it is empty, cut short or something else."""
        if not self.stdout.strip():
            raise ToolFailed(self.tool, f"printed nothing (exit {self.returncode}){self._hint()}")
        try:
            return json.loads(self.stdout)
        except (ValueError, RecursionError) as error:
            raise ToolFailed(self.tool, f"printed no complete JSON (exit {self.returncode}): {error}") from None

    def _hint(self) -> str:
        last = self.stderr.strip().splitlines()[-1:] or [""]
        return f": {last[0][:200]}" if last[0] else ""


@dataclass(frozen=True)
class Toolbox:
    """Finds and runs programs. `paths` are the settings' own places, by tool name; once `ended` is set, programs that
    are running are stopped."""

    paths: Mapping[str, str] = field(default_factory=dict)
    ended: threading.Event | None = None

    def locate(self, tool: Tool) -> Path:
        """Where the program is: the settings' path, beside this Python, in an environment of its own (`shipworthy tools
        install`), on PATH. Raises ToolMissing."""
        if given := self.paths.get(tool.name):
            path = Path(given)
            if os.access(path, os.X_OK) and path.is_file():
                return path
            raise ToolMissing(
                tool.name, f"the path in the settings is no program: {given}", "correct [tools] in the settings"
            )
        beside = Path(sys.executable).parent / tool.name
        if beside.is_file() and os.access(beside, os.X_OK):
            return beside
        import shutil

        from shipworthy.tools.environments import program

        if own := program(tool.name):
            return own

        if found := shutil.which(tool.name, path=search_path()):
            return Path(found)
        raise ToolMissing(tool.name, "is not installed", tool.install)

    def is_wanted(self, tool: Tool) -> bool:
        """Did somebody name the program in the settings, or install it with `shipworthy tools`?"""
        from shipworthy.tools.environments import installed

        return tool.name in self.paths or installed(tool.name) is not None

    def stopped(self) -> bool:
        """Has the run ended, for which programs are started?"""
        return self.ended is not None and self.ended.is_set()

    def version(self, tool: Tool) -> str:
        """The version that the program gives of itself. Raises ToolMissing when it is outside of what we can read."""
        path = self.locate(tool)
        try:
            done = run([str(path), *tool.version_args], timeout=60.0, name=tool.name, env=_beside_first(path))
        except ToolFailed as failure:
            raise ToolMissing(tool.name, f"does not tell its version: {failure.reason}", tool.install) from None
        match = re.search(r"\d+\.\d+(?:\.\d+)?[\w.+-]*", done.stdout.decode("utf-8", "replace") + done.stderr)
        if done.returncode != 0 or not match:
            raise ToolMissing(tool.name, f"does not tell its version (exit {done.returncode})", tool.install)
        if tool.versions and not _fits(match[0], tool.versions):
            raise ToolMissing(tool.name, f"is version {match[0]}; {tool.versions} is needed", tool.install)
        return match[0]

    def run(
        self,
        tool: Tool,
        *args: str,
        timeout: float = 300.0,
        cwd: Path | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0, 1),
    ) -> Completed:
        """Run the program. Raises ToolMissing, or ToolFailed when it hangs or exits with a status not in `ok`."""
        path = self.locate(tool)
        own = {**_beside_first(path), **(env or {})}
        done = run([str(path), *args], timeout=timeout, cwd=cwd, stdin=stdin, env=own, name=tool.name, ended=self.ended)
        if done.returncode not in ok:
            raise ToolFailed(tool.name, f"exit status {done.returncode}{done._hint()}")
        return done


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    name: str = "",
    limit: int = OUTPUT_LIMIT,
    ended: threading.Event | None = None,
) -> Completed:
    """Run `argv` in a session of its own, in a scrubbed environment with an empty home.

    Output goes to unnamed files, so that a flood of it cannot block or fill memory. Raises ToolFailed when the program
    cannot be started, runs longer than `timeout` seconds or prints more than `limit` bytes on either stream.
    """
    import subprocess  # here: most scans run no program
    import tempfile

    name = name or Path(argv[0]).name
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="shipworthy-") as home,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    stdin=given,
                    stdout=out,
                    stderr=err,
                    env=_environment(home, env),
                    start_new_session=True,
                )
            except OSError as error:
                raise ToolFailed(name, f"cannot be started: {error.strerror or error}") from None
        try:
            _wait(process, timeout, ended, (out, err), limit)
        except subprocess.TimeoutExpired:
            raise ToolFailed(name, f"still running after {timeout:.0f} s; stopped") from None
        finally:
            kill_tree(process)
        if _size(out, err) > limit:
            raise ToolFailed(name, f"printed more than {limit} bytes")
        return Completed(name, process.returncode, _all(out), _tail(err), time.monotonic() - started)


def _beside_first(path: Path) -> dict[str, str]:
    """For a program in an environment of its own: it starts others that lie beside it."""
    from shipworthy.tools.environments import tools_folder  # here: most scans run no program

    own = tools_folder() in path.parents
    return {"PATH": f"{path.parent}{os.pathsep}{search_path()}"} if own else {}


def _fits(version: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet  # here: workers import this module, and ask no program its version
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version) in SpecifierSet(wanted, prereleases=True)
    except InvalidVersion:
        return False


def _size(*streams: IO[bytes]) -> int:
    return max(os.fstat(stream.fileno()).st_size for stream in streams)


def _wait(
    process: subprocess.Popen[bytes],
    timeout: float,
    ended: threading.Event | None,
    streams: tuple[IO[bytes], ...],
    limit: int,
) -> None:
    """Wait for the end of the program, of its time, of its room for output, or of the run. Raises TimeoutExpired when
    its time or the run ends."""
    from subprocess import TimeoutExpired

    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        try:
            process.wait(max(0.0, min(left, 0.2)))
        except TimeoutExpired:
            if _size(*streams) > limit:
                return  # a flood must not fill the disk until the time is over
            if left <= 0 or (ended is not None and ended.is_set()):
                raise
        else:
            return


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and all that it started in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone: all of it had ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def search_path() -> str:
    """PATH without what is relative to the current folder, which may be the one that is scanned."""
    return os.pathsep.join(one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(one))


def _environment(home: str, extra: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEEP if name in os.environ}
    kept |= {
        "PATH": search_path(),
        "HOME": home,
        "TMPDIR": home,
        "XDG_CACHE_HOME": home,
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return kept | dict(extra or {})


def _all(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read()


def _tail(stream: IO[bytes], size: int = 16_384) -> str:
    stream.seek(max(0, os.fstat(stream.fileno()).st_size - size))
    return stream.read().decode("utf-8", "replace")
