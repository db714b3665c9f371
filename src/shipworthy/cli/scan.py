"""Look at files and folders with every check, and decide. Nothing that is scanned is run, imported or unpickled, and
nothing is written to what is scanned."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import (
    emit,
    executor_option,
    refuse_usage_errors,
    report_options,
    settings_option,
)
from shipworthy.cli.place import place

if TYPE_CHECKING:
    from shipworthy.stages.shards import Shard

EXAMPLES = """examples:
  shipworthy scan .                         everything in this folder
  shipworthy scan model.pt --format json    one model file, for a program
  shipworthy scan a.pt b.joblib data        these, and nothing else
  shipworthy scan https://host/model.safetensors     a model elsewhere: only what tells what it is is read
  shipworthy scan s3://bucket/models/m.gguf
  shipworthy scan . --since main            only what changed since main
  shipworthy scan . --write-baseline        accept what is there; gates with only-new then see what is new
  shipworthy scan . --format sarif --output shipworthy.sarif
  shipworthy scan . --shard 2/4 --format json --output ../shard-2.json
  shipworthy scan . --executor dask://scheduler:8786
"""
_ADDRESSES = ("https://", "http://", "s3://")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `scan`."""
    parser.add_argument(
        "paths",
        metavar="path",
        nargs="*",
        default=["."],
        help="files and folders (default: this folder), or one https: or s3: address",
    )
    parser.add_argument("--since", metavar="REV", default="", help="only files that differ from this git revision")
    parser.add_argument("--check", metavar="NAME", action="append", default=[], help="only this check or category")
    parser.add_argument(
        "--write-baseline", action="store_true", help="write shipworthy-baseline.json beside the settings"
    )
    parser.add_argument("--no-cache", action="store_true", help="look at everything anew")
    parser.add_argument(
        "--shard",
        metavar="I/N",
        default="",
        help="only this part of N; `shipworthy merge` decides (exit code 3: no verdict)",
    )
    executor_option(parser)
    settings_option(parser)
    report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Scan, report, exit with the gate's answer."""
    from shipworthy.cli.progress import Progress
    from shipworthy.engine.cluster import cluster
    from shipworthy.engine.events import Events
    from shipworthy.engine.runner import Order, run_pipeline
    from shipworthy.model import Trigger
    from shipworthy.records import replace
    from shipworthy.stages.shards import shard_pipeline
    from shipworthy.stages.target import scan_pipeline

    if any(path.lower().startswith(_ADDRESSES) for path in options.paths):
        return _scan_elsewhere(options)
    _refuse_other_addresses(options.paths)
    where = place(options.paths, options.settings, quiet=options.quiet)
    root, settings, among = where.root, where.settings, where.among
    options.path = target = where.target
    if options.no_cache:
        settings = replace(settings, scan=replace(settings.scan, cache=False))
    shard = _shard(options, among)
    names = tuple(options.check)
    with cluster(options.executor) as remote, Progress(options.quiet) as progress:
        result = run_pipeline(
            Order(
                root=root,
                settings=settings,
                pipeline=shard_pipeline(target, names, shard) if shard else scan_pipeline(target, names, among),
                trigger=Trigger(how="manual", since=options.since),
                events=Events([progress]),
                keep=False,
                remote=remote,
            )
        )
    refuse_usage_errors(result)
    emit(result, options, whole=shard is None, site=settings.hub.site)
    if options.write_baseline:
        return _write_baseline(root, result, options.quiet)
    return result.exit_code


def _refuse_other_addresses(paths: list[str]) -> None:
    """Raises UsageError for an address that nothing here reads; as a path it would only be missing."""
    from shipworthy.errors import UsageError

    for path in paths:
        if "://" in path and not os.path.lexists(path):
            kinds = ", ".join(_ADDRESSES)
            raise UsageError("addresses of this kind are not read", where=path, remedy=f"give one of {kinds} or a file")


def _scan_elsewhere(options: argparse.Namespace) -> int:
    """Scan a model at an address, with the settings of this folder."""
    from shipworthy.cli.progress import Progress
    from shipworthy.engine.events import Events
    from shipworthy.engine.runner import Order, run_pipeline
    from shipworthy.errors import UsageError
    from shipworthy.model import Trigger
    from shipworthy.stages.elsewhere import remote_pipeline

    if len(options.paths) > 1:
        raise UsageError(
            "an address is scanned by itself", where=" ".join(options.paths), remedy="one `shipworthy scan` for each"
        )
    for name in ("since", "shard", "executor", "write_baseline"):
        if getattr(options, name):
            raise UsageError("not for a model elsewhere", where=f"--{name.replace('_', '-')}", remedy="leave it out")
    settings = place(["."], options.settings).settings
    pipeline = remote_pipeline(options.paths[0], tuple(options.check))
    with Progress(options.quiet) as progress:
        result = run_pipeline(
            Order(Path(), settings, pipeline, Trigger(how="manual"), events=Events([progress]), keep=False)
        )
    refuse_usage_errors(result)
    emit(result, options, site=settings.hub.site)
    return result.exit_code


def _shard(options: argparse.Namespace, among: tuple[str, ...]) -> Shard | None:
    """The shard that is asked for. Raises UsageError for what a part of a scan cannot give."""
    from shipworthy.errors import UsageError
    from shipworthy.stages.shards import parse_shard

    if not options.shard:
        return None
    shard = parse_shard(options.shard)
    if among or not options.path.is_dir():
        raise UsageError("only a folder is divided", where="--shard", remedy="scan the folder, or leave --shard out")
    if options.write_baseline:
        raise UsageError("a shard is no baseline", where="--shard", remedy="write the baseline without --shard")
    if options.format != "json":
        raise UsageError(
            "a shard is no report: only `shipworthy merge` reads it", where="--shard", remedy="add --format json"
        )
    if options.output is not None and options.path.resolve() in options.output.resolve().parents:
        raise UsageError(
            "a shard's file inside of what is scanned changes what the other shards see",
            where=str(options.output),
            remedy="write it to another folder",
        )
    return shard


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
