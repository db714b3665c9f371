"""The vulnerability database: which one is used and how old it is; import one from a file; update it from the network.
The format is that of OSV (https://ossf.github.io/osv-schema/): a zip with one JSON file for each advisory."""

from __future__ import annotations

import argparse

from shipworthy.cli.output import named, output_file, quiet_option, write

EXAMPLES = """examples:
  shipworthy db status                  which database, how many advisories, how old
  shipworthy db import all.zip          from a file, for machines without network
  shipworthy db update                  from the network: OSV's export for PyPI
  shipworthy db update --url https://mirror.example.org/PyPI/all.zip
"""
_STATUS = "examples:\n  shipworthy db status --format json --output status.json\n"
_IMPORT = "examples:\n  shipworthy db import all.zip          OSV's export for PyPI, brought here by hand\n"
_UPDATE = "examples:\n  shipworthy db update --url https://mirror.example.org/PyPI/all.zip\n"
URL = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `db`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="status|import|update")
    shape = parser.formatter_class
    status = actions.add_parser("status", help="what there is", epilog=_STATUS, formatter_class=shape)
    status.add_argument("--format", choices=("table", "json"), default="table")
    status.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")
    quiet_option(status, "the age in days alone, or `none`")
    bring = actions.add_parser("import", help="from a file", epilog=_IMPORT, formatter_class=shape)
    bring.add_argument("source", type=named, help="a zip of advisories, a folder of them, or one JSON file")
    quiet_option(bring)
    update = actions.add_parser("update", help="from the network", epilog=_UPDATE, formatter_class=shape)
    update.add_argument("--url", default=URL, help="where the zip is (default: OSV's export for PyPI)")
    quiet_option(update)


def run(options: argparse.Namespace) -> int:
    """Show, import or update."""
    from shipworthy.checks import _exploited
    from shipworthy.checks.dependencies import _database
    from shipworthy.user_folders import advisories_folder

    folder = advisories_folder()
    if options.action == "import" and _exploited.is_one(options.source):
        brought = _exploited.bring(options.source, folder)
        if not options.quiet:
            print(f"{brought.kind} of {brought.day or 'an unknown day'}: {brought.rows} rows\n{brought.digest}")
        return 0
    if options.action == "import":
        facts = _database.import_database(options.source, folder)
    elif options.action == "update":
        facts = _database.update_database(options.url, folder)
    else:
        text = _status(_database.status(folder), options.format, options.quiet)
        write(text + "\n", options)
        return 0
    if not options.quiet:
        print(f"{facts.records} advisories for {facts.packages} packages, the newest of {facts.newest}\n{facts.digest}")
    return 0


def _status(facts: object, form: str, quiet: bool) -> str:
    import json
    from datetime import UTC, datetime

    from shipworthy.checks.dependencies._database import Facts
    from shipworthy.user_folders import advisories_folder

    assert facts is None or isinstance(facts, Facts)  # noqa: S101  for the type checker
    age = (datetime.now(UTC).date() - facts.newest).days if facts and facts.newest else None
    if form == "json":
        row = {"advisories": facts.records, "packages": facts.packages, "digest": facts.digest} if facts else {}
        newest = str(facts.newest) if facts else None
        return json.dumps({"present": facts is not None, **row, "newest": newest, "days-old": age})
    if quiet:
        return str(age) if facts else "none"
    if facts is None:
        return (
            f"none in {advisories_folder()}: only the embedded advisories are used, and the check ends as partial\n"
            "what to do: shipworthy db update, or shipworthy db import FILE"
        )
    return (
        f"{facts.records} advisories for {facts.packages} packages\nnewest      {facts.newest} ({age} days ago)\n"
        f"digest      {facts.digest}\nin          {advisories_folder()}"
    )
