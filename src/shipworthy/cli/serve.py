"""Show the hub and this workspace's runs in a browser: on this machine only, until Ctrl-C. The pages start and change
nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.cli.output import named, quiet_option

if TYPE_CHECKING:
    from shipworthy.hub import Hub
    from shipworthy.site import Given

EXAMPLES = """examples:
  shipworthy serve                  the address is printed
  shipworthy serve --port 8000
"""
_LISTED = 200  # runs on the page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`."""
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="show the runs of DIR")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import tempfile
    import threading

    from shipworthy.engine.runner import runs_folder
    from shipworthy.errors import UsageError
    from shipworthy.server import Shown, serving
    from shipworthy.site import build

    root: Path = options.directory
    if not root.is_dir():
        raise UsageError("there is no such folder", where=str(root))
    if not 0 <= options.port <= 65535:
        raise UsageError("is no port", where=f"--port {options.port}", remedy="1 to 65535, or 0 for a free one")
    hub, given = _given(root)
    with tempfile.TemporaryDirectory(prefix="shipworthy-site-") as folder:
        if not options.quiet:
            print("building the pages…", flush=True)
        build(hub, given, Path(folder) / "site")
        shown = Shown(Path(folder) / "site", runs_folder(root), lambda: listing(hub, given, root))
        with serving(shown, options.port) as address:
            print(
                address if options.quiet else f"{address}  the hub\n{address}runs.html  the runs\nCtrl-C ends it",
                flush=True,
            )
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                return 0
    return 0


def _given(root: Path) -> tuple[Hub, Given]:
    """The hub, and what its pages say of this workspace: what its newest run found, if there is one."""
    from shipworthy import __version__
    from shipworthy.cli.hub import load_hub
    from shipworthy.cli.hub_build import checks, last_run, pipelines
    from shipworthy.cli.runs import newest_runs
    from shipworthy.site import Given

    found, last = last_run(root if next(newest_runs(root), None) else None)
    return load_hub(), Given(pipelines(), checks(), __version__, found=found, run=last, served=True)


def listing(hub: Hub, given: Given, root: Path) -> str:
    """The page that lists the runs, as they are now."""
    from itertools import islice

    from shipworthy.cli.runs import newest_runs
    from shipworthy.engine.runner import runs_folder
    from shipworthy.server import REPORTS, RUN_ID
    from shipworthy.site import page

    folder, lines = runs_folder(root), []
    for one in islice((run for run in newest_runs(root) if RUN_ID.fullmatch(run.id)), _LISTED):
        place = folder / one.id  # (an id that is a path is none of ours)
        lines.append(
            {
                "id": one.id,
                "pipeline": one.pipeline,
                "started": f"{one.started:%Y-%m-%d %H:%M:%S} UTC",
                "verdict": one.verdict,
                "passed": not one.exit_code,
                "findings": sum(len(check.findings) for stage in one.stages for check in stage.checks),
                "files": {name for name in REPORTS if (place / name).is_file()},
            }
        )
    there = sum(1 for _ in folder.glob("*/run.json")) if folder.is_dir() else 0
    shown: dict[str, Any] = {"title": "Runs", "runs": lines, "project": root.resolve().name}
    shown["newer"] = bool(lines) and lines[0]["id"] != given.run
    return page(hub, given, "runs.html", "runs.html.j2", {**shown, "left_out": max(0, there - len(lines))})
