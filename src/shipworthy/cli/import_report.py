"""Take in the report of another tool as a witness: look at the same files, and where both mean the same, show one
finding with both names. A report that is empty, cut short or about other files fails, and makes nothing clean."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.cli.output import emit, named, refuse_usage_errors, report_options, settings_option
from shipworthy.cli.place import place

EXAMPLES = """examples:
  shipworthy import modelscan modelscan.json models     modelscan -p models -r json -o modelscan.json
  shipworthy import picklescan picklescan.txt models    picklescan -p models > picklescan.txt 2>&1
  shipworthy import fickling report.json model.pkl      fickling --check-safety --json-output report.json model.pkl
  shipworthy import modelaudit report.sarif models      modelaudit scan models --format sarif --output report.sarif
  shipworthy import trivy trivy.json .                  trivy fs --format json --output trivy.json .
  shipworthy import sarif report.sarif .                any tool that writes SARIF
  shipworthy import zap zap.json . --max-age-days 7     what a scan of the running service found
docs/tools.md lists every tool.
"""
_LIMIT = (64 << 20) + 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `import`."""
    parser.add_argument("tool", metavar="TOOL", help="who wrote it; `sarif` for any that writes SARIF")
    parser.add_argument("report", type=named, help="the report")
    parser.add_argument("path", nargs="?", default=Path(), type=named, help="what it is about (default: this folder)")
    parser.add_argument("--max-age-days", type=int, default=0, metavar="N", help="how old the report may be")
    parser.add_argument("--base", default="", metavar="FOLDER", help="where the report's paths begin, such as /src")
    settings_option(parser)
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Look, take in, decide."""
    from shipworthy.cli.progress import Progress
    from shipworthy.engine.events import Events
    from shipworthy.engine.runner import Order, run_pipeline
    from shipworthy.errors import EnvironmentFailure, UsageError
    from shipworthy.model import Trigger
    from shipworthy.stages.imported import Given, imported_pipeline, known
    from shipworthy.stages.witnessed import witnessed_pipeline
    from shipworthy.witnesses import TOOLS

    try:
        with options.report.open("rb") as stream:
            raw = stream.read(_LIMIT)
            written = datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
    except FileNotFoundError:
        raise UsageError("there is no such report", where=str(options.report), remedy="check the path") from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(options.report)) from None
    if options.tool not in TOOLS:
        known(options.tool)
    where = place([options.path], options.settings, quiet=options.quiet)
    if options.tool in TOOLS:
        pipeline = witnessed_pipeline(options.tool, raw, where.target, where.among)
    else:
        given = Given(options.tool, raw, written, options.max_age_days, options.base)
        pipeline = imported_pipeline(given, where.target, where.among)
    with Progress(options.quiet) as progress:
        result = run_pipeline(
            Order(
                where.root,
                where.settings,
                pipeline,
                Trigger(how="manual"),
                events=Events([progress]),
                keep=False,
            )
        )
    refuse_usage_errors(result)
    emit(result, options, site=where.settings.hub.site)
    return result.exit_code
