"""A TLS ClientHello of any version and suites, and what the server chooses. (RFC 5246, RFC 6101, RFC 8446 4.1.)"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Mapping

OLD: Mapping[int, str] = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1"}
NAMES: Mapping[int, str] = {  # IANA TLS Cipher Suites
    0x0001: "TLS_RSA_WITH_NULL_MD5", 0x0002: "TLS_RSA_WITH_NULL_SHA", 0x003B: "TLS_RSA_WITH_NULL_SHA256",
    0x0003: "TLS_RSA_EXPORT_WITH_RC4_40_MD5", 0x0008: "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
    0x0004: "TLS_RSA_WITH_RC4_128_MD5", 0x0005: "TLS_RSA_WITH_RC4_128_SHA", 0xC011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    0xC007: "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", 0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA", 0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", 0xC008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    0x0018: "TLS_DH_anon_WITH_RC4_128_MD5", 0x0034: "TLS_DH_anon_WITH_AES_128_CBC_SHA",
    0x003A: "TLS_DH_anon_WITH_AES_256_CBC_SHA", 0x006C: "TLS_DH_anon_WITH_AES_128_CBC_SHA256",
    0xC018: "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", 0xC019: "TLS_ECDH_anon_WITH_AES_256_CBC_SHA",
    0xC006: "TLS_ECDHE_ECDSA_WITH_NULL_SHA", 0xC010: "TLS_ECDHE_RSA_WITH_NULL_SHA",
}  # fmt: skip
WEAK: Mapping[str, tuple[int, ...]] = {
    "it does not encrypt": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "its key has 40 or 56 bits": (0x0003, 0x0008, 0x0009),
    "RC4 is broken": (0x0004, 0x0005, 0xC011, 0xC007),
    "its blocks have 64 bits": (0x000A, 0x0016, 0xC012, 0xC008),
    "it does not authenticate the server": (0x0018, 0x0034, 0x003A, 0x006C, 0xC018, 0xC019),
}
_GROUPS = (29, 23, 24, 25)
_SIGNATURES = (0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0101)
_LARGEST = 20_000


def client_hello(version: int, suites: tuple[int, ...], host: str) -> bytes:
    """A record with a ClientHello."""
    parts = [
        _extension(10, _vector(b"".join(struct.pack("!H", one) for one in _GROUPS), 2)),
        _extension(11, b"\x01\x00"),
    ]
    if version >= 0x0303:
        parts.append(_extension(13, _vector(b"".join(struct.pack("!H", one) for one in _SIGNATURES), 2)))
    if any(c.isalpha() for c in host) and host.isascii():
        parts.append(_extension(0, _vector(b"\x00" + _vector(host.encode(), 2), 2)))
    body = struct.pack("!H", version) + secrets.token_bytes(32) + b"\x00"
    body += _vector(b"".join(struct.pack("!H", one) for one in (*suites, 0x00FF)), 2) + b"\x01\x00"
    if version > 0x0300:
        body += _vector(b"".join(parts), 2)
    message = b"\x01" + _vector(body, 3)
    return b"\x16" + struct.pack("!H", min(version, 0x0301)) + _vector(message, 2)


def chosen(wire: socket.socket) -> tuple[int, int] | None:
    """The version and suite of the server's ServerHello; None for an alert or anything else. Raises OSError."""
    data = b""
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
        if len(data) > _LARGEST or not (got := wire.recv(4096)):
            return None
        data += got
        if data[:1] != b"\x16":
            return None
    body = data[5:]
    if len(body) < 39 or body[0] != 2:
        return None
    at = 39 + body[38]
    if len(body) < at + 2:
        return None
    return int.from_bytes(body[4:6], "big"), int.from_bytes(body[at : at + 2], "big")


def _vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def _extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!H", kind) + _vector(data, 2)
