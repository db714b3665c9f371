"""Zip and tar loaders against our readers: what they read from an archive that we call clean, we must have read too.

    python tests/fuzz/archives.py --seconds 600 --first 0          # zipfile, tarfile, and torch's reader if it is there
    python tests/fuzz/archives.py --only 12345

Names and bytes are compared; nothing is unpickled or executed. Torch's reader is C++ and runs in a process of its own.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import random
import sys
import tarfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.tarsources import random_tar
from fuzz.zipsources import random_zip
from shipworthy.modelfile import Limits, Report, scan_bytes, zips
from shipworthy.modelfile.scope import Scope

BATCH = 500
LIMITS = Limits(output=64 << 20)
READ = 1 << 20
# What torch asks for by name; its archive's folder is the first member's.
RECORDS = ("data.pkl", "constants.pkl", "version", ".data/version", "byteorder", "data/0", "data/9", "code/x.py")

Content = set[tuple[str, bytes]]


def by_zipfile(data: bytes) -> Content:
    """What Python's zipfile reads, by number and by name."""
    found: Content = set()
    with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        warnings.simplefilter("ignore")
        for info in archive.infolist():
            for item in (info, info.filename):
                with suppress(Exception), archive.open(item) as stream:  # what it refuses, it does not read
                    found.add((info.filename, stream.read(READ)))
    return found


def by_tarfile(data: bytes) -> Content:
    """What Python's tarfile reads, with seeks and without."""
    found: Content = set()
    for mode in ("r:", "r|"):
        with suppress(Exception), tarfile.open(fileobj=io.BytesIO(data), mode=mode) as archive:  # type: ignore[call-overload]
            for member in archive:
                found.add((member.name, b""))
                with suppress(Exception):
                    stream = archive.extractfile(member)
                    found.add((member.name, stream.read(READ) if stream else b""))
    return found


def by_torch(data: bytes) -> Content:
    """What torch's reader (miniz) finds, listed and by the names that torch.load and torch.jit.load ask for."""
    from torch import PyTorchFileReader

    found: Content = set()
    reader = PyTorchFileReader(io.BytesIO(data))
    names = list(RECORDS)
    with suppress(Exception):
        names += reader.get_all_records()
    for name in names:
        with suppress(Exception):
            found.add((name, reader.get_record(name)))
    return found


LOADERS: dict[str, Callable[[bytes], Content]] = {"zipfile": by_zipfile, "tarfile": by_tarfile}
if find_spec("torch"):
    LOADERS["torch"] = by_torch


def by_us(data: bytes) -> tuple[Report, Content]:
    """The report, and every member that was handed to a reader."""
    with _recording() as found:
        return scan_bytes(data, limits=LIMITS), found


@contextmanager
def _recording() -> Iterator[Content]:
    found: Content = set()
    later, opened = Scope.later, zips.open_entry

    def noted(scope: Scope, name: str, opener: Callable[[], Any], *rest: Any, **more: Any) -> None:
        def open_() -> Any:
            view = opener()
            if view is not None:
                found.add((name, view.read(0, READ)))
            return view

        later(scope, name, open_, *rest, **more)

    def entry(scope: Scope, item: Any) -> Any:
        view = opened(scope, item)
        if view is not None:
            found.add((item.name, view.read(0, READ)))
        return view

    Scope.later, zips.open_entry = noted, entry  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Scope.later, zips.open_entry = later, opened  # type: ignore[method-assign]


def sample(number: int) -> bytes:
    """The archive of a number."""
    source = random.Random(number)
    return random_tar(source) if number % 3 == 0 else random_zip(source)


def difference(data: bytes) -> str:
    """What a loader reads from what we call clean and have not seen; empty if nothing."""
    report, ours = by_us(data)
    if report.verdict != "clean":
        return ""
    contents = {content for _, content in ours}
    names = {name for name, _ in ours}
    for loader, read in LOADERS.items():
        try:
            theirs = read(data)
        except Exception:  # it refuses the archive
            continue
        for name, content in sorted(theirs):
            if content and content not in contents:
                return f"{loader} reads {name!r} with {content[:40]!r}"
            if content and not any(_same(name, own) for own in names):
                return f"{loader} reads a member {name!r}, we {sorted(names)}"
    return ""


def _same(theirs: str, ours: str) -> bool:
    """Torch leaves the folder's name out, finds names in either case, and tarfile strips what ends a folder's name."""
    low, own = theirs.rstrip("/").lower(), ours.rstrip("/").lower()
    return own == low or own.endswith("/" + low)


def work(numbers: range, out: Any) -> None:
    """A batch in a process of its own."""
    clean = 0
    for number in numbers:
        out.send(number)
        data = sample(number)
        found = difference(data)
        clean += not found and scan_bytes(data, limits=LIMITS).verdict == "clean"
        out.send(found)
    out.send(-1)
    out.send(clean)


def batch(numbers: range) -> Iterator[tuple[int, str]]:
    """The numbers with what is different; a loader that dies on one is left behind. Last -1 and how many were clean."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(numbers, sender))
    process.start()
    sender.close()
    try:
        while True:
            number = receiver.recv()
            yield number, str(receiver.recv())
            if number < 0:
                break
    except EOFError:
        print(f"a loader dies at {number}", flush=True)
    process.join()


def main() -> int:
    """Run for a while; exit code 1 when there is a difference."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--count", type=int, default=0, help="so many and no more, however long they take")
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--only", type=int)
    given = options.parse_args()
    if given.only is not None:
        data = sample(given.only)
        print(by_us(data), {name: read(data) for name, read in LOADERS.items()}, difference(data), sep="\n")
        return 0
    until, done, clean, found, first = time.monotonic() + given.seconds, 0, 0, 0, given.first
    while done < given.count if given.count else time.monotonic() < until:
        for number, what in batch(range(first, first + BATCH)):
            if number < 0:
                clean += int(what)
                continue
            done += 1
            if what:
                found += 1
                print(number, what, flush=True)
        first += BATCH
    print(f"{done:,} archives, {clean:,} clean, read by {', '.join(LOADERS)}: {found} differences")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
