"""Say that something must not be used any more: a dataset, a dependency, a model, by its digest or where it lies. What
rests on it does not verify from then on. The list is a signed file: commit it, and give it to whoever verifies."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import named, plain, quiet_option, settings_for, settings_option

EXAMPLES = """examples:
  shipworthy revoke data/train.csv --reason "poisoned: rows 100 to 400 are planted"
  shipworthy revoke sha256:1f2e... --reason "malicious release of a dependency" --name evil-0.3-py3-none-any.whl
  shipworthy revoke --list
  shipworthy revoke --renew      nothing new: signed again, so that it is not too old
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `revoke`."""
    parser.add_argument("target", nargs="?", default="", help="a digest (sha256:…), or a file or folder that has it")
    parser.add_argument("--reason", default="", help="why, for those whose verification it stops")
    parser.add_argument("--instead", default="", metavar="DIGEST", help="what to use instead: a digest or a path")
    parser.add_argument("--name", default="", help="what it is called, where a digest is given")
    parser.add_argument("--list", action="store_true", dest="show", help="show what is revoked")
    parser.add_argument("--renew", action="store_true", help="sign the list again under the next version")
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="the project's folder")
    settings_option(parser)
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Add to the list, show it, or renew it."""
    from shipworthy.errors import UsageError
    from shipworthy.stages import revocations

    root: Path = options.directory
    settings = settings_for(root, options.settings)
    if options.show:
        return _show(revocations.current(settings, root))
    if options.renew:
        new, path = revocations.renew(settings, root)
        if not options.quiet:
            print(f"version {new.version} of {path}: signed again, {len(new.revoked)} revoked")
        return 0
    if not options.target or not options.reason.strip():
        lacking = "what to revoke" if not options.target else "a reason"
        raise UsageError(
            f"{lacking} is missing", remedy='such as: shipworthy revoke data/train.csv --reason "poisoned"; or --list'
        )
    added, new, path = revocations.revoke(
        options.target, options.reason, settings, root, instead=options.instead, name=options.name
    )
    if not options.quiet:
        print(f"revoked  {plain(added.name or 'this digest')} {added.digest}")
        print(f"list     {path} (version {new.version}): commit it, and give it to whoever verifies")
        print(f"next     shipworthy impact {added.digest}   what rests on it")
    return 0


def _show(found: object) -> int:
    from shipworthy.evidence.revocation import RevocationList

    assert isinstance(found, RevocationList)  # noqa: S101  for the type checker
    if not found.revoked:
        print("nothing is revoked")
        return 0
    print(f"version {found.version} of {found.time}")
    for one in found.revoked.values():
        print(f"{one.time[:10]}  {one.digest}  {plain(one.name)}\n            {plain(one.reason)}")
        if one.instead:
            print(f"            instead: {plain(one.instead)}")
    return 0
