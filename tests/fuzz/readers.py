"""Every reader against damaged files: no exception, no hang, no memory without bound, nothing clean without its end.

    python tests/fuzz/readers.py --seconds 3600 --jobs 1 --first 0 [--format onnx] [--save FOLDER]
    python tests/fuzz/readers.py --count 4000      # so many and no more, however long they take
    python tests/fuzz/readers.py --only 12345 [--format onnx] [--save FOLDER]      # one sample again

A batch of samples runs in a process of its own with little memory, which says before each what comes next: if it dies
or hangs, that sample did it. What is wrong is printed with its number; `--save` writes the file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.mutations import fields, mutated
from fuzz.seeds import Seed, seeds
from shipworthy.modelfile import Limits, Report, View, explain, scan_view
from shipworthy.modelfile.support import FORMATS

LIMITS = Limits(output=4 << 20, spool=1 << 20, json=8 << 20)
SECONDS = 2.0  # of CPU, for a file of less than a megabyte
HANGS = 30  # of CPU; then it is interrupted
MEMORY = 192 << 20  # on top of what the process has, for such a file
SPACE = 3 << 30
BATCH = 400

# Where a file without its end is a whole file, as the format does not say where it ends: texts at any line, protobuf
# messages behind any field, Paddle's parameters and pickles one behind the other.
LINES = ("jinja", "yaml", "mlflow", "hydra", "keras-yaml", "tiktoken")
MESSAGES = ("onnx", "savedmodel", "graphdef", "metagraph", "tf-fingerprint", "keras-metadata", "coreml", "paddle")
PADDED = ("tar", "gguf", "tflite", "executorch", "catboost")  # with zeros, which nothing needs


@dataclass(frozen=True)
class Sample:
    """A damaged file. `shortened`: an honest one whose last bytes are missing; `lengthened`: one with bytes behind."""

    number: int
    seed: Seed
    data: bytes
    shortened: bool = False
    lengthened: bool = False


@dataclass(frozen=True)
class Fault:
    """What a reader did that it must not."""

    number: int
    seed: str
    format: str
    what: str


def sample(number: int, only: str = "") -> Sample:
    """The sample of a number; with `only`, of this format."""
    source = random.Random(number)
    formats = seeds()
    format_ = only or source.choice(list(formats))
    seed = source.choice(formats[format_])
    kind = source.random()
    if seed.honest and seed.data and kind < 0.15:
        keep = source.choice((source.randrange(len(seed.data)), max(0, len(seed.data) - source.randrange(1, 40))))
        return Sample(number, seed, seed.data[:keep], shortened=True)
    if seed.honest and kind < 0.2:
        tail = source.choice(
            (source.randbytes(source.randrange(1, 40)), b"\xff", b"cos\nsystem\n.", b"MZ" + b"\x90" * 70)
        )
        return Sample(number, seed, seed.data + tail, lengthened=True)
    other = source.choice(formats[format_ if source.random() < 0.5 else source.choice(list(formats))]).data
    return Sample(number, seed, mutated(source, seed.data, other, seed.format))


def examine(item: Sample) -> str:
    """Scan it; what is wrong, or nothing."""
    before, began = _peak(reset=True), time.process_time()
    try:
        report = scan_view(View.of(item.data), limits=LIMITS, path=item.seed.path)
        if item.number % 16 == 0:
            with tempfile.NamedTemporaryFile() as file:
                file.write(item.data)
                file.flush()
                explain(file.name, limits=LIMITS)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:100]} [{Path(last.filename).name}:{last.lineno}]"
    seconds, memory = time.process_time() - began, _peak() - before
    bound = max(1.0, len(item.data) / (1 << 20))
    if seconds > SECONDS * bound:
        return f"{seconds:.1f} s for {len(item.data)} bytes"
    if memory > MEMORY * bound:
        return f"{memory >> 20} MiB for {len(item.data)} bytes"
    return _judged(item, report)


def _judged(item: Sample, report: Report) -> str:
    if report.verdict != "clean":
        return "" if report.issues or report.unknowns else "not clean, without a reason"
    if report.issues or report.unknowns or report.explained < report.size:
        return "clean in spite of what it says"
    if not FORMATS[report.format].clean:
        return f"clean, as {report.format}"
    if (item.shortened or item.lengthened) and not _still_whole(item, report.format):
        return f"clean {'without its end' if item.shortened else 'with bytes behind'}, as {report.format}"
    return ""


def _still_whole(item: Sample, format_: str) -> bool:
    if format_ in LINES or item.data.strip() == item.seed.data.strip():
        return True
    if format_ in PADDED and item.shortened:
        return item.data.rstrip(b"\0") == item.seed.data.rstrip(b"\0")
    if item.data == b"\x80":  # an empty map of MessagePack
        return True
    try:
        return item.shortened and format_ in MESSAGES and bool(fields(item.data))
    except ValueError:
        return False


def _peak(reset: bool = False) -> int:
    """The most memory that this process has had since the last reset, in bytes (0 where the system does not say)."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


class HangError(BaseException):
    """Raised where a sample takes far too long; no reader catches it."""


def _late(*_: object) -> None:
    raise HangError


def work(pipe: Connection, numbers: list[int], only: str) -> None:
    """A batch: before each sample its number, after each what is wrong with it."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _late)
    for number in numbers:
        pipe.send(number)
        item = sample(number, only)
        signal.setitimer(signal.ITIMER_PROF, HANGS)
        what = examine(item)
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(Fault(number, item.seed.name, item.seed.format, what) if what else None)
    pipe.send(None)
    pipe.close()


def batch(numbers: list[int], only: str = "") -> Iterator[Fault | None]:
    """Runs the numbers in a process of their own, and what is left in another when it dies."""
    context = multiprocessing.get_context("fork")
    while numbers:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(sender, numbers, only))
        process.start()
        sender.close()
        number = numbers[0]
        try:
            while (number := _next(receiver)) is not None:
                yield _next(receiver)
                numbers = [left for left in numbers if left > number]
            numbers = []
        except (EOFError, TimeoutError) as error:
            process.kill()
            item = sample(number, only)
            what = "it hangs" if isinstance(error, TimeoutError) else "the process dies"
            yield Fault(number, item.seed.name, item.seed.format, what)
            numbers = [left for left in numbers if left > number]
        process.join()
        receiver.close()


def _next(receiver: Connection) -> object:
    if not receiver.poll(20 * HANGS):
        raise TimeoutError
    return receiver.recv()


def main() -> int:
    """Run for a while; exit code 1 when something was found."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--count", type=int, default=0)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--format", default="", choices=["", *seeds()])
    options.add_argument("--save", type=Path)
    options.add_argument("--only", type=int)
    given = options.parse_args()
    if given.only is not None:
        item = sample(given.only, given.format)
        print(item.seed.name, item.seed.format, len(item.data), item.shortened, item.lengthened)
        if given.save:
            (given.save / f"{given.only}.bin").write_bytes(item.data)
        print(examine(item) or "nothing is wrong")
        return 0
    children = []
    for job in range(1, given.jobs):
        if not (child := os.fork()):
            return run(given, given.first + job * BATCH)
        children.append(child)
    worst = run(given, given.first)
    return max([worst, *(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)])


def run(given: argparse.Namespace, first: int) -> int:
    """One job: every so many-th batch until the time is over, or the number reached."""
    until, done, faults = time.monotonic() + given.seconds, 0, Counter[str]()

    def over() -> bool:
        return done >= given.count if given.count else time.monotonic() > until

    while not over():
        for fault in batch(list(range(first, first + BATCH)), given.format):
            done += 1
            if fault is not None:
                faults[fault.what] += 1
                print(fault, flush=True)
                if given.save:
                    (given.save / f"{fault.number}.bin").write_bytes(sample(fault.number, given.format).data)
            if over():
                break
        first += BATCH * given.jobs
    print(f"{done:,} files, {faults.total()} faults", flush=True)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
