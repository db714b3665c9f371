"""Keys in files: `file:path`, `file:path?passphrase-env=NAME`. PKCS#8 in PEM, Ed25519 or ECDSA on P-256."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.keys._public import ALGORITHMS, PEM_LIMIT, PublicKey, public_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True)
class FileSigner:
    """A private key read from a file. Its repr shows nothing of the key."""

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


def open_signer(rest: str, ask: Callable[[str], str] | None, env: Mapping[str, str]) -> FileSigner:
    """Open a private key. `rest` is `path[?passphrase-env=NAME]`, percent-encoded where it must be.

    Raises UsageError when it is not there, is readable by others, is of an unsupported kind, or the passphrase is
    missing or wrong; EnvironmentFailure when it cannot be read.
    """
    text, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    path = Path(unquote(text))
    if unknown := sorted(options.keys() - {"passphrase-env"}):
        raise UsageError(f"unknown option {unknown[0][:40]!r}", where="the key", remedy="known options: passphrase-env")
    pem = _read_private(path)
    passphrase = None
    if b"ENCRYPTED" in pem:
        passphrase = _passphrase(path, options.get("passphrase-env"), ask, env)
    return _load(pem, passphrase, str(path))


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


def _read_private(path: Path) -> bytes:
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


def _passphrase(path: Path, variable: str | None, ask: Callable[[str], str] | None, env: Mapping[str, str]) -> bytes:
    if variable is not None:
        if not env.get(variable):
            raise UsageError(f"the variable {variable} with the key's passphrase is not set", where=str(path))
        return env[variable].encode("utf-8")
    if ask is None:
        raise UsageError(
            "the key has a passphrase",
            where=str(path),
            remedy=f"name the variable that holds it: file:{path}?passphrase-env=NAME",
        )
    return ask(path.name).encode("utf-8")


def _load(pem: bytes, passphrase: bytes | None, where: str) -> FileSigner:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # the library's own words could quote what it was given
        problem = "the passphrase is wrong, or the key is damaged" if passphrase is not None else "the key is damaged"
        raise UsageError(problem, where=where) from None
    public = public_of(key.public_key(), where)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        raise UsageError("this kind of key is not supported", where=where)
    return FileSigner(key, public)


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
