"""Learning paths: what somebody in a role reads and does, in which order, and about how long it takes."""

from __future__ import annotations

import argparse

EXAMPLES = """examples:
  shipworthy hub learn
  shipworthy hub learn newcomer
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub learn`."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a path; none: which there are")


def run(options: argparse.Namespace) -> int:
    """Print a path, or list them."""
    from shipworthy.cli.hub import load_hub, printed
    from shipworthy.cli.hub_cards import hours, of_path
    from shipworthy.cli.hub_text import said
    from shipworthy.errors import UsageError
    from shipworthy.hub.search import suggestions

    hub = load_hub()
    if options.path is None:
        lines = []
        for path in hub.paths.values():
            lines += [
                f"[bold]{path.id}[/]  {said(path.title)}  [dim]about {hours(path.minutes)}[/]",
                f"  {said(path.summary)}",
                "",
            ]
        printed(lines[:-1])
        return 0
    if options.path not in hub.paths:
        near = suggestions(options.path[:60], hub.paths) or list(hub.paths)
        raise UsageError(f"there is no path `{options.path[:60]}`", remedy=f"there are: {', '.join(near)}")
    printed(of_path(hub, hub.paths[options.path]))
    return 0
