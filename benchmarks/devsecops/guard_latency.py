"""The time that the guard adds to requests at a constant rate, beside the bare service and gemini-self-protector.

    python benchmarks/devsecops/guard_latency.py [--realtime] [--rounds 15] [--gemini ENV/bin/python] [--wrk]

The services run on one core, what asks them on the other. In each round every service is asked once, in an order of
its own; what a guard adds is the difference of its 99th percentile and that of the bare service of the same round.
The median of these differences is given with its 95 % confidence interval (order statistics: no distribution is
assumed), and the goal (--goal, milliseconds) counts as met or missed only if all of that interval lies on one side:
else the machine was too noisy, and nothing is said. Times are from when a request was due (see guard_load.py).

`--realtime` (root) runs the services and what asks them under SCHED_FIFO, so that other programs on the machine
disturb them less; time that a hypervisor takes (steal) still counts, and is printed. `--wrk` asks with wrk in place of
guard_load.py; a slot in its Lua `delay()` keeps the rate, and its times are from when a request was sent.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from math import comb
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ITEMS = [{"id": n, "note": f'It\'s order {n}, for "Anna" & family; please ring'} for n in range(27)]
BODY = json.dumps({"items": ITEMS}).encode()
BASE = {"inside": "bare", "proxy": "bare", "flask + guard": "flask", "flask + gemini": "flask"}
_SCRIPT = """
local ffi = require("ffi")
ffi.cdef[[ typedef struct { long s; long n; } moment; int clock_gettime(int, moment *); ]]
local function now() local m = ffi.new("moment"); ffi.C.clock_gettime(1, m);
  return tonumber(m.s) * 1000 + tonumber(m.n) / 1e6 end
local first, slot = nil, 0
function delay() first = first or now(); slot = slot + 1
  return math.max(0, math.floor(first + slot * 1000 / RATE - now())) end
wrk.method = "POST" wrk.headers["Content-Type"] = "application/json" wrk.body = [==[BODY]==]
done = function(summary, latency) io.write(string.format("#%d %d %d %d\\n", summary.requests,
  summary.errors.status, latency:percentile(50), latency:percentile(99))) end
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--goal", type=float, default=1.0, help="milliseconds")
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--wrk", action="store_true")
    parser.add_argument("--gemini", default="", help="the Python of an environment with gemini-self-protector")
    measure(parser.parse_args())


def measure(options: argparse.Namespace) -> None:
    """Run all rounds, and print the table."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("not measurable here: service and client need a core each, and there is one")
    steal = _steal()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        (folder / "request").write_bytes(head % len(BODY) + BODY)
        (folder / "script.lua").write_text(_SCRIPT.replace("RATE", str(options.rate)).replace("BODY", BODY.decode()))
        services: dict[str, tuple[subprocess.Popen[str], int]] = {}
        try:
            start(services, options, folder, cores[0])
            phases: list[list[str]] = [["bare", "inside", "proxy"]]
            if options.gemini:
                phases += [["flask", "flask + guard"], ["flask + gemini"]]  # which may have a backlog: it comes last
            rounds: list[dict[str, dict[str, float]]] = [{} for _ in range(options.rounds)]
            for kinds in phases:
                for one in rounds:
                    for kind in random.sample(kinds, len(kinds)):
                        one[kind] = _asked(options, *services[kind], folder, cores[1])
        finally:
            for process, _ in services.values():
                process.kill()
                process.communicate()
    report(options, list(services), rounds, _shares(steal, _steal()))


def start(
    services: dict[str, tuple[subprocess.Popen[str], int]], options: argparse.Namespace, folder: Path, core: int
) -> None:
    """Start the services, each a process on that core, and note its port."""
    environment = dict(os.environ)
    for kind in ("bare", "inside", "proxy"):
        call = [sys.executable, str(HERE / "guard.py"), "serve", "--folder", str(folder), "--kind", kind]
        services[kind] = _begin(call, environment, folder, pinned(core, options.realtime))
        if kind == "proxy":
            print(services["bare"][1], file=services[kind][0].stdin, flush=True)
        services[kind] = (services[kind][0], _port(services[kind][0]))
    if options.gemini:
        environment["PYTHONPATH"] = str(HERE.parents[1] / "src")
        for kind in ("flask", "flask + guard", "flask + gemini"):
            (own := folder / kind).mkdir()
            call = [options.gemini, str(HERE / "gemini_serve.py"), kind]
            process, _ = _begin(call, environment, own, pinned(core, options.realtime))
            services[kind] = (process, 0)
            services[kind] = (process, _port(process))


def _begin(
    call: list[str], environment: dict[str, str], folder: Path, prepare: Callable[[], None]
) -> tuple[subprocess.Popen[str], int]:
    pipe = subprocess.PIPE
    with (folder / "err").open("w") as quiet:
        process = subprocess.Popen(
            call, stdin=pipe, stdout=pipe, stderr=quiet, text=True, env=environment, cwd=folder, preexec_fn=prepare
        )
    return process, 0


def _port(process: subprocess.Popen[str]) -> int:
    return int(process.stdout.readline())  # type: ignore[union-attr]


def pinned(core: int, realtime: bool) -> Callable[[], None]:
    """What a new process does to run on that core."""

    def prepare() -> None:
        os.sched_setaffinity(0, {core})
        if realtime:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    return prepare


def _asked(
    options: argparse.Namespace, process: subprocess.Popen[str], port: int, folder: Path, core: int
) -> dict[str, float]:
    """A service asked once: percentiles in milliseconds, and processor time of a request."""
    before = spent(process.pid)
    if options.wrk:
        call = ["wrk", "-t1", "-c16", f"-d{max(int(options.seconds), 1)}s", "-s", str(folder / "script.lua")]
        call.append(f"http://127.0.0.1:{port}/predict")
    else:
        call = [sys.executable, str(HERE / "guard_load.py"), str(port), str(options.rate), str(options.seconds)]
        call += [str(core), str(folder / "request")]
    prepare = pinned(core, options.realtime)
    told = subprocess.run(call, capture_output=True, text=True, check=True, preexec_fn=prepare).stdout
    if options.wrk:
        number, errors, middle, high = map(int, told.rpartition("#")[2].split())
        one = {
            "p50": middle / 1000,
            "p99": high / 1000,
            "sent": high / 1000,
            "late": 0.0,
            "refused": errors,
            "kept": 0,
        }
    else:
        value: dict[str, Any] = json.loads(told)
        number = max(value["number"], 1)
        one = {
            "p50": quantile(value["due"], 0.5),
            "p99": quantile(value["due"], 0.99),
            "sent": quantile(value["sent"], 0.99),
            "late": quantile(value["late"], 0.99),
            "refused": value["refused"],
            "kept": number / value["seconds"] if number < int(options.rate * options.seconds) else 0,
        }
    one["cpu"] = (spent(process.pid) - before) * 1000 / number
    return one


def report(
    options: argparse.Namespace, kinds: list[str], rounds: list[dict[str, dict[str, float]]], shares: dict[str, float]
) -> None:
    """Print what was found, how noisy the machine was, and what can be said."""
    by = "wrk" if options.wrk else "guard_load.py"
    print(f"{len(BODY)} bytes, {options.rate}/s, {len(rounds)} rounds of {options.seconds:g} s, asked by {by}"
          f"{', SCHED_FIFO' if options.realtime else ''}; milliseconds")  # fmt: skip
    bare = [one["bare"]["p99"] for one in rounds]
    late = statistics.median(one[kind]["late"] for one in rounds for kind in kinds)
    print(f"machine: p99 of the bare service {min(bare):.2f} to {max(bare):.2f}, median {statistics.median(bare):.2f}; "
          f"requests written late (p99) {late:.2f}; steal {shares['steal']:.1%}, idle {shares['idle']:.1%}; "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print("\n| service | p50 | p99 | p99 from sending | processor | added p50 | added p99 (95 % interval) | goal |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for kind in kinds:
        middle, high, sent, used = (
            statistics.median(one[kind][name] for one in rounds) for name in ("p50", "p99", "sent", "cpu")
        )
        row = f"| {kind} | {middle:.2f} | {high:.2f} | {sent:.2f} | {used:.2f} |"
        if kept := [one[kind]["kept"] for one in rounds if one[kind]["kept"]]:
            what = f"does not keep up: {statistics.median(kept):.0f}/s at most"
            row = f"| {kind} | | | | {used:.2f} | | | {what} ({len(kept)} of {len(rounds)} rounds) |"
        elif kind in BASE:
            added = [one[kind]["p99"] - one[BASE[kind]]["p99"] for one in rounds]
            usual = statistics.median(one[kind]["p50"] - one[BASE[kind]]["p50"] for one in rounds)
            low, top = interval(added)
            row += f" {usual:.2f} | {statistics.median(added):.2f} ({low:.2f} to {top:.2f}) |"
            row += f" {verdict(low, top, options.goal)} |"
        else:
            row += " | | |"
        refused = sum(one[kind]["refused"] for one in rounds)
        print(row + (f" {refused:.0f} of the requests were refused" if refused else ""), flush=True)


def interval(values: list[float]) -> tuple[float, float]:
    """The order statistics between which the median lies with a confidence of 95 %; without bounds for less than 6."""
    values, number = sorted(values), len(values)
    below, place = 0.0, -1
    while below + comb(number, place + 1) / 2**number <= 0.025:
        place += 1
        below += comb(number, place) / 2**number
    return (values[place], values[number - 1 - place]) if place >= 0 else (float("-inf"), float("inf"))


def verdict(low: float, top: float, goal: float) -> str:
    """What the interval says of the goal."""
    return "met" if top <= goal else "missed" if low > goal else "not measurable here"


def spent(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _steal() -> list[int]:
    return [int(one) for one in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]


def _shares(before: list[int], after: list[int]) -> dict[str, float]:
    spans = [max(new - old, 0) for old, new in zip(before, after, strict=True)]
    total = sum(spans) or 1
    return {"idle": spans[3] / total, "steal": spans[7] / total}


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them is below (a share from 0 to less than 1); not a number when there is none."""
    if not values:
        return float("nan")
    return sorted(values)[int(len(values) * share)]


if __name__ == "__main__":
    main()
