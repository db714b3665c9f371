"""The vulnerability database: what it holds and how old it is; import from a file; update from the network.
Advisories are in the format of OSV (https://ossf.github.io/osv-schema/): for each ecosystem a zip of JSON files.
What is known to be exploited is in CISA's KEV (JSON), how likely that is soon in FIRST's EPSS (CSV)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.cli.output import named, output_file, quiet_option, write

if TYPE_CHECKING:
    from shipworthy.checks._exploited import Imported
    from shipworthy.checks.dependencies._archives import Archive

EXAMPLES = """examples:
  shipworthy db status                  which archives, how many advisories, how old
  shipworthy db import all.zip          from a file, for machines without network
  shipworthy db update                  from the network: OSV's exports for what this project uses
  shipworthy db update --ecosystem npm --ecosystem Debian:12
  shipworthy db import known_exploited_vulnerabilities.json
"""
_STATUS = "examples:\n  shipworthy db status --format json --output status.json\n"
_IMPORT = """examples:
  shipworthy db import all.zip                           OSV's export for PyPI, brought here by hand
  shipworthy db import all.zip --ecosystem Debian:12     that of a distribution's release
  shipworthy db import epss_scores-current.csv.gz        how likely exploitation is
"""
_UPDATE = """examples:
  shipworthy db update --ecosystem Alpine:v3.20
  shipworthy db update --url https://mirror.example.org/osv
  shipworthy db update --url https://mirror.example.org/PyPI/all.zip
"""
URL = "https://osv-vulnerabilities.storage.googleapis.com"
_OF = "PyPI, npm, Debian, Debian:12, Alpine:v3.20, ..."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `db`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="status|import|update")
    shape = parser.formatter_class
    status = actions.add_parser("status", help="what there is", epilog=_STATUS, formatter_class=shape)
    status.add_argument("--format", choices=("table", "json"), default="table")
    status.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")
    quiet_option(status, "the age in days of the oldest archive alone, or `none`")
    bring = actions.add_parser("import", help="from a file", epilog=_IMPORT, formatter_class=shape)
    bring.add_argument("source", type=named, help="a zip of advisories, a folder of them, one JSON file, KEV or EPSS")
    bring.add_argument("--ecosystem", metavar="NAME", default="", help=f"what the advisories are of: {_OF}")
    quiet_option(bring)
    update = actions.add_parser("update", help="from the network", epilog=_UPDATE, formatter_class=shape)
    update.add_argument(
        "--ecosystem", metavar="NAME", action="append", default=[],
        help=f"which: {_OF} (default: those of the manifests and Dockerfiles below this folder)",
    )  # fmt: skip
    update.add_argument("--url", default=URL, help="a mirror with OSV's layout, or one zip (default: OSV)")
    quiet_option(update)


def run(options: argparse.Namespace) -> int:
    """Show, import or update."""
    from shipworthy.user_folders import advisories_folder

    folder = advisories_folder()
    if options.action == "import":
        _tell(_import(options, folder), options.quiet)
    elif options.action == "update":
        return _update(options, folder)
    else:
        write(_status(folder, options.format, options.quiet) + "\n", options)
    return 0


def _import(options: argparse.Namespace, folder: Path) -> Archive | Imported:
    from shipworthy.checks import _exploited
    from shipworthy.checks.dependencies import _archives

    if not options.ecosystem and _exploited.is_one(options.source):
        return _exploited.bring(options.source, folder)
    return _archives.bring(options.source, folder, options.ecosystem)


def _update(options: argparse.Namespace, folder: Path) -> int:
    """Every ecosystem by itself: one that cannot be fetched keeps none of the others away. Raises the first error."""
    from shipworthy.checks.dependencies import _archives
    from shipworthy.errors import EnvironmentFailure, UsageError

    one = options.url.partition("?")[0].lower().endswith(".zip")
    if one and len(options.ecosystem) > 1:
        raise UsageError("one archive is of one ecosystem", where="--url", remedy="give --ecosystem once, or a mirror")
    wanted = [_archives.known(name) for name in options.ecosystem] or ([""] if one else [])
    failed: list[EnvironmentFailure] = []
    for name in dict.fromkeys(wanted or _archives.of_project(Path())):
        try:
            _tell(_archives.update(name, options.url, folder), options.quiet)
        except EnvironmentFailure as error:
            error.message = f"{name}: {error.message}" if name else error.message
            failed.append(error)
    if failed:
        for other in failed[1:]:
            print(f"not updated: {other.message}")
        raise failed[0]
    return 0


def _tell(brought: Archive | Imported, quiet: bool) -> None:
    if quiet:
        return
    from shipworthy.checks.dependencies._archives import Archive

    if isinstance(brought, Archive):
        print(f"{brought.ecosystem}: {brought.records} advisories, the newest of {brought.newest}\n{brought.digest}")
    else:
        print(f"{brought.kind}: {brought.rows} vulnerabilities, of {brought.day or 'an unknown day'}\n{brought.digest}")


def _status(folder: Path, form: str, quiet: bool) -> str:
    import json

    rows = _rows(folder)
    advisories = [row for row in rows if row["kind"] == "OSV"]
    ages = [row["days-old"] for row in advisories if row["days-old"] is not None]
    oldest = max(ages, default=None)
    if form == "json":
        told = {
            "present": bool(advisories),
            "advisories": sum(row["records"] for row in advisories),
            "newest": min((row["newest"] for row in advisories if row["newest"]), default=None),
            "days-old": oldest,
            "archives": rows,
        }
        return json.dumps(told)
    if quiet:
        return str(oldest) if advisories else "none"
    lines = [
        f"{row['name']:<16}{row['records']:>8} of {row['newest'] or '?'}{_age(row)}  {row['digest']}" for row in rows
    ]
    if not advisories:
        lines += [
            f"none in {folder}: only the embedded advisories are used, and the check ends as partial",
            "what to do: shipworthy db update, or shipworthy db import FILE",
        ]
    return "\n".join([*lines, f"in {folder}"] if advisories else lines)


def _age(row: dict[str, Any]) -> str:
    return "" if row["days-old"] is None else f" ({row['days-old']} days ago)"


def _rows(folder: Path) -> list[dict[str, Any]]:
    from datetime import UTC, date, datetime

    from shipworthy.checks import _exploited
    from shipworthy.checks.dependencies import _archives

    def row(kind: str, name: str, records: int, day: str, digest: str) -> dict[str, Any]:
        days = (datetime.now(UTC).date() - date.fromisoformat(day)).days if day else None
        return {
            "kind": kind,
            "name": name,
            "records": records,
            "newest": day or None,
            "days-old": days,
            "digest": digest,
        }

    return [
        *(row("OSV", a.ecosystem, a.records, str(a.newest or ""), a.digest) for a in _archives.archives(folder)),
        *(row(one.kind, one.kind, one.rows, one.day, one.digest) for one in _exploited.status(folder)),
    ]
