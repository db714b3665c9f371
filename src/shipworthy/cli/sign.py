"""Sign a file or a folder in the OpenSSF Model Signing format: a signature over the digest of every file in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import named, output_file, quiet_option, write_file

EXAMPLES = """examples:
  shipworthy sign data --key ../keys/data.key --output data.sig
  shipworthy sign model --key ../keys/release.key --output model.sig
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `sign`."""
    parser.add_argument("path", type=named, help="what to sign")
    parser.add_argument("--key", required=True, help="the private key, such as ../keys/release.key")
    parser.add_argument("--output", type=output_file, required=True, metavar="FILE", help="where the signature goes")
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Sign and write."""
    from shipworthy.errors import UsageError
    from shipworthy.evidence.oms import sign_model
    from shipworthy.keys import open_signer
    from shipworthy.paths import is_there

    if not is_there(options.path):
        raise UsageError("there is no such file or folder", where=str(options.path))
    inside = options.path.is_dir() and options.path.resolve() == options.output.resolve().parent
    raw, manifest = sign_model(
        options.path, open_signer(_uri(options.key)), signature_name=options.output.name if inside else ""
    )
    write_file(options.output, raw)
    if not options.quiet:
        print(f"signed {len(manifest.files)} files of {options.path}: {options.output}")
    return 0


def _uri(key: str) -> str:
    """A key's URI as it is; a plain path as that of a file."""
    from urllib.parse import quote

    from shipworthy.keys import schemes

    scheme, separator, _ = key.partition(":")
    if separator and (scheme in schemes() or not Path(key).exists()):
        return key
    return f"file:{quote(key) if Path(key).exists() else key}"
