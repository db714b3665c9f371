"""Wapiti: attacks on a running service."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object, parse_xml
from shipworthy.witnesses.statements import Report, Source, Statement, address, at, cwes, name, objects, plain, wanted

_LEVELS = {"0": Severity.INFO, "1": Severity.LOW, "2": Severity.MEDIUM, "3": Severity.HIGH, "4": Severity.CRITICAL}
_ADDITIONAL = "additionals"


def read(raw: bytes) -> Report:
    """`wapiti -f json` or `-f xml`. Without a target, it looked at nothing."""
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(raw)
    value = json_object(raw)
    infos = wanted(value, "infos", dict, tool="Wapiti")
    about = wanted(value, "classifications", dict, tool="Wapiti")
    said = []
    for group in ("vulnerabilities", "anomalies", _ADDITIONAL):
        for title, entries in wanted(value, group, dict, tool="Wapiti").items():
            known = about.get(title)
            texts = at(known, "ref")
            weak = cwes(list(texts.keys())) if isinstance(texts, dict) else ()
            for entry in objects(entries):
                said.append(_entry(group, title, entry.get, infos.get("target"), weak, at(known, "sol")))
    pages = infos.get("crawled_pages_nbr")
    looked = pages if isinstance(pages, int) else None
    return Report(tuple(said), name(infos.get("version"), 40), name(infos.get("date"), 60), looked=looked)


def _xml(raw: bytes) -> Report:
    root = parse_xml(raw, "report")
    infos = {info.get("name"): info.text.strip() for info in root.all("report_infos", "info")}
    if infos.get("generatorName", "").lower() != "wapiti":
        raise UnreadableReport("it is not as Wapiti writes it")
    said = []
    for group, tag in (("vulnerabilities", "vulnerability"), ("anomalies", "anomaly"), (_ADDITIONAL, "additional")):
        for kind in root.all(group, tag):
            weak = cwes([ref.of("title") for ref in kind.all("references", "reference")])
            for entry in kind.all("entries", "entry"):
                said.append(_entry(group, kind.get("name"), entry.of, infos.get("target"), weak, kind.of("solution")))
    return Report(tuple(said), infos.get("generatorVersion", "")[:40], infos.get("dateOfScan", "")[:60])


def _entry(group: str, title: str, of: Any, target: Any, weak: tuple[str, ...], remedy: Any) -> Statement:
    base, path = address(target).rstrip("/"), address(of("path"))
    origin = "/".join(base.split("/")[:3])
    level = _LEVELS.get(str(of("level")).strip(), Severity.MEDIUM)
    return Statement(
        rule=name(title) or "unnamed",
        message=f"{plain(title, 120)}: {plain(of('info'), 300)}",
        severity=Severity.INFO if group == _ADDITIONAL else level,
        title=plain(title, 150),
        subject=f"{origin}{path}" or "service",
        kind=Kind.SERVICE,
        part=plain(of("parameter"), 80).partition("=")[0],
        cwes=weak,
        remedy=plain(remedy, 300),
    )


SOURCE = Source(
    title="Wapiti",
    form="JSON or XML",
    command="wapiti -u URL -f json -o report.json --no-bugreport",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
