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
    elif options.run_id.endswith(".json"):
        found = read_run(Path(options.run_id))
    else:
        found = read_run(runs_folder(Path()) / Path(options.run_id).name / "run.json")
    emit(found, options)
    return found.exit_code
