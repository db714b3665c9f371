"""Write the catalogue for others: as a README in the form of an awesome list, or as JSON."""

from __future__ import annotations

import argparse

from shipworthy.cli.output import output_file

EXAMPLES = """examples:
  shipworthy hub export --awesome --output README.md
  shipworthy hub export --json --output hub.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub export`."""
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--awesome", action="store_true", help="a README, grouped by kind, pipeline and stage")
    form.add_argument("--json", action="store_true", help="entries, topics, frameworks, stages, paths, and their links")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")


def run(options: argparse.Namespace) -> int:
    """Write it."""
    from shipworthy.cli.hub import load_hub
    from shipworthy.cli.output import write
    from shipworthy.hub.export import as_json, awesome
    from shipworthy.model.serial import dumps

    hub = load_hub()
    write(awesome(hub) if options.awesome else dumps(as_json(hub)), options)
    return 0
