"""Addresses that a service would open for somebody else: of clouds' metadata, of itself, of its own network."""

from __future__ import annotations

import ipaddress

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = ":/"

_URL = regex(
    r"\b([a-z][a-z0-9+.\-]{1,12}):(?://|\\\\|/)?((?:[^\s/?#\\'\"<>]*@)?)(\[[0-9a-f:.%]{2,60}\]|[^\s/?#\\:'\"<>@]{1,260})"
)
_METADATA = (
    "169.254.169.254",
    "metadata.google.internal",
    "100.100.100.200",
    "metadata.azure",
    "fd00:ec2::254",
    "192.0.0.192",
    "169.254.170.2",
    "instance-data",
    "metadata.tencentyun",
    "rancher-metadata",
    "latest/meta-data",
    "computemetadata/v1",
    "2852039166",
    "0xa9fea9fe",
    "a9fe:a9fe",
)
_SCHEMES = frozenset(
    (
        "gopher",
        "dict",
        "file",
        "ldap",
        "ldaps",
        "tftp",
        "sftp",
        "jar",
        "netdoc",
        "rmi",
        "smb",
        "imap",
        "pop3",
        "telnet",
        "local_file",
    )
)
_OPENED = ("http:", "https:", "ftp:", "ws:", "wss:", "url:", "jar:")
_NAMES = frozenset(
    (
        "localhost",
        "localhost.localdomain",
        "ip6-localhost",
        "host.docker.internal",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes",
        "0",
        "localtest.me",
        "lvh.me",
        "vcap.me",
    )
)
_WILDCARD = regex(r"(?:^|[.\-])((?:\d{1,3}[.\-]){3}\d{1,3})\.(?:nip\.io|sslip\.io|xip\.io)$")
_NUMBER = regex(r"0x[0-9a-f]{1,40}|\d{1,40}")
_MOST = 256


def look(text: Text) -> str:
    """Where the address leads; empty when that is anywhere."""
    low = text.low
    if text.place == "header" and text.name not in ("x-forwarded-host", "referer", "x-original-url"):
        return ""
    if ("." in text.characters and any(one in low for one in _METADATA)) or ("meta-data" in low and "latest/" in low):
        return "the metadata of a cloud" if text.whole or "://" in low else ""
    if ":" not in text.characters and not low.startswith("//"):
        return ""
    if not text.whole or len(low) > 2000:
        return ""  # an address in a sentence is not opened
    for count, found in enumerate(_URL.finditer("http:" + low if low.startswith("//") else low)):
        if count >= _MOST:
            return "more addresses than are looked at"
        scheme, host = found[1], found[3]
        if scheme in _SCHEMES and ("//" in found[0] or scheme == "jar"):
            return "an address of another scheme"
        if (
            scheme in ("http", "https", "ftp", "ws", "wss", "url")
            and text.place != "header"
            and (detail := _host(host))
        ):
            return detail
    return ""


def _host(host: str) -> str:
    host = host.strip("[]").rstrip(".").partition("%")[0]
    if host in _NAMES or host.endswith((".localhost", ".internal", ".svc.cluster.local", ".localtest.me")):
        return "the service's own network"
    if found := _WILDCARD.search(host):
        host = found[1].replace("-", ".")
    address = _address(host)
    if address is None:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_link_local:
        return "the metadata of a cloud"
    return "the service's own network" if address.is_loopback or address.is_private or address.is_unspecified else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Addresses as programs read them: also decimal, hexadecimal, octal, and of less than four numbers (inet_aton)."""
    if ":" in host:
        try:
            return ipaddress.ip_address(host)
        except ValueError:
            return None
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [
            int(part, 16) if part.startswith("0x") else int(part, 8) if part[0] == "0" and len(part) > 1 else int(part)
            for part in parts
        ]
    except ValueError:
        return None
    last = numbers.pop()
    if any(number > 255 for number in numbers) or last >= 256 ** (4 - len(numbers)):
        return None
    value = sum(number << (24 - 8 * index) for index, number in enumerate(numbers)) + last
    return ipaddress.IPv4Address(value)


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    if "//" in low or ("." in low and any(one in low for one in _METADATA)) or "meta-data" in low:
        return True
    return ":" in low and (any(scheme in low for scheme in _OPENED) or low.count(":") >= _MOST)
