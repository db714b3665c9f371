"""Packages of container images with known vulnerabilities, by databases in the OSV format."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks import _exploited
from shipworthy.checks.dependencies import _database
from shipworthy.checks.images import _advisories
from shipworthy.checks.images._advisories import Advisory, Unknown, ecosystem_of, name_in_advisories
from shipworthy.checks.images._reading import DAMAGED, HOSTILE, opened, told
from shipworthy.checks.images._sample import NAME, archive
from shipworthy.errors import ShipworthyError
from shipworthy.images.packages import Inventory, Package, read
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.paths import display_name
from shipworthy.user_folders import advisories_folder

VULNERABLE = Rule(
    "image-vulnerable-package",
    "A package in the image has a known vulnerability",
    Severity.MEDIUM,
    "The weakness is public: attackers need not find it. Whether it can be reached depends on what the service uses;"
    " what is not in the image cannot be reached at all. One that is in CISA's catalogue of exploited vulnerabilities"
    " (KEV) is critical, whatever its rating.",
    "Build the image again on a base with the fixed version, remove the package, or waive the finding with the reason"
    " why it cannot be reached.",
    taxonomy=("CWE-1395", "CWE-1104", "CICD-SEC-3", "RV.1", "A.8.8"),
    help="vulnerable-dependencies",
)
RULES = (VULNERABLE, DAMAGED, HOSTILE)
_SHOWN = 5
_UPDATE = "`shipworthy db update --ecosystem '{}'` brings them, `shipworthy db import` takes a copy"


def _embedded() -> Path:
    return Path(str(files("shipworthy.checks.dependencies") / "advisories.json"))


def _folder(context: Context) -> Path:
    """That of the settings, else the user's own; never one that came with what is scanned."""
    given = str(context.options.get("database", ""))
    return context.root / Path(given).expanduser() if given else advisories_folder()


def _exploited_folder(context: Context) -> Path:
    """Where KEV and EPSS are: in the folder that the settings name if it has them, else in the user's own."""
    folder = _folder(context)
    own = any((folder / name).is_file() for name in (_exploited.EPSS, _exploited.KEV))
    return folder if own else advisories_folder()


def cache_key(context: Context) -> str:
    """What results depend on besides the image: the databases' bytes, and the day."""
    parts = [context.today.isoformat(), _database.digest(_embedded())]
    folder = _folder(context)
    try:
        parts.append(_exploited.digest(_exploited_folder(context)))
        for path in [folder] if folder.is_file() else sorted(folder.glob("osv-scalibr/*/all.zip")):
            parts.append(f"{path.parent.name} {_database.digest(path)}")
    except ShipworthyError as error:
        parts.append(str(error))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _canary() -> bytes:
    place = "usr/lib/python3/site-packages/PyYAML-5.3.dist-info/METADATA"
    return archive({}, {place: b"Metadata-Version: 2.1\nName: PyYAML\nVersion: 5.3\n\n"})


@check(
    "image-vulnerabilities",
    kinds={"image"},
    scope="tree",
    version=2,
    canary=Canary(files={NAME: _canary}, rule=VULNERABLE.id),
    options={"database": "", "max-age-days": 30},
    cache_on=cache_key,
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Every image by itself."""
    for artifact in artifacts:
        yield from _look(artifact, context)


def _look(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """Match every package with the advisories of where it comes from; what cannot be matched is told."""
    try:
        tree, found = read(opened(artifact))
    except ShipworthyError as error:
        yield from told(artifact, error)
        return
    for path, reason in found.unread[:_SHOWN]:
        yield Skipped(artifact, f"{path} should tell of packages and could not be read: {reason}")
    if len(found.unread) > _SHOWN:
        yield Skipped(artifact, f"{len(found.unread) - _SHOWN} more files that tell of packages could not be read")
    yield from _without_database(artifact, found)
    if strangers := found.strangers(tree):
        shown = ", ".join(f"/{display_name(path)}" for path in strangers[:3])
        reason = f"{len(strangers)} programs and libraries belong to no package, so they were not matched: {shown}"
        yield Skipped(artifact, reason, code="unowned")
    yield from _matched(artifact, found, context)


def _without_database(artifact: Artifact, found: Inventory) -> Iterator[Skipped]:
    system = found.distribution
    if system is not None and system.id and not found.managers:
        named = system.name or system.id
        shown = display_name(named[:80])
        yield Skipped(artifact, f"it says that it is {shown}, and has no database of that system's packages")


def _matched(artifact: Artifact, found: Inventory, context: Context) -> Iterator[Finding | Skipped]:
    groups: dict[str, list[Package]] = defaultdict(list)
    for item in found.packages:
        if not item.owner:  # what a distribution's package brought is that package's, with the distribution's fixes
            groups[ecosystem_of(item, found.distribution)].append(item)
    strangers = groups.pop("", [])
    if strangers:
        named = found.distribution.name if found.distribution else "a system that it does not name"
        shown = display_name(named[:80])
        told_ = f"no advisories are known for packages of {shown}: {len(strangers)} were not matched"
        yield Skipped(artifact, told_)
    try:
        exploited = _exploited.Known(_exploited_folder(context))
    except ShipworthyError as error:
        yield Skipped(None, str(error), code="damaged-data")
        exploited = _exploited.Known(None)
    folder = _folder(context)
    for ecosystem, items in sorted(groups.items()):
        paths = [folder] if folder.is_file() else _advisories.places(folder, ecosystem)
        own = [_embedded()] if ecosystem in ("PyPI", "npm") else []
        wanted = {ecosystem: frozenset(name_in_advisories(item) for item in items)}
        try:
            known, embedded = _advisories.lookup(paths, wanted), _advisories.lookup(own, wanted)
        except ShipworthyError as error:
            yield Skipped(artifact, f"{len(items)} packages of {ecosystem} were not matched: {error}")
            continue
        if ecosystem in known.ecosystems:
            yield from _age(known, ecosystem, context)
        else:
            yield _gap(artifact, ecosystem, len(items))
        yield from _findings(artifact, ecosystem, items, [known, embedded], exploited)


def _gap(artifact: Artifact, ecosystem: str, number: int) -> Skipped:
    """No full database: the embedded advisories are of packages of Python and npm, and few."""
    what = "only the embedded advisories" if ecosystem in ("PyPI", "npm") else "no advisories"
    told_ = f"{what} for {ecosystem} are here, for {number} packages; {_UPDATE.format(ecosystem)}"
    return Skipped(artifact, told_, code="embedded-data-only")


def _age(known: _advisories.Found, ecosystem: str, context: Context) -> Iterator[Skipped]:
    limit = int(context.options.get("max-age-days", 30))
    days = (context.today - known.newest).days if known.newest else None
    if days is None or days > limit or days < -1:
        age = "of unknown age" if days is None else f"of {known.newest}"
        told_ = f"the advisories for {ecosystem} are {age}; at most {limit} days are accepted"
        yield Skipped(None, told_, code="old-data")
    if known.unreadable:
        told_ = f"{known.unreadable} of {known.records} advisories for {ecosystem} could not be read"
        yield Skipped(None, told_, code="damaged-data")


def _findings(
    artifact: Artifact,
    ecosystem: str,
    items: list[Package],
    known: list[_advisories.Found],
    exploited: _exploited.Known,
) -> Iterator[Finding | Skipped]:
    """One finding for a bug in a source package, whatever number of packages were built from it."""
    together: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for item in items:
        version = item.source_version if item.type in ("deb", "apk") else item.full_version
        together[name_in_advisories(item), version].append(item)
    strange = []
    withdrawn = frozenset(number for one in known for number in one.withdrawn)
    for (name, version), built in sorted(together.items()):
        advisories = [advisory for one in known for advisory in one.advisories.get((ecosystem, name), ())]
        advisories = [advisory for advisory in advisories if not advisory.names & withdrawn]
        affecting = []
        for advisory in advisories:
            try:
                if advisory.affects(version):
                    affecting.append(advisory)
            except Unknown as error:
                strange.append(display_name(f"{name[:80]} {version[:40]} (beside {str(error)[:40]})"))
        for group in _advisories.grouped(affecting):
            yield _finding(artifact, name, version, built, group, exploited)
    if strange:
        shown = ", ".join(strange[:_SHOWN])
        yield Skipped(artifact, f"{len(strange)} versions could not be compared with advisories: {shown}")


def _finding(
    artifact: Artifact, name: str, version: str, built: list[Package], group: list[Advisory], known: _exploited.Known
) -> Finding:
    first = min(group, key=lambda a: (not a.id.startswith("CVE-"), a.id))
    names = frozenset(n for a in group for n in a.names)
    others, exploited = sorted(names - {first.id}), known.of(names)
    rated = [a.severity for a in group if a.severity is not None]
    fixes = {fix for a in group if (fix := _fixed(a, version))}
    name, version = display_name(name[:200]), display_name(version[:200])
    fix = sorted(fixes)[-1] if len(fixes) == 1 else ", ".join(sorted(fixes))
    also = f" ({', '.join(others[:6])})" if others else ""
    note = "" if rated else " Nobody has rated it: taken as medium."
    what = first.summary or "see the advisory"
    packages = display_name(", ".join(sorted({item.name for item in built})[:6])[:300])
    of = f" [{packages}]" if packages != name else ""
    remedy = (
        f"Use {name} {fix} or later: build the image again on an updated base."
        if fix
        else f"No fixed version of {name} is known: remove it, or waive with the reason why it cannot be reached."
    )
    return VULNERABLE.at(
        artifact,
        f"{name} {version}{of}: {first.id}{also}: {what}{note}{exploited.told}",
        evidence=f"{name} {version}",
        key=f"{built[0].type} {name} {first.id}",
        severity=Severity.CRITICAL if exploited.since else max(rated) if rated else Severity.MEDIUM,
        confidence=Confidence.HIGH if exploited.since else None,
        remedy=remedy,
        member=built[0].path,
        field=name,
    )


def _fixed(advisory: Advisory, version: str) -> str:
    try:
        return advisory.fixed_after(version)
    except Unknown:
        return ""
