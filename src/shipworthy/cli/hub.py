"""The hub: tools, papers, courses, case studies and more for MLSecOps and DevSecOps, linked to the stages of the
pipelines, to the checks and their rules, and to the controls of frameworks. It is all here: nothing is fetched."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from shipworthy.hub import Hub

EXAMPLES = """examples:
  shipworthy hub search pickle
  shipworthy hub search "papers on clean-label poisoning since 2023"
  shipworthy hub search secrets --kind tool --maintained active
  shipworthy hub show LLM03:2025              a control or risk: which checks and entries are about it
  shipworthy hub stage model-scan             what is done there, what goes wrong, tools and reading
  shipworthy hub learn newcomer
"""
# name -> (module, what it does); a module has `EXAMPLES`, `add_arguments(parser)` and `run(options)`
ACTIONS = {
    "search": ("hub_search", "find anything, by words and facets"),
    "show": ("hub_show", "one page: an entry, topic, rule, stage, framework, control or path"),
    "stage": ("hub_stage", "a shelf of the pipelines: what, why, threats, tools, reading"),
    "related": ("hub_related", "what is near to something, and why"),
    "learn": ("hub_learn", "learning paths: newcomer, ml-engineer, security-engineer, researcher"),
    "browse": ("hub_browse", "search and read in the terminal, with keys"),
    "export": ("hub_export", "as an awesome list, or as JSON"),
    "build": ("hub_build", "write the hub as a website that works without a server"),
    "stats": ("hub_stats", "how much there is, and the numbers that the hub is held to"),
    "add": ("hub_add", "add an entry: asks, fills in, checks, writes the file"),
    "lint": ("hub_lint", "check the hub's files before a pull request"),
    "check-links": ("hub_check_links", "are its addresses still there? (asks the network: only with --online)"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `hub`, each with its options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    for name, (module, about) in ACTIONS.items():
        code = importlib.import_module(f"shipworthy.cli.{module}")
        one = actions.add_parser(
            name,
            help=about,
            description=(code.__doc__ or "").strip(),
            epilog=code.EXAMPLES,
            formatter_class=parser.formatter_class,
        )
        code.add_arguments(one)


def run(options: argparse.Namespace) -> int:
    """Do what is asked."""
    code = importlib.import_module(f"shipworthy.cli.{ACTIONS[options.action][0]}")
    return int(code.run(options))


def load_hub() -> Hub:
    """The hub with every rule of every check."""
    from shipworthy.check import all_rules
    from shipworthy.hub import load

    return load(all_rules())


def console() -> Console:
    """Where pages are printed: of the terminal's width up to what is good to read, in colour only there."""
    import sys

    from rich.console import Console

    made = Console(highlight=False)
    if not sys.stdout.isatty():
        return Console(highlight=False, width=max(made.width, 100), soft_wrap=False)
    made.width = min(made.width, 110)
    return made


def printed(lines: list[str]) -> None:
    """Print lines of markup; in a terminal that they do not fit into, page by page."""
    import sys

    out = console()
    if sys.stdout.isatty() and len(lines) > out.height:
        with out.pager(styles=True, links=True):
            out.print("\n".join(lines))
        return
    out.print("\n".join(lines))
