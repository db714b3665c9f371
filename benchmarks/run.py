"""Measure Shipworthy beside its peers, one after another on this machine, and write RESULTS.md.

    python benchmarks/run.py [--work FOLDER] [--only repository models start parts]

Run it with the Python that Shipworthy is installed in. Peers are installed at fixed versions into environments of their
own. Without `--only` it takes some ten minutes, most of which is the peers'.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import samples
from measure import Measured, measure

import shipworthy

HERE = Path(__file__).resolve().parent
PEERS = {"bandit": "1.9.4", "detect-secrets": "1.5.0", "pip-audit": "2.10.1", "picklescan": "1.0.5"}
OURS = (sys.executable, "-m", "shipworthy")
HEAD = "| what | CPU s | wall s | main process MB | tree MB | exit |\n|---|---|---|---|---|---|"


class Bench:
    """One run of all the measurements: where things are, and the text so far."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        self.lines += lines
        print(*lines, sep="\n", flush=True)

    def ours(self, name: str, *arguments: str | Path, cache: str = "") -> Measured:
        """Shipworthy, with a cache of its own: nothing is in it unless an earlier run of this name put it there."""
        with tempfile.TemporaryDirectory(dir=self.work) as fresh:
            env = {"XDG_CACHE_HOME": str(self.work / cache if cache else fresh), "PYTHONDONTWRITEBYTECODE": ""}
            m = self._row(name, [*OURS, *arguments], env)
        if self._crashed(m):
            sys.exit(f"{name}: it crashed, see {self.work / 'log.txt'}")
        return m

    def peer(self, tool: str, *arguments: str | Path) -> Measured | None:
        """None when it failed: the time that a tool takes to fail is compared with nothing."""
        room = self.work / "peers" / tool
        if not (room / "bin" / tool).exists():
            venv.create(room, with_pip=True, clear=True)
            pip = (room / "bin" / "python", "-m", "pip", "install", "--quiet")
            subprocess.run([*pip, f"{tool}=={PEERS[tool]}"], check=True)
        name, env = f"{tool} {PEERS[tool]} `{_short(arguments)}`", {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
        m = self._row(name, [room / "bin" / tool, *arguments], env)
        return None if self._crashed(m) else m

    def log(self) -> str:
        """What the last command printed."""
        return (self.work / "log.txt").read_text(errors="replace")

    def _crashed(self, m: Measured) -> bool:
        return "Traceback (most recent call last)" in self.log() or m.code not in (0, 1, 3)

    def _row(self, name: str, command: Sequence[str | Path], env: dict[str, str]) -> Measured:
        m = measure(command, env=env, cwd=self.work, log=self.work / "log.txt")
        code = f"{m.code}, failed" if self._crashed(m) else m.code
        self.say(f"| {name} | {m.cpu:.2f} | {m.wall:.2f} | {m.main_mb:.0f} | {m.tree_mb:.0f} | {code} |")
        return m

    def beside(self, text: str, value: float, others: Sequence[float], most: float) -> None:
        """A target that is a ratio to the sum of what peers took; without a peer that worked it is not known."""
        if others:
            self.target(text, value / sum(others), most)
        else:
            self.say(f"- {text}: **unknown**, no peer worked (target: at most {most:g})")

    def target(self, text: str, value: float, most: float) -> None:
        self.say(f"- {text}: **{value:.3g}** (target: at most {most:g}; {'met' if value <= most else 'MISSED'})")


def repository(bench: Bench) -> None:
    """A real repository, first and second run, beside three tools that each do a part of it."""
    tree = samples.repository(bench.work)
    files = [path for path in tree.rglob("*") if path.is_file()]
    bench.say(
        "## A real repository",
        "",
        f"Django {samples.DJANGO}, source distribution, unpacked: {len(files):,} files, "
        f"{sum(path.stat().st_size for path in files) / 1e6:.0f} MB. All embedded checks.",
        "",
        HEAD,
    )
    subprocess.run(["rm", "-rf", bench.work / "cache"], check=True)
    first = bench.ours("shipworthy scan, empty caches", "scan", tree, cache="cache")
    second = bench.ours("shipworthy scan, second run", "scan", tree, cache="cache")
    peers = [
        ("bandit", bench.peer("bandit", "-q", "-r", tree)),
        ("detect-secrets", bench.peer("detect-secrets", "scan", "--all-files", tree)),
    ]
    audit = bench.peer("pip-audit", "--progress-spinner", "off", "-r", tree / "docs" / "requirements.txt")
    left_out = bench.log().count("could not be audited")
    peers += [] if left_out else [("pip-audit", audit)]
    worked = [(name, m) for name, m in peers if m is not None]
    names = " + ".join(name for name, _ in worked)
    bench.say("", f"Compared with {names or 'nothing'}. A peer that failed is not counted.")
    if left_out:
        bench.say(
            f"pip-audit is not counted either: its service knew nothing of {left_out} packages from here, so that its "
            "row is the cost of resolving versions, not of an audit."
        )
    bench.say("")
    bench.target("second run's CPU to the first's", second.cpu / first.cpu, 0.1)
    bench.beside("first run's CPU to the sum of the peers'", first.cpu, [m.cpu for _, m in worked], 1)
    bench.beside("first run's wall time to the sum of the peers'", first.wall, [m.wall for _, m in worked], 1)
    bench.target("main process, MB", max(first.main_mb, second.main_mb), 300)
    bench.say("")


def models(bench: Bench) -> None:
    """Model files: very many opcodes, very many files, very many bytes."""
    many, bomb = samples.pickles(bench.work / "pickles"), samples.opcodes(bench.work / "opcodes.pkl")
    big = samples.tensors(bench.work / "big.safetensors")
    bench.say(
        "## Model files", "", f"The opcode file: 20 million opcodes, {bomb.stat().st_size / 1e6:.0f} MB.", "", HEAD
    )
    ours = bench.ours("shipworthy, 20 million opcodes", "scan", bomb)
    theirs = bench.peer("picklescan", "-p", bomb)
    small = bench.ours("shipworthy, 2,000 small pickles", "scan", many)
    smalls = bench.peer("picklescan", "-p", many)
    bench.ours("shipworthy, 1 GiB safetensors (its digest too)", "scan", big)
    bench.say("")
    bench.beside("CPU on 20 million opcodes to picklescan's", ours.cpu, [theirs.cpu] if theirs else [], 0.1)
    bench.target("memory of the tree on 20 million opcodes, MB", ours.tree_mb, 300)
    bench.beside("CPU on 2,000 small pickles to picklescan's", small.cpu, [smalls.cpu] if smalls else [], 1.5)
    bench.say("")


def start(bench: Bench) -> None:
    """How long until the command line answers, and a data set of 5,000 documents."""
    docs = samples.documents(bench.work / "documents.csv")
    bench.say("## Start, and a data set", "", HEAD)
    runs = [bench.ours("shipworthy --help", "--help") for _ in range(5)]
    bench.ours("shipworthy scan, dataset-backdoor on 5,000 documents", "scan", docs, "--check", "dataset-backdoor")
    bench.ours("shipworthy scan, all checks on 5,000 documents", "scan", docs)
    code = "import sys, shipworthy.cli; print(len(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    bench.say("", f"`import shipworthy.cli` leaves {modules} modules loaded.")
    bench.target("--help, best of 5, wall seconds", min(run.wall for run in runs), 0.3)
    bench.say("")


def parts(bench: Bench) -> None:
    """Costs of single parts."""
    done = subprocess.run([sys.executable, HERE / "parts.py"], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    box, cache = seen["sandbox"], seen["cache"]
    bench.say(
        "## Parts",
        "",
        f"- sandbox, {box['level']}: {box['open']:.2f} s to be tried out, once; an empty Python takes "
        f"{box['run']:.3f} s in it and {box['bare']:.3f} s without",
        f"- cache: 10,000 results are written one by one in {cache['write']:.2f} s and read in {cache['read']:.3f} s",
        "",
    )


def _short(arguments: Sequence[str | Path]) -> str:
    return " ".join(part.name if isinstance(part, Path) else part for part in arguments)


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, Linux {platform.release()}"


def _header() -> list[str]:
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
    return [
        "# Benchmarks",
        "",
        "Written by `python benchmarks/run.py`. CPU is that of the whole process tree, orphans included; the",
        "tree's memory is the largest sum of proportional set sizes that was sampled. Peers ran in the same session,",
        "one after another.",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d}, commit {git.stdout.strip() or 'unknown'}",
        f"- machine: {_machine()}; load when it began: {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()}; peers: {', '.join(f'{k} {v}' for k, v in PEERS.items())}",
        "",
    ]


def main() -> None:
    sections: dict[str, Callable[[Bench], None]] = {
        "repository": repository, "models": models, "start": start, "parts": parts,
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "shipworthy-benchmarks")
    parser.add_argument("--only", nargs="+", choices=sections, default=list(sections))
    options = parser.parse_args()
    subprocess.run([*OURS, "--version"], check=True)
    compileall.compile_dir(Path(shipworthy.__file__).parent, quiet=2)  # as an installation does, for the peers too
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.work.resolve())
    bench.say(*_header())
    for name in options.only:
        sections[name](bench)
    if options.only == list(sections):
        (HERE / "RESULTS.md").write_text("\n".join(bench.lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
