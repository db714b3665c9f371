"""Keys: one file of this package is one key provider, named as the scheme of its URIs.

A provider module has `open_signer(rest, passphrase)`, where `rest` is the URI without its scheme. Private keys never
leave their provider; every signature is verified right after it was made.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from shipworthy.errors import UsageError
from shipworthy.keys._public import ALGORITHMS, PublicKey, load_public, parse_public

Passphrase = Callable[[str], str]
"""Asks for the passphrase of what it is told the name of."""


class Signer(Protocol):
    """A private key that can be used and not be seen."""

    @property
    def identity(self) -> str:
        """Who signs, for people; no path and nothing secret."""
        ...

    def public_key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over the message, verified. Raises EnvironmentFailure when the key does not work."""
        ...


def schemes() -> tuple[str, ...]:
    """The schemes that there are providers for."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")))


def open_signer(uri: str, *, ask: Passphrase | None = None, env: Mapping[str, str] | None = None) -> Signer:
    """The signer that a URI names, such as `file:keys/release.key?passphrase-env=RELEASE_PASSPHRASE`.

    `ask` is called for the passphrase when the key has one and the URI names no variable of `env` (default: the
    process's environment). Raises UsageError for an unknown scheme, a missing or unsuitable key, a wrong passphrase.
    """
    scheme, separator, rest = uri.partition(":")
    if not separator or scheme not in schemes():
        known = ", ".join(f"{name}:" for name in schemes())
        raise UsageError(
            f"no key provider for {scheme[:20]!r}" if separator else "a key is given as a URI",
            where="the key",
            remedy=f"known providers: {known}; for example file:{'keys/release.key' if separator else uri}",
        )
    provider = importlib.import_module(f"shipworthy.keys.{scheme}")
    signer: Signer = provider.open_signer(rest, ask, os.environ if env is None else env)
    return signer


def new_key(path: Path, algorithm: str = "ed25519", passphrase: str | None = None) -> PublicKey:
    """Make a key pair: the private key at `path`, for the owner only, and the public one beside it (`.pub`).

    Raises UsageError when either is already there, or for an unknown algorithm, and EnvironmentFailure.
    """
    from shipworthy.keys.file import create

    return create(path, algorithm, passphrase)


__all__ = [
    "ALGORITHMS",
    "Passphrase",
    "PublicKey",
    "Signer",
    "load_public",
    "new_key",
    "open_signer",
    "parse_public",
    "schemes",
]
