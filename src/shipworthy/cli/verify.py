"""Verify a model: from what is stored, through gate, scans, evaluation and training, back to the datasets. Every byte
that is at hand is read again. The first broken link is named, with what was expected and what was found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import named, output_file, plain, quiet_option, settings_for, settings_option, write_file

if TYPE_CHECKING:
    from shipworthy.config import Settings
    from shipworthy.evidence.links import ChainResult

EXAMPLES = """examples:
  shipworthy verify                                     what this project stored last
  shipworthy verify spam-filter@20261122T213000Z-1a2b3c
  shipworthy verify model/                              is this folder the signed model?
  shipworthy verify data --key data.key.pub             is it what data.sig beside it was signed for?
  shipworthy verify .shipworthy/runs/RUN/evidence --key release.key.pub --format json
  shipworthy verify spam.shipworthy --fingerprint sha256:1f2e...       a bundle, on a machine without a network
  shipworthy verify spam-filter --policy policy.toml --key owner.pub   by a policy that its owner signed
"""
_MARKS = {
    "ok": "[green]✓[/]",
    "broken": "[red]✗ BROKEN[/]",
    "missing": "[red]✗ MISSING[/]",
    "attested-only": "[yellow]○[/]",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `verify`."""
    parser.add_argument(
        "target",
        nargs="?",
        type=lambda text: named(text) and text,
        help="a stored name, a model, or a folder of evidence",
    )
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        metavar="PUB",
        help="trust this public key, in every role; with --policy: it must have signed the policy",
    )
    parser.add_argument(
        "--policy", type=named, metavar="FILE", help="who may sign what, in place of the settings (docs/verify.md)"
    )
    parser.add_argument("--fingerprint", default="", metavar="DIGEST", help="of a bundle: believe the keys in it")
    parser.add_argument(
        "--extract", type=named, metavar="PATH", help="of a bundle that verifies: write the model or image here"
    )
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="the project's folder")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--output", type=output_file, metavar="FILE")
    settings_option(parser)
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0 when every link holds; else that of the worst that is wrong: 4 something was changed, 6 the policy is
    not met, 7 evidence is missing, 5 something could not be read."""
    from shipworthy.errors import UsageError
    from shipworthy.stages.bundles import is_bundle_file
    from shipworthy.stages.trust import believed, believed_by
    from shipworthy.stages.verification import refuse_unstored, verify_target

    root: Path = options.directory
    settings = settings_for(root, options.settings)
    if options.target and is_bundle_file(Path(options.target)):
        return _bundle(options, settings)
    if options.fingerprint or options.extract:
        raise UsageError("--fingerprint and --extract are for bundles", where=options.target or "verify")
    if not options.target:
        refuse_unstored(settings, root)
    owners = tuple(options.key)
    who = believed_by(options.policy, owners) if options.policy else believed(settings, root, owners)
    return _told(verify_target(options.target or "", settings, root, who), options)


def _bundle(options: argparse.Namespace, settings: Settings) -> int:
    """Verify a bundle: with the policy or keys given, the fingerprint of its own, or what the settings trust."""
    from shipworthy.errors import UsageError
    from shipworthy.stages.bundles import extract, opened, verify_bundle
    from shipworthy.stages.trust import Believed, believed, believed_by

    who: Believed | None = None
    if options.policy:
        who = believed_by(options.policy, tuple(options.key))
    elif options.key or (settings.source is not None and not options.fingerprint):
        try:
            who = believed(settings, options.directory, tuple(options.key))
        except UsageError:
            if options.key:
                raise
    with opened(Path(options.target)) as bundle:
        result = verify_bundle(bundle, bundle.believed(options.fingerprint, who))
        code = _told(result, options)
        if options.extract and result.ok:
            extract(bundle, options.extract)
            if not options.quiet:
                print(f"written: {options.extract}", file=sys.stderr)
    return code


def _told(result: ChainResult, options: argparse.Namespace) -> int:
    import json

    if options.format == "json":
        text = json.dumps({"ok": result.ok, "complete": result.complete, **_document(result)}, indent=2) + "\n"
        if options.output:
            write_file(options.output, text.encode())
        else:
            print(text, end="")
    else:
        print_chain(result, options.quiet)
    return int(result.exit_code)


def _document(result: object) -> dict[str, object]:
    from shipworthy.evidence.links import ChainResult

    assert isinstance(result, ChainResult)  # noqa: S101  for the type checker
    first = result.first_broken
    return {
        "target": result.target,
        "signers": sorted(result.signers),
        "broken": first.as_dict() if first else None,
        "links": [link.as_dict() for link in result.links],
        "notes": list(result.notes),
    }


def print_chain(result: object, quiet: bool = False) -> None:
    """The chain as a tree, then the verdict."""
    from rich.console import Console
    from rich.markup import escape
    from rich.tree import Tree

    from shipworthy.evidence.links import ChainResult

    assert isinstance(result, ChainResult)  # noqa: S101  for the type checker
    console = Console(width=None if sys.stdout.isatty() else 160)
    if not quiet:
        top = Tree("[bold]chain of custody[/]", highlight=False)
        nodes: dict[int, Tree] = {}
        for index, link in enumerate(result.links):
            parent = nodes.get(-1 if link.parent is None else link.parent, top)
            who = f" by {link.signer}" if link.signer else ""
            when = f" at {link.time}" if link.time else ""
            label = f"{_MARKS[link.status.value]} [bold]{escape(link.step)}[/] {escape(link.name)}"
            label += f" [dim]{escape(link.digest[:19])}{escape(who)}{escape(when)}[/]"
            if not link.holds:
                label += f"\n[red]{escape(plain(link.reason))}[/]"
            elif link.status.value == "attested-only":
                label += " [yellow]attested; its bytes are not here[/]"
            nodes[index] = parent.add(label)
        console.print(top)
        for note in result.notes:
            console.print(f"note: {escape(plain(note))}", highlight=False)
    first = result.first_broken
    if first is None:
        short = sum(link.status.value == "attested-only" for link in result.links)
        held = "1 link holds" if len(result.links) == 1 else f"{len(result.links)} links hold"
        tail = f"; of {short} only the digest is signed, the bytes are not here" if short else ""
        console.print(f"[green]VERIFIED[/]: {held}{tail}", highlight=False)
        return
    console.print(
        f"[red]NOT VERIFIED[/]: {escape(first.step)} {escape(first.name)}: {escape(plain(first.reason))}",
        highlight=False,
    )
    for word, value in (("expected", first.expected), ("found", first.actual), ("what to do", first.remedy)):
        if value:
            console.print(f"  {word}: {escape(plain(value))}", highlight=False)
