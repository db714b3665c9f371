"""Keys and passphrases of a run: opened when needed, never kept."""

from __future__ import annotations

import os
import sys

from shipworthy.engine.stage import Job
from shipworthy.errors import UsageError
from shipworthy.keys import Signer, open_signer


def open_signing_key(job: Job) -> Signer:
    """The key of `[sign]`. Raises UsageError when there is none, or when its passphrase cannot be had."""
    settings = job.settings.sign
    if not settings.key:
        raise UsageError(
            "no signing key is named",
            where="[sign] key",
            remedy='make one: `shipworthy keys new ../keys/release.key`, then key = "file:../keys/release.key"',
        )
    scheme, _, rest = settings.key.partition(":")
    uri = f"file:{job.root / rest}" if scheme == "file" else settings.key

    def ask(name: str) -> str:
        if settings.passphrase.startswith("env:"):
            given = os.environ.get(settings.passphrase.removeprefix("env:"), "")
            if given:
                return given
        if sys.stdin.isatty():
            import getpass

            return getpass.getpass(f"passphrase of {name}: ")
        raise UsageError(
            "the key has a passphrase", where=name, remedy='say where it is: passphrase = "env:NAME" in [sign]'
        )

    return open_signer(uri, ask=ask)
