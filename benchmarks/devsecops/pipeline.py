"""The whole `dev` pipeline on the example project, and a scan beside ASH: how long, how much CPU and memory.

    python benchmarks/devsecops/pipeline.py dev
    python benchmarks/devsecops/pipeline.py ash [--ash SOURCE] [--tree FOLDER]

`ash` installs awslabs' Automated Security Helper from its sources (a checkout, or by default its git repository) in an
environment of its own, and runs it and `shipworthy scan` twice over the same tree: datasette's source distribution, as
pip downloads it. Both write their reports; neither is told what the other finds. RESULTS_pipeline.md is written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from measure import Measured, measure  # noqa: E402  the benchmarks are scripts, and no package

ASH = "git+https://github.com/awslabs/automated-security-helper@v3.5.9"
TREE = "datasette==1.0a19"
SHIPWORTHY = (sys.executable, "-P", "-m", "shipworthy")
HEAD = "| what | CPU s | wall s | memory of the tree MB | exit code |\n|---|---|---|---|---|"


def row(name: str, m: Measured) -> str:
    return f"| {name} | {m.cpu:.1f} | {m.wall:.1f} | {m.tree_mb:.0f} | {m.code} |"


def judged(text: str, value: float, most: float) -> str:
    return f"- {text}: **{value:.3g}** (goal: at most {most:g}; {'met' if value <= most else 'MISSED'})"


def own(work: Path) -> dict[str, str]:
    """Caches and state in the work folder."""
    return {f"XDG_{name}_HOME": str(work / name.lower()) for name in ("CACHE", "STATE", "DATA")}


def dev(work: Path) -> list[str]:
    """The example project, whose model is trained first; then the pipeline with empty caches, and again."""
    folder = work / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    env = own(work)
    shutil.rmtree(work / "cache", ignore_errors=True)
    prepare = (
        *SHIPWORTHY,
        "demo",
        "--folder",
        folder,
        "--data",
        "generated",
        "--attack",
        "committed-secret",
        "--quiet",
    )
    subprocess.run(prepare, env={**os.environ, **env}, check=False, capture_output=True)
    project = folder / "project"
    lines = ["## The pipeline `dev` on the example project", "", HEAD]
    shutil.rmtree(work / "cache", ignore_errors=True)
    measured = []
    for name in ("first run, empty caches", "second run"):
        m = measure((*SHIPWORTHY, "run", "dev", "--quiet"), cwd=project, env=env, log=work / "log.txt")
        measured.append(m)
        lines.append(row(name, m))
        if m.code:
            lines += ["", f"It ended with {m.code}: {(work / 'log.txt').read_text()[-300:]}"]
    newest = max((project / ".shipworthy" / "runs").iterdir())
    stages = json.loads((newest / "run.json").read_text())["stages"]
    lines += [
        "",
        "Stages of the second run, in seconds: " + ", ".join(f"{s['stage']} {s['seconds']:.1f}" for s in stages),
    ]
    lines += [
        "",
        judged("whole run, wall time in seconds", max(m.wall for m in measured), 120),
        judged("memory of the process tree, MB", max(m.tree_mb for m in measured), 1024),
        "",
    ]
    return lines


def tree(work: Path, given: str) -> Path:
    """The tree to scan."""
    if given:
        return Path(given).resolve()
    folder = work / "tree"
    if not folder.exists():
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", str(work))
        subprocess.run((*pip, "--no-build-isolation", TREE), check=True)
        archive = next(work.glob("datasette-*.tar.gz"))
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    return next(folder.iterdir())


def ash(work: Path, source: str, given: str) -> list[str]:
    """ASH and we, twice each, over the same tree."""
    room, scanned = work / "ash-env", tree(work, given)
    if not (room / "bin" / "ash").exists():
        subprocess.run((sys.executable, "-m", "venv", str(room)), check=True)
        subprocess.run((str(room / "bin" / "python"), "-m", "pip", "install", "--quiet", source), check=True)
    env = {**own(work), "PATH": f"{room / 'bin'}:{os.environ['PATH']}", "HOME": str(work / "home"), "PYTHONPATH": ""}
    (work / "home").mkdir(exist_ok=True)
    files = sum(path.is_file() for path in scanned.rglob("*"))
    lines = ["## Beside ASH", "", f"{scanned.name}: {files:,} files. ASH from {Path(source).name}.", "", HEAD]
    theirs, ours = [], []
    for name in ("first", "second"):
        line: Sequence[str | Path] = (
            room / "bin" / "ash", "--mode", "local", "--source-dir", scanned, "--output-dir", work / f"ash-{name}",
            "--no-progress", "--no-color",
        )  # fmt: skip
        theirs.append(measure(line, cwd=work, env=env, log=work / f"ash-{name}.txt"))
        lines.append(row(f"ASH, {name} run", theirs[-1]))
    shutil.rmtree(work / "cache", ignore_errors=True)
    for name in ("first", "second"):
        report = work / f"ours-{name}.sarif"
        line = (*SHIPWORTHY, "scan", scanned, "--format", "sarif", "--output", report, "--quiet")
        ours.append(measure(line, cwd=work, env={**own(work)}, log=work / f"ours-{name}.txt"))
        lines.append(row(f"shipworthy scan, {name} run", ours[-1]))
    lines += [
        "",
        judged("our CPU to ASH's, first run", ours[0].cpu / max(theirs[0].cpu, 0.01), 0.5),
        judged("our CPU to ASH's, second run", ours[1].cpu / max(theirs[1].cpu, 0.01), 0.1),
        "",
        "What ASH's scanners said: " + said(work / "ash-first.txt"),
        "",
    ]
    return lines


def said(log: Path) -> str:
    """The rows of ASH's table of scanners, as they were printed."""
    words = (
        "bandit",
        "detect-secrets",
        "semgrep",
        "opengrep",
        "checkov",
        "cfn-nag",
        "cdk-nag",
        "npm-audit",
        "grype",
        "syft",
    )
    rows = [
        line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip(" │|").startswith(words)
    ]
    return "; ".join(" ".join(row.replace("│", " ").split()) for row in rows)[:1500] or "nothing that could be read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("dev", "ash", "all"))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "shipworthy-devsecops")
    parser.add_argument("--ash", default=ASH, help="a checkout of ASH, or what pip takes")
    parser.add_argument("--tree", default="", help="the folder to scan")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    work = options.work.resolve()
    commit = subprocess.run(
        ("git", "rev-parse", "--short", "HEAD"), cwd=HERE, capture_output=True, text=True, check=False
    )
    lines = [
        "# The DevSecOps pipeline, measured",
        "",
        f"Written by `python benchmarks/devsecops/pipeline.py {options.what}`. CPU and memory are of all processes.",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}",
        f"- machine: {len(os.sched_getaffinity(0))} cores; load when it began: {os.getloadavg()[0]:.1f}",
        "",
    ]
    if options.what in ("dev", "all"):
        lines += dev(work)
    if options.what in ("ash", "all"):
        lines += ash(work, options.ash, options.tree)
    (HERE / "RESULTS_pipeline.md").write_text("\n".join(lines).rstrip() + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
