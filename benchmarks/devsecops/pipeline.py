"""The whole `dev` pipeline on the example project, and a scan beside ASH: how long, how much CPU and memory.

    python benchmarks/devsecops/pipeline.py dev
    python benchmarks/devsecops/pipeline.py ash [--ash CHECKOUT] [--tree FOLDER] [--again]

`ash` installs awslabs' Automated Security Helper from its sources (a checkout, or by default its git repository) in an
environment of its own, and runs it and `shipworthy scan` twice over the same tree: datasette's source distribution, as
pip downloads it; see beside_ash.py. RESULTS_pipeline.md is written; what is not run keeps its section.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from beside_ash import HEAD, SHIPWORTHY, compare, judged, own, row  # noqa: E402  scripts, and no package
from measure import measure  # noqa: E402

ASH = "git+https://github.com/awslabs/automated-security-helper@v3.5.9"
TOP = "# The DevSecOps pipeline, measured\n\nCPU and memory are of all processes. A run of one section keeps the other."


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
    lines = [HEAD]
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


SECTIONS = {"dev": "## The pipeline `dev` on the example project", "ash": "## Beside ASH"}


def kept(text: str) -> dict[str, str]:
    """The sections of an earlier file by their headings: a run of one keeps the other."""
    parts = re.split(r"(?m)^(?=## )", text)
    return {part.partition("\n")[0]: part.rstrip() for part in parts if part.startswith("## ")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("dev", "ash", "all"))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "shipworthy-devsecops")
    parser.add_argument("--ash", default=ASH, help="a checkout of ASH, or what pip takes")
    parser.add_argument("--again", action="store_true", help="take what an earlier run measured of ASH")
    parser.add_argument("--tree", default="", help="the folder to scan")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    work = options.work.resolve()
    results = HERE / "RESULTS_pipeline.md"
    sections = kept(results.read_text() if results.exists() else "")
    wanted = ("dev", "ash") if options.what == "all" else (options.what,)
    for what in wanted:
        head = [SECTIONS[what], "", *conditions(what), ""]
        lines = dev(work) if what == "dev" else compare(work, options.ash, options.tree, options.again)
        sections[SECTIONS[what]] = "\n".join([*head, *lines]).rstrip()
    text = "\n\n".join([TOP, *(sections[head] for head in SECTIONS.values() if head in sections)]) + "\n"
    results.write_text(text)
    print(text)


def conditions(what: str) -> list[str]:
    """When, at what commit and on what machine a section was measured."""
    commit = subprocess.run(
        ("git", "rev-parse", "--short", "HEAD"), cwd=HERE, capture_output=True, text=True, check=False
    )
    return [
        f"- measured by `python benchmarks/devsecops/pipeline.py {what}`",
        f"- date: {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}",
        f"- machine: {len(os.sched_getaffinity(0))} cores; load when it began: {os.getloadavg()[0]:.1f}",
    ]


if __name__ == "__main__":
    main()
