"""Advisories in the OSV format (https://ossf.github.io/osv-schema/) and whether a version is affected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shipworthy.checks.dependencies._cvss import base_score, severity_of
from shipworthy.checks.dependencies._semver import InvalidSemVer, SemVer
from shipworthy.model import Severity

ECOSYSTEM = "PyPI"
ECOSYSTEMS = (ECOSYSTEM, "npm")
Ordered = Any  # Version or SemVer: those of one ecosystem are compared with one another only
_WORDS = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
}
_ORDER = {"fixed": 0, "limit": 0, "introduced": 1, "last_affected": 2}
_PREFERRED = ("GHSA-", "CVE-", "PYSEC-")
_MAX_EVENTS = 2_000


def version_of(text: str, ecosystem: str = ECOSYSTEM) -> Ordered:
    """The version, to be compared with others of its ecosystem. Raises InvalidVersion."""
    if ecosystem == ECOSYSTEM:
        return Version(text)
    try:
        return SemVer(text)
    except InvalidSemVer as error:
        raise InvalidVersion(str(error)) from None


class Malformed(ValueError):
    """The record is not what the OSV schema says."""


@dataclass(frozen=True)
class Advisory:
    """What one advisory says of one package.

    `ranges` holds, per range, its events (kind, version) in the order of the versions; `versions` the explicit list,
    normalized; `severity` is None when nobody rated it, `basis` says where it comes from.
    """

    id: str
    package: str
    aliases: frozenset[str] = frozenset()
    ranges: tuple[tuple[tuple[str, str], ...], ...] = ()
    versions: frozenset[str] = frozenset()
    severity: Severity | None = None
    basis: str = ""
    summary: str = ""
    source: str = ""
    url: str = ""
    ecosystem: str = ECOSYSTEM

    @property
    def names(self) -> frozenset[str]:
        """The id and all aliases: two advisories that share one are the same bug."""
        return self.aliases | {self.id}

    def affects(self, version: Ordered) -> bool:
        """Whether the version is in the explicit list or in a range. A local part (`2.5.1+cu118`) does not count."""
        public = version_of(version.public, self.ecosystem)
        within = any(_in_range(events, public, self.ecosystem) for events in self.ranges)
        return str(public) in self.versions or within

    def fixed_after(self, version: Ordered) -> str:
        """The lowest fixed version above this one, '' if there is none."""
        fixed = [e for events in self.ranges for kind, e in events if kind == "fixed"]
        later = [v for v in fixed if version_of(v, self.ecosystem) > version]
        return min(later, key=lambda v: version_of(v, self.ecosystem)) if later else ""


def _in_range(events: Sequence[tuple[str, str]], version: Ordered, ecosystem: str) -> bool:
    """The evaluation algorithm of the OSV schema, over sorted events."""
    inside = False
    for kind, text in events:
        if kind == "introduced":
            inside = inside or text == "0" or version >= version_of(text, ecosystem)
        elif kind == "last_affected":
            inside = inside and version <= version_of(text, ecosystem)
        else:
            inside = inside and version < version_of(text, ecosystem)
    return inside


def parse(record: Any) -> tuple[Advisory, ...]:
    """The advisories for packages of PyPI and npm in one OSV record, none if it is withdrawn. Raises Malformed."""
    if not isinstance(record, dict) or not isinstance(record.get("id"), str) or not record["id"]:
        raise Malformed("no id")
    if record.get("withdrawn"):
        return ()
    affected = record.get("affected", [])
    if not isinstance(affected, list):
        raise Malformed("affected is no list")
    return tuple(a for item in affected if (a := _one(record, item)) is not None)


def _one(record: dict[str, Any], affected: Any) -> Advisory | None:
    if not isinstance(affected, dict) or not isinstance(affected.get("package"), dict):
        return None  # an entry of git commits only: of no package
    package = affected["package"]
    name, ecosystem = package.get("name"), package.get("ecosystem")
    if not isinstance(ecosystem, str) or ecosystem.partition(":")[0] not in ECOSYSTEMS:
        return None
    ecosystem = ecosystem.partition(":")[0]
    if not isinstance(name, str) or not name:
        raise Malformed("a package has no name")
    severity, basis = _severity(record, affected)
    details = record.get("summary") or record.get("details") or ""
    return Advisory(
        id=record["id"][:80],
        package=canonicalize_name(name) if ecosystem == ECOSYSTEM else f"{ecosystem}:{name.lower()}",
        aliases=frozenset(a[:80] for a in _strings(record.get("aliases"))),
        ranges=tuple(
            _events(r, ecosystem) for r in _dicts(affected.get("ranges")) if r.get("type") in ("ECOSYSTEM", "SEMVER")
        ),
        versions=frozenset(_normal(v, ecosystem) for v in _strings(affected.get("versions"))),
        severity=severity,
        basis=basis,
        summary=" ".join(str(details).split())[:240],
        url=next(
            (str(r.get("url"))[:300] for r in _dicts(record.get("references")) if r.get("type") == "ADVISORY"), ""
        ),
        ecosystem=ecosystem,
    )


def _strings(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _normal(version: str, ecosystem: str) -> str:
    try:
        return str(version_of(version, ecosystem))
    except InvalidVersion:
        return version


def _events(item: dict[str, Any], ecosystem: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    events = _dicts(item.get("events"))
    if len(events) > _MAX_EVENTS:
        raise Malformed("too many events")
    for event in events:
        for kind, version in event.items():
            if kind not in _ORDER or not isinstance(version, str) or (kind == "limit" and version == "*"):
                continue
            if version != "0" or kind != "introduced":
                try:
                    version_of(version, ecosystem)
                except InvalidVersion:
                    raise Malformed(f"{version[:40]!r} is no version of {ecosystem}") from None
            found.append((kind, version))
    start = version_of("0.dev0" if ecosystem == ECOSYSTEM else "0.0.0-0", ecosystem)
    at = {e: start if e == ("introduced", "0") else version_of(e[1], ecosystem) for e in found}
    return tuple(sorted(found, key=lambda e: (at[e], _ORDER[e[0]])))


def _severity(record: dict[str, Any], affected: dict[str, Any]) -> tuple[Severity | None, str]:
    """The worst CVSS 3 score, else the word that the database gives, else nothing."""
    rated = _dicts(affected.get("severity")) or _dicts(record.get("severity"))
    vectors = [str(item.get("score", "")) for item in rated]
    scores = [score for vector in vectors if (score := base_score(vector)) is not None]
    if scores:
        return severity_of(max(scores)), f"CVSS 3 base score {max(scores)}"
    for place in (affected.get("database_specific"), record.get("database_specific")):
        word = place.get("severity") if isinstance(place, dict) else None
        if isinstance(word, str) and word.upper() in _WORDS:
            return _WORDS[word.upper()], "as rated by the database"
    if any(vector.startswith("CVSS:4") for vector in vectors):
        return None, "only a CVSS 4 vector is given, which is not scored here"
    return None, "nobody has rated it"


def merge(advisories: Iterable[Advisory]) -> tuple[tuple[Advisory, ...], ...]:
    """Group what is the same bug under several ids, directly or through a chain of aliases."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        names, members = set(advisory.names), [advisory]
        apart = []
        for group in groups:
            if group[0] & names:
                names |= group[0]
                members = group[1] + members
            else:
                apart.append(group)
        groups = [*apart, (names, members)]
    return tuple(tuple(members) for _, members in groups)


def joined(group: Sequence[Advisory], version: Ordered) -> tuple[Advisory, str]:
    """One advisory for a group (best known id, all aliases, worst rating) and the version that fixes them all."""
    names = sorted({name for item in group for name in item.names}, key=_preference)
    rated = max(
        (item for item in group if item.severity is not None), key=lambda i: i.severity or Severity.INFO, default=None
    )
    first = min(group, key=lambda item: _preference(item.id))
    best = rated or first
    fixed = {item.fixed_after(version) for item in group} - {""}
    one = replace(
        first,
        id=names[0],
        aliases=frozenset(names[1:]),
        severity=best.severity,
        basis=best.basis,
        summary=next((item.summary for item in group if item.summary), ""),
        source=", ".join(sorted({item.source for item in group if item.source})),
    )
    return one, max(fixed, key=lambda v: version_of(v, one.ecosystem)) if fixed else ""


def _preference(name: str) -> tuple[int, str]:
    return next((i for i, prefix in enumerate(_PREFERRED) if name.startswith(prefix)), len(_PREFERRED)), name
