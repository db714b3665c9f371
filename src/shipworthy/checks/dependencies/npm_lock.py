"""What package.json asks for, against what the lock file beside or above it has."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.dependencies import _npm
from shipworthy.checks.dependencies._manifest import Dependency, Manifest, Unread, parse
from shipworthy.checks.dependencies._npm_ranges import NotARange, allows
from shipworthy.checks.dependencies._report import unread_parts
from shipworthy.checks.dependencies._semver import InvalidSemVer, SemVer
from shipworthy.model import Artifact, Finding, Rule, Severity

_LOCKS = ("npm-shrinkwrap.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml")
_TAXONOMY = ("CWE-1357", "CICD-SEC-3", "PW.4")
_GROUPS = ("dependencies", "devDependencies")
_OVERRIDES = 1_000

NO_LOCK = Rule(
    "npm-no-lock",
    "A package.json with dependencies has no lock file",
    Severity.LOW,
    "Every installation takes the newest versions that the ranges allow, also of packages that are only indirectly"
    " needed: a release that was taken over is installed on the day on which it appears.",
    "Commit the lock file (`npm install --package-lock-only`), and install with `npm ci`.",
    taxonomy=_TAXONOMY,
    help="dependency-pinning",
)
NOT_LOCKED = Rule(
    "npm-not-in-lock",
    "A dependency is not in the lock file",
    Severity.MEDIUM,
    "The lock file is of another state of the project: `npm ci` refuses, and `npm install` fetches a version that"
    " nobody has looked at.",
    "Lock again (`npm install --package-lock-only`), look at what changed, and commit both files.",
    taxonomy=_TAXONOMY,
    help="dependency-pinning",
)
DIFFERS = Rule(
    "npm-lock-differs",
    "The lock file has a version that package.json does not allow",
    Severity.MEDIUM,
    "One of both was changed alone. What is installed depends on the command: the locked version, which the project"
    " does not ask for, or another one, which nobody has locked.",
    "Lock again (`npm install --package-lock-only`), look at what changed, and commit both files.",
    taxonomy=_TAXONOMY,
    help="dependency-pinning",
)


def _is_ours(artifact: Artifact) -> bool:
    return PurePosixPath(artifact.uri).name.lower() in ("package.json", *_LOCKS)


@check(
    "npm-lock",
    kinds={"requirements"},
    accepts=_is_ours,
    scope="tree",
    version=3,
    canary=Canary(
        files={
            "package.json": b'{"dependencies": {"lodash": "^4.17.21"}}',
            "package-lock.json": b'{"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.17.15"}}}',
        },
        rule=DIFFERS.id,
    ),
)
def scan(artifacts: tuple[Artifact, ...]) -> Iterator[Finding | Skipped]:
    """Findings of every package.json; its lock file is the nearest one in its folder or above. What counts is the copy
    that the folder gets, as npm, yarn and pnpm look for it; where the lock file does not name the folder, any copy."""
    locks: dict[str, list[tuple[Artifact, Manifest | None]]] = defaultdict(list)
    for artifact in artifacts:
        if PurePosixPath(artifact.uri).name.lower() in _LOCKS:
            try:
                manifest = parse(artifact)
            except Unread as error:
                yield Skipped(artifact, f"the file {error}")
                locks[posixpath.dirname(artifact.uri)].append((artifact, None))
                continue
            yield from unread_parts(artifact, manifest)
            locks[posixpath.dirname(artifact.uri)].append((artifact, manifest))
    for artifact in artifacts:
        if PurePosixPath(artifact.uri).name.lower() == "package.json":
            yield from _compare(artifact, locks)


def _compare(
    artifact: Artifact, locks: Mapping[str, list[tuple[Artifact, Manifest | None]]]
) -> Iterator[Finding | Skipped]:
    try:
        manifest = parse(artifact)
        forced = _forced(artifact)
    except Unread as error:
        yield Skipped(artifact, f"the file {error}")
        return
    yield from unread_parts(artifact, manifest)
    asked = [d for d in manifest.dependencies if d.group in _GROUPS and d.source == "index"]
    if not asked:
        return
    nearest = _nearest(posixpath.dirname(artifact.uri), locks)
    if not nearest:
        yield NO_LOCK.at(artifact, f"{len(asked)} dependencies have no lock file", key="no lock")
    for lock, locked in nearest:
        if locked is None:
            yield Skipped(artifact, f"{lock.uri} could not be read, so nothing was compared with it")
            continue
        yield from _differences(artifact, asked, lock, locked, forced)


def _nearest(
    folder: str, locks: Mapping[str, list[tuple[Artifact, Manifest | None]]]
) -> list[tuple[Artifact, Manifest | None]]:
    while folder not in locks and folder:
        folder = posixpath.dirname(folder)
    return list(locks.get(folder, ()))


def _differences(
    artifact: Artifact, asked: list[Dependency], lock: Artifact, locked: Manifest, forced: frozenset[str]
) -> Iterator[Finding]:
    anywhere: dict[str, list[Dependency]] = defaultdict(list)
    for one in locked.dependencies:
        anywhere[one.name].append(one)
    above, own = (posixpath.dirname(one.uri) for one in (lock, artifact))
    folder = own[len(above) :].lstrip("/")
    for item in asked:
        if item.name in forced:
            continue
        there = _copies(item, folder, locked, anywhere[item.name])
        if there == []:
            message = f"{item.name} {item.specifier} is not in {lock.uri}"
            yield NOT_LOCKED.at(artifact, message, line=item.line, key=f"{item.name} {lock.uri}")
        elif there and _excluded(item.specifier, there):
            versions = ", ".join(sorted({one.version for one in there})[:4])
            message = f"{item.name} {item.specifier} does not allow {versions}, which {lock.uri} has"
            yield DIFFERS.at(artifact, message, line=item.line, key=f"{item.name} {lock.uri}")


def _copies(item: Dependency, folder: str, locked: Manifest, anywhere: list[Dependency]) -> list[Dependency] | None:
    """The locked copy that a folder gets; all of that name where the lock file does not name the folder, or what is
    asked; None for a folder of the project itself."""
    name = item.alias or item.name
    spec = f"npm:{item.name}@{item.specifier}" if item.alias else item.specifier
    keys = [f"{name}@{spec}", f"{name}@npm:{spec}", f"{folder}\0{name}"]
    parts = folder.split("/") if folder else []
    keys += ["/".join((*parts[:count], "node_modules", name)) for count in range(len(parts), -1, -1)]
    for key in keys:
        if key in locked.places:
            one = locked.places[key]
            return None if one is None else [one]
    return [] if folder in locked.roots else anywhere


def _excluded(text: str, locked: list[Dependency]) -> bool:
    """Whether no locked version is in the range. What is no range (a tag) is not judged."""
    try:
        return all(one.version and not allows(text, SemVer(one.version)) for one in locked)
    except (NotARange, InvalidSemVer):
        return False


def _forced(artifact: Artifact) -> frozenset[str]:
    """Names whose version `overrides` (npm, pnpm) or `resolutions` (yarn) decide. Raises Unread."""
    try:
        data: Any = json.loads(artifact.read_bytes(20_000_000))
    except (ValueError, RecursionError):
        raise Unread("is not JSON") from None
    pnpm = data.get("pnpm")
    tables = [data.get("overrides"), data.get("resolutions"), pnpm.get("overrides") if isinstance(pnpm, dict) else None]
    found = set()
    for table in tables:
        for key in list(table)[:_OVERRIDES] if isinstance(table, dict) else ():
            name = str(key).rpartition("/")[2] if "/" in str(key) and not str(key).startswith("@") else str(key)
            found.add(_npm.valid(name[:1] + name[1:].partition("@")[0]))
    return frozenset(found)
