"""Put all shards of a scan together, and decide: the report and the exit code are those of a scan that was not divided.
Waivers, baseline and gate are those of the folder (or `--settings`) here. The shards are believed in what they saw."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import emit, named, refuse_usage_errors, report_options, settings_for, settings_option

EXAMPLES = """examples:
  shipworthy merge ../shard-*.json                  in the folder that was scanned
  shipworthy merge -C project shard-*.json --format html --output report.html
  shipworthy merge shard-1.json shard-2.json --settings shipworthy.toml --format sarif
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `merge`."""
    parser.add_argument("shards", nargs="+", type=named, metavar="SHARD", help="every file that `scan --shard` wrote")
    parser.add_argument(
        "-C", "--directory", type=named, default=Path(), metavar="DIR", help="the folder of settings and baseline"
    )
    settings_option(parser)
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Read, merge, report, exit with the gate's answer."""
    from shipworthy.cli.runs import read_run
    from shipworthy.engine.runner import Order, run_pipeline
    from shipworthy.errors import UsageError
    from shipworthy.model import Trigger
    from shipworthy.paths import is_there
    from shipworthy.stages.merged import merge_pipeline, since

    root: Path = options.directory
    if not root.is_dir():
        raise UsageError("there is no such folder", where=str(root))
    settings = settings_for(root, options.settings)
    for path in options.shards:
        if not (is_there(path) and path.is_file()):  # a pipe or device would be read without end
            raise UsageError("there is no such file", where=str(path), remedy="name every shard's file")
    runs = {str(path): read_run(path) for path in options.shards}
    trigger = Trigger(how="manual", since=since(runs))
    result = run_pipeline(
        Order(root=root, settings=settings, pipeline=merge_pipeline(runs), trigger=trigger, keep=False)
    )
    refuse_usage_errors(result)
    emit(result, options, site=settings.hub.site)
    return result.exit_code
