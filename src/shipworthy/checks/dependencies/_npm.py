"""package.json and the lock files of npm (versions 1 to 3), yarn (1 and later) and pnpm (5 to 9)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from shipworthy.checks._yaml import Malformed, as_map, as_text, read_text_map
from shipworthy.checks.dependencies._manifest import Dependency, Manifest, Unread, without_credentials
from shipworthy.checks.dependencies._semver import InvalidSemVer, SemVer
from shipworthy.patterns import regex

ECOSYSTEM = "npm"
REGISTRIES = ("registry.npmjs.org", "registry.yarnpkg.com", "npm.jsr.io")
_MOST = 100_000
_NAME = regex(r"(?:@[a-zA-Z0-9~_.-][a-zA-Z0-9~._-]*/)?[a-zA-Z0-9~_.-][a-zA-Z0-9~._-]*\Z")
_COMMIT = regex(r"[0-9a-f]{40}\Z")
_GIT = ("git+", "git://", "git@", "github:", "gitlab:", "bitbucket:", "gist:", "ssh://")
_SHORT = regex(r"[\w.-]+/[\w.-]+(?:#.*)?\Z")
_LOCAL = ("file:", "link:", "workspace:", "portal:", "./", "../", "/", "~/")
_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_OWN_SCRIPTS = ("preinstall", "install", "postinstall", "prepare")
_YARN_FIELD = regex(r'  "?(version|resolved|integrity)"? "?([^"\n]*)"?\Z')
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


class _Lines:
    """Where a name first stands between quotes: JSON gives no lines."""

    def __init__(self, text: str) -> None:
        self._found: dict[str, int] = {}
        for number, line in enumerate(text.splitlines()[:500_000], 1):
            for word in line[:600].split('"')[1:8:2]:
                self._found.setdefault(word, number)

    def __call__(self, *names: str) -> int | None:
        return next((self._found[name] for name in names if name in self._found), None)


def _dependency(name: str, spec: str, line: int | None, group: str) -> Dependency:
    """What package.json asks for."""
    if spec.startswith("npm:"):  # an alias: `npm:real@^1`
        real, _, spec = spec[4:].rpartition("@")
        name = valid(real) or name
    if spec.startswith(_LOCAL):
        return Dependency(name, line=line, source="path", fixed=True, group=group, ecosystem=ECOSYSTEM)
    if spec.startswith(_GIT) or spec.partition("#")[0].endswith(".git") or (_SHORT.match(spec) and "/" in spec):
        fixed = _COMMIT.match(spec.partition("#")[2]) is not None
        return Dependency(
            name, line=line, source="vcs", url=_shown(spec), fixed=fixed, group=group, ecosystem=ECOSYSTEM
        )
    if spec.startswith(("http://", "https://")):
        return Dependency(name, line=line, source="url", url=_shown(spec), group=group, ecosystem=ECOSYSTEM)
    return Dependency(name, spec, _exact(spec), line, group=group, ecosystem=ECOSYSTEM)


def _shown(url: str) -> str:
    return without_credentials(url) if "://" in url else url.partition("#")[0][:300]


def _exact(text: str) -> str:
    try:
        return str(SemVer(text))
    except InvalidSemVer:
        return ""


def package_json(text: str) -> Manifest:
    """What the project asks for; the scripts that npm runs at its installation."""
    data, lines = _json(text), _Lines(text)
    found: list[Dependency] = []
    problems: list[tuple[int, str]] = []
    for group in _GROUPS:
        for raw, spec in list(_table(data.get(group)).items())[:_MOST]:
            if not (name := valid(raw)) or not isinstance(spec, str):
                problems.append((0, f"an entry of {group} is no package"))
                continue
            found.append(_dependency(name, spec.strip(), lines(raw), group))
    own = _table(data.get("scripts"))
    scripts = tuple((name, lines(name) or 1) for name in _OWN_SCRIPTS[:3] if isinstance(own.get(name), str))
    return Manifest("project", tuple(found), problems=tuple(problems[:200]), scripts=scripts)


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
    data, lines = _json(text), _Lines(text)
    found: list[Dependency] = []
    licences: list[tuple[str, str, str, int | None]] = []
    if isinstance(data.get("packages"), dict):
        for place, package in list(data["packages"].items())[:_MOST]:
            own = _table(package)
            if not place or own.get("link") is True or "node_modules/" not in place:
                continue
            name = valid(own.get("name")) or valid(place.rpartition("node_modules/")[2])
            if name:
                line, version = lines(place), _text(own.get("version"))
                group, scripts = "dev" if own.get("dev") is True else "", own.get("hasInstallScript") is True
                resolved, integrity = _text(own.get("resolved")), _text(own.get("integrity"))
                found.append(_locked(name, version, line, resolved, integrity, group, scripts))
                licences.append((name, version, _text(own.get("license")), line))
    elif isinstance(data.get("dependencies"), dict):
        found = list(_nested(data["dependencies"], lines))
    elif "lockfileVersion" not in data:
        raise Unread("is no lock file of this format")
    return Manifest("lock", tuple(found), licences=tuple(licences))


def _nested(packages: Mapping[str, Any], lines: _Lines) -> Iterator[Dependency]:
    """Version 1: a stack of its own, so that depth is no matter."""
    pending, count = [packages], 0
    while pending and count < _MOST:
        for raw, package in pending.pop().items():
            own, count = _table(package), count + 1
            version = _text(own.get("version"))
            if name := valid(raw):
                resolved = _text(own.get("resolved")) or (
                    version if version.startswith((*_GIT, "http", *_LOCAL)) else ""
                )
                yield _locked(
                    name,
                    version,
                    lines(raw),
                    resolved,
                    _text(own.get("integrity")),
                    "dev" if own.get("dev") is True else "",
                    False,
                )
            if isinstance(own.get("dependencies"), dict):
                pending.append(own["dependencies"])


def yarn_lock(text: str) -> Manifest:
    """Version 1 is a format of its own; later ones are YAML."""
    if "__metadata:" in text:
        return _berry(text)
    found: list[Dependency] = []
    head: tuple[str, int] | None = None
    own: dict[str, str] = {}
    for number, line in enumerate([*text.splitlines(), "end:"], 1):
        if line[:1] not in (" ", "#", ""):
            if head and (name := valid(head[0])):
                found.append(
                    _locked(
                        name,
                        own.get("version", ""),
                        head[1],
                        own.get("resolved", ""),
                        own.get("integrity", ""),
                        "",
                        False,
                    )
                )
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
    return Manifest("lock", tuple(found[:_MOST]))


def _yaml(text: str) -> Any:
    try:
        return read_text_map(text)
    except Malformed as error:
        raise Unread(str(error)) from None


def _berry(text: str) -> Manifest:
    found = []
    top = _yaml(text)
    for key, value in top.items():
        own = as_map(value)
        name, _, where = as_text(own.get("resolution")).rpartition("@")
        if key == "__metadata" or not valid(name) or where.startswith(("workspace:", "link:", "portal:")):
            continue
        where = where.removeprefix("npm:")
        resolved = where if where.startswith(("http", *_GIT)) else ""
        checksum = as_text(own.get("checksum"))
        found.append(
            _locked(
                name,
                as_text(own.get("version")),
                top.at(key),
                resolved.replace("#commit=", "#"),
                checksum,
                "",
                False,
            )
        )
    return Manifest("lock", tuple(found))


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
    return Manifest("lock", tuple(found), problems=tuple(problems[:200]))
