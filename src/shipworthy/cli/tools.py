"""The programs that Shipworthy can use beside its own checks: which are here, and where; install one into an
environment of its own, from a lock file with digests; remove it."""

from __future__ import annotations

import argparse

from shipworthy.cli.output import output_file, quiet_option, settings_option, write

EXAMPLES = """examples:
  shipworthy tools list                         every tool: how it comes here, whether it is, in which version
  shipworthy tools install checkov              into an environment of its own, in your data folder
  shipworthy tools install semgrep --from /media/wheels      without network
  shipworthy tools remove checkov
"""
_LIST = "examples:\n  shipworthy tools list --format json --output tools.json\n"
_INSTALL = "examples:\n  shipworthy tools install hadolint --from https://mirror.example.org/simple\n"
_REMOVE = "examples:\n  shipworthy tools remove hadolint\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tools`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|install|remove")
    shape = parser.formatter_class
    shown = actions.add_parser("list", help="what there is", epilog=_LIST, formatter_class=shape)
    shown.add_argument("--format", choices=("table", "json"), default="table")
    shown.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")
    settings_option(shown)
    quiet_option(shown, "the names of those that are here alone")
    made = actions.add_parser("install", help="install one", epilog=_INSTALL, formatter_class=shape)
    made.add_argument("name", help="the tool")
    made.add_argument(
        "--from", dest="source", default="", metavar="SOURCE", help="a folder of wheels, a wheel, or an index's address"
    )
    quiet_option(made)
    gone = actions.add_parser("remove", help="remove one that was installed", epilog=_REMOVE, formatter_class=shape)
    gone.add_argument("name", help="the tool")
    quiet_option(gone)


def run(options: argparse.Namespace) -> int:
    """List, install or remove."""
    from shipworthy.tools.environments import install, remove

    if options.action == "install":
        made = install(options.name, options.source)
        if not options.quiet:
            print(f"{made.name} {made.version} is installed\nin          {made.folder}\nlock file   {made.lock}")
        return 0
    if options.action == "remove":
        there = remove(options.name)
        if not options.quiet:
            print(f"{options.name} is removed" if there else f"{options.name} was not installed by `shipworthy tools`")
        return 0
    return _list(options)


def _list(options: argparse.Namespace) -> int:
    from pathlib import Path

    from shipworthy.cli.output import settings_for
    from shipworthy.tools.inventory import Here, tools_here
    from shipworthy.witnesses import TOOLS

    rows = list(tools_here(dict(settings_for(Path(), options.settings).tools)))
    rows += [
        Here(name, "reports of it are taken in", f"shipworthy import {name} REPORT", "")
        for name in sorted(TOOLS.keys() - {row.name for row in rows})
    ]
    if options.format == "json":
        import json
        from dataclasses import asdict

        write(json.dumps([asdict(row) for row in rows], indent=2) + "\n", options)
        return 0
    if options.quiet:
        write("".join(f"{row.name}\n" for row in rows if row.where), options)
        return 0
    import io
    import sys

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_edge=False)
    for column in ("tool", "for", "how it comes here", "version", "where"):
        table.add_column(column, overflow="fold", no_wrap=column == "tool")
    for row in rows:
        there = escape(row.where) if row.where else "[dim]not here[/]" if row.licence else ""
        there += escape(f" (use {row.instead})" if row.instead and not row.where else "")
        table.add_row(
            row.name, row.about, escape(row.way), escape(row.version), there + escape(row.note and f" ({row.note})")
        )
    out = io.StringIO()
    tty = sys.stdout.isatty() and not options.output
    Console(file=out, width=None if tty else 180, force_terminal=tty).print(table)
    write(out.getvalue(), options)
    return 0
