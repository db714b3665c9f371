"""Private keys that are held here while they sign: read from a file, opened from PEM, used and never shown."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.keys._public import PEM_LIMIT, PublicKey, public_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True)
class KeySigner:
    """A private key in this process. Its repr shows nothing of the key."""

    key: PrivateKey = field(repr=False, compare=False)
    public: PublicKey

    @property
    def identity(self) -> str:
        """The start of the key id: a file's path says nothing to others."""
        return f"key {self.public.keyid[:16]}"

    def public_key(self) -> PublicKey:
        """The key that verifies."""
        return self.public

    def sign(self, message: bytes) -> bytes:
        """The signature, verified. Raises EnvironmentFailure when it does not verify (a broken machine or library)."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256

        if isinstance(self.key, EllipticCurvePrivateKey):
            signature = self.key.sign(message, ECDSA(SHA256()))
        else:
            signature = self.key.sign(message)
        if not self.public.verify(message, signature):
            raise EnvironmentFailure("a signature that was just made does not verify", where=self.identity)
        return signature


def options_of(rest: str, known: set[str]) -> tuple[str, dict[str, str]]:
    """A URI's part before the `?`, and the options after it. Raises UsageError for an unknown one."""
    text, _, query = rest.partition("?")
    pairs = (item.partition("=") for item in query.split("&") if item)
    options = {unquote(name): unquote(value) for name, _, value in pairs}  # a `+` is one: fingerprints have it
    if unknown := sorted(options.keys() - known):
        remedy = f"known options: {', '.join(sorted(known))}"
        raise UsageError(f"unknown option {unknown[0][:40]!r}", where="the key", remedy=remedy)
    return text, options


def read_private(path: Path) -> bytes:
    """A private key's file. Raises UsageError when it is not there, is no regular file, can be read by others, or holds
    no private key in PEM; EnvironmentFailure when it cannot be read.
    """
    try:
        # links are followed: secrets are mounted as links; what counts is the mode of the file that is opened
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise UsageError(
            "there is no such key",
            where=str(path),
            remedy="make it with `shipworthy keys new` (one for each role: `--roles FOLDER`), or correct the path",
        ) from None
    except OSError as error:
        raise EnvironmentFailure(f"the key cannot be read: {error.strerror}", where=str(path)) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UsageError("the key is no regular file", where=str(path))
    with open(descriptor, "rb") as stream:
        if status.st_mode & 0o077:
            raise UsageError(
                f"the private key can be read by others (mode {stat.S_IMODE(status.st_mode):04o})",
                where=str(path),
                remedy=f"chmod 600 {path}; if others could have read it, make a new key",
            )
        pem = stream.read(PEM_LIMIT + 1)
    if len(pem) > PEM_LIMIT or b"PRIVATE KEY" not in pem:
        raise UsageError("this is no private key in PEM", where=str(path))
    return pem


def passphrase_of(
    name: str, options: Mapping[str, str], ask: Callable[[str], str] | None, env: Mapping[str, str]
) -> bytes:
    """The passphrase of the key that is called so: of the variable that the URI names, or asked for. Raises UsageError
    when it cannot be had.
    """
    variable = options.get("passphrase-env")
    if variable is not None:
        if not env.get(variable):
            raise UsageError(f"the variable {variable} with the key's passphrase is not set", where=name)
        return env[variable].encode("utf-8")
    if ask is None:
        remedy = "name the variable that holds it: add ?passphrase-env=NAME to the key"
        raise UsageError("the key has a passphrase", where=name, remedy=remedy)
    return ask(name).encode("utf-8")


def load_pem(pem: bytes, passphrase: bytes | None, where: str) -> KeySigner:
    """Open a PKCS#8 key. Raises UsageError when it is damaged, of another kind, or the passphrase is wrong."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # the library's own words could quote what it was given
        problem = "the passphrase is wrong, or the key is damaged" if passphrase is not None else "the key is damaged"
        raise UsageError(problem, where=where) from None
    return signer_of(key, where)


def signer_of(key: object, where: str) -> KeySigner:
    """A key of `cryptography` as a signer. Raises UsageError for kinds that we do not sign with."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = getattr(key, "public_key", lambda: None)()
    found = public_of(public, where)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        raise UsageError("this kind of key is not supported", where=where)
    return KeySigner(key, found)
