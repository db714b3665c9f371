"""Show a run again, in any format: the newest run here, one by its id, or a run.json from elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import emit, report_options

EXAMPLES = """examples:
  shipworthy report                                   the newest run here
  shipworthy report --format markdown                 for a pull request
  shipworthy report run.json --format html --output report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument(
        "run_id", nargs="?", default="", metavar="RUN", help="a run's id, or a run.json (default: the newest)"
    )
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Read and show; the exit code is the run's."""
    from shipworthy.cli.runs import newest_runs, read_run
    from shipworthy.engine.runner import runs_folder
    from shipworthy.errors import UsageError

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
    emit(found, options)
    return found.exit_code
