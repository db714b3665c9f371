"""Public keys: which kinds we trust, and how each verifies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALGORITHMS = ("ed25519", "ecdsa-p256-sha256")
PEM_LIMIT = 64 * 1024
_SSH = (b"ssh-", b"ecdsa-sha2-")


@dataclass(frozen=True)
class PublicKey:
    """A public key. `der` is its SubjectPublicKeyInfo (RFC 5280); the algorithm belongs to the key and is never taken
    from a signature.
    """

    der: bytes
    algorithm: str

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the SubjectPublicKeyInfo."""
        return hashlib.sha256(self.der).hexdigest()

    def pem(self) -> bytes:
        """The key as PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over the message: Ed25519 (RFC 8032), or ECDSA on P-256 with SHA-256,
        in DER.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.hashes import SHA256

        key = self._key()
        try:
            if isinstance(key, EllipticCurvePublicKey):
                key.verify(signature, message, ECDSA(SHA256()))
            else:
                key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _key(self) -> Ed25519PublicKey | EllipticCurvePublicKey:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        key = load_der_public_key(self.der)
        if not isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey):
            raise UsageError("this kind of key is not supported", where=self.keyid[:16])
        return key


def public_of(key: object, where: str) -> PublicKey:
    """Our form of a public key of `cryptography`. Raises UsageError for kinds that we do not trust."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, Ed25519PublicKey):
        return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "ed25519")
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "ecdsa-p256-sha256")
    raise UsageError(
        "this kind of key is not supported", where=where, remedy=f"use one of these: {', '.join(ALGORITHMS)}"
    )


def parse_public(pem: bytes, where: str = "the public key") -> PublicKey:
    """Read a public key in PEM, or one line of OpenSSH (`ssh-ed25519 AAAA…`). Raises UsageError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

    if b"PRIVATE KEY" in pem:
        raise UsageError(
            "this is a private key; the public one is needed", where=where, remedy="give the .pub file beside it"
        )
    try:
        key = load_ssh_public_key(pem) if pem.startswith(_SSH) else load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("this is no public key in PEM, and none of OpenSSH", where=where) from None
    return public_of(key, where)


def load_public(path: Path) -> PublicKey:
    """Read a public key file (PEM). Raises UsageError, EnvironmentFailure."""
    try:
        with path.open("rb") as stream:
            pem = stream.read(PEM_LIMIT + 1)
    except FileNotFoundError:
        raise UsageError(
            "there is no such public key", where=str(path), remedy="make a key pair with `shipworthy keys new`"
        ) from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(pem) > PEM_LIMIT:
        raise UsageError("this is no public key: it is too large", where=str(path))
    return parse_public(pem, str(path))
