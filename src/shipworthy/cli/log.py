"""A transparency log of your own: what was signed stands in it in order, and what stands in it cannot be altered, left
out or dated back unseen by those who keep a checkpoint of it. It is a local log, and no public one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import named, output_file, plain, quiet_option, settings_for, settings_option, write_file

if TYPE_CHECKING:
    from shipworthy.config import Settings
    from shipworthy.tlog import Log, Verifier

EXAMPLES = """examples:
  shipworthy log add .shipworthy/runs/RUN/evidence      what a run signed (runs do so themselves where [log] says where)
  shipworthy log checkpoint --output checkpoint.txt     keep this elsewhere: in another repository, with somebody else
  shipworthy log verify --since checkpoint.txt          has it only grown since then?
  shipworthy log prove gate.sigstore.json               a proof that can be verified without the log
  shipworthy log list
"""
_ABOUT = {
    "add": "add signed files",
    "verify": "read all of it again; with --since, against a checkpoint that was kept elsewhere",
    "prove": "prove that a file stands in it (JSON)",
    "checkpoint": "show or write the newest checkpoint",
    "list": "show what stands in it",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `log`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(_ABOUT))
    for name, about in _ABOUT.items():
        one = actions.add_parser(name, help=about, epilog=EXAMPLES, formatter_class=parser.formatter_class)
        if name == "add":
            one.add_argument("paths", nargs="+", type=named, help="signed files, or folders of evidence")
        if name == "prove":
            one.add_argument("path", type=named, help="a signed file")
        if name == "verify":
            one.add_argument("--since", type=named, action="append", default=[], metavar="FILE", help="a checkpoint")
        if name in ("prove", "checkpoint"):
            one.add_argument("--output", type=output_file, metavar="FILE")
        one.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="the project's folder")
        settings_option(one)
        quiet_option(one)


def run(options: argparse.Namespace) -> int:
    """Do what is asked. Exit code 4 when the log is not what it was."""
    from shipworthy.stages import logged

    root: Path = options.directory
    settings = settings_for(root, options.settings)
    log, verifier = _log(settings, root)
    if options.action == "add":
        added = logged.add_to_log(settings, root, logged.digests_of(options.paths))
        _say(options, f"{added} added; the log has {log.checkpoint(verifier)[1].size} entries")
    elif options.action == "verify":
        since = [_read(path) for path in options.since]
        now = log.verify(verifier, since=since)
        grown = ", and has only grown since the checkpoints given" if since else ""
        _say(options, f"{now.size} entries lead to the root that {log.origin} signed{grown}")
    elif options.action == "checkpoint":
        _write(log.checkpoint(verifier)[0], options)
    elif options.action == "prove":
        _prove(log, verifier, options)
    else:
        for entry in log.entries(verifier):
            digest, time = logged.read_entry(entry.data) or ("another kind of entry", "")
            print(f"{entry.index:6}  {time:20}  {plain(digest)}")
    return 0


def _log(settings: Settings, root: Path) -> tuple[Log, Verifier]:
    from shipworthy.errors import UsageError
    from shipworthy.keys import load_public
    from shipworthy.stages.logged import project_log
    from shipworthy.tlog import verifier_of

    log = project_log(settings, root)
    if log is None:
        raise UsageError(
            "there is no log in the settings",
            where="[log] at",
            remedy='such as: at = "../log" and key = "file:../keys/log.key" (shipworthy keys new ../keys/log.key)',
        )
    key = settings.trust.log.key or f"{settings.log.key.removeprefix('file:').partition('?')[0]}.pub"
    return log, verifier_of(log.origin, load_public(root / key))


def _prove(log: Log, verifier: Verifier, options: argparse.Namespace) -> None:
    import json

    from shipworthy.errors import UsageError
    from shipworthy.evidence.digest import sha256_file
    from shipworthy.stages.logged import entries_of

    digest = sha256_file(options.path)
    found = entries_of(log, verifier).get(digest)
    if found is None:
        raise UsageError("it does not stand in the log", where=str(options.path), remedy="`shipworthy log add` adds it")
    proof = log.prove(found.index, verifier)
    entry = next(one.data for one in log.entries(verifier) if one.index == found.index)
    document = {"log": verifier.text(), "entry": json.loads(entry), **proof.as_dict()}
    _write(json.dumps(document, indent=2).encode() + b"\n", options)


def _read(path: Path) -> bytes:
    from shipworthy.evidence.files import read_bounded
    from shipworthy.tlog.note import NOTE_LIMIT

    return read_bounded(path, NOTE_LIMIT)


def _write(data: bytes, options: argparse.Namespace) -> None:
    if options.output:
        write_file(options.output, data)
    else:
        sys.stdout.write(data.decode())


def _say(options: argparse.Namespace, text: str) -> None:
    if not options.quiet:
        print(text)
