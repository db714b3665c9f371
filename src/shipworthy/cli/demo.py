"""Copy the example project to a folder, run the whole pipeline on it, verify what it stored; then plant attacks in
copies of it and watch each being stopped. Nothing that is planted is executed.

With --attack NAME the exit code is that of the attacked run; with --attack all it is 0 when every attack was stopped
where it should be."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import quiet_option

EXAMPLES = """examples:
  shipworthy demo                                run and verify the example project
  shipworthy demo --attack all                   and then attack it in every way
  shipworthy demo --attack pickle-pretrained     one attack
  shipworthy demo --list                         the attacks
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `demo`."""
    parser.add_argument(
        "--folder", type=Path, default=Path("shipworthy-demo"), help="where to (default: shipworthy-demo)"
    )
    parser.add_argument("--attack", metavar="NAME", help="plant this attack, or `all`")
    parser.add_argument(
        "--data", choices=("auto", "real", "generated"), default="auto", help="real needs shipworthy[demo]"
    )
    parser.add_argument("--list", action="store_true", help="list the attacks")
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Run the demonstration."""
    from shipworthy.cli.demonstration import Demonstration
    from shipworthy.errors import UsageError
    from shipworthy.example import ATTACKS

    if options.list:
        for attack in ATTACKS.values():
            print(f"{attack.name:<24}{attack.title}")
        return 0
    if options.attack not in (None, "all", *ATTACKS):
        raise UsageError(f"there is no attack `{options.attack}`", remedy=f"all, or one of: {', '.join(ATTACKS)}")
    return Demonstration(options.folder, options.data, options.quiet).run(options.attack)
