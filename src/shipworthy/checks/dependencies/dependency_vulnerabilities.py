"""Dependencies with known vulnerabilities, by databases in the OSV format."""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from packaging.version import InvalidVersion

from shipworthy.check import Canary, Context, Skipped, Unavailable, check
from shipworthy.checks import _exploited
from shipworthy.checks.dependencies import _database, _index, _osv
from shipworthy.checks.dependencies._manifest import Dependency, Manifest, Unread, is_manifest, names, parse
from shipworthy.checks.dependencies._report import unread_parts
from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.user_folders import advisories_folder

UPDATE = "`shipworthy db update` fetches a full one, `shipworthy db import` takes a copy"

VULNERABLE = Rule(
    "vulnerable-dependency",
    "A dependency has a known vulnerability",
    Severity.MEDIUM,
    "The weakness is public: attackers need not find it. Whether it can be reached here depends on how the package is"
    " used. One that is in CISA's catalogue of exploited vulnerabilities (KEV) is critical, whatever its rating.",
    "Upgrade to a fixed version, or waive the finding with the reason why it cannot be reached.",
    taxonomy=("CWE-1395", "CICD-SEC-3", "LLM03:2025", "ML06:2023", "AML.T0010.001", "RV.1", "A.8.8"),
    help="vulnerable-dependencies",
)


@dataclass(frozen=True)
class _Knowledge:
    """Advisories by package, and what is known to be missing from them."""

    by_package: dict[str, list[_osv.Advisory]]
    gaps: tuple[Skipped, ...]
    exploited: _exploited.Known


def _embedded_path() -> Path:
    return Path(str(files("shipworthy.checks.dependencies") / "advisories.json"))


def _database_path(context: Context) -> Path | None:
    """The database of the settings; without one, the one that `shipworthy db` keeps for this user, if any. Never one of
    the workspace's own: a database that came with a repository could know of nothing."""
    given = str(context.options.get("database", ""))
    if given:
        return context.root / Path(given).expanduser()
    default = advisories_folder()
    return default if any((default / place).is_file() for place in _database.LAYOUTS) else None


def _exploited_folder(context: Context) -> Path:
    """Where KEV and EPSS are: in the folder that the settings name if it has them, else in the user's own."""
    path = _database_path(context)
    own = path is not None and any((path / name).is_file() for name in (_exploited.EPSS, _exploited.KEV))
    return path if path is not None and own else advisories_folder()


def cache_key(context: Context) -> str:
    """What results depend on besides the manifests: the databases' bytes, and the day (they age, an index changes)."""
    parts = [_database.digest(_embedded_path()) if context.options.get("embedded", True) else "-"]
    path = _database_path(context)
    if path is not None:
        try:
            parts += [_database.digest(place) for place in _database.places(path)]
        except ShipworthyError as error:
            parts.append(str(error))
    try:
        parts.append(_exploited.digest(_exploited_folder(context)))
    except ShipworthyError as error:
        parts.append(str(error))
    # A result from a database that was fresh must not outlive its freshness.
    parts.append(context.today.isoformat())
    parts.append(f"online {not context.offline}" if context.options.get("online") else "offline")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@check(
    "dependency-vulnerabilities",
    kinds={"requirements", "code"},
    accepts=is_manifest,
    scope="tree",
    version=5,
    canary=Canary(files={"requirements.txt": b"pyyaml==5.3\n"}, rule=VULNERABLE.id),
    options={"database": "", "embedded": True, "max-age-days": 30, "online": False, "index": "https://pypi.org"},
    cache_on=cache_key,
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Match every exact version. Raises Unavailable when there is nothing to match against."""
    manifests: list[tuple[Artifact, Manifest]] = []
    unread: list[Skipped] = []
    for artifact in artifacts:
        try:
            manifest = parse(artifact)
        except Unread as error:
            unread.append(Skipped(artifact, f"the file {error}"))
            continue
        manifests.append((artifact, manifest))
        unread += unread_parts(artifact, manifest)
    wanted = frozenset(d.key for _, m in manifests for d in m.dependencies if d.name)
    knowledge = _knowledge(context, wanted)
    yield from unread
    yield from knowledge.gaps
    online = _Online(context)
    for artifact, manifest in manifests:
        yield from _includes(artifact, manifest, artifacts)
        yield from _unmatched(artifact, manifest, manifests)
        yield from _match(artifact, manifest, knowledge, online)
    yield from online.gaps()


def _knowledge(context: Context, wanted: frozenset[str]) -> _Knowledge:
    path = _database_path(context)
    online = bool(context.options.get("online"))
    found: list[_osv.Advisory] = []
    gaps: list[Skipped] = []
    withdrawn: frozenset[str] = frozenset()
    embedded = bool(context.options.get("embedded", True))
    if path is None and not embedded and not (online and not context.offline):
        raise Unavailable("there is no vulnerability database, and the embedded advisories are switched off", UPDATE)
    if path is not None:
        try:
            database = _database.lookup(path, wanted)
        except ShipworthyError as error:
            raise Unavailable(str(error), error.remedy) from None
        found += database.advisories
        withdrawn = database.withdrawn
        gaps += _age(database.facts, context)
        for name, kept in (
            ("npm", [w for w in wanted if w.startswith("npm:")]),
            ("PyPI", [w for w in wanted if ":" not in w]),
        ):
            if kept and name not in database.facts.ecosystems:
                told = f"the vulnerability database knows nothing of {name}: `shipworthy db update --ecosystem {name}`"
                gaps.append(Skipped(None, told, code="no-data-for-ecosystem"))
    if embedded:
        own = _database.lookup(_embedded_path(), wanted)
        found += [replace(a, source="embedded") for a in own.advisories if not a.names & withdrawn]
        if path is None and not (online and not context.offline):
            told = f"only the {own.facts.records} embedded advisories (as of {own.facts.newest}) were used"
            gaps.append(Skipped(None, f"{told}, no full database; {UPDATE}", code="embedded-data-only"))
    if online and context.offline:
        gaps.append(Skipped(None, "the package index was not asked, because this run is offline", code="not-asked"))
    by_package: dict[str, list[_osv.Advisory]] = defaultdict(list)
    for advisory in found:
        by_package[advisory.package].append(advisory)
    try:
        exploited = _exploited.Known(_exploited_folder(context))
    except ShipworthyError as error:
        gaps.append(Skipped(None, str(error), code="damaged-data"))
        exploited = _exploited.Known(None)
    return _Knowledge(by_package, tuple(gaps), exploited)


def _age(facts: _database.Facts, context: Context) -> Iterator[Skipped]:
    limit = int(context.options.get("max-age-days", 30))
    if facts.newest is None:
        told = f"the vulnerability database gives no date: it may be of any age; {UPDATE}"
        yield Skipped(None, told, code="old-data")
    elif (days := (context.today - facts.newest).days) > limit:
        told = f"the vulnerability database is {days} days old (of {facts.newest}, {limit} are accepted): {UPDATE}"
        yield Skipped(None, told, code="old-data")
    elif days < -1:
        told = f"the vulnerability database is dated {facts.newest}, in the future: its age is not known; {UPDATE}"
        yield Skipped(None, told, code="old-data")
    if facts.unreadable:
        told = f"{facts.unreadable} of {facts.records} records of the vulnerability database could not be read"
        yield Skipped(None, told, code="damaged-data")


def _includes(artifact: Artifact, manifest: Manifest, artifacts: Iterable[Artifact]) -> Iterator[Skipped]:
    """Included files are read as artifacts of their own; those that are none are a gap."""
    known = {item.uri for item in artifacts}
    for target, line in manifest.includes:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(artifact.uri), target))
        if place not in known:
            shown = "an address" if "://" in target else f"{target[:80]!r}"
            told = f"line {line} includes {shown}, which is not among the requirements files that were read"
            yield Skipped(artifact, told, code="unread-include")


def _unmatched(artifact: Artifact, manifest: Manifest, manifests: list[tuple[Artifact, Manifest]]) -> Iterator[Skipped]:
    """Packages without an exact version, neither here nor in a manifest of the same folder or one above it."""
    here = posixpath.dirname(artifact.uri)
    pinned = {
        d.key
        for other, m in manifests
        for d in m.dependencies
        if d.version and _above(posixpath.dirname(other.uri), here)
    }
    open_ones = [d for d in manifest.dependencies if d.source != "path" and not d.version and d.key not in pinned]
    open_ones = [d for d in open_ones if d.group != "build-system"]
    if open_ones:
        named = names(open_ones) or "packages without a name"
        yield Skipped(artifact, f"no exact version is known, so these could not be matched: {named}", code="unpinned")


def _above(folder: str, other: str) -> bool:
    return folder in ("", other) or other.startswith(folder + "/")


def _match(
    artifact: Artifact, manifest: Manifest, knowledge: _Knowledge, online: _Online
) -> Iterator[Finding | Skipped]:
    seen: set[tuple[str, str]] = set()
    for item in manifest.dependencies:
        if not item.version or not item.name or item.source == "path" or (item.key, item.version) in seen:
            continue
        seen.add((item.key, item.version))
        try:
            version = _osv.version_of(item.version, item.ecosystem)
        except InvalidVersion:
            told = "PEP 440" if item.ecosystem == _osv.ECOSYSTEM else "Semantic Versioning"
            yield Skipped(artifact, f"{item.name} has a version that {told} does not know, so it could not be matched")
            continue
        known = [a for a in knowledge.by_package.get(item.key, ()) if a.affects(version)]
        for group in _osv.merge([*known, *online.ask(item, version)]):
            yield _finding(artifact, item, version, group, knowledge.exploited)


def _finding(
    artifact: Artifact,
    item: Dependency,
    version: _osv.Ordered,
    group: tuple[_osv.Advisory, ...],
    known: _exploited.Known,
) -> Finding:
    advisory, fixed = _osv.joined(group, version)
    exploited = known.of(advisory.names)
    aliases = f" ({', '.join(sorted(advisory.aliases))})" if advisory.aliases else ""
    what = advisory.summary or "see the advisory"
    note = "" if advisory.severity else f" Severity is taken as medium: {advisory.basis}."
    remedy = (
        f"Upgrade {item.name} to {fixed} or later."
        if fixed
        else f"No fixed version of {item.name} is known: replace it, or waive with a reason."
    )
    return VULNERABLE.at(
        artifact,
        f"{item.name} {item.version}: {advisory.id}{aliases}: {what}{note}{exploited.told}",
        evidence=f"{item.name}{'==' if item.ecosystem == _osv.ECOSYSTEM else '@'}{item.version}",
        key=f"{item.name} {advisory.id}",
        severity=Severity.CRITICAL if exploited.since else advisory.severity or Severity.MEDIUM,
        confidence=Confidence.HIGH if exploited.since else None,
        remedy=remedy,
        line=item.line,
    )


class _Online:
    """Asks the package index, when the settings and the run allow it; remembers what it did not answer."""

    _GIVE_UP = 5

    def __init__(self, context: Context) -> None:
        self.active = bool(context.options.get("online")) and not context.offline
        self._index = str(context.options.get("index", ""))
        self._answers: dict[tuple[str, str], tuple[_osv.Advisory, ...]] = {}
        self._failed: dict[str, list[str]] = defaultdict(list)
        self._in_a_row = 0
        if self.active and not _index.allowed(self._index):
            raise Unavailable(
                "the package index's address does not begin with https://", "correct `index` in the settings"
            )

    def ask(self, item: Dependency, version: _osv.Ordered) -> tuple[_osv.Advisory, ...]:
        """Advisories for this version by the index; nothing if it was not asked or did not answer (see `gaps`)."""
        key = (item.name, str(version.public))
        if not self.active or item.source != "index" or item.ecosystem != _osv.ECOSYSTEM:
            return ()
        if key not in self._answers:
            self._answers[key] = self._query(*key)
        return self._answers[key]

    def _query(self, name: str, version: str) -> tuple[_osv.Advisory, ...]:
        if self._in_a_row >= self._GIVE_UP:
            self._failed["it had not answered before"].append(name)
            return ()
        try:
            found = _index.query(self._index, name, version)
        except _index.NoAnswer as error:
            self._failed[str(error)].append(name)
            if "404" not in str(error):  # not on this index: its answer all the same
                self._in_a_row += 1
            return ()
        self._in_a_row = 0
        return found

    def gaps(self) -> Iterator[Skipped]:
        """What the index did not answer."""
        for reason, packages in sorted(self._failed.items()):
            shown = ", ".join(sorted(set(packages))[:8])
            told = f"the package index did not answer for {len(set(packages))} packages ({shown}): {reason}"
            yield Skipped(None, told, code="no-answer")
