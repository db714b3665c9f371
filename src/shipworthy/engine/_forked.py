"""A worker process that is a plain fork of this one, with a pipe to it and one back. `multiprocessing` does the same
for more cases; importing it takes longer than a scan of a small file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

try:  # the part in C alone: what `pickle` has in Python as well takes longer to import than it is used for
    from _pickle import dumps, loads
except ImportError:
    from pickle import dumps, loads

_PROTOCOL = 5
_HEAD = 8  # bytes: the length of what follows


class Pipes:
    """One end of a pair of pipes that carry Python values, whole or not at all."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self._ahead = bytearray()  # what was read and belongs to later values

    def send(self, value: Any) -> None:
        """Raises OSError when nobody reads."""
        data = dumps(value, _PROTOCOL)
        rest = memoryview(len(data).to_bytes(_HEAD, "big") + data)
        while rest:
            rest = rest[os.write(self.target, rest) :]

    def recv(self) -> Any:
        """Wait for a value. Raises EOFError when the other end is closed."""
        while not self._whole():
            part = os.read(self.source, 1 << 16)
            if not part:
                raise EOFError
            self._ahead += part
        end = _HEAD + int.from_bytes(self._ahead[:_HEAD], "big")
        value = loads(memoryview(self._ahead)[_HEAD:end])  # noqa: S301  from our own process
        self._ahead = self._ahead[end:]
        return value

    def _whole(self) -> bool:
        return len(self._ahead) >= _HEAD + int.from_bytes(self._ahead[:_HEAD], "big") and len(self._ahead) >= _HEAD

    def poll(self, seconds: float) -> bool:
        """Is there something to receive, or the end, before the time is over?"""
        if self._whole():
            return True
        waiting = select.poll()
        waiting.register(self.source, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def close(self) -> None:
        """Close this end."""
        os.close(self.source)
        os.close(self.target)


class Forked(Pipes):
    """The process, with the pipes to it. For a process that has one thread."""

    def __init__(self, serve: Callable[[Pipes], object]) -> None:
        """Fork; `serve` is called there with its end of the pipes. Raises OSError."""
        parent, there, here, life = os.getpid(), os.pipe(), os.pipe(), os.pipe()
        self.exitcode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                _leave_behind((there[0], here[1], life[0]))
                _end_with(life[0])
                if os.getppid() == parent:  # or else it ended before its end could be heard of
                    serve(Pipes(there[0], here[1]))
                    status = 0
            finally:
                os._exit(status)
        for number in (there[0], here[1], life[0]):
            os.close(number)
        self._life = life[1]
        super().__init__(here[0], there[1])

    def close(self) -> None:
        """Close this end. The process ends, if it is still there."""
        super().close()
        os.close(self._life)

    def kill(self) -> None:
        """Kill it, unless it is known to have ended."""
        if self.exitcode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def join(self, seconds: float) -> None:
        """Wait for its end; then `exitcode` is its status, or less than 0: the signal that ended it."""
        until, pause = time.monotonic() + seconds, 0.0005
        while self.exitcode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has asked
                self.exitcode = 1
                return
            if pid:
                self.exitcode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                return
            else:
                time.sleep(pause)
                pause = min(2 * pause, 0.05)


def _end_with(life: int) -> None:
    """Die when nobody holds the other end of this pipe any more, as when the process that forked this one was killed:
    the kernel sends SIGIO then, which ends a process that does not handle it, whatever it is doing."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGIO})
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC)


def _leave_behind(kept: tuple[int, ...]) -> None:
    """In the new process: let go of the files, sockets and pipes that the scan had open, and of its signal handlers."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for name in os.listdir("/proc/self/fd"):
        if (number := int(name)) > 2 and number not in (*kept, nothing):
            with contextlib.suppress(OSError):  # the one of the list itself is closed by now
                os.fstat(number)
                os.dup2(nothing, number, inheritable=False)  # closed, its number would be used again
