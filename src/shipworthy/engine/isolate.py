"""Worker processes for parsers of hostile bytes: limits on memory, a deadline for each unit, killed when it passes."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from shipworthy.engine._forked import Forked, Pipes
from shipworthy.engine.work import Ended, Unit, UnitResult, execute
from shipworthy.errors import EnvironmentFailure

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess as Process

_PR_SET_PDEATHSIG = 1
_PRELOAD = ("shipworthy.engine.work", "shipworthy.engine.isolate")
_KEPT = frozenset(  # where things are, never a key
    "PATH HOME TMPDIR TEMP TMP LANG LC_ALL LC_CTYPE TZ SSL_CERT_FILE SSL_CERT_DIR XDG_CACHE_HOME XDG_CONFIG_HOME"
    " XDG_DATA_HOME XDG_STATE_HOME KF_RULE_CACHE_DIR SYSTEMROOT".split()
)
_SAFE_PATH = "PYTHONSAFEPATH"
_FEW, _PAUSE = 16, 0.004  # units, seconds
_STARTING = threading.Lock()


def limit_memory(memory_mb: int) -> None:
    """Bound what this process may allocate; no core is written, which would hold what it read."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # a lower limit is in force already
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))


def forget_environment() -> None:
    """A parser needs no key of a cloud: keep the variables that say where things are, and no other."""
    for name in os.environ.keys() - _KEPT:
        del os.environ[name]


def die_with_parent() -> None:
    """Nothing of ours goes on when the process that started it is gone."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def _nothing_of_the_caller() -> Iterator[None]:
    """Keep a new worker from importing the caller's script again: it needs nothing of it, and without a guard for
    `__name__ == "__main__"` the script would run a second time. And keep the server of forks, which is started by
    `python -c`, from importing what lies in the current folder: that may be what is scanned."""
    with _STARTING:
        main, safe = sys.modules["__main__"], os.environ.get(_SAFE_PATH)
        sys.modules["__main__"] = ModuleType("__main__")
        os.environ[_SAFE_PATH] = "1"
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            if safe is None:
                del os.environ[_SAFE_PATH]
            else:
                os.environ[_SAFE_PATH] = safe


def _serve(connection: Connection | Pipes, memory_mb: int) -> None:
    """The worker's loop: units in, one result out for each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not isinstance(connection, Pipes):
        die_with_parent()
    forget_environment()
    limit_memory(memory_mb)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for unit in connection.recv():
                connection.send(execute(unit))


def _started(make: Callable[[], Process], tries: int = 10) -> Process:
    """A process that runs. When the server that starts processes was killed, it takes a moment until that is known and
    a new one is there. Raises OSError, EOFError."""
    while True:
        process = make()
        try:
            process.start()
        except (ConnectionError, EOFError):
            tries -= 1
            if not tries:
                raise
            time.sleep(0.1)
        else:
            return process


def begin(target: Callable[..., None], arguments: tuple[Any, ...]) -> tuple[Process, Connection]:
    """A process that runs `target(connection, *arguments)`, and the other end of the connection.

    Raises EnvironmentFailure when none can be started.
    """
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    near, far = context.Pipe()
    try:
        with _nothing_of_the_caller():
            process = _started(lambda: context.Process(target=target, args=(far, *arguments), daemon=True))
    except (OSError, EOFError) as error:  # kept only when it runs: nobody would answer at the other end
        import tempfile

        near.close()
        raise EnvironmentFailure(
            f"no worker process can be started: {getattr(error, 'strerror', '') or error}",
            where=tempfile.gettempdir(),
            remedy="set TMPDIR to a writable folder with a path of less than 70 characters",
        ) from None
    finally:
        far.close()
    return process, near


def end(process: Process | Forked | None, connection: Connection | Forked | None) -> None:
    """Kill it, and hang up."""
    if process is not None and process.pid is not None:
        process.kill()
        process.join(5)
    if connection is not None:
        connection.close()


def last_words(process: Process | Forked | None) -> str:
    """How a process that does not answer any more ended."""
    if process is not None:
        process.join(5)
        if process.exitcode and process.exitcode < 0:
            return f"its process died of {signal.Signals(-process.exitcode).name}"
    return "its process died"


class Worker:
    """One worker process. It is started when first used, and again after it had to be killed."""

    def __init__(self, memory_mb: int, *, fork: bool = False) -> None:
        self._memory_mb = memory_mb
        self._fork = fork and sys.platform == "linux"
        self._process: Process | Forked | None = None
        self._connection: Connection | Forked | None = None
        self._closed = False

    def is_closed(self) -> bool:
        """Is it to do no more? Another thread may say so at any time."""
        return self._closed

    def run(self, units: Sequence[Unit], heard: Callable[[Unit, UnitResult], None]) -> None:
        """Run the units in order and tell each result. A unit that dies or passes its deadline ends as `stopped`; the
        rest goes on in a new process."""
        todo = list(units)
        while todo and not self.is_closed():
            connection = self._start()
            try:
                connection.send(todo)
                while todo:
                    if not connection.poll(todo[0].timeout):
                        self._lose(todo, heard, f"took longer than {todo[0].timeout:.0f} s")
                        break
                    result = connection.recv()
                    heard(todo.pop(0), result)
                    if len(todo) > _FEW and not connection.poll(0):
                        time.sleep(_PAUSE)  # results are taken in groups: to be woken for each costs as much as it did
            except (EOFError, OSError):
                if self.is_closed():
                    return
                self._lose(todo, heard, last_words(self._process))

    def _lose(self, todo: list[Unit], heard: Callable[[Unit, UnitResult], None], reason: str) -> None:
        self._kill()
        heard(todo.pop(0), UnitResult(Ended.STOPPED, reason=reason))

    def start(self) -> None:
        """Start the process now, unless that is for later: only while there is one thread can it be a plain fork."""
        if self._fork and threading.active_count() == 1:
            self._start()

    def _start(self) -> Connection | Forked:
        if self._connection is None:
            self._process, self._connection = self._new()
        return self._connection

    def _new(self) -> tuple[Process, Connection] | tuple[Forked, Forked]:
        """A process that runs: forked from this one where that is wanted and safe, or else from a server of forks."""
        if self._fork and threading.active_count() == 1:
            try:
                forked = Forked(lambda pipes: _serve(pipes, self._memory_mb))
            except OSError as error:
                raise EnvironmentFailure(f"no worker process can be started: {error.strerror or error}") from None
            return forked, forked
        return begin(_serve, (self._memory_mb,))

    def close(self) -> None:
        """Kill the process for good: units that are left are not run."""
        self._closed = True
        self._kill()

    def _kill(self) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        end(process, connection)


class WorkerPool:
    """Hands out workers to threads and closes them all at the end.

    With `fork`, workers that are started before any thread are plain forks of this process, which costs a fifth of a
    server of forks. They see its memory, so it must hold no secret.
    """

    def __init__(self, jobs: int, memory_mb: int, *, fork: bool = False) -> None:
        self.jobs = jobs or available_cores()
        self._memory_mb = memory_mb
        self._fork = fork
        self._free: list[Worker] = []
        self._all: list[Worker] = []
        self._lock = threading.Lock()
        self._busy = threading.Semaphore(self.jobs)

    def prepare(self, modules: Iterable[str], tasks: int) -> None:
        """Name the modules that workers will need: the package's own are imported once, before workers are forked.
        `tasks` is how many calls of `run` will follow."""
        own = sorted(name for name in set(modules) if name.startswith("shipworthy."))
        if not self._fork or threading.active_count() > 1:
            import multiprocessing

            multiprocessing.get_context("forkserver").set_forkserver_preload([*_PRELOAD, *own])
        while self._fork and len(self._all) < min(tasks, self.jobs):
            worker = Worker(self._memory_mb, fork=True)
            worker.start()
            self._all.append(worker)
            self._free.append(worker)

    def run(self, units: Sequence[Unit], heard: Callable[[Unit, UnitResult], None]) -> None:
        """Run units in a worker that no other thread is using, when there is one: there are at most `jobs`."""
        with self._busy:
            with self._lock:
                worker = self._free.pop() if self._free else Worker(self._memory_mb, fork=self._fork)
                if worker not in self._all:
                    self._all.append(worker)
            try:
                worker.run(units, heard)
            finally:
                with self._lock:
                    self._free.append(worker)

    def close(self) -> None:
        """Kill every worker."""
        for worker in self._all:
            worker.close()


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
