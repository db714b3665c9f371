"""ZAP: attacks on a running service."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.documents import Node, json_object, parse_xml
from shipworthy.witnesses.imported._shared import sarif_of
from shipworthy.witnesses.statements import Report, Source, Statement, address, cwes, name, objects, plain, wanted

_RISKS = {"0": Severity.INFO, "1": Severity.LOW, "2": Severity.MEDIUM, "3": Severity.HIGH}
_SURE = {"1": Confidence.LOW, "2": Confidence.MEDIUM, "3": Confidence.HIGH, "4": Confidence.HIGH}
_PLACES = 20  # addresses of one alert that become findings


def read(raw: bytes) -> Report:
    """The traditional report, JSON or XML (also with requests and responses, which are not kept)."""
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        root = parse_xml(raw, "OWASPZAPReport")
        said, count = _xml(root), len(root.all("site"))
        return Report(tuple(said), name(root.get("version"), 40), name(root.get("generated"), 60), looked=count)
    value = json_object(raw)
    if (log := sarif_of(value, "zap")) is not None:
        return log
    sites = list(objects(wanted(value, "site", list, tool="ZAP")))
    said = []
    for site in sites:
        for alert in objects(wanted(site, "alerts", list, tool="ZAP")):
            places = [(item.get("uri"), item.get("param")) for item in objects(alert.get("instances"))]
            said += _alert(alert.get, places or [(site.get("@name"), "")])
    made = name(value.get("created") or value.get("@generated"), 60)
    return Report(tuple(said), name(value.get("@version"), 40), made, looked=len(sites))


def _xml(root: Node) -> list[Statement]:
    said = []
    for site in root.all("site"):
        for alert in site.all("alerts", "alertitem"):
            places = [(i.of("uri"), i.of("param")) for i in alert.all("instances", "instance")]
            old = [(alert.of("uri"), alert.of("param"))] if alert.of("uri") else []  # before version 2.4
            said += _alert(alert.of, places or old or [(site.get("name"), "")])
    return said


def _alert(of: Any, places: list[tuple[Any, Any]]) -> list[Statement]:
    if str(of("confidence")) == "0":  # marked as a false positive by a person
        return []
    title = plain(of("name") or of("alert"), 150) or "an alert"
    found = dict.fromkeys((address(uri), plain(part, 80)) for uri, part in places)
    more = f" (and {len(found) - _PLACES} more places)" if len(found) > _PLACES else ""
    return [
        Statement(
            rule=name(of("alertRef") or of("pluginid")) or "unnamed",
            message=f"{title}: {plain(of('desc'), 300)}{more}",
            severity=_RISKS.get(str(of("riskcode")).strip(), Severity.MEDIUM),
            confidence=_SURE.get(str(of("confidence")).strip(), Confidence.MEDIUM),
            title=title,
            subject=uri or "service",
            kind=Kind.SERVICE,
            part=part,
            cwes=cwes(of("cweid")),
            remedy=plain(of("solution"), 300),
        )
        for uri, part in list(found)[:_PLACES]
    ]


SOURCE = Source(
    title="ZAP",
    form="JSON, XML or SARIF",
    command="zap-baseline.py -t URL -J report.json",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
