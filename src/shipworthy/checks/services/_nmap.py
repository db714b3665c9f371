"""nmap's XML report. Source: nmap.dtd of nmap 7."""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.etree import ElementTree

from shipworthy.records import dataclass
from shipworthy.tools import Tool, Toolbox, ToolFailed

NMAP = Tool("nmap", versions=">=7,<8", install="apt install nmap")
_LARGEST = 20_000_000  # bytes


@dataclass(frozen=True)
class NmapReport:
    """Open TCP ports; `reason` says what was not done."""

    ports: tuple[int, ...]
    reason: str = ""


def nmap_ports(tools: Toolbox, host: str, limit: float) -> NmapReport:
    """Have nmap try every TCP port of the address. Raises ToolMissing or ToolFailed."""
    tools.version(NMAP)
    with tempfile.TemporaryDirectory(prefix="shipworthy-nmap-") as folder:
        path = Path(folder) / "report.xml"
        arguments = ("-sT", "-Pn", "-n", "-p-", "--open", "-T4", "--host-timeout", f"{limit:.0f}s", "-oX", str(path))
        six = ("-6",) if ":" in host else ()
        tools.run(NMAP, *arguments, *six, "--", host, timeout=limit + 30, ok=(0,))
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise ToolFailed(NMAP.name, "wrote no report, or one that is too large")
        return parse_nmap(path.read_bytes())


def parse_nmap(data: bytes) -> NmapReport:
    """The open ports of a report. Raises ToolFailed when it is cut short, or of something else."""
    if b"<!ENTITY" in data:
        raise ToolFailed(NMAP.name, "the report declares entities, which nmap's do not")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314  no entities, no files: see above
    except ElementTree.ParseError:
        raise ToolFailed(NMAP.name, "the report is cut short or not XML") from None
    finished = root.find("runstats/finished")
    if root.tag != "nmaprun" or finished is None or finished.get("exit") != "success":
        raise ToolFailed(NMAP.name, "the report does not say that the scan was finished")
    hosts = root.findall("host")
    if not hosts:
        return NmapReport((), "saw no host at the address")
    ports = []
    for port in root.iterfind("host/ports/port"):
        state, number = port.find("state"), port.get("portid", "")
        if port.get("protocol") == "tcp" and state is not None and state.get("state") == "open" and number.isdigit():
            ports.append(int(number))
    late = any(host.get("timedout") == "true" for host in hosts)
    return NmapReport(tuple(sorted(ports)), "the host took too long" if late else "")
