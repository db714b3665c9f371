"""Watch a running program: hand its lines on, hold it to its limits, end it with all that it started."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from shipworthy.tools import _process_tree as processes

OnLine = Callable[[str, str], None]
Stopped = Literal["", "wall-time", "cpu-time", "memory", "processes", "output", "disk", "watch"]
LINE_LIMIT = 4_000
_TICK, _SAMPLE, _DISK = 0.05, 0.1, 1.0
_MB = 1024 * 1024
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)?|[@-_])")
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Limits:
    """What a program may use. Seconds, MiB, counts; `cpu_seconds` 0 means no limit of its own.

    `memory_mb` holds for the whole process tree (and as RLIMIT_DATA for each process, so that a large allocation fails
    inside the program); `file_mb` for one file; `disk_mb` for all that lies in the writable folders; `output_mb` for
    stdout and stderr together. `grace_seconds` lie between the request to end and the kill.
    """

    wall_seconds: float = 3600.0
    cpu_seconds: int = 0
    memory_mb: int = 8192
    file_mb: int = 4096
    disk_mb: int = 16384
    processes: int = 256
    output_mb: int = 64
    grace_seconds: float = 5.0


@dataclass
class Ending:
    """How the program ended, filled in while it runs."""

    returncode: int = 0
    stopped: Stopped = ""
    detail: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    peak_processes: int = 0
    output_bytes: int = 0
    tails: dict[str, deque[str]] = field(
        default_factory=lambda: {"stdout": deque(maxlen=40), "stderr": deque(maxlen=40)}
    )


def printable(text: str) -> str:
    """A line of output without escape sequences, control and direction characters, and no longer than LINE_LIMIT."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text[: 2 * LINE_LIMIT])).rstrip()[:LINE_LIMIT]


class Supervisor:
    """One run of one program. `process` must have pipes as stdout and stderr."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        limits: Limits,
        *,
        writable: tuple[Path, ...] = (),
        base: int = 0,
        on_line: OnLine | None = None,
        log: BinaryIO | None = None,
        watch: Callable[[], str] | None = None,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """`base` is how many processes of the tree are the sandbox's own; `watch` is asked several times a second
        and returns a reason to end the program, or ""; `ready` says that the program itself has been started."""
        self._process, self._limits, self._writable, self._base = process, limits, writable, base
        self._on_line, self._log, self._watch, self._ready = on_line, log, watch, ready
        self._started = time.monotonic()
        self._kill_at: float | None = None
        self._partial = {"stdout": b"", "stderr": b""}
        self._seen: dict[tuple[int, int], processes.Process] = {}
        self.ending = Ending()

    def run(self) -> Ending:
        """Until the program has ended. Whatever happens here, nothing of it is left running."""
        try:
            self._loop()
        finally:
            self._kill()
            self._process.wait()
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
        self.ending.returncode = self._process.returncode
        self.ending.seconds = time.monotonic() - self._started
        return self.ending

    def _loop(self) -> None:
        next_sample = next_disk = self._started
        with selectors.DefaultSelector() as selector:
            for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
                if stream is None:
                    raise ValueError("the program's output must be piped")
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, name)
            drain_until: float | None = None
            while selector.get_map():
                for key, _ in selector.select(_TICK):
                    if not self._read(key.fd, key.data):
                        selector.unregister(key.fileobj)
                now = time.monotonic()
                if drain_until is None and self._process.poll() is not None:
                    drain_until = now + 1.0  # something that escaped may hold the pipe open
                if drain_until is not None and now > drain_until:
                    break
                if drain_until is None and now >= next_sample:
                    next_sample = self._sample() + _SAMPLE
                    if now >= next_disk:
                        next_disk = self._check_disk() + _DISK
            for name in self._partial:
                self._line(name, self._partial[name])
            self._wait_until_ended()

    def _wait_until_ended(self) -> None:
        """The program has closed its output; it can still run."""
        while self._process.poll() is None:
            self._sample()
            time.sleep(_TICK)

    def _read(self, handle: int, name: str) -> bool:
        try:
            data = os.read(handle, 65_536)
        except BlockingIOError:
            return True
        if not data:
            return False
        self.ending.output_bytes += len(data)
        if self.ending.output_bytes > self._limits.output_mb * _MB:
            self._stop("output", f"it printed more than {self._limits.output_mb} MiB", at_once=True)
            return False
        *lines, rest = (self._partial[name] + data).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            self._line(name, line)
        while len(rest) > 2 * LINE_LIMIT:
            self._line(name, rest[: 2 * LINE_LIMIT])
            rest = rest[2 * LINE_LIMIT :]
        self._partial[name] = rest
        return True

    def _line(self, name: str, raw: bytes) -> None:
        text = printable(raw.decode("utf-8", "replace"))
        if not text:
            return
        self.ending.tails[name].append(text)
        if self._log is not None:
            self._log.write(f"{name}: {text}\n".encode())
        if self._on_line is not None:
            self._on_line(name, text)

    def _sample(self) -> float:
        """Look at the tree once; returns when that was."""
        now, limits = time.monotonic(), self._limits
        if self._kill_at is not None:
            if now >= self._kill_at:
                self._kill()
            return now
        running = [one for one in processes.tree(self._process.pid) if one.state not in "ZX"]
        for one in running:
            if len(self._seen) < 100_000:
                self._seen[one.pid, one.started] = one
        count = max(0, len(running) - self._base)
        memory = sum(one.resident for one in running)
        if memory > self.ending.peak_memory:
            memory = processes.proportional(running) if len(running) > 1 and count <= limits.processes else memory
        self.ending.peak_memory = max(self.ending.peak_memory, memory)
        self.ending.peak_processes = max(self.ending.peak_processes, count)
        self.ending.cpu_seconds = max(self.ending.cpu_seconds, sum(one.cpu for one in running))
        if count > limits.processes:
            self._stop("processes", f"it ran {count} processes; {limits.processes} are allowed", at_once=True)
        elif memory > limits.memory_mb * _MB:
            self._stop("memory", f"it used {memory // _MB} MiB; {limits.memory_mb} MiB are allowed", at_once=True)
        elif now - self._started > limits.wall_seconds:
            self._stop("wall-time", f"it ran longer than {limits.wall_seconds:g} s")
        elif limits.cpu_seconds and self.ending.cpu_seconds > limits.cpu_seconds:
            self._stop("cpu-time", f"it used more than {limits.cpu_seconds} s of CPU time")
        elif self._watch is not None and self._ready() and (reason := self._watch()):
            self._stop("watch", reason)
        return now

    def _check_disk(self) -> float:
        used = folder_bytes(self._writable)
        if used > self._limits.disk_mb * _MB:
            self._stop("disk", f"it wrote {used // _MB} MiB; {self._limits.disk_mb} MiB are allowed", at_once=True)
        return time.monotonic()

    def _stop(self, why: Stopped, detail: str, *, at_once: bool = False) -> None:
        if not self.ending.stopped:
            self.ending.stopped, self.ending.detail = why, detail
        if at_once or not self._ready():
            self._kill()  # the launcher does not listen to requests
        elif self._kill_at is None:
            below = [one for one in processes.tree(self._process.pid) if one.pid != self._process.pid]
            processes.signal_all(below, signal.SIGTERM)
            self._kill_at = time.monotonic() + self._limits.grace_seconds

    def _kill(self) -> None:
        if self._process.poll() is None:
            processes.kill(self._process.pid, tuple(self._seen.values()))
        else:  # its number may belong to somebody else by now
            processes.signal_all(self._seen.values(), signal.SIGKILL)


def folder_bytes(folders: tuple[Path, ...], most: int = 100_000) -> int:
    """Bytes on disk in the folders, links not followed; stops counting after `most` entries."""
    total, left = 0, most
    pending = list(folders)
    while pending and left > 0:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                left -= 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
