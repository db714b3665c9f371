"""What the guard adds by the processor time of each request, and the queue that follows from it: computed, where the
machine is too noisy for a clock on the wall (guard_latency.py).

    python benchmarks/devsecops/guard_processor.py [--realtime] [--rounds 9] [--rate 500]

Each service (bare, with the guard inside, behind the proxy) notes the processor time that its thread has used at the
end of every request (CLOCK_THREAD_CPUTIME_ID, Linux's clock of what a thread itself ran; what reading that clock takes
is taken off). What lies between two of these is all that one request took: waking, reading, judging, writing. Time
that others had the processor is not in it; what they did to its caches is. `hot`: one after the other, on one
connection. `as they come`: at the rate, over 16 connections. A request behind the proxy takes the processor in two
processes, which are added, as if both had one core.

From the times as they come, in their order, Lindley's recursion (1952) gives how long each would have waited if
requests came at the rate, evenly or by chance (Poisson), to one thread that serves them in their order. That 16
connections hold some of them back changes where they wait, not how long. `computed p99` is of waiting and service
together; `added` is the difference from the bare service of the same round, as a median of all rounds with its 95 %
confidence interval. It leaves out what is no processor time of the service: the network stack of the client, and
whatever else runs on the core.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from guard_latency import BODY, HERE, interval, pinned, quantile, start, verdict

KINDS = ("bare", "inside", "proxy")
HOT = 1500
Services = dict[str, tuple[subprocess.Popen[str], int]]
Round = dict[str, dict[str, list[float]]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--goal", type=float, default=1.0, help="milliseconds")
    parser.add_argument("--realtime", action="store_true")
    parser.set_defaults(gemini="")
    measure(parser.parse_args())


def measure(options: argparse.Namespace) -> None:
    """Run all rounds, and print the tables."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("not measurable here: service and client need a core each, and there is one")
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        (folder / "request").write_bytes(raw := head % len(BODY) + BODY)
        services: Services = {}
        try:
            start(services, options, folder, cores[0])
            own = _clock()
            os.sched_setaffinity(0, {cores[1]})
            for _ in range(options.rounds):
                rounds.append(one := {})
                for kind in random.sample(KINDS, len(KINDS)):
                    one[kind] = {"hot": _times(services, kind, own, lambda port: hot(port, raw, HOT))}
                    one[kind]["coming"] = _times(
                        services, kind, own, lambda port: _at_rate(options, port, folder, cores[1])
                    )
        finally:
            for process, _ in services.values():
                process.kill()
                process.communicate()
    report(options, rounds, own)


def _times(services: Services, kind: str, own: int, ask: object) -> list[float]:
    """Milliseconds of each request while it is asked."""
    process, port = services[kind]
    used = [process, services["bare"][0]] if kind == "proxy" else [process]
    for one in used:
        _told(one)
    ask(port)  # type: ignore[operator]
    return together([durations(_told(one), own) for one in used])


def _told(process: subprocess.Popen[str]) -> list[int]:
    print("tell", file=process.stdin, flush=True)
    found: list[int] = json.loads(process.stdout.readline())  # type: ignore[union-attr]
    return found


def _at_rate(options: argparse.Namespace, port: int, folder: Path, core: int) -> None:
    call = [sys.executable, str(HERE / "guard_load.py"), str(port), str(options.rate), str(options.seconds)]
    call += [str(core), str(folder / "request")]
    subprocess.run(call, capture_output=True, check=True, preexec_fn=pinned(core, options.realtime))


def hot(port: int, raw: bytes, number: int) -> None:
    """Ask so often, one after the other."""
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(number):
            one.sendall(raw)
            text = one.recv(65536)
            if not text.startswith(b"HTTP/1.1 200"):
                raise SystemExit("an honest request was refused")
            while not text.endswith(b"}"):
                text = one.recv(65536)


def durations(marks: Sequence[int], own: int) -> list[float]:
    """Milliseconds of each request, less what a mark takes. `marks` are nanoseconds of processor time, each with the
    number of requests that were done since the one before: these had overlapped, and get equal shares. The first
    hundred, with which connections are opened, are left out."""
    found: list[float] = []
    for (before, _), (after, number) in pairwise(zip(marks[::2], marks[1::2], strict=True)):
        found += [max(after - before - own, 0) / number / 1e6] * number
    return found[100:]


def together(parts: Sequence[Sequence[float]]) -> list[float]:
    """What a request takes in all of the processes through which it goes."""
    return [sum(times) for times in zip(*parts, strict=False)]


def waits(service: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """How long each of the requests waits for those before it: W(k+1) = max(0, W(k) + S(k) - T(k)), where S(k) is how
    long request k is served, and T(k) how long after it the next one comes (Lindley 1952). All in milliseconds."""
    found, wait = [], 0.0
    for served, gap in zip(service, gaps, strict=True):
        found.append(wait)
        wait = max(0.0, wait + served - gap)
    return found


def computed(service: Sequence[float], rate: float, chance: random.Random | None) -> list[float]:
    """Waiting and service of each request, in milliseconds, if they come at that rate: evenly, or as `chance` says."""
    mean = 1000 / rate
    gaps = [chance.expovariate(1 / mean) if chance else mean for _ in service]
    return [wait + served for wait, served in zip(waits(service, gaps), service, strict=True)]


def report(options: argparse.Namespace, rounds: list[Round], own: int) -> None:
    """Print both tables."""
    number = sum(len(one["bare"]["coming"]) for one in rounds)
    print(f"{len(BODY)} bytes, {options.rate}/s, {len(rounds)} rounds of {options.seconds:g} s, {number} requests of "
          f"each service{', SCHED_FIFO' if options.realtime else ''}; the clock's own {own} ns taken off; "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print("\nProcessor time of a request, milliseconds\n")
    print("| service | hot: p50 | p99 | p99.9 | as they come: p50 | p99 | p99.9 |\n|---|---:|---:|---:|---:|---:|---:|")
    for kind in KINDS:
        row = f"| {kind} |"
        for how in ("hot", "coming"):
            every = [time for one in rounds for time in one[kind][how]]
            row += "".join(f" {quantile(every, share):.2f} |" for share in (0.5, 0.99, 0.999))
        print(row)
    print("\nComputed from that, not measured by a clock on the wall, milliseconds\n")
    print("| service | arrivals | computed p50 | computed p99 | added p99 as computed from processor time "
          "(95 % interval) | goal |\n|---|---|---:|---:|---:|---|")  # fmt: skip
    for title, by_chance in (("even", False), ("Poisson", True)):
        ends = [
            {
                kind: computed(one[kind]["coming"], options.rate, random.Random(n) if by_chance else None)
                for kind in KINDS
            }
            for n, one in enumerate(rounds)
        ]
        for kind in KINDS:
            middle, high = (statistics.median(quantile(one[kind], share) for one in ends) for share in (0.5, 0.99))
            row = f"| {kind} | {title} | {middle:.2f} | {high:.2f} |"
            if kind != "bare":
                added = [quantile(one[kind], 0.99) - quantile(one["bare"], 0.99) for one in ends]
                low, top = interval(added)
                row += f" {statistics.median(added):.2f} ({low:.2f} to {top:.2f}) | {verdict(low, top, options.goal)} |"
            else:
                row += " | |"
            print(row, flush=True)


def _clock() -> int:
    """Nanoseconds that reading the clock takes: the least of many."""
    times = [time.thread_time_ns() for _ in range(5000)]
    return min(after - before for before, after in pairwise(times))


if __name__ == "__main__":
    main()
