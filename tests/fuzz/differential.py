"""CPython's unpicklers against our machine: every name that they import, we must have seen.

    python tests/fuzz/differential.py --seconds 3600 --jobs 2

The unpicklers run with `find_class` replaced by something that notes the name and returns a class that does nothing, in
a process of their own with little memory: nothing is imported or executed. A seed is printed for each difference.
"""

from __future__ import annotations

import argparse
import io
import pickle
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.pickles import sample
from shipworthy.modelfile import Code, Limits, Verdict, scan_bytes

_STREAMS = 8
_MEMORY = 3 << 30
_BATCH = 2_000

Names = set[tuple[str, str]]


class Inert:
    """Takes any call, state or item, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Inert:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> Inert:
        return self

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    def append(self, _: Any) -> None:
        """As a list."""

    def extend(self, _: Any) -> None:
        """As a list."""

    def add(self, _: Any) -> None:
        """As a set."""


def _noting(base: Any) -> Any:
    class Noting(base):
        seen: Names

        def find_class(self, module: str, name: str) -> Any:
            self.seen.add((module, name))
            return type("Inert_", (Inert,), {})

        def persistent_load(self, _: Any) -> Any:
            return Inert()

    return Noting


LOADERS = (_noting(pickle._Unpickler), _noting(pickle.Unpickler))


def imported(data: bytes, loader: Any) -> list[Names]:
    """What a loader imports from each of the streams in `data`, one behind the other, until it raises."""
    streams: list[Names] = []
    stream = io.BytesIO(data)
    for _ in range(_STREAMS):
        unpickler = loader(stream, buffers=repeat(b"buffer", 50))
        unpickler.seen = set()
        streams.append(unpickler.seen)
        try:
            unpickler.load()
        except Exception:  # every way in which it can end is fine
            break
    return streams


@dataclass(frozen=True)
class Difference:
    """A name that a loader imports and that the scan does not have; or names in a file that was called clean."""

    seed: int
    what: str
    names: tuple[tuple[str, str], ...] = ()


def compare(seed: int, data: bytes | None = None) -> Difference | None:
    """One sample, both loaders, one scan.

    Where loaders do not agree with each other (frames that lie), and behind the first stream, where only a loader that
    is called again goes on, the scan need not have the names, but it must have said so.
    """
    data = sample(seed) if data is None else data
    report = scan_bytes(data, limits=Limits(output=1 << 26))
    spelled = set(report.names)
    framed = any("loaders differ" in issue.message for issue in report.issues)
    behind = any(issue.code in (Code.UNEXPLAINED_BYTES, Code.BROKEN_STREAM) for issue in report.issues)
    for loader in LOADERS:
        for number, names in enumerate(imported(data, loader)):
            missed = {pair for pair in names if f"{pair[0]}:{pair[1]}" not in spelled}
            if missed and report.format == "pickle" and not framed and not (number and behind):
                return Difference(seed, f"{loader.__mro__[1].__module__} imports what was not seen", tuple(missed))
            if names and report.verdict is Verdict.CLEAN and not all(_harmless(*pair) for pair in names):
                return Difference(seed, "it is called clean", tuple(names))
    return None


def _harmless(module: str, name: str) -> bool:
    from shipworthy.modelfile.pickles.names import loader_name, standing_of

    return standing_of(*loader_name(module, name, 4)).allowed or standing_of(*loader_name(module, name, 2)).allowed


def run(first: int, count: int) -> tuple[int, list[Difference]]:
    """A batch of seeds, in a process with little memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.RLIM_INFINITY))
    return count, [found for seed in range(first, first + count) if (found := compare(seed))]


def batches(first: int) -> Iterator[int]:
    """Where batches begin."""
    while True:
        yield first
        first += _BATCH


def main() -> int:
    """Run for a while on all cores; exit code 1 when there is a difference."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--count", type=int, default=0, help="about so many, however long they take")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--first", type=int, default=0)
    given = options.parse_args()
    until, done, found, starts = time.monotonic() + given.seconds, 0, 0, batches(given.first)
    with ProcessPoolExecutor(given.jobs) as pool:
        pending = {pool.submit(run, first, _BATCH): first for first in (next(starts) for _ in range(2 * given.jobs))}
        while pending:
            future = next(as_completed(pending))
            first = pending.pop(future)
            try:
                count, differences = future.result()
            except BrokenProcessPool:
                sys.exit(f"a process died among the seeds {sorted([first, *pending.values()])}, {_BATCH} each")
            done, found = done + count, found + len(differences)
            for difference in differences:
                print(difference, flush=True)
            if done < given.count if given.count else time.monotonic() < until:
                start = next(starts)
                pending[pool.submit(run, start, _BATCH)] = start
    print(f"{done:,} pickles, {found} differences")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
