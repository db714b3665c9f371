"""Measure the scanner of model files beside its peers, on this machine in one run, and write RESULTS.md.

    python benchmarks/modelfile/run.py [--work FOLDER] [--only attacks honest speed] [--sample N] [--slow-sample N]

Run it with the Python that Shipworthy is installed in. Peers are installed at fixed versions into environments of their
own below the work folder, and never see anything but files; nothing is ever loaded. All attacks with all peers take
hours (ModelAudit needs seconds for a file): `--sample` takes as many of each family, `--slow-sample` for ModelAudit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(ROOT / "tests"), str(HERE)]

import speed  # noqa: E402

from corpora.hostile import families, write  # noqa: E402
from corpora.units import Unit  # noqa: E402

OURS = "shipworthy"
SLOW = "modelaudit"
# No telemetry, no look for updates, no colours.
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "CI": "true", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Tool:
    """How a scanner is called; `nothing` are exit codes that say that nothing was looked at, without alarm."""

    version: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    nothing: frozenset[int] = frozenset((0,))


PEERS = {
    "modelscan": Tool("0.8.8", ("scan", "-p"), nothing=frozenset((0, 3))),
    "picklescan": Tool("1.0.5", ("-p",)),
    "fickling": Tool("0.1.12", ("--check-safety",), ("typing_extensions",)),
    "hayward": Tool("1.4.1", ("scan",)),
    "modelaudit": Tool("0.2.54", ("scan",)),
}


class Bench:
    """Where things are, which tools there are, and the text so far."""

    def __init__(self, work: Path, timeout: int, output: Path) -> None:
        self.work = work
        self.output = output
        self.timeout = timeout
        self.env = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT / "src"), "XDG_CACHE_HOME": str(work / "cache")}
        self.commands: dict[str, tuple[str, ...]] = {OURS: (sys.executable, "-m", "shipworthy", "scan", "--quiet")}
        self.lines: list[str] = []
        self.errors: dict[str, str] = {}

    def say(self, *lines: str) -> None:
        self.lines += lines
        print(*lines, sep="\n", flush=True)
        self.output.write_text("\n".join(self.lines).rstrip() + "\n", encoding="utf-8")

    def install(self) -> None:
        """Each peer into a virtual environment; one that can't be installed is left out and named."""
        for name, tool in PEERS.items():
            room = self.work / "peers" / name
            program = room / "bin" / name
            if not program.exists():
                venv.create(room, with_pip=True, clear=True)
                pip = (str(room / "bin" / "python"), "-m", "pip", "install", "--quiet")
                done = subprocess.run([*pip, f"{name}=={tool.version}", *tool.needs], capture_output=True, text=True)
                if done.returncode or not program.exists():
                    self.errors[name] = (done.stderr.strip().splitlines() or ["no program was installed"])[-1][:200]
                    continue
            self.commands[name] = (str(program), *tool.arguments)

    def verdict(self, name: str, path: Path) -> str:
        """`found`, `quiet`, or `refused`: an error, a crash or a time-out, which stop a pipeline as well."""
        env = self.env if name == OURS else {k: v for k, v in self.env.items() if k != "PYTHONPATH"}
        try:
            done = subprocess.run(
                [*self.commands[name], str(path)], capture_output=True, timeout=self.timeout, env=env, cwd=self.work
            )
        except subprocess.TimeoutExpired:
            return "refused"
        if done.returncode in (PEERS[name].nothing if name in PEERS else {0}):
            return "quiet"
        crashed = b"Traceback (most recent call last)" in done.stderr + done.stdout
        return "found" if done.returncode == 1 and not crashed else "refused"

    def verdicts(self, name: str, paths: Iterable[Path]) -> list[str]:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return list(pool.map(lambda path: self.verdict(name, path), paths))


def spread(items: tuple[Unit, ...], count: int) -> list[Unit]:
    """This many, evenly spread; all for 0."""
    if not count or len(items) <= count:
        return list(items)
    return [items[n * len(items) // count] for n in range(count)]


def attacks(bench: Bench, sample: int, slow: int) -> None:
    names = list(bench.commands)
    total: dict[str, Counter[str]] = {name: Counter() for name in names}
    everything = sum(map(len, families().values()))
    bench.say(
        "## Attacks found",
        "",
        f"The corpus of tests/corpora/hostile.py: {everything} attacks, made by our own code, in {len(families())} "
        f"families. Run here, of each family: {sample or 'all'}; with ModelAudit {slow or sample or 'all'}. Judged by "
        "the exit code at default settings, a process for each file. `+n`: refused (an error, a crash, more than "
        f"{bench.timeout} s, or, with Shipworthy, unknown), which also stops a pipeline. "
        "The rest passes as if it were fine.",
        "",
        "The corpus was made by the people who made Shipworthy, who corrected its readers after the first run: these "
        "figures say what the peers do not look at, and are no unbiased measure of Shipworthy.",
        "",
        "| family | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
    )
    with tempfile.TemporaryDirectory(dir=bench.work) as folder:
        for number, (family, items) in enumerate(families().items()):
            cells = []
            for name in names:
                chosen = spread(items, (slow or sample) if name == SLOW else sample)
                paths = [write(item, Path(folder) / f"{number}-{items.index(item)}") for item in chosen]
                counts = Counter(bench.verdicts(name, paths))
                total[name] += counts
                cells.append(_cell(counts))
            bench.say(f"| {family} | " + " | ".join(cells) + " |")
    bench.say("| **all** | " + " | ".join(f"**{_cell(total[name])}**" for name in names) + " |")
    shares = (f"{100 * total[name]['found'] / max(1, sum(total[name].values())):.1f} %" for name in names)
    bench.say("| found | " + " | ".join(shares) + " |", "")


def _cell(counts: Counter[str]) -> str:
    refused = f"+{counts['refused']}" if counts["refused"] else ""
    return f"{counts['found']}{refused}/{sum(counts.values())}"


def honest(bench: Bench, sample: int, slow: int) -> None:
    """Files of real libraries: the committed ones, and what tests/corpora/honest.py writes here if it is there."""
    data = ROOT / "tests" / "data" / "models"
    groups = {
        "committed samples of real libraries": sorted(
            path for path in data.rglob("*") if path.is_file() and path.name not in ("versions.txt", "README.md")
        )
    }
    made = bench.work / "honest"
    generator = ROOT / "tests" / "corpora" / "honest.py"
    if generator.exists():
        if not (made / "manifest.jsonl").exists():
            subprocess.run([sys.executable, str(generator), str(made), "here"], check=True, capture_output=True)
        rows = [json.loads(line) for line in (made / "manifest.jsonl").read_text().splitlines()]
        groups["written here by tests/corpora/honest.py"] = [made / row["file"] for row in rows]
    else:
        groups["written here by the installed libraries"] = speed.small_honest(made)
    names = list(bench.commands)
    bench.say("## Honest files flagged", "", "`flagged+refused/files`; refused as above.", "",
              "| files | " + " | ".join(names) + " |", "|---|" + "---|" * len(names))  # fmt: skip
    for title, paths in groups.items():
        cells = []
        for name in names:
            count = (slow or sample) * 10 if name == SLOW else sample * 20
            step = max(1, len(paths) // count) if count else 1
            cells.append(_cell(Counter(bench.verdicts(name, paths[::step]))))
        bench.say(f"| {title} | " + " | ".join(cells) + " |")
    bench.say("")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "shipworthy-modelfile-bench")
    parser.add_argument("--only", nargs="*", choices=("attacks", "honest", "speed"))
    parser.add_argument("--sample", type=int, default=0, help="attacks of each family; 0 is all")
    parser.add_argument("--slow-sample", type=int, default=0, help="the same for ModelAudit")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one file")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.work.resolve(), options.timeout, options.output)
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    bench.install()
    bench.say(
        "# Model files beside the peers",
        "",
        f"Written by `python benchmarks/modelfile/run.py {' '.join(a for a in sys.argv[1:] if a[:1] != '/')}`.",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}",
        f"- machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores; load when it began: "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}",
        "- peers: " + ", ".join(f"{name} {PEERS[name].version}" for name in bench.commands if name in PEERS),
        *(f"- not installed: {name}: {error}" for name, error in bench.errors.items()),
        "- ModelAudit runs with PROMPTFOO_DISABLE_TELEMETRY=1, NO_ANALYTICS=1, CI=true.",
        "",
    )
    parts = options.only or ["attacks", "honest", "speed"]
    reduced = options.sample or options.slow_sample
    if reduced:
        bench.say("**A reduced run: samples of the corpora, as said below.**", "")
    if "speed" in parts:
        speed.run(bench)
    if "honest" in parts:
        honest(bench, options.sample, options.slow_sample)
    if "attacks" in parts:
        attacks(bench, options.sample, options.slow_sample)


if __name__ == "__main__":
    main()
