"""The readers of reports, one for each tool."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.witnesses.claims import CLAIMS, LIMIT, Claim, Testimony, UnreadableReport, document, member, words

_FOUND = re.compile(r"(?P<path>.+): (?P<kind>dangerous|suspicious) import '(?P<module>\S+) (?P<name>[^']+)' FOUND")
_COUNTED = re.compile(r"(Scanned files|Infected files|Suspicious globals|Dangerous globals): (\d{1,12})")
_UNPARSED = re.compile(r"(?:WARNING|ERROR): (.+)")
_IMPORT = re.compile(r"`?from ([\w.]{1,200}) import ([\w.]{1,200})`?")
_PLACE = re.compile(r"(?P<path>.*?)(?:\s\(pos (?P<offset>\d{1,18})\))?", re.DOTALL)
# How often a tool is right was measured on 311 attacks and 104 honest models: ModelScan and picklescan flag almost no
# honest file, ModelAudit and fickling every second one.
_FICKLING = {
    "POSSIBLY_UNSAFE": Severity.LOW,
    "SUSPICIOUS": Severity.MEDIUM,
    "LIKELY_UNSAFE": Severity.MEDIUM,
    "LIKELY_OVERTLY_MALICIOUS": Severity.HIGH,
    "OVERTLY_MALICIOUS": Severity.CRITICAL,
}
_AUDIT = {"critical": Severity.CRITICAL, "warning": Severity.MEDIUM, "info": Severity.INFO, "debug": Severity.INFO}
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.INFO, "none": Severity.INFO}


def read(tool: str, raw: bytes) -> Testimony:
    """Read a report of a tool of TOOLS. Raises UnreadableReport."""
    if len(raw) > LIMIT:
        raise UnreadableReport(f"it is larger than {LIMIT >> 20} MiB")
    if not raw.strip():
        raise UnreadableReport("it is empty")
    found = TOOLS[tool](raw)
    if not found.count and not found.claims:
        raise UnreadableReport(f"{tool} looked at no file" + (f": {found.gaps[0]}" if found.gaps else ""))
    if len(found.claims) > CLAIMS:
        raise UnreadableReport(f"it has more than {CLAIMS} findings")
    return found


def modelscan(raw: bytes) -> Testimony:
    """`modelscan -p … -r json`."""
    value = document(raw)
    summary = member(value, "summary", dict)
    issues, errors = member(value, "issues", list), member(value, "errors", list)
    version, scanned = member(summary, "modelscan_version", str), member(summary, "scanned", dict)
    total = member(scanned, "total_scanned", int)
    if member(summary, "total_issues", int) != len(issues):
        raise UnreadableReport("its summary counts other issues than it lists")
    folder = words(summary.get("input_path"), 4096).rstrip("/")
    names = scanned.get("scanned_files", [])
    if not isinstance(names, list) or len(names) != total:
        raise UnreadableReport("its summary counts other files than it lists")

    def place(text: Any) -> tuple[str, str]:
        path, _, inner = words(text, 4096).partition(":")
        return (f"{folder}/{path}" if path and folder not in (path, ".", "") else path or folder), inner

    claims = []
    for issue in _objects(issues):
        path, inner = place(issue.get("source"))
        module, name = words(issue.get("module")), words(issue.get("operator"))
        severity = words(issue.get("severity")).lower()
        claims.append(
            Claim(
                path,
                words(issue.get("description")) or "an unsafe operator",
                Severity(severity) if severity in tuple(Severity) else Severity.HIGH,
                Confidence.MEDIUM,
                f"{module}:{name}" if module and name else "",
                inner,
                rule=words(issue.get("scanner")).rpartition(".")[2],
            )
        )
    gaps = [f"{words(e.get('source'))}: {words(e.get('description'))}" for e in _objects(errors)]
    for skip in _objects(summary.get("skipped", {}).get("skipped_files", []) if _skips(summary) else []):
        gaps.append(f"{words(skip.get('source'))}: {words(skip.get('description'))}")
    files = tuple(dict.fromkeys(place(name)[0] for name in names))
    return Testimony("modelscan", version, tuple(claims), files, total, tuple(gaps))


def _skips(summary: dict[str, Any]) -> bool:
    return isinstance(summary.get("skipped"), dict)


def picklescan(raw: bytes) -> Testimony:
    """What picklescan prints; it has no other report. It names files with findings only, and tells on stderr what it
    could not read: `picklescan -p … > report.txt 2>&1`.
    """
    lines = raw.decode("utf-8", "replace").splitlines()
    counts = {match[1]: int(match[2]) for line in lines if (match := _COUNTED.fullmatch(line.strip()))}
    if not any("SCAN SUMMARY" in line for line in lines) or len(counts) != 4:
        raise UnreadableReport("it has no whole summary: it was cut short, or picklescan did not write it")
    claims, gaps = [], []
    for line in lines:
        if found := _FOUND.fullmatch(line.strip()):
            path, inner = _members(found["path"])
            key = f"{found['module']}:{found['name']}"
            severity = Severity.HIGH if found["kind"] == "dangerous" else Severity.MEDIUM
            claims.append(Claim(path, f"{found['kind']} import {key}", severity, Confidence.MEDIUM, key, inner))
        elif warned := _UNPARSED.fullmatch(line.strip()):
            gaps.append(words(warned[1]))
    if sum(claim.severity is Severity.HIGH for claim in claims) != counts["Dangerous globals"]:
        raise UnreadableReport("its summary counts other findings than it lists")
    return Testimony("picklescan", "", tuple(claims), None, counts["Scanned files"], tuple(gaps))


def fickling(raw: bytes) -> Testimony:
    """`fickling --check-safety --json-output …`: one pickle, whose name is not in the report."""
    value = document(raw)
    verdict, text = member(value, "severity", str), member(value, "analysis", str)
    details = member(value, "detailed_results", dict)
    if verdict == "LIKELY_SAFE":
        return Testimony("fickling", "", (), None, 1)
    if verdict not in _FICKLING:
        raise UnreadableReport(f"fickling has no verdict {ascii(verdict)[:60]}")
    names = dict.fromkeys(_IMPORT.findall("\n".join([text, *_texts(details)])))
    message = words(text.partition("\n")[0], 300) or verdict
    severity = _FICKLING[verdict]
    claims = [
        Claim("", f"{verdict}: it imports {module}:{name}", severity, Confidence.LOW, f"{module}:{name}", rule=verdict)
        for module, name in names
    ] or [Claim("", f"{verdict}: {message}", severity, Confidence.LOW, rule=verdict)]
    return Testimony("fickling", "", tuple(claims), None, 1)


def modelaudit(raw: bytes) -> Testimony:
    """`modelaudit scan … --format json` or `--format sarif`."""
    value = document(raw)
    return _sarif(value) if "runs" in value else _audit(value)


def _audit(value: dict[str, Any]) -> Testimony:
    issues, checks = member(value, "issues", list), member(value, "checks", list)
    count, metadata = member(value, "files_scanned", int), member(value, "file_metadata", dict)
    member(value, "scanner_names", list)
    if member(value, "total_checks", int) != len(checks):
        raise UnreadableReport("it counts other checks than it lists")
    claims = []
    for issue in _objects(issues):
        if words(issue.get("location")):
            details = issue.get("details")
            severity = _AUDIT.get(words(issue.get("severity")), Severity.MEDIUM)
            claims.append(
                _claim(issue.get("location"), issue.get("message"), severity, details, issue.get("rule_code"))
            )
    gaps = ["it ended with errors"] if value.get("has_errors") else []
    digests = tuple((path, f"sha256:{digest}") for path, digest in _hashes(metadata))
    return Testimony("modelaudit", "", tuple(claims), tuple(metadata), count, tuple(gaps), digests)


def _hashes(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, facts in metadata.items():
        found = facts.get("file_hashes") if isinstance(facts, dict) else None
        digest = found.get("sha256") if isinstance(found, dict) else None
        if isinstance(digest, str):
            yield path, digest.lower()


def _sarif(value: dict[str, Any]) -> Testimony:
    runs = member(value, "runs", list)
    if len(runs) != 1 or not isinstance(runs[0], dict):
        raise UnreadableReport("it does not hold one run")
    run = runs[0]
    driver = member(member(run, "tool", dict), "driver", dict)
    if driver.get("name") != "ModelAudit":
        raise UnreadableReport(f"it was written by {words(driver.get('name'), 60)!a}, not by ModelAudit")
    results, invocations = member(run, "results", list), member(run, "invocations", list)
    artifacts = member(run, "artifacts", list)
    claims = []
    for result in _objects(results):
        properties, text = result.get("properties"), _at(result, "message", "text")
        uri = _at(next(_objects(result.get("locations")), {}), "physicalLocation", "artifactLocation", "uri")
        severity = _LEVELS.get(words(result.get("level")), Severity.MEDIUM)
        place = urllib.parse.unquote(words(uri, 4096))
        if place:
            claims.append(_claim(place, text, severity, properties, result.get("ruleId")))
    gaps = []
    for invocation in _objects(invocations):
        if _at(invocation, "properties", "operationalErrors") or not _at(invocation, "properties", "processCompleted"):
            gaps.append("it ended with errors")
        elif _at(invocation, "properties", "incompleteCoverage"):
            gaps.append("it says itself that it did not look at everything")
    files, digests = [], []
    for artifact in _objects(artifacts):
        path, digest = urllib.parse.unquote(words(_at(artifact, "location", "uri"), 4096)), None
        digest = _at(artifact, "hashes", "sha-256")
        files.append(path)
        if isinstance(digest, str):
            digests.append((path, f"sha256:{digest.lower()}"))
    version = words(driver.get("version"), 40)
    return Testimony("modelaudit", version, tuple(claims), tuple(files), len(files), tuple(gaps), tuple(digests))


def _claim(place: Any, message: Any, severity: Severity, details: Any, rule: Any) -> Claim:
    match = _PLACE.fullmatch(words(place, 4096))
    path, inner = _members(match["path"] if match else "")
    facts = details if isinstance(details, dict) else {}
    module, name = words(facts.get("module")), words(facts.get("name"))
    offset = int(match["offset"]) if match and match["offset"] else None
    key = f"{module}:{name}" if module and name else ""
    return Claim(path, words(message) or "an issue", severity, Confidence.LOW, key, inner, offset, words(rule, 80))


def _members(text: str) -> tuple[str, str]:
    """`model.pt:archive/data.pkl`: a file and its member. A drive's colon belongs to the path."""
    head, colon, tail = text[2:].partition(":")
    return text[:2] + head, tail if colon else ""


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict):
            raise UnreadableReport("a list of it holds something that is no object")
        yield item


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < 8:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item, depth + 1)


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


TOOLS: dict[str, Callable[[bytes], Testimony]] = {
    "modelscan": modelscan,
    "picklescan": picklescan,
    "fickling": fickling,
    "modelaudit": modelaudit,
}
