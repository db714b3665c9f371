"""What is near to something in the hub, and why: named beside it, its successor, the topic that it belongs to, or other
things about the same."""

from __future__ import annotations

import argparse

EXAMPLES = """examples:
  shipworthy hub related trivy
  shipworthy hub related topic/prompt-injection --limit 20
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub related`."""
    from shipworthy.cli.hub_search import _limit

    parser.add_argument("id", metavar="ID", nargs="+", help="as the search prints it, or the id alone")
    parser.add_argument("--limit", type=_limit, default=12, metavar="N", help="at most so many (default: 12)")


def run(options: argparse.Namespace) -> int:
    """Print them, nearest first."""
    from rich.markup import escape

    from shipworthy.cli.hub import load_hub, printed
    from shipworthy.cli.hub_cards import linked

    hub = load_hub()
    page = hub.page(" ".join(options.id))
    found = hub.related(page, options.limit)
    lines = [f"{linked(hub, one.page)}  [dim]{escape(one.why)}[/]" for one in found]
    printed(lines or ["nothing is related to it yet"])
    return 0
