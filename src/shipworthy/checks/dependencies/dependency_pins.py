"""Dependencies that are not pinned, and package indexes that cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.dependencies._manifest import (
    Dependency,
    Index,
    Manifest,
    Unread,
    is_manifest,
    is_plain_http,
    names,
    parse,
)
from shipworthy.checks.dependencies._report import unread_parts
from shipworthy.model import Artifact, Finding, Rule, Severity

_PIN = ("CWE-1357", "CICD-SEC-3", "PW.4")

UNPINNED = Rule(
    "dependency-unpinned",
    "A dependency is not pinned to one version",
    Severity.LOW,
    "The next installation may bring other code than the one that was tested: a new release, good or bad, is taken "
    "without anybody's decision. Low where a range is given, medium where nothing is: then nobody has even said which "
    "versions were tried.",
    "Pin every package, also indirect ones, with a lock file or by `pip-compile --generate-hashes requirements.in` or "
    "`uv pip compile --generate-hashes`.",
    taxonomy=_PIN,
    help="dependency-pinning",
)
NO_HASHES = Rule(
    "dependency-no-hashes",
    "Locked dependencies have no digests",
    Severity.INFO,
    "A version names a release, not its bytes: an index or mirror that was taken over can hand out other files under "
    "the same version.",
    "Generate digests (`pip-compile --generate-hashes`, `uv export`) and install with `pip install --require-hashes`.",
    taxonomy=("CWE-494", "CICD-SEC-3", "CICD-SEC-9", "PW.4"),
    help="dependency-pinning",
)
MOVING_SOURCE = Rule(
    "dependency-moving-source",
    "A dependency comes from a repository or URL whose content can change",
    Severity.MEDIUM,
    "A branch, a tag and a file on a server can be replaced at any time, past every index and its checks.",
    "Name the commit, `package @ git+https://host/repo@<40 hex digits>`, or give the file's digest, "
    "`...whl#sha256=<64 hex digits>`.",
    taxonomy=("CWE-494", "CWE-829", *_PIN),
    help="dependency-pinning",
)
INSECURE_INDEX = Rule(
    "dependency-insecure-transport",
    "Packages are fetched without a protected connection",
    Severity.HIGH,
    "Anybody on the way can replace a package, and its code runs at installation.",
    "Use https addresses and leave --trusted-host out; for an own certificate authority use `pip --cert` or "
    "SSL_CERT_FILE.",
    taxonomy=("CWE-319", "CWE-295", "CWE-494", "CICD-SEC-3"),
    help="dependency-confusion",
)
CONFUSION = Rule(
    "dependency-confusion",
    "Several package indexes are asked for the same names",
    Severity.MEDIUM,
    "pip takes the highest version from any of them: whoever registers an internal package's name on the public index"
    " is installed instead.",
    "Use one --index-url that proxies the public index and holds the internal packages, or bind packages to an index "
    "(uv: [tool.uv.sources]; poetry: priority = 'explicit').",
    taxonomy=("CWE-427", "CICD-SEC-3", "AML.T0010.001", "LLM03:2025"),
    help="dependency-confusion",
)
EDITABLE = Rule(
    "dependency-editable",
    "A dependency is installed in editable mode",
    Severity.INFO,
    "What runs is the folder as it is at that moment, not a built and recorded package.",
    "Build a wheel and install that in production.",
    taxonomy=_PIN,
    help="dependency-pinning",
)

INSTALL_SCRIPT = Rule(
    "dependency-install-script",
    "A dependency runs code when it is installed",
    Severity.LOW,
    "The script runs on developers' machines and in the build, with their rights, before anybody has looked at it. "
    "Worms that spread through npm work so.",
    "Install with `npm ci --ignore-scripts` (or `ignore-scripts=true` in .npmrc), and rebuild the few packages that "
    "need it by name: `npm rebuild NAME`.",
    taxonomy=("CWE-829", "CICD-SEC-3", "AML.T0010.001"),
    help="install-scripts",
)
OTHER_REGISTRY = Rule(
    "dependency-other-registry",
    "A lock file takes a package from another place than the registry",
    Severity.MEDIUM,
    "A changed `resolved` address in a lock file is easily missed in review, and its bytes are what is installed.",
    "If it is your own mirror, waive the finding; if not, remove the entry and lock again.",
    taxonomy=("CWE-829", "CWE-494", "CICD-SEC-3"),
    help="dependency-confusion",
)


@check(
    "dependency-pins",
    kinds={"requirements", "code"},
    accepts=is_manifest,
    version=5,
    canary=Canary(
        files={"requirements.txt": b"--extra-index-url https://pypi.example.org/simple\nnumpy\n"}, rule=CONFUSION.id
    ),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one manifest. Ranges are normal in a library's pyproject.toml and in the input of a compiler."""
    try:
        manifest = parse(artifact)
    except Unread as error:
        yield Skipped(artifact, f"the file {error}")
        return
    yield from unread_parts(artifact, manifest)
    for index in manifest.indexes:
        yield from _index(artifact, index)
    for dependency in manifest.dependencies:
        yield from _source(artifact, dependency)
    if manifest.format in ("requirements", "constraints", "conda"):
        yield from _unpinned(artifact, manifest)
    yield from _hashes(artifact, manifest)
    yield from _npm(artifact, manifest)


def _npm(artifact: Artifact, manifest: Manifest) -> Iterator[Finding]:
    for name, line in manifest.scripts:
        message = f"npm runs this project's own script `{name}` when it is installed"
        yield INSTALL_SCRIPT.at(artifact, message, line=line, key=f"own {name}", severity=Severity.INFO)
    for item in manifest.dependencies:
        if item.scripts:
            message = f"{item.name} {item.specifier} runs a script when it is installed"
            yield INSTALL_SCRIPT.at(artifact, message, line=item.line, key=item.name)
        if item.host:
            secured = f"{item.name} comes from {item.host}" + ("" if item.hashes else " without a digest")
            severity = None if item.hashes else Severity.HIGH
            yield OTHER_REGISTRY.at(
                artifact, secured, line=item.line, key=f"{item.name} {item.host}", severity=severity
            )
        if item.ecosystem == "npm" and item.source == "index" and item.url and is_plain_http(item.url):
            yield INSECURE_INDEX.at(artifact, f"{item.name} comes from {item.url}", line=item.line, key=item.url)


def _index(artifact: Artifact, index: Index) -> Iterator[Finding]:
    if index.how == "trusted-host":
        message = f"certificates of {index.url} are not verified" if index.url else "certificates are not verified"
        yield INSECURE_INDEX.at(artifact, message, line=index.line, key=f"trusted {index.url}")
        return
    if is_plain_http(index.url):
        yield INSECURE_INDEX.at(artifact, f"packages come from {index.url}", line=index.line, key=index.url)
    if index.how == "extra":
        yield CONFUSION.at(artifact, f"packages come from {index.url} too", line=index.line, key=index.url)


def _source(artifact: Artifact, item: Dependency) -> Iterator[Finding]:
    name = item.name or "a package"
    if item.url and item.source != "index" and is_plain_http(item.url):
        yield INSECURE_INDEX.at(artifact, f"{name} comes from {item.url}", line=item.line, key=item.url)
    if item.source in ("vcs", "url") and not item.fixed:
        what = "a commit" if item.source == "vcs" else "a digest"
        yield MOVING_SOURCE.at(artifact, f"{name} comes from {item.url} without {what}", line=item.line, key=item.url)
    if item.editable:
        yield EDITABLE.at(
            artifact, f"{name} is installed in editable mode", line=item.line, key=f"{item.name} {item.url}"
        )


def _unpinned(artifact: Artifact, manifest: Manifest) -> Iterator[Finding]:
    for item in manifest.dependencies:
        if item.source != "index" or item.version:
            continue
        if item.specifier:
            yield UNPINNED.at(
                artifact, f"{item.name}{item.specifier} allows several versions", line=item.line, key=item.name
            )
        else:
            message = f"{item.name} may be any version"
            yield UNPINNED.at(artifact, message, line=item.line, key=item.name, severity=Severity.MEDIUM)


def _hashes(artifact: Artifact, manifest: Manifest) -> Iterator[Finding]:
    if manifest.format not in ("requirements", "lock"):
        return
    pinned = [d for d in manifest.dependencies if d.version and d.source == "index"]
    without = [d for d in pinned if not d.hashes]
    if not without:
        return
    if len(without) < len(pinned):
        message = f"{len(without)} of {len(pinned)} pinned packages have no digest: {names(without)}"
        yield NO_HASHES.at(artifact, message, severity=Severity.LOW, key="some", line=without[0].line)
    else:
        yield NO_HASHES.at(artifact, f"none of the {len(pinned)} pinned packages has a digest", key="none")
