"""Show a shelf of the pipelines: what is done there, why, what goes wrong, which checks and topics belong to it, tools
and reading."""

from __future__ import annotations

import argparse

EXAMPLES = """examples:
  shipworthy hub stage                        all 22, and where the pipelines have them
  shipworthy hub stage model-scan
  shipworthy hub stage dev/test               a stage of a pipeline: its shelves
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub stage`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a shelf, or PIPELINE/STAGE")
    parser.add_argument("--all", action="store_true", help="every tool and reading, not only the first of each")


def run(options: argparse.Namespace) -> int:
    """Show one, or list them."""
    from rich.markup import escape

    from shipworthy.cli.hub import load_hub, printed
    from shipworthy.cli.hub_cards import of_shelf
    from shipworthy.errors import UsageError
    from shipworthy.hub.search import suggestions

    hub = load_hub()
    if options.name is None:
        lines = []
        for shelf in hub.shelves.values():
            used = ", ".join(shelf.used_by) or ("across all stages" if shelf.id in hub.across else "")
            lines.append(f"[bold]{shelf.id}[/]  {escape(shelf.title)}  [dim]{escape(used)}[/]")
        printed(lines)
        return 0
    pipeline, _, stage = options.name.partition("/")
    names = hub.pipelines.get(pipeline, {}).get(stage, ()) if stage else (options.name,)
    if not names or not all(name in hub.shelves for name in names):
        known = [*hub.shelves, *(f"{one}/{name}" for one, of in hub.pipelines.items() for name in of)]
        near = suggestions(options.name[:60], known)
        told = f"near: {', '.join(near)}" if near else "`shipworthy hub stage` lists them"
        raise UsageError(f"there is no stage `{options.name[:60]}`", remedy=told)
    lines = []
    for name in names:
        lines += [*of_shelf(hub, hub.shelves[name], everything=options.all), ""]
    printed(lines[:-1])
    return 0
