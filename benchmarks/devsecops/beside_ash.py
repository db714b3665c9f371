"""ASH and `shipworthy scan` over the same tree, for pipeline.py: what each costs, and what each says of what it did.

ASH is installed from its sources in an environment of its own, its tools by itself on a first run over a tiny folder;
bandit, checkov and semgrep are installed for us by `shipworthy tools install`. Neither is counted. ASH has no option to
keep results: its second run is the first one again, into another folder. A scanner of ASH that ended in an error (its
semgrep asks semgrep.dev for rules) has no like in the runs that are compared: ours is taken away for these, and the
runs with it are told beside them. `--again` takes what an earlier run measured of ASH, and measures only us.

The last part shows what is lost when a tool fails: bandit 1.9.4 cannot write SARIF about a call of many lines at the
end of a file, and prints nothing; a tree of the same files and one such file is given to both.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure import Measured, measure

TREE = "datasette==1.0a19"
TOOLS = ("bandit", "checkov", "semgrep")
HEAD = "| what | CPU s | wall s | memory of the tree MB | exit code |\n|---|---|---|---|---|"
SHIPWORTHY = (sys.executable, "-P", "-m", "shipworthy")
# Ordinary code: a command of many lines whose last argument is what bandit objects to.
DEPLOY = '''"""Bring the build to its place."""

import subprocess

subprocess.run(
    "rsync --archive --delete "
    "--exclude .git "
    "--exclude node_modules "
    "--exclude __pycache__ "
    "build/ "
    "production:/srv/service/",
    cwd="/srv/build",
    check=True,
    timeout=600,
    shell=True,
)
'''
# What of ours looks at what each of its scanners does.
ALIKE = {
    "bandit": ("bandit", "python-security", "python-ml"),
    "checkov": ("checkov", "dockerfile", "terraform", "kubernetes", "cloudformation", "compose", "github-actions"),
    "detect-secrets": ("secrets-files",),
    "npm-audit": ("dependency-vulnerabilities", "npm-lock"),
    "semgrep": ("semgrep", "javascript-security"),
}


def row(name: str, m: Measured) -> str:
    return f"| {name} | {m.cpu:.1f} | {m.wall:.1f} | {m.tree_mb:.0f} | {m.code} |"


def judged(text: str, value: float, most: float) -> str:
    return f"- {text}: **{value:.3g}** (goal: at most {most:g}; {'met' if value <= most else 'MISSED'})"


def own(work: Path) -> dict[str, str]:
    """Caches and state in the work folder."""
    return {f"XDG_{name}_HOME": str(work / name.lower()) for name in ("CACHE", "STATE", "DATA")}


def tree(work: Path, given: str) -> Path:
    """The tree to scan: as given, or the source distribution that pip downloads."""
    if given:
        return Path(given).resolve()
    folder = work / "tree"
    if not folder.exists():
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "datasette")
        subprocess.run((*pip, "-d", str(work), TREE), check=True)
        with tarfile.open(next(work.glob("datasette-*.tar.gz"))) as opened:
            opened.extractall(folder, filter="data")
    return next(folder.iterdir())


class Ash:
    """ASH in an environment of its own."""

    def __init__(self, work: Path, source: str, again: bool) -> None:
        self.work, self.again, room = work, again, work / "ash-env"
        self.program = room / "bin" / "ash"
        if not self.program.exists():
            subprocess.run((sys.executable, "-m", "venv", str(room)), check=True)
            subprocess.run((str(room / "bin" / "python"), "-m", "pip", "install", "--quiet", source), check=True)
        home = work / "home"
        home.mkdir(exist_ok=True)
        self.env = {**own(work), "PATH": f"{room / 'bin'}:{os.environ['PATH']}", "HOME": str(home), "PYTHONPATH": ""}

    def scan(self, folder: Path, name: str, *more: str) -> tuple[Measured, Mapping[str, Mapping[str, Any]]]:
        """Its cost, and what it says of its scanners."""
        output, kept = self.work / f"ash-{name}", self.work / f"ash-{name}.json"
        if self.again and kept.exists():
            return Measured(**json.loads(kept.read_text())), _scanners(output)
        shutil.rmtree(output, ignore_errors=True)
        line = (self.program, "--mode", "local", "--source-dir", folder, "--output-dir", output, "--no-progress")
        m = measure((*line, "--no-color", *more), cwd=self.work, env=self.env, log=self.work / f"ash-{name}.txt")
        found = _scanners(output)
        kept.write_text(json.dumps(asdict(m)))
        return m, found

    def version(self) -> str:
        done = subprocess.run((self.program, "--version"), env={**os.environ, **self.env}, capture_output=True,
                              text=True, check=False)  # fmt: skip
        return " ".join(done.stdout.split())[:80]


def _scanners(output: Path) -> Mapping[str, Mapping[str, Any]]:
    report = output / "ash_aggregated_results.json"
    if not report.exists():
        raise SystemExit(f"ASH made no report: see {output}.txt")
    scanners: Mapping[str, Mapping[str, Any]] = json.loads(report.read_text())["scanner_results"]
    return scanners


def ours(work: Path, folder: Path, name: str) -> tuple[Measured, Mapping[str, Mapping[str, Any]]]:
    """Our cost, and what we say of our checks."""
    report = work / f"ours-{name}.json"
    report.unlink(missing_ok=True)
    line = (*SHIPWORTHY, "scan", folder, "--format", "json", "--output", report, "--quiet")
    m = measure(line, cwd=work, env=own(work), log=work / f"ours-{name}.txt")
    if not report.exists():
        raise SystemExit(f"we made no report: {(work / f'ours-{name}.txt').read_text()[-500:]}")
    value = json.loads(report.read_text())
    checks = {row["check"]: dict(row) for stage in value["stages"] for row in stage["checks"]}
    for one in checks.values():
        one["findings"] = [f for f in value["findings"] if one["check"] == f["check"] or one["check"] in f["witnesses"]]
    return m, checks


def theirs_said(one: Mapping[str, Any]) -> str:
    return f"{one['status']}, {one['finding_count']:,} findings"


def ours_said(checks: Mapping[str, Mapping[str, Any]], names: Iterable[str]) -> str:
    """What each of these checks says: how it ended, how many files it read, what it found."""
    parts = []
    for name in names:
        if (one := checks.get(name)) is None:
            continue
        if one["outcome"] == "not-applicable":
            continue
        unread = f", {len(one['skipped'])} not read" if one["skipped"] else ""
        parts.append(f"`{name}` {one['outcome']}, {len(one['findings']):,} findings{unread}")
    return "; ".join(parts) or "nothing here for it"


def tools(work: Path, what: str, name: str) -> None:
    """Install or remove a tool of ours."""
    command = (*SHIPWORTHY, "tools", what, name)
    subprocess.run(command, check=True, env={**os.environ, **own(work)}, capture_output=True)


def warm(work: Path, ash: Ash) -> None:
    """Install everything, so that only scans are measured."""
    for name in TOOLS:
        tools(work, "install", name)
    little = work / "little"
    little.mkdir(exist_ok=True)
    (little / "a.py").write_text("import os\n")
    (little / "Dockerfile").write_text("FROM debian:12\n")
    ash.scan(little, "little")


def twice(work: Path, scanned: Path, more: str, lines: list[str]) -> tuple[list[Measured], Mapping[str, Any]]:
    """Our two runs, the first with empty caches; a row for each."""
    shutil.rmtree(work / "cache" / "shipworthy", ignore_errors=True)
    measured, checks = [], {}
    for name in ("first", "second"):
        m, checks = ours(work, scanned, name)
        measured.append(m)
        lines.append(row(f"shipworthy scan{more}, {name} run", m))
    return measured, checks


def compare(work: Path, source: str, given: str, again: bool) -> list[str]:
    """The section of the results."""
    scanned, ash = tree(work, given), Ash(work, source, again)
    warm(work, ash)
    files = sum(path.is_file() for path in scanned.rglob("*"))
    what = f"{scanned.name}: {files:,} files. {ash.version()}."
    lines = [f"{what} Tools are installed before; only scans are measured.", "", HEAD]
    theirs, said = [], {}
    for name in ("first", "second"):
        m, said = ash.scan(scanned, name)
        theirs.append(m)
        lines.append(row(f"ASH, {name} run", m))
    dead = [name for name in TOOLS if said[name]["status"] not in ("PASSED", "FAILED")]
    mine, checks = twice(work, scanned, ", all its tools" if dead else "", lines)
    everything = mine
    if dead:
        for name in dead:
            tools(work, "remove", name)
        mine, _ = twice(work, scanned, f" without {', '.join(dead)}", lines)
        for name in dead:
            tools(work, "install", name)
        lines += [
            "",
            f"Compared without {', '.join(dead)}, which in ASH ended in an error after some CPU of its own.",
        ]
    lines += [
        "",
        judged("our CPU to ASH's, first run", mine[0].cpu / theirs[0].cpu, 0.5),
        judged("our CPU to ASH's, second run", mine[1].cpu / theirs[1].cpu, 0.1),
        *(
            judged(f"the same with all our tools, {name} run", everything[at].cpu / theirs[at].cpu, most)
            for at, (name, most) in enumerate((("first", 0.5), ("second", 0.1)))
            if dead
        ),
        *(["", "ASH's rows are those of an earlier run on this machine, at another load."] if again else []),
        "",
        "What ran, and what was said of it:",
        "",
        "| ASH's scanner | ASH says | ours alike say |",
        "|---|---|---|",
    ]
    for name, one in sorted(said.items()):
        alike = ours_said(checks, ALIKE[name]) if name in ALIKE else ""
        lines.append(f"| {name} | {theirs_said(one)} | {alike} |")
    rest = sorted(set(checks) - {name for names in ALIKE.values() for name in names})
    ran = [name for name in rest if checks[name]["outcome"] in ("ran", "partial") and checks[name]["findings"]]
    lines += ["", f"Others of ours that found something: {ours_said(checks, ran)}.", ""]
    return lines + lost(work, ash, scanned, said["bandit"])


def lost(work: Path, ash: Ash, scanned: Path, before: Mapping[str, Any]) -> list[str]:
    """The same files and one more, on which bandit's SARIF fails."""
    more = work / "one-more" / scanned.name
    shutil.rmtree(more.parent, ignore_errors=True)
    shutil.copytree(scanned, more)
    (more / "deploy.py").write_text(DEPLOY)
    _, said = ash.scan(more, "one-more", "--scanners", "bandit")
    _, checks = ours(work, more, "one-more")
    place = work / "data" / "uv" / "tools" / "bandit" / "bin" / "bandit"
    alone = _alone((place, "--quiet", "--recursive", "--format", "json", more))
    return [
        "What is lost when a tool fails: the same files, and one more of 16 lines on which bandit cannot write SARIF.",
        "",
        "| bandit | the tree | with one more file |",
        "|---|---|---|",
        f"| as ASH shows it | {theirs_said(before)} | {theirs_said(said['bandit'])} |",
        f"| as we show it | | {ours_said(checks, ('bandit',))} |",
        f"| run by hand, JSON | | {alone} |",
        "",
        "We leave out what is rarely a weakness (asserts, random numbers, imports: 27 of its rules), join what our own",
        "checks say of the same place, and count the finding under both.",
        "",
    ]


def _alone(command: Sequence[str | Path]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    try:
        return f"{len(json.loads(done.stdout)['results']):,} findings"
    except (ValueError, KeyError):
        return f"no report (exit {done.returncode})"
