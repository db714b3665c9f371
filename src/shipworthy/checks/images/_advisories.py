"""Advisories of distributions and languages in the OSV format (https://ossf.github.io/osv-schema/), and what of an
image's packages they mean."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from shipworthy.checks.dependencies import _database
from shipworthy.checks.dependencies._cvss import base_score, severity_of
from shipworthy.checks.images._versions import KEYS, Unknown
from shipworthy.images.packages import Distribution, Package
from shipworthy.model import Severity

_NAME = re.compile(rb'"name"\s*:\s*"([^"]{0,300})"')
_OF = re.compile(rb'"ecosystem"\s*:\s*"([^"]{0,100})"')
_MODIFIED = re.compile(rb'"modified"\s*:\s*"(\d{4}-\d{2}-\d{2})')
_WORDS = {
    "CRITICAL": Severity.CRITICAL, "HIGH": Severity.HIGH, "IMPORTANT": Severity.HIGH, "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW, "UNIMPORTANT": Severity.INFO, "NEGLIGIBLE": Severity.INFO,
}  # fmt: skip
_ORDER = {"fixed": 0, "limit": 0, "introduced": 1, "last_affected": 2}
_EVENTS = 2_000
_PREFERRED = ("CVE-", "GHSA-", "PYSEC-")
# The ecosystems that OSV has advisories of, by the id in os-release, with how much of the version they name.
_SYSTEMS = {
    "debian": ("Debian", 1), "alpine": ("Alpine", 2), "almalinux": ("AlmaLinux", 1), "rocky": ("Rocky Linux", 1),
    "ubuntu": ("Ubuntu", 2), "wolfi": ("Wolfi", 0), "chainguard": ("Chainguard", 0),
}  # fmt: skip


@dataclass(frozen=True)
class Advisory:
    """What one record says of one package of one ecosystem. `ranges` are events (kind, version) as they are written;
    `severity` is None when nobody has rated it."""

    id: str
    names: frozenset[str]
    package: str
    type: str
    ranges: tuple[tuple[tuple[str, str], ...], ...]
    versions: frozenset[str]
    severity: Severity | None
    summary: str

    def affects(self, version: str) -> bool:
        """Whether the version is listed or in a range. Raises Unknown when versions cannot be compared."""
        if version in self.versions:
            return True
        key = KEYS[self.type]
        return any(_inside(events, version, key) for events in self.ranges)

    def fixed_after(self, version: str) -> str:
        """The lowest fixed version above this one; empty if there is none."""
        key = KEYS[self.type]
        own = key(version)
        fixed = [text for events in self.ranges for kind, text in events if kind == "fixed" and key(text) > own]
        return min(fixed, key=key, default="")


def _inside(events: tuple[tuple[str, str], ...], version: str, key: Any) -> bool:
    """The schema's own algorithm, over events in the order of their versions."""
    own, inside = key(version), False
    for kind, text in sorted(events, key=lambda e: (e[1] != "0", 0 if e[1] == "0" else key(e[1]), _ORDER[e[0]])):
        if kind == "introduced":
            inside = inside or text == "0" or own >= key(text)
        elif kind == "last_affected":
            inside = inside and own <= key(text)
        else:
            inside = inside and own < key(text)
    return inside


def ecosystem_of(item: Package, system: Distribution | None) -> str:
    """The ecosystem whose advisories mean this package; empty when there is none."""
    if item.type in ("pypi", "npm"):
        return {"pypi": "PyPI", "npm": "npm"}[item.type]
    if system is None or system.id not in _SYSTEMS:
        return ""
    name, parts = _SYSTEMS[system.id]
    if not parts:
        return name
    version = ".".join(system.version.split(".")[:parts])
    return f"{name}:{'v' if name == 'Alpine' else ''}{version}" if version else ""


def name_in_advisories(item: Package) -> str:
    """Distributions publish by source package (rpm's: by package); languages by name."""
    if item.type == "pypi":
        return canonicalize_name(item.name)
    return item.source if item.type in ("deb", "apk") else item.name


@dataclass(frozen=True)
class Found:
    """Advisories by ecosystem and package; `newest` is the date of the latest record, `unreadable` counts records,
    `ecosystems` are those that any record is of, `withdrawn` the ids of records that no longer count."""

    advisories: Mapping[tuple[str, str], list[Advisory]]
    newest: date | None
    records: int
    unreadable: int
    ecosystems: frozenset[str]
    withdrawn: frozenset[str]


def places(folder: Path, ecosystem: str) -> list[Path]:
    """Where the archives of an ecosystem may lie: that of the release, and that of all releases."""
    names = dict.fromkeys((ecosystem, ecosystem.partition(":")[0]))
    found = [folder / "osv-scalibr" / name / "all.zip" for name in names]
    return [path for path in found if path.is_file()][:1]


def lookup(paths: Iterable[Path], wanted: Mapping[str, frozenset[str]]) -> Found:
    """The advisories for wanted names of each ecosystem. Raises EnvironmentFailure for a damaged database."""
    found: dict[tuple[str, str], list[Advisory]] = defaultdict(list)
    names = frozenset(name for group in wanted.values() for name in group)
    newest, records, unreadable = "", 0, 0
    seen: set[str] = set()
    withdrawn: set[str] = set()
    for path in paths:
        for data in _database._records(_database.locate(path)):
            records += 1
            for match in _MODIFIED.finditer(data):
                newest = max(newest, match[1].decode())
            seen.update(_ecosystem(m[1].decode("utf-8", "replace")) for m in _OF.finditer(data))
            written = {m[1].decode("utf-8", "replace") for m in _NAME.finditer(data)}
            if b"\\u" not in data and not names & (written | {canonicalize_name(name) for name in written}):
                continue
            try:
                record = json.loads(data)
                for ecosystem, advisory in _parse(record):
                    if advisory.package in wanted.get(ecosystem, frozenset()):
                        found[ecosystem, advisory.package].append(advisory)
                if record.get("withdrawn"):
                    withdrawn.add(record["id"])
            except (ValueError, RecursionError):
                unreadable += 1
    try:
        day = date.fromisoformat(newest) if newest else None
    except ValueError:
        day = None
    return Found(found, day, records, unreadable, frozenset(seen), frozenset(withdrawn))


def _parse(record: Any) -> Iterator[tuple[str, Advisory]]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise ValueError("no id")
    if record.get("withdrawn"):
        return
    for affected in _dicts(record.get("affected")):
        package = affected.get("package")
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            continue
        ecosystem = _ecosystem(str(package.get("ecosystem", "")))
        kind = _type(ecosystem)
        if kind:
            yield ecosystem, _advisory(record, affected, str(package["name"]), kind)


def _ecosystem(text: str) -> str:
    """`Ubuntu:22.04:LTS` and `Ubuntu:Pro:22.04:LTS` without the words about support; the latter is another one."""
    return text.removesuffix(":LTS")


def _type(ecosystem: str) -> str:
    base = ecosystem.partition(":")[0]
    return {"Debian": "deb", "Ubuntu": "deb", "Alpine": "apk", "Wolfi": "apk", "Chainguard": "apk", "AlmaLinux": "rpm",
            "Rocky Linux": "rpm", "PyPI": "pypi", "npm": "npm"}.get(base, "")  # fmt: skip


def _advisory(record: dict[str, Any], affected: dict[str, Any], name: str, kind: str) -> Advisory:
    names = {
        record["id"][:80],
        *(n[:80] for n in (*_strings(record.get("aliases")), *_strings(record.get("upstream")))),
    }
    ranges = [r for r in _dicts(affected.get("ranges")) if r.get("type") in ("ECOSYSTEM", "SEMVER")]
    text = record.get("summary") or record.get("details") or ""
    return Advisory(
        id=min(names, key=_preference),
        names=frozenset(names),
        package=canonicalize_name(name) if kind == "pypi" else name,
        type=kind,
        ranges=tuple(_events(r) for r in ranges),
        versions=frozenset(_strings(affected.get("versions"))),
        severity=_severity(record, affected),
        summary=" ".join(str(text).split())[:240],
    )


def _events(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    events = _dicts(item.get("events"))
    if len(events) > _EVENTS:
        raise ValueError("too many events")
    found = [(kind, value) for event in events for kind, value in event.items() if kind in _ORDER]
    if any(not isinstance(value, str) for _, value in found):
        raise ValueError("an event without a version")
    return tuple(found)


def _severity(record: dict[str, Any], affected: dict[str, Any]) -> Severity | None:
    rated = _dicts(affected.get("severity")) or _dicts(record.get("severity"))
    scores = [s for item in rated if (s := base_score(str(item.get("score", "")))) is not None]
    words = [str(item.get("score", "")).upper() for item in rated]  # Ubuntu's own rating is a word
    for place in (
        affected.get("ecosystem_specific"),
        affected.get("database_specific"),
        record.get("database_specific"),
    ):
        if isinstance(place, dict):
            words += [str(place.get(key, "")).upper() for key in ("urgency", "severity")]
    if "UNIMPORTANT" in words or "NEGLIGIBLE" in words:  # the distribution knows what it does not build
        return Severity.INFO
    if scores:
        return severity_of(max(scores))
    return next((_WORDS[word] for word in words if word in _WORDS), None)


def _preference(name: str) -> tuple[int, str]:
    return next((i for i, prefix in enumerate(_PREFERRED) if name.startswith(prefix)), len(_PREFERRED)), name


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def grouped(advisories: Iterable[Advisory]) -> list[list[Advisory]]:
    """What is the same bug under several ids."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        names, members, apart = set(advisory.names), [advisory], []
        for group in groups:
            if group[0] & names:
                names |= group[0]
                members = group[1] + members
            else:
                apart.append(group)
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


__all__ = ["Advisory", "Found", "Unknown", "ecosystem_of", "grouped", "lookup", "name_in_advisories", "places"]
