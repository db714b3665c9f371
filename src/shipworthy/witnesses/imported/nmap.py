"""Nmap: open ports, and what its `vulners` script knows of what answers there."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import Node, parse_xml
from shipworthy.witnesses.statements import Report, Source, Statement, advisories, name, plain, scored


def read(raw: bytes) -> Report:
    """`nmap -oX`. An open port is a fact, not a fault: it is told as information."""
    root = parse_xml(raw, "nmaprun")
    ended = root.first("runstats", "finished")
    if ended is None:
        raise UnreadableReport("it has no `runstats`: Nmap was stopped before it ended")
    said, up = [], 0
    for host in root.all("host"):
        state = host.first("status")
        up += state is None or state.get("state") == "up"
        node = next((a for a in host.all("address") if a.get("addrtype") != "mac"), None)
        where = name(node.get("addr") if node else "") or "host"
        for port in host.all("ports", "port"):
            answer = port.first("state")
            if answer is not None and answer.get("state") == "open":
                said += _port(where, port)
    gaps = (
        () if ended.get("exit") in ("success", "") else (plain(ended.get("errormsg"), 200) or "it ended in an error",)
    )
    return Report(tuple(said), name(root.get("version"), 40), name(ended.get("time"), 20), looked=up, gaps=gaps)


def _port(host: str, port: Node) -> list[Statement]:
    where = f"{name(port.get('portid'), 8)}/{name(port.get('protocol'), 8)}"
    service = port.first("service")
    words = [service.get(key) for key in ("name", "product", "version")] if service else []
    told = plain(" ".join(filter(None, words)), 150)
    said = [
        Statement(
            rule="open-port",
            message=f"{where} is open" + (f": {told}" if told else ""),
            severity=Severity.INFO,
            confidence=Confidence.HIGH,
            title="An open port",
            subject=host,
            kind=Kind.HOST,
            part=where,
        )
    ]
    for script in port.all("script"):
        if script.get("id") != "vulners":
            continue
        for row in script.all("table", "table"):
            facts = {element.get("key"): element.text for element in row.all("elem")}
            ident = name(facts.get("id"), 60)
            if advisories(ident):
                said.append(
                    Statement(
                        rule=ident,
                        message=f"{where}: {ident} by its version ({told})",
                        severity=scored(facts.get("cvss")) or Severity.MEDIUM,
                        confidence=Confidence.LOW,  # by the banner: distributions mend without another version
                        subject=host,
                        kind=Kind.HOST,
                        part=where,
                        ids=(ident,),
                    )
                )
    return said


SOURCE = Source(
    title="Nmap",
    form="XML",
    command="nmap -sV -oX report.xml HOST",
    category="services",
    read=read,
    tried="real",
    stage="test",
)
