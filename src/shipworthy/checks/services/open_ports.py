"""Ports of the service that nobody expects to be open: debuggers, notebooks, databases, administration."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Iterator, Mapping

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.services._nmap import NMAP, NmapReport, nmap_ports
from shipworthy.checks.services._service import LOOPBACK, ServiceInfo, Unreadable
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.tools import ToolFailed, ToolMissing

DEBUG_PORT = Rule(
    "open-debug-port",
    "A port for debugging or administration is open",
    Severity.HIGH,
    "Whoever connects to it can run code, read the data or change the settings, mostly without a password.",
    "Start the service without it, or bind it to an address that only operators reach, with authentication.",
    taxonomy=("CWE-489", "CWE-306", "A.8.20"),
    help="open-ports",
)
UNEXPECTED = Rule(
    "open-unexpected-port",
    "A port is open that is not expected",
    Severity.MEDIUM,
    "What listens there was not looked at, and nobody may know that it does.",
    "Close it, or name it among the ports that the service is meant to have.",
    taxonomy=("CWE-668", "A.8.20"),
    help="open-ports",
)

_DEBUG: Mapping[int, str] = {
    22: "SSH", 23: "Telnet", 1099: "Java RMI", 1433: "SQL Server", 2375: "Docker", 2376: "Docker", 2379: "etcd",
    3306: "MySQL", 3389: "remote desktop", 4444: "a debugger", 5005: "Java debugger", 5432: "PostgreSQL",
    5555: "Android debugger or Flower", 5678: "debugpy", 5900: "VNC", 5984: "CouchDB", 6006: "TensorBoard",
    6379: "Redis", 6900: "pydevd", 7000: "Cassandra", 8265: "Ray dashboard", 8787: "Dask dashboard or RStudio",
    8888: "Jupyter", 9000: "a debugger or Portainer", 9200: "Elasticsearch", 9229: "Node.js debugger",
    9999: "a debugger", 10250: "kubelet", 10001: "Ray", 11211: "memcached", 15672: "RabbitMQ", 27017: "MongoDB",
    50070: "Hadoop", 61616: "ActiveMQ",
}  # fmt: skip
_ALL = range(1, 65_536)
_AT_ONCE = 400


def _sample(*_: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"ok"


@check(
    "open-ports",
    kinds={"service"},
    options={"seconds": 120, "each": 1.0, "nmap": True},
    canary=Canary(
        files={},
        rule=DEBUG_PORT.id,
        standing=standing(_sample, listening=(("0.0.0.0", 8080), ("0.0.0.0", 5678)), expected_ports=(8080,)),  # noqa: S104
    ),
    timeout=300.0,
    live=True,
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Which ports are open, as seen from inside (its network namespace) and from outside (every port is tried)."""
    try:
        if artifact.path is None:
            raise Unreadable("the description of the service is not on this machine")
        info = ServiceInfo.read(artifact.path)
    except Unreadable as error:
        yield Skipped(artifact, str(error))
        return
    host = _host(info)
    if info.listening is None and not host:
        yield Skipped(artifact, "nobody looked inside, and the service has no address of its own whose ports to try")
        return
    expected = {*info.expected_ports, *([info.port] if host == info.host else [])}
    for address, port in info.listening or ():
        if port not in info.expected_ports:
            yield _finding(artifact, port, f"listens on {address} inside", only_inside=address in ("127.0.0.1", "::1"))
    if host:
        yield from _outside(artifact, context, host, expected)


def _host(info: ServiceInfo) -> str:
    """The address whose ports are all the service's; empty where it shares its address with others."""
    return info.scan_host or ("" if info.host in LOOPBACK else info.host)


def _finding(artifact: Artifact, port: int, how: str, *, only_inside: bool = False, witness: str = "") -> Finding:
    name = _DEBUG.get(port, "")
    rule, usual = (DEBUG_PORT, f", which is usually {name}") if name else (UNEXPECTED, "")
    severity = Severity.LOW if only_inside and not name else None
    message = f"port {port}{usual}, {how} and is not expected"
    return rule.at(artifact, message, field=f"port {port}", key=f"port {port}", severity=severity, witness=witness)


def _outside(artifact: Artifact, context: Context, host: str, expected: set[int]) -> Iterator[Finding | Skipped]:
    limit = float(context.options.get("seconds", 120))
    try:
        found, left = open_ports(host, limit, float(context.options.get("each", 1.0)))
    except OSError as error:
        yield Skipped(artifact, f"the ports of the address cannot be tried: {type(error).__name__}")
        return
    seen: Mapping[int, bool] = dict.fromkeys(found, False)
    if left:
        yield Skipped(None, f"{left} of {len(_ALL)} ports were not tried in {limit:.0f} s", code="limited")
    report = _nmap(context, host, limit)
    if report is not None:
        seen = {**seen, **dict.fromkeys(report.ports, True)}
        if report.reason:
            yield Skipped(None, f"nmap: {report.reason}", code="limited")
    for port in sorted(seen):
        if port not in expected:
            yield _finding(artifact, port, "answers from outside", witness="nmap" if seen[port] else "")


def _nmap(context: Context, host: str, limit: float) -> NmapReport | None:
    """A second opinion where nmap is installed; what it could not do is told."""
    if not context.options.get("nmap", True):
        return None
    try:
        context.tools.locate(NMAP)
        return nmap_ports(context.tools, host, limit)
    except ToolMissing:
        return None
    except ToolFailed as failure:
        return NmapReport((), failure.reason)


def open_ports(host: str, limit: float, each: float) -> tuple[tuple[int, ...], int]:
    """Every TCP port of an address that takes a connection, and how many were not tried in `limit` seconds. `each` is
    how long one may take. Raises OSError when the host has no address."""
    family, _, _, _, address = socket.getaddrinfo(host, 1, type=socket.SOCK_STREAM)[0]
    until, found, tried = time.monotonic() + limit, list[int](), 0
    with selectors.DefaultSelector() as waiting:
        for port in _ALL:
            if time.monotonic() > until:
                break
            tried += 1
            wire = socket.socket(family, socket.SOCK_STREAM)
            wire.setblocking(False)
            state = wire.connect_ex((address[0], port, *address[2:]))
            if state == errno.EINPROGRESS:
                waiting.register(wire, selectors.EVENT_WRITE, (port, time.monotonic() + each))
                _collect(waiting, found, 0.0 if len(waiting.get_map()) < _AT_ONCE else None)
                continue
            found += [port] if state == 0 else []
            wire.close()
        while waiting.get_map():
            _collect(waiting, found, None)
    return tuple(sorted(found)), len(_ALL) - tried


def _collect(waiting: selectors.BaseSelector, found: list[int], patience: float | None) -> None:
    """Take in connections that are made, refused or too late; wait for one if there is no room for more."""
    ready = {key.fd for key, _ in waiting.select(0.05 if patience is None else patience)}
    now = time.monotonic()
    for key in [key for key in waiting.get_map().values() if key.fd in ready or key.data[1] < now]:
        wire = key.fileobj
        waiting.unregister(wire)
        if isinstance(wire, socket.socket):
            if key.fd in ready and wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(key.data[0])
            wire.close()
