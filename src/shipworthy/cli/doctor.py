"""Fire a known-bad sample through every check and wrapped tool, and say which of them see it. A check whose sample is
not found is broken on this machine, whatever it reports."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import output_file, quiet_option, settings_option

if TYPE_CHECKING:
    from rich.console import Console

EXAMPLES = """examples:
  shipworthy doctor                  every check
  shipworthy doctor --format json    for a program
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("--check", metavar="NAME", action="append", default=[], help="only this check or category")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")
    settings_option(parser)
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0 when every check saw its sample, or is optional and not installed; 3 otherwise."""
    from rich.console import Console

    from shipworthy.cli.output import settings_for, write
    from shipworthy.engine.canaries import fire_canaries
    from shipworthy.errors import UsageError

    settings = settings_for(Path(), options.settings)
    rows = fire_canaries(settings, Path(), tuple(options.check))
    if not rows:  # nobody fell ill because nobody was examined
        raise UsageError(
            f"no check is named {', '.join(options.check) or 'by the settings'}",
            remedy="`shipworthy doctor` lists them",
        )
    changed = {} if options.check else _changed_tools()
    healthy = all(row.seen or row.absent for row in rows) and not changed
    if options.format == "json":
        import json
        from dataclasses import asdict

        told = {
            "healthy": healthy,
            "checks": [asdict(row) for row in rows],
            "changed-tools": changed,
            "machine": _machine(),
        }
        write(json.dumps(told, indent=2) + "\n", options)
    elif options.output:
        out = io.StringIO()
        _table(rows, options.quiet, Console(file=out, width=160))
        write(out.getvalue() + _told(changed), options)
    else:
        _table(rows, options.quiet, Console(width=None if sys.stdout.isatty() else 160))
        if changed:
            write(_told(changed), options)
    return 0 if healthy else 3


def _changed_tools() -> dict[str, tuple[str, ...]]:
    """What is not as it was installed, by the names of the tools with environments of their own."""
    from shipworthy.tools.catalogue import INSTALLABLE
    from shipworthy.tools.environments import differences, installed

    found = {name: differences(one) for name in INSTALLABLE if (one := installed(name))}
    return {name: told for name, told in found.items() if told}


def _told(changed: dict[str, tuple[str, ...]]) -> str:
    lines = [
        f"CHANGED     {name}: {told[0]}" + (f" and {len(told) - 1} more" if len(told) > 1 else "")
        + f"; what to do: shipworthy tools install {name}\n"
        for name, told in changed.items()
    ]  # fmt: skip
    return "".join(lines)


def _table(rows: object, quiet: bool, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    from shipworthy.engine.canaries import CanaryResult

    assert isinstance(rows, tuple)  # noqa: S101  for the type checker
    results: tuple[CanaryResult, ...] = rows
    table = Table(show_edge=False)
    for column in ("check", "category", "tools", "sample", "what to do"):
        table.add_column(column, overflow="fold", no_wrap=column in ("check", "category"))
    for row in results:
        if quiet and (row.seen or row.absent):
            continue
        word = "[green]seen[/]" if row.seen else "not installed" if row.absent else _not_seen(escape(row.reason))
        tools = ", ".join(f"{name} {version}" for name, version in row.tools.items())
        table.add_row(row.check, row.category, escape(tools), word, escape(row.remedy))
    console.print(table)
    for name, value in _machine().items():
        console.print(f"{name:<12}{escape(value)}", highlight=False)
    seen, absent = sum(row.seen for row in results), sum(row.absent for row in results)
    rest = f"; {absent} optional, not installed" if absent else ""
    console.print(f"\n{seen} of {len(results)} checks see their known-bad sample{rest}", highlight=False)


def _not_seen(reason: str) -> str:
    return f"[red]NOT SEEN[/]: {reason}"


def _machine() -> dict[str, str]:
    import platform
    import shutil

    from shipworthy import __version__
    from shipworthy.modelfile.pickles import machine
    from shipworthy.user_folders import cache_folder

    return {
        "shipworthy": __version__,
        "model files": "read in pure Python" if machine.__file__.endswith(".py") else "read by compiled modules",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "bubblewrap": shutil.which("bwrap") or "not installed (a weaker sandbox is used; install bubblewrap)",
        "git": shutil.which("git") or "not installed (no history is looked at)",
        "cache": str(cache_folder()),
    }
