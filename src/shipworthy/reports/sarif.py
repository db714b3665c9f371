"""SARIF 2.1.0 (OASIS, with errata 01), as code-scanning services read it.

One run of one tool, because deduplication happened before: the same finding is not told twice. What was not looked at
is told as notifications, and makes `executionSuccessful` false. Result limit, required properties and
`security-severity` follow GitHub's documentation of SARIF support for code scanning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from shipworthy import __version__
from shipworthy.hub.addresses import has_page, rule_address
from shipworthy.model import CheckResult, Confidence, Disposition, Finding, Outcome, Rule, Run, Severity, Status
from shipworthy.model.serial import dumps
from shipworthy.reports._text import cut, instant, plural, visible
from shipworthy.reports._view import GAPS, OUTCOME_MEANING, check_lines, complete

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000  # GitHub takes no more of one run
_MAX_TAGS = 20
_MAX_TEXT = 1_000
_SKIPPED_NAMED = 20
_BASE = "SRCROOT"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub reads over 9.0 as critical, from 7.0 as high, from 4.0 as medium, from 0.1 as low.
_SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.1",
}
_PRECISION = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_NOTIFICATIONS = {
    "check-failed": "A check gave no answer",
    "check-unavailable": "A check could not look at anything",
    "check-partial": "A check could not look at everything",
    "stage-not-passed": "A stage of the pipeline did not pass",
    "results-truncated": "There are more findings than this format's readers accept",
}


def render(run: Run, *, limit: int = MAX_RESULTS, site: str = "") -> str:
    """The run as a SARIF log; its rules lead to the hub's pages, if those are published at `site`. With more
    than `limit` findings the worst are kept, and a notification says so."""
    return dumps(to_dict(run, limit=limit, site=site))


def to_dict(run: Run, *, limit: int = MAX_RESULTS, site: str = "") -> dict[str, Any]:
    """The SARIF log as JSON values."""
    findings = run.findings[:limit]
    rules = _Rules(findings, site)
    compared = any(finding.disposition is Disposition.KNOWN for finding in findings)
    driver: dict[str, Any] = {
        "name": "Shipworthy",
        "version": visible(run.versions.get("shipworthy", "")) or __version__,
        "informationUri": "https://github.com/shipworthy/shipworthy",
        "rules": rules.descriptors,
        "notifications": [_notification_descriptor(key, text) for key, text in _NOTIFICATIONS.items()],
    }
    content: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"shipworthy/{visible(run.pipeline)}/{visible(run.id)}"},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the workspace that was looked at."}}},
        "invocations": [_invocation(run, len(run.findings) - len(findings))],
        "results": [_result(finding, rules.index[finding.rule.id], compared) for finding in findings],
        "properties": {
            "verdict": visible(run.verdict),
            "project": visible(run.project),
            "commit": visible(run.trigger.commit),
            "settingsDigest": visible(run.settings_digest),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [content]}


def _notification_descriptor(key: str, text: str) -> dict[str, Any]:
    told = {"text": f"{text}."}
    name = "".join(part.capitalize() for part in key.split("-"))
    return {"id": key, "name": name, "shortDescription": told, "fullDescription": told, "help": told}


class _Rules:
    """The rules that were seen. A rule's severity here is the worst of its findings, because that is where services
    look for it; each result's own severity is in its level and properties.
    """

    def __init__(self, findings: Iterable[Finding], site: str) -> None:
        self.descriptors: list[dict[str, Any]] = []
        self.index: dict[str, int] = {}
        worst: dict[str, Severity] = {}
        for finding in findings:
            known = worst.get(finding.rule.id)
            worst[finding.rule.id] = finding.severity if known is None else max(known, finding.severity)
        for finding in findings:
            rule = finding.rule
            if rule.id not in self.index:
                self.index[rule.id] = len(self.descriptors)
                self.descriptors.append(_descriptor(rule, worst[rule.id], finding.category, site))


def _descriptor(rule: Rule, severity: Severity, category: str, site: str) -> dict[str, Any]:
    tags = ["security", *([visible(category)] if category else [])]
    for entry in rule.taxonomy:
        cwe = re.fullmatch(r"CWE-(\d{1,6})", entry)
        tags.append(f"external/cwe/cwe-{int(cwe.group(1)):03d}" if cwe else visible(entry))
    description, remedy = cut(visible(rule.description), _MAX_TEXT), cut(visible(rule.remedy), _MAX_TEXT)
    more = f"More, with code: shipworthy explain {rule.id}" if has_page(rule) else ""
    address = rule_address(site, rule)
    return {
        "id": visible(rule.id),
        "name": "".join(part.capitalize() for part in re.findall(r"[A-Za-z0-9]+", rule.id))[:255] or "Rule",
        "shortDescription": {"text": _sentence(cut(visible(rule.title), 250))},
        "fullDescription": {"text": _sentence(description)},
        "help": {
            "text": "\n\n".join(filter(None, (description, f"What to do: {remedy}", more))),
            "markdown": "\n\n".join(
                filter(None, (_markdown(description), f"**What to do:** {_markdown(remedy)}", _markdown(more)))
            ),
        },
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": list(dict.fromkeys(tags))[:_MAX_TAGS],
            "precision": _PRECISION[rule.confidence],
            "security-severity": _SECURITY_SEVERITY[severity],
            "problem.severity": {"error": "error", "warning": "warning"}.get(_LEVELS[severity], "recommendation"),
        },
    }


def _result(finding: Finding, index: int, compared: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": visible(finding.rule.id),
        "ruleIndex": index,
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(finding)],
        # Services that compare runs by line use the first, which would else be computed from the source line.
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "shipworthy/v1": finding.fingerprint,
        },
        "suppressions": _suppressions(finding),
        "properties": {
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "category": visible(finding.category),
            "check": visible(finding.check),
            "disposition": finding.disposition.value,
            "remedy": cut(visible(finding.remedy), _MAX_TEXT),
            "evidence": cut(visible(finding.evidence), _MAX_TEXT),
            "place": visible(str(finding.location)),
            "witnesses": [visible(witness) for witness in finding.witnesses],
        },
    }
    if compared:
        result["baselineState"] = "unchanged" if finding.disposition is Disposition.KNOWN else "new"
    return result


def _message(finding: Finding) -> str:
    spot = finding.location
    extra = f" ({spot})" if str(spot) and str(spot) != f"line {spot.line}" else ""
    return _sentence(_no_links(cut(visible(finding.message), _MAX_TEXT) + visible(extra)))


def _location(finding: Finding) -> dict[str, Any]:
    uri = finding.artifact.uri
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": artifact_location(uri), "region": _region(finding)}
    }
    logical = []
    if _SCHEME.match(uri):
        logical.append({"fullyQualifiedName": visible(uri), "kind": "resource"})
    if finding.location.member:
        logical.append({"fullyQualifiedName": visible(finding.location.member), "kind": "member"})
    if logical:
        location["logicalLocations"] = logical
    return location


def artifact_location(uri: str) -> dict[str, str]:
    """An artifact as a relative, percent-encoded URI under the workspace.

    What came from elsewhere (`s3://bucket/key`) is told as a relative name too (`s3/bucket/key`), since services refuse
    a log with any other scheme; the real one is in `logicalLocations`. The workspace itself (`.`) is called so.
    """
    match = _SCHEME.match(uri)
    name = f"{match.group(1)}/{uri[match.end() :]}" if match else uri
    parts = [part for part in visible(name).split("/") if part not in ("", ".")]
    # A reader must not be led out of the workspace.
    encoded = "/".join("%2E%2E" if part == ".." else quote(part, safe="-._~!$&'()*+,;=@") for part in parts)
    return {"uri": encoded or "workspace", "uriBaseId": _BASE}


def _region(finding: Finding) -> dict[str, int]:
    """Lines and columns where they are known. Services want a line for everything: 1 stands for the whole file, and
    the message says where.
    """
    spot = finding.location
    if spot.line is None or spot.line < 1 or spot.cell is not None or spot.member:
        return {"startLine": 1}
    region = {"startLine": spot.line}
    if spot.column is not None and spot.column >= 1:
        region["startColumn"] = spot.column
    if spot.end_line is not None and spot.end_line > spot.line:
        region["endLine"] = spot.end_line
    return region


def _suppressions(finding: Finding) -> list[dict[str, str]]:
    if finding.disposition is Disposition.WAIVED:
        why = visible(finding.waiver) or "waived in the settings"
    elif finding.disposition is Disposition.KNOWN:
        why = "known: it is in the baseline"
    else:
        return []
    return [{"kind": "external", "status": "accepted", "justification": cut(why, _MAX_TEXT)}]


def _invocation(run: Run, left_out: int) -> dict[str, Any]:
    notifications = [_check_notification(line.check) for line in check_lines(run) if line.check.outcome in GAPS]
    for stage in run.stages:
        if stage.status is not Status.PASSED:
            text = f"Stage {stage.stage}: {stage.status.value}" + (f": {stage.note}" if stage.note else "")
            level = "error" if stage.status in (Status.ERROR, Status.INTERRUPTED) else "warning"
            notifications.append(_notification("stage-not-passed", level, text))
    if left_out:
        text = f"{plural(left_out, 'finding')} of the lowest severity are left out; the run's own record has them all"
        notifications.append(_notification("results-truncated", "error", text))
    return {
        "executionSuccessful": complete(run) and not left_out,
        "exitCode": run.exit_code,
        "startTimeUtc": instant(run.started),
        "endTimeUtc": instant(run.started + timedelta(seconds=max(0.0, run.seconds))),
        "toolExecutionNotifications": notifications,
    }


def _check_notification(check: CheckResult) -> dict[str, Any]:
    looked = f"{len(check.examined)} of {check.eligible} artifacts looked at"
    text = f"{check.check}: {OUTCOME_MEANING[check.outcome]} ({looked})"
    text += "".join(f": {part}" for part in (check.note, check.remedy) if part)
    kind = {Outcome.FAILED: "check-failed", Outcome.UNAVAILABLE: "check-unavailable"}.get(
        check.outcome, "check-partial"
    )
    note = _notification(kind, "warning" if check.outcome is Outcome.PARTIAL else "error", text)
    named = [skip.artifact for skip in check.skipped if skip.artifact is not None][:_SKIPPED_NAMED]
    if named:
        note["locations"] = [{"physicalLocation": {"artifactLocation": artifact_location(a.uri)}} for a in named]
    return note


def _notification(kind: str, level: str, text: str) -> dict[str, Any]:
    index = list(_NOTIFICATIONS).index(kind)
    message = _sentence(_no_links(cut(visible(text), _MAX_TEXT)))
    return {"descriptor": {"id": kind, "index": index}, "level": level, "message": {"text": message}}


def _no_links(text: str) -> str:
    """Square brackets escaped where SARIF (section 3.11.6) would read an embedded link."""
    return re.sub(r"([\[\]])", r"\\\1", text.replace("\\", "\\\\")) if "](" in text else text


def _sentence(text: str) -> str:
    stripped = " ".join(text.split()) or "No description"
    return stripped if stripped[-1] in ".!?…" else f"{stripped}."


def _markdown(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", escaped)
