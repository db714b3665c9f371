"""Work for other processes and machines: batches of units as plain data, over any `concurrent.futures.Executor`.

A worker elsewhere reads the files itself, so it must see the same bytes at the same paths and have the same versions of
everything. Both are verified before anything is examined. A batch is examined by a process of its own on that machine,
which parses hostile bytes in limited processes as this machine does.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from shipworthy import __version__
from shipworthy.check import Check, load_check
from shipworthy.engine.isolate import Worker, die_with_parent
from shipworthy.engine.work import Unit, UnitResult, execute, version_of
from shipworthy.errors import EnvironmentFailure, ShipworthyError, UsageError
from shipworthy.model import Artifact
from shipworthy.tools import Toolbox, ToolMissing

_SMALLEST, _LARGEST = 24, 400  # a batch costs a process start, and what is lost with its machine
_FILES = "give every worker the same files at the same path: a shared file system"
_VERSIONS = "install the same version on every worker"


@dataclass(frozen=True)
class Remote:
    """Where units are examined instead of here: an executor that takes plain data, and how many batches it can work on
    at once."""

    executor: Executor
    slots: int


@dataclass(frozen=True)
class _Batch:
    units: tuple[Unit, ...]
    versions: Mapping[str, str]
    memory_mb: int


def batches(units: Sequence[Unit], slots: int) -> list[tuple[Unit, ...]]:
    """The units in batches: those on many artifacts each alone, those on one artifact together, so that it is read for
    its digest once."""
    large = [(unit,) for unit in units if len(unit.given) > 1]
    small = sorted((unit for unit in units if len(unit.given) == 1), key=lambda unit: unit.given[0].uri)
    size = min(_LARGEST, max(_SMALLEST, -(-len(small) // (4 * max(1, slots)))))
    return large + [tuple(small[start : start + size]) for start in range(0, len(small), size)]


def submit(remote: Remote, units: tuple[Unit, ...], versions: Mapping[str, str], memory_mb: int) -> Future[bytes]:
    """Hand a batch over. `versions` are the checks' versions here, which a worker must have as well."""
    batch = _Batch(tuple(_plain(unit) for unit in units), dict(versions), memory_mb)
    return remote.executor.submit(examine, __version__, pickle.dumps(batch))


def answer(future: Future[bytes], units: Sequence[Unit]) -> tuple[UnitResult, ...]:
    """What came of a batch, in the order of its units. Raises EnvironmentFailure when it was not examined."""
    try:
        results = pickle.loads(future.result())  # noqa: S301  from a worker, which runs what it is told to anyway
    except ShipworthyError:
        raise
    except ModuleNotFoundError as error:
        raise EnvironmentFailure(f"a worker cannot import {error.name}", remedy=_VERSIONS) from None
    except Exception as error:
        told = f"a batch of work was lost: {type(error).__name__}"
        raise EnvironmentFailure(told, remedy="see the logs of the workers") from None
    if len(results) != len(units):
        raise EnvironmentFailure("a worker answered to something else", remedy=_VERSIONS)
    return tuple(results)


def _plain(unit: Unit) -> Unit:
    """The unit without what belongs to this process: paths are absolute, the programs' off-switch is left out."""
    context = replace(unit.context, root=unit.context.root.absolute(), tools=Toolbox(unit.context.tools.paths))
    given = tuple(replace(a, path=a.path.absolute() if a.path else None) for a in unit.given)
    return replace(unit, given=given, context=context)


def examine(version: str, batch: bytes) -> bytes:
    """On the worker: examine a batch in a process of its own, as the worker's may not have children.

    Raises EnvironmentFailure when this is another version of Shipworthy, the files are not the same, or the process
    ends without an answer.
    """
    if version != __version__:
        raise EnvironmentFailure(f"{_here()} has Shipworthy {__version__}; {version} is asked for", remedy=_VERSIONS)
    argv = [sys.executable, "-P", "-m", "shipworthy.engine.remote"]
    done = subprocess.run(argv, input=batch, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise EnvironmentFailure(f"{_here()}: the process of a batch ended with status {done.returncode}")
    results = pickle.loads(done.stdout)  # noqa: S301  from our own process
    if isinstance(results, ShipworthyError):
        raise results
    return done.stdout


def _here() -> str:
    return f"the worker on {platform.node()}"


def _examined(batch: _Batch) -> tuple[UnitResult, ...]:
    checks = {unit.check: _check(unit, batch.versions[unit.check]) for unit in batch.units}
    for artifact in dict.fromkeys(artifact for unit in batch.units for artifact in unit.given):
        _verify(artifact)
    worker, results = Worker(batch.memory_mb), dict[int, UnitResult]()

    def heard(number: int) -> Callable[[Unit, UnitResult], None]:
        return lambda _unit, result: results.__setitem__(number, result)

    try:
        for number, unit in enumerate(batch.units):
            if checks[unit.check].needs:
                results[number] = execute(unit)
            else:
                worker.run([unit], heard(number))
    finally:
        worker.close()
    return tuple(results[number] for number in range(len(batch.units)))


def _check(unit: Unit, wanted: str) -> Check:
    """The unit's check, which must be of the version that is asked for, and so must the programs that it wraps."""
    try:
        check = load_check(unit.module, unit.check)
        found = version_of(check, {tool.name: unit.context.tools.version(tool) for tool in check.needs})
    except (ImportError, UsageError, ToolMissing) as error:
        raise EnvironmentFailure(f"{_here()} cannot run {unit.check}: {error}", remedy=_VERSIONS) from None
    if found != wanted:
        raise EnvironmentFailure(f"{_here()} has {unit.check} {found}; {wanted} is asked for", remedy=_VERSIONS)
    return check


def _verify(artifact: Artifact) -> None:
    if artifact.path is None:
        raise EnvironmentFailure(f"{artifact.uri} has no path", remedy=_FILES)
    try:
        with open(os.open(artifact.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            found = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError as error:
        told = f"{_here()} cannot read {artifact.uri}: {error.strerror}"
        raise EnvironmentFailure(told, remedy=_FILES) from None
    if found != artifact.digest:
        raise EnvironmentFailure(f"{_here()} sees another {artifact.uri} than was listed", remedy=_FILES)


def _main() -> None:
    """A batch on stdin, its results (or the error) on stdout, which nothing that is started here inherits."""
    die_with_parent()
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        try:
            results: object = _examined(pickle.loads(sys.stdin.buffer.read()))  # noqa: S301  from our own process
        except ShipworthyError as error:
            results = error
        pickle.dump(results, out)


if __name__ == "__main__":
    from shipworthy.engine.remote import _main as main  # the classes of the module, not those of __main__

    main()
