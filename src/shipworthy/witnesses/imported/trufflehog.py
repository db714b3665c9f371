"""TruffleHog 3 (and 2), and trufflehog3: secrets in files, history and services. The secrets are never kept."""

from __future__ import annotations

from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.documents import json_lines
from shipworthy.witnesses.imported._shared import of_tool
from shipworthy.witnesses.statements import Report, Source, Statement, address, at, graded, name, number, plain


def read(raw: bytes) -> Report:
    """`trufflehog git|filesystem … --json`: one object a line. Lines that it logs are no findings."""
    said, gaps = [], []
    for item in json_lines(raw):
        if "DetectorName" in item:
            said.append(_three(item))
        elif "stringsFound" in item or isinstance(item.get("rule"), dict):
            said.append(_before(item))
        elif item.get("level") in ("error", "fatal") or str(item.get("level", "")).startswith("error"):
            gaps.append(plain(item.get("error") or item.get("msg"), 200) or "it logged an error")
        else:
            of_tool("level" in item or "msg" in item or "logger" in item, "TruffleHog")
    return Report(tuple(said), gaps=tuple(gaps))


def _three(item: dict[str, Any]) -> Statement:
    data = at(item, "SourceMetadata", "Data")
    where = next((v for v in data.values() if isinstance(v, dict)), {}) if isinstance(data, dict) else {}
    verified = item.get("Verified") is True
    detector = plain(item.get("DetectorName"), 80) or "secret"
    return Statement(
        rule=name(detector),
        message=f"{detector}: "
        + ("it works: the service accepted it" if verified else "not verified")
        + "; the value is not shown",
        severity=Severity.CRITICAL if verified else Severity.HIGH,
        confidence=Confidence.HIGH if verified else Confidence.LOW,
        path=name(where.get("file"), 1000),
        subject="" if where.get("file") else address(where.get("link") or where.get("repository")),
        line=number(where.get("line")),
        commit=name(where.get("commit"), 64),
        cwes=("CWE-798",),
        secret=True,
    )


def _before(item: dict[str, Any]) -> Statement:
    rule = item.get("rule")
    what = plain(at(rule, "message") or item.get("reason"), 80) or "secret"
    return Statement(
        rule=name(at(rule, "id") or item.get("reason")) or "secret",
        message=f"{what}: the value is not shown",
        severity=graded(at(rule, "severity"), Severity.HIGH),
        confidence=Confidence.LOW,
        path=name(item.get("path"), 1000),
        line=number(item.get("line")),
        commit=name(item.get("commitHash") or (item.get("commit") if rule else ""), 64),
        cwes=("CWE-798",),
        secret=True,
    )


SOURCE = Source(
    title="TruffleHog",
    form="JSON lines",
    command="trufflehog git file://. --json --no-update > report.json",
    category="secrets",
    read=read,
    tried="recorded",
)
