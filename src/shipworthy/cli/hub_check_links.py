"""Ask whether the catalogue's addresses are still there. This opens connections to every one of them, and so happens
only with --online. It is polite: one request at a time to a host, robots.txt, pauses. A history is kept: an address is
called dead only when it failed on three days over the days of grace. Exit code 1 if one is dead or not public."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from shipworthy.cli.output import named, output_file, quiet_option

if TYPE_CHECKING:
    from shipworthy.hub.links import Outcome
    from shipworthy.hub.links.history import Known

EXAMPLES = """examples:
  shipworthy hub check-links --online
  shipworthy hub check-links --online trivy gitleaks
  shipworthy hub check-links --online --limit 100 --history links.jsonl
"""
CONTACT = "https://github.com/shipworthy/shipworthy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub check-links`."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="entries; none: all of them")
    parser.add_argument("--online", action="store_true", help="yes, open connections")
    parser.add_argument("--history", type=named, metavar="FILE", help="default: in the user's state folder")
    parser.add_argument("--grace", type=int, default=14, metavar="DAYS", help="default: 14")
    parser.add_argument("--delay", type=float, default=1.0, metavar="SECONDS", help="between requests to a host (1)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="only N, those longest not looked at")
    parser.add_argument("--contact", default=CONTACT, metavar="URL", help="how to reach you, for the User-Agent")
    parser.add_argument("--no-archive", action="store_true", help="do not look for copies at the Internet Archive")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")
    quiet_option(parser, "no progress")


def run(options: argparse.Namespace) -> int:
    """Ask, remember, tell."""
    from datetime import UTC, datetime

    from shipworthy.cli.output import plain, write
    from shipworthy.errors import EnvironmentFailure, ExitCode, UsageError
    from shipworthy.hub.links import archived, check
    from shipworthy.hub.links.client import Client
    from shipworthy.hub.links.history import Known, load, save
    from shipworthy.user_folders import state_folder

    if not options.online:
        raise UsageError(
            "this asks every site of the catalogue", where="hub check-links", remedy="add --online if that is wanted"
        )
    if options.delay < 0.5 or options.grace < 0 or options.limit < 0:
        raise UsageError("a delay is at least 0.5 s; --grace and --limit are not negative")
    if not options.contact.isascii() or not options.contact.isprintable():
        raise UsageError("it cannot be in a header", where="--contact", remedy="give an https or mailto address")
    path = options.history or state_folder() / "hub-links.jsonl"
    known, today = load(path), datetime.now(UTC).date().isoformat()
    pages = _addresses(options.ids)
    wanted = sorted(pages, key=lambda url: (known[url].checked if url in known else "", url))
    client = Client(options.contact, delay=options.delay)
    outcomes = check(wanted[: options.limit or None], client, lambda one: _progress(one, options.quiet))
    if outcomes and all(one.state == "unreachable" for one in outcomes):
        raise EnvironmentFailure("no address can be reached", remedy="is there a network? The history stays as it was")
    for one in outcomes:
        if one.state != "unknown":  # a server that does not tell says nothing about the page
            good = one.state in ("good", "moved")
            known[one.url] = known.get(one.url, Known(one.url)).after(today, good, one.told)
    save(path, known)
    bad = {one.url for one in outcomes if one.state in ("gone", "unreachable")}
    copies = {} if options.no_archive else {url: archived(url, client) for url in bad}
    lines = [_line(one, pages[one.url], known, copies, today, options.grace) for one in outcomes if one.state != "good"]
    good_ones = sum(one.state == "good" for one in outcomes)
    write(plain("\n".join([*lines, f"{len(outcomes)} addresses: {good_ones} good; history: {path}"])) + "\n", options)
    dead = any(
        one.state == "not-public" or (one.url in bad and known[one.url].dead(today, options.grace)) for one in outcomes
    )
    return int(ExitCode.GATE if dead else ExitCode.SHIPWORTHY)


def _addresses(ids: list[str]) -> dict[str, str]:
    """The page ids of entries by their address. Raises UsageError for an id that is none."""
    from shipworthy.cli.hub import load_hub
    from shipworthy.errors import UsageError
    from shipworthy.hub import Entry

    hub = load_hub()
    chosen = [hub.things[hub.page(one)] for one in ids] if ids else list(hub.entries.values())
    entries = [one for one in chosen if isinstance(one, Entry)]
    if len(entries) < len(chosen):
        raise UsageError("only entries have addresses", remedy="name entries, such as tool/trivy")
    return {one.url: one.page for one in entries}


def _line(one: Outcome, page: str, known: dict[str, Known], copies: dict[str, str], today: str, grace: int) -> str:
    about = f"{page}: {one.url}"
    if one.state == "moved":
        return f"moved    {about}\n           now at {one.to}; put that into `url`, and this into `aliases`"
    if one.state == "unknown":
        return f"unknown  {about}: {one.told}"
    if one.state == "not-public":
        return f"refused  {about}: {one.told}"
    copy = f"\n           a copy: {copies[one.url]}" if copies.get(one.url) else ""
    if known[one.url].dead(today, grace):
        since = known[one.url].failing
        return f"dead     {about}: {one.told}, since {since}\n           find where it went, or say so in `note`{copy}"
    return f"failing  {about}: {one.told}, since {known[one.url].failing}; too early to call it dead{copy}"


def _progress(one: Outcome, quiet: bool) -> None:
    if not quiet and sys.stderr.isatty():
        print(f"{one.state:12}{one.url[:100]}", file=sys.stderr)
