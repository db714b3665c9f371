"""Write the hub as a website: static pages that work from the folder, without a server, and load nothing from
elsewhere."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipworthy.site import Checked, Pipeline

EXAMPLES = """examples:
  shipworthy hub build                        into site/; open site/index.html
  shipworthy hub build --runs .               pages say how often the newest run here found it
  shipworthy hub build --out public --url https://example.org/hub/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub build`."""
    parser.add_argument("--out", type=Path, default=Path("site"), metavar="FOLDER", help="where to (default: site)")
    parser.add_argument(
        "--url", default="", metavar="URL", help="the address that the site will have, for the site map and the feed"
    )
    parser.add_argument(
        "--runs", type=Path, metavar="FOLDER", help="a workspace: pages say what its newest run found (`.` is this one)"
    )


def run(options: argparse.Namespace) -> int:
    """Build it, and say how large it is."""
    from shipworthy import __version__
    from shipworthy.cli.hub import load_hub
    from shipworthy.errors import UsageError
    from shipworthy.site import Given, build
    from shipworthy.site.addresses import outside

    url = options.url
    if url:
        if not outside(url) or "?" in url or "#" in url:
            raise UsageError(f"`{url[:200]}` is no address of a site", remedy="write https://example.org/hub/")
        url = outside(url).rstrip("/") + "/"
    found, last = last_run(options.runs)
    began = time.monotonic()
    built = build(load_hub(), Given(pipelines(), checks(), __version__, url, found, last), options.out)
    took = time.monotonic() - began
    print(f"{built.files:,} files, {built.size / 1e6:.1f} MB, in {took:.1f} s: {options.out / 'index.html'}")
    print(f"the largest page is {built.largest[0]}, {built.largest[1] / 1000:.0f} kB")
    for note in built.notes:
        print(f"note: {note}")
    return 0


def last_run(workspace: Path | None) -> tuple[Mapping[str, int], str]:
    """How often the newest run of a workspace found each rule, and the run's id. Raises UsageError if it has none."""
    from collections import Counter

    from shipworthy.cli.runs import newest_runs
    from shipworthy.errors import UsageError

    if workspace is None:
        return {}, ""
    run = next(newest_runs(workspace), None)
    if run is None:
        raise UsageError("there is no run here", where=str(workspace), remedy="start one: `shipworthy run`")
    return Counter(finding.rule.id for finding in run.findings), run.id


def pipelines() -> tuple[Pipeline, ...]:
    """The pipelines as the site draws them."""
    from shipworthy.cli.hub_checks import by_stage
    from shipworthy.pipelines import PIPELINES
    from shipworthy.site import Pipeline, Stage

    def drawn(pipeline: str, stage: Any) -> Stage:
        runs = tuple(check.name for check in by_stage()[f"{pipeline}/{stage.name}"])
        return Stage(stage.name, stage.title, stage.about, runs)

    return tuple(
        Pipeline(one.name, one.title, tuple(drawn(one.name, stage) for stage in one.stages))
        for one in PIPELINES.values()
    )


def checks() -> tuple[Checked, ...]:
    """Every check, with the ids of its rules."""
    from shipworthy.check import registry
    from shipworthy.site import Checked

    return tuple(
        Checked(one.name, one.summary, one.category, tuple(rule.id for rule in one.rules))
        for one in sorted(registry().values(), key=lambda one: one.name)
    )
