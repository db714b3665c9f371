"""What a project says it depends on, whatever the file it says it in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from shipworthy.model import Artifact, Kind

SIZE_LIMIT = 20_000_000
LINE_LIMIT = 20_000
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHA = re.compile(r"(?:^|&)(?:sha256|sha384|sha512)=[0-9a-fA-F]{32,}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?")
_VCS = ("git+", "hg+", "svn+", "bzr+")


class Unread(Exception):
    """The file cannot be read as what it should be; the message says why, in a phrase for people."""


@dataclass(frozen=True)
class Dependency:
    """One wanted or locked package.

    `name` is normalized (PEP 503); `version` is the exact version or '' where several would do; `hashes` is how many
    digests the file gives for it; `source` is index, vcs, url or path; `fixed` says, for vcs and url, that a commit or
    digest pins the bytes; `url` is without credentials. `ecosystem` is as OSV spells it; names of npm are as npm has
    them. `scripts` says that code of the package runs at its installation, `host` names a registry that is not public.
    """

    name: str
    specifier: str = ""
    version: str = ""
    line: int | None = None
    hashes: int = 0
    source: str = "index"
    url: str = ""
    fixed: bool = False
    editable: bool = False
    group: str = ""
    ecosystem: str = "PyPI"
    scripts: bool = False
    host: str = ""
    alias: str = ""

    @property
    def key(self) -> str:
        """What advisories know it by: packages of npm and PyPI may have one name."""
        return self.name if self.ecosystem == "PyPI" else f"{self.ecosystem}:{self.name.lower()}"


@dataclass(frozen=True)
class Index:
    """A place packages come from. `how` is index, extra, links or trusted-host."""

    how: str
    url: str
    line: int | None = None


@dataclass(frozen=True)
class Manifest:
    """All that one file says. `format` is requirements, constraints, input, project, lock or conda; `includes` are the
    files that it names (-r, -c) with their lines; `problems` are the lines that could not be understood, `computed`
    those that only running the file would tell; `scripts` are those that npm runs at installation, with their lines;
    `licences` are name, version, declared licence and line. `places` are the locked packages by where they are for a
    project (a folder of npm, what was asked of yarn, folder and name of pnpm), None for a folder of the project itself;
    `roots` are the folders, as the lock file names them, for which that is all."""

    format: str
    dependencies: tuple[Dependency, ...] = ()
    indexes: tuple[Index, ...] = ()
    includes: tuple[tuple[str, int], ...] = ()
    problems: tuple[tuple[int, str], ...] = ()
    computed: tuple[tuple[int, str], ...] = ()
    scripts: tuple[tuple[str, int], ...] = ()
    licences: tuple[tuple[str, str, str, int | None], ...] = ()
    places: Mapping[str, Dependency | None] = field(default_factory=dict)
    roots: frozenset[str] = frozenset()


def without_credentials(url: str) -> str:
    """The URL for people: no user, password, query; the fragment stays out too."""
    scheme, _, rest = url.partition("+") if url.startswith(_VCS) else ("", "", url)
    try:
        parts = urlsplit(rest)
        host = parts.hostname or ""
        if parts.port:
            host += f":{parts.port}"
    except ValueError:
        return "(an invalid URL)"
    plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return (f"{scheme}+{plain}" if scheme else plain)[:300]


def is_plain_http(url: str) -> bool:
    """Whether bytes from there can be replaced on the way (this machine itself does not count)."""
    rest = url.partition("+")[2] if url.startswith(_VCS) else url
    try:
        parts = urlsplit(rest)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "git", "ftp") and not (
        host in ("localhost", "::1") or host.startswith("127.")
    )


def exact_version(specifiers: SpecifierSet | str) -> str:
    """The one version that a specifier allows, or ''."""
    try:
        parts = list(SpecifierSet(specifiers) if isinstance(specifiers, str) else specifiers)
    except InvalidSpecifier:
        return ""
    exact = [p.version for p in parts if p.operator in ("==", "===") and not p.version.endswith(".*")]
    return exact[0] if exact else ""


def requirement(text: str, line: int | None = None, *, group: str = "", hashes: int = 0) -> Dependency:
    """A requirement by PEP 508. Raises Unread."""
    if len(text) > LINE_LIMIT:
        raise Unread(f"is longer than {LINE_LIMIT:,} characters")
    try:
        parsed = Requirement(text)
    except (InvalidRequirement, RecursionError, ValueError):
        raise Unread("is no requirement by PEP 508") from None
    name = canonicalize_name(parsed.name)
    if parsed.url:
        return located(name, parsed.url, line, group=group, hashes=hashes)
    return Dependency(name, str(parsed.specifier), exact_version(parsed.specifier), line, hashes, group=group)


def located(
    name: str,
    url: str,
    line: int | None = None,
    *,
    group: str = "",
    hashes: int = 0,
    commit: str = "",
    editable: bool = False,
) -> Dependency:
    """A dependency that comes from a URL, a repository or a path instead of an index."""
    place, _, fragment = url.partition("#")
    if not name and (match := re.search(r"(?:^|&)egg=([A-Za-z0-9._-]{1,200})", fragment)):
        name = match[1]
    if url.startswith(_VCS):
        revision = commit or place.rpartition("/")[2].rpartition("@")[2]
        fixed, source = _COMMIT.fullmatch(revision) is not None, "vcs"
    elif "://" in url and not url.startswith("file:"):
        fixed, source = bool(hashes) or _SHA.search(fragment) is not None, "url"
        name = name or _name_of_file(place)
    else:
        fixed, source = True, "path"
    shown = without_credentials(url) if source != "path" else ""
    return Dependency(
        canonicalize_name(name) if name else "", line=line, hashes=hashes, source=source, url=shown, fixed=fixed,
        editable=editable, group=group,
    )  # fmt: skip


def _name_of_file(url: str) -> str:
    name = PurePosixPath(url).name.partition("-")[0]
    return name if _NAME.fullmatch(name) else ""


def valid_name(name: object) -> str:
    """The normalized name, or '' if it is none."""
    return canonicalize_name(name) if isinstance(name, str) and _NAME.fullmatch(name) else ""


def read(artifact: Artifact) -> str:
    """The text of a manifest. Raises Unread."""
    data = artifact.read_bytes(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise Unread(f"is larger than {SIZE_LIMIT:,} bytes")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Unread("is not UTF-8 text") from None


def is_manifest(artifact: Artifact) -> bool:
    """Whether it says what a project depends on; a setup.py is code, and says so too."""
    return artifact.kind is Kind.REQUIREMENTS or PurePosixPath(artifact.uri).name == "setup.py"


def parse(artifact: Artifact) -> Manifest:
    """Read a manifest by its name. Raises Unread, also for formats that are not read."""
    from shipworthy.checks.dependencies import _lockfiles, _npm, _requirements

    name = PurePosixPath(artifact.uri).name.lower()
    if name.endswith((".txt", ".in", ".pip")):
        return _requirements.parse(read(artifact), name)
    reader = _npm.reader_for(name) or _lockfiles.reader_for(name)
    if reader is None:
        raise Unread("is in a format that is not read")
    if name == "package.json" and "/node_modules/" in f"/{artifact.uri}":
        return _npm.installed(read(artifact), artifact.uri)
    manifest: Manifest = reader(read(artifact))
    return manifest


def names(dependencies: Iterable[Dependency], limit: int = 8) -> str:
    """The first few names for a message."""
    found = sorted({d.name for d in dependencies if d.name})
    return ", ".join(found[:limit]) + (f" and {len(found) - limit} more" if len(found) > limit else "")
