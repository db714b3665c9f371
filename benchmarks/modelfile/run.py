"""Measure the scanner of model files beside its peers, on this machine in one run, and write RESULTS.md.

    python benchmarks/modelfile/run.py [--full] [--sample N] [--only attacks published honest speed] [--work FOLDER]

Needs Python 3.11 or later on Linux, pip and a package index; Shipworthy from this tree and each peer are installed into
environments of their own below the work folder (peers.toml says which). Nothing hostile is ever loaded. Answers are
kept by version and digest: a run that was stopped goes on where it was. Without options: some 30 minutes of two quiet
cores and 8 GB of disk; ModelAudit sees a sample of the honest files, with `--full` all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(ROOT / "src"), str(ROOT / "tests"), str(HERE)]

import figures  # noqa: E402
import published as others  # noqa: E402
import speed  # noqa: E402
from environments import OURS, Environments, Tool, surroundings  # noqa: E402
from judge import Case, Judge, NotStartedError, case  # noqa: E402

from corpora.hostile import families, outcome, write  # noqa: E402
from shipworthy.modelfile import scan  # noqa: E402

SLOW = "modelaudit"
SLOW_HONEST = 150
SEED = 3
COMMANDS = 4
NO_MODELS = ("versions.txt", "README.md", "code_attacks.txt")
PROGRAMS = (".elf", ".mach-o", ".pe", ".wasm")  # samples too, and rightly findings


class Bench:
    """What is measured with what, and the text so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.work: Path = options.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.environments = Environments(self.work / "environments")
        self.tools = self.environments.tools()
        if OURS not in self.tools:
            sys.exit(f"Shipworthy can't be installed: {self.environments.errors[OURS]}")
        self.judge = Judge(self.work, options.timeout, os.cpu_count() or 1)
        self.lines: list[str] = []
        self.figures = figures.Figures()

    def say(self, *lines: str) -> None:
        self.lines += lines
        print(*lines, sep="\n", flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.say("| " + " | ".join(head) + " |", "|" + "---|" * len(head))
        self.say(*("| " + " | ".join(row) + " |" for row in rows), "")

    def verdicts(self, cases: Sequence[Case], slow: Sequence[Case]) -> dict[str, dict[str, Counter[str]]]:
        """Scanner -> group -> how often each verdict. A peer that can't be started is left out, and named."""
        wanted = {tool: slow if name == SLOW else cases for name, tool in self.tools.items() if name != OURS}
        while True:
            try:
                answers = self.judge.ask(wanted)
                break
            except NotStartedError as error:
                self.environments.errors[error.args[0]] = error.args[1]
                del wanted[self.tools.pop(error.args[0])]
        said = {name: {path: answer.verdict for path, answer in found.items()} for name, found in answers.items()}
        said = {OURS: {item.path: _ours(item.path) for item in cases}, **said}
        group = {item.path: item.group for item in cases}
        counts: dict[str, dict[str, Counter[str]]] = {}
        for name, found in said.items():
            counts[name] = {}
            for path, verdict in found.items():
                counts[name].setdefault(group[path], Counter())[verdict] += 1
        for name, found in said.items():
            if name != OURS:
                self._check(self.tools[name], [item for item in cases if item.path in found], found)
        return counts

    def by_command(self, cases: Sequence[Case]) -> tuple[dict[str, Counter[str]], int]:
        """Group -> verdicts of Shipworthy's own command, for some files of each; and how many are the library's."""
        groups: dict[str, list[Case]] = {}
        for item in cases:
            groups.setdefault(item.group, []).append(item)
        chosen = [item for items in groups.values() for item in _chosen(items, 0 if self.options.full else COMMANDS)]
        print(f"{OURS}: {len(chosen)} files by the command", file=sys.stderr, flush=True)
        counts: dict[str, Counter[str]] = {}
        alike = 0
        for item, verdict in zip(chosen, self.judge.alone(self.tools[OURS], chosen), strict=True):
            counts.setdefault(item.group, Counter())[verdict] += 1
            alike += verdict == _ours(item.path)
        return counts, alike

    def _check(self, tool: Tool, cases: list[Case], said: dict[Path, str]) -> None:
        """Some files by the real command too, in a process of its own: it must say the same."""
        chosen = random.Random(SEED).sample(cases, min(self.options.checked, len(cases)))
        print(f"{tool.name}: {len(chosen)} files by the command", file=sys.stderr, flush=True)
        for item, alone in zip(chosen, self.judge.alone(tool, chosen), strict=True):
            self.figures.checked += 1
            if alone != said[item.path]:
                text = f"{tool.name}, {item.group}, {item.path.name}: {said[item.path]}, the command {alone}"
                self.figures.differed.append(text)


def _ours(path: Path) -> str:
    """What the default gate makes of the library's report: high findings stop it, and so does what was not read."""
    report = scan(path)
    if report.worst in ("high", "critical"):
        return "found"
    return "refused" if report.unknowns else "quiet"


def _stops(said: Counter[str]) -> float:
    return (said["found"] + said["refused"]) / max(1, sum(said.values()))


def attacks(bench: Bench) -> None:
    """The hostile corpus: the library's rules, and everybody's exit codes."""
    folder = bench.work / "attacks"
    shutil.rmtree(folder, ignore_errors=True)
    cases, right = [], Counter[str]()
    for number, (family, items) in enumerate(families().items()):
        for index, item in enumerate(_chosen(items, bench.options.sample)):
            path = write(item, folder / f"{number}-{index}")
            cases.append(case(path, family, (beside for beside in path.parent.iterdir() if beside != path)))
            if outcome(item, scan(path)) == "right":
                right[family] += 1
    counts = bench.verdicts(cases, cases)
    by_command, alike = bench.by_command(cases)
    counts = {OURS: counts.pop(OURS), "its command": by_command, **counts}
    sizes = Counter(item.group for item in cases)
    everything = sum(map(len, families().values()))
    bench.say(
        "## Attacks found",
        "",
        f"The corpus of tests/corpora/hostile.py: {everything} attacks of our own making in {len(sizes)} families, "
        f"run here: {len(cases)}. Judged by the exit code at default settings. `shipworthy` is the library: a high "
        "finding, and `unknown` as refused, as the default gate has it; `its command` the exit code of "
        f"`shipworthy scan FILE` for {'all' if bench.options.full else f'up to {COMMANDS} of each family'}. `+n`: "
        f"refused (an error, a crash, over {bench.options.timeout} s or 6 GB, or, with Shipworthy, unknown), which "
        "also stops a pipeline. The rest passes the gate: as if it were fine, or, as Shipworthy judges files that are "
        "cut and ones that need code from elsewhere, with a medium finding. `right rule`: the library's finding, of "
        "any severity, is of a rule that fits the attack.",
        "",
        "The corpus was made by the people who made Shipworthy, who corrected its readers with it: these figures say "
        "what the peers do not look at, and are no unbiased measure of Shipworthy.",
        "",
    )
    rows = [
        [family, f"{right[family]}/{size}", *(_cell(counts[name].get(family, Counter())) for name in counts)]
        for family, size in sizes.items()
    ]
    total = {name: sum(groups.values(), Counter()) for name, groups in counts.items()}
    rows.append(["**all**", f"{sum(right.values())}/{len(cases)}", *(_cell(total[name]) for name in counts)])
    share = f"{100 * sum(right.values()) / len(cases):.1f} %"
    rows.append(["found", share, *(f"{100 * _share(total[name]):.1f} %" for name in counts)])
    bench.table(["family", "right rule", *counts], rows)
    bench.figures.right = sum(right.values()) / len(cases)
    bench.figures.attacks = len(cases)
    ours = total.pop("its command")
    bench.figures.command = (alike, sum(ours.values()))
    bench.figures.stopped = _stops(total[OURS])
    bench.figures.found = {name: _share(counted) for name, counted in total.items()}


def published(bench: Bench) -> None:
    """What others publish: nobody here made it."""
    found = list(others.cases(bench.work, bench.options.published))
    if not found:
        return
    bench.say(
        "## Attacks that others publish",
        "",
        "Files that come with the tests of the scanners themselves (published.toml: which, at which commits, and what "
        "is left out because no loader runs it), advisories about ways around picklescan among them. Judged as above. "
        "First read on 2026-11-23: of 147 attacks all but one by a high finding, a 7z archive only by a medium one; "
        "its content counts as not looked at since.",
        "",
    )
    for kind, title in (("attacks", "attacks found"), ("honest", "honest files flagged")):
        chosen = [item for of, item in found if of == kind]
        counts = bench.verdicts(chosen, chosen)
        rows = [
            [group, *(_cell(counts[name].get(group, Counter())) for name in counts)]
            for group in sorted({item.group for item in chosen})
        ]
        total = {name: sum(groups.values(), Counter()) for name, groups in counts.items()}
        rows.append(["**all**", *(_cell(total[name]) for name in counts)])
        bench.table([title, *counts], rows)
        if kind == "attacks":
            bench.figures.published = {name: (said["found"], sum(said.values())) for name, said in total.items()}


def honest(bench: Bench) -> None:
    """Files of real libraries: the committed ones, and what the environment `honest` writes."""
    cases = []
    data = ROOT / "tests" / "data" / "models"
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.name not in NO_MODELS and path.suffix not in PROGRAMS:
            cases.append(case(path, "committed samples", (item for item in path.parent.iterdir() if item.is_file())))
    made, python = bench.work / "honest", bench.environments.honest()
    mark = made / "failed.txt"  # written last
    if python and not mark.exists():
        print("writing honest files", file=sys.stderr, flush=True)
        command = [str(python), "-W", "ignore", str(ROOT / "tests" / "corpora" / "honest.py"), str(made), "bench"]
        subprocess.run(command, check=True, capture_output=True, env=surroundings(bench.work))
    if mark.exists():
        for line in (made / "manifest.jsonl").read_text().splitlines():
            row = json.loads(line)
            cases.append(case(made / row["file"], f"written here: {_library(row['family'])}"))
    if bench.options.sample:
        cases = random.Random(SEED).sample(cases, min(len(cases), 40 * bench.options.sample))
    few = len(cases) if bench.options.full else min(SLOW_HONEST, len(cases))
    counts = bench.verdicts(cases, random.Random(SEED).sample(cases, few))
    bench.say(
        "## Honest files flagged",
        "",
        "`flagged+refused/files`, judged as above. Written here: by tests/corpora/honest.py with the libraries of the "
        "environment `honest`, whose names are in the table of allowed names: no held-out files. "
        f"ModelAudit: a sample of {few}.",
        "",
    )
    by_command, _ = bench.by_command(cases)
    counts = {OURS: counts.pop(OURS), "its command": by_command, **counts}
    groups = sorted({item.group for item in cases})
    rows = [[group, *(_cell(counts[name].get(group, Counter())) for name in counts)] for group in groups]
    total = {name: sum(found.values(), Counter()) for name, found in counts.items()}
    rows.append(["**all**", *(_cell(total[name]) for name in counts)])
    bench.table(["files", *counts], rows)
    bench.figures.flagged = {
        name: (counted["found"], sum(counted.values())) for name, counted in total.items() if name != "its command"
    }


def _library(family: str) -> str:
    return family.split(".")[0].split("-")[0]


def _chosen(items: Sequence, count: int) -> Sequence:  # type: ignore[type-arg]
    """This many by a fixed seed; all for 0."""
    return random.Random(SEED).sample(list(items), count) if 0 < count < len(items) else items


def _cell(counts: Counter[str]) -> str:
    if not counts:
        return "-"
    refused = f"+{counts['refused']}" if counts["refused"] else ""
    return f"{counts['found']}{refused}/{sum(counts.values())}"


def _share(counts: Counter[str]) -> float:
    return counts["found"] / max(1, sum(counts.values()))


def timings(bench: Bench) -> None:
    """The files of samples.py, one scan at a time; then what remains of the goals is said by figures."""
    folder = speed.samples(bench.environments.honest(), bench.work)
    form = bench.environments.compiled()
    clock = speed.Clock(bench.work, bench.tools, bench.options.limit, bench.options.keep_times, form)
    one = bench.work / "one.pkl"
    one.write_bytes(b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01w\x94]\x94(K\x01K\x02es.")
    files = {"1.2 GB torch zip": "big.pt", "1.2 GB safetensors": "big.safetensors",
             "62 MB pickle, 20 million opcodes": "opcodes.pkl", "2,000 small models": "small"}  # fmt: skip
    rows = []
    for title, path in {"one small file": one, **{t: folder / n for t, n in files.items()}}.items():
        if not path.exists():
            continue
        inside = clock.library(path)
        bench.figures.library[title] = inside
        compiled = clock.compiled(path)
        if compiled:
            bench.figures.compiled[title] = compiled
        times = {name: clock.command(name, path, 1 if path.name == "opcodes.pkl" else 3) for name in bench.tools}
        bench.figures.commands[title] = times
        cells = (speed.shown(times[name], bench.options.limit) for name in bench.tools)
        forms = (f"{done.cpu:.3f} s, {done.private_mb:.0f} MB" if done else "-" for done in (inside, compiled))
        rows.append([title, *forms, *cells])
    bench.say(
        "## Speed",
        "",
        "CPU seconds of the process tree with its start, and the largest sum of proportional set sizes; the lowest of "
        f"three runs, of one for the opcodes, stopped after {bench.options.limit} s; in brackets the exit code "
        "where it is not 0 (2, and ModelScan's 3: it did not look). `library`: `shipworthy.modelfile.scan` alone in "
        "a process that has started and imported it, with the peak of anonymous memory of that process, in pure "
        "Python; `compiled`: the same with its reader compiled (SHIPWORTHY_COMPILE=1). Commands: pure Python.",
        "",
    )
    bench.table(["file", "library", "compiled", *bench.tools], rows)
    rows = []
    start, hash_start = clock.command(OURS, one), clock.hashing(one)
    for name in ("big.safetensors", "big.pt", "big.npy", "big.joblib", "big.gguf"):
        path = folder / name
        if path.exists():
            alone = max(clock.hashing(path).cpu - hash_start.cpu, 1e-3)
            command = clock.command(OURS, path)
            beyond = (command.cpu - start.cpu) / alone
            bench.figures.passes[name] = (both := clock.both(path), beyond)
            size = f"{path.stat().st_size / 1e9:.1f} GB"
            rows.append([name, size, f"{alone:.2f} s", f"{both:.3f} x", f"{beyond:.3f} x", f"{command.cpu:.2f} s"])
    bench.say(
        "One pass: sha256 and scan, as multiples of sha256 alone by hashlib. `library`: both in one process, the "
        "lowest of seven. `command`: `shipworthy scan`, which takes every file's digest, less its CPU "
        "for one small file.",
        "",
    )
    bench.table(["file", "size", "sha256 alone", "library", "command", "command with its start"], rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "shipworthy-modelfile-bench")
    parser.add_argument("--only", nargs="*", choices=("attacks", "published", "honest", "speed"), default=[])
    parser.add_argument(
        "--sample", type=int, default=0, help="attacks of each family, and 40 times as many honest files"
    )
    parser.add_argument("--full", action="store_true", help="ModelAudit sees all honest files, and nothing has a limit")
    parser.add_argument("--keep-times", action="store_true", help="take timings that a run before this one measured")
    parser.add_argument("--timeout", type=int, default=60, help="seconds for one file of the corpora")
    parser.add_argument("--limit", type=int, default=100, help="seconds for one timed scan")
    parser.add_argument(
        "--checked", type=int, default=8, help="files that each command scans again, of ours three times"
    )
    parser.add_argument(
        "--published",
        type=Path,
        help="a folder of clones of the repositories in published.toml, instead of their addresses",
    )
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    if options.full:
        options.limit = options.timeout = 3600
    began, load = time.monotonic(), os.getloadavg()[0]
    bench = Bench(options)
    parts = {"speed": timings, "attacks": attacks, "published": published, "honest": honest}
    for name, part in parts.items():
        if name in (options.only or parts):
            part(bench)
    head = _head(bench, load, time.monotonic() - began)
    numbers = figures.table(bench.figures, HERE / "measured.toml")
    print(*numbers, sep="\n")
    options.output.write_text("\n".join([*head, *numbers, *bench.lines]).rstrip() + "\n", encoding="utf-8")
    print(f"written: {options.output}", file=sys.stderr)


def _head(bench: Bench, load: float, seconds: float) -> list[str]:
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    dirty = subprocess.run(["git", "-C", str(ROOT), "status", "--porcelain", "src"], capture_output=True, text=True)
    asked = [f"--{name}" for name in ("full", "keep-times") if getattr(bench.options, name.replace("-", "_"))]
    asked += [f"--sample {bench.options.sample}"] if bench.options.sample else []
    asked += [f"--only {' '.join(bench.options.only)}"] if bench.options.only else []
    seen = bench.figures
    return [
        "# Model files beside the peers",
        "",
        f"Written by `{' '.join(['python benchmarks/modelfile/run.py', *asked])}`.",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}{', changed' if dirty.stdout else ''}; "
        f"{seconds / 60:.0f} minutes, less what an earlier run had answered",
        f"- machine: {platform.machine()}, {os.cpu_count()} cores; load when it began: {load:.1f}; Python "
        f"{platform.python_version()}",
        "- peers: " + ", ".join(f"{name} {tool.version}" for name, tool in bench.tools.items() if name != OURS),
        *(f"- not installed: {name}: {error}" for name, error in bench.environments.errors.items()),
        *(f"- {name} {note}" for name, note in bench.environments.notes.items()),
        "- telemetry off: PROMPTFOO_DISABLE_TELEMETRY=1, NO_ANALYTICS=1, DO_NOT_TRACK=1, CI=true",
        "- corpora: each peer's command is imported once and forked for every file (driver.py), Shipworthy's library "
        + f"is called. {seen.checked} files were scanned again by the command in a process of its own; "
        + (f"other verdict: {'; '.join(seen.differed)}" if seen.differed else "none had another verdict"),
        *(["- **a reduced run**: samples of the corpora"] if bench.options.sample else []),
        "",
    ]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on with what was answered")
