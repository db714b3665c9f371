"""OpenVEX: what somebody says of vulnerabilities in a product."""

from __future__ import annotations

from collections import Counter

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import of_tool, vulnerability
from shipworthy.witnesses.statements import Report, Source, at, name, objects, wanted

_OPEN = {"affected": Confidence.HIGH, "under_investigation": Confidence.LOW}
_CLOSED = frozenset({"not_affected", "fixed"})


def read(raw: bytes) -> Report:
    """A document of version 0.0.1 to 0.2.0. `affected` and `under_investigation` are findings; somebody's word that it
    does not matter waives nothing: that needs a waiver with an owner and an end."""
    value = json_object(raw)
    of_tool("openvex" in str(value.get("@context")) and bool(value.get("@id")), "OpenVEX")
    said, closed = [], Counter[str]()
    for item in objects(wanted(value, "statements", list, tool="OpenVEX")):
        status = item.get("status")
        if status in _CLOSED:
            closed[status] += 1
            continue
        if status not in _OPEN:
            raise UnreadableReport(f"it has a status that is not known: {name(status, 40)!a}")
        about = item.get("vulnerability")
        ident = about if isinstance(about, str) else at(about, "name")
        products = item.get("products") or [{"@id": value.get("@id")}]
        for product in products if isinstance(products, list) else []:
            ref = name(product if isinstance(product, str) else at(product, "@id"), 300)
            package, _, version = ref.partition("?")[0].rpartition("/")[2].partition("@")
            said.append(
                vulnerability(
                    ident,
                    package or "product",
                    version,
                    title=item.get("impact_statement") or item.get("status_notes") or status.replace("_", " "),
                    severity=Severity.MEDIUM,  # the format has none
                    subject=ref or "product",
                    aliases=at(about, "aliases") or (),
                    remedy=name(item.get("action_statement"), 300),
                    confidence=_OPEN[status],
                )
            )
    notes = tuple(f"{count} {state.replace('_', ' ')} by its word" for state, count in closed.items())
    return Report(tuple(said), made=name(value.get("last_updated") or value.get("timestamp"), 40), notes=notes)


SOURCE = Source(
    title="OpenVEX",
    form="JSON",
    command="vexctl create …",
    category="dependencies",
    read=read,
    tried="recorded",
)
