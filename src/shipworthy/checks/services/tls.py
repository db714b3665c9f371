"""TLS of the service: the versions and ciphers that it accepts, and its certificate's dates, names and strength."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import Iterator

from shipworthy.check import Canary, Context, NotApplicable, Skipped, check
from shipworthy.checks.services._client import Silent
from shipworthy.checks.services._hello import NAMES, OLD, WEAK, chosen, client_hello
from shipworthy.checks.services._service import LOOPBACK
from shipworthy.checks.services._session import CRASHED, OPTIONS, Session, examine
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity

__all__ = ["CRASHED", "scan"]

MISSING = Rule(
    "tls-missing",
    "A public service is reached without TLS",
    Severity.HIGH,
    "What is sent and answered can be read and changed by everybody on the way.",
    "Serve it over TLS, or put a proxy in front of it that does.",
    taxonomy=("CWE-319", "A.8.24"),
    help="tls",
)
OLD_VERSION = Rule(
    "tls-old-version",
    "Versions of TLS that are not safe any more are accepted",
    Severity.MEDIUM,
    "SSL 3 and TLS 1.0 and 1.1 have known attacks, and are forbidden by RFC 7568 and RFC 8996.",
    "Accept TLS 1.2 and 1.3 only.",
    taxonomy=("CWE-326", "CWE-757", "A.8.24"),
    help="tls",
)
WEAK_CIPHER = Rule(
    "tls-weak-cipher",
    "Weak ciphers are accepted",
    Severity.MEDIUM,
    "Connections that use them can be read: they do not encrypt, do not authenticate, or can be broken.",
    "Accept ciphers with AEAD and forward secrecy only (ECDHE with AES-GCM or ChaCha20).",
    taxonomy=("CWE-327", "A.8.24"),
    help="tls",
)
EXPIRED = Rule(
    "tls-certificate-dates",
    "The certificate is not valid now, or not for long",
    Severity.HIGH,
    "Clients refuse it, or are taught to accept every certificate.",
    "Renew it, and have it renewed automatically.",
    taxonomy=("CWE-295", "A.8.24"),
    help="tls",
)
NAME = Rule(
    "tls-certificate-name",
    "The certificate is for other names",
    Severity.MEDIUM,
    "Clients cannot tell this service from somebody else's.",
    "Have the name that clients use put into the certificate's subjectAltName.",
    taxonomy=("CWE-295",),
    help="tls",
)
WEAK_KEY = Rule(
    "tls-certificate-weak",
    "The certificate's key or signature is weak",
    Severity.HIGH,
    "Such keys and signatures can be forged, and with them the service.",
    "Use ECDSA with P-256, or RSA with 2048 bits or more, signed with SHA-256.",
    taxonomy=("CWE-326", "CWE-327", "CWE-328"),
    help="tls",
)
SELF_SIGNED = Rule(
    "tls-certificate-self-signed",
    "The certificate is signed by nobody but itself",
    Severity.MEDIUM,
    "Clients that accept it accept everybody's.",
    "Use a certificate of an authority that the clients trust.",
    taxonomy=("CWE-295",),
    help="tls",
)

_SOON = 14  # days


def _sample(*_: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"ok"


@check(
    "tls",
    kinds={"service"},
    options={**OPTIONS, "requests": 40, "seconds": 60, "name": ""},
    canary=Canary(files={}, rule=MISSING.id, standing=standing(_sample, environment="deploy", public=True)),
    timeout=120.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """What is weak in the service's TLS. Raises NotApplicable where it has none and needs none."""
    yield from examine(artifact, context, _look)


def _look(session: Session) -> Iterator[Finding | Skipped]:
    info = session.info
    if not info.tls and not info.secure:
        if info.environment == "deploy" and info.public:
            yield MISSING.at(session.artifact, "the service answers plain HTTP", field="TLS", key="missing")
            return
        raise NotApplicable("the service is not reached over TLS here")
    if not info.secure:
        yield Skipped(session.artifact, "TLS ends before the address that is known: it was not looked at")
        return
    try:
        yield from _certificate(session)
        yield from _versions(session)
    except Silent as silent:
        session.still_there("a TLS handshake", silent.how)
        yield Skipped(session.artifact, f"a TLS handshake had no answer ({silent.how})")


def _at(session: Session, rule: Rule, message: str, key: str, severity: Severity | None = None) -> Finding:
    return rule.at(session.artifact, message, field="TLS", key=key, severity=severity)


def _certificate(session: Session) -> Iterator[Finding | Skipped]:
    from cryptography import x509  # here: it takes long to import

    with session.client.connect() as wire:
        data = wire.getpeercert(binary_form=True) if isinstance(wire, ssl.SSLSocket) else None
    try:
        one = x509.load_der_x509_certificate(data or b"")
    except ValueError:
        yield Skipped(session.artifact, "the certificate cannot be read")
        return
    now = datetime.datetime.now(datetime.UTC)
    if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
        told = f"{one.not_valid_before_utc:%Y-%m-%d} to {one.not_valid_after_utc:%Y-%m-%d}"
        yield _at(session, EXPIRED, f"the certificate is valid from {told}", "dates")
    elif (days := (one.not_valid_after_utc - now).days) < _SOON:
        yield _at(session, EXPIRED, f"the certificate ends in {days} days", "dates", Severity.MEDIUM)
    yield from _strength(session, one)
    if one.issuer == one.subject:
        quiet = session.info.environment == "test" or not session.info.public
        message = "the certificate's issuer is its own subject"
        yield _at(session, SELF_SIGNED, message, "self-signed", Severity.INFO if quiet else None)
    wanted = str(session.context.options.get("name", "")) or session.info.host
    if wanted not in LOOPBACK and not _named(one, wanted):
        yield _at(session, NAME, f"the certificate is not for {wanted[:80]}", "name")


def _strength(session: Session, one: object) -> Iterator[Finding]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    assert isinstance(one, x509.Certificate)  # noqa: S101
    key = one.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        yield _at(session, WEAK_KEY, f"the key is RSA of {key.key_size} bits", "key")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < 224:
        yield _at(session, WEAK_KEY, f"the key is on a curve of {key.key_size} bits", "key")
    with contextlib.suppress(Exception):  # an algorithm that the library does not know is not one of the weak ones
        if one.signature_hash_algorithm is not None and one.signature_hash_algorithm.name in ("md5", "sha1"):
            yield _at(session, WEAK_KEY, f"it is signed with {one.signature_hash_algorithm.name}", "signature")


def _named(one: object, wanted: str) -> bool:
    """RFC 9525: exact names, a wildcard for one label, and addresses."""
    from cryptography import x509

    assert isinstance(one, x509.Certificate)  # noqa: S101
    try:
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(wanted) in names.get_values_for_type(x509.IPAddress)
    host = wanted.lower().rstrip(".")
    parent = "*." + host.partition(".")[2]
    return any(name.lower() in (host, parent) for name in names.get_values_for_type(x509.DNSName))


def _versions(session: Session) -> Iterator[Finding | Skipped]:
    """Hellos of our own making: what the library here can speak does not matter."""
    for version, name in OLD.items():
        if _accepted(session, version, (*NAMES, 0xC013, 0xC014, 0x002F, 0x0035, 0x0033, 0x0039)) == version:
            yield _at(session, OLD_VERSION, f"{name} is accepted", name)
    for why, suites in WEAK.items():
        got = _chosen(session, 0x0303, suites)
        if got is not None and got[1] in suites:
            name = NAMES.get(got[1], f"suite {got[1]:#06x}")
            yield _at(session, WEAK_CIPHER, f"{name} is accepted: {why}", why)


def _accepted(session: Session, version: int, suites: tuple[int, ...]) -> int:
    got = _chosen(session, version, suites)
    return got[0] if got else 0


def _chosen(session: Session, version: int, suites: tuple[int, ...]) -> tuple[int, int] | None:
    """The version and the suite that the server takes; None when it refuses. Raises Silent when it says nothing."""
    try:
        with session.client.plain() as wire:
            wire.sendall(client_hello(version, suites, session.info.host))
            return chosen(wire)
    except TimeoutError:
        raise Silent("timeout") from None
    except OSError:
        return None  # it hangs up on what it does not speak
