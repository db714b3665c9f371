"""The vulnerability database: which one is used and how old it is; import one from a file; update it from the network.
The format is that of OSV (https://ossf.github.io/osv-schema/): a zip with one JSON file for each advisory."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import quiet_option

EXAMPLES = """examples:
  shipworthy db status                  which database, how many advisories, how old
  shipworthy db import all.zip          from a file, for machines without network
  shipworthy db update                  from the network: OSV's export for PyPI
  shipworthy db update --url https://mirror.example.org/PyPI/all.zip
"""
URL = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `db`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="status|import|update")
    status = actions.add_parser("status", help="what there is", epilog=EXAMPLES, formatter_class=parser.formatter_class)
    status.add_argument("--format", choices=("table", "json"), default="table")
    bring = actions.add_parser("import", help="from a file", epilog=EXAMPLES, formatter_class=parser.formatter_class)
    bring.add_argument("source", type=Path, help="a zip of advisories, a folder of them, or one JSON file")
    quiet_option(bring)
    update = actions.add_parser(
        "update", help="from the network", epilog=EXAMPLES, formatter_class=parser.formatter_class
    )
    update.add_argument("--url", default=URL, help="where the zip is (default: OSV's export for PyPI)")
    quiet_option(update)


def run(options: argparse.Namespace) -> int:
    """Show, import or update."""
    from shipworthy.checks.dependencies import _database
    from shipworthy.user_folders import advisories_folder

    folder = advisories_folder()
    if options.action == "import":
        facts = _database.import_database(options.source, folder)
    elif options.action == "update":
        facts = _database.update_database(options.url, folder)
    else:
        return _status(_database.status(folder), options.format)
    if not options.quiet:
        print(f"{facts.records} advisories for {facts.packages} packages, the newest of {facts.newest}\n{facts.digest}")
    return 0


def _status(facts: object, form: str) -> int:
    import json
    from datetime import UTC, datetime

    from shipworthy.checks.dependencies._database import Facts
    from shipworthy.user_folders import advisories_folder

    assert facts is None or isinstance(facts, Facts)  # noqa: S101  for the type checker
    age = (datetime.now(UTC).date() - facts.newest).days if facts and facts.newest else None
    if form == "json":
        row = {"advisories": facts.records, "packages": facts.packages, "digest": facts.digest} if facts else {}
        print(
            json.dumps(
                {"present": facts is not None, **row, "newest": str(facts.newest) if facts else None, "days-old": age}
            )
        )
    elif facts is None:
        print(f"none in {advisories_folder()}: only the embedded advisories are used, and the check ends as partial")
        print("what to do: shipworthy db update, or shipworthy db import FILE")
    else:
        print(f"{facts.records} advisories for {facts.packages} packages\nnewest      {facts.newest} ({age} days ago)")
        print(f"digest      {facts.digest}\nin          {advisories_folder()}")
    return 0
