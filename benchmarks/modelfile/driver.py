"""Runs one scanner's command over many files; run by the Python of that scanner's environment, which has only it.

    PYTHON driver.py NAME SECONDS SCRATCH WARM ARGUMENT... < paths, one JSON text a line

The command is imported once. Each file is scanned in a process forked for it: no scan sees what another left behind,
and one that hangs is killed. A line of JSON goes to standard output for each: exit code (-1: killed after SECONDS),
whether it printed a traceback, CPU and wall seconds, and peak memory in MB.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.metadata
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY = 6 << 30
_PR_SET_PDEATHSIG = 1


def scanned(entry: Callable[[], Any], command: list[str], log: Path, modules: Path | None) -> None:
    """In the forked process: run the command, and end with its exit code."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number, target in (
        (os.open(os.devnull, os.O_RDONLY), 0),
        (os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC), 1),
    ):
        os.dup2(number, target)
    os.dup2(1, 2)
    sys.argv = command
    code: Any = 0
    try:
        code = entry()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
        code = 99
    with contextlib.suppress(Exception):
        if isinstance(code, str):
            print(code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        if modules:
            modules.write_text(json.dumps(sorted(sys.modules)))
    os._exit(0 if code is None else code & 255 if isinstance(code, int) else 1)


def one(entry: Callable[[], Any], command: list[str], seconds: float, log: Path, modules: Path | None = None) -> Any:
    """One file: what its process did."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        scanned(entry, command, log, modules)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)

    def stop(*_: object) -> None:
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)
    watch = os.pidfd_open(child)
    ended, _, _ = select.select([watch], [], [], seconds)
    os.close(watch)
    with contextlib.suppress(OSError):  # a scanner's own children too, whether it ended or not
        if not ended:
            os.killpg(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status) if ended else -1
    text = log.read_bytes()[-1 << 20 :] if log.exists() else b""
    return {
        "code": code,
        "crashed": b"Traceback (most recent call last)" in text or code < 0,
        "cpu": round(used.ru_utime + used.ru_stime, 3),
        "wall": round(time.monotonic() - began, 3),
        "mb": used.ru_maxrss >> 10,
    }


def main() -> None:
    """Command line."""
    name, seconds, scratch, warm, *arguments = sys.argv[1:]
    folder = Path(scratch)
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    (point,) = importlib.metadata.entry_points(group="console_scripts", name=name)
    entry = point.load()
    modules = folder / "modules.json"
    one(entry, [name, *arguments, warm], 120, folder / "log.txt", modules)
    if modules.exists():  # only imported here, never run: a thread that a scan leaves behind would not survive the fork
        for module in json.loads(modules.read_text()):
            with contextlib.suppress(BaseException):
                importlib.import_module(module)
    os.write(1, b'{"ready": true}\n')
    for line in sys.stdin:
        path = json.loads(line)
        result = one(entry, [name, *arguments, path], float(seconds), folder / "log.txt")
        os.write(1, (json.dumps({"path": path, **result}) + "\n").encode())


if __name__ == "__main__":
    main()
