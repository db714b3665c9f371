"""What several readers have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shipworthy.model import Confidence, Kind, Severity
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.imported.sarif import read_log
from shipworthy.witnesses.statements import Report, Statement, advisories, cwes, name, plain


def vulnerability(
    ident: Any,
    package: Any,
    version: Any = "",
    *,
    title: Any = "",
    severity: Severity,
    fixed: Any = "",
    path: str = "",
    subject: str = "",
    kind: Kind = Kind.OTHER,
    weaknesses: Any = (),
    aliases: Iterable[Any] = (),
    remedy: str = "",
    confidence: Confidence = Confidence.MEDIUM,
    line: int | None = None,
) -> Statement:
    """An advisory about a package. What names none of the two cannot be told. Raises UnreadableReport."""
    advisory, item, installed = name(ident, 80), name(package, 120), name(version, 80)
    if not advisory or not item:
        raise UnreadableReport("a vulnerability in it has no id, or no package")
    better = name(fixed, 120)
    told = remedy or (f"Upgrade {item} to {better} or later." if better else "")
    at = f"{item} {installed}".strip()
    ids = tuple(dict.fromkeys((advisory, *advisories(advisory, *aliases))))
    return Statement(
        rule=advisory,
        message=f"{at}: {advisory}" + (f": {text}" if (text := plain(title, 250)) else ""),
        severity=severity,
        confidence=confidence,
        title=plain(title, 150),
        path=path,
        subject=subject,
        kind=kind,
        cwes=cwes(weaknesses),
        ids=ids,
        package=item,
        version=installed,
        remedy=told or f"No fixed version of {item} is told: replace it, or waive with a reason.",
        line=line,
    )


def sarif_of(value: Any, *drivers: str, secret: bool = False) -> Report | None:
    """The report of a SARIF log that one of these programs wrote; None for what is no SARIF log.

    Raises UnreadableReport for another program's.
    """
    if not isinstance(value, dict) or not isinstance(value.get("runs"), list):
        return None
    report = read_log(value, secret=secret)
    if not all(any(driver in tool for driver in drivers) for tool in report.tool.lower().split(", ")):
        raise UnreadableReport(f"it was written by {plain(report.tool, 60)!a}")
    return report


def of_tool(found: bool, title: str) -> None:
    """Raise UnreadableReport unless it looks as this tool writes it."""
    if not found:
        raise UnreadableReport(f"it is not as {title} writes it")
