"""Make and show signing keys. A private key is a file that only its owner can read; keep it out of the repository."""

from __future__ import annotations

import argparse
import sys

from shipworthy.cli.output import named, output_file, quiet_option, write_file

EXAMPLES = """examples:
  shipworthy keys new --roles ../keys                          a key for each role: data, build, gate, release, deploy
  shipworthy keys new ../keys/release.key                      Ed25519, no passphrase
  shipworthy keys new release.key --algorithm ecdsa-p256-sha256 --passphrase-env RELEASE_PASSPHRASE
  shipworthy keys show ../keys/release.key.pub                 algorithm and key id
  shipworthy keys public ssh:agent --output release.pub        the public half of any key that [sign] can name
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `keys`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="new|show|public")
    new = actions.add_parser("new", help="make a key pair", epilog=EXAMPLES, formatter_class=parser.formatter_class)
    new.add_argument(
        "path",
        type=named,
        help="where the private key goes; the public one goes beside it as PATH.pub. With --roles: the folder",
    )
    new.add_argument("--roles", action="store_true", help="a key for each role, as ROLE.key in the folder")
    new.add_argument("--algorithm", choices=("ed25519", "ecdsa-p256-sha256"), default="ed25519")
    new.add_argument(
        "--passphrase-env", metavar="NAME", help="encrypt it with the passphrase in this environment variable"
    )
    quiet_option(new)
    shown = "examples:\n  shipworthy keys show ../keys/release.key.pub\n"
    show = actions.add_parser("show", help="show a public key", epilog=shown, formatter_class=parser.formatter_class)
    show.add_argument("path", type=named, help="the public key")
    quiet_option(show, "the key id alone")
    half = "examples:\n  shipworthy keys public env:RELEASE_KEY --output keys/release.pub\n"
    public = actions.add_parser(
        "public", help="the public half of a key", epilog=half, formatter_class=parser.formatter_class
    )
    public.add_argument("uri", help="the key as the settings name it, such as file:../keys/release.key or ssh:agent")
    public.add_argument("--output", type=output_file, metavar="FILE", help="write it here, as PEM")
    quiet_option(public)


def run(options: argparse.Namespace) -> int:
    """Make or show."""
    import os

    from shipworthy.errors import UsageError
    from shipworthy.keys import load_public, new_key, open_signer
    from shipworthy.keys.file import refuse_existing
    from shipworthy.model.roles import ROLES

    if options.action == "public":
        pem = open_signer(options.uri, ask=_asked if sys.stdin.isatty() else None).public_key().pem()
        if options.output:
            write_file(options.output, pem)
        else:
            print(pem.decode(), end="")
        return 0
    if options.action == "show":
        key = load_public(options.path)
        print(key.keyid if options.quiet else f"algorithm  {key.algorithm}\nkey id     {key.keyid}")
        return 0
    passphrase = None
    if options.passphrase_env:
        passphrase = os.environ.get(options.passphrase_env)
        if not passphrase:
            raise UsageError("the variable is empty or not set", where=options.passphrase_env)
    paths = [options.path / f"{role}.key" for role in ROLES] if options.roles else [options.path]
    for path in paths:  # before the first is made
        refuse_existing(path)
    for path in paths:
        key = new_key(path, options.algorithm, passphrase)
        if not options.quiet:
            print(f"private key  {path} (only you can read it; keep it out of the repository)")
            print(f"public key   {path}.pub\nkey id       {key.keyid}")
    if options.roles and not options.quiet:
        print(f'next: in the settings, [sign] key = "file:{options.path}/{{role}}.key"')
    return 0


def _asked(name: str) -> str:
    import getpass

    return getpass.getpass(f"passphrase of {name}: ")
