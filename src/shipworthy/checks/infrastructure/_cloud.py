"""How resources of a cloud are judged, whatever language they are written in: settings, policies, networks, secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shipworthy.checks.infrastructure import _cloud_rules as rules
from shipworthy.checks.infrastructure._cloud_rows import ABSENT, Row
from shipworthy.checks.infrastructure._report import Hit, literal_secret, secret_value, shown
from shipworthy.model import Confidence, Severity
from shipworthy.records import dataclass

ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "*", "Internet", "any", "Any", "<nw>/0"})
_ADMIN = {
    20: "FTP", 21: "FTP", 22: "ssh", 23: "telnet", 135: "RPC", 445: "SMB", 1433: "SQL Server", 1521: "Oracle",
    2375: "the Docker daemon", 2376: "the Docker daemon", 2379: "etcd", 3306: "MySQL", 3389: "remote desktop",
    5432: "PostgreSQL", 5900: "VNC", 5984: "CouchDB", 6379: "Redis", 6443: "the Kubernetes API", 8888: "Jupyter",
    9200: "Elasticsearch", 10250: "the kubelet", 11211: "memcached", 27017: "MongoDB",
}  # fmt: skip


class Unknown:
    """A value that is put together elsewhere."""


@dataclass(frozen=True)
class Found:
    """A value at a place: `ABSENT` if it is not there, an `Unknown` if it cannot be known."""

    value: Any
    line: int


@dataclass(frozen=True)
class Resource:
    """A resource: `find` gives all values at a path, `name` what it is called."""

    type: str
    name: str
    line: int
    find: Callable[[str], list[Found]]


def settings(resource: Resource, table: Iterable[Row], unknown: list[tuple[int, str]], sign: str) -> Iterator[Hit]:
    """What the rows say of a resource; settings that cannot be known are added to `unknown`."""
    for row in table:
        for found in resource.find(row.path):
            if isinstance(found.value, Unknown):
                unknown.append((found.line, f"{resource.type} {resource.name}: {row.path} is put together elsewhere"))
            elif _is_bad(found.value, row.bad):
                what = repr(found.value) if found.value is ABSENT else f"is {shown(found.value, 40)}"
                good = (
                    json.dumps(row.good)
                    if sign == " = "
                    else str(row.good).lower()
                    if row.good in (True, False)
                    else row.good
                )
                yield Hit(
                    row.rule,
                    f"{resource.name}: {row.path} {'is ' if found.value is ABSENT else ''}{what}",
                    found.line,
                    f"{resource.type} {resource.name} {row.path}",
                    remedy=f"{row.rule.remedy} Here: `{row.path}{sign}{good}`.",
                )


def _is_bad(value: Any, bad: tuple[Any, ...]) -> bool:
    if value in ("true", "false", "True", "False"):
        value = value.lower() == "true"
    if value is None:
        value = ABSENT
    return any(value is one or (type(value) is type(one) and value == one) for one in bad) or (
        isinstance(value, str) and str(value) in bad
    )


def ports_open(name: str, low: Any, high: Any, protocol: Any, line: int) -> Iterator[Hit]:
    """What a rule means that lets everybody reach these ports."""
    first, last = _port(low), _port(high)
    if str(protocol).lower() in ("-1", "all", "*") and (first is None or first in (0, -1)):
        first, last = 0, 65535
    if str(protocol).lower() in ("icmp", "icmpv6", "1", "58") or first is None:
        return
    last = first if last is None else last
    if first == -1 or (first == 0 and last in (0, -1)):
        first, last = 0, 65535
    reached = [(port, what) for port, what in _ADMIN.items() if first <= port <= last]
    if last - first >= 60_000:
        yield Hit(rules.NETWORK_OPEN, f"{name}: every port is open to everybody", line, f"{name} all ports")
    elif reached:
        port, what = reached[0]
        yield Hit(rules.NETWORK_OPEN, f"{name}: port {port} ({what}) is open to everybody", line, f"{name} {port}")


def _port(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.lstrip("-").isdigit() and len(text) < 7 and not isinstance(value, bool) else None


def policy(name: str, document: Any, line: int, attached: bool) -> Iterator[Hit]:
    """What a policy of AWS allows too much. `attached`: it belongs to a resource, which others reach."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return
    statements = document.get("Statement") if isinstance(document, dict) else None
    for one in statements if isinstance(statements, list) else [statements]:
        if not isinstance(one, dict) or one.get("Effect", "Allow") != "Allow":
            continue
        where = getattr(one, "line", 0) or line
        actions = [str(item) for item in _listed(one.get("Action"))]
        everything = "*" in actions or "*:*" in actions
        wide = [item for item in actions if item.endswith(":*") and item.count("*") == 1]
        resources = [str(item) for item in _listed(one.get("Resource"))]
        conditioned = bool(one.get("Condition"))
        if everything and not attached:
            yield Hit(rules.IAM_WILDCARD, f"{name}: every action is allowed", where, f"{name} *")
        elif "NotAction" in one and "*" in resources:
            yield Hit(rules.IAM_WILDCARD, f"{name}: all actions but some are allowed", where, f"{name} NotAction")
        elif wide and "*" in resources and not conditioned and not attached:
            severity = Severity.HIGH if set(wide) & {"iam:*", "sts:*", "kms:*", "s3:*", "ec2:*"} else Severity.MEDIUM
            message = f"{name}: {shown(', '.join(wide))} on every resource"
            yield Hit(rules.IAM_WILDCARD, message, where, f"{name} {' '.join(wide)}", severity=severity)
        elif {"iam:PassRole", "sts:AssumeRole"} & set(actions) and "*" in resources and not conditioned:
            message = f"{name}: any role may be taken or passed on"
            yield Hit(rules.IAM_WILDCARD, message, where, f"{name} PassRole", severity=Severity.MEDIUM)
        if _everybody(one.get("Principal")) and not conditioned:
            yield Hit(rules.PUBLIC_PRINCIPAL, f"{name}: the principal is everybody", where, f"{name} principal")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _everybody(principal: Any) -> bool:
    if isinstance(principal, dict):
        return any("*" in _listed(one) for key, one in principal.items() if key in ("AWS", "*"))
    return str(principal) == "*"


def secrets(place: str, values: Iterable[tuple[str, Any, int]]) -> Iterator[Hit]:
    """Settings that hold a secret as it stands, and scripts and texts in which one is."""
    for name, value, line in values:
        sure = literal_secret(name, value)
        if sure is None and isinstance(value, str) and secret_value(value):
            sure = Confidence.HIGH
        if sure:
            message = f"{place}: {shown(name)} holds a secret ({len(value)} characters)"
            yield Hit(rules.SECRET, message, line, f"{place} {name}", confidence=sure)
