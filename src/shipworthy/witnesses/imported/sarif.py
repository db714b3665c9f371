"""SARIF 2.1.0 (OASIS) of any tool: severity, CWE ids, fingerprints and failed runs as the specification has them."""

from __future__ import annotations

import urllib.parse
from typing import Any

from shipworthy.model import Confidence, Severity
from shipworthy.patterns import regex
from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.statements import (
    Report,
    Source,
    Statement,
    address,
    advisories,
    at,
    cwes,
    guarded,
    name,
    number,
    objects,
    plain,
    scored,
    sure,
    wanted,
)

# Section 3.27.10. What fails without a level is a warning, unless its rule has another default (3.27.10, 3.50.3).
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_SEEN_AS_GOOD = frozenset({"pass", "notApplicable", "open", "informational"})  # section 3.27.9
_PLACE = regex(r"\{(\d)\}")
_LONGEST = 8000
_DONE = frozenset({"accepted", ""})  # suppressions (3.35.4); an empty state counts as accepted


def read(raw: bytes) -> Report:
    """A log file of one or more runs. Raises UnreadableReport."""
    return read_log(json_object(raw))


def read_log(log: dict[str, Any], *, secret: bool = False) -> Report:
    """The same, parsed; `secret`: its messages may quote secrets."""
    if str(log.get("version", "")) != "2.1.0":
        raise UnreadableReport(f"it is not SARIF 2.1.0, but version {name(log.get('version'), 20)!a}")
    runs = list(objects(wanted(log, "runs", list)))
    if not runs:
        raise UnreadableReport("it holds no run: nothing was looked at")
    said: list[Statement] = []
    gaps: list[str] = []
    tools, versions, made, hidden = dict[str, None](), dict[str, None](), "", 0
    revisions = dict[str, None]()
    for run in runs:
        driver = wanted(wanted(run, "tool", dict), "driver", dict)
        tools[name(driver.get("name"), 60) or "unnamed"] = None
        revisions |= dict.fromkeys(name(o.get("revisionId"), 80) for o in objects(run.get("versionControlProvenance")))
        versions[name(driver.get("semanticVersion") or driver.get("version"), 40)] = None
        gaps += _gaps(run)
        if not isinstance(run.get("results"), list):  # 3.14.23: absent or null means that no scan was done
            gaps.append(f"{name(driver.get('name'), 60)}: the run has no results: it did not scan")
            continue
        rules = _Rules(run)
        for result in objects(run["results"]):
            if _suppressed(result):
                hidden += 1
            elif result.get("kind", "fail") not in _SEEN_AS_GOOD and result.get("baselineState") != "absent":
                said.append(_statement(run, rules, result, secret))
        made = max(made, *(name(i.get("endTimeUtc"), 40) for i in objects(run.get("invocations"))), "")
    if gaps and not said:
        raise UnreadableReport(f"the scan failed: {gaps[0]}")
    notes = (f"{hidden} suppressed in the report",) if hidden else ()
    version = ", ".join(filter(None, versions))
    return Report(
        tuple(said),
        version,
        made,
        gaps=tuple(gaps),
        notes=notes,
        tool=", ".join(tools),
        commits=tuple(r for r in revisions if r),
    )


def _gaps(run: dict[str, Any]) -> list[str]:
    """What the run says that it could not do: failed invocations, and notifications that are errors (3.20.14, 3.58)."""
    found = []
    for invocation in objects(run.get("invocations")):
        told = [
            plain(at(note, "message", "text") or "an error", 200)
            for key in ("toolExecutionNotifications", "toolConfigurationNotifications")
            for note in objects(invocation.get(key))
            if note.get("level") == "error"
        ]
        if invocation.get("executionSuccessful") is False:
            found.append(told[0] if told else "it says that it did not end successfully")
        found += told[1:] if invocation.get("executionSuccessful") is False else told
    return found[:100]


def _suppressed(result: dict[str, Any]) -> bool:
    """Whether people who use the tool have accepted it. A comment in the code (3.35.2, `inSource`) is the word of who
    wrote the code: it waives nothing here."""
    given = list(objects(result.get("suppressions")))
    return bool(given) and all(
        str(item.get("status", "")) in _DONE and item.get("kind") == "external" for item in given
    )


class _Rules:
    """Rules by id and by index, of the driver and of its extensions (3.52)."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.parts = [at(run, "tool", "driver"), *objects(at(run, "tool", "extensions"))]
        self.by_id: dict[str, dict[str, Any]] = {}
        for part in self.parts:
            for rule in objects(at(part, "rules")):
                self.by_id.setdefault(str(rule.get("id", "")), rule)
        self.taxa = {
            str(taxon.get("guid")): f"CWE-{name(taxon.get('id'), 8)}"
            for taxonomy in objects(run.get("taxonomies"))
            if str(taxonomy.get("name", "")).upper() == "CWE"
            for taxon in objects(taxonomy.get("taxa"))
        }

    def of(self, result: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The id and the rule of a result; an empty rule when the log has none."""
        reference = result.get("rule") if isinstance(result.get("rule"), dict) else {}
        ident = result.get("ruleId") or at(reference, "id")
        index = result.get("ruleIndex", at(reference, "index"))
        part = at(reference, "toolComponent", "index")
        holder = self.parts[part + 1] if isinstance(part, int) and -1 < part < len(self.parts) - 1 else self.parts[0]
        rule = at(holder, "rules", index) if isinstance(index, int) and index >= 0 else None
        if not isinstance(rule, dict):
            rule = self.by_id.get(str(ident)) or self.by_id.get(str(ident).rpartition("/")[0]) or {}
        return name(ident or rule.get("id")) or "unnamed", rule


def _statement(run: dict[str, Any], rules: _Rules, result: dict[str, Any], secret: bool) -> Statement:
    ident, rule = rules.of(result)
    own, shared = result.get("properties"), rule.get("properties")
    told = plain if not secret else guarded
    title = told(at(rule, "shortDescription", "text") or at(rule, "fullDescription", "text") or rule.get("name"), 150)
    text = told(_message(result, rule)) or title or ident
    level = result.get("level") or at(rule, "defaultConfiguration", "level") or "warning"
    score = scored(at(own, "security-severity")) or scored(at(shared, "security-severity"))
    where = at(result, "locations", 0, "physicalLocation")
    region = at(where, "region")
    path, subject = _place(run, at(where, "artifactLocation"))
    tags = [tag for holder in (own, shared) for tag in (at(holder, "tags") or []) if isinstance(tag, str)]
    weak = [tag for tag in tags if "cwe" in tag.lower()]
    taxa = [rules.taxa.get(str(at(r, "target", "guid")), "") for r in objects(rule.get("relationships"))]
    taxa += [at(r, "target", "id") for r in objects(rule.get("relationships")) if _about_cwe(r)]
    prints = at(result, "fingerprints") or at(result, "partialFingerprints")
    identity = next((v for v in prints.values() if isinstance(v, str)), "") if isinstance(prints, dict) else ""
    return Statement(
        rule=ident,
        message=text,
        severity=score or (Severity.HIGH if secret else _LEVELS.get(level, Severity.MEDIUM)),
        confidence=sure(at(own, "precision") or at(shared, "precision"), Confidence.MEDIUM),
        title=title,
        path=path,
        subject=subject,
        line=number(at(region, "startLine")),
        end_line=number(at(region, "endLine")),
        column=number(at(region, "startColumn")),
        cwes=cwes(weak, at(own, "cwe"), at(shared, "cwe"), taxa, "CWE-798" if secret else ""),
        ids=advisories(ident, text, tags),
        remedy=plain(at(rule, "help", "text"), 300) if not secret else "",
        part=plain(at(result, "locations", 0, "logicalLocations", 0, "fullyQualifiedName"), 150),
        identity="" if secret else name(identity, 100),
        secret=secret,
    )


def _about_cwe(relation: dict[str, Any]) -> bool:
    return str(at(relation, "target", "toolComponent", "name") or "").upper() == "CWE"


def _message(result: dict[str, Any], rule: dict[str, Any]) -> Any:
    """The message; one by id has its text in the rule, with `{0}` for arguments (3.11)."""
    message = result.get("message")
    text = at(message, "text") or at(message, "markdown")
    if text is None:
        text = at(rule, "messageStrings", str(at(message, "id")), "text")
    given = at(message, "arguments")
    values = [str(value)[:200] for value in given[:10]] if isinstance(given, list) else []
    if isinstance(text, str) and values:  # each place once: what an argument says is no pattern of others
        text = _PLACE.sub(lambda one: values[int(one[1])] if int(one[1]) < len(values) else one[0], text[:_LONGEST])
    return text


def _place(run: dict[str, Any], location: Any) -> tuple[str, str]:
    """A file, or what is none. Relative ones may have a base (3.4.4), whose own uri is kept when it is absolute."""
    index = at(location, "index")
    uri = at(location, "uri") or at(run, "artifacts", index if isinstance(index, int) else -1, "location", "uri")
    if not isinstance(uri, str) or not uri:
        return "", ""
    base = at(run, "originalUriBaseIds", str(at(location, "uriBaseId")), "uri")
    if isinstance(base, str) and "://" in base and "://" not in uri:
        uri = base.rstrip("/") + "/" + uri.lstrip("/")
    scheme, _, rest = uri.partition("://")
    if not rest:
        return name(urllib.parse.unquote(uri), 1000), ""
    if scheme.lower() != "file":
        return "", address(uri)
    return name("/" + urllib.parse.unquote(rest.partition("/")[2]), 1000), ""


SOURCE = Source(
    title="SARIF 2.1.0",
    form="SARIF",
    command="any tool that writes SARIF",
    category="code",
    read=read,
    tried="real",
)
