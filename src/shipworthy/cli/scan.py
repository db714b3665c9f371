"""Look at files and folders with every check, and decide. Nothing that is scanned is run, imported or unpickled, and
nothing is written to what is scanned."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import emit, report_options, settings_for, settings_option

EXAMPLES = """examples:
  shipworthy scan .                         everything in this folder
  shipworthy scan model.pt --format json    one model file, for a program
  shipworthy scan . --since main            only what changed since main
  shipworthy scan . --write-baseline        accept what is there; gates with only-new then see what is new
  shipworthy scan . --format sarif --output shipworthy.sarif
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `scan`."""
    parser.add_argument("path", nargs="?", default=".", type=Path, help="a file or folder (default: this folder)")
    parser.add_argument("--since", metavar="REV", default="", help="only files that differ from this git revision")
    parser.add_argument("--check", metavar="NAME", action="append", default=[], help="only this check or category")
    parser.add_argument(
        "--write-baseline", action="store_true", help="write shipworthy-baseline.json beside the settings"
    )
    parser.add_argument("--no-cache", action="store_true", help="look at everything anew")
    settings_option(parser)
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Scan, report, exit with the gate's answer."""
    from dataclasses import replace

    from shipworthy.cli.progress import Progress
    from shipworthy.engine.events import Events
    from shipworthy.engine.runner import Order, run_pipeline
    from shipworthy.errors import UsageError
    from shipworthy.model import Trigger
    from shipworthy.stages.target import scan_pipeline

    target: Path = options.path
    if not target.exists() and not target.is_symlink():
        raise UsageError("there is no such file or folder", where=str(target), remedy="check the path")
    root = target if target.is_dir() else target.parent
    settings = settings_for(root, options.settings)
    if options.no_cache:
        settings = replace(settings, scan=replace(settings.scan, cache=False))
    with Progress(options.quiet) as progress:
        result = run_pipeline(
            Order(
                root=root,
                settings=settings,
                pipeline=scan_pipeline(target, tuple(options.check)),
                trigger=Trigger(how="manual", since=options.since),
                events=Events([progress]),
                keep=False,
            )
        )
    emit(result, options)
    if options.write_baseline:
        return _write_baseline(root, result, options.quiet)
    return result.exit_code


def _write_baseline(root: Path, result: object, quiet: bool) -> int:
    import sys

    from shipworthy.gates import write_baseline
    from shipworthy.gates.baseline import FILE_NAME
    from shipworthy.model import Run

    assert isinstance(result, Run)  # noqa: S101  for the type checker
    count = write_baseline(root / FILE_NAME, result.findings)
    if not quiet:
        print(f"baseline: {count} findings written to {root / FILE_NAME}", file=sys.stderr)
    return 0
