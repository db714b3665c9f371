"""OpenSCAP: what a host or an image root was held to (XCCDF 1.1, 1.2, or ARF)."""

from __future__ import annotations

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import parse_xml
from shipworthy.witnesses.statements import Report, Source, Statement, advisories, cwes, graded, name, plain

_FAILED = frozenset({"fail"})
_UNKNOWN = frozenset({"error", "unknown"})  # NISTIR 7275, table 26
_LOOKED = frozenset({"pass", "fail", "fixed", "error", "unknown"})


def read(raw: bytes) -> Report:
    """`oscap xccdf eval --results` or `--results-arf`. Rules that ended in an error are gaps; rules that were neither
    passed nor failed are not looked at."""
    root = parse_xml(raw, "Benchmark", "TestResult", "asset-report-collection")
    runs = root.every("TestResult")
    if not runs:
        raise UnreadableReport("it has no result of a test: nothing was looked at")
    rules = {rule.get("id"): rule for rule in root.every("Rule")}
    said, gaps, looked = [], [], 0
    for run in runs:
        host = name(run.of("target")) or "host"
        for result in run.all("rule-result"):
            verdict, ident = result.of("result"), result.get("idref")
            looked += verdict in _LOOKED
            rule = rules.get(ident)
            title = plain(rule.of("title") if rule else "", 150) or name(ident)
            short = name(ident).removeprefix("xccdf_org.ssgproject.content_rule_")
            if verdict in _UNKNOWN:
                gaps.append(f"{host}: {short}: {verdict}")
            if verdict not in _FAILED:
                continue
            said.append(
                Statement(
                    rule=short or "unnamed",
                    message=f"{title}: not fulfilled",
                    severity=graded(result.get("severity") or (rule.get("severity") if rule else ""), Severity.MEDIUM),
                    confidence=Confidence.HIGH,
                    title=title,
                    subject=host,
                    kind=Kind.HOST,
                    cwes=cwes([i.text for i in result.all("ident") if "cwe" in i.get("system").lower()]),
                    ids=advisories([i.text for i in result.all("ident")]),
                    remedy=plain(rule.of("fixtext") if rule else "", 300),
                )
            )
    return Report(tuple(said), made=name(runs[-1].get("end-time"), 40), looked=looked, gaps=tuple(gaps))


SOURCE = Source(
    title="OpenSCAP",
    form="XML (XCCDF results or ARF)",
    command="oscap xccdf eval --profile PROFILE --results-arf report.xml CONTENT",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
