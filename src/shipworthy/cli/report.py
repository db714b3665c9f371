"""Show a run again, in any format: the newest run here, one by its id, or a run.json from elsewhere; or which framework
controls it gives evidence for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import emit, report_options, settings_for, write

if TYPE_CHECKING:
    from shipworthy.model import Run

EXAMPLES = """examples:
  shipworthy report                                   the newest run here
  shipworthy report --format markdown                 for a pull request
  shipworthy report --compliance                      which framework controls it gives evidence for
  shipworthy report run.json --format html --output report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument(
        "run_id", nargs="?", default="", metavar="RUN", help="a run's id, or a run.json (default: the newest)"
    )
    parser.add_argument(
        "--compliance",
        action="store_true",
        help="only the framework controls, each with its evidence (table, json or markdown)",
    )
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Read and show; the exit code is the run's."""
    from shipworthy.cli.runs import newest_runs, read_run
    from shipworthy.engine.runner import runs_folder
    from shipworthy.errors import UsageError
    from shipworthy.stages.shards import shard_of

    if not options.run_id:
        found = next(newest_runs(Path()), None)
        if found is None:
            raise UsageError("there is no run here", remedy="start one: `shipworthy run`")
    elif options.run_id.endswith(".json") or "/" in options.run_id:
        found = read_run(Path(options.run_id))
    else:
        place = runs_folder(Path()) / options.run_id / "run.json"
        if not place.is_file():
            known = ", ".join(run.id for run, _ in zip(newest_runs(Path()), range(5), strict=False))
            raise UsageError(
                f"there is no run `{options.run_id}` here",
                remedy=f"the newest runs: {known}" if known else "start one: `shipworthy run`",
            )
        found = read_run(place)
    if shard := shard_of(found):
        raise UsageError(f"this is {shard}: not a verdict", remedy="put all shards together: `shipworthy merge`")
    if options.compliance:
        _compliance(found, options)
    else:
        emit(found, options, site=settings_for(Path(), None).hub.site)
    return found.exit_code


def _compliance(found: Run, options: argparse.Namespace) -> None:
    from shipworthy.errors import UsageError

    if options.format == "json":
        from shipworthy.compliance import assess, to_dicts
        from shipworthy.model.serial import dumps

        text = dumps({"run": found.id, "verdict": found.verdict, "compliance": to_dicts(assess(found))})
    elif options.format == "markdown":
        from shipworthy.reports.markdown import controls

        text = controls(found)
    elif options.format == "table":
        from shipworthy.reports.terminal import render_controls

        text = render_controls(found)
    else:
        raise UsageError(
            f"--compliance cannot be written as {options.format}", remedy="use --format table, json or markdown"
        )
    write(text, options)
