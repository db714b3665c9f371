"""Pack a stored model or image, its whole chain of evidence and the public keys into one file, which verifies on a
machine without a network: `shipworthy verify FILE --fingerprint …`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shipworthy.cli.output import named, output_file, quiet_option, settings_for, settings_option

EXAMPLES = """examples:
  shipworthy bundle --output spam.shipworthy                     what this project stored last
  shipworthy bundle spam-service@20261122T213000Z-1a2b3c --output spam-service.shipworthy
  shipworthy verify spam.shipworthy --fingerprint sha256:1f2e... --extract model/      on the other machine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bundle`."""
    parser.add_argument("target", nargs="?", default="", help="a stored name, or name@version")
    parser.add_argument("--output", type=output_file, required=True, metavar="FILE", help="where the bundle goes")
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="the project's folder")
    settings_option(parser)
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Verify, then pack: what does not verify is not packed, and the exit code is that of `verify`."""
    from shipworthy.cli.verify import print_chain
    from shipworthy.stages.bundles import write_bundle
    from shipworthy.stages.trust import believed
    from shipworthy.stages.verification import refuse_unstored, stored_release, verify_target

    root: Path = options.directory
    settings = settings_for(root, options.settings)
    if not options.target:
        refuse_unstored(settings, root)
    who = believed(settings, root)
    result = verify_target(options.target, settings, root, who)
    if result.first_broken is not None:
        print_chain(result, options.quiet)
        return int(result.exit_code)
    store, ref = stored_release(options.target, settings, root)
    with _shown(options.quiet) as progress:
        fingerprint, size = write_bundle(store, ref, who, options.output, progress)
    if not options.quiet:
        print(f"{ref.name}@{ref.version} in {options.output}: {size:,} bytes")
        print(f"fingerprint of the keys in it  {fingerprint}")
        print("Tell the fingerprint to whoever verifies it, by another way than the file goes; there:")
        print(f"  shipworthy verify {options.output.name} --fingerprint {fingerprint}")
    return 0


@contextmanager
def _shown(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar for people at a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("packing", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
