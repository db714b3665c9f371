"""HTML: one self-contained page that works from a file, offline, on a phone, in print and without scripts.

All text is escaped by the template engine; characters that cannot be seen are shown as escapes. A content security
policy allows exactly the style and script that the page carries, nothing else, so that no text can become more.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shipworthy import __version__, look
from shipworthy.compliance import Standing, assess, summary
from shipworthy.hub.addresses import has_page, rule_address
from shipworthy.hub.titles import titles
from shipworthy.model import Artifact, Disposition, Finding, Kind, Outcome, Run, Severity, StageResult, Status
from shipworthy.model.result import count_checks
from shipworthy.model.serial import stage_to_dict
from shipworthy.reports import _text
from shipworthy.reports._chain import State, chain_of, tree
from shipworthy.reports._chain import summary as chain_summary
from shipworthy.reports._charts import contents, covered, severity_bars, spreads, whiskers
from shipworthy.reports._standing import CAUTION, STANDING_MEANING, STANDING_WORDS, groups
from shipworthy.reports._training import curves, sandboxes, stopping, uses
from shipworthy.reports._view import (
    OUTCOME_MEANING,
    OUTCOME_WORDS,
    SEVERITIES,
    STATUS_WORDS,
    Line,
    by_disposition,
    by_severity,
    check_lines,
    complete,
    gaps,
    interval,
    looked_at,
    outcomes,
    place,
    policy,
    rules_of,
    same_remedy,
    stopped_at,
    uncovered,
    unread_code,
)

MAX_FINDINGS = 5_000
_INLINE = 250  # up to so many findings are shown with all of their evidence
_SAME = 3  # up to so many findings of each rule carry its text themselves; more refer to one list of rules
_DETAILS = 4_000
_REFERENCES = (
    (re.compile(r"CWE-(\d{1,6})"), "https://cwe.mitre.org/data/definitions/{}.html"),
    (re.compile(r"(AML\.(?:T|M|TA|CS)\d{4}(?:\.\d{3})?)"), "https://atlas.mitre.org/techniques/{}"),
    (re.compile(r"(CVE-\d{4}-\d{4,7})"), "https://nvd.nist.gov/vuln/detail/{}"),
)


def render(run: Run, *, planned: Iterable[str] = (), limit: int = MAX_FINDINGS, site: str = "") -> str:
    """The run as one HTML page.

    `planned` names stages of the pipeline that come after those of the run: they are drawn as not reached. Of more than
    `limit` findings the worst are listed and the page says how many are not.
    Rules lead to the hub's pages, if those are published at `site`.
    """
    style, script = stylesheet(), _asset("report.js")
    environment = _environment()
    page = environment.get_template("report.html.j2").render(
        **_context(run, tuple(planned), limit),
        hub_page=lambda rule: rule_address(site, rule),
        style=Markup(style),  # noqa: S704 (ours, from the package)
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
    )
    return page + "\n"


def stylesheet() -> str:
    """The style sheet of the report: the base that every page of Shipworthy shares, and its own."""
    return f"{look.stylesheet()}\n{_asset('style.css')}"


@cache
def _asset(name: str) -> str:
    return files("shipworthy.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            (PackageLoader("shipworthy.reports", "templates"), PackageLoader("shipworthy.look", "templates"))
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "short": _text.short,
        "cut": _text.cut,
        "one_line": _text.one_line,
        "duration": _text.duration,
        "size": _text.size,
        "moment": _text.moment,
        "number": _text.number,
        "title_case": _text.title,
        "place": place,
        "covered": covered,
        "looked_at": looked_at,
        "interval": interval,
        "when": _when,
        "coded": _coded,
        "same_remedy": same_remedy,
    }
    environment.globals |= {"plural": _text.plural, "reference": _reference, "called": _called, "has_page": has_page}
    return environment


def _finalize(value: object) -> object:
    """Everything that is printed goes through here before it is escaped."""
    if isinstance(value, Markup):
        return value
    return _text.visible(value) if isinstance(value, str) else value


def _coded(text: str) -> Markup:
    """Text as it is shown, with what stands between backticks as code."""
    parts = [escape(_text.visible(part)) for part in text.split("`")]
    if not len(parts) % 2:  # one is left over
        parts[-2:] = [Markup("`").join(parts[-2:])]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def _when(text: str) -> str:
    """An ISO 8601 time as `2026-11-20 09:14`; anything else as it is."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)?", text)
    return f"{match.group(1)} {match.group(2)}" if match else _text.one_line(text, 40)


def _reference(entry: str) -> str:
    """The page that describes a taxonomy id, or nothing: only ids of a known form become a link."""
    for pattern, address in _REFERENCES:
        match = pattern.fullmatch(entry)
        if match:
            return address.format(match.group(1))
    return ""


def _called(entry: str) -> str:
    """The title of a taxonomy id, or nothing for one that no framework has."""
    return titles().get(entry, "")


def _context(run: Run, planned: tuple[str, ...], limit: int) -> dict[str, Any]:
    findings = run.findings[: max(0, limit)]
    links = chain_of(run)
    anchors = _anchors(run, findings)
    of_rule = Counter(finding.rule.id for finding in findings)
    inline = len(findings) <= _INLINE and max(of_rule.values(), default=0) <= _SAME
    standing = assess(run)
    lines = check_lines(run)
    idle = _idle(lines)
    shown = [line for line in lines if line.check.check not in idle.get(line.stage.stage, ())]
    drawn = whiskers(run)
    methods = Counter(one.metric.method for one in drawn if interval(one.metric))
    return {
        "run": run,
        "version": run.versions.get("shipworthy", __version__),
        "stop": stopped_at(run),
        "planned": planned,
        "findings": findings,
        "left_out": len(run.findings) - len(findings),
        "inline": inline,
        "evidence_limit": 4_000 if len(findings) <= _INLINE else 200,
        "rules": () if inline else rules_of(findings),
        "linked": anchors.keys(),
        "anchors": frozenset(anchors.values()),
        "outcomes": outcomes(run),
        "counts": by_severity(run.findings),
        "dispositions": by_disposition(run.findings),
        "bars": severity_bars(run.findings),
        "categories": sorted({finding.category for finding in findings if finding.category}),
        "broken_stages": _broken_stages(run),
        "lines": lines,
        "idle": idle,
        "looking": count_checks(run.checks),
        "telling": [line for line in shown if not _silent(line)],
        "silent": [line for line in shown if _silent(line)],
        "curves": curves(run),
        "stopping": stopping(run),
        "sandboxes": sandboxes(run),
        "uses": uses(run),
        "gaps": gaps(run),
        "judged_by": policy(run),
        "complete": complete(run),
        "uncovered": list(uncovered(run)),
        "unread_code": unread_code(run),
        "whiskers": drawn,
        "asked": any(one.thresholds for one in drawn),
        "method": methods.most_common(1)[0][0] if methods else "",
        "spreads": spreads(run),
        "links": links,
        "tree": tree(links),
        "chain_summary": chain_summary(links),
        "groups": groups(standing),
        "standing": summary(standing),
        "standing_words": STANDING_WORDS,
        "standing_meaning": STANDING_MEANING,
        "caution": CAUTION,
        "kept": _kept(run.artifacts),
        "contents": contents(run),
        "kinds": _kinds(run),
        "details": [_details(stage) for stage in run.stages],
        "severities": SEVERITIES,
        "status_words": STATUS_WORDS,
        "outcome_words": OUTCOME_WORDS,
        "outcome_meaning": OUTCOME_MEANING,
        "Disposition": Disposition,
        "Outcome": Outcome,
        "Severity": Severity,
        "Standing": Standing,
        "State": State,
        "Status": Status,
    }


def _anchors(run: Run, findings: tuple[Finding, ...]) -> dict[str, int]:
    """The findings that a gate's reasons point at: fingerprint to its first place in the list."""
    meant = {f for decision in run.decisions for reason in decision.reasons for f in reason.fingerprints}
    anchors: dict[str, int] = {}
    for index, finding in enumerate(findings):
        if finding.fingerprint in meant:
            anchors.setdefault(finding.fingerprint, index)
    return anchors


def _idle(lines: Iterable[Line]) -> dict[str, list[str]]:
    """By stage, the checks that had nothing of their kind to look at and nothing else to say."""
    idle: dict[str, list[str]] = {}
    for line in lines:
        if line.check.outcome is Outcome.NOT_APPLICABLE and not line.check.findings and not line.check.skipped:
            idle.setdefault(line.stage.stage, []).append(line.check.check)
    return idle


def _silent(line: Line) -> bool:
    """The check looked at all of it and has nothing to tell."""
    check = line.check
    whole = check.outcome is Outcome.RAN and len(check.examined) >= check.eligible
    return whole and not check.findings and not check.skipped


def _broken_stages(run: Run) -> list[tuple[int, StageResult]]:
    bad = (Status.FAILED, Status.ERROR, Status.INTERRUPTED)
    return [(n, s) for n, s in enumerate(run.stages, 1) if s.status in bad and s.decision is None]


def _kept(artifacts: Iterable[Artifact]) -> list[Artifact]:
    """What is listed one by one: data sets, models, images."""
    return [artifact for artifact in artifacts if artifact.kind in (Kind.DATASET, Kind.MODEL, Kind.IMAGE)]


def _kinds(run: Run) -> dict[str, dict[str, int]]:
    """How many artifacts there are of each kind, by outcome."""
    table: dict[str, dict[str, int]] = {}
    for artifact, outcome in run.artifact_outcomes():
        counts = table.setdefault(artifact.kind.value, {})
        counts[outcome] = counts.get(outcome, 0) + 1
    return dict(sorted(table.items()))


def _details(stage: StageResult) -> str:
    """What only this stage knows, as JSON; what the page draws elsewhere is left out."""
    drawn = ("chain", "folds", "packages", "parameters", "progress", "sandbox", "environment", "early-stopping")
    written: Mapping[str, Any] = stage_to_dict(stage)["stage"]["details"]
    rest = {name: value for name, value in written.items() if name not in drawn}
    return _text.cut(json.dumps(rest, ensure_ascii=False, indent=2), _DETAILS) if rest else ""
