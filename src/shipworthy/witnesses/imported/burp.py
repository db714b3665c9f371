"""Burp Suite: issues of a running service, as its XML export has them."""

from __future__ import annotations

from shipworthy.model import Kind
from shipworthy.witnesses.documents import parse_xml
from shipworthy.witnesses.statements import Report, Source, Statement, address, cwes, graded, name, plain, sure


def read(raw: bytes) -> Report:
    """`Report issues` as XML. Requests and responses are not kept."""
    root = parse_xml(raw, "issues")
    said = []
    for issue in root.all("issue"):
        if issue.of("severity").lower().startswith("false"):
            continue
        title = plain(issue.of("name"), 150) or "an issue"
        host = address(issue.of("host")).rstrip("/")
        path = address(issue.of("path"))
        more = plain(issue.of("issueDetail") or issue.of("issueBackground"), 300)
        part = plain(issue.of("location").removeprefix(issue.of("path")), 100)
        said.append(
            Statement(
                rule=name(issue.of("type")) or "unnamed",
                message=f"{title}: {more}" if more else title,
                severity=graded(issue.of("severity")),
                confidence=sure(issue.of("confidence")),
                title=title,
                subject=f"{host}{path}" or "service",
                kind=Kind.SERVICE,
                part=part,
                cwes=cwes(plain(issue.of("vulnerabilityClassifications"), 2000)),
                remedy=plain(issue.of("remediationDetail") or issue.of("remediationBackground"), 300),
            )
        )
    return Report(tuple(said), name(root.get("burpVersion"), 40), name(root.get("exportTime"), 60))


SOURCE = Source(
    title="Burp Suite",
    form="XML",
    command="Burp Suite: Target, Issues, Report selected issues, XML",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
