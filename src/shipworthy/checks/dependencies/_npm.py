"""package.json and the lock files of npm (versions 1 to 3), yarn (1 and later) and pnpm (5 to 9)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from shipworthy.checks._yaml import Malformed, as_map, as_text, read_text_map
from shipworthy.checks.dependencies._json_lines import Lines
from shipworthy.checks.dependencies._manifest import Dependency, Manifest, Unread, without_credentials
from shipworthy.checks.dependencies._semver import InvalidSemVer, SemVer
from shipworthy.patterns import regex

ECOSYSTEM = "npm"
REGISTRIES = ("registry.npmjs.org", "registry.yarnpkg.com", "npm.jsr.io")
_MOST = 100_000
_DEEP = 32  # folders within folders
_NAME = regex(r"(?:@[a-zA-Z0-9~_.-][a-zA-Z0-9~._-]*/)?[a-zA-Z0-9~_.-][a-zA-Z0-9~._-]*\Z")
_COMMIT = regex(r"[0-9a-f]{40}\Z")
_GIT = ("git+", "git://", "git@", "github:", "gitlab:", "bitbucket:", "gist:", "ssh://")
_SHORT = regex(r"[\w.-]+/[\w.-]+(?:#.*)?\Z")
_LOCAL = ("file:", "link:", "workspace:", "portal:", "./", "../", "/", "~/")
_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_OWN_SCRIPTS = ("preinstall", "install", "postinstall", "prepare")
_YARN_FIELD = regex(r'  "?(version|resolved|integrity)"? "?([^"\n]*)"?\Z')
_PNPM_PEERS = regex(r"[(_]")
_PNPM_KEY = regex(r"/?((?:@[^/@]+/)?[^/@]+)[@/](\d[^(_]*)")


def reader_for(name: str) -> Any:
    """The reader of a file of this (lower-case) name; None if there is none."""
    return {
        "package.json": package_json, "package-lock.json": package_lock, "npm-shrinkwrap.json": package_lock,
        "yarn.lock": yarn_lock, "pnpm-lock.yaml": pnpm_lock,
    }.get(name)  # fmt: skip


def valid(name: object) -> str:
    """The name if npm could know it, else ''."""
    return name if isinstance(name, str) and len(name) <= 214 and _NAME.match(name) else ""


def _json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unread("is not JSON") from None
    if not isinstance(data, dict):
        raise Unread("is no file of this format")
    return data


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dependency(name: str, spec: str, line: int | None, group: str) -> Dependency:
    """What package.json asks for."""
    alias = ""
    if spec.startswith("npm:"):  # an alias: `npm:real@^1`
        real, _, spec = spec[4:].rpartition("@")
        alias, name = name, valid(real) or name
    if spec.startswith(_LOCAL):
        return Dependency(name, line=line, source="path", fixed=True, group=group, ecosystem=ECOSYSTEM)
    if spec.startswith(_GIT) or spec.partition("#")[0].endswith(".git") or (_SHORT.match(spec) and "/" in spec):
        fixed = _COMMIT.match(spec.partition("#")[2]) is not None
        return Dependency(
            name, line=line, source="vcs", url=_shown(spec), fixed=fixed, group=group, ecosystem=ECOSYSTEM
        )
    if spec.startswith(("http://", "https://")):
        return Dependency(name, line=line, source="url", url=_shown(spec), group=group, ecosystem=ECOSYSTEM)
    return Dependency(name, spec, _exact(spec), line, group=group, ecosystem=ECOSYSTEM, alias=alias)


def _shown(url: str) -> str:
    return without_credentials(url) if "://" in url else url.partition("#")[0][:300]


def _exact(text: str) -> str:
    try:
        return str(SemVer(text))
    except InvalidSemVer:
        return ""


def package_json(text: str) -> Manifest:
    """What the project asks for; the scripts that npm runs at its installation."""
    data = _json(text)
    lines = Lines(text)
    found: list[Dependency] = []
    problems: list[tuple[int, str]] = []
    for group in _GROUPS:
        for raw, spec in list(_table(data.get(group)).items())[:_MOST]:
            if not (name := valid(raw)) or not isinstance(spec, str):
                problems.append((0, f"an entry of {group} is no package"))
                continue
            found.append(_dependency(name, spec.strip(), lines(group, raw), group))
    own = _table(data.get("scripts"))
    scripts = tuple((name, lines("scripts", name) or 1) for name in _OWN_SCRIPTS[:3] if isinstance(own.get(name), str))
    return Manifest("project", tuple(found), problems=tuple(problems[:200]), scripts=scripts)


def installed(text: str, uri: str) -> Manifest:
    """A package that is there in `node_modules/`: itself, in its version. What it wanted when it was made is nobody's
    order any more, as each package that it got lies beside it."""
    place = uri.rpartition("node_modules/")[2].removesuffix("/package.json")
    if place.count("/") != place.startswith("@"):
        return Manifest("installed", ())  # a folder of a package: its modules' type, or an example
    data = _json(text)
    version, scripts = _text(data.get("version")), _table(data.get("scripts"))
    name = valid(data.get("name")) or valid(place)
    runs = any(isinstance(scripts.get(one), str) for one in _OWN_SCRIPTS[:3])
    line = Lines(text)("version") or 1
    one = Dependency(name, version, _exact(version), line, group="installed", ecosystem=ECOSYSTEM, scripts=runs)
    return Manifest("installed", (one,) if name else (), problems=() if name else ((0, "it has no name"),))


def _locked(
    name: str, version: str, line: int | None, resolved: str, integrity: str, group: str, scripts: bool
) -> Dependency:
    """A locked package. `git+…#commit` and archives elsewhere are told apart by where they were taken from."""
    hashes = len(integrity.split())
    if resolved.startswith(_GIT) or ".git#" in resolved:
        fixed = _COMMIT.match(resolved.rpartition("#")[2]) is not None
        return Dependency(name, version, _exact(version), line, hashes, "vcs", _shown(resolved), fixed, group=group,
                          ecosystem=ECOSYSTEM, scripts=scripts)  # fmt: skip
    if resolved.startswith(_LOCAL):
        return Dependency(
            name, version, _exact(version), line, source="path", fixed=True, group=group, ecosystem=ECOSYSTEM
        )
    try:
        host = urlsplit(resolved).hostname or ""
    except ValueError:
        host = "(an invalid URL)"
    return Dependency(
        name, version, _exact(version), line, hashes, url=_shown(resolved) if resolved else "", group=group,
        ecosystem=ECOSYSTEM, scripts=scripts, host="" if not host or host in REGISTRIES else host[:100],
    )  # fmt: skip


def package_lock(text: str) -> Manifest:
    """`packages` of versions 2 and 3, else the nested `dependencies` of version 1."""
    data = _json(text)
    lines = Lines(text)
    places: dict[str, Dependency | None] = {}
    licences: list[tuple[str, str, str, int | None]] = []
    if isinstance(data.get("packages"), dict):
        roots = set()
        for place, package in list(data["packages"].items())[:_MOST]:
            own = _table(package)
            if "node_modules/" not in place:
                roots.add(place)
                continue
            name = valid(own.get("name")) or valid(place.rpartition("node_modules/")[2])
            if own.get("link") is True or not name:
                places[place] = None
                continue
            line, version = lines("packages", place), _text(own.get("version"))
            group, scripts = "dev" if own.get("dev") is True else "", own.get("hasInstallScript") is True
            resolved, integrity = _text(own.get("resolved")), _text(own.get("integrity"))
            places[place] = _locked(name, version, line, resolved, integrity, group, scripts)
            licences.append((name, version, _text(own.get("license")), line))
    elif isinstance(data.get("dependencies"), dict):
        places.update(_nested(data["dependencies"], lines))
        roots = {""}
    elif "lockfileVersion" not in data:
        raise Unread("is no lock file of this format")
    else:
        roots = set()
    found = tuple(one for one in places.values() if one is not None)
    return Manifest("lock", found, licences=tuple(licences), places=places, roots=frozenset(roots))


def _nested(packages: Mapping[str, Any], lines: Lines) -> Iterator[tuple[str, Dependency | None]]:
    """Version 1, by place: a stack of its own, so that depth is no matter. Places that are too deep to matter are cut,
    and told apart by their number."""
    pending: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [(packages, ())]
    count = 0
    while pending and count < _MOST:
        inside, above = pending.pop()
        for raw, package in inside.items():
            own, count = _table(package), count + 1
            version, path = _text(own.get("version")), (*above, raw)
            if name := valid(raw):
                if version.startswith("npm:"):  # an alias: `npm:real@1.0.0`
                    real, _, version = version[4:].rpartition("@")
                    name = valid(real) or name
                resolved = _text(own.get("resolved")) or (
                    version if version.startswith((*_GIT, "http", *_LOCAL)) else ""
                )
                line = lines(*(part for one in path for part in ("dependencies", one)))
                group, integrity = "dev" if own.get("dev") is True else "", _text(own.get("integrity"))
                place = "/".join(f"node_modules/{one}" for one in path)
                yield (
                    place if len(path) <= _DEEP else f"{count} {place}",
                    _locked(name, version, line, resolved, integrity, group, False),
                )
            if isinstance(own.get("dependencies"), dict):
                pending.append((own["dependencies"], path[-_DEEP:]))


def yarn_lock(text: str) -> Manifest:
    """Version 1 is a format of its own; later ones are YAML."""
    if "__metadata:" in text:
        return _berry(text)
    found: list[Dependency] = []
    places: dict[str, Dependency | None] = {}
    head: tuple[str, int] | None = None
    asked: list[str] = []
    own: dict[str, str] = {}
    for number, line in enumerate([*text.splitlines(), "end:"], 1):
        if line[:1] not in (" ", "#", ""):
            if head and (name := valid(head[0])):
                version, resolved, integrity = (own.get(key, "") for key in ("version", "resolved", "integrity"))
                found.append(_locked(name, version, head[1], resolved, integrity, "", False))
                places.update(dict.fromkeys(asked, found[-1]))
            asked = [part.strip().strip('"') for part in line.rstrip(":").split(",")[:1000]]
            first = line.rstrip(":").split(",")[0].strip().strip('"')
            before, _, spec = first.rpartition("@")
            aliased = first.partition("@npm:")[2].rpartition("@")[0] if "@npm:" in first else ""
            head, own = (aliased or before.partition("@npm:")[0] or first, number), {}
            if spec.startswith(_LOCAL):
                head = None
        elif match := _YARN_FIELD.match(line[:2000]):
            own.setdefault(match[1], match[2])
    if "# yarn lockfile" not in text and not any(item.version for item in found):
        raise Unread("is no lock file of yarn")
    return Manifest("lock", tuple(found[:_MOST]), places=places)


def _yaml(text: str) -> Any:
    try:
        return read_text_map(text)
    except Malformed as error:
        raise Unread(str(error)) from None


def _berry(text: str) -> Manifest:
    found = []
    places: dict[str, Dependency | None] = {}
    top = _yaml(text)
    for key, value in top.items():
        own = as_map(value)
        asked = [part.strip() for part in key.split(",")[:1000]]
        name, _, where = as_text(own.get("resolution")).rpartition("@")
        if key == "__metadata" or not valid(name) or where.startswith(("workspace:", "link:", "portal:")):
            places.update(dict.fromkeys(asked))
            continue
        where = where.removeprefix("npm:")
        resolved = (where if where.startswith(("http", *_GIT)) else "").replace("#commit=", "#")
        checksum = as_text(own.get("checksum"))
        found.append(_locked(name, as_text(own.get("version")), top.at(key), resolved, checksum, "", False))
        places.update(dict.fromkeys(asked, found[-1]))
    return Manifest("lock", tuple(found), places=places)


def pnpm_lock(text: str) -> Manifest:
    """`packages`, whose keys are `/name/1.0.0` (5), `/name@1.0.0` (6) or `name@1.0.0` (9)."""
    top = _yaml(text)
    if "lockfileVersion" not in top:
        raise Unread("is no lock file of pnpm")
    packages = as_map(top.get("packages"))
    found = []
    problems = []
    for key, value in list(packages.items())[:_MOST]:
        own, line = as_map(value), packages.at(key)
        resolution = as_map(own.get("resolution"))
        match = _PNPM_KEY.match(key)
        name = valid(match[1]) if match else valid(as_text(own.get("name")))
        repo, tarball = as_text(resolution.get("repo")), as_text(resolution.get("tarball"))
        resolved = f"git+{repo}#{as_text(resolution.get('commit'))}" if repo else tarball
        if not name:
            problems.append((line, "is no package"))
            continue
        version = str(as_text(own.get("version"))) or (match[2] if match else "")
        scripts = as_text(own.get("requiresBuild")) == "true"
        found.append(_locked(name, version, line, resolved, as_text(resolution.get("integrity")), "", scripts))
    places, roots = _imported(top, found)
    return Manifest("lock", tuple(found), problems=tuple(problems[:200]), places=places, roots=roots)


def _imported(
    top: Mapping[str, Any], found: Iterable[Dependency]
) -> tuple[dict[str, Dependency | None], frozenset[str]]:
    """What each folder of a workspace gets: `importers`, or the top level where there is only one folder."""
    by_version = {(one.name, one.version): one for one in found}
    importers = as_map(top.get("importers")) or {".": top}
    places: dict[str, Dependency | None] = {}
    roots = set()
    for folder, value in list(importers.items())[:_MOST]:
        root = "" if folder == "." else str(folder)
        roots.add(root)
        for group in _GROUPS[:3]:
            for raw, given in list(as_map(as_map(value).get(group)).items())[:_MOST]:
                text = as_text(as_map(given).get("version")) or as_text(given)
                match = _PNPM_KEY.match(text)  # an alias: `/real@1.0.0`, `real@1.0.0`
                name, version = (match[1], match[2]) if match else (raw, _PNPM_PEERS.split(text, maxsplit=1)[0])
                one = by_version.get((name, version))
                if one is not None or text.startswith(_LOCAL[:4]):
                    places[f"{root}\0{raw}"] = one
                else:
                    roots.discard(root)  # in a form that is not known: not judged by its place
    return places, frozenset(roots)
