"""Signed statements: DSSE envelopes, wrapped as Sigstore bundles v0.3.

Sources: DSSE v1.0.2 (github.com/secure-systems-lab/dsse), Sigstore bundle v0.3 with a public key instead of a
certificate. The algorithm comes from the trusted key, never from the envelope; the key id in it is only a hint. Our own
bundles have one valid form, byte for byte, so that nothing in the file can be changed unseen.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shipworthy.errors import UsageError
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.strictjson import canonical, load

PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ALGORITHMS = frozenset({"ed25519", "ecdsa-p256-sha256"})
SIGNATURES_LIMIT = 16


class PublicKey(Protocol):
    """What verification needs of a key. `keyid` is the hex SHA-256 of its SubjectPublicKeyInfo in DER."""

    @property
    def keyid(self) -> str:
        """Hex, 64 digits."""
        ...

    @property
    def algorithm(self) -> str:
        """One of ALGORITHMS."""
        ...

    def pem(self) -> bytes:
        """SubjectPublicKeyInfo, PEM."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over the message."""
        ...


class Signer(Protocol):
    """What signing needs of a key provider."""

    @property
    def identity(self) -> str:
        """Who signs, for people."""
        ...

    def public_key(self) -> PublicKey:
        """The key that verifies."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over the message."""
        ...


@dataclass(frozen=True)
class Signature:
    """One signature as it stands in an envelope; nothing of it is verified."""

    keyid: str
    signature: bytes


@dataclass(frozen=True)
class Bundle:
    """A bundle as it stands in a file; nothing of it is verified."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]
    hint: str = ""


@dataclass(frozen=True)
class Opened:
    """A bundle whose every signature was verified with a different trusted key. `digest` is that of its bytes."""

    payload: bytes
    signers: tuple[PublicKey, ...]
    digest: str


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, signers: Sequence[Signer], *, pem_hint: bool = False) -> bytes:
    """The bundle of an in-toto statement, signed by each of the signers.

    Each signature is verified before it is used. `pem_hint` writes the key's hint as OpenSSF Model Signing does.
    Raises UsageError without a signer, with one key twice, or with a key whose algorithm is not allowed;
    RefusedError when a signature that was just made does not verify.
    """
    keys = [signer.public_key() for signer in signers]
    if not keys or len({key.keyid for key in keys}) != len(keys):
        raise UsageError("a statement needs one signer at least, and no key twice", where="signing")
    message, signatures = pae(payload), []
    for signer, key in zip(signers, keys, strict=True):
        if key.algorithm not in ALGORITHMS:
            raise UsageError(f"keys of the kind {key.algorithm} are not supported", where="signing")
        value = signer.sign(message)
        if not key.verify(message, value):
            raise RefusedError("the signature that was just made does not verify", where=signer.identity)
        signatures.append(Signature(key.keyid, value))
    return _to_bytes(Bundle(payload, PAYLOAD_TYPE, tuple(signatures), _hint(keys[0], pem_hint)))


def read(raw: bytes, where: str = "the bundle") -> Bundle:
    """The parts of a bundle, unverified. Raises RefusedError when it cannot be verified with a key."""
    value = load(raw, where)
    material, envelope = _member(value, "verificationMaterial", where), _member(value, "dsseEnvelope", where)
    if value.get("mediaType") != BUNDLE_TYPE:
        raise RefusedError(f"this is no {BUNDLE_TYPE}", where=where)
    if "publicKey" not in material:
        raise RefusedError("signed with a certificate, not with a key", Failure.POLICY, where=where)
    listed = envelope.get("signatures")
    if not isinstance(listed, list) or not 0 < len(listed) <= SIGNATURES_LIMIT:
        raise RefusedError(f"has no signature, or more than {SIGNATURES_LIMIT}", where=where)
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        raise RefusedError(f"does not hold an in-toto statement ({PAYLOAD_TYPE})", where=where)
    signatures = tuple(_signature(item, where) for item in listed)
    hint = _member(material, "publicKey", where).get("hint") or ""
    return Bundle(_decode(envelope.get("payload"), where), PAYLOAD_TYPE, signatures, _text(hint, where))


def verify(raw: bytes, keys: Iterable[PublicKey], *, strict: bool = True, where: str = "the bundle") -> Opened:
    """Open a bundle with trusted keys.

    Every signature must be that of another trusted key. `strict` demands the very bytes that `sign` writes; without
    it, the outer JSON may be written in any way (bundles of other tools). RefusedError is `integrity` when a trusted
    key's signature does not fit, `policy` when the signer is not trusted.
    """
    bundle = read(raw, where)
    message, trusted = pae(bundle.payload, bundle.payload_type), {key.keyid: key for key in keys}
    signers: list[PublicKey] = []
    for signature in bundle.signatures:
        key = _key_of(signature, message, trusted, bundle.hint, where)
        if key in signers:
            raise RefusedError("one key signed it twice", where=where, remedy="each signature needs a key of its own")
        signers.append(key)
    hints = {_hint(signers[0], True), _hint(signers[0], False)}
    if bundle.hint and bundle.hint not in hints:
        raise RefusedError("the hint names another key than the one that signed", where=where)
    if strict:
        _check_form(raw, bundle, signers, where)
    return Opened(bundle.payload, tuple(signers), sha256_bytes(raw))


def _key_of(signature: Signature, message: bytes, trusted: dict[str, PublicKey], hint: str, where: str) -> PublicKey:
    named = trusted.get(signature.keyid)
    for key in [named] if named else []:
        if key.verify(message, signature.signature):
            return key
    for key in trusted.values():
        if key is not named and key.algorithm in ALGORITHMS and key.verify(message, signature.signature):
            return key
    claimed = signature.keyid or hint
    if named or any(claimed in {_hint(key, True), _hint(key, False)} for key in trusted.values()):
        raise RefusedError(
            "the signature does not fit the statement",
            where=where,
            expected=f"a signature of the key {claimed[:16]}",
            remedy="the statement or its signature was changed after signing: get it again from where it was made",
        )
    raise RefusedError(
        "signed by a key that is not trusted",
        Failure.POLICY,
        where=where,
        expected=", ".join(sorted(key[:16] for key in trusted)) or "a trusted key; none is given",
        actual=claimed[:16] or "no key id",
        remedy="if you know the signer, add the public key to the trusted keys",
    )


def _check_form(raw: bytes, bundle: Bundle, signers: list[PublicKey], where: str) -> None:
    signatures = tuple(Signature(key.keyid, s.signature) for key, s in zip(signers, bundle.signatures, strict=True))
    forms = {
        _to_bytes(Bundle(bundle.payload, PAYLOAD_TYPE, signatures, _hint(signers[0], pem))) for pem in (True, False)
    }
    if raw not in forms:
        raise RefusedError(
            "the file is not as it was written: something outside of the signed statement was changed",
            where=where,
            remedy="get the file again from where it was made",
        )


def _to_bytes(bundle: Bundle) -> bytes:
    signatures = [{"keyid": s.keyid, "sig": base64.b64encode(s.signature).decode()} for s in bundle.signatures]
    envelope = {
        "payload": base64.b64encode(bundle.payload).decode(),
        "payloadType": bundle.payload_type,
        "signatures": signatures,
    }
    material = {"publicKey": {"hint": bundle.hint}, "tlogEntries": []}
    return canonical({"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}) + b"\n"


def _hint(key: PublicKey, pem: bool) -> str:
    return sha256_bytes(key.pem()).partition(":")[2] if pem else key.keyid


def _member(value: Any, name: str, where: str) -> dict[str, Any]:
    member = value.get(name) if isinstance(value, dict) else None
    if not isinstance(member, dict):
        raise RefusedError(f"has no {name}", where=where)
    return member


def _signature(item: Any, where: str) -> Signature:
    if not isinstance(item, dict):
        raise RefusedError("has a malformed signature", where=where)
    return Signature(_text(item.get("keyid") or "", where), _decode(item.get("sig"), where))


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise RefusedError("has a malformed key id", where=where)
    return value


def _decode(text: Any, where: str) -> bytes:
    """Base64 in its one valid form: no other alphabet, no line breaks, no stray bits in the last character."""
    try:
        value = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        value = b""
    if not value or base64.b64encode(value).decode() != text:
        raise RefusedError("holds malformed base64", where=where)
    return value
