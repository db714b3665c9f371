"""Nikto: known faults of web servers. It rates nothing and is often wrong: low confidence, low severity."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import parse_json, parse_xml
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import Report, Source, Statement, address, advisories, name, objects, plain


def read(raw: bytes) -> Report:
    """`nikto -Format json` or `-Format xml`. A report without a host looked at nothing."""
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(raw)
    value = parse_json(raw)
    hosts = value if isinstance(value, list) else [value]
    said = []
    for host in objects(hosts):
        found = host.get("vulnerabilities")
        of_tool(isinstance(found, list) and "host" in host and "banner" in host, "Nikto")
        base = _base(host.get("host") or host.get("ip"), host.get("port"))
        said += [
            _item(item.get("id"), item.get("msg"), item.get("method"), base, item.get("url")) for item in objects(found)
        ]
    return Report(tuple(said), looked=len(hosts))


def _xml(raw: bytes) -> Report:
    root = parse_xml(raw, "niktoscan")
    details = root.every("scandetails")
    if not details:
        raise UnreadableReport("Nikto looked at no host")
    said, gaps = [], []
    for host in details:
        base = _base(host.get("targethostname") or host.get("targetip"), host.get("targetport"))
        for item in host.all("item"):
            said.append(_item(item.get("id"), item.of("description"), item.get("method"), base, item.of("uri")))
        if host.first("statistics") is None:
            gaps.append(f"{base}: the scan has no statistics, so it was stopped")
    scan = root.every("niktoscan")[-1]
    return Report(tuple(said), name(scan.get("version"), 40), name(scan.get("scanstart"), 60), gaps=tuple(gaps))


def _base(host: Any, port: Any) -> str:
    number = name(port, 6)
    return f"{'https' if number in ('443', '8443') else 'http'}://{name(host) or 'host'}:{number or '80'}"


def _item(ident: Any, text: Any, method: Any, base: str, path: Any) -> Statement:
    words = plain(text, 400).removeprefix("CDATA[")
    return Statement(
        rule=name(ident) or "unnamed",
        message=words or "a finding",
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        subject=f"{base}{address(path) or '/'}",
        kind=Kind.SERVICE,
        part=name(method, 10),
        ids=advisories(words),
    )


SOURCE = Source(
    title="Nikto",
    form="JSON or XML",
    command="nikto -h URL -Format json -output report.json",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
