"""The signing key of a run: opened once, held as long as the run, never written anywhere."""

from __future__ import annotations

import os
import sys

from shipworthy.engine.stage import Job
from shipworthy.errors import UsageError
from shipworthy.keys import Signer, open_signer


def open_signing_key(job: Job) -> Signer:
    """The key of `[sign]`, opened when it is first asked for: people give its passphrase once.

    Raises UsageError when there is none, or when its passphrase cannot be had.
    """
    if job.signer is None:
        job.signer = _open(job)
    signer: Signer = job.signer
    return signer


def _open(job: Job) -> Signer:
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
