"""Pipelines of GitLab: what they include, what others can put into their commands, what they let pass."""

# ruff: noqa: E501  (regular expressions)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks._yaml import Malformed, Map, Seq, Text, as_list, as_map, as_text, read_texts
from shipworthy.checks.workflows import _shell
from shipworthy.checks.workflows._actions_rules import DOWNLOAD_AND_RUN, HARDCODED, IMAGE, PRIVILEGED
from shipworthy.checks.workflows._gitlab_rules import GITLAB_RULES as _OWN
from shipworthy.checks.workflows._hit import Hit, findings
from shipworthy.model import Artifact, Confidence, Finding, Severity
from shipworthy.patterns import regex

RULES = (*_OWN.values(), DOWNLOAD_AND_RUN, HARDCODED, IMAGE, PRIVILEGED)
SIZE_LIMIT = 1_000_000
_CANARY = b"include:\n  - remote: https://example.org/ci.yml\nbuild:\n  script: [make]\n"
# Keys of the top that are no jobs.
_GLOBAL = frozenset(
    {"include", "stages", "variables", "default", "workflow", "image", "services", "cache", "before_script", "after_script",
     "spec", "pages-settings"}
)  # fmt: skip
_COMMIT = regex(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_VERSION = regex(r"v?\d+\.\d+\.\d+(?:[-+][\w.-]{1,40})?\Z")
_THEIRS = (
    r"CI_(?:COMMIT_(?:TITLE|MESSAGE|DESCRIPTION|AUTHOR|REF_NAME|BRANCH|TAG_MESSAGE|TAG)|MERGE_REQUEST_(?:TITLE|DESCRIPTION|"
    r"SOURCE_BRANCH_NAME|LABELS|MILESTONE)|EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME|BUILD_REF_NAME)"
)
_EVALUATED = regex(
    rf"\b(?:eval|exec|(?:ba|z|da)?sh\s{{1,9}}-\w{{0,3}}c|ssh|python3?\s{{1,9}}-c|node\s{{1,9}}-e|perl\s{{1,9}}-e|ruby\s{{1,9}}-e)"
    rf"\s[^\n]{{0,400}}\$\{{?{_THEIRS}\b"
)
_VARIABLE = regex(rf"\$\{{?{_THEIRS}\b")
_TOKEN_IN_CLEAR = regex(
    r"(?i)://[^\s/@]{0,60}\$\{?CI_(?:JOB_TOKEN|DEPLOY_PASSWORD|REGISTRY_PASSWORD)\b|\s(?:-p|--password)[= ][\"']?\$\{?CI_(?:JOB_TOKEN|REGISTRY_PASSWORD|DEPLOY_PASSWORD)\b"
)
_SECURITY = regex(
    r"(?i)(?:^|[-_: ])(?:sast|dast|secret|secrets|security|scan|scanning|trivy|semgrep|gitleaks|bandit|audit|vulnerabilit(?:y|ies)|shipworthy|container_scanning|dependency_scanning)(?:$|[-_: ])"
)
_UNVERIFIED = frozenset(
    {"GIT_SSL_NO_VERIFY", "NODE_TLS_REJECT_UNAUTHORIZED", "PYTHONHTTPSVERIFY", "NPM_CONFIG_STRICT_SSL"}
)
_SECRET_FILES = regex(
    r"(?:^|/)(?:\.env(?:\.[\w-]+)?|\.git(?:/.*)?|\.ssh(?:/.*)?|id_rsa|[^/]*\.pem|[^/]*\.key|\.npmrc|\.pypirc|\.docker(?:/.*)?)\Z"
)


def is_ours(artifact: Artifact) -> bool:
    """Whether it is a pipeline of GitLab."""
    path = PurePosixPath(artifact.uri)
    return path.suffix in (".yml", ".yaml") and (
        path.stem.endswith(".gitlab-ci") or ".gitlab/ci/" in f"/{artifact.uri}"
    )


@check(
    "gitlab-ci",
    kinds={"workflow"},
    version=1,
    accepts=is_ours,
    canary=Canary(files={".gitlab-ci.yml": _CANARY}, rule="gitlab-remote-include"),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one file; what it includes is read where it is a file of its own."""
    data = artifact.read_bytes(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        yield Skipped(artifact, f"the file is larger than {SIZE_LIMIT:,} bytes")
        return
    try:
        parts = [one for one in read_texts(data.decode("utf-8-sig")) if one != ""]
    except UnicodeDecodeError:
        yield Skipped(artifact, "the file is not UTF-8 text")
        return
    except Malformed as error:
        yield Skipped(artifact, f"the file {error}")
        return
    if not parts or not all(isinstance(one, Map) for one in parts):
        yield Skipped(artifact, "the file is no pipeline: it is no mapping")
        return
    yield from findings(artifact, (hit for one in parts for hit in _hits(as_map(one))))


def _hits(top: Map) -> Iterator[Hit]:
    yield from _includes(top)
    yield from _variables("the pipeline", top)
    yield from _images("the pipeline", top)
    yield from _images("the pipeline", as_map(top.get("default")))
    for section in ("before_script", "after_script"):
        yield from _script(section, top.get(section))
    for name, own in top.items():
        if (name in _GLOBAL and name != "default") or not isinstance(own, Map):
            continue
        yield from _variables(f"job {name}", own)
        if name != "default":
            yield from _images(f"job {name}", own)
        for section in ("script", "before_script", "after_script"):
            yield from _script(f"job {name}", own.get(section))
        yield from _failing(name, own)
        yield from _artifacts(name, own)


def _includes(top: Map) -> Iterator[Hit]:
    for entry in as_list(top.get("include")):
        if isinstance(entry, Text):
            if entry.startswith(("http://", "https://")):
                yield Hit(_OWN["remote-include"], entry.line, f"includes {_shown(entry)}", f"remote {_shown(entry)}")
            continue
        own = as_map(entry)
        remote, project, component = (as_text(own.get(name)) for name in ("remote", "project", "component"))
        if remote and not own.get("integrity"):
            yield Hit(_OWN["remote-include"], remote.line, f"includes {_shown(remote)}", f"remote {_shown(remote)}")
        if project and not _COMMIT.match(as_text(own.get("ref"))):
            ref = as_text(own.get("ref"))
            told = f"at {ref[:60]}" if ref else "as its default branch is"
            severity = Severity.LOW if _VERSION.match(ref) else None
            yield Hit(
                _OWN["unpinned-include"],
                project.line,
                f"includes {project[:100]} {told}",
                f"project {project}",
                severity,
            )
        if component:
            name, _, version = component.rpartition("@")
            if not _COMMIT.match(version) and not _VERSION.match(version):
                yield Hit(
                    _OWN["unpinned-include"],
                    component.line,
                    f"includes {name[:100]} at {version[:60]}",
                    f"component {name}",
                )


def _shown(url: str) -> str:
    return url.partition("?")[0][:120]


def _variables(who: str, own: Map) -> Iterator[Hit]:
    for name, given in as_map(own.get("variables")).items():
        value = as_text(as_map(given).get("value")) if isinstance(given, Map) else as_text(given)
        if name == "CI_DEBUG_TRACE" and value.lower() in ("true", "1"):
            yield Hit(_OWN["debug-trace"], value.line, f"{who} switches CI_DEBUG_TRACE on", f"{who} {name}")
        elif name in _UNVERIFIED and value.lower() in (
            ("true", "1") if name == "GIT_SSL_NO_VERIFY" else ("0", "false")
        ):
            yield Hit(_OWN["plain-git"], value.line, f"{who} sets {name}", f"{who} {name}")
        elif name == "DOCKER_TLS_CERTDIR" and not value and value.line:
            message = f"{who} talks to Docker's daemon without TLS"
            yield Hit(_OWN["privileged-service"], value.line, message, f"{who} {name}", Severity.LOW)
        elif _shell.hard_coded(name, value):
            yield Hit(HARDCODED, value.line, f"{who} gives {name} as it is", f"{who} {name}", None, Confidence.MEDIUM)


def _images(who: str, own: Map) -> Iterator[Hit]:
    for number, given in enumerate([own.get("image"), *as_list(own.get("services"))]):
        image = given if isinstance(given, Text) else as_text(as_map(given).get("name"))
        if not image:
            continue
        if number and "docker" in image and "dind" in image:
            yield Hit(_OWN["privileged-service"], image.line, f"{who} starts Docker in Docker", f"{who} {image}")
        if "$" not in image and "@sha256:" not in image:
            latest = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
            severity = Severity.MEDIUM if latest else None
            yield Hit(IMAGE, image.line, f"{who} runs in {image[:120]}", f"{who} {image}", severity)


def _lines(script: object) -> Iterator[tuple[int, str]]:
    """The commands of a script with their lines; `!reference` stands for commands elsewhere."""
    for entry in as_list(script):
        if isinstance(entry, Text):
            for position, line in _shell.lines(entry):
                yield entry.line_at(position), line
        elif isinstance(entry, Seq) and entry.tag != "!reference":
            yield from _lines(entry)


def _script(who: str, script: object) -> Iterator[Hit]:
    for at, line in _lines(script):
        key = f"{who} {' '.join(line.split())[:200]}"
        if _shell.fetched_and_run(line):
            yield Hit(DOWNLOAD_AND_RUN, at, f"{who} fetches a script and runs it at once", key)
        if _shell.privileged(line):
            yield Hit(PRIVILEGED, at, f"{who} starts a container with the rights of its host", key)
        if _shell.unprotected(line):
            yield Hit(_OWN["plain-git"], at, f"{who} fetches over a connection that is not protected", key)
        if _TOKEN_IN_CLEAR.search(line):
            yield Hit(_OWN["inherited-token"], at, f"{who} hands its token over in the clear", key)
        if _EVALUATED.search(line):
            yield Hit(_OWN["script-injection"], at, f"{who} evaluates what others write", key)
        elif any(not _quoted(line, match.start()) for match in _VARIABLE.finditer(line)):
            yield Hit(_OWN["unquoted-variable"], at, f"{who} uses what others write without quotes", key)


def _quoted(line: str, position: int) -> bool:
    """Whether a place in a shell's line is inside of quotes or of [[ ]], where words are not split."""
    single = double = False
    number = 0
    while number < position:
        letter = line[number]
        if letter == "\\" and not single:
            number += 1
        elif letter == "'" and not double:
            single = not single
        elif letter == '"' and not single:
            double = not double
        number += 1
    before = line[:position]
    return single or double or before.count("[[") > before.count("]]") or before.rstrip().endswith(("=", "case"))


def _failing(name: str, own: Map) -> Iterator[Hit]:
    allowed = own.get("allow_failure")
    if isinstance(allowed, Text) and allowed.lower() == "true" and _SECURITY.search(name):
        yield Hit(_OWN["allowed-to-fail"], allowed.line, f"job {name} may fail", f"job {name}")


def _artifacts(name: str, own: Map) -> Iterator[Hit]:
    artifacts = as_map(own.get("artifacts"))
    if as_text(artifacts.get("untracked")).lower() == "true":
        message = f"job {name} publishes all files that git does not track"
        yield Hit(_OWN["wide-artifact"], artifacts.at("untracked"), message, f"job {name} untracked")
    for entry in as_list(artifacts.get("paths")):
        place = as_text(entry).strip().removeprefix("./").rstrip("/")
        if place in ("", ".", "*", "**", "**/*") or _SECRET_FILES.search(place):
            yield Hit(
                _OWN["wide-artifact"],
                as_text(entry).line,
                f"job {name} publishes {place or 'everything'}",
                f"job {name} {place}",
            )
