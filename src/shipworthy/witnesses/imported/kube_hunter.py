"""kube-hunter: a Kubernetes cluster, from outside. The project is archived; its reports can still be read."""

from __future__ import annotations

from shipworthy.model import Kind
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.statements import Report, Source, Statement, address, graded, name, objects, plain, wanted


def read(raw: bytes) -> Report:
    """`kube-hunter --report json`. Evidence is not kept: it may be a token. Without a node, it looked at nothing."""
    value = json_object(raw)
    nodes = wanted(value, "nodes", list, tool="kube-hunter")
    services = wanted(value, "services", list, tool="kube-hunter")
    said = [
        Statement(
            rule=name(item.get("vid")) or name(item.get("vulnerability")) or "unnamed",
            message=f"{plain(item.get('vulnerability'), 150)}: {plain(item.get('description'), 300)}",
            severity=graded(item.get("severity")),
            title=plain(item.get("vulnerability"), 150),
            subject=address(item.get("location")) or "cluster",
            kind=Kind.HOST,
            part=plain(item.get("hunter"), 100),
        )
        for item in objects(wanted(value, "vulnerabilities", list, tool="kube-hunter"))
    ]
    return Report(tuple(said), looked=len(nodes) + len(services))


SOURCE = Source(
    title="kube-hunter",
    form="JSON",
    command="kube-hunter --remote HOST --report json > report.json",
    category="services",
    read=read,
    tried="recorded",
    stage="test",
)
