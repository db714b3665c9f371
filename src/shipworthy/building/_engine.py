"""Run a build engine under its keeper, with its storage in a folder of the build, and its output in the log."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shipworthy.building._log import Log
from shipworthy.errors import EnvironmentFailure
from shipworthy.files import new_folder
from shipworthy.tools.command import search_path

_KEEPER = Path(__file__).resolve().parent / "_keeper.py"
_CAPTURED = 4 << 20


def program(name: str) -> str:
    """Where the engine's program is; "" when it is not there."""
    return shutil.which(name, path=search_path()) or ""


@contextlib.contextmanager
def work_folder(place: Path | None) -> Iterator[Path]:
    """A folder for a build's temporary files, removed at the end, also when this process is killed."""
    folder = new_folder(place, "shipworthy-build-")
    keeper, lifeline = _keep([], {}, [folder], network=True)
    try:
        yield folder
    finally:
        remove(folder)
        os.close(lifeline)
        keeper.wait()


def remove(folder: Path) -> None:
    """Remove a folder; folders in it that their owner may not write are opened first."""
    for place, folders, _ in os.walk(folder):
        for one in folders:
            path = Path(place, one)
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def hand_over(folder: Path, output: Path) -> None:
    """Move a finished layout to where it is wanted. Raises EnvironmentFailure when it cannot be written there."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        for one in sorted(folder.iterdir(), key=lambda each: each.name == "index.json"):  # what makes it one comes last
            shutil.move(str(one), str(output / one.name))
    except OSError as error:
        raise EnvironmentFailure(f"the image cannot be written: {error.strerror}", where=str(output)) from None


class Engine:
    """One engine's program for one build."""

    def __init__(self, program: str, work: Path, log: Log, deadline: float, env: Mapping[str, str]) -> None:
        self.program, self.work, self.log, self.deadline = program, work, log, deadline
        for name in ("home", "tmp"):
            (work / name).mkdir(exist_ok=True)
        self.env = {
            "PATH": search_path(),
            "HOME": str(work / "home"),
            "TMPDIR": str(work / "tmp"),
            "XDG_RUNTIME_DIR": str(work / "tmp"),
            "LANG": "C.UTF-8",
            **env,
        }

    def run(self, *args: str, network: bool = False) -> tuple[int, bytes]:
        """Run it; returns its exit status and what it printed to stdout (4 MiB at most). All goes to the log. Raises
        EnvironmentFailure when the time is over."""
        keeper, lifeline = _keep([self.program, *args], self.env, [self.work], network=network)
        captured = bytearray()
        assert keeper.stdout is not None and keeper.stderr is not None  # noqa: S101, PT018
        streams = {keeper.stdout.fileno(): True, keeper.stderr.fileno(): False}
        try:
            while streams:
                left = self.deadline - time.monotonic()
                if left <= 0:
                    raise EnvironmentFailure(
                        "the time for the build is over", where=str(self.log.path), remedy="allow it more time"
                    )
                for one in select.select(list(streams), [], [], min(left, 1.0))[0]:
                    data = os.read(one, 65_536)
                    if not data:
                        del streams[one]
                    self.log.write(data)
                    if streams.get(one) and len(captured) < _CAPTURED:
                        captured += data
            return keeper.wait(), bytes(captured)
        finally:
            os.close(lifeline)
            keeper.wait()
            keeper.stdout.close()
            keeper.stderr.close()


def _keep(
    argv: Sequence[str], env: Mapping[str, str], folders: Sequence[Path], *, network: bool
) -> tuple[subprocess.Popen[bytes], int]:
    held, lifeline = os.pipe()
    handle = os.memfd_create("shipworthy-orders")
    orders = {"argv": list(argv), "env": dict(env), "lifeline": held, "network": network}
    orders["remove"] = [str(one) for one in folders]
    try:
        os.write(handle, json.dumps(orders).encode())
        os.lseek(handle, 0, os.SEEK_SET)
        output = subprocess.PIPE if argv else subprocess.DEVNULL
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_KEEPER), str(handle)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            pass_fds=(handle, held),
            start_new_session=True,
        )
    except OSError as error:
        os.close(lifeline)
        raise EnvironmentFailure(f"the build cannot be started: {error.strerror or error}") from None
    finally:
        os.close(handle)
        os.close(held)
    return keeper, lifeline
