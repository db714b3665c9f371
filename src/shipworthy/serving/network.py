"""Who listens in a network namespace, as the kernel tells it. Source: proc_pid_net(5), `tcp` and `udp`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTEN, _UNCONNECTED = "0A", "07"
_LINES = 100_000


@dataclass(frozen=True)
class Port:
    """A port that is open: `protocol` is tcp or udp; `address` what it is bound to ("0.0.0.0" is every interface);
    `uid` is that of its owner, as the host numbers it."""

    protocol: str
    address: str
    port: int
    uid: int

    @property
    def everywhere(self) -> bool:
        """Whether others than the container itself could reach it."""
        return not ipaddress.ip_address(self.address).is_loopback


def listening(pid: int) -> tuple[Port, ...]:
    """The open ports in the network namespace of a process, sorted. Raises OSError when it is gone."""
    found = set[Port]()
    for name, state in (("tcp", _LISTEN), ("tcp6", _LISTEN), ("udp", _UNCONNECTED), ("udp6", _UNCONNECTED)):
        path = Path(f"/proc/{pid}/net/{name}")
        if name.endswith("6") and not path.exists():
            continue
        with open(path, encoding="ascii", errors="replace") as lines:
            found |= set(_ports(lines, name[:3], state))
    return tuple(sorted(found, key=lambda one: (one.protocol, one.port, one.address)))


def _ports(lines: Iterator[str] | object, protocol: str, state: str) -> Iterator[Port]:
    for number, line in enumerate(lines):  # type: ignore[arg-type,var-annotated]
        fields = line.split()
        if number > _LINES:
            return
        if number and len(fields) > 7 and fields[3] == state:
            address, _, port = fields[1].partition(":")
            yield Port(protocol, _address(address), int(port, 16), int(fields[7]))


def _address(text: str) -> str:
    """Words of four bytes, each in the host's order."""
    import sys

    words = [bytes.fromhex(text[place : place + 8]) for place in range(0, len(text), 8)]
    data = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(data)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
