"""Helm charts: their templates with the chart's own values, secrets in values, dependencies that can change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks._yaml import Document, Map, Tagged, Unread, as_map, documents, line_of, sequence
from shipworthy.checks.infrastructure._container_rules import PRIVILEGED, SECRET_LITERAL
from shipworthy.checks.infrastructure._helm import render
from shipworthy.checks.infrastructure._kubernetes import judge, objects
from shipworthy.checks.infrastructure._kubernetes_rules import RULES as KUBERNETES
from shipworthy.checks.infrastructure._report import Hit, TooLarge, findings, literal_secret, shown, text_of, unread
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.patterns import regex
from shipworthy.records import replace

__all__ = ["RULES", "scan"]

DEPENDENCY = Rule(
    "helm-dependency-unpinned",
    "A chart takes whatever version of another chart is newest",
    Severity.LOW,
    "The next installation may bring other manifests, with other images and rights, than those that were tested.",
    "Name one version, `version: 1.2.3`, and commit Chart.lock.",
    taxonomy=("CWE-1357", "CICD-SEC-3", "CM-2"),
    help="dependency-pinning",
)
REPOSITORY = Rule(
    "helm-repository-plain-http",
    "Charts are fetched without a protected connection",
    Severity.HIGH,
    "Anybody on the way can replace a chart, and what it starts runs in the cluster.",
    "Write https:// or oci://, and verify charts that are signed (`helm dependency update --verify`).",
    taxonomy=("CWE-319", "CWE-494", "CICD-SEC-3"),
    help="transport-security",
)
RULES = {**KUBERNETES, DEPENDENCY.id: DEPENDENCY, REPOSITORY.id: REPOSITORY}

_FILE = regex(r"(?:.*/)?(?:Chart\.ya?ml|values(?:[.\-_][^/]*)?\.ya?ml|templates/.*\.(?:ya?ml|json))\Z")
_EXACT = regex(r"[=v]{0,2}\d+\.\d+\.\d+(?:[-+][\w.+-]{1,80})?\Z")
_CANARY = (
    b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  containers:\n  - name: a\n"
    b"    image: {{ .Values.image }}\n    securityContext:\n      privileged: {{ .Values.privileged }}\n"
)


def _accepts(artifact: Artifact) -> bool:
    return _FILE.match(artifact.uri) is not None


@check(
    "helm",
    kinds={"iac"},
    scope="tree",
    accepts=_accepts,
    canary=Canary(
        files={
            "chart/Chart.yaml": b"apiVersion: v2\nname: a\nversion: 1.0.0\n",
            "chart/values.yaml": b"image: a:1\nprivileged: true\n",
            "chart/templates/pod.yaml": _CANARY,
        },
        rule=PRIVILEGED.id,
    ),
    timeout=300.0,
)
def scan(artifacts: tuple[Artifact, ...]) -> Iterator[Finding | Skipped]:
    """Findings of all charts; templates without a chart are read with no values."""
    by_uri = {artifact.uri: artifact for artifact in artifacts}
    worlds: dict[str, dict[str, Any]] = {}
    for artifact in sorted(artifacts, key=lambda one: one.uri):
        folder, separator, _ = artifact.uri.rpartition("templates/")
        try:
            text = text_of(artifact)
            if separator and (not folder or folder.endswith("/")):
                if folder not in worlds:
                    worlds[folder] = _world(folder, by_uri)
                yield from _template(artifact, text, worlds[folder])
            else:
                yield from _plain(artifact, text)
        except TooLarge as error:
            yield Skipped(artifact, str(error))


def _template(artifact: Artifact, text: str, world: dict[str, Any]) -> Iterator[Finding | Skipped]:
    made = render(text, world)
    hits: list[Hit] = []
    problems = [*made.missing, *made.notes]
    for document in documents(made.text, lenient=True):
        if isinstance(document, Unread):
            reason = f"it could not be read without Helm: {document.reason.partition(': ')[2] or document.reason}"
            problems.append((made.origin(document.line), reason))
            continue
        first, last = made.origin(document.line), made.origin(document.end)
        open_ended = any(first <= line <= last for line, _ in made.missing)
        for thing in objects(document.value):
            hits += [replace(hit, line=made.origin(hit.line)) for hit in judge(thing, open_ended)]
    yield from findings(artifact, hits)
    yield from unread(artifact, problems, code="computed")


def _world(folder: str, by_uri: dict[str, Artifact]) -> dict[str, Any]:
    """What a template sees: the chart's values, its name and version."""
    read: dict[str, Any] = {}
    for name in ("values.yaml", "values.yml", "Chart.yaml", "Chart.yml"):
        if folder + name in by_uri:
            try:
                parts = list(documents(text_of(by_uri[folder + name]), lenient=True))
            except TooLarge:
                parts = []
            read[name[0]] = next((_simple(one.value) for one in parts if isinstance(one, Document)), {})
    chart = read.get("C")
    chart = {key[:1].upper() + key[1:]: value for key, value in chart.items()} if isinstance(chart, dict) else {}
    release = {"Name": "release", "Namespace": "default", "Service": "Helm", "IsInstall": True, "IsUpgrade": False}
    return {"Values": read.get("v") or {}, "Chart": chart, "Release": release}


def _simple(value: Any, depth: int = 0) -> Any:
    """A value that can be written out."""
    if isinstance(value, Tagged) or depth > 50:
        return None
    if isinstance(value, dict):
        return {str(key): _simple(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_simple(one, depth + 1) for one in value]
    return str(value) if isinstance(value, str) else value


def _plain(artifact: Artifact, text: str) -> Iterator[Finding | Skipped]:
    """Chart.yaml and files of values."""
    hits: list[Hit] = []
    for document in documents(text):
        if isinstance(document, Unread):
            yield from unread(artifact, [(document.line, f"it could not be read: {document.reason}")])
        elif artifact.uri.rpartition("/")[2].startswith("Chart."):
            hits += _dependencies(as_map(document.value))
        else:
            hits += _values(document.value, "", 0)
    yield from findings(artifact, hits)


def _dependencies(chart: Map) -> Iterator[Hit]:
    for one in sequence(chart.get("dependencies")):
        if not isinstance(one, Map):
            continue
        name, version, repository = (
            shown(one.get("name"), 60),
            str(one.get("version", "")),
            str(one.get("repository", "")),
        )
        if not _EXACT.match(version) and not repository.startswith("file:") and (version or repository):
            yield Hit(DEPENDENCY, f"{name} may be any version of {shown(version) or '*'}", one.line, name)
        if repository.startswith("http://"):
            yield Hit(REPOSITORY, f"{name} comes from {shown(repository)}", one.line, name)


def _values(value: Any, path: str, line: int, depth: int = 0) -> Iterator[Hit]:
    if isinstance(value, Map) and depth < 50:
        for key, one in value.items():
            place = f"{path}.{key}" if path else key
            sure = literal_secret(key, one)
            if sure:
                message = f"{shown(place)} holds a value ({len(one)} characters)"
                yield Hit(SECRET_LITERAL, message, line_of(one, value.at(key)), place[:200], confidence=sure)
            elif not isinstance(one, str):
                yield from _values(one, place, value.at(key), depth + 1)
    elif isinstance(value, list) and depth < 50:
        for one in value:
            yield from _values(one, path, line, depth + 1)
