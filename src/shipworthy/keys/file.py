"""Keys in files: `file:path`, `file:path?passphrase-env=NAME`. PKCS#8 in PEM, Ed25519 or ECDSA on P-256."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.keys._private import KeySigner, load_pem, options_of, passphrase_of, read_private
from shipworthy.keys._public import ALGORITHMS, PublicKey, public_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def open_signer(rest: str, ask: Callable[[str], str] | None, env: Mapping[str, str]) -> KeySigner:
    """Open a private key. `rest` is `path[?passphrase-env=NAME]`, percent-encoded where it must be.

    Raises UsageError when it is not there, is readable by others, is of an unsupported kind, or the passphrase is
    missing or wrong; EnvironmentFailure when it cannot be read.
    """
    text, options = options_of(rest, {"passphrase-env"})
    path = Path(unquote(text))
    pem = read_private(path)
    passphrase = passphrase_of(path.name, options, ask, env) if b"ENCRYPTED" in pem else None
    return load_pem(pem, passphrase, str(path))


def create(path: Path, algorithm: str = "ed25519", passphrase: str | None = None) -> PublicKey:
    """Make a key pair: `path` (mode 0600) and `path` + `.pub`. Nothing is overwritten, and no half is left behind.

    Raises UsageError when either is there already, for an unknown algorithm, for an empty passphrase;
    EnvironmentFailure when they cannot be written.
    """
    if algorithm not in ALGORITHMS:
        raise UsageError(f"unknown algorithm {algorithm!r}", where="the key", remedy=f"one of: {', '.join(ALGORITHMS)}")
    if passphrase == "":
        raise UsageError("the passphrase is empty", where=str(path), remedy="give one, or make the key without")
    beside = path.with_name(f"{path.name}.pub")
    refuse_existing(path)
    private, public = _generate(algorithm, passphrase)
    _write_new(path, private, 0o600)
    try:
        _write_new(beside, public.pem(), 0o644)
    except (UsageError, EnvironmentFailure):
        path.unlink(missing_ok=True)
        raise
    return public


def refuse_existing(path: Path) -> None:
    """Raises UsageError when a private key, or the public one beside it, is there already."""
    for wanted in (path, path.with_name(f"{path.name}.pub")):
        if os.path.lexists(wanted):
            raise _exists(wanted)


def _generate(algorithm: str, passphrase: str | None) -> tuple[bytes, PublicKey]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key: PrivateKey = Ed25519PrivateKey.generate() if algorithm == "ed25519" else generate_private_key(SECP256R1())
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase.encode("utf-8"))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem, public_of(key.public_key(), "the new key")


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet, whole or not at all."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(f"the key cannot be written: {error.strerror}", where=str(path)) from None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.link(temporary, path)  # unlike a rename, fails when another process was first
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise EnvironmentFailure(f"the key cannot be written: {error.strerror}", where=str(path)) from None
    finally:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()


def _exists(path: Path) -> UsageError:
    return UsageError(
        "there is a file already; a key is never overwritten", where=str(path), remedy="choose another path"
    )
