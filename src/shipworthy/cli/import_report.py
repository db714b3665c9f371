"""Take in the report of another model scanner as a witness: look at the same models, and where both mean the same, show
one finding with both names. A report that is empty, cut short or about other files fails, and makes no model clean."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import emit, named, refuse_usage_errors, report_options, settings_option
from shipworthy.cli.place import place

EXAMPLES = """examples:
  shipworthy import modelscan modelscan.json models     modelscan -p models -r json -o modelscan.json
  shipworthy import picklescan picklescan.txt models    picklescan -p models > picklescan.txt 2>&1
  shipworthy import fickling report.json model.pkl      fickling --check-safety --json-output report.json model.pkl
  shipworthy import modelaudit report.sarif models      modelaudit scan models --format sarif --output report.sarif
"""
_LIMIT = (64 << 20) + 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `import`."""
    parser.add_argument("tool", choices=("modelscan", "picklescan", "fickling", "modelaudit"), help="who wrote it")
    parser.add_argument("report", type=named, help="the report")
    parser.add_argument("path", nargs="?", default=Path(), type=named, help="the models (default: this folder)")
    settings_option(parser)
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Look, take in, decide."""
    from shipworthy.cli.progress import Progress
    from shipworthy.engine.events import Events
    from shipworthy.engine.runner import Order, run_pipeline
    from shipworthy.errors import EnvironmentFailure, UsageError
    from shipworthy.model import Trigger
    from shipworthy.stages.witnessed import witnessed_pipeline

    try:
        with options.report.open("rb") as stream:
            raw = stream.read(_LIMIT)
    except FileNotFoundError:
        raise UsageError("there is no such report", where=str(options.report), remedy="check the path") from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(options.report)) from None
    where = place([options.path], options.settings, quiet=options.quiet)
    with Progress(options.quiet) as progress:
        result = run_pipeline(
            Order(
                where.root,
                where.settings,
                witnessed_pipeline(options.tool, raw, where.target, where.among),
                Trigger(how="manual"),
                events=Events([progress]),
                keep=False,
            )
        )
    refuse_usage_errors(result)
    emit(result, options)
    return result.exit_code
