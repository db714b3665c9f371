"""Signed notes (c2sp.org/signed-note, v1.0.0): text, an empty line, and signatures of Ed25519 keys that have a name."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shipworthy.errors import EvidenceError, UsageError

NOTE_LIMIT = 64 * 1024
SIGNATURES_LIMIT = 16
_ED25519 = b"\x01"
_DASH = "— "


class Key(Protocol):
    """A public key of `keys/`."""

    @property
    def der(self) -> bytes:
        """SubjectPublicKeyInfo."""
        ...

    @property
    def algorithm(self) -> str:
        """`ed25519` is what notes can have."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether it is the key's signature."""
        ...


class Signer(Protocol):
    """What signs notes."""

    def public_key(self) -> Key:
        """The key that verifies."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature."""
        ...


@dataclass(frozen=True)
class Verifier:
    """A name and the key that signs under it. `hint` are the four bytes that stand before its signatures."""

    name: str
    key: Key

    @property
    def hint(self) -> bytes:
        """The start of SHA-256 over the name, a line feed, the algorithm and the key."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + _raw(self.key)).digest()[:4]

    def text(self) -> str:
        """The verifier key as other tools take it: `NAME+HINT+KEY`."""
        return f"{self.name}+{self.hint.hex()}+{base64.b64encode(_ED25519 + _raw(self.key)).decode()}"


def verifier_of(name: str, key: Key) -> Verifier:
    """The verifier. Raises UsageError for a name that notes cannot have, or another kind of key."""
    if not name or any(char.isspace() or char == "+" for char in name) or not name.isprintable() or len(name) > 200:
        raise UsageError(
            f"{name[:60]!r} is no name of a log", where="the log", remedy="such as example.org/models: no space, no `+`"
        )
    if key.algorithm != "ed25519":
        raise UsageError(
            f"a log is signed with an Ed25519 key, and this one is {key.algorithm}",
            where=name,
            remedy="make one: shipworthy keys new ../keys/log.key",
        )
    return Verifier(name, key)


def sign(text: str, name: str, signer: Signer) -> bytes:
    """The note of a text, which ends in a line feed and has no empty line at its end."""
    verifier = verifier_of(name, signer.public_key())
    signature = verifier.hint + signer.sign(text.encode())
    return f"{text}\n{_DASH}{name} {base64.b64encode(signature).decode()}\n".encode()


def open_note(raw: bytes, verifiers: Sequence[Verifier], where: str = "the checkpoint") -> tuple[str, tuple[str, ...]]:
    """The text of a note, and the names of those of the verifiers that signed it. Raises EvidenceError when none did, a
    signature of one of them does not fit, or it is no note.
    """
    text, lines = _parts(raw, where)
    signed: list[str] = []
    for line in lines:
        name, hint, signature = _signature(line, where)
        for verifier in verifiers:
            if (verifier.name, verifier.hint) != (name, hint):
                continue
            if not verifier.key.verify(text.encode(), signature):
                raise EvidenceError(
                    f"the signature of {name} does not fit", where=where, remedy="it was changed: get it again"
                )
            signed.append(name)
    if not signed:
        names = ", ".join(sorted({verifier.name for verifier in verifiers})) or "nobody"
        raise EvidenceError(
            "it is signed by nobody who is trusted", where=where, remedy=f"trusted here: {names}; check the log's key"
        )
    return text, tuple(dict.fromkeys(signed))


def _parts(raw: bytes, where: str) -> tuple[str, list[str]]:
    try:
        whole = raw.decode("utf-8") if len(raw) <= NOTE_LIMIT else ""
    except UnicodeDecodeError:
        whole = ""
    body, middle, signatures = whole.rpartition("\n\n")
    clean = all(char == "\n" or ord(char) >= 32 for char in whole)
    lines = signatures.split("\n")
    if not middle or not body or not clean or lines[-1] != "" or not 1 < len(lines) <= SIGNATURES_LIMIT + 1:
        raise EvidenceError("this is no signed note", where=where, remedy="get it again from where it was made")
    return body + "\n", lines[:-1]


def _signature(line: str, where: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if not line.startswith(_DASH) or not name or len(value) < 5 or base64.b64encode(value).decode() != encoded:
        raise EvidenceError("the note has a malformed signature", where=where)
    return name, value[:4], value[4:]


def _raw(key: Key) -> bytes:
    """The 32 bytes of an Ed25519 key, which end its SubjectPublicKeyInfo (RFC 8410)."""
    return key.der[-32:]
