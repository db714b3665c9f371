"""OpenVAS (Greenbone): hosts and services."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import parse_xml
from shipworthy.witnesses.statements import Report, Source, Statement, advisories, cwes, graded, name, plain, scored


def read(raw: bytes) -> Report:
    """The XML report, alone or inside the answer of the management protocol. A scan that is not `Done` is a gap."""
    root = parse_xml(raw, "report", "get_reports_response")
    inner = root if root.tag == "report" else root.first("report")
    report = (inner.first("report") or inner) if inner else None
    if report is None or report.first("results") is None:
        raise UnreadableReport("it has no `results` as OpenVAS writes them")
    said = []
    for item in report.all("results", "result"):
        if item.of("threat").lower() == "false positive":
            continue
        nvt = item.first("nvt")
        title = plain(item.of("name") or item.of("nvt", "name"), 150) or "a finding"
        tags = dict(part.partition("=")[::2] for part in item.of("nvt", "tags").split("|"))
        quality = item.of("qod", "value")
        refs = [ref.get("id") for ref in item.all("nvt", "refs", "ref")]
        said.append(
            Statement(
                rule=name(nvt.get("oid") if nvt else "") or "unnamed",
                message=f"{title}: {plain(tags.get('summary') or item.of('description'), 300)}",
                severity=scored(item.of("severity")) or graded(item.of("threat"), Severity.MEDIUM),
                confidence=_confidence(quality),
                title=title,
                subject=name(item.of("host")) or "host",
                kind=Kind.HOST,
                part=name(item.of("port"), 40),
                cwes=cwes([ref for ref in refs if ref.upper().startswith("CWE")]),
                ids=advisories(refs, item.of("nvt", "cve")),
                remedy=plain(item.of("nvt", "solution") or tags.get("solution"), 300),
            )
        )
    status = report.of("scan_run_status")
    gaps = () if status in ("Done", "") else (f"the scan is not done: {plain(status, 40)}",)
    hosts = report.of("hosts", "count")
    looked = int(hosts) if hosts.isdigit() and len(hosts) < 9 else None
    return Report(tuple(said), made=report.of("scan_end") or report.of("timestamp"), looked=looked, gaps=gaps)


def _confidence(quality: str) -> Confidence:
    """By the quality of detection: 70 % is what the vendor shows by default, above 95 % is an exploit or a login."""
    value = int(quality) if quality.isdigit() and len(quality) < 4 else 70
    return Confidence.HIGH if value >= 95 else Confidence.MEDIUM if value >= 70 else Confidence.LOW


SOURCE = Source(
    title="OpenVAS, Greenbone",
    form="XML",
    command='gvm-cli … --xml \'<get_reports report_id="ID" details="1" ignore_pagination="1"/>\'',
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
