"""CycloneDX 1.6 or 1.7 (ECMA-424): a bill of materials of what the run made and used, with a model card.

Only what the run recorded is said. What it does not know is told as a composition that is `unknown` or `incomplete`,
never filled in. The same run gives the same document: the serial number comes from the subject's digest, the timestamp
from the run, and lists are sorted.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from shipworthy import __version__
from shipworthy.compliance import assess
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.model import Artifact, DatasetFacts, Disposition, Finding, Kind, Metric, Run, Severity
from shipworthy.model.serial import dumps
from shipworthy.reports._subject import Subject, subject_of
from shipworthy.reports._text import cut, instant, visible
from shipworthy.reports._view import gaps, outcomes, place, uncovered, unread_code

SPECS = ("1.6", "1.7")
_NAMESPACE = uuid.UUID("0b0ad0b4-4a52-5f0c-9c61-2d3c2c0f5a7e")  # ours; any fixed one does
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_MIME = re.compile(r"[-+a-z0-9.]+/[-+a-z0-9.]+")
_ADVISORY = re.compile(
    r"\b(?:CVE-\d{4}-\d{4,7}|GHSA(?:-[0-9a-z]{4}){3}|PYSEC-\d{4}-\d{1,6}|OSV-\d{4}-\d{1,6}|MAL-\d{4}-\d{1,6})\b"
)
_RATINGS = {severity: severity.value for severity in Severity}
_TYPES = {Kind.MODEL: "machine-learning-model", Kind.DATASET: "data", Kind.IMAGE: "container"}
_ALWAYS = (Kind.MODEL, Kind.DATASET, Kind.IMAGE)
_UNKNOWN_LISTED = 100


def render(run: Run, *, spec: str = "1.6") -> str:
    """The bill of materials as JSON. Raises UsageError for a version of CycloneDX other than `SPECS`."""
    return dumps(to_dict(run, spec=spec))


def to_dict(run: Run, *, spec: str = "1.6") -> dict[str, Any]:
    """The bill of materials as JSON values. Raises EvidenceError if it would refer to something that it lacks."""
    if spec not in SPECS:
        raise UsageError(f"CycloneDX {spec} is not written here", remedy=f"use one of {', '.join(SPECS)}")
    bom = _Bom(run, subject_of(run)).document(spec)
    missing = dangling(bom)
    if missing:
        raise EvidenceError(f"the bill of materials refers to {missing[0]}, which it does not list exactly once")
    return bom


def dangling(bom: Mapping[str, Any]) -> list[str]:
    """References that no `bom-ref` of the document answers, and any `bom-ref` given twice; no schema can see these."""
    given: list[str] = []
    wanted: list[str] = []
    for key, value in _walk(bom):
        if key == "bom-ref":
            given.append(value)
        elif key in ("ref", "dependsOn", "subjects", "assemblies", "dependencies", "vulnerabilities", "provides"):
            wanted += [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)]
    counts = Counter(given)
    return sorted({ref for ref in wanted if ref not in counts} | {ref for ref, count in counts.items() if count > 1})


def _walk(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key, item
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


class _Bom:
    """The parts of one document; `refs` are the references of what it lists."""

    def __init__(self, run: Run, subject: Subject) -> None:
        self.run = run
        self.subject = subject
        self.packages = sorted(subject.packages.items())
        self.outcomes = outcomes(run)
        self.datasets = run.datasets
        self.with_findings = {finding.artifact for finding in run.findings}

    def document(self, spec: str) -> dict[str, Any]:
        run = self.run
        return {
            "$schema": f"http://cyclonedx.org/schema/bom-{spec}.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": spec,
            "serialNumber": uuid.uuid5(_NAMESPACE, f"{self.subject.digest}").urn,
            "version": 1,
            "metadata": {
                "timestamp": instant(run.started),
                "tools": {"components": [_tool(run)]},
                "component": self._subject(),
                "properties": self._facts(),
            },
            "components": self._components(),
            "dependencies": [{"ref": "subject", "dependsOn": sorted({_purl(*item) for item in self.packages})}],
            "compositions": self._compositions(),
            "vulnerabilities": self._vulnerabilities(),
            "annotations": self._annotations(),
        }

    def _subject(self) -> dict[str, Any]:
        subject = self.subject
        is_model = subject.kind is Kind.MODEL
        component: dict[str, Any] = {
            "bom-ref": "subject",
            "type": _TYPES.get(subject.kind, "application"),
            "name": visible(subject.name) or "unnamed",
        }
        if self.run.trigger.commit:
            component["version"] = visible(self.run.trigger.commit)
        component |= _hashes(subject.digest) if subject.exact else {}
        if subject.ancestors:
            component["pedigree"] = {"ancestors": [_plain(a, "ancestor") for a in subject.ancestors]}
        if len(subject.parts) > 1:
            component["components"] = [_plain(part, "part") for part in subject.parts]
        if subject.artifact and subject.kind is Kind.DATASET:
            component["data"] = [self._data(subject.artifact)]
        if is_model:
            component["modelCard"] = self._card()
        return component

    def _card(self) -> dict[str, Any]:
        used = [*self.subject.trained_on, *self.subject.tested_on]
        card: dict[str, Any] = {}
        if used:
            refs = sorted({_ref(artifact) for artifact in used})
            card["modelParameters"] = {"datasets": [{"ref": ref} for ref in refs]}
        if self.run.metrics:
            card["quantitativeAnalysis"] = {"performanceMetrics": [_metric(m) for m in self.run.metrics]}
        parameters = [(f"shipworthy:parameter:{name}", _text(v)) for name, v in sorted(self.subject.parameters.items())]
        intervals = [(f"shipworthy:metric:{m.name}", f"n = {m.n}; {m.method}".rstrip("; ")) for m in self.run.metrics]
        if parameters or intervals:
            card["properties"] = _properties([*parameters, *intervals])
        return card

    def _components(self) -> list[dict[str, Any]]:
        listed: dict[str, dict[str, Any]] = {}
        own = {self.subject.artifact} if self.subject.artifact else set()
        for artifact in [*self.run.artifacts, *sorted(self.with_findings, key=lambda a: (a.uri, a.digest))]:
            if artifact not in own and (artifact.kind in _ALWAYS or artifact in self.with_findings):
                listed.setdefault(_ref(artifact), self._component(artifact))
        for name, version in self.packages:
            purl = _purl(name, version)
            library: dict[str, Any] = {"bom-ref": purl, "type": "library", "name": visible(name) or "unnamed"}
            listed[purl] = library | {"version": visible(version), "purl": purl}
        return [listed[ref] for ref in sorted(listed)]

    def _component(self, artifact: Artifact) -> dict[str, Any]:
        component = {"bom-ref": _ref(artifact), **_plain(artifact)}
        if artifact.kind is Kind.DATASET:
            component["data"] = [self._data(artifact)]
        roles = []
        if artifact in self.subject.trained_on:
            roles.append("training")
        if artifact in self.subject.tested_on:
            roles.append("evaluation")
        outcome = self.outcomes[artifact.uri]
        component["properties"] = _properties(
            [
                ("shipworthy:kind", artifact.kind.value),
                ("shipworthy:size", str(artifact.size)),
                ("shipworthy:outcome", outcome),
                *(("shipworthy:used-for", role) for role in roles),
            ]
        )
        return component

    def _data(self, artifact: Artifact) -> dict[str, Any]:
        """The contents of a dataset, as far as a check read it."""
        data: dict[str, Any] = {"type": "dataset", "name": visible(artifact.uri)}
        if facts := self.datasets.get(artifact):
            data["contents"] = {"properties": _properties(_contents(facts))}
        return data

    def _facts(self) -> list[dict[str, str]]:
        run = self.run
        facts = [
            ("shipworthy:run", run.id),
            ("shipworthy:project", run.project),
            ("shipworthy:pipeline", run.pipeline),
            ("shipworthy:verdict", run.verdict),
            ("shipworthy:settings-digest", run.settings_digest),
            *((f"shipworthy:version:{name}", version) for name, version in sorted(run.versions.items())),
            *((f"shipworthy:gate:{d.gate}", "passed" if d.passed else "not passed") for d in run.decisions),
            *(
                (
                    "shipworthy:not-looked-at",
                    f"{c.check}: {c.outcome.value}: {len(c.examined)} of {c.eligible}: {c.note}",
                )
                for c in gaps(run)
            ),
        ]
        missing = list(uncovered(run))
        facts += [("shipworthy:unknown", f"{uri}: {outcome}") for uri, outcome in missing[:_UNKNOWN_LISTED]]
        if len(missing) > _UNKNOWN_LISTED:
            facts.append(("shipworthy:unknown", f"and {len(missing) - _UNKNOWN_LISTED} more artifacts"))
        if unread := unread_code(run):
            facts.append(("shipworthy:unknown", unread))
        if run.stages:
            facts += [
                (f"shipworthy:control:{result.framework.id}:{result.control.id}", result.status.value)
                for result in assess(run)
            ]
        return _properties(facts)

    def _compositions(self) -> list[dict[str, Any]]:
        """Nothing is called complete: a run knows what it was shown, not that this was all there is."""
        assembly = "incomplete" if self.subject.artifact else "unknown"
        libraries = "incomplete" if self.packages else "unknown"
        out: list[dict[str, Any]] = [
            {"aggregate": assembly, "assemblies": ["subject"]},
            {"aggregate": libraries, "dependencies": ["subject"]},
        ]
        own = {self.subject.artifact}
        foreign = sorted({_ref(a) for a in self.run.artifacts if a.kind in _ALWAYS and a not in own})
        if foreign:
            out.append({"aggregate": "unknown", "assemblies": foreign})
        return out

    def _vulnerabilities(self) -> list[dict[str, Any]]:
        by_purl = {visible(name).lower(): _purl(name, version) for name, version in self.packages}
        out = []
        for finding, ref in _once(self.run.findings):
            advisories = _advisories(finding)
            if not advisories:
                continue
            affected = by_purl.get((finding.location.field or "").lower()) or self._ref(finding.artifact)
            out.append(_vulnerability(finding, ref, advisories, affected))
        return out

    def _annotations(self) -> list[dict[str, Any]]:
        return [
            {
                "bom-ref": ref,
                "subjects": [self._ref(finding.artifact)],
                "annotator": {"component": {"type": "application", "name": "shipworthy"}},
                "timestamp": instant(self.run.started),
                "text": _told(finding),
            }
            for finding, ref in _once(self.run.findings)
            if not _advisories(finding)
        ]

    def _ref(self, artifact: Artifact) -> str:
        return "subject" if artifact == self.subject.artifact else _ref(artifact)


def _contents(facts: DatasetFacts) -> Iterator[tuple[str, str]]:
    yield "shipworthy:format", facts.format
    yield "shipworthy:encoding", facts.encoding
    yield "shipworthy:rows", str(facts.rows)
    yield "shipworthy:columns", str(facts.width)
    for column in facts.columns:
        distinct = f"{column.distinct}{' or more' if column.distinct_is_least else ''} distinct"
        yield f"shipworthy:column:{column.name}", f"{column.type}; {distinct}; {column.missing} missing"
    if facts.label_column:
        yield "shipworthy:label-column", facts.label_column
    for label, count in facts.label_counts:
        yield f"shipworthy:label:{label}", str(count)
    for reason in facts.unread:
        yield "shipworthy:not-read", reason


def _once(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with a reference of its own; a second one of the same fingerprint gets a number."""
    seen: dict[str, int] = {}
    for finding in findings:
        count = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        yield finding, f"finding:{finding.fingerprint}" + (f"#{count}" if count > 1 else "")


def _advisories(finding: Finding) -> list[str]:
    """Ids of advisories, when the finding is a known vulnerability of a dependency or of an image's package."""
    if finding.category not in ("dependencies", "images"):
        return []
    text = " ".join((finding.rule.id, finding.key[:500], finding.message[:1000], *finding.rule.taxonomy))
    return list(dict.fromkeys(match.group() for match in _ADVISORY.finditer(text)))


def _vulnerability(finding: Finding, ref: str, advisories: list[str], affected: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "bom-ref": ref,
        "id": advisories[0],
        "ratings": [{"severity": _RATINGS[finding.severity], "method": "other"}],
        "description": cut(visible(finding.message), 2000),
        "recommendation": cut(visible(finding.remedy), 2000),
        "affects": [{"ref": affected}],
        "properties": _properties(
            [
                ("shipworthy:fingerprint", finding.fingerprint),
                ("shipworthy:rule", finding.rule.id),
                ("shipworthy:place", place(finding)),
                ("shipworthy:disposition", finding.disposition.value),
            ]
        ),
    }
    if len(advisories) > 1:
        out["references"] = [{"id": other, "source": {"name": other.split("-")[0]}} for other in advisories[1:]]
    cwes = [int(found.group(1)) for entry in finding.rule.taxonomy if (found := re.fullmatch(r"CWE-(\d{1,6})", entry))]
    if cwes:
        out["cwes"] = cwes
    if finding.disposition is Disposition.WAIVED:
        out["analysis"] = {"response": ["will_not_fix"], "detail": f"waived: {visible(finding.waiver)}"}
    return out


def _told(finding: Finding) -> str:
    lines = [
        f"{finding.severity.value} {finding.rule.id} at {place(finding)}: {finding.message}",
        f"Disposition: {finding.disposition.value}" + (f" ({finding.waiver})" if finding.waiver else ""),
        f"What to do: {finding.remedy}",
        f"Fingerprint: {finding.fingerprint}",
    ]
    return visible("\n".join(cut(line, 2000) for line in lines))


def _tool(run: Run) -> dict[str, Any]:
    version = visible(run.versions.get("shipworthy", "")) or __version__
    return {"type": "application", "name": "shipworthy", "version": version}


def _ref(artifact: Artifact) -> str:
    return visible(f"{artifact.kind.value}:{artifact.uri}@{artifact.digest}")


def _plain(artifact: Artifact, prefix: str = "") -> dict[str, Any]:
    """An artifact as a component; with a prefix it gets a reference that differs from the one in the list."""
    component: dict[str, Any] = {"bom-ref": f"{prefix}:{_ref(artifact)}"} if prefix else {}
    component |= {"type": _TYPES.get(artifact.kind, "file"), "name": visible(artifact.uri) or "unnamed"}
    if _MIME.fullmatch(artifact.media_type):
        component["mime-type"] = artifact.media_type
    return component | _hashes(artifact.digest)


def _hashes(digest: str) -> dict[str, Any]:
    match = _SHA256.fullmatch(digest)
    return {"hashes": [{"alg": "SHA-256", "content": match.group(1)}]} if match else {}


def _purl(name: str, version: str) -> str:
    """A package URL of type pypi, the name normalised as PEP 503 says."""
    normal = re.sub(r"[-_.]+", "-", name).lower()
    at = f"@{quote(version.encode('utf-8', 'replace'), safe='')}" if version else ""
    return f"pkg:pypi/{quote(normal.encode('utf-8', 'replace'), safe='')}{at}"


def _metric(metric: Metric) -> dict[str, Any]:
    out: dict[str, Any] = {"type": visible(metric.name), "value": repr(float(metric.value))}
    if math.isfinite(metric.low) and math.isfinite(metric.high):
        out["confidenceInterval"] = {"lowerBound": repr(float(metric.low)), "upperBound": repr(float(metric.high))}
    return out


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _properties(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": visible(name), "value": cut(visible(value), 2000)} for name, value in pairs]
