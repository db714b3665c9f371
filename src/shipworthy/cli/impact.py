"""What rests on something: every stored model and image whose evidence leads to a dataset, dependency, model or layer,
and by which way. Ask it before you revoke something, and after."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import named, output_file, plain, quiet_option, settings_for, settings_option, write_file

if TYPE_CHECKING:
    from shipworthy.stages.impact import Affected, Impact

EXAMPLES = """examples:
  shipworthy impact data/train.csv
  shipworthy impact sha256:1f2e... --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `impact`."""
    parser.add_argument("target", type=lambda text: named(text) and text, help="a digest (sha256:…), or a path")
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="the project's folder")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--output", type=output_file, metavar="FILE")
    settings_option(parser)
    quiet_option(parser, "the releases alone, one on each line")


def run(options: argparse.Namespace) -> int:
    """Exit code 0 when all releases could be looked through, 5 when one could not."""
    import json

    from shipworthy.errors import ExitCode
    from shipworthy.stages.impact import impact_of
    from shipworthy.stages.revocations import digest_named
    from shipworthy.stages.trust import believed

    root: Path = options.directory
    settings = settings_for(root, options.settings)
    digest, name = digest_named(options.target)
    found = impact_of(digest, settings, root, believed(settings, root))
    if options.format == "json":
        text = json.dumps(_document(found), indent=2) + "\n"
        if options.output:
            write_file(options.output, text.encode())
        else:
            print(text, end="")
    else:
        _print(found, name, options.quiet)
    return int(ExitCode.ENVIRONMENT if found.unread else ExitCode.SHIPWORTHY)


def _document(found: Impact) -> dict[str, object]:
    return {
        "digest": found.digest,
        "releases": found.releases,
        "affected": [
            {
                "store": one.store,
                "name": one.name,
                "version": one.version,
                "verified": one.verified,
                "way": [{"step": s.step, "name": s.name, "kind": s.kind, "digest": s.digest} for s in one.way],
            }
            for one in found.affected
        ],
        "unread": list(found.unread),
    }


def _print(found: Impact, name: str, quiet: bool) -> None:
    if quiet:
        for one in found.affected:
            print(f"{one.name}@{one.version}")
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    for one in found.affected:
        console.print(f"[bold]{escape(one.name)}[/]@{escape(one.version)}  [dim]{escape(plain(one.store))}[/]")
        console.print(f"  {escape(_way(name or found.digest[:19], one))}")
        if not one.verified:
            console.print("  [yellow]some of this was signed by nobody who is believed here[/]")
    word = "release rests" if len(found.affected) == 1 else "releases rest"
    console.print(f"{len(found.affected)} of {found.releases} {word} on {escape(plain(name or found.digest))}")
    for why in found.unread:
        console.print(f"[red]could not be read[/]: {escape(plain(why))}")


def _way(start: str, one: Affected) -> str:
    """`train.csv → train → model → build → spam-service`."""
    parts = [plain(start)]
    for step in one.way:
        parts += [step.step, plain(step.name or step.digest[:19])]
    return " → ".join(parts) if one.way else f"{plain(start)} is what was released"
