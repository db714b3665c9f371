"""CycloneDX: the vulnerabilities of a bill of materials, with what was made of them (VEX)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import Node, json_object, parse_xml
from shipworthy.witnesses.imported._shared import of_tool, vulnerability
from shipworthy.witnesses.statements import Report, Source, Statement, at, cwes, graded, name, objects, scored

# Section `analysis.state` of the specification. Somebody's word that it does not matter waives nothing here: that needs
# a waiver with an owner and an end.
_CLOSED = frozenset({"resolved", "resolved_with_pedigree", "false_positive", "not_affected"})


def read(raw: bytes) -> Report:
    """JSON or XML of 1.4 and later, and the extension of before. A bill without vulnerabilities says nothing of any."""
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(parse_xml(raw, "bom"))
    value = json_object(raw)
    of_tool(value.get("bomFormat") == "CycloneDX", "CycloneDX")
    if not isinstance(value.get("vulnerabilities"), list):
        raise UnreadableReport("it is a bill of materials that says nothing of vulnerabilities")
    known: dict[str, tuple[str, str]] = {}
    waiting = [*objects(value.get("components"))]
    while waiting:
        item = waiting.pop()
        known[name(item.get("bom-ref"), 300)] = (name(item.get("name"), 120), name(item.get("version"), 80))
        waiting += objects(item.get("components"))
    said, closed = list[Statement](), Counter[str]()
    for item in objects(value["vulnerabilities"]):
        state = str(at(item, "analysis", "state") or "")
        affected = [at(target, "ref") for target in objects(item.get("affects"))] or [""]
        if state in _CLOSED:
            closed[state] += 1
            continue
        ratings = [(r.get("severity"), r.get("score")) for r in objects(item.get("ratings"))]
        aliases = [at(r, "id") for r in objects(item.get("references"))]
        for ref in affected:
            said.append(
                _statement(
                    item.get("id"),
                    ref,
                    known,
                    item.get("description"),
                    ratings,
                    item.get("cwes"),
                    aliases,
                    state,
                    item.get("recommendation"),
                )
            )
    tools = at(value, "metadata", "tools")
    version = name(at(tools, 0, "version") or at(tools, "components", 0, "version"), 40)
    return _report(said, closed, version, name(at(value, "metadata", "timestamp"), 40))


def _xml(root: Node) -> Report:
    if not root.every("vulnerabilities"):
        raise UnreadableReport("it is a bill of materials that says nothing of vulnerabilities")
    known = {c.get("bom-ref"): (name(c.of("name"), 120), name(c.of("version"), 80)) for c in root.every("component")}
    said, closed = list[Statement](), Counter[str]()
    for item in root.every("vulnerability"):
        state = item.of("analysis", "state")
        if state in _CLOSED:
            closed[state] += 1
            continue
        ratings = [(r.of("severity"), r.of("score") or r.of("score", "base")) for r in item.all("ratings", "rating")]
        refs = [node.text.strip() for node in item.all("affects", "target", "ref")] or [item.get("ref")]
        weak = [node.text for node in item.all("cwes", "cwe")]
        aliases = [node.text for node in item.all("references", "reference", "id")]
        for ref in refs:
            said.append(
                _statement(
                    item.of("id"),
                    ref,
                    known,
                    item.of("description"),
                    ratings,
                    weak,
                    aliases,
                    state,
                    item.of("recommendation"),
                )
            )
    return _report(said, closed, "", root.of("metadata", "timestamp"))


def _statement(
    ident: Any,
    ref: Any,
    known: dict[str, tuple[str, str]],
    about: Any,
    ratings: Any,
    weak: Any,
    aliases: Any,
    state: str,
    remedy: Any,
) -> Statement:
    place = name(ref, 300)
    package, version = known.get(place, ("", ""))
    if not package:
        package, _, version = place.partition("?")[0].rpartition("/")[2].rpartition("#")[2].partition("@")
    rated = [scored(score) or graded(word, Severity.MEDIUM) for word, score in ratings if word or score]
    return vulnerability(
        ident,
        package or "component",
        version,
        title=about,
        severity=max(rated, key=lambda s: s.rank) if rated else Severity.MEDIUM,
        subject=place or package or "component",
        weaknesses=cwes(weak or ()),
        aliases=aliases,
        remedy=name(remedy, 300),
        confidence=Confidence.HIGH if state == "exploitable" else Confidence.MEDIUM,
    )


def _report(said: list[Statement], closed: Counter[str], version: str, made: str) -> Report:
    notes = tuple(f"{count} {state.replace('_', ' ')} by its word" for state, count in closed.items())
    return Report(tuple(said), version, made, notes=notes)


SOURCE = Source(
    title="CycloneDX VEX",
    form="JSON or XML",
    command="any tool that writes CycloneDX with vulnerabilities",
    category="dependencies",
    read=read,
    tried="recorded",
)
