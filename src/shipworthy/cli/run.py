"""Run a pipeline in this folder: every stage leaves a record, a gate that says no stops the run, and what passes is
signed and stored. Reports go to .shipworthy/runs/<id>/."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import (
    emit,
    executor_option,
    named,
    refuse_usage_errors,
    report_options,
    settings_for,
    settings_option,
)

if TYPE_CHECKING:
    from shipworthy.model import Run

EXAMPLES = """examples:
  shipworthy run                  the pipeline that the settings name (default: ml)
  shipworthy run ml               MLSecOps: ten stages, from trigger to store
  shipworthy run dev              DevSecOps: twelve stages, from the model stored last to a protected service
  shipworthy run dev --model ID   ship the model of that ml run (or NAME@VERSION, or its digest)
  shipworthy run all              both, one after the other
  shipworthy run all --watch      again whenever files changed
  shipworthy run ml --cron "0 3 * * mon-fri"
  shipworthy run --resume         go on with the newest run after a crash or Ctrl-C
  shipworthy run ml --format junit --output junit.xml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument("pipeline", nargs="?", choices=("ml", "dev", "all"), help="default: the settings' `pipeline`")
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="run in DIR")
    parser.add_argument("--resume", nargs="?", const="", metavar="RUN", help="go on with a run (default: the newest)")
    parser.add_argument("--since", metavar="REV", default="", help="scan only files that differ from this git revision")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--watch", action="store_true", help="run again whenever files of the project changed")
    again.add_argument("--cron", metavar="TIMES", default="", help="run at these times, as crontab(5) writes them")
    parser.add_argument(
        "--model", default="", help="dev: the finished ml run whose model is shipped: id, name, or digest"
    )
    parser.add_argument("--shard", default="", help=argparse.SUPPRESS)
    executor_option(parser)
    settings_option(parser)
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run one pipeline or both, one after the other."""
    from shipworthy.errors import UsageError

    if options.shard:
        raise UsageError(
            "a pipeline is not divided: it trains and signs what one gate has seen whole",
            where="--shard",
            remedy="divide a scan (`shipworthy scan --shard`), or give a pipeline more machines with --executor",
        )
    root: Path = options.directory
    if not root.is_dir():
        raise UsageError("there is no such folder", where=str(root))
    if options.watch or options.cron:
        from shipworthy.cli.again import run_again

        return run_again(options, lambda how: _run_now(root, options, how))
    return _run_now(root, options, "")


def _run_now(root: Path, options: argparse.Namespace, how: str) -> int:
    """Run what is asked for, once. `how` it came about: empty for what the environment tells."""
    from shipworthy.errors import UsageError

    settings = settings_for(root, options.settings)
    wanted = options.pipeline or settings.pipeline
    if options.model and wanted == "ml":
        raise UsageError("the pipeline ml makes a model", where="--model", remedy="`shipworthy run dev --model ...`")
    if wanted == "all" and (options.format != "table" or options.output or options.resume):
        raise UsageError(
            "`all` is a run of each pipeline, and this names one report or one run",
            remedy="name the pipeline: `shipworthy run ml`; every format is in the folder of each run",
        )
    code = 0
    for name in ("ml", "dev") if wanted == "all" else (wanted,):
        resume = options.resume
        if wanted == "all" and name != "ml" and not _has_run(root, name):
            resume = None
        code = _run_one(name, root, settings, options, resume, how)
        if code:
            break
    return code


def _has_run(root: Path, name: str) -> bool:
    from shipworthy.engine.runner import resumable

    return bool(resumable(root, name))


def _run_one(name: str, root: Path, settings: object, options: argparse.Namespace, resume: str | None, how: str) -> int:
    import os
    import sys

    from shipworthy.cli.progress import Progress
    from shipworthy.config import Settings
    from shipworthy.engine.cluster import cluster
    from shipworthy.engine.events import Events
    from shipworthy.engine.runner import Order, run_pipeline, runs_folder
    from shipworthy.engine.timers import how_started
    from shipworthy.model import Trigger
    from shipworthy.pipelines import PIPELINES
    from shipworthy.reports import write_all

    assert isinstance(settings, Settings)  # noqa: S101  for the type checker
    with cluster(options.executor) as remote, Progress(options.quiet) as progress:
        result = run_pipeline(
            Order(
                root=root,
                settings=settings,
                pipeline=PIPELINES[name],
                trigger=Trigger(
                    how=how or how_started(os.environ),
                    since=options.since,
                    model=options.model if name == "dev" else "",
                ),
                events=Events([progress]),
                resume=resume,
                remote=remote,
            )
        )
    folder = runs_folder(root) / result.id
    write_all(result, folder, settings.hub.site)
    found = any(stage.checks for stage in result.stages)  # until it was stopped: that is told, however it ended
    if not found:
        refuse_usage_errors(result)
    _tell(result, options, folder, settings.hub.site)
    if options.format != "table" or options.output or not sys.stdout.isatty():  # who sees the report has been told
        refuse_usage_errors(result)
    return result.exit_code


def _tell(result: Run, options: argparse.Namespace, folder: Path, site: str) -> None:
    import sys

    emit(result, options, site=site)
    if not options.quiet:
        print(f"report: {folder / 'report.html'}", file=sys.stderr if options.format != "table" else sys.stdout)
